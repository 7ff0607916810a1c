"""The price catalogue: who sells which model, at what price, since when, and how we know.

Three times run through it. *Effective* [from, until): when a price held in the world. *Known* [from, until):
from when its evidence existed until better evidence did. *Recorded*: when the row entered this database.
A change appends, a correction supersedes, nothing is deleted.
"""

from __future__ import annotations

from decimal import Decimal

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now

from pricing.querysets import (
    ClaimQuerySet,
    LanguageModelQuerySet,
    OfferingQuerySet,
    PriceEventQuerySet,
    PriceQuerySet,
    RateCardQuerySet,
    ScoreQuerySet,
    SourceQuerySet,
)
from pricing.units import RATED_UNITS

SLUG = 120
SKU = 400


class TsTzRange(Func):
    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Provider(models.Model):
    """Who sells and bills. Declared aliases are accepted wherever a provider is asked for."""

    slug = models.CharField(max_length=SLUG, unique=True)
    name = models.CharField(max_length=200)
    aliases = ArrayField(models.CharField(max_length=SLUG), default=list, blank=True)
    url = models.URLField(max_length=500, blank=True)

    def __str__(self) -> str:
        return self.name


class LanguageModel(models.Model):
    """The weights, whoever sells them. A dated snapshot with weights of its own is a model of its own."""

    slug = models.CharField(max_length=SKU, unique=True)
    key = models.CharField(max_length=SKU, unique=True, help_text="Identity of the weights: matching.Identity.key.")
    maker = models.CharField(max_length=SLUG, blank=True, help_text="Who trained it; '' when no source says.")
    name = models.CharField(max_length=300)
    family = models.CharField(max_length=SKU, blank=True)
    description = models.TextField(blank=True)
    released_on = models.DateField(null=True, blank=True)
    open_weights = models.BooleanField(null=True, blank=True)
    licence = models.CharField(max_length=200, blank=True)
    context_window = models.PositiveIntegerField(null=True, blank=True, help_text="Tokens.")
    max_output = models.PositiveIntegerField(null=True, blank=True, help_text="Tokens.")
    modalities = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    capabilities = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    deprecated = models.BooleanField(default=False)
    retires_on = models.DateField(null=True, blank=True)
    successor = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="predecessors")

    objects = LanguageModelQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Offering(models.Model):
    """One model as one provider sells it: the seller's own id, verbatim, and the region it is sold in."""

    provider = models.ForeignKey(Provider, models.PROTECT, related_name="offerings")
    sku = models.CharField(max_length=SKU)
    region = models.CharField(max_length=60, blank=True, help_text="'' = not bound to a region.")
    notes = models.JSONField(default=dict, blank=True, help_text="What a source says beside the prices: slug → text.")
    model = models.ForeignKey(LanguageModel, models.PROTECT, related_name="offerings")
    identity_rule = models.CharField(max_length=60, blank=True, help_text="How the model was recognised.")
    context_window = models.PositiveIntegerField(null=True, blank=True, help_text="Tokens, where the seller differs.")
    retired_at = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField(db_default=Now())

    objects = OfferingQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "sku", "region"], name="offering_sold_once")]

    def __str__(self) -> str:
        return f"{self.provider.slug}: {self.sku}"


class Alias(models.Model):
    """Another name a source declares for an offering, with the time it holds.

    `dated` aliases accept the name followed by a calendar date (`gpt-5.6-sol-2026-07-09`).
    """

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="alias_rows")
    name = models.CharField(max_length=SKU)
    offering = models.ForeignKey(Offering, models.CASCADE, related_name="aliases")
    dated = models.BooleanField(default=False)
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    source = models.ForeignKey("PriceSource", models.PROTECT, related_name="aliases")
    url = models.URLField(max_length=1000, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "name", "offering", "dated", "source", "valid_from"],
                name="alias_declared_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} → {self.offering}"


