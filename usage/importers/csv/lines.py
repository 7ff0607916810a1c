"""Physical lines to records: a quoted field may hold line breaks, and each line has its own outcome."""

from __future__ import annotations

import csv
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# A quote that is never closed would swallow the rest of the file: past this much it is its own line's fault.
MAX_LINES = 1_000
MAX_BYTES = 1_000_000
csv.field_size_limit(MAX_BYTES)  # for the whole process; a log's prompt column is often longer than the default

UNCLOSED = "a quoted field is not closed"
NOT_UTF8 = "row is not UTF-8 text"
MALFORMED = "row is not well-formed CSV"


class Record(NamedTuple):
    """The fields of one row, or why it has none; it starts at `line` and is `lines` physical lines long, `size` bytes
    in all."""

    line: int
    lines: int
    size: int
    fields: list[str]
    fault: str = ""


def records(numbered: Iterable[tuple[int, bytes]], delimiter: str, width: int) -> Iterator[Record]:
    """Every row in order. `width` is the header's: where quotes do not add up to it, one line is lost."""
    source = iter(numbered)
    waiting: deque[tuple[int, bytes]] = deque()
    while True:
        start = waiting.popleft() if waiting else next(source, None)
        if start is None:
            return
        number, line = start
        if b'"' not in line and b"\0" not in line:  # nearly every line: no reader needed
            try:
                yield Record(number, 1, len(line), line.decode().rstrip("\r\n").split(delimiter))
            except UnicodeDecodeError:
                yield Record(number, 1, len(line), [], NOT_UTF8)
            continue
        alone = _record(number, [line], delimiter)
        if line.count(b'"') % 2 == 0 or (not alone.fault and len(alone.fields) == width):
            yield alone
            continue
        parts, size = [(number, line)], len(line)
        while len(parts) < MAX_LINES and size < MAX_BYTES:
            following = waiting.popleft() if waiting else next(source, None)
            if following is None:
                break
            parts.append(following)
            size += len(following[1])
            if following[1].count(b'"') % 2:
                break
        joined = _record(number, [part for _, part in parts], delimiter)
        if len(parts) > 1 and not joined.fault and len(joined.fields) == width:
            yield joined
            continue
        yield Record(number, 1, len(line), [], UNCLOSED)
        waiting.extendleft(reversed(parts[1:]))


def _record(number: int, parts: list[bytes], delimiter: str) -> Record:
    line = b"".join(parts)
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return Record(number, len(parts), len(line), [], NOT_UTF8)
    if "\0" in text:
        return Record(number, len(parts), len(line), [], "row holds a NUL character")
    try:
        rows = list(csv.reader([text.rstrip("\r\n")], delimiter=delimiter, strict=True))
    except csv.Error:
        return Record(number, len(parts), len(line), [], MALFORMED)
    return Record(number, len(parts), len(line), rows[0] if rows else [])


class Kept:
    """Lines to be read twice, compressed: about a tenth of their size in memory."""

    BLOCK = 1 << 20

    def __init__(self) -> None:
        self._blocks: list[tuple[int, bytes]] = []
        self._open: list[bytes] = []
        self._size = 0
        self._first: int | None = None

    def through(self, numbered: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """The same lines, remembered on their way."""
        for number, line in numbered:
            if self._first is None:
                self._first = number
            self._open.append(line if line.endswith(b"\n") else line + b"\n")
            self._size += len(line)
            if self._size >= self.BLOCK:
                self._close()
            yield number, line
        self._close()

    def again(self) -> Iterator[tuple[int, bytes]]:
        """The lines a second time."""
        for first, block in self._blocks:
            # At the line feed alone, as the file was: `splitlines` would also split at a carriage return.
            for offset, line in enumerate(zlib.decompress(block).split(b"\n")[:-1]):
                yield first + offset, line + b"\n"

    def _close(self) -> None:
        if self._open and self._first is not None:
            self._blocks.append((self._first, zlib.compress(b"".join(self._open), 1)))
            self._first, self._open, self._size = None, [], 0
