"""Rate cards: accepted prices laid out as one wide row per segment, interned by content.

`layout` is pure: from the prices of one offering it makes every card of it. A context tier that states no price of its
own for a unit has the base context's, as the sources define their tiers; but a cache write of a stated lifetime is a
multiple of the input price, so where the tier states an input price and no such write, it is unknown. A service tier
that states neither an input nor an output price does not exist, and what it does not state is unknown: where vendors
do publish such a price, it is hardly ever the standard tier's (half of it in batch, twice in fast mode).
Where long prompts cost more at the standard tier and another tier says nothing of long prompts, their price there is
unknown: its base price would be a guess, and half the time a wrong one. So it is where nobody states what long prompts
cost at all and the same model is priced apart for them elsewhere (`pricing.long_prompts`).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol, cast

from django.db import connection, transaction

from pricing import long_prompts
from pricing.catalog.rows import among, copy_rows
from pricing.long_prompts import ListPrice, Unstated
from pricing.models import Offering, Price, RateCard
from pricing.units import LIFETIMES, RATED_UNITS

STANDARD = "standard"
_COLUMNS = (
    "offering_id", "service_tier", "context_from", "context_op", "schedule", "contract", "effective_from",
    "effective_until", "currency", *RATED_UNITS, "price_ids", "content_hash",
)  # fmt: skip
_MULTIPLES = {f"cache_write_{lifetime}" for lifetime in LIFETIMES}
_LOCK = 0x6361_7264  # "card"


class InContext(Protocol):
    """A price of a unit for prompts from some size on."""

    @property
    def unit(self) -> str: ...

    @property
    def context_from(self) -> int: ...


@dataclass(frozen=True, slots=True)
class PriceFact:
    """An accepted price as a card needs it."""

    id: int
    unit: str
    service_tier: str
    context_from: int
    context_op: str
    schedule: str
    amount: Decimal
    per: int
    currency: str
    effective_from: datetime
    effective_until: datetime | None


@dataclass(frozen=True, slots=True)
class Card:
    """One segment: prices per single token by unit (absent = unknown) and the rows they come from."""

    service_tier: str
    context_from: int
    context_op: str
    schedule: str
    effective_from: datetime
    effective_until: datetime | None
    currency: str
    prices: tuple[tuple[str, Decimal], ...]
    price_ids: tuple[int, ...]


def layout(prices: Sequence[PriceFact], unstated: Iterable[Unstated] = ()) -> list[Card]:
    """Every card of one offering's current list prices, segments in order, neighbours that say the same joined.

    `unstated` are the long prompts whose price nobody states: of them a card without a price.
    """
    lines: dict[tuple[str, int, str], dict[str, list[PriceFact]]] = defaultdict(lambda: defaultdict(list))
    ops: dict[int, str] = {}
    for price in prices:
        lines[price.service_tier, price.context_from, price.schedule][price.unit].append(price)
        # Sources that read one threshold both ways, of two units: the narrower reading, in whatever order they came.
        ops[price.context_from] = min(price.context_op, ops.get(price.context_from, price.context_op))
    tiers = sorted({tier for tier, _, _ in lines}, key=lambda tier: (tier != STANDARD, tier))
    cards: list[Card] = []
    for tier in tiers:
        contexts = sorted({c for t, c, _ in lines if t == tier} | {0})
        schedules = sorted({s for t, _, s in lines if t == tier} | {""})
        for context in contexts:
            for schedule in schedules:
                cards += _segments(lines, (tier, context, ops.get(context, ""), schedule))
        if tier == STANDARD:
            cards += [
                Card(tier, s.context_from, s.context_op, "", s.effective_from, s.effective_until, s.currency, (), ())
                for s in unstated
            ]
        else:
            cards += _unknown_contexts(
                [card for card in cards if card.service_tier == tier and not card.schedule],
                [card for card in cards if card.service_tier == STANDARD and not card.schedule],
            )
    return cards


def _unknown_contexts(own: Sequence[Card], standard: Sequence[Card]) -> Iterator[Card]:
    """Cards without a price for the long prompts that a tier says nothing of while the standard tier prices them."""
    edges = sorted({edge for c in [*own, *standard] for edge in (c.effective_from, c.effective_until) if edge})
    for lo, hi in zip(edges, [*edges[1:], None], strict=True):
        mine = [card for card in own if _covers(card, lo)]
        if not mine or any(card.context_from for card in mine):
            continue
        for long in standard:
            if long.context_from and _covers(long, lo):
                yield replace(
                    long, service_tier=mine[0].service_tier, effective_from=lo, effective_until=hi, prices=(),
                    price_ids=(),
                )  # fmt: skip


def _covers(card: Card, moment: datetime) -> bool:
    return card.effective_from <= moment and (card.effective_until is None or moment < card.effective_until)


def _segments(
    lines: Mapping[tuple[str, int, str], Mapping[str, Sequence[PriceFact]]], key: tuple[str, int, str, str]
) -> Iterator[Card]:
    tier, context, op, schedule = key
    ladder = _ladder(lines, tier, context, schedule)
    own = lines.get((tier, context, schedule), {})
    edges: set[datetime] = set()
    for line in ladder:
        for unit in RATED_UNITS:
            for price in lines[line].get(unit, ()):
                edges |= {price.effective_from} | ({price.effective_until} if price.effective_until else set())
    cuts: list[datetime | None] = [*sorted(edges), None]
    pending: Card | None = None
    for lo, hi in zip(cuts, cuts[1:], strict=False):
        assert lo is not None  # noqa: S101 - only the last cut is open
        stated = [_at(own.get(unit, ()), lo) for unit in RATED_UNITS]
        tier_exists = any(_at(lines[line].get(unit, ()), lo) for line in ladder for unit in ("input", "output"))
        card = None
        if tier_exists and any(stated):
            found = {
                unit: held for unit in RATED_UNITS
                if (held := next(filter(None, (_at(lines[line].get(unit, ()), lo) for line in ladder)), None))
            }  # fmt: skip
            into = found.get("input")
            found = {unit: price for unit, price in found.items() if not is_of_another_input(price, into)}
            card = Card(
                tier, context, op, schedule, lo, hi, next(iter(found.values())).currency,
                tuple((unit, price.amount / price.per) for unit, price in found.items()),
                tuple(price.id for price in found.values()),
            )  # fmt: skip
        if pending and card and pending.effective_until == lo and pending.price_ids == card.price_ids:
            pending = replace(pending, effective_until=hi)
            continue
        if pending:
            yield pending
        pending = card
    if pending:
        yield pending


def is_of_another_input(price: InContext, into: InContext | None) -> bool:
    """Whether a cache write's price is a multiple of the input price of shorter prompts than the one beside it."""
    return price.unit in _MULTIPLES and into is not None and price.context_from < into.context_from


