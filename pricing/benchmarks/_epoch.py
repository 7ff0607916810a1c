"""Epoch AI's benchmark hub: its own runs, as its table `benchmarks_runs.csv` lists them, for every benchmark it runs.

    id,task,model,Best score (across scorers),Scores,…,started_at,Status,…
    V3YQ…,GPQA diamond,gpt-5.1_medium,0.850,choice:0.85±0.02,…,17 November 2025 4:28pm,Success,…

A run is of one task, a score a share of its items (0.850), `Scores` each scorer's share with its standard error,
rounded to hundredths. A model run at several efforts has the effort in its name (`gpt-5.1_medium`), which is the
identity; of several runs of one name the best counts, as the hub shows it. Points are percent; an interval is 1.96
standard errors either side, kept within 0 and 100. A score is of the day on which its run began; where the hub does
not say, of the last day on which any began.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from pricing.benchmarks import ScoreFact, UnreadableBody
from pricing.benchmarks._reading import only_once, points, share, text, word

LICENCE: Final = "CC BY 4.0"
URL: Final = "https://epoch.ai/benchmarks"
ATTRIBUTION: Final = "Epoch AI, AI Benchmarking Hub (epoch.ai/benchmarks), CC BY 4.0"
MAP: Final = "epoch_map.csv"
LAST_RUN: Final = date(2025, 11, 17)
"""The day of the last run in the hub's tables that ship."""

_RUN: Final = ("task", "model", "Best score (across scorers)", "Scores", "started_at", "Status")
_SCORED: Final = re.compile(r"\w+:(?P<share>[\d.]+)±(?P<error>[\d.]+)", re.ASCII)
_STARTED: Final = "%d %B %Y"
_NORMAL_95: Final = Decimal("1.96")


def runs(body: bytes, categories: Mapping[str, str]) -> list[ScoreFact]:
    """The best run of each name, in the order of the table; `categories` says which tasks count and as what."""
    best: dict[tuple[str, str], tuple[str, ScoreFact]] = {}
    days: set[date] = set()
    for where, (task, model, best_share, scores, started, status) in rows(body, _RUN):
        day = _day(started, where)
        days |= {day} if day else set()
        if task not in categories or status != "Success":
            continue
        fact = _fact(categories[task], word(model, where, "a model"), best_share, scores, day, where)
        before = best.get((fact.category, model))
        if before is None or before[1].value < fact.value:
            best[fact.category, model] = (where, fact)
    last = max(days, default=None)
    return only_once((where, replace(fact, observed_on=fact.observed_on or last)) for where, fact in best.values())


def rows(body: bytes, columns: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each row's cells of the named columns, stripped, with its place.

    Notes of the hub hold line breaks, so a row may be several lines; its place is the last of them.
    """
    table = csv.reader(io.StringIO(text(body), newline=""), strict=True)
    head = _next(table)
    if head is None:
        raise UnreadableBody("The table is empty: it needs a header line and one line per score.")
    if missing := [column for column in columns if column not in head]:
        raise UnreadableBody(f"The header lacks {', '.join(missing)}: this is another table.")
    places = [head.index(column) for column in columns]
    while (row := _next(table)) is not None:
        if len(row) != len(head):
            raise UnreadableBody(f"Line {table.line_num} has {len(row)} fields, the header {len(head)}.")
        yield f"Line {table.line_num}", [row[place].strip() for place in places]


def _next(table: Iterator[list[str]]) -> list[str] | None:
    """The next row that holds something."""
    try:
        return next((row for row in table if row), None)
    except csv.Error as error:
        raise UnreadableBody(f"The table is not CSV ({error}).") from None


def _fact(category: str, model: str, best: str, scores: str, day: date | None, where: str) -> ScoreFact:
    value = share(100 * points(best, "the best score", where), "the best score", where)
    error = _error(value, scores, where)
    low = high = None
    if error is not None:
        low, high = max(value - _NORMAL_95 * error, Decimal(0)), min(value + _NORMAL_95 * error, Decimal(100))
    return ScoreFact(category, model, model, value, low, high, observed_on=day)


def _error(value: Decimal, scores: str, where: str) -> Decimal | None:
    """The standard error in points of the scorer whose share is the best; None where none is told for it."""
    told = [
        (100 * points(found["share"], "a score", where), 100 * points(found["error"], "a standard error", where))
        for found in _SCORED.finditer(scores)
    ]
    # Scores are rounded to hundredths: the best is within half a point of the one it came from. An error that rounding
    # took away is unknown, not zero.
    return next((error for share_, error in told if abs(share_ - value) <= Decimal("0.5") and error), None)


def _day(started: str, where: str) -> date | None:
    """The day of `17 November 2025 4:28pm`."""
    if not started:
        return None
    try:
        return datetime.strptime(" ".join(started.split()[:3]), _STARTED).date()  # noqa: DTZ007 - a day of no zone
    except ValueError:
        raise UnreadableBody(f"{where}: started_at is {started!r:.60}, not a day and a time.") from None
