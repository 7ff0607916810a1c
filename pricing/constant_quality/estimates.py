"""What an estimator answers: a factor a year, how sure it is, and everything it stands on. Pure.

With b the slope of log10(price) on time in years, the price falls by the factor 10^-b a year (above 1: it falls;
below 1: it rises) and halves in 12 · log10(2) / -b months. Ends of an interval of b become ends of an interval of the
factor by the same monotone rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import log10
from typing import Final

from pricing.constant_quality.observations import BELOW, TOO_EARLY, TOO_LATE, Input
from pricing.constant_quality.regression import Line, least_squares

LEAST_POINTS: Final = 4
FIRM_POINTS: Final = 6
LEAST_DAYS: Final = 365
DAYS_IN_YEAR: Final = 365.2425
_LARGEST_EXPONENT: Final = 300
Ends = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the line. `live` is how many models could be bought that day; None where that is not asked."""

    on: date
    price: Decimal
    model: str
    score: Decimal | None
    live: int | None = None


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """The least and the greatest factor with one model left out, and which; `not_fitted` leave too few points."""

    low: float | None
    without_for_low: str
    high: float | None
    without_for_high: str
    not_fitted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """The answer. `per_year` is the factor by which the price falls in a year, None with the reason in `note`.

    An end of an interval is None where it is beyond every number; `halving_months` is None where the price does not
    fall, and the upper end of `halving_interval` where the interval allows that it does not. `indicative`: the points
    are too few to quote the figure without its interval.
    """

    estimator: str
    level: float
    per_year: float | None
    interval: Ends | None
    halving_months: float | None
    halving_interval: Ends | None
    leave_one_out: LeaveOneOut | None
    r_squared: float | None
    indicative: bool
    points: tuple[Point, ...]
    inputs: tuple[Input, ...]
    note: str

    @property
    def n(self) -> int:
        return len(self.points)


def fit(points: Sequence[Point]) -> Line:
    """log10 of the price on years since the first point."""
    first = points[0].on
    return least_squares([(years(first, point.on), log10(point.price)) for point in points])


def years(first: date, then: date) -> float:
    return (then - first).days / DAYS_IN_YEAR


def factor(slope: float) -> float | None:
    """10^-slope; None where that is beyond every number."""
    return None if -slope > _LARGEST_EXPONENT else 10**-slope


def halving_months(slope: float) -> float | None:
    """None where the price does not fall."""
    return 12 * log10(2) / -slope if slope < 0 else None


def factors(slopes: tuple[float, float] | None) -> Ends | None:
    """The interval of the factor from the interval of the slope."""
    return None if slopes is None else (factor(slopes[1]), factor(slopes[0]))


def halvings(slopes: tuple[float, float] | None) -> Ends | None:
    """The interval of the halving time; None where no slope in the interval falls."""
    return None if slopes is None or slopes[0] >= 0 else (halving_months(slopes[0]), halving_months(slopes[1]))


def too_few(points: Sequence[Point], named: str) -> str:
    """Why no factor is given, as a sentence; '' where one is."""
    if len(points) < LEAST_POINTS:
        return f"No factor: a line wants at least {LEAST_POINTS} {named}, and there are {len(points)}."
    days = (points[-1].on - points[0].on).days
    if days < LEAST_DAYS:
        return f"No factor: the {named} span {days} days, and a factor per year wants at least {LEAST_DAYS}."
    return ""


def leave_one_out(models: Sequence[str], without: Callable[[str], Sequence[Point]]) -> LeaveOneOut:
    """The range of the factor over leaving out each model, by `without(model)`, the points that are then left."""
    fitted: list[tuple[float, str]] = []
    not_fitted: list[str] = []
    for model in sorted(set(models)):
        left = without(model)
        if len(left) < LEAST_POINTS - 1:
            not_fitted.append(model)
        else:
            fitted.append((fit(left).slope, model))
    if not fitted:
        return LeaveOneOut(None, "", None, "", tuple(not_fitted))
    slowest, fastest = max(fitted), min(fitted)
    return LeaveOneOut(factor(slowest[0]), slowest[1], factor(fastest[0]), fastest[1], tuple(not_fitted))


def fitted(
    estimator: str,
    level: float,
    line: Line,
    slopes: tuple[float, float] | None,
    spared: LeaveOneOut,
    points: tuple[Point, ...],
    inputs: tuple[Input, ...],
    notes: Sequence[str],
    *,
    indicative: bool,
) -> Estimate:
    """The answer that a line through the points gives, with the interval of its slope."""
    return Estimate(
        estimator=estimator,
        level=level,
        per_year=factor(line.slope),
        interval=factors(slopes),
        halving_months=halving_months(line.slope),
        halving_interval=halvings(slopes),
        leave_one_out=spared,
        r_squared=line.r_squared,
        indicative=indicative,
        points=points,
        inputs=inputs,
        note=" ".join(notes),
    )


def unfitted(
    estimator: str, level: float, points: tuple[Point, ...], inputs: tuple[Input, ...], notes: Sequence[str]
) -> Estimate:
    """The answer without a factor; the notes say why there is none."""
    return Estimate(estimator, level, None, None, None, None, None, None, False, points, inputs, " ".join(notes))


def left_aside(inputs: Sequence[Input]) -> list[str]:
    """Sentences on the observations of the days asked for that reach the quality and could not be used."""
    expected = {"", BELOW, TOO_EARLY, TOO_LATE}
    counted = Counter(one.why_not for one in inputs if one.why_not not in expected)
    return [f"{count} observation{'s' if count > 1 else ''} not used: {why}." for why, count in sorted(counted.items())]
