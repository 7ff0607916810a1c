"""The list of models, and what pages of the catalogue share. Readable without signing in where it is public."""

import csv
import hashlib
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards import formatting, market
from dashboards.pages import models as models_page
from dashboards.pages import quality
from dashboards.views import catalogue_page
from pricing.acceptance import EVIDENCE, grade_of
from pricing.benchmarks import benchmarks
from pricing.models import Price, PriceEvent, Score


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


def grades(price_ids: Iterable[int], at: datetime) -> dict[int, str]:
    """The grade of each price at the moment it is asked for."""
    rows = Price.objects.filter(pk__in=list(price_ids)).values_list("pk", *EVIDENCE, named=True)
    return {row.pk: grade_of(row, at) for row in rows}


def _ratings(at: datetime) -> tuple[dict[str, models_page.Rating], str]:
    """Each model's best rating at any effort, and what it is, in words."""
    module = next(iter(benchmarks().values()))
    category, label = next(iter(module.CATEGORIES.items()))
    found = Score.objects.as_of(module.SLUG, category, at.date()).filter(model__isnull=False).order_by("value")
    rows = list(found.values_list("model__slug", "value", "low", "high", "observed_on"))
    day = f", {formatting.day(rows[0][4])}" if rows else ""
    words = f"{module.NAME}, {label[0].lower()}{label[1:]}, at the best effort{day}"
    return {row[0]: models_page.Rating(*row[1:4]) for row in rows}, words


@require_safe
@catalogue_page
def models(request: HttpRequest) -> HttpResponse:
    ask, now = models_page.read(request.GET), timezone.now()
    offerings = market.sold(now)
    ratings, rating_words = _ratings(now)
    columns = ("offering_id", "unit", "old", "new", "effective_from")
    changes = {row[0]: models_page.Change(*row[1:]) for row in PriceEvent.objects.last_move(now).values_list(*columns)}
    every = models_page.lines(offerings, ratings, changes)
    by_slug = _line_grades(every, now) if ask.grade else {}
    shown = models_page.found(ask, every, by_slug)
    if request.GET.get("format") == "csv":
        by_slug = by_slug or _line_grades(shown, now)
        return csv_response("models", models_page.CSV_HEAD, models_page.csv_rows(shown, by_slug))
    page_obj = Paginator(shown, models_page.PER_PAGE).get_page(request.GET.get("page"))
    by_slug = by_slug or _line_grades(page_obj.object_list, now)
    names = {one.provider: one.provider_name for one in offerings}
    recently = PriceEvent.objects.moves().filter(effective_from__gt=now - timedelta(days=30), effective_from__lte=now)
    context = {
        "ask": ask,
        "finding": models_page.finding(len(every), len(names), recently.count()),
        "asked_at": now,
        "rating_words": rating_words,
        "page_obj": page_obj,
        "rows": [(line, by_slug.get(line.slug, "")) for line in page_obj.object_list],
        "decimals": {
            unit: formatting.decimals_of([line.usd(name) for line in page_obj.object_list])
            for unit, name in (("input", "input"), ("output", "output"), ("cached", "cache_read"))
        },
        "options": models_page.options(ask, every, names),
        "heads": models_page.heads(ask),
        "maker_name": quality.name_of(ask.maker) if ask.maker else "any",
        "provider_name": names.get(ask.provider, ask.provider) or "any",
        "rated_words": {"yes": "rated", "no": "not rated"}.get(ask.rated, "any"),
        "narrowed": ask.url(sort="") != models_page.PATH,
        "kept": models_page.kept(ask),
        "grades": models_page.GRADES,
        "csv_url": ask.url(format="csv"),
        "link": request.build_absolute_uri(ask.url()),
        "empty_catalogue": not every,
        "attribution": next(iter(benchmarks().values())).ATTRIBUTION,
    }
    return render(request, "dashboards/models.html", context)


def _line_grades(lines: Iterable[models_page.Line], at: datetime) -> dict[str, str]:
    """The worse grade of each line's prices, by slug; a line without a price has none."""
    shown = list(lines)
    found = grades((pk for line in shown for pk in line.graded_prices), at)
    return {
        line.slug: max(found[pk] for pk in line.graded_prices if pk in found) for line in shown if line.graded_prices
    }
