"""Contracted prices: whose hold, from when to when, exactly, and what a change of them touches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from pricing.units import RATED_UNITS
from tests.usage.conftest import ImportFacts
from tests.usage.factories import at, make_card, make_fact, make_offering, make_organisation
from usage import contracts, spending
from usage.contract_terms import DISCOUNT, OVERRIDE, Sold, Term, contracted, pieces
from usage.contracts import ContractFault
from usage.models import Contract, ContractCard, Organisation, UsageRecord
from usage.rerating import rerate
from usage.verification import checks

pytestmark = pytest.mark.django_db
MICROSECOND = timedelta(microseconds=1)
START = date(2026, 3, 10)


def make_contract(organisation: Organisation, **fields: Any) -> Contract:
    """20 % off all that `seller` sells from 10 March unless said otherwise; a test rates again what is there."""
    defaults: dict[str, Any] = {
        "name": "Order form", "kind": "discount", "provider": make_offering().provider, "value": Decimal(20),
        "currency": "USD", "effective_from": START,
    }  # fmt: skip
    return contracts.save(organisation, "ann@x.example", **(defaults | fields))


def costs(organisation: Organisation) -> dict[str, Decimal | None]:
    found = UsageRecord.objects.filter(organisation=organisation)
    return dict(found.values_list("record_key", "contracted_cost"))


def test_a_discount_holds_from_midnight_of_its_first_day_to_midnight_of_its_end(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    make_contract(organisation, effective_until=date(2026, 3, 12))
    edges = {"start": at("2026-03-10 00:00"), "end": at("2026-03-12 00:00")}
    import_facts([make_fact(f"{name}{n}", edge + n * MICROSECOND) for name, edge in edges.items() for n in (-1, 0)])
    assert costs(organisation) == {
        "start-1": None, "start0": Decimal("0.00096"), "end-1": Decimal("0.00096"), "end0": None
    }  # fmt: skip
    assert not list(checks())


def test_contracted_cost_falls_back_to_list_where_no_contract_holds(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    make_contract(organisation)
    import_facts([make_fact("before", "2026-03-09 12:00"), make_fact("under", "2026-03-10 12:00")])
    total = spending.report(organisation)["total"]
    assert (Decimal(total["list"]), Decimal(total["contracted"])) == (Decimal("0.0024"), Decimal("0.00216"))
    assert total["spent"] == total["contracted"]


def test_a_record_of_no_tokens_is_contracted_only_where_a_contract_holds(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    make_contract(organisation)
    nothing = {"in_uncached": 0, "in_cache_read": 0, "in_cache_write": 0, "out_total": 0}
    import_facts([make_fact(f"on {day}", f"2026-03-{day} 12:00", **nothing) for day in ("09", "10")])
    assert costs(organisation) == {"on 09": None, "on 10": Decimal(0)}


def test_a_discount_of_nothing_costs_the_list_price(organisation: Organisation, import_facts: ImportFacts) -> None:
    make_card(make_offering())
    make_contract(organisation, value=Decimal(0))
    import_facts([make_fact("a", in_cache_read=7, in_cache_write=3)])
    record = UsageRecord.objects.get()
    assert record.contracted_cost == record.list_cost is not None


def test_an_override_prices_what_has_no_list_price_and_the_list_stays_unknown(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    offering = make_offering()
    for unit, value in (("input", "3"), ("output", "5")):
        make_contract(organisation, kind="override", offering=offering, unit=unit, value=Decimal(value))
    import_facts([make_fact("priced"), make_fact("cached", in_cache_read=1)])
    assert costs(organisation) == {"priced": Decimal("0.0035"), "cached": None}
    answer = spending.report(organisation)
    assert (answer["total"]["list"], Decimal(answer["total"]["spent"])) == (None, Decimal("0.0035"))
    assert answer["coverage"]["unpriced_requests"] == 2
    assert not list(checks())


def test_tokens_that_are_priced_apart_are_not_priced_by_contract(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    make_contract(organisation)
    import_facts([make_fact("audio", quality=("priced_apart",))])
    assert costs(organisation) == {"audio": None}


def test_an_organisation_never_gets_anothers_contract(organisation: Organisation, import_facts: ImportFacts) -> None:
    make_card(make_offering())
    other = make_organisation()
    make_contract(organisation)
    for one in (organisation, other):
        import_facts([make_fact("a")], into=one)
    assert (costs(organisation), costs(other)) == ({"a": Decimal("0.00096")}, {"a": None})


def test_a_changed_contract_moves_only_the_days_it_touches(
    organisation: Organisation, import_facts: ImportFacts, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    make_card(make_offering())
    days = [f"2026-03-{day} 12:00" for day in (9, 10, 11, 12)] + ["2026-04-01 00:00"]
    import_facts([make_fact(day[:10], day.replace("-9 ", "-09 ")) for day in days])
    revised = _places()
    with django_capture_on_commit_callbacks(execute=True):
        contract = make_contract(organisation, effective_until=date(2026, 3, 12))
    assert [key for key, place in _places().items() if place != revised[key]] == ["2026-03-10", "2026-03-11"]
    with django_capture_on_commit_callbacks(execute=True):
        contracts.end(contract, date(2026, 3, 11))
    assert [key for key, cost in costs(organisation).items() if cost] == ["2026-03-10"]
    with django_capture_on_commit_callbacks(execute=True):
        contracts.delete(contract)
    assert set(costs(organisation).values()) == {None}
    assert rerate(organisation).changed == 0
    assert not list(checks())


def _places() -> dict[str, str]:
    """Where each row stands: a row that is written again stands elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT record_key, tableoid || ' ' || ctid FROM usage_usagerecord ORDER BY record_key")
        return dict(cursor.fetchall())


