"""Who gets the weekly report, about what, and when."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from dashboards.models.people import Person

if TYPE_CHECKING:
    from usage.models import Project


class ReportSubscriptionQuerySet(models.QuerySet["ReportSubscription"]):
    def active(self) -> Self:
        """Those that are neither paused nor of somebody who may no longer sign in."""
        return self.filter(paused_at=None, person__is_active=True)

    def due(self, now: datetime) -> Self:
        """Whose time has come, the one that waits longest first."""
        return self.active().filter(next_at__lte=now).order_by("next_at", "pk")

    def of(self, person: Person, organisation_id: int) -> Self:
        """A person's own, in the order in which they were made."""
        found = self.filter(person=person, organisation=organisation_id)
        return found.select_related("organisation").prefetch_related("projects").order_by("pk")


class ReportSubscription(models.Model):
    """One report a week to one person: of some projects, of a cost centre, or of all they may see at that moment.

    `scope` is its subject as a key (`''`, `projects a b`, `cost centre 4100`): a person gets each once. `next_at` is
    when it is due; whoever moves it on by compare-and-update sends it. `dashboards.reports.subscriptions` alone writes.
    """

    organisation = models.ForeignKey("usage.Organisation", on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="report_subscriptions")
    scope = models.CharField(max_length=2000, blank=True)
    projects: models.ManyToManyField[Project, models.Model] = models.ManyToManyField(
        "usage.Project", blank=True, related_name="+", help_text="None: all that the person may see"
    )
    cost_centre = models.CharField(max_length=120, blank=True)
    weekday = models.PositiveSmallIntegerField(default=0, help_text="0 is Monday")
    hour = models.PositiveSmallIntegerField(default=8)
    time_zone = models.CharField(max_length=64)
    next_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True, blank=True)
    is_unsubscribed = models.BooleanField(default=False, help_text="Paused by the link of a mail")
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar = ReportSubscriptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "person", "scope"], name="subscription_once"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="subscription_weekday"),
            models.CheckConstraint(condition=Q(hour__lte=23), name="subscription_hour"),
            models.CheckConstraint(
                condition=Q(is_unsubscribed=False) | Q(paused_at__isnull=False), name="subscription_ended_is_paused"
            ),
        ]
        indexes = [models.Index(fields=["next_at"], condition=Q(paused_at=None), name="subscription_due")]

    def __str__(self) -> str:
        return f"Weekly report to {self.person.email}: {self.scope or 'all'}"
