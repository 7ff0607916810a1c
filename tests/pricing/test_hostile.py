"""Hostile price sources over a real https server: each is named, changes nothing, and stops no other source."""

from __future__ import annotations

import gzip
import hashlib
import json
import ssl
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django.plugin import DjangoDbBlocker

from pricing import bodies, refreshing
from pricing.failures import KINDS, SourceFailure
from pricing.models import Snapshot, SourceRun
from tests.pricing.loopback import LIMITS, LOOPBACK, Exchange, Server, certificate, make_fetcher, serving
from tests.pricing.market_sources import PRICES, body_of, install, make_source

GOOD = body_of(PRICES)
JSON_TAIL = b'"model-1": {"input": 1}}'


def answers(body: bytes, **headers: Any) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.answer(body, **headers)


def packed(body: bytes) -> Callable[[Exchange], None]:
    return answers(body, Content_Encoding="gzip")


def pieces(body: bytes) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", body)


def redirects(location: str, status: int = 302) -> Callable[[Exchange], None]:
    return answers(b"", status=status, Location=location)


def endless(exchange: Exchange) -> None:
    """A body without an end and without a length."""
    exchange.raw(b"HTTP/1.1 200 OK\r\n\r\n")
    while not exchange.stop.is_set():
        exchange.raw(b" " * 65_536)


def redirects_endlessly(exchange: Exchange) -> None:
    exchange.raw(b"HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n")
    while not exchange.stop.is_set():
        exchange.raw(b" " * 65_536)


def reset(exchange: Exchange) -> None:
    """Half a body, then the connection is gone without a word."""
    exchange.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{")
    exchange.handler.connection.shutdown(2)


def silent(exchange: Exchange) -> None:
    exchange.stop.wait(2)


def drips_head(exchange: Exchange) -> None:
    exchange.drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"y" * 500, 0.05)


def drips_body(exchange: Exchange) -> None:
    exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
    exchange.drip(b"{" + b" " * 499, 0.05)


def doubled(table: dict[str, Any], factor: str) -> bytes:
    """The same table with every amount followed by more digits: ×10 per zero."""
    return json.dumps(
        {sku: {unit: int(f"{n}{factor}") for unit, n in units.items()} for sku, units in table.items()}
    ).encode()


def only(count: int) -> bytes:
    return body_of(dict(list(PRICES.items())[:count]))


