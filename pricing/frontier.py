"""Which model buys a rating for the least money: blended prices, the Pareto frontier, what lies off it.

Pure: plain values in, plain values out, no ORM, exact `Decimal` throughout. Prices are USD per million
tokens (Mtok), ratings are in the benchmark's own points, a higher rating is better.

The order of work is `select` (ratings + offers + token mix -> points with one price each) and then
`frontier` (points -> which of them nothing beats, and for every other one what does).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Final

# The grain of derived money everywhere in Ratecard: rounded once, half away from zero.
GRAIN: Final = Decimal("1e-12")
_WIDE: Final = Context(prec=60, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Mix:
    """Tokens of input : output : cache_read by which unit prices are weighted into one blended price.

    Weights are relative (3:1:0 and 6:2:0 are the same mix), none is negative and not all are zero.
    `input` counts uncached input only, so 1:1:2 says two of three prompt tokens came from the cache.
    """

    input: Decimal = Decimal(3)
    output: Decimal = Decimal(1)
    cache_read: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        weights = (self.input, self.output, self.cache_read)
        if not all(weight.is_finite() and weight >= 0 for weight in weights):
            raise ValueError("A token mix needs weights of zero or more, such as 3:1 or 3:1:2.")
        if not any(weights):
            raise ValueError("A token mix needs at least one weight above zero, such as 3:1.")

    @classmethod
    def parse(cls, text: str) -> Mix:
        """Read `3:1` or `3:1:2` (input : output [: cache_read]); ValueError is a sentence for the reader."""
        parts = text.split(":")
        if len(parts) not in (2, 3):
            raise ValueError("Write a token mix as input:output or input:output:cache_read, such as 3:1.")
        try:
            weights = [Decimal(part.strip()) for part in parts]
        except ArithmeticError:
            raise ValueError("A token mix holds numbers only, such as 3:1 or 10:1:4.") from None
        # Twelve digits are more than any mix needs and keep a hostile `1e999999` out of the arithmetic.
        if any(weight.is_finite() and weight and not -6 <= weight.adjusted() <= 12 for weight in weights):
            raise ValueError("A token mix needs weights between 0.000001 and 1,000,000,000,000.")
        return cls(*weights)

    def weights(self) -> tuple[tuple[str, Decimal], ...]:
        """The units this mix needs a price for, each with its weight above zero."""
        named = (("input", self.input), ("output", self.output), ("cache_read", self.cache_read))
        return tuple((unit, weight) for unit, weight in named if weight)

    def __str__(self) -> str:
        return ":".join(f"{weight.normalize():f}" for weight in (self.input, self.output, self.cache_read))


CHAT_MIX: Final = Mix()


def blend(usd_per_mtok_by_unit: Mapping[str, Decimal | None], mix: Mix = CHAT_MIX) -> Decimal | None:
    """The price of one Mtok of this mix, rounded once at 1e-12; None when a needed unit's price is unknown.

    A unit that the mix gives no weight is not needed. A known price of 0 is a price: free, not unknown.
    """
    total = weight_sum = Decimal(0)
    with localcontext(_WIDE):
        for unit, weight in mix.weights():
            usd_per_mtok = usd_per_mtok_by_unit.get(unit)
            if usd_per_mtok is None:
                return None
            total += usd_per_mtok * weight
            weight_sum += weight
        return (total / weight_sum).quantize(GRAIN)


@dataclass(frozen=True, slots=True)
class Point:
    """One rated model at one price: what the chart draws.

    `key` is unique among the points of one chart. `price` is the blended USD per Mtok. `rating` has its
    interval [`low`, `high`] where the benchmark states one, and rests on `votes` judgements.
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
    usd_per_mtok_by_unit: Mapping[str, Decimal | None] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if not self.price.is_finite() or self.price < 0:
            raise ValueError(f"{self.key}: a point needs a price of zero or more, not {self.price}.")
        if not self.rating.is_finite():
            raise ValueError(f"{self.key}: a point needs a finite rating, not {self.rating}.")

    def overlaps(self, other: Point) -> bool | None:
        """Whether the two intervals share a value, so that the order may be chance; None where unknown."""
        if self.low is None or self.high is None or other.low is None or other.high is None:
            return None
        return self.low <= other.high and other.low <= self.high

    def _rank(self) -> tuple[Decimal, Decimal, int, str]:
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
        candidates = [*self.points, *(other.point for other in self.dominated)]
        tied = [other for other in candidates if other.rating >= point.rating or other.overlaps(point)]
        return min(tied, key=Point._rank, default=None)


def frontier(points: Iterable[Point]) -> Frontier:
    """Split points into those on the Pareto frontier (less money or a better rating) and those off it."""
    ranked = sorted(points, key=Point._rank)
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
    with localcontext(_WIDE):
        return (price / of).quantize(GRAIN)


