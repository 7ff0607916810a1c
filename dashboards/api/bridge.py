"""Why spend changed between two spans of days, over HTTP; the organisation is the token's."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from dashboards.api.auth import UsageBearer, asking
from dashboards.api.catalogue import only
from dashboards.api.problem import documented
from dashboards.api.projects import projects_of, refuse_unknown
from dashboards.api.spend import Day, Values, last_day
from pricing.answers import BadQuestion
from usage import questions, spend_change

router = Router(tags=["spend"], auth=UsageBearer())


class BridgeQuestion(Schema):
    since: Day | None = Field(None, alias="from", description="First UTC day.")
    until: Day | None = Field(None, description="First UTC day that is not included.")
    period: Annotated[str, Field(max_length=20)] = Field(
        "", description=f"Instead of days: {', '.join(questions.PERIODS)}, up to today or the last day with usage."
    )
    compare: Annotated[str, Field(max_length=10)] = Field(
        "", description="previous (as many days before; the default) or year (the same days a year before)."
    )
    before_from: Day | None = Field(None, description="Instead of `compare`: first UTC day of the days before.")
    before_until: Day | None = Field(None, description="First UTC day that the days before do not include.")
    project: Values = Field(description="Slugs; `none` is what no rule attributes.")
    model: Values
    maker: Values
    provider: Values
    host: Values
    scope: Values
    source: Values
    service_tier: Values


class BridgeSide(Schema):
    since: str = Field(alias="from")
    until: str
    spent: str | None
    tokens: int
    unpriced_tokens: int


class BridgeItem(Schema):
    """One kind of token of an offering at a service tier."""

    provider: str
    sku: str
    region: str
    model: str
    service_tier: str
    unit: str
    amount: str


class BridgeProject(Schema):
    project: str
    amount: str


class BridgePart(Schema):
    """A part of the change with the items that made it, the largest first; items and `others` sum to `amount`."""

    part: str
    amount: str
    items: list[BridgeItem]
    others: str
    projects: list[BridgeProject] | None = Field(None, description="Of `new` and `ended`.")


class BridgeAnswer(Schema):
    """Money as decimal strings in `currency`; the parts sum to `change`, exactly."""

    organisation: str
    currency: str
    before: BridgeSide
    after: BridgeSide
    change: str
    parts: list[BridgePart]
    coverage: dict[str, Any] = Field(description="What the figures do not contain.")


@router.get(
    "/bridge", response=documented(BridgeAnswer), operation_id="bridge", by_alias=True, exclude_unset=True
)  # fmt: skip
def answer(request: HttpRequest, asked: Query[BridgeQuestion]) -> HttpResponse:
    """The change of spend from one span of days to another, in parts that sum to it exactly."""
    only(request, BridgeQuestion, repeated=True)
    token, organisation = asking(request)
    refuse_unknown(token, asked.project)
    projects = projects_of(token)
    last = last_day(organisation, projects) if asked.period else None
    try:
        question, before = spend_change.read(questions.pairs(request.GET), timezone.now().date(), last)
    except questions.Unanswerable as fault:
        raise BadQuestion(str(fault), fault.asked) from None
    found = spend_change.answer(organisation, question.days, before, projects=projects, filters=question.filters)
    response = HttpResponse(orjson.dumps(found), content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    return response
