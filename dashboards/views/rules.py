"""Rules of attribution at `/rules`: the list with what each catches, and the editor that shows what a change moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboards import access, audit, formatting
from dashboards.pages import rules as pages
from dashboards.views import role_page
from usage import assignments, organisations, previews
from usage.attribution import FIELDS, RuleFault
from usage.matches import Match, matches
from usage.models import AttributionRule, Connection, Organisation, Project

UNDO = "The audit log keeps how it was."


@require_safe
@role_page("viewer")
def rules(request: HttpRequest) -> HttpResponse:
    organisation = _organisation(request)
    caught = matches(organisation, timezone.now().date())
    names = _names(organisation)
    feeds = dict(_feeds(organisation))
    rows = [_row(place, rule, caught.get(rule.pk), names, feeds) for place, rule in enumerate(_rules(organisation), 1)]
    currency = organisation.display_currency
    loose = sum((_known(row["match"]) for row in rows if row["match"] and not row["rule"].outcome), Decimal(0))
    loose += _known(caught.get(None, Match()))
    whole = sum((_known(match) for match in caught.values()), Decimal(0))
    return render(request, "dashboards/rules.html", {
        "organisation": organisation,
        "rows": rows,
        "rest": caught.get(None),
        "currency": currency,
        "finding": pages.finding(len(rows), loose, whole, formatting.money_in_prose(loose, currency)),
        "share": formatting.share(whole - loose, whole) if whole else "",
        "may_edit": access.may(request.user, "admin", organisation),
    })  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@role_page("admin")
def new_rule(request: HttpRequest) -> HttpResponse:
    """A rule that is not there yet; its first condition may stand in the address."""
    organisation = _organisation(request)
    if request.method != "POST":
        place = AttributionRule.objects.filter(organisation=organisation).count() + 1
        return _editor(request, organisation, pages.prefilled(request.GET.dict(), place))
    return _sent(request, organisation, None)


@require_http_methods(["GET", "HEAD", "POST"])
@role_page("viewer")
def rule(request: HttpRequest, number: int) -> HttpResponse:
    """One rule: what it catches, and for admins its editor."""
    organisation = _organisation(request)
    one = get_object_or_404(AttributionRule, organisation=organisation, pk=number)
    if request.method != "POST":
        return _editor(request, organisation, pages.draft_from(one, _place(one)), one)
    access.require(request.user, "admin", organisation)
    return _sent(request, organisation, one)


@require_POST
@role_page("admin")
def move(request: HttpRequest, number: int) -> HttpResponse:
    """Ask a rule one place earlier or later."""
    one = _rule_or_404(request, number)
    before = _place(one)
    place = before + (1 if request.POST.get("to") == "down" else -1)
    with transaction.atomic():
        assignments.move_rule(one, place)
        _record(request, "moved a rule", one, {"place": before}, {"place": _place(one)})
    messages.success(request, f"“{one.name}” is asked as number {_place(one)} now.")
    return redirect("rules")


@require_POST
@role_page("admin")
def enable(request: HttpRequest, number: int) -> HttpResponse:
    """Ask a rule again, or no more."""
    one = _rule_or_404(request, number)
    before, wanted = one.enabled, request.POST.get("enabled") == "yes"
    with transaction.atomic():
        assignments.enable_rule(one, wanted)
        _record(request, "changed a rule", one, {"enabled": before}, {"enabled": wanted})
    messages.success(
        request, f"“{one.name}” is asked {'again' if wanted else 'no more; what it had falls to the next'}."
    )
    return redirect("rules")


def _sent(request: HttpRequest, organisation: Organisation, one: AttributionRule | None) -> HttpResponse:
    """What the editor's button asks for: more rows, a project, a preview, or the change itself."""
    draft, do = pages.draft_of(request.POST.dict()), request.POST.get("do", "preview")
    if do in {"remove", "preview-remove"} and one is not None:
        if do == "remove":
            return _removed(request, organisation, one)
        found = previews.preview(organisation, lambda: assignments.delete_rule(_again(one)))
        return _editor(request, organisation, draft, one, preview=found, removing=True)
    if do == "project":
        return _project_made(request, organisation, draft, one)
    if do == "rows":
        return _editor(request, organisation, draft, one, more=True)
    try:
        change = _change(organisation, pages.read(draft), draft, one)
        if do == "save" and request.POST.get("seen") == draft.fingerprint:
            return _saved(request, change, one)
        found = previews.preview(organisation, change)
    except RuleFault as fault:
        return _editor(request, organisation, draft, one, wrong=str(fault), status=422)
    return _editor(request, organisation, draft, one, preview=found)


