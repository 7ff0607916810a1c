"""What a report is made from: plain values, nothing worked out. `reading` fills them, `composing` reads them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from dashboards.pages.alerts import Doubt, Key, Used
from dashboards.pages.bridge import Page
from dashboards.pages.ledger import ModelKey, Move, Sums, Tokens, Words
from dashboards.pages.periods import Span
from dashboards.reports.report import Scope
from usage.advice import Range
from usage.pacing import Pace


@dataclass(frozen=True, slots=True)
class Proposed:
    """An open proposal: what it saves a month in its `currency`, and why one may believe that."""

    number: int
    project: str
    title: str
    saving: Range
    currency: str
    why: Words


@dataclass(frozen=True, slots=True)
class Budgeted:
    """How the budget of what the report is about stands on the week's last day, in its own period and currency.

    `is_one`: it is a single budget, no sum of projects' own. `is_of_whole`: only who reads the whole may see it.
    """

    pace: Pace
    is_one: bool = True
    is_of_whole: bool = False


@dataclass(frozen=True, slots=True)
class Retiring:
    """A model in use that its maker will switch off; `successor` says which is equal, '' where none is known."""

    name: str
    slug: str
    on: date
    offering_id: int
    paid: Decimal | None
    successor: str = ""


@dataclass(frozen=True, slots=True)
class Money:
    """What was spent of a span as `/spend` shows it: 0 where nothing was used though usage of then or before has come
    in, None where nothing is known."""

    spent: Decimal | None
    tokens: int
    unpriced_tokens: int = 0
    is_used: bool = True
    """Whether anything was used at all, its price or tokens known or not."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a report is made from: plain rows, nothing worked out. `month` ends with the week."""

    scope: Scope
    today: date
    first_day: date | None
    last_day: date | None
    week: Money
    before: Money
    earlier: Money
    month: Span
    month_spent: Money
    coverage: str
    list_only: bool
    by_week: tuple[tuple[date, str, Decimal], ...]
    """(Monday, project slug or "none", spent) of the last `WEEKS` weeks."""
    project_names: Mapping[str, str]
    bridge: Page | None = None
    used: Used | None = None
    sold: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    """Offering → slug of its model, slug of its seller."""
    moves: Sequence[Move] = ()
    tokens: Mapping[int, Tokens] = field(default_factory=dict)
    """What was used of an offering in the week, by service tier and kind of token."""
    doubts: Sequence[Doubt] = ()
    unpriced: Mapping[ModelKey, Sums] = field(default_factory=dict)
    pending: Sequence[Mapping[str, Any]] = ()
    """What of the week came after its month was closed, by month, as `/spend` shows it beside its figures."""
    loose: Decimal | None = None
    keys: Sequence[Key] = ()
    budget: Budgeted | None = None
    proposed: tuple[Proposed, ...] = ()
    is_advised: bool = False
    retiring: tuple[Retiring, ...] = ()
    is_sample: bool = False
