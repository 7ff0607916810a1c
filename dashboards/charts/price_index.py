"""The chart of the price of constant quality: both estimators as steps, their lines with bands, others' for comparison.

Pure. y is logarithmic, so that a constant factor a year is a straight line. The band of an estimator is all slopes in
its interval, turned about the middle of its points. Lines of others begin at the first point and leave the frame where
they leave the prices. A narrow screen gets a chart of its own, without names of models.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from dashboards import formatting
from dashboards.charts.marks import AROUND, Box, Figure, Label, decades, escaped, log_ticks, place
from dashboards.charts.spend import apart
from dashboards.pages.price_index import IndexPage, PointRow, Side
from dashboards.pages.price_index.words import times
from pricing.constant_quality.estimates import years
from pricing.constant_quality.published import Published

COLOURS = {"live_minimum": "--accent", "record_low": "--series-2"}
LABEL = 16.0
OUTSIDE = 2.0
"""Decades that a line may leave the frame by before it is cut: Plotly draws what is far outside all the same."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """The drawing area that labels are laid out for, in pixels."""

    width: float
    height: float
    narrow: bool


WIDE = Canvas(648, 398, narrow=False)
NARROW = Canvas(300, 300, narrow=True)


@dataclass(frozen=True, slots=True)
class Axes:
    """Days [first, last] and exponents of ten [low, high]."""

    first: date
    last: date
    low: float
    high: float

    def at(self, on: date, price: float, canvas: Canvas) -> tuple[float, float]:
        """Pixels, y growing downwards."""
        across = (on - self.first).days / max((self.last - self.first).days, 1)
        up = (math.log10(price) - self.low) / (self.high - self.low)
        return across * canvas.width, (1 - up) * canvas.height

    def cut(self, exponent: float) -> float:
        return 10 ** min(max(exponent, self.low - OUTSIDE), self.high + OUTSIDE)


def figure(page: IndexPage) -> Figure:
    """Both figures; without points an empty frame."""
    return {"wide": _figure(page, WIDE), "narrow": _figure(page, NARROW)}


def axes(page: IndexPage) -> Axes:
    rows = [row for side in page.sides for row in side.rows]
    last = page.until - timedelta(days=1)
    if not rows:
        return Axes(last - timedelta(days=365), last, -1, 1)
    prices = [math.log10(row.price) for row in rows]
    low, high = min(prices), max(prices)
    air = max(0.18, 0.12 * (high - low))
    first = min(row.on for row in rows)
    last = max(last, first + timedelta(days=31))
    # A little air, so that the first mark is whole.
    return Axes(first - timedelta(days=(last - first).days // 60 + 1), last, low - air, high + air)


def _figure(page: IndexPage, canvas: Canvas) -> Figure:
    frame = axes(page)
    drawn = [side for side in page.sides if side.rows]
    data = [
        *(trace for side in drawn for trace in _band(side, frame)),
        *(_other(one, page, frame) for one in page.published if drawn),
        *(trace for side in drawn for trace in _fit(side, frame)),
        *(trace for side in drawn for trace in _points(side, frame, canvas)),
    ]
    return {"data": data, "layout": _layout(page, frame, canvas)}


# Lines


def _middle(side: Side) -> tuple[float, float]:
    """The middle of the points, in years from the first and exponents of ten: every fitted line goes through it."""
    first = side.rows[0].on
    xs = [years(first, row.on) for row in side.rows]
    ys = [math.log10(row.price) for row in side.rows]
    return math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)


def _through(side: Side, per_year: float, frame: Axes) -> list[float]:
    """The prices at the first point and at the right end of a line of a factor through the middle of the points."""
    x, y = _middle(side)
    slope = -math.log10(per_year)
    ends = (0.0, years(side.rows[0].on, frame.last))
    return [frame.cut(y + slope * (end - x)) for end in ends]


def _fit(side: Side, frame: Axes) -> Iterator[dict[str, Any]]:
    if side.estimate.per_year is not None:
        yield {
            "type": "scatter", "mode": "lines", "name": f"{side.key} fit", "hoverinfo": "skip",
            "x": [side.rows[0].on.isoformat(), frame.last.isoformat()],
            "y": _through(side, side.estimate.per_year, frame),
            "line": {"color": f"var({COLOURS[side.key]})", "width": 1.25, "dash": "dot"},
        }  # fmt: skip


def _band(side: Side, frame: Axes) -> Iterator[dict[str, Any]]:
    """Two triangles that meet in the middle of the points."""
    ends = side.estimate.interval
    if ends is None or not ends[0] or not ends[1]:
        return
    slow, fast = _through(side, ends[0], frame), _through(side, ends[1], frame)
    first, last = side.rows[0].on.isoformat(), frame.last.isoformat()
    x, y = _middle(side)
    middle = (side.rows[0].on + timedelta(days=round(x * 365.2425))).isoformat()
    yield {
        "type": "scatter", "mode": "lines", "name": f"{side.key} band", "hoverinfo": "skip",
        "x": [first, middle, last, last, middle, first, first],
        "y": [slow[0], 10**y, slow[1], fast[1], 10**y, fast[0], slow[0]],
        "fill": "toself", "fillcolor": f"alpha({COLOURS[side.key]}, 0.09)",
        "line": {"width": 0, "color": "transparent"},
    }  # fmt: skip


def _anchor(page: IndexPage) -> PointRow:
    """The first point of all, where others' lines begin."""
    return min((side.rows[0] for side in page.sides if side.rows), key=lambda row: row.on)


