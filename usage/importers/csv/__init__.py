"""A company's own CSV, or a vendor's export, read by a saved mapping of its columns.

    date,project,provider,model,input_tokens,cached_input_tokens,cache_write_tokens,output_tokens,requests,cost_usd
    2026-09-01,ranker,anthropic,claude-sonnet-4-5-20250929,10,5000,1000,100,1,0.00678

The first line is the header. Who a row is, where no column says it, is told in `outcomes`.

Of two rows with one key the one with more tokens, requests and cost wins, whatever order they come in: an
export of a day that is not over grows. To lower a figure, declare the window for which the file is complete.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from usage.importers import APPEND, REPLACE_WINDOW, Ignored, Outcome
from usage.importers.csv.lines import records
from usage.importers.csv.mapping import (
    DELIMITERS,
    Columns,
    MappingError,
    read_mapping,
    validate_mapping,
    window_of,
)
from usage.importers.csv.outcomes import outcomes
from usage.importers.csv.rows import RowReader
from usage.importers.csv.suggestions import suggest_mapping

__all__ = [
    "MAPPED",
    "MODE",
    "NAME",
    "SLUG",
    "MappingError",
    "first_values",
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
DETAIL = 3

MAX_HEADER_BYTES = 1_000_000
MAX_COLUMNS = 2_000
MAX_NAME = 200
"""Characters of a column's name. The page of columns repeats each name once for each thing it may mean."""


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
    has_ids = not whole_file(mapping)
    reader = RowReader(spec, header, has_ids=has_ids)
    for line in range(1, used + 1):
        yield Ignored(line, "header" if line == 1 else "continues the row above")
    yield from outcomes(
        numbered,
        lambda rows: records(rows, delimiter, len(header)),
        header,
        reader,
        has_ids=has_ids,
    )


def read_header(lines: Iterable[bytes], delimiter: str = "") -> list[str]:
    """The column names of a file, for `suggest_mapping` and `validate_mapping`; raises MappingError."""
    return _split_header(iter(enumerate(lines, 1)), delimiter, ())[0]


def first_values(lines: Iterable[bytes]) -> dict[str, str]:
    """The first value of each column, for a person who chooses among them."""
    numbered = iter(enumerate(lines, 1))
    header, delimiter, _ = _split_header(numbered, "", ())
    for record in records(numbered, delimiter, len(header)):
        if record.fields:
            return dict(zip(header, record.fields, strict=False))
    return {}


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
    if any(len(name) > MAX_NAME for name in names):
        raise MappingError(f"The first line is no header: a column's name is longer than {MAX_NAME} characters.")
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
