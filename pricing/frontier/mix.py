"""Token mixes, and the one price that a mix makes of unit prices. Pure, exact `Decimal` throughout.

A price is named by its unit (`input`, `cache_write_5m`), at the batch tier with `batch ` before it (`batch input`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Final

from pricing.units import LIFETIMES

# The grain of derived money everywhere in Ratecard: rounded once, half away from zero.
GRAIN: Final = Decimal("1e-12")
WIDE: Final = Context(prec=60, rounding=ROUND_HALF_UP)
BATCH: Final = "batch "
_KINDS: Final = ("input", "output", "cache_read", "cache_write")


@dataclass(frozen=True, slots=True)
class Mix:
    """Tokens of input : output : cache_read : cache_write by which unit prices are weighted into one blended price.

    Weights are relative (3:1:0 and 6:2:0 are the same mix), none is negative and not all are zero.
    `input` counts uncached input only, so 1:1:2 says two of three prompt tokens came from the cache. `batch` are the
    tokens that went through the batch tier, in the same proportion to all others.
    """

    input: Decimal = Decimal(3)
    output: Decimal = Decimal(1)
    cache_read: Decimal = Decimal(0)
    cache_write: Decimal = Decimal(0)
    batch: Mix | None = None

    def __post_init__(self) -> None:
        weights = self._own()
        if not all(weight.is_finite() and weight >= 0 for weight in weights):
            raise ValueError("A token mix needs weights of zero or more, such as 3:1 or 3:1:2.")
        if not any(weights) and self.batch is None:
            raise ValueError("A token mix needs at least one weight above zero, such as 3:1.")
        if self.batch is not None and self.batch.batch is not None:
            raise ValueError("A token mix has one batch part, such as 3:1+batch:2:1.")

    def _own(self) -> tuple[Decimal, ...]:
        return (self.input, self.output, self.cache_read, self.cache_write)

    @classmethod
    def parse(cls, text: str) -> Mix:
        """Read `3:1`, `3:1:2`, `3:1:2:1` (input : output [: cache_read [: cache_write]]) or such with `+batch:2:1`.

        ValueError is a sentence for the reader.
        """
        plain, batched, batch = text.partition("+batch:")
        return cls.of(_weights(plain), cls.of(_weights(batch)) if batched else None)

    @classmethod
    def of(cls, weights: Sequence[Decimal], batch: Mix | None = None) -> Mix:
        """From two to four weights in the order they are written."""
        nothing = Decimal(0)
        own_input, output, cache_read, cache_write, *_ = [*weights, nothing, nothing]
        return cls(own_input, output, cache_read, cache_write, batch)

    def weights(self) -> tuple[tuple[str, Decimal], ...]:
        """The prices this mix needs, by name, each with its weight above zero."""
        own = tuple((kind, weight) for kind, weight in zip(_KINDS, self._own(), strict=True) if weight)
        batch = self.batch.weights() if self.batch else ()
        return own + tuple((f"{BATCH}{kind}", weight) for kind, weight in batch)

    def __str__(self) -> str:
        shown = self._own() if self.cache_write else self._own()[:3]
        text = ":".join(f"{weight.normalize():f}" for weight in shown)
        return f"{text}+batch:{self.batch}" if self.batch else text


def _weights(text: str) -> list[Decimal]:
    parts = text.split(":")
    if not 2 <= len(parts) <= len(_KINDS):
        raise ValueError("Write a token mix as input:output or input:output:cache_read, such as 3:1.")
    try:
        weights = [Decimal(part.strip()) for part in parts]
    except ArithmeticError:
        raise ValueError("A token mix holds numbers only, such as 3:1 or 10:1:4.") from None
    # Twelve digits are more than any mix needs and keep a hostile `1e999999` out of the arithmetic.
    if any(weight.is_finite() and weight and not -6 <= weight.adjusted() <= 12 for weight in weights):
        raise ValueError("A token mix needs weights between 0.000001 and 1,000,000,000,000.")
    return weights


CHAT_MIX: Final = Mix()


def stated(usd_per_mtok_by_unit: Mapping[str, Decimal | None], unit: str) -> tuple[str, Decimal | None]:
    """The price that holds for a unit and the unit it is the price of; None where it is unknown.

    Two prices stand in for that of cache writes: where writes are sold by lifetime only the shortest lifetime's, and
    that of input where the seller prices cached input and no writing at any tier. Such a seller's bill knows two kinds
    of prompt tokens, cached input and input (docs/quality.md names those that say so). Who prices writes at one tier
    bills them at the others too: at what price is unknown.
    """
    price = usd_per_mtok_by_unit.get(unit)
    if price is not None or not unit.endswith("cache_write"):
        return unit, price
    tier = unit.removesuffix("cache_write")
    for lifetime in LIFETIMES:
        written = usd_per_mtok_by_unit.get(f"{unit}_{lifetime}")
        if written is not None:
            return f"{unit}_{lifetime}", written
    writes_are_sold = any("cache_write" in name for name, of in usd_per_mtok_by_unit.items() if of is not None)
    if writes_are_sold or usd_per_mtok_by_unit.get(f"{tier}cache_read") is None:
        return unit, None
    return f"{tier}input", usd_per_mtok_by_unit.get(f"{tier}input")


def blend(usd_per_mtok_by_unit: Mapping[str, Decimal | None], mix: Mix = CHAT_MIX) -> Decimal | None:
    """The price of one Mtok of this mix, rounded once at 1e-12; None when a needed unit's price is unknown.

    A unit that the mix gives no weight is not needed. A known price of 0 is a price: free, not unknown.
    """
    total = weight_sum = Decimal(0)
    with localcontext(WIDE):
        for unit, weight in mix.weights():
            usd_per_mtok = stated(usd_per_mtok_by_unit, unit)[1]
            if usd_per_mtok is None:
                return None
            total += usd_per_mtok * weight
            weight_sum += weight
        return (total / weight_sum).quantize(GRAIN)
