"""What was said, by whom, in which bytes, and what people decided about it."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

from pricing.models.sellers import SKU, SLUG, Offering
from pricing.querysets import ClaimQuerySet


class PriceSource(models.Model):
    """Who tells us prices; the module of the same slug in `pricing/sources` declares the rest."""

    slug = models.CharField(max_length=SLUG, unique=True)
    name = models.CharField(max_length=200)
    trust = models.CharField(max_length=20)
    copies = ArrayField(models.CharField(max_length=SLUG), default=list, blank=True)
    licence = models.CharField(max_length=200)
    url = models.URLField(max_length=500, blank=True)
    cadence_hours = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.name


class Snapshot(models.Model):
    """The bytes a source said it in, compressed, kept once whenever the same bytes are seen again."""

    sha256 = models.CharField(max_length=64, unique=True)
    body = models.BinaryField(help_text="zlib")
    size = models.PositiveIntegerField(help_text="Bytes before compression.")
    media_type = models.CharField(max_length=100, blank=True)
    recorded_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.sha256[:12]


class SourceRun(models.Model):
    """One reading of one source: when it was observed, what came of it, what had no home, by kind.

    A fetch that fails as the one before it did is counted in that run's `attempts`: `started_at` is the first and
    `finished_at` the last of them. A held run keeps its body and changed nothing else.
    """

    class Status(models.TextChoices):
        RUNNING = "running"
        CHANGED = "changed"
        UNCHANGED = "unchanged"
        FAILED = "failed"
        HELD = "held"

    source = models.ForeignKey(PriceSource, models.PROTECT, related_name="runs")
    snapshot = models.ForeignKey(Snapshot, models.PROTECT, null=True, related_name="runs")
    status = models.CharField(max_length=10, choices=Status)
    version = models.CharField(max_length=60, blank=True, help_text="Release of a package.")
    fetched_from = models.CharField(max_length=500, blank=True, help_text="'' = from a package or a file.")
    etag = models.CharField(max_length=200, blank=True, help_text="What the host calls this state of the body.")
    last_modified = models.CharField(max_length=200, blank=True, help_text="The host's header, verbatim.")
    read_by = models.CharField(max_length=32, blank=True, help_text="pricing.program.stamp; '' = an earlier release.")
    observed_at = models.DateTimeField()
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)
    unplaced = models.JSONField(default=dict, help_text="What the source holds and no column takes: kind → count.")
    failure = models.CharField(max_length=20, blank=True, help_text="pricing.failures.KINDS; '' = none.")
    error = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=1, help_text="Fetches in a row that failed in the same way.")
    retry_at = models.DateTimeField(null=True, help_text="Not fetched again before.")

    class Meta:
        indexes = [models.Index(fields=["source", "-observed_at"], name="run_latest_of_source")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.observed_at:%Y-%m-%d}"


class PriceKey(models.Model):
    """What a price is a price *of*. Every key column is NOT NULL: one NULL disables an exclusion constraint."""

    class ContextMode(models.TextChoices):
        NONE = "", "no context tier"
        WHOLE_REQUEST = "whole_request"
        MARGINAL = "marginal"

    unit = models.CharField(max_length=60)
    qualifier = models.CharField(max_length=120, blank=True)
    service_tier = models.CharField(max_length=40, default="standard")
    context_from = models.PositiveIntegerField(default=0, help_text="Prompt tokens at which the tier begins.")
    context_op = models.CharField(max_length=2, blank=True, help_text="'>' or '>='; '' without a context tier.")
    context_mode = models.CharField(max_length=20, blank=True, choices=ContextMode)
    schedule = models.CharField(max_length=120, blank=True, help_text="pricing.schedules; '' = always.")
    amount = models.DecimalField(max_digits=24, decimal_places=12)
    per = models.PositiveBigIntegerField(help_text="A power of ten, or 60 and 3600 for time.")
    currency = models.CharField(max_length=3, default="USD")

    class Meta:
        abstract = True


class Basis(models.TextChoices):
    """How the start of a price is known, best first."""

    MANUAL = "manual"
    ANNOUNCED = "announced"
    DOCUMENTED = "documented"
    OBSERVED = "observed"
    INFERRED = "inferred"


class Precision(models.TextChoices):
    INSTANT = "instant"
    DAY = "day"
    GAP = "gap"
    UNKNOWN = "unknown"


class Claim(PriceKey):
    """What one source says of one price. Kept when it changes; otherwise only `last_seen_at` moves."""

    source = models.ForeignKey(PriceSource, models.PROTECT, related_name="claims")
    offering = models.ForeignKey(Offering, models.PROTECT, related_name="claims")
    effective_from = models.DateTimeField(null=True, help_text="NULL: the source states no start.")
    effective_until = models.DateTimeField(null=True, help_text="NULL: the source states no end.")
    basis = models.CharField(max_length=12, choices=Basis)
    precision = models.CharField(max_length=8, choices=Precision)
    evidence_at = models.DateTimeField(help_text="From when the evidence existed in the world.")
    until_known_at = models.DateTimeField(null=True, help_text="The same of its end; NULL: with the claim itself.")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(
        null=True, help_text="First reading that no longer says it; first_seen_at = it was misread."
    )
    url = models.URLField(max_length=1000, blank=True)
    note = models.CharField(max_length=2000, blank=True)
    snapshot = models.ForeignKey(Snapshot, models.PROTECT, related_name="claims")
    recorded_at = models.DateTimeField(db_default=Now())

    objects = ClaimQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["offering", "source"], name="claim_of_offering")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="claim_not_negative"),
            models.CheckConstraint(
                condition=Q(effective_until=None) | Q(effective_from=None) | Q(effective_until__gt=F("effective_from")),
                name="claim_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offering_id} {self.unit} {self.amount}"


class Decision(models.Model):
    """A person's word on a claim. It outranks every source and survives every sync."""

    class Verdict(models.TextChoices):
        ACCEPT = "accept"
        REJECT = "reject"

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=6, choices=Verdict)
    reason = models.TextField()
    person = models.CharField(max_length=254, help_text="E-mail of who decided.")
    decided_at = models.DateTimeField(db_default=Now())
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["claim"], condition=Q(revoked_at=None), name="one_decision_a_claim"),
            models.CheckConstraint(condition=~Q(reason=""), name="decision_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {self.claim_id}"


class NameDecision(models.Model):
    """A person's word on what a name means at a provider. It outranks every rule but the exact id."""

    provider = models.CharField(max_length=SLUG, help_text="Slug of the seller the name was reported at.")
    name = models.CharField(max_length=SKU, help_text="As it was reported.")
    offering = models.ForeignKey(Offering, models.PROTECT, related_name="name_decisions")
    reason = models.TextField()
    person = models.CharField(max_length=254, help_text="E-mail of who decided.")
    decided_at = models.DateTimeField(db_default=Now())
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "provider", Lower("name"), condition=Q(revoked_at=None), name="one_decision_a_name"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="name_decision_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.name}"


class Disagreement(models.Model):
    """Two sources, one price, two amounts; or a claim held back because it could be a unit error."""

    class State(models.TextChoices):
        OPEN = "open"
        HELD = "held"
        RESOLVED = "resolved"
        KNOWN_ERROR = "known_error", "known upstream error"

    accepted = models.ForeignKey(Claim, models.PROTECT, null=True, related_name="disagreements_won")
    claim = models.ForeignKey(Claim, models.PROTECT, related_name="disagreements")
    offering = models.ForeignKey(Offering, models.PROTECT, related_name="disagreements")
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    why = models.CharField(max_length=1000)
    opened_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["claim"], name="one_disagreement_a_claim")]
        indexes = [models.Index(fields=["state", "offering"], name="disagreement_queue")]

    def __str__(self) -> str:
        return f"{self.offering_id}: {self.why}"


class HolidayCalendar(models.Model):
    """Days on which a schedule that names the calendar does not apply, as dates of its own offset."""

    slug = models.CharField(max_length=20, unique=True)
    utc_offset_hours = models.SmallIntegerField()
    dates = ArrayField(models.DateField())
    covers_through = models.DateField(help_text="After this day no holiday is known.")
    url = models.URLField(max_length=1000)
    source = models.ForeignKey(PriceSource, models.PROTECT)

    def __str__(self) -> str:
        return self.slug
