"""What a use would cost on a candidate's price cards, exactly: by unit, prompt size and hour, by the target's caching.

Pure. The tokens are those of the token log; where another model counts or writes more, a factor says by how much, and
the cost is a range. It contains the cost at every factor inside the factors' ranges, and every card that a slice of
requests may fall on: a longer prompt may reach a dearer context tier, an hour may lie half inside a schedule.

What the target does not price is unpriced, with one exception that is stated (`Assumption`): the tokens of a cache that
the target does not have are sent in full.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from itertools import product
from typing import Final, NamedTuple

from pricing.cost import QUANTUM, CardKey, CardPrices, Tokens, choose, summed
from pricing.units import LIFETIMES
from usage.advice import MONTH, Range
from usage.substitution.hours import held, whole_hours
from usage.substitution.offers import Candidate, PricedCard
from usage.token_log import EVERY_HOUR, Slice, Use

_EXACT: Final = Context(prec=80, rounding=ROUND_HALF_UP)
ONE: Final = Decimal(1)
UNSCALED: Final = Range(ONE, ONE)
NOWHERE: Final[frozenset[Threshold]] = frozenset()
NEVER: Final[frozenset[str]] = frozenset()
_NOTHING: Final = Decimal(0)
MTOK: Final = 1_000_000


class Assumption(StrEnum):
    """What is taken to hold of the target's caching where the log cannot say."""

    UNCACHED = "uncached"
    WRITES_AS_INPUT = "writes_as_input"
    SHORTEST_LIFETIME = "shortest_lifetime"
    WRITES_UNKNOWN = "writes_unknown"
    SIZES_UNKNOWN = "sizes_unknown"
    HOURS_UNKNOWN = "hours_unknown"


class Scale(NamedTuple):
    """By how many times the log's tokens the target counts: of all that is sent, and of all that it writes."""

    input: Range = UNSCALED
    output: Range = UNSCALED


SAME: Final = Scale()


@dataclass(frozen=True, slots=True)
class UnitCost:
    """Tokens of the log of a unit, the plain price per Mtok and what they cost before any factor; None is unknown."""

    tokens: int
    price: Decimal | None
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Repriced:
    """What a use costs: `cost` with the scale, in the organisation's currency; None where `unpriced` names a unit.

    `by_unit` is before any factor, by the log's own units: what was read from a cache stands there whatever it is
    billed as.
    """

    cost: Range | None
    by_unit: Mapping[str, UnitCost]
    assumed: frozenset[Assumption] = frozenset()
    unpriced: tuple[str, ...] = ()

    @property
    def plain(self) -> Decimal | None:
        """The cost before any factor."""
        costs = [one.cost for one in self.by_unit.values()]
        return None if self.cost is None or None in costs else _total(cost for cost in costs if cost is not None)


class Threshold(NamedTuple):
    """Where a context tier begins: at prompts longer than so many tokens (`>`), or as long (`>=`)."""

    tokens: int
    op: str

    def reached(self, prompt: int) -> bool:
        return prompt >= self.tokens if self.op == ">=" else prompt > self.tokens


class Sliced:
    """A use, with its slices summed as coarsely as a set of cards allows: what falls on the same cards is one slice."""

    def __init__(self, use: Use) -> None:
        self.use = use
        self.slices: tuple[Slice, ...] = use.slices or (Slice(0, EVERY_HOUR, use.requests or 0, use.tokens),)
        self._summed: dict[Hashable, tuple[Slice, ...]] = {}

    def by(
        self, thresholds: frozenset[Threshold] = NOWHERE, reach: Range = UNSCALED, schedules: frozenset[str] = NEVER
    ) -> tuple[Slice, ...]:
        """The slices, told apart by the thresholds that their prompts, by factors in `reach`, may pass, and by the
        schedules of their hours. The size and hour of each are those of one that it is made of, if they matter.
        """
        by_hour = self._grouped((schedules,), self.slices, lambda one: (one.prompt_tokens, held(schedules, one.hour)))
        if not thresholds:
            return self._grouped((NOWHERE, schedules), by_hour, lambda one: held(schedules, one.hour), keeps_size=False)
        return self._grouped(
            (thresholds, reach, schedules),
            by_hour,
            lambda one: (_passed(thresholds, one.prompt_tokens, reach), held(schedules, one.hour)),
        )

    def _grouped(
        self, key: Hashable, slices: Iterable[Slice], of: Callable[[Slice], Hashable], *, keeps_size: bool = True
    ) -> tuple[Slice, ...]:
        if key not in self._summed:
            groups: dict[Hashable, list[Slice]] = defaultdict(list)
            for one in slices:
                groups[of(one)].append(one)
            self._summed[key] = tuple(_sum(found, keeps_size) for found in groups.values())
        return self._summed[key]


