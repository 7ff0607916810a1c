"""Readings into the catalogue: what is written once, what order cannot change, what the database refuses."""

import json
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from types import ModuleType

import pytest
from django.db import IntegrityError, transaction

from pricing import catalog, sources, verification
from pricing.catalog.decisions import decide
from pricing.catalog.prices import differences
from pricing.models import (
    Claim,
    Decision,
    Disagreement,
    Offering,
    Price,
    PriceEvent,
    SourceRun,
)
from pricing.sources import AGGREGATOR, CURATED, OFFICIAL, AliasFact, OfferingFact, Reading, SourceError, Statement

pytestmark = pytest.mark.django_db

DAYS = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 8, 15, 22)]


def _module(slug: str, trust: str, *, history: bool) -> ModuleType:
    """A source whose bodies are `{"sku": "amount"}`, also `seller:sku` and `"name": "=sku"`: the smallest there is."""
    module = ModuleType(slug)

    def sold(name: str) -> tuple[str, str]:
        seller, colon, sku = name.rpartition(":")
        return (seller, sku) if colon else ("acme", name)

    def parse(body: bytes) -> Reading:
        try:
            prices = json.loads(body)
            names = {name: sku[1:] for name, sku in prices.items() if sku.startswith("=")}
            prices = {sku: amount for sku, amount in prices.items() if sku not in names}
            statements = [Statement(*sold(sku), "input", Decimal(amount)) for sku, amount in prices.items()]
        except (ValueError, ArithmeticError, AttributeError) as fault:
            raise SourceError(f"not prices: {fault}") from fault
        sold_here = [OfferingFact(seller, seller, sku) for seller, sku in map(sold, [*prices, *names.values()])]
        return Reading(statements, sold_here, [AliasFact("acme", name, sku) for name, sku in names.items()])

    vars(module).update(
        SLUG=slug, NAME=slug, TRUST=trust, PRECEDENCE=1, COPIES=(), LICENCE="MIT", URL="https://acme.test",
        CADENCE_HOURS=24, STATES_HISTORY=history, parse=parse,
    )  # fmt: skip
    return module


@pytest.fixture(autouse=True)
def _two_sources(monkeypatch):
    modules = {
        "page": _module("page", OFFICIAL, history=False),
        "data": _module("data", CURATED, history=False),
        "table": _module("table", AGGREGATOR, history=False),
    }
    for name in ("pricing.catalog", "pricing.catalog.prices"):
        monkeypatch.setattr(sys.modules[name], "all_sources", lambda: modules)
    assert sources.all_sources() != modules


def read(source: str, when: datetime, **prices: str) -> catalog.Outcome:
    body = json.dumps({sku.replace("_", "-").replace("--", ":"): amount for sku, amount in prices.items()})
    return catalog.record(source, body.encode(), observed_at=when)


def held() -> list[tuple[object, ...]]:
    """Every accepted price in all its times."""
    return list(
        Price.objects.filter(superseded_at=None)
        .order_by("offering__sku", "known_from", "effective_from")
        .values_list(
            "offering__sku",
            "amount",
            "effective_from",
            "effective_until",
            "known_from",
            "known_until",
            "source__slug",
            "observed_at",
            "seen_at",
            "disputed",
        )
    )


def said() -> list[tuple[object, ...]]:
    return list(
        Claim.objects.order_by("source__slug", "offering__sku", "first_seen_at").values_list(
            "source__slug", "offering__sku", "amount", "first_seen_at", "last_seen_at", "withdrawn_at", "evidence_at"
        )
    )


def test_a_price_is_seen_by_every_source_that_agrees_whether_its_body_changed_or_not():
    read("page", DAYS[0], m="5", n="7")
    read("data", DAYS[0], m="5", n="8")

    def seen() -> dict[str, tuple[datetime, datetime]]:
        rows = Price.objects.filter(superseded_at=None, known_until=None).values_list(
            "offering__sku", "observed_at", "seen_at"
        )
        return {sku: (observed_at, seen_at) for sku, observed_at, seen_at in rows}

    read("data", DAYS[1], m="5", n="8")
    assert seen() == {"m": (DAYS[0], DAYS[1]), "n": (DAYS[0], DAYS[0])}
    read("data", DAYS[2], m="5", n="8", o="1")
    assert seen()["m"] == (DAYS[0], DAYS[2])
    read("data", DAYS[3], n="8", o="1")
    assert seen()["m"] == (DAYS[0], DAYS[0])


