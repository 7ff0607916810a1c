"""What one price makes sense of in usage, how much of it was used and what it cost at its plain price.

An item is one kind of token (input, cached input, cache write, output, reasoning where it is priced apart) of an
offering at a service tier: nothing coarser has one price, since a change of the mix of kinds would look like a change
of price. The rollups hold one cost for all kinds of a row together, so each kind is priced by the plain price of its
day under contract (`usage.plain_prices`), rounded once a day and item.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from pricing.cost import CardPrices, Tokens, rate
from pricing.models import Offering
from usage.baskets import Line, exact_sum, rounded
from usage.exchange import Rates
from usage.models import Organisation
from usage.plain_prices import PlainPrices

BY = ("offering", "model")
"""What is one thing: a model as one provider sells it, or a model whoever sells it."""


class Item(NamedTuple):
    """What one price makes sense of. By model `provider`, `sku` and `region` are ''."""

    provider: str
    sku: str
    region: str
    model: str
    service_tier: str
    unit: str


@dataclass(slots=True)
class Used:
    """Tokens of an item by currency, price and, abroad, the day of the rate; those without a price apart."""

    priced: dict[tuple[str, Decimal, date | None], int] = field(default_factory=lambda: defaultdict(int))
    unknown: int = 0

    def take(self, other: Used) -> None:
        """Add what another used of the same item."""
        self.unknown += other.unknown
        for at, tokens in other.priced.items():
            self.priced[at] += tokens

    def line(self, rates: Rates) -> Line:
        """What is priced of an item; where nothing is, its tokens at an unknown price."""
        quantity, unknown, value = 0, self.unknown, Decimal(0)
        natives: dict[str, Decimal] = defaultdict(Decimal)
        for (currency, price, day), tokens in self.priced.items():
            native = rounded(tokens * Fraction(price))
            converted = rates.converted(native, currency, day)
            if converted is None:
                unknown += tokens
                continue
            quantity, value = quantity + tokens, exact_sum((value, converted))
            natives[currency] = exact_sum((natives[currency], native))
        if not quantity:
            return Line(unknown, None)
        currency, native = next(iter(natives.items()))
        return Line(quantity, value, native, currency) if len(natives) == 1 else Line(quantity, value)


Key = Hashable
Items = dict[Item, Used]


def used(
    organisation: Organisation,
    rows: Sequence[dict[str, Any]],
    days: tuple[date, date],
    key: Callable[[Mapping[str, Any]], Key],
    by: str = BY[0],
) -> dict[Key, Items]:
    """What rollup rows by day, offering and service tier used of each item, by a key of the row.

    `days` [since, until) are those the rows are of. Usage of no known offering is of no item.
    """
    ids = {row["key_offering"] for row in rows} - {None}
    plain, names = PlainPrices(organisation.pk, ids, *days), _names(ids, by)
    found: dict[Key, Items] = defaultdict(lambda: defaultdict(Used))
    for row in rows:
        if row["key_offering"] is None:
            continue
        offering, tier, day = row["key_offering"], row["key_service_tier"], row["key_day"]
        prices = plain.on(offering, tier, day) if row["list_currency"] else None
        if prices is None or prices.currency != row["list_currency"]:
            prices = CardPrices("", {})
        abroad = day if prices.currency != organisation.display_currency else None
        for part in rate(prices, _tokens(row)).components:
            one = found[key(row)][Item(*names[offering], tier or "standard", part.unit)]
            if part.price is None:
                one.unknown += part.tokens
            else:
                one.priced[prices.currency, part.price, abroad] += part.tokens
    return found


def _tokens(row: Mapping[str, Any]) -> Tokens:
    """A row's tokens by kind: how much of a count is unknown stands in the totals."""
    return Tokens(
        input=row["sum_in_uncached"],
        cache_read=row["sum_in_cache_read"],
        cache_write=row["sum_in_cache_write"],
        output=row["sum_out_total"],
        reasoning=min(row["sum_out_reasoning"], row["sum_out_total"]),
    )


def _names(offering_ids: Iterable[int], by: str) -> dict[int, tuple[str, str, str, str]]:
    sold = Offering.objects.filter(pk__in=list(offering_ids))
    rows = sold.values_list("id", "provider__slug", "sku", "region", "model__slug")
    if by == "model":
        return {key: ("", "", "", model or sku) for key, _, sku, _, model in rows}
    return {key: (provider, sku, region, model or "") for key, provider, sku, region, model in rows}