def cost_of(sliced: Sliced, offer: Candidate, moment: datetime) -> Repriced:
    """What a use costs where it is: on the offer's own cards, with nothing assumed of its caching."""
    return _Pricing(offer, moment, SAME, is_target=False, hides_writes=False).of(sliced)


def reprice(
    sliced: Sliced, target: Candidate, moment: datetime, scale: Scale = SAME, current: Candidate | None = None
) -> Repriced:
    """What a use would cost on a target's cards in force at a moment.

    `current` is where the log is from: if that prices no cache writes and the target does, nobody knows how much of
    the uncached input the target would have to write, and the cost reaches from none of it to all of it.
    """
    hides = current is not None and not _writes(current.plain(moment))
    return _Pricing(target, moment, scale, is_target=True, hides_writes=hides).of(sliced)


def cheapest_hours(sliced: Sliced, offer: Candidate, moment: datetime) -> tuple[Repriced, str] | None:
    """What a use costs where it is if all of it were asked in the hours that cost least, and which these are.

    None where all hours cost the same.
    """
    schedules = {one.key.schedule for one in offer.in_force(moment)} - {""}
    if not schedules:
        return None
    told: list[tuple[Decimal, str, Repriced]] = []
    for together in whole_hours(frozenset(schedules)):
        pricing = _Pricing(offer, moment, SAME, is_target=False, hides_writes=False, held=together)
        found = pricing.of(sliced)
        if found.cost is not None:
            when = f"in {' and '.join(sorted(together))}" if together else f"outside {' and '.join(sorted(schedules))}"
            told.append((found.cost.low, when, found))
    best = min(told, key=lambda one: one[:2], default=None)
    return (best[2], best[1]) if best else None


def monthly(amount: Decimal, days: int) -> Decimal:
    """An amount of so many days as one of a month."""
    return _EXACT.quantize(_EXACT.divide(_EXACT.multiply(amount, MONTH), Decimal(days)), QUANTUM)


def monthly_range(amount: Range, days: int) -> Range:
    return Range(monthly(amount.low, days), monthly(amount.high, days))


class _Billed(NamedTuple):
    """Tokens of a unit of the log as a target bills them: at least and at most at these prices; None is unpriced."""

    unit: str
    tokens: int
    low: Decimal | None
    high: Decimal | None
    is_output: bool = False


