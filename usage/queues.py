"""What waits for somebody, most money first: usage without a project, usage without a price, spend told several times.

Reads only.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from usage import rollups, spending
from usage.costs import Scope
from usage.exchange import Rates, days_of
from usage.models import Organisation
from usage.questions import NOBODY
from usage.summing import Sums, add, is_foreign

UNATTRIBUTED_BY = ("ext_api_key", "ext_user", "ext_team", "ext_project", "path", "branch", "scope", "host", "model")
"""Dimensions that unattributed money is listed by, and that a rule can be written over."""


def unattributed(organisation: Organisation, since: date, until: date, by: str) -> dict[str, Any]:
    """A `spend` answer of what no rule gives to a project, by one dimension, dearest first."""
    return spending.report(organisation, since, until, [by], filters={"project": [NOBODY]}, measure="spent")


@dataclass(slots=True)
class Unpriced:
    """A name in a service tier whose usage has no list price, and why."""

    model: str | None
    model_raw: str
    host: str
    service_tier: str
    reason: str
    sums: Sums = field(default_factory=Sums)


def unpriced(organisation: Organisation, since: date, until: date, projects: tuple[int, ...] | None) -> list[Unpriced]:
    """By tokens, most first, then by reported money. The lines of a bill have no tokens and need no price."""
    scope = Scope(organisation, since, until, projects)
    keys = ("model", "model_raw", "host", "service_tier", "unpriced")
    rows = scope.rows(*keys)
    foreign = is_foreign(rows, organisation.display_currency)
    rows = scope.rows(*keys, "day") if foreign else rows
    rates, found = Rates(organisation, foreign, days_of(rows)), dict[tuple[Any, ...], Unpriced]()
    for row in rows:
        if row["key_unpriced"] and (row["sum_unpriced_tokens"] or row["sum_unpriced_requests"]):
            key = tuple(row[f"key_{name}"] for name in keys)
            one = found.setdefault(key, Unpriced(*key))
            add(row, (one.sums,), rates, defaultdict(Decimal))
    return sorted(
        found.values(),
        key=lambda one: (-one.sums.count("unpriced_tokens"), -one.sums.reported_cost, one.model_raw, one.host),
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What one feed tells of a day of an account, and of how many models it gives the money, tokens, attribution."""

    day: date
    account: str
    feed: str
    models: int
    money_of: int
    usage_of: int
    detail_of: int
    tokens: int
    spent: Decimal | None
    list_cost: Decimal | None
    counted: Decimal
    """What of its money counts."""


def told(organisation: Organisation, since: date, until: date) -> list[Told]:
    """What each feed tells of every day and account that several feeds tell of, the latest day first."""
    rates = Rates(organisation, True, [since, until])
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, {"organisation": organisation.pk, "since": since, "until": until})
        rows = cursor.fetchall()
    found: dict[tuple[Any, ...], Told] = {}
    for day, account, feed, spent_in, listed_in, *figures in rows:
        models, money_of, usage_of, detail_of, tokens, costed, spent, priced, listed, counted = figures
        key = (day, account, feed)
        one = found.get(key) or Told(day, account, feed, 0, 0, 0, 0, 0, None, None, Decimal(0))
        paid, at_list = rates.converted(spent, spent_in, day), rates.converted(listed, listed_in, day)
        found[key] = replace(
            one,
            models=max(one.models, models), money_of=max(one.money_of, money_of), usage_of=max(one.usage_of, usage_of),
            detail_of=max(one.detail_of, detail_of), tokens=one.tokens + int(tokens),
            spent=_plus(one.spent, paid if costed else None),
            list_cost=_plus(one.list_cost, at_list if priced else None),
            counted=one.counted + (rates.converted(counted, spent_in, day) or 0),
        )  # fmt: skip
    return sorted(found.values(), key=lambda one: (-one.day.toordinal(), one.account, -one.counted, one.feed))


def _plus(so_far: Decimal | None, more: Decimal | None) -> Decimal | None:
    return so_far if more is None else (so_far or Decimal(0)) + more


_TOLD = f"""
    WITH told AS (
        SELECT r.day, {rollups.account("r.host")} AS account, {rollups.FEED} AS feed, r.spent_currency, r.list_currency,
            {rollups.model_key("r.model_raw")} AS model, {rollups.COUNTED} AS gives_money,
            {rollups.TALLIED} AS gives_usage,
            coalesce(s.detail_feed = {rollups.FEED}, true) AS gives_detail,
            r.in_uncached + r.in_cache_read + r.in_cache_write + r.out_total AS tokens,
            r.spent_records, r.spent, r.priced_records, r.list_cost, r.counted
        FROM usage_modeldailycost r {rollups.cell("r.host", "r.model_raw")}
        WHERE r.organisation_id = %(organisation)s AND r.day >= %(since)s AND r.day < %(until)s
            AND r.cost_kind <> 'notional'
    ), several AS (
        SELECT day, account FROM usage_settlement
        WHERE organisation_id = %(organisation)s AND day >= %(since)s AND day < %(until)s GROUP BY day, account
    )
    SELECT day, account, feed, spent_currency, list_currency, count(DISTINCT model),
        count(DISTINCT model) FILTER (WHERE gives_money), count(DISTINCT model) FILTER (WHERE gives_usage),
        count(DISTINCT model) FILTER (WHERE gives_detail), sum(tokens), sum(spent_records), sum(spent),
        sum(priced_records), sum(list_cost), coalesce(sum(spent) FILTER (WHERE counted), 0)
    FROM told JOIN several USING (day, account) GROUP BY day, account, feed, spent_currency, list_currency"""