def _ladder(
    lines: Mapping[tuple[str, int, str], Any], tier: str, context: int, schedule: str
) -> list[tuple[str, int, str]]:
    """Where a unit's price is looked for, most specific first: in these hours, context tiers downwards, then always."""
    reached = sorted({c for t, c, _ in lines if t == tier and c <= context}, reverse=True)
    return [(tier, c, hours) for hours in dict.fromkeys((schedule, "")) for c in reached if (tier, c, hours) in lines]


def _at(line: Sequence[PriceFact], moment: datetime) -> PriceFact | None:
    for price in line:
        if price.effective_from <= moment and (price.effective_until is None or moment < price.effective_until):
            return price
    return None


def ensure(offering_ids: Iterable[int]) -> None:
    """Make sure the current cards of these offerings exist."""
    wanted = set(offering_ids)
    if not wanted:
        return
    have = set(RateCard.objects.current().filter(offering__in=wanted).values_list("offering_id", flat=True))
    if missing := sorted(wanted - have):
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            _write(missing)


def refresh(offering_ids: Iterable[int]) -> None:
    """Bring the cards of those offerings that have some in line with their prices, as evidence of now.

    With them go the other offerings of their models: what is known of their long prompts depends on these prices.
    """
    models = Offering.objects.filter(pk__in=among(offering_ids)).values("model")
    with_cards = sorted(set(
        RateCard.objects.current().filter(offering__model__in=models).values_list("offering_id", flat=True)
    ))  # fmt: skip
    if with_cards:
        _write(with_cards)


