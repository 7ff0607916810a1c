"""Who sells what: providers, models (the weights), offerings (one model as one provider sells it) and their names."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from pricing.querysets import LanguageModelQuerySet, OfferingQuerySet

SLUG = 120
SKU = 400


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
