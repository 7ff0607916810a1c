"""What charts share: text that is safe in Plotly, ticks of a log axis, labels that do not collide. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Figure = dict[str, Any]

CHARACTER = 6.5
LINE = 15.0
"""Width of a character and height of a line of 12 px Source Sans, in pixels, on the safe side."""


def escaped(text: str) -> str:
    """Text as Plotly shows it letter by letter: it reads a small HTML, so `<`, `>` and `&` are spelled out."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def log_ticks(low: float, high: float, *, narrow: bool = False) -> tuple[list[float], list[str]]:
    """Ticks at 1, 2 and 5 of each decade in [low, high]: the decades with a unit, the others only where wide.

    One number is no scale: a narrow axis with fewer than two decades names the others too.
    """
    values, texts = [], []
    spared = narrow and len(decades(low, high)) > 1
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        for step in (1, 2, 5):
            value = step * 10.0**power
            if low <= value <= high:
                values.append(value)
                plain = f"{Decimal(step).scaleb(power):f}"
                texts.append(f"${plain}" if step == 1 else "" if spared else plain)
    return values, texts


def decades(low: float, high: float) -> list[float]:
    """The powers of ten in [low, high]."""
    powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    return [10.0**power for power in powers]


def even_ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` round values in [low, high], evenly apart."""
    span = max(high - low, 1e-12)
    for exponent in range(math.floor(math.log10(span)) - 2, math.floor(math.log10(span)) + 2):
        for step in (1, 2, 2.5, 5):
            size = step * 10.0**exponent
            first = math.ceil(low / size - 1e-9)
            count = math.floor(high / size + 1e-9) - first + 1
            if count <= most:
                return [round((first + n) * size, 12) for n in range(count)]
    return [low]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels, y growing downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: Box) -> bool:
        return (
            self.left <= other.left and other.right <= self.right and self.top <= other.top
            and other.bottom <= self.bottom
        )  # fmt: skip

    @classmethod
    def around(cls, x: float, y: float, radius: float) -> Box:
        return cls(x - radius, y - radius, x + radius, y + radius)


@dataclass(frozen=True, slots=True)
class Label:
    """A text to be set near a mark at (x, y) pixels; `key` tells the caller whose it is."""

    key: str
    text: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a label went: which edge of the text stands how far from its mark."""

    key: str
    text: str
    anchor: str
    dx: float
    dy: float
    box: Box


# Which edge of the text is at the mark, and how far off, the mark's first choices first; y grows downwards.
ABOVE_LEFT = (("right", -7.0, -11.0), ("right", -12.0, 0.0), ("center", 0.0, -17.0), ("right", 4.0, -15.0))
BELOW_RIGHT = (("left", 9.0, 12.0), ("left", 12.0, 0.0), ("center", 0.0, 17.0), ("left", 9.0, -11.0))
AROUND = (*ABOVE_LEFT, *BELOW_RIGHT)
BESIDE = (("left", 8.0, 0.0), ("left", 6.0, -9.0), ("left", 6.0, 9.0), ("center", 0.0, -14.0), ("center", 0.0, 14.0))
"""For marks under the step: never to their left, where the step's own names stand."""


def place(
    labels: Iterable[Label],
    frame: Box,
    obstacles: Sequence[Box],
    choices: Sequence[tuple[str, float, float]] = AROUND,
) -> list[Placed]:
    """The labels that fit inside the frame without touching an obstacle or each other, first come first.

    One that fits nowhere is left out: the mark still says its name on hover and in the table.
    """
    taken = list(obstacles)
    placed: list[Placed] = []
    for label in labels:
        width = len(label.text) * CHARACTER
        for anchor, dx, dy in choices:
            left = label.x + dx - {"left": 0.0, "center": width / 2, "right": width}[anchor]
            middle = label.y + dy
            box = Box(left, middle - LINE / 2, left + width, middle + LINE / 2)
            if frame.holds(box) and not any(box.meets(other) for other in taken):
                placed.append(Placed(label.key, label.text, anchor, dx, dy, box))
                taken.append(box)
                break
    return placed
