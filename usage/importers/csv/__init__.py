"""A company's own CSV, or a vendor's export, read by a saved mapping of its columns.

    date,project,provider,model,input_tokens,cached_input_tokens,cache_write_tokens,output_tokens,requests,cost_usd
    2026-09-01,ranker,anthropic,claude-sonnet-4-5-20250929,10,5000,1000,100,1,0.00678

The first line is the header. Without an id column a row's key is a digest of its bucket and its dimensions;
rows of one file that are equal in all of them are told apart by an ordinal, counted in the order of their
contents, so that neither the file's order nor importing it again matters. For that the file is read twice,
from a compressed copy in memory: about 150 bytes a row.

Of two rows with one key the one with more tokens, requests and cost wins, whatever order they come in: an
export of a day that is not over grows. To lower a figure, declare the window for which the file is complete.
"""

from __future__ import annotations

import csv
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from usage.importers import APPEND, REPLACE_WINDOW, REPORTED, Fact, Ignored, Outcome, Rejected
from usage.importers.csv.lines import Kept, Record, records
from usage.importers.csv.mapping import (
    DELIMITERS,
    Columns,
    MappingError,
    read_mapping,
    validate_mapping,
    window_of,
)
from usage.importers.csv.rows import RowReader, Unreadable, contents_of
from usage.importers.csv.suggestions import suggest_mapping

__all__ = [
    "MAPPED",
    "MODE",
    "NAME",
    "SLUG",
    "MappingError",
    "mode_of",
    "parse",
    "read_header",
    "suggest_mapping",
    "validate_mapping",
    "whole_file",
    "window_of",
]

SLUG = "csv"
NAME = "CSV file"
MODE = APPEND
MAPPED = True
FEED = REPORTED
DETAIL = 3

MAX_HEADER_BYTES = 1_000_000
MAX_COLUMNS = 2_000


def mode_of(spec: Mapping[str, Any] | None) -> str:
    """REPLACE_WINDOW where the mapping declares a window for which the file is complete, else APPEND."""
    return REPLACE_WINDOW if window_of(spec) else APPEND


def whole_file(spec: Mapping[str, Any] | None) -> bool:
    """Whether `parse` must see all lines of a file at once: without ids, rows are told apart among all of them."""
    return not (spec and ("id" in spec.get("columns", {}) or spec.get("key")))


def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
    """One outcome a physical line; raises MappingError before the first where no row could be read."""
    spec = read_mapping(mapping)
    numbered = iter(enumerate(lines, 1))
    header, delimiter, used = _header(numbered, spec)
    if faults := validate_mapping(mapping, header):
        raise MappingError(" ".join(faults))
    reader = RowReader(spec, header)
    for line in range(1, used + 1):
        yield Ignored(line, "header" if line == 1 else "continues the row above")
    if "id" in spec.columns or spec.key:
        for record in records(numbered, delimiter, len(header)):
            yield from _outcomes(record, header, reader, None)
        return
    kept = Kept()
    keys = (_key(record, header, reader) for record in records(kept.through(numbered), delimiter, len(header)))
    shared = _shared(keys)
    ordinals = _Ordinals()
    if shared:
        for record in records(kept.again(), delimiter, len(header)):
            outcome = _outcome(record, header, reader)
            if isinstance(outcome, Fact) and outcome.record_key in shared:
                ordinals.add(outcome)
    for record in records(kept.again(), delimiter, len(header)):
        yield from _outcomes(record, header, reader, ordinals)


def read_header(lines: Iterable[bytes], delimiter: str = "") -> list[str]:
    """The column names of a file, for `suggest_mapping` and `validate_mapping`; raises MappingError."""
    return _split_header(iter(enumerate(lines, 1)), delimiter, ())[0]


def _header(numbered: Iterator[tuple[int, bytes]], spec: Columns) -> tuple[list[str], str, int]:
    wanted = (*spec.columns.values(), *spec.tags.values(), *spec.key)
    return _split_header(numbered, spec.delimiter, wanted)


