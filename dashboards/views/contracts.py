"""Contracts, commitments and fixed costs at `/contracts`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from dashboards import access, audit
from dashboards.contract_forms import AgreedForm, CommitmentForm, ContractForm, FixedCostForm
from dashboards.pages import contracts as pages
from dashboards.pages.periods import next_month
from dashboards.views import role_page
from dashboards.views.spend import today
from usage import agreed, contracts
from usage.contracts import ContractFault
from usage.models import Commitment, Contract, FixedCost, Organisation

FORMS: dict[str, type[AgreedForm]] = {
    "contract": ContractForm, "commitment": CommitmentForm, "fixed": FixedCostForm
}  # fmt: skip
WRITERS: dict[str, Callable[..., Contract | Commitment | FixedCost]] = {
    "contract": contracts.save, "commitment": contracts.save_commitment, "fixed": contracts.save_fixed_cost
}  # fmt: skip
NAMES = {"contract": "contract", "commitment": "commitment", "fixed": "fixed cost"}


@require_safe
@role_page("viewer")
def agreements(request: HttpRequest) -> HttpResponse:
    return _page(request, _organisation(request))


@require_POST
@role_page("admin")
def add(request: HttpRequest, what: str) -> HttpResponse:
    """Enter a contract, a commitment or a fixed cost."""
    organisation = _organisation(request)
    if what not in FORMS:
        raise Http404("No such kind of agreement")
    form = FORMS[what](organisation, request.POST, prefix=what)
    if not form.is_valid():
        return _page(request, organisation, form, what)
    try:
        with transaction.atomic():
            made = WRITERS[what](organisation, str(request.user), **form.cleaned_data)
            audit.record(request.user, f"entered a {NAMES[what]}", made.name, None, pages.described(made), organisation)
    except ContractFault as fault:
        form.add_error(None, str(fault))
        return _page(request, organisation, form, what)
    messages.success(
        request, f"{made.name} is entered." + (" Its usage is being priced." if what == "contract" else "")
    )
    return redirect("contracts")


@require_POST
@role_page("admin")
def remove(request: HttpRequest, what: str, number: int) -> HttpResponse:
    """Take an agreement away, as if it had never held."""
    organisation = _organisation(request)
    models: dict[str, Any] = {"contract": Contract, "commitment": Commitment, "fixed": FixedCost}
    if what not in models:
        raise Http404("No such kind of agreement")
    found = get_object_or_404(models[what].objects.filter(organisation=organisation), pk=number)
    with transaction.atomic():
        before, name = pages.described(found), found.name
        if isinstance(found, Contract):
            contracts.delete(found)
        else:
            contracts.remove(found)
        audit.record(request.user, f"removed a {NAMES[what]}", name, before, None, organisation)
    messages.success(request, f"{name} is removed.")
    return redirect("contracts")


def _page(
    request: HttpRequest, organisation: Organisation, form: AgreedForm | None = None, what: str = ""
) -> HttpResponse:
    day = today()
    since, until = day.replace(day=1), next_month(day.replace(day=1))
    saved = agreed.savings(organisation, since, until)
    rows = [pages.contract_row(one, saved.get(one.pk)) for one in Contract.objects.of(organisation)]
    committed = [pages.commitment_row(*one, day) for one in agreed.burning(organisation)]
    fixed = [{"cost": cost, "part": part} for cost, part in agreed.fixed(organisation, since, until)]
    forms = {name: made(organisation, prefix=name) for name, made in FORMS.items()}
    if form is not None:
        forms[what] = form
    return render(
        request,
        "dashboards/contracts.html",
        {
            "organisation": organisation,
            "month": f"{since:%B %Y}",
            "finding": pages.finding(rows, committed, fixed),
            "contracts": rows,
            "commitments": committed,
            "fixed": fixed,
            "forms": [(name, NAMES[name], one, name == what) for name, one in forms.items()],
            "may_edit": access.may(request.user, "admin", organisation),
        },
        status=422 if form is not None else 200,
    )


def _organisation(request: HttpRequest) -> Organisation:
    organisation = access.current_organisation(request)
    if organisation is None:
        raise Http404("No organisation")
    return organisation
