"""Quirks of DeepSeek's pricing page that the recorded page does not show."""

import pytest

from pricing.sources import SourceError
from pricing.sources.deepseek_page import parse


def page(*rows: str, models: str = "<td>v9</td><td>v9-pro</td>", below: str = "") -> bytes:
    return f"<table><tr><td colspan=2>模型</td>{models}</tr>{''.join(rows)}</table><p>{below}</p>".encode()


PRICE = "<tr><td>价格</td><td>百万tokens输出</td><td>2元</td><td>4元</td></tr>"
FOR_SOME_HOURS = "<tr><td>价格</td><td>百万tokens输出（高峰时段）</td><td>4元</td><td>8元</td></tr>"
ALIASES = (
    "deepseek-chat 与 deepseek-reasoner 两个模型名将于北京时间 2026/07/24 23:59 弃用。"
    "出于兼容考虑，二者分别对应 {} 的非思考与思考模式。"
)


def test_a_price_of_some_hours_is_never_the_plain_price():
    reading = parse(page(PRICE, FOR_SOME_HOURS))
    assert [(s.sku, str(s.amount)) for s in reading.statements] == [("v9", "2"), ("v9-pro", "4")]
    assert reading.unplaced == {"price under an unknown label": 1}


def test_prices_in_another_currency_are_not_taken_for_yuan():
    with pytest.raises(SourceError, match="no price in CNY"):
        parse(page(PRICE.replace("2元", "$2").replace("4元", "$4")))


def test_a_name_ends_at_the_minute_in_beijing_and_needs_a_model_to_point_at():
    aliases = parse(page(PRICE, below=ALIASES.format("v9"))).aliases
    assert [(a.name, a.sku, f"{a.valid_until:%Y-%m-%dT%H:%M%z}") for a in aliases] == [
        ("deepseek-chat", "v9", "2026-07-24T15:59+0000"), ("deepseek-reasoner", "v9", "2026-07-24T15:59+0000")
    ]  # fmt: skip
    assert parse(page(PRICE, below=ALIASES.format("v8"))).aliases == []


def test_a_price_that_stands_there_twice_is_stated_once():
    reading = parse(page(PRICE, PRICE))
    assert len(reading.statements) == 2
    assert reading.unplaced == {"price that stands there twice": 2}


def test_of_two_prices_for_one_thing_neither_is_stated():
    other = PRICE.replace("元", "0元", 1)
    reading = parse(page(PRICE, other))
    assert len(reading.statements) == 1
    assert reading.unplaced == {"price that stands there twice": 2, "price the page contradicts itself on": 1}


@pytest.mark.parametrize(
    "body",
    [
        page(),
        page(PRICE, models=""),
        b"<div>" * 5_000,
        "<table><tr><td>模型</td></tr><tr><td>x</td></tr></table>".encode(),
    ],
)
def test_another_layout_is_a_source_error(body):
    with pytest.raises(SourceError):
        parse(body)
