"""What is known of tokenizers: which one a model has, and how many tokens one makes of a text against another.

From two tables that ship with Ratecard, each line with its source. A model that is not in them is unknown: that a maker
keeps its tokenizer is not taken for granted, as makers do not.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache
from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).resolve().parent / "data"
MODELS: Final = _DATA / "tokenizers.csv"
RATIOS: Final = _DATA / "tokenizer_ratios.csv"
_STEP: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Ratio:
    """From `low` to `high` tokens for each of the other tokenizer's, and who says so."""

    low: Decimal
    high: Decimal
    evidence: str
    url: str = ""

    @property
    def inverse(self) -> Ratio:
        """The other way round, rounded outwards."""
        low = (1 / self.high).quantize(_STEP, ROUND_FLOOR)
        return Ratio(low, (1 / self.low).quantize(_STEP, ROUND_CEILING), self.evidence, self.url)


@dataclass(frozen=True, slots=True)
class Tokenizers:
    """`of_model` names the tokenizer by the model's slug, `sources` who says so; `ratios` are by (now, then)."""

    of_model: Mapping[str, str] = field(default_factory=dict)
    ratios: Mapping[tuple[str, str], Ratio] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    def ratio(self, now: str, then: str) -> Ratio | None:
        """How many tokens the model `then` makes of a text for each that `now` makes; None where nobody says."""
        mine, theirs = self.of_model.get(now), self.of_model.get(then)
        if mine is None or theirs is None:
            return None
        if mine == theirs:
            return Ratio(Decimal(1), Decimal(1), f"both have the tokenizer {mine}", self.sources.get(then, ""))
        return self.ratios.get((mine, theirs))


@lru_cache(maxsize=1)
def shipped() -> Tokenizers:
    """The tables that ship with Ratecard."""
    models = list(_lines(MODELS))
    ratios: dict[tuple[str, str], Ratio] = {}
    for row in _lines(RATIOS):
        found = Ratio(Decimal(row["low"]), Decimal(row["high"]), row["evidence"], row["source_url"])
        ratios[row["against"], row["tokenizer"]] = found
        ratios[row["tokenizer"], row["against"]] = found.inverse
    return Tokenizers(
        {row["model"]: row["tokenizer"] for row in models}, ratios, {row["model"]: row["source_url"] for row in models}
    )


def _lines(table: Path) -> Iterator[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))