class PriceSource(models.Model):
    """Who tells us prices; the module of the same slug in `pricing/sources` declares the rest."""

    slug = models.CharField(max_length=SLUG, unique=True)
    name = models.CharField(max_length=200)
    trust = models.CharField(max_length=20)
    copies = ArrayField(models.CharField(max_length=SLUG), default=list, blank=True)
    licence = models.CharField(max_length=200)
    url = models.URLField(max_length=500, blank=True)
    cadence_hours = models.PositiveIntegerField()

    objects = SourceQuerySet.as_manager()

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
    """One reading of one source: when it was observed, what came of it, what had no home, by kind."""

    class Status(models.TextChoices):
        RUNNING = "running"
        CHANGED = "changed"
        UNCHANGED = "unchanged"
        FAILED = "failed"

    source = models.ForeignKey(PriceSource, models.PROTECT, related_name="runs")
    snapshot = models.ForeignKey(Snapshot, models.PROTECT, null=True, related_name="runs")
    status = models.CharField(max_length=10, choices=Status)
    version = models.CharField(max_length=60, blank=True, help_text="Release of a package, ETag of a page.")
    observed_at = models.DateTimeField()
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)
    unplaced = models.JSONField(default=dict, help_text="What the source holds and no column takes: kind → count.")
    error = models.TextField(blank=True)

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
    withdrawn_at = models.DateTimeField(null=True, help_text="First reading that no longer says it.")
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


