"""What sellers offer: list prices of a model at a seller, what is known of it, which of several counts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from pricing.frontier.mix import Mix, blend

NO_PRICES: Final[Mapping[str, Decimal | None]] = MappingProxyType({})
_PREVIEW: Final = re.compile(r"(?:^|[-_ /.:@])(preview|experimental|exp|beta|alpha)(?=$|[-_ /.:@\d])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of a model as it is sold; None and empty are unknown.

    `leaves` says that its maker announced the end of it, or marks it as replaced.
    """

    name: str = ""
    maker: str = ""
    open_weights: bool | None = None
    context_window: int | None = None
    modalities: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()
    leaves: bool = False


NO_TRAITS: Final = Traits()


@dataclass(frozen=True, slots=True)
class Offer:
    """One seller's unit prices of one model on a day, in USD per Mtok; None or absent is unknown.

    `first_party` says that the seller is the model's maker. `known_since` is the first day of which any evidence says
    that it was on sale; `undated` that no source states since when a price of the mix held, nor
    saw it by that day. `price_ids` are the rows behind the
    prices, by the same names. `has_peak_prices`: in some hours it costs something else; `dearer_from`: prompt lengths
    from which it does, in tokens.
    """

    model: str
    provider: str
    sku: str
    usd_per_mtok_by_unit: Mapping[str, Decimal | None]
    first_party: bool = False
    region: str = ""
    service_tier: str = "standard"
    context_from: int = 0
    schedule: str = ""
    traits: Traits = NO_TRAITS
    provider_name: str = ""
    offering_id: int = 0
    price_ids: Mapping[str, int] = field(default_factory=dict, compare=False)
    known_since: date | None = None
    undated: bool = False
    has_peak_prices: bool = False
    dearer_from: tuple[int, ...] = ()
    tokens_per_second: Decimal | None = None

    def is_list_price(self) -> bool:
        """Standard tier, base context, at all hours: the price that is comparable between sellers.

        OpenRouter sells its batch tier under ids of its own (`google/gemini-2.5-pro:batch`).
        """
        plain = self.service_tier == "standard" and not self.context_from and not self.schedule
        return plain and not self.sku.endswith(":batch")

    @property
    def is_preview(self) -> bool:
        """Sold as a trial: its seller's own id says preview, experimental, exp, beta or alpha."""
        return is_preview(self.sku)


def is_preview(name: str) -> bool:
    """Whether an id or a name says that what it names is a trial."""
    return bool(_PREVIEW.search(name))


Priced = tuple[Decimal, Offer]


def priced(offers: Iterable[Offer], mix: Mix) -> list[Priced]:
    """The list prices of a mix that are known, with their offers."""
    blends = ((blend(offer.usd_per_mtok_by_unit, mix), offer) for offer in offers if offer.is_list_price())
    return [(price, offer) for price, offer in blends if price is not None]


def preference(one: Priced) -> tuple[bool, bool, bool, bool, bool, bool, Decimal, str, str, str]:
    """Whose price is the model's: money before nothing, release before preview, what is known of the day before what is
    only thought to have held, the maker before hosts, the cheapest.

    A maker's price without a region goes before a regional one, the sku equal to the model's slug before an alias.
    """
    price, offer = one
    theirs = offer.first_party
    return (
        not price,
        offer.is_preview,
        offer.undated,
        not theirs,
        theirs and offer.region not in ("", "global"),
        theirs and offer.sku != offer.model,
        price,
        offer.provider,
        offer.sku,
        offer.region,
    )


def sellers(offers: Iterable[Offer], mix: Mix, *, free: bool = False, previews: bool = False) -> tuple[Priced, ...]:
    """Every seller's cheapest list price of a model, cheapest first; free and previews where they are asked for."""
    cheapest: dict[str, Priced] = {}
    for price, offer in sorted(priced(offers, mix), key=lambda one: (one[0], one[1].sku, one[1].region)):
        if (price or free) and (previews or not offer.is_preview):
            cheapest.setdefault(offer.provider, (price, offer))
    return tuple(cheapest.values())