def test_the_evidence_of_a_contracted_cost_names_its_contracts_and_the_list_it_was_made_of(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    card = make_card(make_offering())
    general = make_contract(organisation)
    special = make_contract(organisation, kind="override", unit="output", value=Decimal("1.5"))
    import_facts([make_fact("a"), make_fact("b")])
    assert rerate(organisation).changed == 0
    evidence = ContractCard.objects.get()
    assert (evidence.contracts, evidence.rate_card_id) == ([general.pk, special.pk], card.pk)
    assert (evidence.input, evidence.output) == (Decimal("0.0000008"), Decimal("0.0000015"))
    assert not list(checks())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE usage_contractcard SET output = 0")
    assert "costs" in {finding.check for finding in checks()}


@pytest.mark.parametrize(
    "fields",
    [
        {"name": " "},
        {"value": Decimal(101)},
        {"value": Decimal("1.0000001")},
        {"unit": "pictures"},
        {"kind": "override"},
        {"kind": "override", "unit": "input", "currency": "EUR"},
        {"effective_until": START},
    ],
)
def test_terms_that_make_no_sense_are_refused_with_a_sentence(
    fields: dict[str, Any], organisation: Organisation
) -> None:
    make_card(make_offering())
    with pytest.raises(ContractFault, match=r"^[A-Z].*\.$"):
        make_contract(organisation, **fields)
    assert not Contract.objects.exists()


# The rule alone

PRICES = st.none() | st.decimals(0, 10, places=12)


def term(number: int, **fields: Any) -> Term:
    defaults: dict[str, Any] = {
        "id": number, "kind": DISCOUNT, "provider_id": 1, "model_id": None, "offering_id": None, "service_tier": "",
        "unit": "", "value": Decimal(10), "currency": "USD", "starts": at("2026-01-01"), "ends": at("2027-01-01"),
    }  # fmt: skip
    return Term(**(defaults | fields))


@given(st.lists(PRICES, min_size=9, max_size=9), st.decimals(0, 100, places=6), st.integers(0, 10**12))
def test_a_discount_is_exact_to_the_last_place_whatever_the_price(
    prices: list[Decimal | None], percent: Decimal, tokens: int
) -> None:
    found = contracted(dict(zip(RATED_UNITS, prices, strict=True)), "USD", [term(1, value=percent)])
    if all(price is None for price in prices):
        assert found is None
        return
    assert found is not None
    for listed, agreed in zip(prices, found.prices, strict=True):
        if listed is None:
            assert agreed is None
        else:
            assert agreed is not None
            assert Fraction(agreed) * tokens == Fraction(listed) * tokens * (1 - Fraction(percent) / 100)


@given(st.permutations(range(5)))
def test_the_narrowest_term_holds_whatever_their_order(order: list[int]) -> None:
    narrower = [
        term(1), term(2, starts=at("2026-02-01")), term(3, service_tier="batch"), term(4, model_id=1),
        term(5, offering_id=1, model_id=1),
    ]  # fmt: skip
    for held in range(1, 6):
        found = contracted({"input": Decimal(1)}, "USD", [narrower[n] for n in order if n < held])
        assert found is not None
        assert found.contracts == (held,)


def test_an_override_beats_a_discount_and_another_currency_does_not_hold() -> None:
    listed: dict[str, Decimal | None] = {"input": Decimal(1), "output": Decimal(1)}
    override = term(1, kind=OVERRIDE, unit="input", value=Decimal(3))
    foreign = term(2, kind=OVERRIDE, unit="output", value=Decimal(3), currency="EUR", offering_id=1)
    found = contracted(listed, "USD", [override, foreign, term(3)])
    assert found is not None
    assert dict(zip(RATED_UNITS, found.prices, strict=True))["input"] == Decimal("0.000003")
    assert (found.contracts, found.prices[1]) == ((1, 3), Decimal("0.9"))
    assert contracted(listed, "USD", [foreign]) is None


def test_a_discount_on_a_cache_lifetime_applies_to_the_price_that_stands_in_for_it() -> None:
    found = contracted({"cache_write": Decimal(2)}, "USD", [term(1, unit="cache_write_1h")])
    assert found is not None
    assert dict(zip(RATED_UNITS, found.prices, strict=True))["cache_write_1h"] == Decimal("1.8")


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 40)), max_size=6))
def test_pieces_cover_a_band_once_and_each_term_holds_in_all_of_a_piece_or_none(spans: list[tuple[int, int]]) -> None:
    start, end = at("2026-01-10"), at("2026-01-30")
    day = timedelta(days=1)
    terms = [
        term(n, starts=at("2026-01-01") + day * since, ends=at("2026-01-01") + day * (since + length))
        for n, (since, length) in enumerate(spans)
    ]
    cut = list(pieces(start, end, terms))
    assert [low for low, *_ in cut] + [end] == [start] + [high for _, high, _ in cut]
    for low, high, holding in cut:
        moment = low
        while moment < high:
            assert set(holding) == {one for one in terms if one.starts <= moment < one.ends}
            moment += day


