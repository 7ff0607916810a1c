"""Which schedules are in force in an hour of the UTC week (0 = Monday 00:00): in all of it, in a part, in none. Pure.

Holidays are left out: the hours of a token log are of a whole month.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import Final

from pricing.schedules import occurrences
from usage.token_log import EVERY_HOUR

_MONDAY: Final = datetime(2024, 1, 1, tzinfo=UTC)
_WEEK: Final = 7 * 24
Held = tuple[frozenset[str], ...]


@lru_cache(maxsize=8192)
def held(schedules: frozenset[str], hour: int) -> Held:
    """The sets of schedules that may be in force in an hour: several where one covers a part, or nobody knows it."""
    choices = [_choices(text, hour) for text in sorted(schedules)]
    return tuple(frozenset(text for one in chosen for text in one) for chosen in product(*choices))


def whole_hours(schedules: frozenset[str]) -> set[frozenset[str]]:
    """The sets of schedules that are in force together in some whole hour of the week."""
    found = (held(schedules, hour) for hour in range(_WEEK))
    return {sets[0] for sets in found if len(sets) == 1}


def _choices(text: str, hour: int) -> tuple[tuple[str, ...], ...]:
    covered = _covers(text, hour)
    return ((text,), ()) if covered is None else ((text,),) if covered else ((),)


def _covers(text: str, hour: int) -> bool | None:
    """Whether a schedule holds in all of an hour of the week, or in none of it; None: in part, or unknown."""
    if hour == EVERY_HOUR:
        return None
    start = _MONDAY + timedelta(hours=hour)
    end = start + timedelta(hours=1)
    covered = timedelta()
    for opens, closes in occurrences(text, start.date(), start.date(), {}):
        covered += max(min(closes, end) - max(opens, start), timedelta())
    return None if timedelta() < covered < end - start else covered > timedelta()
