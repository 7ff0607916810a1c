"""`POST /api/v1/cost`: to the last digit what a second reckoning from the price rows gives."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from pricing.cost import Tokens
from pricing.models import Offering, Price, RateCard
from tests.pricing.cases import CASES, Case, Sold, cases_of, sold_today
from tests.pricing.oracle import Oracle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]


def _asked(sold: Sold, case: Case) -> dict[str, Any]:
    tokens = case.tokens
    return {
        **sold.names[case.offering], "service_tier": case.tier, "at": case.at.isoformat(), "input": tokens.input,
        "cache_read": tokens.cache_read, "cache_write": tokens.cache_write, "output": tokens.output,
        "reasoning": tokens.reasoning, "cache_write_by_lifetime": dict(tokens.cache_write_by_lifetime),
    }  # fmt: skip


def _post(client: Client, requests: list[dict[str, Any]]) -> dict[str, Any]:
    response = client.post("/api/v1/cost", json.dumps({"requests": requests}), content_type="application/json")
    assert response.status_code == 200, response.content[:500]
    answer: dict[str, Any] = response.json()
    return answer


def _compare(client: Client, sold: Sold, cases: list[Case]) -> tuple[list[str], int]:
    """A line for every cost that is not the oracle's, and how many costs are known."""
    oracle, wrong, known = Oracle(), [], 0
    for start in range(0, len(cases), 1000):
        batch = cases[start : start + 1000]
        answer = _post(client, [_asked(sold, case) for case in batch])
        evidence = {price["price_id"] for price in answer["prices"]}
        for case, told in zip(batch, answer["costs"], strict=True):
            expected = oracle.cost(case.offering, case.tier, case.tokens, case.at)
            got = None if told["cost"] is None else Fraction(told["cost"])
            known += got is not None
            used = {part["price_id"] for part in told["components"]} - {None}
            if got != expected or not used <= evidence or (got is None) != (told["reason"] is not None):
                wrong.append(f"{sold.names[case.offering]} {case}: {got} is not {expected}")
    return wrong, known


def test_ten_thousand_costs_are_those_of_the_price_rows(client: Client) -> None:
    sold = sold_today()
    dice = random.Random(20261122)  # noqa: S311 - the same cases every time
    cases = list(cases_of(sold, dice))
    assert len(cases) > CASES
    wrong, known = _compare(client, sold, cases)
    assert wrong == []
    assert known > CASES // 2


def test_one_broken_price_row_is_noticed(client: Client) -> None:
    """The comparison above compares: a price changed behind the rate cards' back makes it fail."""
    sold = sold_today()
    offering = Offering.objects.get(provider__slug="openai", sku="gpt-5.6-sol").pk
    cases = [Case(offering, "standard", Tokens(200_000, 0, 0, 10), datetime(2026, 9, 1, tzinfo=UTC))]
    assert _compare(client, sold, cases) == ([], 1)
    Price.objects.filter(offering=offering, unit="input", service_tier="standard", context_from=0).update(
        amount=Decimal("3.9999999")
    )
    wrong, _ = _compare(client, sold, cases)
    assert len(wrong) == 1


def test_a_batch_takes_a_fixed_number_of_queries(client: Client, django_assert_max_num_queries: Any) -> None:
    one = {"provider": "openai", "sku": "gpt-5.6-sol", "input": 5}
    _post(client, [one])
    with django_assert_max_num_queries(7):
        _post(client, [one] * 500)


