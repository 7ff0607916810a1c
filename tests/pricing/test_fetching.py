"""Which addresses are public, what goes over the wire, when to try again, and what a body must be."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import addresses, bodies
from pricing.addresses import Target, is_public, refuse_literal, target
from pricing.failures import LONGEST_WAIT, SourceFailure, next_try
from pricing.fetching import Fetcher, retry_moment, unpacked
from pricing.plausibility import implausible, refuse_unsound
from pricing.sources import AGGREGATOR, OFFICIAL, Reading, all_sources
from tests.pricing.loopback import LOOPBACK, Exchange, allow_loopback, make_fetcher, serving
from tests.pricing.market_sources import PRICES, body_of, parse

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class TestAddresses:
    @pytest.mark.parametrize("text", ["8.8.8.8", "140.82.112.3", "2606:4700::6810:84e5", "::ffff:8.8.8.8",
                                      "64:ff9b::808:808", "2002:808:808::1"])  # fmt: skip
    def test_the_public_internet_is_public_however_it_is_wrapped(self, text: str) -> None:
        assert is_public(ip_address(text))

    @pytest.mark.parametrize("text", [
        "0.0.0.1", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::a00:1", "64:ff9b:1::808:808", "100::1", "2001::1", "2001:db8::1",
        "2002:a00:1::1", "2002:7f00:1::", "3fff::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1",
        "ff02::1", "5f00::1",
    ])  # fmt: skip
    def test_nothing_else_is(self, text: str) -> None:
        assert not is_public(ip_address(text))

    @given(st.ip_addresses(v=4))
    def test_wrapping_an_address_never_makes_it_more_public(self, address: Any) -> None:
        inside = is_public(address)
        for wrapped in (f"::ffff:{address}", f"64:ff9b::{address}", f"::{address}"):
            assert is_public(ip_address(wrapped)) <= inside

    @pytest.mark.parametrize("url", [
        "http://x.test/", "ftp://x.test/", "file:///etc/passwd", "//x.test/", "x.test", "", "https://", "https:///x",
        "https://u@x.test/", "https://u:p@x.test/", "https://x.test:99999/", "https://[::1", "https://x.test\\@y.test/",
        "https://x.test/\r\nHost: y", "https://x.test/ y", "https://fe80::1%25eth0/", "https://[fe80::1%25eth0]/",
    ])  # fmt: skip
    def test_only_a_plain_https_address_is_an_address(self, url: str) -> None:
        with pytest.raises(SourceFailure) as caught:
            target(url)
        assert caught.value.kind == "bad_url"

    def test_an_address_is_its_host_and_port(self) -> None:
        assert target("https://API.example.com./v1?x=1") == Target("api.example.com", 443)
        assert target("https://[2606:4700::1]:8443/") == Target("2606:4700::1", 8443)

    def test_a_query_never_reaches_a_sentence(self) -> None:
        assert addresses.shown("https://x.test/p?key=secret#secret") == "https://x.test/p"

    @pytest.mark.parametrize("host", [
        "127.0.0.1", "2130706433", "0x7f000001", "017700000001", "127.1", "10.0.0.1", "::1", "::ffff:10.0.0.1",
        "localhost", "db", "printer.local", "metadata.google.internal", "a.localhost",
    ])  # fmt: skip
    def test_behind_a_proxy_what_is_written_out_is_still_refused(self, host: str) -> None:
        with pytest.raises(SourceFailure) as caught:
            refuse_literal(Target(host, 443))
        assert caught.value.kind == "private_address"

    @pytest.mark.parametrize("host", ["api.example.com", "8.8.8.8", "2606:4700::1"])
    def test_behind_a_proxy_public_names_are_the_proxys_to_resolve(self, host: str) -> None:
        refuse_literal(Target(host, 443))


class TestFetching:
    def test_validators_and_a_name_are_sent_and_nothing_of_the_environment(
        self, monkeypatch: Any, tmp_path: Any
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine prices.test login somebody password secret\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        with serving(lambda exchange: exchange.answer(b"", status=304, ETag='"2"')) as server:
            fetched = make_fetcher().fetch(server.url(), etag='"1"', last_modified="Wed, 25 Nov 2026 12:00:00 GMT")
            ((_, headers),) = server.requests
        assert (fetched.body, fetched.etag) == (None, '"2"')
        assert headers == {
            "host": f"prices.test:{server.port}", "user-agent": "Ratecard/0.1", "accept": "*/*",
            "accept-encoding": "gzip", "if-none-match": '"1"', "if-modified-since": "Wed, 25 Nov 2026 12:00:00 GMT",
        }  # fmt: skip

    def test_a_redirect_is_followed_and_the_key_stays_with_its_host(self) -> None:
        def respond(exchange: Exchange) -> None:
            if exchange.path == "/a":
                exchange.answer(b"", status=301, Location="/b")
            elif exchange.path == "/b":
                exchange.answer(b"", status=308, Location=f"https://elsewhere.test:{server.port}/c")
            else:
                exchange.answer(b"[1]", ETag='"x"', Last_Modified="y")

        with serving(respond) as server:
            fetched = make_fetcher().fetch(server.url("/a"), key="secret")
        assert (fetched.url, fetched.body, fetched.etag, fetched.last_modified) == (
            server.url("/a"),
            b"[1]",
            '"x"',
            "y",
        )
        keys = [(path, headers.get("authorization")) for path, headers in server.requests]
        assert keys == [("/a", "Bearer secret"), ("/b", "Bearer secret"), ("/c", None)]

    def test_the_next_address_is_tried_where_the_first_is_not_connected_to(self) -> None:
        with serving(lambda exchange: exchange.answer(b"[1]")) as server:
            fetcher = make_fetcher(
                resolve=lambda _host, _port: ["127.0.0.2", LOOPBACK],
                allow=lambda address: address == ip_address("127.0.0.2") or allow_loopback(address),
            )
            assert fetcher.fetch(server.url()).body == b"[1]"

    def test_a_chunked_gzip_body_is_unpacked(self) -> None:
        packed = gzip.compress(b"[1, 2]")
        chunk = f"{len(packed):x}\r\n".encode() + packed + b"\r\n0\r\n\r\n"
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
        with serving(lambda exchange: exchange.raw(head, chunk)) as server:
            assert make_fetcher().fetch(server.url()).body == b"[1, 2]"

    @pytest.mark.parametrize("retry_after", ["7", "Wed, 25 Nov 2099 12:00:00 GMT"])
    @pytest.mark.parametrize("status", [429, 503])
    def test_when_the_host_says_to_come_back_is_kept(self, status: int, retry_after: str) -> None:
        with (
            serving(lambda exchange: exchange.answer(b"", status=status, Retry_After=retry_after)) as server,
            pytest.raises(SourceFailure) as caught,
        ):
            make_fetcher().fetch(server.url())
        assert not caught.value.permanent
        assert caught.value.retry_at is not None
        assert caught.value.retry_at > datetime.now(UTC)

    def test_what_somebody_must_mend_is_permanent_and_what_passes_is_not(self) -> None:
        def permanent(status: int) -> bool:
            with (
                serving(lambda exchange: exchange.answer(b"", status=status)) as server,
                pytest.raises(SourceFailure) as caught,
            ):
                make_fetcher().fetch(server.url())
            return caught.value.permanent

        assert {status: permanent(status) for status in (401, 403, 404, 410, 408, 425, 429, 500, 502, 503)} == {
            401: True, 403: True, 404: True, 410: True, 408: False, 425: False, 429: False, 500: False, 502: False,
            503: False,
        }  # fmt: skip

    def test_a_proxy_is_asked_by_name_and_resolves(self) -> None:
        asked: list[str] = []

        def respond(exchange: Exchange) -> None:
            raise AssertionError("a proxy is asked to CONNECT")

        with serving(respond, tls=False) as proxy:

            def connect(handler: Any) -> None:
                asked.append(handler.path)
                handler.send_error(502)

            proxy.on_connect = connect
            fetcher = make_fetcher(proxy=f"http://{LOOPBACK}:{proxy.port}", resolve=_never)
            with pytest.raises(SourceFailure) as caught:
                fetcher.fetch("https://prices.test/prices.json")
            assert caught.value.kind == "unreachable"
            with pytest.raises(SourceFailure, match="not on the public internet"):
                fetcher.fetch("https://10.0.0.1/")
        assert asked == ["prices.test:443"]

    def test_the_usual_fetcher_guards(self) -> None:
        usual = Fetcher()
        assert (usual.allow, usual.resolve, usual.proxy) == (addresses.is_public, addresses.resolve, "")


def _never(_host: str, _port: int) -> list[str]:
    raise AssertionError("behind a proxy no name is asked for here")


class TestTryingAgain:
    @pytest.mark.parametrize(("text", "wait"), [
        ("0", 0), ("120", 120), (" 5 ", 5), ("Wed, 25 Nov 2026 12:01:00 GMT", 60),
        ("Wed, 25 Nov 2026 11:00:00 GMT", -3600),
        ("Wed, 25 Nov 2026 14:00:00 +0200", 0),
    ])  # fmt: skip
    def test_a_moment_is_seconds_or_a_date(self, text: str, wait: int) -> None:
        assert retry_moment(text, NOW) == NOW + timedelta(seconds=wait)

    @pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "９", "Wed, 99 Nov 2026", "9" * 40, "1e3", "\x00"])
    def test_anything_else_is_none(self, text: str) -> None:
        assert retry_moment(text, NOW) is None

    @given(st.text(max_size=60))
    def test_no_header_breaks_it(self, text: str) -> None:
        retry_moment(text, NOW)

    @staticmethod
    def wait(
        failures: int, *, permanent: bool = False, retry_at: datetime | None = None, jitter: float = 0
    ) -> timedelta:
        return next_try(NOW, DAY, failures, permanent=permanent, retry_at=retry_at, jitter=jitter) - NOW

    def test_the_wait_doubles_up_to_the_cadence(self) -> None:
        minutes = [self.wait(n).total_seconds() / 60 for n in range(1, 10)]
        assert minutes == [15, 30, 60, 120, 240, 480, 960, 1440, 1440]
        assert self.wait(10**9) == DAY

    def test_what_somebody_must_mend_waits_for_the_cadence(self) -> None:
        assert self.wait(1, permanent=True) == DAY

    def test_a_host_is_not_asked_before_the_moment_it_named_nor_a_week_later(self) -> None:
        assert self.wait(1, retry_at=NOW + timedelta(hours=5)) == timedelta(hours=5)
        assert self.wait(1, retry_at=NOW - timedelta(hours=5)) == timedelta(minutes=15)
        assert self.wait(1, retry_at=NOW + timedelta(days=900)) == LONGEST_WAIT

    def test_jitter_lengthens_a_wait_by_up_to_a_fifth(self) -> None:
        assert self.wait(1, jitter=0.5) == timedelta(minutes=16.5)


class TestBodies:
    @pytest.mark.parametrize(("feed", "changes", "media"), [
        ("https://x.test/a/data.json?v=1", {}, "json"), ("https://x.test/p.yml", {}, "yaml"),
        ("https://x.test/pricing.md", {}, "markdown"), ("https://x.test/pricing", {}, ""),
        ("https://x.test/v1/models", {"TRUST": AGGREGATOR}, "json"), ("", {"TRUST": AGGREGATOR}, ""),
        ("https://x.test/v1/models", {"MEDIA": "html"}, "html"), ("https://x.test/a.json", {"MEDIA": ""}, ""),
    ])  # fmt: skip
    def test_the_medium_is_declared_or_read_from_the_address(self, feed: str, changes: Any, media: str) -> None:
        assert bodies.media_of(SimpleNamespace(**{"FEED": feed, "TRUST": OFFICIAL} | changes)) == media

    def test_every_source_has_a_medium_its_recorded_body_passes(self) -> None:
        from tests.pricing.test_sources import recorded_body

        for slug, source in all_sources().items():
            bodies.refuse(recorded_body(slug), bodies.media_of(source))

    def test_a_page_may_be_in_any_character_set_and_data_may_not(self) -> None:
        page = "<html>价格".encode("gb18030")
        bodies.refuse(page, "html")
        bodies.refuse(page, "")
        with pytest.raises(SourceFailure) as caught:
            bodies.refuse(page, "csv")
        assert caught.value.kind == "not_text"

    def test_an_entry_repeated_in_a_long_table_is_a_slip_and_a_price_stated_twice_is_not(self) -> None:
        entries = [f'"m{n}": {{"input": 1}}' for n in range(1000)]
        bodies.refuse_json(("{" + ",".join([*entries, '"m5": {"input": 2}']) + "}").encode())
        bodies.refuse_json(b'{"a": 1, "a": 1, "b": {"x": [1]}, "b": {"x": [1]}}')
        for contradiction in ([*entries, '"m5": {"input": 2, "input": 3}'], [*entries, '"note": 1', '"note": 2']):
            with pytest.raises(SourceFailure) as caught:
                bodies.refuse_json(("{" + ",".join(contradiction) + "}").encode())
            assert caught.value.kind == "duplicate_keys"

    @given(st.binary(max_size=200), st.sampled_from(["json", "yaml", "html", "markdown", "csv", "xml", ""]))
    def test_no_body_surfaces_anything_but_a_named_failure(self, body: bytes, media: str) -> None:
        with suppress(SourceFailure):
            bodies.refuse(body, media)

    @given(st.integers(1, len(body_of(PRICES)) - 1))
    def test_json_cut_anywhere_is_truncated_or_malformed_and_never_read(self, cut: int) -> None:
        with pytest.raises(SourceFailure) as caught:
            bodies.refuse_json(body_of(PRICES)[:cut])
        assert caught.value.kind in ("truncated", "malformed")

    @given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 400))
    def test_gzip_in_parts_is_unpacked_exactly_up_to_the_cap(self, members: list[bytes], most: int) -> None:
        packed = b"".join(map(gzip.compress, members))
        parts = iter([packed[n : n + 7] for n in range(0, len(packed), 7)])
        plain = b"".join(members)
        if len(plain) > most:
            with pytest.raises(SourceFailure, match="unpacks to more"):
                unpacked(parts, most, "x")
        else:
            assert unpacked(parts, most, "x") == plain


class TestPlausibility:
    @staticmethod
    def reading(prices: Any) -> Reading:
        return parse(json.dumps(prices).encode())

    def said(self, now: Any, before: Any = PRICES) -> str:
        return implausible(self.reading(before), self.reading(now))

    def test_less_than_half_may_go_and_half_may_not(self) -> None:
        rows = list(PRICES.items())
        assert self.said(dict(rows[:6])) == ""
        assert self.said(dict(rows[:5])) == "5 of the 10 offerings of the last good reading are gone."
        assert self.said({sku: {"input": units["input"]} for sku, units in rows}).startswith("10 of the 20 prices")

    def test_any_number_may_come(self) -> None:
        assert self.said(PRICES, dict(list(PRICES.items())[:1])) == ""

    def test_a_jump_is_more_than_five_times_either_way_and_three_in_ten_are_too_many(self) -> None:
        def times(count: int, factor: float) -> Any:
            return {
                sku: {u: n * factor if place < count else n for u, n in units.items()}
                for place, (sku, units) in enumerate(PRICES.items())
            }

        assert self.said(times(10, 5)) == self.said(times(10, 0.2)) == self.said(times(2, 1000)) == ""
        assert "6 of 20 prices moved by more than 5 times" in self.said(times(3, 5.1))
        assert "20 of 20 prices moved" in self.said(times(10, 0.1))

    @given(st.floats(0.2, 5).filter(lambda factor: abs(factor - 1) > 0.02), st.sampled_from([0, 19, 20, 21, 39, 40]))
    def test_half_of_a_long_list_may_move_by_one_factor_and_more_may_not(self, factor: float, count: int) -> None:
        full = {f"{sku}-{n}": units for n in range(2) for sku, units in PRICES.items()}
        now = {
            sku: {unit: n * (factor if 2 * place + (unit == "output") < count else 1) for unit, n in units.items()}
            for place, (sku, units) in enumerate(full.items())
        }
        assert ("moved by one factor" in self.said(now, full)) == (count > 20)

    @given(st.floats(0.21, 4.9))
    def test_a_short_list_may_move_by_one_factor_and_a_long_one_by_many(self, factor: float) -> None:
        short = {sku: {unit: n * factor for unit, n in units.items()} for sku, units in PRICES.items()}
        assert self.said(short) == ""
        full = {f"{sku}-{n}": units for n in range(2) for sku, units in PRICES.items()}
        many = {
            sku: {unit: n * (1 + (place + 1) / 50) for unit, n in units.items()}
            for place, (sku, units) in enumerate(full.items())
        }
        assert self.said(many, full) == ""

    def test_half_of_the_prices_of_a_unit_are_missed_and_a_few_may_go(self) -> None:
        full = {sku: {**units, "cache_read": units["input"], "seconds": 1} for sku, units in PRICES.items()}

        def without(unit: str, count: int) -> Any:
            return {
                sku: {u: n for u, n in units.items() if u != unit or place >= count}
                for place, (sku, units) in enumerate(full.items())
            }

        assert self.said(without("cache_read", 4), full) == self.said(without("seconds", 10), full) == ""
        assert self.said(without("cache_read", 5), full).startswith("5 of the 10 prices of cache_read")
        three = dict(list(full.items())[:3])
        assert self.said({sku: PRICES[sku] | {"seconds": 1} for sku in three}, three) == ""

    def test_half_of_the_prices_of_a_unit_may_not_jump(self) -> None:
        wide = {sku: {**units, **{f"u{n}": 1 for n in range(5)}} for sku, units in PRICES.items()}

        def dearer(count: int) -> Any:
            return {
                sku: {**units, "output": units["output"] * (1000 if place < count else 1)}
                for place, (sku, units) in enumerate(wide.items())
            }

        assert self.said(dearer(4), wide) == ""
        assert "output of model-1 from" in self.said(dearer(5), wide)

    def test_prices_under_each_others_headings_are_noticed(self) -> None:
        some = {sku: PRICES[sku] for sku in ("model-1", "model-2")}
        swapped = {sku: {"input": units["output"], "output": units["input"]} for sku, units in some.items()}
        shifted = {sku: {"output": units["input"]} for sku, units in some.items()}
        assert self.said(PRICES | swapped).startswith("Of 2 of the 2 offerings whose prices moved, as of model-1")
        assert self.said(PRICES | shifted).startswith("Of 2 of the 2 offerings whose prices moved, as of model-1")
        assert "models must have changed places" in self.said(
            PRICES | {"model-1": PRICES["model-2"], "model-2": PRICES["model-1"]}
        )

    def test_a_slip_among_true_changes_is_for_the_rules_of_single_prices(self) -> None:
        moved = {sku: {**PRICES[sku], "input": PRICES[sku]["input"] * 3} for sku in ("model-3", "model-4")}
        assert self.said(PRICES | {"model-1": {"input": 4, "output": 1}} | moved) == ""

    def test_a_price_added_beside_the_same_price_has_not_changed_places(self) -> None:
        assert self.said({sku: {**units, "cache_read": units["input"]} for sku, units in PRICES.items()}) == ""

    def test_headings_exchanged_are_noticed_in_a_first_reading_too(self) -> None:
        def alone(prices: Any) -> str:
            return implausible(None, self.reading(prices))

        odd = {"input": 4, "output": 1}
        assert alone(PRICES) == alone(PRICES | {"model-1": odd}) == ""
        assert "For 2 of 10 models input costs more than output" in alone(PRICES | {"model-1": odd, "model-2": odd})
        assert "cache_read costs more than input" in alone({"m": {"input": 1, "cache_read": 2}})
        written = {"input": 1, "cache_write_5m": 2, "cache_write_1h": 1.25}
        assert "cache_write_5m costs more than cache_write_1h" in alone({"m": written})

    def test_the_unit_an_amount_is_stated_in_is_no_jump(self) -> None:
        before, now = self.reading(PRICES), self.reading(PRICES)
        for place, one in enumerate(now.statements):
            now.statements[place] = type(one)(one.provider, one.sku, one.unit, one.amount / 1000, per=one.per // 1000)
        assert implausible(before, now) == ""

    def test_a_reading_that_says_nothing_is_no_reading(self) -> None:
        with pytest.raises(SourceFailure) as caught:
            refuse_unsound(Reading())
        assert caught.value.kind == "empty"
