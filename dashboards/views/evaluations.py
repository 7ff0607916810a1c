"""Own evaluations: the models of a suite, two of them compared, one run with its items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from dashboards import access
from dashboards.charts import evaluations as charts
from dashboards.pages.asked import address
from dashboards.pages.evaluations import ask as asks
from dashboards.pages.evaluations import comparison as comparisons
from dashboards.pages.evaluations import rows as pages
from dashboards.pages.evaluations.words import badge, difference, margin_words, points, verdict_sentence
from dashboards.views import member_page
from dashboards.views.catalogue import figure_response
from dashboards.views.spend import Reader, csv_response, reader_or_404, today
from usage.evaluation_comparisons import Comparison, compare_all
from usage.evaluation_comparisons import compare as compare_runs
from usage.evaluation_formats import all_formats
from usage.evaluation_points import RatedPoint, Suite, interval, of_runs
from usage.models import DailyCost, EvaluationRun, Project
from usage.own_measures import category_of, slug_of

USED_DAYS = 30


@dataclass(frozen=True)
class Shown:
    """What an address asks for, with what the reader may see of it."""

    reader: Reader
    ask: asks.Ask
    wrong: list[str]
    points: list[RatedPoint]
    suite: Suite | None
    rows: list[pages.Row]
    margin: Decimal
    why: str

    @property
    def project(self) -> Project | None:
        if self.suite is None:
            return None
        return next(one for one in self.reader.projects.values() if one.slug == self.suite.project)


def shown(request: HttpRequest) -> Shown:
    """Three queries: the newest runs, what the project spends on, and the comparisons. 404 for a project not theirs."""
    reader = reader_or_404(request)
    ask, wrong = asks.read(request.GET.dict())
    if ask.project:
        reader.project(ask.project)
    runs = {run.pk: run for run in _runs(reader).newest().select_related("model", "project")}
    found = of_runs(runs.values())
    suite = ask.chosen(asks.preferred(found))
    if suite is None:
        asked = {ask.suite, ask.metric, ask.task} - {"", None}
        if asked and found and not wrong:
            wrong.append("There is no such suite among those you may see: choose one of the list below.")
        return Shown(reader, ask, wrong, found, None, [], Decimal(0), "")
    project = next(one for one in reader.projects.values() if one.slug == suite.project)
    own = [point for point in found if point.suite == suite]
    chosen = pages.current_of(own, ask.current, _spent(reader, project))
    assert chosen is not None  # noqa: S101 - a suite has a point
    current, why = chosen
    margin = ask.margin or project.evaluation_margin
    others = [runs[point.run] for point in own if point.run != current.run]
    compared = {one.candidate.pk: one for one in compare_all(runs[current.run], others, margin)}
    return Shown(reader, ask, wrong, found, suite, pages.rows(own, compared, ask.margin), margin, why)


def _runs(reader: Reader) -> Any:
    return EvaluationRun.objects.seen(reader.organisation, reader.project_ids)


def _spent(reader: Reader, project: Project) -> dict[str, Decimal]:
    """What a project spent lately, by model at list prices: enough to say which it uses."""
    day = today()
    rows = DailyCost.objects.of(reader.organisation, day - timedelta(days=USED_DAYS), day + timedelta(days=1))
    found: dict[str, Decimal] = {}
    for row in rows.filter(project=project).sums_by("model"):
        if row["key_model"]:
            found[row["key_model"]] = found.get(row["key_model"], Decimal(0)) + row["sum_list_cost"]
    return found


@require_safe
@member_page
def evaluations(request: HttpRequest) -> HttpResponse:
    return page(request)


def page(
    request: HttpRequest, wrong: dict[str, str] | None = None, asked: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    """The page, also with an upload that was refused: what is wrong by field, and what was sent."""
    found = shown(request)
    if request.GET.get("format") == "csv":
        return csv_response("evaluations", pages.TABLE_HEAD, pages.table_rows(found.rows))
    suite, project = found.suite, found.project
    context: dict[str, Any] = {
        "wrong": found.wrong, "suites": pages.suite_rows(found.points, _names(found.reader), suite), "rows": found.rows,
        "organisation": found.reader.organisation, "errors": wrong or {},
        "asked": asked or {"project": found.ask.project},
        "unresolved": sorted({point.name for point in found.points if point.model is None}),
        "may_decide": access.may(request.user, "member", found.reader.organisation), "is_whole": found.reader.whole,
        "asked_project": next((one for one in found.reader.projects.values() if one.slug == found.ask.project), None),
    }  # fmt: skip
    context |= upload_choices(request, found.reader)
    if suite is not None and project is not None:
        more: dict[str, Any] = {"current": found.ask.current, "margin": _shown(found.ask.margin)}
        context |= {
            "suite": suite, "project": project, "finding": pages.suite_finding(found.rows, found.margin),
            "scope": pages.scope(suite, project.name, found.rows, found.margin, found.why),
            "figure": asks.suite_url(suite, "/figure.json", **more), "csv": asks.suite_url(suite, format="csv", **more),
            "link": request.build_absolute_uri(asks.suite_url(suite, **more)), "margin": margin_words(found.margin),
            "margin_points": _shown(found.margin), "is_own_margin": found.ask.margin is None,
            "plain_url": asks.suite_url(suite),
            "curve_url": address("/quality", {"benchmark": slug_of(suite), "category": category_of(suite)}),
            "undrawn": max(len(found.rows) - charts.MOST, 0),
            "earlier": _earlier(found),
        }  # fmt: skip
    return render(request, "dashboards/evaluations.html", context, status=status)


def _earlier(found: Shown) -> int:
    """Runs of the suite that a newer one of the same model and effort stands before."""
    suite, project = found.suite, found.project
    assert suite is not None  # noqa: S101
    every = _runs(found.reader).filter(project=project, suite=suite.name, task=suite.task, metric=suite.metric)
    return int(every.count()) - len(found.rows)


def _names(reader: Reader) -> dict[str, str]:
    return {project.slug: project.name for project in reader.projects.values()}


def _shown(margin: Decimal | None) -> str:
    return "" if margin is None else f"{(margin * 100).normalize():f}"


def upload_choices(request: HttpRequest, reader: Reader) -> dict[str, Any]:
    """What the form of an upload offers: the projects the reader may add to, and the formats."""
    mine = uploadable(request, reader)
    return {
        "upload_projects": mine, "may_upload": bool(mine),
        "formats": [{"slug": slug, "name": one.NAME, "takes": one.TAKES} for slug, one in all_formats().items()],
    }  # fmt: skip


def uploadable(request: HttpRequest, reader: Reader) -> list[Project]:
    """The projects whose evaluations the reader may add to and take away."""
    live = [one for one in reader.projects.values() if one.archived_at is None]
    if access.may(request.user, "member", reader.organisation):
        return live
    return [] if reader.whole else [one for one in live if access.may(request.user, "member", reader.organisation, one)]


@require_safe
@member_page
def figure(request: HttpRequest) -> HttpResponse:
    return figure_response(charts.scores(shown(request).rows))


# Two models


def _compared(request: HttpRequest) -> tuple[Comparison, Reader, asks.Ask, list[str]]:
    """The comparison an address asks for; 404 where a run is not the reader's to see, or is of another suite."""
    reader = reader_or_404(request)
    ask, wrong = asks.read(request.GET.dict())
    candidate = asks.number(request.GET.dict(), "candidate", wrong)
    runs = _runs(reader).select_related("model", "project")
    current = get_object_or_404(runs, pk=ask.current or 0)
    other = get_object_or_404(runs.alike(current), pk=candidate or 0)
    margin = ask.margin or current.project.evaluation_margin
    return compare_runs(current, other, margin), reader, ask, wrong


