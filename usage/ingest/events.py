"""Usage that programs send as it happens: the events of one call, imported in one transaction or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from django.db import OperationalError, connection, transaction

from usage import assignments
from usage.dimensions import connection_of
from usage.importers import events as importer
from usage.ingest import uploads
from usage.ingest.running import advance
from usage.models import ImportBatch, Organisation
from usage.pulling.spool import written

MOST: Final = 1_000
_ATTEMPTS: Final = 5


def take(organisation: Organisation, events: Sequence[Any], scope: str, requested_by: str = "") -> ImportBatch:
    """Import events of one scope, ids and all; line n of the batch is the n-th event.

    The caller has refused content, and checked the scope. The same events again change nothing, also side by side.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with transaction.atomic():
                batch = _taken(organisation, events, scope, requested_by)
            assignments.refresh(organisation.pk)
            return batch
        except OperationalError as error:
            again = isinstance(error.__cause__, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure)
            if not again or attempt == _ATTEMPTS or connection.in_atomic_block:
                raise
    raise AssertionError("the last attempt returns or raises")  # pragma: no cover


def _taken(organisation: Organisation, events: Sequence[Any], scope: str, requested_by: str) -> ImportBatch:
    path = uploads.folder() / secrets.token_hex(16)
    try:
        with path.open("xb") as file:
            for event in events:
                file.write(written(event).encode() + b"\n")
        batch = ImportBatch.objects.create(
            organisation=organisation,
            connection=connection_of(organisation, importer.SLUG, scope),
            files=[{"path": str(path), "origin": "events"}],
            uploaded=True,
            size=path.stat().st_size,
            requested_by=requested_by,
        )
        batch.refresh_from_db()
        advance(batch)
    finally:
        path.unlink(missing_ok=True)
    if batch.status != ImportBatch.Status.DONE:
        raise RuntimeError(f"The events were not imported: {batch.error}")
    return batch
