"""What the catalogue learns rates usage again by itself: corrected prices, names that mean something now."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from pricing import ratecards
from pricing.models import Offering, Price
from tests.dashboards.market_cast import make_price, utc
from tests.usage.factories import make_card, make_fact, make_offering
from usage import periods, tasks
from usage.models import Organisation, UsageRecord
from usage.spending import report
from usage.verification import checks

pytestmark = pytest.mark.django_db
MTOK = 1_000_000


def priced(sku: str, amount: str, **fields: Any) -> Offering:
    offering = make_offering(sku)
    for unit in ("input", "output"):
        make_price(offering, unit, amount, **fields)
    return offering


def corrected(offering: Offering, amount: str, since: str) -> None:
    """From a day on a price was another one all along."""
    now = timezone.now()
    for price in Price.objects.filter(offering=offering, superseded_at=None):
        Price.objects.filter(pk=price.pk).update(superseded_at=now)
        make_price(offering, price.unit, f"{price.amount:f}", until=since)
        make_price(offering, price.unit, amount, since=since)
    ratecards.refresh([offering.pk])


def spent(organisation: Organisation, month: str = "2026-03") -> str | None:
    since = date.fromisoformat(f"{month}-01")
    return report(organisation, since, since.replace(month=since.month + 1), grades=False)["total"]["list"]


def looked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The months that a look at the catalogue queues, rated at once."""
    queued: list[list[str]] = []
    rate = tasks.rerate.run

    def delay(organisation_id: int, months: list[str]) -> None:
        queued.append(months)
        for month in months:
            rate(organisation_id, [month])

    monkeypatch.setattr(tasks.rerate, "delay", delay)
    tasks.rerate_changed()
    return queued


def test_a_corrected_price_rates_the_usage_from_its_day_on(import_facts, organisation, monkeypatch):
    offering, other = priced("model-a", "1"), priced("model-b", "1")
    for number, (day, model) in enumerate([("01-10", "a"), ("03-10", "a"), ("04-10", "a"), ("02-10", "b")]):
        import_facts(
            [make_fact(f"{number}", f"2026-{day} 12:00", model=f"model-{model}", in_uncached=MTOK, out_total=0)]
        )
    assert looked(monkeypatch) == [["2026-04-01", "2026-03-01", "2026-02-01", "2026-01-01"]]
    Price.objects.update(recorded_at=utc("2026-01-01"))
    assert looked(monkeypatch) == []
    periods.close(organisation, date(2026, 3, 1), "ada")
    corrected(offering, "3", "2026-03-05")
    assert looked(monkeypatch) == [["2026-04-01", "2026-03-01"]]
    assert [spent(organisation, f"2026-0{month}") for month in (1, 3, 4)] == [
        f"{amount}.000000000000" for amount in (1, 1, 3)
    ]
    pending = report(organisation, grades=False)["coverage"]["pending"]
    assert [(one["month"], Decimal(one["list"])) for one in pending] == [("2026-03", 2)]
    assert UsageRecord.objects.filter(offering=other).get().list_cost == 1
    assert not list(checks())


def test_a_name_that_means_something_now_gets_its_price(import_facts, organisation, monkeypatch):
    import_facts([make_fact("1", "2026-03-10 12:00", model="new-model", in_uncached=MTOK, out_total=0)])
    tasks.rerate_changed()
    assert spent(organisation) is None
    make_card(make_offering("elsewhere"))
    assert looked(monkeypatch) == []
    make_card(make_offering("new-model"))
    assert looked(monkeypatch) == [["2026-03-01"]]
    assert spent(organisation) == "1.000000000000"
    assert not list(checks())
