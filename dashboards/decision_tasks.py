"""Decisions in the background: once a day each project is advised anew, and its moves are followed."""

from __future__ import annotations

from datetime import date
from typing import Any

from celery import shared_task
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from dashboards import proposals
from usage.models import Project

_PATIENT: dict[str, Any] = {
    "autoretry_for": (OperationalError, InterfaceError), "retry_backoff": 2, "retry_backoff_max": 60, "max_retries": 20,
}  # fmt: skip


@shared_task(name="dashboards.advise", **_PATIENT)
def advise(project_id: int, on: str) -> None:
    """Advise one project for a UTC day. Twice changes nothing twice."""
    project = Project.objects.select_related("organisation").filter(pk=project_id, archived_at=None).first()
    if project is not None:
        proposals.keep_up(project, date.fromisoformat(on))


@shared_task(name="dashboards.advise_due")
def advise_due() -> None:
    """Queue every project that has not been advised today: one a task, so that none waits for a slow one."""
    today = timezone.now().date()
    for pk in proposals.not_advised(today).values_list("pk", flat=True):
        advise.delay(pk, today.isoformat())


SCHEDULE = {"advise": {"task": "dashboards.advise_due", "schedule": 3600.0}}
