"""When a source is fetched, what is asked for, what waits for a person, and what the command and the tasks do."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import permutations
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from config.celery import app
from pricing import catalog, refreshing, tasks
from pricing.fetching import Fetched
from pricing.models import Claim, Price, SourceRun
from pricing.sources import SourceError
from tests.pricing.loopback import LIMITS, Exchange, Server, make_fetcher, serving
from tests.pricing.market_sources import PRICES, body_of, install, make_source

pytestmark = pytest.mark.django_db

GOOD = body_of(PRICES)
HALF = body_of(dict(list(PRICES.items())[:5]))


class Desk:
    """A vendor whose body, validators and status a test sets; `asked` is what it was asked with."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.body, self.etag, self.status = GOOD, '"1"', 200
        self.headers: dict[str, str] = {}
        server.respond = self.respond

    def respond(self, exchange: Exchange) -> None:
        if self.status == 200 and self.etag and exchange.headers.get("If-None-Match") == self.etag:
            exchange.answer(b"", status=304, ETag=self.etag)
        else:
            exchange.answer(self.body, status=self.status, ETag=self.etag, **self.headers)

    @property
    def asked(self) -> list[dict[str, str]]:
        return [headers for _, headers in self.server.requests]

    def publish(self, body: bytes, etag: str = "") -> None:
        self.body, self.etag, self.status = body, etag, 200


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(lambda exchange: exchange.answer(GOOD)) as running:
        yield running


@pytest.fixture
def desk(server: Server, monkeypatch: pytest.MonkeyPatch) -> Desk:
    server.requests.clear()
    install(monkeypatch, make_source("page", server.url()))
    monkeypatch.setattr(refreshing, "default_fetcher", make_fetcher)
    return Desk(server)


@pytest.fixture
def source(desk: Desk) -> ModuleType:
    found: Any = refreshing.all_sources()["page"]
    return found


def refresh(**options: Any) -> catalog.Outcome:
    return refreshing.refresh("page", **options)


def runs() -> list[tuple[str, str, int]]:
    return list(SourceRun.objects.order_by("pk").values_list("status", "failure", "attempts"))


def wait(run: SourceRun) -> timedelta:
    assert run.retry_at is not None
    assert run.finished_at is not None
    return run.retry_at - run.finished_at


class TestAskingAgain:
    def test_a_body_that_has_not_changed_is_not_sent_again_and_its_prices_are_seen_again(self, desk: Desk) -> None:
        assert refresh().status == "changed"
        seen = Price.objects.values_list("observed_at", flat=True).distinct().get()
        assert refresh().status == "unchanged"
        assert [headers.get("if-none-match") for headers in desk.asked] == [None, '"1"']
        assert Price.objects.values_list("observed_at", flat=True).distinct().get() > seen
        assert refresh().status == "unchanged"
        assert desk.asked[-1]["if-none-match"] == '"1"', "the validators of an unchanged answer are kept"

    def test_the_same_bytes_without_validators_are_unchanged_too(self, desk: Desk) -> None:
        desk.publish(GOOD)
        assert [refresh().status, refresh().status] == ["changed", "unchanged"]

    def test_validators_are_those_of_the_body_the_catalogue_was_last_read_from(self, desk: Desk) -> None:
        refresh()
        later = datetime.now(UTC)
        catalog.record("page", body_of(PRICES | {"new": {"input": 1}}), observed_at=later)
        assert refresh().status == "changed"  # the file said something else: the body must be seen
        assert "if-none-match" not in desk.asked[-1]

    def test_a_source_that_moved_is_asked_without_the_old_address_validators(self, desk: Desk, source: Any) -> None:
        refresh()
        source.FEED = desk.server.url("/moved.json")
        assert refresh().status == "unchanged"
        assert "if-none-match" not in desk.asked[-1]

    def test_a_dry_run_tells_and_writes_nothing(self, desk: Desk) -> None:
        outcome = refresh(dry_run=True)
        assert (outcome.status, outcome.offerings, outcome.added) == ("changed", 10, 20)
        desk.status = 500
        assert refresh(dry_run=True).failure == "http_5xx"
        assert (SourceRun.objects.count(), Claim.objects.count()) == (0, 0)


