"""Attribution rules and projects of the token's organisation: read, changed, and previewed before they are.

Every change is of the whole list under the organisation's lock, so what `If-Match` names is what is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Body, Header, Query, Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from dashboards import access
from dashboards.api import rule_schemas as schemas
from dashboards.api.auth import RulesBearer, UsageBearer, WholeBearer, asking
from dashboards.api.caching import is_copy
from dashboards.api.catalogue import only
from dashboards.api.files import Nothing
from dashboards.api.problem import documented
from dashboards.rule_changes import as_json, change_rules
from dashboards.written_rules import Book, Wanted, tag
from usage.models import Project

router = Router(tags=["rules"], auth=WholeBearer())

IfMatch = Annotated[
    str | None,
    Header(None, alias="If-Match", description="The ETag of what was read; * for whatever it is now.", max_length=400),
]
GONE = "There is no such rule: GET /api/v1/rules lists those of your organisation."


class Dry(Schema):
    dry_run: bool = Field(False, description="Change nothing, and answer what would move.")


@router.get("/projects", response=documented(schemas.ProjectsAnswer), operation_id="projects", auth=UsageBearer())
def projects(request: HttpRequest) -> HttpResponse:
    """The projects that rules give usage to; a person's token sees those the person may see."""
    only(request, Nothing)
    token, organisation = asking(request)
    found = Project.objects.filter(organisation=organisation)
    if token.person is not None:
        found = access.projects_seen(token.person, organisation)
    rows = found.order_by("slug").values_list("slug", "name", "archived_at")
    listed = [{"slug": slug, "name": name, "archived": archived is not None} for slug, name, archived in rows]
    return _answer({"organisation": organisation.slug, "projects": listed})


@router.get("/rules", response=documented(schemas.RulesAnswer), operation_id="rules", by_alias=True)
def rules(request: HttpRequest) -> HttpResponse:
    """All rules in the order they are asked. The ETag is that of the whole list."""
    only(request, Nothing)
    _, organisation = asking(request)
    found = Book(organisation).all_written()
    return _answer({"organisation": organisation.slug, "rules": found}, tag(found))


@router.get("/rules/{int:rule_id}", response=documented(schemas.RuleAnswer), operation_id="rule", by_alias=True)
def rule(request: HttpRequest, rule_id: int) -> HttpResponse:
    """One rule with its place."""
    only(request, Nothing)
    found = Book(asking(request)[1])
    one = found.all_written()[_place(found, rule_id)]
    return _answer(one, tag(one))


@router.post(
    "/rules", response=documented(schemas.RuleChanged), operation_id="rule_make", auth=RulesBearer(), by_alias=True
)
def make(request: HttpRequest, asked: Query[Dry], sent: Body[schemas.NewRule]) -> HttpResponse:
    """A new rule at its place, and all usage attributed anew."""

    def edit(book: Book) -> tuple[Wanted, int]:
        wanted = book.wanted()
        place = len(wanted) if sent.position is None else min(sent.position - 1, len(wanted))
        wanted.insert(place, (book.read(sent), None))
        return wanted, place

    return _one_changed(request, asked.dry_run, edit)


@router.patch(
    "/rules/{int:rule_id}", response=documented(schemas.RuleChanged, 412, 428), operation_id="rule_change",
    auth=RulesBearer(), by_alias=True,
)  # fmt: skip
def change(
    request: HttpRequest, rule_id: int, asked: Query[Dry], sent: Body[schemas.RuleChange], if_match: IfMatch = None
) -> HttpResponse:
    """Change, move, enable or disable a rule: what the body leaves out stays."""

    def edit(book: Book) -> tuple[Wanted, int]:
        place = _place(book, rule_id)
        _unchanged(if_match, book.all_written()[place])
        wanted = book.wanted()
        terms = book.changed(wanted.pop(place)[0], sent)
        if "position" in sent.model_fields_set:
            place = min(sent.position - 1, len(wanted))
        wanted.insert(place, (terms, rule_id))
        return wanted, place

    return _one_changed(request, asked.dry_run, edit)


@router.delete(
    "/rules/{int:rule_id}", response=documented(schemas.RuleChanged, 412, 428), operation_id="rule_remove",
    auth=RulesBearer(), by_alias=True,
)  # fmt: skip
def remove(request: HttpRequest, rule_id: int, asked: Query[Dry], if_match: IfMatch = None) -> HttpResponse:
    """Remove a rule; what it had falls to the next rule that holds, or to nobody."""

    def edit(book: Book) -> tuple[Wanted, None]:
        place = _place(book, rule_id)
        removed.append(book.all_written()[place])
        _unchanged(if_match, removed[0])
        wanted = book.wanted()
        del wanted[place]
        return wanted, None

    removed: list[dict[str, Any]] = []
    only(request, Dry)
    token, organisation = asking(request)
    done = change_rules(organisation, edit, token, dry_run=asked.dry_run)
    return _answer(as_json(done) | {"rule": removed[0]})


@router.put(
    "/rules", response=documented(schemas.RulesChanged, 412, 428), operation_id="rules_set", auth=RulesBearer(),
    by_alias=True,
)  # fmt: skip
def put(
    request: HttpRequest, asked: Query[Dry], sent: Body[schemas.RuleTexts], if_match: IfMatch = None
) -> HttpResponse:
    """Make these all the rules there are, in this order: rules are known by their names, others are removed."""

    def edit(book: Book) -> tuple[Wanted, None]:
        _unchanged(if_match, book.all_written())
        return book.read_all(sent.rules), None

    only(request, Dry)
    token, organisation = asking(request)
    done = change_rules(organisation, edit, token, dry_run=asked.dry_run)
    return _answer(as_json(done) | {"rules": done.after}, "" if asked.dry_run else tag(done.after))


def _one_changed(request: HttpRequest, dry_run: bool, edit: Callable[[Book], tuple[Wanted, int]]) -> HttpResponse:
    only(request, Dry)
    token, organisation = asking(request)
    done = change_rules(organisation, edit, token, dry_run=dry_run)
    assert done.place is not None  # noqa: S101 - the edit has one
    one = done.after[done.place]
    return _answer(as_json(done) | {"rule": one}, "" if dry_run else tag(one))


def _place(book: Book, rule_id: int) -> int:
    place = book.place_of(rule_id)
    if place is None:
        raise Http404(GONE)
    return place


def _unchanged(if_match: str | None, written: Any) -> None:
    """Refuses to change what somebody else has changed since it was read."""
    if not if_match:
        told = "Send If-Match with the ETag of what you read, or `If-Match: *` to change it whatever it is now."
        raise HttpError(428, told)
    if not is_copy(if_match, tag(written)):
        raise HttpError(412, "It has changed since you read it: read it again, then send your change with its ETag.")


def _answer(found: dict[str, Any], etag: str = "") -> HttpResponse:
    response = HttpResponse(orjson.dumps(found), content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    if etag:
        response["ETag"] = etag
    return response
