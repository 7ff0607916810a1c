"""SWE-bench Verified: 484 of its 500 repairs of real Python projects; Epoch AI's own runs with one agent for all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from pricing.benchmarks import ScoreFact, _epoch

SLUG: Final = "swe-bench-verified"
NAME: Final = "SWE-bench Verified (Epoch AI)"
UNIT: Final = "% solved"
DOMAIN: Final = "Repairing real software with an agent"
URL: Final = "https://epoch.ai/benchmarks/swe-bench-verified"
LICENCE: Final = _epoch.LICENCE
ATTRIBUTION: Final = _epoch.ATTRIBUTION
CATEGORIES: Final[Mapping[str, str]] = {"verified": "Verified"}
RUNS_DATED: Final = True
CEILING: Final[Decimal | None] = None
SATURATION: Final = (
    "A score is of the model in one scaffold, the same for all and not the one its maker publishes with; standard"
    " errors are two points, so gaps below four are noise (epoch.ai/benchmarks/swe-bench-verified)."
)
PUBLIC_SINCE: Final[date | None] = date(2024, 8, 13)
CONTAMINATION: Final = (
    "The repositories and their fixes were public before, the selection is since 13 August 2024"
    " (openai.com/index/introducing-swe-bench-verified): models may have seen the answers."
)
MAP: Final = _epoch.MAP
BUNDLED: Final[Mapping[date, str]] = {_epoch.LAST_RUN: f"{SLUG}_{_epoch.LAST_RUN}.csv.gz"}

_TASKS: Final = {"SWE-Bench verified": "verified"}


def parse(body: bytes) -> list[ScoreFact]:
    """The best run of each name; see `_epoch.runs`."""
    return _epoch.runs(body, _TASKS)
