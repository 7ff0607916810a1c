"""Rate cards as boxes (time × prompt tokens × schedule) of which exactly one holds a record. Pure.

The Python twin of the choice between cards is `pricing.cost.choose`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pricing.schedules import ALWAYS

BEGINNING = datetime.min.replace(tzinfo=UTC)
ENDLESS = datetime.max.replace(tzinfo=UTC)
UNBOUNDED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class CardKey:
    """What of a rate card decides whether it holds."""

    id: int
    offering_id: int
    service_tier: str
    context_from: int
    context_op: str
    schedule: str
    effective_from: datetime
    effective_until: datetime | None

    @property
    def context_min(self) -> int:
        """The fewest prompt tokens the card is for."""
        return self.context_from + (self.context_from > 0 and self.context_op != ">=")


@dataclass(frozen=True, slots=True)
class Band:
    """A box in which one card holds: times [starts, ends), prompt tokens [context_min, context_until), the hours of
    `schedule` ('' = all) less those of the schedules in `beaten_by`."""

    card: CardKey
    starts: datetime
    ends: datetime
    context_min: int
    context_until: int
    beaten_by: tuple[str, ...]
    tiered: bool


def bands(cards: Iterable[CardKey]) -> Iterator[Band]:
    """Boxes that do not overlap and leave no gap that a card covers."""
    by_line: dict[tuple[int, str], list[CardKey]] = defaultdict(list)
    for card in cards:
        by_line[card.offering_id, card.service_tier].append(card)
    for line in by_line.values():
        edges = sorted({edge for c in line for edge in (c.effective_from, c.effective_until or ENDLESS)})
        for starts, ends in zip(edges, edges[1:], strict=False):
            live = [
                card for card in line if card.effective_from <= starts and (card.effective_until or ENDLESS) >= ends
            ]
            yield from _boxes(live, starts, ends)


def _boxes(live: Sequence[CardKey], starts: datetime, ends: datetime) -> Iterator[Band]:
    tiers = sorted({card.context_min for card in live})
    for least, until in zip(tiers, [*tiers[1:], UNBOUNDED], strict=True):
        beaten_by: list[str] = []
        for card in sorted(live, key=_precedence, reverse=True):
            if card.context_min <= least and card.schedule not in beaten_by:
                yield Band(card, starts, ends, least, until, tuple(beaten_by), tiers != [0])
                if card.schedule == ALWAYS:
                    break
                beaten_by.append(card.schedule)


def _precedence(card: CardKey) -> tuple[int, bool, str]:
    """The higher context tier first, then the specific schedule: the order of `pricing.cost.choose`."""
    return card.context_from, card.schedule != ALWAYS, card.schedule


def gaps(line: tuple[int, str], covered: Iterable[Band]) -> Iterator[Band]:
    """Boxes without a card for the times in which an offering's service tier has none."""
    at = BEGINNING
    for starts, ends in sorted({(band.starts, band.ends) for band in covered}):
        if at < starts:
            yield _nothing(line, at, starts)
        at = max(at, ends)
    if at < ENDLESS:
        yield _nothing(line, at, ENDLESS)


def _nothing(line: tuple[int, str], starts: datetime, ends: datetime) -> Band:
    return Band(CardKey(0, *line, 0, "", ALWAYS, starts, None), starts, ends, 0, UNBOUNDED, (), tiered=False)
