"""An organisation's own evaluations as plain values: what a chart of price per quality, or a recommendation, reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pricing.noninferiority import critical
from usage.evaluation_comparisons import estimate_of
from usage.models import EvaluationRun, Organisation

_SHOWN = Decimal("1e-6")


@dataclass(frozen=True, slots=True)
class Suite:
    """What runs compare within: a measure of a suite (and variant) of one project."""

    project: str
    name: str
    task: str
    metric: str


@dataclass(frozen=True, slots=True)
class RatedPoint:
    """The newest run of one model at one effort on one suite. Scores are shares from 0 to 1, intervals of 90 %.

    `model` is the slug of the catalogue and `model_id` its key there, None where the name is not resolved. An
    effort never stands in for another.
    `usd_per_answer` and `output_tokens_per_answer` are means over the answers that state them; None is unknown.
    """

    suite: Suite
    model: str | None
    model_id: int | None
    name: str
    effort: str
    value: Decimal
    low: Decimal | None
    high: Decimal | None
    n: int | None
    usd_per_answer: Decimal | None
    output_tokens_per_answer: Decimal | None
    ran_on: date | None
    run: int


def points(
    organisation: Organisation, projects: Iterable[int] | None = None, *, project: str = "", suite: str = ""
) -> list[RatedPoint]:
    """Every point of the suites of an organisation, the best of each suite first. One query.

    `projects`: the keys of those one may see, None for all; `project` (slug) and `suite` narrow further.
    """
    runs = EvaluationRun.objects.seen(organisation, projects)
    runs = runs.filter(project__slug=project) if project else runs
    runs = runs.filter(suite=suite) if suite else runs
    return of_runs(runs.newest().select_related("model", "project"))


def of_runs(runs: Iterable[EvaluationRun]) -> list[RatedPoint]:
    """Runs as points, by suite and then the best first."""
    found = [_point(run) for run in runs]
    return sorted(
        found,
        key=lambda one: (one.suite.project, one.suite.name, one.suite.task, one.suite.metric, -one.value, one.run),
    )


def suites(found: Sequence[RatedPoint]) -> list[Suite]:
    """The suites of points, in their order."""
    return list(dict.fromkeys(one.suite for one in found))


def interval(run: EvaluationRun) -> tuple[Decimal, Decimal] | None:
    """The 90 % interval of a run's mean, within 0 and 1; None where no standard error is known."""
    estimate = estimate_of(run)
    if estimate is None or (estimate.n is not None and estimate.n < 2):
        return None
    reach = critical(float("inf") if estimate.n is None else estimate.n - 1) * estimate.se
    low, high = max(estimate.value - reach, 0.0), min(estimate.value + reach, 1.0)
    return Decimal(repr(low)).quantize(_SHOWN), Decimal(repr(high)).quantize(_SHOWN)


def _point(run: EvaluationRun) -> RatedPoint:
    ends = interval(run)
    return RatedPoint(
        suite=Suite(run.project.slug, run.suite, run.task, run.metric),
        model=run.model.slug if run.model else None,
        model_id=run.model_id,
        name=run.model.name if run.model else run.raw_name,
        effort=run.effort,
        value=run.mean.quantize(_SHOWN),
        low=ends[0] if ends else None,
        high=ends[1] if ends else None,
        n=run.items,
        usd_per_answer=None if run.cost_usd is None or not run.costed else run.cost_usd / run.costed,
        output_tokens_per_answer=(
            None if run.output_tokens is None or not run.counted else Decimal(run.output_tokens) / run.counted
        ),
        ran_on=run.ran_on,
        run=run.pk,
    )