def test_a_price_that_changed_between_two_readings_starts_at_the_later_one():
    read("page", DAYS[0], m="5")
    read("page", DAYS[1], m="4")
    amounts = Price.objects.filter(known_until=None).order_by("effective_from").values_list("amount", "effective_from")
    assert list(amounts)[1:] == [(Decimal(4), DAYS[1])]
    (event,) = PriceEvent.objects.filter(kind="cut")
    assert (event.old, event.new, event.effective_from, event.observed_at) == (5, 4, DAYS[1], DAYS[1])


def test_the_same_body_again_only_moves_when_it_was_last_seen():
    read("page", DAYS[0], m="5")
    before = Price.objects.count(), Claim.objects.count(), PriceEvent.objects.count()
    outcome = read("page", DAYS[1], m="5")
    assert outcome.status == SourceRun.Status.UNCHANGED
    assert (Price.objects.count(), Claim.objects.count(), PriceEvent.objects.count()) == before
    assert Price.objects.get().observed_at == DAYS[1]


HISTORY = [
    ("page", DAYS[0], {"m": "5", "n": "1"}),
    ("page", DAYS[1], {"m": "4", "n": "1"}),
    ("page", DAYS[2], {"m": "5"}),
    ("data", DAYS[1], {"m": "4.5", "n": "1"}),
    ("page", DAYS[3], {"m": "5", "n": "2"}),
]


def test_the_order_in_which_readings_are_replayed_cannot_matter():
    states = set()
    for order in list(permutations(HISTORY))[::7]:
        with transaction.atomic():
            for source, when, prices in order:
                read(source, when, **prices)
            assert list(differences(list(Offering.objects.values_list("pk", flat=True)))) == []
            states.add((tuple(said()), tuple(held())))
            transaction.set_rollback(True)
    assert len(states) == 1


def standing_events() -> list[tuple[object, ...]]:
    """Every event that acceptance still gives, and every disagreement with its state."""
    events = PriceEvent.objects.standing().order_by("offering__sku", "effective_from", "observed_at", "kind", "old")
    doubts = Disagreement.objects.exclude(state="resolved").order_by("offering__sku", "claim__first_seen_at")
    return [
        *events.values_list("offering__sku", "kind", "status", "old", "new", "effective_from", "observed_at"),
        *doubts.values_list("offering__sku", "state", "claim__amount"),
    ]


JUDGED = [
    ("table", DAYS[0], {"watsonx__granite_8b": "200", "groq__qwen3_8b": "2"}),
    ("table", DAYS[1], {"watsonx__granite_8b": "0.2", "groq__qwen3_8b": "0.2"}),
    ("data", DAYS[0], {"novita__granite_8b": "0.15"}),
    ("data", DAYS[2], {"novita__granite_8b": "0.16", "together__qwen3_8b": "0.2"}),
    ("page", DAYS[3], {"groq__qwen3_8b": "0.2"}),
]


def test_the_order_cannot_matter_where_one_offering_is_witness_of_anothers_step():
    states = set()
    for order in list(permutations(JUDGED))[::7]:
        with transaction.atomic():
            for source, when, prices in order:
                read(source, when, **prices)
            assert list(differences(list(Offering.objects.values_list("pk", flat=True)))) == []
            states.add(tuple(frozenset(rows) for rows in (said(), held(), standing_events())))
            transaction.set_rollback(True)
    (state,) = states
    assert ("granite-8b", "unit_fix", "accepted", 200, Decimal("0.2")) in {row[:5] for row in state[2]}


