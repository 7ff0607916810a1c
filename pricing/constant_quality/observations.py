"""What the estimators are given, and which of it they may use for a threshold. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

USED: Final = ""
NO_SCORE: Final = "it has no score"
BELOW: Final = "its score is below the threshold"
NO_PRICE: Final = "its price is not known"
FREE: Final = "it is free, and a logarithm has no zero"
UNDATED: Final = "nobody states when its price began, so it only sets the bar for later ones"
TOO_EARLY: Final = "it is before the first day asked for"
TOO_LATE: Final = "it is after the last day asked for"


@dataclass(frozen=True, slots=True)
class Observation:
    """One model at one price from one day on.

    A model whose price changed has an observation for each price. `price` is USD per Mtok, blended by whoever made the
    inputs; None is unknown, 0 is free. `score` is in the benchmark's own points; None is unknown. A price of one model
    at one seller holds until that seller's next one or `withdrawn_on`, whichever is first. `family` groups models that
    are not independent of each other; '' is a family of its own. `dated` False says that the price began at an unknown
    time before `observed_on`, when it was first seen.
    """

    model: str
    observed_on: date
    price: Decimal | None
    score: Decimal | None
    family: str = ""
    seller: str = ""
    first_party: bool | None = None
    withdrawn_on: date | None = None
    dated: bool = True

    @property
    def group(self) -> str:
        return self.family or self.model

    def order(self) -> tuple[date, Decimal, str, str, Decimal, date, bool]:
        """By day, and the cheapest first: a total order of what can be told apart."""
        return (
            self.observed_on,
            Decimal("Infinity") if self.price is None else self.price,
            self.model,
            self.seller,
            Decimal("-Infinity") if self.score is None else self.score,
            self.withdrawn_on or date.max,
            self.dated,
        )


@dataclass(frozen=True, slots=True)
class Input:
    """An observation and why it was not used ('' where it was)."""

    observation: Observation
    why_not: str

    @property
    def used(self) -> bool:
        return not self.why_not


@dataclass(frozen=True, slots=True)
class Question:
    """Which quality, [start, until) of the days, and at which level (a share) to be sure."""

    threshold: Decimal | None = None
    start: date | None = None
    until: date | None = None
    level: float = 0.9

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ValueError(f"A confidence level lies between 0 and 1, not at {self.level}.")

    def reaches(self, observation: Observation) -> str:
        """Why an observation does not reach the quality asked for, '' where it does. Without a threshold all do."""
        if self.threshold is None:
            return USED
        if observation.score is None:
            return NO_SCORE
        return USED if observation.score >= self.threshold else BELOW


def judged(observations: Iterable[Observation], question: Question, *, ongoing: bool) -> tuple[Input, ...]:
    """Every observation once, in order, and whether it may be used.

    With `ongoing` an observation before the first day counts, since its price may still hold then.
    """
    ordered = sorted(observations, key=Observation.order)
    return tuple(Input(one, _why_not(one, question, ongoing=ongoing)) for one in ordered)


def _why_not(one: Observation, question: Question, *, ongoing: bool) -> str:
    if question.until is not None and one.observed_on >= question.until:
        return TOO_LATE
    if question.start is not None and one.observed_on < question.start and not ongoing:
        return TOO_EARLY
    if why := question.reaches(one):
        return why
    if one.price is None:
        return NO_PRICE
    if not one.price:
        return FREE
    return USED if one.dated or ongoing else UNDATED
