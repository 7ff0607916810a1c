"""How good and how fast: scores of benchmarks, speed samples, and what renting a GPU costs."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models.functions import Now

from pricing import frontier
from pricing.models.sellers import SLUG, LanguageModel, Offering
from pricing.quality_querysets import BenchmarkQuerySet, GpuRateQuerySet, ScoreQuerySet, SpeedSampleQuerySet


class Benchmark(models.Model):
    """A published or own measure of quality, in its own points."""

    slug = models.CharField(max_length=SLUG, unique=True)
    name = models.CharField(max_length=200)
    unit = models.CharField(max_length=60)
    url = models.URLField(max_length=500)
    licence = models.CharField(max_length=200)
    attribution = models.CharField(max_length=300)
    domain = models.CharField(max_length=100, blank=True)
    runs_dated = models.BooleanField(default=False, help_text="A score has the day of its own run, not its table's.")
    ceiling = models.DecimalField(
        max_digits=14, decimal_places=4, null=True, help_text="From here on differences are noise."
    )
    saturation = models.CharField(max_length=500, blank=True)
    public_since = models.DateField(null=True, help_text="Since when its tasks can be trained on.")
    contamination = models.CharField(max_length=500, blank=True)

    objects = BenchmarkQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class BenchmarkFetch(models.Model):
    """The last look at a benchmark's published table, and what the next one needs to know of it."""

    benchmark = models.OneToOneField(Benchmark, models.CASCADE, related_name="fetch")
    fetched_from = models.CharField(max_length=500)
    etag = models.CharField(max_length=200, blank=True, help_text="What the host calls the state that was read last.")
    last_modified = models.CharField(max_length=200, blank=True, help_text="The host's header, verbatim.")
    asked_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, help_text="When it last said something usable, or that nothing changed.")
    failure = models.CharField(max_length=20, blank=True, help_text="pricing.failures.KINDS; '' = none.")
    error = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=0, help_text="Looks in a row that failed.")
    retry_at = models.DateTimeField(null=True, help_text="Not asked again before.")

    def __str__(self) -> str:
        return f"{self.benchmark_id} {self.asked_at:%Y-%m-%d}"


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
    input_tokens = models.BigIntegerField(null=True, help_text="Of the whole run.")
    cases = models.PositiveIntegerField(null=True, help_text="Tasks that the cost and the tokens are of.")
    seconds_mean = models.DecimalField(max_digits=12, decimal_places=4, null=True, help_text="Of one task.")
    seconds_p95 = models.DecimalField(max_digits=12, decimal_places=4, null=True, help_text="Of one task.")
    setting = models.CharField(max_length=60, blank=True, help_text="How the table says it was run; in effort, too.")
    observed_on = models.DateField()
    source_url = models.URLField(max_length=500)
    recorded_at = models.DateTimeField(db_default=Now())

    objects = ScoreQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["benchmark", "category", "display_name", "setting", "observed_on"], name="score_once_a_day"
            )
        ]
        indexes = [models.Index(fields=["model", "benchmark"], name="score_of_model")]

    def __str__(self) -> str:
        return f"{self.display_name} {self.value}"

    @property
    def usd_per_task(self) -> Decimal | None:
        """What one task cost when it was run, verbosity and all; None where the run states no cost or no cases."""
        return (
            frontier.multiple(self.cost_usd, Decimal(self.cases)) if self.cost_usd is not None and self.cases else None
        )

    @property
    def output_tokens_per_task(self) -> Decimal | None:
        """How much it wrote for one task, reasoning included; None where the run does not say."""
        if self.output_tokens is None or not self.cases:
            return None
        return frontier.multiple(Decimal(self.output_tokens), Decimal(self.cases))


class SpeedSample(models.Model):
    """How fast an offering answered when somebody measured it."""

    offering = models.ForeignKey(Offering, models.CASCADE, related_name="speed_samples")
    sampled_at = models.DateTimeField()
    output_tokens_per_second = models.DecimalField(max_digits=12, decimal_places=3)
    seconds_to_first_token = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    source_url = models.URLField(max_length=500, blank=True)

    objects = SpeedSampleQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["offering", "sampled_at"], name="speed_once")]

    def __str__(self) -> str:
        return f"{self.offering_id} {self.output_tokens_per_second} tok/s"


class GpuRate(models.Model):
    """What renting one GPU for an hour cost: one more host of open weights.

    `terms` are `on_demand`, `spot` or the like, and `median …` where the host stands for several sellers.
    """

    host = models.CharField(max_length=100)
    gpu = models.CharField(max_length=100)
    terms = models.CharField(max_length=60, default="on_demand")
    usd_per_hour = models.DecimalField(max_digits=24, decimal_places=12)
    observed_on = models.DateField()
    source = models.CharField(max_length=200, blank=True, help_text="Who says so.")
    source_url = models.URLField(max_length=500, blank=True)
    licence = models.CharField(max_length=200, blank=True)

    objects = GpuRateQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "gpu", "terms", "observed_on"], name="gpu_rate_once")]

    def __str__(self) -> str:
        return f"{self.gpu} at {self.host}"
