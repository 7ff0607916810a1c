"""One connection of this process on which a few short statements are asked in the words of libpq.

What is asked with every look-up is prepared once: psycopg's cursors take three times as long to ask such a statement as
PostgreSQL takes to answer it, and Django's more. It takes no part in anybody's transaction and reads what is committed.

PostgreSQL not answering is no failure here: whoever asks goes the long way, which says what is wrong.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import Any, Final, cast

import psycopg
from django.db import connection
from psycopg import pq
from psycopg_pool import ConnectionPool

PAUSE: Final = 1.0
"""Seconds without another try where PostgreSQL did not answer."""

_statements: Final[dict[bytes, bytes]] = {}
_lock = Lock()
_own: psycopg.Connection[Any] | None = None
_paused_until = 0.0


def statement(name: str, sql: str) -> bytes:
    """Declare a statement when its module is loaded; the name to ask it by."""
    named = f"ratecard_{name}".encode()
    _statements[named] = sql.encode()
    return named


def ask(named: bytes, texts: tuple[str, ...] = (), binary: tuple[bytes, ...] = ()) -> pq.abc.PGresult | None:
    """What PostgreSQL answers to a prepared statement; None where it does not, and for a while after that."""
    global _paused_until  # noqa: PLW0603 - of this process's connection
    if time.monotonic() < _paused_until:
        return None
    values = [*[text.encode() for text in texts], *binary]
    formats = [pq.Format.TEXT] * len(texts) + [pq.Format.BINARY] * len(binary)
    with _lock:
        try:
            done = _connected().exec_prepared(named, values, formats, pq.Format.BINARY)
            if done.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
                return done
        except psycopg.Error:
            pass
        _let_go()
        _paused_until = time.monotonic() + PAUSE
        return None


def forget() -> None:
    """Try again at once."""
    global _paused_until  # noqa: PLW0603
    _paused_until = 0.0


def prepare(link: pq.abc.PGconn) -> None:
    """Have PostgreSQL plan the statements once for a connection."""
    for name, sql in _statements.items():
        done = link.prepare(name, sql)
        if done.status != pq.ExecStatus.COMMAND_OK:
            raise psycopg.OperationalError(done.error_message)


def _connected() -> pq.abc.PGconn:
    """One connection of Django's pool, kept: to take one out and try it each time would cost more than the query."""
    global _own  # noqa: PLW0603
    if _own is None:
        pool = _pool()
        pool.open()
        _own = pool.getconn(timeout=PAUSE)
        prepare(_own.pgconn)
    return _own.pgconn


def _let_go() -> None:
    global _own
    broken, _own = _own, None
    if broken is not None:
        broken.close()
        _pool().putconn(broken)


def _pool() -> ConnectionPool[psycopg.Connection[Any]]:
    pool = cast("ConnectionPool[psycopg.Connection[Any]] | None", cast(Any, connection).pool)
    if pool is None:
        raise psycopg.OperationalError("Django's connections are not pooled: its own are asked.")
    return pool
