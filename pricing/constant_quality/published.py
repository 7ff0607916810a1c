"""What others published on how fast tokens of a quality get cheaper, for comparison. Pure: single facts with sources.

Moore's law is what its author said of transistors on a chip (G. E. Moore, "Progress in digital integrated electronics",
IEDM 1975): twice as many every two years, which is √2 a year.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import sqrt
from typing import Final


@dataclass(frozen=True, slots=True)
class Published:
    """A factor a year as somebody published it; of one benchmark and score where it is bound to them."""

    who: str
    per_year: float
    url: str
    published_on: date
    interval: tuple[float, float] | None = None
    benchmark: str = ""
    threshold: Decimal | None = None
    licence: str = ""


MOORE: Final = Published("Moore’s law", sqrt(2), "https://doi.org/10.1109/N-SSC.2006.4804410", date(1975, 12, 1))
A16Z: Final = Published(
    "a16z", 10.0, "https://a16z.com/llmflation-llm-inference-cost/", date(2024, 11, 12)
)  # fmt: skip
EPOCH_URL: Final = "https://epoch.ai/data-insights/llm-inference-price-trends"
EPOCH_LICENCE: Final = "CC BY 4.0"
_EPOCH: Final = (
    ("mmlu", "43.9", 11.8, 8.29, 16.7),
    ("mmlu", "64.8", 15.8, 8.05, 31.1),
    ("mmlu", "68", 9.35, 4.8, 18.2),
    ("mmlu", "86", 15.9, 4.09, 61.5),
    ("mmlu", "87", 35.8, 5.03, 255),
    ("gpqa-diamond", "33", 42, 4.4, 401),
    ("gpqa-diamond", "50", 46.2, 3.79, 565),
    ("arena", "1106", 9.61, 5.26, 17.5),
    ("arena", "1186", 75.3, 7.56, 751),
)
EPOCH: Final = tuple(
    Published(
        "Epoch AI", float(per_year), EPOCH_URL, date(2025, 3, 12), (float(low), float(high)), benchmark,
        Decimal(threshold), EPOCH_LICENCE,
    )
    for benchmark, threshold, per_year, low, high in _EPOCH
)  # fmt: skip
"""Of that study's trends those over a year or more, with 90 % intervals (`docs/methods.md` recomputes them)."""


def compared_with(benchmark: str, threshold: Decimal | None) -> list[Published]:
    """The lines to draw beside an index: Moore's, a16z's, and Epoch AI's of the nearest score, if there is one."""
    own = [one for one in EPOCH if one.benchmark == benchmark]
    asked = threshold or Decimal(0)
    nearest = min(own, key=lambda one: abs((one.threshold or Decimal(0)) - asked), default=None)
    return [MOORE, A16Z, *([nearest] if nearest else [])]
