"""MATH level 5: 1,324 of the hardest problems of school competitions in mathematics; Epoch AI's own runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from pricing.benchmarks import ScoreFact, _epoch

SLUG: Final = "math-level-5"
NAME: Final = "MATH level 5"
UNIT: Final = "% right"
DOMAIN: Final = "Competition mathematics, final answers"
URL: Final = "https://epoch.ai/benchmarks/math-level-5"
LICENCE: Final = _epoch.LICENCE
ATTRIBUTION: Final = _epoch.ATTRIBUTION
CATEGORIES: Final[Mapping[str, str]] = {"level-5": "Level 5"}
RUNS_DATED: Final = True
CEILING: Final[Decimal | None] = Decimal(95)
SATURATION: Final = (
    "The best runs stand at 98 %, and the graders of one run differ by six points on average: from 95 % on the order is"
    " noise (epoch.ai/benchmarks/math-level-5)."
)
PUBLIC_SINCE: Final[date | None] = date(2021, 3, 5)
CONTAMINATION: Final = (
    "Problems and solutions are public since the paper (arxiv.org/abs/2103.03874), and whole training sets are made"
    " in their manner."
)
MAP: Final = _epoch.MAP
BUNDLED: Final[Mapping[date, str]] = {_epoch.LAST_RUN: f"{SLUG}_{_epoch.LAST_RUN}.csv.gz"}

_TASKS: Final = {"MATH level 5": "level-5"}


def parse(body: bytes) -> list[ScoreFact]:
    """The best run of each name; see `_epoch.runs`."""
    return _epoch.runs(body, _TASKS)
