"""Prices that PostgreSQL has ready, as the responses Django would give: the body of `pricing.ready` in a known frame.

Only the plainest question is answered so: one seller's sku, at a moment or now. Whatever else is asked, and whatever is
not a question, goes to Django. Its headers are those Django put around an answer to the same kind of request before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from dashboards.api.caching import Until, tag, within_minute
from pricing import ready
from pricing.answers import BadQuestion, edges, kept, moment
from pricing.answers.prices import Question, is_plain
from pricing.answers.wording import moment_text

PATH: Final = "/api/v1/price"
Headers = list[tuple[str, str]]
_FIELDS: Final = ({"provider", "sku"}, {"provider", "sku", "at"})
_LONGEST: Final = {"provider": 400, "sku": 400, "at": 40}
_OF_THE_BODY: Final = frozenset({"etag", "content-length"})
_PACKED_FROM: Final = 200
"""Django's GZipMiddleware leaves a shorter body as it is, and says nothing of compression in its headers."""


class Frame(NamedTuple):
    """The headers of an answer without what is of its body; `weak` is how a compressed body's tag is written."""

    headers: Headers
    packed: bool
    weak: bool


class Answer(NamedTuple):
    headers: Headers
    etag: str
    body: bytes
    until: Until


def frame(headers: Headers, body: bytes, *, packed: bool) -> Frame | None:
    """The frame of an answer, None where it is not one that other answers fit into."""
    named = {name.lower(): value for name, value in headers}
    if ("content-encoding" in named) != packed or (len(body) < _PACKED_FROM and not packed):
        return None
    own = [(name, value) for name, value in headers if name.lower() not in _OF_THE_BODY]
    return Frame(own, packed, named.get("etag", "").startswith("W/"))


def answer(query: str, around: Frame, current: kept.Version, now: datetime) -> Answer | None:
    """The answer PostgreSQL has ready for a query string, None where Django has to be asked."""
    try:
        asked = _read(query)
        if asked is None:
            return None
        question, moment_asked, fields = asked
        edge = edges.known_edge(now, current) if moment_asked is None else None
        if moment_asked is None and edge is None:
            return None
        at = moment_asked or now
        found = ready.recall(question.provider or "", question.model, at, current)
    except BadQuestion:
        return None
    if found is None:
        return None
    until = within_minute(edge, current, now) if edge is not None else Until(current, None)
    etag = tag(until, PATH, [(name, [value]) for name, value in fields])
    etag = f"W/{etag}" if around.weak else etag
    text = moment_text(at)
    body = found.gzipped(text) if around.packed else found.plain(text)
    return Answer([*around.headers, ("Content-Length", str(len(body))), ("ETag", etag)], etag, body, until)


def _read(query: str) -> tuple[Question, datetime | None, Sequence[tuple[str, str]]] | None:
    """The question of a query string, its moment, and its fields as they stand; None where it is not a plain one."""
    if not query.isascii():
        return None
    fields = [field for part in query.split("&") for field in _fields(part)]
    by_name = dict(fields)
    if by_name.keys() not in _FIELDS or len(by_name) != len(fields):
        return None
    if any(not 0 < len(value) <= _LONGEST[name] for name, value in fields):
        return None
    question = _question(by_name["provider"], by_name["sku"])
    if question is None:
        return None
    return question, (moment(by_name["at"]) if "at" in by_name else None), fields


@lru_cache(maxsize=20_000)
def _question(provider: str, sku: str) -> Question | None:
    """The checked question about an offering, of whatever moment; None where it is not a plain one."""
    question = Question(sku, provider).checked()
    return question if is_plain(question) else None


def _fields(part: str) -> list[tuple[str, str]]:
    """Offerings are asked for again and again, moments are not, and most of those have colons alone to decode."""
    if not part.startswith("at="):
        return _named(part)
    bare = part[3:].replace("%3A", ":")
    return _decoded(part) if "%" in bare or "+" in bare else [("at", bare)]


def _decoded(part: str) -> list[tuple[str, str]]:
    return parse_qsl(part, keep_blank_values=True)


_named = lru_cache(maxsize=20_000)(_decoded)
