"""The price index of what an organisation really uses, over HTTP; the organisation is the token's."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from dashboards.api.auth import UsageBearer, asking
from dashboards.api.catalogue import only
from dashboards.api.problem import documented
from dashboards.api.projects import projects_of, refuse_unknown
from dashboards.api.spend import Values
from pricing.answers import BadQuestion
from usage import own_index
from usage.questions import Unanswerable

router = Router(tags=["spend"], auth=UsageBearer())

MonthText = Annotated[str, Field(max_length=10)]


class OwnIndexQuestion(Schema):
    since: MonthText = Field("", alias="from", description="First month, such as 2026-01; left out: the first used.")
    until: MonthText = Field("", description="First month that is not included; left out: the running one.")
    by: Literal["offering", "model"] = Field("offering", description="What is one thing: whose seller counts or not.")
    project: Values = Field(description="Slugs; `none` is what no rule attributes.")


class OwnIndexMonth(Schema):
    """A month; its change is against the month before, its index against `compared_with`."""

    month: str
    spent: str | None
    laspeyres: str | None
    paasche: str | None
    fisher: str | None
    compared_with: str | None
    matched_before: str | None = Field(description="Share of that month's priced money that has a price in both.")
    matched_after: str | None
    reason: str | None = Field(description="Why there is no index.")
    change: dict[str, str] | None = Field(description="The parts sum to `spent`, exactly.")
    rated: str
    reported: str
    tokens: int
    unpriced_tokens: int


class OwnIndexAnswer(Schema):
    """Money as decimal strings in `currency`; indices are chained, the first month with a price is 100."""

    organisation: str
    since: str | None = Field(alias="from")
    until: str
    currency: str
    by: str
    months: list[OwnIndexMonth]
    change: dict[str, str] | None = Field(description="The parts of all months together.")
    coverage: dict[str, Any] = Field(description="What the figures do not contain.")


@router.get("/own-index", response=documented(OwnIndexAnswer), operation_id="own_index", by_alias=True)
def answer(request: HttpRequest, asked: Query[OwnIndexQuestion]) -> HttpResponse:
    """Monthly price indices of the real basket, and each change of spend in the parts that made it."""
    only(request, OwnIndexQuestion)
    token, organisation = asking(request)
    refuse_unknown(token, asked.project)
    try:
        since, until = own_index.span(asked.since, asked.until, timezone.now().date())
    except Unanswerable as fault:
        raise BadQuestion(str(fault), fault.asked) from None
    filters = {"project": asked.project} if asked.project else None
    found = own_index.answer(organisation, since, until, projects=projects_of(token), filters=filters, by=asked.by)
    response = HttpResponse(orjson.dumps(found), content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    return response
