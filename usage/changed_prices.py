"""Buckets inside which a list price changed: they are rated at the price of their start, and say so.

What they would cost at the lowest and at the highest price in force inside is rated when it is asked for: of the
flagged rows only, by the cards and the rule that rate every row, at each moment at which a price begins or ends.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from usage import rating, raw_costs
from usage.costs import Scope
from usage.exchange import Rates, days_of
from usage.ingest import rows
from usage.partitions import LEDGER
from usage.querysets import NOTIONAL
from usage.raw_costs import Rows
from usage.summing import is_foreign

_TABLE = f"""
CREATE TEMP TABLE IF NOT EXISTS usage_inside (LIKE {LEDGER}, low numeric, high numeric) ON COMMIT DELETE ROWS;
TRUNCATE usage_inside;
"""
_FLAGGED = f"""
    SELECT * FROM {LEDGER} WHERE organisation_id = %(organisation)s
    AND occurred_at >= %(from)s AND occurred_at < %(until)s AND rating_flags > 0
    AND rating_flags & {rating.PRICE_CHANGED_INSIDE} <> 0 AND list_cost IS NOT NULL AND cost_kind <> '{NOTIONAL}'"""
_USED = f"SELECT array_agg(DISTINCT offering_id), min(occurred_at), max(period_end) FROM ({_FLAGGED}) f"
_AT_MOMENT = ", ".join("m.at AS occurred_at" if name == "occurred_at" else f"f.{name}" for name in rows.COLUMNS)
_OF_LINE = """usage_band b ON b.offering_id = f.offering_id
    AND b.service_tier = CASE f.service_tier WHEN '' THEN 'standard' ELSE f.service_tier END"""
_FILL = f"""
    WITH flagged AS MATERIALIZED ({_FLAGGED}), moments AS (
        SELECT id, occurred_at AS at FROM flagged
        UNION SELECT f.id, m.at FROM flagged f JOIN {_OF_LINE}
            CROSS JOIN LATERAL (VALUES (b.starts), (b.ends)) m (at) WHERE m.at > f.occurred_at AND m.at < f.period_end
        UNION SELECT f.id, m.at FROM flagged f JOIN {_OF_LINE} JOIN usage_hours h ON h.schedule = b.schedule
            CROSS JOIN LATERAL (VALUES (h.starts), (h.ends)) m (at) WHERE m.at > f.occurred_at AND m.at < f.period_end
    ), asked AS (
        SELECT f.id, f.offering_id, {_AT_MOMENT} FROM flagged f JOIN moments m USING (id)
    ), found AS (
        SELECT x.id, min(x.list_cost) AS low, max(x.list_cost) AS high, bool_or(x.list_cost IS NULL) AS unknown
        FROM ({rating.rated("asked")}) x GROUP BY x.id
    )
    INSERT INTO usage_inside
    SELECT f.*, CASE WHEN NOT unknown THEN low END, CASE WHEN NOT unknown THEN high END
    FROM flagged f JOIN found USING (id) WHERE unknown OR low <> high"""
_INSIDE = Rows(
    "usage_inside",
    {
        "unknown": "(r.low IS NULL)::int",
        "list_cost": "CASE WHEN r.low IS NULL THEN 0 ELSE r.list_cost END",
        "low": "coalesce(r.low, 0)",
        "high": "coalesce(r.high, 0)",
    },
    ("unknown", "list_cost", "low", "high"),  # so that no part of an unknown record rounds to nothing
)


def coverage(scope: Scope) -> dict[str, Any]:
    """Of how many records in a list total the price changed inside them, and what they come to: `list` as rated, `low`
    and `high` at the least and the most they would cost at a price in force inside. `unknown` counts the records that
    have no price for a part of their time: they are in none of the three sums, which are None where there is no other.
    """
    found = _rows(scope)
    foreign = is_foreign(found, scope.organisation.display_currency)
    rates = Rates(scope.organisation, foreign, days_of(found))
    records: set[int] = set()
    unknown: set[int] = set()
    sums = dict.fromkeys(("list", "low", "high"), Decimal(0))
    for row in found:
        amounts = [
            rates.converted(row[f"sum_{name}"], row["list_currency"], row["key_day"])
            for name in ("list_cost", "low", "high")
        ]
        known = [amount for amount in amounts if amount is not None]
        if len(known) < len(amounts) or not (row["sum_unknown"] or row["sum_high"]):
            continue  # in no total either: without a rate, which it says, or told by another feed
        records.add(row["key_record"])
        if row["sum_unknown"]:
            unknown.add(row["key_record"])
        for name, amount in zip(sums, known, strict=True):
            sums[name] += amount
    is_known = len(records) > len(unknown) or not records
    return {
        "records": len(records),
        "unknown": len(unknown),
        **{name: f"{amount:f}" if is_known else None for name, amount in sums.items()},
    }


def _rows(scope: Scope) -> list[dict[str, Any]]:
    """Of each such record, and project where it is asked for, the sums of `_INSIDE`."""
    span: dict[str, Any] = {
        "organisation": scope.organisation.pk,
        "from": datetime.combine(scope.since or date(2000, 1, 1), time.min, UTC),
        "until": datetime.combine(scope.until or date(9999, 1, 1), time.min, UTC),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_USED, span)
        offerings, first, last = cursor.fetchone()
        if not offerings:
            return []
        rating.lay_out(offerings, first, last)
        cursor.execute(_TABLE)
        cursor.execute(_FILL, span)
        if not cursor.rowcount:
            return []
        return raw_costs.sums_by(
            scope.organisation.pk, scope.since, scope.until, ("record", "day"),
            projects=scope.projects, filters=scope.filters, of=_INSIDE,
        )  # fmt: skip
