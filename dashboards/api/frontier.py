"""Price per quality over HTTP: the curve of any day, by a stated mix, by a project's own, or by measured cost."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal

import orjson
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from ninja.errors import AuthorizationError
from pydantic import Field

from dashboards import access
from dashboards.api import schemas
from dashboards.api.auth import CatalogueBearer
from dashboards.api.caching import answered
from dashboards.api.catalogue import Moment, Name, only
from dashboards.api.problem import documented
from dashboards.api.projects import project_of
from pricing.answers import BadQuestion, moment, quality
from pricing.frontier import Mix, Terms, Wanted, Wish
from usage import real_mixes
from usage.evaluation_points import points
from usage.models import Project
from usage.own_measures import PREFIX, own_measures

router = Router(tags=["catalogue"], auth=CatalogueBearer())

Points = Annotated[Decimal, Field(ge=0, le=10**6)]


class FrontierQuestion(Schema):
    benchmark: Annotated[str, Field(max_length=600)] = Field(
        "arena",
        description="Its slug; or `own:project/suite` of an evaluation of one's own, which needs the scope spend:read.",
    )
    category: Name = Field("", description="Of the benchmark; default: its first.")
    date: Moment | None = Field(None, description="Prices that held and scores that were known then; default: now.")
    at: Moment | None = Field(None, description="The same, as other operations call it.")
    axis: Literal["list", "measured"] = Field("list", description="List prices, or what a task of the run cost.")
    mix: Name = Field(
        "3:1", description="Tokens of input:output[:cache_read[:cache_write]][+batch:…] by which prices are blended."
    )
    project: Name | None = Field(None, description="Blend by what this project used; needs the scope spend:read.")
    since: Annotated[str, Field(max_length=10)] = Field(
        "", alias="from", description="First UTC day of that usage; default: its last thirty days."
    )
    until: Annotated[str, Field(max_length=10)] = Field("", description="First UTC day that no longer counts.")
    effort: Name | None = Field(None, description="Only scores at this effort; empty for none stated.")
    maker: Name = Field("", description="Slug or alias of who trained it.")
    provider: Name = Field("", description="Slug or alias of a seller, such as `bedrock` or `aws`.")
    region: Name = Field("", description="As sellers name it, such as `us` or `eu`; who names none is left out.")
    open_weights: bool = False
    context: int = Field(0, ge=0, le=10**9, description="Tokens at least.")
    modality: Name = Field("", description="What it takes or gives, such as `image_in` or `text_out`.")
    tools: bool = False
    staying: bool = Field(False, description="Without an announced retirement.")
    speed: Points = Field(Decimal(0), description="Output tokens a second at least.")
    within: Points | None = Field(None, description="Seconds at most that a task of the benchmark's run took.")
    free: bool = Field(False, description="Let free offers be cheapest.")
    previews: bool = Field(False, description="Let previews be cheapest.")
    near: Name = Field("", description="Key of a point: adds `band` and the sellers of its model.")
    delta: Points | None = Field(None, description="Rating points below `near`; default: a twentieth of the range.")
    sellers: Name = Field("", description="Slug of the model whose sellers are listed.")


@router.get("/frontier", response=documented(schemas.FrontierAnswer), operation_id="frontier", by_alias=True)
def frontier(request: HttpRequest, asked: Query[FrontierQuestion]) -> HttpResponse:
    """Price per quality: the models that nothing beats on both, and what beats each of the others."""
    only(request, FrontierQuestion)
    text = asked.date or asked.at
    at = moment(text, "date" if asked.date else "at") if text else None
    if asked.project:
        return _of_project(request, asked, at)
    try:
        mix = Mix.parse(asked.mix)
    except ValueError as fault:
        raise BadQuestion(str(fault), "mix") from None

    wish = _wish(asked, mix)
    if asked.benchmark.startswith(PREFIX):
        return _private(_told(request, asked, wish, at))

    def reply() -> dict[str, Any]:
        return _told(request, asked, wish, at)

    # New scores do not change the catalogue's version, by which answers of a day in the past would be kept.
    return answered(request, reply, holds="minute")


def _wish(asked: FrontierQuestion, mix: Mix) -> Wish:
    wanted = Wanted(
        asked.maker, asked.open_weights, asked.context, asked.modality, asked.tools, asked.staying, asked.provider,
        asked.region, asked.speed,
    )  # fmt: skip
    terms = Terms(free=asked.free, previews=asked.previews)
    return Wish(mix, asked.axis, wanted, terms, asked.effort, asked.near, asked.delta, asked.sellers, asked.within)


def _of_project(request: HttpRequest, asked: FrontierQuestion, at: datetime | None) -> HttpResponse:
    """The same by a project's own mix: nobody else's answer, so it is kept nowhere."""
    used = _used(request, asked)
    if used.mix is None:
        raise BadQuestion(f"{asked.project} used no tokens from {used.since} to {used.until}: ask for others.", "from")
    found = _told(request, asked, _wish(asked, used.mix), at)
    found["project"] = {
        "project": asked.project, "from": used.since.isoformat(), "until": used.until.isoformat(),
        "tokens": used.tokens, "batch_tokens": used.batch_tokens, "other_tokens": used.other_tokens,
        "unknown_records": dict(used.unknown_records),
    }  # fmt: skip
    return _private(found)


def _told(request: HttpRequest, asked: FrontierQuestion, wish: Wish, at: datetime | None) -> dict[str, Any]:
    """The curve of a benchmark, or of an evaluation that the token may see."""
    if asked.benchmark.startswith(PREFIX):
        return quality.told(_own(request, asked), wish, at or datetime.now(UTC))
    return quality.price_per_quality(asked.benchmark, asked.category, wish, at)


def _private(found: dict[str, Any]) -> HttpResponse:
    response = HttpResponse(orjson.dumps(found), content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    return response


def _own(request: HttpRequest, asked: FrontierQuestion) -> quality.Scores:
    """The scores of an evaluation of a project that the token may see."""
    slug, _, name = asked.benchmark.removeprefix(PREFIX).partition("/")
    project = _project(request, slug)
    own = own_measures(points(project.organisation, [project.pk], suite=name))
    found = own.get(asked.benchmark)
    if found is None:
        raise BadQuestion(f"{slug} has no evaluation {name[:80]!r}: GET /api/v1/evaluations lists them.", "benchmark")
    category = asked.category or next(iter(found.points))
    if category not in found.points:
        there = ", ".join(found.points)
        raise BadQuestion(f"{name[:80]} has no category {category[:60]!r}; it has: {there}.", "category")
    return found.scores(category)


def _used(request: HttpRequest, asked: FrontierQuestion) -> real_mixes.RealMix:
    project = _project(request, asked.project or "")
    window = _window(asked) or real_mixes.last_window(project)
    if window is None:
        raise BadQuestion(f"{project.slug} used no tokens yet: import its usage first.", "project")
    return real_mixes.real_mix(project, *window)


def _project(request: HttpRequest, slug: str) -> Project:
    """A project the token may see; others do not exist."""
    token = request.auth.token  # type: ignore[attr-defined]
    if token is None or token.organisation is None or not access.token_may(token, "viewer", "spend:read"):
        raise AuthorizationError(
            message="Usage and evaluations are a project's own: ask with its organisation's token that may spend:read."
        )
    return project_of(token, slug)


def _window(asked: FrontierQuestion) -> tuple[date, date] | None:
    if not asked.since and not asked.until:
        return None
    days = [_midnight(text, field) for text, field in ((asked.since, "from"), (asked.until, "until"))]
    if days[0] >= days[1]:
        raise BadQuestion("The window of usage ends before it begins: write from before until.", "until")
    return days[0], days[1]


def _midnight(text: str, field: str) -> date:
    if not text:
        raise BadQuestion(f"A window of usage has two days: write {field} as 2026-10-27.", field)
    found = moment(text, field)
    if found != datetime.combine(found.date(), time.min, UTC):
        raise BadQuestion(f"Usage is summed by UTC day: write {field} as 2026-10-27.", field)
    return found.date()
