"""Convergence: the gap between the best and the cheap or open, reigns, and who is good enough."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.charts import convergence as chart
from dashboards.pages import convergence as pages
from dashboards.pages import price_index, quality
from dashboards.views import catalogue_page
from dashboards.views.catalogue import csv_response, figure_response
from dashboards.views.index import market_of
from pricing.answers.convergence import standings
from pricing.benchmarks import benchmarks


def _composed(ask: pages.Ask) -> pages.ConvergencePage | None:
    """None where the category has no score. One query where the snapshots are kept."""
    found = standings(market_of(ask.market), timezone.now())
    return pages.compose(ask, found) if found else None


@require_safe
@catalogue_page
def convergence(request: HttpRequest) -> HttpResponse:
    ask, wrong = pages.read(request.GET.dict())
    page = _composed(ask)
    asked = request.GET.get("format")
    if page is not None and asked == "csv" and not wrong:
        return csv_response("convergence", pages.CSV_HEAD, pages.csv_rows(page))
    if page is not None and asked == "reigns" and not wrong:
        return csv_response("convergence-reigns", pages.REIGNS_HEAD, pages.reign_rows(page))
    link = ask.url() if page is None else ask.url(floor=price_index.number(page.floor))
    context = {
        "ask": ask, "page_of": page, "wrong": wrong, "options": pages.options(ask), "market": ask.market,
        "benchmark": benchmarks()[ask.market.benchmark], "sellers": price_index.SELLERS[ask.market.sellers],
        "reasoning": price_index.REASONING[ask.market.reasoning],
        "mix": dict(quality.MIXES).get(str(ask.market.mix)) or quality.mix_in_words(ask.market.mix),
        "figure_url": ask.url("/index/convergence.json"), "share_url": ask.url("/index/convergence/share.json"),
        "csv_url": ask.url(format="csv"), "reigns_url": ask.url(format="reigns"),
        "link": request.build_absolute_uri(link), "kept": price_index.kept(ask.market),
    }  # fmt: skip
    return render(request, "dashboards/index_convergence.html", context, status=400 if wrong else 200)


@require_safe
@catalogue_page
def figure(request: HttpRequest) -> HttpResponse:
    ask, wrong = pages.read(request.GET.dict())
    page = _composed(ask)
    if wrong or page is None:
        return _refused(wrong)
    return figure_response(chart.figure(page, benchmarks()[ask.market.benchmark].UNIT))


@require_safe
@catalogue_page
def share(request: HttpRequest) -> HttpResponse:
    ask, wrong = pages.read(request.GET.dict())
    page = _composed(ask)
    if wrong or page is None:
        return _refused(wrong)
    return figure_response(chart.share_figure(page))


def _refused(wrong: list[str]) -> HttpResponse:
    said = " ".join(wrong) or "There is no score of this benchmark yet: read its results first."
    return HttpResponse(said, status=400, content_type="text/plain; charset=utf-8")