@dataclass(slots=True)
class _Pricing:
    target: Candidate
    moment: datetime
    scale: Scale
    is_target: bool
    hides_writes: bool
    held: frozenset[str] | None = None
    assumed: set[Assumption] = field(default_factory=set)
    unpriced: dict[str, None] = field(default_factory=dict)

    def of(self, sliced: Sliced) -> Repriced:
        cards = self.target.in_force(self.moment)
        thresholds = frozenset(Threshold(k.context_from, k.context_op) for k in _keys(cards) if k.context_from)
        schedules = NEVER if self.held is not None else frozenset(k.schedule for k in _keys(cards) if k.schedule)
        low = high = _NOTHING
        units: dict[str, list[tuple[int, Decimal | None]]] = defaultdict(list)
        for one in sliced.by(thresholds, self.scale.input, schedules):
            self._note_unknown(one, bool(thresholds), bool(schedules))
            reached = self._reached(
                cards, _scaled(thresholds, one.prompt_tokens, self.scale.input), schedules, one.hour
            )
            as_it_is = self._reached(cards, [one.prompt_tokens], schedules, one.hour)
            if not reached or not as_it_is:
                self.unpriced.setdefault("input" if one.tokens.prompt else "output")
                continue
            ends = [self._ends(card, one.tokens) for card in reached]
            low = _EXACT.add(low, min(end.low for end in ends))
            high = _EXACT.add(high, max(end.high for end in ends))
            self._tell(units, as_it_is[0], one.tokens)
        by_unit = self._by_unit(units, self.target.plain(self.moment))
        cost = None if self.unpriced else Range(_EXACT.quantize(low, QUANTUM), _EXACT.quantize(high, QUANTUM))
        return Repriced(cost, by_unit, frozenset(self.assumed), tuple(self.unpriced))

    def _note_unknown(self, one: Slice, has_sizes: bool, has_hours: bool) -> None:
        if has_sizes and not one.prompt_tokens:
            self.assumed.add(Assumption.SIZES_UNKNOWN)
        if has_hours and one.hour == EVERY_HOUR:
            self.assumed.add(Assumption.HOURS_UNKNOWN)

    def _reached(
        self, cards: Sequence[PricedCard], sizes: Iterable[int], schedules: frozenset[str], hour: int
    ) -> list[CardPrices]:
        """Every card that requests of an hour may fall on at some prompt sizes; none where one falls on none."""
        hours = held(schedules, hour) if self.held is None else (self.held,)
        chosen = [choose(_keys(cards), size, self.moment, one) for size, one in product(sizes, hours)]
        found = dict.fromkeys(key.id for key in chosen if key is not None)
        by_key = {card.key.id: card.prices for card in cards}
        return [] if None in chosen else [by_key[key] for key in found]

    def _ends(self, card: CardPrices, tokens: Tokens) -> Range:
        rate = self.target.rates.get(card.currency)
        if rate is None:
            self.unpriced.setdefault(f"{card.currency} (no exchange rate)")
            return Range(_NOTHING, _NOTHING)
        low = high = _NOTHING
        for part in self._billed(card, tokens):
            if part.low is None or part.high is None:
                self.unpriced.setdefault(part.unit)
                continue
            by = self.scale.output if part.is_output else self.scale.input
            low = _EXACT.add(low, _times(part.tokens, part.low, by.low, rate))
            high = _EXACT.add(high, _times(part.tokens, part.high, by.high, rate))
        return Range(low, high)

    def _tell(self, units: dict[str, list[tuple[int, Decimal | None]]], card: CardPrices, tokens: Tokens) -> None:
        rate = self.target.rates.get(card.currency)
        for part in self._billed(card, tokens):
            known = part.low is not None and rate is not None
            cost = _times(part.tokens, part.low, rate) if known and part.low is not None and rate is not None else None
            units[part.unit].append((part.tokens, cost))

    def _by_unit(
        self, units: Mapping[str, Sequence[tuple[int, Decimal | None]]], plain: CardPrices | None
    ) -> dict[str, UnitCost]:
        told = {}
        for unit, found in units.items():
            costs = [cost for _, cost in found if cost is not None]
            cost = _EXACT.quantize(_total(costs), QUANTUM) if len(costs) == len(found) else None
            told[unit] = UnitCost(sum(tokens for tokens, _ in found), self._plain_price(unit, plain), cost)
        return told

    def _plain_price(self, unit: str, plain: CardPrices | None) -> Decimal | None:
        if plain is None or (rate := self.target.rates.get(plain.currency)) is None:
            return None
        price = self._price_of(plain, unit)
        return None if price is None else _EXACT.quantize(_times(MTOK, price, rate), QUANTUM)

    def _price_of(self, card: CardPrices, unit: str) -> Decimal | None:
        if unit == "cache_read":
            return self._read_price(card)
        return self._write_price(card, unit) if unit.startswith("cache_write") else card.price(unit)

    def _billed(self, card: CardPrices, tokens: Tokens) -> Iterator[_Billed]:
        """The tokens by the log's units at the prices that the card has for them."""
        if tokens.input:
            yield self._input(card, tokens)
        if tokens.cache_read:
            price = self._read_price(card)
            yield _Billed("cache_read", tokens.cache_read, price, price)
        for unit, count in _written(tokens):
            price = self._write_price(card, unit)
            yield _Billed(unit, count, price, price)
        apart = (tokens.reasoning or 0) if "reasoning" in card.prices else 0
        for unit, count in (("output", (tokens.output or 0) - apart), ("reasoning", apart)):
            if count:
                price = card.price(unit)
                yield _Billed("output", count, price, price, is_output=True)

    def _input(self, card: CardPrices, tokens: Tokens) -> _Billed:
        price = card.price("input")
        written = [card.price(unit) for unit in _writes(card)]
        hidden = self.hides_writes and tokens.cache_read and not tokens.cache_write and written
        if not hidden or price is None or card.price("cache_read") is None:
            return _Billed("input", tokens.input or 0, price, price)
        self.assumed.add(Assumption.WRITES_UNKNOWN)
        shortest = next(one for one in written if one is not None)
        return _Billed("input", tokens.input or 0, min(price, shortest), max(price, shortest))

    def _read_price(self, card: CardPrices) -> Decimal | None:
        price = card.price("cache_read")
        if price is not None or not self.is_target:
            return price
        self.assumed.add(Assumption.UNCACHED)
        return card.price("input")

    def _write_price(self, card: CardPrices, unit: str) -> Decimal | None:
        price = card.price(unit)
        if price is not None or not self.is_target:
            return price
        priced = _writes(card)
        if priced:
            self.assumed.add(Assumption.SHORTEST_LIFETIME)
            return card.price(priced[0])
        has_reads = card.price("cache_read") is not None
        self.assumed.add(Assumption.WRITES_AS_INPUT if has_reads else Assumption.UNCACHED)
        return card.price("input")


