"""The chart of a rented Mtok against utilisation, with the API's line and the break-even. Pure."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from dashboards import formatting
from dashboards.charts.marks import Figure, decades, escaped, log_ticks
from dashboards.pages.self_host import Page

POINTS = tuple(Decimal(step) / 100 for step in range(2, 101))


def figure(page: Page) -> Figure:
    """Both figures; without a plan empty frames."""
    return {"wide": _figure(page, narrow=False), "narrow": _figure(page, narrow=True)}


def _figure(page: Page, *, narrow: bool) -> Figure:
    if page.plan is None:
        return {"data": [], "layout": {"height": 240}}
    line = [(float(one * 100), float(usd)) for one in POINTS if (usd := page.plan.usd_per_mtok(one)) is not None]
    api = float(page.api_usd) if page.api_usd else None
    amounts = [usd for _, usd in line] + ([api] if api else [])
    if not max(amounts, default=0):
        return {"data": [], "layout": {"height": 240}}  # a log axis has no zero
    low, high = min(one for one in amounts if one) / 1.6, max(amounts) * 1.2
    ticks, texts = log_ticks(low, high, narrow=narrow)
    loads = [0, 25, 50, 75, 100] if narrow else list(range(0, 101, 10))
    layout = {
        "height": 320 if narrow else 380,
        "margin": {"l": 54, "r": 12 if narrow else 20, "t": 22, "b": 48},
        "xaxis": {"range": [0, 101], "tickvals": loads, "ticktext": [f"{one}%" for one in loads],
                  "ticks": "outside", "ticklen": 4, "tickcolor": "var(--ink-3)"},
        "yaxis": {"type": "log", "range": [math.log10(low), math.log10(high)], "tickvals": ticks, "ticktext": texts},
        "shapes": _shapes(page, low, high),
        "annotations": [*_labels(page, narrow=narrow), *_axes(narrow=narrow)],
    }  # fmt: skip
    return {"data": [_cost(page, line), *_marks(page)], "layout": layout}


def _cost(page: Page, line: list[tuple[float, float]]) -> dict[str, Any]:
    hover = [f"At {load:g}% {formatting.derived_price(Decimal(str(usd)))} per Mtok" for load, usd in line]
    return {
        "type": "scatter", "mode": "lines", "x": [x for x, _ in line], "y": [y for _, y in line], "hoverinfo": "text",
        "hovertext": [f"<b>{escaped(page.read.model_name)} rented</b><br>{text}" for text in hover],
        "line": {"color": "var(--series-2)", "width": 2},
    }  # fmt: skip


def _marks(page: Page) -> list[dict[str, Any]]:
    """The break-even, where a load gets there, and the highest load that is planned."""
    found = []
    if page.even and page.even <= 1 and page.api_usd:
        found.append((float(page.even) * 100, float(page.api_usd), "var(--accent)", "Break-even"))
    if page.usd:
        found.append((float(page.ask.load), float(page.usd), "var(--series-2)", "Highest load"))
    return [
        {
            "type": "scatter", "mode": "markers", "x": [x], "y": [y], "hoverinfo": "text", "cliponaxis": False,
            "hovertext": [f"<b>{name}</b><br>{x:.1f}%, {formatting.derived_price(Decimal(str(y)))} per Mtok"],
            "marker": {"size": 10, "color": colour, "line": {"color": "var(--paper)", "width": 1.5}},
        }
        for x, y, colour, name in found
    ]  # fmt: skip


def _shapes(page: Page, low: float, high: float) -> list[dict[str, Any]]:
    shapes: list[dict[str, Any]] = [
        {"type": "line", "layer": "below", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y,
         "line": {"color": "var(--grid)", "width": 1}}
        for y in decades(low, high)
    ]  # fmt: skip
    if page.api_usd:
        api = float(page.api_usd)
        shapes.append({"type": "line", "x0": 0, "x1": 101, "y0": api, "y1": api,
                       "line": {"color": "var(--accent)", "width": 2}})  # fmt: skip
    if page.even and page.even <= 1:
        x = float(page.even) * 100
        shapes.append({"type": "rect", "layer": "below", "x0": x, "x1": 101, "yref": "paper", "y0": 0, "y1": 1,
                       "line": {"width": 0}, "fillcolor": "alpha(--accent, 0.055)"})  # fmt: skip
        shapes.append({"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1,
                       "line": {"color": "var(--accent)", "width": 1, "dash": "dot"}})  # fmt: skip
    return shapes


def _labels(page: Page, *, narrow: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if page.api and page.api_usd:
        name = page.api.seller if page.read.market.kind == "weights" else page.api.model_name
        below = page.usd is not None and page.usd >= page.api_usd
        found.append({
            "x": 0, "y": math.log10(float(page.api_usd)), "xanchor": "left", "xshift": 4,
            "yanchor": "top" if below else "bottom", "yshift": -2 if below else 2, "showarrow": False,
            "text": escaped(f"{name} {formatting.derived_price(page.api_usd)}"),
            "font": {"color": "var(--ink)", "weight": 600},
        })  # fmt: skip
    if page.even and page.even <= 1:
        right = page.even > Decimal("0.6")
        found.append({
            "x": float(page.even) * 100, "yref": "paper", "y": 1, "xanchor": "right" if right else "left",
            "xshift": -5 if right else 5, "yanchor": "top", "showarrow": False,
            "text": f"break-even {formatting.share(page.even, 1)}", "font": {"color": "var(--accent)", "weight": 600},
        })  # fmt: skip
    return found


def _axes(*, narrow: bool) -> list[dict[str, Any]]:
    return [
        {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "yshift": 4,
         "xshift": -46, "showarrow": False, "text": "USD per Mtok, log scale", "font": {"color": "var(--ink-3)"}},
        {"xref": "paper", "yref": "paper", "x": 1, "y": 0, "xanchor": "right", "yanchor": "top", "yshift": -26,
         "showarrow": False, "text": "utilisation" if narrow else "utilisation, share of full load",
         "font": {"color": "var(--ink-3)"}},
    ]  # fmt: skip
