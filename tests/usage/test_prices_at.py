"""The past at another day's prices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pricing.cost import CardPrices, Tokens, rate
from tests.usage.conftest import ImportFacts
from tests.usage.factories import at, make_card, make_fact, make_offering, make_project, make_rule
from usage import spending
from usage.models import Organisation, UsageRecord

pytestmark = pytest.mark.django_db
EDGE = at("2026-05-01")


def listed(answer: dict[str, Any]) -> Decimal:
    return Decimal(answer["total"]["list"])


def test_at_the_prices_of_its_own_days_usage_costs_what_it_did(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    import_facts([make_fact("a"), make_fact("b", in_cache_read=77), make_fact("c", model="unknown")])
    as_it_was = spending.report(organisation, group_by=("model",))
    asked = spending.report(organisation, group_by=("model",), prices_at=date(2026, 3, 10))
    assert (asked["groups"], asked["total"]) == (as_it_was["groups"], as_it_was["total"])
    assert asked["prices_at"] == "2026-03-10"


def test_tiers_and_schedules_choose_by_the_usage_and_only_the_price_is_of_the_day(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    offering, project = make_offering(), make_project(organisation)
    make_rule(organisation, [{"field": "ext_user", "op": "equals", "value": "ann"}], {project.pk: "1"})
    make_card(offering, effective_until=EDGE)
    new = {"effective_from": EDGE}
    cards = {
        "plain": make_card(offering, input="3", output="7", **new),
        "long": make_card(offering, input="5", output="9", context_from=200_000, context_op=">", **new),
        "night": make_card(offering, input="2", output="4", schedule="daily 22:00-02:00 UTC", **new),
        "batch": make_card(offering, input="1.5", output="3.5", service_tier="batch", **new),
    }
    import_facts([
        make_fact("plain"),
        make_fact("long", in_uncached=200_001, ext_user="ann"),
        make_fact("night", "2026-03-10 23:30"),
        make_fact("batch", service_tier="batch"),
    ])  # fmt: skip
    asked = spending.report(organisation, group_by=("project",), prices_at=EDGE.date())
    oracle = {}
    for record in UsageRecord.objects.all():
        card = cards[record.record_key]
        prices = {unit: getattr(card, unit) for unit in ("input", "output")}
        found = rate(CardPrices("USD", prices), Tokens(input=record.in_uncached, output=record.out_total))
        oracle[record.record_key] = found.amount or Decimal(0)
    by_project = {group["project"]: Decimal(group["list"]) for group in asked["groups"]}
    assert by_project == {project.slug: oracle["long"], None: oracle["plain"] + oracle["night"] + oracle["batch"]}
    assert listed(asked) == sum(oracle.values())
    assert asked["coverage"]["unpriced_requests"] == 0


def test_what_has_no_price_that_day_is_counted_and_not_free(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering(), effective_from=at("2026-03-01"))
    import_facts([make_fact("a")])
    asked = spending.report(organisation, prices_at=date(2026, 2, 1))
    assert asked["total"]["list"] is None
    assert asked["coverage"]["unpriced_requests"] == 1


def test_what_was_reported_or_billed_is_of_its_own_time(organisation: Organisation, import_facts: ImportFacts) -> None:
    make_card(make_offering(), input="3", output="7")
    tokens = {"in_uncached": 1_000, "out_total": 10}
    import_facts([make_fact("a", **tokens, cost_reported=Decimal("99"), currency="USD"), make_fact("b", **tokens)])
    bill = make_fact("bill", in_uncached=None, out_total=None, requests=None, cost_reported=Decimal("500"),
                     currency="USD", cost_kind="billed")  # fmt: skip
    import_facts([bill])
    asked = spending.report(organisation, prices_at=date(2026, 3, 10))
    own = spending.report(organisation)
    assert asked["total"]["spent"] == asked["total"]["list"] == own["total"]["list"]
    assert Decimal(own["total"]["spent"]) != Decimal(asked["total"]["spent"])
    assert asked["total"]["reported"] == own["total"]["reported"]
