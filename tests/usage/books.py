"""What an organisation's ledger must come to, kept beside it in plain Python: no SQL, none of the code under test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from usage import rollups
from usage.importers import Fact
from usage.models import AttributionRule, Organisation, Project

Feed = tuple[str, str]
"""Importer and scope."""
Figures = dict[tuple[Any, ...], tuple[Any, ...]]
"""Every measure by key, without what is nothing."""
Window = tuple[datetime, datetime]
WHOSE = (*rollups.KEY, "project_id")
MEASURES = (
    "records", "requests", "in_uncached", "out_total", "list_cost", "contracted_cost", "reported_cost", "spent",
    "priced_records", "reported_records", "unknown_out_total",
)  # fmt: skip
"""Those the books know themselves."""
BY = ("day", "importer", "scope", "model", "list_currency", "currency", "spent_currency", "cost_kind")


def figures(rows: Any, key: Iterable[str] = WHOSE, measures: Iterable[str] = rollups.MEASURES) -> Figures:
    """The sums of a rollup, or of anything of its shape."""
    key, measures = tuple(key), tuple(measures)
    summed = rows.values(*key).annotate(**{f"sum_{name}": Sum(name) for name in measures}).order_by()
    found = {tuple(row[name] for name in key): tuple(row[f"sum_{name}"] for name in measures) for row in summed}
    return {name: sums for name, sums in found.items() if any(sums)}


def plus(*all_of: Figures, sign: int = 1) -> Figures:
    """The sum of figures; with sign = -1 the first less the others."""
    found: dict[tuple[Any, ...], list[Any]] = {}
    for n, some in enumerate(all_of):
        for key, sums in some.items():
            known = found.setdefault(key, [0] * len(sums))
            for at, amount in enumerate(sums):
                known[at] += amount if n == 0 else sign * amount
    return {key: tuple(sums) for key, sums in found.items() if any(sums)}


@dataclass(slots=True)
class Price:
    """USD or CNY a token; None = unknown."""

    currency: str
    input: Decimal | None
    output: Decimal


@dataclass(slots=True)
class Rule:
    """A rule and, in the machine's own words, what it holds for."""

    stored: AttributionRule
    holds: Callable[[Feed, str, Fact], bool]
    shares: Mapping[int, Decimal]
    since: date | None
    enabled: bool = True


@dataclass(slots=True)
class Books:
    """An organisation with all that was said of it: its facts by feed and key, its rules, its closed months."""

    organisation: Organisation
    projects: list[Project]
    live: dict[Feed, dict[str, Fact]] = field(default_factory=lambda: defaultdict(dict))
    accounts: dict[Feed, str] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    closed: dict[date, Figures] = field(default_factory=dict)
    restated: dict[int, tuple[date, Figures]] = field(default_factory=dict)
    """By restatement that stands."""

    def append(self, feed: Feed, facts: Iterable[Fact]) -> None:
        """Of two facts of one key the greater rank is the record."""
        live = self.live[feed]
        for fact in facts:
            if fact.record_key not in live or fact.rank > live[fact.record_key].rank:
                live[fact.record_key] = fact

    def replace(self, feed: Feed, facts: Iterable[Fact], window: Window) -> None:
        """What a complete file of a window says, and nothing else that was said of it."""
        apart = {key: fact for key, fact in self.live[feed].items() if not _within(fact, window)}
        self.live[feed] = apart | {fact.record_key: fact for fact in facts}

    def halved(self, feed: Feed, facts: Iterable[Fact], window: Window) -> bool:
        """Whether a file of a window says less than half of what stands there."""
        before = [fact for fact in self.live[feed].values() if _within(fact, window)]
        tokens, money = _held(before)
        left, paid = _held(facts)
        return 2 * left < tokens if tokens else 2 * paid < money

    def figures(self, prices: Mapping[str, Price]) -> Figures:
        """`MEASURES` by `BY`."""
        return plus(*({_key(feed, fact, prices): _measured(fact, prices)} for feed, fact in self.facts()))

    def attributed(self, measure: str) -> tuple[dict[int | None, Decimal], int]:
        """A measure by project before rounding, and the number of records: each may be rounded by less than one."""
        found: dict[int | None, Decimal] = defaultdict(Decimal)
        for feed, fact in self.facts():
            shares: Mapping[int | None, Decimal] = {None: Decimal(1)}
            for rule in self.rules:
                begun = rule.since is None or rule.since <= fact.occurred_at.date()
                if rule.enabled and begun and rule.holds(feed, self.accounts.get(feed, ""), fact):
                    shares = dict(rule.shares)
                    break
            for project, weight in shares.items():
                found[project] += weight * (getattr(fact, measure) or 0)
        return found, sum(len(live) for live in self.live.values())

    def cells(self) -> dict[tuple[date, str, str], set[tuple[str, str]]]:
        """(day, account, model) → the importers that tell of it, with the kind of their money; notional is no rival."""
        found: dict[tuple[date, str, str], set[tuple[str, str]]] = defaultdict(set)
        for feed, fact in self.facts():
            if fact.cost_kind != "notional":
                cell = fact.occurred_at.date(), self.accounts.get(feed, ""), fact.dimension.model_raw
                found[cell].add((feed[0], fact.cost_kind))
        return found

    def official(self) -> Figures:
        """The closed months: as they were closed, with the restatements that stand."""
        return plus(*self.closed.values(), *(moved for _, moved in self.restated.values()))

    def facts(self) -> Iterator[tuple[Feed, Fact]]:
        for feed, live in self.live.items():
            for fact in live.values():
                yield feed, fact


def _within(fact: Fact, window: Window) -> bool:
    return window[0] <= fact.occurred_at < window[1]


def _held(facts: Iterable[Fact]) -> tuple[int, Decimal]:
    tokens, money = 0, Decimal(0)
    for fact in facts:
        tokens += (fact.in_uncached or 0) + (fact.in_cache_read or 0) + (fact.in_cache_write or 0)
        tokens += fact.out_total or 0
        money += fact.cost_reported or 0
    return tokens, money


def _cost(fact: Fact, prices: Mapping[str, Price]) -> Decimal | None:
    price = prices.get(fact.dimension.model_raw)
    if price is None or fact.in_uncached is None or (fact.in_uncached and price.input is None):
        return None
    return fact.in_uncached * (price.input or 0) + (fact.out_total or 0) * price.output


def _key(feed: Feed, fact: Fact, prices: Mapping[str, Price]) -> tuple[Any, ...]:
    name = fact.dimension.model_raw
    listed = prices[name].currency if _cost(fact, prices) is not None else ""
    spent = listed if fact.cost_reported is None else fact.currency
    return (fact.occurred_at.date(), *feed, name, listed, fact.currency, spent, fact.cost_kind)


def _measured(fact: Fact, prices: Mapping[str, Price]) -> tuple[Any, ...]:
    cost, reported = _cost(fact, prices), fact.cost_reported
    spent = cost if reported is None else reported
    known = fact.requests or 0, fact.in_uncached or 0, fact.out_total or 0
    money = cost or 0, cost or 0, reported or 0, spent or 0
    return (1, *known, *money, int(cost is not None), int(reported is not None), int(fact.out_total is None))
