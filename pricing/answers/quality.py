"""Price per quality of a day: list prices against one benchmark's scores as they were known then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from pricing.answers import kept
from pricing.answers.edges import next_edge
from pricing.answers.filters import understood
from pricing.answers.on_sale import known, on_sale
from pricing.answers.questions import BadQuestion
from pricing.answers.questions import name as as_name
from pricing.answers.wording import decimal_text, moment_text
from pricing.benchmarks import benchmarks
from pricing.frontier import LIST, MEASURED, PLAIN, Band, Curve, Offer, Point, Priced, Rated, Traits, Wish, curve
from pricing.models import Benchmark, Price, Score
from pricing.quality import rated

_BYTES_AN_OFFER: Final = 2000
"""Measured of a kept curve: 1.9 MB of 961 offers, and anybody may ask for any mix."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What one benchmark's category said by a day, and the days on which what is known of it changed."""

    benchmark: Benchmark
    category: str
    scores: tuple[Rated, ...]
    model_ids: frozenset[int]
    days: tuple[date, ...]

    @property
    def rated_on(self) -> date | None:
        """The day of the newest score."""
        return max((one.rated_on for one in self.scores if one.rated_on), default=None)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A curve with everything it was drawn from. `credits` name who says the prices of its points."""

    scores: Scores
    at: datetime
    wish: Wish
    offers: tuple[Offer, ...]
    models: Mapping[str, Traits]
    curve: Curve
    credits: tuple[str, ...] = ()


def scores_on(benchmark: str, category: str, day: date) -> Scores:
    """What a benchmark says of models on a day; BadQuestion where there is no such benchmark or category. Four queries.

    Of a benchmark of whole tables the newest table not after the day, before its first that one; where each score has
    the day of its own run all of them. What is younger than the day counts for models of which anything says that they
    were on sale by then: `select` leaves out the others.
    """
    found = Benchmark.objects.filter(slug=as_name(benchmark, "benchmark")).first()
    if found is None:
        there = ", ".join(Benchmark.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
        raise BadQuestion(f"There is no benchmark {benchmark[:60]!r}; there are: {there}.", "benchmark")
    own = Score.objects.filter(benchmark=found)
    chosen = as_name(category, "category") if category else first_category(benchmark)
    days = Score.objects.days(benchmark, chosen)
    if not days:
        there = ", ".join(sorted(set(own.values_list("category", flat=True)))) or "none yet"
        raise BadQuestion(f"{found.name} has no category {chosen[:60]!r}; it has: {there}.", "category")
    # What a dated run measured is as true of the same model on a day before it; a table is of its own day.
    known_by = date.max if found.runs_dated else day
    scores = list(Score.objects.as_of(benchmark, chosen, known_by).select_related("model"))
    ids = frozenset(score.model_id for score in scores if score.model_id is not None)
    return Scores(found, chosen, tuple(rated(scores)), ids, tuple(days))


def first_category(benchmark: str) -> str:
    """The category a benchmark is asked for by default."""
    module = benchmarks().get(benchmark)
    if module is not None:
        return next(iter(module.CATEGORIES))
    return Score.objects.filter(benchmark__slug=benchmark).order_by("category").values_list("category", flat=True)[0]


def drawn(scores: Scores, wish: Wish, at: datetime) -> Drawn:
    """The curve of some scores at the prices of a moment."""
    dated = replace(wish, terms=replace(wish.terms, day=at.astimezone(UTC).date()))
    about = known(scores.model_ids)
    offers = on_sale(at, wish.mix, about) if wish.axis == LIST else []
    models = {one.slug: one.traits for one in about.values()}
    found = curve(scores.scores, offers, dated, models)
    ids = [pk for point in found.selection.points if point.offer for pk in point.offer.price_ids.values()]
    said = Price.objects.filter(pk__in=ids).credits() if ids else ()
    return Drawn(scores, at, wish, tuple(offers), models, found, said)


def drawn_now(benchmark: str, category: str, wish: Wish, day: datetime | None, now: datetime) -> Drawn:
    """The curve of a day, or as of now, kept until a price could change or the day ends; BadQuestion as `scores_on`.

    Kept: one query to see that the scores still hold.
    """
    stamp = Score.objects.stamp(benchmark, category)
    key = ("drawn", benchmark, category, stamp, wish, day)
    current = kept.recent_version()
    found: Drawn | None = kept.recall(key, current, now)
    if found is None:
        at = day or now
        found = drawn(scores_on(benchmark, category, at.astimezone(UTC).date()), wish, at)
        midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time.min, UTC)
        until = min(next_edge(now, current), midnight)
        kept.keep(key, current, found, until, _BYTES_AN_OFFER * len(found.offers))
    return found


def price_per_quality(
    benchmark: str = "arena", category: str = "", wish: Wish = PLAIN, at: datetime | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The rated models with a price, which of them nothing beats, and every score without a price, with the reason."""
    moment = at or now or datetime.now(UTC)
    return told(scores_on(benchmark, category, moment.astimezone(UTC).date()), wish, moment)


