"""What a basket costs at two times: index numbers and, in money, the part of a change that prices made. Pure and exact.

A basket is {item: Line}; an item is anything hashable of which one price makes sense: value ÷ quantity. What a line
means where one of the two is special:

- quantity but no money (0): free, a price of 0, known like any other;
- money but no quantity: no price. Such money is neither price nor volume: its change stands in `remainder`;
- an unknown price (value None): never 0. The item is in no index; the money by which it joins or leaves what is known
  stands in `unknown`, and the items are counted;
- neither: as if the item were not there.

Every part is a Decimal at the ledger's grain and the parts of each item sum to the change of its value, so all sums are
exact whatever is added up, in any order. One rounding an item, of the price effect, half away from zero; the volume
effect is what is left. (Sums of exact fractions rounded once at the end would be nearer to the true total by up to half
a grain an item, but then the bars of a chart would not add up to what opens behind them.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction
from typing import Any

GRAIN = 12
"""Decimals of money in the ledger."""
_FINE = 60
"""Decimals of each term in the sum of an index, so that the order of items cannot matter."""
_EXACT = Context(prec=400, traps=[Inexact, InvalidOperation])
_RATIO = Context(prec=60, rounding=ROUND_HALF_EVEN)
_INDEX = Context(prec=40, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Line:
    """What was used of an item and what it cost; `native` is the cost in the currency it is sold in, where known."""

    quantity: int | Decimal
    value: Decimal | None
    native: Decimal | None = None
    currency: str = ""

    def __post_init__(self) -> None:
        if self.quantity < 0:
            raise ValueError("A quantity cannot be negative: take what was withdrawn out of it first.")
        if self.quantity and self.value is not None and self.value < 0:
            raise ValueError("A price cannot be negative: give credits as money without a quantity.")

    @property
    def is_nothing(self) -> bool:
        return self.quantity == 0 and self.value == 0

    @property
    def has_price(self) -> bool:
        return self.quantity > 0 and self.value is not None


Basket = Mapping[Any, Line]


@dataclass(frozen=True, slots=True)
class Parts:
    """A change of money in parts that sum to it exactly."""

    price: Decimal = Decimal(0)
    exchange: Decimal = Decimal(0)
    volume: Decimal = Decimal(0)
    new: Decimal = Decimal(0)
    ended: Decimal = Decimal(0)
    unknown: Decimal = Decimal(0)
    remainder: Decimal = Decimal(0)

    def __add__(self, other: Parts) -> Parts:
        return Parts(*(_EXACT.add(one, two) for one, two in zip(astuple(self), astuple(other), strict=True)))

    @property
    def change(self) -> Decimal:
        return exact_sum(astuple(self))


@dataclass(frozen=True, slots=True)
class Change:
    """From one basket to another: the parts of each item, their sum, and how many items have no known price."""

    by_item: Mapping[Any, Parts]
    unknown_items: int

    @property
    def parts(self) -> Parts:
        return sum(self.by_item.values(), Parts())


def bennet(before: Basket, after: Basket) -> Change:
    """The change of money between two baskets in Bennet's parts, which sum to it exactly.

    Over the items in both, with prices p and quantities q of the two times 0 and 1:

        price effect   Σ ½ (q₀ + q₁) (p₁ − p₀)
        volume effect  Σ ½ (p₀ + p₁) (q₁ − q₀)

    New items are all their money, ended ones minus all of theirs. Where an item is sold in another currency its price
    is a price there n times a rate f, and the same rule within the price effect sets apart what the rates made:

        exchange       Σ ½ (q₀ + q₁) ½ (n₀ + n₁) (f₁ − f₀)

    Months add: the change from the first to the last is the sum of those between, each by its own prices. Turned around
    in time every part changes its sign, new and ended their places.

    Bennet, T. L. (1920), "The theory of measurement of changes in cost of living", Journal of the Royal Statistical
    Society 83, 455-462; Diewert, W. E. (2005), "Index number theory using differences rather than ratios", American
    Journal of Economics and Sociology 64, 311-360.
    """
    found: dict[Any, Parts] = {}
    unknown = 0
    for item in {**before, **after}:
        old, new = _there(before, item), _there(after, item)
        unknown += any(line is not None and line.value is None for line in (old, new))
        found[item] = _parts(old, new)
    return Change(found, unknown)


def _there(basket: Basket, item: Any) -> Line | None:
    line = basket.get(item)
    return None if line is None or line.is_nothing else line


def _parts(old: Line | None, new: Line | None) -> Parts:
    lines = [line for line in (old, new) if line is not None]
    change = _EXACT.subtract(_known(new), _known(old))
    if any(line.value is None for line in lines):
        return Parts(unknown=change)
    if not all(line.has_price for line in lines):
        return Parts(remainder=change)
    if old is None:
        return Parts(new=change)
    if new is None:
        return Parts(ended=change)
    quantity = (Fraction(old.quantity) + Fraction(new.quantity)) / 2
    priced = rounded(quantity * (_price(new) - _price(old)))
    exchange = rounded(quantity * _exchange(old, new))
    return Parts(_EXACT.subtract(priced, exchange), exchange, _EXACT.subtract(change, priced))


def _known(line: Line | None) -> Decimal:
    return Decimal(0) if line is None or line.value is None else line.value


def _price(line: Line) -> Fraction:
    return Fraction(_known(line)) / Fraction(line.quantity)


def _exchange(old: Line, new: Line) -> Fraction:
    """How much of the difference of two prices is that of the rates they were converted at."""
    if not old.native or not new.native or old.currency != new.currency:
        return Fraction(0)
    rates = [Fraction(_known(line)) / Fraction(line.native or 1) for line in (old, new)]
    natives = [Fraction(line.native or 0) / Fraction(line.quantity) for line in (old, new)]
    return sum(natives, Fraction(0)) / 2 * (rates[1] - rates[0])


@dataclass(frozen=True, slots=True)
class Comparison:
    """Price indices from one basket to another over the items priced in both, and which share of the known money of
    each basket those are (None of no money). Without a `reason` all three are there, with one none is."""

    laspeyres: Decimal | None = None
    paasche: Decimal | None = None
    fisher: Decimal | None = None
    matched_before: Decimal | None = None
    matched_after: Decimal | None = None
    reason: str = ""


def compared(before: Basket, after: Basket) -> Comparison:
    """The three indices, with prices p and quantities q of the two times 0 and 1, over the items priced in both:

        Laspeyres  Σ p₁q₀ ÷ Σ p₀q₀      what the old basket would cost now
        Paasche    Σ p₁q₁ ÷ Σ p₀q₁      what the new basket would have cost then
        Fisher     √(Laspeyres × Paasche)

    ILO, IMF, OECD, UNECE, Eurostat, World Bank, Consumer Price Index Manual: Theory and Practice (2004), chapter 15;
    the same in IMF and others, Producer Price Index Manual (2004), chapter 15.
    """
    pairs = [
        (line, after[item])
        for item, line in before.items()
        if line.has_price and item in after and after[item].has_price
    ]
    then, now = (exact_sum(_known(pair[n]) for pair in pairs) for n in (0, 1))
    shares = (_share(then, before), _share(now, after))
    if not pairs:
        return Comparison(None, None, None, *shares, reason="Nothing has a known price in both months.")
    if not then:
        return Comparison(None, None, None, *shares, reason="All that is priced in both months was free before.")
    old_basket_now = _at_prices(pairs)
    new_basket_then = _at_prices([(new, old) for old, new in pairs])
    laspeyres, paasche = _RATIO.divide(old_basket_now, then), _RATIO.divide(now, new_basket_then)
    fisher = _RATIO.sqrt(_RATIO.multiply(laspeyres, paasche))
    return Comparison(_INDEX.plus(laspeyres), _INDEX.plus(paasche), _INDEX.plus(fisher), *shares)


def laspeyres(before: Basket, after: Basket) -> Decimal | None:
    return compared(before, after).laspeyres


def paasche(before: Basket, after: Basket) -> Decimal | None:
    return compared(before, after).paasche


def fisher(before: Basket, after: Basket) -> Decimal | None:
    return compared(before, after).fisher


def _at_prices(pairs: Iterable[tuple[Line, Line]]) -> Decimal:
    """What the quantities of the first of each pair cost at the price of the second."""
    return exact_sum(rounded(Fraction(one.quantity) * _price(other), _FINE) for one, other in pairs)


def _share(matched: Decimal, basket: Basket) -> Decimal | None:
    whole = exact_sum(_known(line) for line in basket.values() if line.has_price)
    return _INDEX.divide(matched, whole) if whole else None


@dataclass(frozen=True, slots=True)
class Level:
    """A month of a chained index: its levels, the place of the month it was compared with, and that comparison."""

    laspeyres: Decimal | None = None
    paasche: Decimal | None = None
    fisher: Decimal | None = None
    base: int | None = None
    link: Comparison = Comparison()


def chained(baskets: Sequence[Basket]) -> list[Level]:
    """Levels of a series of baskets, each compared with the one before and multiplied on; the first priced one is 100.

    Where nothing matches the level is None with the reason, and the next basket is compared with the last that has one.
    """
    levels: list[Level] = []
    last: int | None = None
    for place, basket in enumerate(baskets):
        if last is None:
            if any(line.has_price for line in basket.values()):
                levels.append(Level(Decimal(100), Decimal(100), Decimal(100)))
                last = place
            else:
                levels.append(Level(link=Comparison(reason="Nothing has a known price in this month.")))
            continue
        link = compared(baskets[last], basket)
        if link.reason:
            levels.append(Level(base=last, link=link))
            continue
        levels.append(_linked(levels[last], last, link))
        last = place
    return levels


def _linked(level: Level, base: int, link: Comparison) -> Level:
    def on(one: Decimal | None, factor: Decimal | None) -> Decimal | None:
        return None if one is None or factor is None else _INDEX.multiply(one, factor)

    return Level(
        on(level.laspeyres, link.laspeyres),
        on(level.paasche, link.paasche),
        on(level.fisher, link.fisher),
        base,
        link,
    )


def rounded(amount: Fraction, decimals: int = GRAIN) -> Decimal:
    """Half away from zero, as PostgreSQL's numeric rounds: turned around, a change is the same with the other sign."""
    whole = abs(amount.numerator) * 10**decimals
    units = (2 * whole + amount.denominator) // (2 * amount.denominator)
    return _EXACT.scaleb(Decimal(units if amount > 0 else -units), -decimals)


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """A sum that loses no digit, whatever the context of the caller."""
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total
