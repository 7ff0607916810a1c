"""Time-of-day schedules, written so that the text is the definition: `mon-fri 01:00-04:00,06:00-10:00 UTC except cn`.

Grammar: `DAYS WINDOW[,WINDOW…] UTC[ except CALENDAR]`; DAYS is `daily` or `mon-fri` (UTC weekdays); a WINDOW is
`HH:MM-HH:MM`, half-open, in UTC, and may run past midnight. `''` holds always, and the specific beats always.
A holiday is a date of the calendar's own offset, on which the schedule does not apply.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

ALWAYS = ""
_TEXT = re.compile(
    r"(?P<days>daily|mon-fri) (?P<windows>\d\d:\d\d-\d\d:\d\d(?:,\d\d:\d\d-\d\d:\d\d)*)"
    r" UTC(?: except (?P<cal>[a-z0-9-]+))?"
)


@dataclass(frozen=True)
class Calendar:
    """Holidays as local dates at a fixed offset from UTC."""

    utc_offset_hours: int
    dates: frozenset[date]

    def is_holiday(self, moment: datetime) -> bool:
        return (moment + timedelta(hours=self.utc_offset_hours)).date() in self.dates


@dataclass(frozen=True)
class Schedule:
    """A parsed schedule; windows are (start, end) times of day in UTC."""

    days: str
    windows: tuple[tuple[time, time], ...]
    calendar: str

    @property
    def text(self) -> str:
        windows = ",".join(f"{start:%H:%M}-{end:%H:%M}" for start, end in self.windows)
        return f"{self.days} {windows} UTC" + (f" except {self.calendar}" if self.calendar else "")


def write(windows: Iterable[tuple[time, time]], *, weekdays_only: bool = False, calendar: str = "") -> str:
    """The canonical text of a schedule."""
    return Schedule("mon-fri" if weekdays_only else "daily", tuple(sorted(windows)), calendar).text


@lru_cache(maxsize=1024)
def parse(text: str) -> Schedule:
    """The schedule a text defines; ValueError where it defines none."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no schedule; write it like 'mon-fri 01:00-04:00 UTC except cn'.")
    windows = tuple(
        (time.fromisoformat(start), time.fromisoformat(end))
        for start, _, end in (window.partition("-") for window in found["windows"].split(","))
    )
    return Schedule(found["days"], windows, found["cal"] or "")


def holds(text: str, moment: datetime, calendars: Mapping[str, Calendar]) -> bool:
    """Whether the schedule applies at an aware moment. A calendar nobody knows has no holidays."""
    if text == ALWAYS:
        return True
    return any(start <= moment < end for start, end in occurrences(text, moment.date(), moment.date(), calendars))


def occurrences(
    text: str, first: date, last: date, calendars: Mapping[str, Calendar]
) -> Iterator[tuple[datetime, datetime]]:
    """The half-open UTC intervals in which the schedule applies on any day of [first, last], in order.

    The weekday and the holiday are those of each moment, so a window is cut where either changes.
    """
    schedule = parse(text)
    calendar = calendars.get(schedule.calendar)
    day = first - timedelta(days=1)  # a window of yesterday may run past midnight
    while day <= last:
        for start, end in schedule.windows:
            opens = datetime.combine(day, start, UTC)
            closes = datetime.combine(day if start < end else day + timedelta(days=1), end, UTC)
            yield from _pieces(schedule, opens, closes, calendar)
        day += timedelta(days=1)


def _pieces(
    schedule: Schedule, opens: datetime, closes: datetime, calendar: Calendar | None
) -> Iterator[tuple[datetime, datetime]]:
    """The parts of one window left after weekends and holidays; both change only at midnights."""
    edges = [opens]
    midnights = [datetime.combine(closes.date(), time.min, UTC)]
    if calendar is not None:
        offset = timedelta(hours=calendar.utc_offset_hours)
        local = datetime.combine((opens + offset).date(), time.min, UTC) - offset
        midnights += [local, local + timedelta(days=1)]
    edges += sorted({edge for edge in midnights if opens < edge < closes})
    for start, end in zip(edges, [*edges[1:], closes], strict=True):
        weekend = schedule.days == "mon-fri" and start.weekday() >= 5
        if not weekend and not (calendar and calendar.is_holiday(start)):
            yield start, end
