"""The chart of price per quality: rating over blended price, and the step that nothing beats. Pure.

x is logarithmic, y is torn: it begins a little below the frontier and the text says so. What is free stands on the
left edge, as a log axis has no zero. Near a chosen model lies a band, its lower edge dashed, and on the chosen rating
the sellers of a model are joined by a line. Where speeds are known, larger marks answer faster; else, where runs say
how long their tasks took, larger marks took less. A narrow screen gets a chart of its own: fewer ticks, shorter names,
fewer of them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from statistics import median
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
from dashboards.pages.quality.rows import SellerRow
from pricing.frontier import Band

AIR = 0.07
"""Of the height, left over the best interval."""
FEW = 30
"""So many points or fewer are all drawn; of more the lowest fifth lies under a torn axis."""


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

    def at(self, price: float, rating: Decimal, canvas: Canvas) -> tuple[float, float]:
        across = (math.log10(price) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        up = (float(rating) - self.bottom) / (self.top - self.bottom)
        return across * canvas.width, (1 - up) * canvas.height


@dataclass(frozen=True)
class Scene:
    """All that is drawn. `unit` names the y axis (`Arena rating`), `price` the x axis (`USD per Mtok, 3 : 1`).

    `sellers` are those of the model `sold`, cheapest first, at `level`, a rating of it.
    """

    rows: Sequence[Row]
    unit: str
    price: str
    band: Band | None = None
    sellers: Sequence[SellerRow] = ()
    sold: str = ""
    level: Decimal | None = None

    @cached_property
    def has_speeds(self) -> bool:
        return any(row.speed is not None for row in self.rows)

    @cached_property
    def usual_seconds(self) -> float | None:
        """What a task took in the middle of the drawn runs; None where no run says."""
        known = [float(row.seconds) for row in self.rows if row.seconds]
        return median(known) if known else None

    @cached_property
    def hovers(self) -> dict[str, str]:
        """By key what a mark says of itself."""
        return {row.point.key: hover(row) for row in self.rows}

    @cached_property
    def marks(self) -> dict[str, str]:
        """By key the name at the mark; where two on the frontier share one, with the effort that tells them apart."""
        front = [row for row in self.rows if row.on_frontier]
        shared = Counter(row.mark for row in front)
        told = {row.point.key: f"{row.mark} {row.point.effort}".strip() for row in front if shared[row.mark] > 1}
        return {row.point.key: row.mark for row in self.rows} | told


def figure(scene: Scene) -> Figure:
    """Both figures of the page's rows, in any order; without rows an empty frame."""
    return {"wide": _figure(scene, WIDE), "narrow": _figure(scene, NARROW)}


