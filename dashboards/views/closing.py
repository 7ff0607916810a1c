"""Closed months at `/periods`: what is official, what is pending; close, restate, undo."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from dashboards import access, audit
from dashboards.pages import closing as pages
from dashboards.pages import covered
from dashboards.views import role_page
from usage import periods, spending
from usage.locks import lock_organisation
from usage.models import Organisation, Period, Restatement
from usage.pending import RATES, Month, Pending, months, pending
from usage.periods import PeriodFault, month_of

CHANGED = "What the page showed has changed since: look at it again, then decide."


@require_safe
@role_page("viewer")
def closed_months(request: HttpRequest) -> HttpResponse:
    return _page(request, _organisation(request))


@require_POST
@role_page("admin")
def close(request: HttpRequest, month: str) -> HttpResponse:
    """Close the month whose figures were looked at."""
    organisation, first = _organisation(request), _month_or_404(month)
    try:
        with transaction.atomic():
            lock_organisation(organisation.pk)
            if request.POST.get("seen") != _seen_of(organisation, first):
                raise PeriodFault(CHANGED)
            period = periods.close(organisation, first, str(request.user))
            audit.record(request.user, "closed a month", month, None, period.figures["total"], organisation)
    except PeriodFault as fault:
        return _page(request, organisation, first, str(fault))
    messages.success(request, f"{first:%B %Y} is closed: its figures move by restatements only.")
    return _back(month)


@require_POST
@role_page("admin")
def restate(request: HttpRequest, month: str) -> HttpResponse:
    """Take what is pending by the chosen causes into the official figures."""
    organisation, first = _organisation(request), _month_or_404(month)
    try:
        with transaction.atomic():
            lock_organisation(organisation.pk)
            waiting = pending(organisation, first)
            if request.POST.get("seen") != _seen(waiting):
                raise PeriodFault(CHANGED)
            chosen = request.POST.getlist("cause")
            cells = [cell for cause in waiting.causes if cause.name in chosen for cell in cause.cells]
            later_rates = any(cause.name == RATES and cause.name in chosen for cause in waiting.causes)
            if waiting and not (cells or later_rates):
                raise PeriodFault("Choose at least one cause to take in.")
            reason, by = request.POST.get("reason", ""), str(request.user)
            made = periods.restate(organisation, first, reason, by, cells, later_rates=later_rates)
            note = {"reason": made.reason}
            audit.record(request.user, "restated a month", month, made.before, made.after | note, organisation)
    except PeriodFault as fault:
        return _page(request, organisation, first, str(fault))
    messages.success(request, f"{first:%B %Y} is restated.")
    return _back(month)


@require_POST
@role_page("admin")
def undo(request: HttpRequest, number: int) -> HttpResponse:
    """Take a restatement out again."""
    organisation = _organisation(request)
    made = get_object_or_404(Restatement.objects.of(organisation), pk=number)
    month = f"{made.period}"
    try:
        with transaction.atomic():
            before, after = periods.undo(made, request.POST.get("undo_reason", ""), str(request.user))
            note = {"restatement": made.reason, "reason": made.undo_reason}
            audit.record(request.user, "undid a restatement", month, before, after | note, organisation)
    except PeriodFault as fault:
        return _page(request, organisation, made.period.month, str(fault))
    messages.success(request, "The restatement is undone: what it took in is pending again.")
    return _back(month)


def _page(request: HttpRequest, organisation: Organisation, month: date | None = None, wrong: str = "") -> HttpResponse:
    asked = request.GET.get("month")
    if asked:
        month = _month_or_404(asked)
    found = months(organisation)
    shown = month or _worth_showing(found)
    rows = [_row(one, organisation, shown) for one in found]
    return render(
        request,
        "dashboards/closing.html",
        {
            "organisation": organisation,
            "currency": organisation.display_currency,
            "rows": rows,
            "finding": pages.finding(rows, organisation.display_currency),
            "wrong": wrong,
            "reason": request.POST.get("reason", ""),
            "may_close": access.may(request.user, "admin", organisation),
            "shown": None if shown is None else _detail(organisation, shown),
        },
        status=422 if wrong else 200,
    )


def _worth_showing(found: list[Month]) -> date | None:
    """The latest month with something pending, else the oldest that can be closed, else the latest."""
    waiting = [one.month for one in found if one.pending_days]
    over = [one.month for one in found if one.period is None and _is_over(one.month)]
    return next(iter([*waiting[:1], *over[-1:], *[one.month for one in found][:1]]), None)


def _is_over(month: date) -> bool:
    return periods.after(month) <= timezone.now().date()


def _row(one: Month, organisation: Organisation, shown: date | None) -> pages.Row:
    period, is_over = one.period, _is_over(one.month)
    ledger, official = one.ledger.amount("spent"), one.official.amount("spent")
    return pages.Row(
        month=one.month,
        ledger=ledger,
        official=official,
        pending=pages.Line("", official, ledger).moved,
        pending_days=one.pending_days,
        state="closed" if period else "over, open" if is_over else "running",
        by=period.closed_by if period else "",
        at=period.closed_at if period else None,
        said=covered.line(covered.parts(period.figures["coverage"])) if period else "",
        is_closed=period is not None,
        can_close=period is None and is_over,
        is_shown=one.month == shown,
    )


def _detail(organisation: Organisation, month: date) -> dict[str, Any]:
    """What closing or restating the month would do, and what was restated."""
    period = Period.objects.filter(organisation=organisation, month=month).first()
    answer = spending.report(organisation, month, periods.after(month), grades=period is None)
    waiting = pending(organisation, month)
    moved = waiting.sums.money()
    return {
        "name": f"{month:%B %Y}",
        "key": f"{month:%Y-%m}",
        "records": pages.records_of(month),
        "period": period,
        "obstacle": "" if period else periods.obstacle(organisation, month),
        "lines": pages.lines(answer["total"], pages.added(answer["total"], moved)),
        "covered": covered.line(covered.parts(period.figures["coverage"] if period else answer["coverage"])),
        "seen": _seen(waiting) if period else _seen_of(organisation, month, answer),
        "causes": [
            {"name": one.name, "title": pages.CAUSES[one.name][0], "said": pages.CAUSES[one.name][1], "days": one.days,
             "moved": pages.moved_words(one.sums.money(), organisation.display_currency)}
            for one in waiting.causes
        ],
        "days": waiting.days,
        "restatements": [
            {
                "made": one,
                "lines": pages.lines(one.before, one.after),
                "currency": one.before.get("currency", organisation.display_currency),
            }
            for one in (period.restatements.order_by("-id") if period else ())
        ],
    }  # fmt: skip


def _seen(waiting: Pending) -> str:
    return pages.fingerprint([(one.name, one.cells, one.sums.money(), one.sums.usage()) for one in waiting.causes])


def _seen_of(organisation: Organisation, month: date, answer: dict[str, Any] | None = None) -> str:
    found = answer or spending.report(organisation, month, periods.after(month), grades=False)
    return pages.fingerprint(sorted(found["total"].items()))


def _organisation(request: HttpRequest) -> Organisation:
    found = access.current_organisation(request)
    assert found is not None  # noqa: S101 — the page is guarded
    return found


def _month_or_404(text: str) -> date:
    try:
        return month_of(text)
    except PeriodFault as fault:
        raise Http404(str(fault)) from None


def _back(month: str) -> HttpResponse:
    response = redirect("periods")
    response["Location"] += f"?month={month}"
    return response
