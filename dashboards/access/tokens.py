"""Tokens of programs: made, found by their secret, revoked."""

import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from dashboards.access.digests import sha256
from dashboards.access.roles import RANK
from dashboards.models import AccessToken, Membership, Person

if TYPE_CHECKING:
    from usage.models import Organisation

# One write per token and minute at most, however often it is used.
LAST_USED_PRECISION = timedelta(minutes=1)
TOKEN_PREFIX = "rc_"  # noqa: S105 — lets a secret scanner recognise a leaked token
SCOPES = {
    "catalogue:read": "read prices, models and changes",
    "spend:read": "read what the organisation spent",
    "usage:write": "send usage events",
    "rules:write": "change whose usage is whose: the rules",
}
"""What a token may be for; one without any scope may do whatever its role may."""


def create_token(
    name: str,
    role: str,
    person: Person | None = None,
    organisation: "Organisation | None" = None,
    expires_at: datetime | None = None,
    scopes: Iterable[str] = (),
) -> tuple[AccessToken, str]:
    """A new token and its secret, which is shown once and kept nowhere."""
    if role not in RANK:
        raise ValueError(f"{role} is not a role: choose viewer, member or admin")
    scopes = list(dict.fromkeys(scopes))
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise ValueError(f"{unknown[0][:40]} is not a scope: choose of {', '.join(SCOPES)}")
    if expires_at is not None and expires_at <= timezone.now():
        raise ValueError(f"{expires_at:%Y-%m-%d} has passed: choose a later date")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = AccessToken.objects.create(
        organisation=organisation,
        person=person,
        name=name,
        role=role,
        prefix=secret[:9],
        sha256=sha256(secret),
        scopes=scopes,
        expires_at=expires_at,
    )
    return token, secret


def revoke_token(token: AccessToken) -> None:
    """Ends a token at once; the time it was first revoked stays."""
    AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())


def token_for_header(value: str | None) -> AccessToken | None:
    """The live token of an `Authorization: Bearer …` header, with its organisation and person.

    None for anything else: no header, another scheme, unknown, expired or revoked, its person gone.
    """
    match = re.fullmatch(r"\s*Bearer\s+(\S+)\s*", value or "", re.IGNORECASE)
    return token_for_secret(match[1]) if match else None


def token_for_secret(secret: str) -> AccessToken | None:
    """The live token with this secret, else None. Notes when it was last used, to the minute.

    A person's token of an organisation ends with their last role in it.
    """
    now = timezone.now()
    token = (
        AccessToken.objects.select_related("organisation", "person")
        .filter(sha256=sha256(secret), revoked_at=None)
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .filter(Q(person=None) | Q(person__is_active=True))
        .filter(Q(person=None) | Q(organisation=None) | Exists(_membership()))
        .first()
    )
    if token and (token.last_used_at is None or token.last_used_at < now - LAST_USED_PRECISION):
        AccessToken.objects.filter(pk=token.pk).update(last_used_at=now)
        token.last_used_at = now
    return token


def _membership() -> "QuerySet[Membership]":
    return Membership.objects.filter(person=OuterRef("person"), organisation=OuterRef("organisation"))


def person_for_token(secret: str) -> Person | None:
    """The person a live token acts for; None also for a token of no person."""
    token = token_for_secret(secret)
    return token.person if token else None


def token_may(token: AccessToken, role: str, scope: str = "") -> bool:
    """Whether a token carries at least `role` and, where it is narrowed to scopes, `scope`.

    Its organisation is `token.organisation`. What its person may do there is for `may` to say.
    """
    return RANK[token.role] >= RANK[role] and (not scope or not token.scopes or scope in token.scopes)
