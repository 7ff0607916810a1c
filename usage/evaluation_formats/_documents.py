"""The parts of a JSON document that are asked for, read in bounded memory: the rest is passed over as it comes.

A specification is ALL (the value as it is), a dict from names to specifications (of an object these members, of an
array the same of each element), `Each`, which hands every element of an array to a function and keeps none, or a pair
of what is wanted where an object stands and where an array does.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

import ijson
import orjson

from usage.evaluation_formats import Unreadable
from usage.importers._bounds import LONGEST_LINE, Bounded, Finite
from usage.importers._records import byte_lines

ALL: Final = "all"
_NO_JSON = (ijson.JSONError, UnicodeDecodeError, RecursionError, ArithmeticError, ValueError, StopIteration)
_BROKEN = (OSError, EOFError, zlib.error)
_BOM = b"\xef\xbb\xbf"

Event = tuple[str, str, Any]


@dataclass(frozen=True, slots=True)
class Each:
    """Of every element of an array what `wanted` says goes to `take`."""

    wanted: Any
    take: Callable[[Any], None]


def read(stream: IO[bytes], wanted: Any, name: str) -> Any:
    """What a document holds of what is wanted; NaN and infinities are None.

    `name` is the file's, for the sentence where it is no such document.
    """
    try:
        events = iter(ijson.parse(Finite(Bounded(stream)), use_float=True))
        _, event, value = next(events)
        return _picked(event, value, events, wanted)
    except Unreadable:
        raise
    except _NO_JSON as fault:
        said = str(fault) if type(fault) is ValueError else "it is cut off or no JSON"
        raise Unreadable(f"{name} cannot be read: {said}. Export it anew.") from None
    except _BROKEN:
        raise Unreadable(f"{name} cannot be read: the file is damaged. Export it anew.") from None


def _picked(event: str, value: Any, events: Iterator[Event], wanted: Any) -> Any:
    if not event.startswith("start"):
        return value if wanted is not None else None
    if isinstance(wanted, tuple):
        wanted = wanted[event == "start_array"]
    if wanted is None:
        _skip(events)
        return None
    if wanted is ALL:
        return _built(event, value, events)
    if event == "start_array":
        found = []
        for _, kind, element in events:
            if kind == "end_array":
                break
            one = _picked(kind, element, events, wanted.wanted if isinstance(wanted, Each) else wanted)
            if isinstance(wanted, Each):
                wanted.take(one)
            else:
                found.append(one)
        return found
    own: dict[str, Any] = {}
    inner = wanted if isinstance(wanted, dict) else {}
    for _, kind, key in events:
        if kind == "end_map":
            break
        _, begins, element = next(events)
        one = _picked(begins, element, events, inner.get(key))
        if key in inner:
            own[key] = one
    return own


def _skip(events: Iterator[Event]) -> None:
    depth = 1
    while depth:
        _, event, _ = next(events)
        depth += event.startswith("start") - event.startswith("end")


def _built(event: str, value: Any, events: Iterator[Event]) -> Any:
    builder = ijson.ObjectBuilder()
    builder.event(event, value)
    depth = 1
    while depth:
        _, event, value = next(events)
        builder.event(event, value)
        depth += event.startswith("start") - event.startswith("end")
    return builder.value


def lines(stream: IO[bytes], name: str) -> Iterator[dict[str, Any]]:
    """The objects of a file that holds one a line."""
    number = 0
    try:
        for raw in byte_lines(stream):
            number += 1
            line = raw.removeprefix(_BOM).strip()
            if not line:
                continue
            found = loaded(line)
            if not isinstance(found, dict):
                raise Unreadable(
                    f"Line {number} of {name} is no JSON object: it was cut off, or the file is another one."
                )
            yield found
    except _BROKEN:
        raise Unreadable(f"{name} cannot be read: the file is damaged. Export it anew.") from None
    except Unreadable:
        raise
    except ValueError:
        raise Unreadable(
            f"Line {number + 1} of {name} is longer than {LONGEST_LINE >> 20} MiB: it is no record."
        ) from None


def loaded(line: bytes) -> Any:
    """One JSON value, also with the NaN that Python writes; None for what is none."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def first_byte(stream: IO[bytes]) -> bytes:
    """The first byte that says something."""
    return stream.read(4096).removeprefix(_BOM).lstrip()[:1]
