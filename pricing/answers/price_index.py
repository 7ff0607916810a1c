"""The price of constant quality, as the command and the HTTP API both answer it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from pricing.answers.questions import BadQuestion, moment
from pricing.answers.questions import name as as_name
from pricing.answers.rated_prices import RatedPrices, rated_prices
from pricing.answers.wording import decimal_text
from pricing.benchmarks import benchmarks
from pricing.constant_quality import ESTIMATORS, Estimate, Input, LeaveOneOut, Observation, Point
from pricing.constant_quality.reasoning import CHOICES, IN, OUT
from pricing.constant_quality.sellers import RULES, names_sellers, of_one_price
from pricing.frontier import Mix
from pricing.models import Benchmark, Score

RECORD_LOW: Final = "record_low"
LIVE_MINIMUM: Final = "live_minimum"
SELLERS: Final = {RECORD_LOW: "maker_or_median", LIVE_MINIMUM: "maker"}
"""Whose price counts unless somebody says. A record is set by whoever sells first, as in Epoch AI's study. The live
minimum is asked of all months alike, and hosts are known of some months only: it would move with what was recorded."""
RULE_WORDS: Final = {
    "maker_or_median": "the maker's, else the median of the hosts",
    "maker": "the maker's",
    "median": "the median of all",
    "any": "the cheapest",
}
DEFAULT_LEVEL: Final = "90"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the price index, read from text; BadQuestion where a part means nothing."""

    threshold: Decimal | None
    estimator: str
    start: date | None
    until: date | None
    level: Decimal

    @classmethod
    def of(
        cls,
        threshold: str | None = None,
        estimator: str = RECORD_LOW,
        start: str | None = None,
        until: str | None = None,
        level: str = DEFAULT_LEVEL,
    ) -> Asked:
        if estimator not in ESTIMATORS:
            raise BadQuestion(f"{estimator[:40]!r} is no estimator: ask for {' or '.join(ESTIMATORS)}.", "estimator")
        return cls(
            threshold=None if threshold is None else _number(threshold, "threshold"),
            estimator=estimator,
            start=moment(start, "from").date() if start else None,
            until=moment(until, "until").date() if until else None,
            level=_level(level),
        )


def estimate(observations: Iterable[Observation], asked: Asked) -> dict[str, Any]:
    """The answer over observations from anywhere.

    Factors and months are numbers to six digits, prices and scores decimal strings, an end of an interval null where it
    is beyond every number.
    """
    found = ESTIMATORS[asked.estimator](
        observations, asked.threshold, start=asked.start, until=asked.until, level=float(asked.level / 100)
    )
    return _answer(found, asked)


def of_rows(rows: Sequence[Observation], asked: Asked, sellers: str | None = None) -> dict[str, Any]:
    """The answer over somebody's own rows; where any of them says who asked, over one price a model by the rule of
    `sellers`. BadQuestion where a rule is asked for and no row says who."""
    if not any(map(names_sellers, rows)):
        if sellers:
            raise BadQuestion(
                "sellers chooses whose price counts, and no row says who asks it: fill in seller or first_party.",
                "sellers",
            )
        return estimate(rows, asked)
    rule = sellers or SELLERS[RECORD_LOW]
    answer = estimate(of_one_price(rows, rule), asked)
    answer["note"] += f" Of several sellers of a model one price counts: {RULE_WORDS[rule]}."
    return answer


def price_index(
    asked: Asked,
    benchmark: str,
    category: str | None = None,
    mix: str = "3:1",
    sellers: str | None = None,
    now: datetime | None = None,
    reasoning: str = IN,
) -> dict[str, Any]:
    """The answer over the catalogue's prices and one category of a benchmark, by default its first, until today.

    BadQuestion where there is no such benchmark, category, mix or choice of sellers or of reasoning models.
    """
    if reasoning not in CHOICES:
        raise BadQuestion(f"{reasoning[:40]!r} is no choice of reasoning models: ask for in or out.", "reasoning")
    sellers = SELLERS[asked.estimator] if sellers is None else sellers
    if sellers not in RULES:
        raise BadQuestion(f"{sellers[:40]!r} is no choice of sellers: ask for {', '.join(RULES)}.", "sellers")
    try:
        weights = Mix.parse(mix)
    except ValueError as fault:
        raise BadQuestion(str(fault), "mix") from None
    if weights.batch is not None:
        raise BadQuestion("The index is of standard prices: write a mix without a batch part, such as 3:1.", "mix")
    known = _benchmark(benchmark)
    there = list(
        Score.objects.filter(benchmark=known).order_by("category").values_list("category", flat=True).distinct()
    )
    chosen = as_name(category, "category") if category else _first(known, there)
    found = rated_prices(known, chosen, weights, sellers, reasoning) if chosen in there else None
    if found is None:
        raise BadQuestion(
            f"{known.name} has no category {chosen[:60]!r}; it has: {', '.join(there) or 'none yet'}.", "category"
        )
    today = (now or datetime.now(UTC)).date()
    answer = estimate(found.observations, replace(asked, until=asked.until or today + timedelta(days=1)))
    answer["note"] = " ".join([answer["note"], *coverage(found, reasoning)])
    return {
        "benchmark": known.slug, "category": chosen, "unit": known.unit, "attribution": known.attribution,
        "url": known.url, "observed_on": found.observed_on.isoformat(), "mix": str(weights), "sellers": sellers,
        "reasoning": reasoning, **answer,
    }  # fmt: skip


