"""A straight line through points by ordinary least squares, with the uncertainty of its slope. Pure.

Formulas: N. R. Draper, H. Smith, Applied Regression Analysis, 3rd ed. (1998), chapter 1.

    b = Σ(x - x̄)(y - ȳ) / Σ(x - x̄)²        s² = Σ(y - a - b x)² / (n - 2)        se(b) = √(s² / Σ(x - x̄)²)

and b ± t(n - 2) · se(b) holds the true slope at the level of t, where the errors are independent and normal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt

from pricing.constant_quality.student import critical


@dataclass(frozen=True, slots=True)
class Line:
    """y = intercept + slope · x. `slope_error` is None for two points, which leave nothing to judge the line by."""

    n: int
    slope: float
    intercept: float
    slope_error: float | None
    r_squared: float | None

    def slope_interval(self, level: float) -> tuple[float, float] | None:
        """Where the slope lies at a level between 0 and 1, by Student's t; None for two points."""
        if self.slope_error is None:
            return None
        reach = critical(level, self.n - 2) * self.slope_error
        return self.slope - reach, self.slope + reach


def least_squares(points: Sequence[tuple[float, float]]) -> Line:
    """The line through (x, y) points; ValueError where fewer than two of the x differ."""
    n = len(points)
    if n < 2:
        raise ValueError("A line needs two points.")
    mean_x = fsum(x for x, _ in points) / n
    mean_y = fsum(y for _, y in points) / n
    spread = fsum((x - mean_x) ** 2 for x, _ in points)
    if not spread:
        raise ValueError("A line needs points at two different times.")
    slope = fsum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    intercept = mean_y - slope * mean_x
    residual = fsum((y - intercept - slope * x) ** 2 for x, y in points)
    total = fsum((y - mean_y) ** 2 for _, y in points)
    return Line(
        n=n,
        slope=slope,
        intercept=intercept,
        slope_error=sqrt(residual / (n - 2) / spread) if n > 2 else None,
        r_squared=1 - residual / total if total else None,
    )
