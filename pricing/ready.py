"""What an offering costs, ready as bytes in PostgreSQL: the one owner of `ReadyAnswer`.

An answer is made when it is first asked for and serves every process from then on, whatever moment is asked for inside
[since, until): in that span nothing in it changes but the moment it names. It is void with the catalogue's version, as
what a process keeps in memory is, and with the program: another release may word the same price otherwise.

It is read on a connection of its own by one statement that PostgreSQL has prepared, in the words of libpq: psycopg's
cursors take three times as long to ask it as PostgreSQL takes to answer, and Django's more.
"""

from __future__ import annotations

import hashlib
import struct
import time
import zlib
from contextlib import suppress
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple, cast

import psycopg
from django.db import DatabaseError, connection
from psycopg import pq
from psycopg_pool import ConnectionPool

from pricing.models import ReadyAnswer

MOST: Final = 20_000
"""So many answers one process keeps of one version; an offering has as many as its hours and grades have changed."""
PAUSE: Final = 1.0
"""Seconds without another try where PostgreSQL did not answer."""

_READ = b"""
    SELECT head, tail FROM pricing_readyanswer
    WHERE provider = $1::text AND sku = $2::text AND stamp = $3::text AND since <= $4::timestamptz
        AND until > $4::timestamptz
"""
_WRITE = b"""
    INSERT INTO pricing_readyanswer (provider, sku, stamp, since, until, head, tail) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (provider, sku, since) DO UPDATE
    SET until = excluded.until, stamp = excluded.stamp, head = excluded.head, tail = excluded.tail
"""
_NAMES: Final = {_READ: b"ratecard_ready", _WRITE: b"ratecard_keep_ready"}
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # deflate, no name, no time (RFC 1952)

_lock = Lock()
_own: psycopg.Connection[Any] | None = None
_paused_until = 0.0
_written: tuple[str, int] = ("", 0)


class Ready(NamedTuple):
    """The bytes before and after the moment the answer names; `tail` is deflated."""

    head: bytes
    tail: bytes

    def plain(self, at: str) -> bytes:
        return self.head + at.encode() + zlib.decompress(self.tail, -zlib.MAX_WBITS)

    def gzipped(self, at: str) -> bytes:
        """The same as gzip: the head as a stored block, then the tail as it is."""
        first = self.head + at.encode()
        rest = zlib.decompress(self.tail, -zlib.MAX_WBITS)
        check = zlib.crc32(rest, zlib.crc32(first))
        block = struct.pack("<BHH", 0, len(first), 0xFFFF ^ len(first))
        return b"".join((_GZIP_HEAD, block, first, self.tail, struct.pack("<II", check, len(first) + len(rest))))


def recall(provider: str, sku: str, at: datetime, version: tuple[Any, ...]) -> Ready | None:
    """The answer ready for a moment under a version of the catalogue; None where there is none. One query.

    PostgreSQL not answering is no failure here: whoever asks goes the long way, which says what is wrong.
    """
    found = _asked(_READ, (provider, sku, _stamp(version), at.isoformat()))
    if found is None or not found.ntuples:
        return None
    return Ready(found.get_value(0, 0) or b"", found.get_value(0, 1) or b"")


def keep(
    provider: str, sku: str, span: tuple[datetime, datetime], body: bytes, at: str, version: tuple[Any, ...]
) -> None:  # fmt: skip
    """Have an answer ready for every moment of a span. `body` is JSON that names the moment `at` under its key.

    The first answer of a version takes away what was ready before it. Where it cannot be written (a replica) the
    question stays a slow one.
    """
    global _written  # noqa: PLW0603
    stamp = _stamp(version)
    of_version, count = _written
    if of_version == stamp and count >= MOST:
        return
    head, key, rest = body.partition(b'"at":"')
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    tail = packer.compress(rest.removeprefix(at.encode())) + packer.flush()
    if of_version != stamp:
        with suppress(DatabaseError):
            ReadyAnswer.objects.exclude(stamp=stamp).delete()
    _asked(_WRITE, (provider, sku, stamp, span[0].isoformat(), span[1].isoformat()), (head + key, tail))
    _written = (stamp, count + 1 if of_version == stamp else 1)


def clear() -> None:
    """Take away everything that is ready: prices were mended without a new version of the catalogue."""
    ReadyAnswer.objects.all().delete()


def forget() -> None:
    """Forget what this process knows of the table: whether it answers, and what was written to it."""
    global _paused_until, _written
    _paused_until, _written = 0.0, ("", 0)


def _asked(statement: bytes, texts: tuple[str, ...], binary: tuple[bytes, ...] = ()) -> pq.abc.PGresult | None:
    """What PostgreSQL answers to a prepared statement; None where it does not, and for a while after that."""
    global _paused_until  # noqa: PLW0603 - of this process's connection
    if time.monotonic() < _paused_until:
        return None
    values = [*(text.encode() for text in texts), *binary]
    formats = [pq.Format.TEXT] * len(texts) + [pq.Format.BINARY] * len(binary)
    with _lock:
        try:
            done = _connected().exec_prepared(_NAMES[statement], values, formats, pq.Format.BINARY)
            if done.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
                return done
        except psycopg.Error:
            pass
        _let_go()
        _paused_until = time.monotonic() + PAUSE
        return None


def _connected() -> pq.abc.PGconn:
    """One connection of Django's pool, kept: to take one out and try it each time would cost more than the query."""
    global _own  # noqa: PLW0603
    if _own is None:
        pool = _pool()
        pool.open()
        _own = pool.getconn(timeout=PAUSE)
        prepare(_own.pgconn)
    return _own.pgconn


def prepare(link: pq.abc.PGconn) -> None:
    """Have PostgreSQL plan the statements once for a connection."""
    for statement, name in _NAMES.items():
        done = link.prepare(name, statement)
        if done.status != pq.ExecStatus.COMMAND_OK:
            raise psycopg.OperationalError(done.error_message)


def _let_go() -> None:
    global _own
    broken, _own = _own, None
    if broken is not None:
        broken.close()
        _pool().putconn(broken)


def _pool() -> ConnectionPool[psycopg.Connection[Any]]:
    return cast("ConnectionPool[psycopg.Connection[Any]]", cast(Any, connection).pool)


@lru_cache(maxsize=4)
def _stamp(version: tuple[Any, ...]) -> str:
    return hashlib.sha256(f"{_program()}|{version}".encode()).hexdigest()[:32]


@cache
def _program() -> str:
    """What this program's text comes to, so that no release serves what another has worded."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
