"""The price of constant quality: two estimators side by side."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.charts import price_index as chart
from dashboards.pages import price_index as pages
from dashboards.pages import quality
from dashboards.views import catalogue_page
from dashboards.views.catalogue import csv_response, figure_response
from pricing.answers import index_curves
from pricing.answers.price_index import coverage
from pricing.benchmarks import benchmarks


def market_of(ask: pages.Ask) -> index_curves.Market:
    return index_curves.Market(ask.benchmark, ask.category, ask.mix, ask.sellers, ask.reasoning)


def _composed(ask: pages.Ask, now: datetime, *, is_strip_wanted: bool = True) -> pages.IndexPage | None:
    """Kept curves of each threshold; None where the category has no score. One query where all is kept."""
    found = index_curves.rated(market_of(ask), now)
    if found is None:
        return None

    def compose() -> pages.IndexPage:
        scores = [one.score for one in found.prices.models.values() if one.steps]
        every, chosen = pages.thresholds(scores, ask.benchmark, ask.threshold)
        wanted = every if is_strip_wanted else [chosen]
        drawn = [index_curves.curves(found, one, ask.start, ask.until, now) for one in wanted]
        return pages.compose(ask, found.prices, drawn, chosen, coverage(found.prices, ask.reasoning))

    return index_curves.kept_until_midnight(("index page", ask, is_strip_wanted, found.stamp), now, compose)


@require_safe
@catalogue_page
def index(request: HttpRequest) -> HttpResponse:
    ask, wrong = pages.read(request.GET.dict())
    page = _composed(ask, timezone.now())
    asked = request.GET.get("format")
    if page is not None and asked == "csv" and not wrong:
        return csv_response("price-index", pages.CSV_HEAD, pages.csv_rows(page))
    if page is not None and asked == "strip" and not wrong:
        return csv_response("price-index-thresholds", pages.STRIP_HEAD, pages.strip_csv(page))
    link = ask.url() if page is None else ask.url(threshold=pages.number(page.threshold))
    context = {
        "ask": ask, "page_of": page, "wrong": wrong, "options": pages.options(ask),
        "benchmark": benchmarks()[ask.benchmark],
        "sellers": pages.SELLERS[ask.sellers], "reasoning": pages.REASONING[ask.reasoning],
        "mix": dict(quality.MIXES).get(str(ask.mix)) or quality.mix_in_words(ask.mix),
        "figure_url": ask.url("/index/figure.json"), "csv_url": ask.url(format="csv"),
        "strip_url": ask.url(format="strip"), "link": request.build_absolute_uri(link),
        "kept_threshold": pages.kept(ask, "threshold"), "kept_days": pages.kept(ask, "from", "until"),
        "all_days": replace(ask, start=None, until=None).url(),
    }  # fmt: skip
    return render(request, "dashboards/index.html", context, status=400 if wrong else 200)


@require_safe
@catalogue_page
def figure(request: HttpRequest) -> HttpResponse:
    ask, wrong = pages.read(request.GET.dict())
    page = _composed(ask, timezone.now(), is_strip_wanted=False)
    if wrong or page is None:
        said = " ".join(wrong) or "There is no score of this benchmark yet: read its results first."
        return HttpResponse(said, status=400, content_type="text/plain; charset=utf-8")
    return figure_response(chart.figure(page))
