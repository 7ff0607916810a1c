"""A budget's pace: what is spent of it, what even spending would be, where it leads. Pure; days are UTC, half-open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from usage.forecast import Forecast, Step, forecast

MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
"""How many calendar months each kind of period is."""
LEVELS: Final = (Decimal("0.5"), Decimal("0.8"), Decimal(1))
"""Shares of a budget that are worth saying once each."""
_DAY: Final = timedelta(days=1)
_ZERO: Final = Decimal(0)
_SHARE: Final = Decimal("1e-6")


@dataclass(frozen=True, slots=True)
class Pace:
    """A budget in the period [since, until) that holds the day `on`, in the budget's currency.

    `spent` is of the days up to `on`, with it; usage is known of the days before `known_until` (the days after it have
    come in for nobody yet). The forecast's ends are of the whole period; None is too little history. `exceeded_on` is
    the day on which more than the amount is, or by the middle of the forecast will be, spent. `unknown_tokens` were
    used in the period and have no price, and money in the `unconverted` currencies has no rate: they are in no sum
    here. `changes` counts the announced price changes in the forecast.
    """

    scope: str
    currency: str
    amount: Decimal
    since: date
    until: date
    on: date
    known_until: date
    spent: Decimal
    forecast: Forecast | None = None
    exceeded_on: date | None = None
    unknown_tokens: int = 0
    unconverted: tuple[str, ...] = ()
    changes: int = 0

    @property
    def share(self) -> Decimal:
        """What part of the amount is spent."""
        return (self.spent / self.amount).quantize(_SHARE, ROUND_HALF_UP)

    @property
    def gone(self) -> Decimal:
        """What part of the period's days is over at the end of `on`."""
        days = Decimal((self.until - self.since).days)
        return (Decimal((self.on - self.since).days + 1) / days).quantize(_SHARE, ROUND_HALF_UP)

    @property
    def even(self) -> Decimal:
        """What even spending would have come to by the end of `on`."""
        days = Decimal((self.on - self.since).days + 1)
        return (self.amount * days / (self.until - self.since).days).quantize(Decimal("0.01"), ROUND_HALF_UP)

    @property
    def low(self) -> Decimal | None:
        """The least the period will come to, by the interval of 90 %."""
        return None if self.forecast is None else self.forecast.low

    @property
    def high(self) -> Decimal | None:
        """The most the period will come to, by the interval of 90 %."""
        return None if self.forecast is None else self.forecast.high

    @property
    def is_over(self) -> bool:
        return self.spent > self.amount

    @property
    def will_be_over(self) -> bool:
        """Whether the middle of the forecast ends above the amount."""
        return self.forecast is not None and self.forecast.middle > self.amount

    @property
    def may_be_over(self) -> bool:
        """Whether some of the forecast's interval lies above the amount."""
        return self.forecast is not None and self.forecast.high > self.amount

    @property
    def level(self) -> Decimal | None:
        """The highest of `LEVELS` that is reached; None below all of them."""
        return max((one for one in LEVELS if self.spent >= one * self.amount), default=None)


def period_of(day: date, kind: str) -> tuple[date, date]:
    """The calendar month, quarter or year that holds a day."""
    months = MONTHS[kind]
    first = (day.month - 1) // months * months + 1
    return date(day.year, first, 1), _after(date(day.year, first, 1), months)


def paced(
    scope: str,
    amount: Decimal,
    currency: str,
    period: tuple[date, date],
    on: date,
    spent: Mapping[date, Decimal],
    days: tuple[date, date],
    steps: Sequence[Step] = (),
    unknown_tokens: int = 0,
    unconverted: Sequence[str] = (),
) -> Pace:
    """The pace of a budget on a day from what was spent by day; `days` [first, known_until) are those with usage.

    A day on which some is spent and which is not over yet is taken for the more of that and of what a day like it
    costs. `on` is over where usage of a later day is known.
    """
    since, until = period
    over = min(days[1], on + _DAY) if days[1] > on + _DAY else min(days[1], on)
    so_far = {day: cost for day, cost in spent.items() if since <= day <= on}
    ahead = _with(forecast(spent, days[0], max(over, since), until, steps), so_far, over)
    done = sum((cost for day, cost in so_far.items() if day < over), _ZERO)
    return Pace(
        scope, currency, amount, since, until, on, days[1], sum(so_far.values(), _ZERO),
        ahead and _shifted(ahead, done), _exceeded(amount, so_far, ahead, done), unknown_tokens,
        tuple(unconverted), sum(over <= step.on < until for step in steps),
    )  # fmt: skip


def _with(ahead: Forecast | None, so_far: Mapping[date, Decimal], over: date) -> Forecast | None:
    """The forecast with what days that are not over have already cost, where that is more."""
    if ahead is None:
        return None
    by_day = tuple((day, max(cost, so_far.get(day, _ZERO))) for day, cost in ahead.by_day)
    more = sum((cost for _, cost in by_day), _ZERO) - sum((cost for _, cost in ahead.by_day), _ZERO)
    spent = sum((cost for day, cost in so_far.items() if day >= over), _ZERO)
    low = max(ahead.low + more, spent)
    return Forecast(low, max(ahead.middle + more, low), ahead.high + more, ahead.weeks, by_day)


def _shifted(ahead: Forecast, done: Decimal) -> Forecast:
    """Of the whole period instead of the days ahead."""
    return Forecast(ahead.low + done, ahead.middle + done, ahead.high + done, ahead.weeks, ahead.by_day)


def _exceeded(amount: Decimal, so_far: Mapping[date, Decimal], ahead: Forecast | None, done: Decimal) -> date | None:
    total = _ZERO
    for day in sorted(so_far):
        total += so_far[day]
        if total > amount:
            return day
    return ahead.reaches(amount - done) if ahead is not None else None


def _after(first: date, months: int) -> date:
    for _ in range(months):
        first = (first + timedelta(days=31)).replace(day=1)
    return first
