"""The audit log: what the address asks for, and each entry as a line of the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from dashboards.models import AuditEntry

HEAD = ["when, UTC", "who", "organisation", "action", "subject", "before", "after", "address"]
ORGANISATION, INSTANCE = "organisation", "instance"
FIELDS = 6
"""So many changed fields a line shows; the CSV has them all."""


@dataclass(frozen=True)
class Ask:
    """What the page is asked; each field as its address writes it, empty where nothing was chosen."""

    of: str = ORGANISATION
    who: str = ""
    action: str = ""
    first: str = ""
    last: str = ""
    q: str = ""

    def url(self, **changes: str) -> str:
        """The page with some of it asked otherwise; an empty value takes a filter off."""
        said = {"of": self.of, "who": self.who, "action": self.action, "from": self.first, "to": self.last, "q": self.q}
        kept = {name: value for name, value in (said | changes).items() if value}
        return f"/settings/audit?{urlencode(kept)}"

    @property
    def is_narrowed(self) -> bool:
        return bool(self.who or self.action or self.first or self.last or self.q)

    def span(self, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
        """[since, until) of the days asked for, in the reader's zone; both days belong to it."""
        first, last = _day(self.first), _day(self.last)
        since = datetime.combine(first, time(), zone) if first else None
        until = datetime.combine(last + timedelta(days=1), time(), zone) if last and last < date.max else None
        return since, until


def read(query: Mapping[str, str]) -> Ask:
    """What the address asks; a day that is none is not asked."""
    text = {name: query.get(name, "").replace("\x00", "")[:254].strip() for name in ("of", "who", "action", "q")}
    days = {name: query.get(name, "") if _day(query.get(name, "")) else "" for name in ("from", "to")}
    of = text["of"] if text["of"] in (ORGANISATION, INSTANCE) else ""
    return Ask(of, text["who"], text["action"], days["from"], days["to"], text["q"])


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@dataclass(frozen=True)
class Change:
    """One field of what was changed, as text; empty where it did not exist."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Line:
    at: datetime
    who: str
    action: str
    subject: str
    changes: list[Change]
    more: int
    address: str


def line(entry: AuditEntry) -> Line:
    """An entry as the table shows it: only the fields that differ."""
    changes = differing(entry.before, entry.after)
    return Line(
        entry.at,
        entry.who or "nobody signed in",
        entry.action,
        entry.subject,
        changes[:FIELDS],
        max(0, len(changes) - FIELDS),
        entry.address,
    )


def differing(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Change]:
    """The fields that are not the same before and after, in the order they were given."""
    old, new = before or {}, after or {}
    names = [*old, *(name for name in new if name not in old)]
    return [
        Change(name.replace("_", " "), _text(old, name), _text(new, name))
        for name in names
        if name not in old or name not in new or old[name] != new[name]
    ]


def _text(fields: Mapping[str, Any], name: str) -> str:
    if name not in fields:
        return ""
    return _said(fields[name]) or "nothing"


def _said(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(part)}" for key, part in value.items())
    if isinstance(value, list):
        return "; ".join(_said(part) for part in value)
    return str(value)


def csv_rows(entries: Iterator[AuditEntry], organisation: str) -> Iterator[list[object]]:
    """Every field of every entry; before and after as JSON."""
    import json

    for entry in entries:
        sides = [None if side is None else json.dumps(side, ensure_ascii=False) for side in (entry.before, entry.after)]
        yield [entry.at, entry.who, organisation, entry.action, entry.subject, *sides, entry.address]


def finding(count: int, ask: Ask, latest: Line | None) -> str:
    """The page's sentence."""
    if latest is None:
        return "No change matches." if ask.is_narrowed else "Nobody has changed anything yet."
    noun = "change" if count == 1 else "changes"
    return f"{count:,} {noun} on record; the latest: {latest.who} {latest.action}."
