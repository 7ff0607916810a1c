"""What the records of a window look like: how long their prompts are and in which hours they come, from a sample.

The rollups do not know it, and the ledger has no index by time: of ten million rows a year a window of thirty days
stands among 1.7 million rows of two months. So pages of the months are drawn until some 40,000 rows were looked at, all
rows of a smaller ledger, and the same pages each time: the drawing is seeded, and how much is drawn moves by halves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from pricing.units import LIFETIMES
from usage import partitions, rollups
from usage.observed.slicing import POWERS, Sampled
from usage.querysets import NOTIONAL
from usage.token_log import EVERY_HOUR, MARKS

LOOKED_AT = 40_000
_PER_PAGE = 24
"""Rows of a page of 8 kB, for a table that nobody has analysed yet."""

Line = tuple[int, int, str]
"""Project, offering and service tier."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a sample saw of one project's use of one offering at one tier.

    `prompt_p99` and `prompt_max` are of single requests, None where they are known of less than half of them. `marks`
    are those of `token_log.MARKS` that some record bears.
    """

    parts: tuple[Sampled, ...]
    records: int
    prompt_p99: int | None
    prompt_max: int | None
    marks: frozenset[str]


def seen(
    organisation_id: int, projects: Sequence[int], since: date, until: date, edges: Sequence[int] = ()
) -> dict[Line, Seen]:
    """Of the UTC days [since, until), by project, offering and tier; what the drawn pages do not hold is not in it.

    Prompts are told apart at the powers of two and at `edges`, the lengths from which some price differs. Two queries.
    """
    leaves = _leaves(since, until)
    share = _share(leaves)
    if not leaves:
        return {}
    sql = _query(leaves, share)
    span: list[Any] = [
        organisation_id,
        datetime.combine(since, time.min, UTC),
        datetime.combine(until, time.min, UTC),
    ]
    bounds = sorted({*POWERS, *edges})
    with connection.cursor() as cursor:
        keys = list(projects)
        cursor.execute(sql, [*span * len(leaves), keys, organisation_id, keys, keys, bounds])
        rows = cursor.fetchall()
    return _read(rows)


def _leaves(since: date, until: date) -> dict[str, int]:
    """The tables of the months of a window that exist, and how many rows each is believed to have.

    By their size now and the rows a page held when last analysed, as the planner does: an import since then counts.
    """
    first = datetime.combine(since, time.min, UTC)
    last = datetime.combine(until - timedelta(days=1), time.min, UTC)
    wanted = [partitions.leaf(month) for month in partitions.months(first, last)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, (pg_relation_size(oid) / 8192 * CASE WHEN reltuples > 0 AND relpages > 0"
            " THEN reltuples / relpages ELSE %s END)::bigint"
            " FROM pg_class WHERE relname = ANY(%s) AND relnamespace = current_schema()::regnamespace ORDER BY relname",
            [_PER_PAGE, wanted],
        )
        return dict(cursor.fetchall())


def _share(leaves: dict[str, int]) -> Decimal:
    """The per cent of pages to draw: a power of a half, so that a new estimate of the rows seldom changes it."""
    share, rows = Decimal(100), sum(leaves.values())
    while rows * share > LOOKED_AT * 100 * Decimal("1.5"):
        share /= 2
    return share


_WRITES = {
    "": " - ".join(("coalesce(r.in_cache_write, 0)", *(f"r.cache_write_{lifetime}" for lifetime in LIFETIMES))),
    **{lifetime: f"r.cache_write_{lifetime}" for lifetime in LIFETIMES},
}
_KINDS = {
    "requests": "coalesce(r.requests, 0)",
    "input": "coalesce(r.in_uncached, 0)",
    "cache_read": "coalesce(r.in_cache_read, 0)",
    "output": "coalesce(r.out_total, 0) - coalesce(r.out_reasoning, 0)",
    "reasoning": "coalesce(r.out_reasoning, 0)",
    **{f"write_{lifetime}": sql for lifetime, sql in _WRITES.items()},
}
_SENT = "coalesce(r.in_uncached, 0) + coalesce(r.in_cache_read, 0) + coalesce(r.in_cache_write, 0)"
_PROMPT = f"coalesce(r.context_tokens, CASE WHEN r.grain IN ('request', 'delta') THEN {_SENT} END)"
"""What the context tier of a record is chosen by when it is rated (`usage.rating`)."""
_ONE_REQUEST = f"CASE WHEN r.grain = 'request' AND coalesce(r.requests, 1) <= 1 THEN {_SENT} ELSE r.context_tokens END"
_SPEAKS = "sum(requests) FILTER (WHERE sent IS NOT NULL) * 2 >= sum(requests)"
"""Prompts that are known speak for all where they are of half the requests: a laptop's are not those of a service."""
_HOUR = f"""CASE WHEN r.grain IN ('1d', '1mo') THEN {EVERY_HOUR} ELSE
    (extract(isodow FROM r.occurred_at AT TIME ZONE 'UTC') - 1) * 24 + extract(hour FROM r.occurred_at AT TIME ZONE 'UTC')
    END::int"""  # noqa: E501


