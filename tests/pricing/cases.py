"""What may be asked of the real catalogue: every threshold, every boundary a microsecond around it, then chance."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pricing.cost import Tokens
from pricing.models import Offering, Price
from pricing.units import RATED_UNITS

CASES = 10_000
TICK = timedelta(microseconds=1)
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    offering: int
    tier: str
    tokens: Tokens
    at: datetime


@dataclass(frozen=True)
class Sold:
    """What a case may be made of: an offering's tiers with their thresholds, and the moments its prices change."""

    names: dict[int, dict[str, str]]
    thresholds: dict[tuple[int, str], list[int]]
    boundaries: dict[tuple[int, str], list[datetime]]


def sold_today() -> Sold:
    names = {
        pk: {"provider": provider, "sku": sku, "region": region}
        for pk, provider, sku, region in Offering.objects.values_list("pk", "provider__slug", "sku", "region")
    }
    thresholds: dict[tuple[int, str], list[int]] = {}
    boundaries: dict[tuple[int, str], list[datetime]] = {}
    rows = Price.objects.known_at().filter(superseded_at=None, qualifier="", unit__in=RATED_UNITS)
    for offering, tier, context, start, end in rows.values_list(
        "offering_id", "service_tier", "context_from", "effective_from", "effective_until"
    ).order_by("pk"):
        key = (offering, tier)
        thresholds.setdefault(key, [])
        boundaries.setdefault(key, [])
        if context and context not in thresholds[key]:
            thresholds[key].append(context)
        boundaries[key] += [m for m in (start, end) if m and m > FIRST and m not in boundaries[key]]
    return Sold(names, thresholds, boundaries)


def _tokens(dice: random.Random, prompt: int | None = None) -> Tokens:
    """Random disjoint counts; with `prompt`, exactly that many prompt tokens."""
    prompt = dice.choice([0, 1, dice.randrange(5_000), dice.randrange(2_000_000)]) if prompt is None else prompt
    cached = dice.randrange(prompt + 1) if dice.random() < 0.5 else 0
    written = dice.randrange(prompt - cached + 1) if dice.random() < 0.3 else 0
    stated = dice.randrange(written + 1)
    lifetimes = {dice.choice(["5m", "30m", "1h", "12h", "2h"]): stated} if stated else {}
    output = dice.choice([0, 1, dice.randrange(100_000)])
    reasoning = dice.randrange(output + 1) if dice.random() < 0.5 else 0
    return Tokens(prompt - cached - written, cached, written, output, reasoning, lifetimes)


def cases_of(sold: Sold, dice: random.Random) -> Iterator[Case]:
    """Every threshold and every boundary with both its neighbours, then chance."""
    for (offering, tier), thresholds in sold.thresholds.items():
        for threshold in thresholds:
            for prompt in (threshold - 1, threshold, threshold + 1):
                yield Case(offering, tier, _tokens(dice, prompt), _moment(dice))
    for (offering, tier), boundaries in sold.boundaries.items():
        for boundary in boundaries:
            for at in (boundary - TICK, boundary, boundary + TICK):
                yield Case(offering, tier, _tokens(dice), at)
    keys = list(sold.thresholds)
    hours = sorted(set(Price.objects.exclude(schedule="").values_list("offering_id", flat=True)))
    for _ in range(CASES):
        offering, tier = dice.choice(keys)
        if dice.random() < 0.2:
            offering, tier = dice.choice(hours), "standard"
        if dice.random() < 0.1:
            tier = dice.choice(["batch", "flex", "priority", "fast", "no-such-tier"])
        at = _moment(dice)
        if dice.random() < 0.3:  # on the hour, where schedules begin and end
            at = at.replace(minute=0, second=0, microsecond=0) + dice.choice([-TICK, timedelta(0), TICK])
        yield Case(offering, tier, _tokens(dice), at)


def _moment(dice: random.Random) -> datetime:
    return FIRST + dice.randrange((LAST - FIRST) // TICK) * TICK