def _writes(card: CardPrices | None) -> list[str]:
    """The units of cache writes that a card prices, the shortest lifetime first."""
    units = ["cache_write", *(f"cache_write_{lifetime}" for lifetime in LIFETIMES)]
    return [] if card is None else [unit for unit in units if unit in card.prices]


def _written(tokens: Tokens) -> Iterator[tuple[str, int]]:
    """Cache writes by the unit that prices them, as `pricing.cost` tells them apart."""
    counts: dict[str, int] = defaultdict(int)
    for lifetime, count in sorted(tokens.cache_write_by_lifetime.items()):
        counts[f"cache_write_{lifetime}" if lifetime in LIFETIMES else "cache_write"] += count
    counts["cache_write"] += (tokens.cache_write or 0) - sum(tokens.cache_write_by_lifetime.values())
    return ((unit, count) for unit, count in counts.items() if count)


def _times(tokens: int, *by: Decimal) -> Decimal:
    found = Decimal(tokens)
    for one in by:
        found = _EXACT.multiply(found, one)
    return found


def _total(amounts: Iterable[Decimal]) -> Decimal:
    found = _NOTHING
    for one in amounts:
        found = _EXACT.add(found, one)
    return found


def _keys(cards: Iterable[PricedCard]) -> list[CardKey]:
    return [card.key for card in cards]


def _sum(slices: Sequence[Slice], keeps_size: bool) -> Slice:
    size = slices[0].prompt_tokens if keeps_size else 0
    if len(slices) == 1 and size == slices[0].prompt_tokens:
        return slices[0]
    requests, tokens = sum([one.requests for one in slices]), summed([one.tokens for one in slices])
    return Slice(size, slices[0].hour, requests, tokens)


def _passed(thresholds: frozenset[Threshold], prompt: int, reach: Range) -> Hashable:
    """What tells prompt sizes apart: the thresholds passed by the log's own count, by the least and the most."""
    sizes = (prompt, int(prompt * reach.low), int(prompt * reach.high))
    return bool(prompt), tuple(frozenset(one for one in thresholds if one.reached(size)) for size in sizes)


def _scaled(thresholds: Iterable[Threshold], prompt: int, reach: Range) -> list[int]:
    """Sizes that prompts may have as the target counts them: one for each context tier in reach."""
    least, most = int(prompt * reach.low), int(prompt * reach.high)
    edges = {edge for one in thresholds for edge in (one.tokens, one.tokens + 1) if least < edge <= most}
    return sorted({least, most} | edges)
