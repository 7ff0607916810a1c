"""Who may enter and what they may see. The one owner of writes to dashboards' people and token tables.

Secrets carry 256 random bits, so one SHA-256 protects them; a slow hash would only slow the API.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.utils import timezone

from dashboards.models import AccessToken, Membership, Person, Role, SignInFailure, SignInLink

if TYPE_CHECKING:
    from usage.models import Organisation, Project

FIRST_PERSON = "admin@localhost"
LINK_LIVES = timedelta(hours=24)
TRIES = 5
PAUSE = timedelta(minutes=15)
# One write per token and minute at most, however often it is used.
LAST_USED_PRECISION = timedelta(minutes=1)
TOKEN_PREFIX = "rc_"  # noqa: S105 — lets a secret scanner recognise a leaked token
SESSION_ORGANISATION = "organisation"
_RANK = {Role.VIEWER.value: 0, Role.MEMBER.value: 1, Role.ADMIN.value: 2}
_FIRST_PERSON_LOCK = 7_263_001


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# People and how they come in


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
        SignInLink.objects.create(person=person, sha256=_sha256(secret), created_at=now, expires_at=now + lives)
    return f"{base_url.rstrip('/')}/sign-in/link/{secret}"


def _live_link(secret: str, now: datetime) -> QuerySet[SignInLink]:
    return SignInLink.objects.filter(sha256=_sha256(secret), used_at=None, expires_at__gt=now, person__is_active=True)


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


def set_password(person: Person, password: str) -> None:
    person.set_password(password)
    person.save(update_fields=["password"])


def invite(email: str, name: str = "", *, is_instance_admin: bool = False) -> Person:
    """The person with this e-mail, made where there is none; ValueError for what is no address."""
    try:
        if email != FIRST_PERSON:
            validate_email(email)
    except ValidationError:
        raise ValueError(f"{email} is not an e-mail address: write name@example.org") from None
    person, created = Person.objects.get_or_create(
        email=email.strip().lower(), defaults={"name": name, "is_instance_admin": is_instance_admin}
    )
    if created:
        person.set_unusable_password()
        person.save(update_fields=["password"])
    return person


@dataclass(frozen=True)
class PasswordTry:
    """What came of a password: the person, or the tries left before the pause (0 = paused)."""

    person: Person | None
    tries_left: int = TRIES

    @property
    def is_paused(self) -> bool:
        return self.person is None and self.tries_left == 0


def sign_in(request: HttpRequest, email: str, password: str) -> PasswordTry:
    """Checks a password; after five failures by one e-mail and address nothing is checked for 15 minutes.

    The try is written down before the password is looked at, so tries in parallel cannot outrun the count.
    """
    now = timezone.now()
    who = _sha256(f"{email.strip().lower()}\n{request.META.get('REMOTE_ADDR', '')}")
    SignInFailure.objects.filter(failed_at__lte=now - PAUSE).delete()
    this = SignInFailure.objects.create(who_sha256=who, failed_at=now)
    failures = SignInFailure.objects.filter(who_sha256=who, id__lte=this.id).count()
    if failures > TRIES:
        this.delete()
        return PasswordTry(None, 0)
    person = authenticate(request, username=email, password=password)
    if isinstance(person, Person):
        SignInFailure.objects.filter(who_sha256=who).delete()
        return PasswordTry(person)
    return PasswordTry(None, TRIES - failures)


# Organisations and roles


def organisations_of(person: Person) -> "QuerySet[Organisation]":
    """The organisations in which the person has any role, oldest first."""
    from usage.models import Organisation

    if not person.is_authenticated:
        return Organisation.objects.none()
    mine = Membership.objects.filter(person_id=person.pk).values("organisation_id")
    return Organisation.objects.filter(pk__in=mine).order_by("pk")


def current_organisation(request: HttpRequest) -> "Organisation | None":
    """The organisation chosen in this session while the person still belongs to it, else their first."""
    if not hasattr(request, "_organisation"):
        found = None
        if isinstance(request.user, Person):
            mine = list(organisations_of(request.user))
            request._organisations = mine  # type: ignore[attr-defined]
            chosen = request.session.get(SESSION_ORGANISATION)
            found = next((one for one in mine if str(one.pk) == str(chosen)), mine[0] if mine else None)
        request._organisation = found  # type: ignore[attr-defined]
    return request._organisation  # type: ignore[attr-defined,no-any-return]


def own_organisations(request: HttpRequest) -> "list[Organisation]":
    """The reader's organisations, asked for once in a request."""
    current_organisation(request)
    return getattr(request, "_organisations", [])