def _other(one: Published, page: IndexPage, frame: Axes) -> dict[str, Any]:
    anchor = _anchor(page)
    low = math.log10(anchor.price) - math.log10(one.per_year) * years(anchor.on, frame.last)
    return {
        "type": "scatter", "mode": "lines", "name": one.who, "hoverinfo": "skip",
        "x": [anchor.on.isoformat(), frame.last.isoformat()], "y": [float(anchor.price), 10**low],
        "line": {"color": "var(--ink-3)", "width": 1, "dash": "dash"},
    }  # fmt: skip


# Points


def _points(side: Side, frame: Axes, canvas: Canvas) -> Iterator[dict[str, Any]]:
    """A price holds until the next one: the last goes on to the right end, and no month without a model is bridged."""
    xs: list[str] = []
    ys: list[float | None] = []
    for n, row in enumerate(side.rows):
        if n and side.key == "live_minimum" and (row.on - side.rows[n - 1].on).days > 31:
            xs.append((side.rows[n - 1].on + timedelta(days=30)).isoformat())
            ys.append(None)
        xs.append(row.on.isoformat())
        ys.append(float(row.price))
    xs.append(frame.last.isoformat())
    ys.append(float(side.rows[-1].price))
    colour = f"var({COLOURS[side.key]})"
    yield {
        "type": "scatter", "mode": "lines", "name": f"{side.key} steps", "x": xs, "y": ys, "hoverinfo": "skip",
        "line": {"color": colour, "width": 2 if side.key == "live_minimum" else 1.5, "shape": "hv"},
    }  # fmt: skip
    small = side.key == "live_minimum"
    yield {
        "type": "scatter", "mode": "markers", "name": side.key,
        "x": [row.on.isoformat() for row in side.rows], "y": [float(row.price) for row in side.rows],
        "hoverinfo": "text", "hovertext": [_hover(side, row) for row in side.rows],
        "marker": {
            "size": [(9 if row.is_rise else 4) if small else (8 if canvas.narrow else 10) for row in side.rows],
            "symbol": ["triangle-up" if row.is_rise else "circle-open" if row.gone_on and not small else "circle"
                       for row in side.rows],
            "color": ["var(--dearer)" if row.is_rise else colour for row in side.rows],
            "opacity": 1, "line": {"width": 1.5, "color": colour} if not small else {"width": 0},
        },
    }  # fmt: skip


def _hover(side: Side, row: PointRow) -> str:
    said = [
        f"<b>{escaped(row.label)}</b>",
        f"{formatting.derived_price(row.price)} per Mtok" + (f", {escaped(row.seller)}" if row.seller else ""),
        f"{side.name}, {formatting.day(row.on)}; {row.live} live",
    ]
    if row.is_rise:
        said.append("dearer than the month before")
    if row.gone_on:
        said.append(f"no longer sold, since {formatting.day(row.gone_on)}")
    return "<br>".join(said)


# Words in the frame


def _layout(page: IndexPage, frame: Axes, canvas: Canvas) -> dict[str, Any]:
    ticks, texts = log_ticks(10**frame.low, 10**frame.high, narrow=canvas.narrow)
    return {
        "height": 364 if canvas.narrow else 470,
        "margin": {"l": 46, "r": 12 if canvas.narrow else 158, "t": 28, "b": 44},
        "xaxis": {"type": "date", "range": [frame.first.isoformat(), frame.last.isoformat()],
                  "tickformat": "%b\n%Y", "nticks": 4 if canvas.narrow else 8, "ticks": "outside", "ticklen": 4,
                  "tickcolor": "var(--ink-3)"},
        "yaxis": {"type": "log", "range": [frame.low, frame.high], "tickvals": ticks, "ticktext": texts},
        "shapes": [
            {"type": "line", "layer": "below", "y0": y, "y1": y, "xref": "paper", "x0": 0, "x1": 1,
             "line": {"color": "var(--grid)", "width": 1}}
            for y in decades(10**frame.low, 10**frame.high)
        ],
        "annotations": [
            {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "yshift": 6,
             "xshift": -34, "showarrow": False, "text": "USD per Mtok, log scale", "font": {"color": "var(--ink-3)"}},
            *(_ends(page, frame, canvas) if any(side.rows for side in page.sides) else ()),
        ],
    }  # fmt: skip


