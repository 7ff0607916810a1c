"""Views of the rollups, read like them: what is official, and what of the ledger is not official yet.

An open month's official figures are the ledger's; a closed month's are its rows as closed with the restatements
that stand. Pending is the ledger's closed months less the official ones, so official + pending = ledger.
Begin a read with `of` or `whole` (see `usage.period_querysets`); `usage.official_views` writes the views.
"""

from __future__ import annotations

from django.db import models

from usage.models.rollups import ModelRollup, OfferingRollup, Rollup
from usage.period_querysets import OfficialQuerySet, PendingQuerySet


class View(models.Model):
    # A view has nothing to delete: without this, deleting an organisation would try to.
    organisation = models.ForeignKey("usage.Organisation", models.DO_NOTHING, related_name="+")
    closed = models.BooleanField(help_text="Whether the row is the official record's or the ledger's.")
    undone = models.BooleanField(help_text="A restated row that counts no more.")

    class Meta:
        abstract = True


class OfferingView(View):
    offering = models.ForeignKey("pricing.Offering", models.DO_NOTHING, null=True, related_name="+")

    class Meta:
        abstract = True


class ModelView(OfferingView):
    connection = models.ForeignKey("usage.Connection", models.DO_NOTHING, related_name="+")

    class Meta:
        abstract = True


class OfficialDailyCost(ModelView, ModelRollup):
    """`DailyCost` as it is official."""

    project = models.ForeignKey("usage.Project", models.DO_NOTHING, null=True, related_name="+")

    objects = OfficialQuerySet.as_manager()

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"{self.day} {self.project_id}"


class OfficialModelDailyCost(ModelView, ModelRollup):
    """`ModelDailyCost` as it is official."""

    objects = OfficialQuerySet.as_manager()

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"{self.day} {self.offering_id}"


class OfficialProjectDailyCost(View, Rollup):
    """`ProjectDailyCost` as it is official."""

    project = models.ForeignKey("usage.Project", models.DO_NOTHING, null=True, related_name="+")

    objects = OfficialQuerySet.as_manager()

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"{self.day} {self.project_id}"


class OfficialOfferingDailyCost(OfferingView, OfferingRollup):
    """`OfferingDailyCost` as it is official."""

    objects = OfficialQuerySet.as_manager()

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"{self.day} {self.offering_id}"


class PendingDailyCost(ModelView, ModelRollup):
    """What closed months hold in the ledger (positive rows) less what is official of them (negative rows)."""

    project = models.ForeignKey("usage.Project", models.DO_NOTHING, null=True, related_name="+")

    objects = PendingQuerySet.as_manager()

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"{self.day} {self.project_id}"


class PendingModelDailyCost(ModelView, ModelRollup):
    """The same without project."""

    objects = PendingQuerySet.as_manager()

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"{self.day} {self.offering_id}"


class PendingProjectDailyCost(View, Rollup):
    """The same by project alone."""

    project = models.ForeignKey("usage.Project", models.DO_NOTHING, null=True, related_name="+")

    objects = PendingQuerySet.as_manager()

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"{self.day} {self.project_id}"


class PendingOfferingDailyCost(OfferingView, OfferingRollup):
    """The same by offering alone."""

    objects = PendingQuerySet.as_manager()

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"{self.day} {self.offering_id}"
