"""The people of the instance: making them, their own details, who administers it, who left."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction

from dashboards.access import sessions
from dashboards.access.links import FIRST_PERSON
from dashboards.models import Person

_ADMINS_LOCK = 7_263_002


class Refused(ValueError):
    """A change of people, roles or tokens that cannot be made, in a sentence that says what to do."""


def person_of(email: str, name: str = "", *, is_instance_admin: bool = False) -> Person:
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


def change_details(person: Person, name: str, time_zone: str) -> None:
    """A person's own name and time zone; an empty zone is the organisation's."""
    person.name, person.time_zone = name.strip()[:120], time_zone
    person.save(update_fields=["name", "time_zone"])


def set_active(person: Person, active: bool) -> None:
    """Lets a person in again, or keeps them out: sessions end at once, tokens and links no longer work."""
    with transaction.atomic():
        _lock_admins()
        if not active and person.is_instance_admin:
            _refuse_the_last(person)
        Person.objects.filter(pk=person.pk).update(is_active=active)
        if not active:
            sessions.end_all(person)
    person.is_active = active


def set_instance_admin(person: Person, admin: bool) -> None:
    """Makes somebody an administrator of the instance, or ends that; the last one stays."""
    with transaction.atomic():
        _lock_admins()
        if not admin:
            _refuse_the_last(person)
        Person.objects.filter(pk=person.pk).update(is_instance_admin=admin)
    person.is_instance_admin = admin


def _lock_admins() -> None:
    """Two changes at once must not end the last two administrators."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADMINS_LOCK])


def _refuse_the_last(person: Person) -> None:
    others = Person.objects.filter(is_instance_admin=True, is_active=True).exclude(pk=person.pk)
    if not others.exists():
        raise Refused(f"{person} is the last administrator of the instance: make somebody else one first.")
