"""What model-prices writes in a way of its own."""

import json
from decimal import Decimal

from pricing.sources import model_prices


def read(**modes):
    intervals = {
        mode: [{"start": None, "rates": {**rates, "source": "", "valid_from": "2026-01-01T00:00:00Z",
                                         "valid_from_basis": "first observed"}}]
        for mode, rates in modes.items()
    }  # fmt: skip
    body = {"schema": 1, "prices": {"alibaba": {"qwen-x": intervals}}, "schedules": {}, "aliases": {"models": {}},
            "bases": {}}  # fmt: skip
    return {
        (s.unit, s.qualifier, s.context_from): s.amount
        for s in model_prices.parse(json.dumps(body).encode()).statements
    }


def test_tokens_of_thought_cost_what_output_does_in_the_mode_that_makes_them():
    thinking = {"input": 0.4, "output": 4, "tiers": [{"above": 256_000, "input": 1.2, "output": 12}]}
    found = read(standard={"input": 0.4, "output": 1.2}, thinking=thinking)
    assert found["output", "", 0] == Decimal("1.2")
    assert (found["reasoning", "", 0], found["reasoning", "", 256_000]) == (4, 12)
    assert (found["output", "thinking", 0], found["output", "thinking", 256_000]) == (4, 12)
    assert ("reasoning", "", 0) not in read(standard={"input": 0.4, "output": 1.2})
