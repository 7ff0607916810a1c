"""What is offered: a model as one provider sells it, with all that a choice depends on. Pure.

None and empty are unknown, as in the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final, NamedTuple

from pricing.cost import CardKey, CardPrices
from usage.advice import Side

WAITING: Final = ("batch", "flex")
"""Service tiers that answer later than the standard one."""


class Rated(NamedTuple):
    """What a score is of: a model at an effort, '' where none is stated. No effort stands in for another."""

    model: str
    effort: str = ""


@dataclass(frozen=True, slots=True)
class PricedCard:
    """Where a card applies and its prices per single token; a price that is absent is unknown."""

    key: CardKey
    prices: CardPrices


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model as one provider sells it.

    `cards` are by service tier: those in force and those announced, under contract where one holds (`is_contracted`).
    `rates` say what one unit of a card's currency is in the organisation's; its own currency is 1, one that is absent
    is unknown. `known_since` is the first day of which any evidence says that it was on sale. `quantisation` is what
    the seller states of it. `is_resold`: its maker sells it too, and its weights are not known to be open.
    `side.effort` is '' unless the offer is for one effort only.
    """

    side: Side
    cards: Mapping[str, tuple[PricedCard, ...]]
    rates: Mapping[str, Decimal]
    maker: str = ""
    known_since: date | None = None
    retires_on: date | None = None
    context_window: int | None = None
    max_output: int | None = None
    modalities: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()
    open_weights: bool | None = None
    is_preview: bool = False
    quantisation: str = ""
    is_contracted: bool = False
    is_resold: bool = False
    edges: tuple[datetime, ...] = field(init=False, compare=False, repr=False, default=())

    def __post_init__(self) -> None:
        edges = {moment for cards in self.cards.values() for one in cards for moment in _ends(one.key)}
        object.__setattr__(self, "edges", tuple(sorted(edges)))

    @property
    def rated(self) -> Rated:
        return Rated(self.side.model, self.side.effort)

    @property
    def is_batch_id(self) -> bool:
        """Whether the id itself is of the batch tier, as OpenRouter sells it: `google/gemini-2.5-pro:batch`."""
        return self.side.sku.endswith(":batch")

    def at(self, service_tier: str | None = None, effort: str | None = None) -> Candidate:
        """The same offer at another tier or effort."""
        tier = self.side.service_tier if service_tier is None else service_tier
        if tier == self.side.service_tier and effort in (None, self.side.effort):
            return self
        side = replace(self.side, service_tier=tier, effort=self.side.effort if effort is None else effort)
        return replace(self, side=side)

    def in_force(self, moment: datetime) -> tuple[PricedCard, ...]:
        """The cards of its tier at a moment: of every context tier and schedule."""
        return tuple(one for one in self.cards.get(self.side.service_tier, ()) if _holds(one.key, moment))

    def plain(self, moment: datetime) -> CardPrices | None:
        """The prices of its tier for short prompts at all hours; None where there is no such card."""
        every = (one for one in self.in_force(moment) if not one.key.context_from and not one.key.schedule)
        return next((one.prices for one in every), None)

    def listed(self, moment: datetime) -> tuple[Decimal, Decimal] | None:
        """The plain prices of input and output in the organisation's currency; None where one is unknown."""
        card = self.plain(moment)
        if card is None or (rate := self.rates.get(card.currency)) is None:
            return None
        sent, written = card.price("input"), card.price("output")
        return None if sent is None or written is None else (sent * rate, written * rate)

    def is_free(self, moment: datetime) -> bool:
        """Whether input and output are known to cost nothing."""
        card = self.plain(moment)
        return card is not None and card.price("input") == 0 and card.price("output") == 0

    def changes_after(self, moment: datetime, until: datetime) -> tuple[datetime, ...]:
        """The moments in (moment, until] at which an announced price begins or one in force is known to end."""
        return tuple(edge for edge in self.edges if moment < edge <= until)

    def ends_after(self, moment: datetime, until: datetime) -> datetime | None:
        """The first moment in (moment, until] from which on its tier has no price; None where it has one all along."""
        return next((edge for edge in self.changes_after(moment, until) if not self.in_force(edge)), None)


def start_of(day: date) -> datetime:
    """Midnight UTC with which a day begins: the moment of which its prices are asked."""
    return datetime.combine(day, time.min, UTC)


def best_tier(candidate: Candidate, service_tier: str, moment: datetime) -> Candidate:
    """The offer at the tier that is in use, else at the standard one, which answers no later than batch and flex do."""
    same = candidate.at(service_tier)
    return same if same.in_force(moment) else candidate.at("standard")


def _holds(key: CardKey, moment: datetime) -> bool:
    return key.effective_from <= moment and (key.effective_until is None or moment < key.effective_until)


def _ends(key: CardKey) -> Iterable[datetime]:
    return (key.effective_from,) if key.effective_until is None else (key.effective_from, key.effective_until)
