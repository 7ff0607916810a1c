"""Whether the ledger keeps its promises: every check reads the stored rows and recomputes what should be there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Sum

from usage import periods, rollups, settling, spending
from usage.assignments import mapped_otherwise, reattribute, unknown_projects
from usage.locks import lock_organisation
from usage.models import (
    AttributionRule,
    DailyCost,
    ModelDailyCost,
    OfferingDailyCost,
    OfficialDailyCost,
    OfficialModelDailyCost,
    OfficialOfferingDailyCost,
    OfficialProjectDailyCost,
    Organisation,
    PendingDailyCost,
    PendingModelDailyCost,
    PendingOfferingDailyCost,
    PendingProjectDailyCost,
    Period,
    ProjectDailyCost,
)
from usage.partitions import LEDGER, existing
from usage.questions import MONEY

_SUMMED = {f"sum_{name}": Sum(name) for name in rollups.MEASURES}
SHOWN = 20
"""Offending rows a check names; there may be more."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise that does not hold: which check, where, and what is wrong, in a sentence."""

    check: str
    where: str
    problem: str


def checks() -> Iterator[Finding]:
    """Every breach that can be found, a check after the other."""
    for check in (
        _rollups_equal_ledger,
        _feeds_are_settled,
        _tokens_disjoint,
        _costs_follow_their_cards,
        _lines_add_up,
        _unknown_is_not_zero,
        _keys_once_across_months,
        _weights_sum_to_one,
        _references_exist,
        _closed_rows_stand_still,
        _closed_totals_stand,
        _official_sums_agree,
        _official_and_pending_are_the_ledger,
    ):
        yield from check()


def repair() -> int:
    """Ask the rules again where the map differs from them, then recompute the days on which a rollup differs from the
    ledger; how many days."""
    for organisation in Organisation.objects.all():
        if mapped_otherwise(organisation.pk):
            reattribute(organisation)
    days = _dirty_days()
    for organisation_id, dirty in days.items():
        with transaction.atomic():
            lock_organisation(organisation_id)
            rollups.rebuild(organisation_id, sorted(dirty))
            settling.settle(organisation_id, dirty)
    for organisation in Organisation.objects.all():
        unsettled = set(settling.unsettled_days(organisation.pk))
        if unsettled:
            settling.settle_all(organisation)
            days.setdefault(organisation.pk, set()).update(unsettled)
    return sum(len(dirty) for dirty in days.values())


def _rollups_equal_ledger() -> Iterator[Finding]:
    for organisation_id, days in _dirty_days().items():
        for day in sorted(days)[:SHOWN]:
            yield Finding("rollups", f"organisation {organisation_id}, {day}", "The rollups are not the ledger's sums.")


def _feeds_are_settled() -> Iterator[Finding]:
    for organisation_id in Organisation.objects.values_list("id", flat=True):
        for day in settling.unsettled_days(organisation_id)[:SHOWN]:
            problem = "Which feed gives the money of this day is not what the feeds come to."
            yield Finding("feeds", f"organisation {organisation_id}, {day}", problem)


def _dirty_days() -> dict[int, set[date]]:
    """Days on which any rollup differs in any column from what the ledger sums to."""
    by_project = "(TABLE project_sums UNION ALL TABLE spread_sums) parts"
    sources = {
        "usage_dailycost": by_project,
        "usage_projectdailycost": f"({rollups.by(rollups.OWNER_KEY, by_project)}) owned",
    }
    found: dict[int, set[date]] = {}
    for organisation_id in Organisation.objects.values_list("id", flat=True):
        for table, (posted, key) in rollups.ROLLUPS.items():
            columns = ", ".join((*key, *rollups.MEASURES))
            something = " OR ".join(f"{name} <> 0" for name in rollups.MEASURES)
            with connection.cursor() as cursor:
                cursor.execute(
                    f"""WITH chosen AS (SELECT * FROM {LEDGER} WHERE organisation_id = %(organisation)s),
                    {rollups.sums("chosen")},
                    wanted AS (SELECT {columns} FROM {sources.get(table, posted)} WHERE {something}),
                    stored AS (SELECT {columns} FROM {table} WHERE organisation_id = %(organisation)s AND ({something}))
                    SELECT DISTINCT day FROM (
                        (SELECT * FROM wanted EXCEPT ALL SELECT * FROM stored)
                        UNION ALL (SELECT * FROM stored EXCEPT ALL SELECT * FROM wanted)) difference""",
                    {"organisation": organisation_id},
                )
                days = {day for (day,) in cursor.fetchall()}
            if days:
                found.setdefault(organisation_id, set()).update(days)
    return found


