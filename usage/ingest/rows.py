"""One fact as one line of COPY, and which facts no ledger may hold. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from pricing.units import LIFETIMES
from usage.importers import Dimension, Fact

EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
GRAINS = frozenset({"request", "delta", "1m", "1h", "1d", "1mo"})
COST_KINDS = frozenset({"billed", "estimated", "notional"})
TOKENS_LIMIT = 10**12  # a year of the largest deployments; keeps every cost and sum within its column
_COST_LIMIT = Decimal(10) ** 11
_COPY = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": None})
_NULL = "\\N"
_LIFETIMES = frozenset(LIFETIMES)


def fault(fact: Fact, latest: datetime) -> str:
    """Why the ledger must refuse a fact whatever importer made it; '' where it may keep it."""
    counts = (
        fact.in_uncached,
        fact.in_cache_read,
        fact.in_cache_write,
        fact.out_total,
        fact.out_reasoning,
        fact.requests,
        fact.context_tokens,
    )
    for count in counts:
        if count is not None and not 0 <= count < TOKENS_LIMIT:
            return "a count is negative" if count < 0 else "a count is beyond belief"
    if fact.out_reasoning is not None and (fact.out_total is None or fact.out_reasoning > fact.out_total):
        return "reasoning tokens are more than the output tokens they are part of"
    if fact.cache_write_by_lifetime and not _lifetimes_fit(fact):
        return "cache writes by lifetime are more than the cache writes they are part of"
    when = fact.occurred_at
    if when.tzinfo is None:
        return "the time has no zone"
    if not EARLIEST <= when < latest:
        return "the time lies in the future" if when >= latest else "the time lies before 2015"
    if fact.period_end is not None and not when < fact.period_end:
        return "the period ends before it begins"
    if fact.grain not in GRAINS or fact.cost_kind not in COST_KINDS or not fact.record_key:
        return "the importer gave no grain, cost kind or record key"
    cost = fact.cost_reported
    if cost is not None and not (cost.is_finite() and abs(cost) < _COST_LIMIT):
        return "the reported cost is no amount"
    return ""


def _lifetimes_fit(fact: Fact) -> bool:
    stated = fact.cache_write_by_lifetime
    return fact.in_cache_write is not None and min(stated.values()) >= 0 and sum(stated.values()) <= fact.in_cache_write


def key_of(fact: Fact) -> str:
    """The record key as it is stored: one that is too long for an index by its hash."""
    key = fact.record_key
    if len(key) > 200:
        return "sha256:" + hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
    return key if key.isascii() and "\0" not in key else storable(key, 200)


def content_of(key: str, when: datetime, fact: Fact, dimension_hash: str) -> tuple[str, int]:
    """The COPY text of all a record says, and its 64-bit hash: the last word between two equal facts."""
    lifetimes = fact.cache_write_by_lifetime
    rank = fact.rank
    text = "\t".join(
        (
            key.translate(_COPY),
            when.isoformat(),
            fact.period_end.astimezone(UTC).isoformat() if fact.period_end else _NULL,
            fact.grain,
            _count(fact.in_uncached),
            _count(fact.in_cache_read),
            _count(fact.in_cache_write),
            _by_lifetime(lifetimes) if lifetimes else "0\t0\t0\t0",
            _count(fact.out_total),
            _count(fact.out_reasoning),
            _count(fact.requests),
            _count(fact.context_tokens),
            fact.service_tier[:40].translate(_COPY) if fact.service_tier else "",
            _NULL if fact.cost_reported is None else f"{fact.cost_reported:f}",
            fact.currency[:3].upper().translate(_COPY) if fact.currency else "",
            fact.cost_kind,
            _words(fact.quality) if fact.quality else "{}",
            "{" + ",".join(map(str, rank)) + "}" if rank else "{}",
        )
    )
    digest = hashlib.blake2b(f"{text}\t{dimension_hash}".encode(errors="replace"), digest_size=8).digest()
    return text, int.from_bytes(digest, "big", signed=True)


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
)
"""The columns of `content_of`, in its order."""


def _count(count: int | None) -> str:
    return _NULL if count is None else str(count)


def _by_lifetime(stated: Mapping[str, int]) -> str:
    """The lifetimes that have a unit; any other is part of the undivided rest."""
    return "\t".join(str(stated.get(lifetime, 0)) for lifetime in LIFETIMES)


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
    tags = tuple(sorted((storable(key, TEXT_LIMIT), storable(value, TEXT_LIMIT)) for key, value in dimension.tags))
    return Dimension(**names, tags=tags)


def storable(text: str, limit: int) -> str:
    """The text without what PostgreSQL refuses, cut at `limit` characters."""
    return text.replace("\0", "").encode(errors="replace").decode()[:limit]


def dimension_hash(dimension: Dimension) -> str:
    """Identity of a dimension within its connection, the same in every database."""
    fields = [getattr(dimension, name) for name in Dimension.__slots__]
    return hashlib.blake2b(repr(fields).encode(), digest_size=16).hexdigest()
