"""What a Mtok costs on rented GPUs, and from which load on that is less than an API asks. Pure and exact.

A copy is one running instance of a model on one or several GPUs, and is paid by the hour whether it serves or not: GPUs
are whole, a half-used one is paid in full. At full load it takes `input_per_second` and gives `output_per_second`; at a
utilisation u it does u of both. Tokens are input and output counted alike, as whoever publishes such runs counts them:

    USD per Mtok = (copies × GPUs × USD per hour × 730 + USD per month) × 1,000,000
                   ÷ (copies × (input + output per second) × 3,600 × (730 − idle hours) × u)

An API's price to set beside it is blended by the very input and output of the run (`pricing.frontier.blend`), so both
buy the same tokens. Money and ratios are worked out as fractions and rounded once, at 1e-12, half away from zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from fractions import Fraction
from typing import Final

from pricing.frontier import Mix, blend

HOURS_A_MONTH: Final = 730
"""A twelfth of 8,760."""
SECONDS: Final = 3600
MTOK: Final = 1_000_000
SWING: Final = Decimal("0.25")
FULL: Final = Decimal(1)
_GRAIN: Final = 12
_EXACT: Final = Context(prec=200)


@dataclass(frozen=True, slots=True)
class Plan:
    """Copies of one model on rented GPUs; rates are of one GPU, throughputs of one copy at full load.

    `idle_hours` a month are paid and serve nothing; `usd_per_month` is what comes on top: people, and what was paid
    once, spread over months. Both are 0 where nobody says otherwise.
    """

    usd_per_gpu_hour: Decimal
    input_per_second: Decimal
    output_per_second: Decimal
    gpus: int = 1
    copies: int = 1
    idle_hours: Decimal = Decimal(0)
    usd_per_month: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if self.usd_per_gpu_hour < 0 or self.usd_per_month < 0:
            raise ValueError("What is rented costs nothing or more: give amounts of 0 or above.")
        if self.input_per_second < 0 or self.output_per_second < 0 or not self.tokens_per_second:
            raise ValueError("A copy serves more than 0 tokens a second: give what was measured at full load.")
        if self.gpus < 1 or self.copies < 1:
            raise ValueError("GPUs are rented whole: give at least one.")
        if not 0 <= self.idle_hours < HOURS_A_MONTH:
            raise ValueError(f"A month has {HOURS_A_MONTH} hours: idle ones are from 0 to fewer than that.")

    @property
    def tokens_per_second(self) -> Decimal:
        """Input and output of one copy at full load."""
        return self.input_per_second + self.output_per_second

    @property
    def mix(self) -> Mix:
        """The input and output by which an API's price is blended to buy the same tokens."""
        return Mix(self.input_per_second, self.output_per_second, Decimal(0))

    @property
    def usd_a_month(self) -> Decimal:
        """What all copies cost in a month, whatever they serve."""
        return rounded(self._usd)

    @property
    def _usd(self) -> Fraction:
        return self._usd_of_gpus + Fraction(self.usd_per_month)

    @property
    def _usd_of_gpus(self) -> Fraction:
        return Fraction(self.usd_per_gpu_hour) * self.gpus * self.copies * HOURS_A_MONTH

    @property
    def _tokens(self) -> Fraction:
        """Tokens that all copies serve in a month at full load."""
        hours = HOURS_A_MONTH - Fraction(self.idle_hours)
        return Fraction(self.tokens_per_second) * self.copies * SECONDS * hours

    def tokens_a_month(self, utilisation: Decimal = FULL) -> Decimal:
        """Tokens a month, input and output counted alike."""
        return rounded(self._tokens * Fraction(utilisation))

    def usd_per_mtok(self, utilisation: Decimal = FULL) -> Decimal | None:
        """None at no utilisation: the GPUs are paid and there is no token to divide by."""
        served = self._tokens * Fraction(utilisation)
        return rounded(self._usd * MTOK / served) if served else None


@dataclass(frozen=True, slots=True)
class BreakEven:
    """From which tokens a month on renting costs no more than the API, on how many copies."""

    tokens: Decimal
    copies: int


@dataclass(frozen=True, slots=True)
class Served:
    """A volume on as many whole copies as it needs: what they cost, and how much of them it uses."""

    plan: Plan
    tokens: Decimal
    utilisation: Decimal
    usd: Decimal
    usd_per_mtok: Decimal


@dataclass(frozen=True, slots=True)
class Swing:
    """One assumption moved: what a Mtok and the break-even become at its lower and its higher value."""

    name: str
    low: Decimal
    high: Decimal
    usd_at_low: Decimal | None
    usd_at_high: Decimal | None
    even_at_low: Decimal | None
    even_at_high: Decimal | None


