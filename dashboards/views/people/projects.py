"""The organisation's projects: made, renamed, given an owner and a cost centre, archived. For its admins."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from dashboards import audit, proposals
from dashboards.views import member_page
from dashboards.views.people import administered, settings_page
from usage import organisations
from usage.models import Project

FIELDS = {"name": 200, "owner": 254, "cost_centre": 120}


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def projects(request: HttpRequest) -> HttpResponse:
    """Every project, archived ones last; a new one by POST."""
    organisation = administered(request)
    if request.method != "POST":
        return _page(request)
    sent, wrong = _sent(request)
    if wrong:
        return _page(request, wrong, sent)
    with transaction.atomic():
        slug = organisations.free_project_slug(organisation, sent["name"])
        made = organisations.create_project(organisation, sent["name"], slug, **_but_name(sent))
        audit.record(request.user, "made a project", made, None, sent | {"slug": slug}, organisation)
    messages.success(request, f"The project “{made}” is made. A rule says which usage it has.")
    return redirect("settings-projects")


@require_POST
@member_page
def change(request: HttpRequest, number: int) -> HttpResponse:
    """Another name, owner, cost centre or margin; or archived, or back again."""
    organisation = administered(request)
    project = get_object_or_404(Project, organisation=organisation, pk=number)
    before: dict[str, Any] = {name: getattr(project, name) for name in FIELDS}
    before |= {"archived": project.archived_at is not None, "evaluation_margin": str(project.evaluation_margin)}
    do = request.POST.get("do", "save")
    if do in {"archive", "restore"}:
        after = before | {"archived": do == "archive"}
        fields: dict[str, Any] = {"archived_at": timezone.now() if do == "archive" else None}
    else:
        sent, wrong = _sent(request)
        margin, wrong_margin = _margin(request, project)
        if wrong or wrong_margin:
            return _page(request, wrong or wrong_margin)
        after = before | sent | {"evaluation_margin": str(margin)}
        fields = sent | {"evaluation_margin": margin}
    with transaction.atomic():
        organisations.change_project(project, **fields)
        if project.archived_at is not None:
            proposals.set_aside(project)
        audit.record(request.user, "changed a project", project, before, after, organisation)
    messages.success(
        request, {"archive": f"“{project}” is archived.", "restore": f"“{project}” is back."}.get(do, "Saved.")
    )
    return redirect("settings-projects")


def _sent(request: HttpRequest) -> tuple[dict[str, str], str]:
    """The fields that were sent, and what is wrong with them."""
    sent = {
        name: " ".join(request.POST.get(name, "").replace("\0", "").split())[:most] for name, most in FIELDS.items()
    }
    if not sent["name"]:
        return sent, "Write the project’s name."
    if sent["owner"]:
        try:
            validate_email(sent["owner"])
        except ValidationError:
            return sent, "The owner is an e-mail address: write name@example.org, or nothing."
    return sent, ""


def _margin(request: HttpRequest, project: Project) -> tuple[Decimal, str]:
    """The margin that was sent, in points of 100, as a share; what stands where none was; what is wrong with it."""
    said = request.POST.get("evaluation_margin", "").strip()[:12]
    if not said:
        return project.evaluation_margin, ""
    try:
        found = Decimal(said.replace(",", ".")) / 100
    except InvalidOperation:
        found = Decimal(0)
    if not (found.is_finite() and Decimal("0.0001") <= found < 1):
        return project.evaluation_margin, "The margin is a number of points between 0.01 and 100, such as 3."
    return found.quantize(Decimal("1e-4")), ""


def _but_name(sent: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in sent.items() if name != "name"}


def _page(request: HttpRequest, wrong: str = "", sent: dict[str, str] | None = None) -> HttpResponse:
    found = list(Project.objects.filter(organisation=administered(request)).order_by("name"))
    live = [one for one in found if one.archived_at is None]
    for one in found:
        one.margin_points = f"{(one.evaluation_margin * 100).normalize():f}"  # type: ignore[attr-defined]
    context = {
        "projects": [*live, *(one for one in found if one.archived_at is not None)],
        "live": len(live),
        "unowned": sum(not one.owner for one in live),
        "wrong": wrong,
        "sent": sent or {},
    }
    return settings_page(request, "settings/projects.html", context, 422 if wrong else 200)
