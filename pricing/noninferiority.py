"""Is one model as good as another, within a margin? Differences, 90 % intervals, a verdict, what would settle it. Pure.

Floats, as these are estimates. `docs/evaluations.md` has the formulas in a table with their limits. Sources:

- W. S. Gosset's paired t, and B. L. Welch, "The generalization of 'Student's' problem when several different population
  variances are involved", Biometrika 34 (1947), for two means that are not paired.
- G. Piaggio and others, "Reporting of noninferiority and equivalence randomized trials: extension of the CONSORT 2010
  statement", JAMA 308 (2012): the lower end of the interval against a margin set beforehand. The lower end of a
  two-sided 90 % interval is a one-sided test at 5 %.
- A. Agresti, Y. Min, "Simple improved confidence intervals for comparing matched proportions", Stat. in Medicine
  24 (2005): half an observation in each cell. Where all pairs tie, that is a standard error of 1 / (n + 2), not 0.
- E. Miller, "Adding error bars to evals" (2024), arXiv:2411.00640: one item answered several times is one observation.
- M. Abramowitz, I. A. Stegun, Handbook of Mathematical Functions (1964), 26.7.5, for t with many degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, inf, sqrt
from statistics import NormalDist
from typing import Final

from pricing.constant_quality import student

LEVEL: Final = 0.9
"""Of the two-sided interval; 5 % lie below its lower end."""
_NORMAL: Final = NormalDist().inv_cdf((1 + LEVEL) / 2)
_SERIES_FROM: Final = 100
"""Degrees of freedom from which the series gives what the closed form does, to 1e-8, without its length."""
ARENA_VOTES: Final = 500
"""Votes that each of two Arena ratings needs before their difference says anything."""
MOST_ITEMS: Final = 10**9


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean or a rating with its standard error, and what it rests on: items or votes; None where nobody says."""

    value: float
    se: float
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """Candidate less current: the estimate, its standard error and the ends of its 90 % interval.

    `n` is the number of pairs, or the lesser number of items of the two. `per_item` is the standard error that one item
    (of each) would have, None where `n` is unknown; `floor` is what the standard error may not fall below, times n + 2.
    """

    value: float
    se: float
    low: float
    high: float
    n: int | None
    is_paired: bool
    per_item: float | None = None
    floor: float = 0.0


class Verdict(StrEnum):
    BETTER = "better"
    EQUAL = "equal"
    WORSE = "worse"
    NOT_ENOUGH = "not_enough_evidence"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict; where it is *not enough evidence*, `items` settles it if difference and spread stay as they are.

    `items` is None where no number would (the difference lies on the margin) or nobody says what this one rests on.
    """

    verdict: Verdict
    margin: float
    items: int | None = None


def critical(freedom: float) -> float:
    """The t that 90 % lie within for so many degrees of freedom, the normal value for `inf`; whole ones count."""
    if freedom == inf:
        return _NORMAL
    whole = int(freedom)
    if whole < _SERIES_FROM:
        return student.critical(LEVEL, whole)
    z, v = _NORMAL, whole
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    )


def standard_error(n: int, total: float, squares: float, span: float = 1.0) -> float:
    """Of the mean of n values, from their sum and that of their squares: the sample's s / √n, at least span / (n + 2).

    `span` is how far two values can lie apart; 0 for a scale without ends. ValueError below two values.
    """
    if n < 2:
        raise ValueError("A standard error takes two values at least.")
    variance = max(squares - total * total / n, 0.0) / (n - 1)
    return max(sqrt(variance / n), span / (n + 2))


def estimate(values: Iterable[float], span: float = 1.0) -> Estimate:
    """The mean of values with its standard error, by `standard_error`."""
    found = list(values)
    mean = sum(found) / len(found) if found else 0.0
    around = [one - mean for one in found]
    return Estimate(mean, standard_error(len(found), sum(around), sum(one * one for one in around), span), len(found))


def of_interval(value: float, low: float, high: float, n: int | None, z: float = 1.96) -> Estimate:
    """A rating published with an interval of ± z standard errors: Arena's are of 95 %, its SE (high − low) / 3.92."""
    return Estimate(value, (high - low) / (2 * z), n)


