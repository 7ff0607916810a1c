"""What OpenAI's pricing page says, and what it must not be taken to say."""

import html
import json
from pathlib import Path

import pytest

from pricing.sources import SourceError
from pricing.sources.openai_page import parse

BODY = (Path(__file__).parents[2] / "recorded" / "pricing" / "openai_page" / "pricing.html").read_text()
HEADINGS = ["Category", "Model", "Input", "Cached input", "Output"]


def wrapped(value):
    if isinstance(value, list):
        return [1, [wrapped(item) for item in value]]
    if isinstance(value, dict):
        return [0, {name: wrapped(item) for name, item in value.items()}]
    return [0, value]


MEASURE = "<p>Prices per 1M tokens.</p>"


def page(*rows, headings=HEADINGS, pane="standard", component="GroupedPricingTable", props=None, measure=MEASURE):
    """A page with one table of models by category."""
    given = props or {"headings": headings, "groups": [{"model": "Codex", "rows": [list(row) for row in rows]}]}
    text = html.escape(json.dumps({name: wrapped(value) for name, value in given.items()}))
    return (
        f'{measure}<div data-content-switcher-pane="true" data-value="{pane}"><astro-island'
        f' component-url="/_astro/pricing.Ab.js" component-export="{component}" props="{text}"></astro-island></div>'
    ).encode()


def prices(reading, **wanted):
    return {
        (s.sku, s.unit, s.service_tier, s.context_from): str(s.amount.normalize())
        for s in reading.statements
        if all(getattr(s, name) == value for name, value in wanted.items())
    }


def test_a_table_stands_under_the_tier_of_its_pane():
    assert {s.service_tier for s in parse(page(("gpt-9-codex", 1, 0.1, 4), pane="batch")).statements} == {"batch"}


def test_fast_mode_answers_to_its_former_name_only_while_the_page_says_so():
    fast = page(("gpt-9-codex", 1, 0.1, 4), pane="fast")
    assert {s.service_tier for s in parse(fast).statements} == {"fast"}
    said = b'<p>You can use either <code>service_tier: "priority"</code> or another.</p>'
    assert {s.service_tier for s in parse(fast + said).statements} == {"fast", "priority"}


def test_a_long_context_price_carries_the_pages_own_words():
    long = [s for s in parse(BODY.encode()).statements if s.context_from]
    assert {(s.context_from, s.context_op, s.context_mode, s.note) for s in long} == {
        (272_000, ">", "whole_request", "Long context: >272K input tokens")
    }


def test_without_its_threshold_a_long_context_price_is_counted_and_not_stated():
    reading = parse(BODY.replace("&gt;272K input tokens", "&gt;a lot of tokens").encode())
    assert not [s for s in reading.statements if s.context_from]
    assert reading.unplaced["long-context prices without a threshold"] == 3


def test_a_price_only_for_short_prompts_says_so_in_its_note():
    notes = {s.note for s in parse(BODY.encode()).statements if s.sku == "gpt-8"}
    assert notes == {"gpt-8 (<272K context length)"}


def test_the_page_may_say_a_price_twice_but_not_two_prices():
    twice = parse(page(("gpt-9-codex", 1, 0.1, 4), ("gpt-9-codex", 1, 0.1, 5)))
    assert prices(twice) == {
        ("gpt-9-codex", "input", "standard", 0): "1",
        ("gpt-9-codex", "cache_read", "standard", 0): "0.1",
    }
    assert twice.unplaced == {"price the page contradicts itself on": 1}


def test_a_dash_and_a_null_are_not_sold_and_free_is_a_price_of_nothing():
    reading = parse(page(("m-free", "Free", "-", None), ("m-none", "-", None, "-")))
    assert prices(reading) == {("m-free", "input", "standard", 0): "0"}
    assert reading.unplaced == {"row without a price": 1}


@pytest.mark.parametrize("cell", [-1, float("nan"), float("inf"), "$-1", "ask us", "$1 / furlong", "1e99", "$9" * 30])
def test_what_is_no_amount_is_counted_and_never_a_price(cell):
    try:
        reading = parse(page(("gpt-9", cell, 0.1, 4)))
    except SourceError:
        return  # NaN and Infinity are no JSON of the page's framework
    assert [s.unit for s in reading.statements] == ["cache_read", "output"]
    assert reading.unplaced == {"cell that is no price": 1}


def test_training_is_priced_once_though_every_tier_repeats_it():
    headings = ["Model", "Training", "Input", "Cached input", "Output"]
    row = ["gpt-9", 25, 1, None, 4]
    body = b"".join(
        page(props={"headings": headings, "rows": [row]}, component="PricingTable", pane=tier)
        for tier in ("standard", "batch")
    )
    trained = [s for s in parse(body).statements if s.unit == "training"]
    assert [(s.sku, s.service_tier, s.amount) for s in trained] == [("ft:gpt-9", "standard", 25)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html><body><table><tr><td>gpt-9</td></tr></table></body></html>", "no island"),
        (page(("gpt-9", 1, 2, 3), headings=["Category", "Model", "Give", "Take", "Keep"]), "unknown headings"),
        (page(("gpt-9", 1, 2, 3), pane="turbo"), "unknown service tier 'turbo'"),
        (page(("gpt-9", 1, 2, 3), component="PriceWheel"), "unknown kind 'PriceWheel'"),
        (page(("gpt-9", "-", "-", "-")), "no price at all"),
        (page(("gpt-9", 1, 2, 3), measure=""), "does not say what its prices are per"),
        (page(("gpt-9", 1, 2, 3), measure=f"{MEASURE}<h3>Codex</h3>"), "does not say what its prices are per"),
        (page(("gpt-9", 1, 2, 3), measure="<p>Prices per 1K tokens.</p>"), "stands under 'Prices per 1K tokens'"),
        (page(("gpt-9", 1, 2, 3), measure=f"{MEASURE}<p>Prices per 1K tokens.</p>"), "does not say what"),
        (page(props={"headings": HEADINGS}), "not OpenAI's pricing page"),
        (page(("gpt-9", ["a", "list"], 2, 3)), "neither text nor an amount"),
        (page(("gpt-9", True, 2, 3)), "neither text nor an amount"),
        (page(("gpt-9", "€1.00", 2, 3)), "states '€1.00', where this parser knows US dollars"),
        (b'<astro-island component-url="/_astro/pricing.A.js" props="' + b"[" * 100_000 + b'">', "not OpenAI's"),
    ],
)
def test_a_page_of_another_layout_is_an_error_that_says_what_changed(body, reason):
    with pytest.raises(SourceError, match=reason):
        parse(body)


@pytest.mark.parametrize("number", range(7))
def test_each_section_of_token_prices_must_say_what_they_are_per(number):
    first, *rest = BODY.split("Prices per 1M tokens")
    assert len(rest) == 7
    said = ["Prices per 1K tokens" if place == number else "Prices per 1M tokens" for place in range(7)]
    with pytest.raises(SourceError, match="stands under 'Prices per 1K tokens'"):
        parse("".join([first, *(part for pair in zip(said, rest, strict=True) for part in pair)]).encode())


def test_a_new_column_of_the_text_tables_is_an_error():
    with pytest.raises(SourceError, match="unknown headings"):
        parse(BODY.replace("<span>Cache writes</span>", "<span>Cache rental</span>", 1).encode())


def test_a_tier_the_table_itself_contradicts_is_an_error():
    with pytest.raises(SourceError, match="unknown service tier"):
        parse(BODY.replace('data-value="batch"', 'data-value="flex"', 1).encode())
