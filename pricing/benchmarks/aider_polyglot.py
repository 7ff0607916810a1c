"""Aider's polyglot leaderboard: 225 of Exercism's hardest exercises in six languages; format in `_aider`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from pricing.benchmarks import ScoreFact, _aider

SLUG: Final = "aider-polyglot"
NAME: Final = "Aider polyglot"
UNIT: Final = "% solved"
DOMAIN: Final = "Solving 225 exercises in six programming languages by editing files"
URL: Final = "https://aider.chat/docs/leaderboards/"
FEED: Final = "https://raw.githubusercontent.com/Aider-AI/aider/main/aider/website/_data/polyglot_leaderboard.yml"
CADENCE_HOURS: Final = 24
LICENCE: Final = "Apache-2.0"
ATTRIBUTION: Final = "Aider polyglot leaderboard by Paul Gauthier and contributors (aider.chat), Apache-2.0"
CATEGORIES: Final[Mapping[str, str]] = _aider.CATEGORIES
RUNS_DATED: Final = True
CEILING: Final[Decimal | None] = Decimal(90)
SATURATION: Final = (
    "One of 225 exercises is 0.4 points and the binomial 95 % interval of a run at 90 is about 4 points to either side:"
    " above 90 an order is mostly chance."
)
PUBLIC_SINCE: Final[date | None] = date(2024, 12, 21)
CONTAMINATION: Final = (
    "Its exercises are Exercism's, public with solutions for years, and the set was published on 2024-12-21"
    " (aider.chat/2024/12/21/polyglot.html): later models can have learnt them."
)
MAP: Final = "aider_map.csv"
BUNDLED: Final[Mapping[date, str]] = {date(2025, 10, 3): "aider_polyglot_2025-10-03.csv.gz"}
_EXERCISES: Final = 225


def parse(body: bytes) -> list[ScoreFact]:
    """Facts in the order of the leaderboard's file; UnreadableBody names the first run that is none."""
    return _aider.parse(body, _EXERCISES)
