"""What importers of time buckets share: a result with its bucket's time, its key, and how equal keys add up.

A vendor gives no id, so a record's key is a digest of its endpoint, its bucket, everything it is grouped by and the
grouping that was asked for. Two results of one pull with one key are parts of one sum, unless they are the same page
again: the same counts on another page are one result. Of two pulls in one import the one with more is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from usage.importers import Dimension, Fact, Ignored, Outcome, Rejected
from usage.importers._buckets import times
from usage.importers._json import Unreadable, object_in
from usage.importers._records import shown as kept_of

EMPTY = "bucket without any usage"
_GRAINS = (
    (timedelta(minutes=1), "1m"),
    (timedelta(hours=1), "1h"),
    (timedelta(days=1), "1d"),
    (timedelta(days=31), "1mo"),
)
_SUMMED = ("in_uncached", "in_cache_read", "in_cache_write", "out_total", "requests", "cost_reported")
_MICRO = 10**6


@dataclass(frozen=True, slots=True)
class Line:
    """One result: its number, its bucket, which part of it is meant, its fields, and the grouping asked for."""

    number: int
    start: datetime
    end: datetime
    part: str
    result: Mapping[str, Any]
    grouped: tuple[str, ...]

    def key(self, kind: str, dimensions: Mapping[str, Any]) -> str:
        """The record's identity. What is null is left out: a field that an API adds later changes no key."""
        said = {name: value for name, value in dimensions.items() if value is not None}
        identity = [kind, self.start.isoformat(), self.end.isoformat(), self.part, sorted(said.items()), self.grouped]
        return hashlib.sha256(json.dumps(identity, separators=(",", ":")).encode()).hexdigest()

    def fact(self, key: str, dimension: Dimension, **fields: Any) -> Fact:
        """A fact of this bucket. Its context is never the sum of its tokens: it is unknown unless reported."""
        unknown: dict[str, Any] = dict.fromkeys(("in_uncached", "in_cache_read", "in_cache_write", "out_total"))
        found = Fact(
            line=self.number,
            record_key=key,
            occurred_at=self.start,
            period_end=self.end,
            grain=_grain(self.end - self.start),
            dimension=dimension,
            **(unknown | fields),
        )
        return _ranked(found, 1)


def grouped_by(mapping: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The grouping a saved mapping says was asked for: {"group_by": ["project_id", "model"]}."""
    asked = (mapping or {}).get("group_by") or []
    if not isinstance(asked, list | tuple) or not all(isinstance(name, str) for name in asked):
        from usage.importers.csv.mapping import MappingError

        raise MappingError("group_by has to be a list of the names that the API was asked to group by.")
    return tuple(sorted(set(asked)))


def outcomes(
    lines: Iterable[bytes],
    mapping: Mapping[str, Any] | None,
    read: Callable[[Line], Fact | Ignored],
    shown: tuple[str, ...],
) -> Iterator[Outcome]:
    """One outcome a line. `read` makes a fact of a result; `shown` are the fields a rejected line may keep."""
    grouped, sums = grouped_by(mapping), _Sums()
    for number, text in enumerate(lines, 1):
        result: Any = None
        try:
            record = object_in(text)
            result = record.get("result")
            line = _line(number, record, grouped)
            if line is None:
                yield Ignored(number, EMPTY)
                continue
            found = read(line)
            yield found if isinstance(found, Ignored) else sums.with_earlier(found, record)
        except Unreadable as fault:
            yield Rejected(number, str(fault), kept_of(result, shown) if isinstance(result, dict) else "")


def _line(number: int, record: Mapping[str, Any], grouped: tuple[str, ...]) -> Line | None:
    """None for a bucket that is empty."""
    result = record.get("result")
    if not record.get("listed"):
        raise Unreadable("the document is no page of this report: it has no buckets with results")
    start, end = times(record.get("start"), record.get("end"))
    if result is None:
        return None
    if not isinstance(result, dict):
        raise Unreadable("a result is not an object")
    part = record.get("part")
    return Line(number, start, end, part if isinstance(part, str) else "", result, grouped)


def _grain(width: timedelta) -> str:
    for longest, grain in _GRAINS:
        if width <= longest:
            return grain
    raise Unreadable("the bucket is longer than a month")


class _Sums:
    """The results of the bucket that is being read, by key."""

    def __init__(self) -> None:
        self._bucket: object = None
        self._known: dict[str, _Sum] = {}

    def with_earlier(self, fact: Fact, record: Mapping[str, Any]) -> Fact:
        """The fact, with what earlier results of the same pull and key count in this bucket."""
        alone = record.get("page") if record.get("bare") else None  # nothing says that a bucket alone goes on
        bucket = (record.get("pull"), alone, fact.occurred_at, fact.period_end)
        if bucket != self._bucket:
            self._bucket, self._known = bucket, {}
        known = self._known.setdefault(fact.record_key, _Sum())
        return known.add(fact, record.get("page"))


class _Sum:
    """What has been added up for one key: each content as often as the page has it that has it most often."""

    __slots__ = ("_contents", "_parts", "_total")

    def __init__(self) -> None:
        self._total: Fact | None = None
        self._parts = 0
        self._contents: dict[tuple[Any, ...], list[Any]] = {}

    def add(self, fact: Fact, page: object) -> Fact:
        content = tuple(getattr(fact, name) for name in _SUMMED)
        seen = self._contents.setdefault(content, [page, 0, 0])  # page, times on it, times counted
        if seen[0] != page:
            seen[0], seen[1] = page, 0
        seen[1] += 1
        if seen[1] > seen[2]:
            seen[2], self._parts = seen[1], self._parts + 1
            self._total = fact if self._total is None else _together(self._total, fact)
        assert self._total is not None  # noqa: S101 - the first content is always counted
        return _ranked(self._total._replace(line=fact.line), self._parts)


def _together(one: Fact, other: Fact) -> Fact:
    lifetimes = dict(one.cache_write_by_lifetime)
    for name, tokens in other.cache_write_by_lifetime.items():
        lifetimes[name] = lifetimes.get(name, 0) + tokens
    summed = {name: _plus(getattr(one, name), getattr(other, name)) for name in _SUMMED}
    rest = (summed["in_cache_write"] or 0) - sum(lifetimes.values())
    if lifetimes and rest:
        lifetimes[""] = lifetimes.get("", 0) + rest
    quality = tuple(sorted({*one.quality, *other.quality}))
    return one._replace(**summed, cache_write_by_lifetime=lifetimes, quality=quality)


def _plus(one: Any, other: Any) -> Any:
    """The sum of what is known; None where nothing is."""
    return other if one is None else one if other is None else one + other


def _ranked(fact: Fact, parts: int) -> Fact:
    """More parts first, then more tokens, requests and money: of two pulls in one import the later has grown."""
    tokens = sum(getattr(fact, name) or 0 for name in ("in_uncached", "in_cache_read", "in_cache_write", "out_total"))
    cost = int((fact.cost_reported or Decimal(0)) * _MICRO)
    return fact._replace(rank=(parts, tokens, fact.requests or 0, cost))
