"""Usage in the background: imports go on in short tasks, each from the last committed checkpoint."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from celery import shared_task
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from pricing.catalog import market
from pricing.providers import canonical
from usage import assignments, connections, ingest, rerating
from usage.models import ImportBatch, ModelDailyCost, Organisation, Pull
from usage.pulling import running as pulling
from usage.pulling import spool

SECONDS = 10
OPEN_PULLS = (Pull.Status.RUNNING, Pull.Status.WAITING)
_FORGOTTEN = timedelta(minutes=5)
_UNSEEN = timedelta(minutes=5)
_PATIENT: dict[str, Any] = {
    "autoretry_for": (OperationalError, InterfaceError), "retry_backoff": 2, "retry_backoff_max": 60, "max_retries": 20,
}  # fmt: skip


@shared_task(name="usage.import_chunk", **_PATIENT)
def import_chunk(batch_id: int) -> None:
    """Import for some seconds and queue the rest. Delivered twice or after a kill, it changes nothing twice."""
    batch = ImportBatch.objects.select_related("connection").filter(pk=batch_id, status__in=ingest.OPEN).first()
    if batch is None:
        return
    before = batch.checkpoint
    ingest.advance(batch, seconds=SECONDS)
    if batch.status not in ingest.OPEN:
        assignments.refresh(batch.organisation_id)
    # A batch that did not move is in another worker's hands; that one queues what is left.
    if batch.status in ingest.OPEN and batch.checkpoint != before:
        import_chunk.delay(batch_id)


@shared_task(name="usage.resume_imports")
def resume_imports() -> None:
    """Queue batches nobody has touched for minutes: their message was lost with a broker."""
    limit = timezone.now() - _FORGOTTEN
    forgotten = ImportBatch.objects.filter(Q(touched_at__lt=limit), status__in=ingest.OPEN)
    for batch_id in forgotten.values_list("pk", flat=True):
        import_chunk.delay(batch_id)


@shared_task(name="usage.pull", **_PATIENT)
def pull(pull_id: int) -> None:
    """Pull for some seconds and queue the rest. Delivered twice or after a kill, it changes nothing twice."""
    found = Pull.objects.select_related("connection").filter(pk=pull_id, status__in=OPEN_PULLS).first()
    if found is None:
        return
    before = found.touched_at
    pulling.advance(found, seconds=SECONDS)
    # One that did not move is in another worker's hands; one that waits is queued when its time comes.
    if found.status == Pull.Status.RUNNING and found.touched_at != before:
        pull.delay(pull_id)


@shared_task(name="usage.pull_due")
def pull_due() -> None:
    """Begin what the timetable says, and queue pulls whose wait is over or that a lost message left behind."""
    now = timezone.now()
    spool.sweep()
    for connection in connections.claimed(now):
        try:
            begun = connections.start(connection)
        except connections.Refused:
            continue
        pull.delay(begun.pk)
    waiting = Q(status=Pull.Status.WAITING, next_try_at__lte=now)
    lost = Q(status=Pull.Status.RUNNING, touched_at__lt=now - _FORGOTTEN)
    for pull_id in Pull.objects.filter(waiting | lost).values_list("pk", flat=True):
        pull.delay(pull_id)


@shared_task(name="usage.rerate", **_PATIENT)
def rerate(organisation_id: int, months: list[str]) -> None:
    """Rate the first of these months (`2026-11-01`) again and queue the others. Twice changes nothing twice."""
    organisation = Organisation.objects.filter(pk=organisation_id).first()
    if organisation is None or not months:
        return
    first, *others = months
    start = date.fromisoformat(first)
    rerating.rerate(organisation, start, (start + timedelta(days=31)).replace(day=1))
    if others:
        rerate.delay(organisation_id, others)


@shared_task(name="usage.rerate_changed")
def rerate_changed() -> None:
    """Queue what the catalogue learnt to be rated otherwise since the last look: corrected prices, names that mean
    something now. A price may be recorded some minutes before it can be seen, so looks overlap."""
    for organisation in Organisation.objects.all():
        now, before = timezone.now(), organisation.rated_at
        if months := rerating.months_to_rate(organisation, before and before - _UNSEEN):
            rerate.delay(organisation.pk, [month.isoformat() for month in months])
        Organisation.objects.filter(pk=organisation.pk).update(rated_at=now)


@shared_task(name="usage.rerate_days", **_PATIENT)
def rerate_days(organisation_id: int, since: str | None, until: str | None) -> None:
    """Rate the UTC days [since, until) of an organisation again; None has no bound. Twice changes nothing twice."""
    organisation = Organisation.objects.filter(pk=organisation_id).first()
    if organisation is not None:
        first, end = (None if day is None else date.fromisoformat(day) for day in (since, until))
        rerating.rerate(organisation, first, end)


def rerate_offerings(offering_ids: Iterable[int]) -> int:
    """Queue every month with usage of some offerings, in any organisation; how many months.

    With them go the offerings whose odd moves they are witnesses of, which are accepted anew with them.
    """
    decided = set(offering_ids)
    return _queue(ModelDailyCost.objects.months_of(decided | market.concerned(decided)))


def rerate_provider(provider: str) -> int:
    """Queue every month with usage at a provider, under whichever of its names; how many months.

    A name decided on may have meant another offering before, and its spellings follow it: all of that is looked at.
    """
    hosts = ModelDailyCost.objects.order_by().values_list("host", flat=True).distinct()
    return _queue(ModelDailyCost.objects.months_at([host for host in hosts if not host or canonical(host) == provider]))


def _queue(months: Iterable[tuple[int, date]]) -> int:
    by_organisation: dict[int, list[str]] = defaultdict(list)
    for organisation_id, month in months:
        by_organisation[organisation_id].append(month.isoformat())
    for organisation_id, days in by_organisation.items():
        transaction.on_commit(lambda pk=organisation_id, days=days: rerate.delay(pk, days))  # type: ignore[misc]
    return len({day for days in by_organisation.values() for day in days})


SCHEDULE = {
    "resume-imports": {"task": "usage.resume_imports", "schedule": 300.0},
    "rerate-changed": {"task": "usage.rerate_changed", "schedule": 900.0},
    "pull-due": {"task": "usage.pull_due", "schedule": 60.0},
}
