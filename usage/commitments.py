"""How commitments burn down. Pure: from what was spent on each day to what is left, and where it is going."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

_QUANTUM = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Committed:
    """An amount to be spent in [starts, ends)."""

    id: int
    amount: Decimal
    starts: date
    ends: date
    currency: str


@dataclass(slots=True)
class Burn:
    """What has burnt of a commitment, by day, in its own currency."""

    of: Committed
    by_day: dict[date, Decimal] = field(default_factory=dict)

    @property
    def burnt(self) -> Decimal:
        return sum(self.by_day.values(), Decimal(0))

    @property
    def left(self) -> Decimal:
        return self.of.amount - self.burnt

    def pace(self, today: date) -> Decimal | None:
        """What burns a day on average of the whole days before `today`; None before the first is over."""
        days = (min(today, self.of.ends) - self.of.starts).days
        return (
            sum((spent for day, spent in self.by_day.items() if day < today), Decimal(0)) / days if days > 0 else None
        )

    def needed(self, today: date) -> Decimal | None:
        """What has to burn a day, from `today` on, to use it up; None once its period is over."""
        days = (self.of.ends - max(today, self.of.starts)).days
        before = sum((spent for day, spent in self.by_day.items() if day < today), Decimal(0))
        return max(self.of.amount - before, Decimal(0)) / days if days > 0 else None

    def forecast(self, today: date) -> Decimal | None:
        """What will have burnt at the end if it goes on like this; never more than was committed."""
        if today >= self.of.ends:
            return self.burnt
        pace = self.pace(today)
        return (
            None if pace is None else min(self.of.amount, max(self.burnt, pace * (self.of.ends - self.of.starts).days))
        )

    def runs_out(self, today: date) -> date | None:
        """The day on which nothing is left of it: past, or at the present pace; None if not within its period."""
        total = Decimal(0)
        for day in sorted(self.by_day):
            total += self.by_day[day]
            if total >= self.of.amount:
                return day
        pace = self.pace(today)
        if not pace or today >= self.of.ends:
            return None
        days = int((self.of.amount / pace).to_integral_value(ROUND_FLOOR))
        found = max(today, self.of.starts + timedelta(days=days)) if days < (date.max - self.of.starts).days else None
        return found if found is not None and found < self.of.ends else None

    def shortfall(self, today: date) -> Decimal | None:
        """What is committed and will not have been used at the end; None before there is a pace."""
        forecast = self.forecast(today)
        return None if forecast is None else self.of.amount - forecast


def burn(commitments: Sequence[Committed], spent: Mapping[str, Mapping[date, Decimal]]) -> list[Burn]:
    """Commitments at one provider: each day's spend burns those of that day, the one that ends first first.

    `spent` tells the same money in each of their currencies: what burns one is burnt for those in another, too. What
    is more than all of them is nobody's; a day of negative spend gives nothing back.
    """
    burns = [Burn(one) for one in sorted(commitments, key=lambda one: (one.ends, one.starts, one.id))]
    left = {id(one): one.of.amount for one in burns}
    for day in sorted({day for of_days in spent.values() for day in of_days}):
        rest = {currency: max(of_days.get(day, Decimal(0)), Decimal(0)) for currency, of_days in spent.items()}
        for one in burns:
            mine = one.of.currency
            if one.of.starts <= day < one.of.ends and (part := min(rest[mine], left[id(one)])):
                one.by_day[day] = part
                left[id(one)] -= part
                rest = {currency: _less(amount, part, rest[mine]) for currency, amount in rest.items()}
    return burns


def _less(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """What is left of an amount when a part of a whole is taken from it, both in the whole's currency."""
    if amount == whole:
        return amount - part
    return (amount * (whole - part) / whole).quantize(_QUANTUM, ROUND_HALF_UP)
