"""xAI counts in 1e-10 dollars, whatever is bought."""

import json
from decimal import Decimal

import pytest

from pricing.sources import xai


def read(*models, key="models"):
    beside = {"id": "beside", "prompt_text_token_price": 3000}
    return xai.parse(json.dumps({key: [beside, *models]}).encode())


@pytest.mark.parametrize("key", ["models", "data"])
def test_cents_per_hundred_million_tokens_are_a_ten_thousandth_of_dollars_per_million(key):
    (statement,) = read(key=key).statements
    assert (statement.amount, statement.per) == (Decimal("0.3"), 1_000_000)


def test_a_long_context_price_holds_above_the_stated_threshold():
    model = {"id": "m", "long_context_threshold": 200000, "completion_text_token_price_long_context": 50000}
    statement = read(model).statements[1]
    assert (statement.context_from, statement.context_op, statement.context_mode) == (200_000, ">", "whole_request")
    assert statement.amount == 5


@pytest.mark.parametrize("threshold", [None, 0, "200000", -1])
def test_a_long_context_price_without_a_threshold_is_counted(threshold):
    reading = read({"id": "m", "long_context_threshold": threshold, "prompt_text_token_price_long_context": 1})
    assert len(reading.statements) == 1
    assert reading.unplaced == {"long-context price without a threshold": 1}


@pytest.mark.parametrize("stated", [-1, 0, "3000", True, float("nan"), float("inf"), 10**9])
@pytest.mark.parametrize("field", ["prompt_text_token_price", "image_price"])
def test_what_is_no_price_is_counted(field, stated):
    if (field, stated) == ("image_price", 10**9):
        return  # ten cents an image
    reading = read({"id": "m", field: stated})
    assert len(reading.statements) == 1
    assert reading.unplaced.total() == 1


def test_an_alias_two_models_claim_is_the_name_of_neither():
    reading = read({"id": "m", "aliases": ["same", "own"]}, {"id": "n", "aliases": ["same", "m"]})
    assert [(alias.name, alias.sku) for alias in reading.aliases] == [("own", "m")]
    assert reading.unplaced == {"alias of two models": 2}
