"""The state of the page: how its address is read and written, and the choices of its filters."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote_plus

from dashboards.pages.asked import address, day
from pricing.benchmarks import benchmarks
from pricing.frontier import (
    CHAT_MIX,
    Mix,
)
from pricing.providers import declared

PATH = "/quality"

MIXES = (
    ("3:1:0", "3 : 1 chat"),
    ("10:1:0", "10 : 1 retrieval"),
    ("3:2:3", "half cached"),
    ("2:1:18", "coding agent"),
)
"""Token mixes as people meet them: input : output : cached input; an agent re-reads nine tenths of its prompt."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What the address asks for. Empty strings and None are the defaults and never written into a link."""

    benchmark: str = "arena"
    category: str = ""
    mix: Mix = CHAT_MIX
    at: date | None = None
    maker: str = ""
    weights: str = ""
    effort: str = ""
    q: str = ""
    sort: str = ""

    @property
    def category_label(self) -> str:
        return benchmarks()[self.benchmark].CATEGORIES[self.category]

    def url(self, path: str = PATH, **changes: object) -> str:
        """The address of this state, some of it changed."""
        first = next(iter(benchmarks()[self.benchmark].CATEGORIES))
        state: dict[str, object] = {
            "benchmark": "" if self.benchmark == next(iter(benchmarks())) else self.benchmark,
            "category": "" if self.category == first else self.category,
            "mix": "" if self.mix == CHAT_MIX else str(self.mix),
            "at": self.at,
            "maker": self.maker,
            "weights": self.weights,
            "effort": self.effort,
            "q": self.q,
            "sort": self.sort,
        }
        return address(path, {**state, **changes})

    @property
    def is_narrowed(self) -> bool:
        return bool(self.maker or self.weights or self.effort)


SORT_KEYS = ("rating", "price", "multiple", "votes", "name", "maker")


def read(query: Mapping[str, str]) -> tuple[Ask, list[str]]:
    """The state in an address, and a sentence for each part that could not be read and stays at its default."""
    wrong: list[str] = []
    known = benchmarks()
    benchmark = query.get("benchmark") or next(iter(known))
    if benchmark not in known:
        wrong.append(f"There is no benchmark “{benchmark[:40]}”: choose one of {', '.join(known)}.")
        benchmark = next(iter(known))
    categories = known[benchmark].CATEGORIES
    category = query.get("category") or next(iter(categories))
    if category not in categories:
        wrong.append(f"{known[benchmark].NAME} has no category “{category[:40]}”: choose one from the list.")
        category = next(iter(categories))
    try:
        mix = _mix(query)
    except ValueError as fault:
        wrong.append(str(fault))
        mix = CHAT_MIX
    try:
        at = day(query.get("at", ""), "“Prices at”")
    except ValueError as fault:
        wrong.append(str(fault))
        at = None
    weights = query.get("weights", "")
    if weights not in {"", "any", "open"}:
        wrong.append("Weights are “open” or “any”.")
    return Ask(
        benchmark=benchmark, category=category, mix=mix, at=at, maker=query.get("maker", "")[:120],
        weights="open" if weights == "open" else "", effort=query.get("effort", "")[:60],
        q=query.get("q", "").strip()[:100], sort=query.get("sort", "") if query.get("sort") in SORT_KEYS else "",
    ), wrong  # fmt: skip


def _mix(query: Mapping[str, str]) -> Mix:
    parts = [query.get(name, "").strip() for name in ("input", "output", "cached")]
    if any(parts):  # the form of a mix of one's own
        return Mix.parse(":".join(part or "0" for part in parts))
    text = query.get("mix", "").strip()
    return Mix.parse(text) if text else CHAT_MIX


def name_of(maker: str) -> str:
    """What people call a maker; the slug where nobody declared one, a dash where no source says."""
    known = declared(maker)
    return known.name if known else maker or "–"


def kept(ask: Ask) -> list[tuple[str, str]]:
    """What a form on the page carries along beside its own fields; the mix apart, as one form replaces it."""
    pairs = [part.partition("=") for part in ask.url(mix="").partition("?")[2].split("&") if part]
    return [(name, unquote_plus(value)) for name, _, value in pairs]


def own_mix(ask: Ask) -> str:
    """A mix that is none of the named ones, in figures; '' for a named one."""
    mix = str(ask.mix)
    return "" if mix in dict(MIXES) else " : ".join(mix.removesuffix(":0").split(":"))
