"""Accepted price changes by page, the newest first."""

from __future__ import annotations

from dataclasses import dataclass

from pricing.answers.listing import model_slug, read_place, written_place
from pricing.answers.questions import name as as_name
from pricing.models import PriceEvent
from pricing.providers import canonical


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose changes; None = anybody's. `model` is a slug, or a name that resolves to one."""

    provider: str | None = None
    model: str | None = None


def newest(asked: Asked, limit: int, cursor: str | None = None) -> tuple[list[PriceEvent], str | None]:
    """A page of events with their names, and the cursor of the next; what comes in meanwhile moves nothing."""
    place = None
    if cursor:
        event, shown = read_place(cursor, asked)
        place = (shown, event) if shown else None
    found = PriceEvent.objects.newest_first(place)
    if asked.provider:
        found = found.filter(offering__provider__slug=canonical(as_name(asked.provider, "provider")))
    if asked.model:
        found = found.filter(offering__model__slug=model_slug(as_name(asked.model, "model")))
    page = list(found.select_related("offering__provider", "offering__model", "source")[: limit + 1])
    if len(page) <= limit:
        return page, None
    last = page[limit - 1]
    return page[:limit], written_place(last.pk, asked, last.observed_at)
