"""Documents of any size and shape to records, and records to outcomes.

A log comes as one object a line, as an array, as the pages of an API or as a single object; `records` reads all four.
Pure: bytes and plain values in, plain values out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import IO, Any, cast

import ijson
import orjson

from usage.importers import Outcome, Rejected
from usage.importers._bounds import LONGEST_LINE, Bounded
from usage.importers._json import Unreadable, object_in, text
from usage.importers.csv.mapping import MappingError

HEAD = 1 << 20
_PIECE = 1 << 16
_COUNTED = re.compile("^(?!.*_type$).*(?:token|count|cost|spend|usage)", re.IGNORECASE)  # a number stands there
_BOM = b"\xef\xbb\xbf"

Json = dict[str, Any]


# Documents to records


def kept_lines(stream: IO[bytes], wrappers: tuple[str, ...], keep: Callable[[Json], Json]) -> Iterator[bytes]:
    """Each record of a stream as a line of JSON that holds only what `keep` leaves of it; empty for a damaged line."""
    for record in records(stream, wrappers):
        yield compact(keep(record)) if isinstance(record, dict) else b"" if record is None else b"null"


def records(stream: IO[bytes], wrappers: tuple[str, ...] = ()) -> Iterator[Any]:
    """The records of a stream in order; None for a line of a log that is no JSON.

    `wrappers` are the keys of an API's page that hold its records. Memory holds a megabyte and one record.
    """
    head = _head(stream)
    if len(head) < HEAD and (whole := _loaded(head)) is not None:
        yield from _unwrapped(whole, wrappers)
    elif _is_lines(head):
        for line in byte_lines(stream, head):
            if text := line.strip():
                value = _loaded(text)
                yield from [None] if value is None else _unwrapped(value, wrappers)
    else:
        yield from _by_document(cast(IO[bytes], _Joined(head, stream)), wrappers)


def byte_lines(stream: IO[bytes], head: bytes = b"") -> Iterator[bytes]:
    """The lines of a stream that may be read only in pieces; ValueError for one that does not end."""
    rest = head
    while True:
        *whole, rest = rest.split(b"\n")
        yield from (line + b"\n" for line in whole)
        if len(rest) > LONGEST_LINE:
            raise ValueError(f"a line is longer than {LONGEST_LINE >> 20} MiB")
        piece = stream.read(_PIECE)
        if not piece:
            break
        rest += piece
    if rest:
        yield rest


def compact(record: object) -> bytes:
    """One line of JSON; what cannot be written as such is left for the parser to refuse."""
    try:
        return orjson.dumps(record)
    except TypeError:  # a number beyond 64 bits, or text that is no UTF-8
        return json.dumps(record, default=str).encode()


def _head(stream: IO[bytes]) -> bytes:
    head = b""
    while len(head) < HEAD and (piece := stream.read(_PIECE)):
        head += piece
    return head.removeprefix(_BOM).lstrip()


def _loaded(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _is_lines(head: bytes) -> bool:
    """Whether the document is one object a line, also where the first line is damaged."""
    first, newline, rest = head.partition(b"\n")
    if not newline:
        return False
    if _loaded(first) is not None:
        return True
    return first.startswith(b'{"') and rest.lstrip().startswith(b'{"')


def _unwrapped(value: Any, wrappers: tuple[str, ...]) -> Iterator[Any]:
    if isinstance(value, list):
        yield from value
        return
    if isinstance(value, dict):
        for name in wrappers:
            inner = value.get(name)
            if isinstance(inner, list):
                yield from inner
                return
            if isinstance(inner, dict):
                yield inner
                return
    yield value


Event = tuple[str, str, Any]


def _by_document(stream: IO[bytes], wrappers: tuple[str, ...]) -> Iterator[Any]:
    events = iter(ijson.parse(Bounded(stream), multiple_values=True, use_float=True))
    for _, event, value in events:
        if event == "start_array":
            yield from _items(events)
        elif event == "start_map":
            yield from _members(events, wrappers)
        else:
            yield value


def _items(events: Iterator[Event]) -> Iterator[Any]:
    """The items of the array that has just begun."""
    for _, event, value in events:
        if event == "end_array":
            return
        yield _built(event, value, events)


def _members(events: Iterator[Event], wrappers: tuple[str, ...]) -> Iterator[Any]:
    """The records that the object which has just begun wraps, or the object itself."""
    own: Json | None = {}
    for _, event, key in events:
        if event == "end_map":
            break
        _, kind, value = next(events)
        if key in wrappers and kind == "start_array":
            own = None
            yield from _items(events)
        elif key in wrappers and kind == "start_map":
            own = None
            yield _built(kind, value, events)
        else:
            built = _built(kind, value, events)
            if own is not None:
                own[key] = built
    if own is not None:
        yield own


def _built(event: str, value: Any, events: Iterator[Event]) -> Any:
    """The value that begins with an event."""
    if not event.startswith("start"):
        return value
    builder = ijson.ObjectBuilder()
    builder.event(event, value)
    depth = 1
    while depth:
        _, event, value = next(events)
        builder.event(event, value)
        depth += event.startswith("start") - event.startswith("end")
    return builder.value


class _Joined:
    """What was read ahead, then the rest."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int = -1) -> bytes:
        size = _PIECE if size < 0 else size
        if self._head:
            piece, self._head = self._head[:size], self._head[size:]
            return piece
        return self._rest.read(size)


# Records to outcomes


def outcomes(
    lines: Iterable[bytes], read: Callable[[int, Json], Outcome], names: Iterable[str] = ()
) -> Iterator[Outcome]:
    """What `read` says of each line's object; a rejected one keeps the ids, times and counts called `names`."""
    wanted = tuple(names)
    for number, line in enumerate(lines, 1):
        record: Json = {}
        try:
            record = object_in(line.removeprefix(_BOM))
            yield read(number, record)
        except Unreadable as fault:
            yield Rejected(number, str(fault), shown(record, wanted))


def of_this_kind(lines: Iterable[bytes], wrong: Callable[[Json], str]) -> Iterator[bytes]:
    """The lines; MappingError where the first is of another kind, for which `wrong` has a sentence."""
    rest = iter(lines)
    first = list(islice(rest, 1))
    for line in first:
        with suppress(Unreadable):
            if reason := wrong(object_in(line)):
                raise MappingError(f"{reason[0].upper()}{reason[1:]}.")
    return chain(first, rest)


def shown(record: Json, names: Iterable[str]) -> str:
    """What of a rejected record may be kept: the names, ids, times and counts that are asked for, never content."""
    found = {name: _shown(name, value) for name in names if (value := at(record, *name.split("."))) not in (None, "")}
    return orjson.dumps(found).decode()[:500] if found else ""


def _shown(name: str, value: object) -> object:
    if isinstance(value, bool | int | float):
        return value if abs(value) < 10**18 else "a very large number"
    if isinstance(value, str) and (not _COUNTED.search(name) or value.replace(".", "", 1).isdecimal()):
        return text(value)[:60]  # other text where a number belongs may be anything
    return f"a {type(value).__name__}"


def at(record: object, *path: str) -> Any:
    """The value at a path of keys; None where there is none."""
    for name in path:
        if not isinstance(record, dict):
            return None
        record = record.get(name)
    return record
