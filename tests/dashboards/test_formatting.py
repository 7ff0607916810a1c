from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from dashboards import formatting

CENTS = st.decimals(min_value=-(10**6), max_value=10**6, allow_nan=False, allow_infinity=False, places=6)


def rendered(source: str, **context: object) -> str:
    return Template("{% load ratecard %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("2", "$2.00"),
        ("0.15", "$0.15"),
        ("0.150", "$0.15"),
        ("0.435", "$0.435"),
        ("0.0028", "$0.0028"),
        ("0.12345", "$0.1235"),
        ("0.000035", "$0.000035"),
        ("0.00012345", "$0.00012"),
        ("1250", "$1,250.00"),
        ("0", "$0.00"),
    ],
)
def test_a_price_keeps_its_vendors_digits(amount: str, shown: str) -> None:
    assert formatting.price(D(amount)) == shown


def test_a_price_names_its_currency() -> None:
    assert formatting.price(D("1.5"), "EUR") == "€1.50"
    assert formatting.price(D("1.5"), "CHF") == "CHF 1.50"


@given(st.decimals(min_value=D("1e-12"), max_value=1000, allow_nan=False, places=12))
def test_a_price_above_nothing_never_reads_as_nothing(amount: D) -> None:
    if amount:
        assert D(formatting.price(amount).strip("$").replace(",", "")) != 0
        assert D(formatting.derived_price(amount).strip("$").replace(",", "")) != 0


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0.65888", "$0.659"),
        ("4", "$4.00"),
        ("1.05", "$1.05"),
        ("0.1", "$0.10"),
        ("0.1306", "$0.131"),
        ("12.345", "$12.35"),
        ("0.9996", "$1.00"),
        ("0.0012345", "$0.00123"),
    ],
)
def test_a_derived_price_has_three_significant_digits(amount: str, shown: str) -> None:
    assert formatting.derived_price(D(amount)) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("11253.85", "$11,253.85"),
        ("-12", "−$12.00"),
        ("0.005", "$0.01"),
        ("0.0049", "<$0.01"),
        ("-0.001", ">−$0.01"),
        ("0", "$0.00"),
    ],
)
def test_money_in_tables_is_to_the_cent(amount: str, shown: str) -> None:
    assert formatting.money(D(amount)) == shown


def test_money_in_prose_is_whole_from_a_thousand_on() -> None:
    assert formatting.money_in_prose(D("11253.85")) == "$11,254"
    assert formatting.money_in_prose(D("999.994")) == "$999.99"
    assert formatting.money_in_prose(D("999.996")) == "$1,000"
    assert formatting.signed_money(D("524.4")) == "+$524.40"
    assert formatting.signed_money(D("-524.4")) == "−$524.40"


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        ("7421", "11080", "$7.4k–11.1k/month"),
        ("940", "1210", "$0.9k–1.2k/month"),
        ("120", "340", "$120–340/month"),
        ("999960", "1200000", "$1.0M–1.2M/month"),
        ("7421", "7421", "$7.4k/month"),
        ("-200", "300", "−$200 to $300/month"),
    ],
)
def test_a_range_writes_its_unit_once(low: str, high: str, shown: str) -> None:
    assert formatting.money_range(D(low), D(high), "month") == shown
    assert formatting.money_range(D(high), D(low), "month") == shown


@given(st.lists(CENTS, max_size=12))
def test_rounded_parts_add_up_and_stay_within_a_cent(parts: list[D]) -> None:
    shown = formatting.add_up(parts)
    assert sum(shown, D(0)) == formatting.rounded(sum(parts, D(0)), 2)
    assert all(abs(after - before) < D("0.01") for after, before in zip(shown, parts, strict=True))


def test_the_cent_goes_to_the_largest_remainder() -> None:
    assert formatting.add_up([D("0.333"), D("0.333"), D("0.334")]) == [D("0.33"), D("0.33"), D("0.34")]


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [
        (17_086_000_000, "17,086"),
        (112_400_000, "112"),
        (28_400_000, "28.4"),
        (3_214_000, "3.21"),
        (45_000, "0.045"),
        (12, "<0.001"),
        (0, "0"),
    ],
)
def test_tokens_are_shown_in_millions(tokens: int, shown: str) -> None:
    assert formatting.mtok(tokens) == shown


@pytest.mark.parametrize(
    ("now", "before", "direction", "text"),
    [
        ("11253.85", "10906", "up", "+3.2%"),
        ("75", "100", "down", "−25.0%"),
        ("100.04", "100", "flat", "0.0%"),
        ("5", "0", "new", "new"),
        ("0", "0", "flat", "0.0%"),
        ("0", "5", "down", "−100.0%"),
        ("250000", "100", "up", "+249,900.0%"),
    ],
)
def test_a_change_has_a_sign_and_a_direction(now: str, before: str, direction: str, text: str) -> None:
    moved = formatting.change(D(now), D(before))
    assert (moved.direction, moved.text) == (direction, text)


def test_a_change_from_or_to_the_unknown_is_unknown() -> None:
    assert formatting.change(None, D(1)).direction == "unknown"
    assert formatting.change(D(1), None).direction == "unknown"


def test_a_share_says_all_and_none_only_when_it_is() -> None:
    assert formatting.share(D("0.99996"), 1) == ">99.9%"
    assert formatting.share(1, 1) == "100.0%"
    assert formatting.share(D("0.0001"), 1) == "<0.1%"
    assert formatting.share(0, 1) == "0.0%"
    assert formatting.share(0, 0) == "–"
    assert formatting.share(993, 1000) == "99.3%"


