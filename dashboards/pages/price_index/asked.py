"""The state of the page: how its address is read and written, and the choices of its filters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from urllib.parse import unquote_plus

from dashboards.pages.asked import Option, address, day
from dashboards.pages.quality import MIXES
from pricing.benchmarks import benchmarks
from pricing.constant_quality.published import EPOCH
from pricing.frontier import CHAT_MIX, Mix

PATH = "/index"
SELLERS = {
    "maker_or_median": "maker, else median host",
    "maker": "maker only",
    "median": "median of all sellers",
    "any": "cheapest of all sellers",
}
REASONING = {"in": "counted", "out": "left out"}
DEFAULT_SELLERS = next(iter(SELLERS))
STRIP = 5
"""About so many thresholds stand beside each other, the published ones apart."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What the address asks for; a `threshold` of None is the page's own choice. Defaults are in no link."""

    benchmark: str
    category: str
    threshold: Decimal | None = None
    mix: Mix = CHAT_MIX
    sellers: str = DEFAULT_SELLERS
    reasoning: str = "in"
    start: date | None = None
    until: date | None = None

    @property
    def category_label(self) -> str:
        return benchmarks()[self.benchmark].CATEGORIES[self.category]

    def url(self, path: str = PATH, **changes: object) -> str:
        """The address of this state, some of it changed."""
        first = next(iter(benchmarks()[self.benchmark].CATEGORIES))
        state: dict[str, object] = {
            "benchmark": "" if self.benchmark == next(iter(benchmarks())) else self.benchmark,
            "category": "" if self.category == first else self.category,
            "threshold": "" if self.threshold is None else number(self.threshold),
            "mix": "" if self.mix == CHAT_MIX else str(self.mix).removesuffix(":0"),
            "sellers": "" if self.sellers == DEFAULT_SELLERS else self.sellers,
            "reasoning": "" if self.reasoning == "in" else self.reasoning,
            "from": self.start,
            "until": self.until,
        }
        return address(path, {**state, **changes})


def number(value: Decimal) -> str:
    """`1300`, `43.9`: as an address and a sentence write it."""
    return f"{value.normalize():f}"


def read(query: Mapping[str, str]) -> tuple[Ask, list[str]]:
    """The state in an address, and a sentence for each part that could not be read and stays at its default."""
    wrong: list[str] = []
    known = benchmarks()
    benchmark = _one_of(query.get("benchmark", ""), known, "benchmark", wrong)
    category = _one_of(query.get("category", ""), known[benchmark].CATEGORIES, "category", wrong)
    ask = Ask(
        benchmark, category,
        sellers=_one_of(query.get("sellers", ""), SELLERS, "sellers", wrong),
        reasoning=_one_of(query.get("reasoning", ""), REASONING, "reasoning", wrong),
    )  # fmt: skip
    try:
        ask = replace(ask, mix=Mix.parse(query.get("mix") or "3:1"))
    except ValueError as fault:
        wrong.append(str(fault))
    try:
        ask = replace(ask, threshold=score(query.get("threshold", ""), "“At least”"))
    except ValueError as fault:
        wrong.append(str(fault))
    try:
        start, until = day(query.get("from", ""), "“From”"), day(query.get("until", ""), "“Until”")
        if start and until and start >= until:
            raise ValueError("“Until” must be after “From”.")
        ask = replace(ask, start=start, until=until)
    except ValueError as fault:
        wrong.append(str(fault))
    return ask, wrong


def _one_of(text: str, choices: Iterable[str], what: str, wrong: list[str]) -> str:
    names = list(choices)
    if text and text not in names:
        shown = ", ".join(names) if len(names) < 9 else "one from the list"
        wrong.append(f"There is no {what} “{text[:40]}”: choose {shown}.")
    return text if text in names else names[0]


def score(text: str, name: str, such_as: str = "a score such as 1300 or 43.9") -> Decimal | None:
    """A number in an address, None where none is asked for; ValueError is a sentence for the reader."""
    if not text.strip():
        return None
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or not -100_000 < found < 100_000 or len(text) > 12:
        raise ValueError(f"{name} needs {such_as}, not “{text[:40]}”.")
    return found


def kept(ask: Ask, *apart: str) -> list[tuple[str, str]]:
    """What a form on the page carries along beside its own fields."""
    pairs = [part.partition("=") for part in ask.url().partition("?")[2].split("&") if part]
    return [(name, unquote_plus(value)) for name, _, value in pairs if name not in apart]


def options(ask: Ask) -> dict[str, list[Option]]:
    """Each filter's choices as links, the present one marked; another benchmark has other points and categories."""
    known = benchmarks()
    return {
        "benchmark": [
            Option(module.NAME, ask.url(benchmark=slug, category="", threshold=""), slug == ask.benchmark)
            for slug, module in known.items()
        ],
        "category": [
            Option(label, ask.url(category=slug), slug == ask.category)
            for slug, label in known[ask.benchmark].CATEGORIES.items()
        ],
        "mix": [Option(label, ask.url(mix=text.removesuffix(":0")), text == str(ask.mix)) for text, label in MIXES],
        "sellers": [Option(label, ask.url(sellers=slug), slug == ask.sellers) for slug, label in SELLERS.items()],
        "reasoning": [
            Option(label, ask.url(reasoning=slug), slug == ask.reasoning) for slug, label in REASONING.items()
        ],
    }


def thresholds(scores: Sequence[Decimal], benchmark: str, asked: Decimal | None) -> tuple[list[Decimal], Decimal]:
    """Round scores from the lower tenth to near the best, with those Epoch AI published of; and which is meant.

    Without one asked for it is the round score in the middle: a rule that knows no factor cannot pick the fastest.
    """
    ordered = sorted(scores)
    own = {one.threshold for one in EPOCH if one.benchmark == benchmark and one.threshold is not None}
    if not ordered:
        chosen = Decimal(0) if asked is None else asked
        return sorted(own | {chosen}), chosen
    low, high = ordered[len(ordered) // 10], ordered[min(len(ordered) - 1, len(ordered) * 97 // 100)]
    rounds = _round_scores(low, high)
    chosen = rounds[len(rounds) // 2] if asked is None else asked
    return sorted({*rounds, *own, chosen}), chosen


def _round_scores(low: Decimal, high: Decimal) -> list[Decimal]:
    """At most STRIP + 1 round values in [low, high]; the lower end where none is."""
    span = max(high - low, Decimal("0.01"))
    power = Decimal(10) ** math.floor(math.log10(span / STRIP))
    for step in (power * size for size in (1, 2, 5, 10)):
        first = math.ceil(low / step)
        last = math.floor(high / step)
        if 0 <= last - first <= STRIP:
            return [(step * place).normalize() for place in range(first, last + 1)]
    return [low]
