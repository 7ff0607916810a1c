"""The only writer of settlements: after every posting, which feed of a day gives what, and the rollups by that.

A day is settled from the rollups alone: their rows by own attribution say whose a feed's tokens are, so neither the
ledger nor another feed's records are touched. Days that a feed tells of in one sum, as an invoice does of its month,
are settled as one; which they are say the ledger's few records of months. Twice settles nothing twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction

from usage import rollups
from usage.feeds import BILLED, COMPUTED, NOTHING, REPORTED, Feed, Settled, settled_account, settled_days
from usage.importers import all_importers
from usage.locks import lock_organisation, lock_settlement
from usage.models import Connection, CostKind, Grain, ModelDailyCost, Organisation, Settlement
from usage.partitions import LEDGER
from usage.rating import LONGEST_BUCKET

Cell = tuple[date, str, str]
"""UTC day, account, model."""
Row = tuple[Any, ...]
"""A settlement without its organisation, in the order of `_COLUMNS`; arrays as tuples."""
_TOKENS = "in_uncached + r.in_cache_read + r.in_cache_write + r.out_total"
_CELL = f"r.day, {rollups.account('r.host')}, {rollups.model_key('r.model_raw')}, {rollups.FEED}"


def enter(organisation_id: int) -> None:
    """Before a posting by an import: nobody else posts to or settles this organisation until it is committed."""
    lock_settlement(organisation_id)


@dataclass(frozen=True, slots=True)
class OneSum:
    """The UTC days [since, until) of an account that feeds tell of in one sum."""

    account: str
    since: date
    until: date
    feeds: frozenset[str]

    def days(self) -> set[date]:
        return {self.since + timedelta(days=n) for n in range((self.until - self.since).days)}


def settle(organisation_id: int, days: Collection[date]) -> None:
    """Settle whole UTC days anew; the caller has posted, and holds the organisation or has entered."""
    if not days:
        return
    days, sums = _with_theirs(organisation_id, days)
    if not _several(organisation_id, days):
        return
    which: dict[str, Any] = {"organisation": organisation_id, "days": sorted(days)}
    wanted, stored = _wanted(which, sums), _stored(which)
    if wanted == stored == set():
        return
    with connection.cursor() as cursor:
        if wanted != stored:
            cursor.execute(f"DELETE FROM usage_settlement WHERE {_DAYS}", which)
            cursor.executemany(
                _INSERT, [(organisation_id, *row[:6], *_arrays(row)) for row in sorted(wanted, key=repr)]
            )
        changed = 0
        for statement in (_marked("usage_modeldailycost"), _marked("usage_dailycost"), _DROP_SPREAD, _SPREAD):
            cursor.execute(statement, which)
            changed += cursor.rowcount
    if changed:
        rollups.sum_again(organisation_id, days)


def days_of(table: str) -> set[date]:
    """The UTC days that a relation of ledger rows tells of."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT DISTINCT starts + n FROM (
                SELECT DISTINCT {_STARTS} AS starts,
                    CASE r.grain WHEN '{Grain.MONTH}' THEN {_UNTIL} - {_STARTS} ELSE 1 END AS days
                FROM {table} r
            ) told, generate_series(0, days - 1) n"""
        )
        return {day for (day,) in cursor.fetchall()}


def unsettled_days(organisation_id: int) -> list[date]:
    """Days whose settlements are not what the rollups come to (for `verify`)."""
    rows = ModelDailyCost.objects.filter(organisation_id=organisation_id).values_list("day", flat=True)
    days, sums = _with_theirs(organisation_id, set(rows))
    which: dict[str, Any] = {"organisation": organisation_id, "days": sorted(days)}
    different = _wanted(which, sums) ^ _stored(which)
    return sorted({row[0] for row in different})


def settle_all(organisation: Organisation) -> None:
    """Settle every day of an organisation anew."""
    with transaction.atomic():
        lock_organisation(organisation.pk)
        days = ModelDailyCost.objects.filter(organisation=organisation).values_list("day", flat=True).distinct()
        settle(organisation.pk, list(days))


def _several(organisation_id: int, days: Collection[date]) -> bool:
    """Whether more than one feed can tell of the days: another importer, or a bill among what one brings."""
    importers = Connection.objects.filter(organisation_id=organisation_id).values_list("importer", flat=True)
    if len(importers.distinct()[:2]) > 1:
        return True
    of_days = {"organisation_id": organisation_id, "day__in": list(days)}
    billed = ModelDailyCost.objects.filter(**of_days, cost_kind=CostKind.BILLED)
    return billed.exists() or Settlement.objects.filter(**of_days).exists()


def in_one_sum(organisation_id: int, since: date, until: date) -> list[OneSum]:
    """What feeds tell in one sum of days of which some are in [since, until), joined where they overlap."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_SUM, {"organisation": organisation_id, "since": since, "until": until})
        rows = cursor.fetchall()
    found: list[OneSum] = []
    for account, feed, starts, ends in rows:
        last = found[-1] if found else None
        if last is not None and last.account == account and starts < last.until:
            found[-1] = OneSum(account, last.since, max(last.until, ends), last.feeds | {feed})
        else:
            found.append(OneSum(account, starts, ends, frozenset({feed})))
    return found


