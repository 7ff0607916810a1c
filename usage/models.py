"""An organisation's usage: who it is, what was imported, whose it is, what it cost.

The ledger (`UsageRecord`) holds disjoint token counts, NULL for unknown and 0 for known zero. What a record can
be attributed by is interned in `UsageDimension`; the map from a dimension to projects is `Assignment`, so a
retroactive rule changes the map and the rollups and never a record. Content is never stored.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from usage.querysets import (
    DailyCostQuerySet,
    ImportBatchQuerySet,
    ModelDailyCostQuerySet,
    UsageDimensionQuerySet,
)

SLUG = 120
MODEL_RAW = 400
RECORD_KEY = 300
FIRST_DAY, LAST_DAY = date.min, date.max


class CostKind(models.TextChoices):
    """What a reported cost is. Notional (a subscription's API equivalent) never enters a total."""

    BILLED = "billed"
    ESTIMATED = "estimated"
    NOTIONAL = "notional"


class Grain(models.TextChoices):
    """What one record covers: one request, a difference of counters, or a bucket of time."""

    REQUEST = "request"
    DELTA = "delta"
    MINUTE = "1m"
    HOUR = "1h"
    DAY = "1d"
    MONTH = "1mo"


class Unpriced(models.TextChoices):
    """Why a record has no list cost."""

    MODEL = "model", "the model is not recognised"
    TOKENS = "tokens", "neither input nor output tokens are known"
    CARD = "card", "the offering has no price at that time"
    TIER = "tier", "the reported service tier has no price"
    PRICE = "price", "one of its token kinds has no price"


class Organisation(models.Model):
    """Whose usage it is. `is_sample` marks the workspace that one click removes."""

    slug = models.SlugField(max_length=SLUG, unique=True)
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC")
    display_currency = models.CharField(max_length=3, default="USD")
    is_sample = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class Project(models.Model):
    """What money is spent on, and how good the models it uses must be."""

    class Sensitivity(models.TextChoices):
        PUBLIC = "public"
        INTERNAL = "internal"
        CONFIDENTIAL = "confidential"
        RESTRICTED = "restricted"

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="projects")
    slug = models.SlugField(max_length=SLUG)
    name = models.CharField(max_length=200)
    owner = models.CharField(max_length=254, blank=True, help_text="E-mail of who answers for it.")
    cost_centre = models.CharField(max_length=120, blank=True)
    quality_floor = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    quality_margin = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(15))
    needs = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    sensitivity = models.CharField(max_length=20, choices=Sensitivity, default=Sensitivity.INTERNAL)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "slug"], name="project_slug_once")]

    def __str__(self) -> str:
        return self.name


class ColumnMapping(models.Model):
    """How somebody's table is read: columns, units, money unit, cache and reasoning convention, zone, keys, window."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="mappings")
    name = models.CharField(max_length=SLUG)
    spec = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="mapping_named_once")]

    def __str__(self) -> str:
        return self.name


class Connection(models.Model):
    """One feed of usage: an importer and the scope (machine, account, export) it speaks for. Keys are unique in it."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="connections")
    importer = models.CharField(max_length=60)
    scope = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "importer", "scope"], name="connection_once")]

    def __str__(self) -> str:
        return f"{self.importer}: {self.scope}"


