"""Contracts, commitments and fixed costs at `/contracts`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboards import access, audit, formatting
from dashboards.charts import burn
from dashboards.contract_forms import AgreedForm, Agreement, CommitmentForm, ContractForm, EndForm, FixedCostForm
from dashboards.pages import contracts as pages
from dashboards.pages import covered
from dashboards.pages.periods import next_month
from dashboards.views import role_page
from dashboards.views.spend import today
from usage import agreed, contract_previews, contracts, spending
from usage.contract_previews import Preview
from usage.contracts import ContractFault
from usage.models import Commitment, Contract, FixedCost, Organisation

FORMS: dict[str, type[AgreedForm]] = {
    "contract": ContractForm, "commitment": CommitmentForm, "fixed": FixedCostForm
}  # fmt: skip
WRITERS: dict[str, Callable[..., Agreement]] = {
    "contract": contracts.save, "commitment": contracts.save_commitment, "fixed": contracts.save_fixed_cost
}  # fmt: skip
MODELS: dict[str, Any] = {"contract": Contract, "commitment": Commitment, "fixed": FixedCost}
NAMES = {"contract": "contract", "commitment": "commitment", "fixed": "fixed cost"}
_PRICED = " Its usage is being priced."


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
        if _is_preview(request, what):
            writes = partial(contracts.save, organisation, str(request.user), **form.cleaned_data)
            return _page(request, organisation, form, what, contract_previews.preview(organisation, None, writes))
        with transaction.atomic():
            made = WRITERS[what](organisation, str(request.user), **form.cleaned_data)
            audit.record(request.user, f"entered a {NAMES[what]}", made.name, None, pages.described(made), organisation)
    except ContractFault as fault:
        form.add_error(None, str(fault))
        return _page(request, organisation, form, what)
    messages.success(request, f"{made.name} is entered." + (_PRICED if what == "contract" else ""))
    return redirect("contracts")


@require_http_methods(["GET", "HEAD", "POST"])
@role_page("admin")
def agreement(request: HttpRequest, what: str, number: int) -> HttpResponse:
    """One agreement: change its terms, end it or take it away."""
    organisation = _organisation(request)
    kind = _kind(what)
    if request.method != "POST":
        found = get_object_or_404(kind._default_manager.filter(organisation=organisation), pk=number)
        return _agreement_page(request, found, what)
    with transaction.atomic():
        found = _held(organisation, kind, number)
        form = FORMS[what](organisation, request.POST, stands=found)
        if not form.is_valid():
            return _agreement_page(request, found, what, form)
        if _is_preview(request, what):
            return _previewed(
                request,
                found,
                lambda one: contracts.save(organisation, str(request.user), one, **form.cleaned_data),
                form=form,
            )
        return _changed(
            request,
            what,
            found,
            form,
            lambda: WRITERS[what](organisation, str(request.user), found, **form.cleaned_data),
        )


@require_POST
@role_page("admin")
def end(request: HttpRequest, what: str, number: int) -> HttpResponse:
    """Let an agreement hold to the day before one."""
    organisation = _organisation(request)
    with transaction.atomic():
        found = _held(organisation, _kind(what), number)
        form = EndForm(request.POST)
        if not form.is_valid():
            return _agreement_page(request, found, what, ending=form)
        if _is_preview(request, what):
            return _previewed(request, found, lambda one: contracts.end(one, form.cleaned_data["day"]), ending=form)
        return _changed(request, what, found, form, lambda: contracts.end(found, form.cleaned_data["day"]))


@require_POST
@role_page("admin")
def remove(request: HttpRequest, what: str, number: int) -> HttpResponse:
    """Take an agreement away, as if it had never held."""
    organisation = _organisation(request)
    with transaction.atomic():
        found = _held(organisation, _kind(what), number)
        if _is_preview(request, what):
            return _previewed(request, found, contracts.delete, removing=True)
        before, name = pages.described(found), found.name
        if isinstance(found, Contract):
            contracts.delete(found)
        else:
            contracts.remove(found)
        audit.record(request.user, f"removed a {NAMES[what]}", name, before, None, organisation)
    messages.success(request, f"{name} is removed." + (_PRICED if what == "contract" else ""))
    return redirect("contracts")


@require_safe
@role_page("viewer")
def burn_figure(request: HttpRequest, number: int) -> HttpResponse:
    """How a commitment burns down, as JSON."""
    for commitment, burnt, _ in agreed.burning(_organisation(request)):
        if commitment.pk == number:
            return JsonResponse(burn.figure(burnt, commitment.currency, today()))
    raise Http404("No such commitment")


def _changed(
    request: HttpRequest, what: str, found: Agreement, form: Form, write: Callable[[], Agreement]
) -> HttpResponse:
    """Writes a change and notes what it changed; one that cannot be written stands in its form."""
    before, organisation = pages.described(found), found.organisation
    try:
        with transaction.atomic():
            after = pages.described(write())
            if after != before:
                audit.record(request.user, f"changed a {NAMES[what]}", after["name"], before, after, organisation)
    except ContractFault as fault:
        form.add_error(None, str(fault))
        stands = type(found)._default_manager.get(pk=found.pk)
        given = {"form": form} if isinstance(form, AgreedForm) else {"ending": form}
        return _agreement_page(request, stands, what, **given)
    said = f"{after['name']} is changed." + (_PRICED if what == "contract" else "")
    messages.success(request, said if after != before else f"{after['name']} was like that already.")
    return redirect("contracts")


def _is_preview(request: HttpRequest, what: str) -> bool:
    """Only contracts price usage."""
    return what == "contract" and request.POST.get("do") == "preview"


def _previewed(
    request: HttpRequest, found: Contract, change: Callable[[Contract], Contract | None], **shown: Any
) -> HttpResponse:
    """The page of a contract with what a change would move; one that cannot be made says so in its form."""
    again = Contract.objects.get(pk=found.pk)  # the change is made of this one, and the page shows what stands
    try:
        preview = contract_previews.preview(found.organisation, found, lambda: change(again))
    except ContractFault as fault:
        form = shown.get("form") or shown["ending"]
        form.add_error(None, str(fault))
        return _agreement_page(request, found, "contract", **shown)
    return _agreement_page(request, found, "contract", preview=preview, **shown)


def _shown(preview: Preview | None, of: str) -> dict[str, Any]:
    moves = preview.moves if preview else ()
    rows = [(one, formatting.signed_money(one.change, one.currency)) for one in moves]
    return {"preview": preview, "preview_of": of, "preview_rows": rows}


def _kind(what: str) -> Any:
    if what not in MODELS:
        raise Http404("No such kind of agreement")
    return MODELS[what]


def _held(organisation: Organisation, kind: Any, number: int) -> Any:
    found = contracts.held(organisation, kind, number)
    if found is None:
        raise Http404("No such agreement")
    return found


def _agreement_page(
    request: HttpRequest, found: Any, what: str, form: AgreedForm | None = None, ending: EndForm | None = None,
    removing: bool = False, preview: Preview | None = None,
) -> HttpResponse:  # fmt: skip
    of = "removing it" if removing else "ending it" if ending else "saving"
    return render(
        request,
        "dashboards/contract.html",
        {
            "organisation": found.organisation,
            "found": found,
            "what": what,
            "kind": NAMES[what],
            "finding": pages.in_words(found),
            "ended": pages.ended(found, today()),
            "form": form or FORMS[what](found.organisation, stands=found),
            "ending": ending or EndForm(),
            **_shown(preview, of),
        },
        status=422 if (form or ending) and preview is None else 200,
    )


def _page(
    request: HttpRequest, organisation: Organisation, form: AgreedForm | None = None, what: str = "",
    preview: Preview | None = None,
) -> HttpResponse:  # fmt: skip
    day = today()
    since, until = day.replace(day=1), next_month(day.replace(day=1))
    saved = agreed.savings(organisation, since, until)
    rows = [pages.contract_row(one, saved.get(one.pk)) for one in Contract.objects.of(organisation)]
    committed = [pages.commitment_row(*one, day) for one in agreed.burning(organisation)]
    fixed = [{"cost": cost, "part": part} for cost, part in agreed.fixed(organisation, since, until)]
    forms = {name: made(organisation, prefix=name) for name, made in FORMS.items()}
    if form is not None:
        forms[what] = form
    may_edit = access.may(request.user, "admin", organisation)
    return render(
        request,
        "dashboards/contracts.html",
        {
            "organisation": organisation,
            "month": f"{since:%B %Y}",
            "known": covered.line(covered.parts(spending.coverage(organisation, since, until))),
            "finding": pages.finding(rows, committed, fixed),
            "contracts": rows,
            "commitments": committed,
            "chart_span": "w6" if len(committed) > 1 else "w12",
            "fixed": fixed,
            "forms": [(name, NAMES[name], one, name in (what, request.GET.get("add"))) for name, one in forms.items()],
            **{f"add_{name}": f"{reverse('contracts')}?add={name}#add-{name}" for name in FORMS if may_edit},
            "may_edit": may_edit,
            **_shown(preview, "entering it"),
        },
        status=422 if form is not None and preview is None else 200,
    )


def _organisation(request: HttpRequest) -> Organisation:
    organisation = access.current_organisation(request)
    if organisation is None:
        raise Http404("No organisation")
    return organisation
