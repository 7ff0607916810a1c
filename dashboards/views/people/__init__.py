"""The pages behind “Settings”: one's own account, the organisation, its people and tokens, the instance, the log."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from dashboards import access
from dashboards.pages import settings as pages


def settings_page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """A settings page with the navigation all of them share."""
    tabs = pages.tabs(
        request.path,
        of_organisation=access.may(request.user, "admin", organisation)
        if (organisation := access.current_organisation(request))
        else False,
        of_instance=access.may_decide(request.user),
    )
    return render(request, template, {"tabs": tabs, "organisation": organisation, **(context or {})}, status=status)
