"""What a fixed cost comes to on each day of its period. Pure and exact: the days sum to the amount."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

_QUANTUM = Decimal("1e-12")


def on_days(amount: Decimal, starts: date, ends: date, since: date, until: date) -> Decimal:
    """The part of an amount for [starts, ends) that falls on the days [since, until).

    Each day has the same part of it, down to 1e-12; what is left goes to the first days, one unit each.
    """
    days = (ends - starts).days
    first, last = (min(max((day - starts).days, 0), days) for day in (since, until))
    if last <= first:
        return Decimal(0)
    each, left = divmod(int(abs(amount) / _QUANTUM), days)
    units = each * (last - first) + min(left, last) - min(left, first)
    return (-units if amount < 0 else units) * _QUANTUM


def by_day(amount: Decimal, starts: date, ends: date) -> dict[date, Decimal]:
    """Every day's part."""
    days = [starts + timedelta(days=n) for n in range((ends - starts).days)]
    return {day: on_days(amount, starts, ends, day, day + timedelta(days=1)) for day in days}
