"""Named reads of usage; none writes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Count,
    DateField,
    DecimalField,
    F,
    Func,
    IntegerField,
    Max,
    Min,
    QuerySet,
    Sum,
    Value,
)
from django.db.models.functions import TruncDate

if TYPE_CHECKING:
    from usage.models import (  # noqa: F401
        DailyCost,
        ImportBatch,
        ModelDailyCost,
        UsageDimension,
        UsageRecord,
    )


class ImportBatchQuerySet(QuerySet["ImportBatch"]):
    pass


class UsageDimensionQuerySet(QuerySet["UsageDimension"]):
    pass


# What a page sums of a group of rollup rows; `cost` is list cost in the group's `list_currency`.
SPEND_SUMS = {
    "cost": Sum("list_cost"),
    **{
        name: Sum(name)
        for name in (
            "records",
            "requests",
            "in_uncached",
            "in_cache_read",
            "in_cache_write",
            "out_total",
            "out_reasoning",
            "priced_records",
            "unpriced_requests",
            "unpriced_tokens",
        )
    },
}


def _segment(cuts: Sequence[date]) -> Func:
    """The number of cuts at or before the day: 0 before the first, len(cuts) from the last on."""
    return Func(
        F("day"),
        Value(list(cuts), output_field=ArrayField(DateField())),
        function="width_bucket",
        output_field=IntegerField(),
    )


class DailyCostQuerySet(QuerySet["DailyCost"]):
    def seen(self, organisation_id: int, project_ids: Collection[int] | None) -> DailyCostQuerySet:
        """Counted rows of an organisation: all of it, unattributed included, or of these projects only."""
        found = self.filter(organisation_id=organisation_id, counted=True)
        return found if project_ids is None else found.filter(project_id__in=project_ids)

    def span_of_days(self) -> tuple[date | None, date | None]:
        """The first and the last UTC day with usage."""
        found = self.aggregate(first=Min("day"), last=Max("day"))
        return found["first"], found["last"]

    def in_segments(self, cuts: Sequence[date], *keys: str) -> list[dict[str, Any]]:
        """SPEND_SUMS of the days [first cut, last cut) by `segment` (1 = from the first cut) and keys.

        `list_currency` and `cost_kind` are always keys: no sum mixes currencies, and notional cost is apart.
        """
        grouped = (
            self.filter(day__gte=cuts[0], day__lt=cuts[-1])
            .annotate(segment=_segment(cuts))
            .values("segment", "list_currency", "cost_kind", *keys)
            .annotate(**SPEND_SUMS)
        )
        return list(grouped.order_by())


class UsageRecordQuerySet(QuerySet["UsageRecord"]):
    def on_days(self, organisation_id: int, start: date, until: date) -> UsageRecordQuerySet:
        """Counted records of the UTC days [start, until), each with whose they were on that day."""
        on = TruncDate("occurred_at", tzinfo=UTC)
        return self.filter(
            organisation_id=organisation_id,
            counted=True,
            occurred_at__gte=midnight(start),
            occurred_at__lt=midnight(until),
            dimension__assignments__valid_from__lte=on,
            dimension__assignments__valid_until__gt=on,
        ).annotate(
            projects=F("dimension__assignments__attribution__projects"),
            weights=F("dimension__assignments__attribution__weights"),
        )

    def of_projects(self, project_ids: Collection[int]) -> UsageRecordQuerySet:
        """Of those `on_days`: records of which a part belongs to any of these projects."""
        return self.filter(dimension__assignments__attribution__projects__overlap=list(project_ids))

    def of_nobody(self) -> UsageRecordQuerySet:
        """Of those `on_days`: records that no rule gives to a project."""
        return self.filter(dimension__assignments__attribution__projects__len=0)

    def cost_by(self, project_id: int, *keys: str) -> list[dict[str, Any]]:
        """A project's part of the list cost by keys and `currency` (of the rate card), with records and tokens.

        Of those `on_days`. Tokens are whole: a split shares money exactly, and tokens only in the rollups.
        """
        tokens = F("in_uncached") + F("in_cache_read") + F("in_cache_write") + F("out_total")
        grouped = (
            self.filter(dimension__assignments__attribution__projects__contains=[project_id])
            .values(*keys, currency=F("rate_card__currency"))
            .annotate(cost=Sum(_part_of(F("list_cost"), project_id)), n=Count("record_key"), tokens=Sum(tokens))
        )
        return list(grouped.order_by())


def _part_of(amount: F, project_id: int) -> Func:
    """What `usage_split` gives a project of an amount of money."""
    assigned = "dimension__assignments__attribution"
    parts = Func(
        amount,
        F(f"{assigned}__weights"),
        Value(12),
        function="usage_split",
        output_field=ArrayField(DecimalField(max_digits=30, decimal_places=12)),
    )
    place = Func(F(f"{assigned}__projects"), Value(project_id), function="array_position", output_field=IntegerField())
    return Func(
        parts,
        place,
        template="(%(expressions)s]",
        arg_joiner=")[",
        output_field=DecimalField(max_digits=30, decimal_places=12),
    )


def midnight(day: date) -> datetime:
    """The instant a UTC day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class ModelDailyCostQuerySet(QuerySet["ModelDailyCost"]):
    pass
