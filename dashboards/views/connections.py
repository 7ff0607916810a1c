"""Connections: which sources bring usage by themselves, one of them, and what an admin does with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboards import access, audit
from dashboards.pages import connections as pages
from dashboards.pages.imports import run_of
from dashboards.views import member_page
from dashboards.views.import_access import role_in, target
from usage import assignments, connections, ingest, tasks
from usage.connections import Refused
from usage.importers import all_importers
from usage.models import Connection, ImportBatch, Organisation
from usage.pulling import asking

LATEST_PULLS = 30
LATEST_RUNS = 15


# What there is


@require_safe
@member_page
def connection_list(request: HttpRequest) -> HttpResponse:
    organisation, role = role_in(request)
    live = list(Connection.objects.live().filter(organisation=organisation).order_by("name", "pk"))
    found = [_shown(connection) for connection in live]
    files = _fed_by_files(organisation)
    context = {
        "organisation": organisation,
        "is_admin": role == "admin",
        "found": found,
        "files": files,
        "finding": pages.finding(found, len(files)),
        "is_busy": any(one.is_busy for one in found),
    }
    return render(request, "dashboards/connections.html", context)


def _shown(connection: Connection) -> pages.Shown:
    pull = connection.pulls.order_by("-created_at", "-pk").first()
    is_held = pull is not None and any(ingest.may_be_accepted(batch) for batch in pull.batches.filter(status="held"))
    return pages.shown(connection, _name(connection), pull, is_held=is_held)


def _name(connection: Connection) -> str:
    api = connections.available().get(connection.importer)
    importer = all_importers().get(connection.importer)
    return api.NAME if api else importer.NAME if importer else connection.importer


def _fed_by_files(organisation: Organisation) -> list[dict[str, Any]]:
    rows: Any = (
        Connection.objects.filter(organisation=organisation, credential="")
        .annotate(runs=Count("batches"), last_at=Max("batches__finished_at"), last=Max("batches__pk"))
        .filter(runs__gt=0)
        .order_by("-last_at", "importer", "scope")
    )
    return [
        {"what": _name(one), "scope": one.scope, "runs": one.runs, "last_at": one.last_at, "last": one.last}
        for one in rows
    ]


@require_safe
@member_page
def connection(request: HttpRequest, number: int) -> HttpResponse:
    """One connection with its pulls and imports; what may be changed only for admins."""
    found, role = _connection(request, number)
    return _page(request, found, role)


def _page(
    request: HttpRequest, found: Connection, role: str, error: str = "", tested: str | None = None, status: int = 200
) -> HttpResponse:
    api = connections.api_of(found)
    one = _shown(found)
    pulls = found.pulls.prefetch_related("batches").order_by("-created_at", "-pk")[:LATEST_PULLS]
    runs = ImportBatch.objects.filter(connection=found).select_related("connection").order_by("-created_at", "-pk")
    context = {
        "organisation": found.organisation,
        "one": one,
        "connection": found,
        "api": api,
        "finding": pages.finding_of_one(one),
        "is_admin": role == "admin",
        "pulls": [{"pull": pull, "words": pages.pull_words(pull)} for pull in pulls],
        "runs": [run_of(batch, _name(found)) for batch in runs[:LATEST_RUNS]],
        "base_url": asking.base_url(found, api),
        "groups": _groups(api, asking.group_by(found, api)),
        "account": request.POST.get("account", found.account) if error else found.account,
        "accounts": assignments.accounts_of(found.organisation),
        "schedules": pages.SCHEDULES,
        "asked": request.POST if error else {},
        "error": error,
        "tested": tested,
    }
    return render(request, "dashboards/connection.html", context, status=status)


def _groups(api: Any, chosen: list[str]) -> list[dict[str, Any]]:
    return [{"name": name, "is_chosen": name in chosen} for name in api.GROUPS]


def _connection(request: HttpRequest, number: int, least: str = "viewer") -> tuple[Connection, str]:
    """A live connection of the reader's organisation, and their role in it; 404 for anybody else."""
    organisation, role = role_in(request)
    access.require(request.user, least, organisation)
    found = get_object_or_404(Connection.objects.live().select_related("organisation"), pk=number,
                              organisation=organisation)  # fmt: skip
    if found.importer not in connections.available():
        raise Http404("No such page")
    return found, role


# A new one


@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
@member_page
def connect(request: HttpRequest) -> HttpResponse:
    """Which source, which key, which permission; the key is tried before it is kept, unless a person says otherwise."""
    organisation, role = role_in(request)
    if role != "admin":
        raise Http404("No such page")
    slug = request.POST.get("api") or request.GET.get("api") or ""
    api = connections.available().get(slug)
    if slug and api is None:
        raise Http404("No such source")
    if request.method != "POST" or api is None:
        return _form(request, organisation, api)
    try:
        with transaction.atomic():
            into = target(request)
            access.require(request.user, "admin", into)
            made = connections.connect(into, slug, request.POST.get("name", ""), request.POST.get("key", ""),
                                       **_changes(request, api), first_days=_number(request, "first_days"))  # fmt: skip
            if "untested" not in request.POST and (missing := asking.check(made)):
                raise Refused(missing)
            _name_account(request, made)
            audit.record(request.user, "connected a source", made.name, after=_told(made), organisation=into)
            pull = connections.start(made, requested_by=str(request.user))
            transaction.on_commit(lambda: tasks.pull.delay(pull.pk))
    except (Refused, ingest.Refused) as fault:
        return _form(request, organisation, api, str(fault), status=422)
    if into != access.current_organisation(request):
        access.choose_organisation(request, str(into.pk))
    messages.success(request, f"{made.name} is connected; its first pull has begun.")
    return redirect("connection", made.pk)


