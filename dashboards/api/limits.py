"""How much one caller may ask: a bucket of requests a caller, filled by the second, in each process."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from math import ceil
from threading import Lock
from typing import Any, Final

from django.conf import settings

WINDOW: Final = 60
CALLERS: Final = 20_000
"""As many buckets are kept; the one not asked for the longest is full again before it is forgotten, or nearly."""

_lock = Lock()
_buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left to a caller: of `limit` a minute `remaining` now, all of it after `reset` seconds.

    `wait` is 0 where the request is within the limit, else the seconds until the next one would be.
    """

    limit: int
    remaining: int
    reset: int
    wait: int

    def headers(self) -> list[tuple[str, str]]:
        """As drafts 00 to 06 of the IETF's RateLimit header fields have them, and most clients read them."""
        return [
            ("RateLimit-Limit", str(self.limit)),
            ("RateLimit-Remaining", str(self.remaining)),
            ("RateLimit-Reset", str(self.reset)),
            ("RateLimit-Policy", f"{self.limit};w={WINDOW}"),
        ]


def take(caller: str) -> Quota | None:
    """Count one request of a caller; None where RATECARD_RATE_LIMIT is 0 and nothing is counted."""
    limit: int = settings.RATE_LIMIT
    if not limit:
        return None
    rate, now = limit / WINDOW, time.monotonic()
    with _lock:
        held, at = _buckets.pop(caller, (float(limit), now))
        held = min(float(limit), held + (now - at) * rate)
        allowed = held >= 1
        _buckets[caller] = (held - allowed, now)
        if len(_buckets) > CALLERS:
            _buckets.popitem(last=False)
    left = held - allowed
    return Quota(limit, int(left), ceil((limit - left) / rate), 0 if allowed else ceil((1 - held) / rate))


def give_back(caller: str) -> None:
    """A request that cost nothing, as its copy still held."""
    with _lock:
        if caller in _buckets:
            held, at = _buckets[caller]
            _buckets[caller] = (held + 1, at)


def address(environ: Any) -> str:
    """The caller's network address; the proxy's word for it where one is believed (RATECARD_BASE_URL says https)."""
    if settings.SECURE_PROXY_SSL_HEADER and (told := environ.get("HTTP_X_FORWARDED_FOR")):
        return str(told).rpartition(",")[2].strip()
    return str(environ.get("REMOTE_ADDR", ""))


def forget() -> None:
    """Every bucket is full again."""
    with _lock:
        _buckets.clear()