def _change(
    organisation: Organisation, wanted: pages.Asked, draft: pages.Draft, one: AttributionRule | None
) -> Callable[[], AttributionRule]:
    """The change the form asks for, to be previewed or made."""

    def change() -> AttributionRule:
        current = _again(one) if one else None
        made = assignments.save_rule(
            organisation, name=wanted.name, conditions=wanted.conditions, shares=wanted.shares,
            valid_from=wanted.valid_from, valid_until=wanted.valid_until, rule=current, enabled=draft.enabled,
        )  # fmt: skip
        if wanted.place is not None and wanted.place != _place(made):
            assignments.move_rule(made, wanted.place)
        return made

    return change


def _saved(request: HttpRequest, change: Callable[[], AttributionRule], one: AttributionRule | None) -> HttpResponse:
    before = pages.told(one) if one else None
    with transaction.atomic():
        made = change()
        _record(request, "changed a rule" if one else "made a rule", made, before, pages.told(made))
    messages.success(request, f"“{made.name}” is saved, and all usage attributed by it. {UNDO}")
    return redirect("rules")


def _removed(request: HttpRequest, organisation: Organisation, one: AttributionRule) -> HttpResponse:
    before, name = pages.told(one), one.name
    with transaction.atomic():
        assignments.delete_rule(one)
        audit.record(request.user, "removed a rule", name, before, None, organisation)
    messages.success(request, f"“{name}” is removed; what it had falls to the next rule that holds. {UNDO}")
    return redirect("rules")


def _project_made(
    request: HttpRequest, organisation: Organisation, draft: pages.Draft, one: AttributionRule | None
) -> HttpResponse:
    """A project on the way: it stands in the form as if it had been chosen."""
    name = " ".join(request.POST.get("new_project", "").split())[:200]
    if not name:
        wrong = "Write the new project’s name first."
        return _editor(request, organisation, draft, one, wrong=wrong, status=422)
    slug = organisations.free_project_slug(organisation, name)
    with transaction.atomic():
        made = organisations.create_project(organisation, name, slug)
        audit.record(request.user, "made a project", made, None, {"name": name, "slug": slug}, organisation)
    shares = (*draft.shares, pages.ShareRow(str(made.pk), "" if draft.shares else "100"))
    messages.success(request, f"The project “{name}” is made.")
    return _editor(request, organisation, replace(draft, shares=shares), one)


