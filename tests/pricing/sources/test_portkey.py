"""Cents a unit, stated in several places of one entry."""

import json
from decimal import Decimal

import pytest

from pricing.sources import SourceError, portkey


def read(**prices):
    models = {"beside": {"request_token": {"price": 0.00025}}} | prices
    body = {sku: {"pricing_config": {"pay_as_you_go": units}} for sku, units in models.items()}
    return portkey.parse(json.dumps(body).encode())


def test_cents_a_token_are_ten_thousand_times_dollars_a_million():
    (statement,) = read().statements
    assert (statement.amount, statement.per, statement.currency) == (Decimal("2.5"), 1_000_000, "USD")


def test_a_price_of_zero_is_no_price():
    reading = read(m={"response_token": {"price": 0}})
    assert len(reading.statements) == 1
    assert reading.unplaced == {"price of zero": 1}


def test_the_tail_of_a_binary_float_is_no_digit_of_the_price():
    reading = read(m={"response_token": {"price": 0.00005999999999999999}})
    assert reading.statements[1].amount == Decimal("0.6")


def test_a_minute_of_speech_under_a_token_name_is_no_price_of_tokens():
    reading = read(**{"gpt-4o-transcribe": {"request_audio_token": {"price": 0.6}}})
    assert reading.unplaced == {"price of a minute or a character under a token's name": 1}


@pytest.mark.parametrize("cents", [-1, "0.1", None, True, float("nan"), float("inf"), 1e300])
def test_what_is_no_amount_is_counted_and_spares_the_rest(cents):
    reading = read(m={"request_image_token": {"price": cents}, "image": {"low": {"1x1": {"price": cents}}}})
    assert [s.sku for s in reading.statements] == ["beside"]
    assert reading.unplaced.total() == 2


def test_places_of_an_entry_that_disagree_state_nothing():
    entry = {"pricing_config": {"pay_as_you_go": {"request_token": {"price": 0.0003}}}, "custom_pricing": {"regions": {
        "default": {"execution_modes": {"standard": {"pricing_config": {"pay_as_you_go": {
            "request_token": {"price": 0.00011}, "response_token": {"price": 0.00044}}}}}}}}}  # fmt: skip
    reading = portkey.parse(json.dumps({"o1-mini": entry}).encode())
    assert [s.unit for s in reading.statements] == ["output"]
    assert reading.unplaced == {"prices of one entry that disagree": 2}


def test_a_file_without_a_price_is_an_error():
    with pytest.raises(SourceError):
        portkey.parse(b'{"m": {"pricing_config": {"pay_as_you_go": {"request_token": {"price": 0}}}}}')
