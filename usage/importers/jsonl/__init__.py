"""A company's own log, one JSON object a line, read by the same saved mapping as a CSV: keys are its columns.

    {"ts":"2026-09-01T10:00:00Z","id":"req-1","project":"ranker","model":"gpt-4o",
     "usage":{"prompt_tokens":1000,"completion_tokens":200,"prompt_tokens_details":{"cached_tokens":600}}}

    {"columns": {"time": "ts", "id": "id", "project": "project", "model": "model", "input": "usage.prompt_tokens",
                 "cache_read": "usage.prompt_tokens_details.cached_tokens", "output": "usage.completion_tokens"},
     "grain": "request", "cache": "inclusive"}

A nested key is written with dots. A key that a line does not have is an empty cell: unknown, or zero where the mapping
says so. Nothing of a line is read but the keys that the mapping names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from usage.importers import APPEND, Outcome
from usage.importers.csv import mode_of, suggestions, validate_mapping, whole_file, window_of
from usage.importers.csv.mapping import Columns, MappingError, read_mapping
from usage.importers.csv.outcomes import outcomes
from usage.importers.csv.rows import RowReader
from usage.importers.jsonl.cells import Cells, keys_of

__all__ = [
    "MAPPED",
    "MODE",
    "NAME",
    "SLUG",
    "first_values",
    "mode_of",
    "parse",
    "read_header",
    "suggest_mapping",
    "validate_mapping",
    "whole_file",
    "window_of",
]

SLUG = "jsonl"
NAME = "JSON lines"
MODE = APPEND
MAPPED = True
DETAIL = 3

LOOKED_AT = 100
EXPECTED = ("time", "model", "id", "input", "output", "cost")
"""What a line of usage has; any other key may be in some lines only."""


def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
    """One outcome a line; raises MappingError before the first where no line could be read."""
    spec = read_mapping(mapping)
    names = sorted({*spec.columns.values(), *(tag.strip() for tag in spec.tags.values()), *spec.key})
    every = iter(lines)
    first = list(islice(every, LOOKED_AT))
    _check_keys(spec, first)
    cells = Cells(names, spec.decimal)
    numbered = enumerate(chain(first, every), 1)
    has_ids = not whole_file(mapping)
    yield from outcomes(numbered, cells.records, names, RowReader(spec, names, has_ids=has_ids), has_ids=has_ids)


def _check_keys(spec: Columns, first: list[bytes]) -> None:
    """Refuse a mapping whose main keys are in none of the first lines: a misspelt one would read as unknown."""
    found = keys_of(first)
    if not any(line.strip() for line in first):
        raise MappingError("The file is empty.")
    if not found:
        raise MappingError(f"None of the first {len(first)} lines is a JSON object: this is no file of JSON lines.")
    wanted = {name: spec.columns[name] for name in EXPECTED if name in spec.columns}
    wanted |= {f"key {name}": name for name in spec.key}
    if missing := [
        f"None of the first {len(first)} lines has a key “{key[:60]}”, which the mapping reads as {name}."
        for name, key in wanted.items()
        if key not in found
    ]:
        raise MappingError(" ".join(missing))


def read_header(lines: Iterable[bytes], delimiter: str = "") -> list[str]:
    """The keys of the first lines, nested ones with dots, in the order they are met; raises MappingError."""
    found = list(keys_of(list(islice(lines, LOOKED_AT))))
    if not found:
        raise MappingError("This is no file of JSON lines: none of its first lines is a JSON object.")
    return found


def first_values(lines: Iterable[bytes]) -> dict[str, str]:
    """The first value of each key, for a person who chooses among them."""
    return keys_of(list(islice(lines, LOOKED_AT)))


def suggest_mapping(header: Sequence[str]) -> dict[str, Any]:
    """A mapping to start from: keys whose last part is a known name, the least nested of equals."""
    by_name: dict[str, str] = {}
    for key in sorted(header, key=lambda key: key.count(".")):
        by_name.setdefault(key.rsplit(".", 1)[-1], key)
    spec = suggestions.suggest_mapping(list(by_name))
    return {**spec, "columns": {field: by_name[name] for field, name in spec["columns"].items()}}
