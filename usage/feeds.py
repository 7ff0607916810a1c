"""One spend once: of the feeds that tell of one account's usage, which gives the money, the tokens, the projects. Pure.

What is settled is a UTC day, or all the days that one of the feeds tells of in one sum: the month of an invoice. Such a
feed gives way to any that tells as much day by day.

A bill gives the money, else a feed that reports costs, else the prices of the tokens. A feed that reports costs and saw
fewer tokens than another did speaks of a part only, and its money would hide the rest: then the fuller feed is priced.
Of several that report costs and saw everything the coarsest is believed, which stands nearest to the bill.
The fullest feed gives the tokens. The finest feed that attributes anything says whose they are: what it did not see is
nobody's.

Each model of an account's days is settled by itself, unless their bill names none at all: its money is then that of
all of them. A bill that names some keeps its lines without a model (searches, containers, tax) as money of their own.
Of bills the one counts that tells of every day with usage, by day before in one sum, by model before of all together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

BILLED, REPORTED, COMPUTED, NOTHING = MONEY = ("billed", "reported", "computed", "")
"""What a feed's money is worth, the most trusted first."""
WHOLE = Fraction(98, 100)
"""A feed that saw this share of the fullest feed's tokens saw them all: clocks cut days at different places."""
PART = Fraction(1, 100)
"""A feed that saw less of the fullest feed's tokens says nothing about whose the others are."""
PLACES = 12
NO_MODEL = ""
"""What usage and money without a model are told under."""
Cells = Mapping[str, "Collection[Feed]"]
"""By model, the feeds that tell of it."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What one feed tells of a cell. `shares`: its tokens by project, None those of nobody; `days`: those it stands on,
    which `in_one_sum` are not those it tells of."""

    name: str
    detail: int
    money: str
    tokens: int
    shares: Mapping[int | None, int] = field(default_factory=dict)
    days: frozenset[date] = frozenset()
    in_one_sum: bool = False

    @property
    def attributes(self) -> bool:
        return any(tokens for project, tokens in self.shares.items() if project is not None)


@dataclass(frozen=True, slots=True)
class Settled:
    """Who gives what; `weights` by project (None = nobody), summing to 1, or None where nothing is spread."""

    money: str
    usage: str
    detail: str
    weights: tuple[tuple[int | None, Decimal], ...] | None


def settled(feeds: Collection[Feed]) -> Settled | None:
    """What several feeds of one cell come to, in whatever order they are given; None for a single one."""
    if len(feeds) < 2:
        return None
    usage = _usage(feeds)
    money = _money(feeds, usage)
    if not usage.tokens:
        return Settled(money.name, money.name, money.name, None)
    detail = _detail(feeds, usage.tokens)
    spread = {money.name, usage.name} != {detail.name}
    return Settled(money.name, usage.name, detail.name, weights(detail.shares, usage.tokens) if spread else None)


def settled_days(days: Mapping[date, Cells]) -> dict[date, dict[str, Settled]]:
    """What the feeds of one account come to on days of which some tell in one sum: as one where anything is theirs to
    give, else each day by itself and nothing of theirs."""
    models = {model for cells in days.values() for model in cells}
    whole = {model: together(feed for cells in days.values() for feed in cells.get(model, ())) for model in models}
    as_one = settled_account(whole)
    in_sums = {feed.name for told in whole.values() for feed in told if feed.in_one_sum}
    giving = {name for one in as_one.values() for name in (one.money, one.usage, one.detail)}
    giving |= {feed.name for model, told in whole.items() if model not in as_one for feed in told}
    if in_sums & giving:
        return {day: {model: as_one[model] for model in cells if model in as_one} for day, cells in days.items()}
    return {day: _without(in_sums, cells, as_one) for day, cells in days.items()}


def _without(names: Collection[str], cells: Cells, else_by: Mapping[str, Settled]) -> dict[str, Settled]:
    """A day on which some feeds give nothing; a model of which nobody else tells that day gives to who does else."""
    kept = {model: [feed for feed in told if feed.name not in names] for model, told in cells.items()}
    alone = {
        model: replace(else_by[model], weights=None) if not kept[model] else _alone(kept[model][0].name)
        for model, told in cells.items()
        if len(kept[model]) < len(told)
    }
    return alone | settled_account({model: told for model, told in kept.items() if told})


def settled_account(cells: Cells) -> dict[str, Settled]:
    """What the feeds of one account come to on a day, by model; without the models that a feed gives alone."""
    feeds = together(feed for told in cells.values() for feed in told)
    naming = {feed.name for model, told in cells.items() if model != NO_MODEL for feed in told}
    bills = [feed for feed in feeds if feed.money == BILLED]
    if all(bill.name in naming for bill in bills):
        return {model: found for model, told in cells.items() if (found := settled(told))}
    used = _used(feeds)
    first = max(bills, key=lambda bill: (*_as_a_bill(used, bill), bill.name in naming, bill.name))
    if first.name in naming:
        return _itemised(cells, {bill.name for bill in bills} - naming, first.name)
    return _in_one_sum(cells, feeds, first)


