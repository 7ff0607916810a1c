"""What a project needs of a model: read by advice, said by the project's admins."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from dashboards import access, audit
from dashboards.needs_forms import NeedsForm, written
from dashboards.views import member_page
from dashboards.views.people import settings_page
from usage import organisations
from usage.models import Project

QUALITY = ("quality_category", "quality_margin", "evaluation_margin", "quality_floor", "effort")
SELLERS = ("allowed_providers", "denied_providers", "regions", "retirement_horizon")


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def needs(request: HttpRequest, number: int) -> HttpResponse:
    """The form, and by POST what it says from now on."""
    project = _administered(request, number)
    before = written(project)
    form = NeedsForm(request.POST or None, initial=before)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            organisations.change_project(project, **form.cleaned_data)
            after = written(project)
            audit.record(request.user, "changed a project’s needs", project, before, after, project.organisation)
        messages.success(request, "Saved. The next advice, within a day, goes by it.")
        return redirect("project-needs", number)
    context = {
        "project": project, "form": form,
        "quality": [form[name] for name in QUALITY], "sellers": [form[name] for name in SELLERS],
    }  # fmt: skip
    return settings_page(request, "settings/needs.html", context, 422 if form.errors else 200)


def _administered(request: HttpRequest, number: int) -> Project:
    """A project for its admins; 404 for everybody else."""
    organisation = access.current_organisation(request)
    if organisation is None:
        raise Http404("No organisation")
    project = get_object_or_404(Project, organisation=organisation, pk=number)
    access.require(request.user, "admin", organisation, project)
    return project
