"""What was said of an organisation's usage, kept in plain Python: no SQL, none of the code under test.

What it must come to in ledger and rollups is reckoned from it in `tests.usage.reckoning`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from usage.importers import Fact
from usage.models import AttributionRule, Contract, Organisation, Project

Feed = tuple[str, str]
"""Importer and scope."""
Figures = dict[tuple[Any, ...], tuple[Any, ...]]
"""Every measure by key, without what is nothing."""
Window = tuple[datetime, datetime]
Cell = tuple[date, str, str]
"""A day of one feed."""


@dataclass(slots=True)
class Price:
    """Of a token, from a day until the next price; None = unknown."""

    currency: str
    input: Decimal | None
    output: Decimal
    cache_read: Decimal
    since: date = date.min


Prices = Mapping[str, list[Price]]
"""By model, the earliest first."""


@dataclass(slots=True)
class Agreement:
    """A contract: a discount in per cent, or a price per million tokens, of one model or of all the seller has."""

    stored: Contract
    kind: str
    model: str
    offering: bool
    """Whether it names the offering rather than the model."""
    unit: str
    value: Decimal
    currency: str
    since: date
    until: date | None

    def holds(self, model: str, day: date) -> bool:
        return self.model in ("", model) and self.since <= day and (self.until is None or day < self.until)

    @property
    def narrowness(self) -> tuple[Any, ...]:
        """The greater one holds: of an offering, of a model, of a unit, the later one."""
        return self.offering, self.model != "", self.unit != "", self.since, self.stored.pk


@dataclass(slots=True)
class Rule:
    """A rule and, in the machine's own words, what it holds for. Its usage goes to `shares`, in parts of 10¹², or
    where the tokens of `tokens_of` (an importer, or a feed) go."""

    stored: AttributionRule
    holds: Callable[[Feed, str, Fact], bool]
    shares: Mapping[int, int]
    tokens_of: str | Feed | None
    since: date | None
    until: date | None
    enabled: bool = True

    def decides(self, feed: Feed, account: str, fact: Fact) -> bool:
        day = fact.occurred_at.date()
        begun = (self.since is None or self.since <= day) and (self.until is None or day < self.until)
        return self.enabled and begun and self.holds(feed, account, fact)


@dataclass(slots=True)
class Books:
    """An organisation with all that was said of it: its facts by feed and key, its rules, its closed months."""

    organisation: Organisation
    projects: list[Project]
    skus: Mapping[int, str]
    """What the offerings are called."""
    live: dict[Feed, dict[str, Fact]] = field(default_factory=lambda: defaultdict(dict))
    accounts: dict[Feed, str] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    closed: dict[date, Figures] = field(default_factory=dict)
    """The figures by project of each closed month when it was closed."""
    restated: dict[int, tuple[date, Figures]] = field(default_factory=dict)
    """Month and figures by restatement that stands."""
    feeds: dict[Feed, int] = field(default_factory=dict)
    """The connection of each feed there is."""

    def append(self, feed: Feed, facts: Iterable[Fact]) -> None:
        """Of two facts of one key the greater rank is the record."""
        live = self.live[feed]
        for fact in facts:
            if fact.record_key not in live or fact.rank > live[fact.record_key].rank:
                live[fact.record_key] = fact

    def replace(self, feed: Feed, facts: Iterable[Fact], window: Window, accepted: bool) -> tuple[bool, int]:
        """Whether a file for a window is held, and how many records it withdraws.

        A complete file replaces all that was said of its window. One with less than half of it is held: it withdraws
        nothing, and nothing of it stays where it would stand in the place of what was said, or beside it.
        """
        told = {fact.record_key: fact for fact in facts}
        live = self.live[feed]
        if not accepted and self._halved(live, told, window):
            if not _in_the_way(live, told):
                self.live[feed] = live | told
            return True, 0
        gone = {key for key, fact in live.items() if within(fact, window)} - told.keys()
        self.live[feed] = {key: fact for key, fact in live.items() if key not in gone} | told
        return False, len(gone)

    def facts(self) -> Iterator[tuple[Feed, str, Fact]]:
        """Every fact with its feed and the account that this one speaks of."""
        for feed, live in self.live.items():
            for fact in live.values():
                yield feed, self.accounts.get(feed, ""), fact

    def _halved(self, live: Mapping[str, Fact], told: Mapping[str, Fact], window: Window) -> bool:
        tokens, money = _held(fact for fact in live.values() if within(fact, window))
        left, paid = _held(told.values())
        return 2 * left < tokens if tokens else 2 * paid < money


def ranked(fact: Fact, rank: tuple[int, ...]) -> Fact:
    return fact._replace(rank=rank)


def within(fact: Fact, window: Window) -> bool:
    return window[0] <= fact.occurred_at < window[1]


def _in_the_way(live: Mapping[str, Fact], told: Mapping[str, Fact]) -> bool:
    """Whether what is told takes the place of something, or stands in a bucket with something it does not tell of."""
    new = [fact for key, fact in told.items() if live.get(key) != fact]
    beside = {fact.occurred_at for key, fact in live.items() if key not in told}
    return any(fact.record_key in live or fact.occurred_at in beside for fact in new)


def _held(facts: Iterable[Fact]) -> tuple[int, Decimal]:
    tokens, money = 0, Decimal(0)
    for fact in facts:
        tokens += (fact.in_uncached or 0) + (fact.in_cache_read or 0) + (fact.in_cache_write or 0)
        tokens += fact.out_total or 0
        money += fact.cost_reported or 0
    return tokens, money
