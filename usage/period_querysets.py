"""Named reads of closed months, of what is official and of what waits outside it; none writes.

`OfficialDailyCost` and its siblings hold the ledger's rollup and the official record side by side: their reads begin
with `of`, `seen` or `whole`, which choose by the closed months of the organisation.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.db.models import Q, QuerySet, Sum

from usage.querysets import MEASURES, DailyCostQuerySet, RollupQuerySet
from usage.spend_querysets import SpendQuerySet

if TYPE_CHECKING:
    from usage.models import Organisation, Period, Restatement  # noqa: F401

Days = tuple[date, date]


class PeriodQuerySet(QuerySet["Period"]):
    def of(self, organisation: Organisation) -> Self:
        """An organisation's closed months, the latest first."""
        return self.filter(organisation=organisation).order_by("-month")

    def touching(self, since: date | None, until: date | None) -> Self:
        """Those with a day in [since, until)."""
        found = self if until is None else self.filter(month__lt=until)
        return found if since is None else found.filter(month__gte=since.replace(day=1))

    def spans(self, organisation_id: int) -> list[Days]:
        """The closed days of an organisation as spans [from, until), as few as can be."""
        spans: list[Days] = []
        months = self.filter(organisation_id=organisation_id).order_by("month").values_list("month", flat=True)
        for month in months:
            starts = spans.pop()[0] if spans and spans[-1][1] == month else month
            spans.append((starts, (month + timedelta(days=31)).replace(day=1)))
        return spans


class RestatementQuerySet(QuerySet["Restatement"]):
    def of(self, organisation: Organisation) -> Self:
        """An organisation's restatements in the order they were made, undone ones too, with their month."""
        return self.filter(period__organisation=organisation).select_related("period").order_by("id")

    def standing(self) -> Self:
        """Those not undone."""
        return self.filter(undone_at=None)


def _closed_days(organisation_id: int) -> Q | None:
    from usage.models import Period

    found: Q | None = None
    for starts, until in Period.objects.spans(organisation_id):
        span = Q(day__gte=starts, day__lt=until)
        found = span if found is None else found | span
    return found


def _official(organisation_id: int) -> Q:
    """The ledger's rows of open days, the official record's of closed ones."""
    closed = _closed_days(organisation_id)
    if closed is None:
        return Q(closed=False)
    return (Q(closed=False) & ~closed) | (Q(closed=True, undone=False) & closed)


class OfficialQuerySet(RollupQuerySet):
    def of(self, organisation: Organisation, since: date | None = None, until: date | None = None) -> Self:
        """What officially counts of an organisation in [since, until)."""
        return super().of(organisation, since, until).filter(_official(organisation.pk))

    def whole(self, organisation_id: int) -> Self:
        """All that is official of an organisation, counted or not."""
        return self.filter(_official(organisation_id), organisation=organisation_id)


class OfficialDailyCostQuerySet(OfficialQuerySet, DailyCostQuerySet):  # type: ignore[override]
    """The same with project."""


class OfficialSpendQuerySet(SpendQuerySet):
    """The reads behind pages, of official figures. For `OfficialDailyCost`."""

    def seen(self, organisation_id: int, project_ids: Collection[int] | None) -> Self:
        """What officially counts of an organisation: all of it, or of these projects only."""
        return super().seen(organisation_id, project_ids).filter(_official(organisation_id))


class PendingQuerySet(RollupQuerySet):
    """The ledger's closed months less what is official of them. A row alone means nothing, only sums do."""

    def of(self, organisation: Organisation, since: date | None = None, until: date | None = None) -> Self:
        """What is pending of what counts in [since, until)."""
        closed = _closed_days(organisation.pk)
        return self.none() if closed is None else super().of(organisation, since, until).filter(closed, undone=False)

    def whole(self, organisation_id: int) -> Self:
        """All that is pending, counted or not."""
        closed = _closed_days(organisation_id)
        return self.none() if closed is None else self.filter(closed, undone=False, organisation=organisation_id)

    def moved(self, *keys: str) -> QuerySet[Any, dict[str, Any]]:
        """`sum_` of every measure by some columns, only where any of them is not zero."""
        names = {f"sum_{name}": Sum(name) for name in MEASURES}
        something = Q()
        for name in names:
            something |= ~Q(**{name: 0})
        summed: QuerySet[Any, dict[str, Any]] = self.values(*keys).annotate(**names)
        return summed.filter(something).order_by(*keys)