class TestKeysAndFeeds:
    def test_a_source_whose_key_is_not_set_is_skipped_and_says_so(
        self, desk: Desk, source: Any, monkeypatch: Any
    ) -> None:
        source.KEY = "ACME_KEY"
        monkeypatch.delenv("ACME_KEY", raising=False)
        outcome = refresh()
        assert (outcome.status, outcome.error) == ("skipped", "It wants a key: set ACME_KEY.")
        assert (desk.asked, runs(), refreshing.due_sources(datetime.now(UTC))) == ([], [], [])
        monkeypatch.setenv("ACME_KEY", "secret")
        assert refreshing.due_sources(datetime.now(UTC)) == ["page"]
        assert refresh().status == "changed"
        assert desk.asked[-1]["authorization"] == "Bearer secret"

    def test_a_key_is_in_no_sentence_no_log_and_no_row(
        self, desk: Desk, source: Any, monkeypatch: Any, caplog: Any
    ) -> None:
        caplog.set_level(logging.DEBUG)
        source.KEY = "ACME_KEY"
        monkeypatch.setenv("ACME_KEY", "s3cr3t-k3y")
        for status in (401, 500, 302):
            desk.status = status
            assert "s3cr3t-k3y" not in json.dumps(refresh().as_json(), default=str)
        assert "s3cr3t-k3y" not in caplog.text
        assert "s3cr3t-k3y" not in str(list(SourceRun.objects.values()))

    def test_a_source_that_is_fetched_nowhere_is_skipped(self, desk: Desk, source: Any) -> None:
        source.FEED = ""
        assert refresh().status == "skipped"
        assert refreshing.due_sources(datetime.now(UTC)) == []


