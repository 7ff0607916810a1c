"""Rate what is in the ledger again, by today's names and prices: only rows that come out differently are touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction

from pricing.models import Price
from usage import assignments, rating, rollups, settling
from usage.dimensions import Names, matches_of, note_matches
from usage.ingest.writing import STAGE
from usage.locks import lock_organisation
from usage.models import ModelDailyCost, Organisation
from usage.partitions import existing, leaf, months

_TABLES = """
CREATE TEMP TABLE IF NOT EXISTS usage_named (dimension_id bigint, day date, offering_id bigint) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS usage_change (
    row tid, offering_id bigint, list_cost numeric, rate_card_id bigint,
    contracted_cost numeric, contract_card_id bigint, unpriced_reason text, rating_flags smallint
) ON COMMIT DELETE ROWS;
TRUNCATE usage_named, usage_change;
"""
_RATED_BY = (
    "in_uncached, in_cache_read, in_cache_write, cache_write_5m, cache_write_30m, cache_write_1h, cache_write_12h,"
    " out_total, out_reasoning, context_tokens, service_tier, grain, occurred_at, period_end, quality"
)


@dataclass(slots=True)
class Rerated:
    """How many records were looked at and changed, and what became of the changed ones."""

    records: int = 0
    changed: int = 0
    newly_priced: int = 0
    newly_unpriced: int = 0
    unpriced: int = 0


def rerate(organisation: Organisation, since: date | None = None, until: date | None = None) -> Rerated:
    """Rate an organisation's usage of [since, until) again, a month a transaction. Twice changes nothing twice."""
    result = Rerated()
    for first, end in _spans(since, until):
        with transaction.atomic():
            lock_organisation(organisation.pk)
            _month(organisation.pk, leaf(first), first, end, result)
    if any(rule.asks_catalogue for rule in assignments.rules_of(organisation.pk)):
        assignments.reattribute(organisation)  # what a name means decides whose it is
    return result


def months_to_rate(organisation: Organisation, since: datetime | None) -> list[date]:
    """Months of usage that the catalogue rates otherwise, perhaps, for what it learnt since a moment, the latest first.

    Those with offerings whose prices changed, from the day on of which a change speaks, and those with names that meant
    nothing and now do. None: all months.
    """
    used = ModelDailyCost.objects.filter(organisation=organisation)
    if since is None:
        return used.month_starts()
    months, changed = set[date](), Price.objects.changed_since(since)
    for offering in set(used.order_by().values_list("offering", flat=True).distinct()) & changed.keys():
        months.update(used.filter(offering=offering, day__gte=changed[offering].date()).month_starts())
    names = Names()
    for named in used.unresolved_names():
        days = {named["first"], named["last"]}
        if any(names.match(named["model_raw"], named["host"], day).offering_id is not None for day in days):
            months.update(used.filter(offering=None, model_raw=named["model_raw"], host=named["host"]).month_starts())
    return sorted(months, reverse=True)


def _spans(since: date | None, until: date | None) -> Iterator[tuple[datetime, datetime]]:
    """[from, until) within each month there is."""
    tables = sorted(existing())
    if not tables:
        return
    earliest, latest = (datetime.strptime(name[-8:], "y%Ym%m").replace(tzinfo=UTC) for name in (tables[0], tables[-1]))
    start = datetime.combine(since, time.min, UTC) if since else earliest
    stop = datetime.combine(until, time.min, UTC) if until else latest + timedelta(days=31)
    for month in months(max(start, earliest), min(stop, latest + timedelta(days=31))):
        if leaf(month) in tables:
            begin, end = max(start, month), min(stop, (month + timedelta(days=31)).replace(day=1))
            if begin < end:
                yield begin, end


