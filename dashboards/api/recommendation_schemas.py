"""Shapes of advice over HTTP, as the OpenAPI document says them."""

from __future__ import annotations

from datetime import date
from typing import Literal

from ninja import Schema
from pydantic import Field

Verdict = Literal["better", "equal", "worse", "not_enough_evidence"]
Amount = str


class AdvisedSide(Schema):
    """A model as one provider sells it at a service tier, at an effort ('' where none is stated)."""

    offering_id: int
    model: str
    model_name: str
    provider: str
    provider_name: str
    sku: str
    region: str
    service_tier: str
    effort: str


class SavingPerMonth(Schema):
    """Of a month of 30.4375 days at the window's volume; a negative amount is a loss."""

    low: Amount
    high: Amount
    currency: str


class QualityEvidence(Schema):
    """Candidate less current, with the 90 % interval; `decides` marks what the verdict rests on."""

    source: str = Field(description="own, arena, weights, or the slug of a benchmark that is shown beside.")
    name: str
    unit: str
    verdict: Verdict
    value: float | None
    low: float | None
    high: float | None
    margin: float
    n: int | None = Field(description="Pairs, items or votes, the lesser of the two.")
    is_paired: bool
    items: int | None = Field(description="How many would settle it, where it is not settled.")
    observed_on: date | None
    url: str
    note: str
    decides: bool


class TokenFactor(Schema):
    """By how much the candidate uses more of a kind of token for the same work, and who says so."""

    unit: str
    low: Amount
    high: Amount
    evidence: str
    url: str
    assumed: bool


class CostOfUnit(Schema):
    """Tokens of the window and what they cost, before any factor; prices per million tokens, null where unknown."""

    unit: str
    tokens: int
    current_price: Amount | None
    current_cost: Amount | None
    candidate_price: Amount | None
    candidate_cost: Amount | None


class AdvisedChange(Schema):
    what: str
    now: str
    then: str


class AdvisedCaution(Schema):
    tone: str
    title: str
    text: str


class SavingFrom(Schema):
    """What is saved from a day on, where an announced price changes it; the first is today's."""

    on: date
    saving_per_month: SavingPerMonth


class AdvisedMove(Schema):
    """A move that pays. `since`: an equal offering has cost less since then, which `waited` has cost."""

    key: str
    kind: Literal[
        "seller", "batch", "flex", "off_peak", "cache_lifetime", "cached_prefix", "commitment", "substitution"
    ]
    current: AdvisedSide
    candidate: AdvisedSide
    verdict: Verdict
    why: str
    evidence: list[QualityEvidence]
    factors: list[TokenFactor]
    lines: list[CostOfUnit]
    changes: list[AdvisedChange]
    cautions: list[AdvisedCaution]
    share: Amount | None = Field(description="Of the window's money of the project.")
    since: date | None
    waited: Amount | None
    paying_per_month: Amount
    saving_per_month: SavingPerMonth
    steps: list[SavingFrom]


class RefusedMove(Schema):
    """What may cost less and is not recommended. `items` would settle it, where evidence is what is missing."""

    current: AdvisedSide
    candidate: AdvisedSide
    reason: str
    why: str
    evidence: list[QualityEvidence]
    items: int | None
    saving_per_month: SavingPerMonth | None


class AdvisedWindow(Schema):
    since: date = Field(alias="from", description="First UTC day.")
    until: date = Field(description="First UTC day that is not included.")


class AdviceCoverage(Schema):
    """How much of the window's usage is weighed; `notes` say what is not."""

    spent: Amount
    weighed: Amount
    tokens: int
    unpriced_tokens: int
    requests: int | None
    sampled_requests: int
    notes: list[str]


class RecommendationsAnswer(Schema):
    """Money as decimal strings in `currency`; null where it is unknown, never 0. The dearest moves come first.

    `decisions` are the keys of at most three that can be followed side by side.
    """

    project: str
    on: date
    window: AdvisedWindow
    currency: str
    decisions: list[str]
    recommendations: list[AdvisedMove]
    refused: list[RefusedMove]
    coverage: AdviceCoverage
    last_moved: date | None = Field(description="Monday of the week in which most tokens last went to another model.")
