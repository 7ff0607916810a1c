"""Closed months: what was official when a month was closed, and the restatements that moved it since."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from usage.models.organisations import Organisation, Project
from usage.models.rollups import KEY, LEAST_KEY, OFFERING_KEY, ModelRollup, OfferingRollup, Rollup
from usage.period_querysets import PeriodQuerySet, RestatementQuerySet
from usage.querysets import DailyCostQuerySet, ModelDailyCostQuerySet

PERSON = 254


class Period(models.Model):
    """A month of an organisation that is closed: its official figures move by restatements only."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="periods")
    month = models.DateField(help_text="Its first day, UTC.")
    closed_at = models.DateTimeField(db_default=Now())
    closed_by = models.CharField(max_length=PERSON)
    rates_at = models.DateTimeField(
        db_default=Now(), help_text="Its days are converted at the rates of exchange that stood at this instant."
    )
    figures = models.JSONField(help_text="{total, coverage}: what `spend` said of the month when it was closed.")
    sums = models.JSONField(default=dict, help_text="measure → its sum over the rows as closed.")

    objects = PeriodQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "month"], name="period_closed_once"),
            models.CheckConstraint(condition=Q(month__day=1), name="period_is_a_month"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"

    @property
    def until(self) -> date:
        """The first day after it."""
        return (self.month + timedelta(days=31)).replace(day=1)


class Restatement(models.Model):
    """A reasoned difference to a closed month's official figures. Undone, it stays on record and counts no more."""

    period = models.ForeignKey(Period, models.CASCADE, related_name="restatements")
    reason = models.CharField(max_length=1000)
    made_at = models.DateTimeField(db_default=Now())
    made_by = models.CharField(max_length=PERSON)
    before = models.JSONField(help_text="The month's official total before it.")
    after = models.JSONField(help_text="The month's official total with it.")
    sums = models.JSONField(default=dict, help_text="measure → its sum over the restated rows.")
    rates_before = models.DateTimeField(
        null=True, help_text="Where it took in later rates of exchange: the `rates_at` of the month before it."
    )
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=PERSON, blank=True)
    undo_reason = models.CharField(max_length=1000, blank=True)

    objects = RestatementQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="restatement_has_a_reason"),
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by="", undo_reason="")
                | (Q(undone_at__isnull=False) & ~Q(undo_reason="")),
                name="undoing_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.period}: {self.reason}"


class OfficialRow(models.Model):
    """A row of a closed month as closed, or (with a restatement) the signed difference that one made to it."""

    period = models.ForeignKey(Period, models.CASCADE, related_name="+")
    restatement = models.ForeignKey(Restatement, models.CASCADE, null=True, related_name="+")
    undone = models.BooleanField(default=False, help_text="Its restatement was undone: it counts no more.")

    class Meta:
        abstract = True


class OfficialCost(OfficialRow, ModelRollup):
    """By project; NULL = unattributed."""

    project = models.ForeignKey(Project, models.PROTECT, null=True, related_name="+")

    objects = DailyCostQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[*KEY, "project", "restatement"], name="official_cost_once", nulls_distinct=False
            )
        ]
        indexes = [
            models.Index(fields=["organisation", "day"], condition=Q(project=None), name="official_cost_of_nobody")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.project_id}"


class OfficialModelCost(OfficialRow, ModelRollup):
    """Without project: the sums of `OfficialCost`."""

    objects = ModelDailyCostQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=[*KEY, "restatement"], name="official_model_cost_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.offering_id}"


class OfficialProjectCost(OfficialRow, Rollup):
    """By project alone: the sums of `OfficialCost`."""

    project = models.ForeignKey(Project, models.PROTECT, null=True, related_name="+")

    objects = DailyCostQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[*LEAST_KEY, "project", "restatement"], name="official_project_cost_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.project_id}"


class OfficialOfferingCost(OfficialRow, OfferingRollup):
    """By offering alone: the sums of `OfficialCost`."""

    objects = ModelDailyCostQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[*OFFERING_KEY, "restatement"], name="official_offering_cost_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.offering_id}"