def _month(organisation_id: int, table: str, first: datetime, end: datetime, result: Rerated) -> None:
    period: dict[str, Any] = {"organisation": organisation_id, "from": first, "until": end}
    with connection.cursor() as cursor:
        cursor.execute(STAGE + _TABLES)
        cursor.execute(
            f"""SELECT dimension_id, (occurred_at AT TIME ZONE 'UTC')::date, count(*) FROM {table}
            WHERE organisation_id = %(organisation)s AND occurred_at >= %(from)s AND occurred_at < %(until)s
            GROUP BY 1, 2 ORDER BY 2, 1""",
            period,
        )
        found = cursor.fetchall()
        if not found:
            return
        result.records += sum(records for *_, records in found)
        names = Names()
        matches = matches_of([(dimension_id, day) for dimension_id, day, _ in found], names)
        note_matches({dimension_id: matches[dimension_id, day] for dimension_id, day, _ in found}, names.version)
        with cursor.copy("COPY usage_named FROM STDIN") as copy:
            for (dimension_id, day), match in matches.items():
                copy.write_row((dimension_id, day, match.offering_id))
        offerings = {match.offering_id for match in matches.values() if match.offering_id is not None}
        contracted = rating.lay_out(offerings, first, end, organisation_id)
        cursor.execute("ANALYZE usage_named")
        cursor.execute(
            f"""WITH chosen AS (
                SELECT r.ctid AS row, n.offering_id, {_RATED_BY},
                    (r.offering_id, r.list_cost, r.rate_card_id, r.contracted_cost, r.contract_card_id,
                        r.unpriced_reason::text, r.rating_flags) AS was
                FROM {table} r JOIN usage_named n ON n.dimension_id = r.dimension_id
                    AND n.day = (r.occurred_at AT TIME ZONE 'UTC')::date
                WHERE r.organisation_id = %(organisation)s AND r.occurred_at >= %(from)s AND r.occurred_at < %(until)s
            )
            INSERT INTO usage_change
            SELECT x.row, x.offering_id, x.list_cost, x.rate_card_id, x.contracted_cost, x.contract_card_id,
                x.unpriced_reason, x.rating_flags
            FROM ({rating.rated("chosen", contracted=contracted)}) x WHERE x.was IS DISTINCT FROM
                (x.offering_id, x.list_cost::numeric(24, 12), x.rate_card_id, x.contracted_cost::numeric(24, 12),
                    x.contract_card_id, x.unpriced_reason, x.rating_flags)""",
            period,
        )
        result.changed += cursor.rowcount
        if cursor.rowcount:
            _apply(organisation_id, table, result)
        cursor.execute(
            f"""SELECT count(*) FROM {table} WHERE list_cost IS NULL AND organisation_id = %(organisation)s
            AND occurred_at >= %(from)s AND occurred_at < %(until)s""",
            period,
        )
        result.unpriced += cursor.fetchone()[0]


def _apply(organisation_id: int, table: str, result: Rerated) -> None:
    """Change the rows of `usage_change` and post the difference."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE usage_change")
        cursor.execute(
            f"""INSERT INTO usage_gone SELECT r.* FROM {table} r JOIN usage_change c ON c.row = r.ctid;
            WITH changed AS (
                UPDATE {table} r SET offering_id = c.offering_id, list_cost = c.list_cost,
                    rate_card_id = c.rate_card_id, contracted_cost = c.contracted_cost,
                    contract_card_id = c.contract_card_id, unpriced_reason = c.unpriced_reason,
                    rating_flags = c.rating_flags
                FROM usage_change c WHERE c.row = r.ctid RETURNING r.*
            ) INSERT INTO usage_fresh SELECT * FROM changed"""
        )
        cursor.execute(
            "SELECT count(*) FILTER (WHERE g.list_cost IS NULL AND f.list_cost IS NOT NULL),"
            " count(*) FILTER (WHERE g.list_cost IS NOT NULL AND f.list_cost IS NULL)"
            " FROM usage_gone g JOIN usage_fresh f USING (id)"
        )
        priced, unpriced = cursor.fetchone()
        result.newly_priced += priced
        result.newly_unpriced += unpriced
        rollups.post("usage_gone", -1)
        rollups.post("usage_fresh", 1)
        days = settling.days_of("usage_gone")
        rollups.sweep(organisation_id, days)
        settling.settle(organisation_id, days)
