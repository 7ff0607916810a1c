"""The past usage at another day's list prices: the ledger's rows, rated anew by the cards of that day.

Context tiers, service tiers and schedules choose as ever, by each row's own tokens and time; only the moment of the
price is another. What has no price that day is unpriced. Contracts, bills and what was reported are left out, as they
are of their own time.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from usage import rating
from usage.ingest import rows
from usage.models import ModelDailyCost
from usage.partitions import LEDGER

_KEPT = ", ".join(
    (
        *("id", "organisation_id", "connection_id", "batch_id", "dimension_id", "offering_id", "content_hash"),
        *rows.COLUMNS,
        "revision",
    )
)
REPRICED = f"""({
    rating.rated(
        f"(SELECT {_KEPT} FROM {LEDGER} WHERE organisation_id = %s AND occurred_at >= %s AND occurred_at < %s)"
    )
})"""
"""A relation like the ledger, of one organisation and span (its three parameters), after `lay_out`."""


def lay_out(organisation_id: int, since: date | None, until: date | None, day: date) -> None:
    """Put the prices at the beginning of a UTC day where `REPRICED` finds them, for usage of [since, until)."""
    found = ModelDailyCost.objects.filter(organisation=organisation_id).exclude(offering=None)
    found = found if since is None else found.filter(day__gte=since)
    found = found if until is None else found.filter(day__lt=until)
    used = set(found.order_by().values_list("offering_id", "day").distinct())
    days = [when for _, when in used] or [day]
    first, last = (datetime.combine(when, time.min, UTC) for when in (min(days), max(days)))
    offerings = {offering for offering, _ in used if offering is not None}
    rating.lay_out(offerings, first, last + timedelta(days=1), at=datetime.combine(day, time.min, UTC))
