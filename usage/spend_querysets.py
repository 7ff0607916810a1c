"""Named reads behind the pages of spend: sums by segments of days, and the records behind a sum; none writes.

Days are UTC, spans half-open.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    DateField,
    F,
    Func,
    IntegerField,
    Max,
    Min,
    Q,
    QuerySet,
    Sum,
    Value,
)

from pricing.models import Offering

if TYPE_CHECKING:
    from usage.models import DailyCost, UsageRecord  # noqa: F401

MEASURES = (
    "records",
    "requests",
    "in_uncached",
    "in_cache_read",
    "in_cache_write",
    "out_total",
    "priced_records",
    "unpriced_requests",
    "unpriced_tokens",
)


def midnight(day: date) -> datetime:
    """The instant a UTC day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class SpendQuerySet(QuerySet["DailyCost"]):
    def seen(self, organisation_id: int, project_ids: Collection[int] | None) -> Self:
        """What counts of an organisation: all of it, unattributed included, or of these projects only."""
        found = self.filter(Q(counted=True) | Q(tallied=True), organisation_id=organisation_id)
        return found if project_ids is None else found.filter(project_id__in=project_ids)

    def span_of_days(self) -> tuple[date | None, date | None]:
        """The first and the last day with usage."""
        found = self.aggregate(first=Min("day"), last=Max("day"))
        return found["first"], found["last"]

    def in_segments(self, cuts: Sequence[date], *keys: str, measures: Sequence[str] = MEASURES) -> list[dict[str, Any]]:
        """Money and measures of [first cut, last cut) by `segment` (1 from the first cut on) and keys.

        `cost` and `contracted` are of the tokens, in `list_currency`; `spent`, what it cost as far as anybody knows,
        and `reported`, what of that a feed said, in `spent_currency`. Currencies and `cost_kind` are always keys: no
        sum mixes currencies, and notional cost stands apart. Keys of the offering are read apart, as grouping by texts
        takes PostgreSQL twice as long.
        """
        days = Value(list(cuts), output_field=ArrayField(DateField()))
        segment = Func(F("day"), days, function="width_bucket", output_field=IntegerField())
        told, paid = Q(tallied=True), Q(counted=True)
        own = dict.fromkeys("offering_id" if key.startswith(_OFFERING) else key for key in keys)
        grouped = (
            self.filter(day__gte=cuts[0], day__lt=cuts[-1])
            .annotate(segment=segment)
            .values("segment", "list_currency", "spent_currency", "cost_kind", *own)
            .annotate(
                sum_cost=Sum("list_cost", filter=told, default=0),
                sum_contracted=Sum("contracted_cost", filter=told, default=0),
                sum_spent=Sum("spent", filter=paid, default=0),
                sum_reported=Sum("reported_cost", filter=paid, default=0),
                sum_spent_records=Sum("spent_records", filter=paid, default=0),
                **{f"sum_{name}": Sum(name, filter=told, default=0) for name in measures},
            )
        )
        rows = [{key.removeprefix("sum_"): value for key, value in row.items()} for row in grouped.order_by()]
        return _with_offerings(rows, [key for key in keys if key.startswith(_OFFERING)])

    def per_request(self, start: date, until: date) -> list[dict[str, Any]]:
        """By project and `list_currency`, the usage of [start, until) whose requests and price are all known.

        `cost`, `requests` and the tokens of each kind are of that; a kind's `unknown_` counts records that do not know
        theirs. `all_requests` and `silent_records` (of which nobody knows the requests) are of everything that tallies.
        Notional usage is left out. A row of the rollup with one unknown among many is left out whole.
        """
        tallied = self.filter(tallied=True, day__gte=start, day__lt=until).exclude(cost_kind="notional")
        known = Q(unknown_requests=0, unpriced_requests=0, unpriced_tokens=0, requests__gt=0)
        counted = ("requests", *_KINDS, *(f"unknown_{name}" for name in _KINDS))
        grouped: QuerySet[Any, Any] = tallied.order_by().values("project_id", "list_currency")
        return list(
            grouped.annotate(
                cost=Sum("list_cost", filter=known, default=0),
                all_requests=Sum("requests", default=0), silent_records=Sum("unknown_requests", default=0),
                **{f"known_{name}": Sum(name, filter=known, default=0) for name in counted},
            )
        )  # fmt: skip


_KINDS = ("in_uncached", "in_cache_read", "in_cache_write", "out_total")
_OFFERING = "offering__"


def _with_offerings(rows: list[dict[str, Any]], keys: Sequence[str]) -> list[dict[str, Any]]:
    """Rows with what their offering is called under each key, None where there is none. One query."""
    if not keys:
        return rows
    fields = [key.removeprefix(_OFFERING) for key in keys]
    told = {row["offering_id"] for row in rows} - {None}
    names = {pk: values for pk, *values in Offering.objects.filter(pk__in=told).values_list("pk", *fields)}
    nothing = [None] * len(keys)
    return [row | dict(zip(keys, names.get(row["offering_id"], nothing), strict=True)) for row in rows]
