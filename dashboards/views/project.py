"""One project's page, its chart and its models as CSV."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from dashboards.charts.spend import price_paid
from dashboards.pages import closing, periods
from dashboards.pages.ledger import MODEL_COLUMNS, MODEL_KEYS, cuts_of, with_moved_writes
from dashboards.pages.periods import Period, Unusable
from dashboards.pages.project import Read, compose
from dashboards.pages.records import DIMENSIONS
from dashboards.views import decisions, member_page
from dashboards.views.overview import asked, line_head, line_row, month_of, picks
from dashboards.views.spend import (
    AHEAD,
    WEEKS,
    Reader,
    csv_response,
    doubts,
    price_moves,
    reader_or_404,
    refused,
    today,
)
from usage import budgets, cache_writes
from usage.models import Project


@require_safe
@member_page
def project(request: HttpRequest, slug: str) -> HttpResponse:
    reader = reader_or_404(request)
    one = reader.project(slug)
    try:
        ask = asked(request.GET.dict(), reader)
        by = _by(request)
    except Unusable as fault:
        return refused(request, str(fault))
    page = compose(_read(reader, one, ask.period, by))
    query = request.GET.urlencode()
    return render(
        request,
        "dashboards/project.html",
        {
            "project": one,
            "shown": page,
            "period": ask.period,
            "currency": reader.organisation.display_currency,
            "picks": picks(ask.period, ask.first, today()),
            "choices": [{"name": name, "label": label, "is_current": name == page.by} for name, label in page.choices],
            "figure": f"{reverse('project-figure', args=[slug])}?{query}",
            "csv": f"{reverse('project-csv', args=[slug])}?{query}",
            "csv_weeks": f"{reverse('project-csv', args=[slug])}?{query}&of=weeks",
            "pending": closing.beside(
                reader.pending(ask.period.now, project=one), reader.organisation.display_currency, whole=reader.whole
            ),
            "known": reader.known(ask.period.now, project=one),
            "decide_first": decisions.first(reader, one)[:1],
            "subtitle": f"{reader.organisation.display_currency} per Mtok, all token kinds, by week",
        },
    )


@require_safe
@member_page
def figure(request: HttpRequest, slug: str) -> HttpResponse:
    """The price paid by week as JSON."""
    reader = reader_or_404(request)
    one = reader.project(slug)
    try:
        page = compose(_read(reader, one, asked(request.GET.dict(), reader).period, ""))
    except Unusable as fault:
        return JsonResponse({"detail": str(fault)}, status=400)
    weeks = [week.start for week in page.paid]
    prices = [week.usd_per_mtok for week in page.paid]
    return JsonResponse(price_paid(weeks, prices, page.events, reader.organisation.display_currency))


@require_safe
@member_page
def table(request: HttpRequest, slug: str) -> HttpResponse:
    """`?of=models` (default), `weeks` or `parts` (the chosen dimension)."""
    reader = reader_or_404(request)
    one = reader.project(slug)
    try:
        period, by = asked(request.GET.dict(), reader).period, _by(request)
    except Unusable as fault:
        return refused(request, str(fault))
    page, currency = compose(_read(reader, one, period, by)), reader.organisation.display_currency
    name = f"{slug}-{period.now.start}-{period.now.until}"
    if request.GET.get("of") == "weeks":
        head = ["week", f"list cost, {currency}", "priced tokens", f"{currency} per Mtok"]
        return csv_response(
            f"{name}-weeks", head, ([week.start, week.cost, week.tokens, week.usd_per_mtok] for week in page.paid)
        )
    if request.GET.get("of") == "parts":
        parts = [*page.shares, *([page.rest] if page.rest else [])]
        head = [page.by, f"spent, {currency}", "rows", "tokens"]
        return csv_response(f"{name}-{page.by}", head, ([one.name, one.spent, one.n, one.tokens] for one in parts))
    return csv_response(f"{name}-models", line_head("model", currency), map(line_row, page.models))


def _by(request: HttpRequest) -> str:
    by = request.GET.get("by", "")
    if by and by not in DIMENSIONS:
        raise Unusable(f"“{by[:40]}” is nothing usage can be told apart by: choose {', '.join(DIMENSIONS)}.")
    return by


def _read(reader: Reader, one: Project, period: Period, by: str) -> Read:
    """Everything the page needs, in six queries; five more where there is a budget."""
    now = today()
    month = month_of(period, now)
    cuts = cuts_of(period.now, period.before, *month)
    weeks = periods.weeks_until(min(now, period.now.until - timedelta(days=1)), WEEKS)
    spend = reader.spend("project_id", "service_tier", *MODEL_COLUMNS).filter(project=one)
    by_model = reader.segments(spend, cuts, "service_tier", *MODEL_KEYS)
    offerings = {row["offering_id"] for row in by_model if row["offering_id"] is not None}
    moves = price_moves(offerings, weeks[0], now + AHEAD)
    return Read(
        name=one.name,
        slug=one.slug,
        currency=reader.organisation.display_currency,
        period=period,
        month=month,
        cuts=cuts,
        by_model=by_model,
        weeks=weeks,
        by_week=reader.segments(reader.spend("project_id").filter(project=one), weeks),
        by_dimension=reader.spent_by(period.now, *(name for name, _ in DIMENSIONS.values()), project=one),
        by=by,
        moves=moves,
        written=cache_writes.by_lifetime(
            reader.organisation, period.now.start, period.now.until, with_moved_writes(moves), [one.pk]
        ),
        doubts=doubts(offerings),
        today=now,
        pace=budgets.pace(reader.organisation, month[0].until - timedelta(days=1), [one.pk], sees=reader.project_ids),
    )
