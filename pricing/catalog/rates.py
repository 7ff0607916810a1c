"""Exchange rates as readings state them.

One source has one standing rate a currency and day. A rate that it states differently later supersedes the other,
which is kept: what was reckoned with it can be reckoned again.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from psycopg import sql

from pricing.catalog.rows import copy_rows
from pricing.models import ExchangeRate, PriceSource
from pricing.sources import Reading

_TABLE = ExchangeRate._meta.db_table
_COLUMNS = ("currency", "day", "usd", "source_id")


def write_rates(reading: Reading, source: PriceSource, *, newest: bool = True) -> None:
    """Add the rates of a reading; where it is the source's newest, what it states differently holds from now on."""
    rows = [(fact.currency, fact.day, fact.usd, source.pk) for fact in reading.rates]
    if not rows:
        return
    with connection.cursor() as cursor:
        # What `stand_still` waits for. A statement's own time, at which rates are recorded, comes after the wait.
        cursor.execute(f"LOCK TABLE {_TABLE} IN SHARE ROW EXCLUSIVE MODE")
    if not ExchangeRate.objects.filter(source=source).exists():
        copy_rows(_TABLE, _COLUMNS, rows)
    else:
        _merge(rows, restate=newest)


def stand_still() -> None:
    """Let no rate be written until this transaction ends, so that what stands now is what stood at its end."""
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {_TABLE} IN SHARE MODE")


def _merge(rows: Sequence[tuple[object, ...]], *, restate: bool) -> None:
    table = sql.Identifier(_TABLE)
    names = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
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
                    "UPDATE {0} SET superseded_at = statement_timestamp() FROM staged WHERE {0}.source_id = "
                    "staged.source_id AND {0}.currency = staged.currency AND {0}.day = staged.day "
                    "AND {0}.superseded_at IS NULL AND {0}.usd <> staged.usd"
                ).format(table)
            )
        execute(sql.SQL("INSERT INTO {} ({}) SELECT {} FROM staged ON CONFLICT DO NOTHING").format(table, names, names))
        execute("DROP TABLE staged")
