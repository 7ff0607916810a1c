"""Who belongs to the organisation: roles changed and taken, invitations given and taken back."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST, require_safe

from dashboards import access, audit, mail
from dashboards.forms import ROLE_WORDS, InviteForm
from dashboards.models import AccessToken, Invitation, Membership
from dashboards.views import member_page
from dashboards.views.people import person_in, settings_page
from usage.models import Organisation, Project

WHOLE = ""


def _reach(request: HttpRequest) -> tuple[Organisation, frozenset[int] | None]:
    """The organisation shown and which of its projects the reader administers (None: all of it); else 404."""
    organisation = access.current_organisation(request)
    projects = access.administers(request.user, organisation) if organisation else frozenset()
    if organisation is None or (projects is not None and not projects):
        raise Http404("No such page")
    return organisation, projects


def _within(projects: frozenset[int] | None) -> Q:
    """Memberships and invitations in reach: all of them, or those of the projects administered."""
    return Q() if projects is None else Q(project__in=projects)


@never_cache
@require_safe
@member_page
def people(request: HttpRequest) -> HttpResponse:
    return _page(request)


@never_cache
@csrf_protect
@require_POST
@member_page
def invite(request: HttpRequest) -> HttpResponse:
    """A one-time link, shown in this answer only, and mailed where a mail server is set."""
    organisation, projects = _reach(request)
    form = InviteForm(_places(organisation, projects), request.POST)
    if not form.is_valid():
        return _page(request, form)
    asked = form.cleaned_data
    project = Project.objects.filter(organisation=organisation, slug=asked["project"]).first()
    try:
        with transaction.atomic():
            invitation, secret = access.invite(person_in(request), asked["email"], asked["role"], organisation, project)
            made = {"role": invitation.role, "of": str(project or organisation), "expires": invitation.expires_at}
            audit.record(request.user, "invited somebody", invitation.email, after=made, organisation=organisation)
    except access.Refused as fault:
        form.add_error("email", str(fault))
        return _page(request, form)
    link = f"{settings.BASE_URL}{reverse('invitation', args=[secret])}"
    return _page(request, made=(invitation, link, mail.send_invitation(invitation, link)))


@csrf_protect
@require_POST
@member_page
def take_back(request: HttpRequest, number: int) -> HttpResponse:
    organisation, projects = _reach(request)
    found = get_object_or_404(access.open_ones(organisation).filter(_within(projects)), pk=number)
    access.take_back(found)
    audit.record(request.user, "took back an invitation", found.email, {"role": found.role}, organisation=organisation)
    messages.success(request, f"The link of {found.email} no longer works.")
    return redirect("settings-people")


@csrf_protect
@require_POST
@member_page
def change_role(request: HttpRequest, number: int) -> HttpResponse:
    membership = _membership(request, number)
    before = membership.role
    try:
        with transaction.atomic():
            ended = access.change_role(membership, request.POST.get("role", ""))
            _record(request, "changed a role", membership, {"role": before}, {"role": membership.role}, ended)
    except access.Refused as fault:
        return _page(request, wrong=str(fault))
    told = f"{membership.person} is {membership.role} of {membership.project or membership.organisation} now."
    messages.success(request, f"{told} {_tokens_said(ended)}".strip())
    return redirect("settings-people")


@csrf_protect
@require_POST
@member_page
def remove(request: HttpRequest, number: int) -> HttpResponse:
    membership = _membership(request, number)
    try:
        with transaction.atomic():
            ended = access.remove(membership)
            _record(request, "took away a role", membership, {"role": membership.role}, None, ended)
    except access.Refused as fault:
        return _page(request, wrong=str(fault))
    told = f"{membership.person} no longer belongs to {membership.project or membership.organisation}."
    messages.success(request, f"{told} {_tokens_said(ended)}".strip())
    return redirect("settings-people" if membership.person_id != request.user.pk else "overview")


def _membership(request: HttpRequest, number: int) -> Membership:
    organisation, projects = _reach(request)
    found: Membership = get_object_or_404(
        Membership.objects.select_related("person", "project", "organisation").filter(_within(projects)),
        pk=number,
        organisation=organisation,
    )
    return found


def _record(
    request: HttpRequest,
    action: str,
    membership: Membership,
    before: dict[str, Any],
    after: dict[str, Any] | None,
    ended: list[AccessToken],
) -> None:
    place = membership.project or membership.organisation
    organisation = membership.organisation
    audit.record(request.user, action, f"{membership.person.email} of {place}", before, after, organisation)
    for token in ended:
        told = {"role": token.role, "of": membership.person.email}
        audit.record(request.user, "revoked a token", token, told, organisation=organisation)


def _tokens_said(ended: list[AccessToken]) -> str:
    if not ended:
        return ""
    return f"{'One token' if len(ended) == 1 else f'{len(ended)} tokens'} of theirs ended with it."


def _places(organisation: Organisation, projects: frozenset[int] | None) -> list[tuple[str, str]]:
    """Where somebody can be invited to: the organisation, or the projects in reach, by slug."""
    seen = organisation.projects.order_by("name")
    if projects is not None:
        return [(one.slug, f"project {one.name}") for one in seen.filter(pk__in=projects)]
    return [(WHOLE, f"all of {organisation.name}"), *((one.slug, f"project {one.name}") for one in seen)]


def _page(
    request: HttpRequest,
    form: InviteForm | None = None,
    made: tuple[Invitation, str, bool] | None = None,
    wrong: str = "",
) -> HttpResponse:
    organisation, projects = _reach(request)
    members = Membership.objects.filter(_within(projects), organisation=organisation)
    places = _places(organisation, projects)
    found = list(members.select_related("person", "project").order_by("person__email", "project__name", "pk"))
    context = {
        "members": found,
        "people": len({one.person_id for one in found}),
        "admins": len({one.person_id for one in found if one.role == "admin" and one.project_id is None}),
        "waiting": list(
            access.open_ones(organisation).filter(_within(projects)).select_related("project", "invited_by")
            .order_by("-created_at")
        ),
        "is_whole": projects is None,
        "form": form or InviteForm(places, initial={"project": places[0][0] if places else ""}),
        "roles": ROLE_WORDS,
        "made": made,
        "wrong": wrong,
        "now": timezone.now(),
    }  # fmt: skip
    return settings_page(request, "settings/people.html", context, 422 if form or wrong else 200)
