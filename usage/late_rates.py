"""What rates of exchange would move that came after a month was closed. Reads only.

It is the ledger's money at today's rates less that at the rates the month stands on, so that it is pending like the
rest: official, pending and this come to the ledger at today's rates, exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from usage.exchange import Rates, days_of
from usage.models import Organisation
from usage.summing import Sums, is_foreign, part_of

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Late:
    """What later rates move of a month, and on which days."""

    sums: Sums
    days: frozenset[date]


def by_month(
    organisation: Organisation, overtaken: Collection[date], ledger: Callable[[], Iterable[Row]]
) -> dict[date, Late]:
    """By closed month that rates have overtaken: what they move of rows of the ledger by `key_day`."""
    rows = [row for row in (ledger() if overtaken else ()) if row["key_day"].replace(day=1) in overtaken]
    if not is_foreign(rows, organisation.display_currency):
        return {}
    days = days_of(rows)
    closed, today = Rates(organisation, True, days), Rates(organisation, True, days, as_closed=False)
    moved: dict[date, dict[date, Sums]] = defaultdict(lambda: defaultdict(Sums))
    for row in rows:
        difference = Sums(part_of(row, today, defaultdict(Decimal))).less(
            Sums(part_of(row, closed, defaultdict(Decimal)))
        )
        if difference.is_something:
            moved[row["key_day"].replace(day=1)][row["key_day"]].add(difference.part)
    return {
        month: Late(Sums.of([one.part for one in by_day.values()]), frozenset(by_day))
        for month, by_day in moved.items()
    }
