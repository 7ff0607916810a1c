"""Why spend changed, at `/spend/bridge`: bars between two spans of days, what made each, and all of it as CSV."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from dashboards import formatting
from dashboards.charts.waterfall import waterfall
from dashboards.pages import bridge, closing, covered, explore
from dashboards.views import member_page
from dashboards.views.explore import PERIOD_WORDS
from dashboards.views.spend import Reader, csv_response, reader_of, reader_or_404, refused, today
from pricing.models import LanguageModel
from usage import questions, spend_change
from usage.questions import NOBODY, Question, Unanswerable
from usage.spend_change import Span

LONGEST = 1_100


@dataclass(frozen=True)
class Shown:
    """A question with the days it compares with, the answer to it, and the page of that."""

    question: Question
    before: Span
    answer: dict[str, Any]
    page: bridge.Page


@require_safe
@member_page
def change(request: HttpRequest) -> HttpResponse:
    """`?period=|from=&until=`, `compare=|before_from=&before_until=`, `project=` and what else rollups know."""
    reader = reader_of(request)
    if reader is None or reader.days_of_usage()[1] is None:
        for slug in request.GET.getlist("project"):
            _may_see(reader, slug)
        return render(request, "dashboards/overview_nothing.html", {"organisation": reader and reader.organisation})
    try:
        shown = _shown(request, reader)
    except Unanswerable as fault:
        return refused(request, str(fault))
    asked, page, currency = shown.question, shown.page, reader.organisation.display_currency
    after, before = bridge.both((asked.days, shown.before))
    steps = bridge.steps(page, (before, "Before"), (after, "After"), currency)
    query = bridge.query_of(asked, shown.before)
    context = {
        "finding": bridge.finding(page, currency, after),
        "claim": f"Why it cost {formatting.money(abs(page.change), currency)} {'more' if page.change > 0 else 'less'}"
        if page.change
        else "Why it cost the same",
        "currency": currency,
        "shown": page,
        "answer": shown.answer,
        "question": asked,
        "before": before,
        "after": after,
        "before_days": shown.before,
        "wide": waterfall(steps),
        "narrow": waterfall(steps, narrow=True),
        "picks": _picks(reader, shown),
        "chips": [(name, " or ".join(values)) for name, values in asked.filters.items() if name != "project"],
        "before_url": explore.records_of(replace(asked, since=shown.before[0], until=shown.before[1])),
        "after_url": explore.records_of(asked),
        "csv": f"{reverse('bridge-csv')}?{query}",
        "api": f"/api/v1/bridge?{query}",
        "unknown": covered.line(covered.unknown(shown.answer["coverage"])),
        "pending": closing.beside(shown.answer["coverage"]["pending"], currency, whole=reader.whole),
    }
    return render(request, "dashboards/bridge.html", context)


@require_safe
@member_page
def table(request: HttpRequest) -> HttpResponse:
    """Every part and every item that the answer names, at full precision."""
    reader = reader_or_404(request)
    try:
        shown = _shown(request, reader)
    except Unanswerable as fault:
        return refused(request, str(fault))
    currency = reader.organisation.display_currency
    head = [
        "level",
        "part",
        "provider",
        "sku",
        "region",
        "model",
        "service_tier",
        "unit",
        "project",
        f"amount, {currency}",
    ]
    blank = [""] * 7
    rows: list[list[object]] = [["total", "before", *blank, Decimal(shown.answer["before"]["spent"] or 0)]]
    for part in shown.answer["parts"]:
        rows.append(["part", part["part"], *blank, Decimal(part["amount"])])
        rows += [
            ["item", part["part"], *(one[name] for name in head[2:8]), "", Decimal(one["amount"])]
            for one in part["items"]
        ]
        if Decimal(part["others"]):
            rows.append(["others", part["part"], *blank, Decimal(part["others"])])
        rows += [
            ["project", part["part"], *blank[:6], one["project"], Decimal(one["amount"])]
            for one in part.get("projects", ())
        ]
    rows.append(["total", "after", *blank, Decimal(shown.answer["after"]["spent"] or 0)])
    return csv_response(f"bridge-{shown.question.since}-{shown.question.until}", head, rows)


def _shown(request: HttpRequest, reader: Reader) -> Shown:
    """Unanswerable for what is no question; 404 for a project the reader may not see."""
    pairs = [pair for pair in questions.pairs(request.GET) if pair[1].strip()]
    if not {"from", "until", "period"} & {name for name, _ in pairs}:
        pairs.append(("period", "30d"))
    question, before = spend_change.read(pairs, today(), reader.days_of_usage()[1])
    if max((days[1] - days[0]).days for days in (question.days, before)) > LONGEST:
        raise Unanswerable(f"The page compares at most {LONGEST} days: choose fewer.", "from")
    for slug in question.filters.get("project", ()):
        _may_see(reader, slug)
    answer = spend_change.answer(
        reader.organisation, question.days, before, projects=reader.project_ids, filters=question.filters
    )
    slugs = {item["model"] for part in answer["parts"] for item in part["items"]} - {""}
    models = dict(LanguageModel.objects.filter(slug__in=slugs).values_list("slug", "name")) if slugs else {}
    projects = {project.slug: project.name for project in reader.projects.values()}
    return Shown(question, before, answer, bridge.compose(answer, models, projects))


def _may_see(reader: Reader | None, slug: str) -> None:
    """404 for a project that is not the reader's, also where there is nothing to show yet."""
    if slug == NOBODY:
        return
    if reader is None:
        raise Http404("No such project")
    reader.project(slug)


def _picks(reader: Reader, shown: Shown) -> list[dict[str, Any]]:
    asked, before = shown.question, shown.before
    of = asked.filters.get("project", ())
    projects = {project.slug: project.name for project in reader.projects.values()}
    named = projects | ({NOBODY: "Unattributed"} if reader.whole else {})
    everything = Question(**{**vars(asked), "filters": {k: v for k, v in asked.filters.items() if k != "project"}})

    def option(label: str, query: str, *, is_current: bool) -> dict[str, Any]:
        return {"label": label, "url": f"{bridge.PATH}?{query}", "is_current": is_current}

    return [
        {"label": "Period", "value": formatting.period(*asked.days),
         "options": [option(text, bridge.query_of(asked, before, period=key), is_current=key == asked.period)
                     for key, text in PERIOD_WORDS.items()]},
        {"label": "against", "value": formatting.period(*before),
         "options": [option(text, bridge.query_of(asked, before, compare=key), is_current=key == asked.compare)
                     for key, text in (("previous", "The days before"), ("year", "The same days last year"))]},
        {"label": "Project", "value": " or ".join(named.get(one, one) for one in of) or "all",
         "options": [option("All", bridge.query_of(everything, before), is_current=not of),
                     *(option(name, bridge.query_of(everything, before, project=slug), is_current=of == (slug,))
                       for slug, name in named.items())]},
    ]  # fmt: skip
