"""What a total does not say by itself: how much of its money is attributed, priced and evidenced, and on what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from usage import changed_prices, raw_costs, selectors, settling
from usage.costs import Scope
from usage.exchange import Rates, days_of
from usage.price_grades import by_grade
from usage.querysets import NOTIONAL
from usage.questions import TOKENS
from usage.raw_costs import Rows
from usage.summing import Sums, is_foreign

_ASSUMED_CONTEXT = Rows(selectors.CONTEXT_UNKNOWN, {"list_cost": "coalesce(r.list_cost, 0)"}, ("list_cost",))


def of_total(
    scope: Scope, total: Sums, lost: Sums, unconverted: Mapping[str, Decimal], *, grades: bool
) -> dict[str, Any]:
    """Coverage of a total, of which `lost` is what no rule attributes; shares in [0, 1], None of nothing.

    `in_one_sum`: months of which the days asked for hold a part only, while a feed such as an invoice tells of them in
    one sum, whose money stands on the first day. `unknown_counts`: how many records in the list total do not know a
    count of theirs, by count; they are in it with the others. With `grades` also list money by the grade of its prices,
    and how much of it was chosen by reported selectors.
    """
    whole = total.list_cost
    found: dict[str, Any] = {
        "priced_tokens": share(total.tokens - total.count("unpriced_tokens"), total.tokens),
        "attributed": share(whole - lost.list_cost, whole),
        "attributed_spent": share(total.spent - lost.spent, total.spent),
        "unattributed_list": f"{lost.list_cost:f}",
        "unattributed_spent": f"{lost.spent:f}",
        "unpriced_requests": total.count("unpriced_requests"),
        "unpriced_tokens": total.count("unpriced_tokens"),
        "unknown_counts": unknown_counts(total),
        "in_one_sum": _cut(scope),
        "unconverted": {currency: f"{amount:f}" for currency, amount in sorted(unconverted.items())},
    }
    if scope.prices_at is None:
        found["price_changed_inside"] = changed_prices.coverage(scope)
    if grades:
        rows = _listed(scope, scope.rows(*selectors.KEYS))
        found["grades"] = {name: share(amount, whole) for name, amount in by_grade(rows).items()}
        known = selectors.known(rows, _listed(scope, _with_assumed_context(scope)))
        found["known_selectors"] = share(known.pop("all"), whole)
        found["selectors"] = {name: share(amount, whole) for name, amount in known.items()}
    return found


def unknown_counts(*totals: Sums) -> dict[str, int]:
    """How many records in the list totals do not know a count of theirs, by count."""
    return {name: sum(total.count(f"partial_{name}") for total in totals) for name in TOKENS}


def _cut(scope: Scope) -> list[dict[str, str]]:
    """Of readers of the whole organisation, as accounts are nobody else's."""
    if scope.projects is not None or not (scope.since or scope.until):
        return []
    edges = [edge for edge in (scope.since, scope.until) if edge]
    hosts = {host for name in ("provider", "host") for host in scope.filters.get(name, ())}
    return [
        {"account": one.account, "from": f"{one.since}", "until": f"{one.until}"}
        for one in settling.in_one_sum(scope.organisation.pk, min(edges), max(edges) + timedelta(days=1))
        if any(one.since < edge < one.until for edge in edges) and (not hosts or one.account.partition("/")[0] in hosts)
    ]


def _with_assumed_context(scope: Scope) -> list[dict[str, Any]]:
    return raw_costs.sums_by(
        scope.organisation.pk, scope.since, scope.until, selectors.KEYS,
        projects=scope.projects, filters=scope.filters, of=_ASSUMED_CONTEXT,
    )  # fmt: skip


def _listed(scope: Scope, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows by day of what is in the list total, at list cost in the currency of the organisation."""
    foreign = is_foreign(rows, scope.organisation.display_currency)
    rates = Rates(scope.organisation, foreign, days_of(rows))
    return [
        row | {"sum_list_cost": cost}
        for row in rows
        if row["cost_kind"] != NOTIONAL
        and (cost := rates.converted(row["sum_list_cost"], row["list_currency"], row["key_day"]))
    ]


def share(part: Decimal | int, whole: Decimal | int) -> str | None:
    """A share in [0, 1] with six decimals; None of nothing."""
    return f"{(Decimal(part) / Decimal(whole)).quantize(Decimal('1e-6'), ROUND_HALF_UP):f}" if whole else None
