"""When a report is due: a weekday and an hour on the reader's wall clock. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dashboards.reports.report import last_whole_week

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def next_time(weekday: int, hour: int, zone: str, after: datetime) -> datetime:
    """The first moment later than `after` at which it is that hour of that weekday in the zone.

    An hour that a clock skips is the moment it skips at; one that it shows twice is the first of the two. So there is
    one moment a week, whatever the clocks do.
    """
    where = ZoneInfo(zone)
    local = after.astimezone(where).date()
    day = local + timedelta(days=(weekday - local.weekday()) % 7)
    found = _moment(day, hour, where)
    return found if found > after else _moment(day + timedelta(days=7), hour, where)


def _moment(day: object, hour: int, where: ZoneInfo) -> datetime:
    return datetime.combine(day, time(hour), where).astimezone(UTC)  # type: ignore[arg-type]


def is_before_weeks_end(weekday: int, hour: int, zone: str, after: datetime) -> bool:
    """Whether the local week is over at that moment and the UTC one, which reports speak of, is not: far east."""
    due = next_time(weekday, hour, zone, after)
    local = due.astimezone(ZoneInfo(zone)).date()
    return last_whole_week(due.date()) != last_whole_week(local)
