"""What an organisation spent, over HTTP; the organisation is the token's."""

from __future__ import annotations

from datetime import date
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
from pricing.answers import BadQuestion
from usage import questions, spending
from usage.models import Organisation, ProjectDailyCost
from usage.spend_querysets import SpendQuerySet

router = Router(tags=["spend"], auth=UsageBearer())

Day = Annotated[str, Field(max_length=10, description="A UTC day, such as 2026-08-23.")]


Values = Annotated[
    list[Annotated[str, Field(max_length=1000)]],
    Field(default_factory=list, max_length=200, description="Only these; repeat for several, empty for not reported."),
]


class SpendQuestion(Schema):
    since: Day | None = Field(None, alias="from", description="First UTC day.")
    until: Day | None = Field(None, description="First UTC day that is not included.")
    period: Annotated[str, Field(max_length=20)] = Field(
        "", description=f"Instead of days: {', '.join(questions.PERIODS)}, up to today or the last day with usage."
    )
    group_by: Annotated[str, Field(max_length=200)] = Field(
        "", description=f"Any of {', '.join(questions.GROUPS)} or tag:KEY, separated by commas."
    )
    measure: Annotated[str, Field(max_length=20)] = Field(
        "", description=f"Adds `value` and orders by it: {', '.join(questions.MEASURES)}."
    )
    grain: Annotated[str, Field(max_length=10)] = Field(
        "", description=f"Adds `series`, the groups over time: {', '.join(questions.TIMES)}."
    )
    compare: Annotated[str, Field(max_length=10)] = Field(
        "", description=f"With `measure` adds `before`: {', '.join(questions.COMPARISONS)}."
    )
    prices_at: Day | None = Field(None, description="The same usage at the list prices of this UTC day.")
    project: Values = Field(description="Slugs; `none` is what no rule attributes.")
    model: Values
    model_raw: Values = Field(description="Names that no model of the catalogue has; empty for the models it has.")
    maker: Values
    provider: Values
    host: Values
    scope: Values
    source: Values
    service_tier: Values
    cost_kind: Values
    model_family: Values
    account: Values = Field(description="Billing accounts of connections.")
    session: Values
    is_batch: Values = Field(description="`yes` or `no`.")
    region: Values
    operation: Values
    ext_project: Values
    ext_api_key: Values
    ext_user: Values
    ext_team: Values
    path: Values
    branch: Values
    selectors: Values
    unpriced: Values


class SpendAnswer(Schema):
    """Money as decimal strings in `currency`; null where nothing is known, never 0."""

    organisation: str
    since: str | None = Field(alias="from")
    until: str | None
    currency: str
    prices_at: str | None = Field(None, description="The day whose list prices were asked for.")
    total: dict[str, str | int | None]
    coverage: dict[str, Any] = Field(description="What the totals do not contain.")
    groups: list[dict[str, Any]]
    series: list[dict[str, Any]] | None = Field(None, description="The groups over time, where a grain is asked for.")


@router.get("/spend", response=documented(SpendAnswer), operation_id="spend", by_alias=True)
def spend(request: HttpRequest, asked: Query[SpendQuestion]) -> HttpResponse:
    """Spend of [from, until) by any dimension, with what is missing from it. `tag:KEY=value` narrows to a tag."""
    only(request, SpendQuestion, prefix=questions.TAG, repeated=True)
    token, organisation = asking(request)
    refuse_unknown(token, asked.project)
    projects = projects_of(token)
    answer = spending.answered(organisation, _question(request, organisation, projects), projects=projects)
    response = HttpResponse(orjson.dumps(answer, default=str), content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    return response


def _question(request: HttpRequest, organisation: Organisation, projects: list[int] | None) -> questions.Question:
    last = last_day(organisation, projects) if request.GET.get("period") else None
    try:
        return questions.read(questions.pairs(request.GET), timezone.now().date(), last)
    except questions.Unanswerable as fault:
        raise BadQuestion(str(fault), fault.asked) from None


def last_day(organisation: Organisation, projects: list[int] | None) -> date | None:
    """The last day with usage that the token sees, where its periods end: another project's last day is not theirs."""
    return SpendQuerySet(ProjectDailyCost).seen(organisation.pk, projects).span_of_days()[1]
