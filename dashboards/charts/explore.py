"""A measure per day, week or month as a stack of bars.

Floats draw; no figure a reader sees comes from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from dashboards.charts.spend import FOOT, HEIGHT, NARROW_HEIGHT, colour, tick_text, ticks
from dashboards.pages.explore import text_of
from dashboards.pages.weeks import Series
from usage.questions import MONEY

Figure = dict[str, Any]
WIDE_MARKS, NARROW_MARKS = 10, 4


def stacked(buckets: Sequence[date], series: Sequence[Series], grain: str, measure: str, currency: str) -> Figure:
    """One bar a bucket, the largest group at the base; y starts at 0."""
    return {
        "wide": _stacked(buckets, series, grain, measure, currency),
        "narrow": _stacked(buckets, series, grain, measure, currency, narrow=True),
    }


def _stacked(
    buckets: Sequence[date], series: Sequence[Series], grain: str, measure: str, currency: str, narrow: bool = False
) -> Figure:
    tops = [float(sum((max(one.values[i], Decimal(0)) for one in series), Decimal(0))) for i in range(len(buckets))]
    scale = 1.0 if measure in MONEY or measure == "requests" else 1_000_000.0
    marks = ticks(max(tops, default=0) / scale)
    every = max(1, -(-len(buckets) // (NARROW_MARKS if narrow else WIDE_MARKS)))
    places = list(range(0, len(buckets), every))
    return {
        "data": [
            {
                "type": "bar",
                "name": one.name,
                "x": list(range(len(buckets))),
                "y": [float(value) / scale for value in one.values],
                "marker": {"color": colour(one.colour)},
                "hovertemplate": "%{customdata}<extra></extra>",
                "customdata": [
                    f"{one.name}<br>{bucket_words(bucket, grain)}: {text_of(one.at(i), measure, currency) or 'unknown'}"
                    for i, bucket in enumerate(buckets)
                ],
            }
            for one in series
        ],
        "layout": {
            "barmode": "relative",
            "bargap": 0.22,
            "height": NARROW_HEIGHT if narrow else HEIGHT,
            "margin": {"l": 52, "r": 8, "t": 12, "b": FOOT, "pad": 0},
            "xaxis": {
                "tickvals": places,
                "ticktext": [axis_words(buckets[i], grain) for i in places],
                "tickangle": 0,
                "range": [-0.6, len(buckets) - 0.4],
            },
            "yaxis": {
                "range": [0, marks[-1]],
                "tickvals": list(marks),
                "ticktext": [tick_text(mark, currency) if measure in MONEY else f"{mark:,g}" for mark in marks],
                "automargin": False,
            },
        },
    }


def axis_words(bucket: date, grain: str) -> str:
    return f"{bucket:%b %y}" if grain == "month" else f"{bucket.day} {bucket:%b}"


def bucket_words(bucket: date, grain: str) -> str:
    """A bucket in a table: its day, its Monday, its month."""
    if grain == "month":
        return f"{bucket:%B %Y}"
    return f"{'week of ' if grain == 'week' else ''}{bucket.day} {bucket:%b %Y}"
