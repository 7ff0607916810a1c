"""What a use costs on other cards: the same as each request priced alone, by the target's caching, tiers and hours."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.cost import CardPrices, Tokens, choose, rate, summed
from pricing.schedules import holds
from tests.usage.offered import MTOK, TODAY, make_card, make_offer, make_use
from usage.advice import Range
from usage.substitution.offers import Candidate, start_of
from usage.substitution.repricing import (
    SAME,
    Assumption,
    Scale,
    Sliced,
    Threshold,
    cheapest_hours,
    cost_of,
    monthly,
    reprice,
)
from usage.token_log import EVERY_HOUR, Slice, Use

NOW = start_of(TODAY)  # a Monday
ONE = Decimal(1)
PEAK = "mon-fri 08:00-18:00 UTC"
HALF = "daily 16:30-20:00 UTC"


def cost(use: Use, offer: Candidate, scale: Scale = SAME, current: Candidate | None = None) -> Range:
    found = reprice(Sliced(use), offer, NOW, scale, current).cost
    assert found is not None
    return found


def exactly(amount: str) -> Range:
    return Range(Decimal(amount), Decimal(amount))


class Request(NamedTuple):
    hour: int
    tokens: Tokens


@st.composite
def requests(draw) -> Request:
    counts = st.integers(0, 300_000)
    written = draw(counts)
    output = draw(counts)
    tokens = Tokens(
        input=draw(counts),
        cache_read=draw(counts),
        cache_write=written,
        output=output,
        reasoning=draw(st.integers(0, output)),
        cache_write_by_lifetime={"5m": draw(st.integers(0, written))},
    )
    return Request(draw(st.integers(0, 167)), tokens)


def use_of(found: list[Request]) -> Use:
    groups = defaultdict(list)
    for one in found:
        groups[one.tokens.prompt, one.hour].append(one.tokens)
    slices = tuple(Slice(*key, len(every), summed(every)) for key, every in groups.items())
    tokens = summed(one.tokens for one in found)
    return Use(1, "standard", tokens, len(found), None, None, slices, len(found))


TARGETS = {
    "plain": make_offer("a", make_card(input="1", output="3", cache_read="0.1", cache_write="1.25")),
    "long prompts": make_offer(
        "b",
        make_card(input="1", output="3", cache_read="0.1"),
        make_card(context_from=200_000, input="2", output="6", cache_read="0.2"),
        make_card(context_from=500_000, context_op=">=", input="5", output="9"),
    ),
    "peak hours": make_offer(
        "c",
        make_card(input="1", output="3", reasoning="2", cache_write_5m="1.25", cache_read="0.1"),
        make_card(schedule=PEAK, input="2", output="6", reasoning="4", cache_write_1h="2.5", cache_read="0.2"),
    ),
    "no cache": make_offer("d", make_card(input="1", output="3")),
}


def as_billed(card: CardPrices, tokens: Tokens) -> Tokens:
    """The tokens as a target bills them, told anew: what it does not cache is input, what it does not time is 5m."""
    units = set(card.prices)
    sent, read, written = tokens.input, tokens.cache_read, tokens.cache_write
    lifetimes: dict[str, int] = dict(tokens.cache_write_by_lifetime)
    if "cache_read" not in units:
        sent, read = sent + read, 0
    timed = sorted(unit.removeprefix("cache_write_") for unit in units if unit.startswith("cache_write_"))
    if not timed and "cache_write" not in units:
        sent, written, lifetimes = sent + written, 0, {}
    elif "cache_write" not in units:
        lifetimes = {timed[0]: written or 0}
    return Tokens(sent, read, written, tokens.output, tokens.reasoning, lifetimes)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@given(found=st.lists(requests(), max_size=8))
def test_the_cost_of_a_use_is_the_sum_of_its_requests_each_priced_alone(
    target: Candidate, found: list[Request]
) -> None:
    cards = {one.key: one.prices for one in target.cards["standard"]}
    total = Decimal(0)
    for one in found:
        moment = NOW + timedelta(hours=one.hour)
        held = frozenset(key.schedule for key in cards if key.schedule and holds(key.schedule, moment, {}))
        key = choose(cards, one.tokens.prompt, moment, held)
        assert key is not None
        card = cards[key]
        total += rate(card, as_billed(card, one.tokens)).amount
    assert cost(use_of(found), target) == Range(total, total)


@given(
    found=st.lists(requests(), min_size=1, max_size=4),
    ends=st.tuples(*(st.decimals("0.2", "5", places=2) for _ in range(4))),
    at=st.tuples(st.decimals(0, 1, places=3), st.decimals(0, 1, places=3)),
    name=st.sampled_from(sorted(TARGETS)),
)
def test_the_range_contains_the_cost_at_every_factor_inside_the_factors_ranges(found, ends, at, name) -> None:
    a, b, c, d = ends
    inputs, outputs = Range(min(a, b), max(a, b)), Range(min(c, d), max(c, d))
    chosen = [one.low + (one.high - one.low) * share for one, share in zip((inputs, outputs), at, strict=True)]
    use, target = use_of(found), TARGETS[name]
    whole = cost(use, target, Scale(inputs, outputs))
    one = cost(use, target, Scale(*(Range(factor, factor) for factor in chosen)))
    assert whole.low <= one.low <= one.high <= whole.high


def test_a_longer_prompt_reaches_the_dearer_context_tier() -> None:
    offer = TARGETS["long prompts"]
    slices = (Slice(150_000, 0, 10, Tokens(input=1_500_000)),)
    use = make_use(input=1_500_000, output=0, slices=slices)
    assert cost(use, offer) == exactly("1.5")
    assert cost(use, offer, Scale(input=Range(Decimal("1.4"), Decimal("1.4")))) == exactly("4.2")  # 210,000 each
    assert cost(use, offer, Scale(input=Range(ONE, Decimal("1.4")))) == Range(Decimal("1.5"), Decimal("4.2"))


@pytest.mark.parametrize(("prompt", "expected"), [(200_000, "1"), (200_001, "2"), (499_999, "2"), (500_000, "5")])
def test_a_context_tier_begins_where_the_vendor_says(prompt: int, expected: str) -> None:
    slices = (Slice(prompt, 0, 1, Tokens(input=MTOK)),)
    assert cost(make_use(input=MTOK, output=0, slices=slices), TARGETS["long prompts"]) == exactly(expected)


def test_two_sizes_on_either_side_of_a_threshold_are_no_slice_of_one_kind() -> None:
    slices = (Slice(499_999, 0, 1, Tokens(input=MTOK)), Slice(500_000, 0, 1, Tokens(input=MTOK)))
    use = make_use(input=2 * MTOK, output=0, slices=slices)
    assert cost(use, TARGETS["long prompts"]) == exactly("7")


def test_a_tier_that_only_factors_between_the_ends_reach_is_in_the_range() -> None:
    offer = make_offer(
        "l",
        make_card(input="1"),
        make_card(context_from=200_000, input="9"),
        make_card(context_from=500_000, input="2"),
    )
    use = make_use(input=MTOK, output=0, slices=(Slice(100_000, 0, 10, Tokens(input=MTOK)),))
    # At six times the prompts cost 12; at almost five times they cost 45, and 54 is above that.
    assert cost(use, offer, Scale(input=Range(ONE, Decimal(6)))) == Range(ONE, Decimal(54))


def test_an_hour_half_inside_a_schedule_may_cost_either() -> None:
    offer = make_offer("e", make_card(input="4"), make_card(schedule=HALF, input="1"))

    def at(hour: int) -> Range:
        return cost(make_use(input=MTOK, output=0, slices=(Slice(0, hour, 1, Tokens(input=MTOK)),)), offer)

    assert [at(15), at(16), at(17), at(20)] == [exactly("4"), Range(ONE, Decimal(4)), exactly("1"), exactly("4")]


def test_where_nobody_knows_the_hour_the_cost_has_both_prices_and_says_so() -> None:
    offer = make_offer("e", make_card(input="4"), make_card(schedule=HALF, input="1"))
    found = reprice(Sliced(make_use(input=MTOK, output=0)), offer, NOW)
    assert found.cost == Range(ONE, Decimal(4))
    assert found.assumed == {Assumption.HOURS_UNKNOWN}


def test_a_target_without_a_cache_is_sent_everything_and_that_is_said() -> None:
    use = make_use(input=MTOK, output=0, cache_read=8 * MTOK, cache_write=MTOK)
    found = reprice(Sliced(use), TARGETS["no cache"], NOW)
    assert (found.cost, found.assumed) == (exactly("10"), {Assumption.UNCACHED})
    assert found.by_unit["cache_read"].cost == 8
    assert found.by_unit["cache_read"].price == 1


def test_where_it_is_nothing_is_assumed_of_its_caching() -> None:
    use = make_use(input=MTOK, output=0, cache_read=MTOK)
    found = cost_of(Sliced(use), TARGETS["no cache"], NOW)
    assert (found.cost, found.unpriced) == (None, ("cache_read",))


def test_a_target_that_caches_by_itself_bills_writes_as_input() -> None:
    offer = make_offer("f", make_card(input="2", cache_read="0.5"))
    found = reprice(Sliced(make_use(input=0, output=0, cache_read=MTOK, cache_write=MTOK)), offer, NOW)
    assert (found.cost, found.assumed) == (exactly("2.5"), {Assumption.WRITES_AS_INPUT})


def test_a_target_that_prices_lifetimes_bills_the_stated_one_else_its_shortest() -> None:
    offer = make_offer("g", make_card(input="1", cache_read="0.1", cache_write_5m="1.25", cache_write_1h="2"))

    def of(**lifetimes: int) -> Range:
        use = make_use(input=0, output=0, cache_write=MTOK, cache_write_by_lifetime=lifetimes)
        return cost(use, offer)

    assert [of(**{"1h": MTOK}), of(**{"5m": MTOK}), of(**{"30m": MTOK}), of()] == [
        exactly("2"),
        exactly("1.25"),
        exactly("1.25"),
        exactly("1.25"),
    ]


def test_what_a_target_would_have_to_write_is_between_nothing_and_all_where_the_log_cannot_say() -> None:
    current = make_offer("h", make_card(input="2", cache_read="0.2"))
    target = make_offer("g", make_card(input="1", cache_read="0.1", cache_write_5m="1.25"))
    use = make_use(input=4 * MTOK, output=0, cache_read=10 * MTOK)
    found = reprice(Sliced(use), target, NOW, current=current)
    assert found.cost == Range(Decimal(5), Decimal(6))
    assert found.assumed == {Assumption.WRITES_UNKNOWN}
    writes = make_offer("i", make_card(input="2", cache_read="0.2", cache_write="2.5"))
    assert cost(use, target, current=writes) == exactly("5")


def test_a_price_in_another_currency_is_converted_and_unknown_without_a_rate() -> None:
    card = make_card(input="7", currency="CNY")
    use = make_use(input=MTOK, output=0)
    known = make_offer("j", card, rates={"USD": ONE, "CNY": Decimal("0.14")})
    assert cost(use, known) == exactly("0.98")
    found = reprice(Sliced(use), make_offer("j", card), NOW)
    assert (found.cost, found.unpriced) == (None, ("CNY (no exchange rate)",))


def test_what_is_announced_holds_from_its_moment_on() -> None:
    begins = datetime(2026, 12, 1, tzinfo=UTC)
    offer = make_offer("k", make_card(input="1", until=begins), make_card(input="2", since=begins))
    sliced = Sliced(make_use(input=MTOK, output=0))
    assert [reprice(sliced, offer, at).cost for at in (begins - timedelta(microseconds=1), begins)] == [
        exactly("1"),
        exactly("2"),
    ]


def test_the_cheapest_hours_are_those_in_which_all_of_it_costs_least() -> None:
    found = cheapest_hours(Sliced(make_use(input=MTOK, output=0)), TARGETS["peak hours"], NOW)
    assert found is not None
    assert (found[0].cost, found[1]) == (exactly("1"), f"outside {PEAK}")
    assert cheapest_hours(Sliced(make_use()), TARGETS["plain"], NOW) is None


def test_a_month_is_a_twelfth_of_a_year() -> None:
    assert monthly(Decimal(30), 30) == Decimal("30.4375")
    assert monthly(Decimal(7), 7) == Decimal("30.4375")


def test_slices_are_summed_as_coarsely_as_the_cards_allow_and_lose_nothing() -> None:
    sizes, hours = (0, 10, 20, 30), (0, 9, 33, EVERY_HOUR)
    slices = tuple(Slice(size, hour, 1, Tokens(input=1)) for size in sizes for hour in hours)
    sliced = Sliced(make_use(input=16, output=0, slices=slices))
    past_20, peak = frozenset({Threshold(20, ">")}), frozenset({PEAK})
    wide = Range(Decimal("0.9"), Decimal("1.4"))  # 20 may be 28 and pass
    assert [len(sliced.by(*one)) for one in ((), (past_20,), (past_20, wide), (past_20, wide, peak))] == [1, 3, 4, 12]
    for found in (sliced.by(), sliced.by(past_20), sliced.by(past_20, wide, peak), sliced.by(schedules=peak)):
        assert sum(one.tokens.input for one in found) == sum(one.requests for one in found) == 16
