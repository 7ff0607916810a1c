"""Prices of some hours as `off_peak_pricing`: other prices for the whole request while a UTC window is open."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from pricing import schedules
from pricing.exports.litellm.reading import BATCH, KEY_OF, REASONING
from pricing.exports.litellm.sold import STANDARD, Card, Sold

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri")
_UNITS: Final = frozenset({*KEY_OF, "reasoning"})


def off_peak(sold: Sold, card: Card) -> dict[str, Any] | str:
    """The block for a card with a schedule, or the sentence why there is none."""
    schedule = schedules.parse(card.schedule)
    if schedule.calendar:
        return "The map's hours know no holidays, so the price of these hours is left out."
    if len({one.schedule for one in sold.cards} - {""}) > 1:
        return "The map has room for one set of hours a model, so these are left out."
    # LiteLLM lets the hours replace the price of every context tier and of every service tier but batches.
    if any(one.context_from or one.service_tier not in (STANDARD, BATCH) for one in sold.cards):
        return "The map's hours replace every tier's price, so the price of these hours is left out."
    always = sold.prices(STANDARD, 0)
    changed = {unit for unit, amount in card.prices.items() if always is None or always.prices.get(unit) != amount}
    if not changed <= _UNITS:
        return "The map's hours know no lifetimes of cache writes, so the price of these hours is left out."
    hours = [f"{start:%H:%M}-{end:%H:%M}" for start, end in schedule.windows]
    when: dict[str, Any] = {"hours_utc": hours}
    if schedule.days != "daily":
        when = {"windows": [{"weekdays": list(_WEEKDAYS), "hours_utc": hours}]}
    return when | _priced(card.prices)


def _priced(prices: Mapping[str, Decimal]) -> dict[str, Decimal]:
    keys = {**KEY_OF, "reasoning": REASONING}
    return {key: prices[unit] for unit, key in keys.items() if unit in prices}
