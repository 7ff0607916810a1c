"""Random requests over the real catalogue: its offerings, tiers, context edges, schedules and dated prices."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

from pricing import ratecards
from pricing.models import Offering, RateCard

EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)
MAKERS = ("openai", "anthropic", "google")
SAMPLE = 20_000
"""Requests that the peers are given: the first of the same rows."""


class Request(NamedTuple):
    """One request with disjoint token counts; `reasoning` is part of `output`."""

    id: int
    offering_id: int
    provider: str
    sku: str
    service_tier: str
    occurred_at: datetime
    uncached: int
    cache_read: int
    written_5m: int
    written_1h: int
    output: int
    reasoning: int

    @property
    def prompt(self) -> int:
        return self.uncached + self.cache_read + self.written_5m + self.written_1h


class _Card(NamedTuple):
    service_tier: str
    context_from: int
    starts: datetime
    seconds: int
    reads: bool
    writes: bool
    reasons: bool


_Seller = tuple[int, str, str, list[_Card]]


def requests(count: int, seed: int = 1) -> Iterator[Request]:
    """Half of them at the makers' own shops, the rest anywhere; each fits some card of its offering.

    45 % read a cache and 20 % write one where that has a price; 1 % say a tier that the offering does not have.
    """
    return _drawn(count, seed, _sellers())  # asks the database now, not when the rows are on their way into it


def _drawn(count: int, seed: int, sellers: list[_Seller]) -> Iterator[Request]:
    chance = random.Random(seed)  # noqa: S311 - not a secret
    weights = list(accumulate(10 if seller[1] in MAKERS else 1 for seller in sellers))
    for number in range(count):
        dice = chance.random
        offering_id, provider, sku, cards = sellers[bisect_left(weights, dice() * weights[-1])]
        card = cards[int(dice() * len(cards))]
        prompt = int(card.context_from * (1 + dice()) if card.context_from else 200 + 40_000 * dice() ** 3)
        read = int(prompt * dice()) if card.reads and dice() < 0.45 else 0
        written = int((prompt - read) * dice()) if card.writes and dice() < 0.2 else 0
        hour = written // 3 if dice() < 0.5 else 0
        output = int(1 + 4_000 * dice() ** 2)
        yield Request(
            number, offering_id, provider, sku,
            card.service_tier if dice() > 0.01 else "tier-nobody-sells",
            card.starts + timedelta(seconds=int(card.seconds * dice())),
            prompt - read - written, read, written - hour, hour, output,
            int(output * dice()) if card.reasons and dice() < 0.3 else 0,
        )  # fmt: skip


def _sellers() -> list[_Seller]:
    """Offerings with a price for input and output, and what their cards need to be asked by."""
    ratecards.ensure(Offering.objects.values_list("id", flat=True))
    now = datetime.now(UTC)
    by_offering: dict[int, _Seller] = {}
    rows = RateCard.objects.current().filter(effective_from__lt=now, input__isnull=False, output__isnull=False)
    for offering_id, provider, sku, tier, context, starts, ends, read, written, reasoning in rows.order_by(
        "offering_id", "id"
    ).values_list(
        "offering_id", "offering__provider__slug", "offering__sku", "service_tier", "context_from",
        "effective_from", "effective_until", "cache_read", "cache_write", "reasoning",
    ):  # fmt: skip
        first, last = max(starts, EARLIEST), min(ends or now, now)
        seconds = int((last - first).total_seconds())
        if seconds > 0:
            card = _Card(tier, context, first, seconds, read is not None, written is not None, reasoning is not None)
            by_offering.setdefault(offering_id, (offering_id, provider, sku, []))[3].append(card)
    return list(by_offering.values())
