"""What is wrong with a body, said by name before its source's parser sees it. Pure.

A source's medium is its `MEDIA`, else the suffix of its `FEED`, else JSON where it is fetched from an API or a
published table. A vendor's own page without a suffix is read by its parser alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from pricing.failures import SourceFailure
from pricing.sources import OFFICIAL

ANY: Final = ""
_MEDIA: Final = {
    "json": "json", "yaml": "yaml", "yml": "yaml", "html": "html", "htm": "html", "md": "markdown", "csv": "csv",
    "xml": "xml",
}  # fmt: skip
_MARKUP: Final = frozenset({"html", "xml", ANY})
_NULS_IN_A_PAGE: Final = 1000
"""One byte in so many may be NUL in markup before it is no text."""
_BOMS: Final = {
    b"\xff\xfe\x00\x00": "UTF-32", b"\x00\x00\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16",
}  # fmt: skip
_NO_TEXT: Final = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")
"""In ASCII, an escape that may be no text: a NUL, or half of a pair; read apart, as most are whole pairs."""
_HALVES: Final = re.compile("[\x00\ud800-\udfff]")
_UTF8_BOM: Final = b"\xef\xbb\xbf"
REPEATED: Final = 100
"""One repeated entry in so many is a slip of a hand-kept table, and the last holds, as for every reader of JSON."""


def media_of(source: object) -> str:
    """The medium a source's body comes in: json, yaml, html, markdown, csv, xml, or '' where only its parser knows."""
    declared: str | None = getattr(source, "MEDIA", None)
    if declared is not None:
        return declared
    feed = getattr(source, "FEED", "")
    suffix = PurePosixPath(urlsplit(feed).path).suffix.lower().removeprefix(".")
    if suffix in _MEDIA:
        return _MEDIA[suffix]
    return "json" if feed and getattr(source, "TRUST", OFFICIAL) != OFFICIAL else ANY


def refuse(body: bytes, media: str) -> None:
    """Raise `SourceFailure` where the body cannot be a price list in its medium, whatever its layout."""
    if not body.strip():
        raise SourceFailure("empty", "The body is empty.", permanent=False)
    _refuse_encoding(body, media)
    if media not in _MARKUP and looks_like_html(body):
        kind, wanted = ("html_for_json", "JSON") if media == "json" else ("html_for_text", media)
        raise SourceFailure(
            kind, f"The answer is an HTML page where {wanted} was expected: a login, an error or a moved address.",
            permanent=False,
        )  # fmt: skip
    if media == "json":
        refuse_json(body)


def looks_like_html(body: bytes) -> bool:
    """Whether the first sign that is not blank opens a tag."""
    return body[:1024].removeprefix(_UTF8_BOM).lstrip()[:1] == b"<"


def _refuse_encoding(body: bytes, media: str) -> None:
    for mark, name in _BOMS.items():
        if body.startswith(mark):
            raise SourceFailure("not_text", f"The body is {name}; text in UTF-8 was expected.")
    # HTML's own rule for a stray NUL is to drop it, and DeepSeek's page holds two; UTF-16 is every other byte.
    if body.count(b"\x00") > (len(body) // _NULS_IN_A_PAGE if media in _MARKUP else 0):
        raise SourceFailure("not_text", "The body holds NUL bytes: it is not text in UTF-8.")
    if media in _MARKUP:
        return  # a page names its own character set, and its parser reads that
    if media == "json" and body.startswith(_UTF8_BOM):
        raise SourceFailure("not_text", "The body starts with a byte order mark, which JSON does not allow.")
    try:
        body.decode()
    except UnicodeDecodeError as fault:
        raise SourceFailure("not_text", f"The body is not UTF-8: byte {fault.start:,} cannot be read.") from None


def refuse_json(body: bytes) -> None:
    """Raise for what no JSON of prices may be: cut off, not JSON, empty, too deep, NaN, contradicting itself."""
    try:
        document = json.loads(body, object_pairs_hook=_one_of_each, parse_constant=_no_constant)
    except RecursionError:
        raise SourceFailure("deep", "The JSON is nested deeper than any price list.") from None
    except json.JSONDecodeError as fault:
        raise _broken_json(body, fault) from None
    except ValueError as fault:
        raise SourceFailure("malformed", f"The body is not usable JSON: {fault}.") from None
    if document is None or document in ({}, []):
        raise SourceFailure("empty", "The JSON holds nothing.", permanent=False)
    if _NO_TEXT.search(body) and any(_HALVES.search(text) for text in _texts(document)):
        raise SourceFailure("not_text", "The JSON escapes a NUL or half of a character: that is no text.")


def _texts(document: Any) -> Iterator[str]:
    waiting = [document]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one


def _broken_json(body: bytes, fault: json.JSONDecodeError) -> SourceFailure:
    text = body.decode()
    unfinished = fault.msg.startswith("Unterminated string") or not text[fault.pos :].strip()
    if unfinished and text.lstrip()[:1] in ("{", "["):
        return SourceFailure("truncated", f"The JSON ends too early, after {len(body):,} bytes.", permanent=False)
    return SourceFailure("malformed", f"The body is not JSON: {fault}.")


def _no_constant(name: str) -> Any:
    raise SourceFailure("nan", f"The body holds {name}, which is no number.")


def _one_of_each(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    entries = dict(pairs)
    if len(entries) == len(pairs):
        return entries
    seen: dict[str, Any] = {}
    repeated = []
    for key, value in pairs:
        if key in seen and seen[key] != value:
            if not isinstance(value, dict | list):
                raise SourceFailure("duplicate_keys", f"The JSON states {key!r} twice in one object, differently.")
            repeated.append(key)
        seen[key] = value
    if len(repeated) * REPEATED > len(entries):
        raise SourceFailure(
            "duplicate_keys", f"The JSON holds {len(repeated):,} entries twice, differently; one is {repeated[0]!r}."
        )
    return entries
