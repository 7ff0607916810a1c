"""The chart of a commitment: what has burnt as a step a day, and dashed where that pace leads. Pure.

Floats draw; no figure a reader sees comes from here.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from dashboards import formatting
from dashboards.charts.marks import Figure
from usage.commitments import Burn

HEIGHT = 252
DAY = timedelta(days=1)
ROOM = 1.14
"""Of the amount: where the plot ends, so that words stand above the line of what is committed."""


def figure(burn: Burn, currency: str, today: date) -> Figure:
    """Both figures; a phone's has fewer dates."""
    return {"wide": _figure(burn, currency, today, narrow=False), "narrow": _figure(burn, currency, today, narrow=True)}


def _figure(burn: Burn, currency: str, today: date, *, narrow: bool) -> Figure:
    of, amount = burn.of, float(burn.of.amount)
    marks = [of.amount * part / 4 for part in range(0, 5, 2 if narrow else 1)]
    layout = {
        "height": HEIGHT,
        "margin": {"l": 58, "r": 12, "t": 24, "b": 32},
        "xaxis": {"type": "date", "range": [of.starts.isoformat(), of.ends.isoformat()], "tickformat": "%-d %b\n%Y",
                  "nticks": 4 if narrow else 8},
        "yaxis": {"range": [0, amount * ROOM], "tickvals": [float(mark) for mark in marks], "automargin": False,
                  "ticktext": [formatting.short_money(mark, currency) if mark else "0" for mark in marks]},
        "shapes": [_committed(of.starts, of.ends, amount), *_now(burn, today)],
        "annotations": [*_words_now(burn, today), *_end_words(burn, currency, today)],
    }  # fmt: skip
    return {"data": [_even(burn), _burnt(burn, currency, today), *_pace(burn, today)], "layout": layout}


def steps(burn: Burn, today: date) -> list[tuple[date, Decimal]]:
    """What has burnt at the end of each UTC day, from nothing at its beginning to where it stands today."""
    last = min(max(today + DAY, burn.of.starts), burn.of.ends)
    found, so_far, day = [(burn.of.starts, Decimal(0))], Decimal(0), burn.of.starts
    while day < last:
        so_far += burn.by_day.get(day, Decimal(0))
        day += DAY
        found.append((day, so_far))
    return found


def goal(burn: Burn, today: date) -> tuple[date, Decimal] | None:
    """Where its pace leads: to the day it runs out, or to what will have burnt at its end; None if that is past."""
    if not burn.of.starts <= today < burn.of.ends or burn.left <= 0:
        return None
    out, forecast = burn.runs_out(today), burn.forecast(today)
    if out is not None:
        return out, burn.of.amount
    return None if forecast is None else (burn.of.ends, forecast)


def _burnt(burn: Burn, currency: str, today: date) -> Figure:
    points = steps(burn, today)
    return {
        "type": "scatter", "mode": "lines", "fill": "tozeroy", "fillcolor": "alpha(--series-1, 0.14)",
        "x": [day.isoformat() for day, _ in points], "y": [float(value) for _, value in points],
        "line": {"color": "var(--series-1)", "width": 2, "shape": "vh"},
        "hovertemplate": "%{customdata}<extra></extra>",
        "customdata": [
            f"To the end of {formatting.day(day - DAY)}: {formatting.money(value, currency)}" if n else "Its beginning"
            for n, (day, value) in enumerate(points)
        ],
    }  # fmt: skip


def _even(burn: Burn) -> Figure:
    """What even use would be: the grey rule to compare with."""
    line = {"color": "var(--mark-muted)", "width": 1}
    days = [burn.of.starts.isoformat(), burn.of.ends.isoformat()]
    return {"type": "scatter", "mode": "lines", "x": days, "y": [0.0, float(burn.of.amount)], "line": line,
            "hoverinfo": "skip"}  # fmt: skip


def _pace(burn: Burn, today: date) -> list[Figure]:
    end = goal(burn, today)
    if end is None:
        return []
    start = steps(burn, today)[-1]
    line = {"color": "var(--ink-2)", "width": 2, "dash": "dash"}
    return [
        {"type": "scatter", "mode": "lines", "x": [start[0].isoformat(), end[0].isoformat()],
         "y": [float(start[1]), float(end[1])], "line": line, "hoverinfo": "skip"}
    ]  # fmt: skip


def _committed(starts: date, ends: date, amount: float) -> Figure:
    line = {"color": "var(--ink)", "width": 1}
    return {"type": "line", "x0": starts.isoformat(), "x1": ends.isoformat(), "y0": amount, "y1": amount, "line": line}


def _now(burn: Burn, today: date) -> list[Figure]:
    if not burn.of.starts <= today < burn.of.ends:
        return []
    line = {"color": "var(--ink-3)", "width": 1, "dash": "dot"}
    at = today.isoformat()
    return [{"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "line": line}]


def _words_now(burn: Burn, today: date) -> list[Figure]:
    if not burn.of.starts <= today < burn.of.ends:
        return []
    share = (today - burn.of.starts) / (burn.of.ends - burn.of.starts)
    anchor = "left" if share < 0.1 else "right" if share > 0.9 else "center"
    return [{"x": today.isoformat(), "y": 1, "yref": "paper", "yanchor": "bottom", "xanchor": anchor, "text": "today",
             "showarrow": False, "font": {"color": "var(--ink-2)", "size": 12}}]  # fmt: skip


def _end_words(burn: Burn, currency: str, today: date) -> list[Figure]:
    """What stands where the pace leads: above its point, or above the line of what is committed where that is near."""
    end = goal(burn, today)
    if end is None:
        return []
    day, value = end
    is_out = value >= burn.of.amount
    is_near = value > burn.of.amount * Decimal("0.88")
    text = f"runs out {day.day} {day:%b}" if is_out and day < burn.of.ends else (
        f"{formatting.money_in_prose(value, currency)} at the end"
    )  # fmt: skip
    share = (day - burn.of.starts) / (burn.of.ends - burn.of.starts)
    return [{"x": day.isoformat(), "y": float(burn.of.amount if is_near else value), "yanchor": "bottom",
             "xanchor": "right" if share > 0.5 else "left", "text": text, "showarrow": False,
             "font": {"color": "var(--ink)", "size": 12}}]  # fmt: skip
