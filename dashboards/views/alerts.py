"""The list of alerts at `/alerts`."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards import alerts
from dashboards.models import Alert, AlertKind, AlertNotice
from dashboards.pages import alert_list as pages
from dashboards.views import member_page
from dashboards.views.people import person_in
from dashboards.views.spend import Reader, csv_response, reader_or_404, refused

MOST: Final = 200
SHOWN: Final = timedelta(days=180)


@require_safe
@member_page
def alert_list(request: HttpRequest) -> HttpResponse:
    """What the reader may know of, the open ones first; `state` and `kind` narrow it."""
    reader = reader_or_404(request)
    state, kind = request.GET.get("state") or "open", request.GET.get("kind", "")
    for asked, what, known in ((state, "state", pages.STATES), (kind, "kind", ("", *alerts.KINDS))):
        if asked not in known:
            there = ", ".join(one for one in known if one)
            return refused(request, f"“{asked[:40]}” is no {what} of an alert: choose {there}.")
    every = _lines(request, reader)
    lines = [line for line in every if kind in ("", line.kind) and (state == "all" or (line.state == "over") is
             (state == "gone"))]  # fmt: skip
    if request.GET.get("format") == "csv":
        return _table(lines)
    context = {
        "organisation": reader.organisation,
        "finding": pages.finding(every),
        "lines": lines,
        "whole": reader.whole,
        "states": [(name, words, name == state) for name, words in pages.STATES.items()],
        "kinds": [("", "all kinds", not kind), *((name, label, name == kind) for name, label in AlertKind.choices
                  if name in alerts.KINDS)],
        "counts": Counter("gone" if line.state == "over" else "open" for line in every),
    }  # fmt: skip
    return render(request, "dashboards/alerts.html", context)


def _lines(request: HttpRequest, reader: Reader) -> list[pages.Line]:
    now, person = timezone.now(), person_in(request)
    ears = alerts.ears_of(person, reader.organisation, now)
    found = list(
        Alert.objects.filter(organisation=reader.organisation, opened_at__gte=now - SHOWN).latest_first()[:MOST]
    )
    told = set(AlertNotice.objects.filter(person=person, alert__in=found).values_list("alert_id", flat=True))
    lines = []
    for alert in found:
        words = ears.told(alert, now)
        if words is not None:
            heard = ears.hear(alert, now) is not None
            state = "over" if alert.resolved_at else "open" if heard else "muted"
            lines.append(pages.Line(words, alert.kind, state, alert.opened_at, alert.resolved_at, alert.pk in told))
    return lines


def _table(lines: list[pages.Line]) -> HttpResponse:
    head = ["opened", "over", "state", "kind", "what", "details", "mailed to you", "address"]
    rows = (
        [one.opened_at, one.resolved_at, one.state, one.kind, one.told.title, one.told.text, one.was_told, one.told.url]
        for one in lines
    )
    return csv_response(f"alerts-{timezone.now().date()}", head, rows)
