from __future__ import annotations

import itertools
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.frontier import (
    CHAT_MIX,
    NOT_MATCHED,
    NOT_PRICED,
    NOT_SOLD,
    SAME_POINT,
    Dominated,
    Frontier,
    Mix,
    Offer,
    Point,
    Rated,
    blend,
    frontier,
    multiple,
    points,
    select,
)


def make_point(key: str, price: str, rating: str, half: str | None = None, votes: int | None = None) -> Point:
    value = Decimal(rating)
    low, high = (value - Decimal(half), value + Decimal(half)) if half else (None, None)
    return Point(key, key.title(), Decimal(price), value, low, high, votes)


def make_offer(
    model: str, provider: str, cost: str = "1", output: str | None = None, *, sku: str = "", **rest: Any
) -> Offer:
    prices_by_unit = {"input": Decimal(cost), "output": Decimal(output or cost)}
    return Offer(model, provider, sku or model, prices_by_unit, **rest)


def make_rated(name: str, model: str | None, rating: str = "1400", effort: str = "", votes: int = 100) -> Rated:
    return Rated(name, model, Decimal(rating), effort, votes=votes)


# Few distinct values, so that equal prices and equal ratings happen often.
amounts = st.sampled_from(["0", "0.05", "0.1", "0.24", "1", "1.50", "4", "10", "93.75"]).map(Decimal)
prices = st.one_of(amounts, st.decimals(0, 1000, places=12))
ratings = st.one_of(st.sampled_from(["1350", "1400", "1400.1", "1500"]).map(Decimal), st.decimals(1000, 1600, places=4))
point_lists = st.lists(st.tuples(prices, ratings, st.integers(0, 3), st.decimals(0, 20, places=1)), max_size=14).map(
    lambda rows: [
        Point(f"m{index:02}", f"Model {index}", price, rating, rating - half, rating + half, votes)
        for index, (price, rating, votes, half) in enumerate(rows)
    ]
)


def beats(one: Point, other: Point) -> bool:
    """Plain Pareto dominance: no worse in both, better in one."""
    no_worse = one.price <= other.price and one.rating >= other.rating
    return no_worse and (one.price < other.price or one.rating > other.rating)


def all_points(found: Frontier) -> list[Point]:
    return [*found.points, *(loser.point for loser in found.dominated)]


