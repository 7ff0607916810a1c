"""Where a period's spend leads: the level, its interval, announced prices, and what is too little to say anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.forecast import Step, forecast
from usage.pacing import paced, period_of

DAY = timedelta(days=1)
MONDAY = date(2026, 9, 28)
NOVEMBER = (date(2026, 11, 1), date(2026, 12, 1))


def spending(first: date, days: int, *weekly: int, weekend: int | None = None) -> dict[date, Decimal]:
    """The same every day of each week of `weekly` in turn, the last going on; `weekend` instead on those days."""
    found = {}
    for n in range(days):
        day = first + DAY * n
        cost = weekly[min(n // 7, len(weekly) - 1)]
        found[day] = Decimal(weekend if weekend is not None and day.weekday() >= 5 else cost)
    return found


def test_even_spending_goes_on_as_it_is_and_nothing_is_in_doubt() -> None:
    found = forecast(spending(MONDAY, 56, 10), MONDAY, MONDAY + DAY * 56, MONDAY + DAY * 66)
    assert found is not None
    assert (found.low, found.middle, found.high, found.weeks) == (100, 100, 100, 8)


def test_days_ahead_cost_what_their_weekday_does() -> None:
    spent = spending(MONDAY, 56, 10, weekend=3)
    found = forecast(spent, MONDAY, MONDAY + DAY * 56, MONDAY + DAY * 63)
    assert found is not None
    assert [cost.quantize(Decimal("0.01")) for _, cost in found.by_day] == [10] * 5 + [3] * 2


@pytest.mark.parametrize(("days", "known"), [(20, False), (21, True)])
def test_below_three_complete_weeks_nothing_is_foretold(days: int, known: bool) -> None:
    found = forecast(spending(MONDAY, days, 10), MONDAY, MONDAY + DAY * days, MONDAY + DAY * 60)
    assert (found is not None) is known


def test_the_newest_week_weighs_half_and_the_spread_of_all_makes_the_interval() -> None:
    # Weeks of 70, 70, 140: level (70 + 2·70 + 4·140) / 7 = 110; spread √(3266.67 ÷ 2) = 40.41; t(2) = 2.920.
    found = forecast(spending(MONDAY, 21, 10, 10, 20), MONDAY, MONDAY + DAY * 21, MONDAY + DAY * 28)
    assert found is not None
    assert (found.middle, found.high) == (110, Decimal("276.89"))  # 110 + 2.920 × 40.41 × √(1 + 1)
    assert found.low == 0  # nobody gets money back


def test_an_announced_price_counts_from_its_day_on() -> None:
    spent = spending(MONDAY, 56, 10)
    steps = [Step(MONDAY + DAY * 60, Decimal(5))]
    found = forecast(spent, MONDAY, MONDAY + DAY * 56, MONDAY + DAY * 66, steps)
    assert found is not None
    assert found.middle == 10 * 4 + 15 * 6


@given(st.lists(st.integers(0, 500), min_size=21, max_size=80), st.integers(1, 31))
def test_the_middle_is_inside_its_interval_and_the_days_sum_to_it(costs: list[int], ahead: int) -> None:
    spent = {MONDAY + DAY * n: Decimal(cost) for n, cost in enumerate(costs)}
    until = MONDAY + DAY * len(costs)
    found = forecast(spent, MONDAY, until, until + DAY * ahead)
    assert found is not None
    assert 0 <= found.low <= found.middle <= found.high
    assert abs(sum(cost for _, cost in found.by_day) - found.middle) < Decimal("0.01")
    assert len(found.by_day) == ahead


# A budget's pace


def pace_on(on: date, spent: Mapping[date, Decimal], amount: int = 300, until: date | None = None):
    known_until = until or max(spent) + DAY
    kept = {day: cost for day, cost in spent.items() if day < known_until}
    return paced("all", Decimal(amount), "USD", period_of(on, "month"), on, kept, (min(spent), known_until))


@pytest.mark.parametrize(
    ("kind", "period"),
    [
        ("month", (date(2026, 11, 1), date(2026, 12, 1))),
        ("quarter", (date(2026, 10, 1), date(2027, 1, 1))),
        ("year", (date(2026, 1, 1), date(2027, 1, 1))),
    ],
)
def test_a_period_is_of_the_calendar(kind: str, period: tuple[date, date]) -> None:
    assert [period_of(day, kind) for day in (period[0], date(2026, 11, 15), period[1] - DAY)] == [period] * 3
    assert period_of(period[1], kind)[0] == period[1]


def test_pace_says_what_is_spent_what_is_even_and_where_it_ends() -> None:
    found = pace_on(date(2026, 11, 15), spending(MONDAY, 49, 10))  # usage up to and with 15 November
    assert (found.spent, found.even, found.share, found.gone) == (150, 150, Decimal("0.5"), Decimal("0.5"))
    assert (found.low, found.high) == (300, 300)
    assert (found.is_over, found.will_be_over, found.may_be_over, found.exceeded_on) == (False, False, False, None)


def test_the_day_on_which_a_budget_will_be_exceeded_is_named() -> None:
    found = pace_on(date(2026, 11, 15), spending(MONDAY, 49, 10), amount=255)
    assert (found.will_be_over, found.is_over, found.exceeded_on) == (True, False, date(2026, 11, 26))
    over = pace_on(date(2026, 11, 15), spending(MONDAY, 49, 10), amount=105)
    assert (over.is_over, over.exceeded_on, over.level) == (True, date(2026, 11, 11), 1)


@pytest.mark.parametrize(
    ("amount", "level"), [(301, None), (300, Decimal("0.5")), (188, Decimal("0.5")), (187, Decimal("0.8")), (150, 1)]
)
def test_a_level_is_reached_at_its_share_to_the_cent(amount: int, level: Decimal | None) -> None:
    assert pace_on(date(2026, 11, 15), spending(MONDAY, 49, 10), amount=amount).level == level


def test_a_day_that_is_not_over_counts_as_the_more_of_what_it_has_and_what_such_a_day_costs() -> None:
    spent = spending(MONDAY, 49, 10)
    for today, middle in ((4, 300), (70, 360)):
        found = pace_on(date(2026, 11, 15), spent | {date(2026, 11, 15): Decimal(today)})
        assert found.spent == 140 + today
        assert found.forecast is not None
        assert found.forecast.middle == middle


def test_a_day_in_the_past_is_over_where_later_usage_is_known() -> None:
    spent = spending(MONDAY, 60, 10)
    spent[date(2026, 11, 15)] = Decimal(0)
    found = paced("all", Decimal(300), "USD", NOVEMBER, date(2026, 11, 15), spent, (MONDAY, date(2026, 11, 27)))
    assert found.spent == 140
    assert found.forecast is not None
    assert found.forecast.middle < 300


def test_days_that_have_not_come_in_yet_are_foretold_and_not_taken_for_free() -> None:
    found = pace_on(date(2026, 11, 15), spending(MONDAY, 46, 10))  # the last three days are missing
    assert (found.spent, found.known_until) == (120, date(2026, 11, 13))
    assert found.forecast is not None
    assert found.forecast.middle == 300


def test_at_the_end_of_a_period_the_forecast_is_what_was_spent() -> None:
    found = paced("all", Decimal(300), "USD", NOVEMBER, date(2026, 11, 30), spending(MONDAY, 70, 10),
                  (MONDAY, date(2026, 12, 7)))  # fmt: skip
    assert (found.low, found.spent, found.high) == (300, 300, 300)
