"""A bridge as bars that each begin where the one above ends: geometry of an SVG, wide and for a phone. Pure.

Floats draw; the figures beside the bars are the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

ROW, GAP = 28, 10
TORN_FROM = 0.35
"""Of the range of the steps: so much of the two totals is drawn where they are torn."""


@dataclass(frozen=True, slots=True)
class Step:
    """A bar in words: `amount` is a total where `is_total`, else what it adds."""

    name: str
    short: str
    text: str
    amount: Decimal
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    text: str
    css: str
    strong: bool
    x: float
    y: int
    width: float
    middle: float
    text_x: float
    end_x: float
    bottom: int
    next: int
    cuts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Waterfall:
    width: int
    height: int
    names_x: int
    row: int
    bars: tuple[Bar, ...]
    starts_at: Decimal
    """The money at the left edge of the bars; 0 where they are whole."""


def waterfall(steps: Sequence[Step], *, narrow: bool = False) -> Waterfall:
    """The bars of steps of which the first and the last are totals."""
    width, names, room = (358, 96, 86) if narrow else (740, 176, 116)
    levels = [Decimal(0)]
    for step in steps:
        levels.append(step.amount if step.is_total else levels[-1] + step.amount)
    low, high = min(levels[1:]), max(levels[1:])
    start = max(Decimal(0), low - (high - low) * Decimal(TORN_FROM)) if low > 0 else min(low, Decimal(0))
    start = Decimal(0) if 0 < start < low / 4 else start
    scale = (width - names - room) / float(max(high, Decimal(0)) - start or 1)

    def x(amount: Decimal) -> float:
        return names + float(amount - start) * scale

    bars = []
    for n, step in enumerate(steps):
        ends = (max(start, Decimal(0)), levels[n + 1]) if step.is_total else (levels[n], levels[n + 1])
        left, right = sorted(x(end) for end in ends)
        y = n * (ROW + GAP)
        css = "tot" if step.is_total else "pos" if step.amount > 0 else "neg"
        bars.append(
            Bar(
                step.short if narrow else step.name, step.text, css, step.is_total, left, y, max(right - left, 1.0),
                y + ROW / 2 + 4, right + 7, x(levels[n + 1]), y + ROW, y + ROW + GAP,
                _torn(left, y) if step.is_total and start > 0 else (),
            )
        )  # fmt: skip
    return Waterfall(width, len(steps) * (ROW + GAP) - GAP, names - 10, ROW, tuple(bars), start)


def _torn(left: float, y: int) -> tuple[str, ...]:
    """Two slanted cuts near the beginning of a bar that does not begin at 0."""
    return tuple(f"M{left + off:.1f} {y - 2}l-5 {ROW + 4}" for off in (8, 13))
