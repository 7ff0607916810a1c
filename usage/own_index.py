"""An organisation's own price index: what its real basket costs from month to month, and what prices made of its spend.

Items are those of `usage.priced_items`, and a month's price is their money ÷ their tokens: the unit value of a thing
that is the same all month.

What that leaves of spend stands beside the items as money without a quantity, so that every sum is the one that `spend`
gives: `rated` is what the ledger's rating knows and a plain price does not (long prompts, hours, lifetimes of caches, a
price that changed within a day, in closed months a price corrected since), `reported` what bills and feeds say beyond
it. A corrected price is thus no change of price: the corrected one holds for all months, and a closed month's
official figure differs from it by `rated` until it is restated.

Figures are official ones, months are UTC and half-open, money is in the organisation's currency, notional usage is left
out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Min

from usage import priced_items
from usage.baskets import Level, Line, Parts, bennet, chained, exact_sum
from usage.costs import Filters, Scope
from usage.coverage import unknown_counts
from usage.exchange import Rates, days_of
from usage.models import Organisation
from usage.periods import PeriodFault, month_of
from usage.priced_items import Item
from usage.questions import TOKENS, Unanswerable
from usage.spending import pending_months
from usage.summing import Sums, add, is_foreign

RATED, REPORTED = "rated", "reported"
LONGEST = 120
_POINTS = Decimal("1e-6")


@dataclass(frozen=True, slots=True)
class Month:
    """A month's basket, with the two remainders in it under their names, and what it does not contain."""

    first: date
    basket: Mapping[Item | str, Line]
    sums: Sums
    tokens: int
    unpriced_tokens: int


def span(since: str, until: str, today: date) -> tuple[date | None, date]:
    """The months [since, until) as they are written, `2026-10`; until '' for those that are over, since '' for all.

    Unanswerable says what to ask instead.
    """
    first, end = _month_of(since, "from"), _month_of(until, "until") or today.replace(day=1)
    if first and first >= end:
        raise Unanswerable(f"until must be after from: there is no month in [{first:%Y-%m}, {end:%Y-%m}).", "until")
    if first and (end.year - first.year) * 12 + end.month - first.month > LONGEST:
        raise Unanswerable(f"Ask for at most {LONGEST} months.", "from")
    return first, end


def _month_of(text: str, name: str) -> date | None:
    try:
        return month_of(text) if text else None
    except PeriodFault as fault:
        raise Unanswerable(str(fault), name) from None


def answer(
    organisation: Organisation,
    since: date | None,
    until: date,
    *,
    projects: Iterable[int] | None = None,
    filters: Filters | None = None,
    by: str = "offering",
) -> dict[str, Any]:
    """The index of the months [since, until), both first days of one; without `since` from the first with usage.

    Indices are chained, the first month with a price is 100; the parts of each month's change are against the month
    before, and `change` is their sum.
    """
    scope = Scope(organisation, since, until, None if projects is None else tuple(projects), filters or {})
    found, unconverted = months(scope, by)
    levels = chained([month.basket for month in found])
    changes = [None, *(_change(one, two) for one, two in zip(found, found[1:], strict=False))]
    told = [_month(*each, found) for each in zip(found, changes, levels, strict=False)]
    whole = [change for change in changes if change is not None]
    return {
        "organisation": organisation.slug,
        "from": f"{found[0].first:%Y-%m}" if found else since and f"{since:%Y-%m}",
        "until": f"{until:%Y-%m}",
        "currency": organisation.display_currency,
        "by": by,
        "months": told,
        "change": {name: f"{exact_sum(change[name] for change in whole):f}" for name in whole[0]} if whole else None,
        "coverage": {
            "tokens": sum(month.tokens for month in found),
            "unpriced_tokens": sum(month.unpriced_tokens for month in found),
            "unknown_counts": unknown_counts(*(month.sums for month in found)),
            "unconverted": {currency: f"{amount:f}" for currency, amount in sorted(unconverted.items())},
            "pending": pending_months(
                organisation, since, until, scope.projects, by_project=False, filters=scope.filters
            ),
        },
    }


