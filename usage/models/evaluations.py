"""How good models were on an organisation's own evaluations. Only `usage.evaluations` writes these.

Prompts and completions are never stored: an item is a key, a score, and what its answer took.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from pricing.models import LanguageModel
from usage.evaluation_querysets import EvaluationRunQuerySet
from usage.models.organisations import Organisation, Project

NAME = 200
KEY = 80


class EvaluatedName(models.Model):
    """A person's decision on what a name in evaluations means; model NULL: no model of the catalogue."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="evaluated_names", db_index=False)
    raw_name = models.CharField(max_length=300)
    model = models.ForeignKey(LanguageModel, models.CASCADE, null=True, blank=True, related_name="+")
    effort = models.CharField(
        max_length=60, blank=True, help_text="Which effort the name means; '': what the run says."
    )
    decided_by = models.CharField(max_length=254, blank=True)
    decided_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "raw_name"], name="evaluated_name_once")]

    def __str__(self) -> str:
        return self.raw_name


class EvaluationRun(models.Model):
    """One model at one effort on one suite, by one measure between 0 and 1, on one day.

    Runs compare where `suite`, `task` and `metric` are the same. `mean` is over items, an item's score being the mean
    over its repeats. `cost_usd` is the sum over `costed` answers, `output_tokens` that over `counted`; NULL: unknown.
    """

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="evaluation_runs", db_index=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="evaluation_runs")
    run_key = models.CharField(max_length=64, help_text="Digest of what identifies it in its own format.")
    suite = models.CharField(max_length=NAME)
    task = models.CharField(max_length=NAME, blank=True, help_text="Variant: prompt, arguments, number of examples.")
    metric = models.CharField(max_length=120)
    raw_name = models.CharField(max_length=300, help_text="As the file writes it; of promptfoo with the label.")
    seller = models.CharField(max_length=120, blank=True, help_text="Who sold it, where the name says.")
    asked_name = models.CharField(max_length=300, blank=True, help_text="What the resolver is asked for.")
    model = models.ForeignKey(LanguageModel, models.SET_NULL, null=True, blank=True, related_name="+")
    rule = models.CharField(max_length=200, help_text="How the name was resolved, or why it was not.")
    effort = models.CharField(max_length=60, blank=True)
    stated_effort = models.CharField(max_length=60, blank=True, help_text="What the file says, before any decision.")
    ran_on = models.DateField(null=True, blank=True)
    items = models.PositiveIntegerField(null=True, help_text="Distinct items with a score; NULL: not stated.")
    answers = models.PositiveIntegerField(null=True, help_text="Scores, repeats included.")
    unscored = models.PositiveIntegerField(
        default=0, help_text="Answers without a score, such as errors of the provider."
    )
    has_items = models.BooleanField(default=False)
    mean = models.DecimalField(max_digits=10, decimal_places=9)
    se = models.DecimalField(max_digits=10, decimal_places=9, null=True, help_text="Standard error of the mean.")
    cost_usd = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    costed = models.PositiveIntegerField(null=True)
    input_tokens = models.BigIntegerField(null=True)
    output_tokens = models.BigIntegerField(null=True)
    counted = models.PositiveIntegerField(null=True)
    importer = models.CharField(max_length=30)
    source_name = models.CharField(max_length=NAME)
    source_sha256 = models.CharField(max_length=64)
    content_hash = models.CharField(max_length=64)
    imported_by = models.CharField(max_length=254, blank=True)
    imported_at = models.DateTimeField(db_default=Now())

    objects = EvaluationRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "project", "run_key"], name="evaluation_run_once"),
            models.CheckConstraint(condition=Q(mean__gte=0, mean__lte=1), name="evaluation_mean_is_a_share"),
            models.CheckConstraint(condition=Q(se=None) | Q(se__gte=0, se__lte=1), name="evaluation_error_is_one"),
            models.CheckConstraint(
                condition=Q(items=None, answers=None) | Q(items__gte=1, answers__isnull=False, answers__gte=F("items")),
                name="evaluation_has_items",
            ),
            models.CheckConstraint(
                condition=~Q(suite="") & ~Q(metric="") & ~Q(raw_name=""), name="evaluation_is_named"
            ),
            models.CheckConstraint(
                condition=Q(cost_usd=None, costed=None) | Q(cost_usd__gte=0, costed__isnull=False, costed__gte=1),
                name="evaluation_cost_is_of_answers",
            ),
            models.CheckConstraint(
                condition=Q(output_tokens=None, counted=None)
                | Q(output_tokens__gte=0, counted__isnull=False, counted__gte=1),
                name="evaluation_tokens_are_of_answers",
            ),
            models.CheckConstraint(
                condition=Q(input_tokens=None) | Q(input_tokens__gte=0), name="evaluation_input_is_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.raw_name} on {self.suite}"


class EvaluationItem(models.Model):
    """One scored answer. The key is the item's own id, or a digest where that could be content."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="+", db_index=False)
    run = models.ForeignKey(EvaluationRun, models.CASCADE, related_name="answers_given")
    item_key = models.CharField(max_length=KEY)
    epoch = models.PositiveSmallIntegerField(default=1, help_text="Which repeat of the item, from 1.")
    score = models.DecimalField(max_digits=10, decimal_places=9)
    cost_usd = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    input_tokens = models.BigIntegerField(null=True)
    output_tokens = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "run", "item_key", "epoch"], name="evaluation_item_once"),
            models.CheckConstraint(condition=Q(score__gte=0, score__lte=1), name="evaluation_score_is_a_share"),
            models.CheckConstraint(condition=~Q(item_key="") & Q(epoch__gte=1), name="evaluation_item_is_named"),
            models.CheckConstraint(
                condition=(Q(cost_usd=None) | Q(cost_usd__gte=0))
                & (Q(input_tokens=None) | Q(input_tokens__gte=0))
                & (Q(output_tokens=None) | Q(output_tokens__gte=0)),
                name="evaluation_item_takes_no_less_than_nothing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_key} {self.score}"
