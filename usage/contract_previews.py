"""What a change of a contract would move, before anybody makes it: the change is made, rated, and taken back.

So a preview is exact by construction, with terms that beat each other, prices of their own and feeds that meet: it is
the difference of the very rollups. It holds the organisation's lock as long as rating its days takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Sum

from usage import contracts
from usage.locks import lock_organisation
from usage.models import Contract, ModelDailyCost, Organisation, Period
from usage.rerating import rerate

MOST = 2_000_000
"""Records of the days touched that are rated while somebody waits: about ten seconds."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A month whose money moves, in one currency: what was spent, and contracted cost, notional usage in neither."""

    month: date
    currency: str
    spent: Decimal
    spent_then: Decimal
    contracted: Decimal
    contracted_then: Decimal

    @property
    def change(self) -> Decimal:
        return self.spent_then - self.spent


@dataclass(frozen=True, slots=True)
class Preview:
    """`records` are priced otherwise; of more than `MOST` in its days nothing is reckoned, and `too_many` says so."""

    moves: list[Moved] = field(default_factory=list)
    records: int = 0
    closed_months: list[date] = field(default_factory=list)
    too_many: int = 0


def preview(organisation: Organisation, stands: Contract | None, change: Callable[[], Contract | None]) -> Preview:
    """What `change` would move of a contract as it stands (None: a new one; it answers None where it takes one away).

    Nothing is changed. ContractFault of the change passes through.
    """
    before = contracts.days_of(stands)
    with transaction.atomic():
        lock_organisation(organisation.pk)
        was = _sums(organisation)
        since, until = contracts.span(before, contracts.days_of(change()))
        records = ModelDailyCost.objects.filter(organisation=organisation, day__gte=since or date.min)
        records = records if until is None else records.filter(day__lt=until)
        count = records.aggregate(n=Sum("records"))["n"] or 0
        if count > MOST:
            found = Preview(too_many=count)
        else:
            changed = rerate(organisation, since, until).changed
            found = _compared(organisation, was, _sums(organisation), changed)
        transaction.set_rollback(True)
    return found


_Sums = dict[tuple[date, str], tuple[Decimal, Decimal]]


def _sums(organisation: Organisation) -> _Sums:
    """Spent and contracted cost by month and currency."""
    found: dict[tuple[date, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    with connection.cursor() as cursor:
        cursor.execute(_BY_MONTH, [organisation.pk])
        for month, spent_currency, list_currency, spent, contracted in cursor.fetchall():
            found[month, spent_currency][0] += spent
            found[month, list_currency][1] += contracted
    return {key: (spent, contracted) for key, (spent, contracted) in found.items()}


def _compared(organisation: Organisation, was: _Sums, then: _Sums, records: int) -> Preview:
    nothing = (Decimal(0), Decimal(0))
    moves = [
        Moved(*key, before[0], after[0], before[1], after[1])
        for key in sorted(was.keys() | then.keys())
        if (before := was.get(key, nothing)) != (after := then.get(key, nothing))
    ]
    closed = Period.objects.filter(organisation=organisation, month__in={one.month for one in moves})
    return Preview(moves, records, list(closed.order_by("month").values_list("month", flat=True)))


_BY_MONTH = """
    SELECT date_trunc('month', day)::date, spent_currency, list_currency,
        coalesce(sum(spent) FILTER (WHERE counted), 0), coalesce(sum(contracted_cost) FILTER (WHERE tallied), 0)
    FROM usage_modeldailycost WHERE organisation_id = %s AND cost_kind <> 'notional' GROUP BY 1, 2, 3"""
