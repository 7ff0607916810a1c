"""The chart of price per quality: rating over blended price, and the step that nothing beats. Pure.

x is logarithmic, y is torn: it begins a little below the frontier and the text says so. A narrow screen gets a
chart of its own: fewer ticks, shorter names, fewer of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dashboards import formatting
from dashboards.charts.marks import (
    AROUND,
    BESIDE,
    Box,
    Figure,
    Label,
    Placed,
    decades,
    escaped,
    even_ticks,
    log_ticks,
    place,
)
from dashboards.pages.quality import Row

ABOVE = 14
"""Rating points of air over the best interval."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """The drawing area labels are laid out for; a wider one only moves marks apart."""

    width: float
    height: float
    narrow: bool

    @property
    def frame(self) -> Box:
        return Box(-34 if not self.narrow else 0, 0, self.width, self.height)


WIDE = Canvas(820, 476, narrow=False)
NARROW = Canvas(300, 366, narrow=True)


@dataclass(frozen=True, slots=True)
class Scale:
    """The ranges of both axes and where a point falls on a canvas."""

    low: float
    high: float
    bottom: float
    top: float

    def at(self, price: Decimal, rating: Decimal, canvas: Canvas) -> tuple[float, float]:
        across = (math.log10(float(price)) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        up = (float(rating) - self.bottom) / (self.top - self.bottom)
        return across * canvas.width, (1 - up) * canvas.height


def figure(rows: Sequence[Row], *, unit: str, mix: str) -> Figure:
    """Both figures of the page's rows, in any order; without rows an empty frame.

    `unit` names the y axis (`Arena rating`), `mix` the tokens the price is blended for.
    """
    return {
        "wide": _figure(rows, WIDE, unit, mix),
        "narrow": _figure(rows, NARROW, unit, mix),
    }


def scale(rows: Sequence[Row]) -> Scale:
    """Axes that hold every price and the upper eight tenths of the ratings."""
    if not rows:
        return Scale(0.1, 10, 1000, 1500)
    prices = sorted(float(row.point.price) for row in rows)
    ratings = sorted(float(row.point.rating) for row in rows)
    bottom = math.floor(ratings[len(ratings) * 2 // 10] / 10) * 10 - 10
    top = max(float(row.point.high or row.point.rating) for row in rows) + ABOVE
    low, high = prices[0], prices[-1]
    room = math.log10(high / low) if high > low else 1.0
    return Scale(
        10 ** (math.log10(low) - max(0.1, 0.07 * room)), 10 ** (math.log10(high) + max(0.1, 0.05 * room)), bottom, top
    )


def below(rows: Sequence[Row]) -> int:
    """How many points lie under the torn axis and are in the table only."""
    bottom = scale(rows).bottom
    return sum(float(row.point.rating) < bottom for row in rows)


def _figure(rows: Sequence[Row], canvas: Canvas, unit: str, mix: str) -> Figure:
    axes = scale(rows)
    inside = [row for row in rows if float(row.point.rating) >= axes.bottom]
    front = sorted((row for row in rows if row.on_frontier), key=lambda row: row.point.price)
    visible = [row for row in front if float(row.point.rating) >= axes.bottom]
    others = [row for row in inside if not row.on_frontier]
    data = [_step(front, axes), _others(others, canvas), _frontier(visible, canvas)] if rows else []
    return {"data": data, "layout": _layout(visible, others, axes, canvas, unit, mix)}


def _step(front: Sequence[Row], axes: Scale) -> dict[str, Any]:
    """Up at each price, level to the next: between two models nothing is for sale."""
    first, last = front[0].point, front[-1].point
    line = [(float(first.price), axes.bottom)]
    line += [(float(row.point.price), float(row.point.rating)) for row in front]
    line.append((axes.high, float(last.rating)))
    return {
        "type": "scatter", "mode": "lines", "hoverinfo": "skip", "x": [x for x, _ in line], "y": [y for _, y in line],
        "line": {"color": "var(--accent)", "width": 2, "shape": "hv"},
        "fill": "tozeroy", "fillcolor": "alpha(--accent, 0.055)",
    }  # fmt: skip


def _others(rows: Sequence[Row], canvas: Canvas) -> dict[str, Any]:
    asked = [row.is_asked for row in rows]
    return {
        "type": "scatter", "mode": "markers",
        "x": [float(row.point.price) for row in rows], "y": [float(row.point.rating) for row in rows],
        "hoverinfo": "text", "hovertext": [hover(row) for row in rows],
        "marker": {
            "size": 6 if canvas.narrow else 7,
            "color": ["var(--ink)" if one else "var(--mark-muted)" for one in asked],
            "opacity": [1.0 if one else 0.6 for one in asked],
        },
    }  # fmt: skip


def _frontier(rows: Sequence[Row], canvas: Canvas) -> dict[str, Any]:
    up = [float((row.point.high or row.point.rating) - row.point.rating) for row in rows]
    down = [float(row.point.rating - (row.point.low or row.point.rating)) for row in rows]
    return {
        "type": "scatter", "mode": "markers",
        "x": [float(row.point.price) for row in rows], "y": [float(row.point.rating) for row in rows],
        "hoverinfo": "text", "hovertext": [hover(row) for row in rows],
        "error_y": {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "width": 0,
                    "thickness": 1.25, "color": "var(--accent)"},
        "marker": {"size": 9 if canvas.narrow else 10, "color": "var(--accent)", "opacity": 1,
                   "line": {"color": "var(--paper)", "width": 1.5}},
    }  # fmt: skip


def hover(row: Row) -> str:
    """Name, price and what it is made of, rating, interval and votes, host, and the cheapest equal rating."""
    point = row.point
    parts = [
        f"{formatting.price(amount)} {name}"
        for name, amount in (("in", row.input_usd), ("out", row.output_usd), ("cached", row.cached_usd))
        if amount is not None
    ]
    votes = f", {formatting.count(point.votes)} votes" if point.votes is not None else ""
    host = "" if point.first_party else f" at {escaped(row.host)}"
    lines = [
        f"<b>{escaped(point.label)}</b>",
        f"{formatting.derived_price(point.price)} per Mtok{host}",
        ", ".join(parts),
        f"Rating {formatting.rating(point.rating, point.low, point.high)}{votes}",
    ]
    if row.on_frontier:
        lines.append("No equal for less")
    elif row.multiple is not None and row.multiple > 1:
        lines.append(f"{formatting.multiple(row.multiple)} {escaped(row.cheapest_equal.label)}")
    else:
        lines.append(f"As dear as {escaped(row.cheapest_equal.label)}")
    return "<br>".join(lines)


# Labels


def labels(front: Sequence[Row], others: Sequence[Row], axes: Scale, canvas: Canvas) -> list[tuple[Row, Placed]]:
    """The frontier's names, then what was searched for, then each maker's best model: as many as have room."""
    spots = {row.point.key: axes.at(row.point.price, row.point.rating, canvas) for row in [*front, *others]}
    corners = [spots[row.point.key] for row in front]
    lines = _step_boxes(corners, canvas)
    marks = [Box.around(x, y, 7) for x, y in corners]
    named = place((_label(row, spots) for row in reversed(front)), canvas.frame, [*lines, *marks], AROUND)
    dots = [Box.around(*spots[row.point.key], 2.5) for row in others]
    taken = [*lines, *marks, *dots, *(one.box for one in named)]
    more: list[Placed] = []
    groups = [[row] for row in others if row.is_asked] or _by_maker(
        [row for row in others if float(row.point.rating) > (axes.bottom + axes.top) / 2]
    )
    for group in groups:
        if len(more) == (4 if canvas.narrow else 10):
            break
        fitting = place((_label(row, spots) for row in group), canvas.frame, taken, BESIDE)[:1]
        more += fitting
        taken += [one.box for one in fitting]
    by_key = {row.point.key: row for row in [*front, *others]}
    return [(by_key[one.key], one) for one in [*named, *more]]


def _label(row: Row, spots: dict[str, tuple[float, float]]) -> Label:
    return Label(row.point.key, row.mark, *spots[row.point.key])


def _by_maker(rows: Sequence[Row]) -> list[list[Row]]:
    """Each maker's three best models, the maker of the best one first: one name each is enough."""
    best: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: -row.point.rating):
        best.setdefault(row.maker, []).append(row)
    return [group[:3] for group in best.values()]


