"""What one answer costs, from a short reply to a long document, and what a person costs for the same. Pure and exact.

A rung is a kind of answer with its tokens, each count with who says so; a model's cost is Σ tokens × price, a person's
is the hours it takes to read the input and to speak the output × an hourly rate. Both are fractions rounded once, at
1e-12, half away from zero.

That a person reads 50,000 and speaks 10,000 tokens an hour, and what an hour costs, is assumed: every figure of it can
be replaced. Nobody speaks an image, so there a person's cost is unknown.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction
from itertools import groupby
from typing import Final

from pricing.frontier import Frontier

MEASURED: Final = "measured"
PUBLISHED: Final = "published"
ASSUMED: Final = "assumed"
BASES: Final = (MEASURED, PUBLISHED, ASSUMED)
MTOK: Final = 1_000_000
NEAR: Final = Decimal(50)
"""How far below the best rating a model is still good: Arena points that most work does not notice."""
_GRAIN: Final = 12
_EXACT: Final = Context(prec=200)


@dataclass(frozen=True, slots=True)
class Count:
    """How many tokens of a unit one answer takes, and how anybody knows."""

    unit: str
    tokens: int
    basis: str
    observed_on: date
    source: str
    source_url: str
    licence: str
    note: str


@dataclass(frozen=True, slots=True)
class Rung:
    """One kind of answer, its tokens by unit."""

    slug: str
    name: str
    counts: tuple[Count, ...]

    @property
    def tokens(self) -> dict[str, int]:
        return {count.unit: count.tokens for count in self.counts}

    @property
    def prompt(self) -> int:
        """Tokens by which a context tier is chosen."""
        return self.tokens.get("input", 0)


@dataclass(frozen=True, slots=True)
class Pace:
    """Tokens an hour that a person speaks and reads."""

    speaking: Decimal = Decimal(10_000)
    reading: Decimal = Decimal(50_000)

    def __post_init__(self) -> None:
        if self.speaking <= 0 or self.reading <= 0:
            raise ValueError("A person speaks and reads more than 0 tokens an hour.")


@dataclass(frozen=True, slots=True)
class Person:
    """Who does the same work, at USD an hour from `low` to `high`."""

    slug: str
    name: str
    low: Decimal
    high: Decimal

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise ValueError("An hour costs 0 or more, and its range runs from low to high.")


PEOPLE: Final = (
    Person("call-centre", "Call centre", Decimal(10), Decimal(10)),
    Person("tutoring", "Tutoring", Decimal(50), Decimal(200)),
    Person("translation", "Translation", Decimal(10), Decimal(100)),
    Person("developer", "Contract developer", Decimal(10), Decimal(10)),
    Person("manager", "Manager", Decimal(1_000), Decimal(10_000)),
)
"""Assumed hourly rates, in the order they are offered."""


def read_rungs(lines: Iterable[str]) -> tuple[Rung, ...]:
    """The rungs of a table in its order; ValueError names the line that is none. `#` begins a comment."""
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    return tuple(
        Rung(slug, name, tuple(_count(row) for row in group))
        for (slug, name), group in groupby(rows, key=lambda row: (row["rung"], row["name"]))
    )


def _count(row: Mapping[str, str]) -> Count:
    if row["basis"] not in BASES or not row["source"]:
        raise ValueError(f"{row['rung']}: a count of tokens has a source and is one of {', '.join(BASES)}.")
    if row["basis"] != ASSUMED and not (row["source_url"] and row["licence"]):
        raise ValueError(f"{row['rung']}: what is not assumed has an address and a licence.")
    return Count(
        row["unit"], int(row["tokens"]), row["basis"], date.fromisoformat(row["observed_on"]), row["source"],
        row["source_url"], row["licence"], row["note"],
    )  # fmt: skip


def cost(tokens: Mapping[str, int], usd_per_mtok_by_unit: Mapping[str, Decimal | None]) -> Decimal | None:
    """What the tokens cost in USD; None where the price of any of them is unknown. A price of 0 is a price."""
    total = Fraction(0)
    for unit, count in tokens.items():
        if not count:
            continue
        usd = usd_per_mtok_by_unit.get(unit)
        if usd is None:
            return None
        total += Fraction(count) * Fraction(usd) / MTOK
    return rounded(total)


def hours(tokens: Mapping[str, int], pace: Pace) -> Fraction | None:
    """How long a person reads the input and speaks the output; None for what nobody reads or speaks."""
    if any(count for unit, count in tokens.items() if unit not in {"input", "output"}):
        return None
    return Fraction(tokens.get("input", 0)) / Fraction(pace.reading) + Fraction(tokens.get("output", 0)) / Fraction(
        pace.speaking
    )


def human_cost(tokens: Mapping[str, int], usd_per_hour: Decimal, pace: Pace) -> Decimal | None:
    """What a person costs for the same tokens, in USD; None where that means nothing."""
    taken = hours(tokens, pace)
    return None if taken is None else rounded(taken * Fraction(usd_per_hour))


def ratio(human: Decimal | None, model: Decimal | None) -> Decimal | None:
    """How many times the model's cost the person's is; None where either is unknown, or the model free."""
    return rounded(Fraction(human) / Fraction(model)) if human is not None and model else None


def usual(edge: Frontier, dearest: str = "") -> list[str]:
    """Slugs of the models shown where nobody chose: the cheapest rated, the cheapest good one, the best, the dearest.

    Good is at most `NEAR` below the best. Fewer where two of them are one model.
    """
    rated = [] if edge.best is None else [edge.points[0], edge.within(NEAR, edge.best) or edge.best, edge.best]
    return list(dict.fromkeys([*(point.model for point in rated), *([dearest] if dearest else [])]))


def rounded(amount: Fraction) -> Decimal:
    """At 1e-12, half away from zero, as the ledger rounds."""
    whole = abs(amount.numerator) * 10**_GRAIN
    units = (2 * whole + amount.denominator) // (2 * amount.denominator)
    return _EXACT.scaleb(Decimal(units if amount > 0 else -units), -_GRAIN)
