"""The only writer of the rollups: signed differences, in the transaction that changes the ledger or the map.

Every record is split by itself (largest remainder, fixed project order), so a sum of differences is the difference
of sums, and taking a record out removes exactly what putting it in added. Whether a row counts, and whose it is by
another feed's word, is `Settlement`'s: `usage.settling` keeps that after every posting.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import connection

from usage.planning import grouped_by_hash

LEAST_KEY = (
    "organisation_id",
    "day",
    "cost_kind",
    "currency",
    "list_currency",
    "spent_currency",
    "counted",
    "tallied",
)
"""What every rollup tells apart."""
KEY = (*LEAST_KEY, "connection_id", "offering_id", "host", "model_raw", "service_tier", "spread")
PROJECT_KEY = (*KEY, "project_id")
OWNER_KEY = (*LEAST_KEY, "project_id")
OFFERING_KEY = (*LEAST_KEY, "offering_id", "host", "model_raw")
ROLLUPS = {
    "usage_dailycost": ("project_sums", PROJECT_KEY),
    "usage_projectdailycost": ("owner_sums", OWNER_KEY),
    "usage_offeringdailycost": ("offering_sums", OFFERING_KEY),
    "usage_modeldailycost": ("model_sums", KEY),
}
"""Each rollup, the sums that enter it, and what it tells apart. A read takes the one with the fewest rows that knows
what is asked (`usage.period_querysets.smallest`)."""
MONEY = ("list_cost", "contracted_cost", "reported_cost", "spent")
UNKNOWN = ("requests", "in_uncached", "in_cache_read", "in_cache_write", "out_total")
"""Measures that a record may not know."""
WITHOUT_TOKENS = """(r.unpriced_reason = 'tokens' OR (r.unpriced_reason = 'model' AND coalesce(r.in_uncached, 0) = 0
    AND coalesce(r.in_cache_read, 0) = 0 AND coalesce(r.in_cache_write, 0) = 0 AND coalesce(r.out_total, 0) = 0))"""
"""That a row has no list price and tells of no tokens that could have one."""


def measured(records: str, known: Mapping[str, str]) -> dict[str, str]:
    """SQL of every measure of a row `r` that stands for `records` records alike in which cost and which price they
    have; `known` says of how many of them each of `UNKNOWN` is known."""
    return {
        "list_cost": "coalesce(r.list_cost, 0)",
        "contracted_cost": "coalesce(r.contracted_cost, r.list_cost, 0)",
        "reported_cost": "coalesce(r.cost_reported, 0)",
        "spent": "coalesce(r.cost_reported, r.contracted_cost, r.list_cost, 0)",
        "records": records,
        "requests": "coalesce(r.requests, 0)",
        "in_uncached": "coalesce(r.in_uncached, 0)",
        "in_cache_read": "coalesce(r.in_cache_read, 0)",
        "in_cache_write": "coalesce(r.in_cache_write, 0)",
        "out_total": "coalesce(r.out_total, 0)",
        "out_reasoning": "coalesce(r.out_reasoning, 0)",
        "priced_records": f"CASE WHEN r.list_cost IS NULL THEN 0 ELSE {records} END",
        "reported_records": f"CASE WHEN r.cost_reported IS NULL THEN 0 ELSE {records} END",
        "spent_records": "CASE WHEN coalesce(r.cost_reported, r.contracted_cost, r.list_cost) IS NULL"
        f" THEN 0 ELSE {records} END",
        # The line of a bill has no tokens and needs no price, whether or not it names a model.
        "unpriced_requests": f"CASE WHEN r.list_cost IS NULL AND NOT (r.cost_reported IS NOT NULL AND {WITHOUT_TOKENS})"
        f" THEN coalesce(r.requests, 0) + {records} - {known['requests']} ELSE 0 END",
        "unpriced_tokens": "CASE WHEN r.list_cost IS NULL THEN coalesce(r.in_uncached, 0)"
        " + coalesce(r.in_cache_read, 0) + coalesce(r.in_cache_write, 0) + coalesce(r.out_total, 0) ELSE 0 END",
        **{f"unknown_{name}": f"{records} - {known[name]}" for name in UNKNOWN},
    }


MEASURED = measured("1", {name: f"(r.{name} IS NOT NULL)::int" for name in UNKNOWN})
OF_ALIKE = measured("r.records", {name: f"r.known_{name}" for name in UNKNOWN})
"""The measures of rows that `summed` has summed."""
MEASURES = tuple(MEASURED)
_DAY = "(r.occurred_at AT TIME ZONE 'UTC')::date"
_COUNTS = (*UNKNOWN, "out_reasoning")
_COSTS = ("list_cost", "contracted_cost", "cost_reported")


def summed() -> str:
    """The columns that `OF_ALIKE` asks of rows `r` alike in `unpriced_reason`, in `WITHOUT_TOKENS` and in which of
    their costs are known. Adding up is cheap; what follows from it is then worked out once for all of them."""
    known = (f"count(r.{name}) AS known_{name}" for name in UNKNOWN)
    counts = (f"sum(r.{name})::bigint AS {name}" for name in _COUNTS)
    return ", ".join(("count(*) AS records", *known, *counts, *(f"sum(r.{name}) AS {name}" for name in _COSTS)))


def cell(host: str, model_raw: str) -> str:
    """Joins from a row to the cell it stands in: `n` its connection, `o` its offering, `v` that one's seller, `s` the
    settlement of its cell if there is one. The row is `r` with `day`, `cost_kind` and ids; names are given."""
    return f"""
        JOIN usage_connection n ON n.id = r.connection_id
        LEFT JOIN pricing_offering o ON o.id = r.offering_id
        LEFT JOIN pricing_provider v ON v.id = o.provider_id
        LEFT JOIN usage_settlement s ON s.organisation_id = r.organisation_id AND s.day = r.day
            AND s.account = {account(host)} AND s.model_key = {model_key(model_raw)} AND r.cost_kind <> 'notional'"""


def account(host: str) -> str:
    """The billing account of a row: its host, else its offering's seller; with the account's name if it has one."""
    return f"coalesce(nullif({host}, ''), v.slug, '') || CASE n.account WHEN '' THEN '' ELSE '/' || n.account END"


def model_key(model_raw: str) -> str:
    """The model of a row whatever a feed calls it; the name itself where that means nothing."""
    return f"coalesce('#' || o.model_id, lower({model_raw}))"


FEED = "(n.importer || CASE r.cost_kind WHEN 'billed' THEN '/billed' ELSE '' END)"
"""The feed of a row: its importer, and apart from all else what that one brings of a bill."""
COUNTED = f"(s.id IS NULL OR s.money_feed = {FEED})"
TALLIED = f"(s.id IS NULL OR s.usage_feed = {FEED})"
SPREAD = f"(s.projects IS NOT NULL AND s.detail_feed <> {FEED} AND ({COUNTED} OR {TALLIED}))"


_ALIKE = (
    "organisation_id",
    "connection_id",
    "dimension_id",
    "offering_id",
    "service_tier",
    "cost_kind",
    "currency",
    "rate_card_id",
    "contract_card_id",
)
"""What of a row decides, with its day and whether its cost was reported, where it enters the rollups."""


def sums(rows: str) -> str:
    """CTEs `model_sums`, `offering_sums`, `project_sums` and `owner_sums` (each record by its own attribution) and
    `spread_sums` (what settlements spread) over `rows` (a relation like the ledger), as they enter the rollups. The
    last holds for whole days.

    Rows that are alike are summed before anything is looked up; only those of several projects are taken one by one.
    """
    key, added = ", ".join(KEY), ", ".join(f"sum({name}){_whole(name)} AS {name}" for name in MEASURES)
    ids = ", ".join(_ALIKE)
    alike = ", ".join(f"r.{name}" for name in _ALIKE) + f", {_DAY}, r.cost_reported IS NULL"
    apart = {name: f"{name} AND settled IS NULL AS {name}" for name in ("counted", "tallied")}
    own_key = ", ".join(apart.get(name, name) for name in KEY)
    return f"""
    alike AS (
        SELECT {ids}, day, unreported, {", ".join(f"{sql} AS {name}" for name, sql in OF_ALIKE.items())} FROM (
            SELECT {_named(alike)}, r.unpriced_reason, {summed()}
            FROM {rows} r GROUP BY {alike}, r.unpriced_reason, {WITHOUT_TOKENS}
        ) r
    ), one_by_one AS (
        SELECT {_named(alike)}, t.projects,
            {", ".join(f"{_split(sql, name)} AS {name}" for name, sql in MEASURED.items())}
        FROM {rows} r JOIN usage_assignment a ON {_ASSIGNED.format(day=_DAY)}
        JOIN usage_attribution t ON t.id = a.attribution_id WHERE cardinality(t.projects) > 1 OFFSET 0
    ), shared AS (
        SELECT {ids}, day, unreported, part.project_id,
            {", ".join(f"sum(m.{name}[part.nth]){_whole(name)} AS {name}" for name in MEASURES)}
        FROM one_by_one m, unnest(m.projects) WITH ORDINALITY AS part (project_id, nth)
        GROUP BY {ids}, day, unreported, part.project_id
    ), grouped AS (
        SELECT {key}, settled, attribution_id, {added} FROM ({_placed("alike")}) m
        GROUP BY {key}, settled, attribution_id
    ), settled_sums AS (
        SELECT {key}, settled, {added} FROM grouped GROUP BY {key}, settled
    ), model_sums AS (
        SELECT {key}, {", ".join(MEASURES)} FROM settled_sums
    ), project_sums AS (
        SELECT {own_key}, project_id, {added} FROM (
            SELECT {", ".join(f"g.{name}" for name in (*KEY, "settled", *MEASURES))}, t.projects[1] AS project_id
            FROM grouped g JOIN usage_attribution t ON t.id = g.attribution_id WHERE cardinality(t.projects) <= 1
            UNION ALL
            SELECT {key}, settled, {", ".join(MEASURES)}, project_id FROM ({_placed("shared", "r.project_id")}) m
        ) shares GROUP BY {key}, settled, project_id
    ), owner_sums AS ({by(OWNER_KEY, "project_sums")}
    ), offering_sums AS ({by(OFFERING_KEY, "model_sums")}
    ), spread_sums AS ({spread("settled_sums", "s.id = m.settled")})"""


_ASSIGNED = "a.dimension_id = r.dimension_id AND {day} >= a.valid_from AND {day} < a.valid_until"


def _whole(name: str) -> str:
    """What makes a sum of counts a count again: as numeric it would be summed on at several times the cost."""
    return "" if name in MONEY else "::bigint"


def _named(alike: str) -> str:
    return alike.replace(_DAY, f"{_DAY} AS day").replace("IS NULL", "IS NULL AS unreported")


def _placed(rows: str, *more: str) -> str:
    """Sums of rows that are alike, with the key under which they enter the rollups and the attribution they have."""
    return f"""
        SELECT r.organisation_id, r.day, r.connection_id, r.offering_id, d.host,
            CASE WHEN r.offering_id IS NULL THEN d.model_raw ELSE '' END AS model_raw, r.service_tier, r.cost_kind,
            r.currency, coalesce(c.currency, k.currency, '') AS list_currency,
            CASE WHEN r.unreported THEN coalesce(c.currency, k.currency, '') ELSE r.currency END AS spent_currency,
            {COUNTED} AS counted, {TALLIED} AS tallied, false AS spread, CASE WHEN {SPREAD} THEN s.id END AS settled,
            {", ".join(("a.attribution_id", *more, *(f"r.{name}" for name in MEASURES)))}
        FROM {rows} r JOIN usage_usagedimension d ON d.id = r.dimension_id
        JOIN usage_assignment a ON {_ASSIGNED.format(day="r.day")}
        {cell("d.host", "d.model_raw")}
        LEFT JOIN pricing_ratecard c ON c.id = r.rate_card_id
        LEFT JOIN usage_contractcard k ON k.id = r.contract_card_id"""


def by(key: Sequence[str], rows: str) -> str:
    """Rows of a rollup summed by a part of its key."""
    columns, summed = ", ".join(key), ", ".join(f"sum({name}) AS {name}" for name in MEASURES)
    return f"SELECT {columns}, {summed} FROM {rows} GROUP BY {columns}"


def spread(rows: str, settlement: str) -> str:
    """Rows of the rollup by model, split over the projects of their settlement."""
    return f"""
        SELECT {", ".join("true AS spread" if name == "spread" else f"m.{name}" for name in KEY)}, part.project_id,
            {", ".join(f"part.{name}" for name in MEASURES)}
        FROM {rows} m JOIN usage_settlement s ON {settlement},
        LATERAL unnest(s.projects, {_parts("s.weights")}) AS part (project_id, {", ".join(MEASURES)})
        WHERE {" OR ".join(f"part.{name} <> 0" for name in MEASURES)}"""


def _parts(weights: str) -> str:
    return ", ".join(_split(f"m.{name}", name, weights) for name in MEASURES)


def _split(amount: str, name: str, weights: str = "t.weights") -> str:
    """SQL of a measure's parts, as an array."""
    return f"usage_split({amount}, {weights}, {12 if name in MONEY else 0})"


