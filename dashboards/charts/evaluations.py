"""Charts of evaluations: the scores of a suite's models with their intervals, a difference with its margin. Pure.

Both lie on their side, so that names have room. Floats draw; no figure a reader sees comes from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dashboards.charts.marks import Figure, escaped, even_ticks
from dashboards.pages.evaluations.rows import Row
from dashboards.pages.evaluations.words import label_of, margin_words, points, signed
from pricing.noninferiority import Verdict
from usage.evaluation_comparisons import Comparison

MOST = 16
"""Models drawn; the others are in the table."""
_ROW, _NARROW_ROW = 27, 42


def scores(rows: Sequence[Row]) -> Figure:
    """Both figures; on a phone the name stands above its mark."""
    drawn = list(rows[:MOST])
    return {"wide": _scores(drawn, narrow=False), "narrow": _scores(drawn, narrow=True)}


def height(rows: Sequence[Row]) -> int:
    return len(rows[:MOST]) * _ROW + 56


def _scores(rows: Sequence[Row], *, narrow: bool) -> dict[str, Any]:
    lows = [float(row.point.low if row.point.low is not None else row.point.value) * 100 for row in rows]
    highs = [float(row.point.high if row.point.high is not None else row.point.value) * 100 for row in rows]
    low, high = max(min(lows, default=0) - 3, -1), min(max(highs, default=100) + 3, 101)
    if high - low < 8:
        low, high = max(low - 4, -1), min(high + 4, 101)
    ticks = even_ticks(max(low, 0), min(high, 100), 4 if narrow else 8)
    step = _NARROW_ROW if narrow else _ROW
    names = [
        {"xref": "paper", "x": 0, "xanchor": "left" if narrow else "right", "xshift": 2 if narrow else -10, "y": place,
         "yshift": 14 if narrow else 0, "showarrow": False, "text": _name(row, 42 if narrow else 36),
         "font": {"color": "var(--ink)", "weight": 600 if row.is_current else 400}}
        for place, row in enumerate(rows)
    ]  # fmt: skip
    layout = {
        "height": len(rows) * step + 56,
        "margin": {"l": 10 if narrow else 250, "r": 16, "t": 12, "b": 40},
        "xaxis": {"range": [low, high], "tickvals": ticks, "zeroline": False,
                  "ticktext": [f"{one:g}" for one in ticks]},
        "yaxis": {"range": [len(rows) - 0.5, -0.7 if narrow else -0.5], "visible": False},
        "annotations": names,
        "shapes": _bar_of_current(rows),
    }  # fmt: skip
    return {"data": [_marks(rows, narrow=narrow)] if rows else [], "layout": layout}


def _name(row: Row, most: int) -> str:
    return escaped(row.name if len(row.name) <= most else f"{row.name[: most - 1]}…")


def _bar_of_current(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Where the current model lies, for the eye to carry down."""
    current = next((row for row in rows if row.is_current), None)
    if current is None:
        return []
    x = float(current.point.value) * 100
    return [{"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1,
             "line": {"color": "var(--ink-3)", "width": 1, "dash": "dot"}}]  # fmt: skip


def _colour(row: Row) -> str:
    if row.is_current:
        return "var(--ink)"
    judged = row.comparison.judgement if row.comparison else None
    return "var(--accent)" if judged and judged.verdict in (Verdict.BETTER, Verdict.EQUAL) else "var(--mark-muted)"


def _marks(rows: Sequence[Row], *, narrow: bool) -> dict[str, Any]:
    xs = [float(row.point.value) * 100 for row in rows]
    colours = [_colour(row) for row in rows]
    return {
        "type": "scatter", "mode": "markers", "x": xs, "y": list(range(len(rows))),
        "hoverinfo": "text", "hovertext": [_hover(row) for row in rows], "cliponaxis": False,
        "marker": {"size": 8 if narrow else 9, "color": colours},
        "error_x": {
            "type": "data", "symmetric": False, "thickness": 1.5, "width": 4, "color": "var(--ink-3)",
            "array": [float(row.point.high or row.point.value) * 100 - x for row, x in zip(rows, xs, strict=True)],
            "arrayminus": [x - float(row.point.low if row.point.low is not None else row.point.value) * 100
                           for row, x in zip(rows, xs, strict=True)],
        },
    }  # fmt: skip


