"""In front of Django: the same question again, answered from memory or by PostgreSQL before any middleware runs.

A response that `caching.answered` marked is kept as it left Django, headers and all, and served again for as long as
it holds: the catalogue's version was seen within the last second and is the same, and no price or hour has begun
since. A price that nobody asked this process for may be ready in PostgreSQL (`plain`). Whoever asks has to be let in
as before: nobody is asked for a name where the catalogue is public; a token must have been found live within the last
second and be for the catalogue; a session always goes through Django. Everything that could make Django answer
otherwise is part of the key: the host, the scheme, the address, compression.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from django.conf import settings

from dashboards.api import auth, limits, plain
from dashboards.api.caching import KEPT, Until, is_copy
from pricing.answers import kept

Headers = list[tuple[str, str]]
Environ = dict[str, Any]
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]

PATHS: Final = ("/api/v1/", "/export/", "/feeds/")
_OF_A_COPY: Final = frozenset({"cache-control", "content-location", "etag", "expires", "vary", "link"})
"""What a 304 repeats of the response it stands for (RFC 9110, 15.4.5)."""
_GZIP = re.compile(r"\bgzip\b")  # as Django's GZipMiddleware looks for it


class _Response(NamedTuple):
    status: str
    headers: Headers
    etag: str
    body: bytes


class HotAnswers:
    """The application, with what it has answered before kept in front of it."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith(PATHS):
            return self.application(environ, start_response)
        if environ["REQUEST_METHOD"] == "HEAD":
            return self._head(environ, start_response)
        if environ["REQUEST_METHOD"] != "GET":
            return self.application(environ, start_response)
        key = _key(environ)
        caller = _caller(environ)
        current = kept.watched_version() if caller is not None else None
        found: _Response | None = None
        if current is not None and caller is not None:
            now = datetime.now(UTC)
            found = kept.recall(key, current, now) or _ready(key, environ, current, now)
        if found is None or caller is None:
            return self._asked(key, environ, start_response)
        if is_copy(environ.get("HTTP_IF_NONE_MATCH", ""), found.etag):
            start_response(
                "304 Not Modified", [(name, value) for name, value in found.headers if name.lower() in _OF_A_COPY]
            )
            return []
        quota = limits.take(caller)
        if quota is not None and quota.wait:
            return self.application(environ, start_response)  # which refuses it in its own words
        start_response(found.status, found.headers + (quota.headers() if quota else []))
        return [found.body]

    def _head(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        """What GET would answer without its body: readers of feeds and whoever checks a link ask so (RFC 9110, 9.3.2).

        The API declares no operation for it, which would stand in its document beside every GET.
        """
        response = self({**environ, "REQUEST_METHOD": "GET"}, start_response)
        if hasattr(response, "close"):
            response.close()
        return []

    def _asked(self, key: tuple[Any, ...], environ: Environ, start_response: Start) -> Iterable[bytes]:
        """What Django answers, kept where it says that the answer may be."""
        told: list[tuple[str, Headers]] = []

        def noted(status: str, headers: Headers, *more: Any) -> Any:
            told.append((status, headers))
            return start_response(status, headers, *more)

        response = self.application(environ, noted)
        until: Until | None = environ.get(KEPT)
        if until is None or not told or told[-1][0] != "200 OK":
            return response
        try:
            body = b"".join(response)
        finally:
            if hasattr(response, "close"):
                response.close()
        headers = told[-1][1]
        fixed = [(name, value) for name, value in headers if not name.lower().startswith("ratelimit")]
        if not any(name.lower() == "set-cookie" for name, _ in fixed):
            etag = next((value for name, value in fixed if name.lower() == "etag"), "")
            _keep(key, fixed, etag, body, until)
            if environ["PATH_INFO"] == plain.PATH and (frame := plain.frame(fixed, body, packed=_packed(environ))):
                kept.keep(_frame_key(key), until.version, frame)
        return [body]


def _keep(key: tuple[Any, ...], headers: Headers, etag: str, body: bytes, until: Until) -> _Response:
    whole = _Response("200 OK", headers, etag, body)
    kept.keep(key, until.version, whole, until.moment, len(body) + 1000)
    return whole


def _ready(key: tuple[Any, ...], environ: Environ, current: kept.Version, now: datetime) -> _Response | None:
    """What PostgreSQL has ready, kept as if Django had answered it."""
    if environ["PATH_INFO"] != plain.PATH:
        return None
    around: plain.Frame | None = kept.recall(_frame_key(key), current, now)
    found = plain.answer(environ.get("QUERY_STRING", ""), around, current, now) if around else None
    return found and _keep(key, found.headers, found.etag, found.body, found.until)


def _key(environ: Environ) -> tuple[Any, ...]:
    get = environ.get
    return (
        "response", settings.PUBLIC_CATALOG, get("wsgi.url_scheme"), get("HTTP_X_FORWARDED_PROTO"), get("HTTP_HOST"),
        _packed(environ), get("PATH_INFO"), get("QUERY_STRING"),
    )  # fmt: skip


def _frame_key(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Of all questions that differ in their query alone."""
    return ("frame", *key[1:-1])


def _packed(environ: Environ) -> bool:
    return bool(_GZIP.search(environ.get("HTTP_ACCEPT_ENCODING", "")))


def _caller(environ: Environ) -> str | None:
    """Whose quota the request is of, None where Django has to decide whether it is let in."""
    header = environ.get("HTTP_AUTHORIZATION")
    if header is None:
        return limits.address(environ) if settings.PUBLIC_CATALOG else None
    token = auth.believed(header)
    return f"token {token.pk}" if token and auth.reads_catalogue(token) else None
