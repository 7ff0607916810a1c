"""Answers from memory in front of Django: the same bytes and headers, only to whom they may be told, never too old."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import orjson
import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from config.wsgi import application
from dashboards import access
from dashboards.api import caching, hot, limits
from dashboards.models import Person
from pricing import direct
from pricing.answers import edges, kept
from pricing.answers.wording import moment_text
from pricing.models import Price, PriceSource, SourceRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

PATH, QUERY = "/api/v1/price", "provider=openai&sku=gpt-5.6-sol"
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """As Django's own test client does: a request neither begins nor ends the test's connection."""
    limits.forget()
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def in_django(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that Django was asked for."""
    seen: list[str] = []
    behind = application.application

    def noted(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        seen.append(environ["PATH_INFO"])
        return behind(environ, start)

    monkeypatch.setattr(application, "application", noted)
    return seen


def get(path: str = PATH, query: str = QUERY, method: str = "GET", **environ: str) -> Answer:
    asked = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "HTTP_HOST": "localhost",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.input": BytesIO(),
        "REMOTE_ADDR": "127.0.0.1", **environ,
    }  # fmt: skip
    told: list[Any] = []
    body = b"".join(application(asked, lambda status, headers, *_: told.append((status, headers))))
    status, headers = told[-1]
    return int(status[:3]), {name.lower(): value for name, value in headers}, body


def without_quota(answer: Answer) -> Answer:
    status, headers, body = answer
    return status, {name: value for name, value in headers.items() if not name.startswith("ratelimit")}, body


def test_the_second_answer_is_the_first_to_the_byte_and_asks_neither_django_nor_the_database(
    in_django: list[str], django_assert_num_queries: Any, settings: Any
) -> None:
    settings.RATE_LIMIT = 20
    first = get()
    assert first[0] == 200
    assert {"content-security-policy", "x-content-type-options", "etag", "cache-control"} <= set(first[1])
    with django_assert_num_queries(0):
        again = get()
    assert without_quota(again) == without_quota(first)
    assert in_django == [PATH]
    assert int(again[1]["ratelimit-remaining"]) == int(first[1]["ratelimit-remaining"]) - 1


def test_a_copy_that_holds_is_304_from_memory(in_django: list[str]) -> None:
    etag = get()[1]["etag"]
    for tag in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        status, headers, body = get(HTTP_IF_NONE_MATCH=tag)
        assert (status, body, headers["etag"]) == (304, b"", etag)
        assert "content-type" not in headers
    assert get(HTTP_IF_NONE_MATCH='"other"')[0] == 200
    assert in_django == [PATH]


@pytest.mark.parametrize("path", [PATH, "/feeds/prices.atom", "/export/litellm.json"])
def test_head_is_get_without_its_body(path: str) -> None:
    query = QUERY if path == PATH else ""
    status, headers, body = without_quota(get(path, query))
    assert (status, bool(body)) == (200, True)
    for _ in ("as Django answers", "from memory"):
        assert without_quota(get(path, query, method="HEAD")) == (200, headers, b"")
    assert get(path, query, method="HEAD", HTTP_IF_NONE_MATCH=headers["etag"])[0] == 304


def test_head_of_what_takes_no_get_is_refused_too() -> None:
    assert get("/api/v1/usage/events", "", method="HEAD")[0] == 405


def test_compressed_and_plain_are_kept_apart(in_django: list[str]) -> None:
    plain, packed = get(), get(HTTP_ACCEPT_ENCODING="gzip, br")
    assert packed[1]["content-encoding"] == "gzip"
    assert (without_quota(get()), without_quota(get(HTTP_ACCEPT_ENCODING="gzip"))) == (
        without_quota(plain), without_quota(packed)
    )  # fmt: skip
    assert len(in_django) == 2


def test_a_host_that_is_not_ours_is_refused_however_hot_the_answer_is() -> None:
    get()
    assert get(HTTP_HOST="evil.example")[0] == 400


