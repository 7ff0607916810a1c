"""Mail that is on its way or has gone: one row for each message to a person, whatever became of it."""

from collections.abc import Collection
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from dashboards.models.people import Person


class MessageQuerySet(models.QuerySet["Message"]):
    def due(self, now: datetime) -> "MessageQuerySet":
        """What may be tried at a moment, the one that waits longest first."""
        return self.filter(status=Message.Status.CLAIMED, next_try_at__lte=now).order_by("next_try_at", "pk")

    def left_behind(self, since: datetime) -> "MessageQuerySet":
        """What a worker began to send before a moment and never said how it ended."""
        return self.filter(status=Message.Status.SENDING, sending_since__lt=since).order_by("pk")

    def unsettled(self) -> "MessageQuerySet":
        """What did not arrive for certain: a person decides whether it is sent again."""
        return self.filter(status__in=Message.SENT_AGAIN_BY_HAND)

    def latest_first(self) -> "MessageQuerySet":
        return self.order_by("-made_at", "-pk")


class Message(models.Model):
    """One mail to one person. `dashboards.outbox` is its only writer and says what its states mean.

    `message_id` is made with the row and never changes, so that whoever gets a message twice can tell. `attempt`
    names the try that owns a row in `sending`; `data_began_at` is set before the first byte of the text leaves.
    `shows_whole` and `shows_projects` say whose money it shows: before each try its reader must have the right to that.
    """

    class Kind(models.TextChoices):
        REPORT = "report"
        ALERT = "alert"
        TEST = "test"

    class Status(models.TextChoices):
        CLAIMED = "claimed"
        SENDING = "sending"
        SENT = "sent"
        REFUSED = "refused"
        GIVEN_UP = "given up"
        UNCERTAIN = "uncertain"
        WITHDRAWN = "withdrawn"

    SENT_AGAIN_BY_HAND: ClassVar = (Status.UNCERTAIN, Status.REFUSED, Status.GIVEN_UP)

    organisation = models.ForeignKey("usage.Organisation", on_delete=models.CASCADE, related_name="messages")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=8, choices=Kind)
    dedupe_key = models.CharField(max_length=200, help_text="One message for each key of a person in an organisation")
    address = models.EmailField("e-mail")
    subject = models.CharField(max_length=300)
    shows_whole = models.BooleanField(default=True, help_text="Shows money of the whole organisation")
    shows_projects = models.JSONField(default=list, blank=True, help_text="Ids of the projects whose money it shows")
    text = models.TextField()
    html = models.TextField(blank=True)
    pictures = models.JSONField(default=dict, blank=True, help_text="Content id: PNG in base 64")
    headers = models.JSONField(default=dict, blank=True)
    message_id = models.CharField(max_length=200, unique=True)
    status = models.CharField(max_length=9, choices=Status, default=Status.CLAIMED)
    tries = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    next_try_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(help_text="Given up where it could not be sent by then")
    attempt = models.UUIDField(null=True, blank=True)
    sending_since = models.DateTimeField(null=True, blank=True)
    data_began_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    said = models.CharField(max_length=300, blank=True, help_text="What the mail server answered last, or why it ended")

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "person", "dedupe_key"], name="message_once"),
            models.CheckConstraint(
                condition=Q(status="sending", attempt__isnull=False, sending_since__isnull=False)
                | (~Q(status="sending") & Q(attempt__isnull=True)),
                name="message_sending_is_somebodys",
            ),
            models.CheckConstraint(
                condition=Q(status="sent", sent_at__isnull=False) | (~Q(status="sent") & Q(sent_at__isnull=True)),
                name="message_sent_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="uncertain") | Q(data_began_at__isnull=False),
                name="message_uncertain_only_once_data_began",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(status="claimed"), name="message_due"),
            models.Index(fields=["sending_since"], condition=Q(status="sending"), name="message_in_hand"),
            models.Index(fields=["organisation", "person", "-made_at"], name="message_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.address}: {self.subject}"

    def shows_only(self, projects: Collection[int] | None) -> bool:
        """Whether all that it shows is money of these projects (None: of the whole organisation, all there is)."""
        return projects is None or (not self.shows_whole and set(self.shows_projects) <= set(projects))
