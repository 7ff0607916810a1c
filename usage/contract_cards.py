"""Contracted prices beside the bands of the list: cut where a contract begins or ends, each interned as evidence."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from pricing.models import Offering
from pricing.units import RATED_UNITS
from usage.bands import Band, gaps
from usage.contract_terms import OVERRIDE, Contracted, Sold, Term, contracted, pieces
from usage.models import Contract, ContractCard

STANDARD = "standard"
Terms = dict[Sold, list[Term]]
_NOTHING = (None,) * (1 + len(RATED_UNITS))


def terms_of(organisation_id: int, offering_ids: Collection[int], first: datetime, last: datetime) -> Terms:
    """The terms that concern each of these offerings in [first, last]; offerings without any are left out."""
    if not offering_ids or not Contract.objects.filter(organisation_id=organisation_id).exists():
        return {}
    sold = [
        Sold(*row)
        for row in Offering.objects.filter(pk__in=list(offering_ids)).values_list("id", "provider_id", "model_id")
    ]
    terms = Contract.objects.terms(organisation_id, first.date(), last.date(), sold)
    found = {one: [term for term in terms if term.holds_for(one, term.service_tier)] for one in sold}
    return {one: held for one, held in found.items() if held}


def beside(
    organisation_id: int, laid: Iterable[Band], prices: Mapping[int, tuple[Any, ...]], terms: Terms
) -> Iterator[tuple[Band, tuple[Any, ...]]]:
    """Each band, cut where a term begins or ends, with its contract card's id and prices, all NULL where no term holds.

    Times without a list price come too where an override may price them: of the standard tier, of every tier with a
    list price, and of those that an override names.
    """
    by_offering = {sold.id: (sold, held) for sold, held in terms.items()}
    found = list(_priced(laid, prices, by_offering))
    ids = _interned(organisation_id, [(band, priced) for band, priced in found if priced])
    for band, priced in found:
        yield band, (ids[_digest(organisation_id, band, priced)], *priced.prices) if priced else _NOTHING


def _priced(
    laid: Iterable[Band], prices: Mapping[int, tuple[Any, ...]], terms: Mapping[int, tuple[Sold, list[Term]]]
) -> Iterator[tuple[Band, Contracted | None]]:
    lines: dict[tuple[int, str], list[Band]] = defaultdict(list)
    for band in laid:
        if band.card.offering_id in terms:
            lines[band.card.offering_id, band.card.service_tier].append(band)
        else:
            yield band, None
    for sold, held in terms.values():
        for tier in {STANDARD, *(term.service_tier for term in held if term.service_tier)}:
            lines.setdefault((sold.id, tier), [])
    for line, covered in lines.items():
        sold, held = terms[line[0]]
        own = [term for term in held if term.holds_for(sold, line[1])]
        more = gaps(line, covered) if any(term.kind == OVERRIDE for term in own) else ()
        for band in (*covered, *more):
            currency, *listed = prices.get(band.card.id) or ("", *(None,) * len(RATED_UNITS))
            by_unit: dict[str, Decimal | None] = dict(zip(RATED_UNITS, listed, strict=True))
            for starts, ends, holding in pieces(band.starts, band.ends, own):
                priced = contracted(by_unit, currency, holding)
                if priced or band.card.id:
                    yield replace(band, starts=starts, ends=ends), priced


def _digest(organisation_id: int, band: Band, priced: Contracted) -> str:
    what = (organisation_id, band.card.offering_id, band.card.service_tier, band.card.id, priced.currency)
    amounts = [None if price is None else f"{price.normalize():f}" for price in priced.prices]
    return hashlib.sha256(repr((*what, amounts, priced.contracts)).encode()).hexdigest()


def _interned(organisation_id: int, found: Sequence[tuple[Band, Contracted]]) -> dict[str, int]:
    """content hash → id of the card, made where it is new. Twice makes nothing twice, nor do two at once."""
    wanted = {_digest(organisation_id, band, priced): (band, priced) for band, priced in found}
    cards = ContractCard.objects.filter(content_hash__in=list(wanted))
    known = dict(cards.values_list("content_hash", "id"))
    fresh = [
        (
            *(organisation_id, band.card.offering_id, band.card.service_tier, band.card.id or None),
            *(list(priced.contracts), priced.currency, *priced.prices, digest),
        )
        for digest, (band, priced) in sorted(wanted.items())
        if digest not in known
    ]
    if fresh:
        columns = (
            *("organisation_id", "offering_id", "service_tier", "rate_card_id", "contracts", "currency"),
            *(*RATED_UNITS, "content_hash"),
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO usage_contractcard ({', '.join(columns)})"
                f" VALUES ({', '.join(['%s'] * len(columns))}) ON CONFLICT DO NOTHING",
                fresh,
            )
        known |= dict(cards.all().values_list("content_hash", "id"))
    return known
