"""Chunk after chunk from a batch's checkpoint: each is one transaction, and reading runs one chunk ahead of writing."""

from __future__ import annotations

import gc
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

import psycopg
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from usage import partitions
from usage.dimensions import Names
from usage.importers import REPLACE_WINDOW, Covered, Importer, all_importers
from usage.ingest import uploads
from usage.ingest.merging import first_of
from usage.ingest.preparing import Prepared, prepare
from usage.ingest.reading import LINES, UNREADABLE, Place, Reader, Refused, opened
from usage.ingest.windows import abandon, joined, withdraw
from usage.ingest.writing import write
from usage.locks import lock_connection, share_organisation
from usage.models import ImportBatch, RejectedRow

logger = logging.getLogger(__name__)

OPEN = (ImportBatch.Status.QUEUED, ImportBatch.Status.RUNNING)
_FUTURE = timedelta(days=2)  # clocks differ, and buckets are stamped in their own zone
_ATTEMPTS = 5
_COLLECTED_AT, _SWITCHED_EVERY = gc.get_threshold(), sys.getswitchinterval()  # as the process began


def advance(batch: ImportBatch, seconds: float | None = None, chunk_lines: int = LINES) -> None:
    """Import chunks until the batch is done, another worker turns out to be at it, or `seconds` have passed.

    Whatever the files hold, no exception leaves: the batch fails with a sentence and keeps what it committed.
    Only a database that does not answer is left to the caller to try again.
    """
    importer = all_importers()[batch.connection.importer]
    reader = Reader(batch.files, importer, batch.mapping_spec, Place(**batch.checkpoint), unpacked_limit(batch))
    latest = batch.created_at + _FUTURE
    until = None if seconds is None else time.monotonic() + seconds
    try:
        with closing(reader), ThreadPoolExecutor(1, "read-ahead") as ahead, _side_by_side():
            names = Names()
            coming = ahead.submit(prepare, reader, latest, chunk_lines)
            while True:
                chunk = coming.result()
                late = until is not None and time.monotonic() >= until
                if not chunk.finished and not late:
                    coming = ahead.submit(prepare, reader, latest, chunk_lines)
                if not _commit(batch, chunk, names, importer) or chunk.finished or late:
                    return
    except OperationalError:
        raise
    except ValueError as refusal:  # Refused, or an importer's own MappingError: sentences for a person
        if isinstance(refusal, Refused) or type(refusal).__name__ == "MappingError":
            fail(batch, str(refusal))
        else:
            _fail_unexpectedly(batch, refusal)
    except Exception as fault:
        _fail_unexpectedly(batch, fault)


@contextmanager
def _side_by_side() -> Iterator[None]:
    """Reading and writing as two threads of one interpreter, without hindering each other.

    A chunk is hundreds of thousands of small objects without a cycle among them: looking for cycles in each seven
    hundred of them would take a fifth of the time that reading takes. And whoever writes asks for the interpreter after
    each of its statements, for which it would wait five milliseconds while the other reads. Of two imports in one
    process the first that ends puts both back.
    """
    gc.set_threshold(200_000, 20, 100)
    sys.setswitchinterval(0.0005)
    try:
        yield
    finally:
        gc.set_threshold(*_COLLECTED_AT)
        sys.setswitchinterval(_SWITCHED_EVERY)


def mode_of(importer: Importer, spec: dict[str, Any] | None) -> str:
    """APPEND or REPLACE_WINDOW; an importer that is mapped may leave it to its mapping."""
    own = getattr(importer, "mode_of", None)
    return str(own(spec)) if own else importer.MODE


def windows_of(importer: Importer, batch: ImportBatch) -> list[Covered]:
    """For what time a batch's files are complete, for each kind of record; nothing where they are not.

    A mapping may declare the time; else it is what the documents say together.
    """
    declared = (batch.mapping_spec or {}).get("window")
    if own := getattr(importer, "window_of", None):
        found: tuple[datetime, datetime] | None = own(batch.mapping_spec)
        return [Covered(*found)] if found else []
    if declared and declared.get("whole"):  # a pull that asked for every kind of record
        return [Covered(datetime.fromisoformat(declared["from"]), datetime.fromisoformat(declared["until"]))]
    covered = getattr(importer, "covered", None)
    parts = [part for file in batch.files for part in covered_by(covered, file["path"])] if covered else []
    if declared:
        times = datetime.fromisoformat(declared["from"]), datetime.fromisoformat(declared["until"])
        return [Covered(*times, keys=keys) for keys in sorted({part.keys for part in parts if part} or {""})]
    return joined(parts)


