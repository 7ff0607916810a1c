"""The charts of a decision: evidence with its margin, the saving ahead with its steps. Pure. Floats draw only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from dashboards import formatting
from dashboards.charts.marks import Figure, escaped, even_ticks
from dashboards.pages.decisions import words
from dashboards.pages.decisions.page import AHEAD, Ahead, EvidenceRow

ROW: Final = 46
HEAD: Final = 34
FOOT: Final = 30
LEFT: Final = 204
RIGHT: Final = 110
"""Room for the names at the left and the verdicts at the right, in pixels."""
Drawn = tuple[str, list[EvidenceRow]]


def evidence(rows: Sequence[EvidenceRow], candidate: str) -> Figure:
    """Both figures: a panel for each scale, own evaluations above public ratings."""
    panels = _panels([row for row in rows if row.is_drawn])
    if not panels:
        return {"wide": {"data": [], "layout": {"height": 240}}}
    return {"wide": _evidence(panels, candidate, narrow=False), "narrow": _evidence(panels, candidate, narrow=True)}


def evidence_height(rows: Sequence[EvidenceRow]) -> int:
    """How high the figure is, in pixels."""
    return sum(HEAD + FOOT + ROW * len(of) for _, of in _panels([row for row in rows if row.is_drawn]))


def _panels(rows: Sequence[EvidenceRow]) -> list[Drawn]:
    """Rows by what they are measured in: unit and margin, in the order of the first of each."""
    found: dict[str, list[EvidenceRow]] = {}
    for row in rows:
        found.setdefault(f"{row.of.unit} {row.of.margin}", []).append(row)
    return list(found.items())


def _evidence(panels: Sequence[Drawn], candidate: str, *, narrow: bool) -> dict[str, Any]:
    height = float(sum(HEAD + FOOT + ROW * len(rows) for _, rows in panels))
    data: list[dict[str, Any]] = []
    layout: dict[str, Any] = {
        "height": int(height), "shapes": [], "annotations": [],
        "margin": {"l": 12 if narrow else LEFT, "r": 12 if narrow else RIGHT, "t": 0, "b": 0},
    }  # fmt: skip
    top = 0.0
    for number, (_, rows) in enumerate(panels, start=1):
        bottom = top + HEAD + ROW * len(rows)
        domain = [1 - bottom / height, 1 - (top + HEAD) / height]
        _panel(rows, "" if number == 1 else str(number), domain, candidate, data, layout, narrow=narrow)
        top = bottom + FOOT
    return {"data": data, "layout": layout}


def _panel(
    rows: Sequence[EvidenceRow], axis: str, domain: list[float], candidate: str, data: list[dict[str, Any]],
    layout: dict[str, Any], *, narrow: bool,
) -> None:  # fmt: skip
    """Adds one scale to a figure: its axes, its margin, a row with whiskers for each comparison."""
    scale = 100 if rows[0].of.unit == "share" else 1
    margin = rows[0].of.margin * scale
    ends = [float(end or 0) * scale for row in rows for end in (row.of.low, row.of.high)]
    left, right = min(*ends, -margin, 0.0), max(*ends, 0.0)
    room = max(right - left, 0.5) * 0.12
    left, right = left - room, right + room
    ticks = even_ticks(left, right, 5 if narrow else 7)
    x, y = f"x{axis}", f"y{axis}"
    layout[f"xaxis{axis}"] = {
        "range": [left, right], "anchor": y, "tickvals": ticks, "showline": False, "showgrid": True,
        "gridcolor": "var(--grid)", "automargin": False,
        "ticktext": [words.signed(tick, "points").removesuffix(".0") for tick in ticks],
    }  # fmt: skip
    layout[f"yaxis{axis}"] = {"range": [len(rows) - 0.5, -0.5], "domain": domain, "anchor": x, "visible": False,
                              "automargin": False}  # fmt: skip
    layout["shapes"] += _marks(x, y, left, margin)
    layout["annotations"] += _heads(x, y, margin, right, candidate, narrow=narrow)
    for place, row in enumerate(rows):
        data.append(_whisker(row, place, scale, x, y))
        layout["annotations"] += _names(row, place, y, narrow=narrow)


def _marks(x: str, y: str, left: float, margin: float) -> list[dict[str, Any]]:
    """No difference as a line; the margin dashed, with what lies below it tinted, where there is one."""
    whole = {"xref": x, "yref": f"{y} domain", "y0": 0, "y1": 1}
    zero = whole | {"type": "line", "x0": 0, "x1": 0, "line": {"color": "var(--ink)", "width": 1}}
    if not margin:
        return [zero]
    line = {"color": "var(--fault)", "width": 1.5, "dash": "dash"}
    return [
        whole | {"type": "rect", "x0": left, "x1": -margin, "layer": "below", "fillcolor": "alpha(--ink-3, 0.10)",
                 "line": {"width": 0}},
        whole | {"type": "line", "x0": -margin, "x1": -margin, "y1": 1.06, "line": line},
        zero,
    ]  # fmt: skip


def _heads(x: str, y: str, margin: float, right: float, candidate: str, *, narrow: bool) -> list[dict[str, Any]]:
    above = {"xref": x, "yref": f"{y} domain", "y": 1, "yanchor": "bottom", "yshift": 3, "showarrow": False,
             "font": {"color": "var(--ink-3)"}}  # fmt: skip
    found = []
    if margin:
        said = words.signed(margin, "points").removeprefix("+").removesuffix(".0")
        found.append(above | {"x": -margin, "xanchor": "left", "xshift": 2, "text": f"margin {formatting.MINUS}{said}"})
    if not narrow:
        name = candidate if len(candidate) <= 28 else f"{candidate[:27]}…"
        found.append(above | {"x": right, "xanchor": "right", "text": f"{escaped(name)} better →"})
    return found


def _whisker(row: EvidenceRow, place: int, scale: int, x: str, y: str) -> dict[str, Any]:
    value, low, high = (float(one or 0) * scale for one in (row.of.value, row.of.low, row.of.high))
    colour = "var(--accent)" if row.of.decides else "var(--ink-3)"
    return {
        "type": "scatter", "mode": "markers", "xaxis": x, "yaxis": y, "x": [value], "y": [place], "hoverinfo": "text",
        "hovertext": [f"<b>{escaped(row.name)}</b><br>{row.value} ({row.interval}), {escaped(row.badge[1])}"],
        "marker": {"size": 10, "color": colour}, "cliponaxis": False,
        "error_x": {"type": "data", "symmetric": False, "array": [high - value], "arrayminus": [value - low],
                    "thickness": 2, "width": 5, "color": colour},
    }  # fmt: skip


def _names(row: EvidenceRow, place: int, y: str, *, narrow: bool) -> list[dict[str, Any]]:
    """What a comparison is called, at the left, and what it says, at the right; on a phone both above its whisker.

    Weight and colour are the annotation's own: a tag inside of its text would become a style attribute.
    """
    ink = {"good": "var(--cheaper)", "worse": "var(--dearer)"}.get(row.badge[0], "var(--ink-2)")
    word = {"not enough evidence": "open", "beside the verdict": ""}.get(row.badge[1], row.badge[1])
    base = {"xref": "paper", "yref": y, "y": place, "showarrow": False}
    bold, said = {"color": "var(--ink)", "weight": 600}, {"color": ink, "weight": 600}
    name, value = escaped(row.of.name), f"{row.value}  "
    if narrow:
        above = base | {"yshift": 15}
        return [
            above | {"x": 0, "xanchor": "left", "text": _short(name, 30), "font": bold},
            above | {"x": 1, "xanchor": "right", "text": f"{value}{word}", "font": said},
        ]
    left = base | {"x": 0, "xanchor": "left", "xshift": -LEFT, "align": "left"}
    right = base | {"x": 1, "xanchor": "right", "xshift": RIGHT}
    quiet: dict[str, Any] = {"yshift": -8, "font": {"color": "var(--ink-3)"}}
    return [
        left | {"yshift": 8, "text": _short(name, 28), "font": bold},
        left | quiet | {"text": escaped(_short(row.sub, 32))},
        right | {"yshift": 8, "text": f"{value}{word}", "font": said},
        right | quiet | {"text": row.interval},
    ]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


# The saving ahead


def saving(steps: Sequence[Ahead], paying: Decimal, currency: str) -> Figure:
    """What a month saves at today's volume, as steps with a band from low to high; a phone's has fewer dates."""
    return {"wide": _saving(steps, paying, currency, narrow=False),
            "narrow": _saving(steps, paying, currency, narrow=True)}  # fmt: skip


def _saving(steps: Sequence[Ahead], paying: Decimal, currency: str, *, narrow: bool) -> dict[str, Any]:
    start = steps[0].on
    end = max(start + AHEAD, steps[-1].on + AHEAD / 3)
    lowest = min(0.0, *(float(step.saving.low) for step in steps))
    highest = max(float(paying), *(float(step.saving.high) for step in steps)) * 1.12
    marks = even_ticks(lowest, highest, 4 if narrow else 6)
    layout = {
        "height": 240 if narrow else 280,
        "margin": {"l": 52, "r": 14 if narrow else 116, "t": 26, "b": 30},
        "xaxis": {"type": "date", "range": [start.isoformat(), end.isoformat()], "tickformat": "%b\n%Y",
                  "nticks": 5 if narrow else 8},
        "yaxis": {"range": [lowest, highest], "tickvals": marks, "automargin": False,
                  "ticktext": [_dollars(mark, currency) for mark in marks]},
        "shapes": [_level(float(paying), start, end), *_changes(steps)],
        "annotations": [*_labels(steps), *_dates(steps, end), *_sides(steps, paying, end, narrow=narrow)],
    }  # fmt: skip
    return {"data": _band(steps, end), "layout": layout}


def _dollars(mark: float, currency: str) -> str:
    return formatting.short_money(Decimal(repr(mark)), currency) if mark else "0"


def _band(steps: Sequence[Ahead], end: date) -> list[dict[str, Any]]:
    """Low, high up to it, and the middle: each holds until the next step."""
    days = [step.on.isoformat() for step in steps] + [end.isoformat()]
    ends = [*steps, steps[-1]]
    flat = {"type": "scatter", "mode": "lines", "x": days, "hoverinfo": "skip"}
    hidden = {"width": 0, "shape": "hv"}
    middle = {"color": "var(--accent)", "width": 2, "shape": "hv"}
    band = [
        flat | {"y": [float(one.saving.low) for one in ends], "line": hidden},
        flat | {"y": [float(one.saving.high) for one in ends], "line": hidden, "fill": "tonexty",
                "fillcolor": "alpha(--accent, 0.16)"},
    ]  # fmt: skip
    if any(step.saving.low == 0 for step in steps):
        return band  # what may save nothing has no middle worth a line
    told = [f"From {formatting.day(one.on)}: {one.shown}" for one in ends]
    middles = [float(one.saving.low + one.saving.high) / 2 for one in ends]
    return [*band, flat | {"y": middles, "line": middle, "hoverinfo": "text", "hovertext": told}]


def _level(paying: float, start: date, end: date) -> dict[str, Any]:
    line = {"color": "var(--mark-muted)", "width": 1.5}
    return {"type": "line", "x0": start.isoformat(), "x1": end.isoformat(), "y0": paying, "y1": paying, "line": line}


def _changes(steps: Sequence[Ahead]) -> list[dict[str, Any]]:
    line = {"color": "var(--ink-3)", "width": 1, "dash": "dot"}
    return [
        {"type": "line", "x0": step.on.isoformat(), "x1": step.on.isoformat(), "yref": "paper", "y0": 0, "y1": 1,
         "line": line}
        for step in steps[1:]
    ]  # fmt: skip


def _dates(steps: Sequence[Ahead], end: date) -> list[dict[str, Any]]:
    return [
        {"x": step.on.isoformat(), "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False,
         "xanchor": "left" if (step.on - steps[0].on) * 2 < end - steps[0].on else "right",
         "text": f"{step.on.day} {step.on:%b}: announced price", "font": {"color": "var(--ink-3)"}}
        for step in steps[1:]
    ]  # fmt: skip


def _labels(steps: Sequence[Ahead]) -> list[dict[str, Any]]:
    """The range at each step: below its band, above it where the band begins at nothing."""
    ink = {"color": "var(--ink)", "weight": 600}
    base: dict[str, Any] = {"xanchor": "left", "xshift": 6, "showarrow": False, "font": ink}
    found = []
    for step in steps:
        at, side = (step.saving.low, "top") if step.saving.low else (step.saving.high, "bottom")
        found.append(base | {"x": step.on.isoformat(), "y": float(at), "yanchor": side, "text": step.shown})
    return found


def _sides(steps: Sequence[Ahead], paying: Decimal, end: date, *, narrow: bool) -> list[dict[str, Any]]:
    last = steps[-1].saving
    base = {"x": end.isoformat(), "xanchor": "left", "xshift": 8, "align": "left", "showarrow": False,
            "font": {"color": "var(--ink)"}}  # fmt: skip
    if narrow:
        return [base | {"x": steps[0].on.isoformat(), "y": float(paying), "yanchor": "bottom", "xshift": 2,
                        "text": "You pay today"}]  # fmt: skip
    middle = float(last.low + last.high) / 2
    found = [base | {"y": float(paying), "text": "You pay today"}]
    if abs(float(paying) - middle) > float(paying) * 0.16:
        found.append(base | {"y": middle, "text": "Saving<br>band: range"})
    return found