class TestFrontier:
    def test_the_cheapest_and_the_best_are_on_it_and_what_costs_more_for_less_is_not(self) -> None:
        cheap, middle, best = (
            make_point("cheap", "0.1", "1350"),
            make_point("middle", "1.5", "1496"),
            make_point("best", "4", "1524"),
        )
        dear = make_point("dear", "10", "1491")

        assert frontier([dear, best, cheap, middle]) == Frontier(
            points=(cheap, middle, best),
            dominated=(Dominated(dear, middle, Decimal("6.666666666667")),),
        )

    def test_of_points_equal_in_price_and_rating_the_one_with_more_votes_is_on_it(self) -> None:
        few, many = make_point("a", "1", "1400", votes=10), make_point("b", "1", "1400", votes=99)

        assert frontier([few, many]) == Frontier((many,), (Dominated(few, many, Decimal(1)),))

    def test_of_points_equal_in_all_but_name_the_first_by_name_is_on_it(self) -> None:
        first, second = make_point("a", "1", "1400"), make_point("b", "1", "1400")

        assert frontier([second, first]).points == (first,)

    def test_a_free_frontier_point_is_no_base_for_a_multiple(self) -> None:
        free, paid = make_point("free", "0", "1400"), make_point("paid", "1", "1300")

        assert frontier([paid, free]).dominated == (Dominated(paid, free, None),)

    def test_without_points_there_is_no_best(self) -> None:
        empty = frontier([])

        assert (empty.points, empty.dominated, empty.best) == ((), (), None)
        assert empty.cheapest_at(Decimal(0)) is None
        assert empty.cheapest_tied(make_point("x", "1", "1400")) is None

    def test_one_key_is_one_point(self) -> None:
        with pytest.raises(ValueError, match="a is there twice"):
            frontier([make_point("a", "1", "1400"), make_point("a", "2", "1500")])

    @pytest.mark.parametrize(
        ("price", "rating"), [("-0.01", "1400"), ("NaN", "1400"), ("Infinity", "1400"), ("1", "NaN")]
    )
    def test_a_point_has_a_price_of_zero_or_more_and_a_finite_rating(self, price: str, rating: str) -> None:
        with pytest.raises(ValueError, match="m: a point needs"):
            make_point("m", price, rating)

    @given(point_lists)
    def test_every_point_is_there_once(self, given_points: list[Point]) -> None:
        found = all_points(frontier(given_points))

        assert sorted(found, key=lambda point: point.key) == given_points

    @given(point_lists)
    def test_nothing_beats_a_frontier_point(self, given_points: list[Point]) -> None:
        for winner in frontier(given_points).points:
            assert not any(beats(other, winner) for other in given_points)

    @given(point_lists)
    def test_each_other_point_is_matched_or_beaten_by_its_cheapest_equal(self, given_points: list[Point]) -> None:
        found = frontier(given_points)
        for loser in found.dominated:
            cheapest = loser.cheapest_equal
            as_good = [other for other in given_points if other.rating >= loser.point.rating]
            assert cheapest in found.points
            assert cheapest.rating >= loser.point.rating
            assert cheapest.price == min(other.price for other in as_good)
            same_place = (cheapest.price, cheapest.rating) == (loser.point.price, loser.point.rating)
            assert beats(cheapest, loser.point) or same_place

    @given(point_lists)
    def test_price_and_rating_rise_together_along_it(self, given_points: list[Point]) -> None:
        for lower, upper in itertools.pairwise(frontier(given_points).points):
            assert lower.price < upper.price
            assert lower.rating < upper.rating

    @given(point_lists, st.randoms(use_true_random=False))
    def test_the_order_given_does_not_matter(self, given_points: list[Point], chance: object) -> None:
        shuffled = list(given_points)
        chance.shuffle(shuffled)  # type: ignore[attr-defined]

        assert frontier(shuffled) == frontier(given_points)

    @given(point_lists.filter(bool), st.data())
    def test_adding_a_dominated_point_leaves_the_rest_as_it_was(
        self, given_points: list[Point], data: st.DataObject
    ) -> None:
        before = frontier(given_points)
        winner = data.draw(st.sampled_from(before.points))
        worse = Point("zz", "", winner.price + data.draw(amounts), winner.rating - data.draw(amounts))
        after = frontier([*given_points, worse])

        assert after.points == before.points
        assert [loser for loser in after.dominated if loser.point.key != "zz"] == list(before.dominated)

    @given(point_lists)
    def test_taking_all_dominated_points_away_leaves_the_frontier(self, given_points: list[Point]) -> None:
        found = frontier(given_points)

        assert frontier(found.points) == Frontier(found.points, ())

    @given(point_lists, prices, ratings)
    def test_a_new_point_never_makes_a_rating_dearer(
        self, given_points: list[Point], price: Decimal, rating: Decimal
    ) -> None:
        before, after = frontier(given_points), frontier([*given_points, Point("zz", "", price, rating)])
        for point in given_points:
            old, new = before.cheapest_at(point.rating), after.cheapest_at(point.rating)
            assert old is not None
            assert new is not None
            assert new.price <= old.price

    @given(point_lists)
    def test_a_multiple_is_the_exact_ratio_rounded_once_and_never_below_one(self, given_points: list[Point]) -> None:
        for loser in frontier(given_points).dominated:
            if loser.multiple is None:
                assert loser.cheapest_equal.price == 0
                continue
            ratio = Fraction(loser.point.price) / Fraction(loser.cheapest_equal.price)
            assert loser.multiple >= 1
            assert abs(Fraction(loser.multiple) - ratio) <= Fraction(1, 2 * 10**12)


class TestBands:
    @given(point_lists.filter(bool), st.decimals(0, 200, places=1), st.decimals(0, 200, places=1))
    def test_giving_up_more_points_never_costs_more(
        self, given_points: list[Point], some: Decimal, more: Decimal
    ) -> None:
        found = frontier(given_points)
        some, more = sorted((some, more))
        for point in given_points:
            near, far = found.within(some, point), found.within(more, point)
            assert near is not None
            assert far is not None
            assert far.price <= near.price <= point.price
            assert near.rating >= point.rating - some

    def test_within_zero_is_the_cheapest_equal(self) -> None:
        cheap, dear = make_point("cheap", "1", "1500"), make_point("dear", "9", "1500")

        assert frontier([dear, cheap]).within(Decimal(0), dear) == cheap

    def test_the_edge_of_the_band_is_inside_it(self) -> None:
        best, below = make_point("best", "4", "1500"), make_point("below", "0.24", "1450")
        found = frontier([best, below])

        assert found.within(Decimal(50), best) == below
        assert found.within(Decimal("49.9999"), best) == best

    def test_nothing_is_rated_above_the_best(self) -> None:
        assert frontier([make_point("best", "4", "1500")]).cheapest_at(Decimal("1500.0001")) is None

    def test_intervals_that_touch_overlap(self) -> None:
        low, high = make_point("low", "1", "1490", half="5"), make_point("high", "1", "1500", half="5")
        higher = make_point("higher", "1", "1500.1", half="5")

        assert low.overlaps(high) is True
        assert high.overlaps(low) is True
        assert low.overlaps(higher) is False

    def test_whether_an_unknown_interval_overlaps_is_unknown(self) -> None:
        assert make_point("a", "1", "1400").overlaps(make_point("b", "1", "1400", half="5")) is None

    def test_the_cheapest_tied_may_lie_off_the_frontier(self) -> None:
        best = make_point("best", "4", "1500", half="3")
        winner = make_point("winner", "0.5", "1480", half="2")
        unsure = make_point("unsure", "1", "1470", half="40")

        assert frontier([best, winner, unsure]).cheapest_tied(best) == unsure

    def test_a_point_without_interval_is_tied_with_what_is_rated_as_high(self) -> None:
        bare, cheaper = make_point("bare", "4", "1400"), make_point("cheaper", "1", "1400")

        assert frontier([bare, cheaper]).cheapest_tied(bare) == cheaper


