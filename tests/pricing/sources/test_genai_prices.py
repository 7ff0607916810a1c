"""What genai-prices writes in a way of its own."""

import json

import pytest

from pricing.sources import genai_prices


def read(prices, **model):
    body = [{"id": "x-ai", "name": "xAI", "models": [{"id": "grok-x", "prices": prices, **model}]}]
    return genai_prices.parse(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("start", "threshold"), [(199_999, (200_000, ">=")), (200_000, (200_000, ">")), (524_288, (524_288, ">"))]
)
def test_more_than_199999_tokens_is_the_threshold_that_others_call_200000(start, threshold):
    reading = read({"input_mtok": {"base": 2, "tiers": [{"start": start, "price": 4}]}})
    assert [(s.context_from, s.context_op) for s in reading.statements if s.context_from] == [threshold]