def _with_theirs(organisation_id: int, days: Collection[date]) -> tuple[set[date], list[OneSum]]:
    """The days and all that are settled as one with any of them; and what is told of these in one sum."""
    whole = set(days)
    while whole:
        sums = [
            one
            for one in in_one_sum(organisation_id, min(whole), max(whole) + timedelta(days=1))
            if not whole.isdisjoint(one.days())
        ]
        more = whole.union(*(one.days() for one in sums))
        if more == whole:
            return whole, sums
        whole = more
    return whole, []


def _feeds(which: dict[str, Any]) -> dict[Cell, list[Feed]]:
    """What each feed tells of each model of an account's day, from the rollups; notional usage is nobody's rival."""
    shares: dict[tuple[Cell, str], dict[int | None, int]] = defaultdict(dict)
    feeds: dict[Cell, list[Feed]] = defaultdict(list)
    details = {slug: importer.DETAIL for slug, importer in all_importers().items()}
    with connection.cursor() as cursor:
        cursor.execute(_SHARES, which)
        for day, account, model, feed, project, tokens in cursor.fetchall():
            shares[(day, account, model), feed][project] = int(tokens)
        cursor.execute(_FEEDS, which)
        for day, account, model, feed, tokens, billed, reported, costed in cursor.fetchall():
            money = BILLED if billed else REPORTED if reported else COMPUTED if costed else NOTHING
            detail, of_projects = details.get(feed.partition("/")[0], 1), shares[(day, account, model), feed]
            feeds[day, account, model].append(Feed(feed, detail, money, int(tokens), of_projects, frozenset({day})))
    return feeds


def _wanted(which: dict[str, Any], sums: Collection[OneSum]) -> set[Row]:
    """The settlements that the days come to."""
    sum_of = {(one.account, day): one for one in sums for day in one.days()}
    alone: dict[str, dict[date, dict[str, list[Feed]]]] = defaultdict(lambda: defaultdict(dict))
    as_one: dict[OneSum, dict[date, dict[str, list[Feed]]]] = defaultdict(lambda: defaultdict(dict))
    for (day, account, model), feeds in _feeds(which).items():
        if one := sum_of.get((account, day)):
            as_one[one][day][model] = [replace(feed, in_one_sum=feed.name in one.feeds) for feed in feeds]
        else:
            alone[account][day][model] = feeds
    found = [(account, day, settled_account(cells)) for account, days in alone.items() for day, cells in days.items()]
    found += [(one.account, day, by) for one, days in as_one.items() for day, by in settled_days(days).items()]
    return {_row((day, account, model), one) for account, day, by in found for model, one in by.items()}


def _row(cell: Cell, result: Settled) -> Row:
    spread: tuple[Any, Any] = (None, None)
    if result.weights is not None:
        spread = tuple(project for project, _ in result.weights), tuple(weight for _, weight in result.weights)
    return (*cell, result.money, result.usage, result.detail, *spread)


