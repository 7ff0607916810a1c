"""What a project is advised to do about its models, over HTTP; the organisation is the token's."""

from __future__ import annotations

from typing import Annotated

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from dashboards.api.auth import UsageBearer, asking
from dashboards.api.catalogue import only
from dashboards.api.problem import documented
from dashboards.api.projects import project_of
from dashboards.api.recommendation_schemas import RecommendationsAnswer
from pricing.answers.questions import moment
from pricing.answers.questions import name as as_name
from usage import recommending
from usage.recommending.telling import as_json

router = Router(tags=["recommendations"], auth=UsageBearer())

Text = Annotated[str, Field(max_length=40)]


class RecommendationsQuestion(Schema):
    project: Annotated[str, Field(max_length=120)] = Field(description="Slug.")
    on: Text = Field("", description="UTC day whose prices count; left out: today.")
    known_at: Text = Field("", description="Moment whose evidence of prices and scores counts; left out: all there is.")
    days: int = Field(recommending.DAYS, description="Days of usage.", ge=1, le=recommending.MOST_DAYS)


@router.get(
    "/recommendations", response=documented(RecommendationsAnswer), operation_id="recommendations", by_alias=True
)
def answer(request: HttpRequest, asked: Query[RecommendationsQuestion]) -> HttpResponse:
    """Moves that save money at equal quality, as ranges with their evidence, and why others are not recommended."""
    only(request, RecommendationsQuestion)
    token, _ = asking(request)
    project = project_of(token, as_name(asked.project, "project"))
    on = moment(asked.on, "on").date() if asked.on else timezone.now().date()
    known_at = moment(asked.known_at, "known_at") if asked.known_at else None
    found = recommending.advise(project, on, known_at=known_at, days=asked.days)
    response = HttpResponse(orjson.dumps(as_json(found)), content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    return response
