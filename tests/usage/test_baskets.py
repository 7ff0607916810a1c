"""Price indices and the Bennet parts of a change, against a recomputation in fractions that shares no code."""

from __future__ import annotations

import random
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage.baskets import Line, Parts, bennet, chained, compared, fisher, laspeyres, paasche

Basket = Mapping[Any, Line]
GRAIN = Fraction(1, 10**12)
ITEMS = tuple("abcdefgh")
money = st.integers(0, 10**20).map(lambda grains: Decimal(grains).scaleb(-12))
quantities = st.one_of(st.integers(1, 9), st.integers(1, 10**13))
lines = st.one_of(
    st.builds(Line, quantities, money),  # free where the money is 0
    st.builds(Line, quantities, st.none()),
    st.builds(lambda q, native, rate: Line(q, native * rate, native, "CNY"), quantities, money, st.integers(1, 9)),
    st.builds(Line, st.just(0), money.map(lambda amount: amount - 5)),
)
baskets = st.dictionaries(st.sampled_from(ITEMS), lines)
priced = st.dictionaries(st.sampled_from(ITEMS), st.builds(Line, quantities, money.map(lambda amount: amount + 1)))


def half_away(amount: Fraction) -> Fraction:
    grains = amount / GRAIN
    whole = abs(grains).__floor__()
    whole += abs(grains) - whole >= Fraction(1, 2)
    return (whole if grains > 0 else -whole) * GRAIN


def by_brute_force(before: Basket, after: Basket) -> dict[str, Fraction]:
    """Each part by its definition, one rounding of the price effect (and of the rates' part of it) an item."""
    found = dict.fromkeys(("price", "exchange", "volume", "new", "ended", "unknown", "remainder"), Fraction(0))
    half = Fraction(1, 2)
    for item in ITEMS:
        old, new = (b.get(item, Line(0, Decimal(0))) for b in (before, after))
        if old.value is None or new.value is None:
            found["unknown"] += Fraction(new.value or 0) - Fraction(old.value or 0)
            continue
        v0, v1, q0, q1 = (Fraction(x) for x in (old.value, new.value, old.quantity, new.quantity))
        if (not q0 and v0) or (not q1 and v1):
            found["remainder"] += v1 - v0
        elif not q0 or not q1:
            found["new" if q1 else "ended"] += v1 - v0
        else:
            p0, p1 = v0 / q0, v1 / q1
            price = half_away(half * (q0 + q1) * (p1 - p0))
            rates = Fraction(0)
            if old.native and new.native:
                n0, n1 = Fraction(old.native) / q0, Fraction(new.native) / q1
                rates = half_away(half * (q0 + q1) * half * (n0 + n1) * (p1 / n1 - p0 / n0))
            found["price"] += price - rates
            found["exchange"] += rates
            volume = half * (p0 + p1) * (q1 - q0)
            assert abs(v1 - v0 - price - volume) <= GRAIN / 2
            found["volume"] += v1 - v0 - price
    return found


def known(basket: Basket) -> Fraction:
    return sum((Fraction(line.value) for line in basket.values() if line.value is not None), Fraction(0))


def as_fractions(parts: Parts) -> dict[str, Fraction]:
    return {name: Fraction(getattr(parts, name)) for name in Parts.__slots__}


@settings(max_examples=500, deadline=None)
@given(baskets, baskets)
def test_the_parts_are_those_of_the_definition_and_sum_exactly_to_the_change(before: Basket, after: Basket) -> None:
    change = bennet(before, after)
    assert as_fractions(change.parts) == by_brute_force(before, after)
    assert Fraction(change.parts.change) == known(after) - known(before)
    for item, parts in change.by_item.items():
        ends = ({item: basket[item]} if item in basket else {} for basket in (before, after))
        assert as_fractions(parts) == by_brute_force(*ends)
    missing = {item for basket in (before, after) for item, line in basket.items() if line.value is None}
    assert change.unknown_items == len(missing)


@settings(max_examples=100, deadline=None)
@given(baskets, baskets, st.randoms())
def test_the_order_of_items_does_not_matter(before: Basket, after: Basket, chance: random.Random) -> None:
    def shuffled(basket: Basket) -> Basket:
        items = list(basket.items())
        chance.shuffle(items)
        return dict(items)

    again = bennet(shuffled(before), shuffled(after))
    assert again == bennet(before, after)
    assert again.parts == bennet(before, after).parts
    assert compared(shuffled(before), shuffled(after)) == compared(before, after)


@settings(max_examples=100, deadline=None)
@given(baskets, baskets)
def test_backwards_in_time_every_part_changes_its_sign(before: Basket, after: Basket) -> None:
    there, back = bennet(before, after).parts, bennet(after, before).parts
    for name in ("price", "exchange", "volume", "unknown", "remainder"):
        assert getattr(there, name) == -getattr(back, name)
    assert (there.new, there.ended) == (-back.ended, -back.new)


@settings(max_examples=100, deadline=None)
@given(st.lists(baskets, min_size=2, max_size=6))
def test_months_add_to_the_change_from_the_first_to_the_last(months: list[Basket]) -> None:
    total = sum((bennet(one, two).parts for one, two in zip(months, months[1:], strict=False)), Parts())
    assert Fraction(total.change) == known(months[-1]) - known(months[0])


