"""Spend per week as a stack of bars, and the price paid per week as a line; price changes as dotted lines.

Floats draw; no figure a reader sees comes from here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from dashboards import formatting
from dashboards.pages.weeks import Event, Series

Figure = dict[str, Any]
HEIGHT, NARROW_HEIGHT, LOW = 352, 300, 280
FOOT, LINE = 28, 15  # pixels: under the axis, and of an event's words
NAME_LINE = 16  # and of a name at its band
NARROW_WEEKS = 13
WEEK = timedelta(days=7)
PALE = 0.68


def apart(middles: Sequence[float], gap: float, height: float) -> list[float]:
    """Rising places, each as near to its own as it can be, `gap` apart and half of it from the ends of `height`.

    More than there is room for stand evenly, and then nearer than `gap`.
    """
    if not middles:
        return []
    gap = min(gap, height / len(middles))
    places: list[float] = []
    for middle in middles:
        places.append(max(middle, places[-1] + gap if places else gap / 2))
    highest = height - gap / 2
    for i in range(len(places) - 1, -1, -1):
        places[i] = min(places[i], highest)
        highest = places[i] - gap
    return places


def ticks(top: float) -> list[float]:
    """Round values from 0 to at or above `top`, three or four steps."""
    if top <= 0:
        return [0.0, 1.0]
    rough = top / 3
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * nice for nice in (1, 2, 2.5, 4, 5, 10) if power * nice >= rough)
    return [step * i for i in range(math.ceil(round(top / step, 9)) + 1)]


def tick_text(value: float, currency: str) -> str:
    if not value:
        return "0"
    if value < 10:
        return formatting.price(Decimal(str(round(value, 4))), currency)
    return formatting.short_money(Decimal(str(value)), currency).replace(".0k", "k").replace(".0M", "M")


def stacked_weeks(
    weeks: Sequence[date], series: Sequence[Series], in_full: Sequence[bool], events: Sequence[Event], currency: str
) -> Figure:
    """The figure of the overview: one bar a week, largest project at the base, the compared weeks in full colour."""
    return {
        "wide": _stack(weeks, series, in_full, events, currency),
        "narrow": _stack(
            weeks[-NARROW_WEEKS:],
            [Series(one.name, one.colour, one.values[-NARROW_WEEKS:]) for one in series],
            in_full[-NARROW_WEEKS:],
            events[-2:],
            currency,
            narrow=True,
        ),
    }


def _stack(
    weeks: Sequence[date],
    series: Sequence[Series],
    in_full: Sequence[bool],
    events: Sequence[Event],
    currency: str,
    narrow: bool = False,
) -> Figure:
    totals = [float(sum(one.values[i] for one in series)) for i in range(len(weeks))]
    marks = ticks(max(totals, default=0))
    seen = [event for event in events if weeks and weeks[0] <= event.on < weeks[-1] + WEEK]
    room = 12 + LINE * len(seen)
    height = NARROW_HEIGHT if narrow else HEIGHT
    plot = height - room - FOOT
    layout = {
        "barmode": "stack",
        "bargap": 0.22,
        "height": height,
        "margin": {"l": 44, "r": 8 if narrow else 148, "t": room, "b": FOOT, "pad": 0},
        "xaxis": {**_week_axis(weeks, narrow), "range": [-0.6, len(weeks) - 0.4]},
        "yaxis": _money_axis(marks, currency),
        "shapes": [_event_line(event, weeks, i, len(seen), plot) for i, event in enumerate(seen)],
        "annotations": [
            *(_event_text(event, weeks, i, len(seen), plot, narrow) for i, event in enumerate(seen)),
            *([] if narrow else _names(series, marks[-1], len(weeks), plot)),
        ],
    }
    data = [
        {
            "type": "bar",
            "name": one.name,
            "x": list(range(len(weeks))),
            "y": [float(value) for value in one.values],
            "marker": {"color": colour(one.colour), "opacity": [1 if full else PALE for full in in_full]},
            "hovertemplate": "%{customdata}<extra></extra>",
            "customdata": [
                f"{one.name}<br>{formatting.period(week, week + WEEK)}: {formatting.money(value, currency)}"
                for week, value in zip(weeks, one.values, strict=True)
            ],
        }
        for one in series
    ]
    return {"data": data, "layout": layout}


def colour(series: int | str) -> str:
    return f"var(--series-{series})"


def _week_axis(weeks: Sequence[date], narrow: bool) -> Figure:
    """A month's name at its first whole week; the last week by its date."""
    last = len(weeks) - 1
    shown = [(i, f"{week:%b}") for i, week in enumerate(weeks) if week.day <= 7 and i < last - (2 if narrow else 1)]
    if narrow:
        shown = [mark for mark in shown if mark[0] > 0]
    return {
        "tickvals": [*(i for i, _ in shown), last],
        "ticktext": [*(text for _, text in shown), f"{weeks[-1].day} {weeks[-1]:%b}" if weeks else ""],
        "tickangle": 0,
    }


def _money_axis(marks: Sequence[float], currency: str) -> Figure:
    return {
        "range": [0, marks[-1]],
        "tickvals": list(marks),
        "ticktext": [tick_text(mark, currency) for mark in marks],
        "automargin": False,
    }


