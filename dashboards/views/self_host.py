"""Self-host or buy: the page, its figure and its table as CSV."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.charts import self_host as chart
from dashboards.pages import self_host as pages
from dashboards.pages.self_host import reading, words
from dashboards.views import catalogue_page
from dashboards.views.catalogue import csv_response, figure_response
from pricing.answers import self_hosting as answers

REFERENCE = pages.PATH + "?at=2024-09-05"


def _page(request: HttpRequest) -> tuple[pages.Page, list[str]]:
    return reading.page(request.GET.dict(), timezone.now())


@require_safe
@catalogue_page
def self_host(request: HttpRequest) -> HttpResponse:
    page, wrong = _page(request)
    ask = page.ask
    if request.GET.get("format") == "csv" and not wrong:
        return csv_response("self-host", pages.CSV_HEAD, pages.csv_rows(page))
    context = {
        "shown": page,
        "ask": ask,
        "wrong": wrong,
        "finding": words.finding(page),
        "scope": words.scope(page),
        "equal": words.equal(page),
        "workings": words.workings(page),
        "chart_title": words.chart_title(page),
        "note": words.note(page),
        "volume": words.volume(page),
        "even_volume": words.even_volume(page),
        "compared": page.api_rows[0] if page.api_rows else None,
        "apis": page.api_rows,
        "unseen": page.unseen_rows,
        "hosts": [row for row in page.rate_rows if row.is_host],
        "other_rates": [row for row in page.rate_rows if not row.is_host],
        "swings": words.swings(page),
        "runs": (runs := pages.run_options(page, answers.runs())),
        "run_label": next((one.label for one in runs if one.is_current), "none"),
        "rate_sources": words.rate_sources(page),
        "kept": [(name, value) for name, value in (("run", ask.run), ("model", ask.model), ("gpu", ask.gpu)) if value],
        "figure_url": ask.url("/self-host/figure.json"),
        "csv_url": ask.url(format="csv"),
        "link": request.build_absolute_uri(ask.url()),
        "today_url": ask.url(at=None),
        "reference_url": REFERENCE,
    }  # fmt: skip
    return render(request, "dashboards/self_host.html", context, status=400 if wrong else 200)


@require_safe
@catalogue_page
def figure(request: HttpRequest) -> HttpResponse:
    page, wrong = _page(request)
    if wrong:
        return HttpResponse(" ".join(wrong), status=400, content_type="text/plain; charset=utf-8")
    return figure_response(chart.figure(page))
