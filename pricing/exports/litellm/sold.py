"""What is exported: one offering with the prices in force, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from pricing.cost import CardPrices

STANDARD: Final = "standard"


@dataclass(frozen=True, slots=True)
class Card:
    """The prices of one service tier, context tier and schedule, per token by unit; absent = unknown."""

    service_tier: str
    context_from: int
    context_op: str
    schedule: str
    currency: str
    prices: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class OtherPrice:
    """A price that stands on no rate card: another unit, a qualifier, a marginal tier."""

    unit: str
    qualifier: str
    service_tier: str
    schedule: str
    context_from: int
    context_mode: str
    currency: str
    amount: Decimal
    per: int


@dataclass(frozen=True, slots=True)
class Sold:
    """One offering as it is sold now. `cards` are its rate cards in force, `others` the prices on none of them."""

    provider: str
    sku: str
    region: str
    model: str
    maker: str
    aliases: tuple[str, ...] = ()
    cards: Sequence[Card] = ()
    others: Sequence[OtherPrice] = ()
    context_window: int | None = None
    max_output: int | None = None
    modalities: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    retires_on: date | None = None
    url: str = ""

    @property
    def tiers(self) -> list[str]:
        """Its service tiers, standard first."""
        found = {card.service_tier for card in self.cards if not card.schedule}
        return sorted(found, key=lambda tier: (tier != STANDARD, tier))

    def of_tier(self, tier: str) -> list[Card]:
        """The cards of a tier that hold at any hour, the lowest context tier first."""
        return sorted(
            (card for card in self.cards if card.service_tier == tier and not card.schedule),
            key=lambda card: card.context_from,
        )

    def prices(self, tier: str, prompt: int) -> CardPrices | None:
        """What a request of this many prompt tokens pays at any hour; None where the tier is not sold."""
        held = at_prompt(self.of_tier(tier), prompt)
        return CardPrices(held.currency, held.prices) if held else None


def first_prompt(card: Card) -> int:
    """The smallest prompt that is in the card's context tier."""
    return card.context_from + (card.context_op == ">") if card.context_from else 0


def at_prompt(cards: Iterable[Card], prompt: int) -> Card | None:
    """Of cards in rising order, the highest that a prompt reaches."""
    return next((card for card in reversed(list(cards)) if first_prompt(card) <= prompt), None)
