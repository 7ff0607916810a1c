"""The spend explorer: a `spend` answer as a table whose rows add up, a stack over time, and links to what is narrower.

Pure. The URL is the whole question; every link is the same question with one thing changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from dashboards import formatting
from dashboards.pages.ledger import RECORDS, ZERO
from dashboards.pages.weeks import Series
from usage.questions import MONEY, NAME, NOBODY, TAG, Question, tokens_of

PATH = "/spend"
PARENTS, CHILDREN, BANDS = 25, 12, 4
MEASURE_WORDS = {
    "spent": "Spent", "list": "List price", "contracted": "Contract price", "reported": "Reported",
    "notional": "Notional", "tokens": "Tokens", "in_uncached": "Input, not cached", "in_cache_read": "Cache read",
    "in_cache_write": "Cache write", "out_total": "Output", "requests": "Requests",
}  # fmt: skip
DIMENSION_WORDS = {
    "project": "Project", "model": "Model", "maker": "Maker", "provider": "Provider", "host": "Host",
    "scope": "Connection", "source": "Source", "model_family": "Model family", "account": "Billing account",
    "session": "Session", "is_batch": "In a batch", "service_tier": "Service tier", "cost_kind": "Cost kind",
    "region": "Region", "operation": "Operation", "ext_project": "Reported project", "ext_api_key": "API key",
    "ext_user": "User", "ext_team": "Team", "path": "Path", "branch": "Branch", "selectors": "Selectors",
    "unpriced": "Why no price",
}  # fmt: skip
KIND_WORDS = {"billed": "on a bill", "estimated": "estimated", "notional": "notional, in no total"}
NARROWER = {
    "project": "model", "model": "project", "maker": "model", "provider": "model", "host": "model",
    "source": "scope", "scope": "model", "service_tier": "model", "cost_kind": "source",
}  # fmt: skip
"""What a group is opened by; what is not here is opened by model."""
Label = Callable[[str, str], str]


@dataclass(frozen=True)
class Line:
    """One row: a group, a part of one, or the smaller ones together. `value` is exact, `shown` adds up as read."""

    name: str
    level: int
    value: Decimal | None
    shown: Decimal | None
    before: Decimal | None
    tokens: int | None
    list_cost: Decimal | None
    priced_tokens: int
    requests: int | None = None
    url: str = ""
    records: str = ""
    swatch: int | str = ""
    is_other: bool = False
    keys: tuple[str, ...] = ()

    @property
    def usd_per_mtok(self) -> Decimal | None:
        """Average list price of the tokens that have one."""
        if self.list_cost is None or self.priced_tokens <= 0:
            return None
        return self.list_cost * 1_000_000 / self.priced_tokens


@dataclass(frozen=True)
class Page:
    lines: Sequence[Line]
    total: Line
    series: Sequence[Series]
    buckets: Sequence[date]


def url_of(question: Question, **changes: Any) -> str:
    """The address of a question with some of it changed."""
    return f"{PATH}?{query_of(question, **changes)}"


def query_of(question: Question, **changes: Any) -> str:
    filters = {**question.filters, **changes.pop("filters", {})}
    named: dict[str, Any] = {
        "group_by": ",".join(question.group_by),
        "measure": question.measure,
        "grain": question.grain,
        "compare": question.compare or "none",
    }
    if question.prices_at:
        named["prices_at"] = question.prices_at
    if question.period:
        named["period"] = question.period
    else:
        named |= {"from": question.since, "until": question.until}
    named |= changes
    if changes.get("period"):
        named = {name: value for name, value in named.items() if name not in ("from", "until")}
    pairs = [(name, str(value)) for name, value in named.items() if value not in (None, "")]
    return urlencode(pairs + [(name, value) for name, values in filters.items() for value in values])


def group_value(group: Mapping[str, Any], dimension: str) -> str:
    """What a filter says to mean this group."""
    if dimension == "model":
        return group["model"] or group["model_raw"] or ""
    if dimension == "project":
        return group["project"] or NOBODY
    return str(group[dimension] or "")


def twins(groups: Sequence[Mapping[str, Any]]) -> set[str]:
    """Models of the catalogue that a name it does not know is spelt like: a filter by one would have both."""
    known = {str(group["model"]) for group in groups if group.get("model")}
    return known & {str(group["model_raw"]) for group in groups if not group.get("model") and group.get("model_raw")}


def filters_of(group: Mapping[str, Any], dimension: str, alike: Collection[str]) -> dict[str, str]:
    """What makes a question one of this group alone; `alike` are the `twins` among its groups."""
    value = group_value(group, dimension)
    if dimension != "model" or value not in alike:
        return {dimension: value}
    return {"model": value, NAME: ""} if group["model"] else {NAME: value}


def _key(group: Mapping[str, Any], dimension: str, alike: Collection[str]) -> str:
    """What tells a group from every other one of its dimension."""
    value = group_value(group, dimension)
    is_twin = dimension == "model" and value in alike and not group["model"]
    return f"{value}, not recognised" if is_twin else value


def dimension_words(name: str) -> str:
    if name == NAME:
        return "Unrecognised name"
    return f"Tag {name.removeprefix(TAG)}" if name.startswith(TAG) else DIMENSION_WORDS[name]


def spoken(name: str) -> str:
    """A dimension within a sentence: `project`, `API key`."""
    words = dimension_words(name)
    return words if words[:2].isupper() else words[:1].lower() + words[1:]


def number(value: str | int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def text_of(value: Decimal | None, measure: str, currency: str) -> str | None:
    """A figure of a measure as it is read; None is unknown."""
    if value is None:
        return None
    if measure in MONEY:
        return formatting.money(value, currency)
    return formatting.count(int(value)) if measure == "requests" else formatting.mtok(value)


def compose(question: Question, answer: Mapping[str, Any], label: Label) -> Page:
    """The page of an answer to a question with a measure and a grain."""
    lines = _lines(question, answer, label)
    now = number(answer["total"]["value"])
    leaves = [line for line in lines if line.level or len(question.group_by) < 2]
    shown = [line.shown for line in leaves if line.shown is not None]
    whole = _line(answer["total"], "Total", 0, now and sum(shown, ZERO), url="", records=records_of(question))
    buckets = buckets_of(question)
    series = _bands(question, answer, lines, buckets)
    return Page(
        lines=_coloured(question, lines),
        total=whole,
        series=series,
        buckets=buckets,
    )


def _line(figures: Mapping[str, Any], name: str, level: int, shown: Decimal | None, **rest: Any) -> Line:
    tokens = tokens_of(figures)
    return Line(
        name=name,
        level=level,
        value=number(figures["value"]),
        shown=shown,
        before=number(figures.get("before")),
        tokens=tokens,
        list_cost=number(figures["list"]),
        priced_tokens=(tokens or 0) - figures.get("unpriced_tokens", 0),
        requests=figures["requests"],
        **rest,
    )


def _together(lines: Sequence[Line], name: str, level: int, **rest: Any) -> Line:
    """Several lines as one; unknown only where each of them is."""

    def added(values: Sequence[Any]) -> Any:
        known = [value for value in values if value is not None]
        return sum(known[1:], known[0]) if known else None

    return Line(
        name=name,
        level=level,
        value=added([one.value for one in lines]),
        shown=added([one.shown for one in lines]),
        before=added([one.before for one in lines]),
        tokens=added([one.tokens for one in lines]),
        list_cost=added([one.list_cost for one in lines]),
        priced_tokens=sum(one.priced_tokens for one in lines),
        requests=added([one.requests for one in lines]),
        **rest,
    )


def _lines(question: Question, answer: Mapping[str, Any], label: Label) -> list[Line]:
    """Groups by their measure, each with its parts below it; what is past the room stands as one line."""
    leaves = _leaves(question, answer, label)
    if len(question.group_by) < 2:
        return _cut(leaves, PARENTS, 0)
    by_parent: dict[str, list[Line]] = {}
    for leaf in leaves:
        by_parent.setdefault(leaf.keys[0], []).append(leaf)
    first, alike = question.group_by[0], twins(answer["groups"])
    filters = {_key(group, first, alike): filters_of(group, first, alike) for group in answer["groups"]}
    parents = [
        _together(
            parts, label(first, key), 0, keys=(key,), records=records_of(question, filters[key]),
            url=url_of(question, group_by=question.group_by[1], filters=_tuples(filters[key])),
        )
        for key, parts in by_parent.items()
    ]  # fmt: skip
    parents.sort(key=lambda one: (one.value is None, -(one.value or ZERO), one.name))
    found: list[Line] = []
    for parent in _cut(parents, PARENTS, 0):
        found.append(parent)
        parts = (
            by_parent[parent.keys[0]]
            if parent.keys
            else [leaf for one in parents[PARENTS:] for leaf in by_parent[one.keys[0]]]
        )
        found += _cut(parts, CHILDREN, 1) if parent.keys else [_together(parts, "Their parts", 1, is_other=True)]
    return found


def _leaves(question: Question, answer: Mapping[str, Any], label: Label) -> list[Line]:
    groups = answer["groups"]
    values = [number(group["value"]) for group in groups]
    is_money = question.measure in MONEY
    known = [value for value in values if value is not None]
    rounded = iter(formatting.add_up(known) if is_money else known)
    shown = [None if value is None else next(rounded) for value in values]
    level, alike = len(question.group_by) - 1, twins(groups)
    found = []
    for group, amount in zip(groups, shown, strict=True):
        keys = tuple(_key(group, name, alike) for name in question.group_by)
        filters: dict[str, str] = {}
        for name in question.group_by:
            filters |= filters_of(group, name, alike)
        found.append(
            _line(
                group,
                label(question.group_by[-1], keys[-1]) if keys else "All",
                level,
                amount,
                keys=keys,
                url=_narrower(question, filters),
                records=records_of(question, filters),
            )
        )
    return found


def _narrower(question: Question, filters: Mapping[str, str]) -> str:
    """The same question of one group, by what it is usually opened by; its records where that is used up."""
    if not filters:
        return records_of(question)
    seen = {*question.filters, *filters, *(["model"] if NAME in filters else [])}
    wanted = NARROWER.get(question.group_by[-1], "model")
    following = next((name for name in (wanted, "project", "model", "ext_user") if name not in seen), "")
    if not following:
        return records_of(question, filters)
    return url_of(question, group_by=following, filters=_tuples(filters))


def _tuples(filters: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {name: (value,) for name, value in filters.items()}


def records_of(question: Question, filters: Mapping[str, str] | None = None) -> str:
    """The ledger's rows behind a group, with the filters of the question; '' where they cannot be asked for so: their
    money is that of their own day's prices."""
    if question.prices_at:
        return ""
    wanted = {**{name: values[0] for name, values in question.filters.items()}, **(filters or {})}
    if any(len(values) > 1 and name not in (filters or {}) for name, values in question.filters.items()):
        return ""
    measure = {} if question.measure == "spent" else {"measure": question.measure}
    return f"{RECORDS}?{urlencode({**wanted, **measure, 'from': str(question.since), 'until': str(question.until)})}"


