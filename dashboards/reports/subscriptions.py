"""The only writer of subscriptions: made, changed, paused, ended by the link of a mail, moved on when they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import available_timezones

from django.core import signing
from django.db import IntegrityError, transaction

from dashboards.models import Person, ReportSubscription
from dashboards.reports.timetable import DAYS, next_time
from usage.models import Organisation, Project

_SALT = "dashboards.reports.unsubscribe"
FIELDS = ("scope", "weekday", "hour", "time_zone")


class Refused(ValueError):
    """What was entered makes no subscription; the message says what to enter instead."""


def save(
    subscription: ReportSubscription,
    *,
    projects: Sequence[Project] = (),
    cost_centre: str = "",
    weekday: int,
    hour: int,
    time_zone: str,
    now: datetime,
) -> ReportSubscription:
    """Makes or changes one, and says when it is due next."""
    if time_zone not in available_timezones():
        raise Refused("Choose a time zone of the list.")
    if not 0 <= weekday <= 6 or not 0 <= hour <= 23:
        raise Refused("Choose a day of the week and an hour from 0 to 23.")
    if projects and cost_centre:
        raise Refused("Choose projects or a cost centre, not both.")
    subscription.scope = scope_of(projects, cost_centre)
    subscription.cost_centre, subscription.weekday, subscription.hour = cost_centre, weekday, hour
    subscription.time_zone, subscription.next_at = time_zone, next_time(weekday, hour, time_zone, now)
    try:
        with transaction.atomic():
            subscription.save()
            subscription.projects.set(projects)
    except IntegrityError:
        raise Refused("You have a report of these projects already: change that one.") from None
    return subscription


def begin(person: Person, organisation: Organisation) -> ReportSubscription:
    """A new one, not saved yet."""
    return ReportSubscription(person=person, organisation=organisation)


def scope_of(projects: Sequence[Project], cost_centre: str) -> str:
    if cost_centre:
        return f"cost centre {cost_centre}"
    return f"projects {' '.join(sorted(project.slug for project in projects))}" if projects else ""


def project_ids(subscription: ReportSubscription) -> list[int] | None:
    """The projects it is about now; None: all that the person may see. Those that were removed are not in it."""
    if subscription.cost_centre:
        of = Project.objects.filter(organisation=subscription.organisation_id, cost_centre=subscription.cost_centre)
        return list(of.values_list("pk", flat=True))
    return [project.pk for project in subscription.projects.all()] if subscription.scope else None


def pause(subscription: ReportSubscription, now: datetime, *, by_link: bool = False) -> bool:
    """Stops it until it is resumed; False where it was paused before."""
    same = ReportSubscription.objects.filter(pk=subscription.pk, paused_at=None)
    return bool(same.update(paused_at=now, is_unsubscribed=by_link))


def resume(subscription: ReportSubscription, now: datetime) -> bool:
    """Lets it go on with the next due moment: what was missed meanwhile is not sent afterwards."""
    due = next_time(subscription.weekday, subscription.hour, subscription.time_zone, now)
    same = ReportSubscription.objects.filter(pk=subscription.pk).exclude(paused_at=None)
    return bool(same.update(paused_at=None, is_unsubscribed=False, next_at=due))


def remove(subscription: ReportSubscription) -> None:
    subscription.delete()


def move_on(subscription: ReportSubscription, now: datetime) -> bool:
    """Takes a due one for this moment by compare-and-update; False where another worker has it, or it was paused."""
    later = next_time(subscription.weekday, subscription.hour, subscription.time_zone, now)
    same = ReportSubscription.objects.active().filter(pk=subscription.pk, next_at=subscription.next_at)
    return bool(same.update(next_at=later))


# The link of a mail


def token(subscription: ReportSubscription) -> str:
    """What the link of a mail carries: it stops this one subscription and opens nothing else. It does not expire."""
    return signing.Signer(salt=_SALT).sign(str(subscription.pk))


def of_token(text: str) -> ReportSubscription | None:
    try:
        number = signing.Signer(salt=_SALT).unsign(text)
    except signing.BadSignature:
        return None
    return ReportSubscription.objects.filter(pk=number).select_related("person", "organisation").first()


# Words


def when_words(subscription: ReportSubscription) -> str:
    """`Mondays at 08:00 Europe/Berlin`."""
    return f"{DAYS[subscription.weekday]}s at {subscription.hour:02}:00 {subscription.time_zone}"


def about_words(subscription: ReportSubscription) -> str:
    """What it is about, as its reader would say."""
    if subscription.cost_centre:
        return f"Cost centre {subscription.cost_centre}"
    if not subscription.scope:
        return "All you may see"
    return ", ".join(sorted(project.name for project in subscription.projects.all())) or "Projects that were removed"
