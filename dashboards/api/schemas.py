"""The shapes of the API's answers. Money and prices are decimal strings, times are UTC in ISO 8601."""

from __future__ import annotations

from typing import Literal

from ninja import Schema
from pydantic import Field

Status = Literal["priced", "free", "unknown"]
RETIRED = (
    "Since when a source says that it is no longer sold; its last price stays, for usage that comes in late. "
    "Null where none says so: what only vanished from every list has no price from then on."
)


class ExchangeRateSchema(Schema):
    currency: str
    usd: str = Field(description="What one unit of the currency was worth in USD.")
    day: str
    source: str


class PriceSchema(Schema):
    """One price with its evidence."""

    unit: str
    qualifier: str
    service_tier: str
    schedule: str = Field(
        description="Hours in which it holds, such as `mon-fri 01:00-04:00 UTC except cn`; '' = always."
    )
    context_from: int = Field(description="Prompt tokens at which the tier begins; 0 = no context tier.")
    context_op: str
    context_mode: str
    amount: str
    per: int
    currency: str
    usd_per_mtok: str | None = Field(
        description="USD per million tokens; null if the unit is not tokens, or no rate of its currency is known."
    )
    fx: ExchangeRateSchema | None = Field(
        description="The rate by which another currency was turned into USD; null for USD itself."
    )
    effective_from: str
    effective_until: str | None
    effective_precision: str
    observed_at: str = Field(description="When the source it is taken from was last seen to say it.")
    seen_at: str = Field(description="When any source that agrees was.")
    recorded_at: str
    known_from: str
    known_until: str | None
    basis: str
    source: str
    url: str
    why: str
    note: str = Field(description="The source's own sentence for what is special about the price.")
    price_id: int


class GradedPrice(PriceSchema):
    grade: str = Field(description="A to D at the moment asked for.")


class PriceInForce(GradedPrice):
    applies: bool = Field(description="Whether the moment asked for lies in its hours, and no more specific price's.")


class OfferingAnswer(Schema):
    provider: str
    sku: str
    region: str
    model: str
    retired_at: str | None = Field(description=RETIRED)
    status: Status


class OfferingPrices(OfferingAnswer):
    reason: str | None = Field(description="Why no price of tokens is known for a prompt of the size asked for.")
    prices: list[PriceInForce]


class OfferingHistory(OfferingAnswer):
    prices: list[GradedPrice]


class PriceAnswer(Schema):
    status: Status
    name: str
    rule: str = Field(description="How the name was read.")
    at: str
    known_at: str | None
    offerings: list[OfferingPrices]


class HistoryAnswer(Schema):
    status: Status
    name: str
    rule: str
    known_at: str | None
    offerings: list[OfferingHistory]


class ListedPrice(GradedPrice):
    provider: str
    sku: str
    region: str
    model: str
    retired_at: str | None = Field(description=RETIRED)


class PricesAnswer(Schema):
    at: str
    known_at: str | None
    prices: list[ListedPrice]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


class ResolveAnswer(Schema):
    name: str
    status: Literal["resolved", "unresolved"]
    provider: str
    sku: str
    region: str
    model: str
    maker: str
    rule: str


class ModelSchema(Schema):
    """What the catalogue says of a model; null where no source says."""

    slug: str
    name: str
    maker: str
    family: str
    description: str
    released_on: str | None
    open_weights: bool | None
    licence: str
    context_window: int | None
    max_output: int | None
    modalities: list[str]
    capabilities: list[str]
    deprecated: bool
    retires_on: str | None
    successor: str | None


class ListedModel(ModelSchema):
    offerings: int


class ModelsAnswer(Schema):
    models: list[ListedModel]
    next: str | None


class ModelAnswer(ModelSchema):
    at: str
    status: Status
    offerings: list[OfferingPrices]


class Change(Schema):
    provider: str
    sku: str
    region: str
    model: str
    unit: str
    qualifier: str
    service_tier: str
    context_from: int
    schedule: str
    kind: Literal["cut", "rise", "new", "retired", "correction", "unit_fix"]
    status: Literal["accepted", "held"]
    old: str | None
    new: str | None
    per: int
    currency: str
    effective_from: str
    observed_at: str
    recorded_at: str
    source: str
    why: str


class ChangesAnswer(Schema):
    changes: list[Change]
    next: str | None


class CostComponent(Schema):
    unit: str
    tokens: int
    price_per_token: str | None
    amount: str | None
    price_id: int | None = Field(description="The price it was computed from; see `prices`.")
    grade: str | None


class CostSchema(Schema):
    status: Status
    cost: str | None = Field(description="Exact, rounded once at 1e-12; null where a price is not known.")
    currency: str | None
    reason: str | None = Field(description="Why the cost is null.")
    name: str
    provider: str
    sku: str
    region: str
    model: str
    retired_at: str | None = Field(description=RETIRED)
    rule: str
    service_tier: str
    at: str
    rate_card: int | None
    context_from: int
    schedule: str
    components: list[CostComponent]


class OneCost(CostSchema):
    prices: list[PriceSchema]


