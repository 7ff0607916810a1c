"""Passwords: checked no faster than a guesser can afford, and alike for who exists and who does not.

Three counts slow a guesser, each over the last 15 minutes: of one account from one address (5), of one address over
all accounts, and of one account from all addresses. The last two are wide: offices share an address, and nobody may
lock another one out by a handful of tries.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils import timezone

from dashboards.access.digests import sha256
from dashboards.api import limits
from dashboards.models import Person, SignInFailure

PAUSE = timedelta(minutes=15)
TRIES = 5
TRIES_OF_ADDRESS = 60
TRIES_OF_ACCOUNT = 120


def set_password(person: Person, password: str) -> None:
    person.set_password(password)
    person.save(update_fields=["password"])


@dataclass(frozen=True)
class PasswordTry:
    """What came of a password: the person, or the tries left before the pause (0 = paused).

    `was_checked` is False where the pause kept the password from being looked at.
    """

    person: Person | None
    tries_left: int = TRIES
    was_checked: bool = True

    @property
    def is_paused(self) -> bool:
        return self.person is None and self.tries_left == 0


def sign_in(request: HttpRequest, email: str, password: str) -> PasswordTry:
    """Checks a password; after five failures by one e-mail and address nothing is checked for 15 minutes.

    The try is written down before the password is looked at, so tries in parallel cannot outrun the count.
    """
    now = timezone.now()
    account, address = email.strip().lower(), limits.address(request.META)
    most = {
        sha256(f"{account}\n{address}"): TRIES,
        sha256(f"from\n{address}"): TRIES_OF_ADDRESS,
        sha256(f"of\n{account}"): TRIES_OF_ACCOUNT,
    }
    SignInFailure.objects.filter(failed_at__lte=now - PAUSE).delete()
    these = SignInFailure.objects.bulk_create([SignInFailure(who_sha256=who, failed_at=now) for who in most])
    failures = [SignInFailure.objects.filter(who_sha256=one.who_sha256, pk__lte=one.pk).count() for one in these]
    mine = SignInFailure.objects.filter(pk__in=[one.pk for one in these])
    if any(count > limit for count, limit in zip(failures, most.values(), strict=True)):
        mine.delete()
        return PasswordTry(None, 0, was_checked=False)
    person = authenticate(request, username=email, password=password)
    if isinstance(person, Person):
        # What the address did to other accounts stays counted.
        SignInFailure.objects.filter(who_sha256__in=[these[0].who_sha256, these[2].who_sha256]).delete()
        mine.delete()
        return PasswordTry(person)
    return PasswordTry(None, TRIES - failures[0])
