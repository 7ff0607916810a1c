"""Imports: upload, the columns of a file, the reader's own transcripts, runs and what was rejected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboards import access, audit, staging
from dashboards.pages import imports as pages
from dashboards.pages.imports import Run, run_of
from dashboards.views import member_page
from dashboards.views.import_access import may_import, role_in, target
from usage import ingest, organisations
from usage.importers import Importer, all_importers
from usage.importers.csv import MappingError
from usage.ingest import Refused
from usage.models import ColumnMapping, ImportBatch, Organisation

LATEST = 30
REJECTED_ROWS = 50
OVERHEAD = 1 << 16  # what a form adds around its file
WAITING = "waiting_upload"
LOCAL = {"localhost", "127.0.0.1", "::1"}
BILLED_BY = {"api": "by the API, per token", "subscription": "by a subscription: notional, in no total"}


@csrf_exempt  # looks at the length before anything is read; the upload itself is protected below
@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def imports(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        if access.current_organisation(request) is None:
            return render(request, "dashboards/overview_nothing.html", {"organisation": None})
        return _page(request)
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.MAX_UPLOAD + OVERHEAD:
        may_import(request)
        return _page(request, {"file": _too_large()}, status=413)
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    return _upload(request)


@csrf_protect
def _upload(request: HttpRequest) -> HttpResponse:
    """Queue the upload and show its run; a file of columns without a mapping goes on to what they mean."""
    organisation, _ = may_import(request)
    upload, slug, scope = request.FILES.get("file"), request.POST.get("importer", ""), request.POST.get("scope", "")
    errors = {}
    importer = all_importers().get(slug)
    if importer is None:
        errors["importer"] = f"There is no importer “{slug[:40]}”: choose one of the list."
    if not isinstance(upload, UploadedFile):
        errors["file"] = "Choose a file to import."
    if not scope.strip():
        errors["scope"] = "Say what the file speaks for: a machine, an account or an export."
    if errors or importer is None or not isinstance(upload, UploadedFile):
        return _page(request, errors, status=422)
    try:
        mapping = _chosen_mapping(request, organisation) if importer.MAPPED else _billing(request, importer)
        if importer.MAPPED and mapping is None:
            return _stage(request, upload, scope, slug)
        who = str(request.user)
        accepted = request.POST.get("accept") == "yes"
        batch = _queued(request, lambda to: ingest.start_upload(to, slug, upload, scope, mapping, who, accepted))
    except Refused as fault:
        return _page(request, {"file": str(fault)}, status=413 if "larger than" in str(fault) else 422)
    return redirect("import-run", batch.pk)


def _queued(request: HttpRequest, start: Callable[[Organisation], ImportBatch]) -> ImportBatch:
    """Starts an import in the organisation it belongs to and shows that one; a refusal leaves nothing made."""
    with transaction.atomic():
        into = target(request)
        batch = start(into)
        told = {"importer": batch.connection.importer, "speaks for": batch.connection.scope, "run": batch.pk}
        files = ", ".join(Path(one["origin"]).name for one in batch.files[:3]) or "nothing"
        audit.record(request.user, "started an import", files, after=told, organisation=into)
    if into != access.current_organisation(request):
        access.choose_organisation(request, str(into.pk))
    return batch


def _billing(request: HttpRequest, importer: Importer) -> dict[str, str] | None:
    """Who pays for the tokens, where that is a question for this importer."""
    chosen = request.POST.get("billing", "")
    asks = "billing" in getattr(importer, "SETTINGS", ())
    return {"billing": chosen} if asks and chosen in BILLED_BY else None


def _chosen_mapping(request: HttpRequest, organisation: Organisation) -> ColumnMapping | None:
    chosen = request.POST.get("mapping", "")
    if not chosen:
        return None
    found = ColumnMapping.objects.filter(organisation=organisation, name=chosen).first()
    if found is None:
        raise Refused(f"There is no mapping “{chosen[:60]}”: choose one of the list, or make one from the header.")
    return found


def _stage(request: HttpRequest, upload: UploadedFile[Any], scope: str, slug: str) -> HttpResponse:
    if waiting := request.session.get(WAITING):
        staging.drop(waiting["token"])
    token = staging.keep(upload)
    name = Path(upload.name or "upload.csv").name[:200]
    try:
        _mapped(slug).read_header(_first_lines(token))
    except MappingError as fault:
        staging.drop(token)
        raise Refused(str(fault)) from None
    request.session[WAITING] = {"token": token, "name": name, "scope": scope.strip()[:200], "importer": slug}
    return redirect("import-columns")


def _mapped(slug: str) -> Any:
    """The importer of a file with columns, which also reads its header and suggests what they mean."""
    return all_importers()[slug if slug in all_importers() else "csv"]


def _too_large() -> str:
    return f"The file is larger than {settings.MAX_UPLOAD >> 20} MiB: split it, or set RATECARD_MAX_UPLOAD."


def _first_lines(token: str, count: int = 60) -> list[bytes]:
    path = staging.path_of(token)
    if path is None:
        return []
    with path.open("rb") as file:
        return [line for _ in range(count) if (line := file.readline(1 << 20))]


def _page(request: HttpRequest, errors: dict[str, str] | None = None, status: int = 200) -> HttpResponse:
    organisation, role = role_in(request)
    runs = _runs(organisation)
    importers = all_importers()
    asked = request.POST if errors and status != 413 else {}
    context = {
        "organisation": organisation,
        "runs": runs,
        "is_busy": any(run.is_open for run in runs),
        "may_import": role != "viewer",
        "is_admin": role == "admin",
        "errors": errors or {},
        "asked": asked,
        "importers": [{"slug": slug, "name": one.NAME} for slug, one in importers.items()],
        "mappings": list(
            ColumnMapping.objects.filter(organisation=organisation).order_by("name").values_list("name", flat=True)
        ),
        "billed_by": BILLED_BY,
        "max_upload": f"{settings.MAX_UPLOAD >> 20} MiB",
        "transcripts": own_transcripts() if role == "admin" else None,
    }
    return render(request, "dashboards/imports.html", context, status=status)


def _runs(organisation: Organisation) -> list[Run]:
    names = {slug: one.NAME for slug, one in all_importers().items()}
    batches = ImportBatch.objects.filter(organisation=organisation).select_related("connection")
    return [
        run_of(batch, names.get(batch.connection.importer, batch.connection.importer))
        for batch in batches.order_by("-created_at", "-pk")[:LATEST]
    ]


@require_safe
@member_page
def runs(request: HttpRequest) -> HttpResponse:
    """The table of runs alone, which asks for itself again while one of them goes on."""
    organisation, _ = role_in(request)
    found = _runs(organisation)
    return render(request, "dashboards/import_runs.html", {"runs": found, "is_busy": any(run.is_open for run in found)})


# The columns of a file


@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
@member_page
def columns(request: HttpRequest) -> HttpResponse:
    """What each column means: suggested from the header, checked on the first rows, then saved and used."""
    organisation, _ = may_import(request)
    waiting = request.session.get(WAITING) or {}
    lines = _first_lines(waiting.get("token", ""))
    if not lines:
        messages.warning(request, "That file is no longer here: choose it again.")
        return redirect("imports")
    importer = _mapped(waiting.get("importer", "csv"))
    header = importer.read_header(lines)
    if request.method == "POST":
        values = {name: value for name, value in request.POST.items() if isinstance(value, str)}
    else:
        values = {"time_format": "iso", "time_zone": "UTC", **pages.form_values(importer.suggest_mapping(header))}
        values["name"] = Path(waiting["name"]).stem[:80]
    spec = pages.spec_of(values)
    seen = pages.preview(lines, header, spec, importer)
    error = ""
    if request.method == "POST" and "import" in request.POST:
        error = _save_and_start(request, waiting, spec, values.get("name", "").strip()) if not seen.faults else ""
        if not error and not seen.faults:
            return redirect("import-run", request.session.pop("started_run"))
    wrong = bool(error) or (request.method == "POST" and bool(seen.faults))
    context = columns_context(header, importer.first_values(lines), values, seen) | {
        "waiting": waiting,
        "error": error,
        "organisation": organisation,
    }
    return render(request, "dashboards/import_columns.html", context, status=422 if wrong else 200)


def columns_context(
    header: Sequence[str], sample: dict[str, str], values: dict[str, str], seen: pages.Preview
) -> dict[str, Any]:
    """The form that says what columns mean, filled in, with how the first rows read by it."""
    return {
        "header": header,
        "sample": sample,
        "groups": [
            (
                title,
                [{"name": f"column_{field}", "label": label, "value": values.get(f"column_{field}", "")}
                 for field, label in fields],
            )
            for title, fields in pages.GROUPS
        ],
        "choices": [
            {"name": name, "label": label, "value": values.get(name, ""), "options": options}
            for name, label, options in pages.CHOICES
        ],
        "texts": [
            {"name": name, "label": label, "hint": hint, "value": values.get(name, "")}
            for name, label, hint in pages.TEXTS
        ],
        "name": values.get("name", ""),
        "preview": seen,
    }  # fmt: skip


def _save_and_start(request: HttpRequest, waiting: dict[str, str], spec: dict[str, Any], name: str) -> str:
    """Saves the mapping under its name and queues the file; a sentence where that cannot be done."""
    if not name or len(name) > 120:
        return "Give the mapping a name of at most 120 characters, to use it again."

    def start(to: Organisation) -> ImportBatch:
        stood = ColumnMapping.objects.filter(organisation=to, name=name).values_list("spec", flat=True).first()
        mapping, _ = ColumnMapping.objects.update_or_create(organisation=to, name=name, defaults={"spec": spec})
        audit.record(request.user, "saved a column mapping", name, stood, spec, to)
        with staging.opened(waiting["token"], waiting["name"]) as file:
            return ingest.start_upload(
                to, waiting.get("importer", "csv"), file, waiting["scope"], mapping, str(request.user)
            )

    try:
        batch = _queued(request, start)
    except FileNotFoundError:
        return "That file is no longer here: choose it again."
    except Refused as fault:
        return str(fault)
    staging.drop(waiting["token"])
    request.session.pop(WAITING, None)
    request.session["started_run"] = batch.pk
    return ""


# The reader's own transcripts


def own_transcripts() -> dict[str, Any] | None:
    """The folder of Claude Code transcripts beside a local instance and how many there are; None elsewhere."""
    if urlsplit(settings.BASE_URL).hostname not in LOCAL:
        return None
    folder = Path.home() / ".claude" / "projects"
    try:
        files = sum(1 for _ in folder.rglob("*.jsonl")) if folder.is_dir() else 0
    except OSError:
        return None
    return {"folder": str(folder), "files": files} if files else None


@require_POST
@csrf_protect
@member_page
def transcripts(request: HttpRequest) -> HttpResponse:
    """One click: the transcripts of whoever runs this local instance. Only an administrator."""
    _, role = may_import(request)
    found = own_transcripts()
    if role != "admin" or found is None:
        raise Http404("No transcripts here")
    folders, billing, who = [found["folder"]], _billing(request, all_importers()["claude_code"]), str(request.user)
    try:
        batch = _queued(
            request, lambda to: ingest.start_paths(to, "claude_code", folders, "this machine", billing, who)
        )
    except Refused as fault:
        return _page(request, {"transcripts": str(fault)}, status=422)
    return redirect("import-run", batch.pk)


@require_POST
@csrf_protect
@member_page
def remove_sample(request: HttpRequest) -> HttpResponse:
    """Takes the sample workspace away; asks for its name first."""
    organisation, role = role_in(request)
    if role != "admin" or not organisation.is_sample:
        raise Http404("No sample here")
    if request.POST.get("sure") != "yes":
        return _page(request, {"sample": "Tick the box to remove the sample workspace; nothing was removed."}, 422)
    with transaction.atomic():
        organisations.remove_sample()
        audit.record(request.user, "removed the sample workspace", organisation, {"name": organisation.name})
    request.session.pop(access.SESSION_ORGANISATION, None)
    messages.success(request, "The sample workspace is gone. Your own imports are untouched.")
    return redirect("imports")
