"""What a change of the rules would move, before anybody makes it: the change is made, looked at, and taken back.

So a preview is exact by construction, with feeds that meet and splits that round: it is the difference of the very
rollups. It holds the organisation's lock as long as the change itself would.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from usage.attributes import Reading
from usage.attribution import Rule, compiled
from usage.home_currency import CARDS, CURRENCY, KNOWN, summed_at_home
from usage.locks import lock_organisation
from usage.models import AttributionRule, Organisation, Period, UsageDimension

MOST = 50
"""Dimensions a preview lists, the dearest first."""
Change = Callable[[], AttributionRule | None]
"""Makes the change; the rule it makes or keeps, None where it takes one away."""


@dataclass(frozen=True, slots=True)
class Move:
    """What goes from one project to another in a month; None is unattributed. `spent` and `cost` (list) in
    `currency`, both None of what has no price; a split record's parts count as parts."""

    month: date
    source: int | None
    target: int | None
    currency: str
    spent: Decimal | None
    cost: Decimal | None
    records: int


@dataclass(frozen=True, slots=True)
class Caught:
    """A dimension that a rule decides: its records and what they cost by its own feed's word, in the currency of the
    organisation, without that of `unknown` records, which have no price, or no rate; None where all have."""

    dimension: UsageDimension
    records: int
    spent: Decimal | None
    unknown: int
    last: date


@dataclass(frozen=True, slots=True)
class CaughtInAll:
    """What a rule decides: the dearest dimensions, and how many dimensions, records and money in all."""

    dearest: Sequence[Caught] = ()
    dimensions: int = 0
    records: int = 0
    spent: Decimal | None = Decimal(0)
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """An earlier rule that decides dimensions which the conditions hold for too."""

    rule_id: int
    name: str
    dimensions: int


@dataclass(slots=True)
class Preview:
    """`dimensions` and `records` change hands; `caught` is what the rule decides then."""

    moves: list[Move]
    dimensions: int
    records: int
    closed_months: list[date]
    caught: CaughtInAll = CaughtInAll()
    held: list[Held] = field(default_factory=list)

    @property
    def moved(self) -> Decimal:
        """Money that changes hands, in all months; of one currency only where there is one."""
        return sum((move.spent or Decimal(0) for move in self.moves), Decimal(0))


def preview(organisation: Organisation, change: Change) -> Preview:
    """What `change` would move; nothing is changed. RuleFault of the change passes through."""
    with transaction.atomic():
        lock_organisation(organisation.pk)
        with connection.cursor() as cursor:
            cursor.execute(_BEFORE, [organisation.pk, organisation.pk])
        rule = change()
        found = _looked_at(organisation, rule)
        transaction.set_rollback(True)
    return found


def caught_by(organisation: Organisation, rule: AttributionRule) -> CaughtInAll:
    """What a rule decides now."""
    with connection.cursor() as cursor:
        home = organisation.display_currency
        cursor.execute(_CAUGHT, {"organisation": organisation.pk, "rule": rule.pk, "home": home, "most": MOST})
        rows = cursor.fetchall()
    dimensions = UsageDimension.objects.select_related("connection").in_bulk([row[0] for row in rows])
    dearest = [Caught(dimensions[pk], *said) for pk, *said in (row[:5] for row in rows)]
    return CaughtInAll(dearest, *rows[0][5:]) if rows else CaughtInAll()


def _looked_at(organisation: Organisation, rule: AttributionRule | None) -> Preview:
    with connection.cursor() as cursor:
        cursor.execute(_MOVED, [organisation.pk])
        moves = _moves(cursor.fetchall())
        cursor.execute(_CHANGED, [organisation.pk, organisation.pk])
        dimensions, records, months = cursor.fetchone()
    closed = Period.objects.filter(organisation=organisation, month__in=months or []).order_by("month")
    found = Preview(moves, dimensions, records, list(closed.values_list("month", flat=True)))
    if rule is not None:
        found.caught = caught_by(organisation, rule)
        found.held = _held(organisation, rule)
    return found


def _held(organisation: Organisation, rule: AttributionRule) -> list[Held]:
    """Which rules decide what the conditions hold for as well."""
    asked = compiled(rule.pk, rule.version, rule.conditions, [], rule.valid_from, rule.valid_until)
    ids = list(_holding(organisation, asked))
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_WINNERS, [ids, rule.pk, rule.valid_until or date.max, rule.valid_from or date.min])
        return [Held(*row) for row in cursor.fetchall()]


def _holding(organisation: Organisation, asked: Rule) -> Iterable[int]:
    reading = Reading([asked])
    dimensions = UsageDimension.objects.filter(organisation=organisation).select_related("connection")
    return (
        one.pk
        for one in dimensions.iterator(2_000)
        if any(asked.holds(fields) for *_, fields in reading.periods_of(one))
    )


def _moves(rows: Sequence[Sequence[Any]]) -> list[Move]:
    """Pair what projects lose with what others gain, cell by cell: within each the sums are zero."""
    cells: dict[Any, dict[int | None, Sequence[Any]]] = defaultdict(dict)
    for month, spent_currency, list_currency, project, spent, cost, records, *cell in rows:
        cells[month, spent_currency, list_currency, *cell][project] = (spent, cost, records)
    sums: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [Decimal(0), Decimal(0), 0])
    for (month, spent_currency, list_currency, *_), projects in cells.items():
        for measure, currency in enumerate((spent_currency, list_currency, list_currency or spent_currency)):
            changes = {project: values[measure] for project, values in projects.items() if values[measure]}
            for source, target, amount in _paired(changes):
                sums[month, source, target, currency][measure] += amount
    order = sorted(sums.items(), key=lambda item: (item[0][0], -abs(item[1][0]), repr(item[0])))
    # Money always has a currency: where none is known, nothing is.
    return [Move(*key, *(values if key[-1] else (None, None, values[2]))) for key, values in order]


