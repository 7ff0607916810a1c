"""What changed: events of accepted prices, and claims held back until somebody decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pricing.answers.questions import BadQuestion, strange_cursor
from pricing.answers.questions import name as as_name
from pricing.answers.wording import decimal_text, moment_text
from pricing.models import PriceEvent, PriceSource
from pricing.providers import canonical
from pricing.querysets import after

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


def changes(window: Window) -> list[dict[str, Any]]:
    """The changes of a window, oldest first: accepted ones, and claims that are held."""
    return [change for _, change in numbered(window)]


def numbered(window: Window, told: int | None = None, most: int | None = None) -> list[tuple[int, dict[str, Any]]]:
    """The same with their ids: at most so many, and those after the one that was told last, which may be withdrawn."""
    asked = window.checked()
    provider = canonical(as_name(asked.provider, "provider")) if asked.provider else None
    found = PriceEvent.objects.between(asked.by, asked.start, asked.end)
    if asked.source is not None:
        found = found.filter(source__slug=asked.source)
    if provider:
        found = found.filter(offering__provider__slug=provider)
    order = (_TIME_OF[asked.by], *_OFFERING[:3], "unit", "pk")
    if told is not None:
        last = PriceEvent.objects.filter(pk=told).values(*order).first()
        if last is None:  # a cursor of another day of a database that was put back since
            raise strange_cursor()
        found = found.filter(after(last), **{f"{order[0]}__gte": last[order[0]]})  # the latter for the index
    rows = found.order_by(*order).values_list("pk", *_OFFERING, *_EVENT)[:most]
    return [(row[0], _as_json(row[1:])) for row in rows]


def _as_json(row: tuple[Any, ...]) -> dict[str, Any]:
    change = dict(zip(_FIELDS, row, strict=True))
    for amount in ("old", "new"):
        change[amount] = decimal_text(change[amount])
    for moment in ("effective_from", "observed_at", "recorded_at"):
        change[moment] = moment_text(change[moment])
    return change