class ImportBatch(models.Model):
    """One import: its files, its progress, and what became of every line.

    `lines` = imported + updated + duplicate + Σ ignored + Σ rejected, at every commit.
    """

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        HELD = "held", "done, but nothing was withdrawn"
        FAILED = "failed"

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="batches")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="batches")
    mapping = models.ForeignKey(ColumnMapping, models.SET_NULL, null=True, blank=True)
    mapping_spec = models.JSONField(null=True, help_text="The mapping as it was when the import began.")
    status = models.CharField(max_length=8, choices=Status, default=Status.QUEUED)
    files = models.JSONField(help_text="[{path, origin}] in reading order.")
    uploaded = models.BooleanField(default=False, help_text="The files are ours and go when the batch is done.")
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(default=0, help_text="Bytes.")
    lines = models.BigIntegerField(default=0)
    imported = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    duplicate = models.BigIntegerField(default=0)
    withdrawn = models.BigIntegerField(default=0)
    ignored = models.JSONField(default=dict, help_text="reason → lines")
    rejected = models.JSONField(default=dict, help_text="reason → lines")
    unpriced = models.BigIntegerField(default=0)
    unattributed = models.BigIntegerField(default=0)
    checkpoint = models.JSONField(default=dict, help_text="{file, offset, line}: where the next chunk begins.")
    window_from = models.DateTimeField(null=True)
    window_until = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    requested_by = models.CharField(max_length=254, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    touched_at = models.DateTimeField(db_default=Now(), help_text="Last commit of a chunk.")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = ImportBatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "import batches"
        indexes = [models.Index(fields=["organisation", "-created_at"], name="batch_latest")]

    def __str__(self) -> str:
        return f"import {self.pk}"


class RejectedRow(models.Model):
    """A line that should carry usage and could not be read, without its content."""

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="rejected_rows")
    origin = models.CharField(max_length=1000)
    line = models.BigIntegerField()
    reason = models.CharField(max_length=500)
    raw = models.CharField(max_length=2048, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "origin", "line"], name="rejected_once")]

    def __str__(self) -> str:
        return f"{self.origin}:{self.line}"


class ImportedKey(models.Model):
    """Keys a replace-window batch has seen; gone when it is done."""

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="keys")
    record_key = models.CharField(max_length=RECORD_KEY)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "record_key"], name="key_seen_once")]

    def __str__(self) -> str:
        return self.record_key


class UsageDimension(models.Model):
    """What records of one connection can be attributed by, interned; '' = not reported.

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


class UsageRecord(models.Model):
    """The ledger, in monthly partitions by `occurred_at` (`usage.partitions`).

    Identity is (organisation, connection, record_key) *without* the time: a unique index on each partition and
    a probe of the neighbour near a month's edge. No foreign key is checked by the database (three checks a row
    halve an import); `usage.verification` looks for rows that point nowhere. `rank` decides between two facts
    of one key. Costs are in the rate card's currency; the rate card is the evidence.
    """

    pk = models.CompositePrimaryKey("organisation_id", "connection_id", "record_key", "occurred_at")
    id = models.BigIntegerField(editable=False)
    organisation = models.ForeignKey(
        Organisation, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    connection = models.ForeignKey(Connection, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    dimension = models.ForeignKey(
        UsageDimension, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    offering = models.ForeignKey(
        "pricing.Offering",
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
    )
    batch = models.ForeignKey(ImportBatch, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    rate_card = models.ForeignKey(
        "pricing.RateCard",
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
    )
    record_key = models.CharField(max_length=RECORD_KEY)
    occurred_at = models.DateTimeField()
    period_end = models.DateTimeField(null=True)
    grain = models.CharField(max_length=8, choices=Grain)
    in_uncached = models.BigIntegerField(null=True)
    in_cache_read = models.BigIntegerField(null=True)
    in_cache_write = models.BigIntegerField(null=True)
    cache_write_5m = models.BigIntegerField(default=0, help_text="Of in_cache_write, with a stated lifetime.")
    cache_write_30m = models.BigIntegerField(default=0)
    cache_write_1h = models.BigIntegerField(default=0)
    cache_write_12h = models.BigIntegerField(default=0)
    out_total = models.BigIntegerField(null=True)
    out_reasoning = models.BigIntegerField(null=True, help_text="Of out_total.")
    requests = models.BigIntegerField(null=True)
    context_tokens = models.BigIntegerField(null=True, help_text="Prompt tokens of each request in a bucket.")
    service_tier = models.CharField(max_length=40, blank=True, help_text="'' = not reported: standard.")
    cost_reported = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    currency = models.CharField(max_length=3, blank=True, help_text="Of cost_reported.")
    cost_kind = models.CharField(max_length=10, choices=CostKind)
    list_cost = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    contracted_cost = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    unpriced_reason = models.CharField(max_length=8, choices=Unpriced, null=True)  # noqa: DJ001 - NULL is priced
    rating_flags = models.SmallIntegerField(
        default=0, help_text="usage.rating: 1 tier unknown, 2 price changed inside."
    )
    quality = ArrayField(models.CharField(max_length=60), default=list)
    rank = ArrayField(models.BigIntegerField(), default=list)
    revision = models.IntegerField(default=1)
    counted = models.BooleanField(default=True)
    content_hash = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(in_uncached__gte=0, in_cache_read__gte=0), name="record_input"),
            models.CheckConstraint(
                condition=Q(
                    cache_write_5m__gte=0,
                    cache_write_30m__gte=0,
                    cache_write_1h__gte=0,
                    cache_write_12h__gte=0,
                ),
                name="record_lifetimes",
            ),
            models.CheckConstraint(
                condition=Q(
                    in_cache_write__gte=F("cache_write_5m")
                    + F("cache_write_30m")
                    + F("cache_write_1h")
                    + F("cache_write_12h")
                ),
                name="record_lifetimes_of_write",
            ),
            models.CheckConstraint(
                condition=Q(out_total__gte=0, out_reasoning__gte=0) & Q(out_total__gte=F("out_reasoning")),
                name="record_reasoning_of_output",
            ),
            models.CheckConstraint(condition=Q(requests__gte=0, context_tokens__gte=0), name="record_counts"),
            models.CheckConstraint(
                condition=Q(list_cost=None, rate_card=None, unpriced_reason__isnull=False)
                | Q(list_cost__isnull=False, rate_card__isnull=False, unpriced_reason=None),
                name="record_priced_or_says_why_not",
            ),
        ]

    def __str__(self) -> str:
        return self.record_key


class SupersededRecord(models.Model):
    """A ledger row as it was before a later import replaced or withdrew it."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    record_key = models.CharField(max_length=RECORD_KEY)
    row = models.JSONField()
    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="superseded")
    withdrawn = models.BooleanField(help_text="False: a better fact replaced it.")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["organisation", "connection", "record_key"], name="superseded_by_key")]

    def __str__(self) -> str:
        return self.record_key


