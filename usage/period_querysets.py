"""Named reads of closed months, of what is official and of what waits outside it; none writes.

`OfficialDailyCost` and its siblings hold the ledger's rollup and the official record side by side: their reads begin
with `of`, `whole` or `official_spend`, which choose by the closed months of the organisation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.db.models import DateField, Exists, F, Func, OuterRef, Q, QuerySet, Sum

from pricing.models import ExchangeRate
from usage.naming import named
from usage.querysets import MEASURES, RollupQuerySet
from usage.spend_querysets import SpendQuerySet

if TYPE_CHECKING:
    from usage.models import Organisation, Period, Restatement  # noqa: F401

Days = tuple[date, date]


_END = Func(F("month"), template="(%(expressions)s + interval '1 month')::date", output_field=DateField())
_LATER = Exists(ExchangeRate.objects.filter(day__lt=OuterRef("end"), recorded_at__gt=OuterRef("rates_at")))


class PeriodQuerySet(QuerySet["Period"]):
    def of(self, organisation: Organisation) -> Self:
        """An organisation's closed months, the latest first."""
        return self.filter(organisation=organisation).order_by("-month")

    def touching(self, since: date | None, until: date | None) -> Self:
        """Those with a day in [since, until)."""
        found = self if until is None else self.filter(month__lt=until)
        return found if since is None else found.filter(month__gte=since.replace(day=1))

    def overtaken(self) -> Self:
        """Those for whose days rates of exchange came after the ones they stand on."""
        return self.annotate(end=_END).filter(_LATER)

    def are_overtaken(self) -> dict[date, bool]:
        """By month, whether it is one of those."""
        return dict(self.annotate(end=_END, is_overtaken=_LATER).values_list("month", "is_overtaken"))

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


def _spans(organisation_id: int) -> list[Days]:
    from usage.models import Period

    return Period.objects.spans(organisation_id)


def _within(spans: Sequence[Days]) -> Q | None:
    found: Q | None = None
    for starts, until in spans:
        span = Q(day__gte=starts, day__lt=until)
        found = span if found is None else found | span
    return found


def _official(spans: Sequence[Days]) -> Q:
    """The ledger's rows of open days, the official record's of closed ones."""
    closed = _within(spans)
    if closed is None:
        return Q(closed=False)
    return (Q(closed=False) & ~closed) | (Q(closed=True, undone=False) & closed)


def _state(spans: Sequence[Days], since: date | None, until: date | None) -> str:
    """Whether the days [since, until) are all `open`, all `closed` or `mixed`."""
    if since and until and any(starts <= since and until <= end for starts, end in spans):
        return "closed"
    met = any((until is None or starts < until) and (since is None or since < end) for starts, end in spans)
    return "mixed" if met else "open"


class OfficialQuerySet(RollupQuerySet):
    """Official figures by day. Where all days asked for are open, or all closed, the table itself is read.

    A view has no statistics, so PostgreSQL sorts where it would hash: 1.3 to 1.6 times as long for 26,000 rows.
    """

    def of(self, organisation: Organisation, since: date | None = None, until: date | None = None) -> Any:
        """What officially counts of an organisation in [since, until)."""
        spans = _spans(organisation.pk)
        state = _state(spans, since, until)
        if state == "mixed":
            return super().of(organisation, since, until).filter(_official(spans))
        ledger, record = self.tables()
        if state == "open":
            return ledger._default_manager.of(organisation, since, until)
        return record._default_manager.of(organisation, since, until).filter(undone=False)

    def whole(self, organisation_id: int) -> Self:
        """All that is official of an organisation, counted or not."""
        return self.filter(_official(_spans(organisation_id)), organisation=organisation_id)

    def tables(self) -> tuple[Any, Any]:
        """The ledger's rollup and the official record that stand in this view."""
        rollup = self.model.__name__.removeprefix("Official")
        return apps.get_model("usage", rollup), apps.get_model("usage", f"Official{rollup.replace('Daily', '')}")


_ROLLUPS = ("OfferingDailyCost", "ProjectDailyCost", "ModelDailyCost", "DailyCost")
"""From the one with the fewest rows to the one with the most, which knows everything."""


def smallest(columns: Iterable[str], view: str = "Official") -> Any:
    """The view (`Official` or `Pending`; '': the ledger itself) of the smallest rollup that knows these columns."""
    wanted = set(columns)
    views = [apps.get_model("usage", f"{view}{name}") for name in _ROLLUPS]
    return next(one for one in views if wanted <= {field.attname for field in one._meta.concrete_fields})


def official_spend(
    organisation_id: int, project_ids: Collection[int] | None, closed: Sequence[Days], *columns: str
) -> SpendQuerySet:
    """What officially counts of an organisation with these closed days, by some columns, for pages: all of it, or of
    some projects only."""
    view = smallest(columns if project_ids is None else {*columns, "project_id"})
    if not closed:
        return SpendQuerySet(view.objects.tables()[0]).seen(organisation_id, project_ids)
    return SpendQuerySet(view).seen(organisation_id, project_ids).filter(_official(closed))


class PendingQuerySet(RollupQuerySet):
    """The ledger's closed months less what is official of them. A row alone means nothing, only sums do."""

    def of(self, organisation: Organisation, since: date | None = None, until: date | None = None) -> Self:
        """What is pending of what counts in [since, until)."""
        spans = _spans(organisation.pk)
        if _state(spans, since, until) == "open":
            return self.none()
        return super().of(organisation, since, until).filter(_within(spans), undone=False)

    def whole(self, organisation_id: int) -> Self:
        """All that is pending, counted or not."""
        closed = _within(_spans(organisation_id))
        return self.none() if closed is None else self.filter(closed, undone=False, organisation=organisation_id)

    def moved_by(self, *keys: str) -> list[dict[str, Any]]:
        """What is pending by keys as `sums_by` gives it, only where any measure is not zero."""
        return named(self.summed_by(*keys).filter(_something()), keys)

    def moved(self, *keys: str) -> QuerySet[Any, dict[str, Any]]:
        """`sum_` of every measure by some columns, only where any of them is not zero."""
        names = {f"sum_{name}": Sum(name) for name in MEASURES}
        summed: QuerySet[Any, dict[str, Any]] = self.values(*keys).annotate(**names)
        return summed.filter(_something()).order_by(*keys)


def _something() -> Q:
    """That any sum is not zero."""
    found = Q()
    for name in MEASURES:
        found |= ~Q(**{f"sum_{name}": 0})
    return found
