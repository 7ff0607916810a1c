"""Who sells some models at which list price at a moment, long prompts included, and whether it was seen by then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from pricing.frontier import Offer
from pricing.models import Price
from pricing.models.evidence import Basis

_COLUMNS = (
    "offering_id", "offering__model__slug", "offering__model__name", "offering__model__maker",
    "offering__model__context_window", "offering__context_window", "offering__provider__slug",
    "offering__provider__name", "offering__sku", "offering__region", "context_from", "context_op", "unit", "amount",
    "per", "pk", "basis", "evidence_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tier:
    """The prices of whole requests whose prompt is longer than `above` tokens (or at least as long: `at_least`)."""

    above: int
    at_least: bool
    usd_per_mtok_by_unit: Mapping[str, Decimal]

    def holds(self, prompt: int) -> bool:
        return prompt > self.above or (self.at_least and prompt == self.above)


@dataclass(frozen=True, slots=True)
class Listed:
    """One offering's plain prices in USD per Mtok; a unit that is absent is unknown.

    `witnessed`: there was evidence of each of them by the moment. A price without is one that was first seen later and
    of which nobody states the start.
    """

    offering_id: int
    model: str
    model_name: str
    maker: str
    context_window: int | None
    provider: str
    provider_name: str
    sku: str
    region: str
    usd_per_mtok_by_unit: Mapping[str, Decimal] = field(default_factory=dict)
    price_ids: Mapping[str, int] = field(default_factory=dict)
    tiers: tuple[Tier, ...] = ()
    witnessed: bool = True

    def offer(self) -> Offer:
        """The same as the frontier takes it."""
        first_party = self.provider == self.maker
        return Offer(
            self.model, self.provider, self.sku, self.usd_per_mtok_by_unit, first_party, self.region,
            undated=not self.witnessed,
        )  # fmt: skip

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.provider, self.sku, self.region)

    def prices_of(self, prompt: int) -> dict[str, Decimal]:
        """The prices of a request by its prompt's length; a unit that the tier leaves out has the base's."""
        found = dict(self.usd_per_mtok_by_unit)
        for tier in self.tiers:
            if tier.holds(prompt):
                found |= tier.usd_per_mtok_by_unit
        return found


def listed(
    at: datetime, models: Iterable[int] | None = None, units: Iterable[str] = ("input", "output")
) -> list[Listed]:
    """Every offering (of the models by id, where some are given) that states a price of a unit. One query.

    Prices in USD at the standard tier and at all hours, of offerings that were sold; in order of offering.
    """
    rows = Price.objects.known_at().effective_at(at).filter(
        superseded_at=None, currency="USD", service_tier="standard", qualifier="", schedule="", unit__in=list(units),
    )  # fmt: skip
    rows = rows.exclude(offering__retired_at__lte=at).exclude(context_mode="marginal")
    if models is not None:
        rows = rows.filter(offering__model__in=list(models))
    facts: dict[int, tuple[str, str, str, int | None, str, str, str, str]] = {}
    prices: dict[int, dict[str, Decimal]] = defaultdict(dict)
    ids: dict[int, dict[str, int]] = defaultdict(dict)
    tiers: dict[int, dict[tuple[int, bool], dict[str, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    unseen: set[int] = set()
    for offering, model, name, maker, window, own_window, seller, seller_name, sku, region, *price in rows.values_list(
        *_COLUMNS
    ):
        above, op, unit, amount, per, pk, basis, evidence_at = price
        facts[offering] = (model, name, maker, own_window or window, seller, seller_name, sku, region)
        usd = amount * 1_000_000 / per
        if above:
            tiers[offering][above, op == ">="][unit] = usd
            continue
        prices[offering][unit], ids[offering][unit] = usd, pk
        if basis == Basis.INFERRED and evidence_at > at:
            unseen.add(offering)
    return [
        Listed(
            offering, *facts[offering], prices[offering], ids[offering],
            tuple(Tier(*edge, units) for edge, units in sorted(tiers[offering].items())), offering not in unseen,
        )
        for offering in sorted(prices)
    ]  # fmt: skip
