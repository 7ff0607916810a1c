"""Successive record lows: the first model at or above a score, then each one cheaper than all before. Pure.

The method is Epoch AI's: B. Cottier, B. Snodin, D. Owen, T. Adamczewski, "LLM inference prices have fallen rapidly but
unequally across tasks" (12 March 2025), https://epoch.ai/data-insights/llm-inference-price-trends. It asks how fast
new lows arrive. A later rise and a withdrawal do not change a record, so it is no price one can buy at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from pricing.constant_quality.estimates import (
    FIRM_POINTS,
    Estimate,
    Point,
    fit,
    fitted,
    leave_one_out,
    left_aside,
    too_few,
    unfitted,
)
from pricing.constant_quality.observations import UNDATED, Observation, Question, judged

METHOD = "Record lows (Epoch AI's method): least squares of log10(price) on date; interval by Student's t."


def record_low(
    observations: Iterable[Observation],
    threshold: Decimal | None = None,
    *,
    start: date | None = None,
    until: date | None = None,
    level: float = 0.9,
) -> Estimate:
    """The factor a year along the record lows among observations at or above a score, of the days [start, until)."""
    question = Question(threshold, start, until, level)
    inputs = judged(observations, question, ongoing=False)
    eligible = [one.observation for one in inputs if one.used or one.why_not == UNDATED]
    points = _records(eligible)
    why_not = too_few(points, "record lows")
    notes = [METHOD, *([why_not] if why_not else []), *left_aside(inputs)]
    if why_not:
        return unfitted("record_low", level, points, inputs, notes)
    line = fit(points)
    slopes = line.slope_interval(level)
    spared = leave_one_out(
        [point.model for point in points],
        lambda model: _records([one for one in eligible if one.model != model]),
    )
    if len(points) < FIRM_POINTS:
        notes.append(f"Indicative: fewer than {FIRM_POINTS} record lows.")
    if spared.not_fitted:
        notes.append(f"Without {', '.join(spared.not_fitted)} too few record lows are left for a line.")
    return fitted(
        "record_low", level, line, slopes, spared, points, inputs, notes, indicative=len(points) < FIRM_POINTS
    )


def _records(eligible: Sequence[Observation]) -> tuple[Point, ...]:
    """Of observations in order of day and price: each whose price is below every earlier one. A tie is no record.

    One without a day of its own is no record either, and what is dearer than it is none after it was seen.
    """
    points: list[Point] = []
    lowest: Decimal | None = None
    for one in eligible:
        if one.price is not None and (lowest is None or one.price < lowest):
            lowest = one.price
            if one.dated:
                points.append(Point(one.observed_on, one.price, one.model, one.score))
    return tuple(points)
