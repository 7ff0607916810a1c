"""All that is on sale of some models on a day, with every price that holds then or is announced: what could be bought.

By all evidence there is, or as the evidence of a moment had it (`known_at`): prices and the first evidence of an
offering are dated so. Of models and offerings the catalogue keeps no past: context, modalities, capabilities and
retirement are as they are known now; a model is left out before its release.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final, cast

from django.db.models import Max, Q

from pricing.answers import kept
from pricing.frontier.offers import is_preview
from pricing.models import LanguageModel, Offering, Price
from pricing.models.evidence import Basis
from pricing.ratecards import Card, PriceFact, layout, unstated_of
from pricing.units import RATED_UNITS

_QUANTISATION: Final = re.compile(
    r"(?:^|[-_ /.:@])(nvfp4|mxfp4|fp4|fp8|int4|int8|awq|gptq|bf16|fp16)(?=$|[-_ /.:@])", re.IGNORECASE
)
_COLUMNS = (
    "offering_id", "id", "unit", "service_tier", "context_from", "context_op", "schedule", "amount", "per", "currency",
    "effective_from", "effective_until",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offered:
    """One model as one provider sells it. None and empty are unknown.

    `cards` are its list prices in force on the day and those announced, of every tier, context and schedule, maybe
    none. `retires_on` is when it ends, its maker's word or its seller's. `quantisation` is what the seller's own id
    says of it.
    """

    offering_id: int
    provider_id: int
    model_id: int
    model: str
    model_name: str
    maker: str
    provider: str
    provider_name: str
    sku: str
    region: str
    cards: tuple[Card, ...]
    known_since: date | None
    retires_on: date | None
    context_window: int | None
    max_output: int | None
    modalities: frozenset[str]
    capabilities: frozenset[str]
    open_weights: bool | None

    @property
    def is_preview(self) -> bool:
        return is_preview(self.sku)

    @property
    def quantisation(self) -> str:
        found = _QUANTISATION.search(self.sku)
        return found[1].lower() if found else ""


def offered(
    on: date, models: Collection[int], known_at: datetime | None = None, also: Collection[int] = ()
) -> dict[int, Offered]:
    """Every offering of some models that is sold on a UTC day, by id; `also` those of `also`, whatever became of them.

    A model is not sold before its release; to a moment that knew no price of it, an offering is not there. Three
    queries more than the two that ask whether this process read the same of the same catalogue.
    """
    key = ("candidates", on, known_at, tuple(sorted(set(models))), tuple(sorted(set(also))), _state())
    version, now = kept.recent_version(), datetime.now(UTC)
    found: dict[int, Offered] | None = kept.recall(key, version, now)
    if found is None:
        found = _offered(on, models, known_at, also)
        kept.keep(key, version, found)
    return found


def _state() -> tuple[Any, ...]:
    """Another one after any price or offering was added or taken back."""
    prices = Price.objects.aggregate(last=Max("id"), superseded=Max("superseded_at"))
    offerings = Offering.objects.aggregate(last=Max("id"), retired=Max("retired_at"))
    return (*prices.values(), *offerings.values())


def _offered(on: date, models: Collection[int], known_at: datetime | None, also: Collection[int]) -> dict[int, Offered]:
    at = datetime.combine(on, time.min, UTC)
    rows = Offering.objects.filter(Q(model__in=list(models)) | Q(pk__in=list(also))).values_list(
        "pk", "provider_id", "model_id", "provider__slug", "provider__name", "sku", "region", "context_window",
        "retired_at",
    )  # fmt: skip
    sold = [row for row in rows if row[0] in also or row[8] is None or row[8] > at]
    facts = {model.pk: model for model in LanguageModel.objects.filter(pk__in={row[2] for row in sold})}
    sold = [row for row in sold if row[0] in also or _is_out(facts[row[2]], row[3], on)]
    cards, since = _cards([row[0] for row in sold], at, known_at)
    found = {}
    for pk, provider_id, model_id, provider, provider_name, sku, region, context, retired_at in sold:
        model = facts[model_id]
        if known_at is not None and pk not in cards and pk not in also:
            continue  # nobody knew yet that it was sold
        starts = [day for day in (since.get(pk), model.released_on) if day is not None]
        ends = [retired_at.astimezone(UTC).date()] if retired_at else []
        ends += [model.retires_on] if model.retires_on and provider == model.maker else []
        found[pk] = Offered(
            pk, provider_id, model_id, model.slug, model.name, model.maker, provider, provider_name, sku, region,
            tuple(cards.get(pk, ())), min(starts, default=None), min(ends, default=None),
            context or model.context_window, model.max_output, frozenset(model.modalities),
            frozenset(model.capabilities), model.open_weights,
        )  # fmt: skip
    return found


def _is_out(model: LanguageModel, provider: str, on: date) -> bool:
    """Whether a model is sold: not before its release, nor at its maker from the day it retires."""
    if model.released_on and model.released_on > on:
        return False
    return not (provider == model.maker and model.retires_on and model.retires_on <= on)


def _cards(
    offerings: Collection[int], at: datetime, known_at: datetime | None
) -> tuple[dict[int, list[Card]], dict[int, date]]:
    """By offering the cards that hold at a moment or later, and the first day of which anybody knew of its price."""
    held = Price.objects.known_at(known_at).filter(Q(effective_until=None) | Q(effective_until__gt=at))
    return _laid(held, offerings, at, known_at)


def past_cards(
    offerings: Collection[int], since: date, until: date, known_at: datetime | None = None
) -> tuple[dict[int, list[Card]], dict[int, date]]:
    """The list prices of some offerings over the UTC days [since, until), by all evidence or that of a moment; and the
    first day of which anybody knew of a price by then. Two queries."""
    start, end = (datetime.combine(day, time.min, UTC) for day in (since, until))
    return _laid(Price.objects.known_at(known_at).overlapping(start, end), offerings, end, known_at)


def _laid(
    prices: Any, offerings: Collection[int], by: datetime, known_at: datetime | None
) -> tuple[dict[int, list[Card]], dict[int, date]]:
    found = prices.filter(offering__in=list(offerings), superseded_at=None, qualifier="", unit__in=RATED_UNITS)
    found = found.exclude(context_mode="marginal").order_by("effective_from", "id")
    facts: dict[int, list[PriceFact]] = defaultdict(list)
    since: dict[int, date] = {}
    for basis, evidence_at, offering, *columns in found.values_list("basis", "evidence_at", *_COLUMNS):
        fact = PriceFact(*cast(Any, columns))
        facts[offering].append(fact)
        if fact.effective_from <= by:
            # What is only seen or inferred may be dated back, to when a tier began: it proves its own day alone.
            unstated = basis in (Basis.INFERRED, Basis.OBSERVED)
            first = (evidence_at if unstated else fact.effective_from).astimezone(UTC).date()
            since[offering] = min(first, since.get(offering, first))
    beyond = unstated_of(facts, known_at)
    return {offering: layout(own, beyond.get(offering, ())) for offering, own in facts.items()}, since