def _tokens_disjoint() -> Iterator[Finding]:
    """The database refuses these; a dump restored without its constraints would not."""
    yield from _rows(
        "tokens",
        f"""SELECT record_key FROM {LEDGER} WHERE out_reasoning > out_total
        OR cache_write_5m + cache_write_30m + cache_write_1h + cache_write_12h > in_cache_write
        OR (in_cache_write IS NULL AND cache_write_5m + cache_write_30m + cache_write_1h + cache_write_12h > 0)
        OR LEAST(in_uncached, in_cache_read, in_cache_write, out_total, out_reasoning, requests) < 0""",
        "Its token counts are not disjoint parts.",
    )


_RECOMPUTED = """round(
    coalesce(r.in_uncached * CASE WHEN r.in_uncached > 0 THEN c.input ELSE 0 END, 0)
    + coalesce(r.in_cache_read * CASE WHEN r.in_cache_read > 0 THEN c.cache_read ELSE 0 END, 0)
    + coalesce(r.cache_write_5m * coalesce(c.cache_write_5m, c.cache_write), 0)
    + coalesce(r.cache_write_30m * coalesce(c.cache_write_30m, c.cache_write), 0)
    + coalesce(r.cache_write_1h * coalesce(c.cache_write_1h, c.cache_write), 0)
    + coalesce(r.cache_write_12h * coalesce(c.cache_write_12h, c.cache_write), 0)
    + coalesce((r.in_cache_write - r.cache_write_5m - r.cache_write_30m - r.cache_write_1h - r.cache_write_12h)
        * c.cache_write, 0)
    + coalesce((r.out_total - CASE WHEN c.reasoning IS NULL THEN 0 ELSE coalesce(r.out_reasoning, 0) END)
        * c.output, 0)
    + coalesce(r.out_reasoning * c.reasoning, 0), 12)"""


def _costs_follow_their_cards() -> Iterator[Finding]:
    yield from _rows(
        "costs",
        f"""SELECT r.record_key FROM {LEDGER} r JOIN pricing_ratecard c ON c.id = r.rate_card_id
        WHERE r.list_cost <> {_RECOMPUTED} OR c.offering_id <> r.offering_id OR r.occurred_at < c.effective_from
        OR r.occurred_at >= c.effective_until
        OR c.service_tier <> CASE r.service_tier WHEN '' THEN 'standard' ELSE r.service_tier END""",
        "Its cost is not what its rate card gives.",
    )

    yield from _rows(
        "costs",
        f"""SELECT r.record_key FROM {LEDGER} r JOIN usage_contractcard c ON c.id = r.contract_card_id
        WHERE r.contracted_cost <> {_RECOMPUTED} OR c.offering_id IS DISTINCT FROM r.offering_id
        OR c.organisation_id <> r.organisation_id OR c.rate_card_id <> r.rate_card_id
        OR c.service_tier <> CASE r.service_tier WHEN '' THEN 'standard' ELSE r.service_tier END
        OR (SELECT count(*) FROM usage_contract t WHERE t.id = ANY(c.contracts)
            AND t.organisation_id = r.organisation_id AND t.effective_from <= (r.occurred_at AT TIME ZONE 'UTC')::date
            AND coalesce(t.effective_until > (r.occurred_at AT TIME ZONE 'UTC')::date, true))
            <> cardinality(c.contracts)""",
        "Its contracted cost is not what its contract card gives, or its contracts do not hold at its time.",
    )


def _lines_add_up() -> Iterator[Finding]:
    yield from _rows(
        "lines",
        """SELECT id::text FROM usage_importbatch WHERE lines <> imported + updated + duplicate
        + coalesce((SELECT sum(value::bigint) FROM jsonb_each_text(ignored)), 0)
        + coalesce((SELECT sum(value::bigint) FROM jsonb_each_text(rejected)), 0)""",
        "The lines of this import do not add up.",
    )