def test_a_step_held_for_want_of_evidence_is_believed_when_a_sibling_gives_it():
    read("table", DAYS[0], groq__qwen3_8b="2")
    read("table", DAYS[1], groq__qwen3_8b="0.2")
    assert Disagreement.objects.get().state == Disagreement.State.HELD
    assert PriceEvent.objects.standing().get().status == PriceEvent.Status.HELD
    read("data", DAYS[2], together__qwen3_8b="0.2")
    assert Disagreement.objects.get().state == Disagreement.State.RESOLVED
    (event,) = PriceEvent.objects.standing()
    assert (event.kind, event.status) == (PriceEvent.Kind.UNIT_FIX, PriceEvent.Status.ACCEPTED)
    now = Price.objects.get(offering__sku="qwen3-8b", offering__provider__slug="groq", known_until=None)
    assert now.amount == Decimal("0.2")


def test_two_readings_of_the_makers_own_list_are_held_and_two_of_a_hosts_are_not():
    for seller, state in (("groq", "open"), ("alibaba", "held")):
        read("data", DAYS[0], **{f"{seller}__qwen3_8b": "6"})
        read("table", DAYS[0], **{f"{seller}__qwen3_8b": "5"})
        assert Disagreement.objects.get(offering__provider__slug=seller).state == state


def test_a_younger_look_of_a_better_source_settles_what_an_older_one_could_not():
    read("page", DAYS[0], m="5")
    read("data", DAYS[0], m="5")
    read("data", DAYS[3], m="4")
    assert Price.objects.get(known_until=None, effective_until=None, superseded_at=None).amount == 4
    read("page", DAYS[3], m="5")
    assert Price.objects.get(known_until=None, effective_until=None, superseded_at=None).amount == 5
    assert list(differences(list(Offering.objects.values_list("pk", flat=True)))) == []


def test_a_decision_holds_for_what_the_source_says_whenever_it_says_it_again():
    read("page", DAYS[0], m="5")
    Decision.objects.create(claim=Claim.objects.get(), verdict="reject", reason="for another region", person="a@b.c")
    read("page", DAYS[1], n="5")
    read("page", DAYS[2], m="5")
    read("page", DAYS[3], m="6")
    assert [price.amount for price in Price.objects.filter(offering__sku="m", superseded_at=None)] == [6]


def current(sku: str) -> Price:
    return Price.objects.get(offering__sku=sku, known_until=None, effective_until=None, superseded_at=None)


def test_what_a_source_says_of_an_id_it_says_of_the_ids_it_declares_the_same():
    read("table", DAYS[0], m_latest="5")
    read("data", DAYS[0], m="5", m_latest="=m")
    assert current("m-latest").agreeing == ["data", "table"]
    assert current("m").agreeing == ["data"]
    read("data", DAYS[1], m="6", m_latest="=m")
    assert current("m-latest").amount == 6
    assert list(differences(list(Offering.objects.values_list("pk", flat=True)))) == []
    read("data", DAYS[2], m="6", n="1")
    assert (current("m-latest").amount, current("m-latest").source.slug) == (5, "table")


def test_a_sources_own_word_on_an_id_comes_before_what_it_says_of_its_other_name():
    read("data", DAYS[0], m="5", m_latest="7")
    read("page", DAYS[0], m_latest="=m", m="5")
    read("table", DAYS[0], m_latest="7")
    assert (current("m-latest").amount, current("m-latest").source.slug) == (5, "page")
    assert Claim.objects.filter(offering__sku="m-latest").count() == 2
    assert current("m-latest").disputed


def test_the_vendors_own_name_binds_every_source_and_another_source_only_itself():
    read("table", DAYS[0], m="5")
    read("data", DAYS[0], m_latest="4", m="4")
    assert not current("m-latest").disputed
    read("page", DAYS[0], m_latest="=m", x="1")
    assert current("m-latest").disputed
    assert {tuple(p.agreeing) for p in [current("m-latest")]} == {("data",)}


def test_ids_that_differ_by_case_alone_have_one_price_that_each_source_is_a_voice_of():
    read("data", DAYS[0], M="5")
    read("table", DAYS[0], m="5")
    assert [set(current(sku).agreeing) for sku in ("M", "m")] == [{"data", "table"}] * 2
    read("table", DAYS[1], m="6")
    assert {(current(sku).amount, current(sku).disputed) for sku in ("M", "m")} == {(current("m").amount, True)}
    assert list(differences(list(Offering.objects.values_list("pk", flat=True)))) == []


