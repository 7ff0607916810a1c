"""Quirks of Z.ai's pricing page that the recorded page does not show."""

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
        ("0", "Limited-time Free"),
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
