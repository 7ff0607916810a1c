"""Longer cache lifetimes, and caching where prompts repeat. Pure, and free of content.

Nobody here knows which prompts are alike: what requests of like size, close after each other, could share at most is
the high end. `docs/recommendations.md` has the formulas and what they cannot see.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from pricing.cost import QUANTUM, CardPrices
from usage.advice import Caution, Kind, Range, Recommendation, Refused, Step
from usage.same_weights.tiers import up_to
from usage.substitution.offers import start_of
from usage.substitution.repricing import monthly, monthly_range
from usage.substitution.setting import Baseline, Setting
from usage.substitution.weighing import steps_by
from usage.substitution.wording import money
from usage.token_log import EVERY_HOUR, Slice

LEAST_PROMPT: Final = 1024
"""Tokens below which no vendor caches a prompt (OpenAI 1,024, Anthropic 512 to 4,096 by model)."""
SHORT: Final = 12
"""Lifetimes of five minutes in an hour: so many requests an hour follow each other within one, on average."""
LEAST_SHARE: Final = Decimal("0.01")
"""Of what is paid: an upper bound below that is not worth a look."""
_WEEK: Final = 7
_EXACT: Final = Context(prec=80, rounding=ROUND_HALF_UP)
_NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class _Alike:
    """A slice of known size and hour with requests, and how often its hour of the week came in the window."""

    slice: Slice
    hours: Decimal

    @property
    def repeats(self) -> Decimal:
        """The requests that are not the first of their hour."""
        return max(self.slice.requests - self.hours, _NOTHING)

    @property
    def shared(self) -> Decimal:
        """Tokens of a request that all could share at most and that are sent in full today.

        The prompts of a slice are of about one size: they have at least the power of two below it in common, at most.
        """
        tokens, requests = self.slice.tokens, self.slice.requests
        least = 1 << (self.slice.prompt_tokens.bit_length() - 1)
        cached = Decimal((tokens.cache_read or 0) + (tokens.cache_write or 0)) / requests
        return min(Decimal(tokens.input or 0) / requests, max(least - cached, _NOTHING))


@dataclass(frozen=True, slots=True)
class _Longer:
    """What longer lifetimes lose and gain in a month, and the shares of writes that must and that can repeat."""

    lost: Decimal
    gained: Decimal
    needed: Decimal
    possible: Decimal

    @property
    def saving(self) -> Range:
        return Range(-self.lost, self.gained)


def longer_lifetime(base: Baseline, setting: Setting) -> Recommendation | Refused | None:
    """An hour's cache in place of five minutes', where writes may repeat more often than the dearer write costs.

    From what is lost if none of the writes repeats to what is saved if each hour of the log needed a single write.
    """
    found = _longer(base, setting, start_of(setting.on))
    if found is None or not _gains(found.saving):
        return None

    def saving_at(edge: datetime) -> Range:
        then = _longer(base, setting, edge)
        return then.saving if then else Range(_NOTHING, _NOTHING)

    why = (
        f"If the same cached prompts are written again within the hour, caching for an hour saves up to "
        f"{money(found.gained, setting.currency)}"
    )
    text = (
        f"It pays where more than {found.needed:.0%} of the writes repeat one of the last hour; at most "
        f"{found.possible:.0%} can. If none does, a month costs {money(found.lost, setting.currency)} more: try it for "
        "a day and look at the writes."
    )
    caution = Caution("dear", "It may cost more", text)
    steps = steps_by(base, base.offer, setting, found.saving, saving_at)
    return up_to(base, base.offer, Kind.CACHE_LIFETIME, steps, why, None, (caution,), setting, _gains)


def _gains(saving: Range) -> bool:
    """Whether as much may be gained as lost, and more."""
    return saving.high > -saving.low


def _longer(base: Baseline, setting: Setting, moment: datetime) -> _Longer | None:
    card = base.offer.plain(moment)
    prices = _prices(card, "cache_write_5m", "cache_write_1h", "cache_read")
    if card is None or prices is None or "cache_write_1h" not in card.prices:
        return None
    short, long, read = prices
    if not read < short < long:
        return None
    written = repeated = _NOTHING
    for one in _alike(base, setting):
        writes = Decimal(one.slice.tokens.cache_write_by_lifetime.get("5m", 0))
        written += writes
        repeated += writes * one.repeats / one.slice.requests
    if not written:
        return None
    lost = written * (long - short)
    gained = _worth(base, card, setting, repeated * (long - read) - lost)
    return _Longer(_worth(base, card, setting, lost), gained, (long - short) / (long - read), repeated / written)


def cached_prefix(base: Baseline, setting: Setting) -> Recommendation | Refused | None:
    """Caching what requests of like size, close after each other, may have in common: from 0 to all that could be."""
    high = _shared(base, setting, start_of(setting.on))
    if high is None or high <= monthly(base.paying, setting.days) * LEAST_SHARE:
        return None

    def saving_at(edge: datetime) -> Range:
        then = _shared(base, setting, edge) or _NOTHING
        return Range(then, then)

    why = f"If prompts of like size begin alike, caching what they share saves up to {money(high, setting.currency)}"
    text = (
        "Nobody here sees what is in a prompt: the high end takes all requests of like size in an hour for one prompt "
        "with another ending. Put what never changes first, and look at the cached tokens of a day."
    )
    caution = Caution("doubt", "An upper bound", text)
    steps = tuple(
        Step(one.on, Range(_NOTHING, one.saving.high))
        for one in steps_by(base, base.offer, setting, Range(high, high), saving_at)
    )
    return up_to(base, base.offer, Kind.CACHED_PREFIX, steps, why, None, (caution,), setting, _gains)


def _shared(base: Baseline, setting: Setting, moment: datetime) -> Decimal | None:
    """What a month saves at most by sharing prefixes; None where nothing of it is cheaper from a cache."""
    card = base.offer.plain(moment)
    prices = _prices(card, "input", "cache_read")
    if card is None or prices is None or prices[0] <= prices[1]:
        return None
    full, read = prices
    writes = [price for unit in ("cache_write_5m", "cache_write") if (price := card.price(unit)) is not None]
    extra = max(writes[0] - full, _NOTHING) if writes else _NOTHING
    saved = _NOTHING
    for one in _alike(base, setting):
        if one.slice.prompt_tokens >= LEAST_PROMPT and one.slice.requests > SHORT * one.hours:
            saved += one.shared * (one.repeats * (full - read) - one.hours * extra)
    return _worth(base, card, setting, saved)


def _alike(base: Baseline, setting: Setting) -> Iterator[_Alike]:
    hours = Decimal(setting.days) / _WEEK
    for one in base.sliced.slices:
        if one.prompt_tokens and one.hour != EVERY_HOUR and one.requests:
            yield _Alike(one, hours)


def _prices(card: CardPrices | None, *units: str) -> list[Decimal] | None:
    found = [card.price(unit) for unit in units] if card else []
    known = [price for price in found if price is not None]
    return known if card and len(known) == len(units) else None


def _worth(base: Baseline, card: CardPrices, setting: Setting, amount: Decimal) -> Decimal:
    """An amount at the card's prices in a month, in the organisation's currency, by what is paid of those prices."""
    rate = base.offer.rates.get(card.currency, _NOTHING)
    paid = _EXACT.multiply(_EXACT.multiply(amount, rate), base.paid_share)
    return monthly_range(Range(paid, paid), setting.days).low.quantize(QUANTUM)
