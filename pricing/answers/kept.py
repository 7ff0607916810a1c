"""What this process remembers of its answers until the catalogue changes or time makes them old."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime
from threading import Lock
from typing import Any, Final

from django.db import connection

from pricing import direct, names

MOST: Final = 20_000
MOST_BYTES: Final = 64 << 20
"""Of what is kept with its size: rendered answers."""
CHECKED_SECONDS: Final = 1.0
"""For so long one look at the catalogue's version serves the whole process."""
Version = str

_lock = Lock()
_one_looks = Lock()
_version: Version = ""
_kept: OrderedDict[Hashable, tuple[datetime | None, Any, int]] = OrderedDict()
_bytes = 0
_looked: tuple[float, Version | None] = (0.0, None)


_VERSION = """
    SELECT concat_ws('.', (SELECT coalesce(max(id), 0) FROM pricing_sourcerun),
        (SELECT coalesce(max(id), 0) FROM pricing_decision),
        (SELECT coalesce(extract(epoch FROM max(revoked_at)), 0) FROM pricing_decision),
        (SELECT coalesce(max(id), 0) FROM pricing_namedecision),
        (SELECT coalesce(extract(epoch FROM max(revoked_at)), 0) FROM pricing_namedecision))
"""
# Plain SQL, as every look-up asks it first: the ORM takes longer to write it (3 ms) than PostgreSQL to answer it.
_DIRECTLY = direct.statement("version", _VERSION)


def version() -> Version:
    """Equal as long as no source was read and no person decided anything: then every stored answer holds. One query."""
    asked = time.monotonic()  # before the query: what commits while it runs is not yet seen
    with connection.cursor() as cursor:
        cursor.execute(_VERSION)
        (current,) = cursor.fetchone() or ("",)
    return _seen(asked, current)


def known_version() -> Version | None:
    """The version as this process saw it within the last second; None where it has not looked. No query."""
    asked, current = _looked
    return current if time.monotonic() - asked < CHECKED_SECONDS else None


def watched_version() -> Version | None:
    """The version of the last second, looked up by one thread for all outside Django; None where that fails."""
    current = known_version()
    if current is not None:
        return current
    with _one_looks:
        current = known_version()
        if current is not None:
            return current
        asked = time.monotonic()
        found = direct.ask(_DIRECTLY)
        return _seen(asked, (found.get_value(0, 0) or b"").decode()) if found is not None else None


def recent_version() -> Version:
    """The version of the last second: a query at most once a second, whoever asks."""
    current = known_version()
    return version() if current is None else current


def _seen(asked: float, current: Version) -> Version:
    global _looked  # noqa: PLW0603 - a cache of this process
    _looked = (asked, current)
    return current


def recall(key: Hashable, current: Version, now: datetime) -> Any:
    """What was kept under the key for this version of the catalogue and is not yet old; else None."""
    if current != _version:
        return None
    found = _kept.get(key)
    if found is None or (found[0] is not None and found[0] <= now):
        return None
    return found[1]


def keep(key: Hashable, current: Version, value: Any, until: datetime | None = None, size: int = 0) -> None:
    """Remember a value for this version of the catalogue, at most until a moment; `size` is its weight in bytes.

    What was put in first goes first where it becomes too much. What would take an eighth of the room is not kept, nor
    what is of a version that this process has seen replaced.
    """
    global _version, _bytes  # noqa: PLW0603 - a cache of this process
    if size > MOST_BYTES // 8:
        return
    with _lock:
        if current != _looked[1]:
            return
        if current != _version:
            _kept.clear()
            _version, _bytes = current, 0
        before = _kept.pop(key, None)
        _kept[key] = (until, value, size)
        _bytes += size - (before[2] if before else 0)
        while len(_kept) > MOST or _bytes > MOST_BYTES:
            _bytes -= _kept.popitem(last=False)[1][2]


def forget() -> None:
    """Drop everything this process remembers of the catalogue, names included."""
    global _version, _bytes, _looked
    with _lock:
        _kept.clear()
        _version, _bytes, _looked = "", 0, (0.0, None)
    names.forget()
