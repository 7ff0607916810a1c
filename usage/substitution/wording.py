"""How amounts, tokens and days read in the sentences of advice, as pages write them. Pure."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from usage.advice import Range, Side

_SYMBOLS: Final = {"USD": "$", "EUR": "€", "GBP": "£", "CNY": "CN¥", "JPY": "¥", "INR": "₹"}
_MILLION: Final = 10**6


def money(amount: Decimal, currency: str) -> str:
    """For sentences: `$11,254`, below a thousand to the cent."""
    places = Decimal("0.01") if abs(amount) < 1000 else Decimal(1)
    shown = amount.quantize(places, ROUND_HALF_UP)
    return f"{'−' if shown < 0 else ''}{_SYMBOLS.get(currency, f'{currency} ')}{abs(shown):,}"


def span(amount: Range, currency: str) -> str:
    """Both ends, or one where they read alike: `$7,400 to $11,100`."""
    low, high = money(amount.low, currency), money(amount.high, currency)
    return low if low == high else f"{low} to {high}"


def times(low: Decimal, high: Decimal) -> str:
    """A factor's range: `0.94 to 1.36 times`."""
    ends = [f"{end.quantize(Decimal('0.01'), ROUND_HALF_UP):f}" for end in (low, high)]
    return f"{ends[0]} times" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]} times"


def tokens(count: int | Decimal) -> str:
    """`131,072 tokens`, from a million on in millions."""
    if count >= _MILLION:
        return f"{(Decimal(count) / _MILLION).quantize(Decimal('0.1'), ROUND_HALF_UP).normalize():f} million tokens"
    return f"{int(count):,} tokens"


def points(rating: Decimal) -> str:
    """A rating in full, as a hair decides, without the zeros that a column adds: `1395`, `1395.48`."""
    return f"{rating.normalize():f}"


def day(when: date) -> str:
    return f"{when.day} {when:%B %Y}"


def named(side: Side) -> str:
    """A side as a reader knows it: `GPT-5.6 Sol at OpenAI, high effort, batch`."""
    effort = f", {side.effort} effort" if side.effort else ""
    tier = "" if side.service_tier == "standard" else f", {side.service_tier}"
    region = f", {side.region}" if side.region else ""
    return f"{side.model_name} at {side.provider_name}{region}{effort}{tier}"
