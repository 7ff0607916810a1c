"""The price sources, and one of them."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.pages import sources as page
from dashboards.views import catalogue_page
from dashboards.views.catalogue import csv_response
from pricing.answers.sources import GOOD, differences, standings
from pricing.models import SourceRun
from pricing.sources import all_sources

PER_PAGE = 25
RUNS = 20


@require_safe
@catalogue_page
def sources(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    shown = page.rows(standings(now), now)
    if request.GET.get("format") == "csv":
        return csv_response(f"sources-{now:%Y-%m-%d}", page.CSV_HEAD, map(page.csv_row, shown))
    context = {
        "finding": page.finding(shown),
        "asked_at": now,
        "rows": shown,
        "failed": [row for row in shown if row.has_failed],
        "link": request.build_absolute_uri(page.PATH),
    }
    return render(request, "dashboards/sources.html", context)


@require_safe
@catalogue_page
def source(request: HttpRequest, slug: str) -> HttpResponse:
    if slug not in all_sources():
        raise Http404("No such source")
    now = timezone.now()
    if request.GET.get("format") == "csv":
        found, _ = differences(slug, now)
        return csv_response(f"{slug}-differences-{now:%Y-%m-%d}", page.GAP_HEAD, map(page.gap_row, found))
    row = page.Row(next(one for one in standings(now) if one.slug == slug), now)
    wanted = request.GET.get("page", "")
    first = (max(int(wanted), 1) - 1) * PER_PAGE if wanted.isascii() and wanted.isdigit() and len(wanted) < 7 else 0
    found, count = differences(slug, now, skip=first, most=PER_PAGE)
    if not found and first:  # a page past the end: the first one
        first = 0
        found, count = differences(slug, now, most=PER_PAGE)
    runs = SourceRun.objects.filter(source__slug=slug).defer("snapshot").order_by("-started_at", "-pk")
    good = runs.filter(status__in=GOOD).first()
    context = {
        "row": row,
        "finding": page.own_finding(row),
        "asked_at": now,
        "gaps": [page.Gap(one) for one in found],
        "gap_count": count,
        # The query has cut the page out already; the paginator counts the others.
        "page_obj": Paginator(range(count), PER_PAGE).get_page(first // PER_PAGE + 1),
        "runs": [_run(run) for run in runs[:RUNS]],
        "run_count": runs.count(),
        "unplaced": sorted(good.unplaced.items(), key=lambda one: (-one[1], one[0])) if good else (),
        "csv_url": f"{row.url}?format=csv",
    }
    return render(request, "dashboards/source.html", context)


def _run(run: SourceRun) -> dict[str, Any]:
    """A run as the table shows it; what it did not count is None."""
    counts = run.counts or {}
    return {
        "run": run,
        "status": page.STATUSES.get(run.status, run.status),
        "is_unfit": run.status in page.UNFIT,
        "claims": counts.get("claims"),
        "added": counts.get("added"),
        "withdrawn": counts.get("withdrawn"),
        "unplaced": sum(run.unplaced.values()) if run.counts else None,
    }
