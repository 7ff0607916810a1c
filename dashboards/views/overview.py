"""The overview at `/`, its chart and its tables as CSV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from dashboards.charts.spend import stacked_weeks
from dashboards.pages import closing, periods
from dashboards.pages.alerts import Key
from dashboards.pages.ledger import MODEL_COLUMNS, MODEL_KEYS, cuts_of, with_moved_writes
from dashboards.pages.overview import Read, compose
from dashboards.pages.parts import Line
from dashboards.pages.periods import Period, Span, Unusable
from dashboards.views import decisions, member_page
from dashboards.views.spend import (
    AHEAD,
    WEEKS,
    Reader,
    csv_response,
    doubts,
    price_moves,
    reader_of,
    reader_or_404,
    refused,
    today,
)
from usage import budgets, cache_writes


@require_safe
@member_page
def overview(request: HttpRequest) -> HttpResponse:
    reader = reader_of(request)
    if reader is None:
        return render(request, "dashboards/overview_nothing.html", {"organisation": None})
    try:
        ask = asked(request.GET.dict(), reader)
    except Unusable as fault:
        return refused(request, str(fault))
    if ask.last is None:
        return render(request, "dashboards/overview_nothing.html", {"organisation": reader.organisation})
    period = ask.period
    page = compose(_read(reader, period))
    return render(
        request,
        "dashboards/overview.html",
        {
            "shown": page,
            "period": period,
            "currency": reader.organisation.display_currency,
            "picks": picks(period, ask.first, today()),
            "legend": [{"series": one.colour, "name": one.name} for one in page.series],
            "figure": f"{reverse('overview-figure')}?{request.GET.urlencode()}",
            "csv": f"{reverse('overview-csv')}?{request.GET.urlencode()}",
            "csv_weeks": f"{reverse('overview-csv')}?{request.GET.urlencode()}&of=weeks",
            "subtitle": f"Spent per week by project, {reader.organisation.display_currency}",
            "note": f"26 weeks to {(page.weeks[-1] + timedelta(days=6)):%-d %b %Y}, UTC. What feeds reported, else "
            f"contract and list prices in force at each moment. {page.coverage}.",
            "pending": closing.beside(
                reader.pending(period.now), reader.organisation.display_currency, whole=reader.whole
            ),
            "known": reader.known(period.now),
            "decide_first": decisions.first(reader),
            "can_remove_sample": reader.organisation.is_sample and reader.whole,
        },
    )


@require_safe
@member_page
def figure(request: HttpRequest) -> HttpResponse:
    """The stack of weeks as JSON."""
    reader = reader_or_404(request)
    try:
        page = compose(_read(reader, asked(request.GET.dict(), reader).period))
    except Unusable as fault:
        return JsonResponse({"detail": str(fault)}, status=400)
    return JsonResponse(
        stacked_weeks(page.weeks, page.series, page.in_full, page.events, reader.organisation.display_currency)
    )


@require_safe
@member_page
def table(request: HttpRequest) -> HttpResponse:
    """`?of=projects` (default), `models` or `weeks`."""
    reader = reader_or_404(request)
    try:
        period = asked(request.GET.dict(), reader).period
    except Unusable as fault:
        return refused(request, str(fault))
    page, currency = compose(_read(reader, period)), reader.organisation.display_currency
    name = f"spend-{period.now.start}-{period.now.until}"
    if request.GET.get("of") == "weeks":
        head = ["week", *(f"{one.name}, {currency}" for one in page.series), f"total, {currency}"]
        return csv_response(
            f"{name}-weeks", head, ([one.start, *(part for part, _ in one.parts), one.whole] for one in page.week_rows)
        )
    if request.GET.get("of") == "models":
        return csv_response(f"{name}-models", line_head("model", currency), map(line_row, page.models))
    return csv_response(f"{name}-projects", line_head("project", currency), map(line_row, page.projects))


def line_head(subject: str, currency: str) -> list[str]:
    return [
        subject, "seller", f"spent, {currency}", f"spent before, {currency}", f"list cost, {currency}", "requests",
        "input tokens",
        "cache read tokens", "cache write tokens", "output tokens", "unpriced tokens", f"{currency} per Mtok",
    ]  # fmt: skip


def line_row(line: Line) -> list[object]:
    """Full precision; empty is unknown."""
    sums = line.sums
    return [
        line.name, line.seller, sums.known_cost, line.before.known_cost, sums.known_list, sums.requests,
        sums.in_uncached,
        sums.in_cache_read, sums.in_cache_write, sums.out_total, sums.unpriced_tokens, sums.usd_per_mtok,
    ]  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """The period of a request and the days there is usage for."""

    period: Period
    first: date | None
    last: date | None


def asked(query: Mapping[str, str], reader: Reader) -> Asked:
    """Unusable where the query names no period."""
    first, last = reader.days_of_usage()
    return Asked(periods.chosen(query, today(), last), first, last)


def _read(reader: Reader, period: Period) -> Read:
    """Everything the page needs, in seven queries; five more where there is a budget."""
    now = today()
    month = month_of(period, now)
    cuts = cuts_of(period.now, period.before, *month)
    weeks = periods.weeks_until(min(now, period.now.until - timedelta(days=1)), WEEKS)
    spend = reader.spend("project_id", "service_tier", *MODEL_COLUMNS)
    by_model = reader.segments(spend, cuts, "project_id", "service_tier", *MODEL_KEYS)
    offerings = {row["offering_id"] for row in by_model if row["offering_id"] is not None}
    moves = price_moves(offerings, weeks[0], now + AHEAD)
    return Read(
        organisation=reader.organisation.name,
        currency=reader.organisation.display_currency,
        period=period,
        month=month,
        projects=reader.names,
        whole=reader.whole,
        cuts=cuts,
        by_model=by_model,
        weeks=weeks,
        by_week=reader.segments(reader.spend("project_id"), weeks, "project_id", measures=("records",)),
        moves=moves,
        written=cache_writes.by_lifetime(
            reader.organisation, period.now.start, period.now.until, with_moved_writes(moves), reader.project_ids
        ),
        doubts=doubts(offerings),
        keys=_keys(reader, period.now) if any(row["project_id"] is None for row in by_model) else (),
        today=now,
        pace=budgets.pace(
            reader.organisation, month[0].until - timedelta(days=1), reader.project_ids, sees=reader.project_ids
        ),
    )


def month_of(period: Period, now: date) -> tuple[Span, Span]:
    """The month to date that stands beside a period: today's, or that of a period long gone."""
    last_day = min(now, period.now.until - timedelta(days=1))
    return periods.month_to_date(now, last_day if now - last_day > timedelta(days=31) else None)


