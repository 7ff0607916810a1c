"""Moves that keep the weights: what each saves on the token log, and what stands against it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pricing.cost import Tokens
from pricing.noninferiority import Verdict
from tests.usage.offered import MTOK, TODAY, make_card, make_offer, make_setting, make_use
from tests.usage.test_substitution import month
from usage.advice import Kind, Range, Reason, Recommendation
from usage.same_weights import moves
from usage.substitution.needs import Needs
from usage.token_log import Slice, Use

HERE = make_offer("llama", make_card(input="1", output="2"), provider="together", open_weights=True)
CHEAPER = make_card(input="0.5", output="1")


def test_the_same_weights_at_a_cheaper_seller_are_equal_and_save_what_the_prices_say() -> None:
    there = make_offer("llama", CHEAPER, provider="deepinfra", maker="meta", open_weights=True)
    (move,) = moves(make_use(), HERE, [there, HERE], make_setting()).recommendations
    assert (move.kind, move.verdict) == (Kind.SELLER, Verdict.EQUAL)
    assert move.saving == Range(month("270"), month("270"))  # half of 400 + 140
    assert [one.title for one in move.cautions if "uantisation" in one.title] == ["Quantisation not stated"]


def test_the_same_weights_in_a_region_that_is_not_allowed_are_refused_and_so_is_a_region_nobody_states() -> None:
    setting = make_setting(needs=Needs(regions=frozenset({"eu"})))
    there = [make_offer("llama", CHEAPER, provider="deepinfra", region=region) for region in ("us", "")]
    found = moves(make_use(), HERE, there, setting)
    assert not found.recommendations
    assert {one.candidate.region: one.reason for one in found.refused} == {"us": Reason.REGION, "": Reason.UNKNOWN}


def test_a_contract_that_is_held_already_is_a_commitment() -> None:
    there = make_offer("llama", CHEAPER, provider="azure", is_contracted=True)
    assert moves(make_use(), HERE, [there], make_setting()).recommendations[0].kind is Kind.COMMITMENT


def test_batch_saves_from_nothing_to_all_and_never_outranks_what_is_certain() -> None:
    here = make_offer("llama", *HERE.cards["standard"], tiers={"batch": [make_card(input="0.1", output="0.2")]})
    there = make_offer("llama", make_card(input="0.9", output="1.9"), provider="deepinfra")
    found = moves(make_use(), here, [there], make_setting()).recommendations
    assert [one.kind for one in found] == [Kind.SELLER, Kind.BATCH]
    assert found[1].saving == Range(Decimal(0), month("486"))
    assert found[1].candidate.service_tier == "batch"


def test_what_is_batch_already_is_not_moved_to_batch() -> None:
    here = make_offer("llama", *HERE.cards["standard"], tiers={"batch": [CHEAPER], "flex": [CHEAPER]})
    assert moves(make_use(tier="batch"), here, [], make_setting()).recommendations == ()


def test_flex_is_told_with_what_it_costs_in_latency() -> None:
    here = make_offer("llama", *HERE.cards["standard"], tiers={"flex": [CHEAPER]})
    (move,) = moves(make_use(), here, [], make_setting()).recommendations
    assert (move.kind, move.saving) == (Kind.FLEX, Range(Decimal(0), month("270")))
    assert "https://developers.openai.com" in move.cautions[0].text


def test_a_batch_that_an_id_names_is_no_cheaper_seller_of_what_cannot_wait() -> None:
    there = make_offer("llama", CHEAPER, provider="openrouter", sku="meta/llama:batch")
    assert moves(make_use(), HERE, [there], make_setting()).recommendations == ()
    here = make_offer("llama", make_card(input="1", output="2"), tiers={"batch": [make_card(input="1", output="2")]})
    assert moves(make_use(tier="batch"), here, [there], make_setting()).recommendations[0].kind is Kind.SELLER


def test_a_seller_that_costs_more_is_not_told_and_one_without_a_price_is_refused() -> None:
    dear = make_offer("llama", make_card(input="2", output="4"), provider="azure")
    silent = make_offer("llama", provider="bedrock")
    found = moves(make_use(), HERE, [dear, silent], make_setting())
    assert [(one.candidate.provider, one.reason) for one in found.refused] == [("bedrock", Reason.UNPRICED)]


def test_a_free_offer_a_preview_and_one_that_retires_are_refused() -> None:
    free = make_offer("llama", make_card(input="0", output="0"), provider="openrouter")
    preview = make_offer("llama", CHEAPER, provider="groq", is_preview=True)
    leaving = make_offer("llama", CHEAPER, provider="azure", retires_on=TODAY + timedelta(days=30))
    found = moves(make_use(), HERE, [free, preview, leaving], make_setting(needs=Needs(horizon_days=90)))
    assert {one.candidate.provider: one.reason for one in found.refused} == {
        "openrouter": Reason.FREE,
        "groq": Reason.PREVIEW,
        "azure": Reason.RETIRES,
    }


def test_a_seller_whose_price_ends_soon_without_another_is_refused() -> None:
    ends = datetime(2026, 12, 24, tzinfo=UTC)
    there = make_offer("llama", make_card(input="0.5", output="1", until=ends), provider="azure")
    (refused,) = moves(make_use(), HERE, [there], make_setting()).refused
    assert refused.why == "Its price ends on 24 December 2026, and what follows is not announced."


def test_another_quantisation_is_told() -> None:
    here = make_offer("llama", make_card(input="1", output="2"), quantisation="bf16")
    there = make_offer("llama", CHEAPER, provider="deepinfra", quantisation="fp4")
    (move,) = moves(make_use(), here, [there], make_setting()).recommendations
    assert move.cautions[0].text.startswith("fp4 where it is bf16 today")


def test_off_peak_saves_what_is_asked_in_dear_hours_and_nothing_of_the_rest() -> None:
    peak = "mon-fri 08:00-18:00 UTC"
    here = make_offer("v4", make_card(input="1", output="2"), make_card(schedule=peak, input="2", output="4"))
    slices = (Slice(100, 9, 10, Tokens(input=10 * MTOK)), Slice(100, 20, 10, Tokens(input=30 * MTOK)))
    use = make_use(input=40 * MTOK, output=0, slices=slices)
    (move,) = moves(use, here, [], make_setting()).recommendations
    assert (move.kind, move.paying, move.saving) == (Kind.OFF_PEAK, month("50"), Range(Decimal(0), month("10")))
    assert f"outside {peak}" in move.why


CLAUDE = make_offer("opus", make_card(
    input="5", output="25", cache_read="0.5", cache_write_5m="6.25", cache_write_1h="10",
))  # fmt: skip


def hourly(prompt: int, requests: int, **counts: Any) -> Use:
    """Requests of Monday nine o'clock, of four weeks."""
    tokens = Tokens(**counts)
    slices = (Slice(prompt, 9, requests, tokens),)
    return make_use(input=tokens.input or 0, output=0, slices=slices, requests=requests, **{
        name: value for name, value in counts.items() if name not in ("input", "output")
    })  # fmt: skip


