"""The chart of the ladder: one log axis of USD per answer, a row a rung and a workload, models, a person. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from dashboards import formatting
from dashboards.charts.marks import Box, Figure, Label, escaped, place
from dashboards.pages.ladder import Page, WorkloadRow
from dashboards.pages.ladder.page import RungRow

ROW = 46
NARROW_ROW = 52
MOST_WORKLOADS = 8
UNDER = tuple(
    (anchor, dx, dy) for dy in (15.0, 30.0, 45.0) for anchor, dx in (("center", 0.0), ("left", -6.0), ("right", 6.0))
)
"""Where a model's name stands: under its mark on the lowest row, further down where there is no room."""


def figure(page: Page) -> Figure:
    """Both figures; a phone's has its rows' names above them and the models' in a legend."""
    return {"wide": _figure(page, narrow=False), "narrow": _figure(page, narrow=True)}


def _figure(page: Page, *, narrow: bool) -> Figure:
    rungs = [row for row in page.rows if row.known or row.human.low]
    works = list(page.workloads)[:MOST_WORKLOADS]
    amounts = [float(usd) for usd in _amounts(rungs, works) if usd]
    if not amounts:
        return {"data": [], "layout": {"height": 240}}
    low = 10 ** (math.floor(math.log10(min(amounts)) * 2) / 2 - 0.1)
    high = 10 ** (math.ceil(math.log10(max(amounts)) * 2) / 2 + 0.1)
    count = len(rungs) + len(works)
    row = NARROW_ROW if narrow else ROW
    under = 0.55 if narrow else 1.35
    names = [*(one.rung.name for one in rungs), *(one.name for one in works)]
    height = int(row * (count - 1 + under + 0.6))
    ticks = _ticks(low, high, narrow=narrow)
    layout = {
        "height": height + 66,
        "margin": {"l": 10 if narrow else 138, "r": 14 if narrow else 24, "t": 10, "b": 56},
        "xaxis": {"type": "log", "range": [math.log10(low), math.log10(high)], "tickvals": ticks,
                  "ticktext": [_dollars(one, narrow=narrow) for one in ticks], "ticks": "outside", "ticklen": 4,
                  "tickcolor": "var(--ink-3)", "tickangle": 0},
        "yaxis": {"range": [-under, count - 0.4], "showgrid": False, "zeroline": False,
                  "tickvals": [] if narrow else list(range(count)),
                  "ticktext": [] if narrow else [escaped(_short(one)) for one in names]},
        "shapes": _shapes(count, len(rungs), low, high),
        "annotations": [*_rows(names, narrow=narrow), *_models(rungs, low, high, narrow=narrow), *_axis(),
                        *_person(rungs, narrow=narrow)],
    }  # fmt: skip
    return {"data": [*_people(rungs, works), *_costs(page, rungs), *_works(works, len(rungs))], "layout": layout}


def _amounts(rungs: Sequence[RungRow], works: Sequence[WorkloadRow]) -> list[Decimal | None]:
    found = [cell.usd for row in rungs for cell in row.known]
    found += [usd for row in rungs for usd in (row.human.low, row.human.high)]
    found += [one.usd for one in works]
    return found + [usd for one in works for usd in (one.human.low, one.human.high)]


def _short(name: str) -> str:
    return name if len(name) <= 21 else f"{name[:20]}…"


def _ticks(low: float, high: float, *, narrow: bool) -> list[float]:
    powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    step = 1 if len(powers) <= (6 if narrow else 12) else 2
    return [10.0**power for power in powers if power % step == 0]


def _dollars(value: float, *, narrow: bool) -> str:
    if value >= 1000:
        return f"${value / 1000:,.0f}k"
    plain = f"{Decimal(1).scaleb(round(math.log10(value))):f}"
    # On a phone `$0.00001` takes the room of two: `0.001¢` says the same in less.
    return f"{Decimal(plain) * 100:f}".rstrip("0").rstrip(".") + "¢" if narrow and value < 0.01 else f"${plain}"


def _people(rungs: Sequence[RungRow], works: Sequence[WorkloadRow]) -> list[dict[str, Any]]:
    """A bar from the lower to the higher cost of the person asked for; a mark where both are one."""
    spans = [(y, row.rung.name, row.human) for y, row in enumerate(rungs)]
    spans += [(len(rungs) + y, one.name, one.human) for y, one in enumerate(works)]
    found = []
    for y, name, human in spans:
        if human.low and human.high:
            text = f"<b>{escaped(human.person.name)}</b><br>{escaped(name)}: {_span(human.low, human.high)}"
            found.append({
                "type": "scatter", "mode": "lines+markers", "x": [float(human.low), float(human.high)], "y": [y, y],
                "hoverinfo": "text", "hovertext": [text, text],
                "line": {"color": "var(--mark-muted)", "width": 7},
                "marker": {"size": 12, "symbol": "line-ns", "line": {"color": "var(--ink-2)", "width": 3}},
            })  # fmt: skip
    return found