def _itemised(cells: Cells, in_sums: Collection[str], bill: str) -> dict[str, Settled]:
    """A bill names models: others that tell of the same day in one sum give nothing."""
    kept = {model: [feed for feed in feeds if feed.name not in in_sums] for model, feeds in cells.items()}
    found = {model: result for model, feeds in kept.items() if (result := settled(feeds))}
    return {NO_MODEL: _alone(kept[NO_MODEL][0].name if kept[NO_MODEL] else bill)} | found


def _in_one_sum(cells: Cells, feeds: Collection[Feed], bill: Feed) -> dict[str, Settled]:
    """A bill that names no model gives the money, the others each model's tokens, and whose the money is."""
    if len(feeds) < 2:
        return {}
    fullest = {model: _usage(told) for model, told in cells.items()}
    tokens = sum(feed.tokens for feed in fullest.values())
    detail = _detail(feeds, tokens)
    found = {model: _unpaid(told, bill.name) for model, told in cells.items() if model != NO_MODEL}
    if detail.attributes and detail != bill:
        spread = Settled(bill.name, fullest[NO_MODEL].name, detail.name, weights(detail.shares, tokens))
    else:  # nobody else says whose anything is: the bill's own word stands
        spread = Settled(bill.name, fullest[NO_MODEL].name, bill.name, None)
    return found | {NO_MODEL: spread}


def _alone(name: str) -> Settled:
    return Settled(name, name, name, None)


def _used(feeds: Iterable[Feed]) -> frozenset[date]:
    """The days of which anything but a bill tells."""
    return frozenset().union(*(feed.days for feed in feeds if feed.money != BILLED))


def _as_a_bill(used: frozenset[date], feed: Feed) -> tuple[bool, bool]:
    """How good a bill it is: one that tells of all days with usage before others, and then one by day."""
    return feed.in_one_sum or used <= feed.days, not feed.in_one_sum


def together(told: Iterable[Feed]) -> list[Feed]:
    """What each feed tells in several places, such as the days of a month or all models, as one."""
    whole: dict[str, Feed] = {}
    for feed in told:
        known = whole.get(feed.name, replace(feed, tokens=0, shares={}))
        shares: dict[int | None, int] = defaultdict(int, known.shares)
        for project, tokens in feed.shares.items():
            shares[project] += tokens
        whole[feed.name] = replace(
            known,
            detail=max(known.detail, feed.detail),
            money=min(known.money, feed.money, key=MONEY.index),
            tokens=known.tokens + feed.tokens,
            shares=shares,
            days=known.days | feed.days,
            in_one_sum=known.in_one_sum or feed.in_one_sum,
        )
    return list(whole.values())


def _unpaid(feeds: Collection[Feed], money: str) -> Settled:
    """A cell whose money stands elsewhere."""
    found = settled(feeds)
    if found is None:
        (alone,) = feeds
        return Settled(money, alone.name, alone.name, None)
    return Settled(money, found.usage, found.detail, None if found.usage == found.detail else found.weights)


def _usage(feeds: Collection[Feed]) -> Feed:
    most = max(feed.tokens for feed in feeds)
    by_day = [feed for feed in feeds if not feed.in_one_sum and feed.tokens >= WHOLE * most]
    return max(by_day or feeds, key=lambda feed: (feed.tokens, feed.detail, feed.name))


def _detail(feeds: Collection[Feed], tokens: int) -> Feed:
    seen = [feed for feed in feeds if feed.tokens >= PART * tokens]
    return max(seen or feeds, key=lambda feed: (feed.attributes, feed.detail, feed.tokens, feed.name))


def _money(feeds: Collection[Feed], usage: Feed) -> Feed:
    used = _used(feeds)

    def worth(feed: Feed) -> tuple[Any, ...]:
        rank = MONEY.index(feed.money)
        if feed.money == BILLED:
            return -rank, *_as_a_bill(used, feed), feed.tokens, feed.detail, feed.name
        if feed.money == REPORTED and feed.tokens < WHOLE * usage.tokens:
            rank = MONEY.index(COMPUTED)  # a part: no better than prices, and of those the fullest feed's are taken
        elif feed.money == REPORTED:
            return -rank, not feed.in_one_sum, -feed.detail, feed.tokens, feed.name
        return -rank, feed.name == usage.name, feed.tokens, feed.detail, feed.name

    return max(feeds, key=worth)


def weights(shares: Mapping[int | None, int], whole: int) -> tuple[tuple[int | None, Decimal], ...]:
    """Tokens by project as parts of 1 with twelve decimals: largest remainder, projects ascending, nobody last."""
    parts = {project: tokens for project, tokens in shares.items() if tokens > 0 and project is not None}
    nobody = whole - sum(parts.values())
    order = [*sorted(parts), None] if nobody > 0 else sorted(parts)
    total = sum(parts.values()) + max(nobody, 0)
    exact = [Fraction(parts[p] if p is not None else nobody, total) * 10**PLACES for p in order]
    units = [int(part) for part in exact]
    missing = 10**PLACES - sum(units)
    by_rest = sorted(range(len(order)), key=lambda n: (units[n] - exact[n], n))
    for n in by_rest[:missing]:
        units[n] += 1
    return tuple((project, Decimal(unit).scaleb(-PLACES)) for project, unit in zip(order, units, strict=True) if unit)
