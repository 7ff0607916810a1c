"""The only writer of the rollups: signed differences, in the transaction that changes the ledger or the map.

Every record is split by itself (largest remainder, fixed project order), so a sum of differences is the difference
of sums, and taking a record out removes exactly what putting it in added.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from django.db import connection

KEY = (
    "organisation_id",
    "day",
    "connection_id",
    "offering_id",
    "host",
    "model_raw",
    "service_tier",
    "cost_kind",
    "currency",
    "list_currency",
    "counted",
)
MONEY = ("list_cost", "contracted_cost", "reported_cost")
COUNTS = {
    "records": "1",
    "requests": "coalesce(r.requests, 0)",
    "in_uncached": "coalesce(r.in_uncached, 0)",
    "in_cache_read": "coalesce(r.in_cache_read, 0)",
    "in_cache_write": "coalesce(r.in_cache_write, 0)",
    "out_total": "coalesce(r.out_total, 0)",
    "out_reasoning": "coalesce(r.out_reasoning, 0)",
    "priced_records": "(r.list_cost IS NOT NULL)::int",
    "reported_records": "(r.cost_reported IS NOT NULL)::int",
    "unpriced_requests": "CASE WHEN r.list_cost IS NULL THEN coalesce(r.requests, 1) ELSE 0 END",
    "unpriced_tokens": "CASE WHEN r.list_cost IS NULL THEN coalesce(r.in_uncached, 0) + coalesce(r.in_cache_read, 0)"
    " + coalesce(r.in_cache_write, 0) + coalesce(r.out_total, 0) ELSE 0 END",
    "unknown_requests": "(r.requests IS NULL)::int",
    "unknown_in_uncached": "(r.in_uncached IS NULL)::int",
    "unknown_in_cache_read": "(r.in_cache_read IS NULL)::int",
    "unknown_in_cache_write": "(r.in_cache_write IS NULL)::int",
    "unknown_out_total": "(r.out_total IS NULL)::int",
}
_MEASURED = {
    "list_cost": "coalesce(r.list_cost, 0)",
    "contracted_cost": "coalesce(r.contracted_cost, r.list_cost, 0)",
    "reported_cost": "coalesce(r.cost_reported, 0)",
    **COUNTS,
}
MEASURES = tuple(_MEASURED)
_DAY = "(r.occurred_at AT TIME ZONE 'UTC')::date"


def sums(rows: str) -> str:
    """CTEs `model_sums` and `project_sums` over `rows` (a relation like the ledger), as they stand in the rollups."""
    key, summed = ", ".join(KEY), ", ".join(f"sum({name}) AS {name}" for name in MEASURES)
    measured = ", ".join(f"{sql} AS {name}" for name, sql in _MEASURED.items())
    parts = ", ".join(f"usage_split(m.{name}, t.weights, {12 if name in MONEY else 0})" for name in MEASURES)
    of_rows = f"""
        r.organisation_id, {_DAY} AS day, r.connection_id, r.offering_id, d.host,
        CASE WHEN r.offering_id IS NULL THEN d.model_raw ELSE '' END AS model_raw, r.service_tier, r.cost_kind,
        r.currency, coalesce(c.currency, '') AS list_currency, r.counted, a.attribution_id"""
    return f"""
    moved AS (
        SELECT {of_rows}, {measured} FROM {rows} r
        JOIN usage_usagedimension d ON d.id = r.dimension_id
        JOIN usage_assignment a ON a.dimension_id = r.dimension_id AND {_DAY} >= a.valid_from AND {_DAY} < a.valid_until
        LEFT JOIN pricing_ratecard c ON c.id = r.rate_card_id
    ), grouped AS (
        SELECT {key}, attribution_id, {summed} FROM moved GROUP BY {key}, attribution_id
    ), model_sums AS (
        SELECT {key}, {summed} FROM grouped GROUP BY {key}
    ), project_sums AS (
        SELECT {key}, project_id, {summed} FROM (
            SELECT g.*, t.projects[1] AS project_id
            FROM grouped g JOIN usage_attribution t ON t.id = g.attribution_id WHERE cardinality(t.projects) <= 1
            UNION ALL
            SELECT {", ".join(f"m.{name}" for name in KEY)}, m.attribution_id,
                {", ".join(f"part.{name}" for name in MEASURES)}, part.project_id
            FROM moved m JOIN usage_attribution t ON t.id = m.attribution_id AND cardinality(t.projects) > 1,
            LATERAL unnest(t.projects, {parts}) AS part (project_id, {", ".join(MEASURES)})
        ) shares GROUP BY {key}, project_id
    )"""


def _upsert(table: str, source: str, key: Sequence[str], sign: int) -> str:
    columns = ", ".join((*key, *MEASURES))
    values = ", ".join((*key, *(f"{sign} * {name}" for name in MEASURES)))
    changed = ", ".join(f"{name} = {table}.{name} + EXCLUDED.{name}" for name in MEASURES)
    return f"""INSERT INTO {table} ({columns}) SELECT {values} FROM {source}
        ON CONFLICT ({", ".join(key)}) DO UPDATE SET {changed}"""


def posted(rows: str, sign: int) -> str:
    """The CTEs and the final statement that add `sign` × the sums of `rows` to both rollups."""
    return f"""{sums(rows)}, of_projects AS ({_upsert("usage_dailycost", "project_sums", (*KEY, "project_id"), sign)})
        {_upsert("usage_modeldailycost", "model_sums", KEY, sign)}"""


def post(rows: str, sign: int) -> None:
    """Add `sign` × the sums of a relation of ledger rows to the rollups."""
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {posted(rows, sign)}")


def post_dimensions(organisation_id: int, dimension_ids: Collection[int], sign: int) -> None:
    """Take the records of some dimensions out of the rollups, or put them in, by the map as it is now."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH chosen AS (SELECT * FROM usage_usagerecord WHERE organisation_id = %s AND dimension_id = ANY(%s)),"
            f" {posted('chosen', sign)}",
            [organisation_id, list(dimension_ids)],
        )
        if sign > 0:
            cursor.execute(
                "SELECT DISTINCT (occurred_at AT TIME ZONE 'UTC')::date FROM usage_usagerecord"
                " WHERE organisation_id = %s AND dimension_id = ANY(%s)",
                [organisation_id, list(dimension_ids)],
            )
            sweep(organisation_id, [day for (day,) in cursor.fetchall()])


