"""Facts as lines of COPY, and which of them no ledger may hold: column by column. Pure."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import TypeVar

from pricing.providers import canonical
from pricing.units import LIFETIMES
from usage.importers import Dimension, Fact

EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
GRAINS = frozenset({"request", "delta", "1m", "1h", "1d", "1mo"})
COST_KINDS = frozenset({"billed", "estimated", "notional"})
TOKENS_LIMIT = 10**12  # a year of the largest deployments; keeps every cost and sum within its column
_COST_LIMIT = Decimal(10) ** 11
_COPY = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": None})
_ESCAPED = re.compile(r"[\\\t\n\r\0]")
_NULL = "\\N"
_NO_LIFETIMES = "0\t0\t0\t0"
_KEY_LIMIT = 200
_DIGEST = hashlib.blake2b(digest_size=8)
T = TypeVar("T")
assert LIFETIMES == ("5m", "30m", "1h", "12h")  # noqa: S101 - `_by_lifetime` and the columns name them


def faults(facts: Sequence[Fact], latest: datetime) -> dict[int, str]:
    """Which of some facts the ledger must refuse whatever importer made them, by number, and why."""
    # Column by column: of millions of rows each look at a field is felt.
    (_, keys, times, grains, _, uncached, read, written, out, reasoning, lifetimes, requests, _, context, ends, costs,
     _, cost_kinds, *_) = zip(*facts, strict=True)  # fmt: skip
    found: dict[int, str] = {}
    for number, reason in (
        *_faults_of_counts((uncached, read, written, out, reasoning, requests, context)),
        *_faults_of_parts(reasoning, out, lifetimes, written),
        *_faults_of_times(times, ends, latest),
        *_faults_of_words(grains, cost_kinds, keys),
        *((n, "the reported cost is no amount") for n, cost in enumerate(costs) if cost is not None and _no_cost(cost)),
    ):
        found.setdefault(number, reason)
    return found


def _faults_of_counts(columns: Iterable[Sequence[int | None]]) -> Iterator[tuple[int, str]]:
    for column in columns:
        known = [count for count in column if count is not None]
        if known and not (min(known) >= 0 and max(known) < TOKENS_LIMIT):
            for number, count in enumerate(column):
                if count is not None and not 0 <= count < TOKENS_LIMIT:
                    yield number, "a count is negative" if count < 0 else "a count is beyond belief"


def _faults_of_parts(
    reasoning: Sequence[int | None],
    out: Sequence[int | None],
    lifetimes: Sequence[Mapping[str, int]],
    written: Sequence[int | None],
) -> Iterator[tuple[int, str]]:
    for number, part in enumerate(reasoning):
        if part is not None:
            whole = out[number]
            if whole is None or part > whole:
                yield number, "reasoning tokens are more than the output tokens they are part of"
    for number, stated in enumerate(lifetimes):
        if stated:
            whole = written[number]
            if whole is None or min(stated.values()) < 0 or sum(stated.values()) > whole:
                yield number, "cache writes by lifetime are more than the cache writes they are part of"


def _faults_of_times(
    times: Sequence[datetime], ends: Sequence[datetime | None], latest: datetime
) -> Iterator[tuple[int, str]]:
    zoned = None not in {when.tzinfo for when in times}
    if not (zoned and min(times) >= EARLIEST and max(times) < latest):
        for number, when in enumerate(times):
            if when.tzinfo is None:
                yield number, "the time has no zone"
            elif not EARLIEST <= when < latest:
                yield number, "the time lies in the future" if when >= latest else "the time lies before 2015"
    for number, end in enumerate(ends):
        if end is not None and times[number].tzinfo is not None and not times[number] < end:
            yield number, "the period ends before it begins"


def _faults_of_words(
    grains: Sequence[str], cost_kinds: Sequence[str], keys: Sequence[str]
) -> Iterator[tuple[int, str]]:
    if not (GRAINS.issuperset(grains) and COST_KINDS.issuperset(cost_kinds) and all(keys)):
        for number, (grain, kind, key) in enumerate(zip(grains, cost_kinds, keys, strict=True)):
            if grain not in GRAINS or kind not in COST_KINDS or not key:
                yield number, "the importer gave no grain, cost kind or record key"


def _no_cost(cost: Decimal) -> bool:
    return not (cost.is_finite() and abs(cost) < _COST_LIMIT)


def keys_of(keys: Sequence[str]) -> Sequence[str]:
    """Record keys as they are stored: one that is too long for an index by its hash."""
    joined = "".join(keys)
    if joined.isascii() and "\0" not in joined and len(max(keys, key=len)) <= _KEY_LIMIT:
        return keys
    return [
        storable(key, _KEY_LIMIT)
        if len(key) <= _KEY_LIMIT
        else "sha256:" + hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
        for key in keys
    ]


def contents_of(
    facts: Sequence[Fact], keys: Sequence[str], times: Sequence[datetime], dimension_hashes: Iterable[str]
) -> tuple[list[str], Sequence[int]]:
    """Of some facts the COPY text of all that each says, by `COLUMNS`, and its 64-bit hash: the last word between two
    equal facts. `keys` and `times` are as stored, in UTC."""
    (_, _, _, grains, _, uncached, read, written, out, reasoning, lifetimes, requests, tiers, context, ends, costs,
     currencies, cost_kinds, sessions, qualities, ranks) = zip(*facts, strict=True)  # fmt: skip
    texts = list(
        map(
            "\t".join,
            zip(
                [key.translate(_COPY) for key in keys] if _ESCAPED.search("".join(keys)) else keys,
                map(datetime.isoformat, times),
                [_NULL if end is None else end.astimezone(UTC).isoformat() for end in ends],
                grains,
                _counts(uncached),
                _counts(read),
                _counts(written),
                [_by_lifetime(stated) if stated else _NO_LIFETIMES for stated in lifetimes],
                _counts(out),
                _counts(reasoning),
                _counts(requests),
                _counts(context),
                _each(tiers, _tier),
                [_NULL if cost is None else _amount(cost) for cost in costs],
                _each(currencies, _letters),
                cost_kinds,
                _each(qualities, _words),
                [_numbers(len(rank)) % rank for rank in ranks],
                strict=True,
            ),
        )
    )
    sessions = tuple(_each(sessions, _session))
    digests = []
    for text, dimension, session in zip(texts, dimension_hashes, sessions, strict=True):
        said = f"{text}\t{dimension}\t{session}" if session else f"{text}\t{dimension}"
        digest = _DIGEST.copy()  # faster than a new one
        digest.update(said.encode(errors="replace"))
        digests.append(digest.digest())
    copied = [f"{text}\t{session and session.translate(_COPY)}" for text, session in zip(texts, sessions, strict=True)]
    return copied, struct.unpack(f">{len(digests)}q", b"".join(digests))


def _counts(column: Sequence[int | None]) -> Iterable[str]:
    return [_NULL if count is None else str(count) for count in column] if None in column else map(str, column)


def _each(column: Sequence[T], written: Callable[[T], str]) -> Iterable[str]:
    """A column of few different values."""
    texts = {value: written(value) for value in set(column)}
    return map(texts.__getitem__, column)


COLUMNS = (
    "record_key",
    "occurred_at",
    "period_end",
    "grain",
    "in_uncached",
    "in_cache_read",
    "in_cache_write",
    "cache_write_5m",
    "cache_write_30m",
    "cache_write_1h",
    "cache_write_12h",
    "out_total",
    "out_reasoning",
    "requests",
    "context_tokens",
    "service_tier",
    "cost_reported",
    "currency",
    "cost_kind",
    "quality",
    "rank",
    "session",
)
"""The columns of `contents_of`, in its order."""


def _amount(cost: Decimal) -> str:
    text = str(cost)
    return text if "E" not in text else format(cost, "f")


@cache
def _numbers(length: int) -> str:
    """The format of an array of so many."""
    return f"{{{','.join(['%d'] * length)}}}"


def _letters(currency: str) -> str:
    return currency[:3].upper().translate(_COPY)


def _tier(tier: str) -> str:
    return tier[:40].translate(_COPY)


def _by_lifetime(stated: Mapping[str, int]) -> str:
    """The lifetimes that have a unit; any other is part of the undivided rest."""
    get = stated.get
    return f"{get('5m', 0)}\t{get('30m', 0)}\t{get('1h', 0)}\t{get('12h', 0)}"


def _session(session: str) -> str:
    return session and storable(session, 200)


def _words(quality: tuple[str, ...]) -> str:
    kept = sorted({"".join(c for c in word if c.isalnum() or c in "_-")[:60] for word in quality} - {""})
    return "{" + ",".join(kept) + "}"


LIMITS = {"model_raw": 400, "host": 120, "operation": 120, "region": 120}
TEXT_LIMIT = 1000


def stored_dimension(dimension: Dimension) -> Dimension:
    """The dimension as the database can hold it: no NUL, no lone surrogate, no endless text."""
    names = {
        name: storable(getattr(dimension, name), LIMITS.get(name, TEXT_LIMIT))
        for name in (
            "model_raw",
            "host",
            "operation",
            "region",
            "ext_project",
            "ext_api_key",
            "ext_user",
            "ext_team",
            "path",
            "branch",
        )
    }
    names["host"] = canonical(names["host"]) if names["host"] else ""
    tags = tuple(sorted((storable(key, TEXT_LIMIT), storable(value, TEXT_LIMIT)) for key, value in dimension.tags))
    return Dimension(**names, tags=tags)


def storable(text: str, limit: int) -> str:
    """The text without what PostgreSQL refuses, cut at `limit` characters."""
    return text.replace("\0", "").encode(errors="replace").decode()[:limit]


def dimension_hash(dimension: Dimension) -> str:
    """Identity of a dimension within its connection, the same in every database."""
    fields = [getattr(dimension, name) for name in Dimension.__slots__]
    return hashlib.blake2b(repr(fields).encode(), digest_size=16).hexdigest()
