"""What the catalogue knows, over HTTP: prices, names, models, changes."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_origin

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema
from pydantic import Field

from dashboards.api import schemas
from dashboards.api.auth import CatalogueBearer
from dashboards.api.caching import Holds, answered
from dashboards.api.problem import documented
from pricing.answers import changes as changes_of
from pricing.answers import listing, moment
from pricing.answers import price_index as constant_quality
from pricing.answers import prices as prices_of
from pricing.answers.questions import MOST_TOKENS, BadQuestion

router = Router(tags=["catalogue"], auth=CatalogueBearer())

Name = Annotated[str, Field(max_length=400)]
Moment = Annotated[str, Field(max_length=40, description="A date (00:00 UTC) or a time with its zone.")]
Limit = Annotated[int, Field(ge=1, le=listing.MOST)]


class PriceQuestion(Schema):
    """One seller's offering by its sku."""

    provider: Name
    sku: Name
    region: Name | None = None
    tier: Name | None = Field(None, description="standard, batch, flex, priority, fast …; default: all.")
    context: int | None = Field(None, ge=0, le=MOST_TOKENS, description="Prompt tokens of the request priced.")
    at: Moment | None = None
    known_at: Moment | None = Field(None, description="By the evidence of that moment; default: all there is.")


class HistoryQuestion(Schema):
    provider: Name
    sku: Name
    region: Name | None = None
    tier: Name | None = None
    known_at: Moment | None = None


class PricesQuestion(Schema):
    provider: Name | None = None
    model: Name | None = Field(None, description="A model's slug, or a name that resolves to it.")
    unit: Name | None = None
    tier: Name | None = None
    region: Name | None = None
    currency: Name | None = None
    q: Name | None = Field(None, description="Words that must each appear in provider, sku or model.")
    at: Moment | None = None
    known_at: Moment | None = None
    limit: Limit = listing.USUAL
    cursor: Name | None = Field(None, description="`next` of the page before.")


class ResolveQuestion(Schema):
    name: Name
    provider: Name | None = None
    at: Moment | None = None


class ModelsQuestion(Schema):
    q: Name | None = None
    maker: Name | None = None
    limit: Limit = listing.USUAL
    cursor: Name | None = None


class ModelQuestion(Schema):
    at: Moment | None = None
    known_at: Moment | None = None


class ChangesQuestion(Schema):
    since: Moment | None = Field(None, alias="from", description="Start of the range, included.")
    until: Moment | None = Field(None, description="End of the range, not included.")
    by: Literal["observed", "effective", "recorded"] = "observed"
    source: Name | None = None
    provider: Name | None = None
    limit: Limit = listing.USUAL
    cursor: Name | None = None


class PriceIndexQuestion(Schema):
    benchmark: Name = "arena"
    category: Name | None = Field(None, description="Of the benchmark; default: its first.")
    threshold: Name | None = Field(None, description="The least score that counts; default: every score does.")
    estimator: Literal["record_low", "live_minimum"] = "record_low"
    mix: Name = Field("3:1", description="Tokens of input:output[:cache_read] by which prices are blended.")
    sellers: Literal["maker_or_median", "maker", "median", "any"] | None = Field(
        None, description="Whose price counts; default: maker_or_median of record lows, maker of the live minimum."
    )
    reasoning: Literal["in", "out"] = Field("in", description="Whether scores reached by reasoning count.")
    level: Name = Field("90", description="Of the interval, in percent.")
    since: Moment | None = Field(None, alias="from", description="The first day that counts.")
    until: Moment | None = Field(None, description="The first day that no longer counts; default: tomorrow.")


@router.get("/price", response=documented(schemas.PriceAnswer), operation_id="price")
def price(request: HttpRequest, asked: Query[PriceQuestion]) -> HttpResponse:
    """What one offering costs, now or at a time; `unknown` where nobody knows, never 0."""
    only(request, PriceQuestion)
    question = prices_of.Question(
        asked.sku, asked.provider, asked.region, asked.tier, asked.context, _moment(asked.at, "at"),
        _moment(asked.known_at, "known_at"),
    )  # fmt: skip
    return answered(request, lambda: prices_of.price(question, have_ready=True), holds=_now_or(asked.at))


@router.get("/price-history", response=documented(schemas.HistoryAnswer), operation_id="price_history")
def price_history(request: HttpRequest, asked: Query[HistoryQuestion]) -> HttpResponse:
    """Every price an offering ever had, by the evidence of `known_at`."""
    only(request, HistoryQuestion)
    question = prices_of.Question(
        asked.sku, asked.provider, asked.region, asked.tier, known_at=_moment(asked.known_at, "known_at")
    )
    return answered(request, lambda: prices_of.history(question), holds="minute")


@router.get("/prices", response=documented(schemas.PricesAnswer), operation_id="prices")
def prices(request: HttpRequest, asked: Query[PricesQuestion]) -> HttpResponse:
    """Prices in force, by page."""
    only(request, PricesQuestion)
    filters = listing.Filters(
        asked.provider, asked.model, asked.unit, asked.tier, asked.region, asked.currency, asked.q,
        _moment(asked.at, "at"), _moment(asked.known_at, "known_at"),
    )  # fmt: skip
    return answered(request, lambda: listing.prices(filters, asked.limit, asked.cursor), holds=_now_or(asked.at))


@router.get("/resolve", response=documented(schemas.ResolveAnswer), operation_id="resolve")
def resolve(request: HttpRequest, asked: Query[ResolveQuestion]) -> HttpResponse:
    """Which offering a reported name means, and by which rule; never a guess."""
    only(request, ResolveQuestion)
    at = _moment(asked.at, "at")
    return answered(request, lambda: prices_of.resolve(asked.name, asked.provider, at), holds=_now_or(at))


@router.get("/models", response=documented(schemas.ModelsAnswer), operation_id="models")
def models(request: HttpRequest, asked: Query[ModelsQuestion]) -> HttpResponse:
    """Models by page."""
    only(request, ModelsQuestion)
    return answered(request, lambda: listing.models(asked.q, asked.maker, asked.limit, asked.cursor), holds="version")


@router.get("/models/{slug}", response=documented(schemas.ModelAnswer), operation_id="model")
def model(request: HttpRequest, slug: Path[Name], asked: Query[ModelQuestion]) -> HttpResponse:
    """One model with every offering of it."""
    only(request, ModelQuestion)
    at, known_at = _moment(asked.at, "at"), _moment(asked.known_at, "known_at")

    def reply() -> dict[str, Any]:
        found = listing.model(slug, at, known_at)
        if found is None:
            raise Http404("No model has this slug: GET /api/v1/models?q= finds the right one.")
        return found

    return answered(request, reply, holds=_now_or(at))


@router.get("/changes", response=documented(schemas.ChangesAnswer), operation_id="changes")
def changes(request: HttpRequest, asked: Query[ChangesQuestion]) -> HttpResponse:
    """Price changes of a time range [from, until), oldest first, held ones included."""
    only(request, ChangesQuestion)
    window = changes_of.Window(
        _moment(asked.since, "from"), _moment(asked.until, "until"), asked.by, asked.source, asked.provider
    )

    return answered(request, lambda: listing.changes(window, asked.limit, asked.cursor), holds="version")


@router.get("/price-index", response=documented(schemas.PriceIndexAnswer), operation_id="price_index")
def price_index(request: HttpRequest, asked: Query[PriceIndexQuestion]) -> HttpResponse:
    """By which factor a year the money falls that buys at least a score, with its uncertainty and all it stands on."""
    only(request, PriceIndexQuestion)
    question = constant_quality.Asked.of(asked.threshold, asked.estimator, asked.since, asked.until, asked.level)
    return answered(
        request,
        lambda: constant_quality.price_index(
            question, asked.benchmark, asked.category, asked.mix, asked.sellers, reasoning=asked.reasoning
        ),
        holds=_now_or(asked.until),
    )


def _moment(text: str | None, field: str) -> Any:
    return moment(text, field) if text else None


def _now_or(at: Any) -> Holds:
    """How long an answer holds: what is asked of a moment holds until the catalogue changes."""
    return "minute" if at is None else "version"


def only(request: HttpRequest, schema: type[Schema], prefix: str = "", *, repeated: bool = False) -> None:
    """A filter that is misspelt, or given twice, would answer another question: refuse what the operation does not
    know, and what it takes once, unless all of it may be `repeated`."""
    known = {field.alias or name: field.annotation for name, field in schema.model_fields.items()}
    unknown = sorted(name for name in set(request.GET) - known.keys() if not (prefix and name.startswith(prefix)))
    if unknown:
        raise BadQuestion(f"{unknown[0][:60]!r} is not asked here; there are: {', '.join(sorted(known))}.", "query")
    for name, values in request.GET.lists():
        if len(values) > 1 and not repeated and get_origin(known[name]) is not list:
            raise BadQuestion(f"{name} is given {len(values)} times: ask of one at a time.", name)
