"""What a span of days will have cost at its end, from the days that are over: an estimate with its interval. Pure.

The level is the mean of the last complete weeks in which the newest weighs half and each one before half as much again,
so that a change of model or of volume is followed within two weeks. Days ahead have their weekday's share of it. The
interval is of 90 %, from the spread of those weeks (Student's t): each week ahead strays by it, and the level may be
wrong by it for all of them. Announced price changes are added at the present volume. docs/budgets.md has the backtest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Final

from pricing.noninferiority import critical

WEEKS: Final = 8
LEAST_WEEKS: Final = 3
_WEEK: Final = 7
_DAY: Final = timedelta(days=1)
_ZERO: Final = Decimal(0)
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Step:
    """From a day on an average day costs so much more (or less) than the days before it did, at the same volume."""

    on: date
    per_day: Decimal


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the days ahead will cost: the middle, day by day too, and the ends of the interval."""

    low: Decimal
    middle: Decimal
    high: Decimal
    weeks: int
    by_day: tuple[tuple[date, Decimal], ...] = ()

    def reaches(self, amount: Decimal) -> date | None:
        """The first day ahead by whose end more than `amount` is spent of the middle; None where it never is."""
        sums = accumulate(cost for _, cost in self.by_day)
        return next((day for (day, _), so_far in zip(self.by_day, sums, strict=True) if so_far > amount), None)


def forecast(
    spent: Mapping[date, Decimal], first: date, known_until: date, until: date, steps: Sequence[Step] = ()
) -> Forecast | None:
    """Of the days [known_until, until), from what was spent on the days [first, known_until); a day without is zero.

    None below three complete weeks: too little history for a level or a spread.
    """
    if known_until >= until:
        return Forecast(_ZERO, _ZERO, _ZERO, 0)
    weeks = _weeks(spent, first, known_until)
    if len(weeks) < LEAST_WEEKS:
        return None
    shares = _shares(spent, len(weeks), known_until)
    level = _level(weeks)
    by_day = tuple((day, _cost(day, level, shares, steps)) for day in _days(known_until, until))
    middle = sum((cost for _, cost in by_day), _ZERO)
    ahead = sum((shares[day.weekday()] for day, _ in by_day), _ZERO)
    stray = Decimal(repr(critical(len(weeks) - 1))) * _spread(weeks) * (ahead + ahead * ahead).sqrt()
    low, high = max(middle - stray, _ZERO), middle + stray
    return Forecast(low.quantize(_CENT), middle.quantize(_CENT), high.quantize(_CENT), len(weeks), by_day)


def _weeks(spent: Mapping[date, Decimal], first: date, known_until: date) -> list[Decimal]:
    """What each of the last seven-day spans cost, the oldest first."""
    count = min(WEEKS, (known_until - first).days // _WEEK)
    starts = [known_until - _DAY * _WEEK * n for n in range(count, 0, -1)]
    return [sum((spent.get(day, _ZERO) for day in _days(start, start + _DAY * _WEEK)), _ZERO) for start in starts]


def _shares(spent: Mapping[date, Decimal], weeks: int, known_until: date) -> dict[int, Decimal]:
    """Each weekday's share of a week, even where nothing was spent."""
    by_weekday: dict[int, Decimal] = defaultdict(Decimal)
    for day in _days(known_until - _DAY * _WEEK * weeks, known_until):
        by_weekday[day.weekday()] += max(spent.get(day, _ZERO), _ZERO)
    whole = sum(by_weekday.values(), _ZERO)
    return {day: cost / whole if whole else Decimal(1) / _WEEK for day, cost in by_weekday.items()}


def _level(weeks: Sequence[Decimal]) -> Decimal:
    weights = [Decimal(2) ** n for n in range(len(weeks))]
    return max(sum((w * cost for w, cost in zip(weights, weeks, strict=True)), _ZERO) / sum(weights, _ZERO), _ZERO)


def _spread(weeks: Sequence[Decimal]) -> Decimal:
    """Standard deviation of the weeks about their mean."""
    mean = sum(weeks, _ZERO) / len(weeks)
    return (sum(((cost - mean) ** 2 for cost in weeks), _ZERO) / (len(weeks) - 1)).sqrt()


def _cost(day: date, level: Decimal, shares: Mapping[int, Decimal], steps: Sequence[Step]) -> Decimal:
    """A day ahead. A step falls on the weekdays as the money does."""
    more = sum((step.per_day for step in steps if step.on <= day), _ZERO)
    return max(shares[day.weekday()] * (level + more * _WEEK), _ZERO)


def _days(since: date, until: date) -> Iterator[date]:
    return (since + _DAY * n for n in range((until - since).days))
