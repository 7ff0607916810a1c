"""Dollars per million tokens, and zeros that are no price."""

import json
from decimal import Decimal

import pytest

from pricing.sources import SourceError, together


def model(name, kind="chat", **pricing):
    return {"id": name, "type": kind, "context_length": 8192, "pricing": {"hourly": 0, "base": 0} | pricing}


def read(*models):
    return together.parse(json.dumps([model("beside", input=0.1), *models]).encode())


def test_a_model_sold_on_dedicated_hardware_only_has_no_price():
    reading = read(model("dedicated", input=0, output=0, hourly=2.8))
    assert [s.sku for s in reading.statements] == ["beside"]
    assert reading.unplaced == {"price of zero": 2, "price of hourly": 1}


def test_only_an_endpoint_named_free_is_free():
    free = read(model("llama-Free", input=0, output=0)).statements[1:]
    assert [(s.unit, s.amount) for s in free] == [("input", 0), ("output", Decimal(0))]


@pytest.mark.parametrize("stated", [-1, "0.1", None, True, float("nan"), float("inf"), 880000])
def test_what_is_no_price_is_no_statement(stated):
    assert [s.sku for s in read(model("m", input=stated)).statements] == ["beside"]


def test_a_list_without_a_price_is_an_error():
    with pytest.raises(SourceError):
        together.parse(json.dumps([model("m", input=0)]).encode())


def test_a_model_listed_twice_keeps_its_first_prices_and_counts_the_other():
    reading = read(model("m", input=1), model("m", input=2), model("m", input=1))
    assert [(s.sku, s.amount) for s in reading.statements[1:]] == [("m", 1)]
    assert reading.unplaced == {"model listed twice with other prices": 1}