def _unknown_is_not_zero() -> Iterator[Finding]:
    yield from _rows(
        "unknown",
        f"""SELECT r.record_key FROM {LEDGER} r LEFT JOIN pricing_ratecard c ON c.id = r.rate_card_id
        WHERE (r.list_cost IS NULL) <> (r.unpriced_reason IS NOT NULL) OR (r.list_cost IS NULL) <> (c.id IS NULL)
        OR (r.list_cost IS NOT NULL AND (r.in_uncached > 0 AND c.input IS NULL OR r.out_total > 0 AND c.output IS NULL
            OR r.in_cache_read > 0 AND c.cache_read IS NULL OR r.in_uncached IS NULL AND r.out_total IS NULL))""",
        "It has a cost although a price or its tokens are not known, or none without a reason.",
    )


def _keys_once_across_months() -> Iterator[Finding]:
    tables = sorted(existing())
    for early, late in zip(tables, tables[1:], strict=False):
        yield from _rows(
            "identity",
            f"""SELECT a.record_key FROM {early} a JOIN {late} b USING (organisation_id, connection_id, record_key)
            WHERE a.occurred_at >= date_trunc('month', b.occurred_at, 'UTC') - interval '72 hours'
            AND b.occurred_at < date_trunc('month', b.occurred_at, 'UTC') + interval '72 hours'""",
            "One record stands in two months.",
        )


def _weights_sum_to_one() -> Iterator[Finding]:
    yield from _rows(
        "attribution",
        """SELECT id::text FROM usage_attribution WHERE cardinality(projects) <> cardinality(weights)
        OR (cardinality(weights) > 0 AND (SELECT sum(w) FROM unnest(weights) w) <> 1)""",
        "The weights of this attribution do not sum to 1.",
    )
    for project in unknown_projects():
        yield Finding("attribution", f"project {project}", "Usage is attributed to a project that does not exist.")
    for organisation_id in Organisation.objects.values_list("id", flat=True):
        for dimension in mapped_otherwise(organisation_id)[:SHOWN]:
            yield Finding("attribution", f"dimension {dimension}", "Its projects are not what the rules say.")
    for rule in AttributionRule.objects.filter(version=0)[:SHOWN]:
        yield Finding("attribution", f"rule {rule.pk}", "The rule was never applied.")


def _references_exist() -> Iterator[Finding]:
    """The ledger has no foreign keys: three of them would halve an import."""
    for column, table in (
        ("organisation_id", "usage_organisation"),
        ("connection_id", "usage_connection"),
        ("dimension_id", "usage_usagedimension"),
        ("batch_id", "usage_importbatch"),
        ("offering_id", "pricing_offering"),
        ("rate_card_id", "pricing_ratecard"),
        ("contract_card_id", "usage_contractcard"),
    ):
        yield from _rows(
            "references",
            f"""SELECT DISTINCT r.{column}::text FROM {LEDGER} r WHERE r.{column} IS NOT NULL
            AND NOT EXISTS (SELECT FROM {table} t WHERE t.id = r.{column})""",
            f"The ledger names a row of {table} that does not exist.",
        )
    for column, table in (
        ("connection_id", "usage_connection"),
        ("dimension_id", "usage_usagedimension"),
        ("batch_id", "usage_importbatch"),
        ("contract_card_id", "usage_contractcard"),
    ):
        yield from _rows(
            "references",
            f"""SELECT DISTINCT r.{column}::text FROM {LEDGER} r JOIN {table} t ON t.id = r.{column}
            WHERE t.organisation_id <> r.organisation_id""",
            f"The ledger names a row of {table} that is another organisation's.",
        )
    yield from _rows(
        "references",
        f"""SELECT DISTINCT r.dimension_id::text FROM {LEDGER} r WHERE NOT EXISTS (
            SELECT FROM usage_assignment a WHERE a.dimension_id = r.dimension_id
            AND (r.occurred_at AT TIME ZONE 'UTC')::date >= a.valid_from
            AND (r.occurred_at AT TIME ZONE 'UTC')::date < a.valid_until)""",
        "Its records are in no rollup, as nothing maps the dimension to an attribution.",
    )


