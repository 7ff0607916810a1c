"""Whether a candidate is as good: which evidence decides, what several suites say together, what only stands beside."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from pricing.noninferiority import Difference, Verdict, paired_of_sums
from tests.usage.offered import make_rating
from usage.advice import Evidence
from usage.substitution.offers import Rated
from usage.substitution.quality import ARENA_NOTE, Own, Quality, Rating, Scores, Standards, judged, verdict_on

SOL, FLASH = Rated("sol"), Rated("flash")
STANDARDS = Standards(Decimal(15), Decimal("0.03"))
GOOD = {SOL: make_rating(1480), FLASH: make_rating(1500)}
BAD = {SOL: make_rating(1480), FLASH: make_rating(1400)}


def own(value: float, *, half: float = 0.01, n: int = 480, is_paired: bool = True, suite: str = "claims") -> Own:
    """A comparison with an interval of ± half."""
    return Own(suite, Difference(value, half / 1.65, value - half, value + half, n, is_paired, per_item=0.3))


def judge(*found: Own, arena: dict[Rated, Rating] | None = None, **more) -> Quality:
    scores = Scores(arena=arena or {}, own={(SOL, FLASH): found}, **more)
    quality = judged(SOL, FLASH, scores, STANDARDS)
    assert verdict_on(SOL, FLASH, scores, STANDARDS) is quality.verdict  # said without words, it is the same
    return quality


def deciding(found: Quality) -> list[Evidence]:
    return [one for one in found.evidence if one.decides]


def test_own_paired_items_beat_own_unpaired_ones_which_beat_arena() -> None:
    unpaired = own(-0.2, is_paired=False, suite="other")
    found = judge(own(0.0), unpaired, arena=BAD)
    assert (found.verdict, [one.name for one in deciding(found)]) == (Verdict.EQUAL, ["claims"])
    assert [one.source for one in found.evidence] == ["own", "own", "arena"]
    found = judge(replace(unpaired), arena=GOOD)
    assert (found.verdict, [one.name for one in deciding(found)]) == (Verdict.WORSE, ["other"])
    found = judge(arena=GOOD)
    assert (found.verdict, [one.source for one in deciding(found)]) == (Verdict.BETTER, ["arena"])
    assert deciding(found)[0].note == ARENA_NOTE


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.0, 0.05), Verdict.EQUAL),
        ((0.05, 0.05), Verdict.BETTER),
        ((0.05, -0.2), Verdict.WORSE),
        ((0.05, -0.03), Verdict.NOT_ENOUGH),
        ((-0.2, -0.03), Verdict.WORSE),
    ],
)
def test_one_own_suite_that_is_worse_is_worse_and_all_must_be_as_good(values, verdict) -> None:
    assert judge(*(own(value, suite=f"suite {n}") for n, value in enumerate(values))).verdict is verdict


def test_the_margin_of_own_scores_is_its_own_and_met_by_a_hair() -> None:
    assert judge(own(-0.0199)).verdict is Verdict.EQUAL
    found = judge(own(-0.0201))
    assert found.verdict is Verdict.NOT_ENOUGH
    assert found.items is not None
    assert f"{found.items:,} items would settle it" in found.why


def test_own_items_are_told_in_points_of_100_with_their_interval() -> None:
    assert judge(own(-0.004, half=0.018)).why == (
        "Equal on your evaluation claims: −0.4 points of 100 (480 items, paired, 90 % interval −2.2 to +1.4, "
        "margin −3)."
    )


def test_a_comparison_that_says_nothing_is_no_evidence() -> None:
    found = judge(Own("claims", None, why="a single item"), arena=GOOD)
    assert [one.source for one in found.evidence] == ["arena"]


def test_ratings_without_an_interval_or_votes_decide_nothing() -> None:
    found = judge(arena={**GOOD, FLASH: replace(GOOD[FLASH], low=None)})
    assert (found.verdict, found.evidence) == (None, ())
    found = judge(arena={**GOOD, FLASH: replace(GOOD[FLASH], n=None)})
    assert (found.verdict, found.items) == (Verdict.NOT_ENOUGH, None)
    assert "does not say how many votes" in found.why


def test_the_standard_error_of_ratings_comes_from_both_intervals() -> None:
    [found] = deciding(judge(arena={SOL: make_rating(1480, half=1.96 * 3), FLASH: make_rating(1490, half=1.96 * 4)}))
    assert (found.value, found.low) == (pytest.approx(10), pytest.approx(10 - 1.644853627 * 5))


def test_other_benchmarks_stand_beside_and_decide_nothing() -> None:
    lone = Rating("gpqa", "GPQA Diamond", Decimal("0.7"), None, None)
    others = {SOL: [lone], FLASH: [replace(lone, value=Decimal("0.9"))]}
    found = judge(others=others)
    assert (found.verdict, [(one.name, one.value, one.decides) for one in found.evidence]) == (
        None,
        [("GPQA Diamond", pytest.approx(0.2), False)],
    )
    assert judge(arena=GOOD, others=others).evidence[-1].source == "gpqa"


def test_a_model_at_another_effort_is_not_rated_and_it_is_said_at_which_it_is() -> None:
    found = judged(SOL, Rated("flash", "low"), Scores(arena=GOOD), STANDARDS)
    assert found.verdict is None
    assert found.why.endswith("says how good flash at effort low (it is rated without one) is.")
    found = judged(
        Rated("sol", "high"), Rated("flash"), Scores(arena={Rated("flash", "max"): make_rating(1)}), STANDARDS
    )
    assert found.why.endswith("says how good sol at effort high and flash at no stated effort (it is rated at max) is.")


@pytest.mark.parametrize(("floor", "met"), [("1495", True), ("1495.1", False), (None, None)])
def test_a_floor_is_reached_by_the_lower_end(floor: str | None, met: bool | None) -> None:
    standards = replace(STANDARDS, floor=Decimal(floor) if floor else None)
    assert judged(SOL, FLASH, Scores(arena=GOOD), standards).floor_met is met


def test_twenty_items_that_all_tie_do_not_prove_equality() -> None:
    found = judge(Own("claims", paired_of_sums(20, 0.0, 0.0)))
    assert (found.verdict, found.items) == (Verdict.NOT_ENOUGH, 54)


UNSTATED = {Rated("sol", "low"): make_rating(1440), Rated("sol", "high"): make_rating(1480)}


@pytest.mark.parametrize(("rating", "verdict"), [(1480, Verdict.EQUAL), (1500, Verdict.BETTER), (1440, Verdict.WORSE)])
def test_a_model_of_no_stated_effort_is_as_good_as_its_best_rated_one(rating: int, verdict: Verdict) -> None:
    found = judge(arena={**UNSTATED, FLASH: make_rating(rating)})
    assert found.verdict is verdict
    assert "taken at its best rated effort, high" in found.why
    assert "taken at its best rated effort, high" in deciding(found)[0].note


def test_a_best_effort_of_too_few_votes_does_not_set_the_bar_where_another_is_settled() -> None:
    lucky = {Rated("sol", "max"): replace(make_rating(1600), n=40)}
    assert judge(arena={**UNSTATED, **lucky, FLASH: make_rating(1480)}).verdict is Verdict.EQUAL


def test_a_stated_effort_that_is_not_rated_borrows_no_other_and_neither_does_a_candidate() -> None:
    scores = Scores(arena={**UNSTATED, FLASH: make_rating(1500)})
    assert judged(Rated("sol", "medium"), FLASH, scores, STANDARDS).verdict is None
    assert judged(SOL, Rated("flash", "high"), scores, STANDARDS).verdict is None


def test_a_rating_without_an_effort_is_that_of_a_model_of_no_stated_effort() -> None:
    found = judge(arena={SOL: make_rating(1400), **UNSTATED, FLASH: make_rating(1400)})
    assert found.verdict is Verdict.EQUAL
    assert "best rated" not in found.why


def test_against_a_model_of_no_stated_effort_every_effort_of_an_own_suite_counts() -> None:
    low, high = Rated("sol", "low"), Rated("sol", "high")
    scores = Scores(own={(low, FLASH): [own(0.05)], (high, FLASH): [own(-0.2)]})
    assert judged(SOL, FLASH, scores, STANDARDS).verdict is Verdict.WORSE
    assert judged(low, FLASH, scores, STANDARDS).verdict is Verdict.BETTER
