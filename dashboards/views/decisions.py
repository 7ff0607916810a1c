"""Decisions: the list, and what is not recommended. One of them is `dashboards.views.decision`."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from dashboards.models import KeptAdvice, Proposal
from dashboards.pages.asked import Option, address
from dashboards.pages.decisions import rows as pages
from dashboards.views import member_page
from dashboards.views.spend import Reader, csv_response, reader_of, reader_or_404, refused, today
from usage.advice import MOST
from usage.models import Project

STATES = {"": "all", "open": "open", "accepted": "accepted", "moved": "moved", "rejected": "rejected",
          "lapsed": "lapsed"}  # fmt: skip


@require_safe
@member_page
def decisions(request: HttpRequest) -> HttpResponse:
    """At most three on top, then all that waits, is promised, was realised or rejected."""
    reader = reader_of(request)
    if reader is None:
        if request.GET:
            raise Http404("No organisation")
        return render(request, "dashboards/overview_nothing.html", {"organisation": None})
    state = request.GET.get("state", "")
    if state not in STATES:
        return refused(request, f"“{state[:40]}” is no state of a decision: choose {', '.join(list(STATES)[1:])}.")
    project = reader.project(request.GET["project"]) if request.GET.get("project") else None
    page = _page(reader, project, state)
    if request.GET.get("format") == "csv":
        shown = page.section(state) if state else page.rows
        return csv_response("decisions", pages.TABLE_HEAD, map(pages.table_row, shown))
    context = {
        "shown": page, "finding": pages.finding(page), "tiles": pages.tiles(page), "project": project, "state": state,
        "organisation": reader.organisation, "sections": pages.sections(page), "currency": page.currency,
        "picks": _picks(reader, project, state), "csv": address(reverse("decisions"), _state(project, state, "csv")),
        "link": address(reverse("decisions"), _state(project, state)),
    }  # fmt: skip
    return render(request, "dashboards/decisions.html", context)


@require_safe
@member_page
def refusals(request: HttpRequest) -> HttpResponse:
    """What is not recommended and why, by project."""
    reader = reader_or_404(request)
    project = reader.project(request.GET["project"]) if request.GET.get("project") else None
    found = {pk: kept.value for pk, kept in _kept(reader, project).items()}
    rows = pages.refusals(found, reader.names)
    if request.GET.get("format") == "csv":
        return csv_response("not-recommended", pages.REFUSED_HEAD, map(pages.refused_row, rows))
    path = reverse("decisions-refused")
    context = {
        "rows": rows, "project": project, "organisation": reader.organisation, "finding": pages.refusals_finding(rows),
        "advised": max((one.on for one in found.values()), default=None),
        "picks": [_project_pick(reader, project, path, {})],
        "csv": address(path, {"project": project and project.slug, "format": "csv"}),
        "link": address(path, {"project": project and project.slug}),
    }  # fmt: skip
    return render(request, "dashboards/decisions_refused.html", context)


def first(reader: Reader, project: Project | None = None) -> list[pages.Row]:
    """The open decisions that surely save most, at most three, of all the reader may see or of a project. One query."""
    ids = reader.project_ids if project is None else {project.pk}
    found = Proposal.objects.seen(reader.organisation.pk, ids).undecided()[:MOST]
    return [pages.row_of(one, today()) for one in found]


def _page(reader: Reader, project: Project | None, state: str) -> pages.Page:
    """Two queries: the decisions and the newest advice of what the reader may see."""
    ids = reader.project_ids if project is None else {project.pk}
    found = Proposal.objects.seen(reader.organisation.pk, ids).dearest_first()
    advice = {pk: kept.value for pk, kept in _kept(reader, project).items()}
    return pages.page(
        list(found), advice, reader.names, reader.organisation.display_currency, today(), state
    )  # fmt: skip


def _kept(reader: Reader, project: Project | None) -> dict[int, KeptAdvice]:
    """The newest advice by project."""
    ids = list(reader.projects) if project is None else [project.pk]
    return {one.project_id: one for one in KeptAdvice.objects.filter(project__in=ids)}


def _state(project: Project | None, state: str, shape: str = "") -> dict[str, object]:
    return {"project": project and project.slug, "state": state, "format": shape}


def _picks(reader: Reader, project: Project | None, state: str) -> list[dict[str, object]]:
    path = reverse("decisions")
    states = [
        Option(label, address(path, _state(project, name)), name == state) for name, label in STATES.items()
    ]  # fmt: skip
    return [
        _project_pick(reader, project, path, {"state": state}),
        {"label": "State", "value": STATES[state], "options": states},
    ]


def _project_pick(reader: Reader, project: Project | None, path: str, more: dict[str, object]) -> dict[str, object]:
    options = [Option("all", address(path, more), project is None)]
    options += [
        Option(one.name, address(path, {"project": one.slug} | more), one == project)
        for one in reader.projects.values()
    ]
    return {"label": "Project", "value": project.name if project else "all", "options": options}