def test_seconds_have_a_decimal_below_ten() -> None:
    assert [formatting.seconds(D(time)) for time in ("0.04", "4.25", "9.96", "38.6", "1234")] == [
        "0.0 s", "4.3 s", "10.0 s", "39 s", "1,234 s",
    ]  # fmt: skip


def test_multiples_and_ratings() -> None:
    assert formatting.multiple(D("5.29")) == "5.3×"
    assert formatting.multiple(D("9.96")) == "10×"
    assert formatting.multiple(D("1200")) == "1,200×"
    assert formatting.rating(D("1496.2"), D("1492"), D("1500.6")) == "1496 (1492–1501)"
    assert formatting.rating(D("71.23"), decimals=1) == "71.2"


def test_times_are_the_readers() -> None:
    at = datetime(2026, 11, 16, 23, 30, tzinfo=UTC)
    assert formatting.moment(at, ZoneInfo("Europe/Berlin")) == "17 Nov 2026, 00:30"
    assert formatting.day(at, UTC) == "16 Nov 2026"
    assert formatting.day(date(2026, 11, 5)) == "5 Nov 2026"


@pytest.mark.parametrize(
    ("start", "until", "shown"),
    [
        (date(2026, 11, 9), date(2026, 11, 16), "9–15 Nov 2026"),
        (date(2026, 10, 26), date(2026, 11, 2), "26 Oct–1 Nov 2026"),
        (date(2026, 12, 28), date(2027, 1, 4), "28 Dec 2026–3 Jan 2027"),
        (date(2026, 11, 9), date(2026, 11, 10), "9 Nov 2026"),
    ],
)
def test_a_half_open_period_is_named_by_its_first_and_last_day(start: date, until: date, shown: str) -> None:
    assert formatting.period(start, until) == shown


@pytest.mark.parametrize(
    ("days", "shown"),
    [(0, "today"), (1, "1 day old"), (13, "13 days old"), (21, "3 weeks old"), (400, "1 year old")],
)
def test_age_in_the_largest_whole_unit(days: int, shown: str) -> None:
    now = datetime(2026, 11, 16, 12, tzinfo=UTC)
    assert formatting.ago(now - timedelta(days=days), now) == shown


def test_a_gap_in_coverage_is_always_wide_enough_to_see() -> None:
    assert formatting.coverage_width(D(1)) == 100
    assert formatting.coverage_width(D("0.9999")) == 98
    assert formatting.coverage_width(D("0.5")) == 50
    assert formatting.coverage_width(D(0)) == 0


def test_a_sparkline_breaks_where_a_value_is_unknown() -> None:
    assert formatting.sparkline([1, None, 3], width=24, height=22) == [[(2.0, 19.0)], [(22.0, 3.0)]]
    assert formatting.sparkline([None]) == []
    assert formatting.sparkline([]) == []


# Tags


def test_unknown_is_a_badge_and_never_zero_or_blank() -> None:
    badge = '<span class="badge unknown">unknown</span>'
    for tag in ("price", "derived", "money", "prose", "mtok", "multiple"):
        assert rendered("{% " + tag + " nothing %}", nothing=None) == badge
    assert rendered("{% change nothing one %}", nothing=None, one=D(1)) == badge
    assert rendered("{% span nothing one %}", nothing=None, one=D(1)) == badge
    assert rendered("{{ nothing|day }}", nothing=None) == badge
    assert "not rated" in rendered("{% rating nothing %}", nothing=None)


def test_free_is_a_price_of_zero_with_its_own_badge() -> None:
    assert rendered("{% price p %}", p=D(0)) == '$0.00 <span class="badge free">free</span>'


def test_a_price_links_to_its_evidence_and_stands_on_its_point() -> None:
    assert rendered("{% price p e 4 %}", p=D("0.15"), e="/e?a=1&b=2") == (
        '<a class="ev" href="/e?a=1&amp;b=2">$0.15</a><i class="z" aria-hidden="true">00</i>'
    )


def test_what_a_tag_is_given_is_escaped() -> None:
    evil = '"><script>'
    assert "<script>" not in rendered("{% price p evil %}", p=D(1), evil=evil)
    assert "<script>" not in rendered("{% badge 'held' evil %}", evil=evil)
    assert "<script>" not in rendered("{% money p currency=evil %}", p=D(1), evil=evil)
    assert "<script>" not in rendered("{% sparkline s evil %}", s=[1, 2], evil=evil)
    assert "<script>" not in rendered("{% evidence evil %}{{ evil }}{% endevidence %}", evil=evil)


def test_a_change_is_spoken_too() -> None:
    assert rendered("{% change a b %}", a=D(2), b=D(1)) == (
        '<span class="d up"><span class="visually-hidden">up </span>+100.0%</span>'
    )


def test_a_moment_shows_the_readers_zone_and_keeps_utc() -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        shown = rendered("{{ at|moment }}", at=datetime(2026, 11, 16, 6, 2, tzinfo=UTC))
    assert shown == ('<time datetime="2026-11-16T06:02:00Z" title="2026-11-16 06:02 UTC">16 Nov 2026, 07:02</time>')


def test_a_changed_filter_goes_back_to_the_first_page() -> None:
    request = RequestFactory().get("/models?q=gpt&page=3&tier=batch&part=evidence")
    assert rendered("{% query tier='flex' %}", request=request) == "?q=gpt&amp;tier=flex"
    assert rendered("{% query tier=None %}", request=request) == "?q=gpt"
    assert rendered("{% query page=4 %}", request=request) == "?q=gpt&amp;tier=batch&amp;page=4"
