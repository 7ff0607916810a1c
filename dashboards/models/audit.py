"""What people changed: a log that is only ever added to."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone

from dashboards.models.people import Person

if TYPE_CHECKING:
    from usage.models import Organisation


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def of(self, organisation: Organisation | None) -> AuditQuerySet:
        """The entries of one organisation; None: those of the instance, which belong to none."""
        return self.filter(organisation=organisation)

    def asked(self, who: str, action: str, since: datetime | None, until: datetime | None, words: str) -> AuditQuerySet:
        """Narrowed to a person's address, an action, [since, until), and words of the subject; empty: all."""
        where = Q()
        if who:
            where &= Q(who=who)
        if action:
            where &= Q(action=action)
        if since:
            where &= Q(at__gte=since)
        if until:
            where &= Q(at__lt=until)
        for word in words.split()[:8]:
            where &= Q(subject__icontains=word) | Q(who__icontains=word)
        return self.filter(where)

    def latest_first(self) -> AuditQuerySet:
        return self.order_by("-at", "-pk")


class AuditEntry(models.Model):
    """One change by a person (or by a command), written once: a trigger refuses to change or delete it.

    `organisation` is None for changes of the instance. Person and organisation carry no foreign key in the
    database, and `who` repeats the address, so the entry outlives both. `before` and `after` hold no secrets.
    """

    at = models.DateTimeField(default=timezone.now, editable=False)
    organisation = models.ForeignKey(
        "usage.Organisation", models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name="+"
    )
    person = models.ForeignKey(Person, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name="+")
    who = models.CharField(max_length=254, blank=True, help_text="Their address then; empty: nobody signed in")
    action = models.CharField(max_length=80, help_text="What was done, such as “changed a role”")
    subject = models.CharField(max_length=300, help_text="To what, in words")
    before = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    address = models.CharField(max_length=64, blank=True, help_text="Network address; empty: a command")

    objects: ClassVar[models.Manager[AuditEntry]] = AuditQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["organisation", "-at", "-id"], name="audit_latest_first")]

    def __str__(self) -> str:
        return f"{self.who or 'nobody'} {self.action}: {self.subject}"