def _paired(changes: dict[int | None, Any]) -> Iterable[tuple[int | None, int | None, Any]]:
    """Who gives how much to whom; projects ascending, nobody last."""
    order = sorted(changes, key=lambda project: (project is None, project or 0))
    losing = [[project, -changes[project]] for project in order if changes[project] < 0]
    gaining = [[project, changes[project]] for project in order if changes[project] > 0]
    while losing and gaining:
        amount = min(losing[0][1], gaining[0][1])
        yield losing[0][0], gaining[0][0], amount
        for side in (losing, gaining):
            side[0][1] -= amount
            if not side[0][1]:
                side.pop(0)


_CELL = "connection_id, offering_id, host, model_raw, service_tier, cost_kind, day"
_COLUMNS = f"spent_currency, list_currency, project_id, spent, list_cost, records, counted, tallied, {_CELL}"
_BEFORE = f"""
    CREATE TEMP TABLE usage_cost_before ON COMMIT DROP AS
        SELECT {_COLUMNS} FROM usage_dailycost WHERE organisation_id = %s;
    CREATE TEMP TABLE usage_map_before ON COMMIT DROP AS
        SELECT a.dimension_id, a.valid_from, a.valid_until, t.projects, t.weights
        FROM usage_assignment a JOIN usage_attribution t ON t.id = a.attribution_id WHERE a.organisation_id = %s
"""
_MOVED = f"""
    SELECT date_trunc('month', day)::date, spent_currency, list_currency, project_id,
        coalesce(sum(sign * spent) FILTER (WHERE counted), 0),
        coalesce(sum(sign * list_cost) FILTER (WHERE tallied), 0),
        coalesce(sum(sign * records) FILTER (WHERE tallied), 0)::bigint, {_CELL}
    FROM (
        SELECT -1 AS sign, {_COLUMNS} FROM usage_cost_before
        UNION ALL SELECT 1, {_COLUMNS} FROM usage_dailycost WHERE organisation_id = %s
    ) both_ways WHERE cost_kind <> 'notional'
    GROUP BY 1, 2, 3, 4, {_CELL}
    HAVING sum(sign * spent) FILTER (WHERE counted) <> 0 OR sum(sign * list_cost) FILTER (WHERE tallied) <> 0
        OR sum(sign * records) FILTER (WHERE tallied) <> 0
"""
_DAY = "(r.occurred_at AT TIME ZONE 'UTC')::date"
# Two maps of one dimension meet where their spans do; only what they say differently is looked up in the ledger. What
# the change tells apart had the map of what it was told from.
_CHANGED = f"""
    WITH known AS (
        SELECT DISTINCT dimension_id FROM usage_map_before
    ), changed AS MATERIALIZED (
        SELECT a.dimension_id, greatest(a.valid_from, b.valid_from) AS since,
            least(a.valid_until, b.valid_until) AS until
        FROM usage_assignment a JOIN usage_attribution t ON t.id = a.attribution_id
        JOIN usage_usagedimension d ON d.id = a.dimension_id LEFT JOIN known k ON k.dimension_id = d.id
        JOIN usage_map_before b ON b.dimension_id = coalesce(k.dimension_id, d.told_from_id)
            AND b.valid_from < a.valid_until AND a.valid_from < b.valid_until
        WHERE a.organisation_id = %s AND (t.projects, t.weights) IS DISTINCT FROM (b.projects, b.weights)
    )
    SELECT count(DISTINCT r.dimension_id), count(*), array_agg(DISTINCT date_trunc('month', {_DAY})::date)
    FROM changed c JOIN usage_usagerecord r
        ON r.dimension_id = c.dimension_id AND {_DAY} >= c.since AND {_DAY} < c.until
    WHERE r.organisation_id = %s
"""
_CAUGHT = f"""
    WITH decided AS MATERIALIZED (
        SELECT a.dimension_id, a.valid_from, a.valid_until FROM usage_assignment a
        JOIN usage_attribution t ON t.id = a.attribution_id
        WHERE a.organisation_id = %(organisation)s AND t.rule_id = %(rule)s
    ), sums AS (
        SELECT dimension_id, sum(records)::bigint AS records, max(day) AS last,
            {summed_at_home("by_day", "%(home)s", "%(organisation)s")}
        FROM (
            SELECT r.dimension_id, {_DAY} AS day, {CURRENCY} AS currency, count(*) AS records, {KNOWN}
            FROM decided d JOIN usage_usagerecord r
                ON r.dimension_id = d.dimension_id AND {_DAY} >= d.valid_from AND {_DAY} < d.valid_until {CARDS}
            WHERE r.organisation_id = %(organisation)s GROUP BY 1, 2, 3
        ) by_day GROUP BY dimension_id
    )
    SELECT dimension_id, records, spent, unknown, last, count(*) OVER (), (sum(records) OVER ())::bigint,
        sum(spent) OVER (), (sum(unknown) OVER ())::bigint
    FROM sums ORDER BY spent DESC NULLS LAST, records DESC, dimension_id LIMIT %(most)s
"""
_WINNERS = """
    SELECT u.id, u.name, count(DISTINCT a.dimension_id) FROM usage_assignment a
    JOIN usage_attribution t ON t.id = a.attribution_id JOIN usage_attributionrule u ON u.id = t.rule_id
    WHERE a.dimension_id = ANY(%s) AND u.id <> %s AND a.valid_from < %s AND a.valid_until > %s
    GROUP BY u.id, u.name, u.position ORDER BY u.position, u.id
"""
