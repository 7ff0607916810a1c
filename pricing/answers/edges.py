"""When an answer about now becomes another by itself: a price begins or ends, or an hour does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pricing import schedules
from pricing.answers import kept
from pricing.answers.rows import calendars
from pricing.models import Price

FAR: Final = timedelta(days=1)
"""Nobody looks further ahead at once."""


def next_edge(now: datetime, current: kept.Version) -> datetime:
    """The first moment after now at which any price in force could change, at most a day away.

    Five queries, then none until it has passed or the catalogue changes.
    """
    found: datetime | None = kept.recall("next edge", current, now)
    if found is None:
        found = _next_edge(now)
        kept.keep("next edge", current, found, found)
    return found


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
