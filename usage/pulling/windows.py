"""For what time a pull asks, and in which parts. Pure: aware UTC in, aware UTC out, half-open."""

from __future__ import annotations

from datetime import datetime, timedelta

from usage.pulling import Api

PERIODS = {"hourly": timedelta(hours=1), "6h": timedelta(hours=6), "daily": timedelta(days=1)}
_DAY = timedelta(days=1)


def complete_until(api: Api, now: datetime) -> datetime:
    """The end of the time for which the API's answers are complete."""
    end = now - api.LAG
    return midnight(end) if api.WHOLE_DAYS else end.replace(second=0, microsecond=0)


def window(
    api: Api, now: datetime, pulled_until: datetime | None, first_days: int, repull_days: int, days: int | None = None
) -> tuple[datetime, datetime] | None:
    """What to ask for; None where nothing is complete that has not been asked for.

    The first pull goes back so many days, a later one `repull_days` before what is there; one told how many `days`, at
    least those. No pull goes back further than the API does.
    """
    until = complete_until(api, now)
    if pulled_until is None:
        since = midnight(until) - (first_days if days is None else days) * _DAY
    else:
        since = midnight(min(pulled_until, until) - repull_days * _DAY)
        since = since if days is None else min(since, midnight(until) - days * _DAY)
    since = max(since, oldest(api, now))
    return (since, until) if since < until else None


def oldest(api: Api, now: datetime) -> datetime:
    """The beginning of the time for which the API answers."""
    return midnight(now) - api.BACK * _DAY


def part_until(api: Api, part_from: datetime, window_until: datetime) -> datetime:
    """The end of the part that begins there."""
    return min(midnight(part_from) + api.DAYS * _DAY, window_until)


def next_pull(schedule: str, now: datetime) -> datetime | None:
    """When a scheduled connection is due again; None where it is not scheduled."""
    period = PERIODS.get(schedule)
    return now + period if period else None


def midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
