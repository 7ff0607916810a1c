"""How far the sellers of one model differ: input and output of every offering at the standard tier, in USD."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median

from dashboards import formatting
from dashboards.pages.compare.table import rate_words
from dashboards.pages.model.facts import Ask, Held, Seller, evidence_url
from pricing.answers.rates import Rates
from pricing.units import is_token_unit

_MTOK = Decimal(1_000_000)
_EDGE = 1.5
"""Per cent of the strip left free at either end, so that no dot is cut."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One offering's price; `usd` None where no rate is known, `x` None where it has no place on the strip."""

    seller: Seller
    text: str
    usd: Decimal | None
    conversion: str
    evidence: str
    grade: str
    is_yours: bool
    x: float | None = None

    @property
    def usd_text(self) -> str:
        return formatting.derived_price(self.usd) if self.usd is not None else ""

    @property
    def css(self) -> str:
        return f"{'own' if self.seller.first_party else 'other'}{' yours' if self.is_yours else ''}"

    @property
    def label(self) -> str:
        worth = f", {self.usd_text} {self.conversion}" if self.conversion and self.usd is not None else ""
        whose = " (the maker)" if self.seller.first_party else ""
        yours = ", which you use" if self.is_yours else ""
        return f"{self.seller.name}{whose}{yours}: {self.text}{worth}"


@dataclass(frozen=True, slots=True)
class Strip:
    """One unit over all sellers, the cheapest first."""

    unit: str
    said: str
    dots: tuple[Dot, ...]
    low: str
    high: str
    middle_x: float
    left_out: str


def strips(
    ask: Ask, sellers: Sequence[Seller], held: Iterable[Held], rates: Rates, on: date, yours: Collection[int]
) -> tuple[Strip, ...]:
    """Input and output, each where at least two offerings have a price that can be set beside another."""
    plain = {(price.offering_id, price.unit): price for price in held if price.is_plain and is_token_unit(price.unit)}
    found = []
    for unit in ("input", "output"):
        dots = [
            _dot(ask, seller, plain[seller.offering_id, unit], rates, on, seller.offering_id in yours)
            for seller in sellers
            if (seller.offering_id, unit) in plain
        ]
        strip = _strip(unit, dots)
        if strip:
            found.append(strip)
    return tuple(found)


def _dot(ask: Ask, seller: Seller, price: Held, rates: Rates, on: date, is_yours: bool) -> Dot:
    amount, rate = price.amount * _MTOK / price.per, rates.on(price.currency, on)
    said = "" if price.currency == "USD" else rate_words(rate) if rate else "no rate known"
    return Dot(
        seller, formatting.price(amount, price.currency), amount * rate.usd if rate else None, said,
        evidence_url(ask, price.price_id), price.grade, is_yours,
    )  # fmt: skip


def _strip(unit: str, dots: Sequence[Dot]) -> Strip | None:
    paid = [dot.usd for dot in dots if dot.usd]
    if len(paid) < 2:
        return None
    low, high, middle = min(paid), max(paid), Decimal(median(paid))
    order = sorted(dots, key=lambda dot: (dot.usd is None, dot.usd or 0, dot.seller.name, dot.seller.sku))
    placed = tuple(_placed(dot, low, high) for dot in order)
    return Strip(
        unit, _said(unit, dots, low, high, middle), placed, formatting.derived_price(low),
        formatting.derived_price(high), _place(middle, low, high), _left_out(dots),
    )  # fmt: skip


def _placed(dot: Dot, low: Decimal, high: Decimal) -> Dot:
    if not dot.usd:
        return dot
    return Dot(
        dot.seller, dot.text, dot.usd, dot.conversion, dot.evidence, dot.grade, dot.is_yours, _place(dot.usd, low, high)
    )


def _place(usd: Decimal, low: Decimal, high: Decimal) -> float:
    """Per cent from the left on a log scale: the same distance is the same factor."""
    if high == low:
        return 50.0
    share = math.log(float(usd / low)) / math.log(float(high / low))
    return round(_EDGE + share * (100 - 2 * _EDGE), 2)


def _said(unit: str, dots: Sequence[Dot], low: Decimal, high: Decimal, middle: Decimal) -> str:
    paid = [dot for dot in dots if dot.usd]
    sellers = len({dot.seller.provider for dot in paid})
    over = f"{len(paid)} offerings of {sellers} {'seller' if sellers == 1 else 'sellers'}"
    name = unit.capitalize()
    if high <= low * Decimal("1.005"):
        return f"{name} costs {formatting.derived_price(low)} in all {over}."
    factor = formatting.multiple(high / low).removesuffix("×")
    span = f"from {formatting.derived_price(low)} to {formatting.derived_price(high)}"
    return f"{name} {span}, a factor of {factor}; median {formatting.derived_price(middle)}, in {over}."


def _left_out(dots: Sequence[Dot]) -> str:
    free = sum(1 for dot in dots if dot.usd == 0)
    unrated = sum(1 for dot in dots if dot.usd is None)
    parts = [
        f"{free} free" if free else "",
        f"{unrated} in a currency of which no rate is known" if unrated else "",
    ]
    said = " and ".join(part for part in parts if part)
    return f"{said}, not on the strip" if said else ""
