"""The pages behind “Settings”: one's own account, the organisation, its people and tokens, the instance, the log."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from dashboards import access
from dashboards.models import Person
from dashboards.pages import settings as pages
from usage.models import Organisation


def settings_page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """A settings page with the navigation all of them share."""
    organisation = access.current_organisation(request)
    shared = {"tabs": pages.tabs(request.path, _rights(request)), "organisation": organisation}
    return render(request, template, {**shared, **(context or {})}, status=status)


def _rights(request: HttpRequest) -> frozenset[str]:
    organisation = access.current_organisation(request)
    projects = access.administers(request.user, organisation) if organisation else frozenset()
    of = {pages.ORGANISATION} if projects is None else {pages.PROJECT} if projects else set()
    return frozenset(of | ({pages.INSTANCE} if access.may_decide(request.user) else set()))


def person_in(request: HttpRequest) -> Person:
    """Who is signed in; the page is guarded."""
    assert isinstance(request.user, Person)  # noqa: S101
    return request.user


def administered(request: HttpRequest) -> Organisation:
    """The organisation shown, for its admins; 404 for everybody else."""
    organisation = access.current_organisation(request)
    access.require(request.user, "admin", organisation)
    assert organisation is not None  # noqa: S101 - required
    return organisation


def require_instance_admin(request: HttpRequest) -> Person:
    """Who administers the instance; 404 for everybody else."""
    if not access.may_decide(request.user):
        raise Http404("No such page")
    return person_in(request)
