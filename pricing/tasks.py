"""The timetable of price sources and benchmarks; `fetch_prices` and `fetch_quality --live` are its twins."""

from datetime import UTC, datetime

from celery import shared_task
from django.conf import settings
from django.db import InterfaceError, OperationalError

from pricing import refreshing, refreshing_quality

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


@shared_task(name="pricing.refresh_quality_due")
def refresh_quality_due() -> None:
    """Queue every benchmark that is due, each a task of its own."""
    if settings.FETCH:
        for slug in refreshing_quality.due_benchmarks(datetime.now(UTC)):
            refresh_benchmark.delay(slug)


@shared_task(
    name="pricing.refresh_benchmark", autoretry_for=(OperationalError, InterfaceError), retry_backoff=2, max_retries=5
)
def refresh_benchmark(slug: str) -> None:
    """Fetch one benchmark unless another delivery of this task has. Whatever is wrong with it is kept beside it."""
    refreshing_quality.refresh(slug, only_if_due=True)


SCHEDULE = {
    "refresh-prices": {"task": "pricing.refresh_due", "schedule": LOOK_SECONDS},
    "refresh-quality": {"task": "pricing.refresh_quality_due", "schedule": LOOK_SECONDS},
}
