"""Named reads of the catalogue; each says what it returns, none writes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Max, Q, QuerySet

if TYPE_CHECKING:
    from pricing.models import (  # noqa: F401
        Claim,
        LanguageModel,
        Offering,
        Price,
        PriceEvent,
        PriceSource,
        RateCard,
        Score,
    )


class LanguageModelQuerySet(QuerySet["LanguageModel"]):
    def named(self, text: str) -> LanguageModelQuerySet:
        """Models whose slug, name or maker contains every word of the text."""
        found = self
        for word in text.split():
            found = found.filter(Q(slug__icontains=word) | Q(name__icontains=word) | Q(maker__icontains=word))
        return found


class OfferingQuerySet(QuerySet["Offering"]):
    def sold_by(self, provider: str) -> OfferingQuerySet:
        """Offerings of one provider, by its slug."""
        return self.filter(provider__slug=provider)


class ClaimQuerySet(QuerySet["Claim"]):
    def standing(self) -> ClaimQuerySet:
        """Claims their source still makes."""
        return self.filter(withdrawn_at=None)


class PriceQuerySet(QuerySet["Price"]):
    def known_at(self, when: datetime | None = None) -> PriceQuerySet:
        """Prices as the evidence of a moment had them; None = by all evidence there is."""
        if when is None:
            return self.filter(known_until=None)
        return self.filter(Q(known_until=None) | Q(known_until__gt=when), known_from__lte=when)

    def effective_at(self, when: datetime) -> PriceQuerySet:
        """Prices that held in the world at a moment (start included, end not)."""
        return self.filter(Q(effective_until=None) | Q(effective_until__gt=when), effective_from__lte=when)

    def overlapping(self, start: datetime, end: datetime) -> PriceQuerySet:
        """Prices that held at any moment of [start, end)."""
        return self.filter(Q(effective_until=None) | Q(effective_until__gt=start), effective_from__lt=end)

    def standard(self) -> PriceQuerySet:
        """The plain list price: standard tier, no context tier, no schedule, no qualifier."""
        return self.filter(service_tier="standard", context_from=0, schedule="", qualifier="")

    def of_offerings(self, offering_ids: Iterable[int]) -> PriceQuerySet:
        return self.filter(offering_id__in=list(offering_ids))

    def with_names(self) -> PriceQuerySet:
        """With offering, provider, model and source, in one query."""
        return self.select_related("offering__provider", "offering__model", "source")


class PriceEventQuerySet(QuerySet["PriceEvent"]):
    def between(self, by: str, start: datetime | None, end: datetime | None) -> PriceEventQuerySet:
        """Events in [start, end) by one of their three times: observed, effective, recorded."""
        column = {"observed": "observed_at", "effective": "effective_from", "recorded": "recorded_at"}[by]
        found = self.order_by(column, "id")
        if start is not None:
            found = found.filter(**{f"{column}__gte": start})
        if end is not None:
            found = found.filter(**{f"{column}__lt": end})
        return found


class RateCardQuerySet(QuerySet["RateCard"]):
    def current(self) -> RateCardQuerySet:
        """Cards by all evidence there is."""
        return self.filter(known_until=None)


class ScoreQuerySet(QuerySet["Score"]):
    def latest(self, benchmark: str, category: str) -> ScoreQuerySet:
        """The newest day's scores of one benchmark and category."""
        scores = self.filter(benchmark__slug=benchmark, category=category)
        return scores.filter(observed_on=scores.aggregate(day=Max("observed_on"))["day"])


class SourceQuerySet(QuerySet["PriceSource"]):
    def with_run_counts(self) -> QuerySet[PriceSource, Any]:
        return self.annotate(run_count=Count("runs"))