def _hover(row: Row) -> str:
    said = f"<b>{escaped(row.name)}</b><br>{row.score}"
    if row.interval:
        said += f" ({row.interval})"
    if row.is_current:
        return f"{said}<br>the current model"
    return f"{said}<br>{escaped(row.badge[1])}{f': {row.difference}' if row.difference else ''}"


def difference(of: Comparison) -> Figure:
    """The interval of a difference, with the margin it has to clear."""
    return {"wide": _difference(of, narrow=False), "narrow": _difference(of, narrow=True)}


def _difference(of: Comparison, *, narrow: bool) -> dict[str, Any]:
    d = of.difference
    if d is None or d.low == float("-inf"):
        return {"data": [], "layout": {"height": 190}}
    value, low, high, margin = d.value * 100, d.low * 100, d.high * 100, float(of.margin) * 100
    left, right = min(low, -margin, 0.0), max(high, 0.0)
    room = max(right - left, 1.0) * 0.16
    left, right = left - room, right + room
    ticks = even_ticks(left, right, 5 if narrow else 9)
    sure = of.judgement is not None and of.judgement.verdict in (Verdict.BETTER, Verdict.EQUAL)
    colour = "var(--accent)" if sure else "var(--ink)"
    name = label_of(of, "candidate")
    name = name if len(name) <= 30 else f"{name[:29]}…"
    words = {"yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": False, "font": {"color": "var(--ink-2)"}}
    annotations = [
        words
        | {
            "x": -margin,
            "xanchor": "left" if narrow else "center",
            "text": f"margin −{points(of.margin, 1).removesuffix('.0')}",
        }
    ]
    if not narrow:
        annotations.append(words | {"xref": "paper", "x": 1, "xanchor": "right", "text": f"{escaped(name)} better →"})
    annotations.append(
        {"x": value, "y": 0, "yshift": 20, "showarrow": False, "font": {"color": "var(--ink)", "weight": 600},
         "text": signed(d.value)}
    )  # fmt: skip
    return {
        "data": [
            {
                "type": "scatter", "mode": "markers", "x": [value], "y": [0], "hoverinfo": "text",
                "hovertext": [
                    f"{signed(d.value)} ({signed(d.low)} to {signed(d.high)}); {margin_words(of.margin)} allowed"
                ],
                "marker": {"size": 11, "color": colour},
                "error_x": {"type": "data", "symmetric": False, "array": [high - value], "arrayminus": [value - low],
                            "thickness": 2, "width": 7, "color": colour},
            }
        ],
        "layout": {
            "height": 190, "margin": {"l": 16, "r": 16, "t": 30, "b": 36},
            "xaxis": {"range": [left, right], "tickvals": ticks, "zeroline": False,
                      "ticktext": [signed(tick / 100, 1).removesuffix(".0") for tick in ticks]},
            "yaxis": {"range": [-1, 1], "visible": False},
            "annotations": annotations,
            "shapes": [
                {"type": "rect", "x0": left, "x1": -margin, "yref": "paper", "y0": 0, "y1": 1, "layer": "below",
                 "fillcolor": "alpha(--ink-3, 0.10)", "line": {"width": 0}},
                {"type": "line", "x0": -margin, "x1": -margin, "yref": "paper", "y0": 0, "y1": 1,
                 "line": {"color": "var(--fault)", "width": 1.5, "dash": "dash"}},
                {"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1,
                 "line": {"color": "var(--ink)", "width": 1}},
            ],
        },
    }  # fmt: skip
