"""Pages of time buckets, as the usage and cost APIs of OpenAI and Anthropic answer: their results, one a line.

    {"data": [{"start_time": 1788220800, "end_time": 1788307200, "results": [{…}, …]}, …],
     "has_more": true, "next_page": "page_…"}

Read are a page, pages in an array or one after the other, and buckets alone, in an array or one after the other.
A result is handed on with the bucket it stands in and the numbers of its page and pull: a page that says `has_more`
goes on in the next one, and a bucket may go on there too. Names of times differ by vendor, and may stand behind the
results; then a bucket is held in memory until it ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import IO, Any

import ijson

from usage.importers import UNTOLD, Covered
from usage.importers._bounds import Bounded
from usage.importers._json import Unreadable, instant, unix

_STARTS, _ENDS = ("start_time", "starting_at"), ("end_time", "ending_at")
_LISTS = ("results", "result")  # OpenAI's first specification had the singular
_TIMES = {
    f"{at}{name}": field for at in ("", "data.item.") for field, names in (("start", _STARTS), ("end", _ENDS))
    for name in names
}  # fmt: skip
_LISTED = frozenset(f"{at}{name}" for at in ("", "data.item.") for name in _LISTS)
_RESULT = frozenset(f"{place}.item" for place in _LISTED)
_DEPTH = 20


@dataclass(slots=True)
class Bucket:
    """What a bucket says of itself. One without a list of results, or without times, is none."""

    pull: int
    page: int
    bare: bool
    start: Any = None
    end: Any = None
    listed: bool = False
    waiting: list[Any] = field(default_factory=list)
    results: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """A result and its bucket; `value` is None for a bucket that has none."""

    bucket: Bucket
    value: Any


@dataclass(frozen=True, slots=True)
class PageEnd:
    """The end of a page, and whether its pull goes on."""

    has_more: bool


def split(stream: IO[bytes], parts_of: Callable[[Any], Collection[str]] = lambda _: ("",)) -> Iterator[bytes]:
    """One line for each part of each result, and one for each bucket without any."""
    for found in _walk(stream):
        if isinstance(found, Result):
            bucket = found.bucket
            about = {
                "pull": bucket.pull,
                "page": bucket.page,
                "bare": bucket.bare,
                "start": bucket.start,
                "end": bucket.end,
                "listed": bucket.listed,
                "result": found.value,
            }
            for part in ("",) if found.value is None else parts_of(found.value):
                yield json.dumps(about | {"part": part}, default=str, separators=(",", ":")).encode()


def covered(stream: IO[bytes], keys_of: Callable[[Any], str] | None = None) -> list[Covered | None]:
    """The time each pull speaks for, by kind of record; None for one with a gap, which is a page that is missing.

    A report of one kind, without `keys_of`, speaks for all of its records, also where its buckets are empty.
    """
    found: list[Covered | None] = []
    pull = _Pull(keys_of)
    for event in _walk(stream):
        if isinstance(event, PageEnd):
            if not event.has_more:
                found += pull.covered(whole=True)
                pull = _Pull(keys_of)
            pull.open = event.has_more
        else:
            try:
                pull.add(event)
            except Unreadable:
                return [None]
    return found + pull.covered(whole=not pull.open)


class _Pull:
    """The buckets of one pull: all of them, and those with records of each kind."""

    def __init__(self, keys_of: Callable[[Any], str] | None) -> None:
        self.open = False
        self._keys_of = keys_of
        self._spans: set[tuple[datetime, datetime]] = set()
        self._kinds: dict[str, tuple[datetime, datetime]] = {}

    def add(self, result: Result) -> None:
        start, end = times(result.bucket.start, result.bucket.end)
        self._spans.add((start, end))
        if result.value is not None and self._keys_of is not None:
            keys = self._keys_of(result.value)
            since, until = self._kinds.get(keys, (start, end))
            self._kinds[keys] = min(since, start), max(until, end)

    def covered(self, *, whole: bool) -> list[Covered | None]:
        if not self._spans:
            return []
        spans = sorted(self._spans)
        if any(later[0] > earlier[1] for earlier, later in pairwise(spans)):
            return [None]
        since, until = spans[0][0], max(end for _, end in spans)
        if len(self._kinds) > 1:  # each only where it has records: what the other buckets were asked for is not said
            return [Covered(*kind, whole, keys) for keys, kind in sorted(self._kinds.items())]
        untold = "" if self._keys_of is None else UNTOLD
        return [Covered(since, until, whole, next(iter(self._kinds), untold))]


def times(start: object, end: object) -> tuple[datetime, datetime]:
    """When a bucket starts and ends, from seconds since 1970 or ISO 8601."""
    moments = [
        instant(value, name) if isinstance(value, str) and not value.isdigit() else unix(value, name)
        for value, name in ((start, "the bucket's start"), (end, "the bucket's end"))
    ]
    if moments[0] >= moments[1]:
        raise Unreadable("the bucket ends before it begins")
    return moments[0], moments[1]


def _walk(stream: IO[bytes]) -> Iterator[Result | PageEnd]:
    """Every result in order, and the ends of pages."""
    return _Walk(stream).found()


class _Walk:
    """Where in the documents the reading stands."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._events = ijson.parse(Bounded(stream), multiple_values=True)
        self._pull = self._page = 0
        self._bucket = Bucket(0, 0, bare=True)
        self._is_page = self._has_more = False

    def found(self) -> Iterator[Result | PageEnd]:
        for prefix, event, value in self._events:
            place = prefix[5:] if prefix.startswith("item.") else "" if prefix == "item" else prefix
            if place in _RESULT:
                yield from self._result(event, value)
            elif place == "data.item":
                yield from self._in_data(event, value)
            elif place == "":
                yield from self._outermost(prefix, event, value)
            elif place in _TIMES:
                setattr(self._bucket, _TIMES[place], _number(value))
            elif event == "start_array" and place in _LISTED:
                self._bucket.listed = True
            elif event == "start_array" and place == "data":
                self._is_page = True
            elif place == "has_more":
                self._has_more = value is True

    def _result(self, event: str, value: Any) -> Iterator[Result]:
        bucket, found = self._bucket, _value(event, value, self._events)
        bucket.results += 1
        if bucket.start is None or bucket.end is None:
            bucket.waiting.append(found)
        else:
            yield Result(bucket, found)

    def _in_data(self, event: str, value: Any) -> Iterator[Result]:
        if event == "start_map":
            self._bucket = Bucket(self._pull, self._page, bare=False)
        elif event == "end_map":
            yield from _ended(self._bucket)
        elif event != "map_key":
            yield Result(Bucket(self._pull, self._page, bare=False), _value(event, value, self._events))

    def _outermost(self, prefix: str, event: str, value: Any) -> Iterator[Result | PageEnd]:
        if event == "start_map":
            self._page += 1
            self._bucket = Bucket(self._pull, self._page, bare=True)
            self._is_page = self._has_more = False
        elif event == "end_map" and self._is_page:
            self._pull += not self._has_more
            yield PageEnd(self._has_more)
        elif event == "end_map":
            yield from _ended(self._bucket)
        elif event != "map_key" and (prefix or not event.endswith("_array")):
            yield Result(Bucket(self._pull, self._page, bare=True), _value(event, value, self._events))


def _ended(bucket: Bucket) -> Iterator[Result]:
    for value in bucket.waiting:
        yield Result(bucket, value)
    bucket.waiting = []
    if not bucket.results:
        yield Result(bucket, None)


def _value(event: str, value: Any, events: Iterator[tuple[str, str, Any]], depth: int = 0) -> Any:
    """The value that begins with an event, to its end."""
    if depth > _DEPTH:
        raise ValueError("a result is nested too deeply to be one")
    if event == "start_map":
        found: dict[str, Any] = {}
        name = ""
        for _, inner, said in events:
            if inner == "end_map":
                break
            if inner == "map_key":
                name = said
            else:
                found[name] = _value(inner, said, events, depth + 1)
        return found
    if event == "start_array":
        listed = []
        for _, inner, said in events:
            if inner == "end_array":
                break
            listed.append(_value(inner, said, events, depth + 1))
        return listed
    return _number(value)


def _number(value: Any) -> Any:
    """A whole number as one; any other with its digits, as text."""
    if isinstance(value, Decimal):
        whole = value.is_finite() and value.adjusted() < 18 and value == value.to_integral_value()
        return int(value) if whole else str(value)
    return value
