"""The ledger summed by day: by all that rollups know, without project, by project alone and by offering alone."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from usage.models.attribution import MODEL_RAW
from usage.models.imports import Connection
from usage.models.ledger import CostKind
from usage.models.organisations import SLUG, Organisation, Project
from usage.querysets import DailyCostQuerySet, ModelDailyCostQuerySet


class Rollup(models.Model):
    """Sums of the ledger, kept by signed differences in the transaction that changes it.

    A sum counts what is known; the `unknown_*` and `unpriced_*` columns count the records it leaves out, so a
    reader shows NULL where nothing is known. `list_currency` is that of list and contracted cost. `spent` is what a
    record cost as far as anybody knows: reported, else contracted, else list. Where feeds of one account tell of the
    same usage (`Settlement`), `counted` marks the rows that give the money (`spent`, `reported_cost`) and `tallied`
    those that give the rest.

    As in the ledger, what a row refers to is not checked by the database: every row is a sum of rows of the ledger, as
    `verify` finds, and checking each anew took as long as writing it.
    """

    organisation = models.ForeignKey(Organisation, models.CASCADE, db_constraint=False, related_name="+")
    day = models.DateField(help_text="UTC.")
    cost_kind = models.CharField(max_length=10, choices=CostKind)
    currency = models.CharField(max_length=3, blank=True, help_text="Of reported cost.")
    list_currency = models.CharField(max_length=3, blank=True)
    spent_currency = models.CharField(max_length=3, blank=True)
    counted = models.BooleanField(default=True)
    tallied = models.BooleanField(default=True)
    records = models.BigIntegerField(default=0)
    requests = models.BigIntegerField(default=0)
    in_uncached = models.BigIntegerField(default=0)
    in_cache_read = models.BigIntegerField(default=0)
    in_cache_write = models.BigIntegerField(default=0)
    out_total = models.BigIntegerField(default=0)
    out_reasoning = models.BigIntegerField(default=0)
    list_cost = models.DecimalField(max_digits=30, decimal_places=12, default=0)
    contracted_cost = models.DecimalField(max_digits=30, decimal_places=12, default=0)
    reported_cost = models.DecimalField(max_digits=30, decimal_places=12, default=0)
    spent = models.DecimalField(max_digits=30, decimal_places=12, default=0)
    spent_records = models.BigIntegerField(default=0, help_text="Records whose cost is known in any way.")
    priced_records = models.BigIntegerField(default=0)
    reported_records = models.BigIntegerField(default=0)
    unpriced_requests = models.BigIntegerField(default=0)
    unpriced_tokens = models.BigIntegerField(default=0)
    unknown_requests = models.BigIntegerField(default=0, help_text="Records whose number of requests is unknown.")
    unknown_in_uncached = models.BigIntegerField(default=0)
    unknown_in_cache_read = models.BigIntegerField(default=0)
    unknown_in_cache_write = models.BigIntegerField(default=0)
    unknown_out_total = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class OfferingRollup(Rollup):
    """By what was used."""

    offering = models.ForeignKey("pricing.Offering", models.PROTECT, null=True, db_constraint=False, related_name="+")
    host = models.CharField(max_length=SLUG, blank=True)
    model_raw = models.CharField(max_length=MODEL_RAW, blank=True, help_text="'' where the offering is known.")

    class Meta:
        abstract = True


class ModelRollup(OfferingRollup):
    """By what was used in which tier, and which feed told of it."""

    connection = models.ForeignKey(Connection, models.CASCADE, db_constraint=False, related_name="+")
    service_tier = models.CharField(max_length=40, blank=True)
    spread = models.BooleanField(default=False, help_text="By another feed's attribution.")

    class Meta:
        abstract = True


LEAST_KEY = [
    "organisation", "day", "cost_kind", "currency", "list_currency", "spent_currency", "counted", "tallied",
]  # fmt: skip
KEY = [*LEAST_KEY[:2], "connection", "offering", "host", "model_raw", "service_tier", *LEAST_KEY[2:], "spread"]


OFFERING_KEY = [*LEAST_KEY, "offering", "host", "model_raw"]


class DailyCost(ModelRollup):
    """A UTC day of one project; project NULL = unattributed. A split record's counts are split like its money.

    `spread` rows are those of a feed whose money another feed's tokens attribute; the rows by its own attribution
    then stand beside them and neither count nor tally.
    """

    project = models.ForeignKey(Project, models.PROTECT, null=True, db_constraint=False, related_name="+")

    objects = DailyCostQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=[*KEY, "project"], name="daily_cost_once", nulls_distinct=False)]
        indexes = [models.Index(fields=["organisation", "day"], condition=Q(project=None), name="daily_cost_of_nobody")]

    def __str__(self) -> str:
        return f"{self.day} {self.project_id}"


class ModelDailyCost(ModelRollup):
    """The same without project: by model, tier and feed."""

    objects = ModelDailyCostQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=KEY, name="model_daily_cost_once", nulls_distinct=False)]

    def __str__(self) -> str:
        return f"{self.day} {self.offering_id}"


class ProjectDailyCost(Rollup):
    """By project alone: the sums of `DailyCost`, small enough for years of days and weeks by project."""

    project = models.ForeignKey(Project, models.PROTECT, null=True, db_constraint=False, related_name="+")

    objects = DailyCostQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[*LEAST_KEY, "project"], name="project_daily_cost_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.project_id}"


class OfferingDailyCost(OfferingRollup):
    """By offering alone: the sums of `ModelDailyCost`, small enough for all of history by model and week."""

    objects = ModelDailyCostQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=OFFERING_KEY, name="offering_daily_cost_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.offering_id}"
