"""What a move changes and what could go wrong with it, in the words that a reader gets."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from pricing.cost import Tokens
from tests.usage.offered import MTOK, TODAY, make_card, make_offer, make_setting, make_use
from usage.advice import Caution, Change, CostLine, Range, Side, Step
from usage.substitution.describing import cautions, changes, cost_lines
from usage.substitution.offers import Candidate, start_of
from usage.substitution.repricing import Sliced, cost_of, reprice
from usage.substitution.setting import baseline
from usage.substitution.wording import day, money, named, span, times, tokens
from usage.token_log import Use

NOW = start_of(TODAY)
SOL = make_offer(
    "sol", make_card(input="4", output="20", cache_read="0.4"), context_window=400_000,
    capabilities=frozenset({"tools"}), modalities=frozenset({"text_in"}),
)  # fmt: skip


def told(offer: Candidate, use: Use | None = None, current: Candidate = SOL, **more: Any) -> dict[str, Caution]:
    setting = make_setting(**more)
    base = baseline(use or make_use(), current, TODAY)
    assert base is not None
    priced = reprice(base.sliced, offer, NOW, current=current)
    steps = (Step(TODAY, Range(Decimal(9), Decimal(9))),)
    return {one.title: one for one in cautions(base, offer, setting, priced, steps, ())}


def test_what_changes_is_told_and_what_stays_is_not() -> None:
    card = make_card(input="5", output="25", cache_read="0.5", cache_write_5m="6.25", cache_write_1h="10")
    opus = make_offer(
        "opus", card, provider="anthropic", effort="high", context_window=1_000_000, max_output=128_000,
        capabilities=frozenset({"tools", "prompt_caching"}), modalities=frozenset({"text_in"}),
    )  # fmt: skip
    assert changes(SOL, opus, NOW) == (
        Change("model id", "openai: sol", "anthropic: opus"),
        Change("effort", "not stated", "high"),
        Change("context window", "400,000 tokens", "1 million tokens"),
        Change("longest answer", "not known", "128,000 tokens"),
        Change("caching", "read 0.4 per Mtok, no price of writes", "read 0.5, write 1h 10, 5m 6.25 per Mtok"),
        Change("tools and more", "tools", "prompt caching, tools"),
    )
    assert changes(SOL, SOL, NOW) == ()


def test_cost_lines_are_the_logs_units_in_the_order_of_a_bill_with_both_prices() -> None:
    use = Use(1, "standard", Tokens(MTOK, 2 * MTOK, 0, 3 * MTOK), 10, None, None)
    bare = make_offer("flash", make_card(input="1", output="5"))
    lines = cost_lines(cost_of(Sliced(use), SOL, NOW), reprice(Sliced(use), bare, NOW))
    assert lines == (
        CostLine("input", MTOK, Decimal(4), Decimal(4), Decimal(1), Decimal(1)),
        CostLine("cache_read", 2 * MTOK, Decimal("0.4"), Decimal("0.8"), Decimal(1), Decimal(2)),
        CostLine("output", 3 * MTOK, Decimal(20), Decimal(60), Decimal(5), Decimal(15)),
    )


def test_a_price_nobody_knows_is_unknown_in_the_lines() -> None:
    use = make_use(input=MTOK, output=MTOK)
    silent = make_offer("flash", make_card(input="1"))
    lines = cost_lines(cost_of(Sliced(use), SOL, NOW), reprice(Sliced(use), silent, NOW))
    assert (lines[1].unit, lines[1].candidate_price, lines[1].candidate_cost) == ("output", None, None)


@pytest.mark.parametrize(
    ("title", "offer", "is_told"),
    [
        ("New vendor for this project", {"provider": "xai"}, True),
        ("New vendor for this project", {"provider": "google"}, False),
        ("New vendor for this project", {"provider": "openai"}, False),
        ("Not sold by its maker", {"provider": "xai", "maker": "google"}, True),
        ("Not sold by its maker", {"provider": "xai", "maker": "google", "open_weights": True}, False),
        ("Not sold by its maker", {"provider": "xai"}, False),
        ("Quantisation not stated", {"provider": "xai", "maker": "meta", "open_weights": True}, True),
        ("Quantisation not stated", {"maker": "meta", "open_weights": True, "quantisation": "bf16"}, False),
        ("It runs elsewhere", {"region": "us"}, True),
        ("It runs elsewhere", {"region": ""}, False),
        ("A shorter context window", {"context_window": 200_000}, True),
        ("A shorter context window", {"context_window": 400_000}, False),
    ],
)
def test_what_is_different_about_a_seller_is_a_caution(title: str, offer: dict[str, Any], is_told: bool) -> None:
    card = make_card(input="1", output="5", cache_read="0.1")
    assert (title in told(make_offer("flash", card, **offer), providers=frozenset({"google"}))) is is_told


def test_windows_that_read_alike_are_no_caution() -> None:
    here, there = (
        make_offer(name, make_card(input="1", output="5"), context_window=size)
        for name, size in (("sol", 1_048_576), ("flash", 1_000_000))
    )
    assert "A shorter context window" not in told(there, current=here)
    assert "A shorter context window" in told(replace(there, context_window=900_000), current=here)


def test_the_longest_prompts_are_told_where_they_do_not_fit() -> None:
    short = make_offer("flash", make_card(input="1", output="5"), context_window=100_000)
    found = told(short, make_use(longest=150_000))["The longest prompts do not fit"]
    assert found.text == "The longest prompt of the sample had 150,000 tokens; it takes 100,000 tokens."


def test_a_tier_that_the_candidate_does_not_sell_is_told_where_it_answers_slower() -> None:
    fast = make_offer("sol", tiers={"fast": [make_card(input="8", output="40")]}).at("fast")
    plain = make_offer("flash", make_card(input="1", output="5"))
    assert "It may answer slower" in told(plain, make_use(tier="fast"), fast)
    batch = make_offer("sol", tiers={"batch": [make_card(input="2", output="10")]}).at("batch")
    assert "It may answer slower" not in told(plain, make_use(tier="batch"), batch)


def test_doubts_come_before_what_only_differs_and_latency_is_never_measured() -> None:
    bare = make_offer("flash", make_card(input="1", output="5"), provider="xai", region="us")
    found = [*told(bare, make_use(cache_read=MTOK)).values()]
    assert [one.tone for one in found] == sorted((one.tone for one in found), key=("dear", "doubt", "").index)
    assert found[0].title == "No price for cached input"
    assert found[-1] == Caution("", "Not checked", "Latency: no measurement of your own.")


def test_amounts_read_as_on_pages() -> None:
    amounts = [Decimal(text) for text in ("0.004", "999.994", "1000", "-11253.5", "11253.49")]
    assert [money(one, "USD") for one in amounts] == ["$0.00", "$999.99", "$1,000", "−$11,254", "$11,253"]
    assert money(Decimal(5), "SEK") == "SEK 5.00"
    assert span(Range(Decimal(-5), Decimal(7400)), "EUR") == "−€5.00 to €7,400"
    assert span(Range(Decimal("7.001"), Decimal("7.002")), "EUR") == "€7.00"
    assert [times(Decimal(1), Decimal(1)), times(Decimal("0.935"), Decimal("1.355"))] == [
        "1.00 times",
        "0.94 to 1.36 times",
    ]
    assert [tokens(999_999), tokens(1_000_000), tokens(1_048_576)] == [
        "999,999 tokens",
        "1 million tokens",
        "1 million tokens",
    ]
    assert day(TODAY) == "16 November 2026"
    side = Side(1, "sol", "Sol", "azure", "Azure", "sol", "eu", "batch", "high")
    assert named(side) == "Sol at Azure, eu, high effort, batch"
