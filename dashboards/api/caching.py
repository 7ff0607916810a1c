"""Answers of the catalogue as HTTP knows them: an ETag from the catalogue's version and the question, and 304."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from pricing.answers import kept

FRESH_SECONDS: Final = 60
"""An answer about now may be this old (pricing.answers.prices.OLD_AFTER)."""


def answered(request: HttpRequest, reply: Callable[[], dict[str, Any]], *, dated: bool) -> HttpResponse:
    """The reply as JSON, or 304 where the caller's copy still holds. `dated`: the question names its moment."""
    etag = _etag(request, kept.version(), dated)
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(orjson.dumps(reply()), content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = f"{'public' if settings.PUBLIC_CATALOG else 'private'}, max-age={FRESH_SECONDS}"
    response["Vary"] = "Authorization"
    return response


def _etag(request: HttpRequest, version: kept.Version, dated: bool) -> str:
    minute = None if dated else int(datetime.now(UTC).timestamp()) // FRESH_SECONDS
    asked = f"{version}|{minute}|{request.path}|{sorted(request.GET.lists())}"
    return f'"{hashlib.sha256(asked.encode("utf-8", "replace")).hexdigest()[:24]}"'
