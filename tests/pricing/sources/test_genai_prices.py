"""What genai-prices writes in a way of its own."""

import json

import pytest

from pricing.sources import genai_prices


def read(prices, provider="x-ai", **model):
    body = [{"id": provider, "name": provider, "models": [{"id": "grok-x", "prices": prices, **model}]}]
    return genai_prices.parse(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("start", "threshold"), [(199_999, (200_000, ">=")), (200_000, (200_000, ">")), (524_288, (524_288, ">"))]
)
def test_more_than_199999_tokens_is_the_threshold_that_others_call_200000(start, threshold):
    reading = read({"input_mtok": {"base": 2, "tiers": [{"start": start, "price": 4}]}})
    assert [(s.context_from, s.context_op) for s in reading.statements if s.context_from] == [threshold]


@pytest.mark.parametrize(
    ("provider", "basis"), [("x-ai", "documented"), ("openrouter", "observed"), ("new", "observed")]
)
def test_a_day_is_the_makers_word_of_the_makers_price_and_what_was_seen_of_a_resellers(provider, basis):
    dated = {"constraint": {"start_date": "2026-10-19"}, "prices": {"input_mtok": 2}}
    reading = read([{"prices": {"input_mtok": 4}}, dated], provider)
    assert [s.basis for s in reading.statements] == ["inferred", basis]