def current_layout(offering_ids: Sequence[int]) -> dict[int, list[Card]]:
    """What `layout` makes of the stored prices of some offerings, now."""
    prices: dict[int, list[PriceFact]] = defaultdict(list)
    rows = (
        Price.objects.known_at()
        .filter(offering__in=offering_ids, superseded_at=None, qualifier="", unit__in=RATED_UNITS)
        .exclude(context_mode="marginal")  # no source states one; a rate card cannot yet say it
        .order_by("effective_from", "id")
        .values_list(
            "offering_id", "id", "unit", "service_tier", "context_from", "context_op", "schedule", "amount", "per",
            "currency", "effective_from", "effective_until",
        )
    )  # fmt: skip
    for offering, *columns in rows:
        prices[offering].append(PriceFact(*cast(Any, columns)))
    unstated = unstated_of(offering_ids)
    return {offering: layout(prices[offering], unstated.get(offering, ())) for offering in offering_ids}


def unstated_of(offering_ids: Iterable[int], known_at: datetime | None = None) -> dict[int, list[Unstated]]:
    """The long prompts whose price nobody states, by all evidence or that of a moment. One query."""
    models = Offering.objects.filter(pk__in=among(offering_ids)).values("model")
    held = Price.objects.known_at(known_at).filter(superseded_at=None, service_tier=STANDARD, schedule="", qualifier="")
    held = held.filter(unit__in=("input", "output")).order_by()
    apart = held.filter(context_from__gt=0, offering__model__in=models).values("offering__model")
    rows = held.filter(offering__model__in=apart).values_list(
        "offering_id", "offering__model_id", "offering__provider__slug", "offering__model__maker",
        "offering__model__open_weights", "unit", "context_from", "context_op", "amount", "per", "currency", "basis",
        "trust", "agreeing", "effective_from", "effective_until",
    )  # fmt: skip
    return long_prompts.unstated(ListPrice(*cast(Any, row)) for row in rows)


def _write(offering_ids: Sequence[int]) -> None:
    fresh = {
        _hash(offering, card): (offering, card)
        for offering, cards in current_layout(offering_ids).items()
        for card in cards
    }
    current = dict(RateCard.objects.current().filter(offering__in=offering_ids).values_list("content_hash", "id"))
    outdated = [pk for content, pk in current.items() if content not in fresh]
    RateCard.objects.filter(pk__in=outdated).update(known_until=datetime.now(UTC))
    new = {content: row for content, row in fresh.items() if content not in current}
    # A card that was current once and is again: the same content is the same row.
    back = RateCard.objects.filter(content_hash__in=list(new), known_until__isnull=False)
    returned = set(back.values_list("content_hash", flat=True))
    back.update(known_until=None)
    copy_rows(RateCard._meta.db_table, _COLUMNS, (
        _row(offering, card, content) for content, (offering, card) in new.items() if content not in returned
    ))  # fmt: skip


def _row(offering: int, card: Card, content: str) -> tuple[Any, ...]:
    prices = dict(card.prices)
    return (
        offering, card.service_tier, card.context_from, card.context_op, card.schedule, "", card.effective_from,
        card.effective_until, card.currency, *(prices.get(unit) for unit in RATED_UNITS), list(card.price_ids), content,
    )  # fmt: skip


def _hash(offering: int, card: Card) -> str:
    prices = [f"{unit}={amount.normalize():f}" for unit, amount in sorted(card.prices)]
    parts = (
        offering, card.service_tier, card.context_from, card.context_op, card.schedule, card.effective_from.isoformat(),
        card.effective_until and card.effective_until.isoformat(), card.currency, *prices, card.price_ids,
    )  # fmt: skip
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()
