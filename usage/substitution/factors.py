"""By how much another model takes more tokens for the same work: ranges, each with who says so.

Pure. The most specific evidence counts: the same weights take the same tokens; the organisation's own evaluations; what
is published of the tokenizer (of what is sent) and of runs of the same benchmark with the same cases (of what is
written); else the spread between models that runs were published of, marked `assumed`. Factors are ratios of counts,
so floats may estimate them; they become decimals before they meet money. `docs/recommendations.md` has the formulas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from math import exp, inf, sqrt
from typing import Final

from pricing.noninferiority import critical
from pricing.tokenizers import Tokenizers, shipped
from usage.advice import Factor, Range
from usage.substitution.offers import Rated
from usage.substitution.repricing import Scale

UNITS: Final = ("input", "output")
ASSUMED: Final = {"input": Range(Decimal("0.51"), Decimal("1.95")), "output": Range(Decimal("0.18"), Decimal("5.41"))}
"""Between the 10th and the 90th percentile of the ratios of all pairs of runs of the Aider polyglot table that state
their tokens (23 runs, 506 pairs): what another model may take where nobody says. A test computes them anew."""
TRANSFER: Final = 2.0
"""By how much a published ratio may be off, up and down, for another work. A judgement: the tables that ship hold too
few benchmarks that state tokens to measure it."""
_NOBODY: Final = (
    "assumed, as nobody counted the tokens of both: four in five pairs of models differ by no more on Aider polyglot"
)
_SHOWN: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Counted:
    """Tokens of a unit that two models took for the same `n` items of an own evaluation, item by item.

    Sums over the items of the current's tokens (x) and the candidate's (y), of x², y² and xy; the three are None where
    only the sums are known, or the two runs had other items: then `n` is the lesser number.
    """

    unit: str
    suite: str
    n: int
    current: Decimal
    candidate: Decimal
    current_squares: Decimal | None = None
    candidate_squares: Decimal | None = None
    products: Decimal | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What a published run of a benchmark took. Two runs compare where `benchmark`, `setting` and `cases` are the same.

    `setting` has all that the table tells runs apart by but the model and its effort.
    """

    benchmark: str
    setting: str
    cases: int
    input_tokens: int | None
    output_tokens: int | None
    observed_on: date | None = None
    url: str = ""

    def tokens(self, unit: str) -> int | None:
        return self.input_tokens if unit == "input" else self.output_tokens


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """All evidence on tokens. `own` is by (current, candidate), `published` by model and effort.

    `tokenizers` are those that ship with Ratecard unless told otherwise.
    """

    own: Mapping[tuple[Rated, Rated], Sequence[Counted]] = field(default_factory=dict)
    published: Mapping[Rated, Sequence[Run]] = field(default_factory=dict)
    tokenizers: Tokenizers = field(default_factory=shipped)

    def own_of(self, current: Rated, candidate: Rated) -> Sequence[Counted]:
        """What own suites counted; against a current model of no stated effort, at each of its efforts."""
        if current.effort or (current, candidate) in self.own:
            return self.own.get((current, candidate), ())
        mine = [pair for pair in self.own if pair[0].model == current.model and pair[1] == candidate]
        return [one for pair in sorted(mine) for one in self.own[pair]]

    def runs_of(self, current: Rated) -> Sequence[Run]:
        """Published runs of the model in use; of no stated effort, those at each of its efforts."""
        if current.effort or current in self.published:
            return self.published.get(current, ())
        return [run for one in sorted(self.published) if one.model == current.model for run in self.published[one]]


def of(current: Rated, candidate: Rated, known: TokenCounts) -> tuple[Factor, ...]:
    """The factors of a candidate against the current model: of `input` and of `output`."""
    return tuple(_of_unit(unit, current, candidate, known) for unit in UNITS)


def scale(factors: Iterable[Factor]) -> Scale:
    """The factors as repricing takes them."""
    ranges = {one.unit: Range(one.low, one.high) for one in factors}
    return Scale(ranges.get("input", Scale().input), ranges.get("output", Scale().output))


