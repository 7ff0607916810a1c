"""The days a reader can go back to: the stops of the slider, and those among them on which a table was read."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from dashboards.pages.asked import Option
from dashboards.pages.quality.asked import Ask

FIRST = date(2023, 1, 1)
TODAY = "today"


@dataclass(frozen=True, slots=True)
class Dates:
    """`stops` are days as the slider's script writes them into the field, the last one `today`; `marks` are the places
    of the benchmark's tables among them, `tables` the to their days."""

    stops: tuple[str, ...]
    place: int
    marks: tuple[tuple[int, date], ...]
    tables: tuple[Option, ...]
    shown: date

    @property
    def last(self) -> int:
        return len(self.stops) - 1


def dates(ask: Ask, tables: Iterable[date], today: date) -> Dates:
    """The first of each month since 2023 and the days of tables, up to today."""
    known = sorted({day for day in tables if day <= today})
    days = sorted({*_months(today), *(day for day in known if day >= FIRST)} - {today})
    stops = (*(day.isoformat() for day in days), TODAY)
    place = len(days) if ask.at is None or ask.at >= today else max(0, bisect_right(days, ask.at) - 1)
    marks = tuple((days.index(day), day) for day in known if day in days)
    shown = ask.at or today
    current = max((day for day in known if day <= shown), default=None)
    links = tuple(Option(f"{day.day} {day:%b %Y}", ask.url(date=day), day == current) for day in known)
    return Dates(stops, place, marks, links if len(known) <= MOST_LINKS else (), shown)


MOST_LINKS = 12
"""A benchmark that adds a score a week has no tables to go back to one by one."""


def _months(today: date) -> list[date]:
    count = (today.year - FIRST.year) * 12 + today.month
    return [date(FIRST.year + n // 12, n % 12 + 1, 1) for n in range(count)]