class TestPages:
    @staticmethod
    def paged(desk: Desk, source: Any, *pages: Any) -> None:
        """Page n lies at ?page=n and names the next one."""

        def respond(exchange: Exchange) -> None:
            number = int(exchange.path.partition("page=")[2] or 0)
            exchange.answer(pages[number] if isinstance(pages[number], bytes) else body_of(pages[number]), ETag='"p"')

        def next_page(body: bytes) -> str | None:
            following: str | None = json.loads(body).get("next")
            return following

        desk.server.respond = respond
        source.next_page = next_page

    def test_pages_are_read_as_one_body(self, desk: Desk, source: Any) -> None:
        second = desk.server.url("/prices.json?page=1")
        self.paged(desk, source, {"a": {"input": 1}, "next": second}, {"b": {"input": 2}})
        outcome = refresh()
        assert (outcome.status, outcome.offerings) == ("changed", 2)
        assert refresh().status == "unchanged"
        assert all("if-none-match" not in headers for headers in desk.asked), "one page's validators prove nothing"

    def test_a_single_page_is_the_body_itself(self, desk: Desk, source: Any) -> None:
        self.paged(desk, source, PRICES)
        refresh()
        assert SourceRun.objects.values_list("snapshot__size", flat=True).get() == len(GOOD)

    def test_pages_of_json_become_one_list_and_pages_of_text_follow_each_other(self) -> None:
        assert refreshing.joined([b'{"a": 1}']) == b'{"a": 1}'
        assert json.loads(refreshing.joined([b' {"a": 1}', b"[2]"])) == [{"a": 1}, [2]]
        assert refreshing.joined([b"<html>1", b"<html>2"]) == b"<html>1\n<html>2"

    def test_pages_that_lead_in_a_circle_end(self, desk: Desk, source: Any) -> None:
        self.paged(desk, source, {"a": {"input": 1}, "next": desk.server.url()})
        assert (refresh().failure, Claim.objects.count()) == ("layout", 0)

    def test_one_bad_page_refuses_them_all(self, desk: Desk, source: Any) -> None:
        self.paged(desk, source, {"a": {"input": 1}, "next": desk.server.url("/x?page=1")}, b"<html>")
        assert (refresh().failure, Claim.objects.count()) == ("html_for_json", 0)

    def test_a_page_on_the_private_network_is_not_fetched(self, desk: Desk, source: Any) -> None:
        self.paged(desk, source, {"a": {"input": 1}, "next": "https://169.254.169.254/latest"})
        assert refresh().failure == "private_address"

    def test_a_page_of_another_host_is_asked_without_the_key(self, desk: Desk, source: Any, monkeypatch: Any) -> None:
        source.KEY = "ACME_KEY"
        monkeypatch.setenv("ACME_KEY", "secret")
        second = desk.server.url("/prices.json?page=1", "elsewhere.test")
        self.paged(desk, source, {"a": {"input": 1}, "next": second}, {"b": {"input": 2}})
        refresh()
        assert [headers.get("authorization") for headers in desk.asked] == ["Bearer secret", None]

    def test_all_pages_together_have_one_cap(self, desk: Desk, source: Any) -> None:
        blanks = b" " * (LIMITS.body * 2 // 3)
        first = body_of({"a": {"input": 1}, "next": desk.server.url("/x?page=1")})
        self.paged(desk, source, first + blanks, body_of({"b": {"input": 1}}) + blanks)
        assert refresh().failure == "too_large"

    def test_a_next_page_that_cannot_be_told_is_a_failure(self, desk: Desk, source: Any) -> None:
        def unknown(_body: bytes) -> str:
            raise SourceError("The list of pages has another layout.")

        source.next_page = unknown
        assert refresh().failure == "layout"


class TestFailing:
    def test_an_outage_is_one_run_that_counts_and_waits_ever_longer(self, desk: Desk) -> None:
        refresh()
        desk.status = 503
        waits = []
        for _ in range(4):
            refresh()
            waits.append(wait(SourceRun.objects.latest("pk")))
        assert runs() == [("changed", "", 1), ("failed", "http_5xx", 4)]
        for number, waited in enumerate(waits):
            least = timedelta(minutes=15) * 2**number
            assert least <= waited <= least * 1.2
        desk.status = 200
        refresh()
        desk.status = 503
        refresh()
        assert wait(SourceRun.objects.latest("pk")) <= timedelta(minutes=18), "a good answer ends the count"

    def test_another_failure_is_another_run_and_the_count_goes_on(self, desk: Desk) -> None:
        for status in (503, 500, 404, 503):
            desk.status = status
            refresh()
        assert [run[1:] for run in runs()] == [("http_5xx", 2), ("http_4xx", 1), ("http_5xx", 1)]
        assert timedelta(hours=2) <= wait(SourceRun.objects.latest("pk")) <= timedelta(hours=2.4)

    def test_what_somebody_must_mend_is_tried_at_the_sources_cadence(self, desk: Desk) -> None:
        desk.status = 404
        refresh()
        assert timedelta(hours=24) <= wait(SourceRun.objects.get()) <= timedelta(hours=28.8)

    def test_a_host_is_not_asked_before_it_said(self, desk: Desk) -> None:
        desk.status, desk.headers = 429, {"Retry_After": "7200"}
        outcome = refresh()
        assert outcome.retry_at is not None
        said = datetime.now(UTC) + timedelta(hours=2)
        assert abs(outcome.retry_at - said) < timedelta(seconds=30)
        assert refreshing.due_sources(said - timedelta(minutes=1)) == []
        assert refreshing.due_sources(said + timedelta(minutes=1)) == ["page"]

    def test_an_installation_without_a_network_keeps_the_reason_and_a_quiet_log(self, desk: Desk, caplog: Any) -> None:
        def offline(_host: str, _port: int) -> list[str]:
            raise OSError(-3, "Temporary failure in name resolution")

        for _ in range(3):
            refresh(fetcher=make_fetcher(resolve=offline))
        assert runs() == [("failed", "dns", 3)]
        assert "Temporary failure in name resolution" in SourceRun.objects.get().error
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []

    def test_what_is_not_the_network_is_logged_once(self, desk: Desk, caplog: Any) -> None:
        desk.publish(b"<html>")
        refresh()
        refresh()
        assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


class TestDue:
    def test_a_source_is_due_once_its_cadence_is_over(self, desk: Desk) -> None:
        now = datetime.now(UTC)
        assert refreshing.due_sources(now) == ["page"]
        refresh()
        assert refreshing.due_sources(now + timedelta(hours=23)) == []
        assert refreshing.due_sources(now + timedelta(hours=24, minutes=1)) == ["page"]

    def test_a_file_or_a_package_is_no_fetch(self, desk: Desk) -> None:
        catalog.record("page", GOOD, observed_at=datetime.now(UTC))
        assert refreshing.due_sources(datetime.now(UTC)) == ["page"]

    def test_a_task_delivered_twice_fetches_once(self, desk: Desk) -> None:
        assert [refresh(only_if_due=True).status for _ in range(2)] == ["changed", "skipped"]
        assert len(desk.asked) == 1

    def test_a_source_another_process_is_fetching_is_left_to_it(self, desk: Desk) -> None:
        with psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": psycopg.Cursor}) as other:
            other.execute("SELECT pg_advisory_lock(%s, hashtext('page'))", [refreshing._LOCK])
            assert refresh().error == "Another process is fetching it."
            assert desk.asked == []
            other.execute("SELECT pg_advisory_unlock(%s, hashtext('page'))", [refreshing._LOCK])
        assert refresh().status == "changed"
        with psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": psycopg.Cursor}) as other:
            free = other.execute("SELECT pg_try_advisory_lock(%s, hashtext('page'))", [refreshing._LOCK]).fetchone()
        assert free == (True,), "the lock is gone with the fetch"

    def test_the_timetable_fetches_what_is_due_and_one_failure_stops_nobody(
        self, desk: Desk, settings: Any, monkeypatch: Any
    ) -> None:
        install(
            monkeypatch, make_source("broken", desk.server.url(), parse=lambda body: 1 / 0),
            make_source("page", desk.server.url()), make_source("keyed", desk.server.url(), KEY="ACME_KEY"),
        )  # fmt: skip
        settings.FETCH = False
        tasks.refresh_due()
        assert runs() == []
        settings.FETCH = True
        tasks.refresh_due()
        assert sorted(SourceRun.objects.values_list("source__slug", "status", "failure")) == [
            ("broken", "failed", "bug"), ("page", "changed", ""),
        ]  # fmt: skip
        tasks.refresh_due()
        assert SourceRun.objects.count() == 2

    def test_beat_looks_every_quarter_of_an_hour(self) -> None:
        assert app.conf.beat_schedule["refresh-prices"] == {"task": "pricing.refresh_due", "schedule": 900}


class TestHolding:
    def test_an_implausible_body_is_held_once_however_often_it_comes(self, desk: Desk) -> None:
        refresh()
        desk.publish(HALF)
        for _ in range(3):
            outcome = refresh()
        assert (outcome.status, outcome.failure) == ("held", "implausible")
        assert runs() == [("changed", "", 1), ("held", "implausible", 3)]
        assert Price.objects.filter(effective_until=None).count() == 20

    def test_a_persons_word_takes_it_in_as_of_when_it_was_first_seen(self, desk: Desk) -> None:
        refresh()
        desk.publish(HALF, '"half"')
        refresh()
        first = SourceRun.objects.get(status="held").observed_at
        refresh()
        outcome = catalog.accept_held("page")
        assert outcome is not None
        assert (outcome.status, outcome.withdrawn, outcome.observed_at) == ("changed", 10, first)
        assert set(Claim.objects.exclude(withdrawn_at=None).values_list("withdrawn_at", flat=True)) == {first}
        assert catalog.accept_held("page") is None
        assert refresh().status == "unchanged"
        assert desk.asked[-1]["if-none-match"] == '"half"'

    def test_what_is_held_is_forgotten_once_the_source_says_something_plausible(self, desk: Desk) -> None:
        refresh()
        desk.publish(HALF)
        refresh()
        desk.publish(body_of(PRICES | {"new": {"input": 1}}))
        assert refresh().status == "changed"
        assert catalog.accept_held("page") is None

    def test_a_source_that_goes_back_to_what_it_said_is_unchanged(self, desk: Desk) -> None:
        refresh()
        desk.publish(HALF, '"half"')
        refresh()
        desk.publish(GOOD, '"1"')
        assert refresh().status == "unchanged"
        assert desk.asked[-1]["if-none-match"] == '"1"', "a held body's validators are never sent"

    def test_the_first_body_of_a_source_is_never_held(self, desk: Desk) -> None:
        desk.publish(HALF)
        assert refresh().status == "changed"

    def test_old_files_replayed_in_any_order_are_never_held_and_end_alike(self, desk: Desk) -> None:
        start = datetime(2026, 1, 1, tzinfo=UTC)
        rows = list(PRICES.items())
        history = [
            (start + timedelta(days=30 * n), dict(rows[:count])) for n, count in enumerate((1, 4, 10, 2))
        ]  # fmt: skip
        history.append((start + timedelta(days=200), {sku: {"input": u["input"] * 1000} for sku, u in rows}))
        ends = set()
        for order in list(permutations(history))[::29]:
            with transaction.atomic():
                for when, prices in order:
                    outcome = catalog.record("page", body_of(prices), observed_at=when)
                    assert outcome.status in ("changed", "unchanged"), outcome.error
                claims = Claim.objects.order_by("offering__sku", "unit", "first_seen_at")
                ends.add(tuple(claims.values_list("offering__sku", "unit", "amount", "first_seen_at", "withdrawn_at")))
                transaction.set_rollback(True)
        assert len(ends) == 1

    def test_a_fetched_body_older_than_a_good_one_is_history_and_never_held(self, desk: Desk) -> None:
        refresh()
        before = datetime.now(UTC) - timedelta(days=1)
        assert (
            catalog.record("page", HALF, observed_at=before, answer=Fetched("https://x.test/", HALF)).status
            == "changed"
        )

    def test_a_file_is_a_persons_word_and_still_has_to_be_a_price_list(self, desk: Desk) -> None:
        refresh()
        now = datetime.now(UTC)
        assert catalog.record("page", HALF, observed_at=now).status == "changed"
        assert catalog.record("page", b"<html>", observed_at=now).failure == "html_for_json"
        assert catalog.record("page", GOOD[:-9], observed_at=now).failure == "truncated"

    def test_old_files_after_a_fetch_do_not_make_the_next_fetch_implausible(self, desk: Desk) -> None:
        refresh()
        catalog.record("page", body_of({"model-1": {"input": 99}}), observed_at=datetime(2024, 1, 1, tzinfo=UTC))
        assert refresh().status == "unchanged"
        desk.publish(body_of(PRICES | {"new": {"input": 1}}))
        assert refresh().status == "changed"


class TestCommand:
    @staticmethod
    def run(*arguments: str) -> str:
        out = StringIO()
        call_command("fetch_prices", *arguments, stdout=out)
        return out.getvalue()

    def failed(self, *arguments: str) -> tuple[str, int]:
        out = StringIO()
        with pytest.raises(CommandError) as caught:
            call_command("fetch_prices", *arguments, stdout=out)
        return out.getvalue() + str(caught.value), caught.value.returncode

    @pytest.fixture(autouse=True)
    def _sources(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """The command's choices are read from the sources as well."""
        from pricing.management.commands import fetch_prices

        install(
            monkeypatch, make_source("page", desk.server.url()), make_source("other", desk.server.url("/other.json")),
            make_source("keyed", desk.server.url(), KEY="ACME_KEY"),
        )  # fmt: skip
        monkeypatch.setattr(fetch_prices, "all_sources", refreshing.all_sources)

    def test_without_a_file_every_source_is_fetched_and_those_without_a_key_are_skipped(self) -> None:
        answer = json.loads(self.run("--json"))
        assert {run["source"]: run["status"] for run in answer["runs"]} == {
            "keyed": "skipped", "other": "changed", "page": "changed",
        }  # fmt: skip
        assert "keyed: skipped. It wants a key: set ACME_KEY." in self.run()

    def test_a_source_that_fails_is_named_ends_with_1_and_stops_nobody(self, desk: Desk) -> None:
        before = desk.server.respond
        desk.server.respond = lambda exchange: (
            exchange.answer(b"<html>") if exchange.path == "/other.json" else before(exchange)
        )
        said, code = self.failed("--source", "other", "--source", "page")
        assert code == 1
        assert "other: failed (html_for_json). The answer is an HTML page" in said
        assert "page of" in said
        assert "1 of 2 sources were not taken in: other (html_for_json)." in said

    def test_a_held_body_is_shown_and_taken_in_by_one_flag(self, desk: Desk) -> None:
        self.run("--source", "page")
        desk.publish(HALF)
        said, code = self.failed("--source", "page")
        assert code == 1
        assert "page: held (implausible). 5 of the 10 offerings of the last good reading are gone." in said
        assert "--source page --accept-held" in said
        asked = len(desk.asked)
        assert "10 withdrawn" in self.run("--accept-held", "--dry-run")
        assert "10 withdrawn" in self.run("--accept-held")
        assert json.loads(self.run("--accept-held", "--json"))["runs"] == []
        assert len(desk.asked) == asked

    def test_json_names_the_failure_and_when_it_is_tried_again(self, desk: Desk) -> None:
        desk.status = 500
        out = StringIO()
        with pytest.raises(CommandError):
            call_command("fetch_prices", "--json", "--source", "page", stdout=out)
        (run,) = json.loads(out.getvalue())["runs"]
        assert (run["status"], run["failure"]) == ("failed", "http_5xx")
        assert datetime.fromisoformat(run["retry_at"]) > datetime.now(UTC)

    @pytest.mark.parametrize("arguments", [
        ("--bundled", "--accept-held"), ("--file", "x", "--bundled"), ("--observed-at", "2026-01-01"),
        ("--bundled", "--source", "page"),
    ])  # fmt: skip
    def test_ways_that_exclude_each_other_end_with_2(self, arguments: tuple[str, ...]) -> None:
        assert self.failed(*arguments)[1] == 2

    def test_a_packed_file_is_unpacked_up_to_a_cap(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from pricing.management.commands import fetch_prices

        monkeypatch.setattr(fetch_prices, "MOST", 1000)
        given = ("--source", "page", "--observed-at", "2026-01-01", "--file")
        (tmp_path / "good.json.gz").write_bytes(gzip.compress(GOOD))
        assert "10 offerings" in self.run(*given, str(tmp_path / "good.json.gz"))
        for name, body in {
            "bomb.gz": gzip.compress(b" " * 2000), "large.json": b" " * 2000, "half.gz": gzip.compress(GOOD)[:-9],
            "none.gz": GOOD,
        }.items():  # fmt: skip
            (tmp_path / name).write_bytes(body)
            assert self.failed(*given, str(tmp_path / name))[1] == 2


class TestRealSources:
    @pytest.mark.parametrize("slug", ["genai_prices", "model_prices"])
    def test_a_published_source_is_read_from_its_feed_and_its_failures_are_named(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, slug: str
    ) -> None:
        from pricing.sources import all_sources
        from tests.pricing.test_sources import recorded_body

        real = ModuleType(slug)
        vars(real).update({**vars(all_sources()[slug]), "FEED": desk.server.url("/data.json")})
        install(monkeypatch, real)
        body = recorded_body(slug)
        desk.publish(body, '"1"')
        assert refreshing.refresh(slug).status == "changed"
        assert refreshing.refresh(slug).status == "unchanged"
        amounts = dict(Price.objects.values_list("pk", "amount"))
        for kind, hostile in {
            "html_for_json": b"<html>", "truncated": body.rstrip()[:-1], "layout": b'{"schema": 99}', "empty": b"[]",
            "deep": b"[" * 50_000 + b"]" * 50_000,
        }.items():  # fmt: skip
            desk.publish(hostile)
            assert refreshing.refresh(slug).failure == kind
        assert dict(Price.objects.values_list("pk", "amount")) == amounts
        assert all(isinstance(amount, Decimal) for amount in amounts.values())
