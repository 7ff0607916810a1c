"""Which price a record gets, and the exact cost, against an oracle in fractions."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import connection

from pricing.cost import CardKey as TwinKey
from pricing.cost import CardPrices, Tokens, choose, rate
from pricing.models import RateCard
from pricing.schedules import holds
from tests.usage.conftest import ImportFacts
from tests.usage.factories import at, make_card, make_fact, make_offering
from usage.models import Organisation, UsageRecord
from usage.rating import CONTEXT_TIER_UNKNOWN, PRICE_CHANGED_INSIDE
from usage.rerating import rerate

pytestmark = pytest.mark.django_db
UNITS = (
    "input", "output", "cache_read", "cache_write", "cache_write_5m", "cache_write_30m", "cache_write_1h",
    "cache_write_12h", "reasoning",
)  # fmt: skip
MICROSECOND = timedelta(microseconds=1)


def costs() -> dict[str, Decimal | None]:
    return dict(UsageRecord.objects.values_list("record_key", "list_cost"))


def reasons() -> dict[str, str | None]:
    return dict(UsageRecord.objects.values_list("record_key", "unpriced_reason"))


def test_a_price_holds_from_its_start_to_the_instant_before_its_end(import_facts: ImportFacts) -> None:
    edge = at("2026-03-10 12:00")
    offering = make_offering()
    make_card(offering, effective_until=edge, input="4", output="0")
    make_card(offering, effective_from=edge, input="2", output="0")
    import_facts([make_fact(str(n), edge + n * MICROSECOND) for n in (-1, 0, 1)])
    assert costs() == {"-1": Decimal("0.004"), "0": Decimal("0.002"), "1": Decimal("0.002")}


@pytest.mark.parametrize(("op", "at_edge"), [(">", "0.2"), (">=", "0.4")])
def test_a_context_tier_begins_where_its_operator_says(op: str, at_edge: str, import_facts: ImportFacts) -> None:
    offering = make_offering()
    make_card(offering, input="1", cache_read="1", output="0")
    make_card(offering, input="2", cache_read="2", output="0", context_from=200_000, context_op=op)
    import_facts([make_fact(str(n), in_uncached=n - 50_000, in_cache_read=50_000) for n in (199_999, 200_000, 200_001)])
    assert costs() == {"199999": Decimal("0.199999"), "200000": Decimal(at_edge), "200001": Decimal("0.400002")}


def test_a_schedule_beats_always_and_ends_with_its_window(import_facts: ImportFacts) -> None:
    offering = make_offering()
    make_card(offering, input="4", output="0")
    make_card(offering, input="2", output="0", schedule="daily 22:00-02:00 UTC")
    times = ("2026-03-10 21:59:59.999999", "2026-03-10 22:00", "2026-03-11 01:59", "2026-03-11 02:00")
    import_facts([make_fact(time, time) for time in times])
    assert [costs()[time] for time in times] == [Decimal(c) for c in ("0.004", "0.002", "0.002", "0.004")]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"model": "model-nobody-knows"}, "model"),
        ({"in_uncached": None, "out_total": None, "in_cache_read": 5}, "tokens"),
        ({"when": "2019-06-01 00:00"}, "card"),
        ({"service_tier": "batch"}, "tier"),
        ({"in_cache_write": 1}, "price"),
        ({"in_cache_write": 0}, None),
        ({"in_uncached": None}, None),
        ({"service_tier": "standard"}, None),
    ],
)
def test_unknown_is_never_zero_and_says_why(
    fields: dict[str, Any], reason: str | None, import_facts: ImportFacts
) -> None:
    make_card(make_offering(), cache_write=None)
    batch = import_facts([make_fact("a", **fields)])
    record = UsageRecord.objects.get()
    assert record.unpriced_reason == reason
    assert (record.list_cost is None) == (reason is not None) == (batch.unpriced == 1)


def test_free_is_a_price(import_facts: ImportFacts) -> None:
    make_card(make_offering(), input="0", output="0")
    import_facts([make_fact("a")])
    assert costs() == {"a": Decimal(0)}


def test_a_lifetime_without_a_price_costs_the_general_one(import_facts: ImportFacts) -> None:
    make_card(make_offering(), input="0", output="0", cache_write="10", cache_write_1h="20")
    import_facts([make_fact("a", in_cache_write=100, cache_write_by_lifetime={"5m": 30, "1h": 50})])
    assert costs() == {"a": Decimal("0.0015")}  # (30 + 20) at 10 and 50 at 20 a million


@pytest.mark.parametrize(("price", "cost"), [(None, "0.0002"), ("5", "0.00035")])
def test_reasoning_is_output_unless_it_is_priced_apart(price: str | None, cost: str, import_facts: ImportFacts) -> None:
    make_card(make_offering(), input="0", output="2", reasoning=price)
    import_facts([make_fact("a", out_total=100, out_reasoning=50)])
    assert costs() == {"a": Decimal(cost)}


def test_a_bucket_is_not_priced_as_one_request(import_facts: ImportFacts) -> None:
    offering, edge = make_offering(), at("2026-03-10 12:00")
    make_card(offering, input="1", output="0", effective_until=edge)
    make_card(offering, input="3", output="0", effective_from=edge)
    make_card(offering, input="2", output="0", context_from=200_000, context_op=">")
    day = {"grain": "1d", "in_uncached": 1_000_000}
    import_facts(
        [
            make_fact("unknown", "2026-03-09 00:00", period_end=at("2026-03-10 00:00"), **day),
            make_fact("long", "2026-03-09 00:00", period_end=at("2026-03-10 00:00"), context_tokens=200_001, **day),
            make_fact("changed", "2026-03-10 00:00", period_end=at("2026-03-11 00:00"), context_tokens=0, **day),
        ]
    )
    assert costs() == {"unknown": Decimal(1), "long": Decimal(2), "changed": Decimal(1)}
    flags = dict(UsageRecord.objects.values_list("record_key", "rating_flags"))
    assert flags == {"unknown": CONTEXT_TIER_UNKNOWN, "long": 0, "changed": PRICE_CHANGED_INSIDE}


def test_half_a_unit_in_the_last_place_rounds_away_from_zero(import_facts: ImportFacts) -> None:
    make_card(make_offering(), input="0.0000005", output="0.0000005")  # 5e-13 a token
    import_facts([make_fact("a", in_uncached=1, out_total=0), make_fact("b", in_uncached=1, out_total=1)])
    assert costs() == {"a": Decimal("0.000000000001"), "b": Decimal("0.000000000001")}


def test_a_late_price_fills_exactly_the_rows_it_is_for(organisation: Organisation, import_facts: ImportFacts) -> None:
    offering = make_offering()
    make_card(make_offering("model-b"))
    import_facts([make_fact("a"), make_fact("b", model="model-b"), make_fact("c", model="model-c")])
    assert reasons() == {"a": "card", "b": None, "c": "model"}
    make_card(offering, input="1", output="0")
    make_card(make_offering("model-c"), input="3", output="0")
    found = rerate(organisation)
    assert (found.records, found.changed, found.newly_priced, found.unpriced) == (3, 2, 2, 0)
    assert costs() == {"a": Decimal("0.001"), "b": Decimal("0.0012"), "c": Decimal("0.003")}
    assert rerate(organisation).changed == 0


def test_a_corrected_price_moves_the_rollup_by_the_difference(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    from usage.models import DailyCost
    from usage.verification import checks

    offering = make_offering()
    old = make_card(offering)
    import_facts([make_fact("a"), make_fact("b", "2026-04-02 00:00")])
    RateCard.objects.filter(pk=old.pk).update(known_until=datetime.now(UTC))
    make_card(offering, input="2", output="0")
    assert rerate(organisation, since=at("2026-04-01 00:00").date()).changed == 1
    assert [row.list_cost for row in DailyCost.objects.order_by("day")] == [Decimal("0.0012"), Decimal("0.002")]
    assert not list(checks())


def test_two_thousand_random_records_cost_what_fractions_and_the_python_twin_say(import_facts: ImportFacts) -> None:
    dice = random.Random(7)  # noqa: S311
    start = at("2026-01-01 00:00")
    edges = [start + timedelta(days=30 * n) for n in range(4)]
    for n in range(4):
        offering = make_offering(f"model-{n}")
        for tier in ("standard", "batch"):
            for context, op in ((0, ""), (1_000, ">"), (5_000, ">=")):
                for schedule in ("", "mon-fri 22:00-02:00 UTC"):
                    for lo, hi in zip(edges, [*edges[1:], None], strict=True):
                        prices = {unit: f"{dice.randint(0, 10**9)}e-7" for unit in UNITS}
                        for unit in dice.sample(UNITS, 3):
                            prices[unit] = None
                        make_card(offering, service_tier=tier, context_from=context, context_op=op, schedule=schedule,
                                  effective_from=lo, effective_until=hi, **prices)  # fmt: skip
    facts = []
    for n in range(2_000):
        when = dice.choice(edges) + dice.choice((-1, 0, 1)) * MICROSECOND
        if n % 2:
            when = start + timedelta(minutes=dice.randint(0, 200_000))
        prompt = dice.choice((999, 1_000, 1_001, 4_999, 5_000, 5_001, dice.randint(0, 10**6)))
        written = dice.randint(0, prompt)
        stated = dict.fromkeys(("5m", "30m", "1h", "12h"), written // 5) if n % 3 else {}
        out = dice.randint(0, 10**6)
        facts.append(
            make_fact(
                str(n),
                when,
                model=f"model-{n % 4}",
                service_tier=dice.choice(("", "standard", "batch")),
                in_uncached=prompt - written,
                in_cache_write=written,
                cache_write_by_lifetime=stated,
                out_total=out,
                out_reasoning=dice.randint(0, out),
            )
        )
    import_facts(facts)
    cards: dict[tuple[int, str], list[dict[str, Any]]] = {}
    with connection.cursor() as cursor:  # plain SQL: nothing of the code under test
        cursor.execute("SELECT * FROM pricing_ratecard WHERE known_until IS NULL")
        assert cursor.description
        names = [column.name for column in cursor.description]
        for row in cursor.fetchall():
            card = dict(zip(names, row, strict=True))
            cards.setdefault((card["offering_id"], card["service_tier"]), []).append(card)
    priced = 0
    for record in UsageRecord.objects.all():
        assert record.offering_id is not None
        card = _oracle_card(cards[record.offering_id, record.service_tier or "standard"], record)
        expected = card and _oracle_cost(card, record)
        assert record.list_cost == expected, record.record_key
        priced += expected is not None
        if card is None:
            continue
        twin_card = CardPrices("USD", {unit: card[unit] for unit in UNITS if card[unit] is not None})
        lifetimes = {
            "5m": record.cache_write_5m, "30m": record.cache_write_30m, "1h": record.cache_write_1h,
            "12h": record.cache_write_12h,
        }  # fmt: skip
        twin = rate(twin_card, Tokens(record.in_uncached, record.in_cache_read, record.in_cache_write, record.out_total,
                                      record.out_reasoning, lifetimes))  # fmt: skip
        assert twin.amount == expected
    assert 100 < priced < 1_900


def _oracle_card(cards: list[dict[str, Any]], record: UsageRecord) -> dict[str, Any] | None:
    prompt = (record.in_uncached or 0) + (record.in_cache_read or 0) + (record.in_cache_write or 0)
    by_id = {card["id"]: card for card in cards}
    keys = [
        TwinKey(card["id"], card["context_from"], card["context_op"], card["schedule"], card["effective_from"],
                card["effective_until"])
        for card in cards
    ]  # fmt: skip
    in_force = frozenset(key.schedule for key in keys if key.schedule and holds(key.schedule, record.occurred_at, {}))
    chosen = choose(keys, prompt, record.occurred_at, in_force)
    return by_id[chosen.id] if chosen else None


def _oracle_cost(card: dict[str, Any], record: UsageRecord) -> Decimal | None:
    reasoning = (record.out_reasoning or 0) if card["reasoning"] is not None else 0
    lifetimes = {name: getattr(record, f"cache_write_{name}") for name in ("5m", "30m", "1h", "12h")}
    parts = [
        (record.in_uncached or 0, card["input"]),
        (record.in_cache_read or 0, card["cache_read"]),
        ((record.in_cache_write or 0) - sum(lifetimes.values()), card["cache_write"]),
        ((record.out_total or 0) - reasoning, card["output"]),
        (reasoning, card["reasoning"]),
    ]
    for name, count in lifetimes.items():
        own = card[f"cache_write_{name}"]
        parts.append((count, card["cache_write"] if own is None else own))
    if any(count and price is None for count, price in parts):
        return None
    exact = sum((count * Fraction(price) for count, price in parts if count), Fraction(0))
    units = exact * 10**12 + Fraction(1, 2)
    return Decimal(units.numerator // units.denominator).scaleb(-12)
