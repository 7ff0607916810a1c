"""The audit log as a page and as CSV."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards import access
from dashboards.models import AuditEntry
from dashboards.pages import audit as pages
from dashboards.views import member_page
from dashboards.views.people import settings_page
from dashboards.views.spend import csv_response
from usage.models import Organisation

PER_PAGE = 50
CHOICES = 200


@require_safe
@member_page
def audit(request: HttpRequest) -> HttpResponse:
    """Admins read their organisation's log, instance administrators the instance's. `?format=csv` has every field."""
    ask, organisation = _asked(request)
    every = AuditEntry.objects.of(organisation)
    since, until = ask.span(timezone.get_current_timezone())
    found = every.asked(ask.who, ask.action, since, until, ask.q).latest_first()
    if request.GET.get("format") == "csv":
        name = organisation.name if organisation else ""
        return csv_response("audit-log", pages.HEAD, pages.csv_rows(found.iterator(2_000), name))
    paginator: Paginator[Any] = Paginator(found, PER_PAGE)
    page_obj = paginator.get_page(request.GET.get("page"))
    lines = [pages.line(one) for one in page_obj.object_list]
    latest = lines[0] if lines and page_obj.number == 1 else pages.line(found[0]) if lines else None
    context = {
        "ask": ask,
        "lines": lines,
        "page_obj": page_obj,
        "finding": pages.finding(paginator.count, ask, latest),
        "of_options": _of_options(request, ask),
        "who_options": _options(every, "who", ask, ask.who, "anybody"),
        "action_options": _options(every, "action", ask, ask.action, "anything"),
        "csv_url": ask.url(format="csv"),
        "all_url": pages.Ask(ask.of).url(),
    }
    return settings_page(request, "settings/audit.html", context)


def _asked(request: HttpRequest) -> tuple[pages.Ask, Organisation | None]:
    """What is asked and of whom; without a word the organisation, for who may read its log. 404 for others."""
    ask = pages.read(request.GET.dict())
    organisation = access.current_organisation(request)
    reads_organisation = organisation is not None and access.may(request.user, "admin", organisation)
    of = ask.of or (pages.ORGANISATION if reads_organisation else pages.INSTANCE)
    if of == pages.ORGANISATION:
        access.require(request.user, "admin", organisation)
    elif not access.may_decide(request.user):
        raise Http404("No such page")
    else:
        organisation = None
    return pages.Ask(of, ask.who, ask.action, ask.first, ask.last, ask.q), organisation


def _of_options(request: HttpRequest, ask: pages.Ask) -> list[dict[str, Any]]:
    """The logs a reader who may open both can choose between."""
    organisation = access.current_organisation(request)
    if organisation is None or not access.may_decide(request.user):
        return []
    if not access.may(request.user, "admin", organisation):
        return []
    return [
        {"label": label, "url": pages.Ask(of).url(), "is_current": ask.of == of}
        for of, label in ((pages.ORGANISATION, organisation.name), (pages.INSTANCE, "the instance"))
    ]


def _options(every: Any, field: str, ask: pages.Ask, chosen: str, nothing: str) -> list[dict[str, Any]]:
    """Whatever the log holds in `field`, as the options of a filter. One query."""
    values = every.order_by(field).values_list(field, flat=True).distinct()[:CHOICES]
    return [
        {"label": label, "url": ask.url(**{field: value}), "is_current": value == chosen}
        for value, label in [("", nothing), *((value, value) for value in values if value)]
    ]