def test_a_new_version_of_the_catalogue_is_seen_within_a_second(
    in_django: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    etag = get()[1]["etag"]
    source = PriceSource.objects.first()
    SourceRun.objects.create(source=source, status="unchanged", observed_at="2026-11-24T00:00:00Z")
    assert get()[1]["etag"] == etag
    later = time.monotonic() + kept.CHECKED_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert get()[1]["etag"] != etag
    assert len(in_django) == 2


def test_a_private_catalogue_is_told_from_memory_only_to_a_token_just_found_live(
    in_django: list[str], settings: Any, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    get()
    settings.PUBLIC_CATALOG = False
    assert get()[0] == 401
    token, secret = access.create_token("t", "viewer")
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {secret}"}
    assert get(**bearer)[0] == 200
    asked = len(in_django)
    with django_assert_num_queries(0):
        assert get(**bearer)[0] == 200
    assert len(in_django) == asked
    assert get()[0] == 401
    assert get(HTTP_AUTHORIZATION="Bearer wrong")[0] == 401
    access.revoke_token(token)
    later = time.monotonic() + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert get(**bearer)[0] == 401


def test_a_token_that_is_not_for_the_catalogue_is_not_told_a_private_one_from_memory(settings: Any) -> None:
    settings.PUBLIC_CATALOG = False
    reading, writing = (
        {"HTTP_AUTHORIZATION": f"Bearer {access.create_token('t', 'member', scopes=[scope])[1]}"}
        for scope in ("catalogue:read", "usage:write")
    )
    etag = get(**reading)[1]["etag"]
    assert [get(**writing)[0] for _ in range(2)] == [403, 403]
    assert get(HTTP_IF_NONE_MATCH=etag, **writing)[0] == 403
    assert get(HTTP_IF_NONE_MATCH=etag, **reading)[0] == 304


def test_a_signed_in_reader_of_a_private_catalogue_goes_through_django(
    in_django: list[str], settings: Any, client: Any
) -> None:
    settings.PUBLIC_CATALOG = False
    client.force_login(Person.objects.create_user("a@example.org"))
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    assert [get(HTTP_COOKIE=cookie)[0] for _ in range(2)] == [200, 200]
    assert len(in_django) == 2
    assert get()[0] == 401


@pytest.mark.parametrize(
    ("path", "query", "method"),
    [
        ("/healthz", "", "GET"),
        ("/api/v1/openapi.json", "", "GET"),
        ("/api/v1/models/no-such-model", "", "GET"),
        (PATH, "provider=openai", "GET"),
    ],
)
def test_what_django_did_not_mark_is_never_kept(in_django: list[str], path: str, query: str, method: str) -> None:
    for _ in range(2):
        get(path, query, method)
    assert len(in_django) == 2


def test_a_token_that_is_not_needed_does_not_make_the_answer_another(in_django: list[str]) -> None:
    first = get()
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {access.create_token('t', 'viewer')[1]}"}
    assert without_quota(get(**bearer)) == without_quota(first)  # Django finds it live
    assert without_quota(get(**bearer)) == without_quota(first)
    assert len(in_django) == 2


def test_who_asked_too_much_is_refused_from_memory_as_well(settings: Any) -> None:
    settings.RATE_LIMIT = 2
    assert [get()[0] for _ in range(4)] == [200, 200, 429, 429]
    assert get(HTTP_IF_NONE_MATCH="*")[0] == 304


def test_memory_has_a_bound_and_what_is_large_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 8000)
    version = kept.version()
    for number in range(20):
        kept.keep(number, version, "x", size=900)
    kept.keep("large", version, "x", size=1001)
    assert (kept._bytes, len(kept._kept), "large" in kept._kept) == (7200, 8, False)
    kept.keep(19, version, "y", size=100)
    assert kept._bytes == 6400


def test_the_answer_is_kept_no_longer_than_the_next_price_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    first = get()
    when = next(value[0] for key, value in kept._kept.items() if isinstance(key, tuple) and key[0] == "response")
    assert when is not None

    class Later:
        @staticmethod
        def now(_: Any) -> Any:
            return when

    monkeypatch.setattr(hot, "datetime", Later)
    assert orjson.loads(first[2])["at"] < moment_text(when)
    assert orjson.loads(get()[2])["at"] == moment_text(when)


@pytest.mark.parametrize("seconds", [5, 3600])
def test_an_answer_about_now_holds_until_a_price_begins_or_the_minute_ends(seconds: int) -> None:
    now = datetime(2026, 11, 25, 12, 0, 30, tzinfo=UTC)
    price = Price.objects.known_at().filter(superseded_at=None)[0]
    price.pk, price.unit, price.effective_until = None, "soon", None
    price.effective_from = begins = now + timedelta(seconds=seconds)
    price.save(force_insert=True)
    assert edges.next_edge(now, kept.version()) <= begins
    until = caching._until("minute", kept.version(), now).moment
    assert until == min(begins, datetime(2026, 11, 25, 12, 1, tzinfo=UTC))
    assert caching._until("version", kept.version(), now).moment is None


def test_an_hour_that_begins_is_an_edge_too() -> None:
    """DeepSeek's peak begins at 01:00 UTC on working days."""
    assert edges.next_edge(datetime(2026, 11, 24, 0, 59, tzinfo=UTC), kept.version()) == datetime(
        2026, 11, 24, 1, tzinfo=UTC
    )


def test_when_the_second_has_passed_one_thread_looks_for_all(
    in_django: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    get()
    in_django.clear()
    answer = direct.ask(kept._DIRECTLY)
    looked: list[bytes] = []

    def counted(named: bytes, *_: Any) -> Any:
        looked.append(named)
        time.sleep(0.05)
        return answer

    monkeypatch.setattr(direct, "ask", counted)
    monkeypatch.setattr(kept, "_looked", (0.0, kept._looked[1]))
    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(lambda _: get()[0], range(8)))
    assert (statuses, looked, in_django) == ([200] * 8, [kept._DIRECTLY], [])


def test_a_database_that_does_not_tell_the_version_leaves_the_question_to_django(
    in_django: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    get()
    monkeypatch.setattr(direct, "ask", lambda *_: None)
    monkeypatch.setattr(kept, "_looked", (0.0, kept._looked[1]))
    get()
    assert in_django == [PATH, PATH]
