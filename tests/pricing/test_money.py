"""Prices of other currencies: kept as stated, with the dated rate beside the figure in USD."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pricing import catalog
from pricing.answers.prices import Question, price
from pricing.sources import all_sources
from tests.pricing.test_sources import recorded_body

pytestmark = pytest.mark.django_db
FIRST_DAY = all_sources()["ecb_rates"].parse(recorded_body("ecb_rates")).rates


def listed(at: datetime) -> dict[str, object]:
    (offering,) = price(Question("qwen9-30b-thinking", "alibaba", region="cn", at=at))["offerings"]
    found = [p for p in offering["prices"] if p["unit"] == "input" and p["service_tier"] == "standard"]
    return next(p for p in found if p["context_from"] == 0 and not p["qualifier"])


@pytest.fixture(autouse=True)
def _read():
    catalog.record("alibaba_page", recorded_body("alibaba_page"), observed_at=datetime(2026, 8, 1, tzinfo=UTC))


def test_a_price_in_yuan_has_the_rate_of_the_day_beside_it():
    catalog.record("ecb_rates", recorded_body("ecb_rates"), observed_at=datetime(2026, 11, 24, tzinfo=UTC))
    rate = max((r for r in FIRST_DAY if r.currency == "CNY"), key=lambda r: r.day)
    told = listed(datetime(rate.day.year, rate.day.month, rate.day.day, 12, tzinfo=UTC))
    assert (told["amount"], told["currency"]) == ("0.75", "CNY")
    assert told["fx"] == {
        "currency": "CNY",
        "usd": f"{rate.usd.normalize():f}",
        "day": str(rate.day),
        "source": "ecb_rates",
    }
    assert Decimal(str(told["usd_per_mtok"])) == (Decimal("0.75") * rate.usd).quantize(Decimal("1e-12"))


def test_without_a_rate_the_price_in_usd_is_unknown_and_the_yuan_stand():
    told = listed(datetime(2026, 8, 2, tzinfo=UTC))
    assert (told["amount"], told["usd_per_mtok"], told["fx"]) == ("0.75", None, None)