def test_random_usage_under_random_contracts_costs_what_fractions_say(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    import random

    dice = random.Random(11)  # noqa: S311
    offerings = [make_offering(f"model-{n}") for n in range(3)]
    for offering in offerings:
        for long in (0, 5_000):
            prices = {unit: f"{dice.randint(0, 10**9)}e-7" for unit in RATED_UNITS}
            make_card(offering, context_from=long, context_op=">" if long else "", **prices)
    held = []
    for _ in range(12):
        kind, since = dice.choice((DISCOUNT, OVERRIDE)), START + timedelta(days=dice.randint(0, 20))
        unit = dice.choice(RATED_UNITS) if kind == OVERRIDE else dice.choice(("", *RATED_UNITS))
        offering = dice.choice((None, *offerings))
        held.append(
            make_contract(organisation, kind=kind, unit=unit, value=Decimal(dice.randint(0, 100)), offering=offering,
                          effective_from=since, effective_until=since + timedelta(days=dice.randint(1, 15)))
        )  # fmt: skip
    facts = []
    for n in range(400):
        written = dice.randint(0, 4_000)
        facts.append(
            make_fact(str(n), at("2026-03-08") + timedelta(minutes=dice.randint(0, 50_000)), model=f"model-{n % 3}",
                      in_uncached=dice.randint(0, 4_000), in_cache_read=dice.randint(0, 4_000), in_cache_write=written,
                      cache_write_by_lifetime={"5m": written // 3, "1h": written // 4}, out_total=1_000,
                      out_reasoning=dice.randint(0, 1_000))
        )  # fmt: skip
    import_facts(facts)
    records = {record.record_key: record for record in UsageRecord.objects.select_related("rate_card", "offering")}
    assert {key: record.contracted_cost for key, record in records.items()} == {
        key: _oracle(record, held) for key, record in records.items()
    }
    assert any(record.contracted_cost for record in records.values())
    assert not list(checks())


def _oracle(record: UsageRecord, held: list[Contract]) -> Decimal | None:
    """The contracted cost in fractions, by the words of the rule and none of its code."""
    day = record.occurred_at.date()
    holding = [
        one for one in held
        if one.effective_from <= day and (one.effective_until is None or day < one.effective_until)
        and one.offering_id in (None, record.offering_id)
    ]  # fmt: skip
    used = False
    prices = {}
    for unit in RATED_UNITS:
        listed = getattr(record.rate_card, unit)
        fitting = [one for one in holding if one.unit in ("", unit)]
        fitting.sort(key=lambda one: (one.offering_id is not None, one.unit != "", one.effective_from, one.pk))
        overrides = [one for one in fitting if one.kind == OVERRIDE]
        discounts = [one for one in fitting if one.kind == DISCOUNT]
        prices[unit] = Fraction(listed)
        if overrides:
            prices[unit], used = Fraction(overrides[-1].value) / 10**6, True
        elif discounts:
            prices[unit], used = Fraction(listed) * (100 - Fraction(discounts[-1].value)) / 100, True
    if not used:
        return None
    stated = record.cache_write_5m + record.cache_write_1h
    exact = (
        record.in_uncached * prices["input"] + record.in_cache_read * prices["cache_read"]
        + record.cache_write_5m * prices["cache_write_5m"] + record.cache_write_1h * prices["cache_write_1h"]
        + (record.in_cache_write - stated) * prices["cache_write"]
        + (record.out_total - record.out_reasoning) * prices["output"] + record.out_reasoning * prices["reasoning"]
    )  # fmt: skip
    quantum = Fraction(1, 10**12)
    return (Decimal((2 * exact / quantum + 1).__floor__() // 2) * Decimal("1e-12")).quantize(
        Decimal("1e-12"), ROUND_HALF_UP
    )


def test_a_term_knows_what_it_is_for() -> None:
    sold = Sold(5, 1, 7)
    assert term(1).holds_for(sold, "standard")
    assert term(1, model_id=7, service_tier="batch").holds_for(sold, "batch")
    assert not term(1, service_tier="batch").holds_for(sold, "standard")
    assert not term(1, provider_id=2).holds_for(sold, "standard")
    assert not term(1, model_id=8).holds_for(sold, "standard")