def test_one_request_answers_one_cost_with_the_rows_it_rests_on(client: Client) -> None:
    asked = {"model": "gpt-5.6-sol", "provider": "openai", "at": "2026-08-23", "input": 100_000, "output": 100_000}
    answer = client.post("/api/v1/cost", json.dumps(asked), content_type="application/json").json()
    assert (answer["status"], answer["cost"], answer["currency"]) == ("priced", "2.4", "USD")
    assert [(part["unit"], part["amount"]) for part in answer["components"]] == [("input", "0.4"), ("output", "2")]
    assert {price["price_id"] for price in answer["prices"]} == {part["price_id"] for part in answer["components"]}
    assert all(price["url"] and price["source"] for price in answer["prices"])


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"model": "claude-sonnet-4-99999999", "input": 1}, "is no offering we know"),
        ({"provider": "openai", "sku": "gpt-5.6-sol", "service_tier": "nightly", "input": 1}, "No nightly price"),
        ({"provider": "openai", "sku": "gpt-4", "cache_read": 1}, "The price of cache_read is not known"),
        ({"model": "ft:gpt-4o-mini-2024-07-18:org::id", "provider": "openai", "service_tier": "flex", "input": 1}, ""),
    ],
)
def test_what_nobody_knows_is_null_with_the_reason_never_zero(
    client: Client, asked: dict[str, Any], reason: str
) -> None:
    (told,) = _post(client, [asked])["costs"]
    assert (told["status"], told["cost"]) == ("unknown", None)
    assert reason in told["reason"]


def test_a_free_price_is_a_cost_of_zero(client: Client) -> None:
    row = Price.objects.known_at().filter(unit="input", amount=0, service_tier="standard", effective_until=None).first()
    assert row is not None
    offering = row.offering
    (told,) = _post(
        client, [{"provider": offering.provider.slug, "sku": offering.sku, "region": offering.region, "input": 7}]
    )["costs"]
    assert (told["status"], told["cost"]) == ("free", "0")


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"{", 400, "not JSON"),
        (b"\xff\xfe", 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b"", 422, ""),
        (b"[]", 422, ""),
        (b'{"requests": []}', 422, "requests"),
        (b'{"model": "gpt-4o", "input": -1}', 422, "input"),
        (b'{"model": "gpt-4o", "input": 1e400}', 422, "input"),
        (b'{"model": "gpt-4o", "input": 99999999999999999999999}', 422, "input"),
        (b'{"model": "gpt-4o", "inputs": 1}', 422, "inputs"),
        (b'{"model": "gpt-4o\\u0000", "input": 1}', 422, "sign"),
        (b'{"model": "\\ud800", "input": 1}', 422, ""),
        (b'{"model": "gpt-4o", "sku": "gpt-4o"}', 422, "one of them"),
        (b'{"input": 1}', 422, "model or sku"),
        (b'{"model": "gpt-4o", "input": 1, "reasoning": 2}', 422, "Reasoning tokens exceed output"),
        (b'{"model": "gpt-4o", "cache_write": 1, "cache_write_by_lifetime": {"5m": 2}}', 422, "lifetime"),
        (b'{"model": "gpt-4o", "at": "2026-02-30"}', 422, "not a date"),
        (b'{"model": "gpt-4o", "at": "2026-02-03T12:00:00"}', 422, "no time zone"),
        (b'{"model": "gpt-4o", "at": "9999-12-31T23:59:59-14:00"}', 422, "outside the years"),
    ],
)
def test_bad_bodies_get_a_sentence_and_a_4xx(client: Client, body: bytes, status: int, sentence: str) -> None:
    response = client.post("/api/v1/cost", body, content_type="application/json")
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert sentence in response.json()["detail"]


def test_more_than_a_thousand_requests_are_refused(client: Client) -> None:
    body = json.dumps({"requests": [{"model": "gpt-4o"}] * 1001})
    assert client.post("/api/v1/cost", body, content_type="application/json").status_code == 422


def test_a_body_too_large_is_413(client: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
    body = b'{"model": "' + b"x" * (2 << 20) + b'"}'
    response = client.post("/api/v1/cost", body, content_type="application/json")
    assert (response.status_code, response["Content-Type"]) == (413, "application/problem+json")


def test_the_cards_of_a_first_question_are_written_once(client: Client) -> None:
    assert connection.in_atomic_block
    _post(client, [{"provider": "openai", "sku": "gpt-5.6-sol", "input": 5}])
    cards = RateCard.objects.count()
    _post(client, [{"provider": "openai", "sku": "gpt-5.6-sol", "input": 5}])
    assert RateCard.objects.count() == cards > 0
