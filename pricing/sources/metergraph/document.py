"""The catalogue's YAML as plain values: amounts as they are written, and each entry with the comment above it.

A small part of YAML, read event by event: no tag, no constructor, no recursion, no binary float. The catalogue repeats
entries by anchor and merge key (`<<: *name`); only a flat mapping may be repeated, and only so, because an alias
anywhere else lets a few lines stand for more than any memory holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml

from pricing.sources import SourceError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEPTH = 12
_REPEATED_KEYS = 20
_COMMENT_LINES = 20
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,18}\.\d{1,18}", re.ASCII)


class Entry(dict[str, Any]):
    """A mapping, and the sentence written above it as a comment."""

    comment = ""


@dataclass
class _Open:
    """A mapping or list whose end has not come yet."""

    value: Entry | list[Any]
    anchor: str | None
    key: str | None = None
    merged: list[Entry] = field(default_factory=list)


def read(body: bytes) -> Any:
    """The one document of a body; `SourceError` where it is not YAML or more of YAML than the catalogue uses."""
    try:
        text = body.decode()
        return _Reader(text).value
    except (UnicodeDecodeError, yaml.YAMLError) as fault:
        raise SourceError(f"The body is not Metergraph's YAML: {' '.join(str(fault).split())}.") from fault


class _Reader:
    def __init__(self, text: str) -> None:
        self.value: Any = None
        self._lines = text.splitlines()
        self._open: list[_Open] = []
        self._anchored: dict[str, Entry] = {}
        documents = 0
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
            elif isinstance(event, yaml.NodeEvent):
                self._node(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
        if documents != 1:
            raise SourceError(f"The body holds {documents} YAML documents; Metergraph's catalogue is one.")

    def _node(self, event: yaml.NodeEvent) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._merge(event)
            return
        if getattr(event, "tag", None) is not None:
            raise SourceError(f"Line {_line(event)} has a YAML tag, which Metergraph's catalogue does not use.")
        if isinstance(event, yaml.ScalarEvent):
            if event.anchor is not None:
                raise SourceError(f"Line {_line(event)} repeats a single value by anchor, not an entry.")
            plain = event.implicit[0]
            self._scalar(event.value, plain=plain)
            return
        if len(self._open) >= _DEPTH:
            raise SourceError(f"Line {_line(event)} lies {_DEPTH} levels deep, deeper than Metergraph's catalogue.")
        value: Entry | list[Any] = []
        if isinstance(event, yaml.MappingStartEvent):
            value = Entry()
            value.comment = _comment_above(self._lines, _line(event) - 1)
        self._open.append(_Open(value, event.anchor))

    def _scalar(self, text: str, *, plain: bool) -> None:
        frame = self._open[-1] if self._open else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None:
            if text in frame.value:
                raise SourceError(f"The key {text!r} stands twice in one entry of Metergraph's catalogue.")
            frame.key = text
        else:
            self._add(_plain_value(text) if plain else text)

    def _add(self, value: Any) -> None:
        if not self._open:
            self.value = value
            return
        frame = self._open[-1]
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.key is None or frame.key == "<<":
            raise SourceError("An entry of Metergraph's catalogue has a key that is no name.")
        else:
            frame.value[frame.key] = value
            frame.key = None

    def _merge(self, event: yaml.AliasEvent) -> None:
        frame = self._open[-1] if self._open else None
        repeated = self._anchored.get(str(event.anchor))
        if frame is None or frame.key != "<<" or repeated is None:
            raise SourceError(f"Line {_line(event)} repeats something other than a flat entry by `<<`.")
        frame.merged.append(repeated)
        frame.key = None

    def _end(self) -> None:
        frame = self._open.pop()
        if isinstance(frame.value, dict):
            for repeated in frame.merged:
                for key, value in repeated.items():
                    frame.value.setdefault(key, value)
        if frame.anchor is not None:
            if not isinstance(frame.value, Entry) or not _is_flat(frame.value):
                raise SourceError(f"The anchor &{frame.anchor} marks more than a flat entry of {_REPEATED_KEYS} keys.")
            self._anchored[frame.anchor] = frame.value
        self._add(frame.value)


def _is_flat(entry: Entry) -> bool:
    inner = [value for value in entry.values() if isinstance(value, dict | list)]
    scalars = all(not isinstance(v, dict | list) for value in inner for v in _values(value))
    return len(entry) <= _REPEATED_KEYS and scalars and all(len(value) <= _REPEATED_KEYS for value in inner)


def _values(inner: dict[str, Any] | list[Any]) -> Sequence[Any]:
    return list(inner.values()) if isinstance(inner, dict) else inner


def _plain_value(text: str) -> Any:
    """What an unquoted word is. Every number keeps the digits it is written with."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _comment_above(lines: Sequence[str], index: int) -> str:
    """The comment that ends on the line before the one at `index`, as one sentence."""
    said: list[str] = []
    while index > 0 and len(said) < _COMMENT_LINES and (line := lines[index - 1].strip()).startswith("#"):
        said.insert(0, line.lstrip("# "))
        index -= 1
    return " ".join(said)
