"""What is held true: accepted prices in three times, their changes, and the rate cards usage is rated by."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now

from pricing.models.evidence import Basis, Claim, Precision, PriceKey, PriceSource
from pricing.models.sellers import SLUG, Offering
from pricing.querysets import ExchangeRateQuerySet, PriceEventQuerySet, PriceQuerySet, RateCardQuerySet
from pricing.units import RATED_UNITS, is_token_unit


class TsTzRange(Func):
    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


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
    seen_at = models.DateTimeField(
        help_text="When a claim that agrees was last seen; of a price that is over, when the accepted one was."
    )
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
                    (
                        TsTzRange("effective_from", "effective_until", RangeBoundary()),
                        RangeOperators.OVERLAPS,
                    ),
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
                | Q(
                    context_from__gt=0,
                    context_op__in=[">", ">="],
                    context_mode__in=["whole_request", "marginal"],
                ),
                name="context_tier_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offering_id} {self.unit} {self.amount} {self.currency}"

    @property
    def usd_per_mtok(self) -> Decimal | None:
        """USD per million tokens; None where the unit is not tokens or the currency is not USD."""
        if not is_token_unit(self.unit) or self.currency != "USD":
            return None
        return self.amount * 1_000_000 / self.per


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
    claim = models.ForeignKey(Claim, models.PROTECT, null=True, related_name="events")
    why = models.CharField(max_length=1000)
    superseded_at = models.DateTimeField(null=True, help_text="When a recomputation no longer gave this event.")

    objects = PriceEventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["observed_at"], name="event_by_observation"),
            models.Index(fields=["effective_from"], condition=Q(superseded_at=None), name="event_by_effect"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "offering",
                    "unit",
                    "qualifier",
                    "service_tier",
                    "context_from",
                    "schedule",
                    "effective_from",
                    "observed_at",
                    "kind",
                    "status",
                    "old",
                    "new",
                    "claim",
                ],
                condition=Q(superseded_at=None),
                name="event_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.offering_id} {self.unit}"


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
                    (
                        TsTzRange("effective_from", "effective_until", RangeBoundary()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(known_until=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.offering_id} {self.service_tier} from {self.effective_from:%Y-%m-%d}"


assert set(RATED_UNITS) <= {field.name for field in RateCard._meta.fields}  # noqa: S101 - one column a unit


class ExchangeRate(models.Model):
    """What one unit of a currency was worth in USD on a day, as its source published it.

    A rate that its source states differently later is superseded and kept: closed months stand on it.
    """

    currency = models.CharField(max_length=3)
    day = models.DateField()
    usd = models.DecimalField(max_digits=24, decimal_places=12)
    source = models.ForeignKey(PriceSource, models.PROTECT)
    recorded_at = models.DateTimeField(db_default=Now())
    superseded_at = models.DateTimeField(null=True, help_text="When another took its place.")

    objects = ExchangeRateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["currency", "day", "source"], condition=Q(superseded_at=None), name="rate_once_a_day"
            )
        ]
        indexes = [
            models.Index(fields=["recorded_at", "day"], name="rates_by_arrival"),
            # Of rates that stood once, too, which those of the constraint are not.
            models.Index(fields=["currency", "day"], name="rates_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.day}"


class ReadyAnswer(models.Model):
    """What an offering costs at any moment of [since, until), as bytes: written and read by `pricing.ready` alone.

    An unlogged table: nothing in it is knowledge, and after a crash it is empty.
    """

    provider = models.CharField(max_length=120)
    sku = models.CharField(max_length=400)
    since = models.DateTimeField()
    until = models.DateTimeField()
    stamp = models.CharField(max_length=32, help_text="The version of the catalogue and of the program it is of.")
    head = models.BinaryField(help_text="The JSON up to the moment it names.")
    tail = models.BinaryField(help_text="What comes after the moment, deflated.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "sku", "since"], name="ready_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.sku} {self.since:%Y-%m-%d}"
