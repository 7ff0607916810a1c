"""The organisation's settings and all tokens of it, for its admins."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboards import access, audit
from dashboards.forms import OrganisationForm
from dashboards.models import AccessToken
from dashboards.views import member_page
from dashboards.views.people import administered, settings_page
from pricing.models import ExchangeRate
from usage import organisations

FIELDS = ("name", "time_zone", "display_currency")


@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def organisation(request: HttpRequest) -> HttpResponse:
    """Name, time zone and display currency."""
    one = administered(request)
    before = {name: getattr(one, name) for name in FIELDS}
    currencies = sorted({"USD", one.display_currency, *_known_currencies()})
    form = OrganisationForm(currencies, request.POST if request.method == "POST" else None, initial=before)
    if request.method == "POST" and form.is_valid():
        organisations.change_organisation(one, **form.cleaned_data)
        audit.record(request.user, "changed the organisation", one, before, form.cleaned_data, one)
        messages.success(request, "Saved.")
        return redirect("settings-organisation")
    counts = {
        "people": one.memberships.values("person").distinct().count(),
        "projects": one.projects.count(),
        "tokens": AccessToken.objects.filter(organisation=one, revoked_at=None).count(),
    }
    context: dict[str, Any] = {"form": form, "counts": counts, "one": one, "name": before["name"]}
    return settings_page(request, "settings/organisation.html", context, 422 if form.errors else 200)


def _known_currencies() -> list[str]:
    return list(ExchangeRate.objects.order_by("currency").values_list("currency", flat=True).distinct())


@require_safe
@member_page
def tokens(request: HttpRequest) -> HttpResponse:
    """Every token of the organisation, those that still work first."""
    one = administered(request)
    found = list(
        AccessToken.objects.filter(organisation=one, revoked_at=None).select_related("person").order_by("-created_at")
    )
    now = timezone.now()
    live = [token for token in found if token.expires_at is None or token.expires_at > now]
    unused = sum(1 for token in live if token.last_used_at is None)
    context = {"found": found, "live": len(live), "unused": unused, "now": now}
    return settings_page(request, "settings/tokens.html", context)


@csrf_protect
@require_POST
@member_page
def revoke_token(request: HttpRequest, number: int) -> HttpResponse:
    one = administered(request)
    token = AccessToken.objects.filter(organisation=one, pk=number, revoked_at=None).first()
    if token is None:
        raise Http404("No such token")
    access.revoke_token(token)
    told = {"role": token.role, "of": str(token.person or "no person")}
    audit.record(request.user, "revoked a token", token, told, organisation=one)
    messages.success(request, f"{token.name} no longer opens anything.")
    return redirect("settings-tokens")
