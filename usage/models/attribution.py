"""Whose usage it is: what a record can be attributed by, rules over that, and the map they give."""

from __future__ import annotations

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from usage.models.imports import Connection
from usage.models.organisations import SLUG, Organisation
from usage.querysets import UsageDimensionQuerySet

MODEL_RAW = 400
FIRST_DAY, LAST_DAY = date.min, date.max
_REPORTED = (
    "ext_project", "ext_team", "ext_user", "ext_api_key", "path", "branch", "model_raw", "host", "operation", "region",
    "service_tier", "session",
)  # fmt: skip


class UsageDimension(models.Model):
    """What records of one connection can be attributed by, interned; '' = not reported.

    `service_tier` and `session` stand with the records: a dimension has them only where a rule's answer depends on it,
    and is then `told_from` the one that its records had or would have had (`usage.telling_apart`).

    `offering` is what the name means at the latest record; a record keeps what it meant at its own time.
    """

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="dimensions")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="dimensions")
    model_raw = models.CharField(max_length=MODEL_RAW)
    host = models.CharField(max_length=SLUG, blank=True)
    operation = models.CharField(max_length=SLUG, blank=True)
    region = models.CharField(max_length=SLUG, blank=True)
    ext_project = models.CharField(max_length=1000, blank=True)
    ext_api_key = models.CharField(max_length=1000, blank=True)
    ext_user = models.CharField(max_length=1000, blank=True)
    ext_team = models.CharField(max_length=1000, blank=True)
    path = models.CharField(max_length=1000, blank=True)
    branch = models.CharField(max_length=1000, blank=True)
    tags = models.JSONField(default=list, help_text="[[key, value], …]")
    service_tier = models.CharField(max_length=40, blank=True, help_text="Where a rule tells its records apart by it.")
    session = models.CharField(max_length=200, blank=True, help_text="The same.")
    told_from = models.ForeignKey("self", models.CASCADE, null=True, related_name="+")
    content_hash = models.CharField(max_length=32)
    offering = models.ForeignKey("pricing.Offering", models.PROTECT, null=True, related_name="+")
    match_rule = models.CharField(max_length=300, blank=True)
    resolved_version = models.CharField(max_length=64, blank=True)

    objects = UsageDimensionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "connection", "content_hash"], name="dimension_interned"),
        ]

    def __str__(self) -> str:
        return f"{self.host} {self.model_raw}".strip()

    def told_by(self) -> dict[str, str]:
        """What its records can be told by but for tags, by the fields of rules: its feed, and what was reported."""
        said = {"source": self.connection.importer, "scope": self.connection.scope}
        return said | {name: value for name in _REPORTED if (value := getattr(self, name))}


class AttributionRule(models.Model):
    """Ordered rules; the first whose conditions all hold decides. Times are UTC days, half-open."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="rules")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    conditions = models.JSONField(help_text="[{field, op, value}]; all must hold. See usage.attribution.")
    outcome = models.JSONField(help_text='[{"project": id, "weight": "0.7"}]; weights sum to 1.')
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="rule_ends_after_it_starts",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Attribution(models.Model):
    """Whose usage it is: projects with weights that sum to 1, and the rule that said so. No projects: unattributed."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="attributions")
    rule = models.ForeignKey(AttributionRule, models.SET_NULL, null=True, related_name="+")
    rule_version = models.PositiveIntegerField(default=0)
    projects = ArrayField(models.BigIntegerField(), help_text="Project ids, ascending.")
    weights = ArrayField(models.DecimalField(max_digits=13, decimal_places=12))
    content_hash = models.CharField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "content_hash"], name="attribution_interned"),
        ]

    def __str__(self) -> str:
        return f"{self.projects}"


class Assignment(models.Model):
    """The map from a dimension to its attribution, for the UTC days [valid_from, valid_until)."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="+")
    dimension = models.ForeignKey(UsageDimension, models.CASCADE, related_name="assignments")
    valid_from = models.DateField(default=FIRST_DAY)
    valid_until = models.DateField(default=LAST_DAY)
    attribution = models.ForeignKey(Attribution, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dimension", "valid_from"], name="assigned_once_a_day"),
            models.CheckConstraint(condition=Q(valid_until__gt=F("valid_from")), name="assignment_has_days"),
        ]

    def __str__(self) -> str:
        return f"{self.dimension_id} → {self.attribution_id}"
