"""Whether the catalogue keeps its promises: every check reads the stored rows and recomputes what should be there."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from pricing import catalog, ratecards
from pricing.catalog.borrowed import TWIN_TIERS
from pricing.catalog.prices import differences
from pricing.models import Offering, RateCard, Snapshot
from pricing.units import RATED_UNITS

SHOWN: Final = 20
"""Offending rows a check names; there may be more."""
_CHUNK: Final = 1_000

_CARD = (
    "service_tier", "context_from", "context_op", "schedule", "effective_from", "effective_until", "currency",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise that does not hold: which check, where, and what is wrong, in a sentence."""

    check: str
    where: str
    problem: str


def checks() -> Iterator[Finding]:
    """Every breach that can be found, a check after the other."""
    yield from _prices_follow_claims()
    yield from _no_two_at_once()
    yield from _every_price_has_evidence()
    yield from _free_is_stated()
    yield from _cards_are_layout()


def repair() -> int:
    """Accept anew the offerings whose prices are not what their claims give, and correct the cards that differ.

    The number of offerings concerned. A price that was wrong is kept, marked superseded.
    """
    wrong = {pk for ids in _offerings() if any(differences(ids)) for pk in ids if any(differences([pk]))}
    if wrong:
        catalog.recompute(wrong)
    unlike = {offering for offering, _ in _unlike_cards()}
    if unlike:
        with transaction.atomic():
            ratecards.refresh(unlike)
            for offering in sorted(unlike):
                _correct_cards(offering)
    return len(wrong | unlike)


def _prices_follow_claims() -> Iterator[Finding]:
    for ids in _offerings():
        for sentence in differences(ids):
            yield Finding("prices", sentence.partition("offering_id ")[2].partition(",")[0], sentence)


def _no_two_at_once() -> Iterator[Finding]:
    """The database refuses these; a dump restored without its constraints would not."""
    yield from _rows(
        "overlaps",
        """SELECT a.id::text || ' and ' || b.id FROM pricing_price a JOIN pricing_price b
        USING (offering_id, unit, service_tier, qualifier, context_from, schedule)
        WHERE a.id < b.id AND a.superseded_at IS NULL AND b.superseded_at IS NULL
        AND tstzrange(a.effective_from, a.effective_until) && tstzrange(b.effective_from, b.effective_until)
        AND tstzrange(a.known_from, a.known_until) && tstzrange(b.known_from, b.known_until)""",
        "Two prices hold for one thing at one time.",
    )


def _every_price_has_evidence() -> Iterator[Finding]:
    twins = ", ".join(
        f"('{vendor}', '{said}', '{other}')" for vendor, tiers in TWIN_TIERS.items() for said, other in tiers.items()
    )
    yield from _rows(
        "evidence",
        f"""SELECT p.id::text FROM pricing_price p LEFT JOIN pricing_claim c ON c.id = p.claim_id
        LEFT JOIN pricing_snapshot s ON s.id = c.snapshot_id
        WHERE p.superseded_at IS NULL AND (s.id IS NULL OR c.source_id <> p.source_id
        OR (c.offering_id <> p.offering_id AND NOT EXISTS (  -- borrowed from an id declared the same
            SELECT FROM pricing_alias a JOIN pricing_offering o ON o.provider_id = a.provider_id AND o.sku = a.name
            WHERE p.offering_id IN (o.id, a.offering_id) AND c.offering_id IN (o.id, a.offering_id))
            AND NOT EXISTS (  -- or from another name of what a pointer means
            SELECT FROM pricing_alias a JOIN pricing_offering o ON o.provider_id = a.provider_id AND o.sku = a.name
            JOIN pricing_alias b ON b.offering_id = a.offering_id
            JOIN pricing_offering n ON n.provider_id = b.provider_id AND n.sku = b.name
            WHERE p.offering_id = o.id AND c.offering_id = n.id))
        OR (c.unit, c.qualifier, c.context_from, c.schedule, c.amount, c.per, c.currency)
            <> (p.unit, p.qualifier, p.context_from, p.schedule, p.amount, p.per, p.currency)
        OR (c.service_tier <> p.service_tier AND NOT EXISTS (  -- one tier that its vendor sells under two names
            SELECT FROM pricing_offering o JOIN pricing_provider v ON v.id = o.provider_id
            WHERE o.id = p.offering_id AND (v.slug, c.service_tier, p.service_tier) IN ({twins}))))""",
        "The claim this price rests on does not say it.",
    )
    for pk, sha256, body in Snapshot.objects.order_by("pk").values_list("pk", "sha256", "body").iterator():
        try:
            whole = hashlib.sha256(zlib.decompress(body)).hexdigest() == sha256
        except zlib.error:
            whole = False
        if not whole:
            yield Finding("evidence", f"snapshot {pk}", "Its bytes are not those that were read.")