def _cut(lines: Sequence[Line], room: int, level: int) -> list[Line]:
    if len(lines) <= room + 1:
        return list(lines)
    rest = lines[room:]
    return [*lines[:room], _together(rest, f"Other, {len(rest)} smaller", level, is_other=True)]


# Over time


def buckets_of(question: Question) -> list[date]:
    """The first day of each bucket of the question's days."""
    since, until = question.days
    day, found = start_of(since, question.grain), []
    while day < until:
        found.append(day)
        day = following(day, question.grain)
    return found


def start_of(day: date, grain: str) -> date:
    if grain == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if grain == "month" else day


def following(day: date, grain: str) -> date:
    if grain == "month":
        return (day + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=7 if grain == "week" else 1)


def _coloured(question: Question, lines: Sequence[Line]) -> list[Line]:
    """Lines with the colours of their bands: 1 for the largest, grey for what has no project."""
    places = {line.keys: i for i, line in enumerate(one for one in lines if one.level == 0 and one.keys and one.value)}
    found = []
    for line in lines:
        swatch: int | str = ""
        if line.level == 0 and line.keys in places:
            swatch = _colour(question, line.keys[0], places[line.keys])
        elif line.level == 0 and line.is_other:
            swatch = BANDS + 1
        found.append(replace(line, swatch=swatch))
    return found