def _ends(page: IndexPage, frame: Axes, canvas: Canvas) -> Iterator[dict[str, Any]]:
    """The name of each line: at the right end, pushed apart, or where it leaves the frame below; then the models'."""
    right: list[tuple[float, str, str]] = []
    below: list[tuple[date, str]] = []
    if not canvas.narrow:
        for side in page.sides:
            if side.rows:
                _, y = frame.at(frame.last, float(side.rows[-1].price), canvas)
                right.append((canvas.height - y, side.name, COLOURS[side.key]))
    anchor = _anchor(page)
    for one in page.published:
        text = f"{one.who} {times(one.per_year)}"
        exponent = math.log10(anchor.price) - math.log10(one.per_year) * years(anchor.on, frame.last)
        if exponent > frame.low:
            if not canvas.narrow:
                _, y = frame.at(frame.last, 10**exponent, canvas)
                right.append((canvas.height - y, text, "--ink-3"))
        else:
            gone = (math.log10(anchor.price) - frame.low) / math.log10(one.per_year)
            below.append((anchor.on + timedelta(days=gone * 365.2425), text))
    right.sort()
    places = apart([y for y, _, _ in right], LABEL, canvas.height)
    for (_, text, colour), y in zip(right, places, strict=True):
        yield {"xref": "paper", "yref": "paper", "x": 1, "y": y / canvas.height, "xanchor": "left", "xshift": 8,
               "yanchor": "middle", "showarrow": False, "text": text,
               "font": {"color": f"var({colour})", "weight": 400 if colour == "--ink-3" else 600}}  # fmt: skip
    taken: list[Box] = []
    for n, (on, text) in enumerate(sorted(below)):
        x, _ = frame.at(on, 10**frame.low, canvas)
        y = canvas.height - 9 - LABEL * n
        taken.append(Box(x, y - 8, x + len(text) * 6.5 + 8, y + 8))
        yield {"x": on.isoformat(), "yref": "paper", "y": 0, "xanchor": "left", "yanchor": "middle", "xshift": 5,
               "yshift": 9 + LABEL * n, "showarrow": False, "text": text,
               "font": {"color": "var(--ink-3)", "size": 12}}  # fmt: skip
    if not canvas.narrow:
        yield from _models(page, frame, canvas, taken)


def _models(page: IndexPage, frame: Axes, canvas: Canvas, taken: Sequence[Box]) -> Iterator[dict[str, Any]]:
    """The model behind each new price, record lows first, as many as have room, each name once."""
    labels: list[Label] = []
    spots: dict[str, tuple[PointRow, str]] = {}
    lines: list[Box] = list(taken)
    for side in page.sides:
        for n, row in enumerate(side.rows):
            x, y = frame.at(row.on, float(row.price), canvas)
            following = side.rows[n + 1].on if n + 1 < len(side.rows) else frame.last
            end, _ = frame.at(following, float(row.price), canvas)
            lines.append(Box(x, y - 2, end, y + 2))
            if n + 1 < len(side.rows):
                _, down = frame.at(following, float(side.rows[n + 1].price), canvas)
                lines.append(Box(end - 2, min(y, down), end + 2, max(y, down)))
            if not row.is_same and row.label not in spots:
                spots[row.label] = (row, COLOURS[side.key])
                labels.append(Label(row.label, _short(row.label), x, y))
    for one in place(labels, Box(0, 0, canvas.width, canvas.height), lines, AROUND):
        row, _ = spots[one.key]
        yield {
            "x": row.on.isoformat(), "y": math.log10(row.price), "text": escaped(one.text), "showarrow": False,
            "xanchor": one.anchor, "yanchor": "middle", "xshift": one.dx, "yshift": -one.dy,
            "font": {"color": "var(--ink-2)", "size": 12},
        }  # fmt: skip


def _short(label: str) -> str:
    return label if len(label) <= 24 else f"{label[:23]}…"
