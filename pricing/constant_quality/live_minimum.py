"""The least one could really pay, month by month. Pure.

On the first day of each month: the cheapest model at or above the score whose price held that day. A price holds from
its day until its seller's next price of the model, or until it is withdrawn; so where the cheapest goes, the series
rises. Its months are not independent of each other (one price holds for many), so Student's t would be far too sure.
The interval is a percentile bootstrap over model families instead: B. Efron, R. Tibshirani, An Introduction to the
Bootstrap (1993), chapters 13 and 8 (what is resampled are the groups that are independent of each other).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from math import log10
from random import Random
from typing import Final

from pricing.constant_quality.estimates import (
    FIRM_POINTS,
    LEAST_DAYS,
    LEAST_POINTS,
    Estimate,
    Point,
    fit,
    fitted,
    leave_one_out,
    left_aside,
    too_few,
    unfitted,
    years,
)
from pricing.constant_quality.observations import Input, Observation, Question, judged
from pricing.constant_quality.regression import least_squares

METHOD: Final = (
    "Live minimum: the cheapest model that could be bought on the first day of each month; least squares of "
    "log10(price) on date; interval by bootstrap over model families."
)
SEED: Final = 20250312
RESAMPLES: Final = 1000
LEAST_FAMILIES: Final = 3


@dataclass(frozen=True, slots=True)
class Span:
    """A price above zero that reaches the quality, in force [since, until); `date.max` is still."""

    of: Observation
    price: Decimal
    since: date
    until: date


def live_minimum(
    observations: Iterable[Observation],
    threshold: Decimal | None = None,
    *,
    start: date | None = None,
    until: date | None = None,
    level: float = 0.9,
    resamples: int = RESAMPLES,
) -> Estimate:
    """The factor a year of the cheapest live price, over the first days of months in [start, until).

    Without `until` the last month is that of the last observation.
    """
    question = Question(threshold, start, until, level)
    inputs = judged(observations, question, ongoing=True)
    spans = spans_of(inputs)
    months = list(_months(spans, start, until or _day_after(inputs)))
    points = _minima(spans, months)
    why_not = too_few(points, "months with a live model")
    notes = [METHOD, *_gaps(points, months), *_rises(points), *([why_not] if why_not else []), *left_aside(inputs)]
    if why_not:
        return unfitted("live_minimum", level, points, inputs, notes)
    line = fit(points)
    slopes, how_sure = _bootstrap(spans, months, level, resamples)
    spared = leave_one_out(
        [point.model for point in points],
        lambda model: _minima([span for span in spans if span.of.model != model], months),
    )
    steps = _steps(points)
    notes.append(how_sure)
    if steps < FIRM_POINTS:
        notes.append(f"Indicative: the cheapest price changed hands or moved fewer than {FIRM_POINTS} times ({steps}).")
    if spared.not_fitted:
        notes.append(f"Without {', '.join(spared.not_fitted)} too few months are left for a line.")
    return fitted("live_minimum", level, line, slopes, spared, points, inputs, notes, indicative=steps < FIRM_POINTS)


def spans_of(inputs: Sequence[Input]) -> list[Span]:
    """When each usable price held. What ends a price need not itself be usable: a free price ends a paid one, and an
    unknown one the one that was known."""
    days: dict[tuple[str, str], list[date]] = {}
    for one in inputs:
        days.setdefault((one.observation.model, one.observation.seller), []).append(one.observation.observed_on)
    spans = []
    for one in inputs:
        of = one.observation
        if one.used and of.price is not None:
            later = [day for day in days[of.model, of.seller] if day > of.observed_on]
            ends = [*later, of.withdrawn_on or date.max]
            spans.append(Span(of, of.price, of.observed_on, min(ends)))
    return sorted(spans, key=lambda span: (span.price, *span.of.order()))


def _day_after(inputs: Sequence[Input]) -> date:
    return max((date.fromordinal(one.observation.observed_on.toordinal() + 1) for one in inputs), default=date.min)


def _months(spans: Sequence[Span], start: date | None, until: date) -> Iterator[date]:
    """First days of months in [start, until), from the first at which a span has begun."""
    if not spans:
        return
    first = min(span.since for span in spans)
    if start is not None:
        first = max(first, start)
    month = first if first.day == 1 else _next(first)
    while month < until:
        yield month
        month = _next(month)


def _next(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def live_on(spans: Sequence[Span], day: date) -> list[Span]:
    """What could be bought that day, cheapest first, as the spans are."""
    return [span for span in spans if span.since <= day < span.until]


def _minima(spans: Sequence[Span], months: Sequence[date]) -> tuple[Point, ...]:
    points = []
    for month in months:
        if live := live_on(spans, month):
            best = live[0]
            models = len({span.of.model for span in live})
            points.append(Point(month, best.price, best.of.model, best.of.score, models))
    return tuple(points)


def _steps(points: Sequence[Point]) -> int:
    """How many (model, price) the minimum went through one after the other: the months between say nothing new."""
    held = [(point.model, point.price) for point in points]
    return 1 + sum(1 for before, after in pairwise(held) if before != after)


def _gaps(points: Sequence[Point], months: Sequence[date]) -> list[str]:
    gaps = len(months) - len(points)
    return [f"{gaps} month{'s' if gaps > 1 else ''} without a live model have no point."] if gaps else []


def _rises(points: Sequence[Point]) -> list[str]:
    rises = sum(1 for before, after in pairwise(points) if after.price > before.price)
    return [f"The price rose {rises} time{'s' if rises > 1 else ''}."] if rises else []


def _bootstrap(
    spans: Sequence[Span], months: Sequence[date], level: float, resamples: int
) -> tuple[tuple[float, float] | None, str]:
    """The percentile interval of the slope over resampled families, and a sentence on how it came about.

    A family drawn twice offers the same prices twice, so only which families are drawn matters to a minimum. A draw
    without the early families begins later; one that leaves under four months or under a year is not fitted.
    """
    families = sorted({span.of.group for span in spans})
    if len(families) < LEAST_FAMILIES:
        return None, f"No interval: a bootstrap wants at least {LEAST_FAMILIES} model families ({len(families)})."
    number = {family: place for place, family in enumerate(families)}
    # A slope does not mind where its years begin, so each price's logarithm is worked out once.
    cheapest = [
        (month, [(number[family], log10(price)) for family, price in _by_family(live_on(spans, month))])
        for month in months
    ]
    random = Random(SEED)  # noqa: S311 - the same inputs must give the same interval
    everyone = range(len(families))
    slopes = []
    for _ in range(resamples):
        drawn = set(random.choices(everyone, k=len(families)))
        found = [
            (month, price)
            for month, offers in cheapest
            if (price := next((price for family, price in offers if family in drawn), None)) is not None
        ]
        if len(found) >= LEAST_POINTS and (found[-1][0] - found[0][0]).days >= LEAST_DAYS:
            slopes.append(least_squares([(years(months[0], month), price) for month, price in found]).slope)
    said = f"{len(slopes)} of {resamples} resamples of {len(families)} families could be fitted."
    if 2 * len(slopes) < resamples:
        return None, f"No interval: only {said}"
    slopes.sort()
    outside = (1 - level) / 2
    return (_quantile(slopes, outside), _quantile(slopes, 1 - outside)), said


def _by_family(live: Sequence[Span]) -> list[tuple[str, Decimal]]:
    """Each family's cheapest price, cheapest family first."""
    best: dict[str, Decimal] = {}
    for span in live:
        best.setdefault(span.of.group, span.price)
    return list(best.items())


def _quantile(ordered: Sequence[float], share: float) -> float:
    """By linear interpolation between order statistics: R. Hyndman, Y. Fan (1996), definition 7."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
