"""What the page of closed months shows. Pure: from the months' figures to rows, sentences and previews."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from dashboards import formatting
from dashboards.pages.ledger import RECORDS
from dashboards.pages.periods import next_month

CAUSES = {
    "usage": ("Usage came, changed or went", "late rows, buckets restated or withdrawn"),
    "counted": ("Another feed counts", "another feed of the account gives the money of these days now"),
    "rated": ("Priced anew", "a price or the meaning of a name was corrected"),
    "attributed": ("Attributed anew", "rules give it to other projects; the total stays"),
    "rates": ("Rates of exchange came later", "the month is converted at the rates that stood when it was closed"),
}
KINDS = (
    ("spent", "Spent"),
    ("list", "List"),
    ("contracted", "Contracted"),
    ("reported", "Reported"),
    ("notional", "Notional, in no total"),
)


@dataclass(frozen=True)
class Row:
    """One month. Money is what was spent; None is unknown."""

    month: date
    ledger: Decimal | None
    official: Decimal | None
    pending: Decimal | None
    pending_days: int
    state: str
    by: str
    at: Any
    said: str
    is_closed: bool
    can_close: bool
    is_shown: bool

    @property
    def name(self) -> str:
        return f"{self.month:%B %Y}"

    @property
    def key(self) -> str:
        return f"{self.month:%Y-%m}"

    @property
    def records(self) -> str:
        return records_of(self.month)


@dataclass(frozen=True)
class Line:
    """A kind of cost before and after."""

    label: str
    before: Decimal | None
    after: Decimal | None

    @property
    def moved(self) -> Decimal | None:
        return None if self.after is None and self.before is None else (self.after or 0) - (self.before or Decimal(0))


def records_of(month: date) -> str:
    """The address of a month's rows in the ledger."""
    return f"{RECORDS}?{urlencode({'from': f'{month}', 'until': f'{next_month(month)}'})}"


def moved_words(money: Mapping[str, str | None], currency: str) -> str:
    """What a difference comes to: of what was spent, or, where a bill stands still, of list cost."""
    spent, listed = amount(money["spent"]), amount(money["list"])
    if not spent and listed:
        return f"{formatting.signed_money(listed, currency)} of list cost"
    return "an unknown amount" if spent is None else formatting.signed_money(spent, currency)


def amount(text: str | None) -> Decimal | None:
    """Money as `spend` writes it; None is unknown."""
    return None if text is None else Decimal(text)


def lines(before: Mapping[str, str | None], after: Mapping[str, str | None]) -> list[Line]:
    """The kinds of cost of two totals side by side; kinds of which neither knows anything are left out."""
    found = [Line(label, amount(before.get(kind)), amount(after.get(kind))) for kind, label in KINDS]
    return [line for line in found if line.before or line.after or line.label == "Spent"]


def added(total: Mapping[str, str | None], moved: Mapping[str, str | None]) -> dict[str, str | None]:
    """A total with a difference taken in."""
    return {
        kind: None
        if total.get(kind) is None and moved.get(kind) is None
        else f"{(amount(total.get(kind)) or Decimal(0)) + (amount(moved.get(kind)) or Decimal(0)):f}"
        for kind, _ in KINDS
    }


def finding(rows: Sequence[Row], currency: str) -> str:
    """The page in a sentence: what waits in closed months, else what can be closed, else what is closed."""
    waiting = [row for row in rows if row.pending_days]
    if waiting:
        where = waiting[0].name if len(waiting) == 1 else f"{len(waiting)} closed months"
        known = [row.pending for row in waiting if row.pending is not None]
        moved = [formatting.signed_money(sum(known, Decimal(0)), currency)] if known else []
        moved += ["an unknown amount"] if len(known) < len(waiting) else []
        words = " and ".join(moved)
        verb = "is" if len(moved) == 1 else "are"
        return f"{words[0].upper()}{words[1:]} {verb} pending in {where}: in the ledger, not in the official figures."
    if ready := [row for row in rows if row.can_close]:
        oldest = ready[-1]
        more = "" if len(ready) == 1 else f", and {len(ready) - 1} more"
        return f"{oldest.name} is over and can be closed{more}."
    closed = sum(row.is_closed for row in rows)
    if closed:
        return f"{closed} {'month is' if closed == 1 else 'months are'} closed, and nothing came later."
    return "No month is over yet." if rows else "There is no month to close yet."


@dataclass(frozen=True)
class Beside:
    """What stands beside a figure of a closed month."""

    words: str
    url: str
    """The page of closed months; '' for who sees single projects only, as it is of the whole organisation."""


def beside(pending: Sequence[Mapping[str, Any]], currency: str, *, whole: bool) -> list[Beside]:
    """One a month: what came after it was closed and is not in the figures shown."""
    found = []
    for one in pending:
        month = date.fromisoformat(f"{one['month']}-01")
        days = f"{one['days']} {'day' if one['days'] == 1 else 'days'}"
        moved = moved_words(one, currency)
        words = f"{month:%B} is closed: {moved} on {days} pending: in the ledger's rows, not in these totals"
        found.append(Beside(words, f"/periods?month={one['month']}" if whole else ""))
    return found


def fingerprint(*shown: object) -> str:
    """What a preview showed, so that nothing else is closed or restated than was looked at."""
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:24]
