"""What a use would cost on a candidate's price cards, exactly: by unit, prompt size and hour, by the target's caching.

Pure. The tokens are those of the token log; where another model counts or writes more, a factor says by how much, and
the cost is a range. It contains the cost at every factor inside the factors' ranges, and every card that a slice of
requests may fall on: a longer prompt may reach a dearer context tier, an hour may lie half inside a schedule.

What the target does not price is unpriced, with one exception that is stated (`Assumption`): the tokens of a cache that
the target does not have are sent in full.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple

from pricing.cost import QUANTUM, CardPrices, Tokens, choose
from pricing.schedules import occurrences
from pricing.units import LIFETIMES
from usage.advice import MONTH, Range
from usage.substitution.offers import Candidate, PricedCard
from usage.token_log import EVERY_HOUR, Slice, Use

_EXACT: Final = Context(prec=80, rounding=ROUND_HALF_UP)
ONE: Final = Decimal(1)
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

    input: Range = Range(ONE, ONE)
    output: Range = Range(ONE, ONE)


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


class Sliced:
    """A use, with its slices summed as coarsely as a set of cards allows."""

    def __init__(self, use: Use) -> None:
        self.use = use
        self.slices: tuple[Slice, ...] = use.slices or (Slice(0, EVERY_HOUR, use.requests or 0, use.tokens),)
        self._summed: dict[tuple[bool, bool], tuple[Slice, ...]] = {(True, True): self.slices}

    def by(self, *, size: bool, hour: bool) -> tuple[Slice, ...]:
        """The slices, told apart by prompt size, by hour, by both or not at all."""
        if (size, hour) not in self._summed:
            groups: dict[tuple[int, int], list[Slice]] = defaultdict(list)
            for one in self.slices:
                groups[one.prompt_tokens if size else 0, one.hour if hour else EVERY_HOUR].append(one)
            self._summed[size, hour] = tuple(
                Slice(*key, sum(one.requests for one in found), added(one.tokens for one in found))
                for key, found in groups.items()
            )
        return self._summed[size, hour]


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
    for held in _combinations(frozenset(schedules), moment):
        pricing = _Pricing(offer, moment, SAME, is_target=False, hides_writes=False, held=held)
        found = pricing.of(sliced)
        if found.cost is not None:
            when = f"in {' and '.join(sorted(held))}" if held else f"outside {' and '.join(sorted(schedules))}"
            told.append((found.cost.low, when, found))
    best = min(told, key=lambda one: one[:2], default=None)
    return (best[2], best[1]) if best else None


def monthly(amount: Decimal, days: int) -> Decimal:
    """An amount of so many days as one of a month."""
    return _EXACT.quantize(_EXACT.divide(_EXACT.multiply(amount, MONTH), Decimal(days)), QUANTUM)


def monthly_range(amount: Range, days: int) -> Range:
    return Range(monthly(amount.low, days), monthly(amount.high, days))


def added(tokens: Iterable[Tokens]) -> Tokens:
    """The sum of token counts."""
    every = list(tokens)
    lifetimes: dict[str, int] = defaultdict(int)
    for one in every:
        for lifetime, count in one.cache_write_by_lifetime.items():
            lifetimes[lifetime] += count
    names = ("input", "cache_read", "cache_write", "output", "reasoning")
    sums = {name: sum(getattr(one, name) or 0 for one in every) for name in names}
    return Tokens(**sums, cache_write_by_lifetime=dict(lifetimes))


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
        size = any(one.key.context_from for one in cards)
        hour = self.held is None and any(one.key.schedule for one in cards)
        low = high = _NOTHING
        units: dict[str, list[tuple[int, Decimal | None]]] = defaultdict(list)
        for one in sliced.by(size=size, hour=hour):
            self._note_unknown(one, size, hour)
            reached = self._reached(cards, one, self._scaled(cards, one.prompt_tokens))
            as_it_is = self._reached(cards, one, [one.prompt_tokens])
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

    def _note_unknown(self, one: Slice, size: bool, hour: bool) -> None:
        if size and not one.prompt_tokens:
            self.assumed.add(Assumption.SIZES_UNKNOWN)
        if hour and one.hour == EVERY_HOUR:
            self.assumed.add(Assumption.HOURS_UNKNOWN)

    def _reached(self, cards: Sequence[PricedCard], one: Slice, sizes: Iterable[int]) -> list[CardPrices]:
        """Every card that the requests of a slice may fall on at some prompt sizes; none where one falls on none."""
        by_key = {card.key.id: card.prices for card in cards}
        keys = [card.key for card in cards]
        schedules = frozenset(key.schedule for key in keys if key.schedule)
        hours = _held(schedules, one.hour, self.moment) if self.held is None else (self.held,)
        chosen = [choose(keys, size, self.moment, held) for size, held in product(sizes, hours)]
        found = dict.fromkeys(key.id for key in chosen if key is not None)
        return [] if None in chosen else [by_key[key] for key in found]

    def _scaled(self, cards: Iterable[PricedCard], prompt: int) -> list[int]:
        """Sizes that the prompts may have as the target counts them: one for each context tier in reach."""
        least, most = (int(prompt * factor) for factor in (self.scale.input.low, self.scale.input.high))
        starts = {card.key.context_from for card in cards} - {0}
        edges = {edge for start in starts for edge in (start, start + 1) if least < edge <= most}
        return sorted({least, most} | edges)

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


def _combinations(schedules: frozenset[str], moment: datetime) -> set[frozenset[str]]:
    """The sets of schedules that are in force in some whole hour of the week."""
    found = (_held(schedules, hour, moment) for hour in range(7 * 24))
    return {sets[0] for sets in found if len(sets) == 1}


@lru_cache(maxsize=4096)
def _held(schedules: frozenset[str], hour: int, moment: datetime) -> tuple[frozenset[str], ...]:
    """The sets of schedules that may be in force in an hour of the week: several where one covers a part of it."""
    if not schedules:
        return (frozenset(),)
    choices = [((text,), ()) if part is None else ((text,),) if part else ((),)
               for text in sorted(schedules) for part in (_covers(text, hour, moment),)]  # fmt: skip
    return tuple(frozenset(text for one in chosen for text in one) for chosen in product(*choices))


def _covers(text: str, hour: int, moment: datetime) -> bool | None:
    """Whether a schedule holds in all of an hour of the week of a moment, or in none of it; None: in part, or unknown.

    Holidays are left out: the log's hours are of a whole month.
    """
    if hour == EVERY_HOUR:
        return None
    monday = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(moment.weekday())
    start = monday + timedelta(hours=hour)
    end = start + timedelta(hours=1)
    covered = timedelta()
    for opens, closes in occurrences(text, start.date(), start.date(), {}):
        covered += max(min(closes, end) - max(opens, start), timedelta())
    return None if timedelta() < covered < end - start else covered > timedelta()
