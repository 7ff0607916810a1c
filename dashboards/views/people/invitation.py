"""The page an invitation's link opens: set a password, or join as who is signed in."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from dashboards import access, audit
from dashboards.forms import JoinForm
from dashboards.models import Invitation, Membership, Person
from dashboards.views.door import door_page, enter


@never_cache
@csrf_protect
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Opening the link only asks; a button uses it. The link alone never opens an account that exists."""
    found = access.invitation_of(secret)
    if found is None:
        return door_page(request, "door/invitation.html", {"found": None}, 410)
    if isinstance(request.user, Person):
        return _for_who_is_in(request, found, request.user, secret)
    if Person.objects.filter(email=found.email).exists():
        return door_page(request, "door/invitation.html", {"found": found, "state": "sign-in"})
    form = JoinForm(Person(email=found.email), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        joined = access.join(secret, form.cleaned_data["name"], form.cleaned_data["password"])
        if joined is None:
            return redirect(request.path)
        person, membership = joined
        enter(request, person, "invitation")
        return _welcome(request, person, membership)
    context = {"found": found, "state": "join", "form": form}
    return door_page(request, "door/invitation.html", context, 422 if form.errors else 200)


def _for_who_is_in(request: HttpRequest, found: Invitation, person: Person, secret: str) -> HttpResponse:
    if person.email != found.email:
        return door_page(request, "door/invitation.html", {"found": found, "state": "other"})
    if request.method != "POST":
        return door_page(request, "door/invitation.html", {"found": found, "state": "accept"})
    held = Membership.objects.filter(person=person, organisation=found.organisation, project=found.project).first()
    membership = access.accept(secret, person)
    before = {"role": held.role} if held else None
    return _welcome(request, person, membership, before) if membership else redirect(request.path)


def _welcome(
    request: HttpRequest, person: Person, membership: Membership, before: dict[str, str] | None = None
) -> HttpResponse:
    organisation = membership.organisation
    place = membership.project or organisation
    told = {"role": membership.role, "of": str(place)}
    audit.record(person, "accepted an invitation", person.email, before, told, organisation)
    request.session[access.SESSION_ORGANISATION] = str(organisation.pk)
    messages.success(request, f"You are {membership.role} of {place}.")
    return redirect("overview")
