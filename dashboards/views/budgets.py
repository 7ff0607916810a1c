"""Budgets at `/budgets`: each with its pace, to whom may see its money; entered and changed by admins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from dashboards import access, audit
from dashboards.budget_forms import BudgetForm
from dashboards.contract_forms import EndForm
from dashboards.pages import budgets as pages
from dashboards.pages.periods import first_of_month
from dashboards.views import member_page, role_page
from dashboards.views.people import administered
from dashboards.views.spend import Reader, csv_response, reader_or_404, refused, today
from usage import budgets
from usage.budgets import BudgetFault
from usage.models import Budget


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def budget_list(request: HttpRequest) -> HttpResponse:
    """Every budget the reader may see, as it stands today or (`?on=2026-11-15`) stood on a day; a new one by POST."""
    reader = reader_or_404(request)
    if request.method != "POST":
        try:
            day = _asked(request.GET.get("on", ""))
        except ValueError as fault:
            return refused(request, str(fault))
        return _table(reader, day) if request.GET.get("format") == "csv" else _page(request, reader, day=day)
    organisation = administered(request)
    form = BudgetForm(organisation, request.POST)
    if not form.is_valid():
        return _page(request, reader, form)
    try:
        with transaction.atomic():
            made, ended = budgets.enter(organisation, str(request.user), **form.fields_of_budget())
            before = pages.described(ended) if ended else None
            scope, after = budgets.scope_of(made), pages.described(made)
            audit.record(request.user, "entered a budget", scope, before, after, organisation)
    except BudgetFault as fault:
        form.add_error(None, str(fault))
        return _page(request, reader, form)
    messages.success(request, f"The budget of {scope} is entered.")
    return redirect("budgets")


@require_http_methods(["GET", "HEAD", "POST"])
@role_page("admin")
def budget(request: HttpRequest, number: int) -> HttpResponse:
    """One budget: corrected, ended or taken away."""
    organisation = administered(request)
    found = get_object_or_404(Budget.objects.of(organisation), pk=number)
    if request.method != "POST":
        return _budget_page(request, found)
    do = request.POST.get("do", "save")
    form, ending = BudgetForm(organisation, request.POST, stands=found), EndForm(request.POST)
    if do == "save" and not form.is_valid():
        return _budget_page(request, found, form=form)
    if do == "end" and not ending.is_valid():
        return _budget_page(request, found, ending=ending)
    try:
        with transaction.atomic():
            return _changed(request, number, do, form, ending)
    except BudgetFault as fault:
        wrong = ending if do == "end" else form
        wrong.add_error(None, str(fault))
        return _budget_page(request, found, **({"ending": ending} if do == "end" else {"form": form}))


def _changed(request: HttpRequest, number: int, do: str, form: BudgetForm, ending: EndForm) -> HttpResponse:
    organisation = administered(request)
    found = budgets.held(organisation, number)
    if found is None:
        raise Http404("No such budget")
    before, scope = pages.described(found), budgets.scope_of(found)
    after: dict[str, str] | None = None
    if do == "remove":
        budgets.remove(found)
    elif do == "end":
        after = pages.described(budgets.end(found, ending.cleaned_data["day"]))
    else:
        after = pages.described(budgets.change(found, **form.fields_of_budget()))
    if after != before:
        action = "removed a budget" if after is None else "changed a budget"
        audit.record(request.user, action, scope, before, after, organisation)
    messages.success(request, f"The budget of {scope} is {'removed' if after is None else 'changed'}.")
    return redirect("budgets")


def _asked(on: str) -> date:
    """The day whose state is asked for, today by default; ValueError with a sentence for what is none."""
    try:
        day = date.fromisoformat(on) if on else today()
    except ValueError:
        raise ValueError(f"“{on[:20]}” is no day: write 2026-11-15.") from None
    if day > today():
        raise ValueError(f"{day} has not come yet: name today or a day before it.")
    return day


def _seen(reader: Reader) -> list[Budget]:
    """The budgets whose money the reader may see."""
    return list(Budget.objects.of(reader.organisation).seen(reader.project_ids))


def _rows(reader: Reader, seen: Sequence[Budget], day: date) -> list[pages.Row]:
    holding = [
        one for one in seen
        if one.effective_from <= day and (one.effective_until is None or one.effective_until > day)
    ]  # fmt: skip
    return list(map(pages.row, holding, budgets.paces(reader.organisation, day, holding)))


def _page(
    request: HttpRequest, reader: Reader, form: BudgetForm | None = None, day: date | None = None
) -> HttpResponse:
    organisation, seen = reader.organisation, _seen(reader)
    day = day or today()
    rows = _rows(reader, seen, day)
    shown = {one.budget.pk for one in rows}
    may_edit = access.may(request.user, "admin", organisation)
    start = {"currency": organisation.display_currency, "effective_from": first_of_month(today()).isoformat()}
    context: dict[str, Any] = {
        "organisation": organisation,
        "finding": pages.finding(rows, organisation.name),
        "rows": rows,
        "others": [(one, budgets.scope_of(one)) for one in seen if one.pk not in shown],
        "today": today(),
        "day": day,
        "whole": reader.whole,
        "may_edit": may_edit,
        "form": form or (BudgetForm(organisation, initial=start) if may_edit else None),
    }
    return render(request, "dashboards/budgets.html", context, status=422 if form else 200)


def _budget_page(
    request: HttpRequest, found: Budget, form: BudgetForm | None = None, ending: EndForm | None = None
) -> HttpResponse:
    context = {
        "found": found,
        "scope": budgets.scope_of(found),
        "organisation": found.organisation,
        "form": form or BudgetForm(found.organisation, stands=found),
        "ending": ending or EndForm(),
    }
    return render(request, "dashboards/budget.html", context, status=422 if form or ending else 200)


def _table(reader: Reader, day: date) -> HttpResponse:
    head = ["budget", "from", "until", "currency", "amount", "spent", "even spending", "share", "share of the period",
            "forecast low", "forecast", "forecast high", "exceeded on", "unpriced tokens"]  # fmt: skip
    paces = [(one.scope, one.pace) for one in _rows(reader, _seen(reader), day)]
    return csv_response(
        f"budgets-{day}",
        head,
        (
            [scope, pace.since, pace.until, pace.currency, pace.amount, pace.spent, pace.even, pace.share, pace.gone,
             pace.low, pace.forecast and pace.forecast.middle, pace.high, pace.exceeded_on, pace.unknown_tokens]
            for scope, pace in paces
        ),
    )  # fmt: skip
