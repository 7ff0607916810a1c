"""What was spent, by anything, from the rollups: exact sums, each with what is missing from it.

List and contracted cost leave notional usage out and show it apart. A figure of which nothing is known is None,
never 0. Other currencies enter at the rate of their day; without one they stay out and are listed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import connection

from pricing.acceptance import grade
from pricing.models import ExchangeRate, Price
from usage.models import (
    OfficialDailyCost,
    OfficialModelDailyCost,
    Organisation,
    PendingDailyCost,
    PendingModelDailyCost,
    Period,
)
from usage.querysets import CURRENCIES, KEYS, MEASURES, NOTIONAL, DailyCostQuerySet, RollupQuerySet

TOKENS = ("in_uncached", "in_cache_read", "in_cache_write", "out_total")
GROUPS = ("project", "model", "scope", "provider", "day", "month", "source", "service_tier", "cost_kind")
_QUANTUM = Decimal("1e-12")


@dataclass(slots=True)
class Sums:
    """Measures of one group, money by kind in the display currency."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    list_cost: Decimal = Decimal(0)
    contracted_cost: Decimal = Decimal(0)
    reported_cost: Decimal = Decimal(0)
    notional_cost: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    costed: int = 0
    priced: int = 0
    reported: int = 0
    notional_priced: int = 0
    spent_records: int = 0
    notional_records: int = 0

    def money(self) -> dict[str, str | None]:
        """None where records exist and none of them has that cost."""
        return {
            "list": _money(self.list_cost, self.priced, self.spent_records),
            "contracted": _money(self.contracted_cost, self.priced, self.spent_records),
            "reported": _money(self.reported_cost, self.reported, self.spent_records),
            "notional": _money(self.notional_cost, self.notional_priced, self.notional_records),
            "spent": _money(self.spent, self.costed, self.spent_records),
        }

    def usage(self) -> dict[str, int | None]:
        """Requests and tokens; None where no record knows its own."""
        records = self.counts["records"]
        return {
            name: None if records and self.counts[f"unknown_{name}"] >= records else self.counts[name]
            for name in ("requests", *TOKENS)
        }


def report(
    organisation: Organisation,
    since: date | None = None,
    until: date | None = None,
    group_by: Sequence[str] = (),
    *,
    projects: Iterable[int] | None = None,
    grades: bool = True,
) -> dict[str, Any]:
    """The `spend` answer of design section 7 for [since, until), of some projects or of all there is."""
    rows, rates = _rows(organisation, since, until, group_by, projects)
    total, groups, unconverted = Sums(), dict[tuple[Any, ...], Sums](), defaultdict[str, Decimal](Decimal)
    for row in rows:
        key = _key(row, group_by)
        group = groups.setdefault(key, Sums())
        _add(row, (total, group), rates, unconverted)
    return {
        "organisation": organisation.slug,
        "from": since and since.isoformat(),
        "until": until and until.isoformat(),
        "currency": organisation.display_currency,
        "total": total.money() | total.usage(),
        "coverage": _coverage(organisation, since, until, projects, total, unconverted, grades=grades)
        | {"pending": pending_months(organisation, since, until, projects, by_project="project" in group_by)},
        "groups": [
            dict(zip(_names(group_by), key, strict=True))
            | sums.usage()
            | sums.money()
            | {"unpriced_requests": sums.counts["unpriced_requests"], "unpriced_tokens": sums.counts["unpriced_tokens"]}
            for key, sums in sorted(groups.items(), key=lambda item: _order(item, group_by))
            if any(sums.counts.values()) or sums.list_cost
        ]
        if group_by
        else [],
    }


def summed(organisation: Organisation, rows: Sequence[dict[str, Any]]) -> Sums:
    """The sums of rows as `sums_by` gives them, each with its `key_day`."""
    known = ("", organisation.display_currency)
    foreign = any(row[currency] not in known for row in rows for currency in CURRENCIES)
    rates, total = _Rates(organisation.display_currency, foreign), Sums()
    for row in rows:
        _add(row, (total,), rates, defaultdict(Decimal))
    return total


def _rows(
    organisation: Organisation,
    since: date | None,
    until: date | None,
    group_by: Sequence[str],
    projects: Iterable[int] | None,
) -> tuple[list[dict[str, Any]], _Rates]:
    found = _rollup(organisation, since, until, "project" in group_by or projects is not None, projects)
    display = organisation.display_currency
    foreign = found.exclude(list_currency__in=("", display)).exists()
    foreign = foreign or found.exclude(currency__in=("", display)).exists()
    foreign = foreign or found.exclude(spent_currency__in=("", display)).exists()
    keys = [name for key in group_by for name in _DETAILS.get(key, (key,))]
    if foreign and "day" not in keys:
        keys.append("day")  # an amount of money is converted at the rate of its day
    return list(found.sums_by(*keys)), _Rates(display, foreign)


def _rollup(
    organisation: Organisation,
    since: date | None,
    until: date | None,
    by_project: bool,
    projects: Iterable[int] | None,
) -> RollupQuerySet:
    found: DailyCostQuerySet
    if not by_project:
        found = OfficialModelDailyCost.objects.of(organisation, since, until)
        return found
    found = OfficialDailyCost.objects.of(organisation, since, until)
    return found if projects is None else found.attributed_to(projects)


