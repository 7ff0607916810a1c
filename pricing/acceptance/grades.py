"""How well an accepted price is known at the moment it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from pricing.acceptance.facts import FRESH
from pricing.sources import CURATED, TRUSTS

STALE = timedelta(days=60)
"""A price still said to hold and not seen for this long is grade D."""

_NEXT = timedelta.resolution  # the last moment of either span is still within it


class Evidence(Protocol):
    """What a price says of how it is known."""

    @property
    def trust(self) -> str: ...
    @property
    def agreeing(self) -> Sequence[str]: ...
    @property
    def disputed(self) -> bool: ...
    @property
    def evidence_at(self) -> datetime: ...
    @property
    def observed_at(self) -> datetime: ...
    @property
    def seen_at(self) -> datetime: ...
    @property
    def effective_until(self) -> datetime | None: ...


EVIDENCE = ("trust", "agreeing", "disputed", "evidence_at", "observed_at", "seen_at", "effective_until")


def grade_of(price: Evidence, asked_at: datetime) -> str:
    """`grade` of a price at a moment."""
    return grade(
        trust=price.trust, agreeing=price.agreeing, disputed=price.disputed, evidence_at=price.evidence_at,
        observed_at=price.observed_at, seen_at=price.seen_at, effective_until=price.effective_until, asked_at=asked_at,
    )  # fmt: skip


def grade(
    *, trust: str, agreeing: Sequence[str], disputed: bool, evidence_at: datetime, observed_at: datetime,
    seen_at: datetime, effective_until: datetime | None, asked_at: datetime,
) -> str:  # fmt: skip
    """How well a price is known, A to D, at the moment it is asked for; `seen_at`: by anybody who agrees.

    A: the vendor's own page or API, seen within 14 days of the moment, or a person's decision. B: two independent
    sources agree. C: one source that is not the vendor. D: disputed and alone, or said to hold still and not seen
    for 60 days by anybody who agrees. A moment before the evidence began is at best C.
    """
    if trust == "decision":
        return "A"
    still_open = effective_until is None or effective_until > asked_at
    if still_open and asked_at - seen_at > STALE:
        return "D"
    if disputed and len(agreeing) < 2:
        return "D"
    if asked_at < evidence_at:
        return "C"
    if TRUSTS.index(trust) < TRUSTS.index(CURATED) and asked_at - observed_at <= FRESH:
        return "A"
    return "B" if len(agreeing) > 1 else "C"


def grade_edges(evidence_at: datetime, observed_at: datetime, seen_at: datetime) -> tuple[datetime, ...]:
    """The moments asked for from which a price that holds throughout may have another grade than before."""
    return (evidence_at, observed_at + FRESH + _NEXT, seen_at + STALE + _NEXT)
