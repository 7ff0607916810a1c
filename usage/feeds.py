"""One spend once: of the feeds that tell of one account's usage, which gives the money, the tokens, the projects. Pure.

A bill gives the money, else a feed that reports costs, else the prices of the tokens. A feed that reports costs and saw
fewer tokens than another did speaks of a part only, and its money would hide the rest: then the fuller feed is priced.
Of several that report costs and saw everything the coarsest is believed, which stands nearest to the bill.
The fullest feed gives the tokens. The finest feed that attributes anything says whose they are: what it did not see is
nobody's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

BILLED, REPORTED, COMPUTED, NOTHING = MONEY = ("billed", "reported", "computed", "")
"""What a feed's money is worth, the most trusted first."""
WHOLE = Fraction(98, 100)
"""A feed that saw this share of the fullest feed's tokens saw them all: clocks cut days at different places."""
PART = Fraction(1, 100)
"""A feed that saw less of the fullest feed's tokens says nothing about whose the others are."""
PLACES = 12


@dataclass(frozen=True, slots=True)
class Feed:
    """What one importer tells of a cell. `shares`: its tokens by project, None those of nobody."""

    importer: str
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
    usage = max(feeds, key=lambda feed: (feed.tokens, feed.detail, feed.importer))
    money = _money(feeds, usage)
    if not usage.tokens:
        return Settled(money.importer, money.importer, money.importer, None)
    seen = [feed for feed in feeds if feed.tokens >= PART * usage.tokens]
    detail = max(seen, key=lambda feed: (feed.attributes, feed.detail, feed.tokens, feed.importer))
    spread = {money.importer, usage.importer} != {detail.importer}
    return Settled(
        money.importer, usage.importer, detail.importer, weights(detail.shares, usage.tokens) if spread else None
    )


def _money(feeds: Collection[Feed], usage: Feed) -> Feed:
    def worth(feed: Feed) -> tuple[int, int, int, str]:
        rank = MONEY.index(feed.money)
        if feed.money == REPORTED and feed.tokens < WHOLE * usage.tokens:
            rank = MONEY.index(COMPUTED)  # a part: no better than prices, and of those the fullest feed's are taken
        elif feed.money == REPORTED:
            return -rank, -feed.detail, feed.tokens, feed.importer
        return -rank, feed.tokens, feed.detail, feed.importer

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
