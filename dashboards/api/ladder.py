"""The ladder over HTTP: what one answer costs, from a short reply to a long document and an image."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from dashboards.api.auth import CatalogueBearer
from dashboards.api.caching import answered
from dashboards.api.catalogue import Name, only
from dashboards.api.problem import documented
from dashboards.pages import ladder as pages
from dashboards.pages.ladder.page import Cell, RungRow
from pricing.answers import BadQuestion
from pricing.answers import ladder as answers
from pricing.answers.self_hosting import moment_of
from pricing.answers.wording import decimal_text, moment_text
from pricing.ladder import PEOPLE

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


class LadderAnswer(Schema):
    at: str
    person: LadderPerson
    rungs: list[LadderRung]


@router.get("/ladder", response=documented(LadderAnswer), operation_id="ladder")
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

    return answered(request, reply, holds="minute")


def told(page: pages.Page) -> dict[str, Any]:
    """The page as JSON."""
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