def _keys(reader: Reader, span: Span) -> list[Key]:
    """What the money without a project was spent with, dearest first."""
    keys = [
        Key(row["key_ext_api_key"], row["spent"])
        for row in reader.spent_by(span, "ext_api_key")
        if row["spent"] is not None and row["currency"] == reader.organisation.display_currency
    ]
    return sorted(keys, key=lambda key: -key.cost)


def picks(period: Period, first: date | None, now: date) -> list[dict[str, object]]:
    """The filter bar: the last weeks and months as words, each a link."""
    weeks = [periods.monday(now) - timedelta(days=7 * n) for n in range(1, 9)]
    months = [periods.first_of_month(now)]
    while len(months) < 7:
        months.append(periods.first_of_month(months[-1] - timedelta(days=1)))
    started = first or now
    week_options = [
        {
            "label": periods.week_of(start).words,
            "url": f"?period=week&from={start}",
            "is_current": period.kind == "week" and period.now.start == start,
        }
        for start in weeks
        if start + timedelta(days=7) > started
    ]
    month_options = [
        {
            "label": f"{start:%B %Y}",
            "url": f"?period=month&from={start}",
            "is_current": period.kind == "month" and period.now.start == start,
        }
        for start in months
        if periods.next_month(start) > started
    ]
    return [
        {"label": "Week", "value": period.now.words if period.kind == "week" else "choose", "options": week_options},
        {"label": "Month", "value": period.name if period.kind == "month" else "choose", "options": month_options},
    ]


__all__ = ["figure", "overview", "table"]
