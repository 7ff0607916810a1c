"""Where several feeds tell of one account's usage: which of them gives what."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from usage.models.organisations import Organisation


class Settlement(models.Model):
    """One UTC day of one model in one billing account that more than one feed tells of, or that a bill of the whole day
    pays for. A feed is an importer; what it brings of a bill is another one, `importer/billed`.

    Where `projects` is set, money and tokens of the feeds other than `detail_feed` are spread over those projects
    (NULL = unattributed) by `weights`, which sum to 1. No row: one feed alone, which gives everything.
    """

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="+")
    account = models.CharField(max_length=260, help_text="host, or host/account")
    day = models.DateField(help_text="UTC.")
    model_key = models.CharField(max_length=420, help_text="#id of the model, or the name as reported")
    money_feed = models.CharField(max_length=60)
    usage_feed = models.CharField(max_length=60, help_text="Gives tokens, requests and list cost.")
    detail_feed = models.CharField(max_length=60, help_text="Says whose it is.")
    projects = ArrayField(models.BigIntegerField(null=True), null=True)
    weights = ArrayField(models.DecimalField(max_digits=13, decimal_places=12), null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "day", "account", "model_key"], name="settled_once"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.account} {self.model_key}"
