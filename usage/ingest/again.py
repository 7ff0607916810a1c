"""A second look at an import: whether a person may accept a held one, and files that are still there read again."""

from __future__ import annotations

from pathlib import Path

from django.db import transaction

from usage.ingest.reading import Refused
from usage.ingest.running import OPEN
from usage.ingest.windows import HALVED
from usage.models import ImportBatch


def may_be_accepted(batch: ImportBatch) -> bool:
    """Whether it is held for having halved and still the last word about its window."""
    if batch.status != ImportBatch.Status.HELD or not batch.error.startswith(HALVED):
        return False
    later = ImportBatch.objects.filter(connection=batch.connection_id, pk__gt=batch.pk).exclude(
        status=ImportBatch.Status.FAILED
    )
    return not any(_overlaps(batch, other) for other in later)


def _overlaps(batch: ImportBatch, other: ImportBatch) -> bool:
    if None in (batch.window_from, batch.window_until, other.window_from, other.window_until):
        return True  # nobody knows what the later one says
    assert batch.window_from is not None  # noqa: S101 - mypy cannot read the line above
    assert batch.window_until is not None  # noqa: S101
    assert other.window_from is not None  # noqa: S101
    assert other.window_until is not None  # noqa: S101
    return batch.window_from < other.window_until and other.window_from < batch.window_until


def may_be_read_again(batch: ImportBatch) -> bool:
    """Whether its files are still where they were: those of this machine are, uploads are not kept."""
    return batch.status not in OPEN and not batch.uploaded and all(Path(f["path"]).is_file() for f in batch.files)


def read_again(batch: ImportBatch, requested_by: str = "", accepted: bool = False) -> ImportBatch:
    """Queue the same files again, by the mapping as it is now; what was read before comes as duplicates."""
    from usage import tasks  # tasks import the package of this module

    if not may_be_read_again(batch):
        raise Refused("The files are no longer here: import them again.")
    again = ImportBatch.objects.create(
        organisation_id=batch.organisation_id,
        connection_id=batch.connection_id,
        mapping=batch.mapping,
        mapping_spec=batch.mapping.spec if batch.mapping else batch.mapping_spec,
        files=batch.files,
        size=sum(Path(file["path"]).stat().st_size for file in batch.files),
        accepted=accepted,
        requested_by=requested_by,
    )
    transaction.on_commit(lambda: tasks.import_chunk.delay(again.pk))
    return again
