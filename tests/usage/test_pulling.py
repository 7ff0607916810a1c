"""Live pulls: a window is imported whole or not at all, once, and goes on where it broke; the key is shown nowhere."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import Sum

from tests.pricing.loopback import LOOPBACK, Exchange, Server, serving
from tests.usage.factories import make_organisation
from tests.usage.vendor import KEY, NOW, Buckets, Vendor, day, row
from usage import connections, ingest, tasks
from usage.connections import Refused
from usage.ingest import running as importing
from usage.models import Connection, ImportBatch, Organisation, Pull, UsageRecord
from usage.pulling import all_apis, asking, running, spool, windows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _importers(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    known = {"anthropic_usage": Buckets()}
    for module in (ingest, importing, connections):
        monkeypatch.setattr(module, "all_importers", lambda: known)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    settings.PRIVATE_HOSTS = (LOOPBACK,)


@pytest.fixture
def vendor() -> Vendor:
    return Vendor({day(number): [row(number)] for number in range(1, 19)})


@pytest.fixture
def server(vendor: Vendor) -> Iterator[Server]:
    with serving(vendor, tls=False) as found:
        yield found


@pytest.fixture
def organisation() -> Organisation:
    return make_organisation()


@pytest.fixture
def connection(organisation: Organisation, server: Server) -> Connection:
    return connect(organisation, server)


def connect(organisation: Organisation, server: Server, **changes: Any) -> Connection:
    known: dict[str, Any] = {"first_days": 10, "settings": {"base_url": f"http://{LOOPBACK}:{server.port}"}}
    return connections.connect(organisation, "anthropic_usage", "Acme", KEY, **known | changes)


def pull(connection: Connection, days: int | None = None, requested_by: str = "ada") -> Pull:
    """Pull until it ends or waits."""
    found = connections.start(connection, days, requested_by)
    running.advance(found)
    connection.refresh_from_db()
    return found


def tokens(connection: Connection) -> int:
    found = UsageRecord.objects.filter(connection_id=connection.pk).aggregate(sum=Sum("in_uncached"))["sum"]
    return int(found or 0)


def later(monkeypatch: pytest.MonkeyPatch, **wait: float) -> datetime:
    now = NOW + timedelta(**wait)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    return now


# What is asked


def test_the_first_pull_goes_back_as_told_to_the_last_complete_day(connection: Connection, vendor: Vendor) -> None:
    found = pull(connection)
    assert (found.status, found.sentence.split(".")[0]) == (
        "done",
        "10 records imported, 0 restated, 0 withdrawn, 0 unchanged",
    )
    assert tokens(connection) == sum(range(8, 18))
    assert connection.pulled_until == day(18)
    assert (vendor.asked[0]["starting_at"], vendor.asked[0]["ending_at"]) == (
        ["2026-11-08T00:00:00Z"],
        ["2026-11-18T00:00:00Z"],
    )
    assert vendor.asked[0]["group_by[]"] == list(all_apis()["anthropic_usage"].GROUPED)
    assert set(vendor.keys) == {KEY}
    assert len(vendor.asked) == 5


def test_a_long_window_is_pulled_in_parts_that_the_api_takes(connection: Connection, vendor: Vendor) -> None:
    vendor.per_page = 31
    found = pull(connection, days=70)
    assert found.status == "done"
    assert [query["starting_at"][0][:10] for query in vendor.asked] == ["2026-09-09", "2026-10-10", "2026-11-10"]
    assert [query["ending_at"][0][:10] for query in vendor.asked] == ["2026-10-10", "2026-11-10", "2026-11-18"]
    assert found.batches.count() == 3


def test_a_later_pull_asks_for_the_last_days_again_and_a_restatement_replaces_them(
    connection: Connection, vendor: Vendor
) -> None:
    pull(connection)
    vendor.usage[day(16)] = [row(1_000)]
    found = pull(connection)
    assert (found.window_from, found.window_until) == (day(15), day(18))
    assert tokens(connection) == sum(range(8, 18)) - 16 + 1_000
    assert found.sentence.startswith("0 records imported, 1 restated, 0 withdrawn, 2 unchanged")
    again = pull(connection)
    assert tokens(connection) == sum(range(8, 18)) - 16 + 1_000
    assert again.sentence.startswith("0 records imported, 0 restated, 0 withdrawn, 3 unchanged")


def test_a_changed_grouping_replaces_what_the_old_one_said(connection: Connection, vendor: Vendor) -> None:
    pull(connection)
    for number in range(8, 18):
        vendor.usage[day(number)] = [row(number - 1, project="a"), row(1, project="b")]
    connections.change(connection, settings=connection.settings | {"group_by": ["model", "workspace_id"]})
    pull(connection, days=10)
    assert vendor.asked[-1]["group_by[]"] == ["workspace_id", "model"]
    assert tokens(connection) == sum(range(8, 18))
    assert UsageRecord.objects.filter(connection_id=connection.pk).count() == 20


# What goes wrong


def test_a_pull_that_breaks_on_page_3_imports_nothing_and_goes_on_from_there(
    connection: Connection, vendor: Vendor
) -> None:
    vendor.script = {3: lambda exchange: exchange.answer(b"", 403)}
    broken = pull(connection)
    assert (broken.status, broken.pages, tokens(connection)) == ("failed", 2, 0)
    assert ImportBatch.objects.count() == 0
    assert spool.holds(broken.spool, broken.spooled)
    assert (spool.folder() / broken.spool).stat().st_mode & 0o077 == 0
    done = pull(connection)
    assert (done.pk, done.status) == (broken.pk, "done")
    assert [query.get("page", ["first"])[0] for query in vendor.asked] == [
        "first", "cursor-2", "cursor-4", "cursor-4", "cursor-6", "cursor-8",
    ]  # fmt: skip
    assert tokens(connection) == sum(range(8, 18))
    assert list(spool.folder().iterdir()) == []


def test_an_expired_cursor_begins_the_window_again(connection: Connection, vendor: Vendor) -> None:
    vendor.script = {3: lambda exchange: exchange.answer(b"", 403)}
    pull(connection)
    vendor.expired = {"cursor-4"}

    def recover(exchange: Exchange) -> None:
        vendor.expired.clear()
        vendor(exchange)

    vendor.script = {6: recover}
    done = pull(connection)
    assert done.status == "done"
    assert [query.get("page", ["first"])[0] for query in vendor.asked[3:6]] == ["cursor-4", "first", "cursor-2"]
    assert tokens(connection) == sum(range(8, 18))


def test_a_cursor_that_is_refused_for_ever_ends_the_pull(connection: Connection, vendor: Vendor) -> None:
    vendor.expired = {"cursor-2"}
    found = pull(connection)
    assert (found.status, found.restarts, tokens(connection)) == ("failed", running.RESTARTS, 0)


def test_a_page_that_goes_on_with_itself_ends_the_pull(connection: Connection, vendor: Vendor) -> None:
    looping = b'{"data": [], "has_more": true, "next_page": "same"}'
    vendor.script = {number: lambda exchange: exchange.answer(looping) for number in range(1, 20)}
    found = pull(connection)
    assert (found.status, "again and again" in found.sentence) == ("failed", True)


def test_pages_that_go_round_in_a_circle_end_the_pull(connection: Connection, vendor: Vendor) -> None:
    following = {"": "a", "a": "b", "b": "c", "c": "a"}

    def circle(exchange: Exchange) -> None:
        page = parse_qs(urlsplit(exchange.path).query).get("page", [""])[0]
        exchange.answer(json.dumps({"data": [], "has_more": True, "next_page": following[page]}).encode())

    vendor.script = dict.fromkeys(range(1, 100), circle)
    found = pull(connection)
    assert (found.status, tokens(connection)) == ("failed", 0)
    assert "again and again" in found.sentence
    assert len(vendor.asked) < 40


def test_more_pages_than_a_pull_takes_are_said_to_be_that(
    connection: Connection, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MOST_PAGES", 3)
    found = pull(connection)
    assert (found.status, len(vendor.asked), tokens(connection)) == ("failed", 4, 0)
    assert found.sentence == (
        "Anthropic usage sends more than 3 pages for 2026-11-08 to 2026-11-18, so nothing was imported:"
        " import an export of these days as a file."
    )


def test_pages_of_two_keys_do_not_go_together(connection: Connection, vendor: Vendor) -> None:
    vendor.script = {3: lambda exchange: exchange.answer(b"", 401)}
    assert pull(connection).status == "failed"
    connections.change(connection, key=KEY.replace("9876", "5432"))
    assert pull(connection).status == "done"
    assert [query.get("page") for query in vendor.asked[3:]] == [None, *([f"cursor-{n}"] for n in (2, 4, 6, 8))]
    assert {key[-4:] for key in vendor.keys[3:]} == {"5432"}


@pytest.mark.parametrize("page", [2, 5], ids=["in the middle", "on the last page"])
def test_a_connection_that_is_removed_while_a_page_comes_is_asked_no_further(
    page: int, connection: Connection, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    page_of = asking.page_of

    def removing(*asked: Any) -> asking.Page:
        found = page_of(*asked)
        if len(vendor.asked) == page:
            connections.disconnect(Connection.objects.get(pk=connection.pk))
        return found

    monkeypatch.setattr(asking, "page_of", removing)
    running.advance(connections.start(connection))
    assert len(vendor.asked) == page
    assert [model.objects.count() for model in (Connection, Pull, ImportBatch)] == [0, 0, 0]
    assert list(spool.folder().iterdir()) == []


def test_lost_pages_begin_the_window_again(connection: Connection, vendor: Vendor) -> None:
    vendor.script = {3: lambda exchange: exchange.answer(b"", 403)}
    broken = pull(connection)
    spool.discard(broken.spool)
    assert pull(connection).status == "done"
    assert tokens(connection) == sum(range(8, 18))


def test_what_a_killed_worker_wrote_and_nobody_noted_is_cut_off(connection: Connection, vendor: Vendor) -> None:
    vendor.script = {3: lambda exchange: exchange.answer(b"", 403)}
    broken = pull(connection)
    with (spool.folder() / broken.spool).open("ab") as file:
        file.write(b'{"data": [{"starting_at"')
    pull(connection)
    assert tokens(connection) == sum(range(8, 18))


def test_pages_that_nobody_came_back_for_are_swept(connection: Connection, vendor: Vendor) -> None:
    vendor.script = {3: lambda exchange: exchange.answer(b"", 403)}
    path = spool.folder() / pull(connection).spool
    tasks.pull_due()
    assert path.exists()
    os.utime(path, (0, 0))
    tasks.pull_due()
    assert not path.exists()


def test_429_waits_as_long_as_the_vendor_says_and_then_goes_on(
    connection: Connection, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    retry = "Wed, 18 Nov 2026 12:10:00 GMT"
    vendor.script = {2: lambda exchange: exchange.answer(b"{}", 429, Retry_After=retry)}
    waiting = pull(connection)
    assert (waiting.status, waiting.next_try_at) == ("waiting", NOW + timedelta(minutes=10))
    assert "429" in waiting.sentence
    running.advance(waiting)
    assert len(vendor.asked) == 2
    later(monkeypatch, minutes=11)
    tasks.pull_due()
    waiting.refresh_from_db()
    assert (waiting.status, tokens(connection)) == ("done", sum(range(8, 18)))
    assert vendor.asked[2]["page"] == ["cursor-2"]


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_vendors_own_fault_is_tried_again_and_not_for_ever(
    status: int, connection: Connection, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.script = {number: lambda exchange: exchange.answer(b"", status) for number in range(1, 30)}
    found = pull(connection)
    assert (found.status, found.tries) == ("waiting", 1)
    for hour in range(1, 12):
        later(monkeypatch, hours=hour)
        running.advance(found)
    assert (found.status, len(vendor.asked)) == ("failed", running.TRIES)


def test_waits_double_have_jitter_and_an_end() -> None:
    waits = [running.wait(tries, None, NOW, 0) for tries in range(1, 12)]
    assert waits[:3] == [timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=20)]
    assert waits[-1] == running.LONGEST_WAIT
    assert running.wait(1, None, NOW, 0.99) < timedelta(seconds=7.5)
    assert running.wait(1, NOW + timedelta(days=9), NOW, 0) == running.LATEST_RETRY


def test_an_answer_cut_off_or_no_json_is_tried_again(connection: Connection, vendor: Vendor) -> None:
    vendor.script = {1: lambda exchange: exchange.answer(b'{"data": [', Content_Length="400")}
    assert pull(connection).status == "waiting"
    vendor.script = {2: lambda exchange: exchange.answer(b"<html>")}
    found = pull(connection)
    assert (found.status, found.tries) == ("waiting", 2)
    assert pull(connection).status == "done"


REFUSALS = [
    (401, b'{"error": {"message": "invalid x-api-key"}}', "does not take the key (401)"),
    (403, b'{"error": {"message": "forbidden"}}', "The key may not read usage: create an admin key (sk-ant-admin…)"),
    (
        401,
        b"You have insufficient permissions. Missing scopes: api.usage.read. Check",
        "lacks the scope api.usage.read",
    ),
]


@pytest.mark.parametrize(("status", "body", "sentence"), REFUSALS)
def test_a_refused_key_is_told_what_it_lacks(
    status: int, body: bytes, sentence: str, connection: Connection, vendor: Vendor
) -> None:
    vendor.script = {number: lambda exchange: exchange.answer(body, status) for number in (1, 2)}
    assert sentence in asking.check(connection)
    found = pull(connection)
    assert (found.status, sentence in found.sentence) == ("failed", True)


def test_a_connection_that_answers_is_told_so(connection: Connection, vendor: Vendor) -> None:
    assert asking.check(connection) == ""
    assert vendor.asked[0]["starting_at"] == ["2026-11-17T00:00:00Z"]
    assert Pull.objects.count() == 0


def test_a_halved_answer_is_held_until_a_person_accepts_it(connection: Connection, vendor: Vendor) -> None:
    pull(connection)
    for number in range(8, 18):
        vendor.usage[day(number)] = [row(1, model="model-b")] if number > 15 else []
    held = pull(connection, days=10)
    batch = held.batches.get()
    assert (held.status, batch.status) == ("done", "held")
    assert "less than half" in held.sentence
    assert tokens(connection) == sum(range(8, 18))
    again = connections.pull_again(batch, "ada", accepted=True)
    running.advance(again)
    assert (again.status, again.batches.get().status, tokens(connection)) == ("done", "done", 2)
    assert not ingest.may_be_accepted(batch)


def test_a_held_answer_is_not_accepted_once_a_later_one_speaks_for_its_time(
    connection: Connection, vendor: Vendor
) -> None:
    pull(connection)
    kept, vendor.usage = vendor.usage, {}
    batch = pull(connection, days=10).batches.get()
    assert ingest.may_be_accepted(batch)
    vendor.usage = kept
    pull(connection)
    assert not ingest.may_be_accepted(batch)


# Where it may go, and what is kept secret


def test_a_host_of_this_network_is_reached_only_where_the_installation_names_it(
    connection: Connection, vendor: Vendor, settings: Any
) -> None:
    settings.PRIVATE_HOSTS = ()
    found = pull(connection)
    assert (found.status, vendor.asked) == ("failed", [])
    connection.settings = {"base_url": "https://127.0.0.1:1"}
    assert "not on the public internet" in asking.check(connection)
    with pytest.raises(Refused, match="RATECARD_PRIVATE_HOSTS"):
        connections.change(connection, settings={"base_url": "http://127.0.0.1:4000"})


def test_a_redirect_takes_the_key_nowhere(connection: Connection, vendor: Vendor) -> None:
    other = Vendor()
    with serving(other, tls=False) as elsewhere:
        target = f"http://{LOOPBACK}:{elsewhere.port}/v1"
        vendor.script = {1: lambda exchange: exchange.answer(b"", 302, Location=target)}
        found = pull(connection)
    assert (found.status, other.asked) == ("failed", [])


def test_the_key_is_encrypted_and_in_no_log_row_or_sentence(
    connection: Connection, vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [lambda e: e.answer(KEY.encode(), 403), lambda e: e.answer(b"", 500), lambda e: e.answer(b"{}")]
    for answer in answers:
        vendor.script = {len(vendor.asked) + 1: answer}
        pull(connection)
    pull(connection)
    assert KEY not in caplog.text
    rows = [*Connection.objects.values(), *Pull.objects.values(), *ImportBatch.objects.values()]
    assert KEY not in json.dumps(rows, default=str)
    assert connection.credential_end == KEY[-4:]


def test_a_key_saved_under_another_secret_key_is_asked_for_again(connection: Connection, settings: Any) -> None:
    settings.SECRET_KEY = "another-" * 8
    assert "paste it again" in asking.check(connection)
    assert pull(connection).status == "failed"


@pytest.mark.parametrize("key", ["", " ", "a b", "line\nbreak", "schlüssel", "x" * 2_001])
def test_what_is_no_key_is_refused(key: str, organisation: Organisation, server: Server) -> None:
    with pytest.raises(Refused):
        connections.connect(organisation, "anthropic_usage", "Acme", key)
    assert Connection.objects.count() == 0


# When


def test_a_pull_that_broke_off_longer_ago_than_the_api_goes_back_begins_anew(
    connection: Connection, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_apis()["anthropic_usage"], "BACK", 10)
    first = pull(connection)
    later(monkeypatch, days=1)
    vendor.script = {len(vendor.asked) + 1: lambda exchange: exchange.answer(b"", 401)}
    assert pull(connection).status == "failed"
    later(monkeypatch, days=20)
    anew = pull(connection)
    assert (anew.status, anew.window_from) == ("done", day(28))
    assert "Nothing is known of 2026-11-18 to 2026-11-28" in anew.sentence
    assert first.sentence == "10 records imported, 0 restated, 0 withdrawn, 0 unchanged."


def test_a_pull_of_few_days_leaves_no_gap_and_nothing_that_the_vendor_restated(
    connection: Connection, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull(connection)
    later(monkeypatch, days=9)
    assert pull(connection, days=2).window_from == day(18) - timedelta(days=connection.repull_days)


def test_a_due_connection_is_pulled_once_and_again_a_period_later(
    connection: Connection, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks.pull_due()
    assert Pull.objects.count() == 0
    connections.change(connection, schedule="6h")
    for _ in range(3):
        tasks.pull_due()
    assert Pull.objects.count() == 1
    later(monkeypatch, hours=7)
    tasks.pull_due()
    assert [found.status for found in Pull.objects.all()] == ["done", "done"]
    connections.pause(connection, paused=True)
    later(monkeypatch, hours=14)
    tasks.pull_due()
    assert Pull.objects.count() == 2


def test_a_connection_that_waits_is_not_hurried_by_its_timetable(
    connection: Connection, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections.change(connection, schedule="hourly")
    retry = "Wed, 18 Nov 2026 14:30:00 GMT"
    vendor.script = {1: lambda exchange: exchange.answer(b"", 503, Retry_After=retry)}
    for hour in (0, 1, 2):
        later(monkeypatch, hours=hour, minutes=1)
        tasks.pull_due()
    assert (len(vendor.asked), Pull.objects.get().status) == (1, "waiting")
    later(monkeypatch, hours=3)
    tasks.pull_due()
    assert Pull.objects.get().status == "done"


def test_one_connection_has_one_open_pull(connection: Connection, vendor: Vendor) -> None:
    assert connections.start(connection).pk == connections.start(connection).pk


def test_disconnecting_forgets_the_key_and_keeps_the_usage(connection: Connection, vendor: Vendor) -> None:
    pull(connection)
    connections.disconnect(connection)
    connection.refresh_from_db()
    assert (connection.credential, connection.credential_end, connection.schedule) == ("", "", "off")
    assert tokens(connection) == sum(range(8, 18))
    with pytest.raises(Refused):
        connections.start(connection)


def test_two_connections_of_one_name_are_one_feed(organisation: Organisation, server: Server) -> None:
    connect(organisation, server)
    with pytest.raises(Refused, match="already"):
        connect(organisation, server)


# The command


def test_the_command_pulls_and_says_what_came_of_it(connection: Connection, organisation: Organisation) -> None:
    out = StringIO()
    call_command("pull_usage", "Acme", organisation=organisation.slug, json=True, stdout=out)
    (answer,) = json.loads(out.getvalue())["pulls"]
    assert (answer["status"], answer["pages"], answer["from"][:10]) == ("done", 5, "2026-11-08")


def test_the_command_fails_where_a_pull_does(connection: Connection, vendor: Vendor) -> None:
    vendor.script = {1: lambda exchange: exchange.answer(b"", 403)}
    out = StringIO()
    with pytest.raises(CommandError) as failed:
        call_command("pull_usage", organisation=connection.organisation.slug, stdout=out)
    assert failed.value.returncode == 1
    assert "may not read usage" in out.getvalue()
    with pytest.raises(CommandError) as unknown:
        call_command("pull_usage", "nobody", organisation=connection.organisation.slug)
    assert unknown.value.returncode == 2


# Windows


def test_a_window_never_reaches_beyond_what_is_complete_or_kept() -> None:
    api = all_apis()["openrouter_activity"]
    assert windows.window(api, NOW, None, 90, 3) == (day(18) - timedelta(days=30), day(18))
    assert windows.window(api, NOW, day(18), 90, 0) is None
    assert windows.window(api, NOW, day(18), 90, 3) == (day(15), day(18))
    early = day(18) + timedelta(minutes=30)  # the day before is not complete for an hour
    assert windows.complete_until(api, early) == day(17)
