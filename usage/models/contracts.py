"""What an organisation has agreed with those it buys from. Only `usage.contracts` writes these."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from pricing.units import RATED_UNITS
from usage.contract_querysets import CommitmentQuerySet, ContractQuerySet, FixedCostQuerySet
from usage.models.organisations import SLUG, Organisation, Project

PERSON = 254


class Agreed(models.Model):
    """For the UTC days [effective_from, effective_until); no end is open."""

    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3, default="USD")
    effective_from = models.DateField()
    effective_until = models.DateField(null=True, blank=True)
    notes = models.CharField(max_length=1000, blank=True)
    entered_by = models.CharField(max_length=PERSON, blank=True)
    entered_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True


class Contract(Agreed):
    """Prices agreed with a provider: a discount on list, or a price in its place. `usage.contract_terms` says which of
    several holds. NULL and '' are no limit."""

    class Kind(models.TextChoices):
        DISCOUNT = "discount", "discount on list"
        OVERRIDE = "override", "price of its own"

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="contracts")
    kind = models.CharField(max_length=8, choices=Kind)
    provider = models.ForeignKey("pricing.Provider", models.PROTECT, related_name="+")
    model = models.ForeignKey("pricing.LanguageModel", models.PROTECT, null=True, blank=True, related_name="+")
    offering = models.ForeignKey("pricing.Offering", models.PROTECT, null=True, blank=True, related_name="+")
    service_tier = models.CharField(max_length=40, blank=True)
    unit = models.CharField(max_length=40, blank=True, help_text="input, output, …; an override names one.")
    value = models.DecimalField(
        max_digits=24, decimal_places=12, help_text="Per cent of a discount; of an override per million tokens."
    )

    objects = ContractQuerySet.as_manager()

    class Meta:
        ordering = ["provider", "effective_from", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(effective_until=None) | Q(effective_until__gt=F("effective_from")),
                name="contract_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(kind="override", value__gte=0) | Q(kind="discount", value__gte=0, value__lte=100),
                name="contract_value_makes_sense",
            ),
            models.CheckConstraint(
                condition=~Q(kind="override") | Q(unit__in=RATED_UNITS), name="contract_override_names_a_unit"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ContractCard(models.Model):
    """An interned, immutable row of the contracted prices of one token each: the evidence of a contracted cost.

    `rate_card` is the list they were made of (NULL: there is none) and `contracts` the contracts that changed it.
    """

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="+")
    offering = models.ForeignKey("pricing.Offering", models.PROTECT, related_name="+")
    service_tier = models.CharField(max_length=40)
    rate_card = models.ForeignKey("pricing.RateCard", models.PROTECT, null=True, related_name="+")
    contracts = ArrayField(models.BigIntegerField())
    currency = models.CharField(max_length=3)
    input = models.DecimalField(max_digits=44, decimal_places=28, null=True)
    output = models.DecimalField(max_digits=44, decimal_places=28, null=True)
    cache_read = models.DecimalField(max_digits=44, decimal_places=28, null=True)
    cache_write = models.DecimalField(max_digits=44, decimal_places=28, null=True)
    cache_write_5m = models.DecimalField(max_digits=44, decimal_places=28, null=True)
    cache_write_30m = models.DecimalField(max_digits=44, decimal_places=28, null=True)
    cache_write_1h = models.DecimalField(max_digits=44, decimal_places=28, null=True)
    cache_write_12h = models.DecimalField(max_digits=44, decimal_places=28, null=True)
    reasoning = models.DecimalField(max_digits=44, decimal_places=28, null=True)
    content_hash = models.CharField(max_length=64, unique=True)
    recorded_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.offering_id} by contracts {self.contracts}"


assert set(RATED_UNITS) <= {field.name for field in ContractCard._meta.fields}  # noqa: S101 - one column a unit


class Commitment(Agreed):
    """An amount that is to be spent at a provider within a period; what is spent there burns it down."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="commitments")
    provider = models.ForeignKey("pricing.Provider", models.PROTECT, related_name="+")
    amount = models.DecimalField(max_digits=24, decimal_places=12)

    objects = CommitmentQuerySet.as_manager()

    class Meta:
        ordering = ["effective_until", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(effective_until__gt=F("effective_from")) & Q(effective_until__isnull=False),
                name="commitment_ends_after_it_starts",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="commitment_is_of_something"),
        ]

    def __str__(self) -> str:
        return self.name


class FixedCost(Agreed):
    """What is paid whatever is used, beside usage and never in its total; a credit is negative.

    `amount` is that of the whole period; each UTC day has its part (`usage.fixed_costs`). Project NULL: of nobody.
    """

    class Kind(models.TextChoices):
        SEATS = "seats", "seats"
        PROVISIONED = "provisioned_throughput", "provisioned throughput"
        CREDITS = "credits", "credits"
        TAX = "tax", "tax"
        SUPPORT = "support", "support"

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="fixed_costs")
    kind = models.CharField(max_length=24, choices=Kind)
    host = models.CharField(max_length=SLUG, blank=True)
    amount = models.DecimalField(max_digits=24, decimal_places=12)
    quantity = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True, help_text="Seats, units, …")
    project = models.ForeignKey(Project, models.PROTECT, null=True, blank=True, related_name="+")

    objects = FixedCostQuerySet.as_manager()

    class Meta:
        ordering = ["effective_from", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(effective_until__gt=F("effective_from")) & Q(effective_until__isnull=False),
                name="fixed_cost_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(kind="credits", amount__lte=0) | (~Q(kind="credits") & Q(amount__gte=0)),
                name="fixed_cost_credits_are_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.name
