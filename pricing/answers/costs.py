"""What counted tokens cost: the exact cost of requests on the rate cards in force, with the prices used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from pricing import long_prompts, names, ratecards, schedules
from pricing.answers.questions import MOST_TOKENS, BadQuestion, whole
from pricing.answers.questions import name as as_name
from pricing.answers.rows import PriceRow, billed_in, calendars, price_json, price_rows, sellers
from pricing.answers.wording import decimal_text, moment_text
from pricing.cost import CardKey, CardPrices, Component, Cost, Tokens, choose, rate
from pricing.models import Price, RateCard
from pricing.providers import canonical
from pricing.units import RATED_UNITS, STANDS_IN

MOST: Final = 1_000
"""Requests in one question."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One request's tokens at one seller. `at` None = now; counts are disjoint, reasoning is part of output."""

    model: str
    provider: str | None = None
    region: str | None = None
    service_tier: str = "standard"
    at: datetime | None = None
    tokens: Tokens = field(default_factory=Tokens)


@dataclass(frozen=True, slots=True)
class _Card:
    key: CardKey
    service_tier: str
    prices: CardPrices
    price_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Meant:
    """The offering a usage names, None with the reason where none is."""

    rule: str
    offering_id: int | None = None
    seller: Mapping[str, str | None] | None = None


def tokens(
    counts: Mapping[str, int | None], by_lifetime: Mapping[str, int] | None = None, *, where: str = "request"
) -> Tokens:
    """Token counts as they are rated; BadQuestion with a sentence where they contradict each other."""
    lifetimes = dict(by_lifetime or {})
    for unit, count in [*counts.items(), *lifetimes.items()]:
        whole(count or 0, f"{where}: {unit}", MOST_TOKENS)
    named = dict(counts)
    if named.get("cache_write") is None and lifetimes:
        named["cache_write"] = sum(lifetimes.values())
    try:
        return Tokens(**named, cache_write_by_lifetime=lifetimes)
    except ValueError as fault:
        raise BadQuestion(f"{where}: {fault}", where) from None


def costs(usages: Sequence[Usage], now: datetime | None = None) -> dict[str, Any]:
    """One cost a usage, in the same order, and every price row they rest on, once, by id.

    A cost nobody can know is null with the reason. Six queries for any number of usages.
    """
    if not 1 <= len(usages) <= MOST:
        raise BadQuestion(f"Send 1 to {MOST:,} requests at a time; here are {len(usages):,}.", "requests")
    clock = now or datetime.now(UTC)
    meant = _meant(usages, clock)
    ids = {found.offering_id for found in meant if found.offering_id is not None}
    ratecards.ensure(ids)
    cards = _cards(ids)
    holidays = calendars()
    chosen = [
        _choose(cards[found.offering_id], usage, usage.at or clock, holidays) if found.offering_id else None
        for usage, found in zip(usages, meant, strict=True)
    ]
    used = {price_id for card in chosen if card for price_id in card.price_ids}
    rows = {row.id: row for row in price_rows(Price.objects.filter(pk__in=used))}
    reasons: list[dict[str, Any]] = []
    evidence: dict[int, PriceRow] = {}
    for usage, found, card in zip(usages, meant, chosen, strict=True):
        reasons.append(_cost_json(usage, found, card, rows, usage.at or clock, evidence))
    return {"costs": reasons, "prices": [_evidence_json(evidence[pk], clock) for pk in sorted(evidence)]}


def _meant(usages: Sequence[Usage], now: datetime) -> list[_Meant]:
    resolver = names.resolver()
    matches = []
    for place, usage in enumerate(usages):
        model = as_name(usage.model, f"requests[{place}].model")
        provider = canonical(as_name(usage.provider, f"requests[{place}].provider")) if usage.provider else None
        matches.append(resolver.resolve(model, provider, usage.at or now))
    known = {s.id: s for s in sellers(pk__in={m.offering_id for m in matches if m.offering_id is not None})}
    meant = []
    for usage, match in zip(usages, matches, strict=True):
        seller = known.get(match.offering_id) if match.offering_id is not None else None
        rule = match.rule
        if seller is not None and usage.region is not None and seller.region != usage.region:
            region = as_name(usage.region, "region", 60)
            there = sellers(provider__slug=seller.provider, model__slug=seller.model, region=region)
            same = [other for other in there if other.sku == seller.sku]
            billed = [] if same else billed_in(seller.provider, seller.sku, region)
            told = f"{region} is billed at the regional price" if billed else f"the same model in {region}"
            same = same or billed or there
            seller = same[0] if len(same) == 1 else None
            rule = f"{rule}, {told}" if seller else f"unresolved: not one offering in {region}"
        meant.append(_Meant(rule, seller.id, seller.as_json()) if seller else _Meant(rule))
    return meant