def _query(leaves: dict[str, int], share: Decimal) -> str:
    drawn = "" if share == 100 else f"TABLESAMPLE SYSTEM ({share:f}) REPEATABLE (1)"
    kept = " UNION ALL ".join(
        f"SELECT * FROM {leaf} {drawn} WHERE organisation_id = %s AND occurred_at >= %s AND occurred_at < %s"
        f" AND offering_id IS NOT NULL AND cost_kind <> '{NOTIONAL}'"
        for leaf in leaves
    )
    kinds = ", ".join(f'{sql} AS "{name}"' for name, sql in _KINDS.items())
    summed = ", ".join(f'sum("{name}" * weight)' for name in _KINDS)
    marked = ", ".join(f"bool_or('{mark}' = ANY(quality))" for mark in MARKS)
    return f"""
    WITH kept AS (SELECT r.*, (r.occurred_at AT TIME ZONE 'UTC')::date AS day FROM ({kept}) r), told AS (
        SELECT r.*, d.host, d.model_raw, t.projects, t.weights
        FROM kept r
        JOIN usage_usagedimension d ON d.id = r.dimension_id
        JOIN usage_assignment a ON a.dimension_id = r.dimension_id AND r.day >= a.valid_from AND r.day < a.valid_until
        JOIN usage_attribution t ON t.id = a.attribution_id
        WHERE t.projects && %s::bigint[] OR EXISTS (  -- what a settlement spreads is a project's whosever it was
            SELECT FROM usage_settlement WHERE organisation_id = %s AND projects && %s::bigint[])
    ), looked AS (
        SELECT r.offering_id, CASE r.service_tier WHEN '' THEN 'standard' ELSE r.service_tier END AS tier,
            {_PROMPT} AS prompt, {_ONE_REQUEST} AS sent, {_HOUR} AS hour, r.quality, {kinds},
            CASE WHEN {rollups.SPREAD} THEN s.projects ELSE r.projects END AS owners,
            CASE WHEN {rollups.SPREAD} THEN s.weights ELSE r.weights END AS parts
        FROM told r {rollups.cell("r.host", "r.model_raw")} WHERE {rollups.TALLIED}
    ), owned AS (
        SELECT looked.*, part.project_id, part.weight
        FROM looked, LATERAL unnest(owners, parts) AS part (project_id, weight) WHERE part.project_id = ANY(%s)
    ), placed AS (
        SELECT owned.*, coalesce(width_bucket(prompt, %s::bigint[]), -1) AS bucket FROM owned
    )
    SELECT grouping(bucket, hour) > 0, project_id, offering_id, tier, count(*), ceil(avg(prompt))::bigint, hour,
        CASE WHEN {_SPEAKS} THEN percentile_disc(0.99) WITHIN GROUP (ORDER BY sent) END,
        CASE WHEN {_SPEAKS} THEN max(sent) END, {marked}, {summed}
    FROM placed
    GROUP BY GROUPING SETS ((project_id, offering_id, tier, bucket, hour), (project_id, offering_id, tier))
    ORDER BY 1 DESC, project_id, offering_id, tier, bucket, hour"""


def _read(rows: Sequence[tuple[Any, ...]]) -> dict[Line, Seen]:
    parts: dict[Line, list[Sampled]] = defaultdict(list)
    wholes: dict[Line, tuple[int, int | None, int | None, frozenset[str]]] = {}
    for is_whole, project, offering, tier, records, prompt, hour, p99, most, *rest in rows:
        line = (project, offering, tier)
        if is_whole:
            borne = zip(MARKS, rest[: len(MARKS)], strict=True)
            wholes[line] = (records, p99, most, frozenset(mark for mark, is_borne in borne if is_borne))
            continue
        by_kind = dict(zip(_KINDS, rest[len(MARKS) :], strict=True))
        writes = {lifetime: by_kind.pop(f"write_{lifetime}") for lifetime in _WRITES}
        parts[line].append(Sampled(prompt or 0, hour, records, cache_writes=writes, **by_kind))
    return {line: Seen(tuple(parts[line]), *whole) for line, whole in wholes.items()}
