"""The price of constant quality: by which factor a year the money falls that buys at least a given score.

Two estimators answer two questions from the same observations (`Observation`):

- `record_low`: when did each successive cheapest model come out, and along which line? Epoch AI's method.
- `live_minimum`: what was the least one could really pay, month by month? A price that ends takes its model with it,
  and where the cheapest is withdrawn the series rises.

Both fit log10 of the price on time by ordinary least squares, and say how sure they are. Pure: no ORM, no clock, the
same answer for the same observations in any order. Prices are exact; logarithms, slopes and factors are floats, and
nothing that is money is made from them. `docs/methods.md` has the formulas, their sources and their limits.
"""

from __future__ import annotations

from pricing.constant_quality.estimates import Estimate, LeaveOneOut, Point
from pricing.constant_quality.live_minimum import live_minimum
from pricing.constant_quality.observations import Input, Observation
from pricing.constant_quality.reading import UnreadableInputs, read
from pricing.constant_quality.record_low import record_low

ESTIMATORS = {"record_low": record_low, "live_minimum": live_minimum}

__all__ = [
    "ESTIMATORS",
    "Estimate",
    "Input",
    "LeaveOneOut",
    "Observation",
    "Point",
    "UnreadableInputs",
    "live_minimum",
    "read",
    "record_low",
]
