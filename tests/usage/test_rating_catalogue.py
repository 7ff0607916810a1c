"""The ledger against the real catalogue: each of ten thousand records costs what a second reckoning gives."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from benchmarks.rating import costs
from benchmarks.workload import requests
from pricing.cost import Tokens
from pricing.models import Price
from tests.pricing.cases import CASES, cases_of, sold_today
from tests.pricing.oracle import Oracle
from tests.usage.factories import make_fact
from usage.models import UsageRecord

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]


def _imported(import_facts, cases, sold):
    """The cases as records; yields each case with its record, of those whose name means the very offering."""
    import_facts(
        [
            make_fact(
                f"{number:06d}",
                case.at,
                model=sold.names[case.offering]["sku"],
                host=sold.names[case.offering]["provider"],
                service_tier=case.tier,
                in_uncached=case.tokens.input,
                in_cache_read=case.tokens.cache_read,
                in_cache_write=case.tokens.cache_write,
                cache_write_by_lifetime=dict(case.tokens.cache_write_by_lifetime),
                out_total=case.tokens.output,
                out_reasoning=case.tokens.reasoning,
            )
            for number, case in enumerate(cases)
        ]
    )
    # The bucket's own flag aside, a record of one request says what `POST /api/v1/cost` was asked.
    for record in UsageRecord.objects.order_by("record_key"):
        case = cases[int(record.record_key)]
        if record.offering_id == case.offering:
            yield case, record


def test_ten_thousand_records_cost_what_the_price_rows_say(import_facts):
    sold, oracle = sold_today(), Oracle()
    cases = list(cases_of(sold, random.Random(20261125)))  # noqa: S311 - the same cases every time
    wrong, priced, meant = [], 0, 0
    for case, record in _imported(import_facts, cases, sold):
        meant += 1
        expected = oracle.cost(case.offering, case.tier, case.tokens, case.at)
        got = None if record.list_cost is None else Fraction(record.list_cost)
        priced += got is not None
        if got != expected or (got is None) != bool(record.unpriced_reason):
            wrong.append(f"{sold.names[case.offering]} {case}: {got} is not {expected}")
    assert wrong == []
    # A sku sold in several regions means the one bound to none; those cases are the few left out.
    assert meant > 0.95 * len(cases) > CASES
    assert priced > CASES // 2


def test_one_broken_price_row_is_noticed(import_facts):
    """The comparison above compares: a price row changed after rating makes it fail."""
    sold, oracle = sold_today(), Oracle()
    every = cases_of(sold, random.Random(1))  # noqa: S311 - the same cases every time
    cases = [case for case in every if case.tier == "standard" and case.tokens.input][:300]
    pairs = list(_imported(import_facts, cases, sold))
    broken = {case.offering for case, record in pairs if record.list_cost}
    Price.objects.filter(offering__in=broken, unit="input").update(amount=7)
    costs = [
        (oracle.cost(c.offering, c.tier, c.tokens, c.at), record.list_cost)
        for c, record in pairs
        if c.offering in broken
    ]
    assert any(expected is not None and cost is not None and expected != Fraction(cost) for expected, cost in costs)


def test_the_benchmark_of_rating_rates_as_the_ledger_does():
    oracle, sample = Oracle(), list(requests(300))
    expected = [
        oracle.cost(
            one.offering_id, one.service_tier,
            Tokens(one.uncached, one.cache_read, one.written_5m + one.written_1h, one.output, one.reasoning,
                   {"5m": one.written_5m, "1h": one.written_1h}),
            one.occurred_at,
        )
        for one in sample
    ]  # fmt: skip
    assert [None if cost is None else Fraction(cost) for cost in costs(sample)] == expected
    assert sum(cost is not None for cost in expected) > 200
