"""Non-inferiority: differences equal a brute force, verdicts are what was constructed, and so is what settles them."""

from __future__ import annotations

import random
import statistics
from dataclasses import replace
from math import inf, sqrt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.constant_quality import student
from pricing.noninferiority import (
    ARENA_VOTES,
    Difference,
    Estimate,
    Verdict,
    critical,
    estimate,
    independent,
    items_to_settle,
    judge,
    of_interval,
    paired,
    paired_of_sums,
)

scores = st.floats(0, 1).map(lambda one: round(one, 6))
pairs = st.lists(st.tuples(scores, scores), min_size=2, max_size=60)


def sides(found: list[tuple[float, float]]) -> tuple[dict[str, float], dict[str, float]]:
    return {f"{n}": a for n, (a, _) in enumerate(found)}, {f"{n}": b for n, (_, b) in enumerate(found)}


def made(value: float, se: float, n: int = 400) -> Difference:
    """A difference with these ends, as judge takes it."""
    reach = critical(n - 1) * se
    return Difference(value, se, value - reach, value + reach, n, is_paired=True, per_item=se * sqrt(n), floor=1.0)


@given(pairs)
def test_a_paired_difference_equals_the_textbook_of_its_differences(found):
    differences = [b - a for a, b in found]
    got = paired(*sides(found))
    assert got is not None
    se = max(statistics.stdev(differences) / sqrt(len(found)), 1 / (len(found) + 2))
    assert got.value == pytest.approx(statistics.fmean(differences), abs=1e-9)
    assert got.se == pytest.approx(se, abs=1e-7)
    reach = student.critical(0.9, len(found) - 1) * se
    assert (got.low, got.high) == pytest.approx((got.value - reach, got.value + reach), abs=1e-6)


@given(pairs, st.randoms())
def test_the_order_of_items_is_irrelevant(found, chance):
    current, candidate = sides(found)
    shuffled = list(current.items())
    chance.shuffle(shuffled)
    one, other = paired(current, candidate), paired(dict(shuffled), candidate)
    assert one is not None
    assert other is not None
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-9)


@given(pairs)
def test_exchanging_the_two_models_turns_the_interval_round(found):
    there, back = paired(*sides(found)), paired(*reversed(sides(found)))
    assert there is not None
    assert back is not None
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-9)


@given(pairs)
def test_only_items_that_both_answered_count(found):
    current, candidate = sides(found)
    assert paired(current | {"mine": 1.0}, candidate | {"yours": 0.0}) == paired(current, candidate)


def test_fewer_than_two_common_items_are_no_pair():
    assert paired({"a": 1.0, "b": 0.0}, {"a": 1.0, "c": 1.0}) is None
    assert paired_of_sums(1, 1.0, 1.0) is None


def test_items_that_all_tie_are_not_certainty():
    """An all-tie of 20 items has a standard error of 1/22: within 0.03 it says nothing yet, of 100 items it does."""
    few, many = (paired_of_sums(n, 0.0, 0.0) for n in (20, 100))
    assert few is not None
    assert many is not None
    assert few.se == pytest.approx(1 / 22)
    assert judge(few, 0.03).verdict is Verdict.NOT_ENOUGH
    assert judge(many, 0.03).verdict is Verdict.EQUAL
    wanted = judge(few, 0.03).items
    assert wanted is not None
    for n, verdict in ((wanted - 1, Verdict.NOT_ENOUGH), (wanted, Verdict.EQUAL)):
        again = paired_of_sums(n, 0.0, 0.0)
        assert again is not None
        assert judge(again, 0.03).verdict is verdict, n


@pytest.mark.parametrize(
    ("value", "se", "verdict"),
    [
        (0.05, 0.02, Verdict.BETTER),
        (0.0, 0.01, Verdict.EQUAL),
        (0.02, 0.02, Verdict.EQUAL),
        (-0.02, 0.005, Verdict.EQUAL),  # surely a little worse, and surely by less than the margin
        (-0.10, 0.02, Verdict.WORSE),
        (-0.01, 0.02, Verdict.NOT_ENOUGH),
        (-0.04, 0.02, Verdict.NOT_ENOUGH),
    ],
)
def test_the_verdict_is_where_the_interval_lies(value, se, verdict):
    assert judge(made(value, se), 0.03).verdict is verdict


def test_a_candidate_that_fails_the_margin_by_a_hair_is_not_equal():
    at = made(0.0, 0.02)
    margin = -at.low
    assert judge(at, margin).verdict is Verdict.NOT_ENOUGH
    assert judge(at, margin + 1e-12).verdict is Verdict.EQUAL
    assert judge(replace(at, low=at.low - 1e-12), margin).verdict is Verdict.NOT_ENOUGH
    above = replace(at, low=0.0, high=0.1)
    assert judge(above, 0).verdict is Verdict.NOT_ENOUGH
    assert judge(replace(above, low=1e-12), 0).verdict is Verdict.BETTER
    below = replace(at, low=-0.2, high=-margin)
    assert judge(below, margin).verdict is Verdict.NOT_ENOUGH
    assert judge(replace(below, high=-margin - 1e-12), margin).verdict is Verdict.WORSE
    with pytest.raises(ValueError, match="0 or more"):
        judge(at, -0.01)


