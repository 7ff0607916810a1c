"""Pages of a pull that wait for the last one: a file of the instance that only its user may read, gone when imported.

One page a line, byte for byte as it came but for line ends between its parts, or without its content.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from usage.ingest import uploads

LIVES_SECONDS = 7 * 24 * 3600


def folder() -> Path:
    """Where pages wait: below the instance's data, for its user alone."""
    path = uploads.folder().parent / "pulls"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def new_name() -> str:
    return secrets.token_hex(16)


def append(name: str, size: int, line: bytes) -> int:
    """Put a page behind the first `size` bytes, which are those that count; the new size.

    What a killed worker wrote and nobody noted lies behind them and is cut off.
    """
    path = folder() / name
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.truncate(size)
        file.seek(size)
        file.write(line)
    return size + len(line)


def holds(name: str, size: int) -> bool:
    """Whether the pages that count are all there."""
    path = folder() / name
    return bool(name) and path.is_file() and path.stat().st_size >= size


def discard(name: str) -> None:
    if name:
        (folder() / name).unlink(missing_ok=True)


def sweep() -> None:
    """Delete pages that nobody came back for; their cursors have long expired."""
    limit = time.time() - LIVES_SECONDS
    for path in folder().iterdir():
        if path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)


def read(body: bytes) -> Any:
    """A page's value, amounts exact; ValueError for what is no JSON."""
    try:
        return json.loads(body, parse_float=Decimal)
    except RecursionError:
        raise ValueError("nested too deep") from None


def line_of(body: bytes, page: Any, kept: Callable[[Any], Any] | None) -> bytes:
    """The page as one line."""
    if kept is not None:
        return written(kept(page)).encode() + b"\n"
    # JSON holds a line end only between its parts.
    return body.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"


def written(value: Any) -> str:
    """JSON text of a value whose amounts are Decimal, each digit as it came."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(name))}:{written(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)
