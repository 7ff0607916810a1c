"""Where usage comes from: feeds, how their tables are read, and what became of every line."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from usage.models.organisations import SLUG, Organisation
from usage.querysets import ConnectionQuerySet, ImportBatchQuerySet, RejectedRowQuerySet

RECORD_KEY = 300


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
    """One feed of usage: an importer and the scope (machine, account, export) it speaks for. Keys are unique in it.

    With a credential it is live: its API is pulled on a timetable. Only `usage.connections` writes what concerns that.
    """

    class Schedule(models.TextChoices):
        OFF = "off", "only when told to"
        HOURLY = "hourly", "every hour"
        SIX_HOURS = "6h", "every 6 hours"
        DAILY = "daily", "every day"

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="connections")
    importer = models.CharField(max_length=60)
    scope = models.CharField(max_length=200)
    account = models.CharField(
        max_length=120, blank=True, help_text="The billing account it speaks of; '' = the one account at each host."
    )
    name = models.CharField(max_length=120, blank=True)
    credential = models.TextField(blank=True, help_text="Encrypted; '' = fed by files only.")
    credential_end = models.CharField(max_length=8, blank=True, help_text="The last characters, to tell keys apart.")
    settings = models.JSONField(default=dict, blank=True, help_text="{base_url, group_by, billing}, each optional.")
    schedule = models.CharField(max_length=6, choices=Schedule, default=Schedule.OFF)
    enabled = models.BooleanField(default=True, help_text="Not paused.")
    first_days = models.PositiveSmallIntegerField(default=30, help_text="How far the first pull goes back.")
    repull_days = models.PositiveSmallIntegerField(default=3, help_text="Days that each pull asks for again.")
    pulled_until = models.DateTimeField(null=True, help_text="Everything before it has been pulled.")
    next_pull_at = models.DateTimeField(null=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "importer", "scope"], name="connection_once")]

    def __str__(self) -> str:
        return f"{self.importer}: {self.scope}"

    @property
    def is_live(self) -> bool:
        return bool(self.credential)


class Pull(models.Model):
    """One run over an API for [window_from, window_until): parts that fit the API, each spooled whole, then imported.

    Where it stands is (part_from, cursor, pages, spool): after a fault it goes on from there. Nothing is imported of
    a part before its last page is in.
    """

    class Status(models.TextChoices):
        RUNNING = "running"
        WAITING = "waiting", "waiting to try again"
        DONE = "done"
        FAILED = "failed"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="pulls")
    status = models.CharField(max_length=8, choices=Status, default=Status.RUNNING)
    window_from = models.DateTimeField()
    window_until = models.DateTimeField()
    part_from = models.DateTimeField(help_text="Where the part begins that is being pulled.")
    cursor = models.JSONField(default=dict, help_text="{ask, params, settings}: the next page; {} = the first.")
    pages = models.PositiveIntegerField(default=0, help_text="Pages in the spool.")
    spool = models.CharField(max_length=40, blank=True)
    spooled = models.BigIntegerField(default=0, help_text="Bytes of the spool that count.")
    asked = models.PositiveIntegerField(default=0, help_text="Pages read in all.")
    restarts = models.PositiveSmallIntegerField(default=0, help_text="How often the part was begun again.")
    tries = models.PositiveSmallIntegerField(default=0, help_text="Faults since the last page.")
    next_try_at = models.DateTimeField(null=True)
    sentence = models.TextField(blank=True, help_text="What came of it, or what stopped it.")
    batch = models.ForeignKey("ImportBatch", models.SET_NULL, null=True, related_name="+", help_text="Being imported.")
    accepted = models.BooleanField(default=False, help_text="A person says that it may hold less than was there.")
    requested_by = models.CharField(max_length=254, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    touched_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["connection", "-created_at"], name="pull_latest")]
        constraints = [
            models.UniqueConstraint(
                fields=["connection"], condition=models.Q(status__in=["running", "waiting"]), name="pull_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=models.Q(window_until__gt=models.F("window_from")), name="pull_window_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"pull {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status in (self.Status.RUNNING, self.Status.WAITING)


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
    pull = models.ForeignKey(Pull, models.SET_NULL, null=True, related_name="batches")
    accepted = models.BooleanField(default=False, help_text="A person says that it may hold less than was there.")
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
    retried_by = models.ForeignKey(
        ImportBatch, models.SET_NULL, null=True, related_name="retried_rows", help_text="The last import to retry it."
    )
    retried_line = models.BigIntegerField(null=True, help_text="Its line there.")

    objects = RejectedRowQuerySet.as_manager()

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
