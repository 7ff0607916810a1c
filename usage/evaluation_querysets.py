"""Named reads of evaluations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Case, CharField, Count, F, Max, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber

if TYPE_CHECKING:
    from usage.models import EvaluationRun, Organisation


class EvaluationRunQuerySet(QuerySet["EvaluationRun"]):
    def seen(self, organisation: Organisation, projects: Iterable[int] | None) -> EvaluationRunQuerySet:
        """The runs of an organisation, of some of its projects only where those are given."""
        found = self.filter(organisation=organisation)
        return found if projects is None else found.filter(project__in=list(projects))

    def alike(self, run: EvaluationRun) -> EvaluationRunQuerySet:
        """The runs that a run can be compared with, itself among them: the same project, suite, task and measure."""
        return self.filter(
            organisation_id=run.organisation_id, project_id=run.project_id,
            suite=run.suite, task=run.task, metric=run.metric,
        )  # fmt: skip

    def newest(self) -> EvaluationRunQuerySet:
        """Of each model and effort on each suite, task and measure of each project the newest run."""
        whose = [F("project"), F("suite"), F("task"), F("metric"), F("model"), F("effort"), F("named_apart")]
        order = [F("ran_on").desc(nulls_last=True), F("imported_at").desc(), F("pk").desc()]
        return (
            self.annotate(
                # Names that mean no model are each its own; those of one model are one.
                named_apart=Case(When(model=None, then=F("raw_name")), default=Value(""), output_field=CharField())
            )
            .annotate(place=Window(RowNumber(), partition_by=whose, order_by=order))
            .filter(place=1)
        )

    def names(self) -> QuerySet[Any, dict[str, Any]]:
        """Each name with what it means: the model, the rule, the efforts and the number of runs."""
        found: QuerySet[Any, Any] = (
            self.order_by()
            .values("raw_name", "model__slug", "model__name")
            .annotate(runs=Count("pk"), efforts=ArrayAgg("effort", distinct=True), rule=Max("rule"))
        )
        return found