def _step_boxes(corners: Sequence[tuple[float, float]], canvas: Canvas) -> list[Box]:
    """The step as thin boxes, so that no label crosses it."""
    boxes = []
    ends = [*corners[1:], *((canvas.width, y) for _, y in corners[-1:])]
    for (x, y), (next_x, next_y) in zip(corners, ends, strict=True):
        boxes.append(Box(x, y - 2, next_x, y + 2))
        boxes.append(Box(next_x - 2, next_y, next_x + 2, y))
    return boxes


def _layout(
    front: Sequence[Row], others: Sequence[Row], axes: Scale, canvas: Canvas, unit: str, mix: str
) -> dict[str, Any]:
    ticks, texts = log_ticks(axes.low, axes.high, narrow=canvas.narrow)
    heights = even_ticks(axes.bottom, axes.top, 5 if canvas.narrow else 7)
    return {
        "height": 424 if canvas.narrow else 560,
        "margin": {"l": 38 if canvas.narrow else 46, "r": 8 if canvas.narrow else 16, "t": 24, "b": 52},
        "xaxis": {
            "type": "log", "range": [math.log10(axes.low), math.log10(axes.high)], "tickvals": ticks, "ticktext": texts,
            "ticks": "outside", "ticklen": 4, "tickcolor": "var(--ink-3)", "tickangle": 0,
        },
        "yaxis": {"range": [axes.bottom, axes.top], "tickvals": heights, "ticktext": [f"{one:g}" for one in heights]},
        "shapes": [
            {"type": "line", "layer": "below", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1,
             "line": {"color": "var(--grid)", "width": 1}}
            for x in decades(axes.low, axes.high)
        ],
        "annotations": [
            *(_annotation(row, one) for row, one in labels(front, others, axes, canvas)),
            {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "yshift": 4,
             "xshift": -34, "showarrow": False, "text": f"{unit}, from {axes.bottom:g}",
             "font": {"color": "var(--ink-3)"}},
            {"xref": "paper", "yref": "paper", "x": 1, "y": 0, "xanchor": "right", "yanchor": "top", "yshift": -30,
             "showarrow": False, "text": f"USD per Mtok, {mix}, log scale", "font": {"color": "var(--ink-3)"}},
        ],
    }  # fmt: skip


def _annotation(row: Row, placed: Placed) -> dict[str, Any]:
    colour = "var(--accent)" if row.on_frontier else "var(--ink)" if row.is_asked else "var(--ink-2)"
    return {
        "x": math.log10(float(row.point.price)), "y": float(row.point.rating), "text": escaped(placed.text),
        "showarrow": False, "xanchor": placed.anchor, "yanchor": "middle", "xshift": placed.dx, "yshift": -placed.dy,
        "font": {"color": colour, "size": 12, "weight": 600 if row.on_frontier or row.is_asked else 400},
    }  # fmt: skip
