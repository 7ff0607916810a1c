"""Answers of the catalogue as HTTP knows them: an ETag from the catalogue's version and the question, and 304.

An answer is rendered once and its bytes are kept for as long as it holds, so the same question again touches no
database. What a process serves is at most a second older than the catalogue (`kept.recent_version`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import quote

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags

from pricing.answers import kept
from pricing.answers.edges import next_edge

FRESH_SECONDS: Final = 60
"""A copy may be used for so long without asking."""
KEPT: Final = "ratecard.kept"
"""In the WSGI environment: until when the response holds, for `dashboards.api.hot`."""
JSON: Final = "application/json"
ATOM: Final = "application/atom+xml; charset=utf-8"

Holds = Literal["version", "edge", "minute"]
"""How long an answer holds while the catalogue does not change: for ever, as its question names its moment; until a
price or an hour begins or ends; or until then and the end of the minute, as it tells the moment it was read at."""


class Until(NamedTuple):
    """The version of the catalogue an answer is of, and the moment at which it is old anyway; None = never."""

    version: kept.Version
    moment: datetime | None


class _Body(NamedTuple):
    content: bytes
    link: str
    """The address of the next page; '' on the last."""


def answered(
    request: HttpRequest, reply: Callable[[], dict[str, Any] | bytes], *, holds: Holds, media: str = JSON
) -> HttpResponse:
    """The reply rendered, or 304 where the caller's copy still holds."""
    now = datetime.now(UTC)
    until = _until(holds, kept.recent_version(), now)
    etag = tag(until, request.path, request.GET.lists())
    if is_copy(request.headers.get("If-None-Match", ""), etag):
        response: HttpResponse = HttpResponseNotModified()
    else:
        question = ("answer", request.path, tuple(sorted((k, tuple(v)) for k, v in request.GET.lists())))
        body: _Body | None = kept.recall(question, until.version, now)
        if body is None:
            # Read after the version it is filed under, so never older than that.
            body = _rendered(request, reply())
            kept.keep(question, until.version, body, until.moment, len(body.content))
        response = HttpResponse(body.content, content_type=media)
        if body.link:
            response["Link"] = f'<{body.link}>; rel="next"'
        request.META[KEPT] = until
    response["ETag"] = etag
    response["Cache-Control"] = f"{'public' if settings.PUBLIC_CATALOG else 'private'}, max-age={FRESH_SECONDS}"
    response["Vary"] = "Authorization"
    return response


def is_copy(if_none_match: str, etag: str) -> bool:
    """Whether the header names the tag, by weak comparison: compression makes a strong tag a weak one."""
    if not if_none_match:
        return False
    tags = parse_etags(if_none_match)
    return "*" in tags or etag.removeprefix("W/") in {tag.removeprefix("W/") for tag in tags}


def _until(holds: Holds, current: kept.Version, now: datetime) -> Until:
    if holds == "version":
        return Until(current, None)
    edge = next_edge(now, current)
    return Until(current, edge) if holds == "edge" else within_minute(edge, current, now)


def within_minute(edge: datetime, current: kept.Version, now: datetime) -> Until:
    """Until the edge or the end of the minute, for an answer that tells the moment it was read at."""
    return Until(current, min(edge, now.replace(second=0, microsecond=0) + timedelta(minutes=1)))


def tag(until: Until, path: str, asked_for: Iterable[tuple[str, list[str]]]) -> str:
    """The strong tag of an answer: of the catalogue's version, until when it holds, and the question."""
    asked = f"{until.version}|{until.moment}|{path}|{sorted(asked_for)}"
    return f'"{hashlib.sha256(asked.encode("utf-8", "replace")).hexdigest()[:24]}"'


def _rendered(request: HttpRequest, reply: dict[str, Any] | bytes) -> _Body:
    if isinstance(reply, bytes):
        return _Body(reply, "")
    cursor = reply.get("next")
    return _Body(orjson.dumps(reply), page_after(request, cursor) if isinstance(cursor, str) else "")


def page_after(request: HttpRequest, cursor: str) -> str:
    """The address of the same question's next page, as a path."""
    asked = request.GET.copy()
    asked["cursor"] = cursor
    return f"{quote(request.path)}?{asked.urlencode()}"
