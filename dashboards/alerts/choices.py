"""Who wants to hear what: a person's choice, what is muted, an organisation's thresholds. The only writer of these.

Refused says in a sentence what to enter instead; what a person changes is in the audit log.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from dashboards import access, audit
from dashboards.models import AlertChoice, AlertKind, AlertMute, AlertThreshold, Person
from pricing.models import LanguageModel
from usage.models import Organisation, Project

LONGEST: Final = 365
KINDS: Final = tuple(kind for kind in AlertKind.values if kind != AlertKind.TEST)


class Refused(ValueError):
    """What was entered cannot be kept: one sentence."""


def choice_of(person: Person, organisation: Organisation) -> AlertChoice:
    """What a person has chosen; who has not gets mail where they administer the whole organisation."""
    found = AlertChoice.objects.filter(person=person, organisation=organisation).first()
    if found is not None:
        return found
    return AlertChoice(
        person=person, organisation=organisation, by_mail=access.may(person, "admin", organisation), at_once=["stale"]
    )


def choose(
    person: Person,
    organisation: Organisation,
    *,
    by_mail: bool,
    kinds: Iterable[str],
    at_once: Iterable[str],
    projects: Iterable[int],
) -> AlertChoice:
    """Keep what a person wants to hear: these kinds, of which some at once, of these projects ([] is all)."""
    wanted, seen = set(kinds), set(access.projects_seen(person, organisation).values_list("pk", flat=True))
    before = _told(choice_of(person, organisation))
    with transaction.atomic():
        kept, _ = AlertChoice.objects.update_or_create(
            person=person, organisation=organisation,
            defaults={
                "by_mail": by_mail, "kinds_off": [kind for kind in KINDS if kind not in wanted],
                "at_once": [kind for kind in KINDS if kind in set(at_once) & wanted],
                "projects": sorted(set(projects) & seen),
            },
        )  # fmt: skip
        if _told(kept) != before:
            audit.record(person, "changed their alerts", person.email, before, _told(kept), organisation)
    return kept


def mute(
    person: Person, organisation: Organisation, now: datetime, *, what: str, days: int, reason: str, everybody: bool
) -> AlertMute:
    """Silence a kind (`kind:stale`), a model (`model:slug`) or a project (`project:7`) for some days."""
    reason = " ".join(reason.split())[:300]
    if not reason:
        raise Refused("Say why, so that whoever misses the alert can read it.")
    if not 1 <= days <= LONGEST:
        raise Refused(f"Mute it for 1 to {LONGEST} days.")
    if everybody and not access.may(person, "admin", organisation):
        raise Refused("Only administrators mute for everybody: mute it for yourself.")
    whose = None if everybody else person
    with transaction.atomic():
        made = AlertMute.objects.create(
            organisation=organisation, person=whose, until=now + timedelta(days=days), reason=reason,
            made_by=person.email, made_at=now, **_thing(person, organisation, what),
        )  # fmt: skip
        audit.record(person, "muted alerts", made, None, _muted(made), organisation)
    return made


def unmute(person: Person, found: AlertMute, now: datetime) -> None:
    """End a mute now."""
    with transaction.atomic():
        before = _muted(found)
        AlertMute.objects.filter(pk=found.pk).update(until=now)
        audit.record(person, "unmuted alerts", found, before, None, found.organisation)


def mutes_of(person: Person, organisation: Organisation, now: datetime) -> list[AlertMute]:
    """What is silent for a person now: their own mutes and everybody's."""
    standing = AlertMute.objects.standing(now).filter(organisation=organisation).select_related("project")
    return [one for one in standing.order_by("until", "pk") if one.person_id in (None, person.pk)]


def set_thresholds(person: Person, organisation: Organisation, unpriced: Decimal, unattributed: Decimal) -> None:
    """From which per cent on usage without a price or a project is told."""
    if not all(share.is_finite() and 0 <= share <= 100 for share in (unpriced, unattributed)):
        raise Refused("A threshold lies between 0 and 100 per cent.")
    after = {"unpriced_percent": unpriced, "unattributed_percent": unattributed}
    with transaction.atomic():
        found, _ = AlertThreshold.objects.get_or_create(organisation=organisation)
        before = {name: f"{getattr(found, name).normalize():f}" for name in after}
        AlertThreshold.objects.filter(pk=found.pk).update(**after)
        told = {name: f"{share.normalize():f}" for name, share in after.items()}
        if told != before:
            audit.record(person, "changed alert thresholds", organisation, before, told, organisation)


def _thing(person: Person, organisation: Organisation, what: str) -> dict[str, Any]:
    kind, _, name = what.partition(":")
    if kind == "kind" and name in KINDS:
        return {"kind": name}
    if kind == "model" and LanguageModel.objects.filter(slug=name).exists():
        return {"model": name}
    seen = access.projects_seen(person, organisation)
    project: Project | None = seen.filter(pk=int(name)).first() if kind == "project" and name.isdecimal() else None
    if project is None:
        raise Refused("Choose what to mute: a kind, a model or a project of the list.")
    return {"project": project}


def _told(choice: AlertChoice) -> dict[str, Any]:
    return {
        "by_mail": choice.by_mail, "kinds_off": choice.kinds_off, "at_once": choice.at_once,
        "projects": choice.projects,
    }  # fmt: skip


def _muted(found: AlertMute) -> dict[str, Any]:
    return {
        "what": str(found), "until": found.until.isoformat(), "reason": found.reason,
        "for": "everybody" if found.person_id is None else found.made_by,
    }  # fmt: skip
