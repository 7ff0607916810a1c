"""What changed: events of accepted prices, and claims held back until somebody decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q

from pricing.answers.questions import BadQuestion
from pricing.answers.questions import name as as_name
from pricing.answers.wording import decimal_text, moment_text
from pricing.models import Disagreement, PriceEvent, PriceSource
from pricing.providers import canonical

BY: Final = ("observed", "effective", "recorded")
_OFFERING = ("offering__provider__slug", "offering__sku", "offering__region", "offering__model__slug")
_EVENT = (
    "unit", "qualifier", "service_tier", "context_from", "schedule", "kind", "status", "old", "new", "per", "currency",
    "effective_from", "observed_at", "recorded_at", "source__slug", "why",
)  # fmt: skip
_FIELDS = (
    "provider", "sku", "region", "model", "unit", "qualifier", "service_tier", "context_from", "schedule", "kind",
    "status", "old", "new", "per", "currency", "effective_from", "observed_at", "recorded_at", "source", "why",
)  # fmt: skip
_HELD_TIME_OF = {"observed": "claim__first_seen_at", "effective": "claim__effective_from", "recorded": "opened_at"}
_TIME_OF = {"observed": "observed_at", "effective": "effective_from", "recorded": "recorded_at"}


@dataclass(frozen=True, slots=True)
class Window:
    """Changes in [start, end) by one of their times; None = open. `by` is observed, effective or recorded."""

    start: datetime | None = None
    end: datetime | None = None
    by: str = "observed"
    source: str | None = None
    provider: str | None = None

    def checked(self) -> Window:
        if self.by not in BY:
            raise BadQuestion(f"by must be one of {', '.join(BY)}: it says which time of a change counts.", "by")
        if self.start and self.end and self.start >= self.end:
            raise BadQuestion("until must be after from: the range is [from, until).", "until")
        if self.source is not None and not PriceSource.objects.filter(slug=as_name(self.source, "source")).exists():
            known = ", ".join(PriceSource.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
            raise BadQuestion(f"There is no source {self.source[:60]!r}; there are: {known}.", "source")
        return self


def changes(window: Window, skip: int = 0, most: int | None = None) -> list[dict[str, Any]]:
    """The changes of a window, oldest first: accepted ones, and claims that are held."""
    asked = window.checked()
    provider = canonical(as_name(asked.provider, "provider")) if asked.provider else None
    found = PriceEvent.objects.between(asked.by, asked.start, asked.end)
    if asked.source is not None:
        found = found.filter(source__slug=asked.source)
    if provider:
        found = found.filter(offering__provider__slug=provider)
    rows = [*found.values_list(*_OFFERING, *_EVENT), *_held(asked, provider)]
    time = _FIELDS.index(_TIME_OF[asked.by])
    rows.sort(key=lambda row: (row[time], row[:9]))
    return [_as_json(row) for row in rows[skip : None if most is None else skip + most]]


def _held(asked: Window, provider: str | None) -> Iterator[tuple[Any, ...]]:
    """Held claims as rows of the same columns: what the price is and what the source would make it."""
    held = Disagreement.objects.filter(state=Disagreement.State.HELD).select_related(
        "accepted", "claim__source", "offering__provider", "offering__model"
    )
    if asked.source is not None:
        held = held.filter(claim__source__slug=asked.source)
    if provider:
        held = held.filter(offering__provider__slug=provider)
    column = _HELD_TIME_OF[asked.by]
    if asked.start is not None:
        held = held.filter(Q(**{f"{column}__gte": asked.start}))
    if asked.end is not None:
        held = held.filter(Q(**{f"{column}__lt": asked.end}))
    for row in held:
        claim, accepted, offering = row.claim, row.accepted, row.offering
        kind = "new"
        if accepted is not None:
            kind = "cut" if claim.amount * accepted.per < accepted.amount * claim.per else "rise"
        yield (
            offering.provider.slug, offering.sku, offering.region, offering.model.slug, claim.unit, claim.qualifier,
            claim.service_tier, claim.context_from, claim.schedule, kind, "held", accepted and accepted.amount,
            claim.amount, claim.per, claim.currency, claim.effective_from or claim.first_seen_at, claim.first_seen_at,
            row.opened_at, claim.source.slug, row.why,
        )  # fmt: skip


def _as_json(row: tuple[Any, ...]) -> dict[str, Any]:
    change = dict(zip(_FIELDS, row, strict=True))
    for amount in ("old", "new"):
        change[amount] = decimal_text(change[amount])
    for moment in ("effective_from", "observed_at", "recorded_at"):
        change[moment] = moment_text(change[moment])
    return change
