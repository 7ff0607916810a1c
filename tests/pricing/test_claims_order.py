"""A claim has its evidence from the first reading that makes it, in whatever order the readings came in."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing import catalog
from pricing.models import Claim, Disagreement, Price, PriceEvent
from pricing.sources import AGGREGATOR, CURATED, OFFICIAL, OfferingFact, Reading, Statement
from tests.pricing import market_sources
from tests.pricing.market_sources import body_of

pytestmark = pytest.mark.django_db

_RECORDED = Path(__file__).parents[1] / "recorded" / "pricing" / "metergraph" / "prices.yaml"
_RELEASES = {day: datetime(2026, month, number, tzinfo=UTC) for day, month, number in (
    ("2026-09-25", 9, 26), ("2026-10-10", 10, 11), ("2026-10-25", 10, 26)
)}  # fmt: skip


def test_releases_that_say_when_they_were_verified_give_the_same_prices_in_any_order():
    text = _RECORDED.read_text()
    stated = 'pricing_verified_at: "2026-10-25"'
    assert stated in text
    found = set()
    for order in permutations(_RELEASES):
        with transaction.atomic():
            for day in order:
                body = text.replace(stated, f'pricing_verified_at: "{day}"').encode()
                assert catalog.record("metergraph", body, observed_at=_RELEASES[day]).error == ""
            rows = Price.objects.filter(superseded_at=None).values_list(
                "offering__sku", "unit", "amount", "effective_from", "effective_until", "known_from", "claim__url",
                "claim__snapshot__sha256",
            )  # fmt: skip
            found.add(tuple(sorted(map(repr, rows))))
            transaction.set_rollback(True)
    assert len(found) == 1


_FIRST = datetime(2026, 3, 1, tzinfo=UTC)


def _parse(body: bytes) -> Reading:
    """One model at one price, with what a reading says of it besides: its evidence, its page, its note."""
    said = json.loads(body)
    evidence_at = _FIRST + timedelta(days=said["verified"])
    prices = {"m": said["price"], "other": "5"}
    return Reading(
        offerings=[OfferingFact("acme", "Acme", sku) for sku, price in prices.items() if price],
        statements=[
            Statement(
                "acme", sku, "input", Decimal(price), evidence_at=evidence_at, note=said["note"],
                url=f"https://acme.test/{said['note']}", precision="day",
            )
            for sku, price in prices.items() if price
        ],
    )  # fmt: skip


_READING = st.fixed_dictionaries(
    {"price": st.sampled_from(["", "1", "2"]), "verified": st.integers(-40, 40), "note": st.sampled_from("ab")}
)


def _replayed(readings: list[dict[str, object]], order: tuple[int, ...]) -> tuple[list[Any], list[Any]]:
    """The claims and the accepted prices after the readings, a week apart, came in in an order; nothing of it stays."""
    with transaction.atomic():
        for number in order:
            body = json.dumps(readings[number]).encode()
            outcome = catalog.record("data", body, observed_at=_FIRST + timedelta(days=7 * number))
            assert outcome.error == ""
        claims = Claim.objects.order_by("offering__sku", "first_seen_at", "amount").values_list(
            "amount", "first_seen_at", "last_seen_at", "withdrawn_at", "evidence_at", "precision", "url", "note",
            "snapshot__sha256",
        )  # fmt: skip
        accepted = Price.objects.filter(superseded_at=None).order_by("known_from", "effective_from", "amount")
        prices = accepted.values_list(
            "amount", "effective_from", "effective_until", "known_from", "known_until",
            "evidence_at", "observed_at", "seen_at",
            "claim__url", "why",
        )  # fmt: skip
        found = list(claims), list(prices)
        transaction.set_rollback(True)
    return found


@pytest.fixture
def _data(monkeypatch):
    source = market_sources.make_source("data", "", parse=_parse)
    market_sources.install(monkeypatch, source)


@pytest.fixture
def _several(monkeypatch):
    trusts = {"page": OFFICIAL, "data": CURATED, "third": AGGREGATOR}
    market_sources.install(monkeypatch, *(
        market_sources.make_source(slug, "", TRUST=trust, parse=partial(market_sources.parse, provider="acme"))
        for slug, trust in trusts.items()
    ))  # fmt: skip


@pytest.fixture
def _sellers(monkeypatch):
    market_sources.install(monkeypatch, *(market_sources.make_source(slug, "") for slug in ("acme", "hoster")))


def _says(price: str, verified: int, note: str = "a") -> dict[str, object]:
    return {"price": price, "verified": verified, "note": note}


@pytest.mark.usefixtures("_data")
@pytest.mark.parametrize("between", [_says("2", 6), _says("", 6)], ids=["another price", "no price"])
def test_the_later_half_of_a_run_that_a_late_reading_splits_has_the_evidence_of_its_own_first_reading(between):
    readings = [_says("1", -3, "a"), between, _says("1", 11, "b")]
    forward = _replayed(readings, (0, 1, 2))
    assert [claim for claim in forward[0] if claim[0] == 1][-1][4:8] == (
        _FIRST + timedelta(days=11),
        "day",
        "https://acme.test/b",
        "b",
    )
    for order in permutations(range(3)):
        assert _replayed(readings, order) == forward, order


@pytest.mark.usefixtures("_data")
def test_the_same_again_is_a_look_at_a_price_that_went_on_in_a_later_claim():
    said = _says("1", 0)
    for last in (said, dict(reversed(said.items()))):  # the same bytes, and the same in other bytes
        readings = [said, _says("", 0), said, last]
        assert _replayed(readings, (0, 1, 3, 2)) == _replayed(readings, (0, 1, 2, 3))


@pytest.mark.usefixtures("_data")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_READING, min_size=3, max_size=5).flatmap(
    lambda readings: st.tuples(st.just(readings), st.permutations(range(len(readings))))
))  # fmt: skip
def test_readings_that_date_their_evidence_give_the_same_rows_in_any_order(drawn):
    readings, order = drawn
    assert _replayed(readings, tuple(order)) == _replayed(readings, tuple(range(len(readings))))


_ANOTHER = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["page", "data", "third"]),
        "day": st.integers(0, 5),
        "price": st.sampled_from(["", "1", "2", "1.001"]),
    }
)


def _taken_in(readings: list[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    """What is accepted and told after the readings of several sources came in as they stand; nothing of it stays."""
    with transaction.atomic():
        for said in readings:
            prices = {"m": said["price"], "other": "5"}
            stated = (f'"{sku}": {{"input": {price}}}' for sku, price in prices.items() if price)
            body = f"{{{', '.join(stated)}}}".encode()
            assert (
                catalog.record(said["source"], body, observed_at=_FIRST + timedelta(days=20 * said["day"])).error == ""
            )
        accepted = Price.objects.filter(superseded_at=None).values_list(
            "offering__sku", "amount", "effective_from", "effective_until", "known_from", "known_until", "source__slug",
            "evidence_at", "observed_at", "seen_at", "trust", "agreeing", "disputed", "basis", "why",
        )  # fmt: skip
        told = PriceEvent.objects.standing().values_list(
            "offering__sku", "kind", "status", "old", "new", "effective_from", "observed_at", "source__slug", "why"
        )
        found = sorted(map(repr, accepted)), sorted(map(repr, told))
        transaction.set_rollback(True)
    return found


@pytest.mark.usefixtures("_several")
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(_ANOTHER, min_size=2, max_size=6, unique_by=lambda said: (said["source"], said["day"])).flatmap(
        lambda readings: st.tuples(st.just(readings), st.permutations(readings))
    )
)
def test_sources_that_look_at_one_moment_give_the_same_rows_in_any_order(drawn):
    readings, shuffled = drawn
    assert _taken_in(shuffled) == _taken_in(sorted(readings, key=lambda said: (said["day"], said["source"])))


@pytest.mark.usefixtures("_sellers")
def test_a_steep_first_price_is_judged_anew_when_another_seller_of_the_weights_appears():
    readings = [("acme", {"gpt-4o": {"input": 135000}}, 0), ("hoster", {"gpt-4o": {"input": 3}}, 7)]
    for order in (readings, readings[::-1]):
        with transaction.atomic():
            for slug, prices, day in order:
                observed_at = _FIRST + timedelta(days=day)
                assert catalog.record(slug, body_of(prices), observed_at=observed_at).error == ""
            (found,) = Disagreement.objects.values_list("state", "why")
            transaction.set_rollback(True)
        assert found == ("open", "135000 is 45000× what hoster/gpt-4o asks for the same weights")
