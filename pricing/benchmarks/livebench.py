"""LiveBench, read live: a table per release of its questions, one row per model, one column per task.

    model,AMPS_Hard,code_completion,code_generation,connections,…,zebra_puzzle
    claude-opus-4-8-xhigh-effort,98.0,78.261,80.282,97.833,…,100.0

Written from the published tables' shape; none ships, as they state no licence. Which category a task is of stands in
a file beside the table; here it is `_TASKS`, and a task that is not there refuses the table, because an average over
other tasks is another measure. A category is the mean of its tasks, the overall score the mean of the categories; a
model that lacks a task has neither. The directory that `INDEX` lists names the releases; the newest table is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from pricing.benchmarks import ScoreFact, UnreadableBody
from pricing.benchmarks._reading import document, member, only_once, optional, share, table, word

SLUG: Final = "livebench"
NAME: Final = "LiveBench"
UNIT: Final = "points of 100"
DOMAIN: Final = "Reasoning, coding, mathematics, data, language and instructions, with answers that can be checked"
URL: Final = "https://livebench.ai/"
INDEX: Final = "https://api.github.com/repos/LiveBench/livebench.github.io/contents/public"
FEED: Final = "https://livebench.ai/table_2026_06_25.csv"
CADENCE_HOURS: Final = 7 * 24
LICENCE: Final = "read live, not bundled"
ATTRIBUTION: Final = "LiveBench (livebench.ai), read live, not bundled"
_TASKS: Final[Mapping[str, tuple[str, ...]]] = {
    "reasoning": ("theory_of_mind", "zebra_puzzle", "spatial", "logic_with_navigation"),
    "coding": ("code_generation", "code_completion"),
    "agentic_coding": ("javascript", "typescript", "python"),
    "mathematics": ("AMPS_Hard", "integrals_with_game", "math_comp", "olympiad"),
    "data_analysis": ("consecutive_events", "tablejoin", "tablereformat"),
    "language": ("connections", "plot_unscrambling", "typos"),
    "instructions": ("paraphrase", "simplify", "story_generation", "summarize"),
}
CATEGORIES: Final[Mapping[str, str]] = {
    "overall": "Everything (mean of the categories)",
    "reasoning": "Reasoning",
    "coding": "Coding",
    "agentic_coding": "Coding as an agent",
    "mathematics": "Mathematics",
    "data_analysis": "Data analysis",
    "language": "Language",
    "instructions": "Following instructions",
}
RUNS_DATED: Final = False
CEILING: Final[Decimal | None] = None
SATURATION: Final = (
    "Harder tasks replace those that models solve (its change log), so the average stays below its ceiling while single"
    " tasks stand at 100; tables of two releases do not compare."
)
PUBLIC_SINCE: Final[date | None] = date(2024, 6, 24)
CONTAMINATION: Final = (
    "Its questions are made from material younger than the models were, renewed by release (arxiv.org/abs/2406.19314);"
    " those of earlier releases are public, and some tasks outlive a release."
)
MAP: Final = "livebench_map.csv"
BUNDLED: Final[Mapping[date, str]] = {}

_RELEASE: Final = re.compile(r"table_20\d\d_[01]\d_[0-3]\d\.csv", re.ASCII)
_GRAIN: Final = Decimal("1e-4")


def feed_of(index: bytes) -> str:
    """The address of the newest table, of a listing of the directory; UnreadableBody where it lists none."""
    listed = document(index)
    names = [member(entry, "name", "The listing") for entry in listed] if isinstance(listed, list) else []
    tables = [name for name in names if isinstance(name, str) and _RELEASE.fullmatch(name)]
    if not tables:
        raise UnreadableBody("The listing of LiveBench's directory names no table of a release.")
    return f"https://livebench.ai/{max(tables)}"


def parse(body: bytes) -> list[ScoreFact]:
    """Facts in the order of the table, a model's overall first; UnreadableBody names the first line that is none."""
    return only_once(_facts(body))


def _facts(body: bytes) -> Iterator[tuple[str, ScoreFact]]:
    known = {task for tasks in _TASKS.values() for task in tasks}
    for where, row in table(body, ("model", *sorted(known))):
        if new := row.keys() - known - {"model"}:
            raise UnreadableBody(f"The table has tasks whose category is not known here: {', '.join(sorted(new))}.")
        name = word(row["model"], where, "a model")
        means = {
            category: _mean([_score(row[task], task, where) for task in tasks]) for category, tasks in _TASKS.items()
        }
        for category, value in {"overall": _mean(list(means.values())), **means}.items():
            if value is not None:
                yield (
                    where,
                    ScoreFact(category, raw_name=name, display_name=name, value=value.quantize(_GRAIN, ROUND_HALF_UP)),
                )


def _score(written: str, task: str, where: str) -> Decimal | None:
    return optional(share, written, task, where)


def _mean(scores: list[Decimal | None]) -> Decimal | None:
    known = [score for score in scores if score is not None]
    return sum(known, Decimal(0)) / len(known) if known and len(known) == len(scores) else None
