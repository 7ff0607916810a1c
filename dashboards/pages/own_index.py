"""The page of an organisation's own price index: levels month by month, and each change of spend in its parts. Pure.

Money is shown to the cent so that it adds up both ways: each month's spend is rounded once, a change is the difference
of two, the parts of a month sum to it, and months sum to the whole. What rounding leaves over stands in volume.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from dashboards import formatting
from dashboards.pages import covered
from dashboards.pages.asked import Option, address
from dashboards.pages.ledger import Figure, Words
from usage.priced_items import BY
from usage.questions import NOBODY

PATH = "/index/yours"
PARTS = {
    "price": "Price", "exchange": "Exchange", "volume": "Volume", "new": "New", "ended": "Ended",
    "unknown": "Unknown", "rated": "Rated", "reported": "Reported",
}  # fmt: skip
INDICES = {"fisher": "Fisher", "laspeyres": "Laspeyres", "paasche": "Paasche"}
BY_WORDS = {"offering": "seller and model", "model": "model, whoever sells it"}
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Ask:
    """What the address asks for; '' is the default of each."""

    project: str = ""
    by: str = BY[0]
    since: str = ""
    until: str = ""

    def url(self, path: str = PATH, **changes: object) -> str:
        state: dict[str, object] = {
            "project": self.project, "by": "" if self.by == BY[0] else self.by, "from": self.since, "until": self.until,
        }  # fmt: skip
        return address(path, {**state, **changes})


def read(query: Mapping[str, str]) -> Ask:
    """The state in an address. Whether project and months exist is for who reads them to say."""
    by = query.get("by", "")
    return Ask(
        query.get("project", "")[:120],
        by if by in BY else BY[0],
        query.get("from", "")[:10],
        query.get("until", "")[:10],
    )


def options(ask: Ask, names: Mapping[str, str], *, whole: bool) -> dict[str, list[Option]]:
    """The choices of each filter; `names` of the projects by slug. Who sees all may ask for what no rule attributes."""
    own = [("", "all"), *names.items(), *([(NOBODY, "unattributed")] if whole else [])]
    return {
        "project": [Option(name, ask.url(project=slug), slug == ask.project) for slug, name in own],
        "by": [Option(BY_WORDS[by], ask.url(by="" if by == BY[0] else by), by == ask.by) for by in BY],
    }


@dataclass(frozen=True, slots=True)
class MonthRow:
    """One month: its spend to the cent, its levels, and the change from the month before in parts that sum to it."""

    first: date
    spent: Decimal
    levels: Mapping[str, Decimal | None]
    compared_with: str
    matched_before: Decimal | None
    matched_after: Decimal | None
    reason: str
    change: Decimal | None
    parts: Mapping[str, Decimal]
    url: str
    unpriced_share: str

    @property
    def name(self) -> str:
        return f"{self.first:%b %Y}"

    @property
    def cells(self) -> list[Decimal | None]:
        """Parts in the order of their heads; None in a month without one before."""
        return [None if self.change is None else self.parts[name] for name in PARTS]

    @property
    def fisher(self) -> Decimal | None:
        return self.levels["fisher"]


@dataclass(frozen=True, slots=True)
class OwnPage:
    ask: Ask
    currency: str
    finding: Words
    scope: tuple[str, ...]
    rows: tuple[MonthRow, ...]
    total: Mapping[str, Decimal]
    change: Decimal
    spend_url: str
    asides: tuple[str, ...]

    @property
    def shown_parts(self) -> list[tuple[str, str]]:
        """Parts in which anything ever moved: the others are a column of zeros."""
        return [(name, label) for name, label in PARTS.items() if any(row.parts.get(name) for row in self.rows)]

    @property
    def newest(self) -> MonthRow | None:
        return self.rows[-1] if self.rows else None

    @property
    def table_rows(self) -> list[tuple[MonthRow, list[Decimal | None]]]:
        """The newest month first, each with its shown parts."""
        names = [name for name, _ in self.shown_parts]
        return [
            (row, [None if row.change is None else row.parts[name] for name in names]) for row in reversed(self.rows)
        ]

    @property
    def totals(self) -> list[Decimal]:
        return [self.total[name] for name, _ in self.shown_parts]


def compose(ask: Ask, answer: Mapping[str, Any]) -> OwnPage:
    """The page of an answer of `usage.own_index`."""
    months = answer["months"]
    rows = tuple(_rows(ask, months))
    first, last = (rows[0].first, _next(rows[-1].first)) if rows else (date.min, date.min)
    total = {name: sum((row.parts.get(name, ZERO) for row in rows), ZERO) for name in PARTS}
    spend_url = _spend_url(ask, first, last) if rows else "/spend"
    return OwnPage(
        ask=ask, currency=answer["currency"], finding=_finding(rows, total, answer["currency"], spend_url),
        scope=tuple(_scope(ask, answer, rows)), rows=rows, total=total,
        change=rows[-1].spent - rows[0].spent if rows else ZERO, spend_url=spend_url,
        asides=tuple(_asides(answer, rows)),
    )  # fmt: skip


def _rows(ask: Ask, months: Sequence[Mapping[str, Any]]) -> Iterable[MonthRow]:
    exact = dict.fromkeys(PARTS, ZERO)
    """Each part added up exactly since the first month."""
    shown = dict.fromkeys(PARTS, ZERO)
    before: Decimal | None = None
    for month in months:
        first = date.fromisoformat(f"{month['month']}-01")
        spent = formatting.rounded(Decimal(month["spent"] or 0), 2)
        parts: dict[str, Decimal] = {}
        if month["change"] is not None and before is not None:
            for name in PARTS:
                exact[name] += Decimal(month["change"][name])
                now = formatting.rounded(exact[name], 2)
                parts[name], shown[name] = now - shown[name], now
            left = spent - before - sum(parts.values(), ZERO)
            parts["volume"] += left
            shown["volume"] += left
        yield MonthRow(
            first=first, spent=spent,
            levels={name: None if month[name] is None else Decimal(month[name]) for name in INDICES},
            compared_with=month["compared_with"] or "",
            matched_before=_number(month["matched_before"]), matched_after=_number(month["matched_after"]),
            reason=month["reason"] or "", change=None if before is None else spent - before, parts=parts,
            url=_spend_url(ask, first, _next(first)),
            unpriced_share=formatting.share(month["unpriced_tokens"], month["tokens"]) if month["tokens"] else "",
        )  # fmt: skip
        before = spent


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _next(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _spend_url(ask: Ask, since: date, until: date) -> str:
    pairs = {"group_by": "model", "from": since, "until": until, **({"project": ask.project} if ask.project else {})}
    return f"/spend?{urlencode(pairs)}"


def _finding(rows: Sequence[MonthRow], total: Mapping[str, Decimal], currency: str, spend_url: str) -> Words:
    """What prices did to the basket, as an index and in money."""
    known = [row for row in rows if row.fisher is not None]
    if len(known) < 2:
        return ("One month of priced usage so far: an index compares two.",)
    first, last = known[0], known[-1]
    level, since = last.fisher or ZERO, f"{first.first:%B %Y}"
    moved = formatting.change(level, Decimal(100))
    if moved.direction == "flat":
        said = f"The prices of what you kept using have not moved since {since}"
    else:
        verb = "fell" if moved.direction == "down" else "rose"
        said = f"The prices of what you kept using {verb} {moved.text.lstrip('+−-')} since {since}"
    price = total["price"]
    spent = [Figure(formatting.money_in_prose(row.spent, currency), row.url) for row in (rows[0], rows[-1])]
    bill: Words = ("the monthly bill, which went from ", spent[0], " to ", spent[1], ".")
    if not price:
        return (f"{said}; ", *bill)
    amount = Figure(formatting.money_in_prose(abs(price), currency), spend_url)
    how = ("; that took ", amount, " off ") if price < 0 else ("; that added ", amount, " to ")
    return (said, *how, *bill)


def _scope(ask: Ask, answer: Mapping[str, Any], rows: Sequence[MonthRow]) -> Iterable[str]:
    if rows:
        yield f"{rows[0].name} to {rows[-1].name}, months in UTC"
    yield f"An item is a kind of token of a {BY_WORDS[ask.by]}"
    yield f"Official spend, {answer['currency']}"
    coverage = answer["coverage"]
    if coverage["tokens"]:
        known = coverage["tokens"] - coverage["unpriced_tokens"]
        yield f"{formatting.share(known, coverage['tokens'])} of tokens priced"
    yield from (f"{part.figure} {part.after}" for part in covered.unknown(coverage))


def _asides(answer: Mapping[str, Any], rows: Sequence[MonthRow]) -> Iterable[str]:
    coverage = answer["coverage"]
    if coverage["unconverted"]:
        yield f"Not in any figure, as no rate is known: money in {', '.join(coverage['unconverted'])}."
    if coverage["pending"]:
        yield "Late facts of closed months are pending and not in these figures until they are restated."
    for row in rows:
        if row.reason:
            yield f"{row.name}: {row.reason}"


CSV_HEAD = (
    "month", "spent", "currency", *INDICES, "compared_with", "matched_before", "matched_after", "reason",
    "change", *PARTS, "tokens", "unpriced_tokens",
)  # fmt: skip


def csv_rows(answer: Mapping[str, Any]) -> Iterable[tuple[object, ...]]:
    """Every month with all digits."""
    for month in answer["months"]:
        change = month["change"] or {}
        yield (
            month["month"], _number(month["spent"]), answer["currency"], *(_number(month[name]) for name in INDICES),
            month["compared_with"], _number(month["matched_before"]), _number(month["matched_after"]), month["reason"],
            _number(change.get("spent")), *(_number(change.get(name)) for name in PARTS), month["tokens"],
            month["unpriced_tokens"],
        )  # fmt: skip
