"""What chose among an offering's prices: reported with the usage, or assumed where it was not.

Assumed are the base context (`rating.CONTEXT_TIER_UNKNOWN`), the standard service tier of an offering that is sold in
others that day too, and no region where the same sku is sold in regions at prices of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef

from pricing.models import Offering, RateCard
from usage.partitions import LEDGER
from usage.rating import CONTEXT_TIER_UNKNOWN

KEYS = ("offering", "service_tier", "day")
CONTEXT_UNKNOWN = f"(SELECT * FROM {LEDGER} WHERE rating_flags > 0 AND rating_flags & {CONTEXT_TIER_UNKNOWN} <> 0)"
"""The rows of the ledger whose context was assumed, by the index of flagged ones."""
ALL_REPORTED = f"""(r.rating_flags & {CONTEXT_TIER_UNKNOWN} = 0
    AND (r.service_tier <> '' OR NOT EXISTS (
        SELECT FROM pricing_ratecard t WHERE t.offering_id = r.offering_id AND t.known_until IS NULL
            AND t.contract = '' AND t.service_tier <> 'standard'
            AND t.effective_from < (r.day + 1)::timestamp AT TIME ZONE 'UTC'
            AND (t.effective_until IS NULL OR t.effective_until > r.day::timestamp AT TIME ZONE 'UTC')))
    AND (o.id IS NULL OR o.region <> '' OR NOT EXISTS (
        SELECT FROM pricing_offering g WHERE g.provider_id = o.provider_id AND g.sku = o.sku AND g.region <> '')))"""
"""Of a row `r` of the ledger with its `day` and offering `o`: the twin of `known`."""


def known(rows: Sequence[dict[str, Any]], without_context: Sequence[dict[str, Any]]) -> dict[str, Decimal]:
    """List cost of rows by `KEYS` whose selectors were reported: `all` of them, and each by itself.

    `without_context` is what of it has an assumed context, by the same keys.
    """
    used = {row["key_offering"] for row in rows if row["key_offering"] is not None}
    tiers, regional = _other_tiers(used), _sold_in_regions(used)
    loose: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for row in without_context:
        loose[_key(row)] += row["sum_list_cost"]
    whole: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for row in rows:
        whole[_key(row)] += row["sum_list_cost"]
    found = dict.fromkeys(("all", "context", "service_tier", "region"), Decimal(0))
    for key, cost in whole.items():
        offering, tier, day = key
        context = cost - min(cost, loose[key])  # of a closed month the ledger may know more than is official
        by_tier = tier != "" or not any(_holds(span, day) for span in tiers[offering])
        by_region = offering not in regional
        found["context"] += context
        found["service_tier"] += cost if by_tier else 0
        found["region"] += cost if by_region else 0
        found["all"] += context if by_tier and by_region else 0
    return found


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[f"key_{name}"] for name in KEYS)


def _other_tiers(offerings: Collection[int]) -> dict[int, list[tuple[datetime, datetime | None]]]:
    """The times in which offerings are sold in another tier than the standard one."""
    found: dict[int, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    cards = RateCard.objects.current().filter(offering__in=offerings, contract="").exclude(service_tier="standard")
    for offering, starts, ends in cards.values_list("offering_id", "effective_from", "effective_until").distinct():
        found[offering].append((starts, ends))
    return found


def _holds(span: tuple[datetime, datetime | None], day: date) -> bool:
    starts, ends = span
    midnight = datetime.combine(day, time.min, UTC)
    return starts < midnight + timedelta(days=1) and (ends is None or ends > midnight)


def _sold_in_regions(offerings: Collection[int]) -> set[int]:
    """Those bound to no region whose sku is also sold in some."""
    same = Offering.objects.filter(provider=OuterRef("provider"), sku=OuterRef("sku")).exclude(region="")
    return set(Offering.objects.filter(Exists(same), pk__in=offerings, region="").values_list("pk", flat=True))
