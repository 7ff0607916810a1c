"""What agreements come to: what contracts save, how commitments burn down, what fixed costs add beside usage."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.db import connection

from usage import commitments, fixed_costs, rollups
from usage.commitments import Burn, Committed
from usage.costs import Scope
from usage.exchange import Rates, days_of
from usage.models import Commitment, CostKind, FixedCost, Organisation
from usage.partitions import LEDGER
from usage.querysets import NOTIONAL


@dataclass(frozen=True, slots=True)
class Saved:
    """What a contract changed in a span: records it priced, their list and contracted cost in one currency.

    `unlisted` of the records have no list price, so nothing can be said of what they save.
    """

    currency: str
    records: int
    list_cost: Decimal
    contracted_cost: Decimal
    unlisted: int

    @property
    def saved(self) -> Decimal | None:
        return None if self.unlisted == self.records else self.list_cost - self.contracted_cost


def savings(organisation: Organisation, since: date, until: date) -> dict[int, Saved]:
    """By contract, of the UTC days [since, until), by the feed that tells of the usage; of two contracts in both."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT contract, max(k.currency), count(*),
                coalesce(sum(r.list_cost), 0),
                coalesce(sum(r.contracted_cost) FILTER (WHERE r.list_cost IS NOT NULL), 0),
                count(*) FILTER (WHERE r.list_cost IS NULL)
            FROM (
                SELECT r.*, (r.occurred_at AT TIME ZONE 'UTC')::date AS day FROM {LEDGER} r
                WHERE r.organisation_id = %s AND r.occurred_at >= %s AND r.occurred_at < %s AND r.cost_kind <> %s
                    AND r.contract_card_id IS NOT NULL
            ) r JOIN usage_contractcard k ON k.id = r.contract_card_id
            JOIN usage_usagedimension d ON d.id = r.dimension_id {rollups.cell("d.host", "d.model_raw")},
            unnest(k.contracts) AS contract
            WHERE {rollups.TALLIED} GROUP BY 1""",
            [organisation.pk, _midnight(since), _midnight(until), NOTIONAL],
        )
        return {row[0]: Saved(*row[1:]) for row in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Missing:
    """What is in no sum of a commitment: days with money that has no exchange rate, and usage without a price."""

    days: int = 0
    requests: int = 0
    tokens: int = 0


def burning(organisation: Organisation) -> list[tuple[Commitment, Burn, Missing]]:
    """Every commitment with what has burnt of it, and what is missing from that."""
    found = list(Commitment.objects.of(organisation))
    by_provider: dict[str, list[Committed]] = defaultdict(list)
    for one in found:
        if one.effective_until:
            by_provider[one.provider.slug].append(
                Committed(one.pk, one.amount, one.effective_from, one.effective_until, one.currency)
            )
    burns: dict[int, tuple[Burn, Missing]] = {}
    for provider, committed in by_provider.items():
        spent, missing = _spent(organisation, provider, committed)
        for burn in commitments.burn(committed, spent):
            of_days = missing[burn.of.currency]
            within = [one for day, one in of_days.items() if burn.of.starts <= day < burn.of.ends]
            burns[burn.of.id] = (
                burn,
                Missing(*(sum(getattr(one, name) for one in within) for name in ("days", "requests", "tokens"))),
            )
    return [(one, *burns[one.pk]) for one in found]


def _spent(
    organisation: Organisation, provider: str, committed: list[Committed]
) -> tuple[dict[str, dict[date, Decimal]], dict[str, dict[date, Missing]]]:
    """What burns at a provider by day, at its day's rate in each currency of its commitments, and what is missing.

    A bill's money, which knows what has no price, and the contracted cost of what no bill tells of: what gateways
    report may be at list prices. In a month with a bill that is the cost of the feeds that give the money beside it,
    as the bill's usage is told by feeds that do not; else of those that give the tokens. The first month is read from
    its beginning, where a bill of all of it stands.
    """
    since = min(one.starts for one in committed).replace(day=1)
    until = max(one.ends for one in committed)
    scope = Scope(organisation, since, until, filters={"provider": [provider]})
    rows = list(scope.rollup("day").spent().paid_by_day())
    billed = {_month(row) for row in rows if _is_billed(row)}
    rows = [row for row in rows if row["counted" if _month(row) in billed else "tallied"]]
    told = {currency: _told(organisation, currency, rows) for currency in {one.currency for one in committed}}
    return {name: spent for name, (spent, _) in told.items()}, {name: missing for name, (_, missing) in told.items()}


def _told(
    organisation: Organisation, currency: str, rows: list[dict[str, Any]]
) -> tuple[dict[date, Decimal], dict[date, Missing]]:
    """What rows come to in a currency by day, and what is missing from it."""
    foreign = any(row[name] not in ("", currency) for row in rows for name in ("list_currency", "spent_currency"))
    rates = Rates(organisation, foreign, days_of(rows, "day"), currency=currency)
    spent: dict[date, Decimal] = defaultdict(Decimal)
    missing: dict[date, Missing] = defaultdict(Missing)
    for row in rows:
        day, by_bill = row["day"], _is_billed(row)
        priced = by_bill or row["list_currency"]  # by its list or by a contract alone, in whose currency it then is
        so_far = missing[day]
        told = ("sum_spent", "spent_currency") if by_bill else ("sum_contracted_cost", "list_currency")
        amount = rates.converted(row[told[0]], row[told[1]], day)
        missing[day] = Missing(
            1 if amount is None else so_far.days,
            so_far.requests + (0 if priced else row["sum_unpriced_requests"]),
            so_far.tokens + (0 if priced else row["sum_unpriced_tokens"]),
        )
        spent[day] += amount or Decimal(0)
    return spent, missing


def _is_billed(row: dict[str, Any]) -> bool:
    return bool(row["cost_kind"] == CostKind.BILLED and row["counted"] and row["sum_reported_records"])


def _month(row: dict[str, Any]) -> date:
    month: date = row["day"].replace(day=1)
    return month


def fixed(organisation: Organisation, since: date, until: date) -> list[tuple[FixedCost, Decimal]]:
    """Each fixed cost with what of it falls on [since, until), in its own currency. Never part of a total of usage."""
    return [
        (one, fixed_costs.on_days(one.amount, one.effective_from, one.effective_until, since, until))
        for one in FixedCost.objects.of(organisation)
        if one.effective_until
    ]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