def told(scores: Scores, wish: Wish, at: datetime) -> dict[str, Any]:
    """The same of scores that are at hand; BadQuestion where what is to be near is not among them, or a word of what is
    wanted is none of the catalogue's."""
    wish = replace(wish, wanted=understood(wish.wanted))
    if wish.near and wish.near not in {score.key for score in scores.scores}:
        raise BadQuestion(
            f"{wish.near[:80]!r} is not rated here: write the `key` of a point, such as model or model@effort.", "near"
        )
    found = drawn(scores, wish, at)
    known, wish, own = found.scores.benchmark, found.wish, found.curve
    rated_on = found.scores.rated_on
    return {
        "benchmark": known.slug, "category": found.scores.category, "unit": known.unit,
        "attribution": known.attribution, "licence": known.licence, "url": known.url,
        "observed_on": rated_on.isoformat() if rated_on else None,
        "tables": [day.isoformat() for day in found.scores.days],
        "axis": wish.axis, "mix": None if wish.axis == MEASURED else str(wish.mix), "at": moment_text(found.at),
        "frontier": [_point(point) for point in own.frontier.points],
        "dominated": [
            {**_point(lost.point), "cheapest_equal": lost.cheapest_equal.key, "multiple": decimal_text(lost.multiple)}
            for lost in own.frontier.dominated
        ],
        "free": [_point(point) for point in own.selection.free],
        "previews": [_point(point) for point in own.selection.previews],
        "unmatched": [
            {"name": name.display_name, "model": name.model, "effort": name.effort,
             "rating": decimal_text(name.rating), "reason": name.reason}
            for name in own.selection.unmatched
        ],
        "left_out": {wished: list(names) for wished, names in own.left_out.items()},
        "band": _band(own.band) if own.band else None,
        "sellers": _sellers(own.sellers), "project": None,
    }  # fmt: skip


def _point(point: Point) -> dict[str, Any]:
    offer = point.offer
    return {
        "key": point.key, "label": point.label, "model": point.model or None, "effort": point.effort,
        "provider": point.provider, "sku": point.sku, "region": point.region, "first_party": point.first_party,
        "usd_per_mtok": decimal_text(point.price) if offer else None,
        "usd_per_task": None if offer else decimal_text(point.price), "rating": decimal_text(point.rating),
        "low": decimal_text(point.low), "high": decimal_text(point.high), "votes": point.votes,
        "price_is_dated": not offer.undated if offer else None,
        "tokens_per_second": decimal_text(offer.tokens_per_second) if offer else None,
        "seconds_per_task": decimal_text(point.seconds_per_task),
    }  # fmt: skip


def _band(band: Band) -> dict[str, Any]:
    return {
        "of": band.of.key, "rating": decimal_text(band.of.rating), "delta": decimal_text(band.delta),
        "floor": decimal_text(band.floor), "cheapest": band.cheapest.key if band.cheapest else None,
        "ties": [point.key for point in band.ties], "overlaps": band.overlaps,
        "inside": [point.key for point in band.inside], "undecided": [point.key for point in band.undecided],
    }  # fmt: skip


def _sellers(sellers: Sequence[Priced]) -> list[dict[str, Any]]:
    return [
        {"model": offer.model, "provider": offer.provider, "sku": offer.sku, "region": offer.region,
         "first_party": offer.first_party, "usd_per_mtok": decimal_text(price)}
        for price, offer in sellers
    ]  # fmt: skip
