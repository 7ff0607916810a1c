"""Named reads of usage; none writes. Periods are UTC days, half-open [since, until)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self

from django.db.models import (
    Aggregate,
    BigIntegerField,
    Count,
    DateField,
    DecimalField,
    Exists,
    F,
    Field,
    Func,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce, TruncMonth

from usage.naming import COLUMNS, named

if TYPE_CHECKING:
    from usage.models import Connection, ImportBatch, Organisation, RejectedRow, UsageDimension  # noqa: F401

MEASURES = (
    "records",
    "requests",
    "in_uncached",
    "in_cache_read",
    "in_cache_write",
    "out_total",
    "out_reasoning",
    "list_cost",
    "contracted_cost",
    "reported_cost",
    "spent",
    "spent_records",
    "priced_records",
    "reported_records",
    "unpriced_requests",
    "unpriced_tokens",
    "unknown_requests",
    "unknown_in_uncached",
    "unknown_in_cache_read",
    "unknown_in_cache_write",
    "unknown_out_total",
)
NOTIONAL = "notional"
CURRENCIES = ("list_currency", "currency", "spent_currency")
"""Of list and contracted cost, of reported cost, and of what was spent."""
OF_MONEY = frozenset({"reported_cost", "reported_records", "spent", "spent_records"})
"""Measures that the feed gives that counts; all others the one that tallies."""


class _Total(Aggregate):
    """A sum, 0 of nothing, that PostgreSQL makes a number of the field's kind: Django would look at each again."""

    function = "SUM"
    filter_template = "coalesce(%s FILTER (WHERE %%(filter)s), 0)::%%(kind)s"

    def get_db_converters(self, connection: Any) -> list[Any]:
        return []


def summed(name: str) -> Aggregate:
    """The sum of a measure over the rows of the feed that gives it."""
    money = name.endswith("_cost") or name == "spent"
    given = Q(counted=True) if name in OF_MONEY else Q(tallied=True)
    kind: Field[Any, Any] = DecimalField(max_digits=40, decimal_places=12) if money else BigIntegerField()
    return _Total(name, filter=given, kind="numeric" if money else "bigint", output_field=kind)


class ConnectionQuerySet(QuerySet["Connection"]):
    def live(self) -> Self:
        """Those whose API is pulled."""
        return self.exclude(credential="")

    def due(self, now: datetime) -> Self:
        """Live ones that are not paused and whose time has come."""
        return self.live().filter(enabled=True, next_pull_at__lte=now).exclude(schedule="off")


class ImportBatchQuerySet(QuerySet["ImportBatch"]):
    def of(self, organisation: Organisation) -> Self:
        """An organisation's imports, the latest first, with their connection."""
        return self.filter(organisation=organisation).select_related("connection").order_by("-created_at", "-id")


class RejectedRowQuerySet(QuerySet["RejectedRow"]):
    def put_right(self) -> Self:
        """Rejected lines whose retry read them."""
        again = self.model._default_manager.filter(batch=OuterRef("retried_by"), line=OuterRef("retried_line"))
        return self.filter(~Exists(again), retried_by__status__in=("done", "held"))

    def waiting(self) -> Self:
        """Rejected lines that no import has read since, nor is about to."""
        return self.exclude(pk__in=self.put_right()).exclude(retried_by__status__in=("queued", "running"))


class UsageDimensionQuerySet(QuerySet["UsageDimension"]):
    def unresolved(self, organisation: Organisation) -> Self:
        """Dimensions whose model name means nothing the catalogue knows."""
        return self.filter(organisation=organisation, offering=None)


