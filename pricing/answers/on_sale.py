"""Who sold which model on a day, at what list prices, and what is known of it: the offers a curve is drawn from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from pricing.frontier import BATCH, Mix, Offer, Traits, stated
from pricing.models import LanguageModel, Offering, Price, SpeedSample
from pricing.querysets import LIST_UNITS
from pricing.units import LIFETIMES

_MTOK: Final = 1_000_000
_WRITES: Final = ("cache_write", *(f"cache_write_{lifetime}" for lifetime in LIFETIMES))
TIERS: Final = {"standard": "", "batch": BATCH}
"""What the name of a price begins with at each service tier that a mix knows."""


@dataclass(slots=True)
class _Prices:
    usd_per_mtok: dict[str, Decimal | None] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    has_peaks: bool = False
    dearer_from: set[int] = field(default_factory=set)
    known_since: date = date.max
    undated: set[str] = field(default_factory=set)
    """Names of prices that nobody saw by the moment, and of which nobody states the start."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue knows of a model whoever sells it."""

    slug: str
    traits: Traits
    released_on: date | None
    retires_on: date | None


def known(models: Iterable[int]) -> dict[int, Known]:
    """Some models by id. One query."""
    rows = LanguageModel.objects.filter(pk__in=list(models)).values_list(
        "pk", "slug", "name", "maker", "open_weights", "context_window", "modalities", "capabilities", "deprecated",
        "released_on", "retires_on",
    )  # fmt: skip
    return {
        pk: Known(
            slug,
            Traits(
                name, maker, is_open, context, frozenset(modalities), frozenset(capabilities),
                deprecated or retires_on is not None,
            ),
            released_on,
            retires_on,
        )
        for pk, slug, name, maker, is_open, context, modalities, capabilities, deprecated, released_on, retires_on
        in rows
    }  # fmt: skip


def on_sale(at: datetime, mix: Mix, models: Mapping[int, Known]) -> list[Offer]:
    """Every offering of some models with its list prices at a moment, in USD per Mtok, maybe none. Three queries.

    A model is not on sale before its release, nor at its maker from the day it retires, where those days are known.
    """
    prices = _prices(at, mix, models)
    speeds = dict(SpeedSample.objects.newest(at).values_list("offering_id", "output_tokens_per_second"))
    day = at.astimezone(UTC).date()
    found = []
    unpriced = _Prices()
    rows = Offering.objects.of_models(models, at).values_list(
        "pk", "model_id", "provider__slug", "provider__name", "sku", "region", "context_window"
    )
    for pk, model_id, provider, provider_name, sku, region, context in rows:
        model = models[model_id]
        first_party, released_on = provider == model.traits.maker, model.released_on
        if (released_on and released_on > day) or (first_party and model.retires_on and model.retires_on <= day):
            continue
        traits = replace(model.traits, context_window=context) if context else model.traits
        own = prices.get(pk, unpriced)
        since = min(own.known_since, released_on or date.max)
        found.append(
            Offer(
                model.slug, provider, sku, own.usd_per_mtok, first_party, region, traits=traits,
                provider_name=provider_name, offering_id=pk, price_ids=own.ids,
                known_since=None if since == date.max else since, undated=_is_undated(own, mix),
                has_peak_prices=own.has_peaks,
                dearer_from=tuple(sorted(own.dearer_from)), tokens_per_second=speeds.get(pk),
            )
        )  # fmt: skip
    return found


def _is_undated(prices: _Prices, mix: Mix) -> bool:
    """Whether the mix needs a price of which nothing says that it held by then."""
    return bool(prices.undated) and any(
        stated(prices.usd_per_mtok, unit)[0] in prices.undated for unit, _ in mix.weights()
    )


def needs(mix: Mix) -> tuple[list[str], list[str]]:
    """The units whose list prices a mix is weighed by, those that may stand in included, and their service tiers."""
    wanted = {unit.removeprefix(BATCH) for unit, _ in mix.weights()}
    units = [*LIST_UNITS, *(_WRITES if "cache_write" in wanted else ())]
    return units, [tier for tier in TIERS if tier == "standard" or mix.batch]


def _prices(at: datetime, mix: Mix, models: Iterable[int]) -> dict[int, _Prices]:
    """By offering. Units at the batch tier are named so; a unit that is absent has no price that is known."""
    rows = Price.objects.weighed(at, *needs(mix)).filter(offering__model__in=list(models))
    found: dict[int, _Prices] = defaultdict(_Prices)
    for offering, unit, tier, amount, per, pk, schedule, context_from, since, undated in rows.values_list(
        "offering_id", "unit", "service_tier", "amount", "per", "pk", "schedule", "context_from", "known_since",
        "undated",
    ):  # fmt: skip
        own = found[offering]
        if schedule:
            own.has_peaks = own.has_peaks or tier == "standard"
        elif context_from:
            if tier == "standard":
                own.dearer_from.add(context_from)
        else:
            name = f"{TIERS[tier]}{unit}"
            own.usd_per_mtok[name] = amount if per == _MTOK else amount * _MTOK / per
            own.ids[name] = pk
            own.known_since = min(own.known_since, since)
            if undated:
                own.undated.add(name)
    return {offering: own for offering, own in found.items() if own.usd_per_mtok}