class Price(PriceKey):
    """The accepted price: what `acceptance.accept` makes of an offering's claims, written by `catalog` alone."""

    offering = models.ForeignKey(Offering, models.PROTECT, related_name="prices")
    effective_from = models.DateTimeField()
    effective_until = models.DateTimeField(null=True)
    known_from = models.DateTimeField()
    known_until = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(db_default=Now())
    superseded_at = models.DateTimeField(null=True, help_text="When a recomputation no longer gave this row.")
    claim = models.ForeignKey(Claim, models.PROTECT, related_name="prices")
    source = models.ForeignKey(PriceSource, models.PROTECT, related_name="prices")
    basis = models.CharField(max_length=12, choices=Basis)
    precision = models.CharField(max_length=8, choices=Precision)
    evidence_at = models.DateTimeField()
    observed_at = models.DateTimeField(help_text="When the accepted claim was last seen.")
    trust = models.CharField(max_length=20)
    agreeing = ArrayField(models.CharField(max_length=SLUG), help_text="Independent sources that say the same.")
    disputed = models.BooleanField(default=False)
    why = models.CharField(max_length=1000, help_text="Why this is held true, in a sentence.")

    objects = PriceQuerySet.as_manager()

    class Meta:
        indexes = [
            # The GiST index of the exclusion constraint is bypassed when psycopg binds small integers.
            models.Index(fields=["offering", "unit", "service_tier", "effective_from"], name="price_by_offering"),
        ]
        constraints = [
            ExclusionConstraint(
                name="one_price_at_a_time",
                expressions=[
                    ("offering", RangeOperators.EQUAL),
                    ("unit", RangeOperators.EQUAL),
                    ("qualifier", RangeOperators.EQUAL),
                    ("service_tier", RangeOperators.EQUAL),
                    ("context_from", RangeOperators.EQUAL),
                    ("schedule", RangeOperators.EQUAL),
                    (TsTzRange("effective_from", "effective_until", RangeBoundary()), RangeOperators.OVERLAPS),
                    (TsTzRange("known_from", "known_until", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=Q(superseded_at=None),
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="price_not_negative"),
            models.CheckConstraint(condition=Q(per__gt=0), name="price_per_something"),
            models.CheckConstraint(
                condition=Q(effective_until=None) | Q(effective_until__gt=F("effective_from")),
                name="price_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(known_until=None) | Q(known_until__gt=F("known_from")),
                name="price_known_until_after_from",
            ),
            models.CheckConstraint(
                condition=Q(context_from=0, context_op="", context_mode="")
                | Q(context_from__gt=0, context_op__in=[">", ">="], context_mode__in=["whole_request", "marginal"]),
                name="context_tier_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offering_id} {self.unit} {self.amount} {self.currency}"

    @property
    def usd_per_mtok(self) -> Decimal | None:
        """USD per million tokens; None where the unit is not tokens or the currency is not USD."""
        from pricing.units import is_token_unit

        if not is_token_unit(self.unit) or self.currency != "USD":
            return None
        return self.amount * 1_000_000 / self.per


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


class PriceEvent(models.Model):
    """A change of an accepted price, by the day it took effect and the day a source first showed it."""

    class Kind(models.TextChoices):
        CUT = "cut"
        RISE = "rise"
        NEW = "new"
        RETIRED = "retired"
        CORRECTION = "correction"
        UNIT_FIX = "unit_fix"

    class Status(models.TextChoices):
        ACCEPTED = "accepted"
        HELD = "held"

    offering = models.ForeignKey(Offering, models.PROTECT, related_name="events")
    unit = models.CharField(max_length=60)
    qualifier = models.CharField(max_length=120, blank=True)
    service_tier = models.CharField(max_length=40)
    context_from = models.PositiveIntegerField(default=0)
    schedule = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=12, choices=Kind)
    status = models.CharField(max_length=8, choices=Status, default=Status.ACCEPTED)
    old = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    new = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    per = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    effective_from = models.DateTimeField()
    observed_at = models.DateTimeField(help_text="When its source first showed it.")
    recorded_at = models.DateTimeField(db_default=Now())
    source = models.ForeignKey(PriceSource, models.PROTECT, related_name="events")
    why = models.CharField(max_length=1000)

    objects = PriceEventQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["observed_at"], name="event_by_observation")]
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "offering", "unit", "qualifier", "service_tier", "context_from", "schedule", "effective_from",
                    "observed_at", "old", "new",
                ],
                name="event_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.offering_id} {self.unit}"


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


class RateCard(models.Model):
    """An interned, immutable row with all prices one usage record needs: USD (or native) per *one* token.

    One card holds for an offering, service tier, context tier, schedule and contract over one effective
    segment. NULL is an unknown price. `known_until` is the only column that ever moves: it says that newer
    evidence made another card current. `price_ids` are the `Price` rows it was made of.
    """

    offering = models.ForeignKey(Offering, models.PROTECT, related_name="rate_cards")
    service_tier = models.CharField(max_length=40)
    context_from = models.PositiveIntegerField(default=0)
    context_op = models.CharField(max_length=2, blank=True)
    schedule = models.CharField(max_length=120, blank=True)
    contract = models.CharField(max_length=120, blank=True, help_text="'' = list price.")
    effective_from = models.DateTimeField()
    effective_until = models.DateTimeField(null=True)
    known_from = models.DateTimeField(db_default=Now())
    known_until = models.DateTimeField(null=True)
    currency = models.CharField(max_length=3)
    input = models.DecimalField(max_digits=30, decimal_places=20, null=True)
    output = models.DecimalField(max_digits=30, decimal_places=20, null=True)
    cache_read = models.DecimalField(max_digits=30, decimal_places=20, null=True)
    cache_write = models.DecimalField(max_digits=30, decimal_places=20, null=True)
    cache_write_5m = models.DecimalField(max_digits=30, decimal_places=20, null=True)
    cache_write_30m = models.DecimalField(max_digits=30, decimal_places=20, null=True)
    cache_write_1h = models.DecimalField(max_digits=30, decimal_places=20, null=True)
    cache_write_12h = models.DecimalField(max_digits=30, decimal_places=20, null=True)
    reasoning = models.DecimalField(max_digits=30, decimal_places=20, null=True)
    price_ids = ArrayField(models.BigIntegerField())
    content_hash = models.CharField(max_length=64, unique=True)
    recorded_at = models.DateTimeField(db_default=Now())

    objects = RateCardQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["offering", "service_tier", "effective_from"],
                condition=Q(known_until=None),
                name="ratecard_current",
            )
        ]
        constraints = [
            ExclusionConstraint(
                name="one_card_at_a_time",
                expressions=[
                    ("offering", RangeOperators.EQUAL),
                    ("service_tier", RangeOperators.EQUAL),
                    ("context_from", RangeOperators.EQUAL),
                    ("schedule", RangeOperators.EQUAL),
                    ("contract", RangeOperators.EQUAL),
                    (TsTzRange("effective_from", "effective_until", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=Q(known_until=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.offering_id} {self.service_tier} from {self.effective_from:%Y-%m-%d}"


assert set(RATED_UNITS) <= {field.name for field in RateCard._meta.fields}  # noqa: S101 - one column a unit


class ExchangeRate(models.Model):
    """What one unit of a currency was worth in USD on a day, as its source published it."""

    currency = models.CharField(max_length=3)
    day = models.DateField()
    usd = models.DecimalField(max_digits=24, decimal_places=12)
    source = models.ForeignKey(PriceSource, models.PROTECT)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["currency", "day", "source"], name="rate_once_a_day")]

    def __str__(self) -> str:
        return f"{self.currency} {self.day}"


class Benchmark(models.Model):
    """A published or own measure of quality, in its own points."""

    slug = models.CharField(max_length=SLUG, unique=True)
    name = models.CharField(max_length=200)
    unit = models.CharField(max_length=60)
    url = models.URLField(max_length=500)
    licence = models.CharField(max_length=200)
    attribution = models.CharField(max_length=300)
    domain = models.CharField(max_length=100, blank=True)

    def __str__(self) -> str:
        return self.name


class Score(models.Model):
    """What one benchmark said of one model on one day. An effort variant is a point of its own."""

    benchmark = models.ForeignKey(Benchmark, models.CASCADE, related_name="scores")
    category = models.CharField(max_length=60)
    model = models.ForeignKey(LanguageModel, models.SET_NULL, null=True, related_name="scores")
    raw_name = models.CharField(max_length=300)
    display_name = models.CharField(max_length=300)
    effort = models.CharField(max_length=60, blank=True)
    value = models.DecimalField(max_digits=14, decimal_places=4)
    low = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    high = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    n = models.PositiveIntegerField(null=True, help_text="Votes or items.")
    cost_usd = models.DecimalField(max_digits=24, decimal_places=12, null=True, help_text="Of the whole run.")
    output_tokens = models.BigIntegerField(null=True, help_text="Of the whole run.")
    observed_on = models.DateField()
    source_url = models.URLField(max_length=500)
    recorded_at = models.DateTimeField(db_default=Now())

    objects = ScoreQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["benchmark", "category", "display_name", "observed_on"], name="score_once_a_day"
            )
        ]
        indexes = [models.Index(fields=["model", "benchmark"], name="score_of_model")]

    def __str__(self) -> str:
        return f"{self.display_name} {self.value}"


class SpeedSample(models.Model):
    """How fast an offering answered when somebody measured it."""

    offering = models.ForeignKey(Offering, models.CASCADE, related_name="speed_samples")
    sampled_at = models.DateTimeField()
    output_tokens_per_second = models.DecimalField(max_digits=12, decimal_places=3)
    seconds_to_first_token = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    source_url = models.URLField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["offering", "sampled_at"], name="speed_once")]

    def __str__(self) -> str:
        return f"{self.offering_id} {self.output_tokens_per_second} tok/s"


class GpuRate(models.Model):
    """What renting one GPU for an hour cost: one more host of open weights."""

    host = models.CharField(max_length=100)
    gpu = models.CharField(max_length=100)
    terms = models.CharField(max_length=60, default="on_demand")
    usd_per_hour = models.DecimalField(max_digits=24, decimal_places=12)
    observed_on = models.DateField()
    source_url = models.URLField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "gpu", "terms", "observed_on"], name="gpu_rate_once")]

    def __str__(self) -> str:
        return f"{self.gpu} at {self.host}"
