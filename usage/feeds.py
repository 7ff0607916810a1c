"""One spend once: of the feeds that tell of one account's usage, which gives the money, the tokens, the projects. Pure.

A bill gives the money, else a feed that reports costs, else the prices of the tokens. A feed that reports costs and saw
fewer tokens than another did speaks of a part only, and its money would hide the rest: then the fuller feed is priced.
Of several that report costs and saw everything the coarsest is believed, which stands nearest to the bill.
The fullest feed gives the tokens. The finest feed that attributes anything says whose they are: what it did not see is
nobody's.

Each model of an account's day is settled by itself, unless the day's bill names none at all: its money is then that of
all of them. A bill that names some keeps its lines without a model (searches, containers, tax) as money of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

BILLED, REPORTED, COMPUTED, NOTHING = MONEY = ("billed", "reported", "computed", "")
"""What a feed's money is worth, the most trusted first."""
WHOLE = Fraction(98, 100)
"""A feed that saw this share of the fullest feed's tokens saw them all: clocks cut days at different places."""
PART = Fraction(1, 100)
"""A feed that saw less of the fullest feed's tokens says nothing about whose the others are."""
PLACES = 12
NO_MODEL = ""
"""What usage and money without a model are told under."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What one feed tells of a cell. `shares`: its tokens by project, None those of nobody."""

    name: str
    detail: int
    money: str
    tokens: int
    shares: Mapping[int | None, int] = field(default_factory=dict)

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


def settled_account(cells: Mapping[str, Collection[Feed]]) -> dict[str, Settled]:
    """What the feeds of one account's day come to, by model; without the models that a feed gives alone."""
    naming = {feed.name for model, feeds in cells.items() if model != NO_MODEL for feed in feeds}
    bills = {feed.name for feeds in cells.values() for feed in feeds if feed.money == BILLED}
    if bills <= naming:
        return {model: found for model, feeds in cells.items() if (found := settled(feeds))}
    if bills & naming:
        return _itemised(cells, bills - naming, max(bills & naming))
    return _in_one_sum(cells)


def _itemised(cells: Mapping[str, Collection[Feed]], in_sums: Collection[str], bill: str) -> dict[str, Settled]:
    """A bill names models: others that tell of the same day in one sum give nothing."""
    kept = {model: [feed for feed in feeds if feed.name not in in_sums] for model, feeds in cells.items()}
    found = {model: result for model, feeds in kept.items() if (result := settled(feeds))}
    alone = kept[NO_MODEL][0].name if kept[NO_MODEL] else bill
    return {NO_MODEL: Settled(alone, alone, alone, None)} | found


def _in_one_sum(cells: Mapping[str, Collection[Feed]]) -> dict[str, Settled]:
    """No bill names a model: one gives the money of the day, the others each model's tokens, and whose the money is."""
    feeds = _over_models(cells)
    if len(feeds) < 2:
        return {}
    fullest = {model: _usage(told) for model, told in cells.items()}
    tokens = sum(feed.tokens for feed in fullest.values())
    bill, detail = _money(feeds, _usage(feeds)), _detail(feeds, tokens)
    found = {model: _unpaid(told, bill.name) for model, told in cells.items() if model != NO_MODEL}
    if detail.attributes and detail != bill:
        spread = Settled(bill.name, fullest[NO_MODEL].name, detail.name, weights(detail.shares, tokens))
    else:  # nobody else says whose anything is: the bill's own word stands
        spread = Settled(bill.name, fullest[NO_MODEL].name, bill.name, None)
    return found | {NO_MODEL: spread}


def _over_models(cells: Mapping[str, Collection[Feed]]) -> list[Feed]:
    """What each feed tells of all models together."""
    whole: dict[str, Feed] = {}
    for feeds in cells.values():
        for feed in feeds:
            known = whole.get(feed.name, replace(feed, tokens=0, shares={}))
            shares: dict[int | None, int] = defaultdict(int, known.shares)
            for project, tokens in feed.shares.items():
                shares[project] += tokens
            money = min(known.money, feed.money, key=MONEY.index)
            whole[feed.name] = replace(known, money=money, tokens=known.tokens + feed.tokens, shares=shares)
    return list(whole.values())


def _unpaid(feeds: Collection[Feed], money: str) -> Settled:
    """A cell whose money stands elsewhere."""
    found = settled(feeds)
    if found is None:
        (alone,) = feeds
        return Settled(money, alone.name, alone.name, None)
    return Settled(money, found.usage, found.detail, None if found.usage == found.detail else found.weights)


def _usage(feeds: Collection[Feed]) -> Feed:
    return max(feeds, key=lambda feed: (feed.tokens, feed.detail, feed.name))


def _detail(feeds: Collection[Feed], tokens: int) -> Feed:
    seen = [feed for feed in feeds if feed.tokens >= PART * tokens]
    return max(seen or feeds, key=lambda feed: (feed.attributes, feed.detail, feed.tokens, feed.name))


def _money(feeds: Collection[Feed], usage: Feed) -> Feed:
    def worth(feed: Feed) -> tuple[int, int, int, str]:
        rank = MONEY.index(feed.money)
        if feed.money == REPORTED and feed.tokens < WHOLE * usage.tokens:
            rank = MONEY.index(COMPUTED)  # a part: no better than prices, and of those the fullest feed's are taken
        elif feed.money == REPORTED:
            return -rank, -feed.detail, feed.tokens, feed.name
        return -rank, feed.tokens, feed.detail, feed.name

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
