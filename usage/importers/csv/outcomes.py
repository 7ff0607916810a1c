"""Records to outcomes, with an identity for each row: shared by every importer that reads by a saved mapping.

Without an id column a row's key is a digest of its bucket and its dimensions; rows of one file that are equal in all
of them are told apart by an ordinal, counted from the greatest down by the rank that decides between two rows of one
key. So neither the file's order nor importing it again matters, nor which rows of it were rejected before: of fewer
rows the nth greatest is never greater than of all, and the ledger comes to what the file says with all its rows. For
that the file is read twice, from a compressed copy in memory: about 170 bytes a row.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from struct import Struct

from usage.importers import Fact, Ignored, Outcome, Rejected
from usage.importers.csv.lines import Kept, Record
from usage.importers.csv.rows import RowReader

Numbered = Iterable[tuple[int, bytes]]
_RANK = Struct(">4Q")
"""A rank of `RowReader` in bytes of the same order."""
_ROWS, _BYTES = 500, 1 << 20
"""What is read at once, at most; a row is never divided."""


def outcomes(
    numbered: Numbered,
    records: Callable[[Numbered], Iterator[Record]],
    header: list[str],
    reader: RowReader,
    *,
    has_ids: bool,
) -> Iterator[Outcome]:
    """One outcome a physical line. `records` reads lines to rows of `header`'s columns."""
    if has_ids:
        yield from _outcomes(records(numbered), header, reader)
        return
    kept = Kept()
    shared = _shared(_keys(records(kept.through(numbered)), header, reader))
    ordinals = _Ordinals()
    if shared:
        for outcome in _outcomes(records(kept.again()), header, reader):
            if isinstance(outcome, Fact) and outcome.record_key in shared:
                ordinals.add(outcome)
    for outcome in _outcomes(records(kept.again()), header, reader):
        yield ordinals.told_apart(outcome) if isinstance(outcome, Fact) else outcome


def _outcomes(records: Iterable[Record], header: list[str], reader: RowReader) -> Iterator[Outcome]:
    for block in _blocks(records):
        none = _no_rows(block, header)
        facts = reader.read([(record.line, record.fields) for record in block if record.line not in none])
        if not none and block[-1].line - block[0].line + block[-1].lines == len(
            block
        ):  # a row a line, as nearly always
            yield from facts
            continue
        for record in block:
            yield none.get(record.line) or next(facts)
            for line in range(record.line + 1, record.line + record.lines):
                yield Ignored(line, "continues the row above")


def _keys(records: Iterable[Record], header: list[str], reader: RowReader) -> Iterator[str]:
    """The keys of all rows that have one."""
    for block in _blocks(records):
        none = _no_rows(block, header)
        yield from reader.keys([(record.line, record.fields) for record in block if record.line not in none])


def _blocks(records: Iterable[Record]) -> Iterator[list[Record]]:
    block: list[Record] = []
    size = 0
    for record in records:
        block.append(record)
        size += record.size
        if len(block) >= _ROWS or size >= _BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block


def _no_rows(block: Iterable[Record], header: list[str]) -> dict[int, Outcome]:
    """What is no row, by its line: only a first cell that is blank or the header's can be in one."""
    suspects = [
        record for record in block
        if record.fault or not record.fields or (first := record.fields[0].strip()) == header[0] or not first
    ]  # fmt: skip
    return {record.line: found for record in suspects if (found := _none(record, header))}


def _none(record: Record, header: list[str]) -> Outcome | None:
    """What a record is that is no row."""
    if record.fault:
        return Rejected(record.line, record.fault)
    reason = _no_row(record.fields, header)
    return Ignored(record.line, reason) if reason else None


def _no_row(fields: list[str], header: list[str]) -> str:
    """Why a record is none; exports that were joined repeat their header."""
    if not fields or (not fields[0].strip() and not "".join(fields).strip()):
        return "blank line"
    if fields[0].strip() == header[0] and [name.strip() for name in fields] == header:
        return "header"
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
    """Tells rows of equal dimensions apart by how many of their ranks are greater.

    The ranks of a key stand packed one after the other: exports by the minute have them for every row of a file.
    """

    def __init__(self) -> None:
        self._ranks: dict[str, bytearray] = {}
        self._given: dict[tuple[str, bytes], int] = {}
        self._sorted = False

    def add(self, fact: Fact) -> None:
        self._ranks.setdefault(fact.record_key, bytearray()).extend(_RANK.pack(*fact.rank))

    def told_apart(self, fact: Fact) -> Fact:
        """The fact with its ordinal; the first keeps the bare key."""
        ranks = self._ranks.get(fact.record_key)
        if ranks is None:
            return fact
        if not self._sorted:
            for equals in self._ranks.values():
                equals[:] = b"".join(sorted(_nth(equals, n) for n in range(len(equals) // _RANK.size)))
            self._sorted = True
        own, places = _RANK.pack(*fact.rank), range(len(ranks) // _RANK.size)
        after = bisect_right(places, own, key=lambda n: _nth(ranks, n))
        nth = 0
        if after > 1 and _nth(ranks, after - 2) == own:
            # Rows that are equal in everything are interchangeable: they take their places as they come.
            nth = self._given.get((fact.record_key, own), 0)
            self._given[fact.record_key, own] = nth + 1
        ordinal = len(places) - after + nth
        return fact._replace(record_key=f"{fact.record_key}-{ordinal}") if ordinal else fact


def _nth(ranks: bytearray, n: int) -> bytes:
    return bytes(ranks[n * _RANK.size : (n + 1) * _RANK.size])
