"""What vendors' ids are called, and from when until when: keys are renamed, rotated and deleted."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from usage.models.organisations import Organisation


class DirectoryEntry(models.Model):
    """A name of an id for the UTC days [valid_from, valid_until). Nothing: since ever, until further notice."""

    class Kind(models.TextChoices):
        API_KEY = "api_key"
        PROJECT = "project"
        WORKSPACE = "workspace"
        USER = "user"
        TEAM = "team"

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="directory")
    kind = models.CharField(max_length=10, choices=Kind)
    external_id = models.CharField(max_length=1000)
    name = models.CharField(max_length=300)
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "kind", "external_id", "valid_from"],
                name="named_once_a_day",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="name_has_days",
            ),
        ]

    def __str__(self) -> str:
        return self.name
