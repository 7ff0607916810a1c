"""FrontierMath: unpublished problems of research mathematics that take experts hours to days; Epoch AI's own runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from pricing.benchmarks import ScoreFact, _epoch

SLUG: Final = "frontiermath"
NAME: Final = "FrontierMath"
UNIT: Final = "% right"
DOMAIN: Final = "Research mathematics, answers checked by program"
URL: Final = "https://epoch.ai/benchmarks/frontiermath"
LICENCE: Final = _epoch.LICENCE
ATTRIBUTION: Final = _epoch.ATTRIBUTION
CATEGORIES: Final[Mapping[str, str]] = {"tiers-1-3": "Tiers 1 to 3", "tier-4": "Tier 4"}
RUNS_DATED: Final = True
CEILING: Final[Decimal | None] = None
SATURATION: Final = (
    "Far from its ceiling: the best runs of 2025 solve less than a third (epoch.ai/benchmarks/frontiermath)."
)
PUBLIC_SINCE: Final[date | None] = None
CONTAMINATION: Final = (
    "The problems are not public; OpenAI, which paid for them, has access to all but a part that is held out"
    " (epoch.ai/frontiermath)."
)
MAP: Final = _epoch.MAP
BUNDLED: Final[Mapping[date, str]] = {_epoch.LAST_RUN: f"{SLUG}_{_epoch.LAST_RUN}.csv.gz"}

_TASKS: Final = {
    "FrontierMath-2025-02-28-Private": "tiers-1-3",
    "FrontierMath-Tier-4-2025-07-01-Private": "tier-4",
}


def parse(body: bytes) -> list[ScoreFact]:
    """The best run of each name; see `_epoch.runs`."""
    return _epoch.runs(body, _TASKS)
