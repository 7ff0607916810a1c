"""GPQA Diamond: 198 questions of biology, physics and chemistry that experts agree on; Epoch AI's own runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from pricing.benchmarks import ScoreFact, _epoch

SLUG: Final = "gpqa-diamond"
NAME: Final = "GPQA Diamond"
UNIT: Final = "% right"
DOMAIN: Final = "Science questions for experts, multiple choice"
URL: Final = "https://epoch.ai/benchmarks/gpqa-diamond"
LICENCE: Final = _epoch.LICENCE
ATTRIBUTION: Final = _epoch.ATTRIBUTION
CATEGORIES: Final[Mapping[str, str]] = {"diamond": "Diamond"}
RUNS_DATED: Final = True
CEILING: Final[Decimal | None] = None
SATURATION: Final = (
    "The best runs stand near 88 %, and how many questions have a wrong key is not known; with standard errors of two"
    " to three points, gaps below five points are noise (epoch.ai/benchmarks/gpqa-diamond)."
)
PUBLIC_SINCE: Final[date | None] = date(2023, 11, 20)
CONTAMINATION: Final = (
    "The questions are public since the paper (arxiv.org/abs/2311.12022), though its authors ask not to show them in"
    " plain text: models trained later may have seen them."
)
MAP: Final = _epoch.MAP
BUNDLED: Final[Mapping[date, str]] = {_epoch.LAST_RUN: f"{SLUG}_{_epoch.LAST_RUN}.csv.gz"}

_TASKS: Final = {"GPQA diamond": "diamond"}


def parse(body: bytes) -> list[ScoreFact]:
    """The best run of each name; see `_epoch.runs`."""
    return _epoch.runs(body, _TASKS)
