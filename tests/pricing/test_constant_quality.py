"""The price of constant quality: the regression, both estimators, and what they must not depend on."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from math import log10
from pathlib import Path
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pricing.constant_quality import Estimate, Observation, UnreadableInputs, live_minimum, read, record_low
from pricing.constant_quality.estimates import DAYS_IN_YEAR, factor, fit, halving_months, halvings
from pricing.constant_quality.regression import least_squares
from pricing.constant_quality.student import critical

RECORDED = Path(__file__).parents[1] / "recorded" / "quality" / "price_index"
FEW = settings(max_examples=40, deadline=None)
FIRST = date(2021, 1, 1)


def seen(model: str, day: str, price: str | None, score: str | None = "70", **more: object) -> Observation:
    return Observation(
        model,
        date.fromisoformat(day),
        None if price is None else Decimal(price),
        None if score is None else Decimal(score),
        **more,  # type: ignore[arg-type]
    )


def on_a_line(per_year: float, days: list[int], start: float = 60.0) -> list[Observation]:
    """One model a day, each at the price that an exact decline gives."""
    return [
        Observation(
            f"m{day}",
            FIRST + timedelta(days=day),
            Decimal(repr(start * per_year ** (-day / DAYS_IN_YEAR))),
            Decimal(70),
        )
        for day in days
    ]


# Student's t and least squares, against what others published


@pytest.mark.parametrize(
    ("level", "by_freedom"),
    [
        (0.90, {1: 6.314, 2: 2.920, 3: 2.353, 4: 2.132, 5: 2.015, 7: 1.895, 10: 1.812, 20: 1.725, 60: 1.671}),
        (0.95, {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 7: 2.365, 10: 2.228, 20: 2.086, 60: 2.000}),
        (0.99, {1: 63.657, 2: 9.925, 3: 5.841, 4: 4.604, 5: 4.032, 7: 3.499, 10: 3.169, 20: 2.845, 60: 2.660}),
    ],
)  # fmt: skip
def test_critical_values_are_those_of_the_published_table(level: float, by_freedom: dict[int, float]) -> None:
    """NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, to its three decimals."""
    assert {freedom: round(critical(level, freedom), 3) for freedom in by_freedom} == by_freedom


@pytest.mark.parametrize(("level", "freedom"), [(0.0, 3), (1.0, 3), (0.9, 0)])
def test_no_critical_value_is_made_up(level: float, freedom: int) -> None:
    with pytest.raises(ValueError, match=r"level|degree"):
        critical(level, freedom)


def test_anscombes_first_set_has_the_line_he_printed() -> None:
    """F. J. Anscombe, Graphs in Statistical Analysis, The American Statistician 27 (1973), page 19.

    n 11, y = 3 + 0.5 x, estimated standard error of the slope 0.118, multiple R² 0.667.
    """
    x = (10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5)
    y = (8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68)
    line = least_squares([(float(a), b) for a, b in zip(x, y, strict=True)])
    assert (line.n, round(line.slope, 3), round(line.intercept, 2)) == (11, 0.500, 3.00)
    assert line.slope_error is not None
    assert line.r_squared is not None
    assert (round(line.slope_error, 3), round(line.r_squared, 3)) == (0.118, 0.667)


def test_two_points_have_a_line_and_no_interval() -> None:
    line = least_squares([(0.0, 1.0), (2.0, 0.0)])
    assert (line.slope, line.slope_error, line.slope_interval(0.9)) == (-0.5, None, None)


@pytest.mark.parametrize("points", [[], [(1.0, 2.0)], [(1.0, 2.0), (1.0, 3.0)]])
def test_a_line_needs_two_times(points: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="needs"):
        least_squares(points)


# Record lows


def test_four_record_lows_worked_by_hand() -> None:
    """100, 10, 1 and 0.01 at equal steps h of 365 days, so log10 is 2, 1, 0, -2.

    By hand in steps: x̄ 1.5, ȳ 0.25, Σ(x-x̄)² 5, Σ(x-x̄)(y-ȳ) -6.5, slope -1.3, residuals -0.2, 0.1, 0.4, -0.3 with the
    sum of squares 0.30, s² 0.15, standard error √0.03, and t(2) at 90 % is 2.920 in the published table.
    """
    prices = ("100", "10", "1", "0.01")
    found = record_low([seen(f"m{i}", f"{2021 + i}-01-01", price) for i, price in enumerate(prices)])
    step = 365 / DAYS_IN_YEAR
    reach = 2.920 * 0.03**0.5
    assert found.n == 4
    assert found.per_year == pytest.approx(10 ** (1.3 / step), rel=1e-12)
    assert found.interval == pytest.approx((10 ** ((1.3 - reach) / step), 10 ** ((1.3 + reach) / step)), rel=1e-4)
    assert found.halving_months == pytest.approx(12 * log10(2) * step / 1.3, rel=1e-12)
    assert found.halving_interval == pytest.approx(
        (12 * log10(2) * step / (1.3 + reach), 12 * log10(2) * step / (1.3 - reach)), rel=1e-4
    )
    assert found.r_squared == pytest.approx(1 - 0.30 / 8.75)


def published() -> Iterator[tuple[str, str, int, float, float, float]]:
    with (RECORDED / "published.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            yield (
                row["benchmark"],
                row["threshold"],
                int(row["n"]),
                float(row["per_year"]),
                float(row["low"]),
                float(row["high"]),
            )


@pytest.mark.parametrize(("benchmark", "threshold", "n", "per_year", "low", "high"), list(published()))
def test_a_published_study_comes_out_of_its_own_inputs(
    benchmark: str, threshold: str, n: int, per_year: float, low: float, high: float
) -> None:
    """Epoch AI, 12 March 2025 (CC BY): every trend of a year or more. Factor within 2 %, interval within 5 %."""
    inputs = read((RECORDED / f"epoch_{benchmark}.csv").read_text("utf-8"))
    found = record_low(inputs, Decimal(threshold))
    assert found.n == n
    assert found.per_year == pytest.approx(per_year, rel=0.02)
    assert found.interval == pytest.approx((low, high), rel=0.05)


@FEW
@given(
    st.floats(1.05, 500),
    st.lists(st.integers(0, 1500), min_size=4, max_size=12, unique=True),
)
def test_an_exact_exponential_decline_is_recovered(per_year: float, days: list[int]) -> None:
    assume(max(days) - min(days) >= 365)
    # Days so near that the price does not move by a float's width are no record lows.
    found = record_low(on_a_line(per_year, days))
    assert found.per_year == pytest.approx(per_year, rel=1e-6)
    assert found.interval == pytest.approx((per_year, per_year), rel=1e-5)
    assert found.halving_months == pytest.approx(12 * log10(2) / log10(per_year), rel=1e-6)


PRICES = st.decimals(min_value="0.01", max_value="100", places=2)
SCORES = st.decimals(min_value="10", max_value="99", places=1)
SIGHTINGS = st.builds(
    lambda model, day, price, score, lasts: Observation(
        f"m{model}",
        FIRST + timedelta(days=day),
        price,
        score,
        family=f"f{model % 4}",
        withdrawn_on=None if lasts is None else FIRST + timedelta(days=day + lasts),
    ),
    st.integers(0, 7),
    st.integers(0, 1400),
    st.one_of(PRICES, st.none(), st.just(Decimal(0))),
    st.one_of(SCORES, st.none()),
    st.one_of(st.none(), st.integers(1, 900)),
)
MARKETS = st.lists(SIGHTINGS, max_size=25)


def both(observations: list[Observation], threshold: Decimal | None) -> tuple[Estimate, Estimate]:
    return record_low(observations, threshold), live_minimum(observations, threshold, resamples=20)


@FEW
@given(MARKETS, SCORES, st.randoms(use_true_random=False))
def test_the_order_of_the_observations_says_nothing(market: list[Observation], score: Decimal, chance: Random) -> None:
    shuffled = list(market)
    chance.shuffle(shuffled)
    assert both(shuffled, score) == both(market, score)


@FEW
@given(MARKETS, SCORES, st.sampled_from([Decimal("0.001"), Decimal("0.5"), Decimal(1000)]))
def test_a_currency_changes_no_factor(market: list[Observation], score: Decimal, rate: Decimal) -> None:
    exchanged = [
        Observation(
            one.model,
            one.observed_on,
            None if one.price is None else one.price * rate,
            one.score,
            one.family,
            withdrawn_on=one.withdrawn_on,
        )
        for one in market
    ]
    for ours, theirs in zip(both(market, score), both(exchanged, score), strict=True):
        assert theirs.per_year == pytest.approx(ours.per_year)
        assert theirs.interval == pytest.approx(ours.interval)
        assert theirs.n == ours.n


@FEW
@given(MARKETS, SCORES, PRICES)
def test_a_dearer_later_model_changes_no_record(market: list[Observation], score: Decimal, price: Decimal) -> None:
    before = record_low(market, score)
    assume(before.points)
    last = max(one.observed_on for one in market)
    dear = Observation("dear", last + timedelta(days=1), before.points[-1].price + price, Decimal(100))
    after = record_low([*market, dear], score)
    assert (after.points, after.per_year, after.interval) == (before.points, before.per_year, before.interval)


@FEW
@given(MARKETS, SCORES, SCORES)
def test_a_higher_threshold_lets_in_no_more(market: list[Observation], one: Decimal, other: Decimal) -> None:
    low, high = sorted((one, other))

    def used(threshold: Decimal) -> set[Observation]:
        return {given.observation for given in record_low(market, threshold).inputs if given.used}

    assert used(high) <= used(low)


@FEW
@given(MARKETS, SCORES)
def test_record_lows_fall_with_every_day_and_nothing_earlier_is_as_cheap(
    market: list[Observation], score: Decimal
) -> None:
    """The definition, asked of every pair."""
    found = record_low(market, score)
    good = [one for one in market if one.price and one.score is not None and one.score >= score]
    expected = {
        (one.observed_on, one.price)
        for one in good
        if one.price is not None
        and all(
            other.price > one.price for other in good if other.price is not None and other.observed_on < one.observed_on
        )
        and all(
            other.price >= one.price
            for other in good
            if other.price is not None and other.observed_on == one.observed_on
        )
    }
    assert {(point.on, point.price) for point in found.points} == expected
    assert len(found.points) == len(expected)


def test_equal_prices_and_equal_days_are_one_record() -> None:
    found = record_low(
        [
            seen("first", "2021-01-01", "60"),
            seen("same price later", "2021-06-01", "60"),
            seen("b", "2022-01-01", "20"),
            seen("a", "2022-01-01", "20"),
            seen("dearer that day", "2022-01-01", "30"),
            seen("cheaper that day", "2022-01-01", "10"),
        ]
    )
    assert [(point.on.isoformat(), point.price, point.model) for point in found.points] == [
        ("2021-01-01", Decimal(60), "first"),
        ("2022-01-01", Decimal(10), "cheaper that day"),
    ]


def test_a_price_cut_of_one_model_is_a_record_of_its_own() -> None:
    found = record_low([seen("davinci", "2021-11-20", "60"), seen("davinci", "2022-09-01", "20")])
    assert [point.price for point in found.points] == [Decimal(60), Decimal(20)]


def test_free_and_unpriced_models_are_never_a_record_and_are_said() -> None:
    found = record_low(
        [
            seen("free", "2020-01-01", "0"),
            seen("unknown", "2020-01-01", None),
            seen("unrated", "2020-01-01", "1", None),
            seen("paid", "2021-01-01", "60"),
        ],
        Decimal(50),
    )
    assert [point.model for point in found.points] == ["paid"]
    assert "1 observation not used: it is free, and a logarithm has no zero." in found.note
    assert "1 observation not used: its price is not known." in found.note
    assert "1 observation not used: it has no score." in found.note


def test_a_price_whose_begin_nobody_knows_is_no_record_and_sets_the_bar() -> None:
    found = record_low(
        [
            seen("a", "2021-01-01", "60"),
            seen("first seen late", "2022-01-01", "10", dated=False),
            seen("no record any more", "2022-06-01", "20"),
            seen("b", "2023-01-01", "5"),
        ]
    )
    assert [point.model for point in found.points] == ["a", "b"]
    assert "1 observation not used: nobody states when its price began" in found.note


def test_a_price_whose_begin_nobody_knows_could_be_bought_from_the_day_it_was_seen() -> None:
    found = live_minimum([seen("a", "2021-01-01", "60"), seen("b", "2021-02-01", "10", dated=False)])
    assert shown(found) == [("2021-01", "60", 1), ("2021-02", "10", 2)]


def test_the_threshold_itself_is_good_enough() -> None:
    found = record_low(
        [seen("just", "2021-01-01", "60", "64.8"), seen("not", "2021-01-01", "1", "64.7")], Decimal("64.8")
    )
    assert [point.model for point in found.points] == ["just"]


def test_below_four_record_lows_there_is_no_factor_and_a_reason() -> None:
    found = record_low(on_a_line(10, [0, 400, 800]))
    assert (found.n, found.per_year, found.interval, found.halving_months) == (3, None, None, None)
    assert "No factor: a line wants at least 4 record lows, and there are 3." in found.note


def test_below_a_year_there_is_no_factor_and_a_reason() -> None:
    found = record_low(on_a_line(10, [0, 100, 200, 364]))
    assert (found.n, found.per_year) == (4, None)
    assert "span 364 days" in found.note
    assert record_low(on_a_line(10, [0, 100, 200, 365])).per_year == pytest.approx(10)


def test_below_six_record_lows_a_factor_is_indicative() -> None:
    assert record_low(on_a_line(10, [0, 100, 200, 300, 400])).indicative
    assert not record_low(on_a_line(10, [0, 100, 200, 300, 400, 500])).indicative


def test_a_higher_level_is_a_wider_interval_around_the_same_factor() -> None:
    market = [seen(f"m{i}", f"{2021 + i}-01-01", price) for i, price in enumerate(("100", "10", "1", "0.01"))]
    narrow, wide = record_low(market, level=0.5), record_low(market, level=0.99)
    assert narrow.per_year == wide.per_year
    assert narrow.interval is not None
    assert wide.interval is not None
    assert wide.interval[0] < narrow.interval[0] < narrow.interval[1] < wide.interval[1]


def test_an_interval_that_allows_no_fall_has_no_last_halving_time() -> None:
    assert halvings((-1.0, 0.5)) == (halving_months(-1.0), None)
    assert halvings((0.1, 0.5)) is None
    assert factor(-400.0) is None


def test_leaving_out_a_model_lets_the_next_cheapest_be_the_record() -> None:
    market = [
        *on_a_line(10, [0, 200, 400, 600, 800, 1000]),
        seen("outlier", "2022-01-01", "0.12"),
        # In the shade of the outlier of the same day, and cheaper than all before.
        seen("shaded", "2022-01-01", "5"),
    ]
    found = record_low(market)
    left = {
        point.model: record_low([one for one in market if one.model != point.model]).points for point in found.points
    }
    assert "shaded" not in {point.model for point in found.points}
    assert "shaded" in {point.model for point in left["outlier"]}
    by_model = {model: 10 ** -fit(points).slope for model, points in left.items()}
    spared = found.leave_one_out
    assert spared is not None
    assert (spared.low, spared.high) == (min(by_model.values()), max(by_model.values()))
    assert (by_model[spared.without_for_low], by_model[spared.without_for_high]) == (spared.low, spared.high)


def test_a_model_without_which_two_records_are_left_is_named() -> None:
    found = record_low([seen("a", f"{2019 + i}-01-01", f"{9 - i}") for i in range(3)] + on_a_line(10, [800, 900]))
    assert found.leave_one_out is not None
    assert found.leave_one_out.not_fitted == ("a",)
    assert "Without a too few record lows are left for a line." in found.note


def test_the_days_asked_for_are_half_open() -> None:
    market = [seen("a", "2021-01-01", "60"), seen("b", "2022-01-01", "20"), seen("c", "2023-01-01", "10")]
    found = record_low(market, start=date(2022, 1, 1), until=date(2023, 1, 1))
    assert [point.model for point in found.points] == ["b"]
    assert [one.why_not for one in found.inputs] == [
        "it is before the first day asked for",
        "",
        "it is after the last day asked for",
    ]


# Live minimum


def shown(found: Estimate) -> list[tuple[str, str, int | None]]:
    return [(f"{point.on:%Y-%m}", f"{point.price}", point.live) for point in found.points]


def test_a_price_rises_where_the_cheapest_is_withdrawn() -> None:
    found = live_minimum(
        [seen("dear", "2021-01-01", "10"), seen("cheap", "2021-02-01", "1", withdrawn_on=date(2021, 3, 1))],
        until=date(2021, 4, 1),
    )
    assert shown(found) == [("2021-01", "10", 1), ("2021-02", "1", 2), ("2021-03", "10", 1)]
    assert "The price rose 1 time." in found.note


def test_a_price_ends_where_the_sellers_next_price_of_the_model_begins() -> None:
    found = live_minimum(
        [
            seen("m", "2021-01-01", "1", seller="a"),
            seen("m", "2021-02-01", "3", seller="a"),
            seen("m", "2021-01-15", "2", seller="b"),
        ],
        until=date(2021, 3, 1),
    )
    assert shown(found) == [("2021-01", "1", 1), ("2021-02", "2", 1)]


def test_a_free_price_ends_a_paid_one_and_is_no_minimum() -> None:
    found = live_minimum([seen("m", "2021-01-01", "1"), seen("m", "2021-02-01", "0"), seen("n", "2021-01-01", "9")])
    assert shown(found) == [("2021-01", "1", 2), ("2021-02", "9", 1)]


def test_an_unknown_price_ends_the_known_one_of_its_seller() -> None:
    mine = [seen("m", "2021-01-01", "1", seller="a"), seen("m", "2021-02-01", None, seller="a")]
    other = [seen("n", "2021-01-01", "5"), seen("m", "2021-01-01", "3", seller="b")]
    assert shown(live_minimum([*mine, *other])) == [("2021-01", "1", 2), ("2021-02", "3", 2)]
    assert shown(live_minimum(mine)) == [("2021-01", "1", 1)]


def test_what_began_before_the_first_day_asked_for_is_live_on_it() -> None:
    found = live_minimum([seen("m", "2020-01-01", "1")], start=date(2021, 2, 1), until=date(2021, 3, 1))
    assert shown(found) == [("2021-02", "1", 1)]


def test_a_month_without_a_live_model_has_no_point() -> None:
    found = live_minimum(
        [seen("m", "2021-01-01", "1", withdrawn_on=date(2021, 1, 20)), seen("n", "2021-03-01", "1")],
    )
    assert shown(found) == [("2021-01", "1", 1), ("2021-03", "1", 1)]
    assert "1 month without a live model have no point." in found.note


@FEW
@given(MARKETS, SCORES)
def test_every_month_is_what_asking_every_observation_gives(market: list[Observation], score: Decimal) -> None:
    found = {point.on: (point.price, point.live) for point in live_minimum(market, score, resamples=1).points}
    day = FIRST
    last = max((one.observed_on for one in market), default=FIRST)
    while day <= last:
        live = [
            one
            for one in market
            if one.price
            and one.score is not None
            and one.score >= score
            and one.observed_on <= day
            and (one.withdrawn_on is None or day < one.withdrawn_on)
            and not any(later.model == one.model and one.observed_on < later.observed_on <= day for later in market)
        ]
        prices = [one.price for one in live if one.price is not None]
        assert found.get(day) == ((min(prices), len({one.model for one in live})) if live else None)
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)


def test_an_exact_decline_with_a_model_every_month_is_recovered_from_the_months() -> None:
    firsts = [date(2021 + month // 12, month % 12 + 1, 1) for month in range(30)]
    market = on_a_line(4.5, [(first - FIRST).days for first in firsts])
    found = live_minimum(market, resamples=10)
    assert found.n == 30
    assert found.per_year == pytest.approx(4.5, rel=1e-6)


def steady_market() -> list[Observation]:
    return [
        seen(f"m{i}", f"{2021 + i // 4}-{1 + i % 4 * 3:02}-01", price, family=f"family {i % 5}")
        for i, price in enumerate(("60", "40", "35", "20", "21", "8", "6", "6.5", "2", "1.5", "1", "0.4"))
    ]


def test_the_same_observations_have_the_same_interval_every_time() -> None:
    one, other = live_minimum(steady_market()), live_minimum(steady_market())
    assert one.interval is not None
    assert one == other


def test_what_is_resampled_are_families_not_models() -> None:
    alone = [
        Observation(one.model, one.observed_on, one.price, one.score, withdrawn_on=one.withdrawn_on)
        for one in steady_market()
    ]
    grouped, single = live_minimum(steady_market()), live_minimum(alone)
    assert grouped.per_year == single.per_year
    assert grouped.interval != single.interval
    assert "resamples of 5 families" in grouped.note
    assert "resamples of 12 families" in single.note


def test_two_families_have_a_factor_and_no_interval() -> None:
    found = live_minimum([seen(f"m{i}", f"{2021 + i}-01-01", f"{9 - i}", family=f"f{i % 2}") for i in range(4)])
    assert found.per_year is not None
    assert found.interval is None
    assert "No interval: a bootstrap wants at least 3 model families (2)." in found.note


def test_many_months_of_few_prices_are_indicative() -> None:
    found = live_minimum([seen("a", "2021-01-01", "9"), seen("b", "2022-01-01", "5"), seen("c", "2023-01-01", "2")])
    assert (found.n, found.indicative) == (25, True)
    assert "fewer than 6 times (3)" in found.note


# Inputs as CSV


def test_a_csv_holds_what_is_known_of_each_observation() -> None:
    text = (
        "\ufeffmodel,date,price,score,family,seller,first_party,withdrawn,comment\n"
        'GPT-3,2021-11-20,60,43.9,gpt-3,openai,yes,2024-01-04,"a, b"\n'
        "Mystery,2022-01-01,,,,,,,\n"
    )
    assert read(text) == [
        Observation(
            "GPT-3", date(2021, 11, 20), Decimal(60), Decimal("43.9"), "gpt-3", "openai", True, date(2024, 1, 4)
        ),
        Observation("Mystery", date(2022, 1, 1), None, None),
    ]


KNOWN = [
    Observation("GPT-3", date(2021, 11, 20), Decimal(60), Decimal("43.9"), withdrawn_on=date(2024, 1, 4)),
    Observation("Big", date(2022, 1, 1), Decimal(1250), None),
    Observation("Mystery", date(2022, 12, 31), None, Decimal("0.5")),
]


@pytest.mark.parametrize(
    "text",
    [
        "Score,PRICE,Date,Withdrawn,Model\n43.9,60,2021-11-20,2024-01-04,GPT-3\n,1250,2022-01-01,,Big\n"
        "0.5,,2022-12-31,,Mystery\n",
        "model;date;price;score;withdrawn\r\nGPT-3;2021-11-20 09:00:00;60,0;43,9;2024-01-04\r\n"
        "Big;2022-01-01;1,250.00;;\r\nMystery;2023-01-01T01:00:00+02:00;;0,50;\r\n;;;;\r\n",
        "Model Name,Release Date,USD per 1M Tokens,benchmark_score,withdrawn\n"
        "GPT-3,2021/11/20,$60.00,43.9%,2024-01-04\n"
        'Big,2022-01-01,"$1,250",N/A,\n\nMystery,2022-12-31,nan,.5,-\n',
        "model\tdate\tprice\tscore\tprompt\twithdrawn\nGPT-3\t2021-11-20\t60\t43.9\t\t2024-01-04\n"
        "Big\t2022-01-01T00:00:00Z\t1250\tnull\t9\t\nMystery\t2022-12-31\t\t0.5\t\t\n",
    ],
)
def test_a_csv_is_read_however_a_spreadsheet_or_a_study_wrote_it(text: str) -> None:
    assert read(text) == KNOWN


def test_of_a_column_for_each_benchmark_one_is_asked_for() -> None:
    text = "Model Name,Release Date,USD per 1M Tokens,MMLU,GPQA Diamond\nGPT-4,2023-03-14,37.5,86,33\n"
    assert [one.score for one in read(text, "gpqa diamond")] == [Decimal(33)]
    with pytest.raises(UnreadableInputs, match="There is no column 'HumanEval'; there are: Model Name, "):
        read(text, "HumanEval")


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("", "The file is empty"),
        ("model,date,price\n", "The column score is missing"),
        ("model,date,price,score,score\n", "named twice"),
        ("model,date,price,score\na,2021-01-01,1\n", "Line 2 has not as many cells"),
        ("model,date,price,score\na,2021-01-01,1,2,3\n", "Line 2 has not as many cells"),
        ("model,date,price,score\n,2021-01-01,1,2\n", "Line 2 has no model"),
        ("model,date,price,score\na,,1,2\n", "Line 2 has no date"),
        ("model,date,price,score\na,2021-01-01,1,2\na,20210101,1,2\n", "Line 3: date is '20210101'"),
        ("model,date,price,score\na,2021-02-30,1,2\n", "Line 2: date is '2021-02-30'"),
        ("model,date,price,score\na,2021-01-01,-1,2\n", "Line 2: price is '-1'; a price is not negative"),
        ("model,date,price,score\na,2021-01-01,inf,2\n", "Line 2: price is 'inf'"),
        ("model,date,price,score\na,2021-01-01,EUR 3,2\n", "Line 2: price is 'EUR 3'"),
        ("model,date,price,score\na,2021-01,1,2\n", "Line 2: date is '2021-01'"),
        ("model,date,price,score\na,31/01/2021,1,2\n", "Line 2: date is '31/01/2021'"),
        ("model;date;price;score\na;2021-01-01;1,250;2\n", "Line 2: price is '1,250'"),
        ('model,date,price,score\na,2021-01-01,"0,55",2\n', "Line 2: price is '0,55'"),
        ("Model Name,model_name,date,price,score\n", "Model Name is named twice"),
        ("model,date,price,score\na,2021-01-01,1e999,2\n", "Line 2: price is '1e999'"),
        ("model,date,price,score\na,2021-01-01,1,high\n", "Line 2: score is 'high'"),
        ("model,date,price,score,withdrawn\na,2021-01-01,1,2,2021-01-01\n", "Line 2: withdrawn is 2021-01-01"),
        ("model,date,price,score,first_party\na,2021-01-01,1,2,maybe\n", "Line 2: first_party is 'maybe'"),
        ('model,date,price,score\n"a,2021-01-01,1,2\n', "is not CSV"),
        ("model,date,price,score\na\x00,2021-01-01,1,2\n", "NUL|not CSV"),
    ],
)  # fmt: skip
def test_a_csv_that_is_no_list_of_observations_is_refused_with_its_line(rows: str, sentence: str) -> None:
    with pytest.raises(UnreadableInputs, match=sentence):
        read(rows)
