"""The ladder over HTTP: what one answer costs, from a short reply to a long document and an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema
from ninja.errors import AuthorizationError
from pydantic import Field

from dashboards import access
from dashboards.api.auth import CatalogueBearer
from dashboards.api.caching import JSON, answered
from dashboards.api.catalogue import Name, only
from dashboards.api.problem import documented
from dashboards.api.projects import projects_of
from dashboards.pages import ladder as pages
from dashboards.pages.ladder.page import Cell, RungRow
from dashboards.pages.periods import Span
from pricing.answers import BadQuestion
from pricing.answers import ladder as answers
from pricing.answers.self_hosting import moment_of
from pricing.answers.wording import decimal_text, moment_text
from pricing.ladder import PEOPLE
from usage.models import Period, Project
from usage.period_querysets import official_spend
from usage.workloads import workloads

router = Router(tags=["catalogue"], auth=CatalogueBearer())

Number = Annotated[str, Field(max_length=40)]


class LadderQuestion(Schema):
    model: list[Name] = Field(
        [], description=f"Slugs, at most {pages.MOST}, several times for several; left out: the usual ones."
    )
    at: Annotated[str, Field(max_length=10)] = Field("", description="The day whose prices count; default: now.")
    person: Name = Field(
        PEOPLE[0].slug, description=f"Who does the same work: {', '.join(one.slug for one in PEOPLE)}."
    )
    rate: Number = Field("", description="USD an hour of that person, such as 10 or 50-200; default: assumed.")
    speak: Number = Field("", description="Tokens an hour that a person speaks; default: 10000.")
    read: Number = Field("", description="Tokens an hour that a person reads; default: 50000.")
    own: bool = Field(
        False, description="A request of each project of the token, of the last 30 days; needs the scope spend:read."
    )


class TokenCount(Schema):
    """Tokens of one answer, and who says so."""

    unit: str
    tokens: int
    basis: str = Field(description="`measured`, `published` or `assumed`.")
    observed_on: str
    source: str
    source_url: str
    licence: str
    note: str


class RungOfModel(Schema):
    model: str
    name: str
    provider: str | None = Field(description="Whose price it is: the maker's, else the cheapest host's.")
    sku: str | None
    region: str | None
    usd: str | None = Field(description="null is unknown, and `reason` says why; 0 is free.")
    reason: str


class LadderRung(Schema):
    """One kind of answer; `person` is null for what nobody reads or speaks."""

    rung: str
    name: str
    tokens: list[TokenCount]
    models: list[RungOfModel]
    person: dict[str, str] | None = Field(description="USD for the same tokens, `low` and `high`.")


class LadderPerson(Schema):
    person: str
    name: str
    usd_per_hour: dict[str, str] = Field(description="`low` and `high`.")
    speaking_tokens_per_hour: str
    reading_tokens_per_hour: str


class OwnRequest(Schema):
    """The mean of a project's requests whose number and price are known."""

    project: str | None = Field(description="Slug; null is what no rule attributes.")
    name: str
    requests: int
    usd: str = Field(description="List cost of one.")
    input_tokens: int
    output_tokens: int
    at_least: bool = Field(description="Some of these requests do not know a kind of their tokens.")
    left_out: int = Field(description="Requests without a known price.")
    silent_records: int = Field(description="Records of which nobody knows how many requests they are.")
    person: dict[str, str] = Field(description="USD for the same tokens, `low` and `high`.")


class OwnRequests(Schema):
    since: str = Field(alias="from")
    until: str
    projects: list[OwnRequest]
    other_currencies: list[str] = Field(description="Projects whose list cost is not in USD.")


class LadderAnswer(Schema):
    at: str
    person: LadderPerson
    rungs: list[LadderRung]
    own: OwnRequests | None = Field(description="null where it was not asked for.")