def months(scope: Scope, by: str = "offering") -> tuple[list[Month], Mapping[str, Decimal]]:
    """The basket of each month of a scope, also of those without usage between two; and money that has no rate."""
    if scope.until is None:
        raise ValueError("A month has an end: say until when.")
    official = scope.rollup("offering", "service_tier").spent()
    since = scope.since or official.aggregate(first=Min("day"))["first"]
    if since is None:
        return [], {}
    rows = list(official.sums_by("day", "offering", "service_tier"))
    rates = Rates(scope.organisation, is_foreign(rows, scope.organisation.display_currency), days_of(rows))
    used = priced_items.used(
        scope.organisation, rows, (since, scope.until), lambda row: row["key_day"].replace(day=1), by
    )
    sums, unconverted = _sums(scope, rates)
    tokens, unpriced = defaultdict[date, int](int), defaultdict[date, int](int)
    for row in rows:
        month = row["key_day"].replace(day=1)
        tokens[month] += (count := sum(row[f"sum_{name}"] for name in TOKENS))
        unpriced[month] += 0 if row["list_currency"] else count
    found = []
    for month in _each(since.replace(day=1), scope.until):
        lines: dict[Item | str, Line] = {item: one.line(rates) for item, one in used.get(month, {}).items()}
        found.append(Month(month, lines | _remainders(lines, sums[month]), sums[month], tokens[month], unpriced[month]))
    return found, unconverted


def _each(first: date, until: date) -> Iterable[date]:
    while first < until:
        yield first
        first = (first + timedelta(days=31)).replace(day=1)


def _sums(scope: Scope, rates: Rates) -> tuple[dict[date, Sums], Mapping[str, Decimal]]:
    """The totals of each month, as `spend` sums them."""
    found, unconverted = defaultdict[date, Sums](Sums), defaultdict[str, Decimal](Decimal)
    for row in scope.rollup().spent().sums_by("day"):
        add(row, (found[row["key_day"].replace(day=1)],), rates, unconverted)
    return found, unconverted


def _remainders(items: Mapping[Item | str, Line], sums: Sums) -> dict[Item | str, Line]:
    priced = exact_sum(line.value for line in items.values() if line.value is not None)
    return {
        RATED: Line(0, exact_sum((sums.contracted_cost, -priced))),
        REPORTED: Line(0, exact_sum((sums.spent, -sums.contracted_cost))),
    }


def _change(before: Month, after: Month) -> dict[str, Decimal]:
    """The parts of the change of spend between two months, which sum to `spent`."""
    change = bennet(before.basket, after.basket)
    parts = change.parts
    return {
        "spent": parts.change,
        **{name: getattr(parts, name) for name in Parts.__slots__ if name != "remainder"},
        **{name: change.by_item[name].change for name in (RATED, REPORTED)},
    }


def _month(month: Month, change: dict[str, Decimal] | None, level: Level, every: Sequence[Month]) -> dict[str, Any]:
    link = level.link
    return {
        "month": f"{month.first:%Y-%m}",
        "spent": month.sums.money()["spent"],
        **{name: _shown(getattr(level, name)) for name in ("laspeyres", "paasche", "fisher")},
        "compared_with": None if level.base is None else f"{every[level.base].first:%Y-%m}",
        "matched_before": _shown(link.matched_before),
        "matched_after": _shown(link.matched_after),
        "reason": link.reason or None,
        "change": change and {name: f"{amount:f}" for name, amount in change.items()},
        **{name: f"{_money(month.basket[name]):f}" for name in (RATED, REPORTED)},
        "tokens": month.tokens,
        "unpriced_tokens": month.unpriced_tokens,
    }


def _money(line: Line) -> Decimal:
    return Decimal(0) if line.value is None else line.value


def _shown(ratio: Decimal | None) -> str | None:
    return None if ratio is None else f"{ratio.quantize(_POINTS, ROUND_HALF_UP):f}"