@require_safe
@member_page
def compare(request: HttpRequest) -> HttpResponse:
    of, _, ask, wrong = _compared(request)
    if request.GET.get("format") == "csv":
        return csv_response("evaluation-comparison", comparisons.TABLE_HEAD, comparisons.table_rows(of))
    run, margin = of.current, ask.margin
    suite = Suite(run.project.slug, run.suite, run.task, run.metric)
    url = asks.compare_url(of.current.pk, of.candidate.pk, margin)
    context = {
        "of": of, "wrong": wrong, "finding": verdict_sentence(of), "scope": comparisons.scope(of, run.project.name),
        "tiles": comparisons.tiles(of), "sides": comparisons.sides(of), "care": comparisons.care(of),
        "figure": asks.compare_url(of.current.pk, of.candidate.pk, margin, "/figure.json"), "csv": f"{url}&format=csv",
        "link": request.build_absolute_uri(url), "suite": suite, "suite_url": asks.suite_url(suite, current=run.pk),
        "turned_url": asks.compare_url(of.candidate.pk, of.current.pk, margin), "project": run.project,
        "margin": margin_words(of.margin), "margin_points": _shown(of.margin), "is_own_margin": margin is None,
        "plain_url": asks.compare_url(of.current.pk, of.candidate.pk), "badge": badge(of), "difference": difference(of),
        "claim": comparisons.claim(of),
    }  # fmt: skip
    return render(request, "dashboards/evaluation_compare.html", context)


@require_safe
@member_page
def compare_figure(request: HttpRequest) -> HttpResponse:
    return figure_response(charts.difference(_compared(request)[0]))


# One run


@require_safe
@member_page
def run(request: HttpRequest, number: int) -> HttpResponse:
    """Where a score and a cost come from: the file, who read it, what was counted; its items as CSV."""
    reader = reader_or_404(request)
    one = get_object_or_404(_runs(reader).select_related("model", "project"), pk=number)
    if request.GET.get("format") == "csv":
        head = ("item", "repeat", "score", "usd", "input_tokens", "output_tokens")
        return csv_response(f"evaluation-{one.pk}", head, _items(one))
    ends = interval(one)
    suite = Suite(one.project.slug, one.suite, one.task, one.metric)
    context = {
        "run": one, "score": points(one.mean), "suite_url": asks.suite_url(suite),
        "interval": "" if ends is None else f"{points(ends[0])}–{points(ends[1])}",
        "usd_per_thousand": comparisons.cost(one),
        "tokens": None if one.output_tokens is None or not one.counted else round(one.output_tokens / one.counted),
        "format": all_formats()[one.importer].NAME if one.importer in all_formats() else one.importer,
        "may_remove": one.project in uploadable(request, reader), "is_whole": reader.whole,
        "csv": f"{reverse('evaluation', args=[one.pk])}?format=csv",
    }  # fmt: skip
    return render(request, "dashboards/evaluation.html", context)


def _items(one: EvaluationRun) -> Iterator[tuple[Any, ...]]:
    columns = ("item_key", "epoch", "score", "cost_usd", "input_tokens", "output_tokens")
    yield from one.answers_given.order_by("item_key", "epoch").values_list(*columns).iterator(chunk_size=5_000)


def run_of(request: HttpRequest, number: int) -> EvaluationRun:
    """A run the reader may take away; 404 for anybody else."""
    reader = reader_or_404(request)
    one: EvaluationRun = get_object_or_404(_runs(reader).select_related("project"), pk=number)
    if one.project not in uploadable(request, reader):
        raise Http404("No such run")
    return one