def _editor(
    request: HttpRequest, organisation: Organisation, draft: pages.Draft, one: AttributionRule | None = None, *,
    wrong: str = "", preview: previews.Preview | None = None, removing: bool = False, more: bool = False,
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    conditions, shares = pages.padded(draft, more)
    names = _names(organisation)
    decided = previews.caught_by(organisation, one) if one and not preview else None
    context: dict[str, Any] = {
        "organisation": organisation,
        "currency": organisation.display_currency,
        "draft": draft,
        "rule": one,
        "conditions": list(enumerate(conditions)),
        "shares": [(n, row) for n, row in enumerate(shares)],
        "fields": _fields(organisation, draft),
        "comparisons": pages.COMPARISONS,
        "projects": _projects(organisation, {row.project for row in draft.shares}),
        "wrong": wrong,
        "preview": preview,
        "moves": [_move(one, names) for one in preview.moves] if preview else [],
        "removing": removing,
        "caught": decided,
        "caught_rows": _caught(decided.dearest) if decided else [],
        "would_catch": _caught(preview.caught.dearest) if preview else [],
        "words": pages.condition_words(one.conditions) if one else [],
        "outcome": pages.outcome_words(one.outcome, names, dict(_feeds(organisation))) if one else "",
        "feeds": _feeds(organisation),
        "may_edit": access.may(request.user, "admin", organisation),
    }
    return render(request, "dashboards/rule.html", context, status=status)


def _known(match: Match) -> Decimal:
    return match.spent or Decimal(0)


def _caught(found: Sequence[previews.Caught]) -> list[dict[str, Any]]:
    return [{"caught": one, "said": pages.said(one.dimension.told_by())} for one in found]


def _move(one: previews.Move, names: dict[int, str]) -> dict[str, Any]:
    source, target = (
        "Unattributed" if pk is None else names.get(pk, "a project") for pk in (one.source, one.target)
    )  # fmt: skip
    return {"move": one, "source": source, "target": target}


def _feeds(organisation: Organisation) -> list[tuple[str, str]]:
    """Whose tokens may say which projects: every importer as a whole, and each of its feeds."""
    found = list(Connection.objects.filter(organisation=organisation).order_by("importer", "scope"))
    importers = sorted({one.importer for one in found})
    whole = [(f"importer:{slug}", f"{slug}, all feeds") for slug in importers]
    return [*whole, *((f"connection:{one.pk}", f"{one.importer}, {one.scope}") for one in found)]


def _fields(organisation: Organisation, draft: pages.Draft) -> list[tuple[str, str]]:
    """What can be asked of: the fields, and the tags that this organisation's usage carries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT lower(tag->>0) FROM usage_usagedimension, jsonb_array_elements(tags) tag"
            " WHERE organisation_id = %s ORDER BY 1 LIMIT 100",
            [organisation.pk],
        )
        tags = {f"tag:{key}" for (key,) in cursor.fetchall()}
    tags |= {row.field for row in draft.conditions if row.field.startswith("tag:")}
    return [*FIELDS.items(), *((tag, pages.field_words(tag)) for tag in sorted(tags))]


def _row(
    place: int, one: AttributionRule, match: Match | None, names: dict[int, str], feeds: dict[str, str]
) -> dict[str, Any]:
    return {
        "place": place,
        "rule": one,
        "conditions": pages.condition_words(one.conditions),
        "outcome": pages.outcome_words(one.outcome, names, feeds),
        "dates": pages.dates_words(one.valid_from, one.valid_until),
        "match": match,
    }


def _again(one: AttributionRule) -> AttributionRule:
    """The rule read anew: a preview must leave nothing in the one that the page shows."""
    return AttributionRule.objects.get(pk=one.pk)


def _rules(organisation: Organisation) -> list[AttributionRule]:
    return list(AttributionRule.objects.filter(organisation=organisation))


def _place(one: AttributionRule) -> int:
    return [rule.pk for rule in _rules(one.organisation)].index(one.pk) + 1


def _names(organisation: Organisation) -> dict[int, str]:
    return dict(Project.objects.filter(organisation=organisation).order_by("name").values_list("pk", "name"))


def _projects(organisation: Organisation, chosen: set[str]) -> list[tuple[str, str]]:
    """What can be chosen: projects that are not archived, and those that the rule has already."""
    found = Project.objects.filter(organisation=organisation).order_by("name").values_list("pk", "name", "archived_at")
    return [(str(pk), name) for pk, name, archived in found if archived is None or str(pk) in chosen]


def _rule_or_404(request: HttpRequest, number: int) -> AttributionRule:
    return get_object_or_404(AttributionRule, organisation=_organisation(request), pk=number)


def _record(request: HttpRequest, action: str, one: AttributionRule, before: Any, after: Any) -> None:
    audit.record(request.user, action, one.name, before, after, one.organisation)


def _organisation(request: HttpRequest) -> Organisation:
    found = access.current_organisation(request)
    if found is None:
        raise Http404("No such page")
    return found
