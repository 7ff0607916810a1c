"""What an older program read in a body is corrected once another reads it; nothing is done otherwise."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from django.db import transaction

from pricing import catalog, program, refreshing
from pricing.catalog.decisions import decide
from pricing.models import Claim, Disagreement, Price, PriceEvent, Snapshot, SourceRun
from pricing.sources import Bundle, Reading, SourceError
from pricing.verification import checks
from tests.pricing.loopback import Exchange, Server, make_fetcher, serving
from tests.pricing.market_sources import body_of, install, make_source, parse

pytestmark = pytest.mark.django_db

FIRST, SECOND, THIRD = (datetime(2026, 9, day, tzinfo=UTC) for day in (1, 2, 3))
BEFORE = body_of({"m": {"input": 2, "output": 8}, "n": {"input": 1}})
BODY = body_of({"m": {"input": 3, "output": 8}, "o": {"input": 7}})


def blind(body: bytes) -> Reading:
    """An older parser: it takes what `m` costs twice too dear, and does not see `o`."""
    reading = parse(body)
    reading.statements = [s for s in reading.statements if s.sku != "o"]
    reading.offerings = [fact for fact in reading.offerings if fact.sku != "o"]
    for number, s in enumerate(reading.statements):
        if (s.sku, s.unit) == ("m", "input"):
            reading.statements[number] = replace(s, amount=s.amount * 2)
    return reading


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = make_source("page", "https://prices.test/p.json", parse=blind)
    install(monkeypatch, module)
    return module


@pytest.fixture
def release(source: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Install another release, with this parser."""

    def install_(parser: Any) -> None:
        monkeypatch.setattr(source, "parse", parser)
        monkeypatch.setattr(program, "stamp", lambda: "another")

    return install_


def read(*bodies: tuple[bytes, datetime]) -> None:
    for body, observed_at in bodies:
        outcome = catalog.record("page", body, observed_at=observed_at)
        assert not outcome.error


def said() -> list[tuple[Any, ...]]:
    columns = ("offering__sku", "unit", "amount", "first_seen_at", "last_seen_at", "withdrawn_at", "evidence_at")
    return sorted(Claim.objects.made().values_list(*columns), key=repr)


def accepted() -> list[tuple[Any, ...]]:
    columns = ("offering__sku", "unit", "amount", "effective_from", "effective_until", "known_from", "known_until",
               "observed_at", "basis")  # fmt: skip
    return sorted(Price.objects.filter(superseded_at=None).values_list(*columns), key=repr)


@pytest.mark.parametrize("history", [True, False], ids=["dated", "present"])
@pytest.mark.parametrize("bodies", [
    ((BODY, FIRST),),
    ((BODY, FIRST), (BODY, SECOND), (BODY, THIRD)),
    ((BEFORE, FIRST), (BODY, SECOND)),
    ((BEFORE, FIRST), (BODY, SECOND), (BODY, THIRD)),
    ((BODY, FIRST), (BEFORE, SECOND), (BODY, THIRD)),
])  # fmt: skip
def test_the_newest_body_says_what_it_would_had_this_program_read_it_at_once(
    bodies: tuple[tuple[bytes, datetime], ...], history: bool, source: ModuleType, release: Any
) -> None:
    source.STATES_HISTORY = history
    newest = bodies[-1][0]
    with transaction.atomic():
        read(*bodies)
        assert said()
        release(parse)
        assert catalog.load_bundled() == []
        corrected, prices = said(), accepted()
        assert not list(checks())
        read(bodies[-1])
        assert (said(), accepted()) == (corrected, prices)
        transaction.set_rollback(True)
    turned = max((at for body, at in bodies if body != newest), default=None)
    for body, at in bodies:
        source.parse = parse if turned is None or at > turned else blind
        read((body, at))
    assert corrected == said()
    assert prices == accepted()


def test_a_correction_is_no_change_of_a_price_and_deletes_nothing(source: ModuleType, release: Any) -> None:
    read((BODY, FIRST), (BODY, SECOND))
    kept = set(Claim.objects.values_list("pk", flat=True))
    release(parse)
    catalog.load_bundled()
    assert kept < set(Claim.objects.values_list("pk", flat=True))
    price = Price.objects.get(superseded_at=None, unit="input", offering__sku="m")
    assert (price.amount, price.known_from, price.effective_until) == (3, FIRST, None)
    wrong = Price.objects.get(superseded_at__isnull=False, unit="input", offering__sku="m")
    assert (wrong.amount, wrong.claim.withdrawn_at) == (6, wrong.claim.first_seen_at)
    assert not PriceEvent.objects.filter(kind__in=["cut", "rise"]).exists()