def test_the_number_of_items_that_settles_it_does():
    """Of 200 pairs 30 are won and 33 lost: −1.5 points. So many pairs like these are equal, one fewer is not."""
    got = paired_of_sums(200, -3.0, 63.0)
    assert got is not None
    found = judge(got, 0.03)
    assert found.verdict is Verdict.NOT_ENOUGH
    assert found.items is not None
    assert found.items > 200
    for n, verdict in ((found.items, Verdict.EQUAL), (found.items - 1, Verdict.NOT_ENOUGH)):
        # The same mean and the same sample variance on n pairs.
        total = got.value * n
        squares = (n - 1) * (got.per_item or 0) ** 2 + total * total / n
        more = paired_of_sums(n, total, squares)
        assert more is not None
        assert judge(more, 0.03).verdict is verdict, n


def test_no_number_settles_a_difference_on_the_margin_or_of_unknown_size():
    assert items_to_settle(made(-0.03, 0.02), 0.03) is None
    assert items_to_settle(made(-0.03 + 1e-9, 0.02), 0.03) is None  # beyond a thousand million
    assert items_to_settle(independent(Estimate(0.7, 0.02), Estimate(0.7, 0.02, 500)), 0.03) is None


@given(pairs, pairs)
def test_an_unpaired_difference_has_the_standard_errors_of_both(mine, yours):
    a, b = estimate(one for one, _ in mine), estimate(one for _, one in yours)
    got, back = independent(a, b), independent(b, a)
    assert got.se == pytest.approx(sqrt(a.se**2 + b.se**2))
    assert (got.low, got.high) == pytest.approx((-back.high, -back.low), abs=1e-9)


def test_welchs_interval_is_that_of_a_worked_example():
    """Means 0.80 and 0.70 of 10 and 20 items with standard errors 0.05 and 0.03: 15 degrees of freedom, t 1.753."""
    got = independent(Estimate(0.8, 0.05, 10), Estimate(0.7, 0.03, 20))
    freedom = (0.0025 + 0.0009) ** 2 / (0.0025**2 / 9 + 0.0009**2 / 19)
    assert int(freedom) == 15
    assert got.value - got.low == pytest.approx(1.7531 * sqrt(0.0034), rel=1e-4)
    assert independent(Estimate(0.8, 0.05, 1), Estimate(0.7, 0.03, 20)).low == -inf


def test_pairing_is_worth_its_trouble_where_models_fail_on_the_same_items():
    chance = random.Random(7)  # noqa: S311
    hard = [chance.random() < 0.4 for _ in range(300)]
    current = {f"{n}": 0.0 if one else 1.0 for n, one in enumerate(hard)}
    candidate = {item: 1 - score if chance.random() < 0.05 else score for item, score in current.items()}
    tied = paired(current, candidate)
    apart = independent(estimate(current.values()), estimate(candidate.values()))
    assert tied is not None
    assert tied.value == pytest.approx(apart.value)
    assert tied.se < apart.se / 2


def test_arena_ratings_are_compared_by_the_standard_errors_of_their_intervals():
    current = of_interval(1500, 1500 - 1.96 * 3, 1500 + 1.96 * 3, 9_000)
    candidate = of_interval(1496, 1496 - 1.96 * 4, 1496 + 1.96 * 4, 700)
    got = independent(current, candidate)
    assert got.se == pytest.approx(5)
    assert judge(got, 15, least=ARENA_VOTES).verdict is Verdict.EQUAL  # −4 − 1.645 × 5 = −12.2
    assert judge(got, 12, least=ARENA_VOTES).verdict is Verdict.NOT_ENOUGH
    few = independent(current, replace(candidate, n=50))
    assert judge(few, 15).verdict is Verdict.EQUAL
    refused = judge(few, 15, least=ARENA_VOTES)
    assert refused.verdict is Verdict.NOT_ENOUGH
    assert refused.items is not None
    assert refused.items >= ARENA_VOTES


@pytest.mark.parametrize("freedom", [100, 101, 250, 500, 14_000])
def test_the_series_of_t_is_the_closed_form(freedom):
    assert critical(freedom) == pytest.approx(student.critical(0.9, freedom), abs=1e-8)
    assert critical(freedom) > critical(inf) == pytest.approx(1.6448536, abs=1e-7)


def test_the_figures_the_documentation_quotes_are_the_ones_this_gives():
    text = (Path(__file__).parents[2] / "docs" / "evaluations.md").read_text()
    unclear, tied = paired_of_sums(200, -3.0, 63.0), paired_of_sums(300, 0.0, 2.0)
    assert unclear is not None
    assert tied is not None
    ends = f"interval {unclear.low:.3f} to {unclear.high:.3f}".replace("-", "\u2212")
    assert f"s = {unclear.per_item:.3f}, SE = {unclear.se:.4f}, {ends}" in text
    assert f"{judge(unclear, 0.03).items:,} such items would settle it" in text
    assert f"0 ± {tied.high:.3f}, equal" in text
    equal = [n for n in range(2, 80) if (one := paired_of_sums(n, 0.0, 0.0)) and judge(one, 0.03).verdict == "equal"]
    assert f"it takes {equal[0]} items that all tie" in text
