"""Cache writes by the lifetime that their record states: the rollups know their sum only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any, Final

from pricing.units import LIFETIMES
from usage import raw_costs
from usage.models import Organisation
from usage.querysets import NOTIONAL
from usage.raw_costs import Rows

_LIFETIMES: Final = tuple(f"cache_write_{lifetime}" for lifetime in LIFETIMES)
_OF: Final = Rows(measures={name: f"r.{name}" for name in _LIFETIMES}, money=(), only="w.tallied")


def by_lifetime(
    organisation: Organisation,
    since: date,
    until: date,
    offerings: Collection[int],
    projects: Iterable[int] | None = None,
) -> list[dict[str, Any]]:
    """Tokens written to caches by lifetime, offering, service tier and project (its slug, None for none).

    Of the records that a sum of tokens counts, in UTC days [since, until); notional usage is left out. No query where
    no offerings are asked for.
    """
    if not offerings:
        return []
    narrowed: dict[str, Sequence[Any]] = {"offering": sorted(offerings)}
    rows = raw_costs.sums_by(
        organisation.pk, since, until, ("offering", "service_tier", "project"),
        projects=None if projects is None else sorted(projects), filters=narrowed, of=_OF,
    )  # fmt: skip
    return [
        {
            "offering_id": row["key_offering"], "service_tier": row["key_service_tier"], "project": row["key_project"],
            **{name: row[f"sum_{name}"] for name in _LIFETIMES},
        }
        for row in rows
        if row["cost_kind"] != NOTIONAL
    ]  # fmt: skip
