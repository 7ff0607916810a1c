"""What the ledger holds of closed months beyond their official figures, by why it is there. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from usage import late_rates, rollups, spending
from usage.models import ModelDailyCost, OfficialModelDailyCost, Organisation, PendingDailyCost, Period
from usage.periods import Cell, after
from usage.querysets import OF_MONEY

USAGE, COUNTED, RATED, ATTRIBUTED, RATES = "usage", "counted", "rated", "attributed", "rates"
CAUSES = (USAGE, COUNTED, RATED, ATTRIBUTED)
"""Usage came, changed or went · another feed's money counts · prices or names changed · it went to other projects.
Beside these, which differ in rows of the ledger, `RATES`: rates of exchange came."""

_PRICED = {
    "list_cost",
    "contracted_cost",
    "spent",
    "spent_records",
    "priced_records",
    "unpriced_requests",
    "unpriced_tokens",
}
_REPORTED = tuple(name for name in rollups.MEASURES if name not in _PRICED)
_BY = tuple(name for name in rollups.KEY if name != "organisation_id")


@dataclass(slots=True)
class Cause:
    """What one cause moves: whole days of connections, as a day has one cause only, the first of `CAUSES` that is.

    `RATES` moves days, not rows: it has no cells.
    """

    name: str
    sums: spending.Sums
    on: frozenset[date]
    cells: list[Cell] = field(default_factory=list)

    @property
    def days(self) -> int:
        return len(self.on)


@dataclass(slots=True)
class Pending:
    """What a restatement of a closed month would take in. Empty where official and ledger agree in every row."""

    month: date
    causes: list[Cause]
    sums: spending.Sums

    @property
    def cells(self) -> list[Cell]:
        return [cell for cause in self.causes for cell in cause.cells]

    @property
    def days(self) -> int:
        return len({day for cause in self.causes for day in cause.on})

    def __bool__(self) -> bool:
        return bool(self.causes)


@dataclass(slots=True)
class Month:
    """A month of usage: what the ledger sums to, what is official, and on how many days the two differ."""

    month: date
    ledger: spending.Sums
    official: spending.Sums
    pending_days: int
    period: Period | None


def months(organisation: Organisation) -> list[Month]:
    """Every month with usage and every closed one, the latest first."""
    ledger, official = (
        _by_month(
            organisation, list(of.objects.of(organisation).sums_by("day")), as_closed=of is OfficialModelDailyCost
        )
        for of in (ModelDailyCost, OfficialModelDailyCost)
    )
    waiting = spending.pending_months(organisation, None, None, by_project=True)
    days = {one["month"]: one["days"] for one in waiting}
    closed = {period.month: period for period in Period.objects.of(organisation).prefetch_related("restatements")}
    nothing = spending.Sums
    return [
        Month(
            month,
            ledger.get(month, nothing()),
            official.get(month, nothing()),
            days.get(f"{month:%Y-%m}", 0),
            closed.get(month),
        )
        for month in sorted({*ledger, *closed}, reverse=True)
    ]


def _by_month(
    organisation: Organisation, rows: Iterable[dict[str, Any]], *, as_closed: bool
) -> dict[date, spending.Sums]:
    found: dict[date, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["key_day"].replace(day=1)].append(row)
    return {month: spending.summed(organisation, rows, as_closed=as_closed) for month, rows in found.items()}


def pending(organisation: Organisation, month: date) -> Pending:
    """What is pending in a month; nothing in an open one."""
    in_month = PendingDailyCost.objects.whole(organisation.pk).filter(day__gte=month, day__lt=after(month))
    rows = list(in_month.moved(*_BY, "project_id"))
    by_cell: dict[Cell, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_cell[row["day"], row["connection_id"]].append(row)
    of_cause: dict[str, list[Cell]] = defaultdict(list)
    for cell, moved in sorted(by_cell.items()):
        of_cause[cause(moved)].append(cell)
    causes = [
        Cause(
            name,
            _sums(organisation, [row for cell in of_cause[name] for row in by_cell[cell]]),
            frozenset(day for day, _ in of_cause[name]),
            of_cause[name],
        )
        for name in CAUSES
        if name in of_cause
    ]
    sums = _sums(organisation, rows)
    if late := _late(organisation, month):
        causes.append(Cause(RATES, late.sums, late.days))
        sums.add(late.sums.part)
    return Pending(month, causes, sums)


def _late(organisation: Organisation, month: date) -> late_rates.Late | None:
    ledger = ModelDailyCost.objects.of(organisation, month, after(month))
    overtaken = {one.month for one in Period.objects.of(organisation).filter(month=month).overtaken()}
    return late_rates.by_month(organisation, overtaken, lambda: ledger.sums_by("day")).get(month)


def cause(rows: Sequence[dict[str, Any]]) -> str:
    """Why the rows of one day of a connection are pending."""
    reported = _sums_by(rows, ("currency",), _REPORTED)
    if any(reported.values()):
        return USAGE
    if any(any(_sums_by([r for r in rows if r[flag]], (), ("records",)).values()) for flag in ("counted", "tallied")):
        return COUNTED
    return RATED if any(_sums_by(rows, _BY, rollups.MEASURES).values()) else ATTRIBUTED


def _sums_by(rows: Iterable[dict[str, Any]], keys: Sequence[str], measures: Sequence[str]) -> dict[Any, Any]:
    found: dict[Any, Any] = defaultdict(int)
    for row in rows:
        key = tuple(row[name] for name in keys)
        for name in measures:
            found[key, name] += row[f"sum_{name}"]
    return found


def _sums(organisation: Organisation, rows: Iterable[dict[str, Any]]) -> spending.Sums:
    """The money that counts, and counts of what counts, in the display currency at each day's rate."""
    return spending.summed(organisation, [_given(row) | {"key_day": row["day"]} for row in rows])


def _given(row: dict[str, Any]) -> dict[str, Any]:
    """A row with nothing in the measures that another feed gives."""
    given = {name: row["counted"] if name in OF_MONEY else row["tallied"] for name in rollups.MEASURES}
    return row | {f"sum_{name}": row[f"sum_{name}"] if kept else 0 for name, kept in given.items()}
