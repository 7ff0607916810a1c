"""Files that wait between two steps of an import: kept below the instance's data, for a day at most."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from usage.ingest import uploads

LIVES_SECONDS = 24 * 3600
_TOKEN = re.compile(r"[0-9a-f]{32}")


def folder() -> Path:
    path = uploads.folder() / "waiting"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def keep(upload: UploadedFile[Any]) -> str:
    """Store an upload under the caps of every upload and answer its token; `Refused` says why not."""
    sweep()
    stored = uploads.store(upload)
    stored.path.rename(folder() / stored.path.name)
    return stored.path.name


def path_of(token: str) -> Path | None:
    """The waiting file, or None where it has gone. A token is one of ours or nothing."""
    if not _TOKEN.fullmatch(token):
        return None
    path = folder() / token
    return path if path.is_file() else None


@contextmanager
def opened(token: str, name: str) -> Iterator[UploadedFile[Any]]:
    """The waiting file as an upload again; FileNotFoundError where it has gone."""
    path = path_of(token)
    if path is None:
        raise FileNotFoundError(token)
    with path.open("rb") as file:
        yield UploadedFile(file=file, name=name, size=path.stat().st_size)


def drop(token: str) -> None:
    path = path_of(token)
    if path is not None:
        path.unlink(missing_ok=True)


def sweep() -> None:
    """Delete what has waited for more than a day."""
    limit = time.time() - LIVES_SECONDS
    for path in folder().iterdir():
        if path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)
