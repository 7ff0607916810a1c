"""The bridge between two periods, against a recomputation in fractions that shares no code with it."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage.baskets import Line, bennet
from usage.bridge import LEVELS, OF_ITEMS, Bridge, Period, bridge

GRAIN = Fraction(1, 10**12)
PROJECTS = ("search", "shop", None)


class Item(NamedTuple):
    model: str
    sold: str
    side: str
    unit: str


ITEMS = [
    Item(model, sold, side, unit)
    for model, sold in (("a", "x"), ("a", "y"), ("b", "x"), ("c", "x"))
    for side, unit in (("input", "fresh"), ("input", "cached"), ("output", "output"))
]
money = st.integers(1, 10**16).map(lambda grains: Decimal(grains).scaleb(-12))
quantities = st.one_of(st.integers(1, 9), st.integers(1, 10**12))
used = st.tuples(
    st.dictionaries(st.sampled_from(PROJECTS), quantities, min_size=1),
    st.one_of(money, money, money, st.just(Decimal(0)), st.none()),
    st.sampled_from([0, 0, 3, 7]),
)


@st.composite
def periods(draw: st.DrawFn) -> Period:
    """Some items by some projects: priced, free or without a price, some sold in another currency."""
    basket: dict[Any, Line] = {}
    by_project: dict[Any, dict[Any, int]] = defaultdict(dict)
    there = set()
    for item, (shares, native, rate) in draw(st.dictionaries(st.sampled_from(ITEMS), used, max_size=8)).items():
        there |= shares.keys()
        quantity = sum(shares.values())
        if native is None:
            basket[item] = Line(quantity, None)
            continue
        basket[item] = Line(quantity, native * rate, native, "CNY") if rate else Line(quantity, native)
        for project, count in shares.items():
            by_project[project][item] = count
    beside = draw(st.dictionaries(st.sampled_from(["rated", "reported"]), money.map(lambda amount: amount - 1)))
    return Period(basket, by_project, frozenset(there), beside)


def crossed(before: Period, after: Period) -> Bridge:
    return bridge(before, after, tuple)


@settings(max_examples=500, deadline=None)
@given(periods(), periods())
def test_the_parts_sum_exactly_to_the_change_item_by_item_and_together(before: Period, after: Period) -> None:
    found = crossed(before, after)
    assert sum(map(Fraction, found.parts.values())) == Fraction(after.spent) - Fraction(before.spent)
    for item, amounts in found.by_item.items():
        old, new = (period.basket[item].value or 0 if item in period.basket else 0 for period in (before, after))
        assert sum(map(Fraction, amounts.values())) == Fraction(new) - Fraction(old)
        assert set(amounts) <= set(OF_ITEMS)
    for part in ("new", "ended"):
        assert sum(map(Fraction, found.by_project[part].values())) == Fraction(found.parts[part])


@settings(max_examples=500, deadline=None)
@given(periods(), periods())
def test_prices_and_exchange_are_those_of_the_index(before: Period, after: Period) -> None:
    parts = bennet(before.basket, after.basket).parts
    found = crossed(before, after).parts
    assert (found["price"], found["exchange"], found["unknown"]) == (parts.price, parts.exchange, parts.unknown)


def by_brute_force(before: Period, after: Period) -> dict[str, Fraction]:
    """Each level by walking from the quantities of one period to those of the other, every average written out."""
    both = [
        item
        for item in ITEMS
        if any(item in period.basket for period in (before, after))
        and all(period.basket[item].value is not None for period in (before, after) if item in period.basket)
    ]
    kept = (before.projects & after.projects) if before.projects or after.projects else frozenset()
    q = [
        {item: sum(period.by_project.get(project, {}).get(item, 0) for project in kept) for item in both}
        for period in (before, after)
    ]

    def group(item: Item, depth: int, time: int) -> int:
        return sum(count for other, count in q[time].items() if other[:depth] == item[:depth])

    found = dict.fromkeys((*LEVELS, "new", "ended"), Fraction(0))
    for item in both:
        prices = [
            Fraction(period.basket[item].value or 0) / Fraction(period.basket[item].quantity)
            for period in (before, after)
            if item in period.basket
        ]
        price = sum(prices) / len(prices)
        for part, period, sign in (("new", after, 1), ("ended", before, -1)):
            for project in period.projects - kept:
                found[part] += sign * price * period.by_project.get(project, {}).get(item, 0)
        shares = []
        for depth in range(5):
            pair: list[Fraction | None] = []
            for time in (0, 1):
                of = group(item, depth - 1, time) if depth else 1
                pair.append(Fraction(group(item, depth, time), of) if of else None)
            old, new = pair
            shares.append(
                (old if old is not None else new or Fraction(0), new if new is not None else old or Fraction(0))
            )
        means = [(old + new) / 2 for old, new in shares]
        for depth, level in enumerate(LEVELS):
            outer, tails = Fraction(1), [Fraction(1), Fraction(1)]
            for mean in means[:depth]:
                outer *= mean
            for time in (0, 1):
                for share in shares[depth + 1 :]:
                    tails[time] *= share[time]
            found[level] += price * outer * (shares[depth][1] - shares[depth][0]) * sum(tails) / 2
    return found


@settings(max_examples=300, deadline=None)
@given(periods(), periods())
def test_each_level_is_that_of_the_definition(before: Period, after: Period) -> None:
    found = crossed(before, after).parts
    for part, amount in by_brute_force(before, after).items():
        # One rounding an item and level, and the largest takes what rounding leaves.
        assert abs(Fraction(found[part]) - amount) <= 12 * 8 * GRAIN, part


@settings(max_examples=100, deadline=None)
@given(periods(), periods())
def test_backwards_in_time_every_part_changes_its_sign(before: Period, after: Period) -> None:
    there, back = crossed(before, after).parts, crossed(after, before).parts
    swapped = {"new": "ended", "ended": "new"}
    assert {name: -amount for name, amount in there.items()} == {name: back[swapped.get(name, name)] for name in there}


@settings(max_examples=100, deadline=None)
@given(periods(), periods(), st.randoms())
def test_the_order_of_items_and_projects_does_not_matter(before: Period, after: Period, chance: random.Random) -> None:
    def shuffled(period: Period) -> Period:
        items, projects = list(period.basket.items()), list(period.by_project.items())
        chance.shuffle(items)
        chance.shuffle(projects)
        return Period(dict(items), dict(projects), period.projects, period.beside)

    assert crossed(shuffled(before), shuffled(after)).parts == crossed(before, after).parts


def period(quantities: dict[Item, int], price: str = "1", project: str = "shop") -> Period:
    basket = {item: Line(count, count * Decimal(price)) for item, count in quantities.items()}
    return Period(basket, {project: quantities}, frozenset({project}), {})


def moved(before: Period, after: Period) -> dict[str, Decimal]:
    return {name: amount for name, amount in crossed(before, after).parts.items() if amount}


A, A_CACHED, A_OUT, A_ELSEWHERE, B = (
    Item("a", "x", "input", "fresh"), Item("a", "x", "input", "cached"), Item("a", "x", "output", "output"),
    Item("a", "y", "input", "fresh"), Item("b", "x", "input", "fresh"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "part"),
    [
        ({A: 100}, {A: 300}, "volume"),
        ({A: 100, A_CACHED: 50, A_OUT: 10}, {A: 200, A_CACHED: 100, A_OUT: 20}, "volume"),
    ],
)
def test_as_much_more_of_everything_is_volume_alone(before: Any, after: Any, part: str) -> None:
    assert set(moved(period(before), period(after))) == {part}


def test_a_cheaper_model_for_the_same_tokens_is_the_mix_of_models_alone() -> None:
    dear, cheap = period({A: 100}, "2"), period({B: 100}, "1")
    assert moved(dear, cheap) == {"models": Decimal(-100)}


def test_a_cheaper_seller_of_the_same_model_is_the_seller_alone() -> None:
    assert moved(period({A: 100}, "2"), period({A_ELSEWHERE: 100}, "1")) == {"sellers": Decimal(-100)}


def test_more_of_the_same_input_from_the_cache_is_the_cache_alone() -> None:
    def of(fresh: int, cached: int) -> Period:
        basket = {A: Line(fresh, Decimal(fresh)), A_CACHED: Line(cached, Decimal(cached) / 10)}
        return Period(basket, {"shop": {A: fresh, A_CACHED: cached}}, frozenset({"shop"}), {})

    assert moved(of(90, 10), of(10, 90)) == {"cache": Decimal(-72)}


def test_a_project_that_began_is_new_and_not_volume() -> None:
    both = Period(
        {A: Line(150, Decimal(150))}, {"shop": {A: 100}, "search": {A: 50}}, frozenset({"shop", "search"}), {}
    )
    found = crossed(period({A: 100}), both)
    assert {name: amount for name, amount in found.parts.items() if amount} == {"new": Decimal(50)}
    assert found.by_project["new"] == {"search": Decimal(50)}


def test_a_price_cut_alone_is_a_price() -> None:
    assert moved(period({A: 100}, "2"), period({A: 100}, "1")) == {"price": Decimal(-100)}


def test_projects_that_do_not_sum_to_the_basket_are_refused() -> None:
    with pytest.raises(ValueError, match="all together"):
        Period({A: Line(5, Decimal(5))}, {"shop": {A: 4}}, frozenset({"shop"}), {})


def test_the_parts_are_told_in_a_fixed_order_and_none_is_missing() -> None:
    assert list(itertools.islice(crossed(period({}), period({})).parts, len(OF_ITEMS))) == list(OF_ITEMS)
