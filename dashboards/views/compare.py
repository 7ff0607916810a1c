"""Up to six offerings beside each other: every unit they price, and one of them over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.charts import compare as chart
from dashboards.pages import compare as pages
from dashboards.pages.asked import midnight
from dashboards.pages.compare.words import chart_words, compared_row
from dashboards.pages.models import GRADES
from dashboards.views import catalogue_page
from dashboards.views.catalogue import csv_response, figure_response
from pricing.answers import compare as read
from pricing.answers.rates import Rates, rates
from pricing.answers.rows import PriceRow

RESULTS = 10


@dataclass(frozen=True)
class _Question:
    """What an address asks for, with what there is of it."""

    ask: pages.Ask
    items: list[read.Item]
    prices: list[PriceRow]
    rates: Rates
    at: datetime
    now: datetime
    wrong: list[str]

    @property
    def columns(self) -> list[pages.Column]:
        return pages.columns(self.ask, self.items)

    def timeline(self) -> pages.Timeline:
        return pages.priced_over_time(self.ask, self.columns, self.prices, self.rates, self.now)


def _question(request: HttpRequest) -> _Question:
    """Three queries: the offerings, all their prices, and the rates where one is not in USD."""
    ask, wrong = pages.read(request.GET.dict(), request.GET.getlist("o"))
    found, missing = read.named(ask.refs)
    wrong += [f"There is no offering “{ref[:80]}”: look for it in the box." for ref in missing]
    items, over = found[: read.MOST], found[read.MOST :]
    if over:
        left = ", ".join(f"{one.model} at {one.provider_name}" for one in over)
        wrong.append(f"Six offerings fit beside each other; left out: {left}.")
    ask, now = ask.known_as([one.ref for one in items]), timezone.now()
    at = midnight(ask.at) or now
    prices = read.rows([one.id for one in items]) if items else []
    until = max(now, at).astimezone(UTC).date()
    since = min((price.effective_from for price in prices), default=now).astimezone(UTC).date()
    known = rates({price.currency for price in prices}, until, since)
    return _Question(ask, items, prices, known, at, now, wrong)


@require_safe
@catalogue_page
def compare(request: HttpRequest) -> HttpResponse:
    asked = _question(request)
    ask, columns = asked.ask, asked.columns
    blended, rows = pages.rows(ask, asked.items, asked.prices, asked.rates, asked.at)
    if request.GET.get("format") == "csv":
        return csv_response("compare", pages.TABLE_HEAD, pages.table_rows(asked.items, [blended, *rows]))
    found = pages.bases(columns, compared_row(ask, blended, rows))
    timeline = asked.timeline()
    chart_title, chart_subtitle, chart_note = chart_words(ask, timeline)
    results = read.search(ask.q, RESULTS, leave_out=[one.id for one in asked.items]) if ask.q else []
    context = {
        "chart_title": chart_title, "chart_subtitle": chart_subtitle, "chart_note": chart_note,
        "ask": ask, "wrong": asked.wrong, "columns": columns, "is_full": len(columns) >= read.MOST,
        "finding": pages.finding(ask, columns, found, asked.at),
        "scope": pages.scope(ask, columns, [blended, *rows], asked.at),
        "facts": pages.fact_rows(asked.items), "blended": blended, "groups": pages.groups(rows), "bases": found,
        "unit_words": pages.UNITS[ask.unit], "timeline": timeline, "steps": pages.step_rows(ask, timeline),
        "legend": [{"series": f"x{one.series}", "name": one.label} for one in columns],
        "results": [(one, ask.url(refs=[*ask.refs, one.ref], q="")) for one in results],
        "figure_url": ask.url("/history.json", q=""), "history_csv": ask.url("/history.csv", q=""),
        "csv_url": ask.url(format="csv", q=""), "link": request.build_absolute_uri(ask.url(q="")), "grades": GRADES,
        "today_url": ask.url(at=None), "kept": [("o", ref) for ref in ask.refs],
    }  # fmt: skip
    return render(request, "dashboards/compare.html", context)


@require_safe
@catalogue_page
def figure(request: HttpRequest) -> HttpResponse:
    return figure_response(chart.figure(_question(request).timeline()))


@require_safe
@catalogue_page
def history(request: HttpRequest) -> HttpResponse:
    asked = _question(request)
    return csv_response("compare-history", pages.STEPS_HEAD, pages.steps_for_a_program(asked.ask, asked.timeline()))
