"""Files as chunks of lines: bounded memory whatever the file, and a place to go on from after a crash.

A place is (file, offset, line): the next byte of the *uncompressed* file and how many of its lines came before.
"""

from __future__ import annotations

import gzip
import io
import zlib
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import ijson

from usage.importers import Importer, Outcome, Rejected
from usage.importers._bounds import LONGEST_LINE

LINES, BYTES = 20_000, 64 << 20
SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt")
_PIECE = 1 << 16
TOO_LONG = f"the line is longer than {LONGEST_LINE >> 20} MiB"


class Refused(ValueError):
    """Why nothing can be imported at all: one sentence for whoever asked."""


@dataclass(frozen=True, slots=True)
class Place:
    file: int = 0
    offset: int = 0
    line: int = 0

    def as_json(self) -> dict[str, int]:
        return {"file": self.file, "offset": self.offset, "line": self.line}


_NO_JSON = (ijson.JSONError, UnicodeDecodeError, RecursionError, ArithmeticError)
UNREADABLE = (*_NO_JSON, OSError, EOFError, zlib.error, ValueError)
"""What an importer's `split` may raise: the document ends there, and what stood before is kept."""


Located = tuple[str, int, Outcome]
"""An outcome with the file it stands in and its line there, first."""


class Reader:
    """Reads the files of a batch from a place on, one parse a file. `limit` caps what a file may unpack to.

    An importer whose lines stand alone has a resumed file entered at its offset; for any other it is read again from
    its start, and what was already answered is passed over.
    """

    def __init__(
        self,
        files: list[dict[str, str]],
        importer: Importer,
        mapping: dict[str, Any] | None,
        place: Place,
        limit: int = 1 << 62,
    ) -> None:
        self.place = place
        self._files, self._importer, self._mapping, self._limit = files, importer, mapping, limit
        self._source: _Source | None = None
        self._outcomes: Iterator[Outcome] = iter(())

    @property
    def finished(self) -> bool:
        return self.place.file >= len(self._files)

    def close(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None

    def chunk(self, lines: int = LINES, size: int = BYTES) -> Iterator[Located]:
        """The outcomes of the next lines, across as many files as it takes; then `place` is behind the last one."""
        while not self.finished and lines > 0 and size > 0:
            source, origin, last = self._open(), self._files[self.place.file]["origin"], self.place.line
            begun = source.offset
            for outcome in self._outcomes:
                line = source.absolute(outcome.line)
                if line <= last:
                    continue
                if source.too_long:
                    for long_line in source.too_long_until(line):
                        if long_line > last:
                            yield origin, long_line, Rejected(long_line, TOO_LONG)
                            lines -= 1
                last = line
                yield origin, line, outcome
                lines -= 1
                if lines <= 0 or source.offset - begun >= size:
                    self.place = Place(self.place.file, source.offset_after(line), line)
                    return
            self.place = Place(self.place.file, 0, last)
            size -= source.offset - begun
            yield from self._end(source, origin)

    def _end(self, source: _Source, origin: str) -> Iterator[Located]:
        """What the importer left unsaid: lines that were too long, that it dropped, that could not be unpacked."""
        for _ in source.lines():
            pass
        long_lines = set(source.too_long_until(source.line))
        for line in range(self.place.line + 1, source.line + (not source.broken)):
            reason = TOO_LONG if line in long_lines else "the importer said nothing of this line"
            yield origin, line, Rejected(line, reason)
        if source.broken:
            yield origin, source.line, Rejected(source.line, source.broken)
        self.close()
        self.place = Place(self.place.file + 1)

    def _open(self) -> _Source:
        if self._source is None:
            path = Path(self._files[self.place.file]["path"])
            try:
                stream = opened(path)
            except OSError as error:
                raise Refused(f"{path.name} cannot be read: {error.strerror}.") from None
            origin = self._files[self.place.file]["origin"]
            split = getattr(self._importer, "split", None)
            if split is not None:
                self._source = _Documents(stream, origin, Place(self.place.file), self._limit, split)
            else:
                alone = self._lines_stand_alone()
                start = self.place if alone else Place(self.place.file)
                self._source = _Source(stream, origin, start, self._limit, seekable=alone)
            self._outcomes = iter(self._importer.parse(self._source.lines(), origin, self._mapping))
        return self._source

    def _lines_stand_alone(self) -> bool:
        """Whether each line reads the same wherever reading began."""
        whole_file = getattr(self._importer, "whole_file", None)
        return not (self._importer.MAPPED or (whole_file is not None and whole_file(self._mapping)))


class _Source:
    """The lines of one stream from a place on, none longer than allowed, and where each of them ended."""

    def __init__(self, stream: IO[bytes], name: str, place: Place, limit: int, *, seekable: bool) -> None:
        self.line = place.line
        self.broken = ""
        self._stream, self._name, self._limit, self._keep_offsets = stream, name, limit, seekable
        self.offset = place.offset
        self._first = place.line
        self._ends: deque[tuple[int, int]] = deque()
        self._skipped_before: list[int] = []  # how many lines had been handed out when one was left out
        self.too_long: deque[int] = deque()
        self._handed = 0
        self._ended = False
        if place.offset:
            stream.seek(place.offset)

    def close(self) -> None:
        self._stream.close()

    def absolute(self, number: int) -> int:
        """The line of the file that was handed out as the `number`-th."""
        skipped = bisect_left(self._skipped_before, number) if self._skipped_before else 0
        return self._first + number + skipped

    def too_long_until(self, line: int) -> Iterator[int]:
        while self.too_long and self.too_long[0] <= line:
            yield self.too_long.popleft()

    def offset_after(self, line: int) -> int:
        """Where the file goes on after a line; 0 where that is not kept."""
        offset = 0
        while self._ends and self._ends[0][0] <= line:
            _, offset = self._ends.popleft()
        return offset

    def lines(self) -> Iterator[bytes]:
        while not self._ended:
            try:
                line = self._stream.readline(LONGEST_LINE)
                self.offset += len(line)
                whole = len(line) < LONGEST_LINE or line.endswith(b"\n")
                if not whole:
                    self._skip_rest()
            except (OSError, EOFError, zlib.error):
                self.broken, self._ended = "the compressed file is damaged from here on", True
                self.line += 1
                return
            if not line:
                self._ended = True
                return
            if self.offset > self._limit:
                raise Refused(
                    f"The compressed file {self._name} unpacks to more than {self._limit >> 20} MiB: split it."
                )
            self.line += 1
            if not whole:
                self.too_long.append(self.line)
                self._skipped_before.append(self._handed)
                continue
            if self._keep_offsets:
                self._ends.append((self.line, self.offset))
            self._handed += 1
            yield line

    def _skip_rest(self) -> None:
        while rest := self._stream.readline(1 << 20):
            self.offset += len(rest)
            if rest.endswith(b"\n"):
                return


class _Documents(_Source):
    """The records that an importer splits a stream of JSON documents into, as its lines."""

    def __init__(
        self, stream: IO[bytes], name: str, place: Place, limit: int, split: Callable[[IO[bytes]], Iterator[bytes]]
    ) -> None:
        super().__init__(stream, name, place, limit, seekable=False)
        self._records = split(cast(IO[bytes], self))
        self._since_record = 0

    def lines(self) -> Iterator[bytes]:
        while not self._ended:
            self._since_record = 0
            try:
                record = next(self._records, None)
            except Refused:
                raise
            except _TooLong:
                self.broken, self._ended = f"a record is longer than {LONGEST_LINE >> 20} MiB", True
            except (OSError, EOFError, zlib.error):
                self.broken, self._ended = "the compressed file is damaged from here on", True
            except _NO_JSON:
                self.broken, self._ended = "the document is no JSON from here on", True  # its own words hold content
            except ValueError as fault:
                self.broken, self._ended = str(fault)[:200], True
            else:
                if record is None:
                    self._ended = True
                    return
                self.line += 1
                self._handed += 1
                yield record
                continue
            self.line += 1

    def read(self, size: int = -1) -> bytes:
        """What the importer's `split` reads from: never more than a bounded record without yielding one."""
        piece = self._stream.read(_PIECE if size < 0 else min(size, _PIECE))
        self.offset += len(piece)
        self._since_record += len(piece)
        if self.offset > self._limit:
            raise Refused(f"The compressed file {self._name} unpacks to more than {self._limit >> 20} MiB: split it.")
        if self._since_record > LONGEST_LINE:
            raise _TooLong
        return piece


class _TooLong(Exception):
    """A record goes on and on."""


class _Unpacked(gzip.GzipFile):
    """gzip closes a file it opened itself and no other."""

    def __init__(self, packed: IO[bytes]) -> None:
        super().__init__(fileobj=packed)
        self._packed = packed

    def close(self) -> None:
        super().close()
        self._packed.close()


def opened(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked if it is gzip whatever its name is."""
    stream = io.BufferedReader(path.open("rb", buffering=0), 1 << 20)
    if stream.peek(2)[:2] == b"\x1f\x8b":
        return io.BufferedReader(_Unpacked(stream), 1 << 16)
    return stream


def files_below(paths: list[Path]) -> list[dict[str, str]]:
    """Every file of the paths: a file is itself, a folder its usage files in order; links are not followed."""
    found: list[dict[str, str]] = []
    for path in paths:
        if path.is_dir():
            found += [
                {"path": str(file.absolute()), "origin": str(file.relative_to(path))}
                for file in sorted(path.rglob("*"))
                if file.is_file() and not file.is_symlink() and _is_usage(file)
            ]
        elif path.is_file():
            found.append({"path": str(path.absolute()), "origin": path.name})
        else:
            raise Refused(f"{path} does not exist.")
    if not found:
        raise Refused("There is no file to import: name a file, or a folder that holds " + ", ".join(SUFFIXES) + ".")
    return found


def _is_usage(file: Path) -> bool:
    suffixes = file.suffixes[-2:]
    return bool(suffixes) and (suffixes[-1] in SUFFIXES or (suffixes[-1] == ".gz" and suffixes[0] in SUFFIXES))
