"""Prices of other currencies in USD: at the rate of the day asked for, with the rate and its day beside the figure."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pricing.answers.wording import decimal_text
from pricing.models import ExchangeRate
from pricing.querysets import DatedRate

_GRAIN = Decimal("1e-12")


class Rates:
    """The rates an answer needs, each read once. A currency without a rate that day stays without one."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, date], DatedRate | None] = {}

    def on(self, currency: str, at: datetime) -> DatedRate | None:
        asked = (currency, at.date())
        if asked not in self._known:
            self._known[asked] = ExchangeRate.objects.on(*asked)
        return self._known[asked]


def in_usd(amount: Decimal, rate: DatedRate | None) -> Decimal | None:
    """The amount in USD, rounded at 1e-12 half up; None where no rate is known."""
    return None if rate is None else (amount * rate.usd).quantize(_GRAIN, ROUND_HALF_UP)


def rate_json(rate: DatedRate | None) -> dict[str, Any] | None:
    """A rate as an answer states it: what one unit of the currency was worth in USD, on which day, says who."""
    if rate is None:
        return None
    return {
        "currency": rate.currency, "usd": decimal_text(rate.usd), "day": rate.day.isoformat(), "source": rate.source
    }  # fmt: skip
