"""What an organisation spent, over HTTP; the organisation is the token's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

import orjson
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from dashboards import access
from dashboards.api.auth import Reader, UsageBearer
from dashboards.api.catalogue import only
from dashboards.api.problem import documented
from dashboards.models import AccessToken
from pricing.answers import BadQuestion, moment
from usage import spending

router = Router(tags=["spend"], auth=UsageBearer())

Day = Annotated[str, Field(max_length=10, description="A UTC day, such as 2026-08-23.")]


class SpendQuestion(Schema):
    since: Day | None = Field(None, alias="from", description="First UTC day.")
    until: Day | None = Field(None, description="First UTC day that is not included.")
    group_by: Annotated[str, Field(max_length=200)] = Field(
        "", description=f"Any of {', '.join(spending.GROUPS)}, separated by commas."
    )


class SpendAnswer(Schema):
    """Money as decimal strings in `currency`; null where nothing is known, never 0."""

    organisation: str
    since: str | None = Field(alias="from")
    until: str | None
    currency: str
    total: dict[str, str | int | None]
    coverage: dict[str, Any] = Field(description="What the totals do not contain.")
    groups: list[dict[str, Any]]


@router.get("/spend", response=documented(SpendAnswer), operation_id="spend", by_alias=True)
def spend(request: HttpRequest, asked: Query[SpendQuestion]) -> HttpResponse:
    """List, contracted, reported and notional cost of [from, until), with what is missing from each."""
    only(request, SpendQuestion)
    reader: Reader = request.auth  # type: ignore[attr-defined]
    assert reader.token is not None  # noqa: S101 - UsageBearer
    assert reader.token.organisation is not None  # noqa: S101
    since, until = _day(asked.since, "from"), _day(asked.until, "until")
    if since and until and since >= until:
        raise BadQuestion("until must be after from: the range is [from, until).", "until")
    answer = spending.report(
        reader.token.organisation, since, until, _groups(asked.group_by), projects=_projects(reader.token)
    )
    response = HttpResponse(orjson.dumps(answer, default=str), content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    return response


def _groups(text: str) -> list[str]:
    groups = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := [name for name in groups if name not in spending.GROUPS]:
        raise BadQuestion(f"Nothing is grouped by {unknown[0][:40]!r}: use {', '.join(spending.GROUPS)}.", "group_by")
    return list(dict.fromkeys(groups))


def _projects(token: AccessToken) -> Iterable[int] | None:
    """None where the token sees all of its organisation, else the projects its person may look at."""
    if token.person is None or token.organisation is None:
        return None
    if access.may(token.person, "viewer", token.organisation):
        return None
    return list(access.projects_seen(token.person, token.organisation).values_list("pk", flat=True))


def _day(text: str | None, field: str) -> date | None:
    if not text:
        return None
    when = moment(text, field)
    if len(text.strip()) != len("2026-08-23"):
        raise BadQuestion(f"Write {field} as a day, such as 2026-08-23.", field)
    return when.date()
