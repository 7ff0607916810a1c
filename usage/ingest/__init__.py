"""The only writer of the ledger: files become records that are merged, rated, attributed and rolled up.

`import_paths` imports now; `start_upload` and `start_paths` queue the same chunks. Refused says, in a sentence,
why nothing can be imported at all; a file that can be read never raises, its batch tells what became of each line.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from usage import assignments
from usage.dimensions import connection_of
from usage.importers import Importer, all_importers
from usage.ingest import reading, uploads
from usage.ingest.again import may_be_accepted, may_be_read_again, read_again
from usage.ingest.reading import Refused
from usage.ingest.running import OPEN, advance
from usage.models import ColumnMapping, Connection, ImportBatch, Organisation, Pull

__all__ = [
    "OPEN",
    "Refused",
    "advance",
    "import_paths",
    "may_be_accepted",
    "may_be_read_again",
    "open_batch",
    "queue_pulled",
    "read_again",
    "start_paths",
    "start_upload",
]


def import_paths(
    organisation: Organisation,
    importer_slug: str,
    paths: Iterable[Path | str],
    scope: str,
    mapping: ColumnMapping | dict[str, Any] | None = None,
    dry_run: bool = False,
    requested_by: str = "",
) -> ImportBatch:
    """Import files and folders now. A dry run does all of it and takes all of it back."""
    with transaction.atomic() if dry_run else _nothing():
        batch = open_batch(organisation, importer_slug, paths, scope, mapping, requested_by)
        advance(batch)
        if dry_run:
            transaction.set_rollback(True)
    if not dry_run:
        assignments.refresh(organisation.pk)
    return batch


def start_paths(
    organisation: Organisation,
    importer_slug: str,
    paths: Iterable[Path | str],
    scope: str,
    mapping: ColumnMapping | dict[str, Any] | None = None,
    requested_by: str = "",
) -> ImportBatch:
    """Queue files and folders of this machine, such as the reader's own transcripts."""
    batch = open_batch(organisation, importer_slug, paths, scope, mapping, requested_by)
    _send(batch)
    return batch


def start_upload(
    organisation: Organisation,
    importer_slug: str,
    uploaded_file: UploadedFile[Any],
    scope: str,
    mapping: ColumnMapping | dict[str, Any] | None = None,
    requested_by: str = "",
    accepted: bool = False,
) -> ImportBatch:
    """Keep an upload and queue its import; Refused for what can be seen to be wrong at once.

    `accepted`: it may hold less than half of what was there for its window.
    """
    importer, spec = _importer(importer_slug), _spec(mapping)
    _check_mapping(importer, spec)
    stored = uploads.store(uploaded_file)
    origin = Path(uploaded_file.name or "upload").name[:200]
    try:
        _first_lines(importer, spec, stored.path, origin)
        with transaction.atomic():
            batch = ImportBatch.objects.create(
                organisation=organisation,
                connection=connection_of(organisation, importer_slug, _scope(scope)),
                mapping=mapping if isinstance(mapping, ColumnMapping) else None,
                mapping_spec=spec,
                files=[{"path": str(stored.path), "origin": origin}],
                uploaded=True,
                accepted=accepted,
                sha256=stored.sha256,
                size=stored.size,
                requested_by=requested_by,
            )
            _send(batch)
    except BaseException:
        stored.path.unlink(missing_ok=True)
        raise
    return batch


def queue_pulled(
    connection: Connection, pull: Pull, path: Path, origin: str, spec: dict[str, Any], requested_by: str
) -> ImportBatch:
    """Queue the pages of an API for a complete window. The pull drives the import; the file goes when it is in."""
    batch = ImportBatch.objects.create(
        organisation_id=connection.organisation_id,
        connection=connection,
        pull=pull,
        mapping_spec=spec,
        files=[{"path": str(path), "origin": origin}],
        uploaded=True,
        accepted=pull.accepted,
        size=path.stat().st_size,
        requested_by=requested_by,
    )
    batch.refresh_from_db()
    return batch


def open_batch(
    organisation: Organisation,
    importer_slug: str,
    paths: Iterable[Path | str],
    scope: str,
    mapping: ColumnMapping | dict[str, Any] | None = None,
    requested_by: str = "",
) -> ImportBatch:
    """A batch of these files that nobody works on yet; whoever calls `advance` does."""
    importer, spec = _importer(importer_slug), _spec(mapping)
    _check_mapping(importer, spec)
    files = reading.files_below([Path(path) for path in paths])
    batch = ImportBatch.objects.create(
        organisation=organisation,
        connection=connection_of(organisation, importer_slug, _scope(scope)),
        mapping=mapping if isinstance(mapping, ColumnMapping) else None,
        mapping_spec=spec,
        files=files,
        size=sum(Path(file["path"]).stat().st_size for file in files),
        requested_by=requested_by,
    )
    batch.refresh_from_db()
    return batch


def _send(batch: ImportBatch) -> None:
    from usage import tasks  # tasks import this module

    batch_id = batch.pk
    transaction.on_commit(lambda: tasks.import_chunk.delay(batch_id))


def _importer(slug: str) -> Importer:
    try:
        return all_importers()[slug]
    except KeyError:
        raise Refused(f"There is no importer {slug!r}: use one of {', '.join(all_importers())}.") from None


def _scope(scope: str) -> str:
    if not scope.strip() or len(scope) > 200 or "\0" in scope:
        raise Refused("Say in at most 200 characters what the import speaks for: a machine, an account, an export.")
    return scope.strip()


def _spec(mapping: ColumnMapping | dict[str, Any] | None) -> dict[str, Any] | None:
    return mapping.spec if isinstance(mapping, ColumnMapping) else mapping


def _check_mapping(importer: Importer, spec: dict[str, Any] | None) -> None:
    if importer.MAPPED and not spec:
        raise Refused(f"{importer.NAME} needs a mapping that says what its columns mean.")


def _first_lines(importer: Importer, spec: dict[str, Any] | None, path: Path, origin: str) -> None:
    """Let the importer refuse the file as a whole (a missing column) before it is queued."""
    split = getattr(importer, "split", None)
    lines: list[bytes] = []
    with reading.opened(path) as stream:
        if split is None:
            lines = [line for _ in range(100) if (line := stream.readline(1 << 20))]
        else:  # of a long document only the beginning, which is then cut off
            with suppress(*reading.UNREADABLE):
                lines.extend(islice(split(io.BytesIO(stream.read(4 << 20))), 100))
    try:
        for _ in islice(importer.parse(lines, origin, spec), 1):
            pass
    except ValueError as refusal:
        raise Refused(str(refusal)) from None


class _nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...
