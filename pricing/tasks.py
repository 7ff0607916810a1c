"""The timetable of the price sources; `fetch_prices` is its twin on the command line."""

from datetime import UTC, datetime

from celery import shared_task
from django.conf import settings
from django.db import InterfaceError, OperationalError

from pricing import refreshing

LOOK_SECONDS = 15 * 60.0


@shared_task(name="pricing.refresh_due")
def refresh_due() -> None:
    """Queue every source that is due, each a task of its own: none waits for another."""
    if settings.FETCH:
        for slug in refreshing.due_sources(datetime.now(UTC)):
            refresh_source.delay(slug)


@shared_task(
    name="pricing.refresh_source", autoretry_for=(OperationalError, InterfaceError), retry_backoff=2, max_retries=5
)
def refresh_source(slug: str) -> None:
    """Fetch one source unless another delivery of this task has. Whatever is wrong with the source is its run's."""
    refreshing.refresh(slug, only_if_due=True)


SCHEDULE = {"refresh-prices": {"task": "pricing.refresh_due", "schedule": LOOK_SECONDS}}
