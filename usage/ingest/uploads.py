"""Uploaded files: streamed to disk under a name of ours, capped before and after unpacking, gone when imported."""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from usage.ingest.reading import Refused
from usage.models import ImportBatch

UNPACKED = 5
"""How many times MAX_UPLOAD a compressed upload may unpack to."""
_BOMB_RATIO, _BOMB_BYTES = 200, 64 << 20  # transcripts pack 20 to 40 times; nothing honest packs 200 times
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Stored:
    path: Path
    sha256: str
    size: int


def folder() -> Path:
    """Where uploads wait for their import: below the instance's data."""
    root = settings.DATA_DIR or settings.BASE_DIR / ".data"
    path: Path = root / "uploads"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def store(upload: UploadedFile[Any]) -> Stored:
    """Write an upload to disk, unpacked if it is gzip; Refused says why not."""
    path = folder() / secrets.token_hex(16)
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("xb") as file:
            for piece in _unpacked(_capped(upload.chunks(_PIECE), digest)):
                file.write(piece)
                size += len(piece)
        if not size:
            raise Refused("The file is empty.")
    except Refused:
        path.unlink(missing_ok=True)
        raise
    return Stored(path, digest.hexdigest(), size)


def discard(batch: ImportBatch) -> None:
    """Delete the files of an uploaded batch; what users handed over is not kept."""
    if batch.uploaded:
        for file in batch.files:
            Path(file["path"]).unlink(missing_ok=True)


def _capped(pieces: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > settings.MAX_UPLOAD:
            raise Refused(
                f"The file is larger than {_size(settings.MAX_UPLOAD)}: split it, or set RATECARD_MAX_UPLOAD."
            )
        digest.update(piece)
        yield piece


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    first = next(pieces, b"")
    if first.startswith(b"PK\x03\x04"):
        raise Refused("The file is a zip archive: unpack it and import what is in it, or use gzip.")
    if not first.startswith(b"\x1f\x8b"):
        yield from chain([first], pieces)
        return
    packed = unpacked = 0
    unpack, fresh = zlib.decompressobj(31), True
    limit = UNPACKED * settings.MAX_UPLOAD
    for piece in chain([first], pieces):
        packed += len(piece)
        rest = piece
        while rest:
            fresh = False
            try:
                out = unpack.decompress(rest, _PIECE)
            except zlib.error:
                raise Refused("The compressed file is damaged.") from None
            unpacked += len(out)
            if unpacked > limit or (unpacked > _BOMB_BYTES and unpacked > _BOMB_RATIO * packed):
                raise Refused(f"The compressed file unpacks to more than {_size(min(limit, unpacked))}: split it.")
            yield out
            rest = unpack.unconsumed_tail
            if unpack.eof:  # gzip files may be joined
                rest, unpack, fresh = unpack.unused_data, zlib.decompressobj(31), True
    if not fresh:
        raise Refused("The compressed file is cut off.")


def _size(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size} bytes"
