"""What a total says of the buckets inside which a price changed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing.models import ExchangeRate
from tests.usage.conftest import ImportFacts
from tests.usage.factories import (
    LONG_AGO,
    at,
    make_card,
    make_fact,
    make_offering,
    make_organisation,
    make_project,
    make_rule,
    make_source,
)
from usage import spending
from usage.ingest.writing import STAGE
from usage.models import Organisation, UsageRecord
from usage.rating import PRICE_CHANGED_INSIDE
from usage.rerating import rerate

pytestmark = pytest.mark.django_db
DAY = "2026-03-10 00:00"
NOON = at("2026-03-10 12:00")
NOTHING = {"records": 0, "unknown": 0, "list": "0", "low": "0", "high": "0"}


def segments(*prices: tuple[str | None, datetime | None], **fields: Any) -> None:
    """One card after another: the price of a million input tokens, None unknown, and until when it holds."""
    start = LONG_AGO
    for price, until in prices:
        make_card(make_offering(), effective_from=start, effective_until=until, input=price, output="0", **fields)
        start = until or start


def bucket(key: str, start: str = DAY, hours: int = 24, **fields: Any) -> Any:
    grain = {1: "1h", 24: "1d"}.get(hours, "1mo")
    fields = {"in_uncached": 1_000_000, "context_tokens": 0, "grain": grain} | fields
    return make_fact(key, start, period_end=at(start) + timedelta(hours=hours), **fields)


def inside(organisation: Organisation, **question: Any) -> dict[str, Any]:
    found: dict[str, Any] = spending.report(organisation, **question)["coverage"]["price_changed_inside"]
    return found


def sums(organisation: Organisation, **question: Any) -> tuple[int, int, list[Decimal | None]]:
    found = inside(organisation, **question)
    money = [None if found[name] is None else Decimal(found[name]) for name in ("list", "low", "high")]
    return found["records"], found["unknown"], money


@pytest.mark.parametrize(
    ("prices", "money"),
    [
        ([("4", NOON), ("2", None)], [4, 2, 4]),
        ([("2", NOON), ("5", None)], [2, 2, 5]),
        ([("3", at("2026-03-10 06:00")), ("7", at("2026-03-10 18:00")), ("1", None)], [3, 1, 7]),
        ([("3", NOON), ("0", None)], [3, 0, 3]),
        ([("3", NOON), ("4", at("2026-03-11")), ("9", None)], [3, 3, 4]),
    ],
    ids=["a cut", "a rise", "two changes in a day", "free from noon on", "one inside and one at its end"],
)
def test_a_bucket_says_what_it_would_cost_at_each_price_inside_it(
    prices: Any, money: list[int], organisation: Organisation, import_facts: ImportFacts
) -> None:
    segments(*prices)
    import_facts([bucket("day"), bucket("before", "2026-03-09 00:00"), bucket("hour", "2026-03-10 03:00", 1)])
    assert sums(organisation) == (1, 0, [Decimal(one) for one in money])
    assert Decimal(spending.report(organisation)["total"]["list"]) == 3 * money[0]


@pytest.mark.parametrize("edge", [DAY, "2026-03-11 00:00"], ids=["at its start", "at its end"])
def test_a_change_at_the_edge_of_a_bucket_is_not_inside(
    edge: str, organisation: Organisation, import_facts: ImportFacts
) -> None:
    segments(("4", at(edge)), ("2", None))
    import_facts([bucket("day")])
    assert inside(organisation) == NOTHING


def test_of_hours_only_the_one_with_the_change_is_meant(organisation: Organisation, import_facts: ImportFacts) -> None:
    segments(("4", NOON + timedelta(minutes=30)), ("2", None))
    import_facts([bucket(f"h{hour}", f"2026-03-10 {hour:02d}:00", 1) for hour in range(10, 15)])
    assert sums(organisation) == (1, 0, [4, 2, 4])


def test_what_has_no_price_for_a_part_of_its_time_is_unknown_and_in_no_sum(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    segments(("4", NOON), (None, None))
    import_facts([bucket("day")])
    assert inside(organisation) == {"records": 1, "unknown": 1, "list": None, "low": None, "high": None}
    other = make_offering("model-b")
    make_card(other, effective_until=NOON, input="1", output="0")
    make_card(other, effective_from=NOON, input="3", output="0")
    import_facts([bucket("b", model="model-b")])
    assert sums(organisation) == (2, 1, [1, 1, 3])


def test_no_longer_sold_is_unknown_and_unpriced_from_the_start_stays_unpriced(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering(), effective_until=NOON, input="4", output="0")
    make_card(make_offering("model-b"), effective_from=NOON, input="4", output="0")
    import_facts([bucket("ends"), bucket("begins", model="model-b")])
    assert sums(organisation) == (1, 1, [None, None, None])
    assert spending.report(organisation)["coverage"]["unpriced_requests"] == 1


def test_a_change_of_a_price_that_is_not_used_is_none(organisation: Organisation, import_facts: ImportFacts) -> None:
    make_card(make_offering(), effective_until=NOON, input="4", output="0", cache_read="1")
    make_card(make_offering(), effective_from=NOON, input="4", output="0", cache_read="2")
    import_facts([bucket("day")])
    assert UsageRecord.objects.get().rating_flags & PRICE_CHANGED_INSIDE
    assert inside(organisation) == NOTHING


def test_a_price_by_the_hour_changes_inside_a_day(organisation: Organisation, import_facts: ImportFacts) -> None:
    make_card(make_offering(), input="4", output="0")
    make_card(make_offering(), input="1", output="0", schedule="daily 16:00-20:00 UTC")
    facts = [bucket("day"), bucket("cheap", "2026-03-10 17:00", 1), bucket("dear", "2026-03-10 15:00", 1)]
    import_facts([*facts, make_fact("request", "2026-03-10 17:00")])
    assert sums(organisation) == (1, 0, [4, 1, 4])
    assert (rerate(organisation).changed, sums(organisation)) == (0, (1, 0, [4, 1, 4]))


def test_context_and_service_tiers_choose_among_the_prices(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    segments(("4", NOON), ("2", None))
    segments(("9", NOON), ("8", None), context_from=200_000, context_op=">")
    segments(("3", None), service_tier="batch")
    import_facts([bucket("long", context_tokens=200_001), bucket("batch", service_tier="batch")])
    assert sums(organisation) == (1, 0, [9, 8, 9])


def test_a_project_hears_of_its_part_and_a_filter_of_what_it_leaves(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    segments(("4", NOON), ("2", None))
    one, two = make_project(organisation, "one"), make_project(organisation, "two")
    make_rule(organisation, [{"field": "path", "op": "equals", "value": "/"}], {one.pk: "0.75", two.pk: "0.25"})
    import_facts([bucket("a", path="/"), bucket("b")])
    assert sums(organisation) == (2, 0, [8, 4, 8])
    assert sums(organisation, projects=[two.pk]) == (1, 0, [1, Decimal("0.5"), 1])
    assert sums(organisation, projects=[one.pk, two.pk]) == (1, 0, [4, 2, 4])
    assert sums(organisation, filters={"path": ("/",)}, group_by=("project",)) == (1, 0, [4, 2, 4])
    assert inside(organisation, since=date(2026, 3, 11)) == NOTHING


def test_a_loser_of_two_feeds_and_notional_usage_are_not_in_it(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    segments(("4", NOON), ("2", None))
    import_facts([bucket("a", in_uncached=2_000_000)], importer_slug="fuller")
    import_facts([bucket("b")], importer_slug="other", detail=2)
    reported = {"cost_reported": Decimal(3), "currency": "USD", "cost_kind": "billed"}
    import_facts([bucket("d", in_uncached=1_990_000, **reported)], importer_slug="money", detail=3)
    import_facts([bucket("c", cost_kind="notional")], importer_slug="seat")
    assert sums(organisation) == (1, 0, [8, 4, 8])


def test_another_organisation_and_another_days_prices_say_nothing_of_it(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    segments(("4", NOON), ("2", None))
    import_facts([bucket("a")])
    assert inside(make_organisation()) == NOTHING
    coverage = spending.report(organisation, prices_at=date(2026, 3, 10))["coverage"]
    assert "price_changed_inside" not in coverage


def test_it_is_said_in_the_currency_of_the_organisation(organisation: Organisation, import_facts: ImportFacts) -> None:
    segments(("4", NOON), ("2", None), currency="CNY")
    import_facts([bucket("a")])
    assert inside(organisation) == NOTHING  # nor is it in the total, without a rate
    ExchangeRate.objects.create(currency="CNY", day=date(2026, 3, 9), usd=Decimal("0.5"), source=make_source())
    assert sums(organisation) == (1, 0, [2, 1, 2])


STEPS = st.lists(st.tuples(st.integers(0, 72), st.integers(0, 9)), max_size=6, unique_by=lambda step: step[0])
BUCKETS = st.lists(st.tuples(st.integers(0, 60), st.sampled_from([1, 24])), min_size=1, max_size=6, unique=True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, buckets=BUCKETS)
def test_low_and_high_are_those_of_the_prices_of_its_hours(steps: Any, buckets: Any, import_facts: ImportFacts) -> None:
    from django.db import connection, transaction

    start = at("2026-03-10 00:00")
    with transaction.atomic():
        segments(*_held(start, sorted(steps)))
        whose = make_organisation()
        facts = [bucket(f"{hour}+{n}", f"{start + timedelta(hours=hour):%Y-%m-%d %H:%M}", n) for hour, n in buckets]
        import_facts(facts, into=whose)
        found = [_costs(steps, hour, n) for hour, n in buckets]
        changed = [costs for costs in found if len(set(costs)) > 1]
        wanted = [sum(pick(costs) for costs in changed) for pick in (lambda costs: costs[0], min, max)]
        assert sums(whose) == (len(changed), 0, wanted)
        with connection.cursor() as cursor:
            cursor.execute(STAGE)  # what the rolled back transaction leaves on the connection
        transaction.set_rollback(True)


def _held(start: datetime, steps: Any) -> list[tuple[str, datetime | None]]:
    prices = ["5", *(str(price) for _, price in steps)]
    ends = [*(start + timedelta(hours=hour) for hour, _ in steps), None]
    return list(zip(prices, ends, strict=True))


def _costs(steps: Any, hour: int, hours: int) -> list[int]:
    """The price of each hour of a bucket, by looking at every one of them."""
    return [([5, *(price for when, price in sorted(steps) if when <= h)])[-1] for h in range(hour, hour + hours)]
