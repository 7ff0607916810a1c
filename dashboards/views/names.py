"""The directory of names at `/rules/names`: what ids of keys, projects, people and teams are called, and when."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from dashboards import access, audit
from dashboards.views import role_page
from usage import directory
from usage.directory import DirectoryFault
from usage.models import DirectoryEntry, Organisation

PAGE = 100
LARGEST = 4 << 20
"""Bytes of a table of names."""


@require_http_methods(["GET", "HEAD", "POST"])
@role_page("viewer")
def names(request: HttpRequest) -> HttpResponse:
    """The names there are; a table of more, written or chosen as a file, is taken in."""
    organisation = _organisation(request)
    wrong, text = "", ""
    if request.method == "POST":
        access.require(request.user, "admin", organisation)
        text = request.POST.get("table", "")
        try:
            found = directory.read(_table(request))
            with transaction.atomic():
                changed = directory.put(organisation, found)
                after = {"lines": len(found), "changed": changed}
                audit.record(request.user, "changed names of ids", organisation, None, after, organisation)
        except DirectoryFault as fault:
            wrong = str(fault)
        else:
            noun = "name is" if changed == 1 else "names are"
            messages.success(request, f"{changed} {noun} new or changed, and usage is attributed by them.")
            return redirect("names")
    entries = DirectoryEntry.objects.filter(organisation=organisation)
    if query := request.GET.get("q", "").replace("\0", "").strip():
        entries = entries.filter(name__icontains=query) | entries.filter(external_id__icontains=query)
    shown = Paginator(entries.order_by("kind", "name", "external_id", "valid_from"), PAGE)
    return render(
        request,
        "dashboards/names.html",
        {
            "organisation": organisation,
            "entries": shown.get_page(request.GET.get("page")),
            "count": shown.count,
            "query": query,
            "wrong": wrong,
            "text": text,
            "kinds": ", ".join(DirectoryEntry.Kind.values),
            "may_edit": access.may(request.user, "admin", organisation),
        },
        status=422 if wrong else 200,
    )


@require_POST
@role_page("admin")
def remove(request: HttpRequest, number: int) -> HttpResponse:
    """Take a name away."""
    organisation = _organisation(request)
    one = get_object_or_404(DirectoryEntry, organisation=organisation, pk=number)
    before = {"kind": one.kind, "id": one.external_id, "name": one.name}
    with transaction.atomic():
        directory.remove(one)
        audit.record(request.user, "removed a name of an id", before["name"], before, None, organisation)
    messages.success(request, f"“{before['name']}” is removed.")
    return redirect("names")


def _table(request: HttpRequest) -> str:
    file = request.FILES.get("file")
    if file is None:
        return request.POST.get("table", "")
    if (file.size or 0) > LARGEST:
        raise DirectoryFault("The file is larger than 4 MB: send it in parts.")
    try:
        return bytes(file.read()).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DirectoryFault("The file is no UTF-8 text: save it as CSV in UTF-8.") from None


def _organisation(request: HttpRequest) -> Organisation:
    found = access.current_organisation(request)
    if found is None:
        raise Http404("No such page")
    return found
