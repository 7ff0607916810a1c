"""Decisions: what a project was recommended, what people decided, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import ClassVar, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone

from dashboards.models.people import Membership, Person
from usage import advice

UNDECIDED = ("proposed",)
FOLLOWED = ("accepted", "done", "realised")
OPEN = ("proposed", "accepted", "done")
"""States in which a move cannot be proposed again: it is being decided or followed."""


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def seen(self, organisation_id: int, project_ids: Iterable[int] | None) -> Self:
        """Those of an organisation's projects; None: of all of them."""
        found = self.filter(organisation=organisation_id).select_related("project")
        return found if project_ids is None else found.filter(project__in=list(project_ids))

    def undecided(self) -> Self:
        """Those that wait for somebody, the one that surely saves most first."""
        return self.filter(state__in=UNDECIDED).dearest_first()

    def followed(self) -> Self:
        """Those accepted or already followed: what was promised of them stands still."""
        return self.filter(state__in=FOLLOWED)

    def dearest_first(self) -> Self:
        return self.order_by("-saving_low", "-saving_high", "pk")

    def moved(self) -> Self:
        """Those whose traffic moved, the latest first."""
        return self.exclude(moved_on=None).order_by("-moved_on", "-pk")


class Proposal(models.Model):
    """A recommendation's life. Of a project and a move one is open at most.

    `recommendation` is `usage.advice.told` of it, from the token log of the UTC days [since, until), and
    `saving_low` to `saving_high` what it saves in a month, both in `currency`. While nobody has decided they follow
    the newest advice; from the decision on they stand still, and are the promise. `moved_on` is the first UTC day of
    the three on which the traffic was seen to have moved, `realised_low` to `realised_high` what a month of the same
    work has really saved since then, up to `realised_until`.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "open"
        ACCEPTED = "accepted", "accepted"
        REJECTED = "rejected", "rejected"
        DONE = "done", "moved"
        REALISED = "realised", "realised"
        LAPSED = "lapsed", "lapsed"

    organisation = models.ForeignKey("usage.Organisation", models.CASCADE, related_name="+")
    project = models.ForeignKey("usage.Project", models.CASCADE, related_name="+")
    key = models.CharField(max_length=2000, help_text="What makes it the same move on different days.")
    recommendation = models.JSONField(encoder=DjangoJSONEncoder)
    since = models.DateField()
    until = models.DateField()
    currency = models.CharField(max_length=3)
    saving_low = models.DecimalField(max_digits=24, decimal_places=12)
    saving_high = models.DecimalField(max_digits=24, decimal_places=12)
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    proposed_at = models.DateTimeField(default=timezone.now)
    advised_on = models.DateField(help_text="The day whose advice this is.")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=254, blank=True, help_text="Their address then.")
    owner = models.EmailField(max_length=254, blank=True)
    due = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=1000, blank=True)
    moved_on = models.DateField(null=True, blank=True)
    realised_low = models.DecimalField(max_digits=24, decimal_places=12, null=True, blank=True)
    realised_high = models.DecimalField(max_digits=24, decimal_places=12, null=True, blank=True)
    realised_until = models.DateField(null=True, blank=True)

    objects: ClassVar[models.Manager[Proposal]] = ProposalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], condition=Q(state__in=OPEN), name="proposal_open_once"),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "accepted", "rejected", "done", "realised", "lapsed"]),
                name="proposal_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="rejected") | ~Q(reason=""), name="proposal_rejected_with_reason"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["accepted", "rejected"]) | Q(decided_at__isnull=False) & ~Q(decided_by=""),
                name="proposal_decided_by_somebody",
            ),
            models.CheckConstraint(condition=~Q(state="accepted") | ~Q(owner=""), name="proposal_accepted_has_owner"),
            models.CheckConstraint(
                condition=Q(due=None) | ~Q(owner="") & Q(state__in=["proposed", "accepted", "done", "realised"]),
                name="proposal_due_has_owner",
            ),
            models.CheckConstraint(
                condition=Q(moved_on=None) | Q(state__in=["done", "realised"]), name="proposal_moved_is_done"
            ),
            models.CheckConstraint(
                condition=~Q(state="realised")
                | Q(moved_on__isnull=False, realised_low__isnull=False, realised_until__isnull=False),
                name="proposal_realised_is_known",
            ),
            models.CheckConstraint(
                condition=Q(realised_low=None, realised_high=None) | Q(realised_low__lte=F("realised_high")),
                name="proposal_realised_low_to_high",
            ),
            models.CheckConstraint(
                condition=Q(saving_low__lte=F("saving_high"), since__lt=F("until")), name="proposal_low_to_high"
            ),
        ]
        indexes = [models.Index(fields=["organisation", "state", "-saving_low"], name="proposal_dearest")]

    def __str__(self) -> str:
        return f"{self.project} {self.key}"

    @classmethod
    def counted_for(cls, person: Person) -> models.Subquery:
        """How many open decisions of an organisation a person may see: an annotation, so that it costs no query."""
        mine = Membership.objects.filter(
            Q(project=None) | Q(project=OuterRef("project")), person_id=person.pk, organisation=OuterRef("organisation")
        )
        rows = cls.objects.filter(Exists(mine), organisation=OuterRef("pk"), state__in=UNDECIDED).order_by()
        count = rows.values("organisation").annotate(n=Count("pk")).values("n")
        return models.Subquery(count, output_field=models.IntegerField())

    @property
    def move(self) -> advice.Recommendation:
        """What was recommended, as `usage.advice` made it."""
        return advice.read(advice.Recommendation, self.recommendation)

    @property
    def is_undecided(self) -> bool:
        return self.state in UNDECIDED

    @property
    def is_followed(self) -> bool:
        return self.state in FOLLOWED

    def is_overdue(self, today: date) -> bool:
        """Whether it was to be done before a day and is not."""
        return self.state == self.State.ACCEPTED and self.due is not None and self.due < today


class KeptAdvice(models.Model):
    """The newest advice of a project, whole: what is not recommended and why stands only here."""

    project = models.OneToOneField("usage.Project", models.CASCADE, related_name="kept_advice")
    on = models.DateField()
    told = models.JSONField(encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name_plural = "kept advice"

    def __str__(self) -> str:
        return f"{self.project} on {self.on}"

    @property
    def value(self) -> advice.Advice:
        return advice.read(advice.Advice, self.told)
