"""An organisation's own evaluations as measures of quality: what a curve of price per quality is drawn from.

A suite of a project is to such a curve what a benchmark is, and its metrics and variants are its categories. Scores are
per cent here, as public benchmarks state theirs, with the 90 % intervals of `usage.evaluation_points`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from pricing.answers.quality import Scores
from pricing.benchmarks import Measure
from pricing.frontier import Rated
from pricing.models import Benchmark
from usage.evaluation_points import RatedPoint, Suite

PREFIX: Final = "own:"
_HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class OwnMeasure:
    """A suite of a project with its points by category: a metric, and a variant where the suite has some."""

    measure: Measure
    project: str
    points: Mapping[str, tuple[RatedPoint, ...]]

    def scores(self, category: str) -> Scores:
        """The newest run of each model and effort. A run says of a model what it did, whatever the day of its price."""
        own, said = self.points[category], self.measure
        known = Benchmark(
            slug=said.slug, name=said.name, unit=said.unit, attribution=said.attribution, runs_dated=said.runs_dated
        )
        ids = frozenset(one.model_id for one in own if one.model_id is not None)
        days = sorted({one.ran_on for one in own if one.ran_on is not None})
        return Scores(known, category, tuple(_rated(one) for one in own), ids, tuple(days))


def slug_of(suite: Suite) -> str:
    """How an address names a suite: `own:support-bot/triage`."""
    return f"{PREFIX}{suite.project}/{suite.name}"


def category_of(suite: Suite) -> str:
    """How an address names a metric and a variant; no two of a suite have the same."""
    return f"{quote(suite.metric, safe=' ')}/{suite.task}" if suite.task else quote(suite.metric, safe=" ")


def own_measures(points: Iterable[RatedPoint]) -> dict[str, OwnMeasure]:
    """Every suite of the points by its slug, in their order."""
    by_suite: dict[str, dict[Suite, list[RatedPoint]]] = {}
    for one in points:
        by_suite.setdefault(slug_of(one.suite), {}).setdefault(one.suite, []).append(one)
    return {slug: _measure(slug, variants) for slug, variants in by_suite.items()}


def _measure(slug: str, variants: Mapping[Suite, Sequence[RatedPoint]]) -> OwnMeasure:
    first = next(iter(variants))
    return OwnMeasure(
        Measure(
            slug=slug,
            name=first.name,
            unit="% of own evaluation",
            attribution=f"Own evaluation {first.name} of {first.project}",
            categories={category_of(one): ", ".join(filter(None, (one.metric, one.task))) for one in variants},
            interval=90,
        ),
        first.project,
        {category_of(one): tuple(found) for one, found in variants.items()},
    )


def _rated(point: RatedPoint) -> Rated:
    return Rated(
        display_name=f"{point.name} ({point.effort})" if point.effort else point.name,
        model=point.model,
        rating=point.value * _HUNDRED,
        effort=point.effort,
        low=None if point.low is None else point.low * _HUNDRED,
        high=None if point.high is None else point.high * _HUNDRED,
        votes=point.n,
        usd_per_task=point.usd_per_answer,
        rated_on=point.ran_on,
    )
