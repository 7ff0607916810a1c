"""By how much another model takes more tokens: which evidence counts, how wide it is, and what nobody knows."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable
from decimal import Decimal
from itertools import permutations
from math import exp, sqrt
from pathlib import Path
from statistics import NormalDist, quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.tokenizers import MODELS, RATIOS, Ratio, Tokenizers, shipped
from usage.advice import Factor, Range
from usage.substitution import factors
from usage.substitution.factors import ASSUMED, Counted, Run, TokenCounts, of, ratio_of_means
from usage.substitution.offers import Rated

SOL, FLASH = Rated("sol", "high"), Rated("flash", "max")
ONE = Decimal(1)
DATA = Path(factors.__file__).resolve().parents[2] / "pricing" / "data"


def counted(unit: str, pairs: Iterable[tuple[int, int]], suite: str = "claims") -> Counted:
    """The sums over items of which each of the two took so many tokens."""
    found = [(Decimal(x), Decimal(y)) for x, y in pairs]
    return Counted(
        unit, suite, len(found), sum(x for x, _ in found), sum(y for _, y in found),
        sum(x * x for x, _ in found), sum(y * y for _, y in found), sum(x * y for x, y in found),
    )  # fmt: skip


def run(output: int, *, input: int | None = None, cases: int = 225, setting: str = "diff") -> Run:
    return Run("Aider polyglot", setting, cases, input, output, url="https://aider.chat")


def factor(unit: str, known: TokenCounts, current: Rated = SOL, candidate: Rated = FLASH) -> Factor:
    return next(one for one in of(current, candidate, known) if one.unit == unit)


def test_the_same_weights_at_the_same_effort_take_the_same_tokens() -> None:
    assert [(one.low, one.high, one.assumed) for one in of(SOL, SOL, TokenCounts())] == [(ONE, ONE, False)] * 2


def test_another_effort_of_the_same_weights_counts_the_same_and_writes_otherwise() -> None:
    found = of(SOL, Rated("sol", "low"), TokenCounts())
    assert [(one.unit, one.high, one.assumed) for one in found] == [
        ("input", ONE, False),
        ("output", ASSUMED["output"].high, True),
    ]


def test_own_items_give_the_ratio_of_the_means_with_its_interval() -> None:
    pairs = [(100, 150), (200, 260), (300, 500), (400, 500), (500, 800)]
    # x̄ 300, ȳ 442, s²x 25,000, s²y 63,320, sxy 38,500; t of 4 degrees of freedom is 2.131847.
    middle = 442 / 300
    variance = (63_320 / 442**2 - 2 * 38_500 / (300 * 442) + 25_000 / 300**2) / 5
    expected = (middle, middle * exp(-2.131847 * sqrt(variance)), middle * exp(2.131847 * sqrt(variance)))
    assert ratio_of_means(counted("output", pairs)) == pytest.approx(expected, rel=1e-6)
    found = factor("output", TokenCounts(own={(SOL, FLASH): [counted("output", pairs)]}))
    assert float(found.low) == pytest.approx(expected[1], abs=1e-4)
    assert float(found.high) == pytest.approx(expected[2], abs=1e-4)
    assert found.evidence == "measured on 5 of your own items (claims)"


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), min_size=2, max_size=30), st.integers(2, 1000))
def test_the_interval_contains_the_ratio_and_does_not_depend_on_the_scale(pairs, times) -> None:
    middle, low, high = ratio_of_means(counted("output", pairs))
    assert low <= middle <= high
    other = ratio_of_means(counted("output", [(x, times * y) for x, y in pairs]))
    assert other == pytest.approx((times * middle, times * low, times * high), rel=1e-6)


def test_own_items_come_before_anything_published_and_several_suites_span_a_range() -> None:
    alike = [(100, 100)] * 50
    suites = [counted("output", alike), counted("output", [(100, 200)] * 50, suite="letters")]
    known = TokenCounts(own={(SOL, FLASH): suites}, published={SOL: [run(100)], FLASH: [run(900)]})
    found = factor("output", known)
    assert (found.low, found.high) == (ONE, Decimal(2))
    assert found.evidence == "measured on 100 of your own items (claims, letters)"


def test_means_without_their_spread_are_halved_and_doubled() -> None:
    known = TokenCounts(own={(SOL, FLASH): [Counted("output", "claims", 40, Decimal(100), Decimal(150))]})
    assert (factor("output", known).low, factor("output", known).high) == (Decimal("0.75"), Decimal(3))


def test_published_runs_compare_where_benchmark_setting_and_cases_are_the_same() -> None:
    known = TokenCounts(published={SOL: [run(1000), run(9, cases=10)], FLASH: [run(1500), run(9, setting="whole")]})
    found = factor("output", known)
    assert (found.low, found.high, found.assumed) == (Decimal("0.75"), Decimal(3), False)
    assert "Aider polyglot, 225 cases" in found.evidence
    assert factor("output", known, Rated("sol", "low")).assumed  # another effort's run speaks for nobody


def test_a_tokenizer_that_is_known_comes_before_runs_for_what_is_sent() -> None:
    ratios = {("a", "b"): Ratio(Decimal("1.1"), Decimal("1.3"), "the vendor says so", "https://b.example")}
    runs = {SOL: [run(100, input=100)], FLASH: [run(100, input=900)]}
    known = TokenCounts(published=runs, tokenizers=Tokenizers({"sol": "a", "flash": "b"}, ratios))
    assert (factor("input", known).low, factor("input", known).high) == (Decimal("1.1"), Decimal("1.3"))
    same = TokenCounts(published=runs, tokenizers=Tokenizers({"sol": "a", "flash": "a"}))
    assert (factor("input", same).low, factor("input", same).high) == (ONE, ONE)
    unknown = TokenCounts(published=runs, tokenizers=Tokenizers({"sol": "a"}))
    assert factor("input", unknown).high == 18


def test_where_nobody_counted_the_range_is_that_of_the_published_runs_and_marked() -> None:
    found = of(SOL, FLASH, TokenCounts())
    assert [(one.low, one.high, one.assumed) for one in found] == [
        (ASSUMED[one.unit].low, ASSUMED[one.unit].high, True) for one in found
    ]


@pytest.mark.parametrize("unit", ["input", "output"])
def test_the_assumed_range_holds_four_in_five_pairs_of_the_runs_that_ship(unit: str) -> None:
    with gzip.open(DATA / "aider_polyglot_2025-10-03.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    per_case = [int(row[f"{unit}_tokens"]) / int(row["cases"]) for row in rows if row["output_tokens"]]
    assert len(per_case) == 23
    tenths = quantiles([b / a for a, b in permutations(per_case, 2)], n=10, method="inclusive")
    assert float(ASSUMED[unit].low) == pytest.approx(tenths[0], rel=0.03)
    assert float(ASSUMED[unit].high) == pytest.approx(tenths[-1], rel=0.03)


def test_a_scale_takes_each_units_range() -> None:
    found = factors.scale(of(SOL, FLASH, TokenCounts()))
    assert (found.input, found.output) == (ASSUMED["input"], ASSUMED["output"])
    assert factors.scale(()).input == Range(ONE, ONE)


def test_every_tokenizer_that_ships_has_a_source_and_ratios_go_both_ways() -> None:
    known = shipped()
    assert known.of_model.keys() == known.sources.keys()
    assert all(url.startswith("https://") for url in known.sources.values())
    there, back = known.ratio("claude-opus-4-6", "claude-opus-4-7"), known.ratio("claude-opus-4-7", "claude-opus-4-6")
    assert (there.low, there.high) == (ONE, Decimal("1.47"))
    assert (back.low, back.high) == (Decimal("0.6802"), ONE)
    assert known.ratio("gpt-5", "gpt-5.6-sol").high == 1
    assert known.ratio("gpt-5", "claude-opus-4-7") is None


@pytest.mark.parametrize("table", [MODELS, RATIOS], ids=lambda path: path.name)
def test_no_line_of_the_tokenizer_tables_stands_twice(table: Path) -> None:
    lines = [line.split(",")[:2] for line in table.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    firsts = [tuple(line) if table == RATIOS else line[0] for line in lines]
    assert len(firsts) == len(set(firsts))


def test_tokenizers_are_of_models_that_benchmarks_and_releases_know() -> None:
    known = set()
    for name in ("arena_map.csv", "aider_map.csv", "epoch_map.csv"):
        with (DATA / name).open(encoding="utf-8", newline="") as file:
            known |= {row["model"] for row in csv.DictReader(line for line in file if line[0] != "#")}
    slugs = {key.partition("/")[2] for key in known}
    assert set(shipped().of_model) - slugs == set()


def test_the_normal_value_is_what_a_large_sample_takes() -> None:
    pairs = [(100, 100), (100, 120)] * 5000
    _, low, high = ratio_of_means(counted("output", pairs))
    assert sqrt(high / low) == pytest.approx(exp(NormalDist().inv_cdf(0.95) * (10 / 110) / 100), rel=1e-4)
