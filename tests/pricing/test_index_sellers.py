"""Whose price counts where several sell one model."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from pricing.constant_quality.observations import Observation
from pricing.constant_quality.sellers import RULES, Held, Step, of_one_price, steps


def held(seller: str, price: str, since: int = 1, until: int | None = None, **more: bool) -> Held:
    """A price of January 2026."""
    return Held(seller, Decimal(price), date(2026, 1, since), None if until is None else date(2026, 1, until), **more)


def shown(found: list[Step]) -> list[tuple[str, int, int | None]]:
    return [(f"{step.price}", step.since.day, step.until.day if step.until else None) for step in found]


MARKET = [held("maker", "10", first_party=True), held("a", "2"), held("b", "4"), held("c", "9")]


@pytest.mark.parametrize(
    ("sellers", "price"), [("maker_or_median", "10"), ("maker", "10"), ("median", "6.5"), ("any", "2")]
)
def test_each_rule_takes_another_price(sellers: str, price: str) -> None:
    assert shown(steps(MARKET, sellers)) == [(price, 1, None)]


def test_without_its_maker_a_model_costs_the_median_of_its_hosts_or_nothing_is_known() -> None:
    assert shown(steps(MARKET[1:], "maker_or_median")) == [("4", 1, None)]
    assert steps(MARKET[1:], "maker") == []


def test_a_seller_with_many_skus_is_one_seller() -> None:
    assert shown(steps([held("a", "1"), held("a", "3"), held("a", "3"), held("b", "9")], "median")) == [("5", 1, None)]


def test_a_free_price_counts_only_where_nobody_asks_money() -> None:
    assert shown(steps([held("a", "0"), held("b", "3")], "any")) == [("3", 1, None)]
    assert shown(steps([held("a", "0")], "any")) == [("0", 1, None)]


def test_the_price_moves_with_every_seller_that_comes_or_goes() -> None:
    found = steps([held("a", "1", 1, 20), held("b", "3", 10, 25), held("c", "3", 28)], "any")
    assert shown(found) == [("1", 1, 20), ("3", 20, 25), ("3", 28, None)]


def test_an_equal_price_goes_on_as_one() -> None:
    found = steps([held("a", "1", 1, 10), held("a", "1", 10, 20), held("b", "5")], "any")
    assert shown(found) == [("1", 1, 20), ("5", 20, None)]


def test_a_move_that_a_first_sight_made_has_no_day_of_its_own() -> None:
    found = steps([held("a", "4", 1, 30), held("b", "2", 10, dated=False), held("c", "9", 1)], "any")
    assert [(step.since.day, step.dated) for step in found] == [(1, True), (10, False)]


def row(day: int, price: str | None, seller: str = "", first_party: bool | None = None, **more: date) -> Observation:
    amount = None if price is None else Decimal(price)
    return Observation("m", date(2026, 1, day), amount, Decimal(50), "f", seller, first_party, **more)


def prices(rows: list[Observation], sellers: str = "maker_or_median") -> list[tuple[int, str | None, int | None]]:
    return [
        (one.observed_on.day, None if one.price is None else f"{one.price}", one.withdrawn_on and one.withdrawn_on.day)
        for one in sorted(of_one_price(rows, sellers), key=Observation.order)
    ]


def test_rows_that_say_who_asks_become_one_price_and_others_stay() -> None:
    assert prices([row(1, "20", "maker", True), row(1, "2", "host", False)]) == [(1, "20", None)]
    assert prices([row(1, "20", first_party=True), row(5, "2")]) == [(1, "20", None)]
    rows = [row(1, "9"), row(3, "2"), row(2, "3")]
    assert of_one_price(rows, "maker") == rows


def test_a_seller_that_one_row_calls_the_maker_is_it_in_all() -> None:
    assert prices([row(1, "20", "maker", True), row(9, "15", "maker"), row(1, "2", "host")]) == [
        (1, "20", 9), (9, "15", None),
    ]  # fmt: skip


def test_a_price_ends_with_its_sellers_next_row_known_or_not_and_where_it_is_withdrawn() -> None:
    rows = [
        row(1, "20", "maker", True),
        row(5, None, "maker", True),
        row(1, "2", "host", withdrawn_on=date(2026, 1, 9)),
    ]
    assert prices(rows) == [(1, "20", 5), (5, "2", 9), (5, None, None)]


@pytest.mark.parametrize("rule", RULES)
def test_the_order_of_rows_cannot_matter(rule: str) -> None:
    rows = [row(1, "20", "maker", True), row(5, "9", "a"), row(5, None, "maker"), row(7, "3", "b"), row(9, "1", "a")]
    assert prices(rows, rule) == prices(rows[::-1], rule)