def api_price(plan: Plan, usd_per_mtok_by_unit: dict[str, Decimal | None]) -> Decimal | None:
    """What the API asks for a Mtok of the same tokens; None where a price that they need is unknown."""
    return blend(usd_per_mtok_by_unit, plan.mix)


def break_even_utilisation(plan: Plan, api_usd_per_mtok: Decimal | None) -> Decimal | None:
    """The utilisation at which both cost the same; above 1 no load of these GPUs gets there.

    None where the API's price is unknown, or 0: nothing is cheaper than free.
    """
    if not api_usd_per_mtok:
        return None
    return rounded(plan._usd * MTOK / (Fraction(api_usd_per_mtok) * plan._tokens))


def break_even_volume(plan: Plan, api_usd_per_mtok: Decimal | None, most: Decimal = FULL) -> BreakEven | None:
    """The smallest volume a month at which whole copies, each used up to `most`, cost no more than the API.

    A copy costs c and serves up to t tokens for which the API asks a each. It earns what comes on top, m, back only
    where t·a > c; then n = ⌈m ÷ (t·a − c)⌉ copies do, at (n·c + m) ÷ a tokens. None where no number of copies does.
    """
    if not api_usd_per_mtok:
        return None
    one = replace(plan, copies=1)
    a = Fraction(api_usd_per_mtok) / MTOK
    c, m, t = one._usd_of_gpus, Fraction(plan.usd_per_month), one._tokens * Fraction(most)
    gain = t * a - c
    if gain < 0 or (m and not gain):
        return None
    copies = max(1, -(-m // gain) if gain else 1)
    return BreakEven(rounded((copies * c + m) / a), int(copies))


def at_volume(plan: Plan, tokens: Decimal, most: Decimal = FULL) -> Served:
    """What a volume a month costs on the fewest whole copies that serve it at a utilisation of `most` or less."""
    if tokens <= 0 or not 0 < most <= 1:
        raise ValueError("A volume is more than 0 tokens a month, a utilisation more than 0 and at most 1.")
    one = replace(plan, copies=1)
    copies = int(-(-Fraction(tokens) // (one._tokens * Fraction(most))))
    needed = replace(plan, copies=copies)
    return Served(
        plan=needed,
        tokens=tokens,
        utilisation=rounded(Fraction(tokens) / needed._tokens),
        usd=needed.usd_a_month,
        usd_per_mtok=rounded(needed._usd * MTOK / Fraction(tokens)),
    )


def curve(plan: Plan, utilisations: Sequence[Decimal]) -> list[tuple[Decimal, Decimal]]:
    """USD per Mtok at each utilisation above 0."""
    found = [(one, plan.usd_per_mtok(one)) for one in utilisations]
    return [(one, usd) for one, usd in found if usd is not None]


def sensitivity(plan: Plan, utilisation: Decimal, api_usd_per_mtok: Decimal | None) -> list[Swing]:
    """Rate, throughput and utilisation, each a quarter lower and higher while the others stay.

    Utilisation stops at 1. Its break-even does not move with it: it is the utilisation that is asked for.
    """
    low, high = 1 - SWING, 1 + SWING

    def at(rate: Decimal = FULL, speed: Decimal = FULL, load: Decimal = FULL) -> tuple[Decimal | None, Decimal | None]:
        moved = replace(
            plan, usd_per_gpu_hour=plan.usd_per_gpu_hour * rate,
            input_per_second=plan.input_per_second * speed, output_per_second=plan.output_per_second * speed,
        )  # fmt: skip
        return moved.usd_per_mtok(min(utilisation * load, FULL)), break_even_utilisation(moved, api_usd_per_mtok)

    rows = [
        ("rate", plan.usd_per_gpu_hour * low, plan.usd_per_gpu_hour * high, at(rate=low), at(rate=high)),
        ("throughput", plan.tokens_per_second * low, plan.tokens_per_second * high, at(speed=low), at(speed=high)),
        ("utilisation", utilisation * low, min(utilisation * high, FULL), at(load=low), at(load=high)),
    ]
    return [Swing(name, below, above, one[0], two[0], one[1], two[1]) for name, below, above, one, two in rows]


def rounded(amount: Fraction) -> Decimal:
    """At 1e-12, half away from zero, as the ledger rounds."""
    whole = abs(amount.numerator) * 10**_GRAIN
    units = (2 * whole + amount.denominator) // (2 * amount.denominator)
    return _EXACT.scaleb(Decimal(units if amount > 0 else -units), -_GRAIN)
