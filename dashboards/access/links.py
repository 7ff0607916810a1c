"""One-time links: the way in for the first administrator, for somebody new, for who lost a password."""

import secrets
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from dashboards.access.digests import sha256
from dashboards.models import Person, SignInLink

FIRST_PERSON = "admin@localhost"
LINK_LIVES = timedelta(hours=24)
_FIRST_PERSON_LOCK = 7_263_001


def first_sign_in_link(base_url: str) -> str | None:
    """A one-time link for the first administrator, or None once anybody can sign in by password.

    Creates `admin@localhost` where nobody exists. A fresh link ends the ones given out before.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_FIRST_PERSON_LOCK])
        people = list(Person.objects.order_by("id"))
        if any(person.has_usable_password() for person in people):
            return None
        first = next((person for person in people if person.is_instance_admin and person.is_active), None)
        if first is None and any(person.email == FIRST_PERSON for person in people):
            return None  # somebody closed that account; a restart does not open it again
        if first is None:
            first = Person.objects.create_user(FIRST_PERSON, name="Administrator", is_instance_admin=True)
        return sign_in_link(first, base_url)


def sign_in_link(person: Person, base_url: str, lives: timedelta = LINK_LIVES) -> str:
    """The URL that signs `person` in once. Earlier unused links of the same person end."""
    now = timezone.now()
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        unused = SignInLink.objects.filter(person=person, used_at=None, expires_at__gt=now)
        unused.update(used_at=now)
        SignInLink.objects.create(person=person, sha256=sha256(secret), created_at=now, expires_at=now + lives)
    return f"{base_url.rstrip('/')}/sign-in/link/{secret}"


def _live_link(secret: str, now: datetime) -> QuerySet[SignInLink]:
    return SignInLink.objects.filter(sha256=sha256(secret), used_at=None, expires_at__gt=now, person__is_active=True)


def sign_in_link_lives(secret: str) -> bool:
    """Whether the link would still sign somebody in. Asking does not use it up."""
    return _live_link(secret, timezone.now()).exists()


def use_sign_in_link(secret: str) -> Person | None:
    """Whose link it is, the first time it is used within its life; otherwise None."""
    now = timezone.now()
    with transaction.atomic():
        link = _live_link(secret, now).select_related("person").select_for_update(of=("self",)).first()
        if link is None:
            return None
        link.used_at = now
        link.save(update_fields=["used_at"])
        return link.person
