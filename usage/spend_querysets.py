"""Named reads behind the pages of spend: sums by segments of days, and the records behind a sum; none writes.

Days are UTC, spans half-open.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Count,
    DateField,
    DecimalField,
    F,
    Func,
    IntegerField,
    Max,
    Min,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, TruncDate

from pricing.models import Offering
from usage.rollups import cell

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
_ATTRIBUTION = "dimension__assignments__attribution"


_TOLD_BETTER = f"""EXISTS (
    SELECT FROM (SELECT usage_usagerecord.*, (usage_usagerecord.occurred_at AT TIME ZONE 'UTC')::date AS day) r
    JOIN usage_usagedimension d ON d.id = r.dimension_id {cell("d.host", "d.model_raw")}
    WHERE s.usage_feed <> n.importer)"""


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


class RecordQuerySet(QuerySet["UsageRecord"]):
    def on_days(
        self, organisation_id: int, start: date, until: date, project_ids: Collection[int] | None = None
    ) -> Self:
        """Records of the days [start, until) whose feed gives the usage, joined to whose they were on that day.

        With projects only records of which a part belongs to any of them; with none of them (an empty
        collection) those that no rule gives to a project.
        """
        on = TruncDate("occurred_at", tzinfo=UTC)
        # One filter() for all that speaks of the assignment: a second one would join the table again.
        whose: dict[str, Any] = {}
        if project_ids is not None:
            named = {f"{_ATTRIBUTION}__projects__overlap": list(project_ids)}
            whose = named if project_ids else {f"{_ATTRIBUTION}__projects__len": 0}
        return self.tallied(organisation_id).filter(
            organisation_id=organisation_id,
            occurred_at__gte=midnight(start),
            occurred_at__lt=midnight(until),
            dimension__assignments__valid_from__lte=on,
            dimension__assignments__valid_until__gt=on,
            **whose,
        )

    def tallied(self, organisation_id: int) -> Self:
        """Without the records of feeds that tell of usage another feed of the account tells of more fully."""
        from usage.models import Settlement  # the models import this module

        if not Settlement.objects.filter(organisation_id=organisation_id).exists():
            return self
        return self.exclude(RawSQL(_TOLD_BETTER, [], output_field=BooleanField()))  # noqa: S611 - a constant

    def spent(self) -> Self:
        """Without notional usage, which enters no total."""
        return self.exclude(cost_kind="notional")

    def cost_by(self, project_id: int | None, *keys: str) -> list[dict[str, Any]]:
        """List cost, records `n` and tokens by keys and `priced_in`, the currency of the rate card.

        Of those `on_days`. With a project, which the records must have been asked for, its part of the cost;
        tokens of a split record count whole: only the rollups split them.
        """
        cost: Any = F("list_cost") if project_id is None else _part_of(project_id)
        known = [Coalesce(F(name), 0) for name in ("in_uncached", "in_cache_read", "in_cache_write", "out_total")]
        tokens: Any = sum(known[1:], known[0])
        grouped = self.values(*keys, priced_in=F("rate_card__currency")).annotate(
            cost=Sum(cost), n=Count("record_key"), tokens=Sum(tokens, output_field=BigIntegerField())
        )
        return list(grouped.order_by())


def _part_of(project_id: int) -> Case:
    """What the database's `usage_split` gives a project of a record's list cost; NULL where that is unknown."""
    money = DecimalField(max_digits=30, decimal_places=12)
    parts = Func(
        F("list_cost"),
        F(f"{_ATTRIBUTION}__weights"),
        Value(12),
        function="usage_split",
        output_field=ArrayField(money),
    )
    place = Func(
        F(f"{_ATTRIBUTION}__projects"),
        Value(project_id),
        function="array_position",
        output_field=IntegerField(),
    )
    part = Func(parts, place, template="(%(expressions)s]", arg_joiner=")[", output_field=money)
    # usage_split takes no NULL, and a record of one project needs no splitting.
    return Case(
        When(list_cost=None, then=Value(None)),
        When(**{f"{_ATTRIBUTION}__projects__len": 1}, then=F("list_cost")),
        default=part,
        output_field=money,
    )
