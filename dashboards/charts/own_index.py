"""The charts of an organisation's own index: three indices by month, and the parts of each change of spend. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from dashboards import formatting
from dashboards.charts.marks import Figure, even_ticks
from dashboards.charts.spend import apart, tick_text
from dashboards.pages.own_index import INDICES, PARTS, MonthRow, OwnPage

LEVEL_COLOURS = {"fisher": "--accent", "laspeyres": "--series-2", "paasche": "--series-5"}
STACKS = {
    "price": ("Price", "--accent"), "exchange": ("Exchange", "--series-4"), "volume": ("Volume", "--series-2"),
    "new": ("New", "--series-5"), "ended": ("Ended", "--series-3"), "other": ("Other", "--series-none"),
}  # fmt: skip
OTHER = ("unknown", "rated", "reported")
NARROW_MONTHS = 12
LABEL = 16.0


def levels(page: OwnPage) -> Figure:
    return {"wide": _levels(page, narrow=False), "narrow": _levels(page, narrow=True)}


def parts(page: OwnPage) -> Figure:
    """Each change in stacked parts, up and down from 0, with the change itself as a mark."""
    return {"wide": _parts(page, narrow=False), "narrow": _parts(page, narrow=True)}


def stacked(row: MonthRow) -> dict[str, Decimal]:
    """The parts of a month as they are drawn: what is no price, exchange, volume, new or ended is one."""
    own = {name: row.parts.get(name, Decimal(0)) for name in PARTS}
    other = sum((own[name] for name in OTHER), Decimal(0))
    return {name: other if name == "other" else own[name] for name in STACKS}


def used(rows: Sequence[MonthRow]) -> list[str]:
    """The stacks in which anything moved in any month."""
    drawn = [stacked(row) for row in rows if row.change is not None]
    return [name for name in STACKS if any(one[name] for one in drawn)]


def _months(rows: Sequence[MonthRow], *, narrow: bool) -> dict[str, Any]:
    every = max(1, -(-len(rows) // (4 if narrow else 12)))
    shown = list(range(len(rows) - 1, -1, -every))[::-1]
    return {
        "range": [-0.6, len(rows) - 0.4], "tickvals": shown, "tickangle": 0,
        "ticktext": [f"{rows[at].first:%b}<br>{rows[at].first:%Y}" if n == 0 or rows[at].first.month <= every
                     else f"{rows[at].first:%b}" for n, at in enumerate(shown)],
    }  # fmt: skip


def _levels(page: OwnPage, *, narrow: bool) -> Figure:
    rows = page.rows
    known = [float(level) for row in rows for level in row.levels.values() if level is not None] or [100.0]
    low, high = min(known), max(known)
    air = max((high - low) * 0.12, 1.0)
    low, high = low - air, high + air
    height, ticks = 300, even_ticks(low, high, 6)
    layout = {
        "height": height, "margin": {"l": 46, "r": 14 if narrow else 124, "t": 28, "b": 44},
        "xaxis": _months(rows, narrow=narrow),
        "yaxis": {"range": [low, high], "tickvals": ticks, "ticktext": [f"{one:g}" for one in ticks]},
        "annotations": [
            {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "yshift": 6,
             "xshift": -34, "showarrow": False, "text": "First priced month = 100, axis torn",
             "font": {"color": "var(--ink-3)"}},
            *([] if narrow else _names(rows, low, high, height - 72)),
        ],
    }  # fmt: skip
    return {"data": [_level(rows, name, label) for name, label in INDICES.items()], "layout": layout}


def _level(rows: Sequence[MonthRow], name: str, label: str) -> dict[str, Any]:
    values = [row.levels[name] for row in rows]
    return {
        "type": "scatter", "mode": "lines+markers", "name": name, "x": list(range(len(rows))),
        "y": [None if value is None else float(value) for value in values], "connectgaps": False,
        "hoverinfo": "text",
        "hovertext": [f"{label} {_level_text(value)}<br>{row.name}" for row, value in zip(rows, values, strict=True)],
        "line": {"color": f"var({LEVEL_COLOURS[name]})", "width": 2 if name == "fisher" else 1.25},
        "marker": {"size": 5 if name == "fisher" else 3},
    }  # fmt: skip


def _level_text(value: Decimal | None) -> str:
    return "unknown" if value is None else f"{formatting.rounded(value, 1)}"


def _names(rows: Sequence[MonthRow], low: float, high: float, plot: float) -> Iterator[dict[str, Any]]:
    spots = []
    for name, label in INDICES.items():
        last = next((row.levels[name] for row in reversed(rows) if row.levels[name] is not None), None)
        if last is not None:
            spots.append(((float(last) - low) / (high - low) * plot, f"{label} {_level_text(last)}", name))
    spots.sort()
    for (_, text, name), y in zip(spots, apart([spot[0] for spot in spots], LABEL, plot), strict=True):
        yield {"xref": "paper", "yref": "paper", "x": 1, "y": y / plot, "xanchor": "left", "xshift": 8,
               "yanchor": "middle", "showarrow": False, "text": text,
               "font": {"color": f"var({LEVEL_COLOURS[name]})",
                        "weight": 600 if name == "fisher" else 400}}  # fmt: skip


def _parts(page: OwnPage, *, narrow: bool) -> Figure:
    rows = [row for row in page.rows if row.change is not None]
    rows = rows[-NARROW_MONTHS:] if narrow else rows
    drawn = [stacked(row) for row in rows]
    tops = [float(sum((value for value in one.values() if value > 0), Decimal(0))) for one in drawn] or [1.0]
    floors = [float(sum((value for value in one.values() if value < 0), Decimal(0))) for one in drawn] or [0.0]
    low, high = min(*floors, 0.0) * 1.08, max(*tops, 0.01) * 1.08
    ticks = even_ticks(low, high, 6)
    data: list[dict[str, Any]] = [_bar(page, rows, drawn, name) for name in used(rows)]
    data.append({
        "type": "scatter", "mode": "markers", "name": "change", "x": list(range(len(rows))),
        "y": [float(row.change or 0) for row in rows], "hoverinfo": "text",
        "hovertext": [f"Change {formatting.signed_money(row.change or Decimal(0), page.currency)}<br>{row.name}"
                      for row in rows],
        "marker": {"symbol": "diamond", "size": 8, "color": "var(--ink)",
                   "line": {"color": "var(--paper)", "width": 1}},
    })  # fmt: skip
    layout = {
        "barmode": "relative", "bargap": 0.3, "height": 300, "margin": {"l": 58, "r": 14, "t": 16, "b": 44},
        "xaxis": _months(rows, narrow=narrow),
        "yaxis": {"range": [low, high], "tickvals": ticks,
                  "ticktext": [tick_text(one, page.currency) if one >= 0 else f"−{tick_text(-one, page.currency)}"
                               for one in ticks]},
        "shapes": [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0,
                    "line": {"color": "var(--ink)", "width": 1}}],
    }  # fmt: skip
    return {"data": data, "layout": layout}


def _bar(page: OwnPage, rows: Sequence[MonthRow], drawn: Sequence[dict[str, Decimal]], name: str) -> dict[str, Any]:
    label, colour = STACKS[name]
    return {
        "type": "bar", "name": name, "x": list(range(len(rows))), "y": [float(one[name]) for one in drawn],
        "marker": {"color": f"var({colour})"}, "hoverinfo": "text", "textposition": "none",
        "hovertext": [f"{label} {formatting.signed_money(one[name], page.currency)}<br>{row.name}"
                      for row, one in zip(rows, drawn, strict=True)],
    }  # fmt: skip
