"""Pages. A view reads the URL, calls one function and renders; the decorators here guard it."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from dashboards import access
from dashboards.context import zone_of

View = Callable[..., HttpResponse]


def in_readers_zone(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """What a view answers, with times in the zone of its reader."""
    # The zone belongs to this thread; override gives it back, so the next reader does not inherit it.
    with timezone.override(ZoneInfo(zone_of(request))):
        return view(request, *args, **kwargs)


def role_page(role: str) -> Callable[[View], View]:
    """For people who hold at least `role` in the current organisation; others sign in first, or get 404."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            access.require(request.user, role, access.current_organisation(request))
            return in_readers_zone(view, request, *args, **kwargs)

        return guarded

    return decorate


def member_page(view: View) -> View:
    """For whoever is signed in.

    Somebody without any organisation gets the page too, with `current_organisation(request)` None:
    it shows its empty state. Somebody with projects only sees `access.projects_seen`.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return in_readers_zone(view, request, *args, **kwargs)

    return guarded


def catalogue_page(view: View) -> View:
    """For anybody where the catalogue is public (RATECARD_PUBLIC_CATALOG), else for who is signed in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.PUBLIC_CATALOG and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return in_readers_zone(view, request, *args, **kwargs)

    return guarded
