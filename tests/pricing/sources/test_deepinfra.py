"""Cents a unit, and rates that multiply them."""

import json
from datetime import date
from decimal import Decimal

import pytest

from pricing.sources import deepinfra


def read(**pricing):
    beside = {"model_name": "beside", "pricing": {"type": "tokens", "cents_per_input_token": 1e-5}}
    model = {"model_name": "a/m", "type": "text-generation", "deprecated": 1796083200, "pricing": pricing}
    return deepinfra.parse(json.dumps([beside, model]).encode())


def test_cents_a_token_and_multiples_of_them():
    reading = read(cents_per_input_token=2.9999999999999997e-05, rate_per_input_token_cached=0.25)
    assert {s.unit: s.amount for s in reading.statements[1:]} == {
        "input": Decimal("0.3"), "cache_read": Decimal("0.075"),
    }  # fmt: skip


def test_a_model_going_away_says_when():
    assert read(cents_per_input_token=1e-5).offerings[1].retires_on == date(2026, 12, 1)


@pytest.mark.parametrize(
    "pricing",
    [
        {"type": "time", "cents_per_sec": 0.05},
        {"type": "a new type", "cents_per_input_token": 1e-5},
        {"type": "image_units", "cents_per_image_unit": 4, "default_width": 1024},
        {"type": "output_length", "cents_per_output_sec": 10},
        {"type": "tokens", "cents_per_input_token": 1e-5, "discount": 0.5},
        {"type": "tokens", "cents_per_input_token": -1e-5},
        {"type": "tokens", "cents_per_input_token": 0},
        {"type": "tokens", "cents_per_input_token": "1e-5"},
        {"type": "tokens", "cents_per_input_token": float("nan")},
        {"type": "tokens", "cents_per_input_token": 1},
    ],
)
def test_what_is_no_price_of_a_request_is_counted(pricing):
    reading = read(**pricing)
    assert [s.sku for s in reading.statements] == ["beside"]
    assert reading.unplaced.total() >= 1


def test_the_openai_shaped_list_states_dollars_per_million():
    body = {"data": [{"id": "a/m", "metadata": {"context_length": 8192, "pricing": {
        "input_tokens": 0.04, "output_tokens": 0.1, "cache_read_tokens": 0.02, "per_image": 1}}}]}  # fmt: skip
    reading = deepinfra.parse(json.dumps(body).encode())
    assert [(s.unit, s.amount) for s in reading.statements] == [
        ("input", Decimal("0.04")), ("output", Decimal("0.1")), ("cache_read", Decimal("0.02")),
    ]  # fmt: skip
    assert reading.unplaced == {"price of per_image": 1}
