"""Which offerings cost something else than they did: accepted prices before and after held against each other. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

COLUMNS = (
    "effective_until", "offering_id", "effective_from", "unit", "qualifier", "service_tier", "context_from",
    "context_op", "context_mode", "schedule", "amount", "per", "currency",
)  # fmt: skip
"""What of a price to compare."""

_NEVER = datetime.max.replace(tzinfo=UTC)


def repriced(gone: Iterable[tuple[Any, ...]], come: Iterable[tuple[Any, ...]]) -> dict[int, datetime]:
    """By offering from when on it costs something else, by the prices withdrawn and recorded, each as `COLUMNS`."""
    ends: dict[tuple[Any, ...], list[set[datetime]]] = defaultdict(lambda: [set(), set()])
    for side, rows in enumerate((gone, come)):
        for until, *price in rows:
            ends[tuple(price)][side].add(until or _NEVER)
    found: dict[int, datetime] = {}
    for (offering, starts, *_), (before, after) in ends.items():
        if before != after:  # a price that only ends otherwise was the same until then
            moment = min(before | after) if before and after else starts
            found[offering] = min(moment, found.get(offering, moment))
    return found