def scale(scene: Scene) -> Scale:
    """Axes that hold every price, and of many ratings the upper eight tenths."""
    ratings = sorted(float(row.point.rating) for row in scene.rows)
    prices = [float(row.point.price) for row in scene.rows if row.point.price]
    prices += [float(seller.price) for seller in scene.sellers if seller.price]
    if not ratings:
        return Scale(0.1, 10, 0, 100)
    lowest = ratings[len(ratings) * 2 // 10 if len(ratings) > FEW else 0]
    top = max(float(row.point.high or row.point.rating) for row in scene.rows)
    if scene.band:
        lowest, top = min(lowest, float(scene.band.floor)), max(top, float(scene.band.of.rating))
    room = (top - lowest) or 10.0
    step = 10.0 if room > 60 else 5.0 if room > 30 else 1.0
    bottom = math.floor(lowest / step) * step - (step if lowest >= step else 0)
    low, high = min(prices, default=0.1), max(prices, default=10.0)
    wide = math.log10(high / low) if high > low else 1.0
    return Scale(
        10 ** (math.log10(low) - max(0.1, 0.07 * wide)), 10 ** (math.log10(high) + max(0.1, 0.05 * wide)), bottom,
        top + AIR * room,
    )  # fmt: skip


def below(scene: Scene) -> int:
    """How many points lie under the torn axis and are in the table only."""
    bottom = scale(scene).bottom
    return sum(float(row.point.rating) < bottom for row in scene.rows)


def _figure(scene: Scene, canvas: Canvas) -> Figure:
    axes = scale(scene)
    inside = [row for row in scene.rows if float(row.point.rating) >= axes.bottom]
    front = sorted((row for row in scene.rows if row.on_frontier), key=lambda row: row.point.price)
    visible = [row for row in front if float(row.point.rating) >= axes.bottom]
    others = [row for row in inside if not row.on_frontier]
    if not scene.rows:
        return {"data": [], "layout": _layout([], [], axes, canvas, scene)}
    data = [_step(front, axes), _others(others, axes, canvas, scene), _frontier(visible, axes, canvas, scene)]
    data += _joined(scene, canvas) + _chosen(scene, axes, canvas)
    return {"data": data, "layout": _layout(visible, others, axes, canvas, scene)}


def _across(row: Row, axes: Scale) -> float:
    return float(row.point.price) or axes.low


def _size(row: Row, plain: int, scene: Scene) -> float:
    """The area of a mark grows with the speed of its seller; where no speed is known it shrinks with the time a task of
    its run took. Where its own is unknown the mark is the smallest."""
    if scene.has_speeds:
        return 5.0 if row.speed is None else min(22.0, max(6.0, math.sqrt(float(row.speed)) * 1.1))
    if scene.usual_seconds:
        return (
            5.0 if not row.seconds else min(22.0, max(6.0, plain * math.sqrt(scene.usual_seconds / float(row.seconds))))
        )
    return plain


def _joined(scene: Scene, canvas: Canvas) -> list[dict[str, Any]]:
    """The sellers of a model on the height of its rating, from the cheapest to the dearest."""
    paid = [seller for seller in scene.sellers if seller.price]
    if not paid or scene.level is None:
        return []
    return [
        {
            "type": "scatter", "mode": "lines+markers", "x": [float(one.price) for one in paid],
            "y": [float(scene.level)] * len(paid), "hoverinfo": "text",
            "hovertext": [
                f"<b>{escaped(scene.sold)}</b><br>{formatting.derived_price(one.price)} per Mtok at {escaped(one.name)}"
                + (", its maker" if one.is_maker else "") for one in paid
            ],
            "line": {"color": "var(--ink)", "width": 1.25},
            "marker": {"symbol": "line-ns-open", "size": 9 if canvas.narrow else 11, "color": "var(--ink)",
                       "line": {"color": "var(--ink)", "width": 1.75}},
        }
    ]  # fmt: skip


def _chosen(scene: Scene, axes: Scale, canvas: Canvas) -> list[dict[str, Any]]:
    """A ring around the chosen model and around the cheapest that may stand in for it."""
    ringed = [row for row in scene.rows if row.in_band in ("chosen", "cheapest")]
    if not ringed:
        return []
    return [
        {
            "type": "scatter", "mode": "markers", "hoverinfo": "skip",
            "x": [_across(row, axes) for row in ringed], "y": [float(row.point.rating) for row in ringed],
            "marker": {"symbol": "circle-open", "size": 15 if canvas.narrow else 17, "color": "var(--ink)",
                       "line": {"color": "var(--ink)", "width": 1.75}},
        }
    ]  # fmt: skip


def _step(front: Sequence[Row], axes: Scale) -> dict[str, Any]:
    """Up at each price, level to the next: between two models nothing is for sale."""
    first, last = front[0].point, front[-1].point
    line = [(float(first.price) or axes.low, axes.bottom)]
    line += [(_across(row, axes), float(row.point.rating)) for row in front]
    line.append((axes.high, float(last.rating)))
    return {
        "type": "scatter", "mode": "lines", "hoverinfo": "skip", "x": [x for x, _ in line], "y": [y for _, y in line],
        "line": {"color": "var(--accent)", "width": 2, "shape": "hv"},
        "fill": "tozeroy", "fillcolor": "alpha(--accent, 0.055)",
    }  # fmt: skip


def _others(rows: Sequence[Row], axes: Scale, canvas: Canvas, scene: Scene) -> dict[str, Any]:
    asked = [row.is_asked or row.in_band == "chosen" for row in rows]
    return {
        "type": "scatter", "mode": "markers",
        "x": [_across(row, axes) for row in rows], "y": [float(row.point.rating) for row in rows],
        "hoverinfo": "text", "hovertext": [scene.hovers[row.point.key] for row in rows],
        "marker": {
            "size": [_size(row, 6 if canvas.narrow else 7, scene) for row in rows],
            "color": ["var(--ink)" if one else "var(--mark-muted)" for one in asked],
            "opacity": [1.0 if one else 0.6 for one in asked],
        },
    }  # fmt: skip


def _frontier(rows: Sequence[Row], axes: Scale, canvas: Canvas, scene: Scene) -> dict[str, Any]:
    up = [float((row.point.high or row.point.rating) - row.point.rating) for row in rows]
    down = [float(row.point.rating - (row.point.low or row.point.rating)) for row in rows]
    return {
        "type": "scatter", "mode": "markers",
        "x": [_across(row, axes) for row in rows], "y": [float(row.point.rating) for row in rows],
        "hoverinfo": "text", "hovertext": [scene.hovers[row.point.key] for row in rows],
        "error_y": {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "width": 0,
                    "thickness": 1.25, "color": "var(--accent)"},
        "marker": {"size": [_size(row, 9 if canvas.narrow else 10, scene) for row in rows],
                   "color": "var(--accent)", "opacity": 1, "line": {"color": "var(--paper)", "width": 1.5}},
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
    host = f" at {escaped(row.host)}" if row.is_hosted else ""
    costs = "Free" if not point.price else formatting.derived_price(point.price)
    lines = [
        f"<b>{escaped(point.label)}</b>",
        f"{costs} {'per Mtok' if point.offer else 'a task'}{host}",
        *([", ".join(parts)] if parts else []),
        f"Rating {formatting.rating(point.rating, point.low, point.high, row.decimals)}{votes}",
        *([f"{formatting.count(round(row.speed))} tokens a second"] if row.speed is not None else []),
        *([f"{formatting.seconds(row.seconds)} a task"] if row.seconds is not None else []),
    ]
    if row.on_frontier:
        lines.append("No equal for less")
    elif row.multiple is not None and row.multiple > 1:
        lines.append(f"{formatting.multiple(row.multiple)} {escaped(row.cheapest_equal.label)}")
    else:
        lines.append(f"As dear as {escaped(row.cheapest_equal.label)}")
    return "<br>".join(lines)


# Labels


def labels(
    front: Sequence[Row], others: Sequence[Row], axes: Scale, canvas: Canvas, names: Mapping[str, str]
) -> list[tuple[Row, Placed]]:
    """The frontier's names, then what was searched for, then each maker's best model: as many as have room."""
    spots = {row.point.key: axes.at(_across(row, axes), row.point.rating, canvas) for row in [*front, *others]}
    corners = [spots[row.point.key] for row in front]
    lines = _step_boxes(corners, canvas)
    marks = [Box.around(x, y, 7) for x, y in corners]
    named = place((_label(row, spots, names) for row in reversed(front)), canvas.frame, [*lines, *marks], AROUND)
    dots = [Box.around(*spots[row.point.key], 2.5) for row in others]
    taken = [*lines, *marks, *dots, *(one.box for one in named)]
    more: list[Placed] = []
    groups = [[row] for row in others if row.is_asked or row.in_band in ("chosen", "cheapest")] or _by_maker(
        [row for row in others if float(row.point.rating) > (axes.bottom + axes.top) / 2]
    )
    for group in groups:
        if len(more) == (4 if canvas.narrow else 10):
            break
        fitting = place((_label(row, spots, names) for row in group), canvas.frame, taken, BESIDE)[:1]
        more += fitting
        taken += [one.box for one in fitting]
    by_key = {row.point.key: row for row in [*front, *others]}
    return [(by_key[one.key], one) for one in [*named, *more]]


def _label(row: Row, spots: Mapping[str, tuple[float, float]], names: Mapping[str, str]) -> Label:
    return Label(row.point.key, names[row.point.key], *spots[row.point.key])


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


def _layout(front: Sequence[Row], others: Sequence[Row], axes: Scale, canvas: Canvas, scene: Scene) -> dict[str, Any]:
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
        ] + _band(scene),
        "annotations": [
            *(_annotation(row, one, axes) for row, one in labels(front, others, axes, canvas, scene.marks)),
            *_band_words(scene, canvas),
            {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "yshift": 4,
             "xshift": -34, "showarrow": False, "text": f"{scene.unit}, from {axes.bottom:g}",
             "font": {"color": "var(--ink-3)"}},
            {"xref": "paper", "yref": "paper", "x": 1, "y": 0, "xanchor": "right", "yanchor": "top", "yshift": -30,
             "showarrow": False, "text": f"{scene.price}, log scale", "font": {"color": "var(--ink-3)"}},
        ],
    }  # fmt: skip


