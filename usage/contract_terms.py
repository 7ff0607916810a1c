"""What a token costs under contract: list prices and the terms that hold, to contracted prices. Pure and exact.

A unit costs what an override says; else its list price less a discount; else its list price. Of several terms that
could say it the narrowest does, so that terms never add up: an offering's before a model's before a provider's, then
one of a service tier, then one of a unit, then the later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pricing.units import RATED_UNITS, STANDS_IN

DISCOUNT, OVERRIDE = "discount", "override"
_MTOK = Decimal(10) ** 6


@dataclass(frozen=True, slots=True)
class Term:
    """One contract, as far as it prices. `value` is per cent of a discount, or an override's price per million tokens.

    None and '' are no limit: of all models, offerings, service tiers or units of the provider.
    """

    id: int
    kind: str
    provider_id: int
    model_id: int | None
    offering_id: int | None
    service_tier: str
    unit: str
    value: Decimal
    currency: str
    starts: datetime
    ends: datetime

    def holds_for(self, offering: Sold, service_tier: str) -> bool:
        return (
            self.provider_id == offering.provider_id
            and self.model_id in (None, offering.model_id)
            and self.offering_id in (None, offering.id)
            and self.service_tier in ("", service_tier)
        )

    @property
    def narrowness(self) -> tuple[Any, ...]:
        """What decides between two terms: the greater one holds."""
        named = (self.offering_id is not None, self.model_id is not None, self.service_tier != "", self.unit != "")
        return (*named, self.starts, self.id)


@dataclass(frozen=True, slots=True)
class Sold:
    """An offering as far as contracts know it."""

    id: int
    provider_id: int
    model_id: int | None


@dataclass(frozen=True, slots=True)
class Contracted:
    """Prices per token by unit, None unknown, and the contracts they come from."""

    currency: str
    prices: tuple[Decimal | None, ...]
    contracts: tuple[int, ...]


def contracted(listed: Mapping[str, Decimal | None], currency: str, terms: Iterable[Term]) -> Contracted | None:
    """The contracted prices in the order of `RATED_UNITS`; None where no term prices anything.

    `terms` are those that hold; `currency` is that of the list prices, '' where there is none. An override in another
    currency than the list's does not hold: one record has one currency for both.
    """
    ordered = sorted(terms, key=lambda term: term.narrowness, reverse=True)
    overrides = [term for term in ordered if term.kind == OVERRIDE and currency in ("", term.currency)]
    currency = currency or (overrides[0].currency if overrides else "")
    overrides = [term for term in overrides if term.currency == currency]
    discounts = [term for term in ordered if term.kind == DISCOUNT]
    prices: list[Decimal | None] = []
    used: set[int] = set()
    for unit in RATED_UNITS:
        price = listed.get(unit)
        override = _first(overrides, unit)
        discount = _first(discounts, unit)
        if override is not None:
            prices.append(override.value / _MTOK)
            used.add(override.id)
            continue
        if price is None and discount is not None and discount.unit:
            price = listed.get(STANDS_IN.get(unit, ""))
        if price is not None and discount is not None:
            price *= 1 - discount.value / 100
            used.add(discount.id)
        prices.append(price)
    return Contracted(currency, tuple(prices), tuple(sorted(used))) if used else None


def _first(terms: Sequence[Term], unit: str) -> Term | None:
    return next((term for term in terms if term.unit in ("", unit)), None)


def pieces(
    starts: datetime, ends: datetime, terms: Sequence[Term]
) -> Iterator[tuple[datetime, datetime, tuple[Term, ...]]]:
    """[starts, ends) cut where a term begins or ends, each piece with the terms that hold in all of it."""
    inner = {edge for term in terms for edge in (term.starts, term.ends) if starts < edge < ends}
    edges = [starts, *sorted(inner), ends]
    for low, high in zip(edges, edges[1:], strict=False):
        yield low, high, tuple(term for term in terms if term.starts <= low and high <= term.ends)
