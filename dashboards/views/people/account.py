"""One's own account: name and time zone, password, where one is signed in, tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboards import access, audit
from dashboards.access import sessions
from dashboards.forms import DetailsForm, NewPasswordForm, TokenForm
from dashboards.models import AccessToken
from dashboards.views import member_page
from dashboards.views.people import person_in, settings_page


@require_safe
@member_page
def settings(request: HttpRequest) -> HttpResponse:
    return redirect("settings-account")


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def account(request: HttpRequest) -> HttpResponse:
    """Everything of one's own. POST changes name and time zone."""
    person = person_in(request)
    if request.method != "POST":
        return _page(request)
    form = DetailsForm(request.POST)
    if not form.is_valid():
        return _page(request, details=form)
    before = {"name": person.name, "time zone": person.time_zone}
    access.change_details(person, form.cleaned_data["name"], form.cleaned_data["time_zone"])
    audit.record(
        person, "changed their details", person.email, before, {"name": person.name, "time zone": person.time_zone}
    )
    messages.success(request, "Saved.")
    return redirect("settings-account")


@never_cache
@csrf_protect
@sensitive_post_parameters("current", "password")
@require_POST
@member_page
def password(request: HttpRequest) -> HttpResponse:
    """Another password; every other session ends."""
    person = person_in(request)
    if not person.has_usable_password():
        raise Http404("No password to change: a one-time link sets the first one")
    form = NewPasswordForm(person, request.POST)
    if not form.is_valid():
        return _page(request, password=form)
    access.set_password(person, form.cleaned_data["password"])
    sessions.keep_only_this(request, person)
    audit.record(person, "changed their password", person.email)
    messages.success(request, "Password changed. Everywhere else you are signed out.")
    return redirect("settings-account")


@csrf_protect
@require_POST
@member_page
def end_session(request: HttpRequest, number: int) -> HttpResponse:
    person = person_in(request)
    ended = sessions.end(person, number)
    if ended is None:
        raise Http404("No such session")
    audit.record(person, "ended a session", f"{ended.device}, {ended.address}")
    messages.success(request, f"Signed out: {ended.device}.")
    return redirect("settings-account")


@csrf_protect
@require_POST
@member_page
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    person = person_in(request)
    count = sessions.end_others(request, person)
    audit.record(person, "ended all other sessions", person.email, after={"sessions": count})
    messages.success(request, "You are signed in here only.")
    return redirect("settings-account")


@never_cache
@csrf_protect
@require_POST
@member_page
def new_token(request: HttpRequest) -> HttpResponse:
    """A token of one's own for the organisation shown; its secret is in this answer and nowhere else."""
    person, organisation = person_in(request), access.current_organisation(request)
    form = TokenForm(*_token_choices(request), request.POST)
    if not form.is_valid():
        return _page(request, token=form)
    asked = form.cleaned_data
    expires_at = _end_of(asked["lives"])
    token, secret = access.create_token(
        asked["token_name"], asked["role"], person, organisation, expires_at, asked["scopes"]
    )
    made = {"role": token.role, "may": token.scopes, "expires": expires_at}
    audit.record(person, "created a token", token, after=made, organisation=organisation)
    return _page(request, made=(token, secret))


def _end_of(days: str) -> datetime | None:
    return timezone.now() + timedelta(days=int(days)) if days else None


@csrf_protect
@require_POST
@member_page
def revoke_token(request: HttpRequest, number: int) -> HttpResponse:
    person = person_in(request)
    token = AccessToken.objects.filter(person=person, pk=number, revoked_at=None).first()
    if token is None:
        raise Http404("No such token")
    access.revoke_token(token)
    audit.record(person, "revoked a token", token, {"role": token.role}, organisation=token.organisation)
    messages.success(request, f"{token.name} no longer opens anything.")
    return redirect("settings-account")


def _token_choices(request: HttpRequest) -> tuple[list[str], dict[str, str]]:
    """The roles up to one's own, and the scopes a token may have; without an organisation only the catalogue."""
    organisation = access.current_organisation(request)
    highest = access.highest_role(person_in(request), organisation) if organisation else None
    if highest is None:
        return ["viewer"], {name: words for name, words in access.SCOPES.items() if name == "catalogue:read"}
    return [name for name, rank in access.RANK.items() if rank <= access.RANK[highest]], access.SCOPES


def _page(
    request: HttpRequest,
    details: DetailsForm | None = None,
    password: NewPasswordForm | None = None,
    token: TokenForm | None = None,
    made: tuple[AccessToken, str] | None = None,
) -> HttpResponse:
    person = person_in(request)
    here = request.session.session_key
    roles, scopes = _token_choices(request)
    tokens = AccessToken.objects.filter(person=person, revoked_at=None).select_related("organisation")
    context: dict[str, Any] = {
        "person": person,
        "details": details or DetailsForm(initial={"name": person.name, "time_zone": person.time_zone}),
        "password": password or NewPasswordForm(person),
        "token": token or TokenForm(roles, scopes, initial={"role": roles[0], "lives": "90"}),
        "asked_scopes": request.POST.getlist("scopes") if token else [],
        "scopes": scopes,
        "made": made,
        "sessions": [(one, one.session_key == here) for one in sessions.living(person)],
        "tokens": list(tokens.order_by("-created_at", "-pk")),
        "now": timezone.now(),
    }
    return settings_page(request, "settings/account.html", context, 422 if details or password or token else 200)
