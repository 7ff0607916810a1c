"""Exchange rates in the catalogue: kept once a day, restated by the newest reading, read by the day."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pricing import catalog
from pricing.models import ExchangeRate
from pricing.querysets import DatedRate

pytestmark = pytest.mark.django_db

FRIDAY, MONDAY = date(2026, 10, 30), date(2026, 11, 2)
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def read(*days: tuple[date, str, str], at: datetime = NOON) -> catalog.Outcome:
    body = "Date,USD,CNY\n" + "".join(f"{day},{usd},{cny}\n" for day, usd, cny in days)
    outcome = catalog.record("ecb_rates", body.encode(), observed_at=at)
    assert outcome.error == ""
    return outcome


def rates() -> dict[tuple[str, date], str]:
    return {(r.currency, r.day): f"{r.usd.normalize():f}" for r in ExchangeRate.objects.standing()}


def test_a_reading_writes_its_rates_and_no_offerings():
    outcome = read((FRIDAY, "1.12", "8"))
    assert rates() == {("EUR", FRIDAY): "1.12", ("CNY", FRIDAY): "0.14"}
    assert (outcome.claims, outcome.offerings) == (0, 0)


def test_the_same_reading_twice_changes_nothing():
    read((FRIDAY, "1.12", "8"))
    before = list(ExchangeRate.objects.order_by("pk").values())
    read((FRIDAY, "1.12", "8"), at=NOON + timedelta(hours=1))
    read((FRIDAY, "1.12", "8"), (MONDAY, "N/A", "8"), at=NOON + timedelta(hours=2))
    assert list(ExchangeRate.objects.order_by("pk").values()) == before


def test_a_longer_reading_adds_its_days():
    read((MONDAY, "1.1", "8"))
    read((MONDAY, "1.1", "8"), (FRIDAY, "1.12", "8"), at=NOON + timedelta(hours=1))
    assert len(rates()) == 4


def test_a_restated_rate_holds_and_the_one_before_is_kept():
    read((FRIDAY, "1.12", "8"))
    before = max(ExchangeRate.objects.values_list("recorded_at", flat=True))
    read((FRIDAY, "1.12", "7"), at=NOON + timedelta(hours=1))
    assert rates() == {("EUR", FRIDAY): "1.12", ("CNY", FRIDAY): "0.16"}
    assert ExchangeRate.objects.on("CNY", FRIDAY).usd == Decimal("0.16")
    assert [rate.usd for rate in ExchangeRate.objects.standing(before).filter(currency="CNY")] == [Decimal("0.14")]
    read((FRIDAY, "1.12", "8"), at=NOON + timedelta(hours=2))
    assert ExchangeRate.objects.filter(currency="CNY").count() == 3


def test_an_older_reading_that_comes_late_restates_nothing():
    read((FRIDAY, "1.12", "7"))
    read((FRIDAY, "1.12", "8"), (MONDAY, "1.1", "8"), at=NOON - timedelta(days=1))
    assert rates()["CNY", FRIDAY] == "0.16"
    assert rates()["CNY", MONDAY] == "0.1375"


class TestTheRateOfADay:
    @pytest.fixture(autouse=True)
    def _two_days(self):
        read((FRIDAY, "1.12", "8"), (MONDAY, "1.1", "8"))

    def test_is_the_last_published_until_the_next(self):
        on = ExchangeRate.objects.on
        assert on("CNY", FRIDAY) == DatedRate("CNY", FRIDAY, Decimal("0.14"), "ecb_rates")
        assert on("CNY", FRIDAY + timedelta(days=2)) == DatedRate("CNY", FRIDAY, Decimal("0.14"), "ecb_rates")
        assert on("CNY", MONDAY) == DatedRate("CNY", MONDAY, Decimal("0.1375"), "ecb_rates")

    def test_is_unknown_before_the_first_and_a_week_after_the_last(self):
        on = ExchangeRate.objects.on
        assert on("CNY", FRIDAY - timedelta(days=1)) is None
        assert on("CNY", MONDAY + timedelta(days=7)) == DatedRate("CNY", MONDAY, Decimal("0.1375"), "ecb_rates")
        assert on("CNY", MONDAY + timedelta(days=8)) is None
        assert on("JPY", MONDAY) is None

    def test_of_a_dollar_is_one_on_every_day(self):
        assert ExchangeRate.objects.on("USD", date(1999, 1, 1)) == DatedRate("USD", date(1999, 1, 1), Decimal(1))

    def test_is_read_for_many_days_in_one_query(self):
        asked = [(currency, FRIDAY + timedelta(days=n)) for currency in ("CNY", "EUR", "USD", "XXX") for n in range(30)]
        with CaptureQueriesContext(connection) as queries:
            found = ExchangeRate.objects.for_days(asked)
        assert len(queries) == 1
        assert len(found) == 2 * 11 + 30
        assert found == {pair: rate for pair in asked if (rate := ExchangeRate.objects.on(*pair))}
        assert ExchangeRate.objects.for_days([]) == {}


def test_rates_of_old_are_not_looked_for_once_for_each_rate():
    body = "Date,USD,CNY\n" + "".join(f"{FRIDAY - timedelta(days=n)},1.1,8\n" for n in range(400))
    assert catalog.record("ecb_rates", body.encode(), observed_at=NOON).error == ""
    later = timezone.now() + timedelta(days=1)
    asked = ExchangeRate.objects.spanning(FRIDAY, MONDAY, later)
    assert {(rate.currency, rate.day) for rate in asked} == {("EUR", FRIDAY), ("CNY", FRIDAY)}
    loops = re.findall(r'"Actual Loops": ([\d.]+)', asked.explain(analyze=True, format="json"))
    assert max(map(float, loops)) == 1
