"""Constructed truths: each candidate with the verdict it must get and the reason that must be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.noninferiority import Difference, Verdict
from tests.usage.offered import MTOK, TODAY, make_card, make_offer, make_rating, make_setting, make_use
from usage.advice import Range, Reason
from usage.substitution.factors import Counted, TokenCounts
from usage.substitution.needs import Needs
from usage.substitution.offers import Candidate, Rated, start_of
from usage.substitution.quality import Own, Rating, Scores
from usage.substitution.repricing import Scale, Sliced, reprice
from usage.substitution.weighing import saving_of, weigh

SOL = make_offer("sol", make_card(input="4", output="20", cache_read="0.4"))
FLASH = make_offer("flash", make_card(input="0.75", output="3.75", cache_read="0.075"), provider="google")
EQUAL: dict[str | Rated, Rating] = {"sol": make_rating(1480), "flash": make_rating(1482)}


def counted(
    model: str = "flash", *, input: str = "1", output: str = "1", n: int = 400, current: str = "sol"
) -> TokenCounts:
    """Own items on which a model took so many times the tokens, every item alike: an interval without width."""
    ones = [
        Counted(unit, "claims", n, *_sums(n, Decimal(times))) for unit, times in (("input", input), ("output", output))
    ]
    return TokenCounts(own={(Rated(current), Rated(model)): ones})


def _sums(n: int, times: Decimal) -> tuple[Decimal, ...]:
    each = Decimal(100)
    return (n * each, n * each * times, n * each**2, n * (each * times) ** 2, n * each * each * times)


def month(amount: str) -> Decimal:
    """An amount of 30 days as one of a month."""
    return (Decimal(amount) * Decimal("30.4375") / 30).quantize(Decimal("1e-12"))


def test_an_equal_candidate_that_costs_less_is_recommended_with_what_it_saves() -> None:
    (move,) = weigh(make_use(), SOL, [FLASH], make_setting(EQUAL, counts=counted())).recommendations
    assert (move.current, move.candidate, move.verdict) == (SOL.side, FLASH.side, Verdict.EQUAL)
    assert move.paying == month("3000")  # 400 × 4 + 70 × 20
    assert move.saving == Range(month("2437.50"), month("2437.50"))  # less 400 × 0.75 + 70 × 3.75
    assert "Equal by Arena coding: +2.0 points" in move.why


def test_a_tokenizer_that_makes_1_4_times_as_many_tokens_saves_that_much_less() -> None:
    (move,) = weigh(make_use(), SOL, [FLASH], make_setting(EQUAL, counts=counted(input="1.4"))).recommendations
    assert move.saving == Range(month("2317.50"), month("2317.50"))  # 1.4 × 300 of input
    dear = make_offer("flash", make_card(input="3", output="19"), provider="google")
    (refused,) = weigh(make_use(), SOL, [dear], make_setting(EQUAL, counts=counted(input="1.4"))).refused
    assert refused.reason is Reason.NOT_CHEAPER  # 1,680 + 1,330 where 3,000 is paid, though both prices are lower
    assert "1.40 times" in refused.why
    assert refused.saving == Range(month("-10"), month("-10"))


def test_a_candidate_that_writes_twice_as_much_at_half_the_price_saves_nothing() -> None:
    half = make_offer("flash", make_card(input="4", output="10"), provider="google")
    (refused,) = weigh(make_use(), SOL, [half], make_setting(EQUAL, counts=counted(output="2"))).refused
    assert (refused.reason, refused.saving) == (Reason.NOT_CHEAPER, Range(Decimal(0), Decimal(0)))


def test_a_candidate_nobody_counted_tokens_of_has_a_wide_range_that_says_so() -> None:
    (move,) = weigh(make_use(), SOL, [FLASH], make_setting(EQUAL)).recommendations
    assert move.saving == Range(month("994.8750"), month("2799.75"))  # 1.95 × 300 + 5.41 × 262.5, .51 and .18
    assert [one.assumed for one in move.factors] == [True, True]


def test_a_margin_is_met_or_missed_by_a_hair() -> None:
    # Two intervals of ± 5 points of 95 %: the difference has a standard error of 3.608, its 90 % interval reaches 5.934
    # down, and −9.066 is the least difference that clears a margin of 15.
    met, missed = ({"sol": make_rating(1480), "flash": make_rating(value)} for value in (1470.94, 1470.93))
    assert weigh(make_use(), SOL, [FLASH], make_setting(met)).recommendations[0].verdict is Verdict.EQUAL
    (refused,) = weigh(make_use(), SOL, [FLASH], make_setting(missed)).refused
    assert refused.reason is Reason.NOT_ENOUGH
    assert refused.items
    assert "would settle it" in refused.why


@pytest.mark.parametrize("votes", [50, 499])
def test_too_few_votes_are_no_evidence_however_good_they_look(votes: int) -> None:
    ratings = {**EQUAL, "flash": make_rating(1600, votes=votes)}
    (refused,) = weigh(make_use(), SOL, [FLASH], make_setting(ratings)).refused
    assert (refused.reason, refused.items) == (Reason.NOT_ENOUGH, 500)
    assert f"{votes} votes" in refused.why


def test_500_votes_are_enough() -> None:
    ratings = {**EQUAL, "flash": make_rating(1600, votes=500)}
    assert weigh(make_use(), SOL, [FLASH], make_setting(ratings)).recommendations[0].verdict is Verdict.BETTER


def test_a_worse_candidate_is_worse_whatever_it_saves() -> None:
    (refused,) = weigh(make_use(), SOL, [FLASH], make_setting({**EQUAL, "flash": make_rating(1400)})).refused
    assert refused.reason is Reason.WORSE


def test_an_effort_without_a_score_of_its_own_borrows_none() -> None:
    ratings = {Rated("sol", "high"): make_rating(1480), Rated("flash", "max"): make_rating(1482)}
    setting = make_setting(ratings)
    (refused,) = weigh(make_use(), SOL.at(effort="low"), [FLASH], setting).refused
    assert refused.reason is Reason.NO_EVIDENCE
    assert "sol" in refused.why
    (move,) = weigh(make_use(), SOL.at(effort="high"), [FLASH], setting).recommendations
    assert move.candidate.effort == "max"


def test_who_resells_what_its_maker_sells_is_weighed_where_it_is_known_or_named() -> None:
    resold = replace(FLASH, side=replace(FLASH.side, provider="reseller"), is_resold=True)
    (refused,) = weigh(make_use(), SOL, [resold], make_setting(EQUAL)).refused
    assert refused.reason is Reason.PROVIDER
    assert "name it" in refused.why
    named = make_setting(EQUAL, needs=Needs(allowed=frozenset({"reseller"})))
    known = make_setting(EQUAL, providers=frozenset({"reseller"}))
    for setting in (named, known):
        assert weigh(make_use(), SOL, [resold], setting).recommendations
    cloud = replace(resold, side=replace(resold.side, provider="bedrock"))
    assert weigh(make_use(), SOL, [cloud], make_setting(EQUAL)).recommendations


def test_where_nobody_states_the_effort_in_use_a_candidate_is_held_against_the_best_of_them() -> None:
    rated: dict[str | Rated, Rating] = {Rated("sol", "low"): make_rating(1440), Rated("sol", "high"): make_rating(1480)}
    (move,) = weigh(make_use(), SOL, [FLASH], make_setting({**rated, "flash": make_rating(1482)})).recommendations
    assert "taken at its best rated effort, high" in move.why
    assert move.current.effort == ""
    (refused,) = weigh(make_use(), SOL, [FLASH], make_setting({**rated, "flash": make_rating(1441)})).refused
    assert refused.reason is Reason.WORSE


def test_a_trait_that_nobody_states_is_shown_by_an_own_evaluation_and_by_no_public_rating() -> None:
    tools = Needs(traits=frozenset({"tools"}))
    own = {(Rated("sol"), Rated("flash")): [Own("claims", Difference(0.0, 0.006, -0.01, 0.01, 480, is_paired=True))]}
    by_own, by_arena = make_setting(needs=tools, scores=Scores(own=own)), make_setting(EQUAL, needs=tools)
    (move,) = weigh(make_use(), SOL, [FLASH], by_own).recommendations
    assert move.cautions[0].title == "No source speaks of a need"
    assert "tools" in move.cautions[0].text
    (refused,) = weigh(make_use(), SOL, [FLASH], by_arena).refused
    assert refused.reason is Reason.UNKNOWN
    lacking = replace(FLASH, capabilities=frozenset({"reasoning"}))
    (refused,) = weigh(make_use(), SOL, [lacking], by_own).refused
    assert refused.reason is Reason.TOOLS


def test_a_candidate_rated_at_two_efforts_is_two_candidates() -> None:
    ratings = {
        "sol": make_rating(1480),
        Rated("flash", "low"): make_rating(1400),
        Rated("flash", "max"): make_rating(1490),
    }
    found = weigh(make_use(), SOL, [FLASH], make_setting(ratings))
    assert [one.candidate.effort for one in found.recommendations] == ["max"]
    assert [(one.candidate.effort, one.reason) for one in found.refused] == [("low", Reason.WORSE)]


def test_a_candidate_that_retires_in_30_days_is_refused() -> None:
    soon = make_offer("flash", *FLASH.cards["standard"], provider="google", retires_on=TODAY + timedelta(days=30))
    setting = make_setting(EQUAL, needs=Needs(horizon_days=90))
    (refused,) = weigh(make_use(), SOL, [soon], setting).refused
    assert refused.reason is Reason.RETIRES
    assert refused.why == "It retires on 16 December 2026, in 30 days; the project asks for 90."


def test_a_free_preview_is_refused_as_both() -> None:
    card = make_card(input="0", output="0")
    preview = make_offer("flash", card, provider="google", is_preview=True)
    assert weigh(make_use(), SOL, [preview], make_setting(EQUAL)).refused[0].reason is Reason.PREVIEW
    free = make_offer("flash", card, provider="google")
    assert weigh(make_use(), SOL, [free], make_setting(EQUAL)).refused[0].reason is Reason.FREE


def test_an_unpriced_model_is_refused_and_saves_nothing_that_is_known() -> None:
    for offer in (make_offer("flash"), make_offer("flash", make_card(input="1"))):
        (refused,) = weigh(make_use(), SOL, [offer], make_setting(EQUAL)).refused
        assert (refused.reason, refused.saving) == (Reason.UNPRICED, None)


def test_a_context_window_below_the_long_prompts_is_refused() -> None:
    short = make_offer("flash", *FLASH.cards["standard"], provider="google", context_window=131_072)
    setting = make_setting(EQUAL)
    assert weigh(make_use(p99=109_226), SOL, [short], setting).recommendations  # × 1.2 is 131,071.2
    (refused,) = weigh(make_use(p99=109_227), SOL, [short], setting).refused
    assert refused.reason is Reason.CONTEXT
    assert "131,072 tokens" in refused.why


def test_a_candidate_whose_every_price_is_lower_costs_more_where_it_has_no_cache() -> None:
    use = make_use(cache_read=4_000 * MTOK)
    bare = make_offer("flash", make_card(input="1", output="5"), provider="google")
    (refused,) = weigh(use, SOL, [bare], make_setting(EQUAL, counts=counted())).refused
    assert refused.reason is Reason.NOT_CHEAPER
    assert refused.saving == Range(month("-150"), month("-150"))  # 4,400 + 350 where 1,600 + 1,600 + 1,400 is paid
    assert refused.why == (
        "Its prices of input and output are lower, and the same tokens would cost $152.19 a month more. With input "
        "1.00 times and output 1.00 times (measured on 400 of your own items (claims)), it is −$152.19. It has no "
        "price for cached input, so what is read from a cache today is counted in full."
    )
    cached = make_offer("flash", make_card(input="1", output="5", cache_read="0.1"), provider="google")
    assert weigh(use, SOL, [cached], make_setting(EQUAL, counts=counted())).recommendations


def test_a_promotion_that_ends_stands_in_the_steps_and_refuses_where_it_eats_the_saving_soon() -> None:
    ends = datetime(2027, 1, 1, tzinfo=UTC)
    intro = make_card(input="0.75", output="3.75", until=ends)
    twice = make_offer("flash", intro, make_card(input="1.5", output="7.5", since=ends), provider="google")
    setting = make_setting(EQUAL, counts=counted())
    (move,) = weigh(make_use(), SOL, [twice], setting).recommendations
    assert [(step.on, step.saving.low) for step in move.steps] == [
        (TODAY, month("2437.50")),
        (date(2027, 1, 1), month("1875")),
    ]
    assert move.cautions[0].title == "A price changes on 1 January 2027"
    tenfold = make_offer("flash", intro, make_card(input="7.5", output="37.5", since=ends), provider="google")
    (refused,) = weigh(make_use(), SOL, [tenfold], setting).refused
    assert refused.reason is Reason.NOT_CHEAPER
    assert "from 1 January 2027 on" in refused.why


def test_a_discount_that_no_card_knows_of_counts_against_the_move() -> None:
    setting = make_setting(EQUAL, counts=counted())
    (move,) = weigh(make_use(spent="1000"), SOL, [FLASH], setting).recommendations
    assert move.saving.low == month("437.50")
    assert any(one.title == "You pay less than the price list says" for one in move.cautions)


def test_a_range_that_reaches_below_zero_is_refused_with_the_range() -> None:
    half = make_offer("flash", make_card(input="2", output="10"), provider="google")
    (refused,) = weigh(make_use(), SOL, [half], make_setting(EQUAL)).refused
    # 1.95 × 800 + 5.41 × 700 is 5,347; 0.51 × 800 + 0.18 × 700 is 534.
    assert (refused.reason, refused.saving) == (Reason.NOT_CHEAPER, Range(month("-2347"), month("2466")))
    assert "By its prices alone it would save $1,522 a month." in refused.why
    assert "it is −$2,381 to $2,502." in refused.why
    assert refused.why.endswith("An evaluation of your own that counts the tokens of both would narrow that.")


def test_an_announced_price_of_the_model_in_use_counts_with_the_discount_that_is_had_today() -> None:
    falls = datetime(2027, 3, 1, tzinfo=UTC)
    now = make_offer(
        "sol", make_card(input="4", output="20", until=falls), make_card(input="2", output="10", since=falls)
    )
    (move,) = weigh(make_use(spent="2400"), now, [FLASH], make_setting(EQUAL, counts=counted())).recommendations
    assert [(step.on, step.saving.low) for step in move.steps] == [
        (TODAY, month("1837.5")),
        (date(2027, 3, 1), month("637.5")),  # 0.8 of 1,500, as 0.8 of 3,000 is paid today, less 562.5
    ]


def test_a_price_that_begins_now_is_not_announced() -> None:
    begins = datetime(2026, 11, 16, tzinfo=UTC)
    offer = make_offer("x", make_card(input="1", until=begins), make_card(input="2", since=begins))
    assert offer.changes_after(begins, begins + timedelta(days=9)) == ()
    assert offer.changes_after(begins - timedelta(days=1), begins) == (begins,)


def test_a_floor_is_met_by_the_lower_end_of_the_rating() -> None:
    assert weigh(make_use(), SOL, [FLASH], make_setting(EQUAL, floor="1477")).recommendations
    (refused,) = weigh(make_use(), SOL, [FLASH], make_setting(EQUAL, floor="1477.0100")).refused
    assert refused.reason is Reason.FLOOR
    assert refused.why.endswith(" is 1477; the project asks for 1477.01 at least.")


def test_what_is_dearest_for_certain_comes_first() -> None:
    other = make_offer("other", make_card(input="1", output="5"), provider="xai")
    ratings = {**EQUAL, "other": make_rating(1480)}
    counts = TokenCounts(own={**counted().own, **counted("other").own})
    found = weigh(make_use(), SOL, [other, FLASH], make_setting(ratings, counts=counts)).recommendations
    assert [one.candidate.model for one in found] == ["flash", "other"]


def test_nothing_is_advised_of_what_nobody_knows_the_cost_of() -> None:
    found = weigh(make_use(), make_offer("sol"), [FLASH], make_setting(scores=Scores()))
    assert (found.recommendations, found.refused) == ((), ())


def test_a_candidate_that_costs_more_needs_no_reason() -> None:
    dear = make_offer("flash", make_card(input="40", output="200"), provider="google")
    found = weigh(make_use(input=MTOK), SOL, [dear], make_setting(EQUAL, counts=counted()))
    assert (found.recommendations, found.refused) == ((), ())


def sold_by(*prices: str, **traits: Any) -> list[Candidate]:
    """Flash at one seller for each price of input; output is five times that."""
    return [
        make_offer(
            "flash", make_card(input=price, output=str(5 * Decimal(price))), provider=f"seller-{price}", **traits
        )
        for price in prices
    ]


def test_of_a_good_model_the_cheapest_sellers_are_weighed_and_of_another_one_the_cheapest_alone() -> None:
    offers = sold_by("0.9", "0.5", "0.8", "0.6", "0.7", "1")
    good = weigh(make_use(), SOL, offers, make_setting(EQUAL, counts=counted()))
    assert [one.candidate.provider for one in good.recommendations] == [f"seller-0.{n}" for n in (5, 6, 7, 8)]
    bad = weigh(make_use(), SOL, offers, make_setting({**EQUAL, "flash": make_rating(1400)}, counts=counted()))
    assert [one.candidate.provider for one in bad.refused] == ["seller-0.5"]


def test_a_seller_without_a_price_is_told_only_where_nobody_states_one() -> None:
    silent = make_offer("flash", provider="openrouter")
    found = weigh(make_use(), SOL, [FLASH, silent], make_setting(EQUAL, counts=counted()))
    assert (len(found.recommendations), found.refused) == (1, ())
    worse = make_setting({**EQUAL, "flash": make_rating(1400)})
    assert weigh(make_use(), SOL, [silent], worse).refused == ()


def test_what_is_worse_or_not_known_to_be_good_is_told_before_what_else_is_missing() -> None:
    needs = Needs(context=10**6)
    worse = make_setting({**EQUAL, "flash": make_rating(1400)}, needs=needs)
    assert weigh(make_use(), SOL, [FLASH], worse).refused[0].reason is Reason.WORSE
    unknown = make_setting({"sol": make_rating(1480)}, needs=needs)
    assert weigh(make_use(), SOL, [FLASH], unknown).refused[0].reason is Reason.NO_EVIDENCE
    assert weigh(make_use(), SOL, [FLASH], make_setting(EQUAL, needs=needs)).refused[0].reason is Reason.CONTEXT


def test_both_factors_of_one_evidence_are_one_caution() -> None:
    (move,) = weigh(make_use(), SOL, [FLASH], make_setting(EQUAL)).recommendations
    (caution,) = [one for one in move.cautions if "more" in one.title]
    assert caution.title == "It may count and write more"
    assert caution.text.startswith("Input 0.51 to 1.95 times and output 0.18 to 5.41 times as many tokens: assumed")


def test_of_the_sellers_that_the_work_cannot_use_the_cheapest_is_told_for_each_reason() -> None:
    needs = Needs(denied=frozenset({"seller-0.1", "seller-0.2"}))
    offers = [*sold_by("0.1", "0.2", "0.5", "0.6", "0.7", "0.8", "0.9"), *sold_by("0.3", "0.4", is_preview=True)]
    found = weigh(make_use(), SOL, offers, make_setting(EQUAL, needs=needs, counts=counted()))
    assert [one.candidate.provider for one in found.recommendations] == [f"seller-0.{n}" for n in (5, 6, 7, 8)]
    assert [(one.candidate.provider, one.reason) for one in found.refused] == [
        ("seller-0.1", Reason.PROVIDER),
        ("seller-0.3", Reason.PREVIEW),
    ]


def test_the_efforts_of_a_candidate_are_those_of_ratings_and_of_own_comparisons_with_the_model_in_use() -> None:
    scores = Scores(
        arena={Rated("flash", "max"): make_rating(1)},
        own={(Rated("sol"), Rated("flash", "low")): (), (Rated("other"), Rated("flash", "high")): ()},
    )
    assert scores.efforts_by_model(Rated("sol")) == {"flash": {"low", "max"}}
    assert scores.efforts("flash", Rated("sol")) == ("low", "max")


def test_the_model_in_use_at_another_effort_is_a_candidate_that_counts_alike_and_writes_less() -> None:
    ratings = {Rated("sol", "high"): make_rating(1480), Rated("sol", "low"): make_rating(1478)}
    high, low = Rated("sol", "high"), Rated("sol", "low")
    runs = TokenCounts(own={(high, low): [Counted("output", "claims", 400, *_sums(400, Decimal("0.3")))]})
    (move,) = weigh(make_use(), SOL.at(effort="high"), [FLASH], make_setting(ratings, counts=runs)).recommendations
    assert (move.candidate.model, move.candidate.effort) == ("sol", "low")
    assert move.saving == Range(month("980"), month("980"))  # 0.7 of 1,400 for output
    assert [change.what for change in move.changes] == ["effort"]


def test_a_batch_that_an_id_names_is_for_work_that_waits() -> None:
    batch = make_offer("flash", *FLASH.cards["standard"], provider="openrouter", sku="google/flash:batch")
    assert weigh(make_use(), SOL, [batch], make_setting(EQUAL, counts=counted())).recommendations == ()
    waits = make_offer("sol", tiers={"batch": [make_card(input="2", output="10")]})
    setting = make_setting(EQUAL, counts=counted())
    assert weigh(make_use(tier="batch"), waits, [batch], setting).recommendations[0].candidate.sku.endswith(":batch")


def test_what_is_used_at_a_tier_is_weighed_at_that_tier_and_at_the_standard_one_where_there_is_none() -> None:
    waits = make_offer("sol", tiers={"batch": [make_card(input="2", output="10")]})
    both = make_offer("flash", *FLASH.cards["standard"], tiers={"batch": [make_card(input="0.4", output="2")]})
    setting = make_setting(EQUAL, counts=counted())
    for offer, tier, saved in ((both, "batch", "1200"), (FLASH, "standard", "937.5")):
        (move,) = weigh(make_use(tier="batch"), waits, [offer], setting).recommendations
        assert (move.candidate.service_tier, move.saving.low) == (tier, month(saved))


@given(
    paid=st.decimals("0.5", "20", places=2),
    prices=st.tuples(st.decimals("0.1", "5", places=2), st.decimals("0.1", "20", places=2)),
    counted_at=st.tuples(*(st.decimals("0.3", "3", places=2) for _ in range(2))),
)
def test_what_is_recommended_saves_something_and_what_it_says_it_saves(paid, prices, counted_at) -> None:
    now = make_offer("sol", make_card(input=str(paid), output=str(paid)))
    then = make_offer("flash", make_card(input=str(prices[0]), output=str(prices[1])), provider="google")
    counts = counted(input=str(counted_at[0]), output=str(counted_at[1]))
    found = weigh(make_use(), now, [then], make_setting(EQUAL, counts=counts))
    saved = 470 * paid - 400 * prices[0] * counted_at[0] - 70 * prices[1] * counted_at[1]
    moves = [one.saving.low for one in found.recommendations]
    assert (moves == [month(str(saved))]) if saved > 0 else not moves


@given(
    ends=st.tuples(*(st.decimals("0.2", "5", places=2) for _ in range(4))),
    at=st.tuples(st.decimals(0, 1, places=3), st.decimals(0, 1, places=3)),
)
def test_the_saving_contains_what_is_saved_at_every_factor_inside_the_factors(ends, at) -> None:
    inputs, outputs = (Range(min(pair), max(pair)) for pair in (ends[:2], ends[2:]))
    sliced, paying = Sliced(make_use()), Decimal(3000)
    saving = saving_of(paying, reprice(sliced, FLASH, start_of(TODAY), Scale(inputs, outputs)), 30)
    f, g = (one.low + (one.high - one.low) * share for one, share in zip((inputs, outputs), at, strict=True))
    truth = month(str(paying - f * 300 - g * Decimal("262.5")))
    assert saving.low <= truth <= saving.high
