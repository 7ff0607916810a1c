"""MMLU: multiple choice over 57 subjects, as Epoch AI's hub lists what was published of it.

    id,Name,EM,Model version,Shots,Source,Source link,Notes
    rec…,GPT-4o mini (2024-07-18),76.7%,gpt-4o-mini-2024-07-18,5,Stanford CRFM Leaderboard,https://…,

Nobody ran these alike: a row is what one paper or leaderboard published of one model, so a version has several. Only
answers after five examples count (`Shots` 5): other prompts give other scores. Of one version's rows the best counts,
of equals the first. The identity is the hub's version; a row without one goes by the name it was published under.
Published without errors, so without intervals.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from pricing.benchmarks import ScoreFact, _epoch
from pricing.benchmarks._reading import only_once, share, word

SLUG: Final = "mmlu"
NAME: Final = "MMLU"
UNIT: Final = "% right"
DOMAIN: Final = "General knowledge, multiple choice"
URL: Final = _epoch.URL
LICENCE: Final = _epoch.LICENCE
ATTRIBUTION: Final = _epoch.ATTRIBUTION
CATEGORIES: Final[Mapping[str, str]] = {"5-shot": "After five examples"}
RUNS_DATED: Final = False
CEILING: Final[Decimal | None] = Decimal("93.5")
SATURATION: Final = (
    "About 6.5 % of the questions have a wrong key (arxiv.org/abs/2406.04127), so nothing above 93.5 % means anything;"
    " papers differ by a point or more in how they ask, and makers stopped publishing it in 2024."
)
PUBLIC_SINCE: Final[date | None] = date(2020, 9, 7)
CONTAMINATION: Final = (
    "Questions and answers are public since the paper (arxiv.org/abs/2009.03300): nearly every model here was trained"
    " after it."
)
MAP: Final = _epoch.MAP
BUNDLED: Final[Mapping[date, str]] = {_epoch.LAST_RUN: f"{SLUG}_{_epoch.LAST_RUN}.csv.gz"}
"""Of the hub's export whose last run is of that day."""

_COLUMNS: Final = ("Name", "EM", "Model version", "Shots")


def parse(body: bytes) -> list[ScoreFact]:
    """The best five-shot score of each version, in the order of the table; UnreadableBody names a line that is none."""
    best: dict[str, tuple[str, ScoreFact]] = {}
    for where, (published, right, version, shots) in _epoch.rows(body, _COLUMNS):
        called = word(version or published, where, "a model")
        value = share(right, "EM", where)
        if shots == "5" and (called not in best or best[called][1].value < value):
            best[called] = (where, ScoreFact("5-shot", called, called, value))
    return only_once(best.values())
