"""The ladder: tokens × prices exact, a person for the same tokens, every count has its source."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.answers.ladder import rungs
from pricing.benchmarks import TABLES, benchmarks, read_scores, read_table
from pricing.frontier import Frontier, Point, frontier
from pricing.ladder import (
    ASSUMED,
    MEASURED,
    PEOPLE,
    Pace,
    Person,
    cost,
    human_cost,
    ratio,
    read_rungs,
    rounded,
    usual,
)

REPLY = {"input": 215, "output": 198}


def test_a_short_reply_costs_what_its_tokens_cost() -> None:
    assert cost(REPLY, {"input": D("0.02"), "output": D("0.05")}) == D("0.0000142")


def test_a_token_of_unknown_price_makes_the_answer_unknown_and_a_free_one_does_not() -> None:
    assert cost(REPLY, {"input": D("0.02")}) is None
    assert cost(REPLY, {"input": D("0.02"), "output": None}) is None
    assert cost(REPLY, {"input": D(0), "output": D(0)}) == 0
    assert cost({"input": 5, "output": 0}, {"input": D(1)}) == D("0.000005")


def test_a_person_reads_the_input_and_speaks_the_output() -> None:
    # 215 tokens at 50,000 an hour and 198 at 10,000 are 0.0241 hours.
    assert human_cost(REPLY, D(10), Pace()) == D("0.241")
    assert human_cost({"output": 120}, D(10), Pace()) == D("0.12")
    assert human_cost(REPLY, D(10), Pace(speaking=D(20_000), reading=D(100_000))) == D("0.1205")


def test_nobody_speaks_an_image() -> None:
    assert human_cost({"input": 100, "output_image": 1290}, D(10), Pace()) is None


def test_a_ratio_of_the_unknown_or_the_free_is_none() -> None:
    assert ratio(D("0.12"), D("0.00002")) == 6000
    assert ratio(None, D(1)) is None
    assert ratio(D(1), None) is None
    assert ratio(D(1), D(0)) is None


def test_the_people_are_those_of_the_axis() -> None:
    assert {one.slug: (one.low, one.high) for one in PEOPLE} == {
        "call-centre": (10, 10), "tutoring": (50, 200), "translation": (10, 100), "developer": (10, 10),
        "manager": (1_000, 10_000),
    }  # fmt: skip


def test_what_cannot_be_is_refused() -> None:
    for low, high in ((D(-1), D(1)), (D(2), D(1))):
        with pytest.raises(ValueError, match="An hour costs"):
            Person("x", "X", low, high)
    with pytest.raises(ValueError, match="more than 0"):
        Pace(speaking=D(0))
    head = "rung,name,unit,tokens,basis,observed_on,source,source_url,licence,note\n"
    for line in ("a,A,input,1,guessed,2026-01-01,us,,,", "a,A,input,1,measured,2026-01-01,us,,,"):
        with pytest.raises(ValueError, match=r"^a: "):
            read_rungs([head, line])


def test_the_bundled_rungs_rise_and_each_count_says_who_says_so() -> None:
    found = rungs()
    assert [rung.slug for rung in found] == [
        "short-reply", "step-by-step", "reasoning", "long-reasoning", "document", "image",
    ]  # fmt: skip
    counts = [count for rung in found for count in rung.counts]
    assert [one for one in counts if one.basis != ASSUMED and not (one.source_url and one.licence)] == []
    assert [(one.unit, one.tokens) for one in counts if one.basis == ASSUMED] == [("output", 500), ("input", 100)]
    plain = {"input": D(1), "output": D(1)}
    costs = [cost(rung.tokens, plain) for rung in found if rung.slug != "image"]
    assert costs == sorted(costs, key=lambda one: one or 0)


def test_the_measured_runs_are_those_of_the_table_that_ships() -> None:
    module = benchmarks()["aider-polyglot"]
    tables = [read_scores(module, read_table(TABLES / name)) for name in module.BUNDLED.values()]
    facts = {fact.display_name: fact for table in tables for fact in table if fact.category == "overall"}
    checked = 0
    for rung in rungs():
        for count in rung.counts:
            if count.basis == MEASURED and count.source.startswith("Aider"):
                fact = facts[count.note.partition(", ")[2]]
                whole = fact.input_tokens if count.unit == "input" else fact.output_tokens
                assert whole is not None
                assert fact.cases is not None
                assert count.tokens == round(whole / fact.cases)
                assert count.observed_on == fact.observed_on
                checked += 1
    assert checked == 6


def point(key: str, price: str, rating: str) -> Point:
    return Point(key, key, D(price), D(rating), model=key)


def test_without_a_choice_the_cheapest_the_cheapest_good_the_best_and_the_dearest_are_shown() -> None:
    points = [point("cheap", "0.1", "1200"), point("good", "0.3", "1460"), point("best", "4", "1500")]
    edge = frontier([*points, point("off", "90", "1400")])
    assert usual(edge, "dear") == ["cheap", "good", "best", "dear"]
    assert usual(frontier(points[2:]), "best") == ["best"]
    assert usual(Frontier((), ())) == []
    assert usual(Frontier((), ()), "dear") == ["dear"]


prices = st.decimals("0", "900", places=6)


@given(st.dictionaries(st.sampled_from(["input", "output", "output_image"]), st.integers(0, 10**9)), st.data())
def test_the_cost_is_the_exact_sum_rounded_once(tokens: dict[str, int], data: st.DataObject) -> None:
    usd = {unit: data.draw(prices) for unit in tokens}
    exact = sum((Fraction(count) * Fraction(usd[unit]) / 10**6 for unit, count in tokens.items()), Fraction(0))
    assert cost(tokens, usd) == rounded(exact)
    assert abs(Fraction(rounded(exact)) - exact) <= Fraction(1, 2 * 10**12)


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.decimals("0", "10000", places=2), st.integers(1, 9))
def test_twice_the_rate_is_twice_the_cost_and_twice_the_pace_half(into: int, out: int, usd: D, times: int) -> None:
    tokens = {"input": into, "output": out}
    one = human_cost(tokens, usd, Pace())
    many = human_cost(tokens, usd * times, Pace())
    fast = human_cost(tokens, usd, Pace(D(10_000) * times, D(50_000) * times))
    assert one is not None
    assert many is not None
    assert fast is not None
    assert abs(many - one * times) <= D("1e-11")
    assert abs(fast * times - one) <= D("1e-11")
