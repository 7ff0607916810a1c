"""Accepted prices as rate cards, and what tokens cost on them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.cost import CardKey, CardPrices, Tokens, choose, rate
from pricing.ratecards import PriceFact, layout

START = datetime(2026, 1, 1, tzinfo=UTC)
CUT = datetime(2026, 6, 1, tzinfo=UTC)
PEAK = "daily 01:00-04:00 UTC"


def fact(pk: int, unit: str, amount: str, **changes: object) -> PriceFact:
    values: dict[str, object] = {
        "id": pk, "unit": unit, "service_tier": "standard", "context_from": 0, "context_op": "", "schedule": "",
        "amount": Decimal(amount), "per": 1_000_000, "currency": "USD", "effective_from": START,
        "effective_until": None,
    }  # fmt: skip
    return PriceFact(**(values | changes))  # type: ignore[arg-type]


def cards(*facts: PriceFact) -> dict[tuple[object, ...], dict[str, str]]:
    """(tier, context, schedule, start) → USD per Mtok by unit."""
    return {
        (c.service_tier, c.context_from, c.schedule, c.effective_from): {
            unit: f"{(amount * 1_000_000).normalize():f}" for unit, amount in c.prices
        }
        for c in layout(facts)
    }


def test_a_card_holds_until_any_of_its_prices_changes():
    laid = cards(
        fact(1, "input", "5", effective_until=CUT), fact(2, "input", "4", effective_from=CUT), fact(3, "output", "20")
    )
    assert laid == {
        ("standard", 0, "", START): {"input": "5", "output": "20"},
        ("standard", 0, "", CUT): {"input": "4", "output": "20"},
    }


def test_a_context_tier_has_the_base_price_of_what_it_does_not_state_and_a_service_tier_has_none():
    long, batch = {"context_from": 200_000, "context_op": ">"}, {"service_tier": "batch"}
    laid = cards(
        fact(1, "input", "3"), fact(2, "output", "15"), fact(3, "cache_read", "0.3"), fact(4, "input", "6", **long),
        fact(5, "input", "1.5", **batch), fact(6, "output", "3", schedule=PEAK),
    )  # fmt: skip
    assert laid["standard", 200_000, "", START] == {"input": "6", "output": "15", "cache_read": "0.3"}
    assert laid["batch", 0, "", START] == {"input": "1.5"}
    assert laid["standard", 0, PEAK, START] == {"input": "3", "output": "3", "cache_read": "0.3"}


def test_of_two_readings_of_one_threshold_the_narrower_holds_in_whatever_order_they_came():
    base, tier = fact(1, "input", "3"), {"context_from": 200_000}
    said = [fact(2, "input", "6", context_op=">", **tier), fact(3, "output", "9", context_op=">=", **tier)]
    for order in (said, said[::-1]):
        assert [card.context_op for card in layout([base, *order])] == ["", ">"]


def test_a_cache_write_of_a_lifetime_is_unknown_where_long_prompts_have_an_input_price_and_no_such_write():
    """It is a multiple of the input price: the base price would be 6 beside an input price of 6, and 12 is asked."""
    long = {"context_from": 200_000, "context_op": ">"}
    base = [fact(1, "input", "3"), fact(2, "cache_write_5m", "3.75"), fact(3, "cache_write_1h", "6")]
    laid = cards(*base, fact(4, "input", "6", **long), fact(5, "cache_write_5m", "7.5", **long))
    assert laid["standard", 200_000, "", START] == {"input": "6", "cache_write_5m": "7.5"}
    laid = cards(*base, fact(4, "output", "22.5", **long))
    assert laid["standard", 200_000, "", START]["cache_write_1h"] == "6"


def test_a_tier_that_says_nothing_of_long_prompts_has_no_price_for_them_where_the_standard_tier_has_one_apart():
    long, fast = {"context_from": 272_000, "context_op": ">"}, {"service_tier": "fast"}
    base = [
        fact(1, "input", "5"),
        fact(2, "output", "30"),
        fact(3, "input", "10", **fast),
        fact(4, "output", "60", **fast),
    ]
    assert ("fast", 272_000, "", START) not in cards(*base)
    laid = cards(*base, fact(5, "input", "10", effective_from=CUT, **long))
    assert laid["fast", 0, "", START] == {"input": "10", "output": "60"}
    assert laid["fast", 272_000, "", CUT] == {}
    stated = cards(*base, fact(5, "input", "10", **long), fact(6, "input", "20", **long, **fast))
    assert stated["fast", 272_000, "", START] == {"input": "20", "output": "60"}


def test_a_tier_without_an_input_or_output_price_does_not_exist():
    laid = cards(fact(1, "input", "3"), fact(2, "cache_read", "0.1", service_tier="flex"))
    assert {tier for tier, *_ in laid} == {"standard"}


def test_a_time_nobody_prices_has_no_card():
    laid = layout([fact(1, "input", "3", effective_until=CUT)])
    assert [(c.effective_from, c.effective_until) for c in laid] == [(START, CUT)]


CARD = CardPrices(
    "USD", {"input": Decimal("0.000003"), "output": Decimal("0.000015"), "cache_write_5m": Decimal("0.00000375")}
)


def test_any_tokens_whose_price_is_unknown_make_the_whole_cost_unknown():
    cost = rate(CARD, Tokens(input=10, cache_read=1, output=1))
    assert (cost.amount, cost.unknown) == (None, ("cache_read",))
    assert rate(CARD, Tokens(input=10, cache_read=0, output=1)).amount == Decimal("0.000045")


def test_a_lifetime_the_vendor_does_not_price_is_unknown_beside_one_it_does():
    tokens = Tokens(cache_write=10, cache_write_by_lifetime={"1h": 10})
    assert rate(CARD, tokens).unknown == ("cache_write_1h",)
    flat = CardPrices("USD", {"cache_write": Decimal("0.000005")})
    assert rate(flat, tokens).amount == Decimal("0.00005")


def test_reasoning_is_output_unless_the_vendor_prices_it_apart():
    tokens = Tokens(output=10, reasoning=4)
    assert rate(CARD, tokens).amount == Decimal("0.00015")
    apart = CardPrices("USD", {"output": Decimal("0.000015"), "reasoning": Decimal("0.00001")})
    assert rate(apart, tokens).amount == Decimal("0.00013")


def test_the_sum_is_rounded_once_half_away_from_zero():
    card = CardPrices("USD", {"input": Decimal("0.0000000000005"), "output": Decimal("0.0000000000004")})
    assert rate(card, Tokens(input=1)).amount == Decimal("0.000000000001")
    assert rate(card, Tokens(input=1, output=1)).amount == Decimal("0.000000000001")
    assert rate(card, Tokens(output=1)).amount == 0


@given(
    counts=st.tuples(*[st.integers(0, 10**9)] * 3),
    prices=st.tuples(*[st.decimals(0, 1, places=18, allow_nan=False, allow_infinity=False)] * 3),
)
def test_a_cost_is_exact_to_the_last_digit(counts, prices):
    card = CardPrices("USD", dict(zip(("input", "output", "cache_read"), prices, strict=True)))
    tokens = Tokens(input=counts[0], output=counts[1], cache_read=counts[2])
    exact = sum(Fraction(count) * Fraction(price) for count, price in zip(counts, prices, strict=True))
    rounded = (exact * 10**12 + Fraction(1, 2)).__floor__()
    assert rate(card, tokens).amount == Decimal(rounded).scaleb(-12)


@pytest.mark.parametrize(
    "wrong",
    [
        {"input": -1},
        {"cache_write": 1, "cache_write_by_lifetime": {"5m": 2}},
        {"output": 1, "reasoning": 2},
        {"cache_write": 3, "cache_write_by_lifetime": {"5m": -1}},
    ],
)
def test_counts_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=r"negative|exceed"):
        Tokens(**wrong)


def key(pk: int, **changes: object) -> CardKey:
    values: dict[str, object] = {
        "id": pk, "context_from": 0, "context_op": "", "schedule": "", "effective_from": START, "effective_until": None,
    }  # fmt: skip
    return CardKey(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prompt", "op", "chosen"), [(199_999, ">", 1), (200_000, ">", 1), (200_001, ">", 2), (200_000, ">=", 2)]
)
def test_a_context_tier_begins_where_its_operator_says(prompt, op, chosen):
    found = choose([key(1), key(2, context_from=200_000, context_op=op)], prompt, CUT, frozenset())
    assert found is not None
    assert found.id == chosen


def test_a_segment_includes_its_start_and_not_its_end():
    both = [key(1, effective_until=CUT), key(2, effective_from=CUT)]
    tick = timedelta(microseconds=1)
    for when, chosen in ((CUT - tick, 1), (CUT, 2), (CUT + tick, 2)):
        found = choose(both, 1, when, frozenset())
        assert found is not None
        assert found.id == chosen
    assert choose(both, 1, START - tick, frozenset()) is None


def test_the_specific_schedule_beats_always():
    both = [key(1), key(2, schedule=PEAK)]
    inside, outside = choose(both, 1, CUT, frozenset({PEAK})), choose(both, 1, CUT, frozenset())
    assert inside is not None
    assert outside is not None
    assert (inside.id, outside.id) == (2, 1)
