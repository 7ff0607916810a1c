"""What a move has really saved: worked out by hand, and what must hold whatever the numbers are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal as D
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.cost import CardPrices, Tokens
from usage.advice import MONTH, Factor, Range
from usage.counterfactual import NOTHING, Baseline, Day, Work, begun_on, moved_on, outcome, realised

START = date(2026, 10, 1)
# A request was 1,000 tokens in, of them 400 from cache, and 100 out; a Mtok cost 4 USD in, 0.40 from cache, 20 out.
PRICES = CardPrices("USD", {"input": D("0.000004"), "cache_read": D("0.0000004"), "output": D("0.00002")})
ONCE = D("0.00456")
"""USD a request: 600 × 4 + 400 × 0.40 + 100 × 20 millionths."""


def work(requests: int | None, spent: str | None = "0", each: tuple[int, int, int] = (600, 400, 100)) -> Work:
    n = 1000 if requests is None else requests
    tokens = Tokens(each[0] * n, each[1] * n, 0, each[2] * n)
    return Work(tokens, requests, None if spent is None else D(spent))


def base(days: int = 10, requests: int | None = 1000, new: Work = NOTHING) -> Baseline:
    cost = ONCE * 1000
    return Baseline(work(requests, f"{cost}"), new, days, Fraction(cost))


def day(n: int, new: Work, old: Work = NOTHING, prices: CardPrices | None = PRICES) -> Day:
    return Day(START + timedelta(days=n), old, new, prices)


def test_what_was_saved_is_what_the_same_requests_would_have_cost_less_what_was_spent() -> None:
    found = realised(base(), [day(0, work(200, "0.30")), day(1, work(100, "0.20"))])
    assert [one.saving for one in found.days] == [Range(D("0.612"), D("0.612")), Range(D("0.256"), D("0.256"))]
    assert found.total == Range(D("0.868"), D("0.868"))
    # A month of the baseline is 100 requests a day; 300 requests saved 0.868.
    a_month = (D("0.868") / 300 * 100 * MONTH).quantize(D("1e-12"))
    assert found.per_month == Range(a_month, a_month)


def test_what_stayed_where_it_was_saves_nothing() -> None:
    part = realised(base(), [day(0, work(100, "0.15"), work(900, "4.104"))])
    assert part.total == Range(D("0.306"), D("0.306"))
    assert realised(base(), [day(0, NOTHING, work(1000, "4.56"))]).total == Range(D(0), D(0))


def test_the_new_sides_own_work_is_no_work_that_moved() -> None:
    # Half of both sides' requests were the new side's own; now it does all of them: half of those have moved.
    found = realised(base(new=work(1000, "1")), [day(0, work(200, "0.30"))])
    assert found.total == Range(D("0.306"), D("0.306"))


def test_a_day_whose_cost_or_price_is_unknown_is_in_no_sum() -> None:
    bare = CardPrices("USD", {"input": D("0.000004"), "output": D("0.00002")})
    days = [day(0, work(200, "0.30")), day(1, work(200, None)), day(2, work(200, "0.1"), prices=None)]
    found = realised(base(), [*days, day(3, work(200, "0.1"), prices=bare)])
    assert found.total == Range(D("0.612"), D("0.612"))
    assert found.unknown == tuple(one.on for one in (*days[1:], day(3, NOTHING)))


def test_where_the_window_cost_more_than_its_plain_prices_so_does_what_would_have_been() -> None:
    dearer = replace(base(), old=work(1000, f"{ONCE * 1500}"))
    assert realised(dearer, [day(0, work(200, "0.30"))]).total == Range(D("1.068"), D("1.068"))


def test_without_requests_tokens_are_compared_through_the_factors() -> None:
    factors = (Factor("input", D(1), D("1.25"), "a tokenizer"), Factor("output", D("0.5"), D(2), "runs"))
    now = Work(Tokens(1_000_000, 0, 0, 100_000), None, D("2.00"))
    found = realised(base(requests=None), [day(0, now)], factors)
    # In: 1 Mtok as 600 + 400 a thousand is 2.56, through 1 to 1.25; out: 0.1 Mtok is 2.00, through 0.5 to 2.
    assert not found.by_requests
    assert found.total == Range(D("2.048") + D("1.00") - 2, D("2.56") + D("4.00") - 2)


def test_a_move_in_place_has_moved_all_of_its_side() -> None:
    assert realised(base(), [day(0, work(200, "0.80"))], in_place=True).total == Range(D("0.112"), D("0.112"))


COUNT = st.integers(1, 10_000)
CENTS = st.decimals(0, 100, places=2)


@given(requests=COUNT, spent=CENTS, times=st.integers(2, 50))
def test_more_volume_alone_saves_as_much_more_and_per_request_the_same(requests: int, spent: D, times: int) -> None:
    once = realised(base(), [day(0, work(requests, f"{spent}"))])
    more = realised(base(), [day(0, work(requests * times, f"{spent * times}"))])
    assert more.total.low == once.total.low * times
    assert more.per_month == once.per_month


@given(requests=COUNT, spent=CENTS, times=st.integers(2, 50))
def test_a_change_of_both_sides_prices_alone_changes_the_saving_by_as_much(requests: int, spent: D, times: int) -> None:
    dearer = CardPrices("USD", {unit: price * times for unit, price in PRICES.prices.items()})
    once = realised(base(), [day(0, work(requests, f"{spent}"))])
    later = realised(base(), [day(0, work(requests, f"{spent * times}"), prices=dearer)])
    assert later.total.low == once.total.low * times


@given(st.lists(st.tuples(COUNT, CENTS, st.integers(0, 5_000)), max_size=6), st.booleans())
def test_the_total_is_the_sum_of_the_days_and_low_is_never_above_high(
    days: list[tuple[int, D, int]], known: bool
) -> None:
    factors = (Factor("input", D("0.9"), D("1.4"), "x"), Factor("output", D("0.8"), D(2), "x"))
    new = [replace(work(n, f"{spent}"), requests=n if known else None) for n, spent, _ in days]
    rows = [day(n, one, work(left)) for n, (one, (_, _, left)) in enumerate(zip(new, days, strict=True))]
    found = realised(base(), rows, factors)
    assert found.total.low == sum((one.saving.low for one in found.days), D(0))
    assert found.total.high == sum((one.saving.high for one in found.days), D(0))
    assert all(one.saving.low <= one.saving.high for one in found.days)
    assert found.per_month is None or found.per_month.low <= found.per_month.high


@given(tokens=st.integers(1, 10**6), factor=st.decimals("0.8", "1.5", places=3))
def test_the_range_holds_the_truth_for_any_factor_inside_its_range(tokens: int, factor: D) -> None:
    factors = tuple(Factor(unit, D("0.8"), D("1.5"), "x") for unit in ("input", "output"))
    # The same work as `tokens` fresh tokens at the old side, through one factor for both kinds.
    mix = Baseline(Work(Tokens(1000, 0, 0, 1000), None, None), NOTHING, 10, None)
    now = Work(Tokens(round(tokens * factor), 0, 0, round(tokens * factor)), None, D(0))
    true = tokens * (PRICES.prices["input"] + PRICES.prices["output"])
    found = realised(mix, [day(0, now)], factors).total
    slack = D("0.0001")  # of whole tokens
    assert found.low - slack <= true <= found.high + slack


@pytest.mark.parametrize(
    ("promised", "saved", "said"),
    [
        (("100", "100"), ("98", "98"), "kept"),  # the same weights: a point
        (("100", "100"), ("90", "90"), "kept"),
        (("100", "100"), ("89.99", "89.99"), "less than promised"),
        (("100", "200"), ("200", "240"), "kept"),
        (("100", "200"), ("200", "240.01"), "more than promised"),
        (("0", "50"), ("-0.01", "-0.01"), "less than promised"),
        (("-10", "50"), ("-11", "-11"), "kept"),
        (("-10", "50"), ("-12", "-11"), "less than promised"),
    ],
)
def test_a_promise_is_kept_to_a_tenth_of_its_ends(promised: tuple[str, str], saved: tuple[str, str], said: str) -> None:
    """The tokens of a request are never quite those of the window."""
    assert outcome(Range(*map(D, promised)), Range(*map(D, saved))) == said


def moved(*days: tuple[int, int]) -> date | None:
    """Days of (new, old) requests after a baseline of 100 a day."""
    return moved_on(base(), [day(n, work(new), work(old)) for n, (new, old) in enumerate(days)])


def test_a_move_is_seen_after_three_days_in_a_row_on_which_half_of_the_work_went_over() -> None:
    assert moved((10, 90), (50, 50), (60, 40), (55, 45)) == START + timedelta(days=1)
    assert moved((50, 50), (60, 40)) is None
    assert moved((50, 50), (60, 40), (40, 60), (50, 50), (50, 50)) is None
    assert moved((49, 0), (49, 0), (49, 0)) is None


def test_a_model_that_writes_a_fifth_has_taken_over_all_requests_all_the_same() -> None:
    long, short = (200, 0, 2000), (200, 0, 400)
    before = Baseline(work(1000, "40", long), NOTHING, 10, Fraction(40))
    assert moved_on(before, [day(n, work(100, "1", short)) for n in range(3)]) == START


def test_days_on_which_neither_side_has_half_an_average_days_work_say_nothing() -> None:
    """Weekends, and the days between two runs of a weekly job: neither a move nor its end."""
    days = [day(n, work(80), work(10)) for n in (0, 1, 5)]
    assert moved_on(base(), days[:2]) is None
    assert moved_on(base(), days) == START
    assert moved_on(base(), [*days[:2], day(3, work(2), work(40)), days[2]]) == START
    assert moved_on(base(), [*days[:2], day(3, work(2), work(48)), days[2]]) is None, "half of it came back"


def test_a_weekly_job_has_moved_once_it_ran_three_times_at_the_new_side() -> None:
    weekly = base(28, 4 * 700)
    runs = [day(7 * n, work(700)) for n in range(3)]
    rest = [day(n, NOTHING, work(3)) for n in range(1, 21) if n % 7]
    between = sorted([*runs, *rest], key=lambda one: one.on)
    assert moved_on(weekly, runs[:2]) is None
    assert moved_on(weekly, runs) == moved_on(weekly, between) == START
    stayed = [day(7 * n, NOTHING, work(700)) for n in (1,)]
    assert moved_on(weekly, sorted([runs[0], *stayed, runs[2]], key=lambda one: one.on)) is None


def test_what_is_said_to_have_moved_counts_from_the_first_of_its_work() -> None:
    own = base(new=work(1000))
    days = [day(0, work(100), work(100)), day(1, work(120), work(80)), day(2, work(200))]
    assert begun_on(own, days) == START + timedelta(days=1)
    assert begun_on(base(), days) == START
    assert begun_on(base(), [day(0, NOTHING, work(90))]) is None


def test_a_new_side_that_grows_by_itself_has_not_taken_the_work_over() -> None:
    assert moved((90, 100), (95, 100), (99, 100)) is None
    assert moved((100, 100), (300, 100), (900, 100)) is None
    assert moved((300, 51), (300, 51), (300, 51)) is None
    own = base(new=work(1000))
    assert moved_on(own, [day(n, work(140), work(10)) for n in range(3)]) is None
    assert moved_on(own, [day(n, work(150), work(10)) for n in range(3)]) == START
