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