HOSTILE: dict[str, tuple[str, Callable[[Exchange], None]]] = {
    # The body is not what was asked for
    "an HTML page": ("html_for_json", answers(b"<!doctype html><title>Sign in</title>")),
    "an HTML page after blanks": ("html_for_json", answers(b"\n\n  <html>")),
    "XML": ("html_for_json", answers(b"<?xml version='1.0'?><prices/>")),
    "plain words": ("malformed", answers(b"upstream connect error")),
    "an empty body": ("empty", answers(b"")),
    "blanks": ("empty", answers(b" \r\n\t ")),
    "an empty list": ("empty", answers(b"[]")),
    "an empty object": ("empty", answers(b"{}")),
    "null": ("empty", answers(b"null")),
    "a number": ("layout", answers(b"42")),
    "a table of nothing": ("empty", answers(b'{"model-1": {}}')),
    "another layout": ("layout", answers(b'{"models": [{"id": "model-1"}]}')),
    "nested lists": ("layout", answers(b"[[[[1]]]]")),
    # JSON that is none
    "JSON that ends early": ("truncated", answers(GOOD[:-20])),
    "JSON that ends in a name": ("truncated", answers(GOOD[:4])),
    "JSON followed by more": ("malformed", answers(GOOD + b"{}")),
    "lists within lists": ("deep", answers(b"[" * 50_000 + b"]" * 50_000)),
    "objects within objects": ("deep", answers(b'{"a":' * 20_000 + b"1" + b"}" * 20_000)),
    "NaN": ("nan", answers(b'{"model-1": {"input": NaN}}')),
    "Infinity": ("nan", answers(b'{"model-1": {"input": Infinity}}')),
    "minus Infinity": ("nan", answers(b'{"model-1": {"input": -Infinity}}')),
    "a price stated twice": ("duplicate_keys", answers(b'{"model-1": {"input": 1, "input": 2}}')),
    "a model stated twice": ("duplicate_keys", answers(b'{"model-1": {"input": 7},' + JSON_TAIL)),
    "a number of 5,000 digits": ("malformed", answers(b'{"model-1": {"input": ' + b"9" * 5_000 + b"}}")),
    # Text that is none
    "UTF-16": ("not_text", answers(GOOD.decode().encode("utf-16"))),
    "UTF-32": ("not_text", answers(GOOD.decode().encode("utf-32"))),
    "a byte order mark": ("not_text", answers(b"\xef\xbb\xbf" + GOOD)),
    "bytes that are not UTF-8": ("not_text", answers(b'{"model-\xff": {"input": 1}}')),
    "NUL bytes": ("not_text", answers(b'{"model-\x00": {"input": 1}}')),
    "half a character, escaped": ("not_text", answers(b'{"model-\\ud800": {"input": 1}}')),
    "a NUL, escaped": ("not_text", answers(b'{"model-\\u0000": {"input": 1}}')),
    "a picture": ("not_text", answers(b"\x89PNG\r\n\x1a\n" + bytes(100))),
    # Amounts that are none
    "a price below zero": ("negative", answers(b'{"model-1": {"input": -1}}')),
    "a price that would round to nothing": ("amount", answers(b'{"model-1": {"input": 1e-13}}')),
    "a price of 10^30": ("amount", answers(b'{"model-1": {"input": 1e30}}')),
    "a price beyond every float": ("amount", answers(b'{"model-1": {"input": 1e999}}')),
    "a number as text": ("layout", answers(b'{"model-1": {"input": "1"}}')),
    "true for a price": ("layout", answers(b'{"model-1": {"input": true}}')),
    "a currency that is none": ("amount", answers(b'{"model-1": {"input": 1, "currency": "$"}}')),
    "a name longer than any": ("layout", answers(b'{"' + b"m" * 500 + b'": {"input": 1}}')),
    "a name of blanks": ("layout", answers(GOOD.replace(b"model-1", b"   "))),
    "a name of two lines": ("layout", answers(GOOD.replace(b"model-1", b"model\\n1"))),
    "a name that reads backwards": ("layout", answers(GOOD.replace(b"model-1", "\u202e1-ledom".encode()))),
    "a decimal comma": ("layout", answers(GOOD.replace(b'"input": 1,', b'"input": "0,10",'))),
    "a number in other digits": ("layout", answers(GOOD.replace(b'"input": 1,', '"input": "\u0661",'.encode()))),
    "a hexadecimal number": ("malformed", answers(GOOD.replace(b'"input": 1,', b'"input": 0x1,'))),
    "a name spelt by escapes, twice": (
        "duplicate_keys", answers(b'{"m\\u006fdel-1": {"input": 7}, ' + GOOD.removeprefix(b"{")),
    ),
    "a unit no column holds": ("amount", answers(body_of(PRICES | {"model-1": {"u" * 200: 7}}))),
    # The reading as a whole
    "half of the models gone": ("implausible", answers(only(5))),
    "all models renamed": ("implausible", answers(body_of({f"{sku}-x": units for sku, units in PRICES.items()}))),
    "every price times a thousand": ("implausible", answers(doubled(PRICES, "000"))),
    "every price a thousandth": (
        "implausible",
        answers(body_of({m: {u: n / 1000 for u, n in units.items()} for m, units in PRICES.items()})),
    ),
    "every currency changed": (
        "implausible", answers(body_of({m: {**units, "currency": "CNY"} for m, units in PRICES.items()})),
    ),
    "everything for nothing": (
        "implausible", answers(body_of({m: dict.fromkeys(units, 0) for m, units in PRICES.items()})),
    ),
    "input and output exchanged": (
        "implausible", answers(body_of({m: {"input": u["output"], "output": u["input"]} for m, u in PRICES.items()})),
    ),
    "two models exchanged": (
        "implausible", answers(body_of(PRICES | {"model-1": PRICES["model-2"], "model-2": PRICES["model-1"]})),
    ),
    # Sizes
    "a gigabyte, announced": ("too_large", answers(b"{", Content_Length=str(1 << 30))),
    "a body without end": ("too_large", endless),
    "a number of bytes nobody can hold": ("truncated", answers(b"{", Content_Length="9" * 40)),
    "a gzip bomb": ("bomb", packed(gzip.compress(b" " * 50_000_000))),
    "a bomb in many members": ("bomb", packed(gzip.compress(b" " * 100_000) * 3)),
    "gzip that is none": ("encoding", packed(GOOD)),
    "half a gzip": ("truncated", packed(gzip.compress(GOOD)[:-9])),
    "a packing nobody asked for": ("encoding", answers(GOOD, Content_Encoding="br")),
    "gzip nobody announced": ("not_text", answers(gzip.compress(GOOD))),
    "a body shorter than announced": ("truncated", answers(GOOD, Content_Length="9999")),
    "a body cut by its announced length": ("truncated", answers(GOOD, Content_Length=str(len(GOOD) - 30))),
    "a connection reset in the body": ("truncated", reset),
    "a piece of no length": ("truncated", pieces(b"zz\r\n" + GOOD)),
    "a piece longer than announced": ("truncated", pieces(b"5\r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "pieces without an end": ("truncated", pieces(f"{len(GOOD):x}\r\n".encode() + GOOD + b"\r\n")),
    "two lengths": (
        "broken_answer",
        lambda exchange: exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 390\r\n\r\n" + GOOD),
    ),
    "gzip within gzip": ("encoding", answers(gzip.compress(gzip.compress(GOOD)), Content_Encoding="gzip, gzip")),
    "gzip followed by more": ("encoding", packed(gzip.compress(GOOD) + b"more")),
    # Statuses
    "203": ("broken_answer", answers(GOOD, status=203)),
    "204": ("no_content", answers(b"", status=204)),
    "206": ("no_content", answers(GOOD[:40], status=206)),
    "304 that nobody asked for": ("no_content", answers(b"", status=304)),
    "400": ("http_4xx", answers(GOOD, status=400)),
    "401": ("http_4xx", answers(GOOD, status=401)),
    "403": ("http_4xx", answers(b"<html>", status=403)),
    "404": ("http_4xx", answers(GOOD, status=404)),
    "429": ("rate_limited", answers(GOOD, status=429)),
    "500": ("http_5xx", answers(GOOD, status=500)),
    "503": ("http_5xx", answers(GOOD, status=503, Retry_After="soon")),
    "a status that is none": ("broken_answer", answers(GOOD, status=999)),
    # The way there
    "no answer": ("timeout", silent),
    "a slow head": ("timeout", drips_head),
    "a slow body": ("timeout", drips_body),
    "a connection that is closed": ("broken_answer", lambda _: None),
    "HTTP 0.9": ("broken_answer", lambda exchange: exchange.raw(GOOD)),
    "an answer that is not HTTP": ("broken_answer", lambda exchange: exchange.raw(b"220 mail.test ESMTP\r\n")),
    "a header of 70 kB": ("broken_answer", answers(GOOD, X_Long="y" * 70_000)),
    "two hundred headers": ("broken_answer", answers(GOOD, **{f"X_{n}": "y" for n in range(200)})),
    # Redirects
    "a redirect to the metadata service": ("private_address", redirects("https://169.254.169.254/latest/meta-data/")),
    "a redirect to 10.0.0.1": ("private_address", redirects("https://10.0.0.1/")),
    "a redirect to ::1": ("private_address", redirects("https://[::1]/")),
    "a redirect to a mapped address": ("private_address", redirects("https://[::ffff:10.0.0.1]/")),
    "a redirect to a NAT64 address": ("private_address", redirects("https://[64:ff9b::a00:1]/")),
    "a redirect to a decimal address": ("private_address", redirects("https://167772161/")),
    "a redirect to a short address": ("private_address", redirects("https://10.1/")),
    "a redirect to 0.0.0.0": ("private_address", redirects("https://0.0.0.0/")),
    "a redirect to http": ("redirect", redirects("http://prices.test/")),
    "a redirect to a file": ("redirect", redirects("file:///etc/passwd")),
    "a redirect with a password": ("redirect", redirects("https://user:secret@prices.test/")),
    "redirects with bodies without end": ("redirect", redirects_endlessly),
    "a redirect to nowhere": ("redirect", answers(b"", status=302)),
    "a redirect to itself": ("redirect", redirects("/prices.json", 307)),
    "a redirect that is not an address": ("redirect", redirects("https://[::1")),
}  # fmt: skip


readings = iter(range(11, 10_000))


def answer_well(exchange: Exchange) -> None:
    """What the sources say while nothing is wrong; the good one's prices change with every reading."""
    if exchange.path == "/good.json":
        exchange.answer(body_of(PRICES | {"model-1": {"input": next(readings) / 10, "output": 4}}))
    else:
        exchange.answer(GOOD)


def sources(server: Server) -> tuple[ModuleType, ModuleType]:
    return make_source("bad", server.url()), make_source("good", server.url("/good.json", "good.test"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(answer_well) as running:
        yield running


@pytest.fixture(scope="module")
def _read_well(server: Server, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Both sources read well once, in a transaction around the tests of this module."""
    with django_db_blocker.unblock(), transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        install(patch, *sources(server))
        for slug in ("bad", "good"):
            assert refreshing.refresh(slug, fetcher=make_fetcher()).status == "changed"
        yield
        transaction.set_rollback(True)


@pytest.fixture
def market(server: Server, _read_well: None, db: None, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server of two sources, a bad and a good one, that have been read well once."""
    server.respond = answer_well
    server.requests.clear()
    install(monkeypatch, *sources(server))
    monkeypatch.setattr(refreshing, "default_fetcher", make_fetcher)
    return server


def fingerprint() -> str:
    """Every row of the tables that the bad source could have touched, and of those that hang on them."""
    rows = []
    with connection.cursor() as cursor:
        for sql in (
            "SELECT c.* FROM pricing_claim c JOIN pricing_pricesource s ON s.id = c.source_id WHERE s.slug = 'bad'",
            "SELECT p.* FROM pricing_price p JOIN pricing_pricesource s ON s.id = p.source_id WHERE s.slug = 'bad'",
            "SELECT * FROM pricing_offering",
            "SELECT * FROM pricing_languagemodel",
            "SELECT * FROM pricing_alias",
        ):
            cursor.execute(f"SELECT x::text FROM ({sql}) x ORDER BY 1")
            rows += [row for (row,) in cursor.fetchall()]
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def turn(server: Server, respond: Callable[[Exchange], None]) -> None:
    """Let the bad source's address answer otherwise from now on."""
    server.respond = lambda exchange: (answer_well if exchange.path == "/good.json" else respond)(exchange)


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_source_is_named_changes_nothing_and_stops_nobody(market: Server, case: str) -> None:
    kind, respond = HOSTILE[case]
    turn(market, respond)
    before, bodies = fingerprint(), Snapshot.objects.count()

    bad, good = refreshing.refresh_all(["bad", "good"])

    assert (bad.failure, fingerprint()) == (kind, before), bad.error
    assert bad.status == ("held" if kind == "implausible" else "failed")
    assert bad.error.endswith(".")
    assert bad.retry_at is not None
    run = SourceRun.objects.get(source__slug="bad", status=bad.status)
    assert (run.failure, run.error, run.attempts) == (kind, bad.error, 1)
    # Only a body that waits for a person is kept, beside the good source's new one.
    assert Snapshot.objects.count() == bodies + (2 if kind == "implausible" else 1)
    assert (good.status, good.failure) == ("changed", "")


def test_every_kind_of_failure_is_met_here_or_below() -> None:
    met = {kind for kind, _ in HOSTILE.values()}
    assert KINDS.keys() - met == {"bad_url", "dns", "unreachable", "tls", "html_for_text", "bug"}


def refused(**changes: Any) -> str:
    """The failure of the bad source, fetched in another way."""
    before = fingerprint()
    outcome = refreshing.refresh("bad", fetcher=make_fetcher(**changes))
    assert (outcome.status, fingerprint()) == ("failed", before)
    return outcome.failure


def test_a_name_that_leads_into_the_private_network_is_not_connected_to(market: Server) -> None:
    asked = len(market.requests)
    for private in (
        "10.0.0.7",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "::1",
        "fd00::1",
        "fe80::1",
    ):
        assert refused(resolve=lambda _host, _port, ip=private: [ip]) == "private_address"
    assert len(market.requests) == asked


def test_one_private_address_among_public_ones_is_enough(market: Server) -> None:
    assert refused(resolve=lambda _host, _port: [LOOPBACK, "10.0.0.7"]) == "private_address"


def test_an_answer_of_the_name_service_that_changes_after_the_check_changes_nothing(market: Server) -> None:
    given = iter([[LOOPBACK], ["10.0.0.7"]])
    fetcher = make_fetcher(resolve=lambda _host, _port: next(given))
    assert refreshing.refresh("bad", fetcher=fetcher).status == "unchanged"
    assert next(given) == ["10.0.0.7"], "the name was asked for twice"


def test_a_redirect_asks_the_name_service_anew_and_checks_again(market: Server) -> None:
    turn(market, redirects("https://prices.test/", 301))
    given = iter([[LOOPBACK], ["10.0.0.7"]])
    assert refused(resolve=lambda _host, _port: next(given)) == "private_address"


def test_a_name_without_an_address_is_a_failure_of_the_name_service(market: Server) -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    assert refused(resolve=lambda _host, _port: []) == "dns"
    assert refused(resolve=unknown) == "dns"


def test_the_installations_own_fetcher_reaches_no_server_on_the_loopback(market: Server, settings: Any) -> None:
    from pricing.fetching import Fetcher

    settings.PRIVATE_HOSTS = ("prices.test", LOOPBACK)
    asked = len(market.requests)
    outcome = refreshing.refresh("bad", fetcher=Fetcher(LIMITS, resolve=lambda _host, _port: [LOOPBACK]))
    assert outcome.failure == "private_address"
    assert len(market.requests) == asked


def test_a_certificate_nobody_vouches_for_is_refused(market: Server) -> None:
    assert refused(certificates="") == "tls"
    other = certificate("elsewhere.test")
    with serving(answers(GOOD), cert=other) as server:
        install_feed(server)
        assert refused(certificates=str(other)) == "tls"  # trusted, but for another name


def test_a_server_that_speaks_no_tls_is_refused(market: Server) -> None:
    with serving(answers(GOOD), tls=False) as server:
        install_feed(server)
        assert refused() == "tls"


def test_a_port_where_nobody_listens_is_unreachable(market: Server) -> None:
    with serving(answers(GOOD)) as server:
        install_feed(server)
    assert refused() == "unreachable"


def test_an_address_that_is_not_https_is_never_fetched(market: Server) -> None:
    for feed in (
        "http://prices.test/prices.json",
        "file:///etc/passwd",
        "https://u:p@prices.test/x.json",
        "ftp://x.test",
    ):
        vars(refreshing.all_sources()["bad"])["FEED"] = feed
        assert refused() == "bad_url"


def install_feed(server: Server) -> None:
    vars(refreshing.all_sources()["bad"])["FEED"] = server.url()


def test_a_page_where_another_text_is_expected_is_named_so(market: Server) -> None:
    vars(refreshing.all_sources()["bad"])["MEDIA"] = "csv"
    turn(market, answers(b"<html>Not found</html>"))
    assert refused() == "html_for_text"


def test_a_parser_that_breaks_is_our_bug_and_stops_nobody(market: Server, caplog: Any) -> None:
    def broken(_body: bytes) -> Any:
        raise ZeroDivisionError("a slip")

    vars(refreshing.all_sources()["bad"])["parse"] = broken
    turn(market, answers(only(9)))
    bad, good = refreshing.refresh_all(["bad", "good"])
    assert (bad.failure, good.status) == ("bug", "changed")
    assert "ZeroDivisionError" in caplog.text


def test_a_gigabyte_is_never_held(market: Server) -> None:
    import tracemalloc

    turn(market, endless)
    tracemalloc.start()
    try:
        assert refused() == "too_large"
        assert tracemalloc.get_traced_memory()[1] < 10 * LIMITS.body
    finally:
        tracemalloc.stop()


def test_the_deadline_holds_for_a_head_that_drips(market: Server) -> None:
    import time

    turn(market, drips_head)
    began = time.monotonic()
    assert refused() == "timeout"
    assert time.monotonic() - began < LIMITS.total + 1


def test_tls_is_spoken_with_the_name_and_not_with_the_address(market: Server) -> None:
    refreshing.refresh("bad")
    _, headers = market.requests[-1]
    assert headers["host"] == f"prices.test:{market.port}"
    assert ssl.HAS_SNI


def test_a_whole_pair_of_escapes_is_a_character():
    bodies.refuse(b'{"model-\\ud83d\\ude00": {"note": "\\\\ud800"}}', "json")
    with pytest.raises(SourceFailure, match="half of a character"):
        bodies.refuse(b'{"model-\\ude00\\ud83d": 1}', "json")


def test_half_a_character_in_a_page_is_named_too(market: Server) -> None:
    vars(refreshing.all_sources()["bad"])["MEDIA"] = ""
    turn(market, answers(GOOD[:-1] + b', "model-1": {"in\\ud800put": 7}}'))
    assert refused() == "not_text"


def test_a_page_may_hold_a_stray_nul_and_no_more():
    """DeepSeek's page of summer 2026 holds two."""
    for media in ("html", ""):
        bodies.refuse(b"<!doctype html><p>" + b"x" * 4_000 + b"\x00\x00</p>", media)
        with pytest.raises(SourceFailure, match="NUL"):
            bodies.refuse("<html><p>2</p></html>".encode("utf-16-le"), media)
