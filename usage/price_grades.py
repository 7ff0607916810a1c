"""On prices of which grade money stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from pricing.acceptance import grade_of
from pricing.models import Price
from usage.querysets import NOTIONAL


def by_grade(rows: Sequence[dict[str, Any]]) -> dict[str, Decimal]:
    """List cost of rows by offering, tier and day, by grade: the worse of input and output price on its day."""
    counted = [
        row for row in rows if row["cost_kind"] != NOTIONAL and row["key_offering"] is not None and row["sum_list_cost"]
    ]
    prices: dict[tuple[int, str], list[Price]] = defaultdict(list)
    known = Price.objects.known_at().filter(
        offering__in={row["key_offering"] for row in counted}, unit__in=("input", "output"), context_from=0, schedule=""
    )
    for price in known.order_by("effective_from"):
        prices[price.offering_id, price.service_tier].append(price)
    found: dict[str, Decimal] = defaultdict(Decimal)
    for row in counted:
        asked_at = datetime.combine(row["key_day"], time.min, UTC)
        tier = row["key_service_tier"] or "standard"
        candidates = prices.get((row["key_offering"], tier)) or prices.get((row["key_offering"], "standard"), [])
        found[_worst(candidates, asked_at)] += row["sum_list_cost"]
    return dict(sorted(found.items()))


def _worst(prices: Iterable[Price], asked_at: datetime) -> str:
    end = asked_at.replace(hour=23, minute=59, second=59)
    found = [
        grade_of(price, asked_at)
        for price in prices
        if price.effective_from <= end and (price.effective_until is None or price.effective_until > asked_at)
    ]
    return max(found, default="unknown")
