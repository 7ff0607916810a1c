"""The chart of a model's list price over time: steps, never slopes, because a price holds until it changes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from dashboards import formatting
from dashboards.charts.marks import Figure, escaped, even_ticks
from dashboards.pages.model import History, HistoryLine

SERIES = {"input": "var(--series-1)", "output": "var(--series-2)"}
MUTED = "var(--mark-muted)"
LABEL = 15.0
DAYS = timedelta(days=100)
"""A shorter history names days, a longer one months."""


def figure(history: History) -> Figure:
    """Both figures; a phone's names the units only and leaves the other sellers unnamed."""
    return {"wide": _figure(history, narrow=False), "narrow": _figure(history, narrow=True)}


def iso(when: datetime) -> str:
    """A moment as Plotly's date axis reads it."""
    return when.strftime("%Y-%m-%d %H:%M:%S")


def _figure(history: History, *, narrow: bool) -> Figure:
    lines = sorted(history.lines, key=lambda line: line.is_main)
    highest = max((float(step.amount) for line in lines for step in line.steps), default=1.0)
    height = (292 if narrow else 352) - 84
    layout = {
        "height": 292 if narrow else 352,
        "margin": {"l": 42, "r": 58 if narrow else 156, "t": 40, "b": 36},
        "xaxis": {"type": "date", "range": [iso(history.start), iso(history.end)],
                  "tickformat": "%-d %b\n%Y" if history.end - history.start < DAYS else "%b\n%Y",
                  "nticks": 4 if narrow else 7, "ticks": "outside", "ticklen": 4, "tickcolor": "var(--ink-3)"},
        "yaxis": money_axis(highest * 1.12),
        "shapes": _event_lines(history), "annotations": [
            *_ends(lines, highest * 1.12, height, narrow), *_amounts(lines, highest * 1.12, height),
            *_event_words(history, narrow),
        ],
    }  # fmt: skip
    traces = [trace for line in lines for trace in _traces(line, history.now)]
    return {"data": [*traces, *_marks(history)], "layout": layout}


def money_axis(top: float) -> dict[str, Any]:
    """From 0 to `top`, ticks as prices."""
    ticks = even_ticks(0, top, 5)
    return {
        "range": [0, top], "tickvals": ticks,
        "ticktext": ["0" if not tick else formatting.price(Decimal(str(tick))) for tick in ticks],
    }  # fmt: skip


def _traces(line: HistoryLine, now: datetime) -> list[dict[str, Any]]:
    """The line as it was, and dashed as it is announced to go on; a gap where no price was known."""
    past = [step for step in line.steps if step.start <= now]
    coming = [step for step in line.steps if step.start > now]
    traces = [_trace(line, past, dash="solid")]
    if coming:
        joined = [past[-1], *coming] if past else coming
        traces.append(_trace(line, joined, dash="dot", skip_first=bool(past)))
    return traces


def _trace(line: HistoryLine, steps: Sequence[Any], *, dash: str, skip_first: bool = False) -> dict[str, Any]:
    xs: list[str] = []
    ys: list[float | None] = []
    texts: list[str] = []
    for index, step in enumerate(steps):
        if index and steps[index - 1].end != step.start:
            xs.append(iso(steps[index - 1].end))
            ys.append(None)
            texts.append("")
        start = step.end if skip_first and not index else step.start
        xs += [iso(start), iso(step.end)]
        ys += [float(step.amount)] * 2
        texts += [hover(line, step)] * 2
    return {
        "type": "scatter", "mode": "lines", "x": xs, "y": ys, "hoverinfo": "text", "hovertext": texts,
        "line": {"color": SERIES[line.unit] if line.is_main else MUTED, "width": 2 if line.is_main else 1.25,
                 "shape": "hv", "dash": dash},
    }  # fmt: skip


