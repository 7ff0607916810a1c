"""Both sides of a move as the rollups know them: since when the traffic has moved, and what that has really saved.

`usage.counterfactual` has the rules. Money is what was spent, in the organisation's currency, notional usage left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pricing.cost import CardPrices, Tokens
from pricing.models import Offering
from pricing.ratecards import STANDARD
from usage import counterfactual
from usage.advice import Factor, Recommendation, Side
from usage.costs import Scope
from usage.counterfactual import Baseline, Day, Realised, Work
from usage.exchange import Rates, days_of
from usage.models import Project
from usage.plain_prices import PlainPrices
from usage.querysets import NOTIONAL
from usage.summing import Sums, add, is_foreign

OLD, NEW, HERE = "old", "new", "here"
Row = dict[str, Any]
SideOf = Callable[[int | None, str], str]


@dataclass(frozen=True, slots=True)
class Followed:
    """A move with both sides' work in the baseline and since: `days` are those with any usage of a side."""

    base: Baseline
    days: tuple[Day, ...]
    in_place: bool
    factors: tuple[Factor, ...]

    @property
    def moved_on(self) -> date | None:
        """Since when the traffic has moved; None also where it cannot be seen, as offering and tier stay."""
        return None if self.in_place else counterfactual.moved_on(self.base, self.days)

    def begun_on(self, said_on: date) -> date | None:
        """Since when a move counts that a person said on a day to be made: the first day from then on with its work."""
        return counterfactual.begun_on(self.base, [day for day in self.days if day.on >= said_on])

    def realised(self, since: date, until: date) -> Realised:
        """What was saved on the UTC days [since, until)."""
        days = [day for day in self.days if since <= day.on < until]
        return counterfactual.realised(self.base, days, self.factors, in_place=self.in_place)


def is_in_place(move: Recommendation) -> bool:
    """Whether a move keeps offering and service tier, so that no traffic shows it."""
    return _line(move.current) == _line(move.candidate)


def follow(project: Project, move: Recommendation, window: tuple[date, date], until: date) -> Followed:
    """A move whose promise was made of the UTC days of `window`, followed to `until`. Five queries, one more abroad."""
    since, end = window
    rows = Scope(project.organisation, since, until, (project.pk,)).rows("day", "offering", "service_tier")
    counted = [row for row in rows if row["cost_kind"] != NOTIONAL]
    display = project.organisation.display_currency
    money = _Money(
        display, Rates(project.organisation, is_foreign(counted, display), days_of(counted)),
        PlainPrices(project.organisation_id, {move.current.offering_id}, since, until), move.current,
    )  # fmt: skip
    sides = _told_apart(counted, _side_of(move), end)
    return Followed(
        _baseline(sides, window, money),
        tuple(money.day(day, of) for day, of in sorted(sides.items()) if day >= end),
        is_in_place(move),
        move.factors,
    )


def _line(side: Side) -> tuple[int, str]:
    return side.offering_id, side.service_tier or STANDARD


def _side_of(move: Recommendation) -> SideOf:
    """Which side an offering at a tier is. Of a substitution the new one is the model, whoever sells it and however."""
    old, new = _line(move.current), _line(move.candidate)
    like = Offering.objects.filter(model__slug=move.candidate.model)
    if move.kind.same_weights:
        like = like.filter(provider__slug=move.candidate.provider)
    same = move.candidate.offering_id == move.current.offering_id
    others = set() if same else set(like.values_list("pk", flat=True))

    def side(offering_id: int | None, tier: str) -> str:
        if offering_id is None:
            return ""
        line = (offering_id, tier or STANDARD)
        if old == new:
            return HERE if line == old else ""
        return OLD if line == old else NEW if line == new or offering_id in others else ""

    return side


def _told_apart(rows: Iterable[Row], side_of: SideOf, end: date) -> dict[date, dict[str, list[Row]]]:
    """Rows by day and side. Of a move that stays where it is, all since the end of the baseline is the new side."""
    found: dict[date, dict[str, list[Row]]] = {}
    for row in rows:
        side = side_of(row["key_offering"], row["key_service_tier"])
        if side == HERE:
            side = OLD if row["key_day"] < end else NEW
        if side:
            found.setdefault(row["key_day"], {OLD: [], NEW: []})[side].append(row)
    return found


def _baseline(sides: Mapping[date, Mapping[str, list[Row]]], window: tuple[date, date], money: _Money) -> Baseline:
    before = {day: of for day, of in sides.items() if day < window[1]}
    old, new = (money.work([row for of in before.values() for row in of[side]]) for side in (OLD, NEW))
    plain: Fraction | None = Fraction(0)
    for day, of in before.items():
        cost = money.plain_cost(day, money.work(of[OLD]).tokens)
        plain = None if plain is None or cost is None else plain + cost
    return Baseline(old, new, (window[1] - window[0]).days, plain)


@dataclass(frozen=True, slots=True)
class _Money:
    """How rows become work in one currency, and what the old side's prices were on a day."""

    display: str
    rates: Rates
    plain: PlainPrices
    old: Side

    def work(self, rows: Iterable[Row]) -> Work:
        """What rows sum to; requests and money None unless every record knows its own."""
        sums = Sums()
        for row in rows:
            add(row, (sums,), self.rates, defaultdict(Decimal))
        count = sums.count
        tokens = Tokens(
            count("in_uncached"), count("in_cache_read"), count("in_cache_write"), count("out_total"),
            min(count("out_reasoning"), count("out_total")),
        )  # fmt: skip
        known = count("costed") >= count("paid_records")
        return Work(tokens, None if count("unknown_requests") else count("requests"), sums.spent if known else None)

    def day(self, on: date, of: Mapping[str, list[Row]]) -> Day:
        prices = self.prices(on)
        rate = None if prices is None else self.rate(prices.currency, on)
        return Day(on, self.work(of[OLD]), self.work(of[NEW]), prices, rate)

    def prices(self, on: date) -> CardPrices | None:
        return self.plain.on(*_line(self.old), on)

    def rate(self, currency: str, on: date) -> Fraction | None:
        """What one unit of a currency was in the organisation's on a day; None where nobody knows."""
        many = Decimal(10**9)
        found = self.rates.converted(many, currency, on)
        return None if found is None else Fraction(found) / Fraction(many)

    def plain_cost(self, on: date, tokens: Tokens) -> Fraction | None:
        prices = self.prices(on)
        rate = None if prices is None else self.rate(prices.currency, on)
        cost = None if prices is None else counterfactual.cost(prices, tokens)
        return None if cost is None or rate is None else cost * rate