@dataclass(frozen=True, slots=True)
class Rated:
    """One score of a benchmark: a model (slug, or None when the name is not matched) at one effort."""

    display_name: str
    model: str | None
    rating: Decimal
    effort: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    votes: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """One seller's current unit prices of one model, in USD per Mtok; None or absent is unknown.

    `first_party` says that the seller is the model's maker.
    """

    model: str
    provider: str
    sku: str
    usd_per_mtok_by_unit: Mapping[str, Decimal | None]
    first_party: bool = False
    region: str = ""
    service_tier: str = "standard"
    context_from: int = 0
    schedule: str = ""

    def is_list_price(self) -> bool:
        """Standard tier, base context, at all hours: the price that is comparable between sellers."""
        return self.service_tier == "standard" and not self.context_from and not self.schedule


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A score that has no price to be drawn at, and why."""

    display_name: str
    model: str | None
    effort: str
    rating: Decimal
    reason: str


SAME_POINT: Final = "another name of the same model and effort has more votes"
NOT_MATCHED: Final = "no model in the catalogue is declared to be this one"
NOT_SOLD: Final = "nobody in the catalogue sells this model now"
NOT_PRICED: Final = "its sellers state no list price for every unit of this token mix"


@dataclass(frozen=True, slots=True)
class Selection:
    """Every score once: with a price above zero, free, or without a price and the reason."""

    points: tuple[Point, ...]
    free: tuple[Point, ...]
    unmatched: tuple[Unmatched, ...]


def select(scores: Sequence[Rated], offers: Iterable[Offer], mix: Mix = CHAT_MIX) -> Selection:
    """Give each (model, effort) one price: its maker's list price, else the cheapest host's, the host named.

    Only list prices count (`Offer.is_list_price`). A maker's price without a region goes before a regional
    one, the sku equal to the model's slug before an alias, the cheaper before the dearer. A free offer is
    taken only where no paid one exists, and then listed apart: it is rationed, and a log axis has no zero.
    Where two names are the same model and effort, the one with more votes is the point. All three lists are
    in order of rating, best first.
    """
    offers_by_model: dict[str, list[Offer]] = {}
    for offer in offers:
        offers_by_model.setdefault(offer.model, []).append(offer)
    best_by_model = {model: _best(sold, mix) for model, sold in offers_by_model.items()}

    points: dict[str, Point] = {}
    unmatched: list[Unmatched] = []
    for score in sorted(scores, key=lambda score: (-(score.votes or 0), score.display_name)):
        best = best_by_model.get(score.model) if score.model else None
        if best is None:
            unmatched.append(_unmatched(score, _why_unpriced(score, offers_by_model)))
            continue
        point = _point(score, *best)
        if point.key in points:
            unmatched.append(_unmatched(score, SAME_POINT))
        else:
            points[point.key] = point
    by_rating = sorted(points.values(), key=lambda point: (-point.rating, point.key))
    return Selection(
        points=tuple(point for point in by_rating if point.price),
        free=tuple(point for point in by_rating if not point.price),
        unmatched=tuple(sorted(unmatched, key=lambda name: (-name.rating, name.display_name))),
    )


def points(scores: Sequence[Rated], offers: Iterable[Offer], mix: Mix = CHAT_MIX) -> list[Point]:
    """The drawable part of `select`: one point per (model, effort) with a price above zero."""
    return list(select(scores, offers, mix).points)


def _best(offers: Iterable[Offer], mix: Mix) -> tuple[Decimal, Offer] | None:
    priced = [
        (price, offer)
        for offer in offers
        if offer.is_list_price() and (price := blend(offer.usd_per_mtok_by_unit, mix)) is not None
    ]
    return min(priced, key=_preference, default=None)


def _preference(priced: tuple[Decimal, Offer]) -> tuple[bool, bool, bool, bool, Decimal, str, str, str]:
    price, offer = priced
    theirs = offer.first_party
    return (
        not price,
        not theirs,
        theirs and offer.region not in ("", "global"),
        theirs and offer.sku != offer.model,
        price,
        offer.provider,
        offer.sku,
        offer.region,
    )


def _why_unpriced(score: Rated, offers_by_model: Mapping[str, Sequence[Offer]]) -> str:
    if not score.model:
        return NOT_MATCHED
    return NOT_PRICED if score.model in offers_by_model else NOT_SOLD


def _unmatched(score: Rated, reason: str) -> Unmatched:
    return Unmatched(score.display_name, score.model, score.effort, score.rating, reason)


def _point(score: Rated, price: Decimal, offer: Offer) -> Point:
    return Point(
        key=f"{offer.model}@{score.effort}" if score.effort else offer.model,
        label=score.display_name,
        price=price,
        rating=score.rating,
        low=score.low,
        high=score.high,
        votes=score.votes,
        model=offer.model,
        effort=score.effort,
        provider=offer.provider,
        sku=offer.sku,
        region=offer.region,
        first_party=offer.first_party,
        usd_per_mtok_by_unit=offer.usd_per_mtok_by_unit,
    )


def _refuse_repeated_keys(keys: Iterable[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"{key} is there twice: each (model, effort) is one point.")
        seen.add(key)
