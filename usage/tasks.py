"""Usage in the background: imports go on in short tasks, each from the last committed checkpoint."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.db import InterfaceError, OperationalError
from django.db.models import Q
from django.utils import timezone

from usage import ingest
from usage.models import ImportBatch

SECONDS = 10
_FORGOTTEN = timedelta(minutes=5)


@shared_task(
    name="usage.import_chunk",
    autoretry_for=(OperationalError, InterfaceError),
    retry_backoff=2,
    retry_backoff_max=60,
    max_retries=20,
)
def import_chunk(batch_id: int) -> None:
    """Import for some seconds and queue the rest. Delivered twice or after a kill, it changes nothing twice."""
    batch = ImportBatch.objects.select_related("connection").filter(pk=batch_id, status__in=ingest.OPEN).first()
    if batch is None:
        return
    before = batch.checkpoint
    ingest.advance(batch, seconds=SECONDS)
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


SCHEDULE = {"resume-imports": {"task": "usage.resume_imports", "schedule": 300.0}}