def _marks(history: History) -> list[dict[str, Any]]:
    """A dot where a main line is known to have moved; its words on hover, its row in the list below."""
    if not history.marks:
        return []
    return [
        {
            "type": "scatter", "mode": "markers", "x": [iso(mark.at) for mark in history.marks],
            "y": [float(mark.amount) for mark in history.marks], "hoverinfo": "text",
            "hovertext": [f"{formatting.day(mark.at)}<br>{escaped(mark.said)}" for mark in history.marks],
            "marker": {"size": 8, "color": [SERIES[mark.unit] for mark in history.marks],
                       "line": {"color": "var(--paper)", "width": 1.5}},
            "cliponaxis": False,
        }
    ]  # fmt: skip


def hover(line: HistoryLine, step: Any) -> str:
    return (
        f"<b>{escaped(line.seller)}</b>, {line.unit}<br>{formatting.price(step.amount)} per Mtok<br>"
        f"from {formatting.day(step.start)}"
    )


def _ends(lines: Sequence[HistoryLine], top: float, height: float, narrow: bool) -> list[dict[str, Any]]:
    """The name of each line at its right end, pushed apart where they would touch; the main ones first."""
    shown = [line for line in lines if line.is_main or not narrow]
    spots = sorted((float(line.steps[-1].amount), not line.is_main, index) for index, line in enumerate(shown))
    placed: dict[int, float] = {}
    lowest = -LABEL
    for amount, _, index in spots:
        placed[index] = max(amount / top * height, lowest + LABEL)
        lowest = placed[index]
    over = max((max(placed.values(), default=0) - height), 0)
    return [
        {
            "xref": "paper", "x": 1, "xanchor": "left", "xshift": 6, "y": float(line.steps[-1].amount),
            "yshift": placed[index] - over - float(line.steps[-1].amount) / top * height, "showarrow": False,
            "text": escaped(line.unit if narrow else f"{short(line.seller)} {line.unit}"), "align": "left",
            "font": {"color": "var(--ink)" if line.is_main else "var(--ink-3)", "weight": 600 if line.is_main else 400},
        }
        for index, line in enumerate(shown)
    ]  # fmt: skip


def short(seller: str) -> str:
    return seller if len(seller) <= 15 else f"{seller[:14]}…"


def _amounts(lines: Sequence[HistoryLine], top: float, height: float) -> list[dict[str, Any]]:
    """The price at each step of the main lines, where it stays clear of the one before."""
    found = []
    for line in lines:
        if not line.is_main or len(line.steps) > 7:
            continue
        for index, step in enumerate(line.steps):
            found.append(
                {
                    "x": iso(step.start), "y": float(step.amount), "xanchor": "left", "yanchor": "bottom", "xshift": 3,
                    "yshift": 1, "showarrow": False, "text": formatting.price(step.amount),
                    "font": {"color": "var(--ink)", "weight": 600},
                    "visible": not index or step.amount != line.steps[index - 1].amount,
                }
            )  # fmt: skip
    return found


def _event_lines(history: History) -> list[dict[str, Any]]:
    return [
        {"type": "line", "x0": iso(event.at), "x1": iso(event.at), "yref": "paper", "y0": 0, "y1": 1,
         "line": {"color": "var(--ink-3)", "width": 1, "dash": "dot"}}
        for event in history.events
    ]  # fmt: skip


def _event_words(history: History, narrow: bool) -> list[dict[str, Any]]:
    """Date and fact over each dotted line, one line of text each, leaning away from the nearer edge."""
    span = (history.end - history.start) or timedelta(days=1)
    words = []
    for index, event in enumerate(history.events):
        late = (event.at - history.start) / span > 0.5
        words.append(
            {
                "x": iso(event.at), "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 2 + 14 * (index % 2),
                "xanchor": "right" if late else "left", "xshift": 0, "showarrow": False,
                "text": f"{event.at.day} {event.at:%b}: {escaped(event.said)}", "font": {"color": "var(--ink-2)"},
            }
        )  # fmt: skip
    return words
