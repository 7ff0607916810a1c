"""The period a page speaks of and the one it is compared with. Pure; days are UTC, spans half-open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from dashboards import formatting

WEEK = timedelta(days=7)
LONGEST = 731
Kind = Literal["week", "month", "custom"]


class Unusable(ValueError):
    """A query that cannot be answered: one sentence that says what to write instead."""


@dataclass(frozen=True)
class Span:
    """The UTC days [start, until)."""

    start: date
    until: date

    @property
    def days(self) -> int:
        return (self.until - self.start).days

    @property
    def words(self) -> str:
        return formatting.period(self.start, self.until)

    @property
    def short(self) -> str:
        """Without the year: `9–15 Nov`."""
        return self.words.rsplit(" ", 1)[0] if self.start.year == self.until.year else self.words

    def meets(self, other: Span) -> bool:
        return self.start < other.until and other.start < self.until


@dataclass(frozen=True)
class Period:
    """What is shown and what it is compared with, in dates and in words.

    `when` goes into a sentence ("last week"), `before_words` behind a comparison ("the week before").
    """

    kind: Kind
    now: Span
    before: Span
    name: str
    when: str
    before_words: str
    compared: str

    @property
    def query(self) -> dict[str, str]:
        """The URL's own words for this period."""
        if self.kind == "custom":
            return {"period": "custom", "from": f"{self.now.start}", "until": f"{self.now.until}"}
        return {"period": self.kind, "from": f"{self.now.start}"}


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def week_of(day: date) -> Span:
    return Span(monday(day), monday(day) + WEEK)


def first_of_month(day: date) -> date:
    return day.replace(day=1)


def next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def chosen(query: Mapping[str, str], today: date, last_usage: date | None) -> Period:
    """The period a query asks for; without one the last whole week, or the last one that has usage.

    Unusable for what is no period, with a sentence.
    """
    kind = query.get("period") or "week"
    if kind == "custom":
        return _custom(query)
    start = _day(query, "from")
    if kind == "week":
        return _week(monday(start) if start else _latest_week(today, last_usage), today)
    if kind == "month":
        return _month(first_of_month(start) if start else _latest_month(today, last_usage), today)
    raise Unusable(f"“{kind[:40]}” is no period: choose week, month or custom.")


def month_to_date(today: date, last_usage: date | None) -> tuple[Span, Span]:
    """This month so far, or the last one with usage, and as many days of the month before."""
    anchor = min(today, last_usage or today)
    start = first_of_month(anchor)
    until = min(anchor + timedelta(days=1), next_month(start))
    earlier = first_of_month(start - timedelta(days=1))
    return Span(start, until), Span(earlier, min(earlier + (until - start), start))


def weeks_until(last: date, count: int) -> list[date]:
    """The Mondays of `count` weeks, the last one holding the day `last`, and the Monday after them."""
    end = monday(last) + WEEK
    return [end - WEEK * (count - i) for i in range(count + 1)]


def _latest_week(today: date, last_usage: date | None) -> date:
    whole = monday(today) - WEEK
    return min(whole, monday(last_usage)) if last_usage else whole


def _latest_month(today: date, last_usage: date | None) -> date:
    whole = first_of_month(first_of_month(today) - timedelta(days=1))
    return min(whole, first_of_month(last_usage)) if last_usage else whole


def _so_far(span: Span, today: date) -> tuple[Span, bool]:
    """A span that is not over ends with today."""
    if span.start <= today < span.until - timedelta(days=1):
        return Span(span.start, today + timedelta(days=1)), True
    return span, False


def _week(start: date, today: date) -> Period:
    now, partial = _so_far(Span(start, start + WEEK), today)
    number = start.isocalendar().week
    if partial:
        when = "this week so far"
    elif start == monday(today) - WEEK:
        when = "last week"
    else:
        when = f"in the week of {formatting.day(start)}"
    return Period(
        "week",
        now,
        Span(start - WEEK, start - WEEK + timedelta(days=now.days)),
        f"Week {number}",
        when,
        "the same days of the week before" if partial else "the week before",
        f"On week {(start - WEEK).isocalendar().week}",
    )


def _month(start: date, today: date) -> Period:
    now, partial = _so_far(Span(start, next_month(start)), today)
    earlier = first_of_month(start - timedelta(days=1))
    until = min(earlier + timedelta(days=now.days), start) if partial else start
    return Period(
        "month",
        now,
        Span(earlier, until),
        f"{start:%B %Y}",
        f"in {start:%B} so far" if partial else f"in {start:%B}",
        f"the same days of {earlier:%B}" if partial else f"{earlier:%B}",
        f"On {earlier:%B}",
    )


def _custom(query: Mapping[str, str]) -> Period:
    start, until = _day(query, "from"), _day(query, "until")
    if start is None or until is None:
        raise Unusable("A period of your own needs both days: from=2026-11-02 and until=2026-11-09.")
    if until <= start:
        raise Unusable("The period must end after it begins: “until” is the first day that no longer counts.")
    if (until - start).days > LONGEST:
        raise Unusable(f"A period may hold at most {LONGEST} days: choose a shorter one.")
    span = Span(start, until)
    before = Span(start - (until - start), start)
    days = "day" if span.days == 1 else f"{span.days} days"
    return Period("custom", span, before, "Period", f"on {span.words}" if span.days == 1 else f"in {span.words}",
                  f"the {days} before", f"On the {days} before")  # fmt: skip


def _day(query: Mapping[str, str], name: str) -> date | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Unusable(f"“{text[:40]}” is no day: write {name}=2026-11-09.") from None
    if not 2015 <= day.year <= 2100:
        raise Unusable(f"{day.year} is out of reach: choose a day between 2015 and 2100.")
    return day
