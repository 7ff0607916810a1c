"""Price per quality of a day as one answer: points, frontier, what lies near a chosen model, who sells it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pricing.frontier.mix import CHAT_MIX, Mix
from pricing.frontier.offers import NO_TRAITS, Offer, Priced, Traits, sellers
from pricing.frontier.points import Frontier, Point, frontier
from pricing.frontier.selecting import USUAL, Rated, Selection, Terms, select, select_measured
from pricing.frontier.wanted import NOTHING, Wanted, narrowed

LIST, MEASURED = "list", "measured"
AXES = (LIST, MEASURED)
"""What a price is: a list price blended by a token mix, or what a task of the run was measured to cost."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How a curve is wanted. `near` is the key of a rated model, `delta` what may be given up of its rating.

    `sold` is the slug of a model whose sellers are wanted; left out, it is that of `near`. `within` are the seconds
    that a task of the run may have taken, None for any.
    """

    mix: Mix = CHAT_MIX
    axis: str = LIST
    wanted: Wanted = NOTHING
    terms: Terms = USUAL
    effort: str | None = None
    near: str = ""
    delta: Decimal | None = None
    sold: str = ""
    within: Decimal | None = None


PLAIN: Final = Wish()


@dataclass(frozen=True, slots=True)
class Band:
    """What may stand in for a chosen model: rated at most `delta` below it, cheapest first.

    `own` is the chosen model's point, None where it has no price here. `ties` cost what the cheapest costs and are in
    the band too. `overlaps` says whether the cheapest's interval meets the chosen one's, None where unknown.
    `undecided` are cheaper than all of the band, and below it only by a distance their intervals do not tell.
    """

    of: Rated
    delta: Decimal
    own: Point | None
    inside: tuple[Point, ...]
    overlaps: bool | None
    undecided: tuple[Point, ...]

    @property
    def floor(self) -> Decimal:
        return self.of.rating - self.delta

    @property
    def cheapest(self) -> Point | None:
        return self.inside[0] if self.inside else None

    @property
    def ties(self) -> tuple[Point, ...]:
        return tuple(point for point in self.inside[1:] if point.price == self.inside[0].price)


@dataclass(frozen=True, slots=True)
class Curve:
    """`left_out` are by wish the names of rated models that only an unknown trait keeps out."""

    selection: Selection
    frontier: Frontier
    left_out: Mapping[str, tuple[str, ...]]
    band: Band | None = None
    sold: str = ""
    sellers: tuple[Priced, ...] = ()


def curve(
    scores: Sequence[Rated], offers: Iterable[Offer], wish: Wish = PLAIN, models: Mapping[str, Traits] | None = None
) -> Curve:
    """The curve of some ratings. `models` are the traits of the rated models, for prices without an offer."""
    every = tuple(offers)
    asked = [score for score in scores if wish.effort is None or score.effort == wish.effort]
    if wish.axis == MEASURED:
        taken, unknown = _fitting(asked, models or {}, wish.wanted)
        selection = select_measured(_quick(taken, wish.within), wish.terms)
    else:
        fitting = narrowed(every, wish.wanted)
        taken = _of_models(asked, every, fitting.offers)
        selection = select(_quick(taken, wish.within), fitting.offers, wish.mix, wish.terms)
        unknown = {name: [one for one in asked if one.model in slugs] for name, slugs in fitting.unknown.items()}
    if wish.within is not None:
        unknown["seconds"] = [score for score in taken if score.seconds_per_task is None]
    could = {point.key for point in _selected(asked, every, wish).points} if unknown else set()
    edge = frontier(selection.points)
    near = next((score for score in scores if score.key == wish.near), None) if wish.near else None
    sold = wish.sold or (near.model or "" if near else "")
    return Curve(
        selection,
        edge,
        {name: left for name, ones in unknown.items() if (left := _names(ones, could))},
        band(edge, near, default_delta(edge) if wish.delta is None else wish.delta) if near else None,
        sold,
        _sellers(every, sold, wish) if sold and wish.axis == LIST else (),
    )


def _selected(scores: Sequence[Rated], offers: Sequence[Offer], wish: Wish) -> Selection:
    """What could be drawn if nothing were wanted of models, sellers and runs."""
    if wish.axis == MEASURED:
        return select_measured(scores, wish.terms)
    return select(scores, offers, wish.mix, wish.terms)


def _quick(scores: Sequence[Rated], within: Decimal | None) -> list[Rated]:
    """Those whose run is known to have taken so many seconds a task at most."""
    if within is None:
        return list(scores)
    return [one for one in scores if one.seconds_per_task is not None and one.seconds_per_task <= within]


def _names(scores: Iterable[Rated], keys: set[str]) -> tuple[str, ...]:
    return tuple(sorted({score.display_name for score in scores if score.key in keys}))


def _of_models(scores: Sequence[Rated], every: Iterable[Offer], fitting: Iterable[Offer]) -> list[Rated]:
    """The ratings but those of models that are sold and do not fit: they are no longer asked for."""
    out = {offer.model for offer in every} - {offer.model for offer in fitting}
    return [score for score in scores if score.model not in out]


def _fitting(
    scores: Iterable[Rated], models: Mapping[str, Traits], wanted: Wanted
) -> tuple[list[Rated], dict[str, list[Rated]]]:
    kept: list[Rated] = []
    unknown: dict[str, list[Rated]] = {}
    for score in scores:
        verdicts = dict(wanted.of_model(models.get(score.model or "", NO_TRAITS)))
        if all(verdicts.values()):
            kept.append(score)
        elif False not in verdicts.values():
            for name, met in verdicts.items():
                if met is None:
                    unknown.setdefault(name, []).append(score)
    return kept, unknown


def _sellers(offers: Iterable[Offer], model: str, wish: Wish) -> tuple[Priced, ...]:
    own = [offer for offer in offers if offer.model == model]
    return sellers(own, wish.mix, free=wish.terms.free, previews=wish.terms.previews)


def band(edge: Frontier, of: Rated, delta: Decimal) -> Band:
    """What of the drawn points is rated at most `delta` below a model, or above it; the edge is inside."""
    own = next((point for point in edge.every if point.key == of.key), None)
    floor = of.rating - delta
    ranked = sorted(edge.every, key=Point.rank)
    inside = tuple(point for point in ranked if point.rating >= floor)
    chosen = Point(of.key, of.display_name, Decimal(0), of.rating, of.low, of.high)
    ceiling = inside[0].price if inside else None
    undecided = tuple(
        point
        for point in ranked
        if point.rating < floor and (ceiling is None or point.price < ceiling) and point.overlaps(chosen)
    )
    overlaps = inside[0].overlaps(chosen) if inside else None
    return Band(of, delta, own, inside, overlaps, undecided)


def default_delta(edge: Frontier) -> Decimal:
    """A twentieth of the range of the drawn ratings, as 1, 2 or 5 times a power of ten: the next below."""
    ratings = [point.rating for point in edge.every]
    room = (max(ratings) - min(ratings)) / 20 if ratings else Decimal(0)
    if not room:
        return Decimal(1)
    power = Decimal(10) ** room.adjusted()
    return next(step * power for step in (Decimal(5), Decimal(2), Decimal(1)) if step * power <= room)