def covered_by(covered: Callable[[IO[bytes]], Any], path: str) -> list[Covered | None]:
    """For what times one file speaks; None where it cannot be read to its end."""
    with opened(Path(path)) as stream:
        try:
            found = covered(stream)
        except UNREADABLE:
            return [None]
    return list(found) if isinstance(found, list) else [found]


def unpacked_limit(batch: ImportBatch) -> int:
    """Bytes a file of the batch may unpack to: those of strangers are capped, those of the operator are not."""
    return uploads.UNPACKED * settings.MAX_UPLOAD if batch.uploaded else 1 << 62


def fail(batch: ImportBatch, reason: str) -> None:
    """End the batch with a sentence; what was committed before stays, and importing again completes it.

    Only half of a window is taken back where an earlier import speaks of the same time.
    """
    with transaction.atomic():
        share_organisation(batch.organisation_id)
        lock_connection(batch.connection_id)
        row = ImportBatch.objects.select_for_update().get(pk=batch.pk)
        if row.status in OPEN:
            row.status, row.error, row.finished_at = ImportBatch.Status.FAILED, reason, timezone.now()
            if row.keys.exists():
                abandon(row)
            row.save()
    uploads.discard(batch)
    batch.refresh_from_db()


def _fail_unexpectedly(batch: ImportBatch, fault: Exception) -> None:
    logger.error("Import %s stopped", batch.pk, exc_info=fault)
    fail(batch, f"The import stopped on an unexpected fault ({type(fault).__name__}); what was read before is kept.")


def _commit(batch: ImportBatch, chunk: Prepared, names: Names, importer: Importer) -> bool:
    """Write a chunk and its checkpoint; false if the batch is no longer where the chunk begins."""
    if chunk.records:
        partitions.ensure_months(first_of(month) for month in chunk.months)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with transaction.atomic():
                done = _write_and_check(batch, chunk, names, importer)
            break
        except OperationalError as error:
            again = isinstance(error.__cause__, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure)
            if not again or attempt == _ATTEMPTS or connection.in_atomic_block:
                raise
    if done and chunk.finished:
        uploads.discard(batch)
    return done


def _write_and_check(batch: ImportBatch, chunk: Prepared, names: Names, importer: Importer) -> bool:
    share_organisation(batch.organisation_id)
    lock_connection(batch.connection_id)
    row = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if row.status not in OPEN or Place(**row.checkpoint) != chunk.start:
        return False
    mode = mode_of(importer, row.mapping_spec)
    row.connection = batch.connection
    written = write(row, chunk, names, mode)
    row.lines += chunk.lines
    row.imported += written.imported
    row.updated += written.updated
    row.duplicate += written.duplicate + chunk.merged_away
    row.unpriced += written.unpriced
    row.unattributed += written.unattributed
    row.ignored = dict(Counter(row.ignored) + chunk.ignored)
    row.rejected = dict(Counter(row.rejected) + chunk.rejected)
    RejectedRow.objects.bulk_create(
        [RejectedRow(batch=row, origin=o, line=n, reason=why, raw=raw) for o, n, why, raw in chunk.rejected_rows],
        ignore_conflicts=True,
    )
    row.checkpoint = chunk.end.as_json()
    row.status = ImportBatch.Status.RUNNING
    row.touched_at = timezone.now()
    row.started_at = row.started_at or row.touched_at
    if chunk.finished:
        _finish(row, mode, windows_of(importer, row) if mode == REPLACE_WINDOW else [])
    row.save()
    batch.__dict__.update(row.__dict__)
    return True


def _finish(row: ImportBatch, mode: str, windows: list[Covered]) -> None:
    row.finished_at = row.touched_at
    row.status = ImportBatch.Status.DONE
    if row.lines == 0 and not windows and row.pull_id is None:  # an API may have nothing to tell
        row.status, row.error = ImportBatch.Status.FAILED, "The file is empty."
    elif mode == REPLACE_WINDOW:
        row.error = withdraw(row, windows)
        if row.error:
            row.status = ImportBatch.Status.HELD
