"""When a time-of-day price holds."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.schedules import Calendar, holds, occurrences, parse

PEAK = "mon-fri 01:00-04:00,06:00-10:00 UTC except cn"
CHINA = {"cn": Calendar(8, frozenset({date(2026, 10, 1), date(2026, 10, 2)}))}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "peak"),
    [
        ("2026-09-14T00:59:59.999999", False),
        ("2026-09-14T01:00:00", True),
        ("2026-09-14T03:59:59.999999", True),
        ("2026-09-14T04:00:00", False),
        ("2026-09-14T06:00:00", True),
        ("2026-09-12T02:00:00", False),  # a Saturday
        ("2026-10-01T02:00:00", False),  # a holiday in Beijing
        ("2026-09-30T17:00:00", False),  # outside the hours, already the holiday in Beijing
    ],
)
def test_peak_hours_are_weekday_windows_without_holidays(moment, peak):
    assert holds(PEAK, at(moment), CHINA) is peak


def test_a_window_may_run_past_midnight_and_ends_where_it_says():
    night = "daily 16:30-00:30 UTC"
    assert holds(night, at("2026-01-01T23:59"), {})
    assert holds(night, at("2026-01-02T00:29:59.999999"), {})
    assert not holds(night, at("2026-01-02T00:30"), {})
    assert not holds(night, at("2026-01-02T16:29"), {})


def test_a_night_window_that_ends_on_a_weekend_stops_at_midnight():
    friday_night = "mon-fri 22:00-02:00 UTC"
    assert holds(friday_night, at("2026-09-11T23:00"), {})
    assert not holds(friday_night, at("2026-09-12T01:00"), {})  # Saturday
    assert not holds(friday_night, at("2026-09-13T23:00"), {})  # Sunday
    assert holds(friday_night, at("2026-09-14T01:00"), {})  # Monday, in the window that opened on Sunday


def test_a_holiday_is_a_date_of_the_calendars_own_offset():
    late = "daily 15:00-18:00 UTC except cn"
    assert holds(late, at("2026-09-30T15:59"), CHINA)  # 23:59 in Beijing on the day before
    assert not holds(late, at("2026-09-30T16:00"), CHINA)  # midnight in Beijing


@given(moment=st.integers(0, 60 * 24 * 60).map(lambda minutes: at("2026-09-01T00:00") + timedelta(minutes=minutes)))
def test_occurrences_and_holds_are_the_same_rule(moment):
    inside = any(start <= moment < end for start, end in occurrences(PEAK, date(2026, 8, 31), date(2026, 11, 1), CHINA))
    assert inside == holds(PEAK, moment, CHINA)


@given(days=st.integers(1, 40))
def test_occurrences_come_in_order_and_do_not_overlap(days):
    first = date(2026, 9, 20)
    found = list(occurrences(PEAK, first, first + timedelta(days=days), CHINA))
    assert all(start < end for start, end in found)
    assert all(one[1] <= other[0] for one, other in zip(found, found[1:], strict=False))


@pytest.mark.parametrize("text", ["", "daily", "mon-fri 1:00-4:00 UTC", "daily 01:00-04:00", "weekly 01:00-04:00 UTC"])
def test_what_is_no_schedule_is_refused(text):
    with pytest.raises(ValueError, match="is no schedule"):
        parse(text)
