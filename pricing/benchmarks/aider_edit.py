"""Aider's older code editing leaderboard: 133 of Exercism's exercises in Python; format in `_aider`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from pricing.benchmarks import ScoreFact, _aider

SLUG: Final = "aider-edit"
NAME: Final = "Aider code editing"
UNIT: Final = "% solved"
DOMAIN: Final = "Solving 133 small Python exercises by editing files"
URL: Final = "https://aider.chat/docs/leaderboards/edit.html"
FEED: Final = "https://raw.githubusercontent.com/Aider-AI/aider/main/aider/website/_data/edit_leaderboard.yml"
CADENCE_HOURS: Final = 24
LICENCE: Final = "Apache-2.0"
ATTRIBUTION: Final = "Aider code editing leaderboard by Paul Gauthier and contributors (aider.chat), Apache-2.0"
CATEGORIES: Final[Mapping[str, str]] = _aider.CATEGORIES
RUNS_DATED: Final = True
CEILING: Final[Decimal | None] = Decimal(80)
SATURATION: Final = (
    "Its author replaced it in December 2024 because the best models solved 80 to 85 % and the rest could hardly tell"
    " them apart (aider.chat/2024/12/21/polyglot.html); one exercise is 0.75 points."
)
PUBLIC_SINCE: Final[date | None] = date(2023, 11, 6)
CONTAMINATION: Final = (
    "Its exercises are Exercism's Python track, public with solutions for years; the first run here is of 2023-11-06."
)
MAP: Final = "aider_map.csv"
BUNDLED: Final[Mapping[date, str]] = {date(2024, 12, 18): "aider_edit_2024-12-18.csv.gz"}
_EXERCISES: Final = 133


def parse(body: bytes) -> list[ScoreFact]:
    """Facts in the order of the leaderboard's file; UnreadableBody names the first run that is none."""
    return _aider.parse(body, _EXERCISES)