_DETAILS = {"model": ("model", "model_raw"), "provider": ("provider", "host")}
"""A model or provider that the catalogue does not know is shown by the name that was reported."""


def _names(group_by: Sequence[str]) -> list[str]:
    return [name for key in group_by for name in (("model", "model_raw") if key == "model" else (key,))]


def _key(row: dict[str, Any], group_by: Sequence[str]) -> tuple[Any, ...]:
    found: list[Any] = []
    for key in group_by:
        if key == "model":
            found += [row["key_model"], row["key_model_raw"] or None]
        elif key == "provider":
            found.append(row["key_provider"] or row["key_host"] or None)
        elif key == "cost_kind":
            found.append(row["cost_kind"])
        elif key == "month":
            found.append(row["key_month"].strftime("%Y-%m"))
        else:
            value = row[f"key_{key}"]
            found.append(value.isoformat() if isinstance(value, date) else value)
    return tuple(found)


def _order(item: tuple[tuple[Any, ...], Sums], group_by: Sequence[str]) -> tuple[Any, ...]:
    """By time where there is one, then the most money first."""
    key, sums = item
    times = tuple(str(value) for name, value in zip(_names(group_by), key, strict=True) if name in ("day", "month"))
    return (times, -(sums.list_cost + sums.notional_cost), [str(value or "") for value in key])


def _add(row: dict[str, Any], targets: Sequence[Sums], rates: _Rates, unconverted: defaultdict[str, Decimal]) -> None:
    costs = {}
    for name, currency in (
        ("list_cost", row["list_currency"]),
        ("contracted_cost", row["list_currency"]),
        ("reported_cost", row["currency"]),
        ("spent", row["spent_currency"]),
    ):
        amount = row[f"sum_{name}"]
        costs[name] = rates.converted(amount, currency, row.get("key_day"))
        if costs[name] is None and name in ("list_cost", "reported_cost"):
            unconverted[currency] += amount
    notional = row["cost_kind"] == NOTIONAL
    for sums in targets:
        for name in MEASURES:
            if name != "spent" and not name.endswith("_cost"):
                sums.counts[name] += row[f"sum_{name}"]
        priced = row["sum_priced_records"] if costs["list_cost"] is not None else 0
        if notional:
            sums.notional_cost += costs["list_cost"] or 0
            sums.notional_priced += priced
            sums.notional_records += row["sum_records"]
            continue
        sums.spent_records += row["sum_records"]
        sums.list_cost += costs["list_cost"] or 0
        sums.contracted_cost += costs["contracted_cost"] or 0
        sums.reported_cost += costs["reported_cost"] or 0
        sums.spent += costs["spent"] or 0
        sums.costed += row["sum_spent_records"] if costs["spent"] is not None else 0
        sums.priced += priced
        sums.reported += row["sum_reported_records"] if costs["reported_cost"] is not None else 0


def _money(amount: Decimal, known: int, records: int) -> str | None:
    # A split may leave a project money of a record whose count of one went to another project.
    return None if records and not known and not amount else f"{amount:f}"


def _coverage(
    organisation: Organisation,
    since: date | None,
    until: date | None,
    projects: Iterable[int] | None,
    total: Sums,
    unconverted: dict[str, Decimal],
    *,
    grades: bool,
) -> dict[str, Any]:
    tokens = sum(total.counts[name] for name in TOKENS)
    lost = OfficialDailyCost.objects.of(organisation, since, until).unattributed().spent()
    unattributed = sum((row["sum_list_cost"] for row in lost.sums_by()), Decimal(0)) if projects is None else Decimal(0)
    whole = total.list_cost
    found: dict[str, Any] = {
        "priced_tokens": _share(tokens - total.counts["unpriced_tokens"], tokens),
        "attributed": _share(whole - unattributed, whole),
        "unattributed_list": f"{unattributed:f}",
        "unpriced_requests": total.counts["unpriced_requests"],
        "unpriced_tokens": total.counts["unpriced_tokens"],
        "unconverted": {currency: f"{amount:f}" for currency, amount in sorted(unconverted.items())},
    }
    if grades:
        found["grades"] = _grades(_rollup(organisation, since, until, projects is not None, projects), whole)
    return found


def pending_months(
    organisation: Organisation,
    since: date | None,
    until: date | None,
    projects: Iterable[int] | None = None,
    *,
    by_project: bool,
) -> list[dict[str, Any]]:
    """What the ledger holds of closed months beyond the figures of this answer: money by month, and on how many days.

    Of a project's answer also what went from or to it. `usage.pending` says why.
    """
    if not Period.objects.of(organisation).touching(since, until).exists():
        return []
    whole = not by_project and projects is None
    found: RollupQuerySet = (PendingModelDailyCost if whole else PendingDailyCost).objects.of(
        organisation, since, until
    )
    found = found if projects is None else found.filter(project__in=list(projects))
    months: dict[date, list[dict[str, Any]]] = defaultdict(list)
    for row in found.sums_by("day", *([] if whole else ["project"])):
        if any(row[f"sum_{name}"] for name in MEASURES):
            months[row["key_day"].replace(day=1)].append(row)
    return [
        {"month": f"{month:%Y-%m}", "days": len({row["key_day"] for row in rows})} | summed(organisation, rows).money()
        for month, rows in sorted(months.items())
    ]


