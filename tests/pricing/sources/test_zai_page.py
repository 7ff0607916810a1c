"""Quirks of Z.ai's pricing page that the recorded page does not show."""

from datetime import UTC, datetime

import pytest

from pricing.sources import SourceError
from pricing.sources.zai_page import parse

USD = "<p>All prices are in USD.</p>"


def table(*rows: tuple[str, ...], headings: tuple[str, ...] = ("Model", "Input", "Output")) -> str:
    cells = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{''.join(f'<th>{h}</th>' for h in headings)}</tr></thead><tbody>{cells}</tbody></table>"


TOKENS = "<h3>Text</h3><span>Prices per 1M tokens.</span>" + table(("GLM-9", "$1", "$2.5"))


def test_a_table_is_read_by_the_sentence_of_its_own_section():
    reading = parse(f"{USD}{TOKENS}<h3>Vision</h3>{table(('GLM-9V', '$1', '$2'))}".encode())
    assert [(s.sku, s.unit, str(s.amount)) for s in reading.statements] == [
        ("glm-9", "input", "1"), ("glm-9", "output", "2.5")
    ]  # fmt: skip
    assert reading.unplaced == {"row of a table without units": 1}


def test_free_for_a_limited_time_is_free_and_says_so():
    reading = parse(
        f"{USD}{TOKENS}<span>Prices per 1M tokens.</span>{table(('F', 'Free', 'Limited-time Free'))}".encode()
    )
    assert [(str(s.amount), s.note) for s in reading.statements if s.sku == "f"] == [
        ("0", ""),
        ("0", "Limited-time Free. A limited-time price; its page does not say when it ends."),
    ]


def test_a_price_for_a_limited_time_ends_after_the_day_the_page_names():
    rows = table(("F", "Limited-time Free (until December 31, 2026)", "Limited-time $2 (ends 2026-11-30)"))
    reading = parse(f"{USD}<h3>T</h3><span>Prices per 1M tokens.</span>{rows}".encode())
    assert [(str(s.amount), s.effective_until, s.note) for s in reading.statements] == [
        ("0", datetime(2027, 1, 1, tzinfo=UTC), "Limited-time Free (until December 31, 2026)"),
        ("2", datetime(2026, 12, 1, tzinfo=UTC), "Limited-time $2 (ends 2026-11-30)"),
    ]


def test_a_model_that_stands_there_twice_is_stated_once():
    reading = parse(f"{USD}{TOKENS}{TOKENS}".encode())
    assert len(reading.statements) == 2
    assert reading.unplaced == {"model that stands there twice": 1}


def test_of_two_prices_for_one_thing_neither_is_stated():
    other = TOKENS.replace("$2.5", "$3")
    reading = parse(f"{USD}{TOKENS}{other}".encode())
    assert [(s.unit, str(s.amount)) for s in reading.statements] == [("input", "1")]
    assert reading.unplaced == {"model that stands there twice": 1, "price the page contradicts itself on": 1}


def test_a_page_that_no_longer_says_usd_is_refused():
    with pytest.raises(SourceError, match="in USD"):
        parse(f"<p>All prices are in SGD.</p>{TOKENS}".encode())


def test_nesting_beyond_reason_is_a_source_error():
    with pytest.raises(SourceError):
        parse(b"<div>" * 5_000 + USD.encode())
