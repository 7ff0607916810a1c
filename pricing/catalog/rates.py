"""Exchange rates as readings state them.

One source has one rate a currency and day. A rate it states differently later is overwritten: the bytes that said the
other are still in the snapshot of their reading, and the later run counts it.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from psycopg import sql

from pricing.catalog.rows import copy_rows
from pricing.models import ExchangeRate, PriceSource
from pricing.sources import Reading

_COLUMNS = ("currency", "day", "usd", "source_id")
_RESTATED = "earlier value of a restated rate"


def write_rates(reading: Reading, source: PriceSource, *, newest: bool = True) -> None:
    """Add the rates of a reading; where it is the source's newest, what it states differently holds from now on.

    How many were overwritten is added to the reading's `unplaced`: no column takes the earlier value.
    """
    rows = [(fact.currency, fact.day, fact.usd, source.pk) for fact in reading.rates]
    if not rows:
        return
    if not ExchangeRate.objects.filter(source=source).exists():
        copy_rows(ExchangeRate._meta.db_table, _COLUMNS, rows)
        return
    if overwritten := _merge(rows, restate=newest):
        reading.unplaced[_RESTATED] += overwritten


def _merge(rows: Sequence[tuple[object, ...]], *, restate: bool) -> int:
    """Insert the rates not there yet; the number of those overwritten."""
    table = sql.Identifier(ExchangeRate._meta.db_table)
    names = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
    overwritten = 0
    with connection.cursor() as cursor:
        execute = cursor.cursor.execute
        execute(
            sql.SQL("CREATE TEMP TABLE staged ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(names, table)
        )
        with cursor.cursor.copy(sql.SQL("COPY staged ({}) FROM STDIN").format(names)) as copy:
            for row in rows:
                copy.write_row(row)
        execute("ANALYZE staged")
        if restate:
            execute(
                sql.SQL(
                    "UPDATE {0} SET usd = staged.usd, recorded_at = now() FROM staged WHERE {0}.source_id = "
                    "staged.source_id AND {0}.currency = staged.currency AND {0}.day = staged.day "
                    "AND {0}.usd <> staged.usd"
                ).format(table)
            )
            overwritten = cursor.cursor.rowcount
        execute(sql.SQL("INSERT INTO {} ({}) SELECT {} FROM staged ON CONFLICT DO NOTHING").format(table, names, names))
        execute("DROP TABLE staged")
    return overwritten
