"""What an offering costs, ready as bytes in PostgreSQL: the one owner of `ReadyAnswer`.

An answer is made when it is first asked for and serves every process from then on, whatever moment is asked for inside
[since, until): in that span nothing in it changes but the moment it names. It is void with the catalogue's version, as
what a process keeps in memory is, and with the program: another release may word the same price otherwise.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from django.db import DatabaseError

from pricing import direct, program
from pricing.models import ReadyAnswer

MOST: Final = 20_000
"""So many answers one process keeps of one version; an offering has as many as its hours and grades have changed."""

UNPACKED: Final = 2_048
"""So many tails stay unpacked, some 8 MB: the same offering is asked for at one moment after another."""

_READ = direct.statement("ready", """
    SELECT head, tail FROM pricing_readyanswer
    WHERE provider = $1::text AND sku = $2::text AND stamp = $3::text AND since <= $4::timestamptz
        AND until > $4::timestamptz
""")  # fmt: skip
_WRITE = direct.statement("keep_ready", """
    INSERT INTO pricing_readyanswer (provider, sku, stamp, since, until, head, tail) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (provider, sku, since) DO UPDATE
    SET until = excluded.until, stamp = excluded.stamp, head = excluded.head, tail = excluded.tail
""")  # fmt: skip
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # deflate, no name, no time (RFC 1952)

_written: tuple[str, int] = ("", 0)


class Ready(NamedTuple):
    """The bytes before and after the moment the answer names; `tail` is deflated."""

    head: bytes
    tail: bytes

    def plain(self, at: str) -> bytes:
        return self.head + at.encode() + _unpacked(self.tail)

    def gzipped(self, at: str) -> bytes:
        """The same as gzip: the head as a stored block, then the tail as it is."""
        first = self.head + at.encode()
        rest = _unpacked(self.tail)
        check = zlib.crc32(rest, zlib.crc32(first))
        block = struct.pack("<BHH", 0, len(first), 0xFFFF ^ len(first))
        return b"".join((_GZIP_HEAD, block, first, self.tail, struct.pack("<II", check, len(first) + len(rest))))


@lru_cache(maxsize=UNPACKED)
def _unpacked(tail: bytes) -> bytes:
    return zlib.decompress(tail, -zlib.MAX_WBITS)


def recall(provider: str, sku: str, at: datetime, version: str) -> Ready | None:
    """The answer ready for a moment under a version of the catalogue; None where there is none. One query."""
    found = direct.ask(_READ, (provider, sku, _stamp(version), at.isoformat()))
    if found is None or not found.ntuples:
        return None
    return Ready(found.get_value(0, 0) or b"", found.get_value(0, 1) or b"")


def keep(
    provider: str, sku: str, span: tuple[datetime, datetime], body: bytes, at: str, version: str
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
    direct.ask(_WRITE, (provider, sku, stamp, span[0].isoformat(), span[1].isoformat()), (head + key, tail))
    _written = (stamp, count + 1 if of_version == stamp else 1)


def clear() -> None:
    """Take away everything that is ready: prices were mended without a new version of the catalogue."""
    ReadyAnswer.objects.all().delete()


def forget() -> None:
    """Forget what this process knows of the table."""
    global _written  # noqa: PLW0603
    _written = ("", 0)


@lru_cache(maxsize=4)
def _stamp(version: str) -> str:
    return hashlib.sha256(f"{program.stamp()}|{version}".encode()).hexdigest()[:32]