def paired(current: Mapping[str, float], candidate: Mapping[str, float], span: float = 1.0) -> Difference | None:
    """The difference over the items that both have scores of, an item's score being the mean over its repeats.

    None where fewer than two items are in both.
    """
    differences = [candidate[item] - score for item, score in current.items() if item in candidate]
    return paired_of_sums(len(differences), sum(differences), sum(one * one for one in differences), span)


def paired_of_sums(n: int, total: float, squares: float, span: float = 1.0) -> Difference | None:
    """The same from the number of pairs, the sum of their differences and the sum of their squares."""
    if n < 2:
        return None
    value, se = total / n, standard_error(n, total, squares, span)
    reach = critical(n - 1) * se
    spread = sqrt(max(squares - total * total / n, 0.0) / (n - 1))
    return Difference(value, se, value - reach, value + reach, n, is_paired=True, per_item=spread, floor=span)


def independent(current: Estimate, candidate: Estimate) -> Difference:
    """The difference of two means of samples that have nothing to do with each other: SE² is the sum of both.

    Student's t with Welch's degrees of freedom where both say how many items they have, else the normal value.
    """
    a, b = current.se**2, candidate.se**2
    se, value = sqrt(a + b), candidate.value - current.value
    n, freedom, per_item = None, inf, None
    if current.n is not None and candidate.n is not None:
        n = min(current.n, candidate.n)
        if n < 2:
            return Difference(value, se, -inf, inf, n, is_paired=False)
        if se:
            freedom = max((a + b) ** 2 / (a * a / (current.n - 1) + b * b / (candidate.n - 1)), n - 1)
        per_item = sqrt(a * current.n + b * candidate.n)
    reach = critical(freedom) * se
    return Difference(value, se, value - reach, value + reach, n, is_paired=False, per_item=per_item)


def judge(difference: Difference, margin: float, least: int = 0) -> Judgement:
    """The verdict on a candidate whose quality may lie at most `margin` (δ >= 0) below the current one's.

    better: the whole interval lies above 0 · equal: it lies above −δ · worse: it lies below −δ · else, and on fewer
    than `least` items, there is not enough evidence. An equal one may be a little worse: by less than δ.
    """
    if margin < 0:
        raise ValueError("A margin is how much worse is good enough: 0 or more.")
    if least and (difference.n is None or difference.n < least):
        needed = items_to_settle(difference, margin)
        return Judgement(Verdict.NOT_ENOUGH, margin, None if difference.n is None else max(least, needed or 0))
    if difference.low > 0:
        return Judgement(Verdict.BETTER, margin)
    if difference.low > -margin:
        return Judgement(Verdict.EQUAL, margin)
    if difference.high < -margin:
        return Judgement(Verdict.WORSE, margin)
    return Judgement(Verdict.NOT_ENOUGH, margin, items_to_settle(difference, margin))


def items_to_settle(difference: Difference, margin: float) -> int | None:
    """How many items would put the end of the interval clear of −δ, if difference and spread per item stay.

    Of a difference that is not paired: so many of each. It is a plan, not a promise: the next items may say otherwise.
    """
    gap = abs(difference.value + margin)
    if difference.per_item is None or not gap:
        return None
    least = max(difference.n or 0, 2)
    if _NORMAL * difference.per_item / gap > sqrt(MOST_ITEMS):
        return None
    needed = max((_NORMAL * difference.per_item / gap) ** 2, _NORMAL * difference.floor / gap - 2, 2.0)
    # A t is wider than the normal it begins with, so the number grows until it holds itself up.
    for _ in range(60):
        reach = critical(ceil(needed) - 1)
        more = max((reach * difference.per_item / gap) ** 2, reach * difference.floor / gap - 2)
        if more <= ceil(needed):
            break
        needed = more
    return max(ceil(needed), least + 1)
