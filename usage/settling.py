"""The only writer of settlements: after every posting, which feed of a day gives what, and the rollups by that.

A day is settled from the rollups alone: their rows by own attribution say whose a feed's tokens are, so neither the
ledger nor another feed's records are touched. Twice settles nothing twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import Any

from django.db import connection, transaction

from usage import rollups
from usage.feeds import BILLED, COMPUTED, NOTHING, REPORTED, Feed, Settled, settled_account
from usage.importers import all_importers
from usage.locks import lock_organisation, lock_settlement
from usage.models import Connection, CostKind, ModelDailyCost, Organisation, Settlement

Account = tuple[date, str]
"""UTC day, account."""
Cell = tuple[date, str, str]
"""And model."""
Row = tuple[Any, ...]
"""A settlement without its organisation, in the order of `_COLUMNS`; arrays as tuples."""
_TOKENS = "in_uncached + r.in_cache_read + r.in_cache_write + r.out_total"
_CELL = f"r.day, {rollups.account('r.host')}, {rollups.model_key('r.model_raw')}, {rollups.FEED}"


def enter(organisation_id: int) -> None:
    """Before a posting by an import: nobody else posts to or settles this organisation until it is committed."""
    lock_settlement(organisation_id)


def settle(organisation_id: int, days: Collection[date]) -> None:
    """Settle whole UTC days anew; the caller has posted, and holds the organisation or has entered."""
    if not days or not _several(organisation_id, days):
        return
    which: dict[str, Any] = {"organisation": organisation_id, "days": sorted(days)}
    wanted, stored = _wanted(which), _stored(which)
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


def unsettled_days(organisation_id: int) -> list[date]:
    """Days whose settlements are not what the rollups come to (for `verify`)."""
    rows = ModelDailyCost.objects.filter(organisation_id=organisation_id).values_list("day", flat=True)
    which: dict[str, Any] = {"organisation": organisation_id, "days": sorted(set(rows))}
    different = _wanted(which) ^ _stored(which)
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


def _feeds(which: dict[str, Any]) -> dict[Account, dict[str, list[Feed]]]:
    """What each feed tells of each model of an account's day, from the rollups; notional usage is nobody's rival."""
    shares: dict[tuple[Cell, str], dict[int | None, int]] = defaultdict(dict)
    feeds: dict[Account, dict[str, list[Feed]]] = defaultdict(lambda: defaultdict(list))
    details = {slug: importer.DETAIL for slug, importer in all_importers().items()}
    with connection.cursor() as cursor:
        cursor.execute(_SHARES, which)
        for day, account, model, feed, project, tokens in cursor.fetchall():
            shares[(day, account, model), feed][project] = int(tokens)
        cursor.execute(_FEEDS, which)
        for day, account, model, feed, tokens, billed, reported, costed in cursor.fetchall():
            money = BILLED if billed else REPORTED if reported else COMPUTED if costed else NOTHING
            detail, of_projects = details.get(feed.partition("/")[0], 1), shares[(day, account, model), feed]
            feeds[day, account][model].append(Feed(feed, detail, money, int(tokens), of_projects))
    return feeds


def _wanted(which: dict[str, Any]) -> set[Row]:
    """The settlements that the days come to."""
    return {
        _row((*of, model), result)
        for of, cells in _feeds(which).items()
        for model, result in settled_account(cells).items()
    }


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
