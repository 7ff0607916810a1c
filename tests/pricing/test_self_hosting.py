"""Renting GPUs against buying tokens: the published case, where both cost the same, whole GPUs, what moves what."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.self_hosting import (
    Plan,
    api_price,
    at_volume,
    break_even_utilisation,
    break_even_volume,
    curve,
    rounded,
    sensitivity,
)

REFERENCE = Plan(D("3.02"), D("6070"), D("5595"))
"""Llama-3.1-8B on one H100 in August 2024."""
GRAIN = D("1e-12")


def amounts(low: str, high: str, places: int = 4) -> st.SearchStrategy[D]:
    return st.decimals(low, high, places=places)


plans = st.builds(
    Plan,
    usd_per_gpu_hour=amounts("0.01", "99"), input_per_second=amounts("0", "50000"),
    output_per_second=amounts("1", "50000"), gpus=st.integers(1, 16), copies=st.integers(1, 9),
    idle_hours=amounts("0", "700"), usd_per_month=amounts("0", "90000"),
)  # fmt: skip
prices = amounts("0.0001", "900")
loads = amounts("0.0001", "1")


def test_the_published_case_costs_what_was_published_and_buying_won() -> None:
    usd = REFERENCE.usd_per_mtok()
    assert usd is not None
    assert usd.quantize(D("0.001")) == D("0.072")
    api = api_price(REFERENCE, {"input": D("0.055"), "output": D("0.055")})
    assert api == D("0.055")
    assert usd > api
    even = break_even_utilisation(REFERENCE, api)
    assert even is not None
    assert even.quantize(D("0.001")) == D("1.308")
    assert break_even_volume(REFERENCE, api) is None


def test_the_exact_cost_is_the_hours_over_the_tokens_of_an_hour() -> None:
    assert REFERENCE.usd_per_mtok() == rounded(Fraction("3.02") * 1_000_000 / (3600 * 11_665))
    assert REFERENCE.usd_per_mtok(D("0.5")) == rounded(Fraction("3.02") * 2_000_000 / (3600 * 11_665))


def test_without_a_token_there_is_no_price_of_one() -> None:
    assert REFERENCE.usd_per_mtok(D(0)) is None


def test_an_unknown_price_gives_no_break_even_and_neither_does_a_free_one() -> None:
    assert api_price(REFERENCE, {"input": D("0.055"), "output": None}) is None
    for api in (None, D(0)):
        assert break_even_utilisation(REFERENCE, api) is None
        assert break_even_volume(REFERENCE, api) is None


def test_an_api_is_blended_by_the_tokens_of_the_run() -> None:
    plan = Plan(D(1), D(300), D(100))
    assert api_price(plan, {"input": D(1), "output": D(5)}) == D(2)


def test_a_half_used_gpu_is_paid_in_full() -> None:
    full = REFERENCE.tokens_a_month()
    just, above = at_volume(REFERENCE, full), at_volume(REFERENCE, full + 1)
    assert (just.plan.copies, just.utilisation) == (1, D(1))
    assert above.plan.copies == 2
    assert above.usd == just.usd * 2
    assert above.utilisation.quantize(D("0.01")) == D("0.5")
    assert at_volume(REFERENCE, D(1)).usd == just.usd == D("3.02") * 730


def test_headroom_needs_more_gpus() -> None:
    assert at_volume(REFERENCE, REFERENCE.tokens_a_month(), most=D("0.5")).plan.copies == 2


def test_what_comes_on_top_is_earned_back_by_more_copies_or_never() -> None:
    cheap = Plan(D(1), D(500), D(500), usd_per_month=D(10_000))
    even = break_even_volume(cheap, D(1))
    # A copy costs 730 and serves 2,628 Mtok, which the API sells for 2,628: it earns 1,898 a month.
    assert even is not None
    assert even.copies == 6
    assert even.tokens == D(6 * 730 + 10_000) * 1_000_000
    assert break_even_volume(replace(cheap, usd_per_gpu_hour=D(4)), D(1)) is None


def test_nothing_is_rented_by_halves_or_at_less_than_nothing() -> None:
    for fault in (
        {"gpus": 0}, {"copies": 0}, {"usd_per_gpu_hour": D(-1)}, {"usd_per_month": D(-1)}, {"idle_hours": D(730)},
        {"idle_hours": D(-1)}, {"input_per_second": D(0), "output_per_second": D(0)}, {"input_per_second": D(-1)},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"give|are from"):
            replace(REFERENCE, **fault)  # type: ignore[arg-type]


def test_the_sensitivity_moves_one_assumption_at_a_time() -> None:
    rate, speed, load = sensitivity(REFERENCE, D("0.8"), D("0.055"))
    usd = REFERENCE.usd_per_mtok(D("0.8"))
    assert usd is not None
    assert (rate.low, rate.high) == (D("2.265"), D("3.775"))
    assert rate.usd_at_low == pytest.approx(usd * D("0.75"), abs=GRAIN)
    assert speed.usd_at_high == pytest.approx(usd / D("1.25"), abs=GRAIN)
    assert (load.low, load.high, load.usd_at_high) == (D("0.6"), D(1), REFERENCE.usd_per_mtok())
    assert load.even_at_low == load.even_at_high == break_even_utilisation(REFERENCE, D("0.055"))


@given(plan=plans, one=loads, two=loads)
def test_the_more_it_is_used_the_less_a_token_costs(plan: Plan, one: D, two: D) -> None:
    low, high = sorted((one, two))
    at_low, at_high = plan.usd_per_mtok(low), plan.usd_per_mtok(high)
    assert at_low is not None
    assert at_high is not None
    assert at_low >= at_high
    assert [usd for _, usd in curve(plan, [low, high])] == [at_low, at_high]


@given(plan=plans, api=prices)
def test_at_the_break_even_both_cost_the_same(plan: Plan, api: D) -> None:
    even = break_even_utilisation(plan, api)
    assert even is not None
    usd = plan._usd * 1_000_000 / (plan._tokens * Fraction(even)) if even else None
    if usd is not None:
        # The utilisation is rounded at 1e-12, which moves the cost by that share of it.
        assert abs(usd / Fraction(api) - 1) <= Fraction(1, 10**12) / Fraction(even)


@given(plan=plans)
def test_twice_the_copies_halve_the_use_of_the_same_tokens(plan: Plan) -> None:
    tokens = plan.tokens_a_month(D("0.5"))
    double = replace(plan, copies=plan.copies * 2)
    assert double.tokens_a_month(D("0.25")) == tokens
    assert double._usd_of_gpus == 2 * plan._usd_of_gpus


@given(plan=plans, load=loads)
def test_twice_the_gpus_of_a_copy_at_the_same_speed_double_what_they_cost_a_token(plan: Plan, load: D) -> None:
    bare = replace(plan, usd_per_month=D(0))
    one, two = bare.usd_per_mtok(load), replace(bare, gpus=bare.gpus * 2).usd_per_mtok(load)
    assert one is not None
    assert two is not None
    assert abs(two - 2 * one) <= 2 * GRAIN


@given(plan=plans, load=loads)
def test_twice_the_throughput_halves_what_a_token_costs(plan: Plan, load: D) -> None:
    fast = replace(plan, input_per_second=plan.input_per_second * 2, output_per_second=plan.output_per_second * 2)
    one, two = plan.usd_per_mtok(load), fast.usd_per_mtok(load)
    assert one is not None
    assert two is not None
    assert abs(one - 2 * two) <= 2 * GRAIN


@given(plan=plans, api=prices, most=amounts("0.05", "1", places=2))
def test_from_the_break_even_volume_on_renting_costs_no_more_and_just_below_it_does(
    plan: Plan, api: D, most: D
) -> None:
    even = break_even_volume(plan, api, most)
    if even is None:
        one = at_volume(plan, replace(plan, copies=1).tokens_a_month(most).quantize(D(1)) // 1 or D(1), most)
        assert one.usd_per_mtok >= api or plan.usd_per_month
        return
    above = at_volume(plan, even.tokens + D("1e-6"), most)
    assert above.plan.copies in {even.copies, even.copies + 1}  # a break-even at the very edge of a copy
    if above.plan.copies == even.copies:
        assert above.usd_per_mtok <= api + GRAIN
    below = even.tokens * D("0.999")
    if below > 0:
        assert at_volume(plan, below, most).usd_per_mtok > api - GRAIN


@given(plan=plans, tokens=amounts("1", "9e12", places=0), most=amounts("0.05", "1", places=2))
def test_a_volume_gets_the_fewest_copies_that_serve_it(plan: Plan, tokens: D, most: D) -> None:
    served = at_volume(plan, tokens, most)
    assert served.utilisation <= most
    if served.plan.copies > 1:
        fewer = replace(served.plan, copies=served.plan.copies - 1)
        assert fewer._tokens * Fraction(most) < tokens