def _colour(question: Question, key: str, band: int) -> int | str:
    return "none" if question.group_by[0] == "project" and key == NOBODY else min(band, BANDS) + 1


def _bands(
    question: Question, answer: Mapping[str, Any], lines: Sequence[Line], buckets: Sequence[date]
) -> list[Series]:
    """The largest groups as bands, largest first, the others as one; unattributed always grey."""
    first = question.group_by[0] if question.group_by else ""
    tops = [line for line in lines if line.level == 0 and line.keys and line.value]
    kept = {line.keys[0]: i for i, line in enumerate(tops[:BANDS])}
    places = {bucket: i for i, bucket in enumerate(buckets)}
    sums: dict[int, list[Decimal]] = {}
    told: dict[int, dict[int, bool]] = defaultdict(dict)
    alike = twins(answer["groups"])
    for group in answer["series"]:
        band = kept.get(_key(group, first, alike), BANDS) if first else 0
        values = sums.setdefault(band, [ZERO] * len(buckets))
        at = group[question.grain]
        place, value = places[date.fromisoformat(f"{at}-01" if len(at) == 7 else at)], number(group["value"])
        values[place] += value or ZERO
        told[band][place] = told[band].get(place, False) or value is not None
    found = []
    for band in sorted(sums):
        others = len(tops) - BANDS
        name = tops[band].name if band < min(BANDS, len(tops)) else f"{others} others" if others > 0 else "Others"
        colour = _colour(question, tops[band].keys[0], band) if first and band < len(tops) else band + 1
        if any(sums[band]):
            unknown = frozenset(place for place, known in told[band].items() if not known)
            found.append(Series(name if first else "All", colour, sums[band], unknown=unknown))
    return found
