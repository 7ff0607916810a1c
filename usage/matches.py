"""What each rule decided lately: the money, the records, the last day; and how many dimensions it decides at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection

from usage.home_currency import CARDS, CURRENCY, KNOWN, summed_at_home
from usage.models import Organisation

DAYS = 30


@dataclass(frozen=True, slots=True)
class Match:
    """`spent` and `records` of the last 30 days by each feed's own word; `last` None: nothing in them. Money is in the
    currency of the organisation, without that of `unknown` records, which have no price, or no rate; None if all are.

    Of a rule that has never decided anything there is no match at all.
    """

    dimensions: int = 0
    records: int = 0
    spent: Decimal | None = Decimal(0)
    unknown: int = 0
    last: date | None = None


def matches(organisation: Organisation, today: date) -> dict[int | None, Match]:
    """By rule; None is what no rule decides."""
    with connection.cursor() as cursor:
        since, home = today - timedelta(days=DAYS - 1), organisation.display_currency
        cursor.execute(_MATCHES, {"organisation": organisation.pk, "since": since, "home": home})
        return {rule: Match(*found) for rule, *found in cursor.fetchall()}


# One pass over the days' records; who decides what is asked of the map, which knows no records.
_MATCHES = f"""
    WITH decided AS (
        SELECT t.rule_id, count(DISTINCT a.dimension_id) AS dimensions FROM usage_assignment a
        JOIN usage_attribution t ON t.id = a.attribution_id
        WHERE a.organisation_id = %(organisation)s GROUP BY 1
    ), lately AS (
        SELECT r.dimension_id, (r.occurred_at AT TIME ZONE 'UTC')::date AS day, {CURRENCY} AS currency,
            count(*) AS records, {KNOWN}
        FROM usage_usagerecord r {CARDS}
        WHERE r.organisation_id = %(organisation)s AND r.occurred_at >= %(since)s::timestamp AT TIME ZONE 'UTC'
        GROUP BY 1, 2, 3
    ), by_day AS (
        SELECT t.rule_id, l.day, l.currency, sum(l.records)::bigint AS records, sum(l.spent) AS spent,
            sum(l.known) AS known, sum(l.paid) AS paid FROM lately l
        JOIN usage_assignment a ON a.dimension_id = l.dimension_id AND l.day >= a.valid_from AND l.day < a.valid_until
        JOIN usage_attribution t ON t.id = a.attribution_id GROUP BY 1, 2, 3
    ), sums AS (
        SELECT rule_id, sum(records)::bigint AS records, max(day) AS last,
            {summed_at_home("by_day", "%(home)s", "%(organisation)s")}
        FROM by_day GROUP BY 1
    )
    SELECT d.rule_id, d.dimensions, coalesce(s.records, 0),
        CASE WHEN s.records IS NULL THEN 0 ELSE s.spent END, coalesce(s.unknown, 0), s.last
    FROM decided d LEFT JOIN sums s ON s.rule_id IS NOT DISTINCT FROM d.rule_id
"""
