"""When a row was: text to the bucket that it begins, by the format and the zone of a mapping."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from usage.importers import BY_LOCAL_DATE
from usage.importers._json import FIRST_YEAR, LAST_YEAR
from usage.importers.csv.cells import Unreadable
from usage.importers.csv.mapping import UNIX, Columns

AMBIGUOUS = "ambiguous_local_time"
"""The local time occurs twice."""
# Of what a zone is called by letters the rest means several (CST), or what the server's own zone happens to be.
_UTC = re.compile(r"\b(?:UTC|GMT)\b", re.IGNORECASE)


class Period(NamedTuple):
    """The bucket a row is posted in, what is to say of it, and when it begins in the zone of the file."""

    start: datetime
    end: datetime | None
    quality: tuple[str, ...]
    stated: datetime


def time_reader(mapping: Columns) -> Callable[[str], Period]:
    """Text to the bucket it begins.

    A day or month is posted as the UTC day or month of its local date, so that it stands under the date that the file
    says. A local time that occurs twice (clocks going back) is taken as the first of the two and flagged. One that
    never occurs (clocks going forward) is refused, except the start of a day or month: its first instant.
    """
    form, grain, zone = mapping.time_format, mapping.grain, mapping.time_zone

    def read(text: str) -> Period:
        try:
            moment = _moment(text, form)
        except (ValueError, OverflowError, OSError):
            raise Unreadable("time cannot be read with the mapping's format") from None
        if not FIRST_YEAR <= moment.year < LAST_YEAR:
            raise Unreadable(f"time is not between {FIRST_YEAR} and {LAST_YEAR}")
        if moment.tzinfo is None:
            local, ambiguous = moment, _occurs_twice(moment, zone)
            moment = moment.replace(tzinfo=zone).astimezone(UTC)
            missing = moment.astimezone(zone).replace(tzinfo=None) != local
            if missing and grain not in ("1d", "1mo"):
                raise Unreadable(f"local time does not exist in {zone.key}: the clocks went forward")
            day = local.date() if local.time() == datetime.min.time() else None
            if missing and day:
                moment = _first_instant(day, zone)
        elif grain == "request":
            moment = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
            return Period(moment, None, (), moment)
        else:
            moment, ambiguous = moment.astimezone(UTC), False
            local = moment.astimezone(zone).replace(tzinfo=None)
            day = local.date() if moment == _first_instant(local.date(), zone) else None
        end = _period_end(moment, day, grain, zone)
        quality = (AMBIGUOUS,) if ambiguous else ()
        if day is None or grain not in ("1d", "1mo"):
            return Period(moment, end, quality, moment)
        start = _midnight(day)
        until = _midnight(day + timedelta(days=1) if grain == "1d" else (day + timedelta(days=31)).replace(day=1))
        if (start, until) != (moment, end):
            quality = (*quality, BY_LOCAL_DATE)
        return Period(start, until, quality, moment)

    return read


def _moment(text: str, form: str) -> datetime:
    if form == "iso":
        # An export may write "2026-09-01 10:00:00 UTC"; the rest fromisoformat reads.
        return datetime.fromisoformat(f"{text[:-4]}+00:00" if text.endswith(" UTC") else text)
    if form in UNIX:
        if not re.fullmatch(r"\d{1,17}(?:\.\d{1,9})?", text, re.ASCII):
            raise ValueError
        seconds = Decimal(text) / UNIX[form]
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(seconds * 1_000_000))
    moment = datetime.strptime(text, form)  # noqa: DTZ007 - without a zone in the pattern the mapping's applies
    if "%Z" in form.replace("%%", "") and moment.tzinfo is None:  # a name of a zone is read and dropped
        if not _UTC.search(text):
            raise ValueError
        return moment.replace(tzinfo=UTC)
    return moment


def _occurs_twice(local: datetime, zone: ZoneInfo) -> bool:
    first, second = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    return bool(first.utcoffset() != second.utcoffset() and first.astimezone(UTC).astimezone(zone) == first)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _first_instant(day: date, zone: ZoneInfo) -> datetime:
    """When a local day starts, also where the clocks skip midnight."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    moment = midnight.astimezone(UTC)
    if moment.astimezone(zone).date() < day:  # pragma: no cover - a zone whose gap ends the day before
        moment += timedelta(hours=1)
    return moment


def _period_end(start: datetime, day: date | None, grain: str, zone: ZoneInfo) -> datetime | None:
    if grain == "request":
        return None
    if grain in ("1m", "1h"):
        length = timedelta(minutes=1) if grain == "1m" else timedelta(hours=1)
        if start.timestamp() % 60 or (grain == "1h" and start.astimezone(zone).minute):
            raise Unreadable(f"time is not the start of {'a minute' if grain == '1m' else 'an hour'}")
        return start + length
    if day is None:
        raise Unreadable(f"time is not the start of a day in {zone.key}")
    if grain == "1d":
        return _first_instant(day + timedelta(days=1), zone)
    if day.day != 1:
        raise Unreadable(f"time is not the start of a month in {zone.key}")
    return _first_instant((day + timedelta(days=31)).replace(day=1), zone)
