"""What people change of evaluations: files read, runs taken away, names given a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from dashboards import access, audit
from dashboards.pages.evaluations import ask as asks
from dashboards.pages.evaluations.names import named, refs
from dashboards.views import member_page, role_page
from dashboards.views.evaluations import page, run_of, uploadable
from dashboards.views.spend import csv_response, reader_or_404
from pricing.models import LanguageModel
from usage import evaluations
from usage.evaluation_formats import Source, Unreadable
from usage.evaluation_points import Suite
from usage.models import EvaluatedName, EvaluationRun

LARGEST = 64 << 20
"""Bytes of an upload, read while the browser waits; the command takes files of any size."""
OVERHEAD = 1 << 16


@csrf_exempt  # looks at the length before anything is read; the upload itself is protected below
@require_POST
@member_page
def upload(request: HttpRequest) -> HttpResponse:
    """Read files into a project."""
    reader = reader_or_404(request)
    mine = uploadable(request, reader)
    if not mine:
        access.require(request.user, "member", reader.organisation)
    most = min(LARGEST, settings.MAX_UPLOAD)
    if int(request.META.get("CONTENT_LENGTH") or 0) > most + OVERHEAD:
        said = f"The files are larger than {most >> 20} MiB together: read them with manage.py import_evaluation."
        return page(request, {"files": said}, status=413)
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    return _upload(request)


@csrf_protect
def _upload(request: HttpRequest) -> HttpResponse:
    reader = reader_or_404(request)
    sent = {name: request.POST.get(name, "").replace("\0", "")[:200] for name in ("project", "format", "suite")}
    mine = uploadable(request, reader)
    project = next((one for one in mine if one.slug == sent["project"]), None)
    if project is None:
        return page(request, {"project": "Choose one of the projects you are a member of."}, sent, 422)
    files = [one for one in request.FILES.getlist("files") if isinstance(one, UploadedFile)]
    try:
        with transaction.atomic():
            found = evaluations.import_sources(
                project, sent["format"], [_source(one) for one in files], who=str(request.user), suite=sent["suite"]
            )
            told = {outcome.value: found.count(outcome) for outcome in evaluations.Outcome}
            names = ", ".join(Path(one.name or "").name for one in files[:3])
            audit.record(request.user, "read evaluations", names, after=told | {"project": project.slug},
                         organisation=reader.organisation)  # fmt: skip
    except Unreadable as fault:
        return page(request, {"files": str(fault)}, sent, 422)
    left = sum(found.left_out.values())
    messages.success(
        request,
        ", ".join(f"{count:,} {outcome}" for outcome, count in told.items() if count)
        + f" {'run' if len(found.runs) == 1 else 'runs'} in {project}"
        + (f"; {left:,} answers or measures are left out." if left else "."),
    )
    first = found.runs[0]
    return redirect(asks.suite_url(Suite(project.slug, first.suite, first.facts.task, first.facts.metric)))


def _source(upload: UploadedFile[Any]) -> Source:
    path = Path(upload.temporary_file_path())  # type: ignore[attr-defined]
    return Source(Path(upload.name or "file").name[:200], lambda: path.open("rb"))


@require_POST
@member_page
def remove(request: HttpRequest, number: int) -> HttpResponse:
    """Take a run away with its items."""
    run = run_of(request, number)
    before = {"suite": run.suite, "task": run.task, "measure": run.metric, "file": run.source_name, "items": run.items}
    project, name, organisation = run.project, run.raw_name, run.organisation
    with transaction.atomic():
        evaluations.remove_run(run)
        audit.record(
            request.user, "removed an evaluation", name, before | {"project": project.slug}, None, organisation
        )
    messages.success(request, f"The run of {name} on {before['suite']} is gone. Its file can be read again.")
    return redirect("evaluations")


# Names


@require_safe
@role_page("viewer")
def names(request: HttpRequest) -> HttpResponse:
    """Every name in the evaluations with the model it means and why."""
    return _names_page(request)


def _names_page(request: HttpRequest, wrong: str = "", asked: dict[str, str] | None = None) -> HttpResponse:
    reader = reader_or_404(request)
    runs = EvaluationRun.objects.seen(reader.organisation, None)
    decided = EvaluatedName.objects.filter(organisation=reader.organisation).select_related("model")
    rows = named(runs.names(), {one.raw_name: one for one in decided})
    if request.GET.get("format") == "csv":
        head = ("name", "model", "effort", "rule", "decided_by", "runs")
        return csv_response("evaluation-names", head, refs(rows))
    context = {
        "organisation": reader.organisation, "rows": rows, "open": sum(not row.model for row in rows), "wrong": wrong,
        "asked": asked or {}, "may_decide": access.may(request.user, "member", reader.organisation),
        "efforts": ("", "none", "minimal", "low", "medium", "high", "xhigh", "max"),
    }  # fmt: skip
    return render(request, "dashboards/evaluation_names.html", context, status=422 if wrong else 200)


@require_POST
@role_page("member")
def decide(request: HttpRequest) -> HttpResponse:
    """What a name means, by a person; or the decision taken back."""
    organisation = reader_or_404(request).organisation
    sent = {key: request.POST.get(key, "").replace("\0", "").strip()[:300] for key in ("name", "model", "effort", "do")}
    if not EvaluationRun.objects.filter(organisation=organisation, raw_name=sent["name"]).exists():
        return _names_page(request, "No evaluation has that name: choose one of the list.", sent)
    stood = (
        EvaluatedName.objects.filter(organisation=organisation, raw_name=sent["name"]).select_related("model").first()
    )
    before = None if stood is None else {"model": stood.model and stood.model.slug, "effort": stood.effort}
    with transaction.atomic():
        if sent["do"] == "forget":
            count, after = evaluations.forget_name(organisation, sent["name"]), None
        else:
            model = LanguageModel.objects.filter(slug=sent["model"]).first() if sent["model"] else None
            if sent["model"] and model is None:
                told = f"The catalogue has no model “{sent['model'][:80]}”: write its slug, as at /models."
                return _names_page(request, told, sent)
            count = evaluations.decide_name(organisation, sent["name"], model, sent["effort"][:60], str(request.user))
            after = {"model": sent["model"] or None, "effort": sent["effort"]}
        audit.record(request.user, "decided on a name", sent["name"], before, after, organisation)
    messages.success(request, f"“{sent['name']}”: {count:,} {'run is' if count == 1 else 'runs are'} named so.")
    return redirect("evaluation-names")
