"""Invitations: a role, an address, and a link that works once, until it expires or is taken back."""

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from dashboards.access.digests import sha256
from dashboards.access.memberships import grant_at_least
from dashboards.access.people import Refused
from dashboards.access.roles import RANK
from dashboards.models import Invitation, Membership, Person

if TYPE_CHECKING:
    from usage.models import Organisation, Project

INVITATION_LIVES = timedelta(days=7)


def invite(
    inviter: Person | None, email: str, role: str, organisation: "Organisation", project: "Project | None" = None
) -> tuple[Invitation, str]:
    """An invitation and its secret, which is shown once. An open one of the same address and place ends."""
    address, now = email.strip().lower(), timezone.now()
    try:
        validate_email(address)
    except ValidationError:
        raise Refused(f"“{email.strip()[:80]}” is not an e-mail address: write name@example.org.") from None
    if role not in RANK:
        raise Refused("Choose a role: viewer, member or admin.")
    if project is not None and project.organisation_id != organisation.pk:
        raise Refused("Choose a project of this organisation.")
    held = Membership.objects.filter(person__email=address, organisation=organisation, project=project).first()
    if held is not None and RANK[held.role] >= RANK[role]:
        raise Refused(f"{address} is {held.role} of {project or organisation} already.")
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        same = open_ones(organisation).filter(email=address, project=project)
        same.update(revoked_at=now)
        invitation = Invitation.objects.create(
            organisation=organisation,
            project=project,
            email=address,
            role=role,
            sha256=sha256(secret),
            invited_by=inviter,
            created_at=now,
            expires_at=now + INVITATION_LIVES,
        )
    return invitation, secret


def open_ones(organisation: "Organisation") -> "QuerySet[Invitation]":
    """Invitations of an organisation that nobody has accepted or taken back; some may have expired."""
    return Invitation.objects.filter(organisation=organisation, accepted_at=None, revoked_at=None)


def invitation_of(secret: str) -> Invitation | None:
    """The invitation that a link opens while it is open and alive. Asking does not use it up."""
    return _live(secret).select_related("organisation", "project", "invited_by").first()


def accept(secret: str, person: Person) -> Membership | None:
    """Gives the person the role they were invited to, once; None where the link is dead or somebody else's."""
    with transaction.atomic():
        found = _live(secret).select_related("organisation", "project").select_for_update(of=("self",)).first()
        if found is None or found.email != person.email or not person.is_active:
            return None
        found.accepted_at = timezone.now()
        found.save(update_fields=["accepted_at"])
        return grant_at_least(person, found.role, found.organisation, found.project)


def join(secret: str, name: str, password: str) -> tuple[Person, Membership] | None:
    """Makes the invited person with a password of their own and gives the role; None where that cannot be.

    Only for an address nobody has: the link alone never opens an account that exists.
    """
    with transaction.atomic():
        found = _live(secret).select_for_update().first()
        if found is None or Person.objects.filter(email=found.email).exists():
            return None
        person = Person.objects.create_user(found.email, password, name=name.strip()[:120])
        membership = accept(secret, person)
        if membership is None:
            transaction.set_rollback(True)
            return None
        return person, membership


def take_back(invitation: Invitation) -> bool:
    """Ends an open invitation; False where it was accepted or taken back before."""
    still = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
    return bool(still.update(revoked_at=timezone.now()))


def _live(secret: str) -> "QuerySet[Invitation]":
    return Invitation.objects.filter(
        sha256=sha256(secret), accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )
