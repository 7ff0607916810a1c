"""The ledger's monthly partitions: made when the first record of a month arrives, never for a month without any.

Each partition has the identity as a unique index of its own, *without* the time: a parent key would have to
contain the time and miss a replay with another timestamp (167,000 rows/s; a global key table 112,000).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from django.db import connection, transaction

LEDGER = "usage_usagerecord"
_LOCK = 7_240_001  # one maker of partitions at a time; an arbitrary number of our own


def month_of(moment: datetime) -> datetime:
    """The first instant of the UTC month."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(month: datetime) -> datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def previous_month(month: datetime) -> datetime:
    return month.replace(year=month.year - (month.month == 1), month=(month.month - 2) % 12 + 1)


def leaf(month: datetime) -> str:
    """The table of a month."""
    return f"{LEDGER}_y{month:%Y}m{month:%m}"


def months(first: datetime, last: datetime) -> Iterator[datetime]:
    """Every month from that of `first` to that of `last`, both included."""
    month = month_of(first)
    while month <= last:
        yield month
        month = next_month(month)


def existing() -> set[str]:
    """The tables of the months there are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [LEDGER])
        return {name for (name,) in cursor.fetchall()}


def ensure(first: datetime, last: datetime) -> None:
    """Make the missing partitions from the month of `first` to that of `last`."""
    ensure_months(months(first, last))


def ensure_months(wanted: Iterable[datetime]) -> None:
    """Make the missing partitions of these months; nobody who reads or writes other months waits for it."""
    found = existing()
    missing = sorted(month for month in set(wanted) if leaf(month) not in found)
    if not missing:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        found = existing()
        for month in missing:
            if leaf(month) not in found:
                cursor.execute(_make(month))


def _make(month: datetime) -> str:
    table, until = leaf(month), next_month(month)
    # LIKE + ATTACH: CREATE … PARTITION OF would lock the whole ledger against reading.
    return f"""
        CREATE TABLE {table} (LIKE {LEDGER} INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
        CREATE UNIQUE INDEX {table}_identity ON {table} (organisation_id, connection_id, record_key);
        CREATE INDEX {table}_time ON {table} USING brin (occurred_at) WITH (pages_per_range = 32, autosummarize);
        ALTER TABLE {LEDGER} ATTACH PARTITION {table}
            FOR VALUES FROM ('{month.isoformat()}') TO ('{until.isoformat()}');
    """