def _benchmark(slug: str) -> Benchmark:
    known = Benchmark.objects.filter(slug=as_name(slug, "benchmark")).first()
    if known is None:
        there = ", ".join(Benchmark.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
        raise BadQuestion(f"There is no benchmark {slug[:60]!r}; there are: {there}.", "benchmark")
    return known


def _first(known: Benchmark, there: list[str]) -> str:
    """The category a benchmark names first."""
    declared = benchmarks().get(known.slug)
    named = [category for category in declared.CATEGORIES if category in there] if declared else []
    return (named or there or [""])[0]


def coverage(found: RatedPrices, reasoning: str = IN) -> list[str]:
    """Sentences on the scores that no price stands beside, and on those left out."""
    said = [
        f"Scores of {found.observed_on} ({found.benchmark.attribution}), held against list prices in USD of all days."
    ]
    if found.credits:
        said.append(f"Prices: {', '.join(found.credits)}.")
    if found.unmatched:
        said.append(f"Scores of no model in the catalogue: {found.unmatched} of {found.scores}.")
    if found.unpriced:
        said.append(f"Rated models without a list price for this mix: {found.unpriced}.")
    if reasoning == OUT:
        said.append(
            f"Scores reached by reasoning, left out: {found.reasoning_left_out}; models of which no source says "
            f"whether they reason, kept: {found.reasoning_unknown}."
        )
    return said


def _answer(found: Estimate, asked: Asked) -> dict[str, Any]:
    return {
        "estimator": found.estimator,
        "threshold": decimal_text(asked.threshold),
        "level": decimal_text(asked.level),
        "per_year": _rounded(found.per_year),
        "interval": _ends(found.interval),
        "halving_months": _rounded(found.halving_months),
        "halving_interval": _ends(found.halving_interval),
        "leave_one_out": _spared(found.leave_one_out),
        "r_squared": _rounded(found.r_squared),
        "indicative": found.indicative,
        "n": found.n,
        "points": [_point(point) for point in found.points],
        "inputs": [_input(one) for one in found.inputs],
        "note": found.note,
    }


def _point(point: Point) -> dict[str, Any]:
    return {
        "date": point.on.isoformat(),
        "model": point.model,
        "price": decimal_text(point.price),
        "score": decimal_text(point.score),
        "live": point.live,
    }


def _input(one: Input) -> dict[str, Any]:
    of = one.observation
    return {
        "model": of.model,
        "seller": of.seller,
        "family": of.family,
        "date": of.observed_on.isoformat(),
        "withdrawn": of.withdrawn_on.isoformat() if of.withdrawn_on else None,
        "price": decimal_text(of.price),
        "score": decimal_text(of.score),
        "used": one.used,
        "why_not": one.why_not,
    }


def _spared(found: LeaveOneOut | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "low": _rounded(found.low),
        "without_for_low": found.without_for_low,
        "high": _rounded(found.high),
        "without_for_high": found.without_for_high,
        "not_fitted": list(found.not_fitted),
    }


def _ends(ends: tuple[float | None, float | None] | None) -> list[float | None] | None:
    return None if ends is None else [_rounded(end) for end in ends]


def _rounded(number: float | None) -> float | None:
    """Six digits: more would claim what no regression knows."""
    return None if number is None else float(f"{number:.6g}")


def _level(text: str) -> Decimal:
    level = _number(text, "level")
    if not Decimal(1) <= level <= Decimal("99.9"):
        raise BadQuestion(f"{text[:40]!r} is no level: write a percentage from 1 to 99.9, such as 90.", "level")
    return level


def _number(text: str, field: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or (number and not -12 <= number.adjusted() <= 12):
        raise BadQuestion(f"{text[:40]!r} is no number: write {field} as 64.8.", field)
    return number
