"""Lines to rows that can be copied: checked, merged, counted. Touches files and no database, so it can run ahead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from usage.importers import Dimension, Fact, Ignored, Rejected
from usage.ingest import rows
from usage.ingest.merging import Candidate, merged, month_number, probed_months
from usage.ingest.reading import LINES, Place, Reader

KEPT_REJECTIONS = 1_000
"""Rejected lines a chunk keeps in full; the rest are only counted."""


@dataclass(slots=True)
class Prepared:
    """One chunk, ready to be written: its records, the places they belong to, and what became of every line.

    Of the records only what writing needs is kept: a chunk waits while the one before it is written.
    """

    start: Place
    end: Place
    finished: bool
    lines: int = 0
    records: int = 0
    copied: bytes = b""
    """The records in the text of COPY: place, content hash, and the columns of `rows.COLUMNS`."""
    first: datetime = rows.EARLIEST
    last: datetime = rows.EARLIEST
    months: list[int] = field(default_factory=list)
    """Of the records, by number, and those in which the ledger may already hold one of them."""
    probed: list[int] = field(default_factory=list)
    merged_away: int = 0
    places: list[tuple[str, date]] = field(default_factory=list)
    dimensions: dict[str, Dimension] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    rejected_rows: list[tuple[str, int, str, str]] = field(default_factory=list)

    def keep(self, records: Sequence[Candidate]) -> None:
        """Take the records of the chunk."""
        if not records:
            return
        self.records = len(records)
        times = [record.occurred_at for record in records]
        self.first, self.last = min(times), max(times)
        self.months = sorted({record.month for record in records})
        self.probed = probed_months({day for _, day in self.places})
        lines = "".join([f"{record.place}\t{record.content_hash}\t{record.text}\n" for record in records])
        self.copied = lines.encode(errors="replace")


def prepare(reader: Reader, latest: datetime, lines: int = LINES) -> Prepared:
    """The next chunk of a reader. Facts later than `latest` are refused."""
    chunk = Prepared(reader.place, reader.place, finished=False)
    places = _Places(chunk)
    candidates: list[Candidate] = []
    add = candidates.append
    for origin, line, outcome in reader.chunk(lines):
        chunk.lines += 1
        if outcome.__class__ is Fact:
            reason = rows.fault(outcome, latest)
            if not reason:
                add(places.candidate(outcome))
                continue
            _reject(chunk, origin, line, reason, "")
        elif isinstance(outcome, Rejected):
            _reject(chunk, origin, line, outcome.reason, outcome.raw)
        elif isinstance(outcome, Ignored):
            chunk.ignored[outcome.reason[:200]] += 1
    chunk.keep(merged(candidates))
    chunk.merged_away = len(candidates) - chunk.records
    chunk.end, chunk.finished = reader.place, reader.finished
    return chunk


def _reject(chunk: Prepared, origin: str, line: int, reason: str, raw: str) -> None:
    reason = rows.storable(reason, 200)
    chunk.rejected[reason] += 1
    if len(chunk.rejected_rows) < KEPT_REJECTIONS:
        chunk.rejected_rows.append((rows.storable(origin, 1000), line, reason, rows.storable(raw, 2048)))


class _Places:
    """Numbers the distinct (dimension, UTC day) of a chunk."""

    def __init__(self, chunk: Prepared) -> None:
        self._chunk = chunk
        self._numbers: dict[tuple[str, int], tuple[int, int]] = {}  # with the month
        # Importers hand out the same object again and again: its address is a faster key than its eleven fields.
        self._by_address: dict[int, tuple[Any, str]] = {}
        self._by_value: dict[Dimension, str] = {}

    def candidate(self, fact: Fact) -> Candidate:
        when = fact.occurred_at
        if when.tzinfo is not UTC:
            when = when.astimezone(UTC)
        known = self._by_address.get(id(fact.dimension))
        digest = known[1] if known else self._digest(fact.dimension)
        key = rows.key_of(fact)
        text, content_hash = rows.content_of(key, when, fact, digest)
        slot = (digest, when.toordinal())
        known_place = self._numbers.get(slot)
        if known_place is None:
            known_place = self._numbers[slot] = (len(self._chunk.places), month_number(when))
            self._chunk.places.append((digest, when.date()))
        place, month = known_place
        return Candidate(key, month, when, fact.rank, content_hash, text, place)

    def _digest(self, dimension: Dimension) -> str:
        digest = self._by_value.get(dimension)
        if digest is None:
            stored = rows.stored_dimension(dimension)
            digest = self._by_value[dimension] = rows.dimension_hash(stored)
            self._chunk.dimensions[digest] = stored
        self._by_address[id(dimension)] = (dimension, digest)
        return digest
