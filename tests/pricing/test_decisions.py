"""What a person decides outranks every source, survives every sync, and can be taken back."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pricing import catalog, names
from pricing.answers import kept
from pricing.catalog.decisions import NoDecision, decide, map_name, revoke, unmap_name
from pricing.models import Claim, Decision, NameDecision, Offering, Price

pytestmark = pytest.mark.django_db

WHEN = datetime(2026, 11, 1, tzinfo=UTC)
LATER = datetime(2026, 11, 8, tzinfo=UTC)


def read(amount: str, when: datetime = WHEN, *skus: str) -> None:
    models = [
        {"id": sku, "match": {"equals": sku}, "prices": {"input_mtok": float(amount)}} for sku in ("m-1", "m-2", *skus)
    ]
    catalog.record("genai_prices", json.dumps([{"id": "acme", "name": "Acme", "models": models}]).encode(),
                   observed_at=when)  # fmt: skip


def price(sku: str = "m-1") -> Decimal | None:
    found = Price.objects.filter(offering__sku=sku, superseded_at=None, known_until=None, effective_until=None)
    return found.values_list("amount", flat=True).first()


def test_a_rejected_claim_gives_no_price_until_the_rejection_is_taken_back():
    read("5")
    decision = decide(Claim.objects.get(offering__sku="m-1"), "reject", "An old list.", "a@b.c")
    assert price() is None
    revoke(decision)
    assert price() == 5


def test_a_second_decision_on_a_claim_takes_the_place_of_the_first():
    read("5")
    claim = Claim.objects.get(offering__sku="m-1")
    decide(claim, "reject", "An old list.", "a@b.c")
    decide(claim, "accept", "Seen on the invoice.", "d@b.c")
    assert price() == 5
    (rejected, accepted) = Decision.objects.order_by("pk")
    assert (rejected.verdict, rejected.revoked_at is None) == ("reject", False)
    assert (accepted.verdict, accepted.revoked_at is None) == ("accept", True)


def test_of_one_price_a_person_holds_one_claim_true():
    read("5")
    first = Claim.objects.get(offering__sku="m-1")
    decide(first, "accept", "Seen on the invoice.", "a@b.c")
    read("4", LATER)
    second = Claim.objects.get(offering__sku="m-1", withdrawn_at=None)
    decide(second, "accept", "Seen on the new invoice.", "a@b.c")
    assert Decision.objects.get(revoked_at=None).claim == second
    assert price() == 4


@pytest.mark.parametrize(("verdict", "reason"), [("maybe", "why not"), ("accept", "  ")])
def test_a_decision_needs_a_verdict_and_a_reason(verdict, reason):
    read("5")
    with pytest.raises(NoDecision):
        decide(Claim.objects.get(offering__sku="m-1"), verdict, reason, "a@b.c")
    assert not Decision.objects.exists()


def test_a_name_a_person_mapped_resolves_by_that_word_everywhere_and_through_every_sync():
    read("5")
    offering = Offering.objects.get(sku="m-1")
    before = (names.version(), kept.version())
    assert names.resolver().resolve("m-one-prod", "acme").offering_id is None
    mapping = map_name("Acme", "m-one-prod", offering, "Our deployment of it.", "a@b.c")
    after = (names.version(), kept.version())
    assert before[0] != after[0]
    assert before[1] != after[1]
    found = names.resolver().resolve("M-one-PROD", "acme")
    assert (found.offering_id, found.rule) == (offering.pk, "mapped by a person")
    read("4", LATER)
    assert names.resolver().resolve("m-one-prod", "acme").offering_id == offering.pk
    unmap_name(mapping)
    assert names.resolver().resolve("m-one-prod", "acme").offering_id is None


def test_a_sellers_own_id_cannot_be_made_to_mean_another():
    read("5")
    with pytest.raises(NoDecision, match="sells itself"):
        map_name("acme", "m-2", Offering.objects.get(sku="m-1"), "By mistake.", "a@b.c")
    assert not NameDecision.objects.exists()


def test_a_name_is_mapped_once_and_the_exact_id_wins_when_the_seller_begins_to_sell_it():
    read("5")
    first, second = Offering.objects.order_by("sku")
    map_name("acme", "m-3", first, "Ours.", "a@b.c")
    map_name("acme", "m-3", second, "No, the other.", "a@b.c")
    assert names.resolver().resolve("m-3", "acme").sku == "m-2"
    read("5", LATER, "m-3")
    assert names.resolver().resolve("m-3", "acme").rule == "exact"
