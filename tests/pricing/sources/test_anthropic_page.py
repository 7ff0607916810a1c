"""What Anthropic's pricing page says, and what it must not be taken to say."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pricing.sources import SourceError
from pricing.sources.anthropic_page import model_ids, parse

BODY = (Path(__file__).parents[2] / "recorded" / "pricing" / "anthropic_page" / "pricing.md").read_text()
HEAD = "| Model | Base Input Tokens | 5m Cache Writes | 1h Cache Writes | Cache Hits & Refreshes | Output Tokens |\n"
RULE = "|---|---|---|---|---|---|\n"


def table(*rows):
    return (HEAD + RULE + "".join(f"| {' | '.join(row)} |\n" for row in rows)).encode()


def mtok(*amounts):
    return [f"${amount} / MTok" for amount in amounts]


def amounts(reading, sku, tier="standard", beyond=0):
    return {
        s.unit: str(s.amount)
        for s in reading.statements
        if (s.sku, s.service_tier, s.context_from) == (sku, tier, beyond)
    }


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("Claude Opus 4.5", ("claude-opus-4-5", "claude-opus-4-5-20251101")),
        ("Claude Sonnet 4", ("claude-sonnet-4-0", "claude-sonnet-4-20250514")),
        ("Claude Haiku 3.5", ("claude-3-5-haiku-latest", "claude-3-5-haiku-20241022")),
        ("Claude Opus 4.6", ("claude-opus-4-6",)),
        ("Claude Opus 5", ("claude-opus-5",)),
        ("Claude Fable 5.2", ("claude-fable-5-2",)),
        ("Claude Haiku 10.1", ("claude-haiku-10-1",)),
    ],
)
def test_a_display_name_means_its_declared_ids_or_by_rule_the_regular_one(name, ids):
    assert model_ids(name) == ids


@pytest.mark.parametrize(
    "name",
    [
        "Claude Haiku 4",  # Claude 4 was sold as claude-…-4-0: the rule does not hold for it
        "Claude Opus 3.5",
        "Claude 2.1",
        "Claude Instant 1.2",
        "Claude Opus 5 (until September 1)",
        "Claude Opus 5.0",
        "Opus 5",
        "Claude Mythos Preview",
    ],
)
def test_a_name_neither_declared_nor_regular_is_counted_and_never_guessed(name):
    assert model_ids(name) == ()
    reading = parse(table([name, *mtok(1, 2, 3, 4, 5)], ["Claude Opus 5", *mtok(5, 6.25, 10, 0.5, 25)]))
    assert {s.sku for s in reading.statements} == {"claude-opus-5"}
    assert reading.unplaced == {"model without a declared id": 1}


def test_every_id_of_a_model_has_its_price():
    reading = parse(table(["Claude Haiku 4.5", *mtok(1, 1.25, 2, "0.10", 5)]))
    for sku in ("claude-haiku-4-5", "claude-haiku-4-5-20251001"):
        assert amounts(reading, sku) == {
            "input": "1", "cache_write_5m": "1.25", "cache_write_1h": "2", "cache_read": "0.10", "output": "5"
        }  # fmt: skip


@pytest.mark.parametrize("mark", ["([deprecated](/docs/x))", "~~deprecated~~", "(deprecated)"])
def test_a_deprecated_model_is_known_by_its_name_all_the_same(mark):
    (fact,) = parse(table([f"Claude Haiku 3 {mark}", *mtok(1, 2, 3, 4, 5)])).offerings
    assert (fact.sku, fact.name, fact.deprecated) == ("claude-3-haiku-20240307", "Claude Haiku 3", True)


def test_long_prompts_cost_the_stated_price_and_what_the_page_multiplies_it_by():
    reading = parse(BODY.encode())
    assert amounts(reading, "claude-sonnet-4-5", beyond=200_000) == {
        "input": "6", "output": "22.50", "cache_write_5m": "7.50", "cache_write_1h": "12", "cache_read": "0.6"
    }  # fmt: skip
    assert amounts(reading, "claude-sonnet-4-5", "batch", 200_000) == {"input": "3", "output": "11.25"}
    notes = {s.note for s in reading.statements if s.context_from and s.unit == "cache_read"}
    assert notes == {
        "Cache read tokens are 0.1 times the base input tokens price. "
        "Prompt caching multipliers apply on top of long context pricing."
    }


@pytest.mark.parametrize(
    ("sentence", "lost"),
    [
        (
            "[Prompt caching multipliers](#model-pricing) apply on top",
            {"cache_write_5m", "cache_write_1h", "cache_read"},
        ),
        ("Cache read tokens are 0.1 times", {"cache_read"}),
    ],
)
def test_without_its_sentence_nothing_is_worked_out(sentence, lost):
    full = parse(BODY.encode())
    reading = parse(BODY.replace(sentence, "Prompt caching is under review").encode())
    assert amounts(full, "claude-sonnet-4-5", beyond=200_000).keys() - lost == (
        amounts(reading, "claude-sonnet-4-5", beyond=200_000).keys()
    )


def test_without_the_rule_of_the_whole_request_no_long_price_is_stated():
    reading = parse(BODY.replace("all tokens incur premium pricing", "please wait").encode())
    assert not [s for s in reading.statements if s.context_from]
    assert reading.unplaced["long-context price without its rule or its model"] == 2


def test_the_long_context_table_is_not_of_a_model_with_another_usual_price():
    reading = parse(BODY.encode())
    assert amounts(reading, "claude-opus-9-1", beyond=200_000) == {}
    assert reading.unplaced["long-context model with another usual price"] == 1


def test_the_page_may_say_a_price_twice_but_not_two_prices():
    row = ["Claude Opus 5", *mtok(5, 6.25, 10, 0.5, 25)]
    assert parse(table(row, row)).unplaced == {}
    reading = parse(table(row, ["Claude Opus 5", *mtok(4, 6.25, 10, 0.5, 25)]))
    assert "input" not in amounts(reading, "claude-opus-5")
    assert reading.unplaced == {"price the page contradicts itself on": 1}


@pytest.mark.parametrize(
    "cell",
    [
        "$-5 / MTok",
        "$NaN / MTok",
        "5 / MTok",
        "$5 / KTok",
        "$" + "9" * 40 + " / MTok",
        "",
        "$5 / MTok12",
        "$5 / MTok0",
        "$5 / MTok 1",
        "$5 / MTok1 / $6 / MTok",
        "$51 MTok",
        "$5 / MTok (per image)",
    ],
)
def test_what_is_no_price_is_counted(cell):
    reading = parse(table(["Claude Opus 5", cell, *mtok(1, 2, 3, 4)]))
    assert "input" not in amounts(reading, "claude-opus-5")
    assert reading.unplaced == {"cell that is no price": 1}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<!DOCTYPE html><html><body>$5 / MTok</body></html>", "HTML"),
        (b"\xff\xfe\x00", "no text"),
        (b"# Pricing\n\nAsk us.\n", "no table of model prices"),
        (HEAD.replace("1h Cache Writes", "2h Cache Writes").encode()
         + (RULE + "| Claude Opus 5 | $1 / MTok | $1 | $1 | $1 | $1 |").encode(), "unknown headings"),
        (table(["Claude Instant", *mtok(1, 2, 3, 4, 5)]), "no table of model prices"),
    ],
)  # fmt: skip
def test_a_page_of_another_layout_is_an_error_that_says_what_changed(body, reason):
    with pytest.raises(SourceError, match=reason):
        parse(body)


def test_a_table_of_prices_nobody_knows_is_an_error_and_one_without_prices_is_counted():
    unknown = "\n| Model | Sunday input |\n|---|---|\n| Claude Opus 5 | {} |\n"
    good = table(["Claude Opus 5", *mtok(1, 2, 3, 4, 5)])
    with pytest.raises(SourceError, match="unknown headings 'model, sunday input'"):
        parse(good + unknown.format("$1 / MTok").encode())
    assert parse(good + unknown.format("9 tokens").encode()).unplaced == {"row of a table without prices": 1}


@pytest.mark.parametrize(
    ("words", "ends"),
    [
        ("introductory until December 31, 2026", datetime(2027, 1, 1, tzinfo=UTC)),
        ("promotional pricing through Feb. 28, 2027", datetime(2027, 3, 1, tzinfo=UTC)),
        ("ends 2026-11-30", datetime(2026, 12, 1, tzinfo=UTC)),
        ("introductory", None),
        ("until June 31, 2026", None),
        ("until May 1, 2026, elsewhere until May 8, 2026", None),
    ],
)
def test_a_promotion_ends_after_the_day_it_names_and_says_where_it_names_none(words, ends):
    reading = parse(table(["Claude Opus 5", f"$5 / MTok ({words})", *mtok(6.25, 10, 0.5, 25)]))
    (one,) = (s for s in reading.statements if (s.sku, s.unit) == ("claude-opus-5", "input"))
    assert (str(one.amount), one.effective_until) == ("5", ends)
    assert one.note == words + ("" if ends else ". A limited-time price; its page does not say when it ends.")
    assert {s.effective_until for s in reading.statements if s.unit != "input"} == {None}
    assert reading.unplaced == {}


FAST = "\n### Fast mode pricing\n\n| Model | Input | Output |\n|---|---|---|\n| {} | {} | {} |\n"
STANDARD = [[f"Claude Opus {version}", *mtok(5, 6.25, 10, 0.5, 25)] for version in ("5", "4.8")]


def test_a_row_of_two_models_is_a_price_of_each():
    reading = parse(table(*STANDARD) + FAST.format("Claude Opus 5 / Claude Opus 4.8", *mtok(30, 150)).encode())
    for sku in ("claude-opus-5", "claude-opus-4-8"):
        assert amounts(reading, sku, "fast") == {"input": "30", "output": "150"}
    assert reading.unplaced == {}


@pytest.mark.parametrize("names", ["Claude Opus 5 / Opus 4.8", "Claude Opus 5 / all later models"])
def test_of_a_row_of_two_models_one_that_nobody_knows_is_counted_and_never_guessed(names):
    reading = parse(table(*STANDARD) + FAST.format(names, *mtok(30, 150)).encode())
    assert {s.sku for s in reading.statements if s.service_tier == "fast"} == {"claude-opus-5"}
    assert reading.unplaced == {"model without a declared id": 1}


@pytest.mark.parametrize("mark", ["1", "²", "<sup>3</sup>"])
def test_a_footnotes_mark_after_the_unit_is_no_part_of_the_price(mark):
    reading = parse(table(["Claude Opus 5", f"$0.25 / MTok{mark}", *mtok(1, 2, 3, 4)]))
    assert amounts(reading, "claude-opus-5")["input"] == "0.25"
    assert reading.unplaced == {}


RESIDENT = (
    "For {models} and {word} models, specifying US-only inference {by} the `inference_geo` parameter incurs a 1.1x "
    "multiplier on all token pricing categories, including input tokens. Global routing uses standard pricing."
)
BATCH = "\n| Model | Batch input | Batch output |\n|---|---|---|\n| Claude Opus 5 | $2.50 / MTok | $12.50 / MTok |\n\n"
SEARCH = "Web search is available on the Claude API for **$10 per 1,000 searches**, plus standard token costs.\n"


@pytest.mark.parametrize(
    ("models", "word", "by"),
    [
        ("Claude Opus 4.6", "newer", "via"), ("Claude 4.6", "later", "through"),
        ("Claude Opus 4.6, Claude Sonnet 4.6,", "later", "through"),
        ("Claude Opus 4.7, Claude Opus 4.6,", "newer", "via"),
    ],
)  # fmt: skip
def test_us_only_inference_multiplies_every_token_price_of_the_models_the_sentence_speaks_of(models, word, by):
    rows = [[f"Claude {name}", *mtok(5, 6.25, 10, 0.5, 25)] for name in ("Opus 5", "Sonnet 4.6", "Opus 4.5", "Opus 4")]
    said = BATCH + SEARCH + RESIDENT.format(models=models, word=word, by=by)
    reading = parse(table(*rows) + said.encode())
    there = [s for s in reading.statements if s.region]
    assert {(s.region, s.sku) for s in there} == {("us", "claude-opus-5"), ("us", "claude-sonnet-4-6")}
    assert {(s.service_tier, s.unit): f"{s.amount.normalize():f}" for s in there if s.sku == "claude-opus-5"} == {
        ("standard", "input"): "5.5", ("standard", "cache_write_5m"): "6.875", ("standard", "cache_write_1h"): "11",
        ("standard", "cache_read"): "0.55", ("standard", "output"): "27.5",
        ("batch", "input"): "2.75", ("batch", "output"): "13.75",
    }  # fmt: skip
    assert all("1.1x multiplier on all token pricing categories." in s.note for s in there)
    assert {fact.sku for fact in reading.offerings if fact.region == "us"} == {s.sku for s in there}
    assert "regional multiplier stated in a sentence" not in reading.unplaced


def test_a_multiplier_in_other_words_is_counted_and_never_guessed():
    said = b"\nUS-only inference has a 1.1x multiplier for new models.\n"
    reading = parse(table(["Claude Opus 5", *mtok(5, 6.25, 10, 0.5, 25)]) + said)
    assert not [s for s in reading.statements if s.region]
    assert reading.unplaced == {"regional multiplier stated in a sentence": 1}
