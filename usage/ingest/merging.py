"""Which of two facts with one key is the record. Commutative and associative, so no order of input matters. Pure.

The greater rank wins, then the earlier time, then the greater content hash. Two facts of one key are the same
record in one month, or within 72 hours of the edge between two neighbouring months.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import NamedTuple

EDGE = timedelta(hours=72)


class Candidate(NamedTuple):
    """A fact reduced to what merging compares, and its number. `month` counts months since year 0."""

    key: str
    month: int
    occurred_at: datetime
    rank: tuple[int, ...]
    content_hash: int
    number: int = 0


def month_number(moment: date) -> int:
    return moment.year * 12 + moment.month - 1


@cache
def first_of(month: int) -> datetime:
    """The first instant of a month by its number."""
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def beats(one: Candidate, other: Candidate) -> bool:
    """Whether `one` is the record and `other` the duplicate."""
    if one.rank != other.rank:
        return one.rank > other.rank
    if one.occurred_at != other.occurred_at:
        return one.occurred_at < other.occurred_at
    return one.content_hash > other.content_hash


def same_record(one: Candidate, other: Candidate) -> bool:
    """Whether two facts of one key are one record: in one month, or both near the edge between two."""
    if one.month == other.month:
        return True
    early, late = (one, other) if one.month < other.month else (other, one)
    if early.month + 1 != late.month:
        return False
    edge = first_of(late.month)
    return early.occurred_at >= edge - EDGE and late.occurred_at < edge + EDGE


def merged(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The records of a chunk: at most one per key and month, and none that a neighbour across an edge beats."""
    best: dict[tuple[str, int], Candidate] = {}
    for candidate in candidates:
        slot = (candidate.key, candidate.month)
        known = best.setdefault(slot, candidate)
        if known is not candidate and beats(candidate, known):
            best[slot] = candidate
    if len({month for _, month in best}) <= 1:
        return list(best.values())
    return [candidate for candidate in best.values() if not _beaten(candidate, best)]


def _beaten(candidate: Candidate, best: dict[tuple[str, int], Candidate]) -> bool:
    for month in (candidate.month - 1, candidate.month + 1):
        other = best.get((candidate.key, month))
        if other is not None and same_record(candidate, other) and beats(other, candidate):
            return True
    return False


def probed_months(days: Iterable[date]) -> list[int]:
    """The months in which the ledger may already hold a record of facts of these UTC days."""
    found = set()
    for day in days:
        found |= {month_number(day), month_number(day - EDGE), month_number(day + EDGE)}
    return sorted(found)