def _upsert(table: str, source: str, key: Sequence[str], sign: int) -> str:
    columns = ", ".join((*key, *MEASURES))
    values = ", ".join((*key, *(f"{sign} * {name}" for name in MEASURES)))
    changed = ", ".join(f"{name} = {table}.{name} + EXCLUDED.{name}" for name in MEASURES)
    return f"""INSERT INTO {table} ({columns}) SELECT {values} FROM {source}
        ON CONFLICT ({", ".join(key)}) DO UPDATE SET {changed}"""


def posted(rows: str, sign: int) -> str:
    """The CTEs and the final statement that add `sign` × the sums of `rows` to every rollup."""
    *others, last = (_upsert(table, source, key, sign) for table, (source, key) in ROLLUPS.items())
    return f"{sums(rows)}, {', '.join(f'posted_{n} AS ({sql})' for n, sql in enumerate(others))} {last}"


def post(rows: str, sign: int) -> None:
    """Add `sign` × the sums of a relation of ledger rows to the rollups."""
    with connection.cursor() as cursor, grouped_by_hash(cursor):
        cursor.execute(f"WITH {posted(rows, sign)}")


def post_dimensions(organisation_id: int, dimension_ids: Collection[int], sign: int) -> list[date]:
    """Take the records of some dimensions out of the rollups, or put them in, by the map as it is now; their days."""
    with connection.cursor() as cursor:
        with grouped_by_hash(cursor):
            cursor.execute(
                "WITH chosen AS (SELECT * FROM usage_usagerecord WHERE organisation_id = %s"
                f" AND dimension_id = ANY(%s)), {posted('chosen', sign)}",
                [organisation_id, list(dimension_ids)],
            )
        if sign < 0:
            return []
        cursor.execute(
            "SELECT DISTINCT (occurred_at AT TIME ZONE 'UTC')::date FROM usage_usagerecord"
            " WHERE organisation_id = %s AND dimension_id = ANY(%s)",
            [organisation_id, list(dimension_ids)],
        )
        days = [day for (day,) in cursor.fetchall()]
    sweep(organisation_id, days)
    return days


