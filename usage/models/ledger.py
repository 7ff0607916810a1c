"""The records themselves, and what later imports took out of them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from usage.models.attribution import UsageDimension
from usage.models.imports import RECORD_KEY, Connection, ImportBatch
from usage.models.organisations import Organisation


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


class UsageRecord(models.Model):
    """The ledger, in monthly partitions by `occurred_at` (`usage.partitions`).

    Identity is (organisation, connection, record_key) *without* the time: a unique index on each partition and
    a probe of the neighbour near a month's edge. No foreign key is checked by the database (three checks a row
    halve an import); `usage.verification` looks for rows that point nowhere. `rank` decides between two facts
    of one key. Costs are in the rate card's currency; the rate card is the evidence, of a
    contracted cost the contract card.
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
    contract_card = models.ForeignKey(
        "usage.ContractCard",
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
    session = models.CharField(max_length=200, blank=True, default="", db_default="")
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
            models.CheckConstraint(
                condition=Q(contracted_cost=None, contract_card=None)
                | Q(contracted_cost__isnull=False, contract_card__isnull=False),
                name="record_contracted_by_a_card",
            ),
        ]
        indexes = [
            # Few rows: what every total says of them is read without looking at the others.
            models.Index(
                fields=["organisation", "occurred_at"], condition=Q(rating_flags__gt=0), name="record_flagged"
            ),
            # Fewer still: which days are settled as one is asked after every posting.
            models.Index(fields=["organisation", "occurred_at"], condition=Q(grain="1mo"), name="record_of_month"),
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
