"""Critical values of Student's t for whole degrees of freedom, from the closed form. Pure.

M. Abramowitz, I. A. Stegun, Handbook of Mathematical Functions (1964), 26.7.3 and 26.7.4: with theta = arctan(t / √ν),
the probability A(t|ν) = P(|T| <= t) is a finite sum of powers of cos theta. A regression over whole numbers of points
needs no more, and the tests hold it against the published table.
"""

from __future__ import annotations

from math import cos, pi, sin, sqrt, tan


def critical(level: float, freedom: int) -> float:
    """The t that a share `level` of the distribution lies within, on both sides: 6.314 for 0.9 and 1 degree.

    ValueError unless 0 < level < 1 and there is a degree of freedom.
    """
    if not 0 < level < 1:
        raise ValueError(f"A confidence level lies between 0 and 1, not at {level}.")
    if freedom < 1:
        raise ValueError(f"Student's t needs a degree of freedom, not {freedom}.")
    low, high = 0.0, pi / 2
    # Halving an interval of 1.6 this often leaves less than a float can tell apart.
    for _ in range(60):
        middle = (low + high) / 2
        if _within(middle, freedom) < level:
            low = middle
        else:
            high = middle
    return sqrt(freedom) * tan((low + high) / 2)


def _within(theta: float, freedom: int) -> float:
    """A(t|ν) at t = √ν tan theta."""
    odd = freedom % 2
    cosine, total, term = cos(theta), 0.0, 1.0
    if odd:
        term = cosine
    for power in range(odd, freedom - 1, 2):
        total += term
        term *= cosine * cosine * (power + 1) / (power + 2)
    return 2 / pi * (theta + sin(theta) * total) if odd else sin(theta) * total