def sweep(organisation_id: int, days: Collection[date]) -> None:
    """Remove rows of these days that have become nothing at all."""
    nothing = " AND ".join(f"{name} = 0" for name in MEASURES)
    with connection.cursor() as cursor:
        for table in ROLLUPS:
            cursor.execute(
                f"DELETE FROM {table} WHERE organisation_id = %s AND day = ANY(%s) AND {nothing}",
                [organisation_id, list(days)],
            )


def sum_again(organisation_id: int, days: Collection[date]) -> None:
    """Sum the rollups by project and by offering alone anew from the larger ones, which have changed on these days."""
    which: dict[str, Any] = {"organisation": organisation_id, "days": list(days)}
    of_days = "organisation_id = %(organisation)s AND day = ANY(%(days)s)"
    with connection.cursor() as cursor:
        for table, source in (
            ("usage_projectdailycost", "usage_dailycost"),
            ("usage_offeringdailycost", "usage_modeldailycost"),
        ):
            key = ROLLUPS[table][1]
            cursor.execute(f"DELETE FROM {table} WHERE {of_days}", which)
            cursor.execute(
                f"INSERT INTO {table} ({', '.join((*key, *MEASURES))})"
                f" {by(key, f'(SELECT * FROM {source} WHERE {of_days}) r')}",
                which,
            )


def rebuild(organisation_id: int, days: Collection[date]) -> None:
    """Recompute some UTC days from the ledger; the caller holds the organisation's lock."""
    with connection.cursor() as cursor:
        for table in ROLLUPS:
            cursor.execute(
                f"DELETE FROM {table} WHERE organisation_id = %s AND day = ANY(%s)", [organisation_id, list(days)]
            )
        with grouped_by_hash(cursor):
            for day in days:
                cursor.execute(
                    f"WITH chosen AS (SELECT * FROM usage_usagerecord WHERE organisation_id = %s"
                    f" AND occurred_at >= %s::timestamp AT TIME ZONE 'UTC'"
                    f" AND occurred_at < (%s::date + 1)::timestamp AT TIME ZONE 'UTC'), {posted('chosen', 1)}",
                    [organisation_id, day, day],
                )
