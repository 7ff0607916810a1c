"""Named reads of budgets; none writes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import TYPE_CHECKING, Self

from django.db.models import F, Q, QuerySet

if TYPE_CHECKING:
    from usage.models import Budget, Organisation  # noqa: F401


class BudgetQuerySet(QuerySet["Budget"]):
    def of(self, organisation: Organisation) -> Self:
        """An organisation's budgets with their projects: the whole first, then cost centres, then projects."""
        found = self.filter(organisation=organisation).select_related("project", "organisation")
        return found.order_by(F("project__name").asc(nulls_first=True), "cost_centre", "-effective_from", "id")

    def seen(self, project_ids: Collection[int] | None) -> Self:
        """Those whose money may be seen by who sees some projects: the projects' own. None sees the whole, and all."""
        return self if project_ids is None else self.filter(project__in=list(project_ids))

    def on(self, day: date) -> Self:
        """Those that hold on a UTC day."""
        return self.filter(Q(effective_until=None) | Q(effective_until__gt=day), effective_from__lte=day)

    def of_scope(self, project_id: int | None, cost_centre: str) -> Self:
        return self.filter(project=project_id, cost_centre=cost_centre)
