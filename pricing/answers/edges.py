"""When an answer becomes another by itself: a price begins or ends, an hour or a grade does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Final

from pricing import schedules
from pricing.acceptance import grade_edges
from pricing.answers import kept
from pricing.answers.questions import FIRST_MOMENT, LAST_MOMENT
from pricing.answers.rows import PriceRow, calendars
from pricing.models import Price

FAR: Final = timedelta(days=1)
"""Nobody looks further ahead at once."""


def next_edge(now: datetime, current: kept.Version) -> datetime:
    """The first moment after now at which any price in force could change, at most a day away.

    Five queries, then none until it has passed or the catalogue changes.
    """
    found = known_edge(now, current)
    if found is None:
        found = _next_edge(now)
        kept.keep("next edge", current, found, found)
    return found


def known_edge(now: datetime, current: kept.Version) -> datetime | None:
    """The same where this process has it at hand; no query."""
    found: datetime | None = kept.recall("next edge", current, now)
    return found


def span(
    rows: Iterable[PriceRow], at: datetime, holidays: Mapping[str, schedules.Calendar]
) -> tuple[datetime, datetime]:  # fmt: skip
    """[since, until) around a moment, in which an answer from these rows changes in nothing but the moment it names.

    Where hours or a rate of the day count, at most that UTC day.
    """
    edges: set[datetime | None] = {FIRST_MOMENT, LAST_MOMENT}
    day = datetime.combine(at.date(), time.min, UTC)
    for row in rows:
        edges |= {row.effective_from, row.effective_until, *grade_edges(row.evidence_at, row.observed_at, row.seen_at)}
        if row.schedule or row.currency != "USD":
            edges |= {day, day + timedelta(days=1)}
        if row.schedule:
            for window in schedules.occurrences(row.schedule, day.date(), day.date(), holidays):
                edges.update(window)
    known = [edge for edge in edges if edge is not None]
    return max(edge for edge in known if edge <= at), min(edge for edge in known if edge > at)


def _next_edge(now: datetime) -> datetime:
    last = now + FAR
    known = Price.objects.known_at().filter(superseded_at=None)
    edges = [
        known.filter(**{f"{column}__gt": now, f"{column}__lt": last})
        .order_by(column)
        .values_list(column, flat=True)
        .first()
        for column in ("effective_from", "effective_until")
    ]
    texts = known.effective_at(now).exclude(schedule="").order_by().values_list("schedule", flat=True).distinct()
    holidays = calendars() if texts else {}
    for text in texts:
        for window in schedules.occurrences(text, now.date(), last.date(), holidays):
            edges += window
    return min((edge for edge in edges if edge is not None and now < edge < last), default=last)
