"""What a currency was worth in USD: the newest published rate not after a day. None where no rate is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pricing.answers.wording import decimal_text
from pricing.models import ExchangeRate

_GRAIN = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Rate:
    """USD for one unit of a currency, of which day, by whom."""

    currency: str
    usd: Decimal
    day: date | None = None
    source: str = ""
    slug: str = ""

    def in_usd(self, amount: Decimal) -> Decimal:
        """An amount of the currency in USD, rounded at 1e-12 half up."""
        return (amount * self.usd).quantize(_GRAIN, ROUND_HALF_UP)

    def as_json(self) -> dict[str, Any]:
        """As an answer states it: what one unit of the currency was worth in USD, on which day, says which source."""
        return {
            "currency": self.currency, "usd": decimal_text(self.usd), "day": self.day and self.day.isoformat(),
            "source": self.slug,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates by currency, the oldest first: asked for a day, the newest of that day or before answers."""

    by_currency: Mapping[str, tuple[Rate, ...]] = field(default_factory=dict)

    def on(self, currency: str, day: date) -> Rate | None:
        """USD itself is worth 1 without any source; a currency without a rate up to the day has none."""
        if currency == "USD":
            return Rate("USD", Decimal(1))
        known = [rate for rate in self.by_currency.get(currency, ()) if rate.day is not None and rate.day <= day]
        return known[-1] if known else None

    def days(self, currency: str) -> list[date]:
        """The days on which another rate begins to hold."""
        return [rate.day for rate in self.by_currency.get(currency, ()) if rate.day is not None]


def rates(currencies: Iterable[str], until: date, since: date | None = None) -> Rates:
    """The rates of some currencies: the one of `until`, or every one of [since, until] and the last before.

    No query where all is USD. Where sources state two rates of one day, the first source by slug is taken.
    """
    wanted = sorted(set(currencies) - {"USD", ""})
    if not wanted:
        return Rates()
    rows = ExchangeRate.objects.standing().filter(currency__in=wanted, day__lte=until)
    if since is None:
        rows = rows.order_by("currency", "-day", "source__slug").distinct("currency")
    else:
        rows = rows.order_by("currency", "day", "source__slug").distinct("currency", "day")
    found: dict[str, list[Rate]] = defaultdict(list)
    for currency, day, usd, source, slug in rows.values_list(
        "currency", "day", "usd", "source__name", "source__slug"
    ):  # fmt: skip
        own = found[currency]
        if since is not None and day <= since:
            own.clear()  # only the last one before the span holds in it
        own.append(Rate(currency, usd, day, source, slug))
    return Rates({currency: tuple(own) for currency, own in found.items()})
