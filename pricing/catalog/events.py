"""The events of accepted prices, written as the difference to what is there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pricing.acceptance import Acceptance, SourceFact
from pricing.acceptance.events import Event, events
from pricing.catalog.rows import among, copy_rows, update_rows
from pricing.models import PriceEvent

_COLUMNS = (
    "offering_id", "unit", "qualifier", "service_tier", "context_from", "schedule", "kind", "status", "old", "new",
    "per", "currency", "effective_from", "observed_at", "source_id", "claim_id", "why",
)  # fmt: skip
_IDENTITY = len(_COLUMNS) - 1
"""All but the reason makes it the same event."""
_CENT = Decimal("0.000000000001")

Row = tuple[Any, ...]


def write_events(
    accepted: Mapping[int, Acceptance], sources: Mapping[str, SourceFact], source_ids: Mapping[str, int]
) -> None:  # fmt: skip
    """Add the events that acceptance gives now, with its reasons; mark those it no longer gives superseded."""
    fresh = {
        row[:_IDENTITY]: row
        for offering, acceptance in accepted.items()
        for row in (_row(offering, event, source_ids) for event in events(acceptance, sources))
    }
    standing = {
        row[1 : 1 + _IDENTITY]: (row[0], row[-1])
        for row in PriceEvent.objects.filter(offering__in=among(accepted), superseded_at=None).values_list(
            "id", *_COLUMNS
        )
    }
    gone = [pk for identity, (pk, _) in standing.items() if identity not in fresh]
    if gone:
        PriceEvent.objects.filter(pk__in=gone).update(superseded_at=datetime.now(UTC))
    # The reason is the newest evidence's, as it is of the price, so that the order of readings cannot matter.
    reasons = [
        (pk, fresh[identity][-1])
        for identity, (pk, why) in standing.items()
        if identity in fresh and fresh[identity][-1] != why
    ]
    if reasons:
        update_rows(PriceEvent._meta.db_table, ("why",), reasons)
    copy_rows(PriceEvent._meta.db_table, _COLUMNS, (row for identity, row in fresh.items() if identity not in standing))


def _row(offering: int, event: Event, source_ids: Mapping[str, int]) -> Row:
    claim = event.claim
    status = PriceEvent.Status.HELD if event.held else PriceEvent.Status.ACCEPTED
    return (
        offering, claim.unit, claim.qualifier, claim.service_tier, claim.context_from, claim.schedule, event.kind,
        str(status), _stored(event.old), _stored(event.new), claim.per, claim.currency, event.effective_from,
        event.observed_at, source_ids[claim.source], claim.id, event.why[:1000],
    )  # fmt: skip


def _stored(amount: Decimal | None) -> Decimal | None:
    """As the column keeps it, so that what is stored and what is recomputed compare equal."""
    return None if amount is None else amount.quantize(_CENT)
