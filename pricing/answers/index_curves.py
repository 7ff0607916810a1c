"""Both estimators of the price of constant quality over the catalogue, kept until it changes, as the pages ask it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from pricing.answers import kept
from pricing.answers.price_index import RECORD_LOW, SELLERS
from pricing.answers.rated_prices import RatedPrices, rated_prices
from pricing.constant_quality import Estimate, live_minimum, record_low
from pricing.constant_quality.reasoning import IN
from pricing.constant_quality.survival import Survival, survivals
from pricing.frontier import CHAT_MIX, Mix
from pricing.models import Benchmark, Score

T = TypeVar("T")
_BYTES: Final = 250_000
"""About what curves, pages and standings take, measured of MMLU: anybody may ask for any score and day."""


@dataclass(frozen=True, slots=True)
class Market:
    """Which scores are held against whose prices."""

    benchmark: str
    category: str
    mix: Mix = CHAT_MIX
    sellers: str = SELLERS[RECORD_LOW]
    reasoning: str = IN


@dataclass(frozen=True, slots=True)
class Found:
    """What a market holds. `stamp` differs once a score of it was added, corrected or joined to another model: the
    catalogue's version says so of prices only."""

    market: Market
    stamp: Any
    prices: RatedPrices


@dataclass(frozen=True, slots=True)
class Curves:
    """The two estimators for one score until a day, and what became of the models behind their points."""

    threshold: Decimal
    record: Estimate
    live: Estimate
    record_survivals: tuple[Survival, ...]
    live_survivals: tuple[Survival, ...]
    until: date


def rated(market: Market, now: datetime) -> Found | None:
    """The observations behind the index; None where there is no score. Kept; one query to see that they still hold."""
    stamp = Score.objects.stamp(market.benchmark, market.category)

    def read() -> Found | None:
        known = Benchmark.objects.filter(slug=market.benchmark).first()
        if known is None:
            return None
        prices = rated_prices(known, market.category, market.mix, market.sellers, market.reasoning)
        return Found(market, stamp, prices) if prices else None

    return answer_kept(("index rated", market, stamp), now, None, read)


def curves(found: Found, threshold: Decimal, start: date | None, until: date | None, now: datetime) -> Curves:
    """Both estimators at or above a score over [start, until), by default until today. Kept until midnight."""
    today = now.astimezone(UTC).date()

    def work_out() -> Curves:
        seen, end = found.prices.observations, until or today + timedelta(days=1)
        record = record_low(seen, threshold, start=start, until=end)
        live = live_minimum(seen, threshold, start=start, until=end)
        gone = [tuple(survivals(one.points, live, today)) for one in (record, live)]
        return Curves(threshold, record, live, gone[0], gone[1], end)

    return kept_until_midnight(("index curves", found.market, found.stamp, threshold, start, until), now, work_out)


def kept_until_midnight(key: Hashable, now: datetime, read: Callable[[], T]) -> T:
    """What `read` gives of this version of the catalogue on this day, UTC."""
    today = now.astimezone(UTC).date()
    midnight = datetime.combine(today + timedelta(days=1), time.min, UTC)
    return answer_kept((key, today), now, midnight, read)


def answer_kept(key: Any, now: datetime, until: datetime | None, read: Callable[[], T]) -> T:
    """What `read` gives, remembered under the key for this version of the catalogue and at most until a moment."""
    current = kept.recent_version()
    held: tuple[T] | None = kept.recall(key, current, now)
    if held is None:
        held = (read(),)
        kept.keep(key, current, held, until, _BYTES)
    return held[0]
