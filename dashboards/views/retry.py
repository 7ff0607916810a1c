"""Rejected lines of an import once more, without its file: by another mapping, or corrected by hand."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboards import audit
from dashboards.pages import imports as pages
from dashboards.views import member_page
from dashboards.views.import_run import batch_of
from dashboards.views.imports import columns_context
from dashboards.views.spend import csv_response
from usage.importers import all_importers
from usage.ingest import Refused, retrying
from usage.models import ColumnMapping, ImportBatch


@require_safe
@member_page
def rejected_file(request: HttpRequest, number: int) -> HttpResponse:
    """The rejected lines as a file to correct, with what was kept of each and why it was rejected."""
    batch = _mine(request, number)
    lines, columns = retrying.lines_of(batch), retrying.columns_of(batch)
    if batch.connection.importer != "jsonl":
        head = [retrying.MARK, retrying.WHY, *columns]
        rows = ([str(line.number), line.reason, *(line.cells.get(name, "") for name in columns)] for line in lines)
        return csv_response(f"rejected-lines-{number}", head, rows)
    text = "".join(
        json.dumps({retrying.MARK: line.number, retrying.WHY: line.reason, **line.cells}, ensure_ascii=False) + "\n"
        for line in lines
    )
    response = HttpResponse(text, content_type="application/x-ndjson; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rejected-lines-{number}.jsonl"'
    return response


@require_POST
@csrf_protect
@member_page
def retry(request: HttpRequest, number: int) -> HttpResponse:
    """Imports the rejected lines again by the mapping as it is now, as they were or as the file corrects them."""
    batch, file = _mine(request, number), request.FILES.get("file")
    if "corrected" in request.POST and not isinstance(file, UploadedFile):
        messages.error(request, "Choose the file of rejected lines that you corrected.")
        return redirect("import-run", number)
    try:
        made = _retried(request, batch, batch.mapping or batch.mapping_spec, file)
    except Refused as fault:
        messages.error(request, str(fault))
        return redirect("import-run", number)
    return redirect("import-run", made.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
@member_page
def mapping(request: HttpRequest, number: int) -> HttpResponse:
    """What the columns of the rejected lines mean; saving another mapping imports them by it."""
    batch = _mine(request, number)
    lines, columns = retrying.lines_of(batch), retrying.columns_of(batch)
    if not lines:
        messages.warning(request, "None of the rejected lines can be imported from what was kept of them.")
        return redirect("import-run", number)
    stood: dict[str, Any] = (batch.mapping.spec if batch.mapping else batch.mapping_spec) or {}
    values = {name: value for name, value in request.POST.items() if isinstance(value, str)}
    if request.method != "POST":
        defaults = {"time_format": "iso", "time_zone": "UTC", "name": batch.mapping.name if batch.mapping else ""}
        values = defaults | pages.form_values(stood)
    spec = pages.changed(stood, values)
    importer: Any = all_importers()[batch.connection.importer]
    written = retrying.document(batch, lines, columns, str(stood.get("delimiter") or ",")).splitlines(keepends=True)
    seen, error = pages.preview(written, columns, spec, importer), ""
    if "import" in request.POST and not seen.faults:
        found = _saved_and_retried(request, batch, values.get("name", "").strip(), spec)
        if isinstance(found, ImportBatch):
            return redirect("import-run", found.pk)
        error = found
    context = columns_context(columns, importer.first_values(written), values, seen) | {
        "waiting": {"name": f"rejected lines of import {number}", "scope": batch.connection.scope},
        "error": error,
        "organisation": batch.organisation,
        "retried": batch,
    }
    wrong = bool(error) or (request.method == "POST" and bool(seen.faults))
    return render(request, "dashboards/import_columns.html", context, status=422 if wrong else 200)


def _saved_and_retried(request: HttpRequest, batch: ImportBatch, name: str, spec: dict[str, Any]) -> ImportBatch | str:
    """The import of the lines by a mapping that is saved with it, or a sentence where neither can be."""
    if not name or len(name) > 120:
        return "Give the mapping a name of at most 120 characters, to use it again."
    try:
        with transaction.atomic():
            mappings = ColumnMapping.objects.filter(organisation=batch.organisation)
            stood = mappings.filter(name=name).values_list("spec", flat=True).first()
            saved, _ = mappings.update_or_create(
                name=name, defaults={"spec": spec}, create_defaults={"organisation": batch.organisation, "spec": spec}
            )
            if stood != spec:
                audit.record(request.user, "saved a column mapping", name, stood, spec, batch.organisation)
            return _retried(request, batch, saved)
    except Refused as fault:
        return str(fault)


def _retried(
    request: HttpRequest,
    batch: ImportBatch,
    by: ColumnMapping | dict[str, Any] | None,
    corrected: UploadedFile[Any] | None = None,
) -> ImportBatch:
    with transaction.atomic():
        found = retrying.retry(batch, by, str(request.user), corrected)
        told = {"of": batch.pk, "run": found.batch.pk, "speaks for": batch.connection.scope}
        audit.record(request.user, "retried rejected lines", f"run {batch.pk}", after=told,
                     organisation=batch.organisation)  # fmt: skip
    if found.left_out:
        lines = "line shares" if found.left_out == 1 else "lines share"
        messages.warning(
            request,
            f"{found.left_out} rejected {lines} time and names with a row of the ledger and nothing tells them apart:"
            " import the whole file for them, or give the rows an id.",
        )
    return found.batch


def _mine(request: HttpRequest, number: int) -> ImportBatch:
    """A finished import of columns, for whoever may add one."""
    batch, role = batch_of(request, number)
    if role == "viewer" or not retrying.columns_of(batch):
        raise Http404("Nothing to retry")
    return batch