def ratio_of_means(counted: Counted) -> tuple[float, float, float] | None:
    """The ratio of the means, candidate over current, and the ends of its 90 % interval; None where that is unknown.

    By the delta method on the logarithm: Var(ln r) ≈ (s²y / ȳ² − 2·sxy / (x̄·ȳ) + s²x / x̄²) / n.
    """
    n, x, y = counted.n, float(counted.current), float(counted.candidate)
    if n < 2 or x <= 0 or y <= 0:
        return None
    if counted.current_squares is None or counted.candidate_squares is None or counted.products is None:
        return None
    exact = Decimal(n)
    s_xx = _spread(counted.current_squares, counted.current, counted.current, exact)
    s_yy = _spread(counted.candidate_squares, counted.candidate, counted.candidate, exact)
    s_xy = _spread(counted.products, counted.current, counted.candidate, exact)
    mean_x, mean_y = x / n, y / n
    variance = max(s_yy / mean_y**2 - 2 * s_xy / (mean_x * mean_y) + s_xx / mean_x**2, 0.0) / n
    reach, middle = critical(n - 1) * sqrt(variance), y / x
    return (middle, middle * exp(-reach), middle * exp(reach)) if reach < 700 else (middle, 0.0, inf)


def _of_unit(unit: str, current: Rated, candidate: Rated, known: TokenCounts) -> Factor:
    if current == candidate:
        return Factor(unit, Decimal(1), Decimal(1), "the same weights at the same effort take the same tokens")
    if current.model == candidate.model and unit == "input":
        return Factor(unit, Decimal(1), Decimal(1), "the same weights count the same tokens")
    found = _own(unit, known.own_of(current, candidate))
    if found is None and unit == "input":
        found = _of_tokenizers(current.model, candidate.model, known.tokenizers)
    if found is None:
        found = _published(unit, known.runs_of(current), known.published.get(candidate, ()))
    return found or _assumed(unit)


def _own(unit: str, every: Iterable[Counted]) -> Factor | None:
    """The span of the intervals of all own suites that counted the unit of both models."""
    counted = [one for one in every if one.unit == unit and one.n and one.current > 0 and one.candidate > 0]
    if not counted:
        return None
    ends = [_interval(one) for one in counted]
    items = sum(one.n for one in counted)
    names = ", ".join(dict.fromkeys(one.suite for one in counted))
    said = f"measured on {items:,} of your own items ({names})"
    low, high = min(end.low for end in ends), max(end.high for end in ends)
    return Factor(unit, low, high, said, next((one.url for one in counted if one.url), ""))


def _interval(counted: Counted) -> Range:
    found = ratio_of_means(counted)
    if found is not None and found[1] > 0 and found[2] != inf:
        return _range(found[1], found[2])
    middle = float(counted.candidate) / float(counted.current)
    return _range(middle / TRANSFER, middle * TRANSFER)


def _published(unit: str, current: Iterable[Run], candidate: Iterable[Run]) -> Factor | None:
    theirs = {(one.benchmark, one.setting, one.cases): one for one in candidate if one.tokens(unit)}
    pairs = [
        (one, theirs[key]) for one in current
        if one.tokens(unit) and (key := (one.benchmark, one.setting, one.cases)) in theirs
    ]  # fmt: skip
    if not pairs:
        return None
    ratios = [(b.tokens(unit) or 0) / (a.tokens(unit) or 1) for a, b in pairs]
    names = ", ".join(dict.fromkeys(f"{a.benchmark}, {a.cases:,} cases" for a, _ in pairs))
    said = f"published tokens of the same benchmark ({names}), half to twice as it is another work"
    ends = _range(min(ratios) / TRANSFER, max(ratios) * TRANSFER)
    return Factor(unit, ends.low, ends.high, said, next((b.url for _, b in pairs if b.url), ""))


def _of_tokenizers(current: str, candidate: str, known: Tokenizers) -> Factor | None:
    found = known.ratio(current, candidate)
    return Factor("input", found.low, found.high, found.evidence, found.url) if found else None


def _assumed(unit: str) -> Factor:
    return Factor(unit, ASSUMED[unit].low, ASSUMED[unit].high, _NOBODY, assumed=True)


def _spread(products: Decimal, one: Decimal, other: Decimal, n: Decimal) -> float:
    """A covariance from sums, exact before it becomes a float: the difference of two large numbers."""
    return float((products - one * other / n) / (n - 1))


def _range(low: float, high: float) -> Range:
    """Rounded outwards, so that the interval is contained; never 0, as every model takes some tokens."""
    least = max(Decimal(repr(low)).quantize(_SHOWN, "ROUND_FLOOR"), _SHOWN)
    return Range(least, Decimal(repr(high)).quantize(_SHOWN, "ROUND_CEILING"))
