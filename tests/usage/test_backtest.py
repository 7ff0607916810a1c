"""What the backtest holds advice to: the promise of six months, what of it came, and how good the move turned out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from benchmarks.backtest import projects
from benchmarks.backtest.following import MARGIN, Followed, promised
from benchmarks.backtest.truth import SAME_WEIGHTS, months_from
from tests.usage.test_advice import MOVE
from usage.advice import Range, Step

MORNING = date(2024, 11, 1)
FOLLOWED = Followed(MOVE, Range(Decimal(10), Decimal(20)), Decimal(10), SAME_WEIGHTS, -MARGIN, 6, 6)


def test_a_move_is_followed_for_six_months_across_a_new_year() -> None:
    assert months_from(MORNING) == [date(2024, 11, 1), date(2024, 12, 1), *(date(2025, n, 1) for n in (1, 2, 3, 4))]


def test_a_price_announced_before_is_part_of_the_promise_from_its_day_on() -> None:
    today, later = Range(Decimal(12), Decimal(18)), Range(Decimal(6), Decimal(12))
    move = replace(MOVE, saving=today, steps=(Step(MORNING, today), Step(date(2025, 2, 1), later)))
    assert promised(move, months_from(MORNING)) == Range(Decimal(9), Decimal(15))


@pytest.mark.parametrize(("saved", "is_inside"), [("9.99", False), ("10", True), ("20", True), ("20.01", False)])
def test_a_promise_holds_from_one_end_to_the_other(saved: str, is_inside: bool) -> None:
    assert replace(FOLLOWED, realised=Decimal(saved)).is_inside is is_inside


@pytest.mark.parametrize(("difference", "kept"), [(-MARGIN, True), (-MARGIN - 1, False), (None, False)])
def test_quality_is_kept_within_the_margin_and_not_where_nobody_rated_it(
    difference: Decimal | None, kept: bool
) -> None:
    assert replace(FOLLOWED, difference=difference).keeps_quality is kept


def test_the_constructed_usage_is_the_same_whenever_it_is_made_and_a_day_stands_on_none_after_it() -> None:
    short, long = (list(projects.table(projects.START + timedelta(days=days))) for days in (3, 5))
    assert set(short) < set(long)
    assert len(short) == 1 + 3 * projects.PER_DAY * len(projects.PROJECTS)


def test_a_project_uses_a_model_from_its_day_on() -> None:
    chat = projects.PROJECTS[0]
    moved = chat.models[1][0]
    assert (chat.model_on(moved - timedelta(days=1)), chat.model_on(moved)) == (chat.models[0][1], chat.models[1][1])