SWITCH, LATER = datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 18, tzinfo=UTC)


@pytest.fixture
def _pointers(monkeypatch):
    """A vendor that dates what its names mean: a body is a list of `[name, sku, since, until]`."""
    modules = {slug: _module(slug, trust, history=False) for slug, trust in (("data", CURATED), ("table", AGGREGATOR))}
    names = modules["names"] = _module("names", OFFICIAL, history=True)

    def parse(body: bytes) -> Reading:
        words = [
            AliasFact("acme", name, sku, valid_from=datetime.fromisoformat(since),
                      valid_until=datetime.fromisoformat(until) if until else None)
            for name, sku, since, until in json.loads(body)
        ]  # fmt: skip
        return Reading(offerings=[OfferingFact("acme", "acme", word.sku) for word in words], aliases=words)

    names.parse = parse
    for name in ("pricing.catalog", "pricing.catalog.prices"):
        monkeypatch.setattr(sys.modules[name], "all_sources", lambda: modules)


def name(*words: tuple[str, str, datetime, datetime | None]) -> None:
    body = json.dumps([[n, sku, since.isoformat(), until and until.isoformat()] for n, sku, since, until in words])
    assert catalog.record("names", body.encode(), observed_at=DAYS[3]).error == ""


def amounts(sku: str) -> list[tuple[Decimal, datetime | None]]:
    """What an offering costs by all that is known, each price with its end."""
    prices = Price.objects.filter(offering__sku=sku, known_until=None, superseded_at=None).order_by("effective_from")
    return list(prices.values_list("amount", "effective_until"))


POINTED = [("m-latest", "m-1", DAYS[0], SWITCH), ("m-latest", "m-2", SWITCH, None)]


@pytest.mark.usefixtures("_pointers")
@pytest.mark.parametrize("named_first", [True, False])
def test_while_its_vendor_says_what_a_pointer_means_only_what_is_said_of_that_model_counts(named_first):
    """Both sources speak of the pointer itself, and neither followed the switch."""
    if named_first:
        name(*POINTED)
    read("data", DAYS[1], m_1="5", m_2="7", m_latest="5")
    read("table", DAYS[1], m_1="5", m_2="7", m_latest="9")
    if not named_first:
        name(*POINTED)
    assert amounts("m-latest") == [(5, SWITCH), (7, None)]
    assert current("m-latest").agreeing == ["data", "table"]
    assert not current("m-latest").disputed
    (move,) = PriceEvent.objects.filter(offering__sku="m-latest", kind="rise", superseded_at=None)
    assert (move.old, move.new, move.effective_from) == (5, 7, SWITCH)
    assert list(verification.checks()) == []


@pytest.mark.usefixtures("_pointers")
def test_a_word_on_a_pointer_is_a_voice_where_everybody_says_it_of_the_model_too():
    name(("m-latest", "m-2", SWITCH, None))
    read("data", DAYS[1], m_2="7")
    read("table", DAYS[1], m_latest="7")
    assert (current("m-latest").agreeing, current("m-2").agreeing) == (["data", "table"], ["data"])
    read("data", DAYS[2], m_2="8")
    assert (current("m-latest").amount, current("m-latest").agreeing) == (8, ["data"])
    assert not current("m-latest").disputed


@pytest.mark.usefixtures("_pointers")
def test_a_pointer_to_a_model_of_which_nobody_states_a_price_has_none_then():
    name(*POINTED)
    read("data", DAYS[1], m_1="5", m_latest="5")
    assert amounts("m-latest") == [(5, SWITCH)]


@pytest.mark.usefixtures("_pointers")
def test_no_word_on_a_pointer_is_lent_to_a_model_it_means():
    name(*POINTED)
    read("data", DAYS[1], m_latest="5", x="1")
    assert amounts("m-1") == amounts("m-2") == amounts("m-latest") == []


