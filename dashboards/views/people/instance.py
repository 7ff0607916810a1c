"""The instance: everybody who can sign in, and all organisations. For instance administrators."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST, require_safe

from dashboards import access, audit
from dashboards.forms import NewOrganisationForm
from dashboards.models import Person
from dashboards.views import member_page
from dashboards.views.people import require_instance_admin, settings_page
from usage import organisations
from usage.models import Organisation

PER_PAGE = 50
ACTIONS = {
    "close": ("closed an account", "is_active", False),
    "open": ("opened an account", "is_active", True),
    "raise": ("made an instance admin", "is_instance_admin", True),
    "lower": ("ended an instance admin", "is_instance_admin", False),
}
_ADMINS = Count(
    "memberships__person",
    distinct=True,
    filter=Q(memberships__role="admin", memberships__project=None, memberships__person__is_active=True),
)


@never_cache
@require_safe
@member_page
def instance(request: HttpRequest) -> HttpResponse:
    return _page(request)


@csrf_protect
@require_POST
@member_page
def change_person(request: HttpRequest, number: int) -> HttpResponse:
    """Close or open an account, make somebody administrator or end that: the button says which."""
    admin = require_instance_admin(request)
    person = get_object_or_404(Person, pk=number)
    action, field, value = ACTIONS.get(request.POST.get("do", ""), ("", "", False))
    if not action:
        return _page(request, wrong="Use one of the buttons of the person’s row.")
    if person == admin and not value:
        return _page(request, wrong="That would end your own rights: ask another administrator to do it.")
    change = access.set_active if field == "is_active" else access.set_instance_admin
    before = {field: getattr(person, field)}
    try:
        with transaction.atomic():
            change(person, value)
            audit.record(admin, action, person.email, before, {field: value})
    except access.Refused as fault:
        return _page(request, wrong=str(fault))
    messages.success(request, f"{person}: saved.")
    return redirect("settings-instance")


@never_cache
@csrf_protect
@require_POST
@member_page
def give_link(request: HttpRequest, number: int) -> HttpResponse:
    """A one-time sign-in link for who lost a password, shown in this answer only."""
    admin = require_instance_admin(request)
    person = get_object_or_404(Person, pk=number, is_active=True)
    with transaction.atomic():
        link = access.sign_in_link(person, settings.BASE_URL)
        audit.record(admin, "gave out a sign-in link", person.email)
    return _page(request, link=(person, link))


@csrf_protect
@require_POST
@member_page
def create_organisation(request: HttpRequest) -> HttpResponse:
    """A new organisation, whose first admin is who creates it."""
    admin = require_instance_admin(request)
    form = NewOrganisationForm(request.POST)
    if not form.is_valid():
        return _page(request, form=form)
    with transaction.atomic():
        made = organisations.create_organisation(form.cleaned_data["new_name"])
        access.grant(admin, "admin", made)
        audit.record(admin, "created an organisation", made, after={"name": made.name}, organisation=made)
        audit.record(admin, "created an organisation", made, after={"name": made.name})
    messages.success(request, f"{made.name} is there, and you are its admin. Invite its people under People.")
    return redirect("settings-instance")


@csrf_protect
@require_POST
@member_page
def rename_organisation(request: HttpRequest, number: int) -> HttpResponse:
    admin = require_instance_admin(request)
    one = get_object_or_404(Organisation, pk=number)
    name, before = request.POST.get("name", "").replace("\x00", "").strip()[:200], one.name
    if not name:
        return _page(request, wrong=f"Write a name for {before}.")
    with transaction.atomic():
        organisations.change_organisation(one, name=name)
        audit.record(admin, "renamed an organisation", name, {"name": before}, {"name": name})
        audit.record(admin, "renamed an organisation", name, {"name": before}, {"name": name}, one)
    messages.success(request, f"{before} is called {name} now.")
    return redirect("settings-instance")


@csrf_protect
@require_POST
@member_page
def adopt_organisation(request: HttpRequest, number: int) -> HttpResponse:
    """Become admin of an organisation whose admins have all left; 404 for one that has an admin."""
    admin = require_instance_admin(request)
    one = get_object_or_404(Organisation.objects.annotate(admins=_ADMINS).filter(admins=0), pk=number)
    with transaction.atomic():
        access.grant(admin, "admin", one)
        audit.record(admin, "took over an organisation without admin", one, None, {"role": "admin"}, one)
    messages.success(request, f"You are admin of {one.name}: invite somebody who looks after it.")
    return redirect("settings-instance")


def _page(
    request: HttpRequest,
    wrong: str = "",
    form: NewOrganisationForm | None = None,
    link: tuple[Person, str] | None = None,
) -> HttpResponse:
    admin = require_instance_admin(request)
    words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    everybody = Person.objects.annotate(places=Count("memberships__organisation", distinct=True))
    shown = everybody.filter(Q(email__icontains=words) | Q(name__icontains=words)) if words else everybody
    paginator: Paginator[Any] = Paginator(shown.order_by("email"), PER_PAGE)
    every = Organisation.objects.annotate(admins=_ADMINS, people=Count("memberships__person", distinct=True))
    context = {
        "me": admin,
        "page_obj": paginator.get_page(request.GET.get("page")),
        "q": words,
        "active": Person.objects.filter(is_active=True).count(),
        "admins": Person.objects.filter(is_active=True, is_instance_admin=True).count(),
        "all_organisations": list(every.order_by("name", "pk")),
        "form": form or NewOrganisationForm(),
        "wrong": wrong,
        "link": link,
    }
    return settings_page(request, "settings/instance.html", context, 422 if wrong or form else 200)