@router.get("/ladder", response=documented(LadderAnswer), operation_id="ladder", by_alias=True)
def ladder(request: HttpRequest, asked: Query[LadderQuestion]) -> HttpResponse:
    """What one answer costs at list prices of a day with each model, and with a person's hour."""
    only(request, LadderQuestion)
    query = {"at": asked.at, "person": asked.person, asked.person: asked.rate, "speak": asked.speak, "read": asked.read}
    ask, wrong = pages.read(query, asked.model)
    if wrong:
        raise BadQuestion(" ".join(wrong), "query")

    def reply() -> dict[str, Any]:
        at = moment_of(ask.at, timezone.now())
        found = answers.ladder(ask.models, at)
        if found.missing:
            raise BadQuestion(
                f"There is no model {found.missing[0][:80]!r}: GET /api/v1/models?q= finds the right slug.", "model"
            )
        return told(pages.compose(ask, found, at))

    if not asked.own:
        return answered(request, reply, holds="minute")
    response = HttpResponse(orjson.dumps(reply() | {"own": _own(request, ask)}), content_type=JSON)
    response["Cache-Control"] = "private, no-store"
    return response


def _own(request: HttpRequest, ask: pages.Ask) -> dict[str, Any]:
    """A request of each project that the token may see, as the page has it: nobody else's answer, so kept nowhere."""
    token = request.auth.token  # type: ignore[attr-defined]
    if token is None or token.organisation is None or not access.token_may(token, "viewer", "spend:read"):
        raise AuthorizationError(
            message="Requests are an organisation's own: ask with its token that may spend:read, or without `own`."
        )
    seen = projects_of(token)
    ids = None if seen is None else frozenset(seen)
    organisation = token.organisation
    projects = Project.objects.filter(organisation=organisation).values_list("pk", "name", "slug")
    names = {pk: (name, slug) for pk, name, slug in projects}
    columns = ("project_id", "offering_id", "connection_id")
    spend = official_spend(organisation.pk, ids, Period.objects.spans(organisation.pk), *columns)
    today = timezone.now().date()
    span = Span(today - pages.LATELY, today)
    rows, foreign = pages.own(ask, workloads(spend, span.start, span.until), names, span)
    return {
        "from": span.start.isoformat(), "until": span.until.isoformat(),
        "projects": [_request(row, names) for row in rows], "other_currencies": foreign,
    }  # fmt: skip


def _request(row: pages.WorkloadRow, names: Mapping[int, tuple[str, str]]) -> dict[str, Any]:
    own, tokens = row.workload, row.workload.tokens_per_request
    return {
        "project": names[own.project_id][1] if own.project_id else None, "name": row.name, "requests": own.requests,
        "usd": decimal_text(row.usd), "input_tokens": tokens["input"], "output_tokens": tokens["output"],
        "at_least": own.at_least, "left_out": own.left_out, "silent_records": own.silent_records,
        "person": {"low": decimal_text(row.human.low), "high": decimal_text(row.human.high)},
    }  # fmt: skip


def told(page: pages.Page) -> dict[str, Any]:
    """The page as JSON, without anybody's own requests."""
    who, pace = page.ask.who, page.ask.pace
    return {
        "at": moment_text(page.at),
        "person": {
            "person": who.slug, "name": who.name,
            "usd_per_hour": {"low": decimal_text(who.low), "high": decimal_text(who.high)},
            "speaking_tokens_per_hour": decimal_text(pace.speaking),
            "reading_tokens_per_hour": decimal_text(pace.reading),
        },
        "rungs": [_rung(row) for row in page.rows],
        "own": None,
    }  # fmt: skip


def _rung(row: RungRow) -> dict[str, Any]:
    human = row.human
    return {
        "rung": row.rung.slug, "name": row.rung.name,
        "tokens": [
            {
                "unit": one.unit, "tokens": one.tokens, "basis": one.basis, "observed_on": one.observed_on.isoformat(),
                "source": one.source, "source_url": one.source_url, "licence": one.licence, "note": one.note,
            }
            for one in row.rung.counts
        ],
        "models": [_model(cell) for cell in (*row.cells, *row.beside)],
        "person": None if human.low is None
        else {"low": decimal_text(human.low), "high": decimal_text(human.high)},
    }  # fmt: skip


def _model(cell: Cell) -> dict[str, Any]:
    sold = cell.model.listed
    return {
        "model": cell.model.slug, "name": cell.model.name, "provider": sold.provider if sold else None,
        "sku": sold.sku if sold else None, "region": sold.region if sold else None,
        "usd": decimal_text(cell.usd), "reason": cell.step.reason,
    }  # fmt: skip
