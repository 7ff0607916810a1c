"""One fact as one line of COPY, and which facts no ledger may hold. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, lru_cache

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
assert LIFETIMES == ("5m", "30m", "1h", "12h")  # noqa: S101 - `_by_lifetime` and the columns name them


def fault(fact: Fact, latest: datetime) -> str:
    """Why the ledger must refuse a fact whatever importer made it; '' where it may keep it."""
    # Taken apart at once and spelt out: of millions of rows each look at a field and each loop is felt.
    (_, key, when, grain, _, uncached, read, written, out, reasoning, lifetimes, requests, _, context, period_end, cost,
     _, cost_kind, *_) = fact  # fmt: skip
    if not (
        0 <= (uncached or 0) < TOKENS_LIMIT
        and 0 <= (read or 0) < TOKENS_LIMIT
        and 0 <= (written or 0) < TOKENS_LIMIT
        and 0 <= (out or 0) < TOKENS_LIMIT
        and 0 <= (reasoning or 0) < TOKENS_LIMIT
        and 0 <= (requests or 0) < TOKENS_LIMIT
        and 0 <= (context or 0) < TOKENS_LIMIT
    ):
        return _beyond(fact)
    if reasoning is not None and (out is None or reasoning > out):
        return "reasoning tokens are more than the output tokens they are part of"
    if lifetimes and not _lifetimes_fit(fact):
        return "cache writes by lifetime are more than the cache writes they are part of"
    if when.tzinfo is None:
        return "the time has no zone"
    if not EARLIEST <= when < latest:
        return "the time lies in the future" if when >= latest else "the time lies before 2015"
    if period_end is not None and not when < period_end:
        return "the period ends before it begins"
    if grain not in GRAINS or cost_kind not in COST_KINDS or not key:
        return "the importer gave no grain, cost kind or record key"
    if cost is not None and not (cost.is_finite() and abs(cost) < _COST_LIMIT):
        return "the reported cost is no amount"
    return ""


def _beyond(fact: Fact) -> str:
    counts = (fact.in_uncached, fact.in_cache_read, fact.in_cache_write, fact.out_total, fact.out_reasoning,
              fact.requests, fact.context_tokens)  # fmt: skip
    wrong = next(count for count in counts if count is not None and not 0 <= count < TOKENS_LIMIT)
    return "a count is negative" if wrong < 0 else "a count is beyond belief"


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
    (_, _, _, grain, _, uncached, read, written, out, reasoning, stated, requests, tier, context, period_end, cost,
     currency, cost_kind, session, quality, rank) = fact  # fmt: skip
    # One expression: this is half of what an import costs in Python.
    text = (
        f"{key.translate(_COPY) if _ESCAPED.search(key) else key}\t{when.isoformat()}"
        f"\t{period_end.astimezone(UTC).isoformat() if period_end else _NULL}\t{grain}"
        f"\t{_NULL if uncached is None else uncached}\t{_NULL if read is None else read}"
        f"\t{_NULL if written is None else written}\t{_by_lifetime(stated) if stated else _NO_LIFETIMES}"
        f"\t{_NULL if out is None else out}\t{_NULL if reasoning is None else reasoning}"
        f"\t{_NULL if requests is None else requests}\t{_NULL if context is None else context}"
        f"\t{tier and _tier(tier)}\t{_NULL if cost is None else _amount(cost)}"
        f"\t{_letters(currency)}\t{cost_kind}"
        f"\t{_words(quality) if quality else '{}'}\t{_numbers(len(rank)) % rank}"
    )
    session = session and storable(session, 200)
    said = f"{text}\t{dimension_hash}\t{session}" if session else f"{text}\t{dimension_hash}"
    digest = hashlib.blake2b(said.encode(errors="replace"), digest_size=8).digest()
    return f"{text}\t{session and session.translate(_COPY)}", int.from_bytes(digest, "big", signed=True)


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
"""The columns of `content_of`, in its order."""


def _amount(cost: Decimal) -> str:
    text = str(cost)
    return text if "E" not in text else format(cost, "f")


@cache
def _numbers(length: int) -> str:
    """The format of an array of so many."""
    return f"{{{','.join(['%d'] * length)}}}"


@lru_cache(1_000)
def _letters(currency: str) -> str:
    return currency[:3].upper().translate(_COPY)


@lru_cache(1_000)
def _tier(tier: str) -> str:
    return tier[:40].translate(_COPY)


def _by_lifetime(stated: Mapping[str, int]) -> str:
    """The lifetimes that have a unit; any other is part of the undivided rest."""
    get = stated.get
    return f"{get('5m', 0)}\t{get('30m', 0)}\t{get('1h', 0)}\t{get('12h', 0)}"


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
