"""What a value in a vendor's JSON must be before it may become a count, money, a time or a name."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from usage.importers import _json, all_importers
from usage.importers._json import Unreadable


def test_what_importers_share_is_no_importer():
    assert not [slug for slug in all_importers() if slug.startswith("_")]


@pytest.mark.parametrize(("value", "found"), [(None, None), (0, 0), (12, 12), ("12", 12), (12.0, 12), (10**12, 10**12)])
def test_a_count_is_a_whole_number_and_absent_is_unknown(value, found):
    assert _json.count(value, "tokens") == found


@pytest.mark.parametrize("value", [-1, 1.5, "1.5", "-1", "", True, [], {}, 10**12 + 1, "9" * 40, float("nan"), "١٢"])
def test_what_is_no_count_is_said_and_never_a_number(value):
    with pytest.raises(Unreadable, match=r"^tokens is"):
        _json.count(value, "tokens")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, None),
        (0.06, "0.06"),
        ("0.06", "0.06"),
        (" 12 ", "12"),
        ("1E-3", "0.001"),
        ("-4.5", "-4.5"),
        ("0E+9", "0"),
    ],
)
def test_money_keeps_the_digits_that_were_written_as_number_or_text(value, found):
    assert _json.amount(value, "amount") == (None if found is None else Decimal(found))


@pytest.mark.parametrize("value", ["", "a", "1,5", True, [], "NaN", "Infinity", "1E99", "1E-99", 10**12])
def test_what_is_no_money_is_said(value):
    with pytest.raises(Unreadable, match=r"^amount is"):
        _json.amount(value, "amount")


def test_times_have_a_zone_and_are_utc():
    assert _json.instant("2026-10-01T02:00:00+02:00", "time") == datetime(2026, 10, 1, tzinfo=UTC)
    assert _json.unix(1_790_812_800, "time") == datetime(2026, 10, 1, tzinfo=UTC)


@pytest.mark.parametrize("value", ["2026-10-01T00:00:00", "yesterday", None, 5, "0001-01-01T00:00:00+14:00"])
def test_a_time_without_zone_or_sense_is_refused(value):
    with pytest.raises(Unreadable, match=r"^time "):
        _json.instant(value, "time")


@pytest.mark.parametrize("value", [None, -1, 10**12, "soon", 0])
def test_seconds_that_are_no_time_of_this_trade_are_refused(value):
    with pytest.raises(Unreadable, match=r"^time "):
        _json.unix(value, "time")
