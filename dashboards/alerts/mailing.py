"""Alerts by mail: a digest a day, and at once where a person wants that. Each alert to each person once."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string

from dashboards import access, outbox
from dashboards.alerts import choices
from dashboards.alerts.words import Told, told
from dashboards.models import Alert, AlertMute, AlertNotice, Message, Person
from usage.models import Organisation

DIGEST_FROM: Final = time(7)
"""In the reader's zone: the day's digest goes out with the first run after it."""
COLUMNS: Final = 72


@dataclass(frozen=True)
class Ears:
    """What one person hears of an organisation: whose money, and what they muted. `sees` None is everything."""

    person: Person
    organisation: Organisation
    sees: frozenset[int] | None
    hides: frozenset[int]
    off: frozenset[str]
    at_once: frozenset[str]
    by_mail: bool
    muted_kinds: frozenset[str]
    muted_models: frozenset[str]

    def hear(self, alert: Alert, now: datetime) -> Told | None:
        """The alert in their words; None where it is not theirs, not wanted or muted."""
        silent = self.off | self.muted_kinds
        if alert.kind in silent or (alert.model and alert.model in self.muted_models):
            return None
        return self.told(alert, now, self.hides)

    def told(self, alert: Alert, now: datetime, hides: frozenset[int] = frozenset()) -> Told | None:
        """The alert in their words, also where they do not want to hear it; None where it is not theirs."""
        currency = self.organisation.display_currency
        return told(alert.kind, alert.data, alert.parts, alert.is_whole, currency, self.sees, now.date(), hides)


def ears_of(person: Person, organisation: Organisation, now: datetime) -> Ears:
    """As the person's rights, choice and mutes are now. Six queries."""
    choice, mutes = choices.choice_of(person, organisation), choices.mutes_of(person, organisation, now)
    sees = _sees(person, organisation)
    if choice.projects:
        wanted = frozenset(choice.projects)
        sees = wanted if sees is None else wanted & sees
    return Ears(
        person, organisation, sees, _projects(mutes), frozenset(choice.kinds_off), frozenset(choice.at_once),
        choice.by_mail, frozenset(one.kind for one in mutes if one.kind),
        frozenset(one.model for one in mutes if one.model),
    )  # fmt: skip


def tell(organisation: Organisation, now: datetime) -> list[Message]:
    """Keep the mails that are due to everybody of an organisation."""
    if not settings.SENDS_MAIL:
        return []
    people = Person.objects.filter(memberships__organisation=organisation, is_active=True).distinct().order_by("pk")
    return [message for person in people for message in _tell(ears_of(person, organisation, now), now)]


def _tell(ears: Ears, now: datetime) -> list[Message]:
    if not ears.by_mail:
        return []
    open_ones = Alert.objects.open().filter(organisation=ears.organisation, missing_since=None)
    waiting = open_ones.exclude(notices__person=ears.person).order_by("opened_at", "pk")
    heard = [(alert, words) for alert in waiting if (words := ears.hear(alert, now)) is not None]
    now_ones = [(alert, words) for alert, words in heard if alert.kind in ears.at_once]
    made = [_mail(ears, now_ones, _at_once_key(now_ones), now)] if now_ones else []
    rest = [(alert, words) for alert, words in heard if alert.kind not in ears.at_once]
    local = now.astimezone(_zone(ears))
    if rest and local.time() >= DIGEST_FROM:
        made.append(_mail(ears, rest, f"digest {local.date()}", now))
    return [message for message in made if message is not None]


def _mail(ears: Ears, heard: Sequence[tuple[Alert, Told]], key: str, now: datetime) -> Message | None:
    """One mail and, with it, the notices that these were told; None where that mail is there already."""
    said = [words for _, words in heard]
    subject, text = subject_of(said, ears.organisation.name), text_of(said, ears.organisation.name)
    context = {"told": said, "organisation": ears.organisation, "base": settings.BASE_URL, "subject": subject}
    html = render_to_string("emails/alerts.html", context)
    headers = {"List-Unsubscribe": f"<{settings.BASE_URL}/settings/alerts>"}
    with transaction.atomic():
        message = outbox.put(
            ears.person, ears.organisation, Message.Kind.ALERT, key, subject, text, html,
            shows=_shows(ears, [alert for alert, _ in heard]), headers=headers, now=now,
        )  # fmt: skip
        if message is None:
            return None
        AlertNotice.objects.bulk_create(
            [AlertNotice(alert=alert, person=ears.person, message=message, told_at=now) for alert, _ in heard],
            ignore_conflicts=True,
        )
    return message


def _shows(ears: Ears, told: Sequence[Alert]) -> set[int] | None:
    """The projects whose money alerts tell them; None where some of it is that of the whole."""
    names = {name for alert in told for name in alert.parts}
    if ears.sees is not None:
        return {int(name) for name in names - {""}} & ears.sees - ears.hides
    if "" in names or any(alert.is_whole for alert in told):
        return None
    return {int(name) for name in names} - ears.hides


def subject_of(told: Sequence[Told], organisation: str) -> str:
    """The first fact, and how many more there are."""
    more = f", and {len(told) - 1} more" if len(told) > 1 else ""
    return f"{told[0].title}{more} ({organisation})"


def text_of(told: Sequence[Told], organisation: str) -> str:
    """The mail as plain text of `COLUMNS` columns; addresses stand on lines of their own."""
    parts = [
        "\n".join([textwrap.fill(one.title, COLUMNS), textwrap.fill(one.text, COLUMNS),
                   f"{settings.BASE_URL}{one.url}"])
        for one in told
    ]  # fmt: skip
    foot = f"What you are told of {organisation}, and when:\n{settings.BASE_URL}/settings/alerts"
    return "\n\n".join([*parts, "--\n" + foot]) + "\n"


def _sees(person: Person, organisation: Organisation) -> frozenset[int] | None:
    if access.may(person, "viewer", organisation):
        return None
    return frozenset(access.projects_seen(person, organisation).values_list("pk", flat=True))


def _projects(mutes: Sequence[AlertMute]) -> frozenset[int]:
    return frozenset(one.project_id for one in mutes if one.project_id is not None)


def _zone(ears: Ears) -> ZoneInfo:
    return ears.person.zone or ZoneInfo(ears.organisation.time_zone)


def _at_once_key(heard: Sequence[tuple[Alert, Told]]) -> str:
    numbers = ",".join(str(alert.pk) for alert, _ in heard)
    return f"alerts {hashlib.sha256(numbers.encode()).hexdigest()[:32]}"