class TestBlend:
    def test_three_input_to_one_output(self) -> None:
        assert blend({"input": Decimal("0.75"), "output": Decimal("3.75")}) == Decimal("1.5")

    def test_an_unknown_price_makes_the_blend_unknown_not_zero(self) -> None:
        assert blend({"input": Decimal(1), "output": None}) is None
        assert blend({"input": Decimal(1)}) is None
        assert blend({}) is None

    def test_a_unit_without_weight_need_not_be_priced(self) -> None:
        prices_by_unit = {"input": Decimal(2), "output": Decimal(8), "cache_read": None}

        assert blend(prices_by_unit, Mix.parse("3:1:0")) == Decimal("3.5")
        assert blend(prices_by_unit, Mix.parse("3:1:2")) is None

    def test_free_is_a_price(self) -> None:
        assert blend({"input": Decimal(0), "output": Decimal(0)}) == 0

    def test_it_is_rounded_once_half_away_from_zero(self) -> None:
        tiny = Decimal("0.000000000001")

        assert blend({"input": tiny, "output": Decimal(0)}, Mix.parse("1:1")) == tiny
        assert blend({"input": tiny, "output": Decimal(0)}, Mix.parse("1:2")) == 0

    @given(
        st.lists(prices, min_size=3, max_size=3),
        st.lists(st.decimals(1, 100, places=3), min_size=3, max_size=3),
    )
    def test_it_is_the_exact_weighted_mean(self, unit_prices: list[Decimal], weights: list[Decimal]) -> None:
        found = blend(dict(zip(("input", "output", "cache_read"), unit_prices, strict=True)), Mix(*weights))
        weighted = sum(Fraction(p) * Fraction(w) for p, w in zip(unit_prices, weights, strict=True))

        assert found is not None
        assert abs(Fraction(found) - weighted / Fraction(sum(weights))) <= Fraction(1, 2 * 10**12)
        assert min(unit_prices) <= found <= max(unit_prices)

    def test_a_mix_and_its_double_give_one_price(self) -> None:
        prices_by_unit = {"input": Decimal("0.1312"), "output": Decimal("0.77")}

        assert blend(prices_by_unit, Mix.parse("6:2")) == blend(prices_by_unit, CHAT_MIX)

    @pytest.mark.parametrize("text", ["3:1", "3:1:0", " 3 : 1 "])
    def test_a_mix_is_written_input_output_and_cache_read(self, text: str) -> None:
        assert Mix.parse(text) == CHAT_MIX
        assert str(Mix.parse(text)) == "3:1:0"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "3",
            "3:1:0:0:0",
            "3:1+batch:0:0",
            "3:1+batch:1:1+batch:1:1",
            "a:b",
            "-1:1",
            "0:0",
            "NaN:1",
            "Infinity:1",
            "1e999999:1",
            "1:1e-99",
            "3;1",
        ],
    )
    def test_what_is_no_mix_is_refused_with_a_sentence(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"token mix .*\.$"):
            Mix.parse(text)

    def test_a_multiple_of_nothing_is_unknown(self) -> None:
        assert multiple(Decimal(3), Decimal(0)) is None
        assert multiple(Decimal(4), Decimal("0.5")) == 8