def _at(day: date, weeks: Sequence[date]) -> float:
    """A day on the axis of weeks, whose bars stand in the middle of theirs."""
    return (day - weeks[0]).days / 7 - 0.5


def _event_line(event: Event, weeks: Sequence[date], i: int, n: int, plot: int) -> Figure:
    line = {"color": "var(--ink-3)", "width": 1, "dash": "dot"}
    x = _at(event.on, weeks)
    return {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": _lift(i, n, plot), "line": line}


def _lift(i: int, n: int, plot: int) -> float:
    """Where an event's words stand above the plot: each on a line of its own, the first highest."""
    return 1 + (n - i) * LINE / plot


def _event_text(event: Event, weeks: Sequence[date], i: int, n: int, plot: int, narrow: bool) -> Figure:
    x = _at(event.on, weeks)
    right = x > len(weeks) * (0.4 if narrow else 0.6)
    return {
        "x": x,
        "y": _lift(i, n, plot),
        "yref": "paper",
        "text": event.short if narrow else event.text,
        "showarrow": False,
        "xanchor": "right" if right else "left",
        "yanchor": "middle",
        "xshift": -5 if right else 5,
        "font": {"color": "var(--ink-2)", "size": 12},
    }


def _names(series: Sequence[Series], top: float, weeks: int, plot: int) -> list[Figure]:
    """Each name beside its band of the last bar, pushed apart where bands are thin; `plot` pixels high."""
    middles, below = [], 0.0
    for one in series:
        value = float(one.values[-1]) if one.values else 0.0
        middles.append((below + value / 2) / top * plot)
        below += value
    places = [pixels / plot for pixels in apart(middles, NAME_LINE, plot)]
    found = []
    for one, y in zip(series, places, strict=True):
        at = {"x": weeks - 0.4, "y": y, "yref": "paper", "yanchor": "middle", "showarrow": False,
              "xanchor": "left"}  # fmt: skip
        # Two texts: a colour inside one would be a style attribute, which the policy refuses.
        found.append({**at, "text": "■", "xshift": 4, "font": {"color": colour(one.colour), "size": 13}})
        found.append({**at, "text": _short(one.name), "xshift": 19, "font": {"color": "var(--ink-2)", "size": 12}})
    return found


def _short(name: str) -> str:
    escaped = name.replace("&", "&amp;").replace("<", "&lt;")
    return escaped if len(name) <= 20 else escaped[:19] + "…"


def price_paid(
    weeks: Sequence[date], prices: Sequence[Decimal | None], events: Sequence[Event], currency: str
) -> Figure:
    """The average price paid per Mtok, a step a week; a week without priced tokens is a gap."""
    return {
        "wide": _paid(weeks, prices, events, currency),
        "narrow": _paid(weeks, prices, events[-2:], currency, narrow=True),
    }


def _paid(
    weeks: Sequence[date],
    prices: Sequence[Decimal | None],
    events: Sequence[Event],
    currency: str,
    narrow: bool = False,
) -> Figure:
    known = [float(price) for price in prices if price is not None]
    marks = ticks(max(known, default=0))
    seen = [event for event in events if weeks and weeks[0] <= event.on < weeks[-1] + WEEK]
    room = 12 + LINE * len(seen)
    line = {"color": "var(--accent)", "width": 2, "shape": "hvh"}
    values = [None if price is None else float(price) for price in prices]
    data: list[Figure] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": list(range(len(weeks))),
            "y": values,
            "line": line,
            "connectgaps": False,
            "hovertemplate": "%{customdata}<extra></extra>",
            "customdata": [
                f"{formatting.period(week, week + WEEK)}: "
                + ("unknown" if price is None else f"{formatting.derived_price(price, currency)} per Mtok")
                for week, price in zip(weeks, prices, strict=True)
            ],
        }
    ]
    if values and values[-1] is not None:
        last = prices[-1]
        assert last is not None  # noqa: S101 — its float is known
        data.append(
            {
                "type": "scatter",
                "mode": "markers+text",
                "x": [len(weeks) - 1],
                "y": [values[-1]],
                "text": [formatting.derived_price(last, currency)],
                "textposition": "top left" if narrow else "middle right",
                "textfont": {"color": "var(--accent)"},
                "marker": {"size": 8, "color": "var(--accent)"},
                "cliponaxis": False,
                "hoverinfo": "skip",
            }
        )
    height = NARROW_HEIGHT if narrow else LOW
    plot = height - room - FOOT
    layout = {
        "height": height,
        "margin": {"l": 52, "r": 12 if narrow else 64, "t": room, "b": FOOT, "pad": 0},
        "xaxis": {**_week_axis(weeks, narrow), "range": [-0.6, len(weeks) - 0.4]},
        "yaxis": _money_axis(marks, currency),
        "shapes": [_event_line(event, weeks, i, len(seen), plot) for i, event in enumerate(seen)],
        "annotations": [_event_text(event, weeks, i, len(seen), plot, narrow) for i, event in enumerate(seen)],
    }
    return {"data": data, "layout": layout}
