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
_BLOCK = 1_000
"""Facts that are taken apart at once: few enough for a processor's cache."""


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


def prepare(reader: Reader, latest: datetime, lines: int = LINES) -> Prepared:
    """The next chunk of a reader. Facts later than `latest` are refused."""
    chunk = Prepared(reader.place, reader.place, finished=False)
    records = _Records(chunk)
    block: list[tuple[str, int, Fact]] = []
    for origin, line, outcome in reader.chunk(lines):
        chunk.lines += 1
        if outcome.__class__ is Fact:
            block.append((origin, line, outcome))
            if len(block) == _BLOCK:
                records.add(block, latest)
                block.clear()
        elif isinstance(outcome, Rejected):
            _reject(chunk, origin, line, outcome.reason, outcome.raw)
        elif isinstance(outcome, Ignored):
            chunk.ignored[outcome.reason[:200]] += 1
    records.add(block, latest)
    records.keep()
    chunk.end, chunk.finished = reader.place, reader.finished
    return chunk


def _reject(chunk: Prepared, origin: str, line: int, reason: str, raw: str) -> None:
    reason = rows.storable(reason, 200)
    chunk.rejected[reason] += 1
    if len(chunk.rejected_rows) < KEPT_REJECTIONS:
        chunk.rejected_rows.append((rows.storable(origin, 1000), line, reason, rows.storable(raw, 2048)))


class _Records:
    """The records of a chunk by column, and the distinct (dimension, UTC day) they belong to, numbered."""

    def __init__(self, chunk: Prepared) -> None:
        self._chunk = chunk
        self._keys: list[str] = []
        self._times: list[datetime] = []
        self._ranks: list[tuple[int, ...]] = []
        self._hashes: list[int] = []
        self._texts: list[str] = []
        self._places: list[int] = []
        self._numbers: dict[tuple[str, int], int] = {}
        self._months: list[int] = []  # by place
        # Importers hand out the same object again and again: its address is a faster key than its eleven fields.
        self._by_address: dict[int, tuple[Any, str]] = {}
        self._by_value: dict[Dimension, str] = {}

    def add(self, located: Sequence[tuple[str, int, Fact]], latest: datetime) -> None:
        """Take facts, each with its file and line; of those that no ledger may hold the chunk keeps the reason."""
        if not located:
            return
        facts = [fact for *_, fact in located]
        found = rows.faults(facts, latest)
        if found:
            for number, reason in sorted(found.items()):
                origin, line, _ = located[number]
                _reject(self._chunk, origin, line, reason, "")
            facts = [fact for number, fact in enumerate(facts) if number not in found]
            if not facts:
                return
        times = [fact.occurred_at for fact in facts]
        if {when.tzinfo for when in times} != {UTC}:
            times = [when.astimezone(UTC) for when in times]
        keys = rows.keys_of([fact.record_key for fact in facts])
        places = self._placed([fact.dimension for fact in facts], times)
        digests = [self._chunk.places[place][0] for place in places]
        texts, hashes = rows.contents_of(facts, keys, times, digests)
        self._keys += keys
        self._times += times
        self._ranks += [fact.rank for fact in facts]
        self._hashes += hashes
        self._texts += texts
        self._places += places

    def keep(self) -> None:
        """Lay out what is left when of facts with one key one has won."""
        chunk, lost = self._chunk, self._lost()
        places, hashes, texts, times = self._places, self._hashes, self._texts, self._times
        if lost:
            left = [number for number in range(len(texts)) if number not in lost]
            places, hashes, texts = [places[n] for n in left], [hashes[n] for n in left], [texts[n] for n in left]
            times = [times[n] for n in left]
        chunk.records, chunk.merged_away = len(texts), len(lost)
        if not texts:
            return
        chunk.first, chunk.last = min(times), max(times)
        chunk.months = sorted({self._months[place] for place in set(places)})
        chunk.probed = probed_months({day for _, day in chunk.places})
        lines = map("\t".join, zip(map(str, places), map(str, hashes), texts, strict=True))
        chunk.copied = ("\n".join(lines) + "\n").encode(errors="replace")

    def _lost(self) -> set[int]:
        """The numbers of facts that another one of this chunk beats."""
        if len(set(self._keys)) == len(self._keys):
            return set()
        times_seen = Counter(self._keys)
        repeated = [
            Candidate(key, self._months[self._places[n]], self._times[n], self._ranks[n], self._hashes[n], n)
            for n, key in enumerate(self._keys)
            if times_seen[key] > 1
        ]
        return {candidate.number for candidate in repeated} - {candidate.number for candidate in merged(repeated)}

    def _placed(self, dimensions: Sequence[Dimension], times: Sequence[datetime]) -> list[int]:
        """The places of some records."""
        days = map(datetime.toordinal, times)
        slots = list(zip((self._digest(dimension) for dimension in dimensions), days, strict=True))
        for slot in dict.fromkeys(slots):
            if slot not in self._numbers:
                self._numbers[slot] = len(self._chunk.places)
                day = date.fromordinal(slot[1])
                self._chunk.places.append((slot[0], day))
                self._months.append(month_number(day))
        return [self._numbers[slot] for slot in slots]

    def _digest(self, dimension: Dimension) -> str:
        known = self._by_address.get(id(dimension))
        if known is not None:
            return known[1]
        digest = self._by_value.get(dimension)
        if digest is None:
            stored = rows.stored_dimension(dimension)
            digest = self._by_value[dimension] = rows.dimension_hash(stored)
            self._chunk.dimensions[digest] = stored
        self._by_address[id(dimension)] = (dimension, digest)
        return digest
