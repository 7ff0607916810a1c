"""The charts of convergence: three best scores over time as steps, and the share of models above a floor. Pure.

The axis of scores is torn, and the words above it say from where. Each line says its name and last score at its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from dashboards import formatting
from dashboards.charts.marks import Figure, escaped, even_ticks
from dashboards.charts.spend import apart
from dashboards.pages.convergence import Cell, ConvergencePage, Row
from dashboards.pages.price_index import number
from pricing.answers.convergence import TABLES

LABEL = 17.0
LINES = (("best", "Best", "--ink-2"), ("open", "Open weights", "--series-2"), ("cheap", "At most", "--accent"))


def figure(page: ConvergencePage, unit: str) -> Figure:
    """The scores; without rows an empty frame."""
    return {"wide": _scores(page, unit, narrow=False), "narrow": _scores(page, unit, narrow=True)}


def share_figure(page: ConvergencePage) -> Figure:
    """The share of models at or above the floor, 0 to 100 %."""
    return {"wide": _share(page, narrow=False), "narrow": _share(page, narrow=True)}


def _name(page: ConvergencePage, key: str, name: str) -> str:
    return f"{name} {number(page.ask.at_most)} USD" if key == "cheap" else name


def _cells(rows: Sequence[Row], key: str) -> Iterator[tuple[Row, Cell | None]]:
    for row in rows:
        yield row, getattr(row, key)


def _scores(page: ConvergencePage, unit: str, *, narrow: bool) -> Figure:
    rows = page.rows
    scores = [float(cell.score) for key, _, _ in LINES for _, cell in _cells(rows, key) if cell]
    low, high = (min(scores), max(scores)) if scores else (0.0, 1.0)
    air = max((high - low) * 0.1, 1.0)
    low, high = low - air, high + air
    height = 320 if narrow else 400
    plot = height - 28 - 44
    ticks = even_ticks(low, high, 5 if narrow else 7)
    layout = {
        "height": height, "margin": {"l": 46, "r": 14 if narrow else 178, "t": 28, "b": 44},
        "xaxis": _days(rows, narrow=narrow),
        "yaxis": {"range": [low, high], "tickvals": ticks, "ticktext": [f"{one:g}" for one in ticks]},
        "annotations": [
            {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "yshift": 6,
             "xshift": -34, "showarrow": False, "text": f"{escaped(unit)}, from {low:.0f}",
             "font": {"color": "var(--ink-3)"}},
            *([] if narrow else _ends(page, low, high, plot)),
        ],
    }  # fmt: skip
    return {"data": [_line(page, *line) for line in LINES], "layout": layout}


def _line(page: ConvergencePage, key: str, name: str, colour: str) -> dict[str, Any]:
    found = list(_cells(page.rows, key))
    is_sparse = page.ask.by == TABLES
    return {
        "type": "scatter", "mode": "lines+markers" if is_sparse else "lines", "name": key,
        "x": [row.on.isoformat() for row, _ in found],
        "y": [None if cell is None else float(cell.score) for _, cell in found],
        "hoverinfo": "text", "connectgaps": False,
        "hovertext": [_hover(_name(page, key, name), row, cell) for row, cell in found],
        "line": {"color": f"var({colour})", "width": 2, "shape": "hv"}, "marker": {"size": 8},
    }  # fmt: skip


def _hover(name: str, row: Row, cell: Cell | None) -> str:
    if cell is None:
        return ""
    price = f"{formatting.derived_price(cell.price)} per Mtok" if cell.price is not None else "price not known"
    behind = f"<br>{cell.behind:f} behind the best" if cell.behind else ""
    return (
        f"<b>{escaped(cell.label)}</b><br>{escaped(name)}, {formatting.day(row.on)}<br>"
        f"{cell.score.normalize():f}, {price}{behind}"
    )


def _days(rows: Sequence[Row], *, narrow: bool) -> dict[str, Any]:
    first = rows[0].on if rows else date(2024, 1, 1)
    last = rows[-1].on if rows else date(2025, 1, 1)
    air = timedelta(days=max(5, (last - first).days // 60))
    return {
        "type": "date", "range": [(first - air).isoformat(), (last + air).isoformat()], "tickformat": "%b\n%Y",
        "nticks": 4 if narrow else 8, "ticks": "outside", "ticklen": 4, "tickcolor": "var(--ink-3)",
    }  # fmt: skip


def _ends(page: ConvergencePage, low: float, high: float, plot: float) -> Iterator[dict[str, Any]]:
    spots = []
    for key, name, colour in LINES:
        last = next((cell for _, cell in reversed(list(_cells(page.rows, key))) if cell), None)
        if last:
            text = f"{_name(page, key, name)} {formatting.rounded(last.score, 0)}"
            spots.append(((float(last.score) - low) / (high - low) * plot, text, colour))
    spots.sort()
    for (_, text, colour), y in zip(spots, apart([spot[0] for spot in spots], LABEL, plot), strict=True):
        yield {"xref": "paper", "yref": "paper", "x": 1, "y": y / plot, "xanchor": "left", "xshift": 8,
               "yanchor": "middle", "showarrow": False, "text": text,
               "font": {"color": f"var({colour})", "weight": 600}}  # fmt: skip


def _share(page: ConvergencePage, *, narrow: bool) -> Figure:
    rows = page.rows
    is_sparse = page.ask.by == TABLES
    return {
        "data": [{
            "type": "scatter", "mode": "lines+markers" if is_sparse else "lines", "name": "share",
            "x": [row.on.isoformat() for row in rows], "y": [float(row.gap.share_above) for row in rows],
            "hoverinfo": "text",
            "hovertext": [f"{row.share_text}<br>{row.gap.above} of {row.gap.rated}, {formatting.day(row.on)}"
                          for row in rows],
            "line": {"color": "var(--accent)", "width": 2, "shape": "hv"}, "marker": {"size": 8},
        }],
        "layout": {
            "height": 240, "margin": {"l": 46, "r": 14, "t": 16, "b": 44}, "xaxis": _days(rows, narrow=narrow),
            "yaxis": {"range": [0, 1.04], "tickvals": [0, 0.25, 0.5, 0.75, 1],
                      "ticktext": ["0%", "25%", "50%", "75%", "100%"]},
        },
    }  # fmt: skip
