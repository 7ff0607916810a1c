"""What OpenRouter's activity and its generations have in common: JSON or a CSV export to rows, and an input's split."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import IO, Any, cast

from usage.importers import _logs, _records
from usage.importers._records import Json

# Columns of the dashboard's exports that are called otherwise in the API.
COLUMNS = {
    "generation_id": "id", "cost_total": "total_cost", "tokens_prompt": "native_tokens_prompt",
    "tokens_completion": "native_tokens_completion", "tokens_reasoning": "native_tokens_reasoning",
    "tokens_cached": "native_tokens_cached", "user": "external_user", "cost": "usage", "api_key_name": "api_key",
}  # fmt: skip
_PIECE = 1 << 16


def rows(stream: IO[bytes]) -> Iterator[Any]:
    """The rows of the API's answers, or of a CSV export in the API's names; None for a damaged one."""
    head = b""
    while not head.strip() and (piece := stream.read(_PIECE)):
        head += piece
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[", b""):
        yield from _records.records(cast(IO[bytes], _Again(head, stream)), ("data",))
    else:
        yield from _table(stream, head.removeprefix(b"\xef\xbb\xbf").lstrip())


class _Again:
    """A stream whose beginning was looked at."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int = -1) -> bytes:
        head, self._head = self._head, b""
        return head or self._rest.read(size)


def _table(stream: IO[bytes], head: bytes) -> Iterator[Json]:
    lines = (line.decode() for line in _records.byte_lines(stream, head))
    table = csv.reader(lines)
    try:
        header = [name.strip().lower() for name in next(table, [])]
        if "date" not in header and "created_at" not in header:
            raise ValueError("the file is no export of OpenRouter: it has neither a column date nor created_at")
        for cells in table:
            if cells:
                yield {COLUMNS.get(name, name): cell for name, cell in zip(header, cells, strict=False)}
    except csv.Error:
        raise ValueError("the CSV is damaged from here on") from None


def split_input(prompt: int | None, cached: int | None) -> tuple[int | None, int | None, tuple[str, ...]]:
    """Uncached and cached tokens of a prompt that includes its cache, also where a replayed hit reports more of it."""
    uncached, read, _, quality = _logs.disjoint(prompt, cached, None, replayed=True)
    return uncached, read, quality


def within(part: int | None, whole: int | None) -> int | None:
    """A count that is a part of another: never more than it, and unknown where that is."""
    return None if part is None or whole is None else min(part, whole)