@pytest.mark.usefixtures("_pointers")
def test_what_was_said_of_a_pointer_before_its_vendor_dates_it_holds_for_the_time_before():
    read("table", DAYS[0], m_latest="2", m_2="7")
    read("data", DAYS[2], m_latest="3", m_2="7")
    name(("m-latest", "m-2", SWITCH, LATER))
    assert amounts("m-latest") == [(2, SWITCH), (7, LATER), (3, None)]


@pytest.mark.usefixtures("_pointers")
def test_a_pointer_has_what_its_model_borrows_from_its_other_names():
    name(("m-latest", "m-2", SWITCH, None), ("m-two", "m-2", SWITCH, None))
    read("data", DAYS[1], m_two="7", m_latest="5")
    assert current("m-latest").amount == 7
    read("data", DAYS[2], m_two="8", m_latest="5")
    assert current("m-latest").amount == 8
    assert list(verification.checks()) == []


@pytest.mark.usefixtures("_pointers")
def test_a_name_of_one_model_lends_both_ways_and_keeps_its_own_word():
    name(("m-two", "m-2", SWITCH, None))
    read("data", DAYS[1], m_two="7")
    read("table", DAYS[1], m_two="6", m_2="5")
    assert current("m-2").amount == 7
    assert {claim.amount for claim in Claim.objects.filter(disagreements__isnull=False)} == {6}


@pytest.mark.usefixtures("_pointers")
def test_a_persons_word_on_a_pointer_stands_whatever_it_means():
    name(*POINTED)
    read("data", DAYS[1], m_1="5", m_2="7", m_latest="4")
    claim = Claim.objects.get(offering__sku="m-latest")
    Decision.objects.create(claim=claim, verdict="accept", reason="seen on the invoice", person="a@b.c")
    catalog.recompute({claim.offering_id})
    assert current("m-latest").amount == 4


def test_a_tier_that_its_vendor_sells_under_two_names_has_one_price_under_both(monkeypatch):
    vendors, tiers = ("openai", "acme"), {"standard": 2, "priority": 5}
    said = [
        Statement(vendor, "m", "input", Decimal(amount), service_tier=tier)
        for vendor in vendors
        for tier, amount in tiers.items()
    ]
    module = _module("data", CURATED, history=False)
    module.parse = lambda body: Reading(said, [OfferingFact(vendor, vendor, "m") for vendor in vendors])
    for name in ("pricing.catalog", "pricing.catalog.prices"):
        monkeypatch.setattr(sys.modules[name], "all_sources", lambda: {"data": module})
    assert catalog.record("data", b"{}", observed_at=DAYS[0]).error == ""
    found = {
        (price.offering.provider.slug, price.service_tier): price.amount
        for price in Price.objects.filter(superseded_at=None).select_related("offering__provider")
    }
    assert found.pop(("openai", "fast")) == 5
    assert found == {(vendor, tier): amount for vendor in vendors for tier, amount in tiers.items()}
    assert list(verification.checks()) == []


def test_a_price_that_disappears_ends_and_is_kept():
    read("page", DAYS[0], m="5", n="1")
    read("page", DAYS[1], m="5")
    ended = Price.objects.get(offering__sku="n", known_until=None)
    assert ended.effective_until == DAYS[1]
    assert Claim.objects.get(offering__sku="n").withdrawn_at == DAYS[1]


def test_both_claims_are_kept_where_two_sources_speak_of_one_offering():
    read("data", DAYS[0], m="6")
    read("page", DAYS[0], m="5")
    assert Claim.objects.count() == 2
    price = Price.objects.get(known_until=None, superseded_at=None)
    assert (price.amount, price.source.slug, price.disputed) == (5, "page", True)
    assert Disagreement.objects.get().claim.amount == 6
    read("data", DAYS[1], m="5")
    assert Disagreement.objects.get().state == Disagreement.State.RESOLVED


def test_a_persons_decision_survives_every_sync():
    read("data", DAYS[0], m="6")
    read("page", DAYS[0], m="5")
    Decision.objects.create(
        claim=Claim.objects.get(amount=6), verdict="accept", reason="seen on the invoice", person="a@b.c"
    )
    catalog.recompute({Offering.objects.get().pk})
    for when in DAYS[1:]:
        read("page", when, m="5")
        price = Price.objects.get(known_until=None, superseded_at=None, effective_until=None)
        assert (price.amount, price.trust, price.basis) == (6, "decision", "manual")


