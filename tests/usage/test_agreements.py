"""Commitments that burn down and fixed costs that are spread over their days."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.models import ExchangeRate
from tests.usage.conftest import ImportFacts
from tests.usage.factories import make_card, make_fact, make_offering, make_organisation, make_source
from usage import agreed, contracts, spending
from usage.commitments import Committed, burn
from usage.contracts import ContractFault
from usage.exchange import Rates
from usage.fixed_costs import by_day, on_days
from usage.models import Organisation

START = date(2026, 3, 1)
AMOUNTS = st.decimals(-(10**9), 10**9, places=12)


@given(AMOUNTS, st.integers(1, 400), st.integers(0, 400))
def test_the_days_of_a_fixed_cost_sum_to_it_exactly_and_differ_by_one_unit_at_most(
    amount: Decimal, days: int, cut: int
) -> None:
    end = START + timedelta(days=days)
    parts = by_day(amount, START, end)
    assert (sum(parts.values()), len(parts)) == (amount, days)
    assert max(parts.values()) - min(parts.values()) <= Decimal("1e-12")
    middle = START + timedelta(days=cut)
    halves = on_days(amount, START, end, date.min, middle) + on_days(amount, START, end, middle, date.max)
    assert halves == amount


@given(
    st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 30), st.integers(1, 30)), min_size=1, max_size=5),
    st.dictionaries(st.integers(0, 60), st.decimals(0, 500, places=12), max_size=40),
)
def test_a_day_burns_once_no_commitment_more_than_it_is_and_the_first_to_end_first(
    made: list[tuple[int, int, int]], spent: dict[int, Decimal]
) -> None:
    day = timedelta(days=1)
    committed = [
        Committed(n, Decimal(m), START + day * s, START + day * (s + d), "USD") for n, (m, s, d) in enumerate(made)
    ]
    money = {START + day * n: amount for n, amount in spent.items()}
    burns = burn(committed, {"USD": money})
    for one in burns:
        assert 0 <= one.burnt <= one.of.amount
        assert all(one.of.starts <= when < one.of.ends for when in one.by_day)
    for when, amount in money.items():
        live = [one for one in burns if one.of.starts <= when < one.of.ends]
        assert sum(one.by_day.get(when, Decimal(0)) for one in burns) <= amount
        for early, late in zip(live, live[1:], strict=False):
            assert not late.by_day.get(when) or sum(v for d, v in early.by_day.items() if d <= when) == early.of.amount


def test_money_burns_once_also_where_commitments_are_in_two_currencies() -> None:
    days = [START + timedelta(days=n) for n in range(3)]
    euros = Committed(1, Decimal(15), START, START + timedelta(days=3), "EUR")
    dollars = Committed(2, Decimal(100), START, START + timedelta(days=9), "USD")
    told = {"USD": dict(zip(days, map(Decimal, (12, 12, 6)), strict=True)),
            "EUR": dict(zip(days, map(Decimal, (10, 8, 5)), strict=True))}  # fmt: skip
    first, second = burn([dollars, euros], told)
    assert (first.of, first.by_day) == (euros, {days[0]: 10, days[1]: 5})
    assert (second.of, second.by_day) == (dollars, {days[1]: Decimal("4.5"), days[2]: 6})  # 3 of 8 EUR were left of 12


def test_a_forecast_goes_on_at_the_average_of_the_days_that_are_over() -> None:
    committed = Committed(1, Decimal(100), START, START + timedelta(days=30), "USD")
    (slow,) = burn([committed], {"USD": {START + timedelta(days=n): Decimal(2) for n in range(10)}})
    today = START + timedelta(days=10)
    assert (slow.burnt, slow.forecast(today), slow.shortfall(today), slow.runs_out(today)) == (20, 60, 40, None)
    (fast,) = burn([committed], {"USD": {START + timedelta(days=n): Decimal(5) for n in range(10)}})
    assert (fast.forecast(today), fast.shortfall(today), fast.runs_out(today)) == (100, 0, START + timedelta(days=20))
    (fresh,) = burn([committed], {"USD": {}})
    assert (fresh.forecast(START), fresh.shortfall(START)) == (None, None)


@pytest.mark.django_db
def test_a_commitment_burns_by_the_contracted_cost_of_its_provider_in_its_period(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    make_card(make_offering("model-b", "elsewhere"))
    provider = make_offering().provider
    whole = {"provider": provider, "currency": "USD", "effective_from": date(2026, 3, 10)}
    contracts.save(organisation, "ann", name="a", kind="discount", value=Decimal(50), **whole)
    contracts.save_commitment(
        organisation, "ann", name="b", amount=Decimal(1), effective_until=date(2026, 4, 1), **whole
    )
    facts = [make_fact("early", "2026-03-09 12:00"), make_fact("a"), make_fact("late", "2026-04-01 00:00")]
    unpriced = [make_fact("u", "2026-03-12 12:00", model="new"), make_fact("before", "2026-03-01 12:00", model="new")]
    import_facts([*facts, *unpriced, make_fact("other", model="model-b", host="elsewhere")])
    ((_, burnt, missing),) = agreed.burning(organisation)
    assert burnt.by_day == {date(2026, 3, 10): Decimal("0.0006")}
    assert missing == agreed.Missing(days=0, requests=1, tokens=1_100)
    (saved,) = agreed.savings(organisation, date(2026, 3, 1), date(2026, 4, 1)).values()
    assert (saved.records, saved.saved) == (1, Decimal("0.0006"))


@pytest.mark.django_db
def test_a_commitment_burns_by_the_bill_and_at_contract_by_what_no_bill_tells_of(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    whole = {"provider": make_offering().provider, "currency": "USD", "effective_from": date(2026, 3, 1)}
    contracts.save(organisation, "ann", name="a", kind="discount", value=Decimal(50), **whole)
    contracts.save_commitment(
        organisation, "ann", name="b", amount=Decimal(90), effective_until=date(2026, 6, 1), **whole
    )
    bill: dict[str, Any] = {"in_uncached": None, "in_cache_read": None, "in_cache_write": None, "out_total": None}
    bill |= {"cost_reported": Decimal(5), "currency": "USD", "cost_kind": "billed", "grain": "1d"}
    at_list = {"cost_reported": Decimal("0.0012"), "currency": "USD"}
    used = [make_fact(f"{month}", f"2026-0{month}-10 12:00", **at_list) for month in (3, 4)]
    unbilled = [make_fact("a", "2026-04-11 12:00", **at_list), make_fact("u", "2026-04-12 12:00", model="new")]
    import_facts([*used, *unbilled])
    import_facts(
        [make_fact(f"bill {month}", f"2026-0{month}-10 00:00", **bill) for month in (4, 5)], importer_slug="bill"
    )
    ((_, burnt, missing),) = agreed.burning(organisation)
    assert burnt.by_day == {
        date(2026, 3, 10): Decimal("0.0006"),
        date(2026, 4, 10): Decimal(5),
        date(2026, 4, 11): Decimal("0.0006"),
        date(2026, 5, 10): Decimal(5),
    }
    assert missing == agreed.Missing(days=0, requests=1, tokens=1_100)


@pytest.mark.django_db
def test_a_day_that_an_invoice_of_the_month_bills_burns_nothing_of_a_commitment_that_begins_within_it(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    whole = {"provider": make_offering().provider, "amount": Decimal(90), "effective_until": date(2026, 6, 1)}
    late = contracts.save_commitment(
        organisation, "ann", name="late", currency="USD", effective_from=date(2026, 3, 5), **whole
    )
    invoice: dict[str, Any] = {"in_uncached": None, "in_cache_read": None, "in_cache_write": None, "out_total": None}
    invoice |= {"cost_reported": Decimal(5), "currency": "USD", "cost_kind": "billed", "grain": "1mo"}
    import_facts([make_fact("used", "2026-03-10 12:00"), make_fact("not billed", "2026-04-10 12:00")])
    import_facts([make_fact("March", "2026-03-01 00:00", **invoice)], importer_slug="bill")
    ((one, burnt, _),) = agreed.burning(organisation)
    assert (one, burnt.by_day) == (late, {date(2026, 4, 10): Decimal("0.0012")})
    early = contracts.save_commitment(
        organisation, "ann", name="early", currency="EUR", effective_from=date(2026, 2, 1), **whole
    )
    source = make_source()
    ExchangeRate.objects.create(currency="EUR", day=date(2026, 2, 1), usd=Decimal("1.25"), source=source)
    burns = {one: burnt.by_day for one, burnt, _ in agreed.burning(organisation)}
    assert burns == {early: {date(2026, 3, 1): 4, date(2026, 4, 10): Decimal("0.00096")}, late: {}}


@pytest.mark.django_db
def test_what_only_a_contract_prices_burns_and_is_not_missing(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    offering = make_offering()
    whole = {"provider": offering.provider, "currency": "USD", "effective_from": date(2026, 3, 1)}
    for unit, value in (("input", 3), ("output", 5)):
        contracts.save(
            organisation, "ann", name=unit, kind="override", offering=offering, unit=unit, value=Decimal(value), **whole
        )
    contracts.save_commitment(
        organisation, "ann", name="c", amount=Decimal(1), effective_until=date(2026, 4, 1), **whole
    )
    import_facts([make_fact("priced"), make_fact("cached", in_cache_read=1)])
    ((_, burnt, missing),) = agreed.burning(organisation)
    assert (burnt.burnt, missing) == (Decimal("0.0035"), agreed.Missing(requests=1, tokens=1_101))
    assert spending.report(organisation)["coverage"]["unpriced_requests"] == 2  # of the list total


@pytest.mark.django_db
def test_fixed_costs_are_beside_usage_and_credits_are_negative(organisation: Organisation) -> None:
    period = {"currency": "USD", "effective_from": START, "effective_until": date(2026, 4, 1)}
    contracts.save_fixed_cost(organisation, "ann", name="Seats", kind="seats", amount=Decimal(31), **period)
    contracts.save_fixed_cost(organisation, "ann", name="Grant", kind="credits", amount=Decimal(62), **period)
    parts = [part for _, part in agreed.fixed(organisation, START, date(2026, 3, 11))]
    assert parts == [Decimal(10), Decimal(-20)]
    assert Decimal(spending.report(organisation)["total"]["list"] or 0) == 0
    with pytest.raises(ContractFault, match="Only credits are negative"):
        contracts.save_fixed_cost(organisation, "ann", name="Tax", kind="tax", amount=Decimal(-1), **period)


@pytest.mark.django_db
def test_only_the_rates_of_the_days_asked_for_are_read_and_the_last_before_them() -> None:
    source = make_source()
    for day in (1, 4, 8, 12):
        for currency in ("EUR", "GBP"):
            usd = Decimal(day)
            ExchangeRate.objects.create(currency=currency, day=date(2026, 3, day), usd=usd, source=source)
    read = ExchangeRate.objects.spanning(date(2026, 3, 6), date(2026, 3, 8)).filter(currency="EUR")
    assert sorted(read.values_list("day", flat=True)) == [date(2026, 3, 4), date(2026, 3, 8)]
    days = [date(2026, 3, 6), date(2026, 3, 8)]
    rates = Rates(make_organisation(), True, days)
    assert [rates.converted(Decimal(1), "GBP", day) for day in days] == [4, 8]


def test_a_contract_saves_once_what_two_feeds_of_an_account_tell_of(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    offering = make_offering()
    make_card(offering)
    contracts.save(
        organisation, "ada", name="Half", kind="discount", provider=offering.provider, value=Decimal(50),
        effective_from=START,
    )  # fmt: skip
    for importer, detail in (("usage_api", 2), ("gateway", 3)):
        fact = make_fact(importer, in_uncached=1_000_000, out_total=0, grain="1d")
        import_facts([fact], importer_slug=importer, detail=detail)
    (saved,) = agreed.savings(organisation, START, date(2026, 4, 1)).values()
    assert (saved.records, saved.list_cost, saved.saved) == (1, 1, Decimal("0.5"))
