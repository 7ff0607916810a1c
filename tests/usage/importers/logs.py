"""Reading logs in tests: what an importer of JSON records makes of records that are written out in the test."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import ModuleType
from typing import Any

from usage.importers import Fact, Ignored, Outcome, Rejected

CANARY = "canary-93b1-content"


def read(importer: ModuleType, body: bytes, mapping: dict[str, Any] | None = None) -> list[Outcome]:
    """The outcomes of a body, split into records as an import does."""
    lines = importer.split(io.BytesIO(body)) if hasattr(importer, "split") else body.splitlines(keepends=True)
    return list(importer.parse(lines, "body", mapping))


def one(importer: ModuleType, record: object, mapping: dict[str, Any] | None = None) -> Outcome:
    """The outcome of a single record."""
    [outcome] = read(importer, json.dumps(record).encode(), mapping)
    return outcome


def fact(importer: ModuleType, record: object, mapping: dict[str, Any] | None = None) -> Fact:
    found = one(importer, record, mapping)
    assert isinstance(found, Fact), found
    return found


def ignored(importer: ModuleType, record: object) -> str:
    found = one(importer, record)
    assert isinstance(found, Ignored), found
    return found.reason


def rejected(importer: ModuleType, record: object, mapping: dict[str, Any] | None = None) -> str:
    found = one(importer, record, mapping)
    assert isinstance(found, Rejected), found
    return found.reason


def merged(outcomes: list[Outcome]) -> dict[str, Fact]:
    """The greatest rank of each key: what the ledger keeps."""
    best: dict[str, Fact] = {}
    for outcome in outcomes:
        if isinstance(outcome, Fact):
            known = best.get(outcome.record_key)
            if known is None or outcome.rank > known.rank:
                best[outcome.record_key] = outcome
    return best


def counts(found: Fact) -> tuple[int | None, int | None, int | None, int | None, int | None]:
    """Uncached, cache read, cache written, output, of which reasoning."""
    return found.in_uncached, found.in_cache_read, found.in_cache_write, found.out_total, found.out_reasoning


def with_content(record: Any, places: tuple[str, ...]) -> Any:
    """The record with a canary at each place where the format holds content."""
    found = json.loads(json.dumps(record))
    for place in places:
        *path, last = place.split(".")
        inner = found
        for name in path:
            inner = inner.setdefault(name, {})
        inner[last] = {"role": "user", "content": CANARY, "nested": [CANARY]}
    return found


def no_content(importer: ModuleType, record: Any, places: tuple[str, ...], mapping: Any = None) -> bool:
    """Whether a canary at each of the places is in no line of the split and in no outcome, and changes nothing."""
    body = json.dumps(with_content(record, places)).encode()
    lines = list(importer.split(io.BytesIO(body)))
    outcomes = list(importer.parse(lines, "body", mapping))
    plain = read(importer, json.dumps(record).encode(), mapping)
    return CANARY not in repr(lines) + repr(outcomes) and outcomes == plain


def sample(folder: Path, name: str) -> bytes:
    return (folder / "usage" / name).read_bytes()
