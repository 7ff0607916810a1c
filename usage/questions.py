"""What can be asked of spend, and reading it: one reading for the page, its CSV and the API. Pure.

group_by=project,model   measure=spent   grain=week   compare=previous
from=2026-11-01 until=2026-12-01  or  period=30d     project=search  ext_user=ann  tag:team=ml   (repeated: any of)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol

NOBODY = "none"
"""The project of what no rule attributes."""
TAG = "tag:"
SUMMED = ("project", "model", "maker", "provider", "host", "scope", "source", "service_tier", "cost_kind")
"""Dimensions that the rollups know."""
RAW = (
    "model_family",
    "account",
    "region",
    "operation",
    "ext_project",
    "ext_api_key",
    "ext_user",
    "ext_team",
    "path",
    "branch",
    "session",
    "is_batch",
    "selectors",
    "unpriced",
)
"""Dimensions that only the records know, as every `tag:<key>`. `selectors`: whether all that chooses a price is known,
"known" or "unknown"; `unpriced`: why there is no list price, '' where there is one."""
NAME = "model_raw"
"""A filter only, as `model` groups by both: a name that no model of the catalogue has, '' for usage of those models."""
TIMES = ("day", "week", "month")
GROUPS = (*SUMMED, *TIMES, *RAW)
TOKENS = ("in_uncached", "in_cache_read", "in_cache_write", "out_total")
MONEY = ("spent", "list", "contracted", "reported", "notional")
MEASURES = (*MONEY, "tokens", *TOKENS, "requests")
COMPARISONS = ("previous", "year", "none")
PERIODS = ("7d", "30d", "90d", "month", "last-month", "year")
_VALUE = 1_000
_DAY = timedelta(days=1)
Span = tuple[date, date]


class Unanswerable(ValueError):
    """A question that makes no sense: a sentence that says what to ask instead, and the field it is about."""

    def __init__(self, sentence: str, asked: str) -> None:
        super().__init__(sentence)
        self.asked = asked


@dataclass(frozen=True)
class Question:
    """What is asked; `period` is the preset the days come from, '' for days of one's own."""

    group_by: tuple[str, ...] = ()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    measure: str = ""
    grain: str = ""
    compare: str = ""
    period: str = ""
    since: date | None = None
    until: date | None = None
    prices_at: date | None = None

    @property
    def before(self) -> Span | None:
        """The days compared with: as many before, or the same ones of the year before."""
        if not self.compare or self.since is None or self.until is None:
            return None
        if self.compare == "year":
            return year_before(self.since), year_before(self.until)
        return self.since - (self.until - self.since), self.since

    @property
    def days(self) -> Span:
        """The days asked for, where both ends are."""
        if self.since is None or self.until is None:
            raise Unanswerable("Days of your own need both ends: from=2026-11-02 and until=2026-11-09.", "from")
        return self.since, self.until

    @property
    def is_raw(self) -> bool:
        """Whether the records have to be read for it."""
        return any(is_raw(name) for name in (*self.group_by, *self.filters))


def tokens_of(group: Mapping[str, Any]) -> int | None:
    """All tokens of a group of an answer; None where none of its kinds is known."""
    known = [group[name] for name in TOKENS]
    return None if all(one is None for one in known) else sum(one or 0 for one in known)


def is_raw(name: str) -> bool:
    return name in RAW or name.startswith(TAG)


def is_dimension(name: str) -> bool:
    return name in SUMMED or name in RAW or (name.startswith(TAG) and len(name) > len(TAG))


def is_filter(name: str) -> bool:
    return name == NAME or is_dimension(name)


def year_before(day: date) -> date:
    """The same day of the year before; 28 February for the 29th."""
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


class Lists(Protocol):
    """A query with several values a name, such as Django's QueryDict."""

    def lists(self) -> Iterable[tuple[str, list[str]]]: ...


def pairs(query: Lists) -> list[tuple[str, str]]:
    """Names and values of a query, each value by itself."""
    return [(name, text) for name, values in query.lists() for text in values]


def read(asked: Iterable[tuple[str, str]], today: date, last: date | None = None) -> Question:
    """The question that names and values ask, Unanswerable for what makes none.

    `last`, the last day with usage, is where periods end that would end later and hold nothing.
    """
    given: dict[str, list[str]] = {}
    for name, text in asked:
        given.setdefault(name, []).append(text.replace("\0", "")[:_VALUE])
    one = {name: values[-1].strip() for name, values in given.items()}
    period = _among(one, "period", PERIODS)
    since, until = _day(one, "from"), _day(one, "until")
    if since or until:
        period = ""
    elif period:
        since, until = span_of(period, min(today, last) if last else today)
    if since and until and since >= until:
        raise Unanswerable("until must be after from: the range is [from, until).", "until")
    compare = _among(one, "compare", COMPARISONS)
    compare = "" if compare == "none" else compare
    if compare and not (since and until):
        raise Unanswerable("A comparison needs both days: from=2026-11-01 and until=2026-12-01.", "compare")
    return Question(
        group_by=groups(one.get("group_by", "")),
        filters={name: tuple(dict.fromkeys(values)) for name, values in given.items() if is_filter(name)},
        measure=_among(one, "measure", MEASURES),
        grain=_among(one, "grain", TIMES),
        compare=compare,
        period=period,
        since=since,
        until=until,
        prices_at=_day(one, "prices_at"),
    )


def groups(text: str) -> tuple[str, ...]:
    """Dimensions and times separated by commas, each once."""
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if not (is_dimension(name) or name in TIMES):
            raise Unanswerable(f"Nothing is grouped by {name[:40]!r}: use {', '.join(GROUPS)} or tag:KEY.", "group_by")
    return tuple(names)


def span_of(period: str, anchor: date) -> Span:
    """The days of a preset that ends with the day `anchor`."""
    if period.endswith("d"):
        return anchor + _DAY - timedelta(days=int(period[:-1])), anchor + _DAY
    if period == "year":
        return anchor.replace(month=1, day=1), anchor + _DAY
    first = anchor.replace(day=1)
    if period == "month":
        return first, anchor + _DAY
    return (first - _DAY).replace(day=1), first


def _among(one: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    text = one.get(name, "")
    if text and text not in allowed:
        raise Unanswerable(f"{text[:40]!r} is no {name}: use {', '.join(allowed)}.", name)
    return text


def _day(one: Mapping[str, str], name: str) -> date | None:
    text = one.get(name, "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Unanswerable(f"{text[:40]!r} is no day: write {name}=2026-11-09.", name) from None
    if len(text) != len("2026-11-09") or not 2000 <= day.year <= 2100:
        raise Unanswerable(f"Write {name} as a day from 2000 to 2100, such as 2026-11-09.", name)
    return day