def _free_is_stated() -> Iterator[Finding]:
    """Free is a price of 0 that a source states; what nobody states is no row, and no figure on a card."""
    prices = " OR ".join(
        f"(c.{unit} = 0 AND NOT EXISTS (SELECT FROM pricing_price p WHERE p.id = ANY (c.price_ids)"
        f" AND p.unit = '{unit}' AND p.amount = 0))"
        for unit in RATED_UNITS
    )
    yield from _rows(
        "unknown",
        f"SELECT c.id::text FROM pricing_ratecard c WHERE c.known_until IS NULL AND ({prices})",
        "This rate card has a price of 0 that no price states: unknown is not free.",
    )


def _cards_are_layout() -> Iterator[Finding]:
    for offering, sentence in _unlike_cards():
        yield Finding("rate cards", f"offering {offering}", sentence)


def _unlike_cards() -> Iterator[tuple[int, str]]:
    """Offerings that have cards, and those cards are not what their prices lay out to."""
    with_cards = RateCard.objects.current().order_by("offering").values_list("offering", flat=True).distinct()
    ids = list(with_cards)
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        layouts = ratecards.current_layout(chunk)
        wanted = {(offering, *_values_of(card)) for offering, cards in layouts.items() for card in cards}
        stored = {
            (offering, *columns[: len(_CARD)], *columns[len(_CARD) : -1], tuple(columns[-1]))
            for offering, *columns in _stored(chunk)
        }
        for row in sorted(stored - wanted, key=repr)[:SHOWN]:
            yield row[0], f"Stored, but its prices do not give it: {_sentence(row)}"
        for row in sorted(wanted - stored, key=repr)[:SHOWN]:
            yield row[0], f"Given by its prices, but not stored: {_sentence(row)}"


def _stored(offering_ids: Sequence[int]) -> Any:
    cards = RateCard.objects.current().filter(offering__in=offering_ids, contract="")
    return cards.values_list("offering_id", *_CARD, *RATED_UNITS, "price_ids")


def _values_of(card: Any) -> tuple[Any, ...]:
    prices = dict(card.prices)
    return (
        *(getattr(card, column) for column in _CARD), *(prices.get(unit) for unit in RATED_UNITS), tuple(card.price_ids)
    )  # fmt: skip


def _correct_cards(offering: int) -> None:
    """Write the figures a card's prices give where the row under its key says something else."""
    for card in ratecards.current_layout([offering])[offering]:
        values = dict(zip((*_CARD, *RATED_UNITS, "price_ids"), _values_of(card), strict=True))
        key = {column: values.pop(column) for column in ("service_tier", "context_from", "schedule", "effective_from")}
        RateCard.objects.current().filter(offering=offering, contract="", **key).update(
            **values | {"price_ids": list(card.price_ids)}
        )


def _sentence(row: Sequence[Any]) -> str:
    named = zip(("offering", *_CARD, *RATED_UNITS, "prices"), row, strict=True)
    return ", ".join(f"{name} {value}" for name, value in named if value not in ("", None))


def _rows(check: str, query: str, problem: str) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(f"{query} LIMIT {SHOWN}")
        for (where,) in cursor.fetchall():
            yield Finding(check, where, problem)


def _offerings() -> Iterator[list[int]]:
    ids = list(Offering.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
