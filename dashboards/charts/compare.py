"""The chart of one unit's price at several offerings over time, in USD by the rate of each day: steps. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dashboards import formatting
from dashboards.charts.history import DAYS, LABEL, iso, money_axis
from dashboards.charts.marks import Figure, escaped, log_ticks
from dashboards.pages.compare import Line, Stretch, Timeline

WIDE = 12.0
"""Prices further apart than this are drawn on a log axis: on a linear one the cheap ones lie on the floor."""


def figure(timeline: Timeline) -> Figure:
    """Both figures; a phone's has fewer ticks, and its names are in the legend."""
    return {"wide": _figure(timeline, narrow=False), "narrow": _figure(timeline, narrow=True)}


def _figure(timeline: Timeline, *, narrow: bool) -> Figure:
    lines = [line for line in timeline.lines if any(one.usd is not None for one in line.drawn)]
    amounts = [float(one.usd) for line in lines for one in line.drawn if one.usd]
    height = 292 if narrow else 352
    is_log = bool(amounts) and max(amounts) / min(amounts) > WIDE
    axis, low, high = _axis(amounts, is_log=is_log, narrow=narrow)
    layout = {
        "height": height,
        "margin": {"l": 46, "r": 12 if narrow else 176, "t": 16, "b": 36},
        "xaxis": {"type": "date", "range": [iso(timeline.start), iso(timeline.end)],
                  "tickformat": "%-d %b\n%Y" if timeline.end - timeline.start < DAYS else "%b\n%Y",
                  "nticks": 4 if narrow else 8, "ticks": "outside", "ticklen": 4, "tickcolor": "var(--ink-3)"},
        "yaxis": axis,
        "annotations": [] if narrow else _ends(lines, low, high, height - 52, is_log=is_log),
        "shapes": [_today(timeline)] if timeline.end > timeline.now else [],
    }  # fmt: skip
    return {"data": [_trace(line, is_log=is_log) for line in lines], "layout": layout}


def _axis(amounts: Sequence[float], *, is_log: bool, narrow: bool) -> tuple[dict[str, Any], float, float]:
    """The axis and its two ends, as exponents of ten where it is a log one."""
    if not is_log:
        top = max(amounts, default=1.0) * 1.12
        return money_axis(top), 0.0, top
    low, high = min(amounts) / 1.3, max(amounts) * 1.3
    values, texts = log_ticks(low, high, narrow=narrow)
    ends = (math.log10(low), math.log10(high))
    return {"type": "log", "range": list(ends), "tickvals": values, "ticktext": texts}, *ends


def _today(timeline: Timeline) -> dict[str, Any]:
    return {"type": "line", "x0": iso(timeline.now), "x1": iso(timeline.now), "yref": "paper", "y0": 0, "y1": 1,
            "line": {"color": "var(--ink-3)", "width": 1, "dash": "dot"}}  # fmt: skip


def _trace(line: Line, *, is_log: bool) -> dict[str, Any]:
    xs: list[str] = []
    ys: list[float | None] = []
    texts: list[str] = []
    before: Stretch | None = None
    for step in line.drawn:
        # A gap where no price or no rate was known, and a free stretch on an axis that has no zero.
        usd = None if step.usd is None or (is_log and not step.usd) else float(step.usd)
        if before is not None and before.end != step.start:
            xs.append(iso(before.end))
            ys.append(None)
            texts.append("")
        xs += [iso(step.start), iso(step.end)]
        ys += [usd, usd]
        texts += [_hover(line, step)] * 2
        before = step
    return {
        "type": "scatter", "mode": "lines", "x": xs, "y": ys, "hoverinfo": "text", "hovertext": texts,
        "line": {"color": f"var(--series-{line.column.series})", "width": 2, "shape": "hv"},
    }  # fmt: skip


def _hover(line: Line, step: Stretch) -> str:
    asked = formatting.price(step.amount, step.currency)
    worth = f"<br>{formatting.derived_price(step.usd)} {escaped(step.rate)}" if step.rate and step.usd else ""
    return (
        f"<b>{escaped(line.column.label)}</b><br>{escaped(asked)} per Mtok{worth}<br>from {formatting.day(step.start)}"
    )


def _ends(lines: Sequence[Line], low: float, high: float, height: float, *, is_log: bool) -> list[dict[str, Any]]:
    """The name of each line at its right end, pushed apart where they would touch."""
    spots = []
    for line in lines:
        last = next((one.usd for one in reversed(line.drawn) if one.usd), None)
        if last is not None:
            at = math.log10(float(last)) if is_log else float(last)
            spots.append(((at - low) / (high - low) * height, at, line))
    spots.sort(key=lambda spot: (spot[0], spot[2].column.series))
    placed, lowest = [], -LABEL
    for pixels, at, line in spots:
        lowest = max(pixels, lowest + LABEL)
        placed.append((lowest, pixels, at, line))
    over = max(max((spot[0] for spot in placed), default=0) - height, 0)
    return [
        {
            "xref": "paper", "x": 1, "xanchor": "left", "xshift": 6, "y": at, "yshift": put - over - pixels,
            "showarrow": False, "text": escaped(line.column.short), "align": "left",
            "font": {"color": "var(--ink)", "weight": 600},
        }
        for put, pixels, at, line in placed
    ]  # fmt: skip
