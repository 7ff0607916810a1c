"""From ratings and offers to points: one price for each rated model, or the reason why it has none. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from pricing.frontier.mix import CHAT_MIX, Mix
from pricing.frontier.offers import Offer, Priced, is_preview, preference, priced
from pricing.frontier.points import Point


@dataclass(frozen=True, slots=True)
class Rated:
    """One score of a benchmark: a model (slug, or None when the name is not matched) at one effort.

    `votes` counts votes or tasks. `usd_per_task` is what one task cost as the run was measured, its verbosity included;
    None where it does not publish that; `seconds_per_task` is how long one took. `rated_on` is the day of the run, or
    of the table the score stands in.
    """

    display_name: str
    model: str | None
    rating: Decimal
    effort: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    votes: int | None = None
    usd_per_task: Decimal | None = None
    rated_on: date | None = None
    seconds_per_task: Decimal | None = None

    @property
    def key(self) -> str:
        """`model`, `model@effort`, or the name itself where no model is declared to be it."""
        if self.model is None:
            return self.display_name
        return f"{self.model}@{self.effort}" if self.effort else self.model


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
NOT_YET_SOLD: Final = "nothing says that this model was on sale by that day"
NOT_PRICED: Final = "its sellers state no list price for every unit of this token mix"
NOT_MEASURED: Final = "its run publishes no cost"


@dataclass(frozen=True, slots=True)
class Selection:
    """Every score once: with a price above zero, free, sold as a preview only, or without a price and the reason."""

    points: tuple[Point, ...]
    free: tuple[Point, ...]
    unmatched: tuple[Unmatched, ...]
    previews: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a price is taken for: the day it held on (None: whenever), and whether free offers and previews count."""

    day: date | None = None
    free: bool = False
    previews: bool = False


USUAL: Final = Terms()


def select(scores: Sequence[Rated], offers: Iterable[Offer], mix: Mix = CHAT_MIX, terms: Terms = USUAL) -> Selection:
    """Give each (model, effort) one price: its maker's list price, else the cheapest host's, the host named.

    Only list prices count (`Offer.is_list_price`), in the order of `offers.preference`: one that nobody saw by the day
    and whose start nobody states is taken only where there is no other. A free offer is taken only
    where no paid one exists, a preview only where no release is sold, and then they are listed apart unless the terms
    ask for them: free is rationed, and a log axis has no zero; a preview may end any day. Where two names are the same
    model and effort, the one with more votes is the point. A score of a table younger than the day counts where any
    evidence says that the model was on sale by then. All lists are in order of rating, best first.
    """
    by_model: dict[str, list[Offer]] = {}
    for offer in offers:
        by_model.setdefault(offer.model, []).append(offer)
    best = {model: min(priced(sold, mix), key=preference, default=None) for model, sold in by_model.items()}

    def found(score: Rated) -> Priced | str:
        sold = by_model.get(score.model or "")
        if not score.model:
            return NOT_MATCHED
        if sold is None:
            return NOT_SOLD
        if not _there(score, sold, terms.day):
            return NOT_YET_SOLD
        return best[score.model] or NOT_PRICED

    points: dict[str, Point] = {}
    unmatched: list[Unmatched] = []
    for score in _most_judged_first(scores):
        price = found(score)
        if isinstance(price, str):
            unmatched.append(_unmatched(score, price))
        elif score.key in points:
            unmatched.append(_unmatched(score, SAME_POINT))
        else:
            points[score.key] = _point(score, *price)
    return _selection(points, unmatched, terms)


def select_measured(scores: Sequence[Rated], terms: Terms = USUAL) -> Selection:
    """The same with what a task of the run was measured to cost: only of runs that publish it, whoever sells the model.

    A run at no cost is free, like an offer of nothing, and one of a preview is a preview.
    """
    points: dict[str, Point] = {}
    unmatched: list[Unmatched] = []
    for score in _most_judged_first(scores):
        price = score.usd_per_task
        if price is None:
            unmatched.append(_unmatched(score, NOT_MEASURED))
        elif score.key in points:
            unmatched.append(_unmatched(score, SAME_POINT))
        else:
            points[score.key] = _point(score, price, None)
    return _selection(points, unmatched, terms)


def points(scores: Sequence[Rated], offers: Iterable[Offer], mix: Mix = CHAT_MIX) -> list[Point]:
    """The drawable part of `select`: one point per (model, effort) with a price above zero."""
    return list(select(scores, offers, mix).points)


def _selection(points: Mapping[str, Point], unmatched: Iterable[Unmatched], terms: Terms) -> Selection:
    by_rating = sorted(points.values(), key=lambda point: (-point.rating, point.key))
    free = [point for point in by_rating if not point.price and not terms.free]
    trials = [point for point in by_rating if _is_preview(point) and not terms.previews and point not in free]
    apart = {point.key for point in (*free, *trials)}
    return Selection(
        points=tuple(point for point in by_rating if point.key not in apart),
        free=tuple(free),
        unmatched=tuple(sorted(unmatched, key=lambda name: (-name.rating, name.display_name))),
        previews=tuple(trials),
    )


def _is_preview(point: Point) -> bool:
    """By the id it is sold under; of a measured run, whose seller nobody states, by the model or the run's own name."""
    return point.offer.is_preview if point.offer else is_preview(point.model or point.label)


def _there(score: Rated, sold: Iterable[Offer], day: date | None) -> bool:
    """Whether the model could be bought on the day, as far as anything says: rated by then, or evidence of a sale."""
    if day is None or (score.rated_on is not None and score.rated_on <= day):
        return True
    return any(offer.known_since is not None and offer.known_since <= day for offer in sold)


def _most_judged_first(scores: Iterable[Rated]) -> list[Rated]:
    return sorted(scores, key=lambda score: (-(score.votes or 0), score.display_name))


def _unmatched(score: Rated, reason: str) -> Unmatched:
    return Unmatched(score.display_name, score.model, score.effort, score.rating, reason)


def _point(score: Rated, price: Decimal, offer: Offer | None) -> Point:
    return Point(
        key=score.key,
        label=score.display_name,
        price=price,
        rating=score.rating,
        low=score.low,
        high=score.high,
        votes=score.votes,
        model=score.model or "",
        effort=score.effort,
        provider=offer.provider if offer else "",
        sku=offer.sku if offer else "",
        region=offer.region if offer else "",
        first_party=bool(offer and offer.first_party),
        offer=offer,
        seconds_per_task=score.seconds_per_task,
    )
