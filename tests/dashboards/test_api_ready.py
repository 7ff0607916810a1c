"""A price that PostgreSQL has ready: to the byte what Django answers, at every moment, told to whom it may be."""

from __future__ import annotations

import gzip
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
import psycopg
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from dashboards import access
from dashboards.api import plain
from pricing import catalog, direct, program, ready, schedules
from pricing.acceptance import FRESH, STALE
from pricing.answers import kept
from pricing.answers.prices import Question, price
from pricing.answers.questions import FIRST_MOMENT, LAST_MOMENT
from pricing.answers.rows import calendars, rows_of
from pricing.answers.wording import moment_text
from pricing.models import ExchangeRate, Offering, Price, PriceSource, ReadyAnswer, SourceRun
from tests.dashboards.test_api_hot import PATH, _one_connection, get, in_django, without_quota

__all__ = ["_one_connection", "in_django"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

SOL = {"provider": "openai", "sku": "gpt-5.6-sol"}
AT = "2026-11-24T10:00:00Z"
TICK = timedelta.resolution


def ask(asked: dict[str, str] | None = None, **environ: str) -> Any:
    return get(PATH, urlencode(asked or {**SOL, "at": AT}), **environ)


@pytest.fixture
def framed(in_django: list[str]) -> list[str]:
    """A process that has answered another price before, so that it knows what goes around one."""
    for packed in ("", "gzip"):
        ask({"provider": "anthropic", "sku": "claude-sonnet-4-5", "at": AT}, HTTP_ACCEPT_ENCODING=packed)
    in_django.clear()
    return in_django


def forget_answers() -> None:
    """What another process of the same age would remember: how to frame an answer, but not this one."""
    for key in [key for key in kept._kept if isinstance(key, tuple) and key[0] in ("response", "answer")]:
        del kept._kept[key]


# ── the same at every moment ─────────────────────────────────────────────────────────────────────


def moments(offering: int) -> list[datetime]:
    """Every moment at which something could change, the one before and after it, and some between."""
    turns = {FIRST_MOMENT, LAST_MOMENT, datetime(2026, 11, 24, 12, tzinfo=UTC)}
    for row in rows_of([offering]):
        turns |= {
            row.effective_from,
            row.evidence_at,
            row.observed_at,
            row.observed_at + FRESH,
            row.observed_at + STALE,
        }
        turns |= {row.effective_until} - {None}
        if row.schedule:
            for day in (date(2026, 11, 20), date(2026, 10, 1)):  # a Friday, a Chinese holiday
                for window in schedules.occurrences(row.schedule, day, day, calendars()):
                    turns.update(window)
    near = {turn + tick for turn in turns for tick in (-TICK, timedelta(0), TICK)}
    return sorted(moment for moment in near if FIRST_MOMENT <= moment < LAST_MOMENT)


def worded(asked: dict[str, str], at: datetime, *, have_ready: bool = False) -> bytes:
    return orjson.dumps(price(Question(asked["sku"], asked["provider"], at=at), have_ready=have_ready))


def check_every_moment(asked: dict[str, str]) -> int:
    offering = Offering.objects.get(provider__slug=asked["provider"], sku=asked["sku"], region="")
    checked = 0
    for at in moments(offering.pk):
        ReadyAnswer.objects.all().delete()
        worded(asked, at, have_ready=True)
        row = ReadyAnswer.objects.first()
        if row is None:  # nothing is priced then
            continue
        assert row.since <= at < row.until
        for told in {row.since, at, row.since + (row.until - row.since) / 2, row.until - TICK}:
            found = ready.recall(asked["provider"], asked["sku"], told, kept.version())
            assert found is not None
            assert found.plain(moment_text(told)) == worded(asked, told)
            assert gzip.decompress(found.gzipped(moment_text(told))) == worded(asked, told)
            checked += 1
        assert ready.recall(asked["provider"], asked["sku"], row.until, kept.version()) is None
    return checked


@pytest.mark.parametrize(
    "asked",
    [
        SOL,
        {"provider": "deepseek", "sku": "deepseek-chat"},  # by hours, with holidays
        {"provider": "google", "sku": "gemini-2.5-pro"},  # context tiers
        {"provider": "anthropic", "sku": "claude-sonnet-4-5"},
    ],
    ids=lambda asked: asked["sku"],
)
def test_what_is_ready_is_what_would_be_worded_at_every_moment_of_its_span(asked: dict[str, str]) -> None:
    assert check_every_moment(asked) > 20


def test_a_price_in_another_currency_is_ready_for_one_day_of_its_rate() -> None:
    source = PriceSource.objects.first()
    offering = Offering.objects.get(provider__slug="openai", sku="gpt-5.6-sol", region="")
    Price.objects.of_offerings([offering.pk]).update(currency="EUR")
    for day, usd in ((22, "1.1"), (24, "1.2"), (25, "1.3")):
        ExchangeRate.objects.create(currency="EUR", day=date(2026, 11, day), usd=Decimal(usd), source=source)
    assert check_every_moment(SOL) > 20
    ReadyAnswer.objects.all().delete()
    worded(SOL, datetime(2026, 11, 24, 13, 5, tzinfo=UTC), have_ready=True)
    row = ReadyAnswer.objects.get()
    assert datetime(2026, 11, 24, tzinfo=UTC) <= row.since < row.until <= datetime(2026, 11, 25, tzinfo=UTC)


# ── over HTTP ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("packed", ["", "gzip, br"])
@pytest.mark.parametrize("at", [AT, "2026-11-24", "2026-11-24T12:00:00+02:00", " 2026-11-24T10:00:00.5Z"])
def test_another_process_gives_the_answer_django_gave_without_django(framed: list[str], at: str, packed: str) -> None:
    asked = {**SOL, "at": at}
    first = ask(asked, HTTP_ACCEPT_ENCODING=packed)
    assert (first[0], framed) == (200, [PATH])
    forget_answers()
    again = ask(asked, HTTP_ACCEPT_ENCODING=packed)
    assert framed == [PATH]
    opened = gzip.decompress if packed else bytes
    assert opened(again[2]) == opened(first[2])
    assert int(again[1].pop("content-length")) == len(again[2])
    assert int(first[1].pop("content-length")) == len(first[2])
    assert without_quota((again[0], again[1], b"")) == without_quota((first[0], first[1], b""))


@given(st.text("%3Aa:+=05TZ ", max_size=12))
def test_a_moment_is_decoded_as_any_field_is(text: str) -> None:
    assert plain._fields(f"at={text}") == parse_qsl(f"at={text}", keep_blank_values=True)


def test_another_moment_of_the_span_needs_no_django(framed: list[str]) -> None:
    ask()
    moved = ask({**SOL, "at": "2026-11-24T11:30:00Z"})
    assert (moved[0], framed) == (200, [PATH])
    assert orjson.loads(moved[2])["at"] == "2026-11-24T11:30:00Z"
    assert ask({**SOL, "at": "2026-11-24T11:30:00Z"})[2] == moved[2]


def test_what_postgresql_had_ready_is_kept_in_memory_too(framed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ask()
    forget_answers()
    first = ask()
    monkeypatch.setattr(ready, "recall", lambda *_: pytest.fail("PostgreSQL was asked again"))
    assert without_quota(ask()) == without_quota(first)


def test_a_price_of_now_is_ready_for_the_next_minute(framed: list[str]) -> None:
    first = ask(SOL)
    assert framed == [PATH]
    forget_answers()
    again = ask(SOL)
    assert framed == [PATH]
    before, after = orjson.loads(first[2]), orjson.loads(again[2])
    assert before.pop("at") < after.pop("at")
    assert before == after


def test_a_copy_of_what_is_ready_is_304(framed: list[str]) -> None:
    etag = ask()[1]["etag"]
    forget_answers()
    status, headers, body = ask(HTTP_IF_NONE_MATCH=etag)
    assert (status, headers["etag"], body, framed) == (304, etag, b"", [PATH])


@pytest.mark.parametrize(
    "more",
    [
        {"context": "300000"}, {"tier": "batch"}, {"region": "eu"}, {"known_at": "2026-11-01"}, {"nonsense": "1"},
        {"at": "yesterday"}, {"at": ""}, {"at": "1969-12-31"}, {"sku": ""}, {"sku": "GPT-5.6-Sol"}, {"sku": "x" * 401},
        {"provider": "nobody"},
    ],
    ids=lambda more: "=".join(*more.items())[:20],
)  # fmt: skip
def test_any_other_question_goes_to_django(framed: list[str], more: dict[str, str]) -> None:
    ask()
    ask({**SOL, "at": AT, **more})
    forget_answers()
    ask({**SOL, "at": AT, **more})
    assert len(framed) == 3


def test_a_field_said_twice_goes_to_django(framed: list[str]) -> None:
    ask()
    get(PATH, f"{urlencode({**SOL, 'at': AT})}&sku=gpt-5.6-terra")
    assert len(framed) == 2


def test_a_private_catalogue_is_told_only_to_a_token_just_found_live(framed: list[str], settings: Any) -> None:
    ask()
    forget_answers()
    settings.PUBLIC_CATALOG = False
    assert ask()[0] == 401
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {access.create_token('t', 'viewer')[1]}"}
    assert ask(**bearer)[0] == 200  # Django finds it live, and what goes around a private answer
    forget_answers()
    framed.clear()
    told = ask(**bearer)
    assert (told[0], told[1]["cache-control"], framed) == (200, "private, max-age=60", [])
    forget_answers()
    assert (ask()[0], ask(HTTP_AUTHORIZATION="Bearer wrong")[0]) == (401, 401)


def test_it_counts_against_the_quota(framed: list[str], settings: Any) -> None:
    settings.RATE_LIMIT = 50
    left = int(ask()[1]["ratelimit-remaining"])
    forget_answers()
    assert int(ask()[1]["ratelimit-remaining"]) == left - 1
    assert framed == [PATH]


# ── never too old ────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_served_of_another_version_of_the_catalogue(
    framed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask()
    SourceRun.objects.create(source=PriceSource.objects.first(), status="unchanged", observed_at=AT)
    later = time.monotonic() + kept.CHECKED_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    ask()
    assert framed == [PATH, PATH]
    assert ReadyAnswer.objects.values("stamp").distinct().count() == 1  # the old ones went


def test_nothing_is_served_of_another_release(framed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ask()
    forget_answers()
    ready._stamp.cache_clear()
    monkeypatch.setattr(program, "stamp", lambda: "another")
    ask()
    ready._stamp.cache_clear()
    assert framed == [PATH, PATH]


def test_prices_that_were_mended_are_no_longer_ready(framed: list[str]) -> None:
    ask()
    catalog.recompute({Offering.objects.get(provider__slug="openai", sku="gpt-5.6-sol", region="").pk})
    assert not ReadyAnswer.objects.exists()


def test_a_database_that_does_not_answer_leaves_the_question_to_django(
    framed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask()
    forget_answers()
    tried = []

    def broken() -> Any:
        tried.append(1)
        raise psycopg.OperationalError

    monkeypatch.setattr(direct, "_connected", broken)
    assert ask()[0] == 200
    forget_answers()
    assert ask()[0] == 200
    assert (len(tried), framed) == (1, [PATH] * 3)  # not tried again at once


def test_a_process_writes_no_more_than_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "MOST", 2)
    for day in (1, 40, 80, 120):  # each of another grade or price
        worded(SOL, datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=day), have_ready=True)
    assert ReadyAnswer.objects.count() == 2


def test_the_table_is_not_in_the_write_ahead_log() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE oid = 'pricing_readyanswer'::regclass")
        assert cursor.fetchone() == ("u",)


def test_a_short_or_unpacked_answer_gives_no_frame() -> None:
    headers = [("Content-Type", "application/json"), ("ETag", '"x"'), ("Content-Length", "9")]
    assert plain.frame(headers, b"x" * 199, packed=False) is None
    assert plain.frame(headers, b"x" * 300, packed=True) is None
    assert plain.frame(headers, b"x" * 300, packed=False) == plain.Frame(headers[:1], False, False)