def _stored(which: dict[str, Any]) -> set[Row]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_COLUMNS} FROM usage_settlement WHERE {_DAYS}", which)
        return {(*row[:6], *(None if part is None else tuple(part) for part in row[6:])) for row in cursor.fetchall()}


def _arrays(row: Row) -> list[list[Any] | None]:
    return [None if part is None else list(part) for part in row[6:]]


def _from(table: str) -> str:
    return f"""FROM {table} r {rollups.cell("r.host", "r.model_raw")}
        WHERE r.organisation_id = %(organisation)s AND r.day = ANY(%(days)s)"""


_FEEDS = f"""SELECT {_CELL}, sum(r.{_TOKENS}), bool_or(r.cost_kind = 'billed' AND r.reported_records > 0),
        bool_or(r.reported_records > 0), bool_or(r.spent_records > 0)
    {_from("usage_modeldailycost")} AND r.cost_kind <> 'notional' AND r.records > 0 GROUP BY 1, 2, 3, 4"""
_SHARES = f"""SELECT {_CELL}, r.project_id, sum(r.{_TOKENS})
    {_from("usage_dailycost")} AND r.cost_kind <> 'notional' AND NOT r.spread GROUP BY 1, 2, 3, 4, 5"""
_STARTS = "(r.occurred_at AT TIME ZONE 'UTC')::date"
_UNTIL = f"""CASE WHEN r.period_end IS NULL
    THEN (date_trunc('month', r.occurred_at AT TIME ZONE 'UTC') + interval '1 month')::date
    ELSE greatest({_STARTS} + 1, least((r.period_end AT TIME ZONE 'UTC')::date, {_STARTS} + {LONGEST_BUCKET.days}))
    END"""
"""The day after a month. Local months meet within a UTC day, which is of the one that begins in it."""
_ONE_SUM = f"""
    SELECT DISTINCT {rollups.account("d.host")} AS account, {rollups.FEED} AS feed, {_STARTS} AS since,
        {_UNTIL} AS until
    FROM {LEDGER} r JOIN usage_usagedimension d ON d.id = r.dimension_id
    JOIN usage_connection n ON n.id = r.connection_id
    LEFT JOIN pricing_offering o ON o.id = r.offering_id LEFT JOIN pricing_provider v ON v.id = o.provider_id
    WHERE r.organisation_id = %(organisation)s AND r.grain = '{Grain.MONTH}' AND r.cost_kind <> 'notional'
        AND r.occurred_at > %(since)s::timestamp AT TIME ZONE 'UTC' - interval '{LONGEST_BUCKET.days} days'
        AND r.occurred_at < %(until)s::timestamp AT TIME ZONE 'UTC'
    ORDER BY account, since, until, feed"""
_COLUMNS = "day, account, model_key, money_feed, usage_feed, detail_feed, projects, weights"
_DAYS = "organisation_id = %(organisation)s AND day = ANY(%(days)s)"
_INSERT = f"""INSERT INTO usage_settlement (organisation_id, {_COLUMNS})
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s::bigint[], %s::numeric[])"""
_DROP_SPREAD = f"DELETE FROM usage_dailycost WHERE {_DAYS} AND spread"
_SPREAD = f"""
    WITH spread_rows AS (
        SELECT r.*, s.id AS settled {_from("usage_modeldailycost")} AND {rollups.SPREAD}
    )
    INSERT INTO usage_dailycost ({", ".join((*rollups.PROJECT_KEY, *rollups.MEASURES))})
    {rollups.spread("spread_rows", "s.id = m.settled")}"""


def _marked(table: str) -> str:
    """Set which rows count and tally; all rows of a feed in a cell at once, so that no two become one."""
    apart = f" AND NOT {rollups.SPREAD}" if table == "usage_dailycost" else ""
    not_spread = " AND NOT r.spread" if table == "usage_dailycost" else ""
    return f"""UPDATE {table} t SET counted = x.counted, tallied = x.tallied
    FROM (
        SELECT r.id, {rollups.COUNTED}{apart} AS counted, {rollups.TALLIED}{apart} AS tallied {_from(table)}{not_spread}
    ) x WHERE x.id = t.id AND (t.counted, t.tallied) IS DISTINCT FROM (x.counted, x.tallied)"""
