"""What a number of tokens costs on one rate card. Pure, exact, and the twin of the ledger's rating statement.

Components are exact products; the sum is rounded once, at 1e-12, half away from zero, as PostgreSQL's numeric does.
Any tokens whose price is unknown make the whole cost unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

from pricing.units import LIFETIMES, STANDS_IN

QUANTUM = Decimal("1e-12")
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
_add, _multiply = _EXACT.add, _EXACT.multiply


@dataclass(frozen=True, slots=True)
class Tokens:
    """Disjoint token counts of one request; `reasoning` is part of `output`. None counts as nothing."""

    input: int | None = 0
    cache_read: int | None = 0
    cache_write: int | None = 0
    output: int | None = 0
    reasoning: int | None = 0
    cache_write_by_lifetime: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        output, reasoning, written = self.output or 0, self.reasoning or 0, self.cache_write or 0
        lifetimes = self.cache_write_by_lifetime.values()
        if min(self.input or 0, self.cache_read or 0, written, output, reasoning, *lifetimes) < 0:
            raise ValueError("Token counts cannot be negative.")
        if sum(lifetimes) > written:
            raise ValueError("Cache writes by lifetime exceed cache_write, which must be their sum.")
        if reasoning > output:
            raise ValueError("Reasoning tokens exceed output, which must include them.")

    @property
    def prompt(self) -> int:
        """Tokens that choose the context tier: all input, cached or not."""
        return (self.input or 0) + (self.cache_read or 0) + (self.cache_write or 0)


def summed(tokens: Iterable[Tokens]) -> Tokens:
    """The sum of token counts; an unknown count counts as nothing."""
    sent = read = written = output = reasoning = 0
    lifetimes: dict[str, int] = {}
    for one in tokens:
        sent += one.input or 0
        read += one.cache_read or 0
        written += one.cache_write or 0
        output += one.output or 0
        reasoning += one.reasoning or 0
        for lifetime, count in one.cache_write_by_lifetime.items():
            lifetimes[lifetime] = lifetimes.get(lifetime, 0) + count
    return Tokens(sent, read, written, output, reasoning, lifetimes)


@dataclass(frozen=True, slots=True)
class CardPrices:
    """The prices of one rate card, per single token by unit; a unit that is absent is unknown."""

    currency: str
    prices: Mapping[str, Decimal]

    def price(self, unit: str) -> Decimal | None:
        """The unit's price, or that of the unit that stands in for it."""
        found = self.prices.get(unit)
        if found is None and unit in STANDS_IN:
            return self.prices.get(STANDS_IN[unit])
        return found


class Component(NamedTuple):
    """One product of the sum: tokens of a unit at its price, unrounded."""

    unit: str
    tokens: int
    price: Decimal | None

    @property
    def amount(self) -> Decimal | None:
        return None if self.price is None else _multiply(self.tokens, self.price)


class Cost(NamedTuple):
    """The cost in the card's own currency, None where a price is unknown; `unknown` names the units."""

    amount: Decimal | None
    currency: str
    components: tuple[Component, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        return tuple(part.unit for part in self.components if part.price is None)


def rate(card: CardPrices, tokens: Tokens) -> Cost:
    """The cost of the tokens on the card."""
    parts = _components(card, tokens)
    total: Decimal | int = 0
    for _, count, price in parts:
        if price is None:
            return Cost(None, card.currency, parts)
        # The context's own methods: entering a context costs as much as the whole sum.
        total = _add(total, _multiply(count, price))
    return Cost(_EXACT.quantize(total, QUANTUM), card.currency, parts)


def _components(card: CardPrices, tokens: Tokens) -> tuple[Component, ...]:
    """The tokens by the unit they are paid in, without units of which there are none."""
    parts, price = [], card.price
    if tokens.input:
        parts.append(Component("input", tokens.input, price("input")))
    if tokens.cache_read:
        parts.append(Component("cache_read", tokens.cache_read, price("cache_read")))
    if unstated := tokens.cache_write:
        for lifetime, count in sorted(tokens.cache_write_by_lifetime.items()):
            if count:
                unit = f"cache_write_{lifetime}" if lifetime in LIFETIMES else "cache_write"
                parts.append(Component(unit, count, price(unit)))
                unstated -= count
        if unstated:
            parts.append(Component("cache_write", unstated, price("cache_write")))
    apart = (tokens.reasoning or 0) if "reasoning" in card.prices else 0
    if answered := (tokens.output or 0) - apart:
        parts.append(Component("output", answered, price("output")))
    if apart:
        parts.append(Component("reasoning", apart, price("reasoning")))
    return tuple(parts)


@dataclass(frozen=True, slots=True)
class CardKey:
    """Where a card applies."""

    id: int
    context_from: int
    context_op: str
    schedule: str
    effective_from: datetime
    effective_until: datetime | None

    def reached(self, prompt_tokens: int) -> bool:
        """Whether a request of this many prompt tokens is in the card's context tier."""
        if not self.context_from:
            return True
        return prompt_tokens >= self.context_from if self.context_op == ">=" else prompt_tokens > self.context_from


def choose(
    cards: Iterable[CardKey], prompt_tokens: int, at: datetime, schedules_in_force: frozenset[str]
) -> CardKey | None:
    """The card of one offering and tier for a request: the highest context tier reached, the specific schedule first.

    `schedules_in_force` are the schedule texts that hold at `at`.
    """
    best: CardKey | None = None
    for card in cards:
        if (
            card.effective_from <= at
            and (card.effective_until is None or at < card.effective_until)
            and (not card.context_from or card.reached(prompt_tokens))
            and (not card.schedule or card.schedule in schedules_in_force)
            and (best is None or _more_specific(card, best))
        ):
            best = card
    return best


def _more_specific(card: CardKey, other: CardKey) -> bool:
    return (card.context_from, card.schedule != "") > (other.context_from, other.schedule != "")