def sweep(organisation_id: int, days: Collection[date]) -> None:
    """Remove rows of these days that have become nothing at all."""
    nothing = " AND ".join(f"{name} = 0" for name in MEASURES)
    with connection.cursor() as cursor:
        for table in ("usage_dailycost", "usage_modeldailycost"):
            cursor.execute(
                f"DELETE FROM {table} WHERE organisation_id = %s AND day = ANY(%s) AND {nothing}",
                [organisation_id, list(days)],
            )


def rebuild(organisation_id: int, days: Collection[date]) -> None:
    """Recompute some UTC days from the ledger; the caller holds the organisation's lock."""
    with connection.cursor() as cursor:
        for table in ("usage_dailycost", "usage_modeldailycost"):
            cursor.execute(
                f"DELETE FROM {table} WHERE organisation_id = %s AND day = ANY(%s)", [organisation_id, list(days)]
            )
        for day in days:
            cursor.execute(
                f"WITH chosen AS (SELECT * FROM usage_usagerecord WHERE organisation_id = %s"
                f" AND occurred_at >= %s::timestamp AT TIME ZONE 'UTC'"
                f" AND occurred_at < (%s::date + 1)::timestamp AT TIME ZONE 'UTC'), {posted('chosen', 1)}",
                [organisation_id, day, day],
            )
