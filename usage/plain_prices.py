"""What a token of an offering's service tier cost at the beginning of a UTC day: its plain price, under contract.

Plain is the price without long prompts and without hours, as all evidence has it now. The rollups do not know more of
a day's usage than its offering and tier, so this is what each of its kinds of token can be priced by.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, date, datetime, time
from decimal import Decimal

from pricing.cost import CardPrices
from pricing.models import RateCard
from pricing.ratecards import STANDARD
from pricing.schedules import ALWAYS
from pricing.units import LIFETIMES, RATED_UNITS
from usage import contract_cards
from usage.contract_terms import Sold, Term, contracted

_Prices = dict[str, Decimal | None]


class PlainPrices:
    """The plain prices of some offerings on the days [since, until)."""

    def __init__(self, organisation_id: int, offering_ids: Collection[int], since: date, until: date) -> None:
        first, last = _midnight(since), _midnight(until)
        self._starts: dict[tuple[int, str], list[datetime]] = defaultdict(list)
        self._cards: dict[tuple[int, str], list[tuple[datetime | None, str, _Prices]]] = defaultdict(list)
        cards = RateCard.objects.current().filter(
            offering__in=list(offering_ids), contract="", context_from=0, schedule=ALWAYS, effective_from__lt=last
        )
        fields = ("offering_id", "service_tier", "effective_from", "effective_until", "currency", *RATED_UNITS)
        for offering, tier, starts, ends, currency, *prices in (
            cards.exclude(effective_until__lte=first).order_by("effective_from").values_list(*fields)
        ):
            self._starts[offering, tier].append(starts)
            self._cards[offering, tier].append((ends, currency, dict(zip(RATED_UNITS, prices, strict=True))))
        self._terms: dict[int, tuple[Sold, list[Term]]] = {
            sold.id: (sold, terms)
            for sold, terms in contract_cards.terms_of(organisation_id, offering_ids, first, last).items()
        }
        self._known: dict[tuple[object, ...], CardPrices | None] = {}

    def on(self, offering_id: int, service_tier: str, day: date) -> CardPrices | None:
        """Prices by unit, None where there is none; the same object for as long as nothing changes.

        '' is the standard tier. Where the vendor sells cache writes by lifetime only, `cache_write` is the price of the
        shortest one sold, which is what vendors keep a prefix for unless asked for longer.
        """
        moment, line = _midnight(day), (offering_id, service_tier or STANDARD)
        nth = bisect_right(self._starts.get(line, []), moment) - 1
        ends, currency, listed = self._cards[line][nth] if nth >= 0 else (None, "", {})
        if ends is not None and ends <= moment:
            nth, currency, listed = -1, "", {}
        terms = self._held(offering_id, line[1], moment)
        segment = (*line, nth, *(term.id for term in terms))
        if segment not in self._known:
            self._known[segment] = _prices(listed, currency, terms)
        return self._known[segment]

    def _held(self, offering_id: int, tier: str, moment: datetime) -> list[Term]:
        if offering_id not in self._terms:
            return []
        sold, terms = self._terms[offering_id]
        return [term for term in terms if term.holds_for(sold, tier) and term.starts <= moment < term.ends]


def _prices(listed: _Prices, currency: str, terms: list[Term]) -> CardPrices | None:
    agreed = contracted(listed, currency, terms) if terms else None
    if agreed is not None:
        currency, listed = agreed.currency, dict(zip(RATED_UNITS, agreed.prices, strict=True))
    found = {unit: price for unit, price in listed.items() if price is not None}
    for unit in (f"cache_write_{lifetime}" for lifetime in LIFETIMES):
        if unit in found:
            found.setdefault("cache_write", found[unit])
    return CardPrices(currency, found) if found else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