def only(use: Use, kind: Kind) -> Recommendation | None:
    found = moves(use, CLAUDE, [], make_setting(days=28)).recommendations
    return next((one for one in found if one.kind is kind), None)


def four_weeks(amount: str) -> Decimal:
    return (Decimal(amount) * Decimal("30.4375") / 28).quantize(Decimal("1e-12"))


def test_an_hours_cache_saves_from_what_dearer_writes_cost_to_what_repeated_ones_do() -> None:
    use = hourly(20_000, 400, cache_write=4 * MTOK, cache_write_by_lifetime={"5m": 4 * MTOK}, cache_read=4 * MTOK)
    move = only(use, Kind.CACHE_LIFETIME)
    assert move is not None
    # Lost: 4 × 3.75. Gained: 396 of 400 writes become reads, 3.96 × (10 − 0.5) − 15.
    assert move.saving == Range(-four_weeks("15"), four_weeks("22.62"))
    assert "more than 39% of the writes" in move.cautions[0].text
    assert "at most 99% can" in move.cautions[0].text


def test_an_hours_cache_is_not_told_where_writes_can_hardly_repeat() -> None:
    # Eight requests in four hours of Monday nine o'clock: half of the writes repeat at most, 39 in 100 must.
    use = hourly(20_000, 8, cache_write=4 * MTOK, cache_write_by_lifetime={"5m": 4 * MTOK})
    assert only(use, Kind.CACHE_LIFETIME) is None


def test_a_shared_prefix_saves_from_nothing_to_all_that_prompts_of_a_size_can_share() -> None:
    use = hourly(10_000, 400, input=4 * MTOK)
    move = only(use, Kind.CACHED_PREFIX)
    assert move is not None
    half = only(replace(use, spent=Decimal(10)), Kind.CACHED_PREFIX)  # of 20 at list price
    assert half is not None
    assert abs(half.saving.high * 2 - move.saving.high) <= Decimal("1e-12")
    # 8,192 tokens of each at most: 396 read for 4.5 less, 4 written for 1.25 more.
    assert move.saving == Range(Decimal(0), four_weeks("14.557184"))
    assert only(hourly(10_000, 48, input=480_000), Kind.CACHED_PREFIX) is None  # twelve an hour: a gap of 5 minutes
    assert only(hourly(1_000, 400, input=400_000), Kind.CACHED_PREFIX) is None  # too short for any cache


def test_what_is_cached_already_is_not_shared_twice() -> None:
    use = hourly(10_000, 400, input=800_000, cache_read=3_200_000)
    move = only(use, Kind.CACHED_PREFIX)
    assert move is not None
    assert move.saving.high == four_weeks("0.341184")  # 192 tokens of each are left below 8,192