def _span(low: Decimal, high: Decimal) -> str:
    start, end = formatting.derived_price(low), formatting.derived_price(high)
    return start if start == end else f"{start} to {end}"


def _costs(page: Page, rungs: Sequence[RungRow]) -> list[dict[str, Any]]:
    found = []
    for number, model in enumerate(page.priced, start=1):
        points = [
            (float(paid), y, row)
            for y, row in enumerate(rungs)
            if (paid := row.cells[number - 1].usd)
        ]  # fmt: skip
        found.append(_marks(points, model.name, f"var(--series-{number})", "circle"))
    beside = [(float(cell.usd), y, row, cell) for y, row in enumerate(rungs) for cell in row.beside if cell.usd]
    for usd, y, row, cell in beside:
        found.append(_marks([(usd, y, row)], cell.model.name, "var(--ink-2)", "square"))
    return found


def _marks(points: Sequence[tuple[float, int, RungRow]], name: str, colour: str, symbol: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "x": [x for x, _, _ in points], "y": [y for _, y, _ in points],
        "hoverinfo": "text", "cliponaxis": False,
        "hovertext": [
            f"<b>{escaped(name)}</b><br>{escaped(row.rung.name)}: {formatting.derived_price(Decimal(str(x)))}"
            for x, _, row in points
        ],
        "marker": {"size": 11, "symbol": symbol, "color": colour, "line": {"color": "var(--paper)", "width": 1.5}},
    }  # fmt: skip


def _works(works: Sequence[WorkloadRow], above: int) -> list[dict[str, Any]]:
    """Ringed: yours."""
    if not works:
        return []
    return [{
        "type": "scatter", "mode": "markers", "x": [float(one.usd) for one in works],
        "y": [above + y for y in range(len(works))], "hoverinfo": "text", "cliponaxis": False,
        "hovertext": [
            f"<b>{escaped(one.name)}</b><br>{formatting.derived_price(one.usd)} a request,"
            f" {formatting.count(one.workload.requests)} requests"
            for one in works
        ],
        "marker": {"size": 11, "color": "var(--paper)", "line": {"color": "var(--ink)", "width": 2.5}},
    }]  # fmt: skip


def _shapes(count: int, rungs: int, low: float, high: float) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"type": "line", "layer": "below", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y,
         "line": {"color": "var(--grid)", "width": 1}}
        for y in range(count)
    ]  # fmt: skip
    if rungs < count:
        rows.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": rungs - 0.5, "y1": rungs - 0.5,
                     "line": {"color": "var(--ink-3)", "width": 1, "dash": "dot"}})  # fmt: skip
    return rows


def _rows(names: Sequence[str], *, narrow: bool) -> list[dict[str, Any]]:
    """On a phone a row's name stands above its line."""
    if not narrow:
        return []
    return [
        {"xref": "paper", "x": 0, "y": y, "xanchor": "left", "yanchor": "bottom", "yshift": 8, "showarrow": False,
         "text": escaped(name), "font": {"color": "var(--ink)", "weight": 600}}
        for y, name in enumerate(names)
    ]  # fmt: skip


def _models(rungs: Sequence[RungRow], low: float, high: float, *, narrow: bool) -> list[dict[str, Any]]:
    """Each model's name under its mark on the lowest rung; a phone has the legend."""
    if narrow or not rungs:
        return []
    width = 660.0
    span = math.log10(high) - math.log10(low)
    labels, series = [], {}
    for number, cell in enumerate(rungs[0].cells, start=1):
        if cell.usd:
            x = (math.log10(float(cell.usd)) - math.log10(low)) / span * width
            labels.append(Label(cell.model.slug, cell.model.name[:32], x, 0.0))
            series[cell.model.slug] = (number, float(cell.usd))
    placed = place(labels, Box(-6, -20, width + 20, 62), [Box.around(one.x, 0, 6) for one in labels], UNDER)
    return [
        {"x": math.log10(series[one.key][1]), "y": 0, "text": escaped(one.text), "showarrow": False,
         "xanchor": one.anchor, "yanchor": "middle", "xshift": one.dx, "yshift": -one.dy,
         "font": {"color": f"var(--series-{series[one.key][0]})", "size": 12, "weight": 600}}
        for one in placed
    ]  # fmt: skip


def _person(rungs: Sequence[RungRow], *, narrow: bool) -> list[dict[str, Any]]:
    """Who the grey is, beside it on the lowest rung."""
    if narrow or not rungs or not rungs[0].human.high:
        return []
    human = rungs[0].human
    return [
        {"x": math.log10(float(human.high or 1)), "y": 0, "xanchor": "left", "xshift": 10, "showarrow": False,
         "text": escaped(human.person.name), "font": {"color": "var(--ink-2)", "size": 12, "weight": 600}}
    ]  # fmt: skip


def _axis() -> list[dict[str, Any]]:
    return [
        {"xref": "paper", "yref": "paper", "x": 1, "y": 0, "xanchor": "right", "yanchor": "top", "yshift": -30,
         "showarrow": False, "text": "USD per answer, log scale", "font": {"color": "var(--ink-3)"}},
    ]  # fmt: skip