def _split_header(
    numbered: Iterator[tuple[int, bytes]], delimiter: str, wanted: tuple[str, ...]
) -> tuple[list[str], str, int]:
    """The header's names, the delimiter and how many physical lines it took."""
    first = next(numbered, None)
    if first is None:
        raise MappingError("The file is empty.")
    head = first[1]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise MappingError("The file is UTF-16: save it as “CSV UTF-8” and try again.")
    used = 1
    while head.count(b'"') % 2 and len(head) < MAX_HEADER_BYTES and used < 100:
        following = next(numbered, None)
        if following is None:
            break
        head += following[1]
        used += 1
    if b"\0" in head or len(head) > MAX_HEADER_BYTES:
        raise MappingError("This is not a CSV text file.")
    try:
        text = head.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise MappingError("This is not a CSV text file in UTF-8: save it as “CSV UTF-8” and try again.") from None
    if "\r" in text.replace("\r\n", "\n"):
        raise MappingError("The file's lines end in carriage returns alone: save it with ordinary line ends.")
    names, delimiter = _best_split(text, delimiter, wanted)
    if not text.strip() or not any(names):
        raise MappingError("The first line of the file is blank: it must name the columns.")
    if len(names) > MAX_COLUMNS:
        raise MappingError(f"The file has more than {MAX_COLUMNS} columns.")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise MappingError(f"The file has two columns named “{twice[0][:60]}”: rename one of them.")
    return names, delimiter, used


def _best_split(text: str, declared: str, wanted: tuple[str, ...]) -> tuple[list[str], str]:
    """The declared delimiter, else the one that finds most of the mapped columns, else most columns."""
    found: list[tuple[int, int, int, list[str], str]] = []
    for preference, delimiter in enumerate([declared] if declared else DELIMITERS):
        try:
            names = [name.strip() for name in next(csv.reader([text], delimiter=delimiter), [])]
        except csv.Error:
            continue
        found.append((sum(name in names for name in wanted), len(names), -preference, names, delimiter))
    if not found:
        raise MappingError("This is not a CSV text file.")
    *_, names, delimiter = max(found, key=lambda split: split[:3])
    return names, delimiter


def _outcomes(record: Record, header: list[str], reader: RowReader, ordinals: _Ordinals | None) -> Iterator[Outcome]:
    outcome = _outcome(record, header, reader)
    if ordinals is not None and isinstance(outcome, Fact):
        outcome = ordinals.told_apart(outcome)
    yield outcome
    if record.lines > 1:
        for line in range(record.line + 1, record.line + record.lines):
            yield Ignored(line, "continues the row above")


def _outcome(record: Record, header: list[str], reader: RowReader) -> Outcome:
    if record.fault:
        return Rejected(record.line, record.fault)
    if reason := _no_row(record.fields, header):
        return Ignored(record.line, reason)
    try:
        return reader.read(record.line, record.fields)
    except Unreadable as fault:
        return Rejected(record.line, str(fault), reader.structure(record.fields))


def _no_row(fields: list[str], header: list[str]) -> str:
    """Why a record is none; exports that were joined repeat their header."""
    if not fields or (not fields[0].strip() and not "".join(fields).strip()):
        return "blank line"
    if fields[0].strip() == header[0] and [name.strip() for name in fields] == header:
        return "header"
    return ""


def _key(record: Record, header: list[str], reader: RowReader) -> str:
    """The row's key, '' where it has none."""
    if record.fault or _no_row(record.fields, header):
        return ""
    try:
        return reader.key(record.fields)
    except Unreadable:
        return ""


def _shared(keys: Iterable[str]) -> set[str]:
    """Keys that more than one row has."""
    seen: set[int] = set()
    shared: set[str] = set()
    for key in keys:
        short = hash(key)
        if short in seen and key:
            shared.add(key)
        seen.add(short)
    return shared


class _Ordinals:
    """Tells rows of equal dimensions apart by their place among their contents, sorted."""

    def __init__(self) -> None:
        self._contents: dict[str, list[bytes]] = {}
        self._given: dict[tuple[str, bytes], int] = {}
        self._sorted = False

    def add(self, fact: Fact) -> None:
        self._contents.setdefault(fact.record_key, []).append(contents_of(fact))

    def told_apart(self, fact: Fact) -> Fact:
        """The fact with its ordinal; the first keeps the bare key."""
        contents = self._contents.get(fact.record_key)
        if contents is None:
            return fact
        if not self._sorted:
            for equals in self._contents.values():
                equals.sort()
            self._sorted = True
        own = contents_of(fact)
        # Rows that are equal in everything are interchangeable: they take their places as they come.
        nth = self._given.get((fact.record_key, own), 0)
        self._given[fact.record_key, own] = nth + 1
        ordinal = bisect_left(contents, own) + nth
        return replace(fact, record_key=f"{fact.record_key}-{ordinal}") if ordinal else fact
