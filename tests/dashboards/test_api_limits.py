"""How much one caller may ask, and what it is told about it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from dashboards import access
from dashboards.api import limits

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

SOL = "/api/v1/price?provider=openai&sku=gpt-5.6-sol&at=2026-08-23&tier=standard"


@pytest.fixture(autouse=True)
def _three_a_minute(settings: Any) -> Iterator[None]:
    settings.RATE_LIMIT = 3
    limits.forget()
    yield
    limits.forget()


def test_what_is_left_is_told_with_every_answer(client: Client) -> None:
    told = [client.get(SOL)["RateLimit-Remaining"] for _ in range(3)]
    assert told == ["2", "1", "0"]
    assert client.get("/api/v1/models?limit=1")["RateLimit-Policy"] == "3;w=60"


def test_who_asked_too_much_is_told_how_long_to_wait(client: Client) -> None:
    for _ in range(3):
        client.get(SOL)
    refused = client.get(SOL)
    assert (refused.status_code, refused["Content-Type"]) == (429, "application/problem+json")
    assert (refused["Retry-After"], refused["RateLimit-Remaining"]) == ("20", "0")
    assert "Retry-After" in refused.json()["detail"]


def test_after_that_time_one_more_is_answered(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    start = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: start)
    for _ in range(4):
        client.get(SOL)
    monkeypatch.setattr(time, "monotonic", lambda: start + 20)
    assert [client.get(SOL).status_code for _ in range(2)] == [200, 429]


def test_a_copy_that_still_holds_costs_nothing(client: Client) -> None:
    etag = client.get(SOL)["ETag"]
    for _ in range(5):
        again = client.get(SOL, headers={"If-None-Match": etag})
        assert (again.status_code, "RateLimit-Remaining" in again) == (304, False)
    assert client.get(SOL)["RateLimit-Remaining"] == "1"


def test_a_token_and_an_address_are_counted_apart(client: Client) -> None:
    secrets = [access.create_token(name, "viewer")[1] for name in ("a", "b")]
    for headers in ({}, *({"Authorization": f"Bearer {secret}"} for secret in secrets)):
        assert client.get(SOL, headers=headers)["RateLimit-Remaining"] == "2"


def test_every_kind_of_question_is_counted(client: Client) -> None:
    cost = {"model": "gpt-4o", "input": 1}
    assert client.post("/api/v1/cost", cost, content_type="application/json")["RateLimit-Remaining"] == "2"
    assert client.get("/feeds/prices.atom?limit=1")["RateLimit-Remaining"] == "1"
    assert client.get("/export/litellm.json")["RateLimit-Remaining"] == "0"


def test_the_proxys_word_for_an_address_is_believed_only_where_one_stands_in_front(settings: Any) -> None:
    environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 10.0.0.9"}
    assert limits.address(environ) == "127.0.0.1"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert limits.address(environ) == "10.0.0.9"


def test_zero_is_no_limit(client: Client, settings: Any) -> None:
    settings.RATE_LIMIT = 0
    answer = client.get(SOL)
    assert (answer.status_code, "RateLimit-Limit" in answer) == (200, False)


def test_no_more_callers_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CALLERS", 10)
    for number in range(30):
        limits.take(str(number))
    assert len(limits._buckets) == 10
