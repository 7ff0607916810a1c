"""Quirks of Kimi's pricing pages that the recorded page does not show."""

import pytest

from pricing.sources import SourceError
from pricing.sources.kimi_page import next_page, parse

HOME = "https://platform.kimi.com/docs/pricing/"


def page(
    name: str = "chat-k9", sku: str = "kimi-k9", others: tuple[str, ...] = ("chat", "chat-k9", "chat-v1")
) -> bytes:
    links = "".join(f'<a href="/docs/pricing/{other}">…</a>' for other in (*others, "batch", others[0]))
    return f"""<html><head><link rel="canonical" href="{HOME}{name}"></head><body>{links}<table><thead>
        <tr><th>模型</th><th>计费单位</th><th>输入价格</th><th>输出价格</th></tr></thead>
        <tr><td>{sku}</td><td>1M tokens</td><td>¥2</td><td>¥10</td></tr></table></body></html>""".encode()


def test_the_navigation_leads_from_page_to_page():
    assert next_page(page("chat")) == HOME + "chat-k9"
    assert next_page(page("chat-k9")) == HOME + "chat-v1"
    assert next_page(page("chat-v1")) is None


def test_a_page_outside_the_navigation_ends_in_an_error():
    for body in (page("promotion"), b"", b"<html>", b"\xff"):
        with pytest.raises(SourceError):
            next_page(body)


def test_pages_joined_into_one_body_are_read_as_one():
    reading = parse(b"[" + page() + b"," + page("chat-v1", "moonshot-v1-8k") + b"]")
    assert [(s.sku, s.unit, str(s.amount)) for s in reading.statements] == [
        ("kimi-k9", "input", "2"), ("kimi-k9", "output", "10"),
        ("moonshot-v1-8k", "input", "2"), ("moonshot-v1-8k", "output", "10"),
    ]  # fmt: skip


def test_a_model_on_two_pages_is_stated_once():
    reading = parse(page() + page("chat-v1"))
    assert len(reading.statements) == 2
    assert reading.unplaced == {"model that stands there twice": 1}


def test_of_two_prices_for_one_thing_neither_is_stated():
    reading = parse(page() + page("chat-v1").replace("¥10".encode(), "¥12".encode()))
    assert len(reading.statements) == 1
    assert reading.unplaced == {"model that stands there twice": 1, "price the page contradicts itself on": 1}


def test_dollars_are_not_taken_for_yuan():
    with pytest.raises(SourceError, match="no price in CNY"):
        parse(page().replace("¥".encode(), b"$"))


def test_a_table_with_a_heading_nobody_knows_is_refused():
    body = page().replace("<th>输入价格</th>".encode(), "<th>时段</th><th>输入价格</th>".encode())
    with pytest.raises(SourceError, match="hold no price"):
        parse(body.replace("<td>¥2</td>".encode(), "<td>夜间</td><td>¥2</td>".encode()))
