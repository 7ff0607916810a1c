"""What became of the models behind an index: how many there were to choose from, and which are no longer sold. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pricing.constant_quality.estimates import Estimate, Point
from pricing.constant_quality.live_minimum import Span, live_on, spans_of


@dataclass(frozen=True, slots=True)
class Survival:
    """Of one point: the models at or above the score that could be bought that day, its own included; and since when
    its model cannot be bought any more, None where it still can."""

    point: Point
    live: int
    gone_on: date | None


def survivals(points: Sequence[Point], ongoing: Estimate, today: date) -> list[Survival]:
    """In the order of the points; `ongoing` is the live minimum over the same observations and the same score.

    A model is gone where nobody asks money for it today. A record low counts itself also where its price lasted for no
    whole day.
    """
    spans = spans_of(ongoing.inputs)
    by_model: dict[str, list[Span]] = {}
    for span in spans:
        by_model.setdefault(span.of.model, []).append(span)
    found = []
    for point in points:
        models = {span.of.model for span in live_on(spans, point.on)} | {point.model}
        last = max((span.until for span in by_model.get(point.model, ())), default=date.max)
        found.append(Survival(point, len(models), last if last <= today else None))
    return found