def choose_organisation(request: HttpRequest, organisation_id: str) -> "Organisation":
    """Makes an organisation the session's; 404 where the person has no role in it."""
    mine = organisations_of(request.user) if isinstance(request.user, Person) else ()
    for organisation in mine:
        if str(organisation.pk) == organisation_id:
            request.session[SESSION_ORGANISATION] = str(organisation.pk)
            request._organisation = organisation  # type: ignore[attr-defined]
            return organisation
    raise Http404("No such organisation")


def may(person: object, role: str, organisation: "Organisation", project: "Project | None" = None) -> bool:
    """Whether the person holds at least `role`: of the whole organisation, or of `project` where given."""
    if not isinstance(person, Person) or not person.is_active:
        return False
    where = Q(project=None)
    if project is not None:
        if project.organisation_id != organisation.pk:
            return False
        where |= Q(project=project)
    enough = [name for name, rank in _RANK.items() if rank >= _RANK[role]]
    return Membership.objects.filter(where, person=person, organisation=organisation, role__in=enough).exists()


def require(person: object, role: str, organisation: "Organisation | None", project: "Project | None" = None) -> None:
    """404 unless the person may: a stranger does not learn that the thing exists."""
    if organisation is None or not may(person, role, organisation, project):
        raise Http404("No such page")


def may_decide(person: object) -> bool:
    """Whether the person may decide on the catalogue: instance administrators only."""
    return isinstance(person, Person) and person.is_active and person.is_instance_admin


def require_decider(person: object) -> None:
    """404 unless the person may decide on the catalogue."""
    if not may_decide(person):
        raise Http404("No such page")


def projects_seen(person: Person, organisation: "Organisation") -> "QuerySet[Project]":
    """The projects of an organisation that the person may look at: all of them, or only their own."""
    from usage.models import Project

    projects = Project.objects.filter(organisation=organisation)
    mine = Membership.objects.filter(person=person, organisation=organisation)
    if mine.filter(project=None).exists():
        return projects
    return projects.filter(pk__in=mine.values("project_id"))


def grant(person: Person, role: str, organisation: "Organisation", project: "Project | None" = None) -> Membership:
    """Gives a role, replacing the one held in the same place."""
    if project is not None and project.organisation_id != organisation.pk:
        raise ValueError(f"{project} is not a project of {organisation}")
    membership, _ = Membership.objects.update_or_create(
        person=person, organisation=organisation, project=project, defaults={"role": Role(role).value}
    )
    return membership


def join_orphan_organisations(person: Person) -> list[Membership]:
    """Makes an instance administrator admin of every organisation that has no member; the memberships made."""
    from usage.models import Organisation

    if not person.is_instance_admin:
        return []
    orphans = Organisation.objects.exclude(pk__in=Membership.objects.values("organisation_id"))
    made = [Membership(person=person, organisation=orphan, role=Role.ADMIN) for orphan in orphans]
    return Membership.objects.bulk_create(made, ignore_conflicts=True)


# Tokens


def create_token(
    name: str,
    role: str,
    person: Person | None = None,
    organisation: "Organisation | None" = None,
    expires_at: datetime | None = None,
    scopes: Iterable[str] = (),
) -> tuple[AccessToken, str]:
    """A new token and its secret, which is shown once and kept nowhere."""
    if role not in _RANK:
        raise ValueError(f"{role} is not a role: choose viewer, member or admin")
    if expires_at is not None and expires_at <= timezone.now():
        raise ValueError(f"{expires_at:%Y-%m-%d} has passed: choose a later date")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = AccessToken.objects.create(
        organisation=organisation,
        person=person,
        name=name,
        role=role,
        prefix=secret[:9],
        sha256=_sha256(secret),
        scopes=list(scopes),
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
    """The live token with this secret, else None. Notes when it was last used, to the minute."""
    now = timezone.now()
    token = (
        AccessToken.objects.select_related("organisation", "person")
        .filter(sha256=_sha256(secret), revoked_at=None)
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .filter(Q(person=None) | Q(person__is_active=True))
        .first()
    )
    if token and (token.last_used_at is None or token.last_used_at < now - LAST_USED_PRECISION):
        AccessToken.objects.filter(pk=token.pk).update(last_used_at=now)
        token.last_used_at = now
    return token


def person_for_token(secret: str) -> Person | None:
    """The person a live token acts for; None also for a token of no person."""
    token = token_for_secret(secret)
    return token.person if token else None


def token_may(token: AccessToken, role: str) -> bool:
    """Whether a token carries at least `role`. Its organisation is `token.organisation`."""
    return _RANK[token.role] >= _RANK[role]