def _form(
    request: HttpRequest, organisation: Organisation, api: Any, error: str = "", status: int = 200
) -> HttpResponse:
    asked = request.POST
    context = {
        "organisation": organisation,
        "apis": connections.available(),
        "api": api,
        "error": error,
        "asked": asked,
        "account": asked.get("account", ""),
        "accounts": assignments.accounts_of(organisation),
        "first_days": asked.get("first_days") or (min(30, api.BACK) if api else 30),
        "groups": _groups(api, asked.getlist("group_by") if error else list(api.GROUPED)) if api else [],
        "schedules": pages.SCHEDULES,
        "schedule": asked.get("schedule", "daily"),
    }
    return render(request, "dashboards/connection_new.html", context, status=status)


def _changes(request: HttpRequest, api: Any) -> dict[str, Any]:
    """What the form says of a connection but its name, key and first pull."""
    settings: dict[str, Any] = {"base_url": request.POST.get("base_url", "")}
    if api.GROUPS:
        settings["group_by"] = request.POST.getlist("group_by")
    return {
        "settings": settings,
        "schedule": request.POST.get("schedule", ""),
        "repull_days": _number(request, "repull_days"),
    }


def _name_account(request: HttpRequest, connection: Connection) -> None:
    """Says who pays, where the form does: what its feed tells competes with others of that account."""
    account = request.POST.get("account", connection.account).replace("\0", "").strip()
    if len(account) > 120 or not account.isprintable():
        raise Refused("Name the billing account in at most 120 characters, or leave it empty.")
    if account != connection.account:
        assignments.name_account(connection, account)


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise Refused("Write days as a whole number.")
    return int(text)


def _told(connection: Connection) -> dict[str, Any]:
    """What the audit log keeps of a connection; never its key."""
    return {
        "name": connection.name,
        "source": connection.importer,
        "account": connection.account,
        "timetable": connection.schedule,
        "asks again for days": connection.repull_days,
        **connection.settings,
    }


# What an admin does with it


def _act(view: Callable[[HttpRequest, Connection], HttpResponse]) -> Callable[..., HttpResponse]:
    """A POST by an admin of the organisation to one of its connections; a refusal is shown on its page."""

    def acted(request: HttpRequest, number: int) -> HttpResponse:
        found, role = _connection(request, number, "admin")
        try:
            return view(request, found)
        except Refused as fault:
            found.refresh_from_db()
            return _page(request, found, role, str(fault), status=422)

    return require_POST(csrf_protect(member_page(acted)))


@_act
def change(request: HttpRequest, found: Connection) -> HttpResponse:
    before = _told(found)
    key = request.POST.get("key", "").strip()
    with transaction.atomic():
        connections.change(found, key=key, name=request.POST.get("name", ""),
                           **_changes(request, connections.api_of(found)))  # fmt: skip
        _name_account(request, found)
        after = _told(found) | ({"key": "a new one"} if key else {})
        audit.record(request.user, "changed a connection", found.name, before, after, found.organisation)
    messages.success(request, f"{found.name} is changed.")
    return redirect("connection", found.pk)


@_act
def pull(request: HttpRequest, found: Connection) -> HttpResponse:
    days = _number(request, "days") if request.POST.get("days") else None
    with transaction.atomic():
        begun = connections.start(found, days, str(request.user))
        told = {"from": f"{begun.window_from:%Y-%m-%d}", "until": f"{begun.window_until:%Y-%m-%d}"}
        audit.record(request.user, "pulled a connection", found.name, after=told, organisation=found.organisation)
        transaction.on_commit(lambda: tasks.pull.delay(begun.pk))
    return redirect("connection", found.pk)


@_act
def check(request: HttpRequest, found: Connection) -> HttpResponse:
    """Asks for the last complete day; says that it answers, or which permission is missing."""
    return _page(request, found, "admin", tested=asking.check(found))


@_act
def pause(request: HttpRequest, found: Connection) -> HttpResponse:
    paused = request.POST.get("paused") == "yes"
    with transaction.atomic():
        connections.pause(found, paused=paused)
        action = "paused a connection" if paused else "resumed a connection"
        audit.record(request.user, action, found.name, organisation=found.organisation)
    return redirect("connection", found.pk)


@_act
def disconnect(request: HttpRequest, found: Connection) -> HttpResponse:
    if request.POST.get("sure") != "yes":
        raise Refused("Tick the box to remove the connection; nothing was removed.")
    with transaction.atomic():
        audit.record(request.user, "removed a connection", found.name, _told(found), organisation=found.organisation)
        connections.disconnect(found)
    messages.success(request, f"{found.name} is removed and its key forgotten. The usage it brought stays.")
    return redirect("connections")
