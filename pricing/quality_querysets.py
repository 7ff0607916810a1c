"""Named reads of quality: benchmarks and their scores, speeds and what GPUs cost; each says what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Case, Count, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Greatest

if TYPE_CHECKING:
    from pricing.models import Benchmark, GpuRate, Score, SpeedSample  # noqa: F401


@dataclass(frozen=True, slots=True)
class Marks:
    """What to bear in mind of a benchmark on a day, beside what its module says of it.

    `names` were scored in the category, `above` of them at or over the ceiling (None without a ceiling).
    `newest_name_on` is the last day a name came that had not been there before: how stale it is.
    """

    benchmark: Benchmark
    names: int
    above: int | None
    newest_name_on: date | None

    @property
    def saturated(self) -> Decimal | None:
        """The share of the names that the benchmark can no longer tell apart."""
        return Decimal(self.above) / self.names if self.above is not None and self.names else None


class BenchmarkQuerySet(QuerySet["Benchmark"]):
    def marks(self, slug: str, category: str, day: date) -> Marks:
        """A benchmark's marks as known on a day; Benchmark.DoesNotExist for a slug nobody declared. Three queries."""
        from pricing.models import Score  # the models import this module

        benchmark = self.get(slug=slug)
        known = Score.objects.known_on(slug, category, day)
        above = None if benchmark.ceiling is None else Count("id", filter=Q(value__gte=benchmark.ceiling))
        counts = known.aggregate(names=Count("id"), **({} if above is None else {"above": above}))
        until = Score.objects.filter(benchmark=benchmark, category=category, observed_on__lte=day)
        first = until.values("display_name").annotate(first=Min("observed_on")).aggregate(newest=Max("first"))
        return Marks(benchmark, counts["names"], counts.get("above"), first["newest"])


class ScoreQuerySet(QuerySet["Score"]):
    def newest(self, benchmark: str, category: str) -> ScoreQuerySet:
        """All that is known of one benchmark and category: its newest table, or every name's newest run."""
        return self.known_on(benchmark, category, date.max)

    def known_on(self, benchmark: str, category: str, day: date) -> ScoreQuerySet:
        """One category's scores as a reader had them on a day; none before the benchmark's first.

        Of a benchmark of whole tables these are the newest table not after the day: a name that it dropped is no
        longer rated. Where each score has the day of its own run it is the newest run of each name and setting
        until then.
        """
        return self._until(benchmark, category, Value(day))

    def stamp(self, benchmark: str, category: str) -> tuple[Any, ...]:
        """Another one after any score of the category was added, corrected, or joined to another model."""
        own = self.filter(benchmark__slug=benchmark, category=category)
        said = ("value", "low", "high", "n", "cost_usd", "output_tokens", "cases", "seconds_mean", "model_id")
        found = own.aggregate(Count("id"), Max("id"), *map(Sum, said))
        return tuple(found.values())

    def as_of(self, benchmark: str, category: str, day: date) -> ScoreQuerySet:
        """What was `known_on` a day; where all scores are younger, those known on the first day there were any."""
        own = self.filter(benchmark__slug=benchmark, category=category).order_by()
        first = own.values("benchmark").annotate(day=Min("observed_on")).values("day")[:1]
        return self._until(benchmark, category, Greatest(Value(day), Subquery(first)))

    def _until(self, benchmark: str, category: str, day: Value | Greatest) -> ScoreQuerySet:
        own = self.filter(benchmark__slug=benchmark, category=category).filter(observed_on__lte=day)
        newest = own.order_by().values("benchmark").annotate(day=Max("observed_on")).values("day")
        same = newest.filter(display_name=OuterRef("display_name"), setting=OuterRef("setting"))
        # A CASE, because of two alternatives PostgreSQL would look up the run of every name in whole tables, too.
        last = Case(When(benchmark__runs_dated=True, then=Subquery(same[:1])), default=Subquery(newest[:1]))
        return own.filter(observed_on=last)

    def days(self, benchmark: str, category: str) -> list[date]:
        """The days on which what is known of a category changed, the first one first: where to ask `known_on`."""
        own = self.filter(benchmark__slug=benchmark, category=category)
        return list(own.order_by("observed_on").values_list("observed_on", flat=True).distinct())


class GpuRateQuerySet(QuerySet["GpuRate"]):
    def as_of(self, day: date, oldest: timedelta) -> GpuRateQuerySet:
        """Of each host, GPU and terms the newest rate of [day - oldest, day]: what is older no longer says anything."""
        seen = self.filter(observed_on__lte=day, observed_on__gte=day - oldest)
        return seen.order_by("host", "gpu", "terms", "-observed_on").distinct("host", "gpu", "terms")


class SpeedSampleQuerySet(QuerySet["SpeedSample"]):
    def newest(self, at: datetime) -> SpeedSampleQuerySet:
        """The last measurement of each offering by a moment."""
        return self.filter(sampled_at__lte=at).order_by("offering", "-sampled_at").distinct("offering")