class Rollup(models.Model):
    """Sums of the ledger, kept by signed differences in the transaction that changes it.

    A sum counts what is known; the `unknown_*` and `unpriced_*` columns count the records it leaves out, so a
    reader shows NULL where nothing is known. `list_currency` is that of list and contracted cost.
    """

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    day = models.DateField(help_text="UTC.")
    offering = models.ForeignKey("pricing.Offering", models.PROTECT, null=True, related_name="+")
    host = models.CharField(max_length=SLUG, blank=True)
    model_raw = models.CharField(max_length=MODEL_RAW, blank=True, help_text="'' where the offering is known.")
    service_tier = models.CharField(max_length=40, blank=True)
    cost_kind = models.CharField(max_length=10, choices=CostKind)
    currency = models.CharField(max_length=3, blank=True, help_text="Of reported cost.")
    list_currency = models.CharField(max_length=3, blank=True)
    counted = models.BooleanField(default=True)
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


KEY = [
    "organisation", "day", "connection", "offering", "host", "model_raw", "service_tier", "cost_kind",
    "currency", "list_currency", "counted",
]  # fmt: skip


class DailyCost(Rollup):
    """A UTC day of one project; project NULL = unattributed. A split record's counts are split like its money."""

    project = models.ForeignKey(Project, models.PROTECT, null=True, related_name="+")

    objects = DailyCostQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=[*KEY, "project"], name="daily_cost_once", nulls_distinct=False)]

    def __str__(self) -> str:
        return f"{self.day} {self.project_id}"


class ModelDailyCost(Rollup):
    """The same without project: small enough for all of history by model."""

    objects = ModelDailyCostQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=KEY, name="model_daily_cost_once", nulls_distinct=False)]

    def __str__(self) -> str:
        return f"{self.day} {self.offering_id}"
