"""A change of an accepted price as the pages read it: one row for `/changes` and for a model's own page. Pure."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from pricing.acceptance import FIRST_SALE

EVENT_COLUMNS = (
    "pk", "offering_id", "unit", "qualifier", "service_tier", "context_from", "schedule", "kind", "status", "old",
    "new", "per", "currency", "effective_from", "observed_at", "why", "claim_id", "source__slug", "source__name",
    "offering__model__slug", "offering__sku", "offering__region", "offering__provider__slug",
)  # fmt: skip
"""What the columns of `EventRow` are called from `PriceEvent`."""

Terms = tuple[str, str, int, str]
"""Service tier, qualifier, context tier, schedule: the terms a unit is priced on."""
PLAIN: Terms = ("standard", "", 0, "")


class EventRow(NamedTuple):
    """An event as its row holds it."""

    pk: int
    offering_id: int
    unit: str
    qualifier: str
    service_tier: str
    context_from: int
    schedule: str
    kind: str
    status: str
    old: Decimal | None
    new: Decimal | None
    per: int
    currency: str
    effective_from: datetime
    observed_at: datetime
    why: str
    claim_id: int | None
    source: str
    source_name: str
    model_slug: str
    sku: str
    region: str
    provider: str

    @property
    def terms(self) -> Terms:
        return (self.service_tier, self.qualifier, self.context_from, self.schedule)

    @property
    def key(self) -> tuple[int, str, str, str, int, str]:
        """The price line it is about."""
        return (self.offering_id, self.unit, self.qualifier, self.service_tier, self.context_from, self.schedule)

    @property
    def since(self) -> datetime | None:
        """From when the new price holds, or the old one was wrong; None where nobody states since when."""
        return None if self.effective_from == FIRST_SALE else self.effective_from

    @property
    def is_plain(self) -> bool:
        """The plain list price: standard tier, short prompt, any hour."""
        return self.terms == PLAIN
