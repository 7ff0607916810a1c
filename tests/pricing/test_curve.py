"""The curve against an oracle that knows no cleverness: every price by hand, every pair of models compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.answers.quality import price_per_quality
from pricing.frontier import (
    MEASURED,
    NOT_MEASURED,
    NOT_PRICED,
    NOT_YET_SOLD,
    Curve,
    Mix,
    Offer,
    Rated,
    Terms,
    Traits,
    Wanted,
    Wish,
    curve,
)
from pricing.models import Offering, Price, Score
from pricing.models.evidence import Basis

D = Decimal
TRIALS = ("preview", "experimental", "exp", "beta", "alpha")


@dataclass(frozen=True)
class Drawn:
    """One model at one price, as the oracle sees it."""

    key: str
    price: Fraction
    rating: Decimal
    votes: int

    def beats(self, other: Drawn) -> bool:
        no_worse = self.price <= other.price and self.rating >= other.rating
        return no_worse and (self.price < other.price or self.rating > other.rating)


def is_trial(sku: str) -> bool:
    words = sku.lower()
    for mark in "-_/.:@":
        words = words.replace(mark, " ")
    return any(word.rstrip("0123456789") in TRIALS for word in words.split())


def best_offer(sold: Iterable[tuple[Fraction, Offer]]) -> tuple[Fraction, Offer] | None:
    """Money before nothing, a release before a trial, what was known by the day before what was not, then the maker
    (plain, then by its own id), then the cheapest."""
    left = list(sold)
    for wanted in (
        lambda price, _: price > 0,
        lambda _, offer: not is_trial(offer.sku),
        lambda _, offer: not offer.undated,
        lambda _, offer: offer.first_party,
        lambda _, offer: not offer.first_party or offer.region in ("", "global"),
        lambda _, offer: not offer.first_party or offer.sku == offer.model,
    ):
        left = [one for one in left if wanted(*one)] or left
    least = min((price for price, _ in left), default=None)
    left = [one for one in left if one[0] == least]
    return min(left, key=lambda one: (one[1].provider, one[1].sku, one[1].region), default=None)


def blended(offer: Offer, mix: Mix) -> Fraction | None:
    total = weights = Fraction(0)
    for unit, weight in (("input", mix.input), ("output", mix.output), ("cache_read", mix.cache_read)):
        if weight:
            price = offer.usd_per_mtok_by_unit.get(unit)
            if price is None:
                return None
            total += Fraction(price) * Fraction(weight)
            weights += Fraction(weight)
    return total / weights


def oracle(scores: Iterable[Rated], offers: Iterable[Offer], mix: Mix) -> list[Drawn]:
    """Every score that has a price above zero at a release, one a model and effort."""
    every = list(offers)
    best: dict[str, Drawn] = {}
    for score in sorted(scores, key=lambda score: (-(score.votes or 0), score.display_name)):
        sold = [
            (price, offer)
            for offer in every
            if offer.model == score.model
            and not offer.sku.endswith(":batch")
            and (price := blended(offer, mix)) is not None
        ]
        found = best_offer(sold)
        if found is None or not found[0] or is_trial(found[1].sku):
            continue
        key = f"{score.model}@{score.effort}" if score.effort else str(score.model)
        best.setdefault(key, Drawn(key, found[0], score.rating, score.votes or 0))
    return list(best.values())


def undominated(points: list[Drawn]) -> list[str]:
    """What nothing beats, cheapest first; of equals the most judged, then the first by name."""
    kept = []
    for one in points:
        equals = [other for other in points if (other.price, other.rating) == (one.price, one.rating)]
        first = min(equals, key=lambda other: (-other.votes, other.key))
        if first is one and not any(other.beats(one) for other in points):
            kept.append(one)
    return [one.key for one in sorted(kept, key=lambda one: one.price)]


def agrees(found: Curve, points: list[Drawn]) -> None:
    assert {point.key: point.rating for point in found.selection.points} == {one.key: one.rating for one in points}
    for point in found.selection.points:
        exact = next(one.price for one in points if one.key == point.key)
        assert abs(Fraction(point.price) - exact) <= Fraction(1, 2 * 10**12)
    assert [point.key for point in found.frontier.points] == undominated(points)
    by_key = {one.key: one for one in points}
    for lost in found.frontier.dominated:
        as_good = [one for one in points if one.rating >= lost.point.rating]
        assert by_key[lost.cheapest_equal.key].price == min(one.price for one in as_good)
        assert lost.cheapest_equal.rating >= lost.point.rating


# Few values, so that ties, missing prices, free offers and previews happen often.
amounts = st.sampled_from([None, "0", "0.1", "0.1", "1", "4"]).map(lambda text: None if text is None else D(text))
skus = st.sampled_from(["m0", "m1", "m2", "m1-preview", "m2-beta", "host/m0", "host/m1-exp", "m0:batch"])
models = st.sampled_from(["m0", "m1", "m2"])
offer_lists = st.lists(
    st.builds(
        lambda model, provider, sku, inp, out, cached, region, undated: Offer(
            model, provider, sku, {"input": inp, "output": out, "cache_read": cached}, provider == "maker", region,
            undated=undated,
        ),
        models, st.sampled_from(["maker", "a", "b"]), skus, amounts, amounts, amounts,
        st.sampled_from(["", "", "eu", "global"]), st.booleans(),
    ),
    max_size=9,
    unique_by=lambda offer: (offer.provider, offer.sku, offer.region, offer.model),
)  # fmt: skip
rated_lists = st.lists(
    st.builds(
        lambda name, model, rating, effort, votes: Rated(name, model, D(rating), effort, votes=votes),
        st.sampled_from("abcdefgh"), st.one_of(st.none(), models), st.sampled_from(["1300", "1400", "1400.1"]),
        st.sampled_from(["", "high", "low"]), st.integers(0, 2),
    ),
    max_size=9,
    unique_by=lambda score: score.display_name,
)  # fmt: skip
mixes = st.sampled_from([Mix(), Mix(D(2), D(1), D(18)), Mix(D(0), D(1))])


class TestAgainstTheOracle:
    @given(rated_lists, offer_lists, mixes)
    def test_points_frontier_and_cheapest_equals_are_the_oracles(
        self, scores: list[Rated], offers: list[Offer], mix: Mix
    ) -> None:
        agrees(curve(scores, offers, Wish(mix)), oracle(scores, offers, mix))

    @given(rated_lists, offer_lists, mixes)
    def test_an_effort_never_has_the_score_of_another(self, scores: list[Rated], offers: list[Offer], mix: Mix) -> None:
        given_scores = {(score.model, score.effort, score.rating) for score in scores}
        for point in curve(scores, offers, Wish(mix)).selection.points:
            assert (point.model, point.effort, point.rating) in given_scores

    @given(rated_lists, offer_lists, mixes, st.booleans(), st.booleans())
    def test_what_is_free_a_preview_or_unpriced_is_cheapest_only_where_it_was_asked_for(
        self, scores: list[Rated], offers: list[Offer], mix: Mix, free: bool, previews: bool
    ) -> None:
        found = curve(scores, offers, Wish(mix, terms=Terms(free=free, previews=previews)))
        for point in found.frontier.every:
            assert point.offer is not None
            assert free or point.price
            assert previews or not is_trial(point.sku)
            assert blended(point.offer, mix) is not None
        told = len(found.frontier.every) + len(found.selection.free) + len(found.selection.previews)
        assert told + len(found.selection.unmatched) == len(scores)

    @given(rated_lists, offer_lists, mixes, st.sampled_from(["0", "0.1", "100"]))
    def test_nothing_in_the_band_is_cheaper_than_its_cheapest_and_nothing_below_it_is_in_it(
        self, scores: list[Rated], offers: list[Offer], mix: Mix, delta: str
    ) -> None:
        for score in scores:
            band = curve(scores, offers, Wish(mix, near=score.key, delta=D(delta))).band
            assert band is not None
            points = oracle(scores, offers, mix)
            inside = [one for one in points if one.rating >= band.of.rating - D(delta)]
            assert {point.key for point in band.inside} == {one.key for one in inside}
            if band.cheapest:
                least = min(one.price for one in inside)
                assert next(one.price for one in inside if one.key == band.cheapest.key) == least
                ties = {one.key for one in inside if one.price == least} - {band.cheapest.key}
                assert {point.key for point in band.ties} == ties

    @given(offer_lists, mixes)
    def test_sellers_are_each_sellers_cheapest_paid_release_cheapest_first(self, offers: list[Offer], mix: Mix) -> None:
        found = curve([Rated("a", "m1", D(1400))], offers, Wish(mix, sold="m1")).sellers
        told = {offer.provider: price for price, offer in found}
        expected: dict[str, Fraction] = {}
        for offer in offers:
            price = blended(offer, mix)
            if offer.model == "m1" and price and not is_trial(offer.sku) and not offer.sku.endswith(":batch"):
                expected[offer.provider] = min(price, expected.get(offer.provider, price))
        assert told.keys() == expected.keys()
        assert all(abs(Fraction(told[one]) - expected[one]) <= Fraction(1, 10**12) for one in told)
        assert [price for price, _ in found] == sorted(price for price, _ in found)


@pytest.mark.django_db
@pytest.mark.usefixtures("catalogue")
class TestBundledData:
    @pytest.mark.parametrize(
        ("day", "mix"),
        [
            (date(2026, 11, 20), "3:1"), (date(2026, 11, 20), "2:1:18"), (date(2025, 8, 15), "3:1"),
            (date(2025, 8, 15), "2:1:18"), (date(2024, 8, 20), "3:1"),
        ],
    )  # fmt: skip
    def test_the_frontier_of_today_and_of_past_augusts_is_the_oracles(self, day: date, mix: str) -> None:
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        table = max(found for found in Score.objects.days("arena", "overall") if found <= day)
        rows = Score.objects.filter(benchmark__slug="arena", category="overall", observed_on=table)
        scores = [
            Rated(row.display_name, row.model.slug if row.model else None, row.value, row.effort, votes=row.n)
            for row in rows.select_related("model")
        ]
        mix_units = ("input", "output", "cache_read")[: len(mix.split(":"))]
        points = oracle(scores, _offers({score.model for score in scores}, at, mix_units), Mix.parse(mix))
        told = price_per_quality("arena", "overall", Wish(Mix.parse(mix)), at)

        assert told["observed_on"] == table.isoformat()
        assert len(points) >= 30
        assert [one["key"] for one in told["frontier"]] == undominated(points)
        drawn = {one["key"]: one for one in (*told["frontier"], *told["dominated"])}
        assert drawn.keys() == {one.key for one in points}
        by_key = {one.key: one for one in points}
        for key, one in drawn.items():
            assert abs(Fraction(one["usd_per_mtok"]) - by_key[key].price) <= Fraction(1, 2 * 10**12)
            assert D(one["rating"]) == by_key[key].rating
        for one in told["dominated"]:
            as_good = [other.price for other in points if other.rating >= D(one["rating"])]
            assert by_key[one["cheapest_equal"]].price == min(as_good)
            exact = by_key[one["key"]].price / min(as_good)  # ours is of prices rounded at 1e-12
            assert abs(Fraction(one["multiple"]) - exact) <= exact / 10**9


def _offers(models: set[str | None], at: datetime, mix_units: Sequence[str]) -> list[Offer]:
    """Every offering of some models with the prices that held at a moment, row by row."""
    found = []
    for offering in Offering.objects.filter(model__slug__in=models - {None}).select_related("model", "provider"):
        prices: dict[str, Decimal | None] = {}
        thought = False  # of a price of the mix: first seen after the moment, and no source states its start
        for price in Price.objects.filter(offering=offering, superseded_at=None, known_until=None):
            plain = (price.service_tier, price.qualifier, price.context_from, price.schedule) == ("standard", "", 0, "")
            held = price.effective_from <= at and (price.effective_until is None or at < price.effective_until)
            if plain and held and price.currency == "USD":
                prices[price.unit] = price.amount * 1_000_000 / price.per
                unseen = price.basis == Basis.INFERRED and price.evidence_at > at
                thought = thought or (unseen and price.unit in mix_units)
        if offering.retired_at is None or offering.retired_at > at:
            maker = offering.provider.slug == offering.model.maker
            found.append(
                Offer(
                    offering.model.slug, offering.provider.slug, offering.sku, prices, maker, offering.region,
                    undated=thought,
                )
            )  # fmt: skip
    return found


# The day, the measured cost, what is wanted


def sold(model: str, price: str = "1", **more: Any) -> Offer:
    return Offer(model, "host", model, {"input": D(price), "output": D(price)}, **more)


class TestTheDay:
    DAY = date(2025, 8, 1)

    def test_a_later_run_counts_of_a_model_that_was_on_sale_that_day_and_of_no_other(self) -> None:
        scores = [
            Rated("old", "old", D(50), rated_on=date(2025, 9, 1)),
            Rated("new", "new", D(60), rated_on=date(2025, 9, 1)),
            Rated("rated", "rated", D(40), rated_on=date(2025, 8, 1)),
        ]
        offers = [sold("old", known_since=self.DAY), sold("new", known_since=date(2025, 8, 2)), sold("rated")]
        found = curve(scores, offers, Wish(terms=Terms(self.DAY))).selection
        assert [point.key for point in found.points] == ["old", "rated"]
        assert [(one.model, one.reason) for one in found.unmatched] == [("new", NOT_YET_SOLD)]


class TestEvidenceOfTheDay:
    def test_a_price_that_was_seen_by_the_day_goes_before_one_that_is_only_thought_to_have_held(self) -> None:
        thought = Offer("m", "host", "m", {"input": D("0.03"), "output": D("0.03")}, undated=True)
        maker = Offer("m", "maker", "m", {"input": D(1), "output": D(1)}, first_party=True, undated=True)
        seen = Offer("m", "other", "m", {"input": D("0.07"), "output": D("0.07")})
        found = curve([Rated("m", "m", D(1400))], [thought, maker, seen]).selection
        assert [(point.provider, point.price) for point in found.points] == [("other", D("0.07"))]
        alone = curve([Rated("m", "m", D(1400))], [thought, maker]).selection
        assert [(point.provider, point.price) for point in alone.points] == [("maker", D(1))]


class TestMeasured:
    def test_a_run_stands_at_its_cost_a_task_whoever_sells_it_and_one_without_cost_is_listed(self) -> None:
        scores = [
            Rated("dear", None, D(80), usd_per_task=D("0.5")),
            Rated("cheap", "m1", D(70), usd_per_task=D("0.01")),
            Rated("silent", "m2", D(90)),
            Rated("gift", "m3", D(95), usd_per_task=D(0)),
        ]
        found = curve(scores, [sold("m2", "9")], Wish(axis=MEASURED))
        assert [(point.key, point.price) for point in found.frontier.points] == [
            ("m1", D("0.01")),
            ("dear", D("0.5")),
        ]
        assert [point.key for point in found.selection.free] == ["m3"]
        assert [(one.display_name, one.reason) for one in found.selection.unmatched] == [("silent", NOT_MEASURED)]


class TestBatch:
    def test_what_goes_by_batch_is_weighed_with_batch_prices_and_unknown_without_one(self) -> None:
        both = Offer("m1", "a", "m1", {"input": D(2), "output": D(8), "batch input": D(1), "batch output": D(4)})
        only = Offer("m2", "a", "m2", {"input": D(2), "output": D(8)})
        scores = [Rated("one", "m1", D(1400)), Rated("two", "m2", D(1400))]
        found = curve(scores, [both, only], Wish(Mix.parse("3:1+batch:3:1"))).selection
        assert [(point.key, point.price) for point in found.points] == [("m1", D("2.625"))]
        assert [one.reason for one in found.unmatched] == [NOT_PRICED]

    def test_writes_cost_their_shortest_lifetime_or_input_where_a_seller_of_cached_input_prices_no_writing(
        self,
    ) -> None:
        mix = Mix.parse("0:0:1:1")
        by_lifetime = {"input": D(3), "cache_read": D(1), "cache_write_5m": D(5), "cache_write_1h": D(9)}
        automatic, uncached = {"input": D(3), "cache_read": D(1)}, {"input": D(3), "output": D(4)}
        offers = [Offer(f"m{n}", "a", f"m{n}", prices) for n, prices in enumerate((by_lifetime, automatic, uncached))]
        scores = [Rated(offer.model, offer.model, D(1400 - n)) for n, offer in enumerate(offers)]
        found = curve(scores, offers, Wish(mix)).selection
        assert [(point.key, point.price) for point in found.points] == [("m0", D(3)), ("m1", D(2))]
        assert [(one.model, one.reason) for one in found.unmatched] == [("m2", NOT_PRICED)]

    def test_writes_by_batch_are_unknown_where_the_seller_prices_writes_at_another_tier_alone(self) -> None:
        read = {"input": D(4), "cache_read": D(2), "batch input": D(3), "batch cache_read": D(1)}
        billed = Offer("billed", "a", "billed", {**read, "cache_write_30m": D(5)})
        offers = [billed, Offer("automatic", "a", "automatic", read)]
        scores = [Rated(offer.model, offer.model, D(1400)) for offer in offers]
        found = curve(scores, offers, Wish(Mix.parse("0:0:0:2+batch:0:0:1:1"))).selection
        assert [(point.key, point.price) for point in found.points] == [("automatic", D(3))]
        assert [(one.model, one.reason) for one in found.unmatched] == [("billed", NOT_PRICED)]


class TestWanted:
    OFFERS = (
        sold("known", traits=Traits(context_window=200_000, open_weights=True, modalities=frozenset({"image"}))),
        sold("small", traits=Traits(context_window=8_000, open_weights=False)),
        sold("silent"),
    )
    SCORES = tuple(Rated(offer.model.title(), offer.model, D(1400)) for offer in OFFERS)

    @pytest.mark.parametrize(
        ("wanted", "kept", "left_out"),
        [
            (Wanted(), ["known", "silent", "small"], {}),
            (Wanted(context=128_000), ["known"], {"context": ("Silent",)}),
            (Wanted(open_weights=True), ["known"], {"weights": ("Silent",)}),
            (Wanted(modality="image"), ["known"], {"modality": ("Silent", "Small")}),
            (Wanted(modality="image", context=128_000), ["known"], {"modality": ("Silent",), "context": ("Silent",)}),
            (Wanted(region="eu"), [], {"region": ("Known", "Silent", "Small")}),
            (Wanted(provider="other"), [], {}),
        ],
    )
    def test_what_is_not_known_to_fit_is_left_out_and_named_where_only_that_keeps_it_out(
        self, wanted: Wanted, kept: list[str], left_out: dict[str, tuple[str, ...]]
    ) -> None:
        found = curve(self.SCORES, self.OFFERS, Wish(wanted=wanted))
        assert [point.key for point in found.selection.points] == kept
        assert found.left_out == left_out

    def test_a_seller_that_fits_is_taken_where_a_cheaper_one_does_not(self) -> None:
        long = Traits(context_window=200_000)
        offers = [
            sold("m", "1", traits=Traits(context_window=8_000)),
            Offer("m", "b", "m", {"input": D(5), "output": D(5)}, traits=long),
        ]
        found = curve([Rated("m", "m", D(1400))], offers, Wish(wanted=Wanted(context=128_000)))
        assert [(point.provider, point.price) for point in found.selection.points] == [("b", D(5))]


class TestBand:
    def test_what_is_below_the_band_by_less_than_the_intervals_tell_is_undecided(self) -> None:
        scores = [
            Rated("best", "best", D(1500), low=D(1490), high=D(1510)),
            Rated("near", "near", D(1485), low=D(1480), high=D(1492)),
            Rated("far", "far", D(1400), low=D(1395), high=D(1405)),
        ]
        offers = [sold("best", "9"), sold("near", "2"), sold("far", "1")]
        found = curve(scores, offers, Wish(near="best", delta=D(10)))
        assert found.band is not None
        assert (found.band.cheapest, found.band.own) == (found.frontier.best, found.frontier.best)
        assert [point.key for point in found.band.undecided] == ["near"]

    def test_a_chosen_model_without_a_price_still_has_a_band(self) -> None:
        found = curve(
            [Rated("gone", "gone", D(1500)), Rated("m", "m", D(1495))], [sold("m")], Wish(near="gone", delta=D(5))
        )
        assert found.band is not None
        assert found.band.own is None
        assert found.band.cheapest is not None
        assert found.band.cheapest.key == "m"
        assert found.band.overlaps is None


@pytest.mark.parametrize("axis", ["list", MEASURED])
def test_a_run_that_took_longer_or_does_not_say_how_long_is_left_out_and_the_unknown_named(axis: str) -> None:
    scores = [
        Rated("Quick", "quick", D(10), usd_per_task=D(1), seconds_per_task=D(5)),
        Rated("Slow", "slow", D(30), usd_per_task=D(1), seconds_per_task=D("5.1")),
        Rated("Silent", "silent", D(20), usd_per_task=D(1)),
        Rated("Priceless", "priceless", D(20)),
    ]
    offers = [
        Offer(slug, "maker", slug, {"input": D(1), "output": D(1)}, first_party=True)
        for slug in ("quick", "slow", "silent")
    ]
    found = curve(scores, offers, Wish(axis=axis, within=D(5)))
    assert [(point.label, point.seconds_per_task) for point in found.frontier.every] == [("Quick", D(5))]
    assert found.left_out == {"seconds": ("Silent",)}
    assert {point.label for point in curve(scores, offers, Wish(axis=axis)).frontier.every} == {
        "Quick",
        "Slow",
        "Silent",
    }
