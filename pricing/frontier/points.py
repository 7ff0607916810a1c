"""Points of price and quality, and which of them nothing beats. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from pricing.frontier.mix import GRAIN, WIDE
from pricing.frontier.offers import NO_PRICES, Offer


@dataclass(frozen=True, slots=True)
class Point:
    """One rated model at one price: what the chart draws.

    `key` is unique among the points of one chart. `price` is the blended USD per Mtok of `offer`, or what a task of
    the benchmark was measured to cost, without an offer. `rating` has its interval [`low`, `high`] where the benchmark
    states one, and rests on `votes` judgements. `seconds_per_task` is how long a task of its run took.
    """

    key: str
    label: str
    price: Decimal
    rating: Decimal
    low: Decimal | None = None
    high: Decimal | None = None
    votes: int | None = None
    model: str = ""
    effort: str = ""
    provider: str = ""
    sku: str = ""
    region: str = ""
    first_party: bool = False
    seconds_per_task: Decimal | None = None
    offer: Offer | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not self.price.is_finite() or self.price < 0:
            raise ValueError(f"{self.key}: a point needs a price of zero or more, not {self.price}.")
        if not self.rating.is_finite():
            raise ValueError(f"{self.key}: a point needs a finite rating, not {self.rating}.")

    @property
    def usd_per_mtok_by_unit(self) -> Mapping[str, Decimal | None]:
        return self.offer.usd_per_mtok_by_unit if self.offer else NO_PRICES

    def overlaps(self, other: Point) -> bool | None:
        """Whether the two intervals share a value, so that the order may be chance; None where unknown."""
        if self.low is None or self.high is None or other.low is None or other.high is None:
            return None
        return self.low <= other.high and other.low <= self.high

    def rank(self) -> tuple[Decimal, Decimal, int, str]:
        """Cheapest, best, most judged, by name: a total order, so no answer depends on the order given."""
        return (self.price, -self.rating, -(self.votes or 0), self.key)


@dataclass(frozen=True, slots=True)
class Dominated:
    """A point off the frontier and the cheapest point rated at least as high.

    `multiple` says how many times that one's price this one costs: 1 where both cost the same, None where the
    cheapest is free (there is no multiple of nothing).
    """

    point: Point
    cheapest_equal: Point
    multiple: Decimal | None


@dataclass(frozen=True, slots=True)
class Frontier:
    """The points that nothing beats, cheapest first with price and rating both rising; and all the others.

    Of points equal in price and rating, the one with more votes (then the first by key) is on the frontier
    and the others are dominated at a multiple of 1. `dominated` is in order of price, then key.
    """

    points: tuple[Point, ...]
    dominated: tuple[Dominated, ...]

    @property
    def every(self) -> tuple[Point, ...]:
        """All points, those on the frontier first."""
        return (*self.points, *(one.point for one in self.dominated))

    @property
    def best(self) -> Point | None:
        """The highest rating on offer, at its lowest price; None without points."""
        return self.points[-1] if self.points else None

    def cheapest_at(self, rating: Decimal) -> Point | None:
        """The cheapest point rated at least `rating`; None when nothing is rated that high."""
        index = bisect_left(self.points, rating, key=lambda point: point.rating)
        return self.points[index] if index < len(self.points) else None

    def within(self, delta: Decimal, of: Point) -> Point | None:
        """The cheapest point rated at most `delta` points below `of`, or above it."""
        return self.cheapest_at(of.rating - delta)

    def cheapest_tied(self, point: Point) -> Point | None:
        """The cheapest point that is rated at least as high or whose interval overlaps this one's.

        That is the cheapest choice which the benchmark cannot tell to be worse. Unlike `cheapest_at` it may
        lie off the frontier: a wide interval can overlap where the rating itself is dominated.
        """
        tied = [other for other in self.every if other.rating >= point.rating or other.overlaps(point)]
        return min(tied, key=Point.rank, default=None)


def frontier(points: Iterable[Point]) -> Frontier:
    """Split points into those on the Pareto frontier (less money or a better rating) and those off it."""
    ranked = sorted(points, key=Point.rank)
    _refuse_repeated_keys(point.key for point in ranked)
    winners: list[Point] = []
    losers: list[Point] = []
    for point in ranked:
        if not winners or point.rating > winners[-1].rating:
            winners.append(point)
        else:
            losers.append(point)
    ratings = [winner.rating for winner in winners]
    dominated = []
    for loser in sorted(losers, key=lambda point: (point.price, point.key)):
        cheapest = winners[bisect_left(ratings, loser.rating)]
        dominated.append(Dominated(loser, cheapest, multiple(loser.price, cheapest.price)))
    return Frontier(tuple(winners), tuple(dominated))


def multiple(price: Decimal, of: Decimal) -> Decimal | None:
    """How many times `of` a price is, at 1e-12; None when `of` is free."""
    if not of:
        return None
    with localcontext(WIDE):
        return (price / of).quantize(GRAIN)


def _refuse_repeated_keys(keys: Iterable[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"{key} is there twice: each (model, effort) is one point.")
        seen.add(key)
