"""What people are told of by themselves: facts that need somebody, who hears of which, and where they are sent.

`dashboards.alerts` writes all of these but the webhook's two, which are `dashboards.webhooks`'.
"""

from datetime import datetime
from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from dashboards.models.people import Person


class AlertKind(models.TextChoices):
    PRICE = "price", "a price you pay changed"
    ANNOUNCED = "announced", "a price you pay will change"
    PROMOTION = "promotion", "a low price ends"
    RETIRES = "retires", "a model in use retires"
    BUDGET = "budget", "a budget is used up"
    COVERAGE = "coverage", "usage without a price or a project"
    STALE = "stale", "a source or a feed went silent"
    TEST = "test", "a test"


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> "AlertQuerySet":
        return self.filter(resolved_at=None)

    def latest_first(self) -> "AlertQuerySet":
        return self.order_by(models.F("resolved_at").desc(nulls_first=True), "-opened_at", "-pk")


class Alert(models.Model):
    """A fact from when it was first seen to when it was gone. Of one key one is open.

    `parts` is the money of it by project (by id, '' for what has none), so that each reader is told their own;
    `is_whole` ones are for who reads the whole organisation. `missing_since`: the fact was not there any more.
    """

    organisation = models.ForeignKey("usage.Organisation", on_delete=models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=10, choices=AlertKind)
    key = models.CharField(max_length=300)
    model = models.CharField(max_length=300, blank=True, help_text="Slug of the model it speaks of")
    is_whole = models.BooleanField(default=False)
    parts = models.JSONField(default=dict)
    data = models.JSONField(default=dict)
    opened_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    missing_since = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "key"], condition=Q(resolved_at=None), name="alert_open_once"
            ),
        ]
        indexes = [models.Index(fields=["organisation", "-opened_at"], name="alert_of_organisation")]

    def __str__(self) -> str:
        return self.key


class AlertNotice(models.Model):
    """That a person was told of an alert: once, whatever happens."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="notices")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey("dashboards.Message", on_delete=models.SET_NULL, null=True, related_name="+")
    told_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "person"], name="alert_told_once")]

    def __str__(self) -> str:
        return f"{self.person} of {self.alert}"


class AlertChoice(models.Model):
    """What a person wants to hear of an organisation. `projects` [] is all they may see."""

    organisation = models.ForeignKey("usage.Organisation", on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    by_mail = models.BooleanField(default=True)
    kinds_off = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    at_once = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    projects = ArrayField(models.BigIntegerField(), default=list, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "person"], name="alert_choice_once")]

    def __str__(self) -> str:
        return f"{self.person} in {self.organisation}"


class AlertThreshold(models.Model):
    """From which share on an organisation wants to hear of usage without a price or a project, in per cent."""

    organisation = models.OneToOneField(
        "usage.Organisation", on_delete=models.CASCADE, related_name="alert_threshold", primary_key=True
    )
    unpriced_percent = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(2))
    unattributed_percent = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(5))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(unpriced_percent__gte=0, unpriced_percent__lte=100)
                & Q(unattributed_percent__gte=0, unattributed_percent__lte=100),
                name="alert_threshold_is_a_share",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unpriced_percent} % and {self.unattributed_percent} %"


class AlertMuteQuerySet(models.QuerySet["AlertMute"]):
    def standing(self, now: datetime) -> "AlertMuteQuerySet":
        return self.filter(until__gt=now)


class AlertMute(models.Model):
    """A kind, a model or a project that is silent until a moment: for one person, or (person empty) for everybody."""

    organisation = models.ForeignKey("usage.Organisation", on_delete=models.CASCADE, related_name="alert_mutes")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=10, blank=True, choices=AlertKind)
    model = models.CharField(max_length=300, blank=True)
    project = models.ForeignKey("usage.Project", on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    until = models.DateTimeField()
    reason = models.CharField(max_length=300)
    made_by = models.CharField(max_length=254)
    made_at = models.DateTimeField(default=timezone.now)

    objects = AlertMuteQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="alert_mute_has_a_reason"),
            models.CheckConstraint(
                condition=Q(model="", project=None, kind__gt="")
                | Q(kind="", project=None, model__gt="")
                | Q(kind="", model="", project__isnull=False),
                name="alert_mute_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return self.kind or self.model or str(self.project)


class Webhook(models.Model):
    """Where an organisation's alerts go besides mail. Secrets are encrypted; the old one signs, too, for a while."""

    organisation = models.OneToOneField("usage.Organisation", on_delete=models.CASCADE, related_name="webhook")
    url = models.CharField(max_length=500)
    secret = models.TextField()
    secret_end = models.CharField(max_length=8)
    old_secret = models.TextField(blank=True)
    old_secret_until = models.DateTimeField(null=True, blank=True)
    enabled = models.BooleanField(default=True)
    kinds_off = ArrayField(models.CharField(max_length=10), default=list, blank=True)

    def __str__(self) -> str:
        return self.url


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def due(self, now: datetime) -> "WebhookDeliveryQuerySet":
        found = self.filter(status=WebhookDelivery.Status.WAITING, next_try_at__lte=now, webhook__enabled=True)
        return found.order_by("next_try_at", "pk")


class WebhookDelivery(models.Model):
    """One event on its way: the same body and id at each try."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        FAILED = "failed"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    event_id = models.UUIDField(unique=True)
    body = models.TextField()
    status = models.CharField(max_length=9, choices=Status, default=Status.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    answer_status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.CharField(max_length=300, blank=True)
    made_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["webhook", "alert"], condition=Q(alert__isnull=False), name="webhook_event_once"
            ),
        ]
        indexes = [models.Index(fields=["next_try_at"], condition=Q(status="waiting"), name="webhook_due")]

    def __str__(self) -> str:
        return str(self.event_id)
