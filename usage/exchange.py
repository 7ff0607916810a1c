"""Exchange rates as an organisation's figures take them: the last one published by the day.

The days of a closed month are converted at the rates that stood when it was closed, or when a restatement took in
later ones: a rate that comes after moves nothing, and is pending.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pricing.models import ExchangeRate
from usage.models import Organisation, Period

_QUANTUM = Decimal("1e-12")


class Rates:
    """What converts money of days into one currency, read when there is any to convert."""

    def __init__(
        self,
        organisation: Organisation,
        needed: bool,
        days: Iterable[date],
        *,
        currency: str = "",
        as_closed: bool = True,
    ) -> None:
        """Rates of `days` into `currency`, by default that of the organisation; `as_closed` False: those of today."""
        self._display = currency or organisation.display_currency
        self._home = {"", self._display}
        self._now = _Book([])
        self._closed: dict[date, _Book] = {}
        if needed and (asked := list(days)):
            first, last = min(asked), max(asked)
            self._now = _Book(_of(ExchangeRate.objects.spanning(first, last)))
            closed = Period.objects.of(organisation).touching(first, last + timedelta(days=1)).overtaken()
            for period in closed if as_closed else ():
                end = period.until - timedelta(days=1)
                self._closed[period.month] = _Book(
                    _of(ExchangeRate.objects.spanning(period.month, end, period.rates_at))
                )

    def at_home(self, *currencies: str) -> bool:
        """Whether money of these currencies needs no rate."""
        return self._home.issuperset(currencies)

    def converted(self, amount: Decimal, currency: str, day: date | None) -> Decimal | None:
        """The amount in the currency asked for, or None without a rate of the day or before it."""
        if not amount or currency in ("", self._display):
            return amount
        book = self._closed.get(day.replace(day=1), self._now) if day and self._closed else self._now
        source, target = book.usd(currency, day), book.usd(self._display, day)
        if source is None or not target:
            return None
        return (amount * source / target).quantize(_QUANTUM, ROUND_HALF_UP)


class _Book:
    """The rates that stood at one instant, in the order of their days."""

    def __init__(self, rates: Iterable[tuple[str, date, Decimal]]) -> None:
        self._days: dict[str, list[date]] = defaultdict(list)
        self._usd: dict[str, list[Decimal]] = defaultdict(list)
        for currency, day, usd in rates:
            self._days[currency].append(day)
            self._usd[currency].append(usd)

    def usd(self, currency: str, day: date | None) -> Decimal | None:
        if currency == "USD":
            return Decimal(1)
        nth = bisect_right(self._days[currency], day) if day else 0
        return self._usd[currency][nth - 1] if nth else None


def _of(rates: Any) -> Iterable[tuple[str, date, Decimal]]:
    found: Iterable[tuple[str, date, Decimal]] = rates.order_by("currency", "day", "source_id").values_list(
        "currency", "day", "usd"
    )
    return found


def days_of(rows: Sequence[dict[str, Any]], column: str = "key_day") -> list[date]:
    """The days of rows, of those that have one."""
    return [row[column] for row in rows if row.get(column)]