class RollupQuerySet(QuerySet[Any]):
    """Reads that both rollups share. Money stands in `list_currency` and `currency`: never summed across."""

    def of(self, organisation: Organisation, since: date | None = None, until: date | None = None) -> Self:
        """What counts of an organisation in [since, until): the feeds that give the money or the tokens."""
        found = self.filter(Q(counted=True) | Q(tallied=True), organisation=organisation)
        if since is not None:
            found = found.filter(day__gte=since)
        return found if until is None else found.filter(day__lt=until)

    def spent(self) -> Self:
        """Without notional usage, which never enters a total."""
        return self.exclude(cost_kind=NOTIONAL)

    def last_day(self) -> date | None:
        """The last day with usage; None without any."""
        found: date | None = self.aggregate(last=Max("day"))["last"]
        return found

    def notional(self) -> Self:
        """What a subscription covered, at API prices."""
        return self.filter(cost_kind=NOTIONAL)

    def sums_by(self, *keys: str) -> list[dict[str, Any]]:
        """Every measure by keys (of `COLUMNS`) and by currency and cost kind, one dict a group, in no order.

        PostgreSQL groups by numbers, and what they are called is read apart: by the names it takes three times as long.
        """
        return named(self.summed_by(*keys), keys)

    def summed_by(self, *keys: str) -> QuerySet[Any, dict[str, Any]]:
        """The same by the columns of the keys, unnamed: two groups of one name may stand beside each other."""
        columns = dict.fromkeys(COLUMNS[name] for name in keys if COLUMNS[name])
        times = {name: expression for name, expression in _TIMES.items() if name in columns}
        found = self.annotate(**times).values(*columns, *CURRENCIES, "cost_kind")
        sums: QuerySet[Any, dict[str, Any]] = found.annotate(**{f"sum_{name}": summed(name) for name in MEASURES})
        return sums.order_by()

    def paid_by_day(self) -> QuerySet[Any, dict[str, Any]]:
        """What rows were spent, cost at contract and leave unpriced, by day, currencies and cost kind, and apart by
        whether they give the money (`counted`) and the tokens (`tallied`)."""
        names = ("spent", "reported_records", "contracted_cost", "unpriced_requests", "unpriced_tokens")
        keys = ("day", "list_currency", "spent_currency", "cost_kind", "counted", "tallied")
        sums = {f"sum_{name}": Sum(name) for name in names}
        by_day: QuerySet[Any, dict[str, Any]] = self.order_by().values(*keys).annotate(**sums)
        return by_day

    def unresolved_names(self) -> QuerySet[Any, dict[str, Any]]:
        """Names that meant nothing the catalogue knows, by host: records, requests, tokens, reported cost, days.

        One dict a host, name, currency and kind of reported cost, as money of two currencies has no sum.
        """
        by_name: QuerySet[Any, dict[str, Any]] = self.filter(offering=None).values(
            "host", "model_raw", "currency", "cost_kind"
        )
        tokens = F("in_uncached") + F("in_cache_read") + F("in_cache_write") + F("out_total")
        named: QuerySet[Any, dict[str, Any]] = by_name.annotate(
            tokens=Sum(tokens), n=Sum("records"), calls=Sum("requests"), calls_unknown=Sum("unknown_requests"),
            reported=Sum("reported_cost"), n_reported=Sum("reported_records"), first=Min("day"), last=Max("day"),
        )  # fmt: skip
        return named.order_by("host", "model_raw", "currency", "cost_kind")


class _Start(Func):
    """The first day of a date's week or month, without the detour over a time zone that TRUNC takes."""

    template = "date_trunc('%(unit)s', %(expressions)s::timestamp)::date"
    output_field = DateField()


_TIMES = {"week_starts": _Start("day", unit="week"), "month_starts": _Start("day", unit="month")}
KEYS: dict[str, Any] = {
    "project": F("project__slug"),
    "model": F("offering__model__slug"),
    "model_raw": F("model_raw"),
    "maker": Coalesce(F("offering__model__maker"), Value("")),
    "offering": F("offering_id"),
    "provider": F("offering__provider__slug"),
    "host": F("host"),
    "source": F("connection__importer"),
    "scope": F("connection__scope"),
    "service_tier": F("service_tier"),
}
"""What usage can be filtered by."""


class DailyCostQuerySet(RollupQuerySet):
    def attributed_to(self, project_ids: Iterable[int]) -> Self:
        return self.filter(project__in=list(project_ids))

    def unattributed(self) -> Self:
        """What no rule gives to a project."""
        return self.filter(project=None)


class ModelDailyCostQuerySet(RollupQuerySet):
    def span(self, organisation: Organisation) -> tuple[date, date] | None:
        """The first and last day with usage; None without any."""
        found = self.filter(organisation=organisation).aggregate(first=Min("day"), last=Max("day"), n=Count("id"))
        return (found["first"], found["last"]) if found["n"] else None

    def month_starts(self) -> list[date]:
        """The first day of each month with usage, the latest first."""
        months = self.annotate(month=TruncMonth("day")).order_by("-month").values_list("month", flat=True)
        return list(months.distinct())

    def months_of(self, offering_ids: Iterable[int]) -> list[tuple[int, date]]:
        """(organisation, first day of a month) with usage of any of these offerings, the newest month first."""
        return _months(self.filter(offering__in=list(offering_ids)))

    def months_at(self, hosts: Iterable[str]) -> list[tuple[int, date]]:
        """The same of usage reported at any of these hosts, whatever its names meant."""
        return _months(self.filter(host__in=list(hosts)))


def _months(rows: QuerySet[Any]) -> list[tuple[int, date]]:
    found = rows.annotate(month=TruncMonth("day")).order_by("-month", "organisation_id")
    return list(found.values_list("organisation_id", "month").distinct())