class TestSelect:
    def test_the_makers_list_price_goes_before_a_cheaper_host(self) -> None:
        theirs = make_offer("m", "maker", "2", first_party=True)

        (point,) = points([make_rated("M", "m")], [make_offer("m", "host", "1"), theirs])

        assert (point.price, point.provider, point.first_party) == (Decimal(2), "maker", True)

    def test_what_the_maker_does_not_sell_is_priced_at_the_cheapest_host_by_name(self) -> None:
        offers = [make_offer("m", "dear", "3"), make_offer("m", "cheap", "1"), make_offer("m", "middle", "2")]

        (point,) = points([make_rated("M", "m")], offers)

        assert (point.price, point.provider, point.first_party) == (Decimal(1), "cheap", False)

    def test_cheapest_depends_on_the_mix(self) -> None:
        offers = [make_offer("m", "reads", "1", "9"), make_offer("m", "writes", "2", "4")]
        score = [make_rated("M", "m")]

        assert points(score, offers, Mix.parse("10:1"))[0].provider == "reads"
        assert points(score, offers, Mix.parse("1:1"))[0].provider == "writes"

    @pytest.mark.parametrize(
        "condition", [{"service_tier": "batch"}, {"context_from": 200_000}, {"schedule": "deepseek:peak"}]
    )
    def test_only_standard_base_context_all_hours_prices_compare(self, condition: dict[str, Any]) -> None:
        offers = [make_offer("m", "maker", "1", first_party=True, **condition), make_offer("m", "host", "5")]

        assert points([make_rated("M", "m")], offers)[0].provider == "host"

    def test_a_makers_price_without_region_goes_before_a_regional_one(self) -> None:
        home = make_offer("m", "maker", "2", first_party=True)
        abroad = make_offer("m", "maker", "1", first_party=True, region="cn")

        assert points([make_rated("M", "m")], [abroad, home])[0].region == ""

    def test_a_makers_own_id_goes_before_its_alias(self) -> None:
        alias = make_offer("m", "maker", "1", first_party=True, sku="m-latest")
        own = make_offer("m", "maker", "2", first_party=True)

        assert points([make_rated("M", "m")], [alias, own])[0].sku == "m"

    def test_a_free_offer_is_taken_only_where_no_paid_one_exists(self) -> None:
        gift = make_offer("m", "maker", "0", first_party=True)
        offers = [gift, make_offer("m", "host", "1"), make_offer("n", "gift", "0")]

        found = select([make_rated("M", "m"), make_rated("N", "n")], offers)

        assert [(point.key, point.provider) for point in found.points] == [("m", "host")]
        assert [(point.key, point.provider) for point in found.free] == [("n", "gift")]

    def test_an_effort_is_a_point_of_its_own_at_the_same_price(self) -> None:
        scores = [make_rated("M (High)", "m", "1450", "high"), make_rated("M", "m", "1400")]

        found = points(scores, [make_offer("m", "host")])

        assert [(point.key, point.effort, point.rating) for point in found] == [
            ("m@high", "high", Decimal(1450)),
            ("m", "", Decimal(1400)),
        ]

    def test_two_names_of_one_model_and_effort_are_one_point(self) -> None:
        scores = [make_rated("M 1", "m", "1500", votes=10), make_rated("m-1", "m", "1400", votes=999)]

        found = select(scores, [make_offer("m", "host")])

        assert [point.label for point in found.points] == ["m-1"]
        assert [(name.display_name, name.reason) for name in found.unmatched] == [("M 1", SAME_POINT)]

    def test_each_score_without_a_price_is_listed_with_its_reason(self) -> None:
        scores = [
            make_rated("A", None, "1300"),
            make_rated("B", "gone", "1200"),
            make_rated("C", "half", "1100"),
        ]
        half = Offer("half", "host", "half", {"input": Decimal(1), "output": None})

        found = select(scores, [half])

        assert found.points == found.free == ()
        assert [(name.display_name, name.reason) for name in found.unmatched] == [
            ("A", NOT_MATCHED),
            ("B", NOT_SOLD),
            ("C", NOT_PRICED),
        ]

    def test_a_maker_without_a_known_price_gives_way_to_a_host(self) -> None:
        theirs = Offer("m", "maker", "m", {"input": Decimal(1)}, first_party=True)

        assert points([make_rated("M", "m")], [theirs, make_offer("m", "host", "7")])[0].provider == "host"

    @given(
        st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from(["", "high"])), max_size=12),
        st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), amounts, st.booleans()), max_size=12),
        st.randoms(use_true_random=False),
    )
    def test_every_score_is_there_once_whatever_the_order(
        self,
        names: list[tuple[str | None, str]],
        sold: list[tuple[str, str, Decimal, bool]],
        chance: object,
    ) -> None:
        scores = [make_rated(f"S{i}", model, effort=effort, votes=i) for i, (model, effort) in enumerate(names)]
        offers = [
            make_offer(model, provider, str(amount), first_party=maker, sku=f"{model}{i}")
            for i, (model, provider, amount, maker) in enumerate(sold)
        ]
        found = select(scores, offers)
        labels = [point.label for point in (*found.points, *found.free)]
        labels += [name.display_name for name in found.unmatched]
        chance.shuffle(scores)  # type: ignore[attr-defined]
        chance.shuffle(offers)  # type: ignore[attr-defined]

        assert sorted(labels) == sorted(score.display_name for score in scores)
        assert select(scores, offers) == found
        assert all(point.price for point in found.points)
        frontier(found.points)
