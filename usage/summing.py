"""Sums of rollup rows in one currency: exact, and unknown where nothing is known.

A row is a dict as `sums_by` gives it. List and contracted cost leave notional usage out and hold it apart. Other
currencies enter at the rate of their day; without one they stay out and are told.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pricing.models import ExchangeRate
from usage.models import Organisation
from usage.querysets import CURRENCIES, MEASURES, NOTIONAL

TOKENS = ("in_uncached", "in_cache_read", "in_cache_write", "out_total")
_QUANTUM = Decimal("1e-12")
_COUNTS = tuple((name, f"sum_{name}") for name in MEASURES if name != "spent" and not name.endswith("_cost"))


@dataclass(slots=True)
class Sums:
    """Measures of one group, money by kind in the display currency."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    list_cost: Decimal = Decimal(0)
    contracted_cost: Decimal = Decimal(0)
    reported_cost: Decimal = Decimal(0)
    notional_cost: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    costed: int = 0
    priced: int = 0
    reported: int = 0
    notional_priced: int = 0
    spent_records: int = 0
    notional_records: int = 0

    def money(self) -> dict[str, str | None]:
        """Every kind of money as text; None where records exist and none of them has that cost."""
        found = {name: self.amount(name) for name in _AMOUNTS}
        return {name: None if amount is None else f"{amount:f}" for name, amount in found.items()}

    def amount(self, kind: str) -> Decimal | None:
        """One kind of money; None as in `money`."""
        amount, known, records = (getattr(self, name) for name in _AMOUNTS[kind])
        # A split may leave a project money of a record whose count of one went to another project.
        return None if records and not known and not amount else amount

    def usage(self) -> dict[str, int | None]:
        """Requests and tokens; None where no record knows its own."""
        records = self.counts["records"]
        return {
            name: None
            # A split may leave a project a count of a record that another project is given.
            if records and self.counts[f"unknown_{name}"] >= records and not self.counts[name]
            else self.counts[name]
            for name in ("requests", *TOKENS)
        }

    @property
    def tokens(self) -> int:
        return sum(self.counts[name] for name in TOKENS)

    @property
    def is_something(self) -> bool:
        """Whether any figure of it is more than nothing."""
        return any(self.counts.values()) or any(getattr(self, amount) for amount, _, _ in _AMOUNTS.values())


_AMOUNTS = {
    "list": ("list_cost", "priced", "spent_records"),
    "contracted": ("contracted_cost", "priced", "spent_records"),
    "reported": ("reported_cost", "reported", "spent_records"),
    "notional": ("notional_cost", "notional_priced", "notional_records"),
    "spent": ("spent", "costed", "spent_records"),
}
"""Each kind of money, how many records have it, and of how many."""


def summed(organisation: Organisation, rows: Sequence[dict[str, Any]]) -> Sums:
    """The sums of rows, each with its `key_day` where any is in another currency."""
    rates, total = Rates(organisation.display_currency, is_foreign(rows, organisation.display_currency), rows), Sums()
    for row in rows:
        add(row, (total,), rates, defaultdict(Decimal))
    return total


def is_foreign(rows: Sequence[dict[str, Any]], display: str) -> bool:
    """Whether any money of rows has to be converted."""
    known = ("", display)
    return any(row[name] not in known for row in rows for name in CURRENCIES)


def add(row: dict[str, Any], targets: Sequence[Sums], rates: Rates, unconverted: defaultdict[str, Decimal]) -> None:
    """Add a row to sums; money that cannot be converted goes to `unconverted` instead."""
    costs = {}
    for name, currency in (
        ("list_cost", row["list_currency"]),
        ("contracted_cost", row["list_currency"]),
        ("reported_cost", row["currency"]),
        ("spent", row["spent_currency"]),
    ):
        amount = row[f"sum_{name}"]
        costs[name] = rates.converted(amount, currency, row.get("key_day"))
        if costs[name] is None and name in ("list_cost", "reported_cost"):
            unconverted[currency] += amount
    notional = row["cost_kind"] == NOTIONAL
    told = [(name, count) for name, column in _COUNTS if (count := row[column])]
    for sums in targets:
        for name, count in told:
            sums.counts[name] += count
        priced = row["sum_priced_records"] if costs["list_cost"] is not None else 0
        if notional:
            sums.notional_cost += costs["list_cost"] or 0
            sums.notional_priced += priced
            sums.notional_records += row["sum_records"]
            continue
        sums.spent_records += row["sum_records"]
        sums.list_cost += costs["list_cost"] or 0
        sums.contracted_cost += costs["contracted_cost"] or 0
        sums.reported_cost += costs["reported_cost"] or 0
        sums.spent += costs["spent"] or 0
        sums.costed += row["sum_spent_records"] if costs["spent"] is not None else 0
        sums.priced += priced
        sums.reported += row["sum_reported_records"] if costs["reported_cost"] is not None else 0


class Rates:
    """Exchange rates by day, read when there is money to convert, of the days of `rows` (by `key_day`)."""

    def __init__(self, display: str, needed: bool, rows: Sequence[dict[str, Any]] = ()) -> None:
        self._display = display
        self._days: dict[str, list[date]] = defaultdict(list)
        self._usd: dict[str, list[Decimal]] = defaultdict(list)
        if needed:
            known = ExchangeRate.objects.order_by("currency", "day", "source_id")
            if days := [row["key_day"] for row in rows if row.get("key_day")]:
                known = known.spanning(min(days), max(days))
            for currency, day, usd in known.values_list("currency", "day", "usd"):
                self._days[currency].append(day)
                self._usd[currency].append(usd)

    def converted(self, amount: Decimal, currency: str, day: date | None) -> Decimal | None:
        """The amount in the display currency, or None without a rate of the day or before it."""
        if not amount or currency in ("", self._display):
            return amount
        source, target = self._in_usd(currency, day), self._in_usd(self._display, day)
        if source is None or not target:
            return None
        return (amount * source / target).quantize(_QUANTUM, ROUND_HALF_UP)

    def _in_usd(self, currency: str, day: date | None) -> Decimal | None:
        if currency == "USD":
            return Decimal(1)
        nth = bisect_right(self._days[currency], day) if day else 0
        return self._usd[currency][nth - 1] if nth else None
