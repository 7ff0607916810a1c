"""Who uses tokens: organisations and their projects."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

SLUG = 120


class Organisation(models.Model):
    """Whose usage it is. `is_sample` marks the workspace that one click removes."""

    slug = models.SlugField(max_length=SLUG, unique=True)
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC")
    display_currency = models.CharField(max_length=3, default="USD")
    is_sample = models.BooleanField(default=False)
    rated_at = models.DateTimeField(
        null=True, editable=False, help_text="What the catalogue learnt until then has rated its usage again."
    )

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
    archived_at = models.DateTimeField(null=True, blank=True, help_text="No longer offered; its usage stays.")
    cost_centre = models.CharField(max_length=120, blank=True)
    quality_floor = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    quality_margin = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(15))
    evaluation_margin = models.DecimalField(
        max_digits=5,
        decimal_places=4,
        default=Decimal("0.03"),
        help_text="How much worse is good enough on its own evaluations, whose scores lie between 0 and 1.",
    )
    needs = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, help_text="Modalities and capabilities, as models'."
    )
    quality_category = models.CharField(
        max_length=60, blank=True, help_text="Of Arena, in which the floor and the margin count; '' is all of it."
    )
    effort = models.CharField(max_length=60, blank=True, help_text="Its models' effort, where usage does not say.")
    allowed_providers = ArrayField(models.CharField(max_length=SLUG), default=list, blank=True, help_text="[] is any.")
    denied_providers = ArrayField(models.CharField(max_length=SLUG), default=list, blank=True)
    regions = ArrayField(
        models.CharField(max_length=60), default=list, blank=True, help_text="Where it may run; [] is anywhere."
    )
    open_weights_only = models.BooleanField(default=False)
    retirement_horizon = models.PositiveSmallIntegerField(
        default=90, help_text="Days a model must still be sold for to be worth moving to."
    )
    sensitivity = models.CharField(max_length=20, choices=Sensitivity, default=Sensitivity.INTERNAL)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "slug"], name="project_slug_once"),
            models.CheckConstraint(
                condition=Q(evaluation_margin__gt=0, evaluation_margin__lt=1), name="project_margin_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return self.name