def test_what_waited_for_a_person_for_being_misread_waits_no_longer(source: ModuleType, release: Any) -> None:
    def thousandfold(body: bytes) -> Reading:
        reading = parse(body)
        reading.statements = [replace(s, amount=s.amount * 1000) for s in reading.statements]
        return reading

    source.parse = thousandfold
    read((BODY, FIRST))
    assert Disagreement.objects.filter(state=Disagreement.State.HELD).exists()
    release(parse)
    catalog.load_bundled()
    assert not Disagreement.objects.exclude(state=Disagreement.State.RESOLVED).exists()


def test_nothing_is_done_where_the_program_is_the_same(source: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    read((BODY, FIRST))
    monkeypatch.setattr(source, "parse", None)
    assert catalog.load_bundled() == []
    read((BODY, SECOND))
    assert list(SourceRun.objects.order_by("pk").values_list("status", flat=True)) == ["changed", "unchanged"]


def test_an_amount_beyond_the_twelfth_decimal_is_known_again(source: ModuleType, release: Any) -> None:
    source.parse = parse
    third = {"m": {"input": 0.1234567890125, "output": 1}}
    read((body_of(third), FIRST), (body_of(third | {"n": {"input": 1}}), SECOND))
    release(parse)
    catalog.load_bundled()
    assert Claim.objects.get(unit="input", offering__sku="m").last_seen_at == SECOND
    assert Claim.objects.get(unit="input", offering__sku="m").amount == Decimal("0.123456789013")


def test_a_release_that_was_read_already_is_read_anew_and_once(source: ModuleType, release: Any) -> None:
    source.bundled, source.release = (lambda: Bundle(BODY, "1.0", FIRST)), lambda: "1.0"
    catalog.load_bundled()
    release(parse)
    for _ in range(2):
        assert catalog.load_bundled() == []
        assert SourceRun.objects.count() == 2
        assert Price.objects.get(superseded_at=None, unit="input", offering__sku="o").amount == 7


def test_a_body_the_program_refuses_keeps_what_it_said_and_blocks_no_other(
    source: ModuleType, release: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def strict(body: bytes) -> Reading:
        if body == BODY:
            raise SourceError("The headings are not those of the page.")
        return parse(body)

    read((BODY, FIRST))
    before = accepted()
    release(strict)
    with caplog.at_level(logging.WARNING):
        catalog.load_bundled()
    assert "The headings are not those" in caplog.text
    assert catalog.record("page", BODY, observed_at=SECOND).failure == "layout"
    assert accepted() == before
    read((BEFORE, THIRD))
    held = Price.objects.get(
        superseded_at=None, known_until=None, effective_until=None, unit="input", offering__sku="m"
    )
    assert held.amount == 2


def test_a_persons_word_on_what_is_said_again_holds(source: ModuleType, release: Any) -> None:
    read((BODY, FIRST))
    claim = Claim.objects.get(unit="output")
    decide(claim, "accept", "the contract says so", "ada@example.com")
    release(parse)
    catalog.load_bundled()
    assert Price.objects.get(superseded_at=None, unit="output", offering__sku="m").basis == "manual"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(lambda exchange: exchange.answer(BODY)) as running:
        yield running


def test_an_answer_that_nothing_changed_reads_the_kept_body_anew(
    server: Server, source: ModuleType, release: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def respond(exchange: Exchange) -> None:
        known = exchange.headers.get("If-None-Match")
        exchange.answer(b"" if known else BODY, status=304 if known else 200, ETag='"1"')

    server.respond = respond
    source.FEED = server.url()
    monkeypatch.setattr(refreshing, "default_fetcher", make_fetcher)
    refreshing.refresh("page")
    release(parse)
    assert refreshing.refresh("page").status == "unchanged"
    assert server.requests[-1][1]["if-none-match"] == '"1"'
    assert Snapshot.objects.count() == 1
    assert Price.objects.get(superseded_at=None, unit="input", offering__sku="m").amount == Decimal(3)
