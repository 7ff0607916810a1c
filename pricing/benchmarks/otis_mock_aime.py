"""OTIS Mock AIME 2024-2025: 45 problems of a mock olympiad qualifier; Epoch AI's own runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from pricing.benchmarks import ScoreFact, _epoch

SLUG: Final = "otis-mock-aime"
NAME: Final = "OTIS Mock AIME 2024-2025"
UNIT: Final = "% right"
DOMAIN: Final = "Olympiad mathematics, final answers"
URL: Final = "https://epoch.ai/benchmarks/otis-mock-aime-2024-2025"
LICENCE: Final = _epoch.LICENCE
ATTRIBUTION: Final = _epoch.ATTRIBUTION
CATEGORIES: Final[Mapping[str, str]] = {"2024-2025": "2024 and 2025"}
RUNS_DATED: Final = True
CEILING: Final[Decimal | None] = None
SATURATION: Final = (
    "The set is small: one problem is two points, and standard errors reach eight"
    " (epoch.ai/benchmarks/otis-mock-aime-2024-2025)."
)
PUBLIC_SINCE: Final[date | None] = None
CONTAMINATION: Final = (
    "The problems circulate among competitors; since when, and which models were trained on them, is not known"
    " (epoch.ai/benchmarks/otis-mock-aime-2024-2025)."
)
MAP: Final = _epoch.MAP
BUNDLED: Final[Mapping[date, str]] = {_epoch.LAST_RUN: f"{SLUG}_{_epoch.LAST_RUN}.csv.gz"}

_TASKS: Final = {"OTIS Mock AIME 2024-2025": "2024-2025"}


def parse(body: bytes) -> list[ScoreFact]:
    """The best run of each name; see `_epoch.runs`."""
    return _epoch.runs(body, _TASKS)