def _band(scene: Scene) -> list[dict[str, Any]]:
    """From the chosen rating down to what may be given up of it."""
    if scene.band is None:
        return []
    floor, rating = float(scene.band.floor), float(scene.band.of.rating)
    across = {"xref": "paper", "x0": 0, "x1": 1}
    return [
        {"type": "rect", "layer": "below", **across, "y0": floor, "y1": rating, "line": {"width": 0},
         "fillcolor": "alpha(--doubt, 0.10)"},
        {"type": "line", **across, "y0": floor, "y1": floor,
         "line": {"color": "var(--fault)", "width": 1.25, "dash": "dash"}},
    ]  # fmt: skip


def _band_words(scene: Scene, canvas: Canvas) -> list[dict[str, Any]]:
    if scene.band is None:
        return []
    delta = f"{scene.band.delta.normalize():f}"
    name = "" if canvas.narrow else f" below {escaped(scene.band.of.display_name)}"
    return [
        {"xref": "paper", "x": 1, "xanchor": "right", "y": float(scene.band.floor), "yanchor": "top", "yshift": -1,
         "showarrow": False, "text": f"{delta} points{name}", "font": {"color": "var(--fault)", "size": 12}}
    ]  # fmt: skip


def _annotation(row: Row, placed: Placed, axes: Scale) -> dict[str, Any]:
    is_inked = row.is_asked or row.in_band == "chosen"
    colour = "var(--accent)" if row.on_frontier else "var(--ink)" if is_inked else "var(--ink-2)"
    return {
        "x": math.log10(_across(row, axes)), "y": float(row.point.rating), "text": escaped(placed.text),
        "showarrow": False, "xanchor": placed.anchor, "yanchor": "middle", "xshift": placed.dx, "yshift": -placed.dy,
        "font": {"color": colour, "size": 12, "weight": 600 if row.on_frontier or is_inked else 400},
    }  # fmt: skip