def test_a_discount_counts_against_every_move() -> None:
    there = make_offer("llama", CHEAPER, provider="deepinfra")
    (move,) = moves(make_use(spent="500"), HERE, [there], make_setting()).recommendations
    assert move.saving == Range(month("230"), month("230"))


def test_nothing_is_moved_of_what_nobody_knows_the_cost_of() -> None:
    there = make_offer("llama", CHEAPER, provider="deepinfra")
    found = moves(make_use(), make_offer("llama", make_card(output="1")), [there], make_setting())
    assert (found.recommendations, found.refused) == ((), ())


# What is announced, and what is never recommended unasked, holds for moves at the same seller, too

SOON = datetime(2026, 11, 18, tzinfo=UTC)
PEAK = "mon-fri 08:00-18:00 UTC"


def at_tier(*cards: Any, kind: Kind = Kind.BATCH) -> Any:
    return make_offer("llama", *HERE.cards["standard"], tiers={kind.value: cards})


@pytest.mark.parametrize("kind", [Kind.BATCH, Kind.FLEX])
def test_a_tier_whose_price_ends_soon_is_refused(kind: Kind) -> None:
    found = moves(make_use(), at_tier(make_card(input="0.5", output="1", until=SOON), kind=kind), [], make_setting())
    assert found.recommendations == ()
    assert [(one.reason, one.candidate.service_tier, one.why) for one in found.refused] == [
        (Reason.UNPRICED, kind.value, "Its price ends on 18 November 2026, and what follows is not announced.")
    ]


def test_a_tier_whose_announced_price_eats_the_saving_is_refused_and_one_that_lessens_it_is_told() -> None:
    today = make_card(input="0.5", output="1", until=SOON)
    eaten = at_tier(today, make_card(input="1", output="2", since=SOON))
    (refused,) = moves(make_use(), eaten, [], make_setting()).refused
    assert refused.reason is Reason.NOT_CHEAPER
    assert "from 18 November 2026 on" in refused.why
    less = at_tier(today, make_card(input="0.75", output="1.5", since=SOON))
    (move,) = moves(make_use(), less, [], make_setting()).recommendations
    assert [(step.on, step.saving) for step in move.steps] == [
        (TODAY, Range(Decimal(0), month("270"))),
        (SOON.date(), Range(Decimal(0), month("135"))),
    ]
    assert [one.title for one in move.cautions] == [
        "A price changes on 18 November 2026", "Answers come within 24 hours",
    ]  # fmt: skip


def test_a_free_tier_is_refused_unless_somebody_asks_for_free_ones() -> None:
    here = at_tier(make_card(input="0", output="0"))
    found = moves(make_use(), here, [], make_setting())
    assert (found.recommendations, [one.reason for one in found.refused]) == ((), [Reason.FREE])
    assert moves(make_use(), here, [], make_setting(wants_free=True)).recommendations[0].kind is Kind.BATCH


def test_a_tier_of_what_the_project_does_not_buy_is_refused_and_what_nobody_states_is_shown_by_its_use() -> None:
    here = at_tier(CHEAPER)
    denied = make_setting(needs=Needs(denied=frozenset({"openai"}), traits=frozenset({"tools"})))
    assert [one.reason for one in moves(make_use(), here, [], denied).refused] == [Reason.PROVIDER]
    silent = make_setting(needs=Needs(traits=frozenset({"tools"}), regions=frozenset({"eu"})))
    assert moves(make_use(), here, [], silent).recommendations[0].kind is Kind.BATCH


def test_cheap_hours_that_are_announced_to_end_are_refused() -> None:
    plain = make_card(input="1", output="2")
    slices = (Slice(100, 9, 10, Tokens(input=10 * MTOK)), Slice(100, 20, 10, Tokens(input=30 * MTOK)))
    use = make_use(input=40 * MTOK, output=0, slices=slices)
    ends = make_offer("v4", plain, make_card(schedule=PEAK, input="2", output="4", until=SOON))
    found = moves(use, ends, [], make_setting())
    assert (found.recommendations, [one.reason for one in found.refused]) == ((), [Reason.NOT_CHEAPER])


def test_a_longer_cache_whose_announced_price_loses_is_refused() -> None:
    use = hourly(20_000, 400, cache_write=4 * MTOK, cache_write_by_lifetime={"5m": 4 * MTOK}, cache_read=4 * MTOK)
    common = {"input": "5", "output": "25", "cache_read": "0.5", "cache_write_5m": "6.25"}
    here = make_offer(
        "opus",
        make_card(**common, cache_write_1h="10", until=SOON),
        make_card(**common, cache_write_1h="90", since=SOON),
    )
    found = moves(use, here, [], make_setting(days=28))
    assert Kind.CACHE_LIFETIME not in [one.kind for one in found.recommendations]
    assert [one.reason for one in found.refused] == [Reason.NOT_CHEAPER]