def _closed_rows_stand_still() -> Iterator[Finding]:
    """The rows of every closing and restatement still sum to what was noted when they were written."""
    for period in Period.objects.select_related("organisation").prefetch_related("restatements"):
        for made in (None, *period.restatements.all()):
            noted, found = (period if made is None else made).sums, periods.sums_of(period, made)
            if any(found.get(name) != amount for name, amount in noted.items()):
                where = f"organisation {period.organisation_id}, {period}" + (
                    f", restatement {made.pk}" if made else ""
                )
                yield Finding("periods", where, "The official rows are not what was closed or restated.")
    for table in (
        "usage_officialcost",
        "usage_officialmodelcost",
        "usage_officialprojectcost",
        "usage_officialofferingcost",
    ):
        yield from _rows(
            "periods",
            f"""SELECT '{table} ' || o.id FROM {table} o JOIN usage_period p ON p.id = o.period_id
            LEFT JOIN usage_restatement s ON s.id = o.restatement_id
            WHERE o.organisation_id <> p.organisation_id OR date_trunc('month', o.day::timestamp)::date <> p.month
            OR s.period_id <> p.id OR o.undone <> (s.undone_at IS NOT NULL)""",
            "It stands in another month than it was closed or restated in, or counts although it was undone.",
        )


def _closed_totals_stand() -> Iterator[Finding]:
    """A month that no restatement moves has the money that was noted when it was closed, in the same currency."""
    for period in Period.objects.select_related("organisation"):
        noted, display = period.figures, period.organisation.display_currency
        if noted.get("currency") != display or period.restatements.standing().exists():
            continue
        found = spending.report(period.organisation, period.month, period.until, grades=False)["total"]
        told = [name for name in MONEY if name in noted["total"]]
        if any(_amount(noted["total"][name]) != _amount(found[name]) for name in told):
            yield Finding(
                "periods", f"organisation {period.organisation_id}, {period}", "Its total is not what was closed."
            )


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _official_sums_agree() -> Iterator[Finding]:
    """The official figures of the smaller rollups are the sums of those by project and model."""
    summed = ", ".join(f"sum({name})" for name in rollups.MEASURES)
    something = " OR ".join(f"sum({name}) <> 0" for name in rollups.MEASURES)
    for table, key, problem in (
        ("usage_officialmodelcost", rollups.KEY, "The official figures by model are not those by project."),
        ("usage_officialprojectcost", rollups.OWNER_KEY, "The official figures by project alone are not those by all."),
        (
            "usage_officialofferingcost",
            rollups.OFFERING_KEY,
            "The official figures by offering alone are not those by all.",
        ),
    ):
        columns = ", ".join(("period_id", "restatement_id", *key))
        stored, whole = (
            f"SELECT {columns}, {summed} FROM {name} GROUP BY {columns} HAVING {something}"
            for name in (table, "usage_officialcost")
        )
        yield from _rows(
            "periods",
            f"""SELECT DISTINCT 'organisation ' || organisation_id || ', ' || day FROM (
                (({stored}) EXCEPT ALL ({whole})) UNION ALL (({whole}) EXCEPT ALL ({stored}))
            ) difference""",
            problem,
        )


def _official_and_pending_are_the_ledger() -> Iterator[Finding]:
    """By every day, as the reads of pages and answers choose them."""
    for organisation_id in Organisation.objects.filter(periods__isnull=False).distinct().values_list("id", flat=True):
        for ledger, official, pending in (
            (DailyCost, OfficialDailyCost, PendingDailyCost),
            (ModelDailyCost, OfficialModelDailyCost, PendingModelDailyCost),
            (ProjectDailyCost, OfficialProjectDailyCost, PendingProjectDailyCost),
            (OfferingDailyCost, OfficialOfferingDailyCost, PendingOfferingDailyCost),
        ):
            sums = {
                name: {row.pop("day"): row for row in rows.values("day").annotate(**_SUMMED).order_by()}
                for name, rows in (
                    ("ledger", ledger._default_manager.filter(organisation=organisation_id)),
                    ("official", official.objects.whole(organisation_id)),
                    ("pending", pending.objects.whole(organisation_id)),
                )
            }
            for day in sorted(set().union(*sums.values())):
                of = {name: found.get(day, {}) for name, found in sums.items()}
                if any(
                    of["official"].get(name, 0) + of["pending"].get(name, 0) != of["ledger"].get(name, 0)
                    for name in _SUMMED
                ):
                    where = f"organisation {organisation_id}, {day}"
                    yield Finding("periods", where, "Official and pending figures are not the ledger's.")


def _rows(check: str, query: str, problem: str) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(f"{query} LIMIT {SHOWN}")
        for (where,) in cursor.fetchall():
            yield Finding(check, where, problem)
