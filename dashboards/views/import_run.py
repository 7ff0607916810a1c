"""One import: what became of its lines, those that were rejected, and a second look at it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST, require_safe

from dashboards import audit
from dashboards.pages import imports as pages
from dashboards.pages.imports import run_of
from dashboards.views import member_page
from dashboards.views.import_access import role_in
from dashboards.views.spend import csv_response
from usage import connections, ingest, tasks
from usage.importers import all_importers
from usage.ingest import retrying
from usage.models import ImportBatch, RejectedRow

REJECTED_ROWS = 50


@require_safe
@member_page
def run(request: HttpRequest, number: int) -> HttpResponse:
    """What became of every line. `?part=progress` is the moving part alone."""
    batch, role = batch_of(request, number)
    shown = run_of(batch, all_importers()[batch.connection.importer].NAME)
    if request.GET.get("part") == "progress":
        response = render(request, "dashboards/import_progress.html", {"run": shown})
        if not shown.is_open:
            response["HX-Refresh"] = "true"
        return response
    rows = RejectedRow.objects.filter(batch=batch)
    right = Exists(rows.put_right().filter(pk=OuterRef("pk")))
    paginator: Paginator[Any] = Paginator(rows.annotate(right=right).order_by("origin", "line"), REJECTED_ROWS)
    is_retried = bool(batch.rejected) and bool(retrying.columns_of(batch))  # any other file is read again as a whole
    context = {
        "run": shown,
        "finding": pages.finding(shown),
        "page_obj": paginator.get_page(request.GET.get("page")) if shown.rejected else None,
        "batch": batch,
        "put_right": rows.put_right().count() if is_retried else None,
        "retry": len(retrying.lines_of(batch)) if is_retried and role != "viewer" else None,
        "second": _second_look(batch, role),
    }
    return render(request, "dashboards/import_run.html", context)


def _second_look(batch: ImportBatch, role: str) -> dict[str, Any] | None:
    """How a finished import can be read once more, and whether it can be accepted; None where there is nothing to."""
    wanting = batch.status in (ImportBatch.Status.HELD, ImportBatch.Status.FAILED) or bool(batch.rejected)
    if role == "viewer" or batch.status in ingest.OPEN or not wanting:
        return None
    halved = ingest.may_be_accepted(batch)
    if batch.pull_id is not None:
        return {"how": "pull", "halved": halved} if role == "admin" and batch.connection.is_live else None
    if ingest.may_be_read_again(batch):
        return {"how": "files", "halved": halved}
    billing = (batch.mapping_spec or {}).get("billing", "")
    # An upload is not kept: it is chosen again, and read by the mapping as it is now.
    return {"how": "upload", "halved": halved, "billing": billing} if batch.uploaded else None


@require_POST
@csrf_protect
@member_page
def again(request: HttpRequest, number: int) -> HttpResponse:
    """Reads the same files, or asks the API for the same time, once more; `accept=yes` as a person has looked at it."""
    batch, role = batch_of(request, number)
    accepted = request.POST.get("accept") == "yes"
    second = _second_look(batch, role)
    if second is None or second["how"] == "upload" or (accepted and not second["halved"]):
        raise Http404("Nothing to read again")
    action = "accepted a halved import" if accepted else "read an import again"
    who, organisation = str(request.user), batch.organisation
    try:
        with transaction.atomic():
            audit.record(request.user, action, f"run {batch.pk}", after={"of": batch.connection.scope},
                         organisation=organisation)  # fmt: skip
            if second["how"] == "files":
                return redirect("import-run", ingest.read_again(batch, who, accepted).pk)
            pull = connections.pull_again(batch, who, accepted)
            transaction.on_commit(lambda: tasks.pull.delay(pull.pk))
    except (ingest.Refused, connections.Refused) as fault:
        messages.error(request, str(fault))
        return redirect("import-run", batch.pk)
    return redirect("connection", batch.connection_id)


@require_safe
@member_page
def rejected(request: HttpRequest, number: int) -> HttpResponse:
    """Every rejected row with its line and reason, as CSV."""
    batch, _ = batch_of(request, number)
    rows: Iterable[tuple[object, ...]] = batch.rejected_rows.order_by("origin", "line").values_list(
        "origin", "line", "reason", "raw"
    )
    return csv_response(f"rejected-{number}", ["file", "line", "reason", "structure, without content"], rows)


def batch_of(request: HttpRequest, number: int) -> tuple[ImportBatch, str]:
    """An import of the reader's organisation and the role in it."""
    organisation, role = role_in(request)
    found: ImportBatch = get_object_or_404(
        ImportBatch.objects.select_related("connection", "organisation", "mapping"),
        pk=number,
        organisation=organisation,
    )
    return found, role
