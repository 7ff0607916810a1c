"""Who sells which model at what list price: the read that every page of the catalogue stands on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q

from pricing.frontier import Offer
from pricing.models import Offering, Price

_MTOK = 1_000_000


@dataclass(frozen=True, slots=True)
class Sold:
    """One offering and its list prices at a moment, in USD per Mtok; a unit that is absent is unknown.

    `price_ids` are the `Price` rows behind them. `has_peak_prices`: in some hours it costs something else.
    `dearer_from`: prompt lengths from which it does, in tokens.
    """

    offering_id: int
    model: str
    model_name: str
    maker: str
    open_weights: bool | None
    context_window: int | None
    provider: str
    provider_name: str
    sku: str
    region: str
    usd_per_mtok_by_unit: Mapping[str, Decimal] = field(default_factory=dict)
    price_ids: Mapping[str, int] = field(default_factory=dict)
    has_peak_prices: bool = False
    dearer_from: tuple[int, ...] = ()

    @property
    def first_party(self) -> bool:
        return self.provider == self.maker

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.provider, self.sku, self.region)

    def offer(self) -> Offer:
        """The same as the frontier takes it."""
        return Offer(self.model, self.provider, self.sku, self.usd_per_mtok_by_unit, self.first_party, self.region)


_COLUMNS = (
    "pk", "model__slug", "model__name", "model__maker", "model__open_weights", "model__context_window",
    "provider__slug", "provider__name", "sku", "region",
)  # fmt: skip


def sold(at: datetime, known_at: datetime | None = None, *, models: Iterable[Any] | None = None) -> list[Sold]:
    """Every offering (of the models only, where some are given by id) with its list prices. Two queries."""
    offerings, prices = Offering.objects.all(), Price.objects.compared(at, known_at)
    if models is not None:
        ids = list(models)
        offerings = offerings.filter(model__in=ids)
        prices = prices.filter(offering__model__in=ids)
    usd: dict[int, dict[str, Decimal]] = defaultdict(dict)
    ids_by_unit: dict[int, dict[str, int]] = defaultdict(dict)
    peaks: set[int] = set()
    tiers: dict[int, set[int]] = defaultdict(set)
    rows = prices.values_list("offering_id", "unit", "amount", "per", "pk", "schedule", "context_from")
    for offering_id, unit, amount, per, pk, schedule, context_from in rows:
        if schedule:
            peaks.add(offering_id)
        elif context_from:
            tiers[offering_id].add(context_from)
        else:
            usd[offering_id][unit] = amount if per == _MTOK else amount * _MTOK / per
            ids_by_unit[offering_id][unit] = pk
    nothing: dict[Any, Any] = {}
    found = []
    for pk, model, name, maker, is_open, context, provider, provider_name, sku, region in offerings.order_by(
        "pk"
    ).values_list(*_COLUMNS):
        dearer = tuple(sorted(tiers[pk])) if pk in tiers else ()
        found.append(
            Sold(
                pk, model, name, maker, is_open, context, provider, provider_name, sku, region, usd.get(pk, nothing),
                ids_by_unit.get(pk, nothing), pk in peaks, dearer,
            )
        )  # fmt: skip
    return found


def coming(after: datetime, until: datetime, offering_ids: Iterable[int]) -> list[tuple[int, str, Decimal, datetime]]:
    """List prices that begin in (after, until]: offering, unit, USD per Mtok, from when."""
    rows = (
        Price.objects.upcoming(after, until)
        .standard()
        .filter(Q(currency="USD"), offering_id__in=list(offering_ids), unit__in=("input", "output", "cache_read"))
        .values_list("offering_id", "unit", "amount", "per", "effective_from")
    )
    return [(offering, unit, amount * _MTOK / per, begins) for offering, unit, amount, per, begins in rows]
