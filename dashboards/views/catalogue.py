"""Pages of the catalogue: price per quality, the models, one model. Readable without signing in where it is public."""

import csv
import hashlib
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from dashboards import market
from dashboards.charts import frontier as frontier_chart
from dashboards.pages import quality
from dashboards.pages.asked import midnight
from dashboards.views import catalogue_page
from pricing.benchmarks import benchmarks
from pricing.frontier import Mix, Rated
from pricing.models import Price, Score

SOON = timedelta(days=120)
_SCORE_COLUMNS = (
    "display_name", "model__slug", "value", "effort", "low", "high", "n", "model_id", "model__name", "model__maker",
    "model__open_weights", "observed_on",
)  # fmt: skip


def figure_response(figure: dict[str, Any]) -> HttpResponse:
    """A figure as JSON with an ETag of its bytes: a browser that has it is told so (ConditionalGetMiddleware)."""
    body = json.dumps(figure, separators=(",", ":"), ensure_ascii=False).encode()
    response = HttpResponse(body, content_type="application/json")
    response["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    response["Cache-Control"] = "private, no-cache"
    return response


def csv_response(name: str, head: Iterable[str], rows: Iterable[Iterable[object]]) -> HttpResponse:
    """A table as CSV; a text that a spreadsheet would take for a formula is quoted with an apostrophe."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    writer = csv.writer(response)
    writer.writerow(head)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return response


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.lstrip()[:1] in {"=", "+", "-", "@"} or value[:1] in {"\t", "\r"} else value
    return f"{value.normalize():f}" if hasattr(value, "normalize") else value


def _quality(ask: quality.Ask, now: datetime) -> tuple[quality.QualityPage, list[quality.ScoreRow]]:
    """Five queries: ratings, offerings, their prices, the prices to come, models that are sold and not rated."""
    at = midnight(ask.at) or now
    found = list(Score.objects.as_of(ask.benchmark, ask.category, at.date()).values_list(*_SCORE_COLUMNS))
    scores = [
        quality.ScoreRow(Rated(name, model, value, effort, low, high, n), model_name or "", maker or "", is_open)
        for name, model, value, effort, low, high, n, _, model_name, maker, is_open, _ in found
    ]
    rated = {row[7] for row in found if row[7]}
    offerings = market.sold(at, models=rated)
    priced = Price.objects.compared(at).standard().exclude(offering__model__in=rated)
    page = quality.compose(
        ask, scores, offerings, asked_at=at,
        upcoming=market.coming(at, at + SOON, [one.offering_id for one in offerings]),
        unrated=priced.values("offering__model").distinct().count(),
        rated_on=found[0][11] if found else None,
    )  # fmt: skip
    return page, scores


@catalogue_page
def quality_page(request: HttpRequest) -> HttpResponse:
    ask, wrong = quality.read(request.GET)
    page, scores = _quality(ask, timezone.now())
    if request.GET.get("format") == "csv" and not wrong:
        return csv_response("price-per-quality", quality.CSV_HEAD, quality.csv_rows(page))
    context = {
        "ask": ask,
        "quality": page,
        "wrong": wrong,
        "options": quality.options(ask, scores),
        "mix_label": quality.mix_label(ask),
        "maker_name": quality.name_of(ask.maker) if ask.maker else "any",
        "benchmark": benchmarks()[ask.benchmark],
        "figure_url": ask.url("/quality/figure.json", sort=""),
        "csv_url": ask.url(format="csv"),
        "link": request.build_absolute_uri(ask.url()),
        "below": frontier_chart.below(page.all_rows),
        "kept": quality.kept(ask),
        "ask_mix": str(ask.mix) if ask.mix != Mix() else "",
        "weights": [f"{one.normalize():f}" for one in (ask.mix.input, ask.mix.output, ask.mix.cache_read)],
        "today_url": ask.url(at=None),
        "all_url": ask.url(q="") + "#points",
        "sort_urls": {key: ask.url(sort="" if key == "rating" else key) + "#points" for key in quality.SORTS},
    }
    return render(request, "dashboards/quality.html", context, status=400 if wrong else 200)


@catalogue_page
def quality_figure(request: HttpRequest) -> HttpResponse:
    ask, wrong = quality.read(request.GET)
    if wrong:
        return HttpResponse(" ".join(wrong), status=400, content_type="text/plain; charset=utf-8")
    page, _ = _quality(ask, timezone.now())
    unit = benchmarks()[ask.benchmark].UNIT
    return figure_response(frontier_chart.figure(page.all_rows, unit=unit, mix=quality.mix_in_words(ask.mix)))


@catalogue_page
def models(request: HttpRequest) -> HttpResponse:
    raise NotImplementedError


@catalogue_page
def model(request: HttpRequest, slug: str) -> HttpResponse:
    raise NotImplementedError


@catalogue_page
def model_history(request: HttpRequest, slug: str) -> HttpResponse:
    raise NotImplementedError


@catalogue_page
def price_evidence(request: HttpRequest, slug: str, price_id: int) -> HttpResponse:
    raise NotImplementedError