def _cards(offering_ids: Iterable[int]) -> dict[int, list[_Card]]:
    cards: dict[int, list[_Card]] = defaultdict(list)
    found = RateCard.objects.current().filter(offering__in=list(offering_ids), contract="").values_list(
        "offering_id", "service_tier", "price_ids", "currency", "id", "context_from", "context_op", "schedule",
        "effective_from", "effective_until", *RATED_UNITS,
    )  # fmt: skip
    for offering, tier, price_ids, currency, *rest in found:
        amounts = {unit: amount for unit, amount in zip(RATED_UNITS, rest[6:], strict=True) if amount is not None}
        cards[offering].append(_Card(CardKey(*rest[:6]), tier, CardPrices(currency, amounts), tuple(price_ids)))
    return cards


def _choose(
    cards: Sequence[_Card], usage: Usage, at: datetime, holidays: Mapping[str, schedules.Calendar]
) -> _Card | None:
    of_tier = {card.key.id: card for card in cards if card.service_tier == usage.service_tier}
    texts = {card.key.schedule for card in of_tier.values()} - {""}
    hours = frozenset(text for text in texts if schedules.holds(text, at, holidays))
    key = choose((card.key for card in of_tier.values()), usage.tokens.prompt, at, hours)
    return of_tier[key.id] if key else None


def _cost_json(
    usage: Usage, found: _Meant, card: _Card | None, rows: Mapping[int, PriceRow], at: datetime,
    evidence: dict[int, PriceRow],
) -> dict[str, Any]:  # fmt: skip
    seller: Mapping[str, str | None] = found.seller or {
        "provider": "",
        "sku": "",
        "region": "",
        "model": "",
        "retired_at": None,
    }
    answer: dict[str, Any] = {
        "status": "unknown", "cost": None, "currency": None, "reason": None, "name": usage.model, **seller,
        "rule": found.rule, "service_tier": usage.service_tier, "at": moment_text(at), "rate_card": None,
        "context_from": 0, "schedule": "", "components": [],
    }  # fmt: skip
    if found.offering_id is None:
        answer["reason"] = f"{usage.model} is no offering we know ({found.rule})."
        return answer
    if card is None:
        sold = f"{seller['sku']} at {seller['provider']}"
        answer["reason"] = f"No {usage.service_tier} price of {sold} is known for that time."
        return answer
    cost = rate(card.prices, usage.tokens)
    rows_by_unit = {rows[pk].unit: rows[pk] for pk in card.price_ids if pk in rows}
    answer |= {
        "currency": cost.currency, "rate_card": card.key.id, "context_from": card.key.context_from,
        "schedule": card.key.schedule, "cost": decimal_text(cost.amount),
        "components": [_component_json(part, rows_by_unit, at, evidence) for part in cost.components],
    }  # fmt: skip
    answer["status"], answer["reason"] = _verdict(cost)
    if cost.unknown and not card.price_ids:
        answer["reason"] = long_prompts.sentence(card.key.context_from, card.key.context_op)
    return answer


def _verdict(cost: Cost) -> tuple[str, str | None]:
    if cost.amount is None:
        return "unknown", f"The price of {', '.join(dict.fromkeys(cost.unknown))} is not known."
    if cost.components and not cost.amount and all(part.price == Decimal(0) for part in cost.components):
        return "free", None
    return "priced", None


def _component_json(
    part: Component, rows_by_unit: Mapping[str, PriceRow], at: datetime, evidence: dict[int, PriceRow]
) -> dict[str, Any]:
    row = rows_by_unit.get(part.unit) or rows_by_unit.get(STANDS_IN.get(part.unit, ""))
    if row is not None:
        evidence[row.id] = row
    return {
        "unit": part.unit,
        "tokens": part.tokens,
        "price_per_token": decimal_text(part.price),
        "amount": decimal_text(part.amount),
        "price_id": row.id if row else None,
        "grade": price_json(row, at)["grade"] if row else None,
    }


def _evidence_json(row: PriceRow, now: datetime) -> dict[str, Any]:
    """A price row as evidence. Its grade depends on the moment asked for and so stands with each component."""
    stated = price_json(row, now)
    del stated["grade"]
    return stated
