"""Roles given, changed and taken. An organisation keeps an admin, and no token outlives the role it stands on."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from dashboards.access.people import Refused
from dashboards.access.roles import RANK
from dashboards.models import AccessToken, Invitation, Membership, Person, Role

if TYPE_CHECKING:
    from usage.models import Organisation, Project


def grant(person: Person, role: str, organisation: "Organisation", project: "Project | None" = None) -> Membership:
    """Gives a role, replacing the one held in the same place."""
    if project is not None and project.organisation_id != organisation.pk:
        raise ValueError(f"{project} is not a project of {organisation}")
    membership, _ = Membership.objects.update_or_create(
        person=person, organisation=organisation, project=project, defaults={"role": Role(role).value}
    )
    return membership


def grant_at_least(
    person: Person, role: str, organisation: "Organisation", project: "Project | None" = None
) -> Membership:
    """Gives a role where the person does not already hold a higher one in the same place."""
    held = Membership.objects.filter(person=person, organisation=organisation, project=project).first()
    if held is not None and RANK[held.role] >= RANK[role]:
        return held
    return grant(person, role, organisation, project)


def change_role(membership: Membership, role: str) -> list[AccessToken]:
    """Another role in the same place; the tokens that this ends, as they carried more than the person now may."""
    if role not in RANK:
        raise Refused("Choose a role: viewer, member or admin.")
    with transaction.atomic():
        _lock(membership)
        if role != Role.ADMIN:
            _refuse_the_last(membership)
        Membership.objects.filter(pk=membership.pk).update(role=role)
        membership.role = role
        return _end_tokens(membership)


def remove(membership: Membership) -> list[AccessToken]:
    """Takes a role away, and what the person was invited to in its place; the tokens that this ends."""
    with transaction.atomic():
        _lock(membership)
        _refuse_the_last(membership)
        Membership.objects.filter(pk=membership.pk).delete()
        _end_invitations(membership)
        return _end_tokens(membership)


def _lock(membership: Membership) -> None:
    """Two changes at once must not end the last two administrators."""
    from usage.models import Organisation

    Organisation.objects.select_for_update().get(pk=membership.organisation_id)


def _refuse_the_last(membership: Membership) -> None:
    """Refuses to end the last administrator of an organisation who can still sign in."""
    admins = Membership.objects.filter(
        organisation=membership.organisation_id, project=None, role=Role.ADMIN, person__is_active=True
    )
    if admins.filter(pk=membership.pk).exists() and not admins.exclude(pk=membership.pk).exists():
        raise Refused(
            f"{membership.person} is the last admin of {membership.organisation}: make somebody else admin first."
        )


def _end_invitations(membership: Membership) -> None:
    """A link that waits in a mailbox would bring back who was just removed."""
    Invitation.objects.filter(
        email=membership.person.email, organisation=membership.organisation_id, project=membership.project_id,
        accepted_at=None, revoked_at=None,
    ).update(revoked_at=timezone.now())  # fmt: skip


def _end_tokens(membership: Membership) -> list[AccessToken]:
    """Revokes the person's tokens of the organisation that carry more than their highest role there."""
    held = Membership.objects.filter(person=membership.person_id, organisation=membership.organisation_id)
    highest = max((RANK[role] for role in held.values_list("role", flat=True)), default=-1)
    over = [role for role, rank in RANK.items() if rank > highest]
    tokens = AccessToken.objects.filter(
        person=membership.person_id, organisation=membership.organisation_id, role__in=over, revoked_at=None
    )
    ended = list(tokens)
    tokens.update(revoked_at=timezone.now())
    return ended