class ManyCosts(Schema):
    costs: list[CostSchema] = Field(description="One a request, in the same order.")
    prices: list[PriceSchema] = Field(description="Every price used, once, by `price_id`.")


class FrontierPoint(Schema):
    key: str
    label: str
    model: str | None
    effort: str
    provider: str
    sku: str
    region: str
    first_party: bool
    usd_per_mtok: str | None = Field(description="Blended by the token mix; null where `axis` is measured.")
    usd_per_task: str | None = Field(description="What a task of the run cost; null where `axis` is list.")
    rating: str
    low: str | None
    high: str | None
    votes: int | None
    price_is_dated: bool | None = Field(description="Whether evidence of that day or before says this price.")
    tokens_per_second: str | None
    seconds_per_task: str | None = Field(description="How long a task of the run took; null where nobody says.")


class DominatedPoint(FrontierPoint):
    cheapest_equal: str = Field(description="Key of the cheapest point rated at least as high.")
    multiple: str | None


class UnmatchedScore(Schema):
    name: str
    model: str | None
    effort: str
    rating: str
    reason: str


class FrontierBand(Schema):
    """What may stand in for `of`: rated at `floor` or higher, by key, cheapest first."""

    of: str
    rating: str
    delta: str
    floor: str
    cheapest: str | None
    ties: list[str] = Field(description="In the band at the cheapest's price.")
    overlaps: bool | None = Field(description="Whether the cheapest's interval meets that of `of`; null: unknown.")
    inside: list[str]
    undecided: list[str] = Field(description="Cheaper still and below the band, but with intervals that meet.")


class FrontierSeller(Schema):
    model: str
    provider: str
    sku: str
    region: str
    first_party: bool
    usd_per_mtok: str


class FrontierMix(Schema):
    """What a project used in [from, until): the mix is `mix` of the answer."""

    project: str
    since: str = Field(alias="from")
    until: str
    tokens: int
    batch_tokens: int
    other_tokens: int = Field(description="At tiers beside standard and batch, weighed as standard.")
    unknown_records: dict[str, int] = Field(description="Records that did not say how many tokens of a kind they used.")


class FrontierAnswer(Schema):
    benchmark: str
    category: str
    unit: str
    attribution: str
    licence: str
    url: str
    observed_on: str | None = Field(description="Day of the newest score; null where none was known.")
    tables: list[str] = Field(description="Days on which what is known of the category changed.")
    axis: str
    mix: str | None
    at: str
    frontier: list[FrontierPoint]
    dominated: list[DominatedPoint]
    free: list[FrontierPoint] = Field(description="Sold for nothing; on the frontier where `free` asks for them.")
    previews: list[FrontierPoint] = Field(description="Sold as previews only; likewise.")
    unmatched: list[UnmatchedScore]
    left_out: dict[str, list[str]] = Field(description="By filter the names of which only the trait is unknown.")
    band: FrontierBand | None
    sellers: list[FrontierSeller] = Field(description="Of `sellers` or the model of `near`, cheapest first.")
    project: FrontierMix | None


class IndexPoint(Schema):
    date: str
    model: str
    price: str = Field(description="USD per Mtok, blended by the token mix.")
    score: str | None
    live: int | None = Field(description="Models that could be bought that day; null for record lows.")


class IndexInput(Schema):
    model: str
    seller: str
    family: str
    date: str
    withdrawn: str | None
    price: str | None
    score: str | None
    used: bool
    why_not: str


class IndexSpared(Schema):
    low: float | None
    without_for_low: str
    high: float | None
    without_for_high: str
    not_fitted: list[str]


class PriceIndexAnswer(Schema):
    benchmark: str
    category: str
    unit: str
    attribution: str
    url: str
    observed_on: str
    mix: str
    sellers: str
    reasoning: str
    estimator: str
    threshold: str | None
    level: str
    per_year: float | None = Field(description="Above 1 the price falls; null with the reason in `note`.")
    interval: list[float | None] | None
    halving_months: float | None
    halving_interval: list[float | None] | None
    leave_one_out: IndexSpared | None
    r_squared: float | None
    indicative: bool
    n: int
    points: list[IndexPoint]
    inputs: list[IndexInput]
    note: str


class Inexpressible(Schema):
    """Something of an offering that LiteLLM's cost map cannot say. Amounts are USD per one of the unit."""

    provider: str
    sku: str
    region: str
    key: str = Field(description="Its name in the map; '' where it is not in the map.")
    kind: Literal[
        "unknown", "other_price", "schedule", "qualifier", "unit", "service_tier", "marginal", "currency", "incomplete",
        "name", "provider",
    ]  # fmt: skip
    units: list[str]
    service_tier: str
    context_from: int
    schedule: str
    qualifier: str
    ours: str | None
    litellm: str | None = Field(description="What LiteLLM would take for it.")
    why: str


class InexpressibleAnswer(Schema):
    models: int = Field(description="Names in the map.")
    notes: list[str]
    kinds: dict[str, int]
    inexpressible: list[Inexpressible]
