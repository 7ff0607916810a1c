"""The ladder: the page, its figure and its table as CSV."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.charts import ladder as chart
from dashboards.pages import ladder as pages
from dashboards.pages.ladder import words
from dashboards.pages.ladder.ask import rate_text
from dashboards.pages.periods import Span
from dashboards.views import catalogue_page
from dashboards.views.catalogue import csv_response, figure_response
from dashboards.views.spend import reader_of
from pricing.answers import ladder as answers
from pricing.answers.self_hosting import moment_of
from pricing.models import LanguageModel
from usage.workloads import workloads


def _page(request: HttpRequest) -> tuple[pages.Page, list[str]]:
    ask, wrong = pages.read(request.GET.dict(), request.GET.getlist("m"))
    now = timezone.now()
    at = moment_of(ask.at, now)
    found = answers.ladder(ask.models, at)
    wrong += [f"There is no model “{slug[:80]}”: take its slug from the list of models." for slug in found.missing]
    reader = reader_of(request) if request.user.is_authenticated else None
    if reader is None:
        return pages.compose(ask, found, at), wrong
    span = Span(now.date() - pages.LATELY, now.date())
    rows, foreign = pages.own(
        ask,
        workloads(reader.spend("project_id", "offering_id", "connection_id"), span.start, span.until),
        reader.names,
        span,
    )
    return pages.compose(ask, found, at, rows, foreign=tuple(foreign), span=span), wrong


@require_safe
@catalogue_page
def ladder(request: HttpRequest) -> HttpResponse:
    page, wrong = _page(request)
    ask = page.ask
    if request.GET.get("format") == "csv" and not wrong:
        return csv_response("ladder", pages.CSV_HEAD, pages.csv_rows(page))
    shown = [model.slug for model in page.priced]
    context: dict[str, Any] = {
        "shown": page,
        "ask": ask,
        "wrong": wrong,
        "finding": words.finding(page),
        "scope": words.scope(page),
        "chart_title": words.chart_title(page),
        "note": words.note(page),
        "rows": [(row, words.tokens(row)) for row in page.rows],
        "counts": words.counts(page),
        "legend": [{"series": f"x{n}", "name": model.name} for n, model in enumerate(page.priced, start=1)],
        "models": [*shown, *[""] * (pages.MOST - len(shown))],
        "choices": LanguageModel.objects.filter(scores__isnull=False).distinct().order_by("slug").values_list(
            "slug", "name"
        ),
        "people": [(one, rate_text(one)) for one in ask.people],
        "kept": _kept(ask),
        "kept_models": [("m", slug) for slug in ask.models],
        "figure_url": ask.url("/ladder/figure.json"),
        "csv_url": ask.url(format="csv"),
        "link": request.build_absolute_uri(ask.url()),
        "today_url": ask.url(at=None),
        "signed_in": request.user.is_authenticated,
    }  # fmt: skip
    return render(request, "dashboards/ladder.html", context, status=400 if wrong else 200)


def _kept(ask: pages.Ask) -> list[tuple[str, str]]:
    """What the form of models carries along beside its own fields."""
    pairs = [part.partition("=") for part in ask.url(models=()).partition("?")[2].split("&") if part]
    return [(name, value) for name, _, value in pairs]


@require_safe
@catalogue_page
def figure(request: HttpRequest) -> HttpResponse:
    page, wrong = _page(request)
    if wrong:
        return HttpResponse(" ".join(wrong), status=400, content_type="text/plain; charset=utf-8")
    return figure_response(chart.figure(page))
