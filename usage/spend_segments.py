"""What pages show of spend, in one currency: money at the rate of its day; what has none stays in its own, apart.

As `usage.spending` converts, so that a page, the API and a report say the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from usage.exchange import Rates, days_of
from usage.models import Organisation
from usage.spend_querysets import MEASURES, SpendQuerySet

_AMOUNTS = {"list_currency": ("cost", "contracted"), "spent_currency": ("spent", "reported")}
_SUMMED = ("cost", "contracted", "spent", "reported", "spent_records")
Row = dict[str, Any]


def in_currency(
    spend: SpendQuerySet,
    organisation: Organisation,
    cuts: Sequence[date],
    *keys: str,
    measures: Sequence[str] = MEASURES,
) -> list[Row]:
    """`in_segments` with money in the currency of the organisation, as far as its days have a rate."""
    rows = spend.in_segments(cuts, *keys, measures=measures)
    if not is_foreign(rows, organisation.display_currency, _AMOUNTS):
        return rows
    by_day = spend.in_segments(cuts, "day", *keys, measures=measures)
    return at_home(by_day, organisation, _AMOUNTS, (*_SUMMED, *measures), "day")


def is_foreign(rows: Iterable[Row], display: str, currencies: Iterable[str]) -> bool:
    """Whether any of these columns of rows names another currency."""
    names, home = tuple(currencies), ("", display)
    return any(row[name] not in home for row in rows for name in names)


def at_home(
    rows: Sequence[Row],
    organisation: Organisation,
    amounts: Mapping[str, Collection[str]],
    summed: Collection[str],
    day: str,
) -> list[Row]:
    """Rows by `day` without their day, those alike but for `summed` as one.

    `amounts`: the columns of money by the column of their currency. What has a rate of its day or before is in
    the currency of the organisation. A sum is None only where each part is: unknown.
    """
    display, rates = organisation.display_currency, Rates(organisation, True, days_of(rows, day))
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        told = {name: value for name, value in row.items() if name != day}
        for currency, names in amounts.items():
            known = {name: row[name] for name in names if row[name] is not None}
            at_rate = {name: rates.converted(amount, row[currency], row[day]) for name, amount in known.items()}
            if row[currency] and None not in at_rate.values():
                told |= at_rate | {currency: display}
        same = found.setdefault(tuple(value for name, value in told.items() if name not in summed), told)
        if same is not told:
            same |= {name: _plus(same[name], told[name]) for name in summed}
    return list(found.values())


def _plus(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return one if other is None else other
    return one + other