def _share(part: Decimal | int, whole: Decimal | int) -> str | None:
    """A share in [0, 1] with six decimals; None of nothing."""
    return f"{(Decimal(part) / Decimal(whole)).quantize(Decimal('1e-6'), ROUND_HALF_UP):f}" if whole else None


def _grades(found: RollupQuerySet, whole: Decimal) -> dict[str, str | None]:
    """Which share of the list cost stands on prices of which grade: the worse of input and output on its day."""
    rows = list(found.spent().exclude(offering=None).exclude(list_cost=0).sums_by("offering", "service_tier", "day"))
    prices: dict[tuple[int, str], list[Price]] = defaultdict(list)
    known = Price.objects.known_at().filter(
        offering__in={row["key_offering"] for row in rows}, unit__in=("input", "output"), context_from=0, schedule=""
    )
    for price in known.order_by("effective_from"):
        prices[price.offering_id, price.service_tier].append(price)
    shares: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        asked_at = datetime.combine(row["key_day"], time.min, UTC)
        tier = row["key_service_tier"] or "standard"
        candidates = prices.get((row["key_offering"], tier)) or prices.get((row["key_offering"], "standard"), [])
        shares[_worst(candidates, asked_at)] += row["sum_list_cost"]
    return {name: _share(amount, whole) for name, amount in sorted(shares.items())}


def _worst(prices: Iterable[Price], asked_at: datetime) -> str:
    end = asked_at.replace(hour=23, minute=59, second=59)
    found = [
        grade(
            trust=price.trust,
            agreeing=price.agreeing,
            disputed=price.disputed,
            evidence_at=price.evidence_at,
            observed_at=price.observed_at,
            effective_until=price.effective_until,
            asked_at=asked_at,
        )
        for price in prices
        if price.effective_from <= end and (price.effective_until is None or price.effective_until > asked_at)
    ]
    return max(found, default="unknown")


class _Rates:
    """Exchange rates by day, read when there is money to convert."""

    def __init__(self, display: str, needed: bool) -> None:
        self._display = display
        self._days: dict[str, list[date]] = defaultdict(list)
        self._usd: dict[str, list[Decimal]] = defaultdict(list)
        if needed:
            rows = ExchangeRate.objects.order_by("currency", "day", "source_id").values_list("currency", "day", "usd")
            for currency, day, usd in rows:
                self._days[currency].append(day)
                self._usd[currency].append(usd)

    def converted(self, amount: Decimal, currency: str, day: date | None) -> Decimal | None:
        """The amount in the display currency, or None without a rate of the day or before it."""
        if not amount or currency in ("", self._display):
            return amount
        source, target = self._in_usd(currency, day), self._in_usd(self._display, day)
        if source is None or not target:
            return None
        return (amount * source / target).quantize(_QUANTUM, ROUND_HALF_UP)

    def _in_usd(self, currency: str, day: date | None) -> Decimal | None:
        if currency == "USD":
            return Decimal(1)
        nth = bisect_right(self._days[currency], day) if day else 0
        return self._usd[currency][nth - 1] if nth else None


def unattributed_by(
    organisation: Organisation, column: str, since: date | None = None, until: date | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Unattributed money by one column of the dimension (ext_api_key, ext_user, path, …), most first.

    Read from the ledger, which alone knows them: 135 ms over 30 days of 10 M rows.
    """
    if column not in ("ext_project", "ext_api_key", "ext_user", "ext_team", "path", "branch", "model_raw"):
        raise ValueError(f"{column} is no column of a dimension.")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT d.{column}, coalesce(c.currency, ''), count(*), sum(r.list_cost), sum(r.requests)
            FROM usage_usagerecord r JOIN usage_usagedimension d ON d.id = r.dimension_id
            JOIN usage_assignment a ON a.dimension_id = r.dimension_id
                AND (r.occurred_at AT TIME ZONE 'UTC')::date >= a.valid_from
                AND (r.occurred_at AT TIME ZONE 'UTC')::date < a.valid_until
            JOIN usage_attribution t ON t.id = a.attribution_id AND cardinality(t.projects) = 0
            LEFT JOIN pricing_ratecard c ON c.id = r.rate_card_id
            WHERE r.organisation_id = %s AND r.cost_kind <> 'notional'
                AND r.occurred_at >= %s AND r.occurred_at < %s
            GROUP BY 1, 2 ORDER BY 4 DESC NULLS LAST, 1 LIMIT %s""",
            [
                organisation.pk,
                datetime.combine(since or date(2015, 1, 1), time.min, UTC),
                datetime.combine(until or date(9999, 1, 1), time.min, UTC),
                limit,
            ],
        )
        names = (column, "currency", "records", "list_cost", "requests")
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


assert set(GROUPS) <= set(KEYS)  # noqa: S101 - every group is a key of the rollups
