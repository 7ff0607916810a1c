"""The only writer of decisions: proposals made of advice, decided by people, followed by what the traffic does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from dashboards import audit
from dashboards.models import KeptAdvice, Person, Proposal
from dashboards.models.proposals import OPEN
from dashboards.proposing import Standing, chosen
from pricing.noninferiority import Verdict
from usage import advice, realised, recommending
from usage.advice import Advice, Recommendation
from usage.models import Project

State = Proposal.State
LONGEST_REASON = 1000
DECIDED = ("state", "owner", "due", "reason", "moved_on")
"""The fields that people decide, which the audit log keeps."""
REALISED_AFTER = timedelta(days=30)
"""How long the traffic must have moved for what it saved to be told as realised."""
WATCHED_LAPSED = timedelta(days=30)
LOOKED_BACK = (timedelta(days=7), timedelta(days=21))
"""An open decision's window ends yesterday, every day anew: what moved is seen from one that ended so long ago, what
runs once a week from one that ended three runs ago."""
WATCHED = (State.PROPOSED, State.ACCEPTED, State.DONE)
WATCHED_REALISED = timedelta(days=365)
"""How long what a move saves is followed: a year later hardly anything is as it was."""


class Refused(ValueError):
    """Why a decision cannot be taken: a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a day did: how many proposals it renewed, made and let lapse, and how many moves the traffic has made."""

    renewed: int = 0
    new: int = 0
    lapsed: int = 0
    moved: int = 0


# What advice and traffic do


def keep_up(project: Project, on: date) -> Taken:
    """Advise a project for a day anew: see what moved, then what is recommended. Twice changes nothing twice."""
    moved = follow(project, on)
    return replace(take(project, recommending.advise(project, on)), moved=moved)


def remember(
    project: Project, found: Advice, move: Recommendation, at: datetime, decided_at: datetime, due: date
) -> None:
    """Note a decision of the past: advised at a moment and accepted by who owns the project, until a day."""
    owner = _mail(project.owner)
    Proposal.objects.create(
        organisation_id=project.organisation_id, project=project, key=move.key, state=State.ACCEPTED, owner=owner,
        proposed_at=at, decided_at=decided_at, decided_by=owner, due=due, **_of_advice(found, move),
    )  # fmt: skip


def advise_sample(on: date) -> int:
    """Advise what of the sample workspace has not been on a day, so that a first look has decisions; how many."""
    waiting = list(not_advised(on).filter(organisation__is_sample=True).select_related("organisation"))
    for project in waiting:
        keep_up(project, on)
    return len(waiting)


def not_advised(today: date) -> QuerySet[Project]:
    """The projects in use that have not been advised on a day, in the order of their age."""
    advised = KeptAdvice.objects.filter(on__gte=today).values("project")
    return Project.objects.filter(archived_at=None).exclude(pk__in=advised).order_by("pk")


def take(project: Project, found: Advice, at: datetime | None = None) -> Taken:
    """Keep the advice of a project and bring its proposals up to date. The same advice again changes nothing, nor does
    advice of a project that was archived meanwhile."""
    at = at or timezone.now()
    with transaction.atomic():
        if Project.objects.select_for_update().get(pk=project.pk).archived_at is not None:
            return Taken()
        KeptAdvice.objects.update_or_create(project=project, defaults={"on": found.on, "told": advice.told(found)})
        standing = [_standing(one) for one in Proposal.objects.filter(project=project).order_by("-proposed_at", "-pk")]
        what = chosen(found.recommendations, standing)
        for stood, move in what.renewed:
            # Somebody may have decided since it was read: a promise stands still, and a decision does not lapse.
            Proposal.objects.filter(pk=stood.pk, state=State.PROPOSED).update(**_of_advice(found, move))
        for stood in what.lapsed:
            Proposal.objects.filter(pk=stood.pk, state=State.PROPOSED).update(state=State.LAPSED, due=None)
        for move in what.new:
            _propose(project, found, move, at)
    return Taken(len(what.renewed), len(what.new), len(what.lapsed))


def set_aside(project: Project) -> None:
    """Put nothing of a project that is archived to people: its open decisions lapse, its advice goes. Once it is back,
    what is still recommended is open again; what was decided stays."""
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        KeptAdvice.objects.filter(project=project).delete()
        Proposal.objects.filter(project=project, state=State.PROPOSED).update(state=State.LAPSED, due=None)


def _propose(project: Project, found: Advice, move: Recommendation, at: datetime) -> None:
    """A new proposal; one that had lapsed is taken up again, so that it stands once."""
    fields = _of_advice(found, move) | {"state": State.PROPOSED, "proposed_at": at}
    lapsed = Proposal.objects.filter(project=project, key=move.key, state=State.LAPSED).order_by("-pk").first()
    if lapsed is not None:
        Proposal.objects.filter(pk=lapsed.pk).update(**fields)
        return
    Proposal.objects.create(
        organisation_id=project.organisation_id, project=project, key=move.key, owner=_mail(project.owner), **fields
    )


def _of_advice(found: Advice, move: Recommendation) -> dict[str, Any]:
    return {
        "recommendation": advice.told(move), "since": found.since, "until": found.until, "currency": found.currency,
        "saving_low": move.saving.low, "saving_high": move.saving.high, "advised_on": found.on,
    }  # fmt: skip


def _standing(one: Proposal) -> Standing:
    current = advice.read(advice.Side, one.recommendation["current"]).key
    saving = advice.Range(one.saving_low, one.saving_high)
    return Standing(one.pk, one.key, current, one.state, saving, Verdict(one.recommendation["verdict"]))


def _mail(text: str) -> str:
    """An address, or nothing where the text is none."""
    try:
        validate_email(text)
    except ValidationError:
        return ""
    return text


# What people decide


def accept(proposal: Proposal, person: Person, owner: str, due: date | None) -> Proposal:
    """Say that the move is made, by whom and until when; what it saves is a promise from now on."""
    with _deciding(proposal, (State.PROPOSED,), "Only an open decision can be accepted") as one:
        one.owner, one.due = _owner(owner or person.email), due
        return _decided(one, person, State.ACCEPTED, "accepted a move")


def reject(proposal: Proposal, person: Person, reason: str) -> Proposal:
    """Say why the move is not made. It comes back only once it is another matter (`dashboards.proposing`)."""
    said = " ".join(reason.replace("\0", " ").split())
    if not said:
        raise Refused("Write why: the reason is what the next reader needs.")
    if len(said) > LONGEST_REASON:
        raise Refused(f"Write the reason in at most {LONGEST_REASON:,} characters; it has {len(said):,}.")
    with _deciding(proposal, (State.PROPOSED, State.ACCEPTED), "Only an open decision can be rejected") as one:
        one.reason, one.due = said, None
        return _decided(one, person, State.REJECTED, "rejected a move")


def done(proposal: Proposal, person: Person, on: date | None = None) -> Proposal:
    """Say that the move has been made; `on` where it cannot be seen in the traffic, as it keeps offering and tier."""
    with _deciding(proposal, (State.PROPOSED, State.ACCEPTED), "Only an open decision can be done") as one:
        one.owner, one.moved_on = one.owner or person.email, on
        return _decided(one, person, State.DONE, "made a move")


def assign(proposal: Proposal, person: Person, owner: str, due: date | None) -> Proposal:
    """Say who answers for it and until when."""
    allowed = (State.PROPOSED, State.ACCEPTED, State.DONE)
    with _deciding(proposal, allowed, "Only an open decision has an owner") as one:
        before = {"owner": one.owner, "due": one.due}
        one.owner, one.due = _owner(owner), due
        one.save(update_fields=["owner", "due"])
        after = {"owner": one.owner, "due": one.due}
        audit.record(person, "assigned a move", _subject(one), before, after, one.organisation)
        return one


def reopen(proposal: Proposal, person: Person) -> Proposal:
    """Take a decision back, as long as the traffic has not moved and the same move is not open again. Of a move that
    no traffic shows, what was said of it goes, too."""
    allowed = (State.ACCEPTED, State.REJECTED, State.DONE)
    with _deciding(proposal, allowed, "Only a decision that was taken can be taken back") as one:
        if one.moved_on is not None and not realised.is_in_place(one.move):
            raise Refused("The traffic has moved: what was decided can no longer be taken back.")
        others = Proposal.objects.filter(project=one.project, key=one.key, state__in=OPEN)
        if others.exclude(pk=one.pk).exists():
            raise Refused("The same move is open already: decide that one.")
        one.due, one.reason = None, ""
        one.moved_on = one.realised_low = one.realised_high = one.realised_until = None
        return _decided(one, person, State.PROPOSED, "took a decision back")


def _decided(one: Proposal, person: Person, state: str, action: str) -> Proposal:
    """Writes what was decided of it, and notes each field that this changed."""
    stood = Proposal.objects.values(*DECIDED).get(pk=one.pk)
    one.state = state
    one.decided_by, one.decided_at = (person.email, timezone.now()) if state != State.PROPOSED else ("", None)
    one.save(
        update_fields=[
            "state", "owner", "due", "reason", "moved_on", "decided_by", "decided_at", "realised_low", "realised_high",
            "realised_until",
        ]
    )  # fmt: skip
    before = {name: value for name, value in stood.items() if value != getattr(one, name)}
    after = {name: getattr(one, name) for name in before}
    saving = {"saving_low": one.saving_low, "saving_high": one.saving_high}
    audit.record(person, action, _subject(one), before, after | saving, one.organisation)
    return one


@contextmanager
def _deciding(proposal: Proposal, allowed: tuple[str, ...], sentence: str) -> Iterator[Proposal]:
    """The proposal, locked, in one transaction with what is made of it."""
    with transaction.atomic():
        one = (
            Proposal.objects.select_for_update(of=("self",))
            .select_related("project", "organisation")
            .get(pk=proposal.pk)
        )
        if one.state not in allowed:
            raise Refused(f"{sentence}: this one is {one.get_state_display()}. Load the page again to see it.")
        yield one


def _owner(text: str) -> str:
    said = text.strip()[:254]
    if not _mail(said):
        raise Refused("The owner is an e-mail address: write name@example.org.")
    return said


def _subject(one: Proposal) -> str:
    move = one.move
    return f"{one.project}: {move.current.model_name} to {move.candidate.model_name} ({move.candidate.provider_name})"


# What the traffic does


def follow(project: Project, today: date) -> int:
    """Look at what the traffic of a project did with its open and followed moves; how many have moved by now.

    A move that somebody makes without a decision lapses, as its model is no longer in use: those are watched, too.
    """
    made_anyway = Q(state=State.LAPSED, advised_on__gte=today - WATCHED_LAPSED)
    recent = Q(state=State.REALISED, moved_on__gte=today - WATCHED_REALISED)
    found = Proposal.objects.filter(made_anyway | recent | Q(state__in=WATCHED), project=project)
    return sum(_followed(one, today) for one in found.select_related("project__organisation").order_by("pk"))


def _windows(proposal: Proposal, today: date) -> Iterator[tuple[date, date]]:
    """The UTC days [since, until) that a move is seen from: its promise's; while nobody has decided, as long ones that
    ended some days ago."""
    if proposal.state != State.PROPOSED:
        yield proposal.since, proposal.until
        return
    for back in LOOKED_BACK:
        too_new = max(proposal.until - (today - back), timedelta())
        yield proposal.since - too_new, proposal.until - too_new


def _followed(proposal: Proposal, today: date) -> bool:
    """Note since when it has moved, and what a month of the same work has saved since then."""
    for since, until in _windows(proposal, today):
        traffic = realised.follow(proposal.project, proposal.move, (since, until), today)
        moved_on = proposal.moved_on or traffic.moved_on
        if moved_on is None and proposal.state == State.DONE and proposal.decided_at is not None:
            moved_on = traffic.begun_on(proposal.decided_at.astimezone(UTC).date())
        if moved_on is not None:
            break
    else:
        return False
    saved = traffic.realised(moved_on, today).per_month
    fields: dict[str, Any] = {"moved_on": moved_on, "since": since, "until": until}
    if proposal.state in (State.PROPOSED, State.ACCEPTED, State.LAPSED):
        fields["state"] = State.DONE
    if saved is not None:
        fields |= {"realised_low": saved.low, "realised_high": saved.high, "realised_until": today}
        if today - moved_on >= REALISED_AFTER:
            fields["state"] = State.REALISED
    # Somebody may have decided meanwhile: what was read then no longer holds, and the next look will see it.
    return bool(Proposal.objects.filter(pk=proposal.pk, state=proposal.state).update(**fields))