@settings(max_examples=200, deadline=None)
@given(priced, priced)
def test_the_indices_are_those_of_the_definition(before: Basket, after: Basket) -> None:
    found = compared(before, after)
    both = [(before[item], after[item]) for item in ITEMS if item in before and item in after]
    if not both:
        assert (found.laspeyres, found.paasche, found.fisher) == (None, None, None)
        assert found.reason
        return
    amounts = [(Fraction(o.value or 0), o.quantity, Fraction(n.value or 0), n.quantity) for o, n in both]
    by_old = sum(v1 / q1 * q0 for _, q0, v1, q1 in amounts) / sum(v0 for v0, *_ in amounts)
    by_new = sum(v1 for _, _, v1, _ in amounts) / sum(v0 / q0 * q1 for v0, q0, _, q1 in amounts)
    assert None not in (found.laspeyres, found.paasche, found.fisher)
    for ours, exact in ((found.laspeyres or 0, by_old), (found.paasche or 0, by_new)):
        assert abs(Fraction(ours) / exact - 1) < Fraction(1, 10**38)
    middle = found.fisher or Decimal(0)
    assert abs(Fraction(middle) ** 2 / (by_old * by_new) - 1) < Fraction(1, 10**38)
    assert min(found.laspeyres or 0, found.paasche or 0) <= middle <= max(found.laspeyres or 0, found.paasche or 0)
    assert abs(middle * (fisher(after, before) or 0) - 1) < Decimal("1e-26")
    assert (laspeyres(before, after), paasche(before, after)) == (found.laspeyres, found.paasche)
    assert laspeyres(before, before) == paasche(before, before) == fisher(before, before) == 1
    matched = sum(v0 for v0, *_ in amounts) / known(before)
    assert abs(Fraction(found.matched_before or 0) - matched) < Fraction(1, 10**38)


def test_a_price_alone_has_no_volume_and_a_volume_alone_no_price() -> None:
    third = {"a": Line(3, Decimal("0.000000000001"))}
    assert bennet(third, {"a": Line(3, Decimal("0.000000000002"))}).parts == Parts(price=Decimal("1e-12"))
    assert bennet({"a": Line(3, Decimal(1))}, {"a": Line(6, Decimal(2))}).parts == Parts(volume=Decimal(1))


def test_free_is_a_price_and_unknown_is_none() -> None:
    free, dear, unknown = ({"a": Line(10, value)} for value in (Decimal(0), Decimal(5), None))
    assert bennet(dear, free).parts == Parts(price=Decimal(-5))
    assert bennet(dear, unknown).parts == Parts(unknown=Decimal(-5))
    assert bennet(dear, unknown).unknown_items == 1
    assert laspeyres(dear, free) == 0
    assert compared(free, dear).reason == "All that is priced in both months was free before."
    assert compared(dear, unknown).reason == "Nothing has a known price in both months."


def test_money_without_a_quantity_is_neither_price_nor_volume() -> None:
    fee, used = {"a": Line(0, Decimal(-3))}, {"a": Line(10, Decimal(5))}
    assert bennet(fee, used).parts == Parts(remainder=Decimal(8))
    assert bennet({}, fee).parts == Parts(remainder=Decimal(-3))
    assert bennet({"a": Line(0, Decimal(0))}, used).parts == Parts(new=Decimal(5))


def test_what_a_rate_made_is_told_from_what_the_seller_did() -> None:
    """10 tokens at 1 CNY and 0.1, then 10 tokens at 1 CNY and 0.2: the rate; at 2 CNY and 0.1: the price."""
    before = {"a": Line(10, Decimal(1), Decimal(10), "CNY")}
    assert bennet(before, {"a": Line(10, Decimal(2), Decimal(10), "CNY")}).parts == Parts(exchange=Decimal(1))
    assert bennet(before, {"a": Line(10, Decimal(2), Decimal(20), "CNY")}).parts == Parts(price=Decimal(1))
    assert bennet(before, {"a": Line(10, Decimal(2), Decimal(20), "EUR")}).parts == Parts(price=Decimal(1))


def test_a_chain_starts_at_100_multiplies_and_bridges_a_month_without_a_match() -> None:
    def month(**prices: str) -> Basket:
        return {item: Line(10, Decimal(price)) for item, price in prices.items()}

    levels = chained([{}, month(a="8"), month(a="4", b="1"), month(c="7"), month(a="6"), month(a="3")])
    assert [level.fisher for level in levels] == [None, 100, 50, None, 75, Decimal("37.5")]
    assert [level.base for level in levels] == [None, None, 1, 2, 2, 4]
    assert levels[0].link.reason == "Nothing has a known price in this month."
    assert levels[3].link.reason == "Nothing has a known price in both months."
    assert (levels[2].link.matched_before, levels[2].link.matched_after) == (1, Decimal("0.8"))


@pytest.mark.parametrize(("quantity", "value"), [(-1, Decimal(1)), (1, Decimal(-1))])
def test_no_quantity_and_no_price_is_negative(quantity: int, value: Decimal) -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        Line(quantity, value)
