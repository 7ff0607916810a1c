"""In front of Django: the same question again, answered from memory before any middleware runs.

A response that `caching.answered` marked is kept as it left Django, headers and all, and served again for as long as
it holds: the catalogue's version was seen within the last second and is the same, and no price or hour has begun
since. Whoever asks has to be let in as before: nobody is asked for a name where the catalogue is public; a token
must have been found live within the last second; a session always goes through Django. Everything that could make
Django answer otherwise is part of the key: the host, the scheme, the address, compression.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from django.conf import settings

from dashboards.api import auth, limits
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
    copy_headers: Headers
    etag: str
    body: bytes


class HotAnswers:
    """The application, with what it has answered before kept in front of it."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or not environ.get("PATH_INFO", "").startswith(PATHS):
            return self.application(environ, start_response)
        key = _key(environ)
        current = kept.known_version()
        found: _Response | None = None
        if current is not None:
            found = kept.recall(key, current, datetime.now(UTC))
        caller = _caller(environ) if found is not None else None
        if found is None or caller is None:
            return self._asked(key, environ, start_response)
        if is_copy(environ.get("HTTP_IF_NONE_MATCH", ""), found.etag):
            start_response("304 Not Modified", list(found.copy_headers))
            return []
        quota = limits.take(caller)
        if quota is not None and quota.wait:
            return self.application(environ, start_response)  # which refuses it in its own words
        start_response(found.status, found.headers + (quota.headers() if quota else []))
        return [found.body]

    def _asked(self, key: tuple[Any, ...], environ: Environ, start_response: Start) -> Iterable[bytes]:
        """What Django answers, kept where it says that the answer may be."""
        told: list[tuple[str, Headers]] = []

        def noted(status: str, headers: Headers, *more: Any) -> Any:
            told.append((status, headers))
            return start_response(status, headers, *more)

        response = self.application(environ, noted)
        until: Until | None = environ.get(KEPT)
        if until is None or not told or not told[-1][0].startswith("200"):
            return response
        try:
            body = b"".join(response)
        finally:
            if hasattr(response, "close"):
                response.close()
        status, headers = told[-1]
        fixed = [(name, value) for name, value in headers if not name.lower().startswith("ratelimit")]
        copied = [(name, value) for name, value in fixed if name.lower() in _OF_A_COPY]
        etag = next((value for name, value in fixed if name.lower() == "etag"), "")
        if not any(name.lower() == "set-cookie" for name, _ in fixed):
            whole = _Response(status, fixed, copied, etag, body)
            kept.keep(key, until.version, whole, until.moment, len(body) + 1000)
        return [body]


def _key(environ: Environ) -> tuple[Any, ...]:
    get = environ.get
    return (
        "response", settings.PUBLIC_CATALOG, get("wsgi.url_scheme"), get("HTTP_X_FORWARDED_PROTO"), get("HTTP_HOST"),
        get("PATH_INFO"), get("QUERY_STRING"), bool(_GZIP.search(get("HTTP_ACCEPT_ENCODING", ""))),
    )  # fmt: skip


def _caller(environ: Environ) -> str | None:
    """Whose quota the request is of, None where Django has to decide whether it is let in."""
    header = environ.get("HTTP_AUTHORIZATION")
    if header is None:
        return limits.address(environ) if settings.PUBLIC_CATALOG else None
    token = auth.believed(header)
    return f"token {token.pk}" if token else None
