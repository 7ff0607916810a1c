"""How well an accepted price is known at the moment it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pricing.acceptance.facts import FRESH
from pricing.sources import CURATED, TRUSTS

STALE = timedelta(days=60)
"""A price still said to hold and not seen for this long is grade D."""

_NEXT = timedelta.resolution  # the last moment of either span is still within it


def grade(
    *, trust: str, agreeing: Sequence[str], disputed: bool, evidence_at: datetime, observed_at: datetime,
    effective_until: datetime | None, asked_at: datetime,
) -> str:  # fmt: skip
    """How well a price is known, A to D, at the moment it is asked for.

    A: the vendor's own page or API, seen within 14 days of the moment, or a person's decision. B: two independent
    sources agree. C: one source that is not the vendor. D: disputed and alone, or said to hold still and not seen
    for 60 days. A moment before the evidence began is at best C.
    """
    if trust == "decision":
        return "A"
    still_open = effective_until is None or effective_until > asked_at
    if still_open and asked_at - observed_at > STALE:
        return "D"
    if disputed and len(agreeing) < 2:
        return "D"
    if asked_at < evidence_at:
        return "C"
    if TRUSTS.index(trust) < TRUSTS.index(CURATED) and asked_at - observed_at <= FRESH:
        return "A"
    return "B" if len(agreeing) > 1 else "C"


def grade_edges(evidence_at: datetime, observed_at: datetime) -> tuple[datetime, ...]:
    """The moments asked for from which a price that holds throughout may have another grade than before."""
    return (evidence_at, observed_at + FRESH + _NEXT, observed_at + STALE + _NEXT)