@pytest.mark.parametrize("page_again", [False, True], ids=["the page is not read again", "the page is read again"])
def test_a_page_counts_as_long_unread_from_the_look_of_others_that_shows_it(page_again):
    read("page", DAYS[0], m="5")
    for source in ("data", "table"):
        read(source, DAYS[0], m="5")
        read(source, DAYS[1], m="4")
    assert current("m").amount == 5
    for source in ("data", "table"):
        read(source, DAYS[0] + timedelta(days=61), m="4")
    assert (current("m").amount, current("m").agreeing) == (4, ["data", "table"])
    if page_again:
        read("page", DAYS[0] + timedelta(days=62), m="5")
        assert current("m").amount == 5
    assert list(differences(list(Offering.objects.values_list("pk", flat=True)))) == []


def test_what_a_person_settled_is_no_doubt_any_more():
    read("data", DAYS[0], m="6")
    read("page", DAYS[0], m="5")
    assert Disagreement.objects.get().state == Disagreement.State.OPEN
    decide(Claim.objects.get(amount=6), "accept", "seen on the invoice", "a@b.c")
    assert current("m").amount == 6
    assert not Disagreement.objects.exclude(state="resolved").exists()


def test_a_body_the_parser_refuses_leaves_the_catalogue_as_it_was_and_says_why():
    read("page", DAYS[0], m="5")
    before = held()
    outcome = catalog.record("page", b"<html>", observed_at=DAYS[1])
    assert outcome.status == SourceRun.Status.FAILED
    assert "not prices" in outcome.error
    assert held() == before
    assert SourceRun.objects.filter(status=SourceRun.Status.FAILED).count() == 1


def test_a_dry_run_tells_and_writes_nothing():
    outcome = catalog.record("page", b'{"m": "5"}', observed_at=DAYS[0], dry_run=True)
    assert (outcome.added, outcome.prices) == (1, 1)
    assert (Claim.objects.count(), SourceRun.objects.count()) == (0, 0)


def test_a_reading_cannot_come_from_the_future():
    with pytest.raises(SourceError, match="lies in the future"):
        read("page", datetime.now(UTC) + timedelta(days=1), m="5")


def test_free_is_a_price_and_unknown_is_none():
    read("page", DAYS[0], m="0")
    assert Price.objects.get().amount == 0
    assert not Price.objects.filter(unit="output").exists()


def _another(**changes: object) -> Price:
    price = Price.objects.filter(superseded_at=None).first()
    assert price is not None
    price.pk = None
    for name, value in changes.items():
        setattr(price, name, value)
    return price


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({}, "one_price_at_a_time"),
        ({"effective_from": DAYS[0]}, "one_price_at_a_time"),
        ({"known_from": DAYS[2]}, "one_price_at_a_time"),
        ({"amount": Decimal(-1), "unit": "output"}, "price_not_negative"),
        ({"per": 0, "unit": "output"}, "price_per_something"),
        ({"effective_until": datetime(2020, 6, 11, tzinfo=UTC), "unit": "output"}, "price_ends_after_it_starts"),
        ({"known_until": DAYS[0], "unit": "output"}, "price_known_until_after_from"),
        ({"context_from": 1000, "unit": "output"}, "context_tier_is_whole"),
        ({"schedule": None}, "schedule"),
        ({"qualifier": None}, "qualifier"),
    ],
)
def test_the_database_refuses_what_must_not_be(changes, constraint):
    read("page", DAYS[0], m="5")
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        _another(**changes).save(force_insert=True)


def test_verification_finds_a_price_that_no_claim_gives():
    read("page", DAYS[0], m="5")
    ids = list(Offering.objects.values_list("pk", flat=True))
    assert list(differences(ids)) == []
    Price.objects.update(amount=Decimal("0.5"))
    assert len(list(differences(ids))) == 2
