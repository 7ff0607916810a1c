"""Own evaluations over HTTP: the suites of the token's organisation, and the models of each against one of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import orjson
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from dashboards.api.auth import UsageBearer, asking
from dashboards.api.catalogue import only
from dashboards.api.problem import documented
from dashboards.api.projects import project_of, projects_of
from pricing.answers import BadQuestion
from usage.evaluation_comparisons import Comparison, compare_all
from usage.evaluation_points import RatedPoint, of_runs, suites
from usage.models import EvaluationRun

router = Router(tags=["evaluations"], auth=UsageBearer())


class EvaluationsQuestion(Schema):
    project: Annotated[str, Field(max_length=120)] = Field("", description="Only this project, by slug.")
    suite: Annotated[str, Field(max_length=200)] = Field("", description="Only suites of this name.")
    current: int | None = Field(
        None, description="Number of a run: only its suite, every model compared with it.", ge=1, lt=2**63
    )
    margin: Annotated[str, Field(max_length=12)] = Field(
        "", description="How much worse is good enough, between 0 and 1; left out: the project's."
    )


class AgainstCurrent(Schema):
    """A model less the current one. `items_to_settle` is null where it is settled, or no number would settle it."""

    verdict: Literal["better", "equal", "worse", "not_enough_evidence"] | None
    difference: float | None
    low: float | None = Field(description="Lower end of the 90 % interval.")
    high: float | None
    paired: bool | None
    pairs: int
    won: int
    lost: int
    tied: int
    items_to_settle: int | None
    why: str = Field(description="Why it is not paired, or why there is no verdict; '' where it is paired.")


class EvaluatedModel(Schema):
    """The newest run of a model at an effort. Scores are shares with intervals of 90 %; null is unknown, never 0."""

    run: int
    model: str | None
    name: str
    effort: str
    score: str
    low: str | None
    high: str | None
    items: int | None
    usd_per_answer: str | None
    output_tokens_per_answer: str | None
    ran_on: date | None
    against_current: AgainstCurrent | None


class EvaluatedSuite(Schema):
    project: str
    suite: str
    task: str
    metric: str
    margin: str
    models: list[EvaluatedModel]


class EvaluationsAnswer(Schema):
    """Suites by project and name, the models of each best first."""

    organisation: str
    current: int | None
    suites: list[EvaluatedSuite]


@router.get("/evaluations", response=documented(EvaluationsAnswer), operation_id="evaluations")
def answer(request: HttpRequest, asked: Query[EvaluationsQuestion]) -> HttpResponse:
    """The organisation's own evaluations: scores with intervals, cost and tokens an answer, verdicts against a run."""
    only(request, EvaluationsQuestion)
    token, organisation = asking(request)
    if asked.project:
        project_of(token, asked.project)
    runs = EvaluationRun.objects.seen(organisation, projects_of(token)).select_related("model", "project")
    runs = runs.filter(project__slug=asked.project) if asked.project else runs
    runs = runs.filter(suite=asked.suite) if asked.suite else runs
    current = _current(runs, asked.current)
    found = {run.pk: run for run in (runs if current is None else runs.alike(current)).newest()}
    margin = _margin(asked.margin)
    margins = {run.project.slug: margin or run.project.evaluation_margin for run in found.values()}
    compared: dict[int, Comparison] = {}
    if current is not None:
        found[current.pk] = current  # also where a newer run of the model stands before it
        others = [run for run in found.values() if run.pk != current.pk]
        made = compare_all(current, others, margins.get(current.project.slug, current.project.evaluation_margin))
        compared = {one.candidate.pk: one for one in made}
    points = of_runs(found.values())
    told = {
        "organisation": organisation.slug,
        "current": asked.current,
        "suites": [
            {
                "project": suite.project, "suite": suite.name, "task": suite.task, "metric": suite.metric,
                "margin": f"{margins[suite.project].normalize():f}",
                "models": [_model(one, compared.get(one.run)) for one in points if one.suite == suite],
            }
            for suite in suites(points)
        ],
    }  # fmt: skip
    response = HttpResponse(orjson.dumps(told), content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    return response


def _current(runs: Any, number: int | None) -> EvaluationRun | None:
    if number is None:
        return None
    found: EvaluationRun | None = runs.filter(pk=number).first()
    if found is None:
        raise BadQuestion(f"There is no run {number} among those you may see: take the `run` of an answer.", "current")
    return found


def _margin(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        found = Decimal(text)
    except ArithmeticError:
        found = Decimal(-1)
    if not (found.is_finite() and 0 < found < 1):
        raise BadQuestion("The margin is a share between 0 and 1, such as 0.03.", "margin")
    return found


def _model(point: RatedPoint, against: Comparison | None) -> dict[str, Any]:
    return {
        "run": point.run, "model": point.model, "name": point.name, "effort": point.effort, "score": _text(point.value),
        "low": _text(point.low), "high": _text(point.high), "items": point.n,
        "usd_per_answer": _text(point.usd_per_answer),
        "output_tokens_per_answer": _text(point.output_tokens_per_answer), "ran_on": point.ran_on,
        "against_current": None if against is None else _against(against),
    }  # fmt: skip


def _against(of: Comparison) -> dict[str, Any]:
    d, judged = of.difference, of.judgement
    ends = (d.value, d.low, d.high) if d and d.low != float("-inf") else (d.value if d else None, None, None)
    return {
        "verdict": judged.verdict.value if judged else None, "difference": ends[0], "low": ends[1], "high": ends[2],
        "paired": d.is_paired if d else None, "pairs": of.pairs, "won": of.wins, "lost": of.losses, "tied": of.ties,
        "items_to_settle": judged.items if judged else None, "why": of.why,
    }  # fmt: skip


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number.quantize(Decimal('1e-9')).normalize():f}"
