"""Named reads of what was agreed; none writes. Days are UTC, periods half-open."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Self

from django.db.models import Q, QuerySet

from usage.contract_terms import Sold, Term

if TYPE_CHECKING:
    from usage.models import Commitment, Contract, FixedCost, Organisation  # noqa: F401

_ENDLESS = datetime.max.replace(tzinfo=UTC)


def _touching(since: date, until: date) -> Q:
    return Q(effective_from__lt=until) & (Q(effective_until=None) | Q(effective_until__gt=since))


class ContractQuerySet(QuerySet["Contract"]):
    def of(self, organisation: Organisation) -> Self:
        """An organisation's contracts with what they are for."""
        return self.filter(organisation=organisation).select_related("provider", "model", "offering")

    def terms(self, organisation_id: int, first: date, last: date, sold: Collection[Sold]) -> list[Term]:
        """The terms that hold for any of these offerings on any day of [first, last]."""
        found = self.filter(
            Q(effective_from__lte=last),
            Q(effective_until=None) | Q(effective_until__gt=first),
            organisation_id=organisation_id,
            provider__in={one.provider_id for one in sold},
        )
        fields = ("id", "kind", "provider_id", "model_id", "offering_id", "service_tier", "unit", "value", "currency")
        return [
            Term(*(*row[:9], _midnight(row[9]), _ENDLESS if row[10] is None else _midnight(row[10])))
            for row in found.values_list(*fields, "effective_from", "effective_until").order_by("id")
        ]


class CommitmentQuerySet(QuerySet["Commitment"]):
    def of(self, organisation: Organisation) -> Self:
        """An organisation's commitments, the one that ends first before the others."""
        return self.filter(organisation=organisation).select_related("provider").order_by("effective_until", "id")


class FixedCostQuerySet(QuerySet["FixedCost"]):
    def of(self, organisation: Organisation) -> Self:
        return self.filter(organisation=organisation).select_related("project")

    def touching(self, since: date, until: date) -> Self:
        """Those with a day in [since, until)."""
        return self.filter(_touching(since, until))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
