"""What the rest of the market costs: the witnesses by which an offering's odd moves are judged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from django.db import connection
from django.db.models import Q

from pricing.acceptance import MAKERS_LIST, SIBLING, Witness
from pricing.acceptance.moves import ODD, STEEP
from pricing.models import Claim, Offering

_COLUMNS = (
    "offering_id", "offering__model_id", "offering__model__maker", "offering__provider__slug", "offering__sku",
    "unit", "amount", "per", "currency", "evidence_at", "withdrawn_at", "effective_from", "effective_until",
)  # fmt: skip


def witnesses(odd: Mapping[int, set[str]]) -> dict[int, list[Witness]]:
    """For each offering with odd moves of some units: what the same weights cost elsewhere, and the maker's others.

    Plain list prices only, as every source states them. The maker's list is that of the offering's own seller.
    """
    if not odd:
        return {}
    subjects = {
        pk: (model, maker, provider)
        for pk, model, maker, provider in Offering.objects.filter(pk__in=odd).values_list(
            "pk", "model_id", "model__maker", "provider__slug"
        )
    }
    models = {model for model, _, _ in subjects.values()}
    shelves = {(maker, provider) for _, maker, provider in subjects.values() if maker}
    rows = Claim.objects.made().filter(
        Q(offering__model__in=models) | Q(offering__model__maker__in={maker for maker, _ in shelves},
                                          offering__provider__slug__in={provider for _, provider in shelves}),
        unit__in={unit for units in odd.values() for unit in units},
        service_tier="standard", qualifier="", context_from=0, schedule="",
    ).order_by("id").values_list(*_COLUMNS)  # fmt: skip
    by_model: dict[int, list[tuple[int, Witness]]] = defaultdict(list)
    by_shelf: dict[tuple[str, str], list[tuple[int, Witness]]] = defaultdict(list)
    for offering, model, maker, provider, sku, unit, amount, per, *rest in rows:
        told = Witness(SIBLING, f"{provider}/{sku}", unit, amount / per, *rest)
        by_model[model].append((offering, told))
        if (maker, provider) in shelves:
            by_shelf[maker, provider].append((model, told))
    found: dict[int, list[Witness]] = {}
    for pk, (model, maker, provider) in subjects.items():
        own = [told for offering, told in by_model[model] if offering != pk and told.unit in odd[pk]]
        own += [
            replace(told, kind=MAKERS_LIST)
            for other, told in by_shelf.get((maker, provider), ())
            if other != model and told.unit in odd[pk]
        ]
        found[pk] = own
    return found


def concerned(touched: Iterable[int]) -> set[int]:
    """The offerings with odd moves or steep prices that some changed offerings are witnesses of, to be judged anew."""
    ids = list(touched)
    with connection.cursor() as cursor:
        cursor.execute(_CONCERNED, {"touched": ids, "odd": ODD, "steep": STEEP})
        return {pk for (pk,) in cursor.fetchall()}


# 0.2 s over 100,000 claims; the steps of each line are compared where they lie. Two IN are two hashes: as one EXISTS,
# 6,000 changed offerings beside 6,000 that moved were compared pair by pair.
_CONCERNED = """
    WITH subject AS (
        SELECT o.id, o.model_id, o.provider_id, m.maker
        FROM pricing_offering o JOIN pricing_languagemodel m ON m.id = o.model_id WHERE o.id = ANY(%(touched)s)
    ), step AS (
        SELECT offering_id, amount / per AS now, lag(amount / per) OVER line AS before
        FROM pricing_claim
        WINDOW line AS (
            PARTITION BY offering_id, source_id, unit, qualifier, service_tier, context_from, schedule
            ORDER BY first_seen_at, effective_from NULLS FIRST
        )
    ), mover AS (
        SELECT DISTINCT offering_id FROM step
        WHERE before <> now AND (before = 0 OR now = 0 OR greatest(before / nullif(now, 0), now / nullif(before, 0))
              >= %(odd)s)
        UNION
        SELECT offering_id FROM pricing_claim WHERE amount / per > %(steep)s AND currency = 'USD'
    )
    SELECT o.id
    FROM mover JOIN pricing_offering o ON o.id = mover.offering_id JOIN pricing_languagemodel m ON m.id = o.model_id
    WHERE o.model_id IN (SELECT model_id FROM subject)
        OR (m.maker, o.provider_id) IN (SELECT maker, provider_id FROM subject WHERE maker <> '')
"""
