"""Which facts of a day need somebody: from plain values to facts. Pure.

A fact's key says what may be told once: the same key on another day is the same fact. What nobody pays for is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from dashboards import formatting
from dashboards.pages.budgets import forecast_words, period_words
from dashboards.pages.ledger import NOT_USED, UNIT_WORDS, Move, Sums, Tokens
from usage.pacing import Pace

LATELY: Final = timedelta(days=14)
"""For how long a price that changed is a fact."""
PROMOTION_DAYS: Final = (3, 14)
RETIRES_DAYS: Final = (7, 30, 90)
SILENT: Final = 2
"""A feed or a source is silent after this many times its cadence."""
_NOBODY: Final = ""
_ORDER: Final = [*UNIT_WORDS]

Parts = dict[str, dict[str, str]]
"""By project (its id, '' for none): `paid` a week, and how much `more` the same week costs after the change."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What is so on a day; `data` are the words and figures that are nobody's money. `is_once`: where it comes back
    after it was gone it is the same as before, and nobody is told again."""

    kind: str
    key: str
    data: dict[str, str]
    parts: Parts = field(default_factory=dict)
    model: str = ""
    is_whole: bool = False
    is_once: bool = False


@dataclass(frozen=True, slots=True)
class Used:
    """What was used of an offering in the last seven days with usage, by project (None: of none): its money, and its
    tokens by service tier and kind, which price changes are weighed by."""

    model: str
    name: str
    by_project: Mapping[int | None, Sums]
    tokens: Mapping[int | None, Tokens]

    @property
    def every_token(self) -> Tokens:
        """Of all projects together."""
        found: dict[str, dict[str, int]] = {}
        for tiers in self.tokens.values():
            for tier, units in tiers.items():
                of = found.setdefault(tier, {})
                for unit, tokens in units.items():
                    of[unit] = of.get(unit, 0) + tokens
        return found


@dataclass(frozen=True, slots=True)
class Retiring:
    """A model in use that is going to be switched off, and what may take its place."""

    model: str
    name: str
    on: date
    paid: Mapping[int | None, Decimal]
    successor: str = ""


@dataclass(frozen=True, slots=True)
class Budgeted:
    """A budget with its pace; `project` None: for who reads the whole."""

    number: int
    project: int | None
    pace: Pace


@dataclass(frozen=True, slots=True)
class Shares:
    """Of the last seven days with usage: tokens, those without a price, money, and what no rule gives to a project."""

    tokens: int
    unpriced_tokens: int
    spent: Decimal
    unattributed: Decimal
    unpriced_limit: Decimal
    unattributed_limit: Decimal


@dataclass(frozen=True, slots=True)
class Silent:
    """A price source or a live feed, when it last said something and how often it should."""

    key: str
    name: str
    url: str
    last: datetime | None
    every: timedelta
    is_feed: bool = False
    fault: str = ""


def price_facts(moves: Iterable[Move], used: Mapping[int, Used], currency: str, today: date) -> list[Fact]:
    """Prices paid that changed lately, that are announced, and low ones that end within `PROMOTION_DAYS`: those of the
    service tiers and kinds of tokens in use."""
    found = []
    for every in moves:
        of = used.get(every.offering_id)
        move = every.paid(of.every_token) if of else None
        if of is None or move is None:
            continue
        days = (move.on - today).days
        if days <= 0:
            found.append(_price(move, of, currency, "price"))
            continue
        stage = next((stage for stage in PROMOTION_DAYS if days <= stage), None)
        if move.is_rise and stage is not None:  # then that says it, and one mail does not say it twice
            found.append(_price(move, of, currency, "promotion", f" {stage}"))
        else:
            found.append(_price(move, of, currency, "announced"))
    return found


def _price(move: Move, of: Used, currency: str, kind: str, stage: str = "") -> Fact:
    data = {
        "name": move.called(of.name), "slug": of.model, "on": f"{move.on}", "fact": move.fact, "from_to": from_to(move),
        "tone": "dear" if move.is_rise else "cheap",
    }  # fmt: skip
    key = f"{kind} {move.offering_id} {move.on}{stage}"
    return Fact(kind, key, data, _moved(move, of, currency), of.model)


def from_to(move: Move) -> str:
    """`$2.00 to $4.00 in, $10.00 to $20.00 out`."""
    mtok, units = Decimal(10**6), sorted(move.prices, key=_ORDER.index)
    return ", ".join(
        f"{formatting.price(old * mtok, move.currency)} to {formatting.price(new * mtok, move.currency)} "
        f"{UNIT_WORDS[unit]}"
        for unit, (old, new) in ((unit, move.prices[unit]) for unit in units)
    )


def _moved(move: Move, of: Used, currency: str) -> Parts:
    """What each project pays a week, and how much more the change makes of it; not where it is in another currency."""
    same = move.currency == currency
    return {
        _name(project): {"paid": f"{sums.cost:f}"}
        | ({"more": f"{move.effect(of.tokens.get(project, NOT_USED)):f}"} if same else {})
        for project, sums in of.by_project.items()
    }


def retirement_facts(models: Iterable[Retiring], today: date) -> list[Fact]:
    """Models in use that are switched off within `RETIRES_DAYS`, each stage once; and those that should be gone."""
    found = []
    for one in models:
        days = (one.on - today).days
        stage = 0 if days <= 0 else next((stage for stage in RETIRES_DAYS if days <= stage), None)
        if stage is None:
            continue
        data = {"name": one.name, "slug": one.model, "on": f"{one.on}", "successor": one.successor, "tone": "fault"}
        parts = {_name(project): {"paid": f"{cost:f}"} for project, cost in one.paid.items()}
        found.append(Fact("retires", f"retires {one.model} {one.on} {stage}", data, parts, one.model))
    return found


def budget_facts(budgets: Iterable[Budgeted]) -> list[Fact]:
    """The highest level that each budget has reached, and that its forecast ends above it."""
    found = []
    for one in budgets:
        pace = one.pace
        level = pace.level
        key = f"budget {one.number} {pace.since}"
        data = {
            "scope": pace.scope, "amount": f"{pace.amount:f}", "spent": f"{pace.spent:f}", "currency": pace.currency,
            "period": period_words(pace), "share": formatting.share(pace.spent, pace.amount),
            "gone": formatting.share(pace.gone, Decimal(1)), "forecast": forecast_words(pace),
            "on": f"{pace.exceeded_on or ''}",
        }  # fmt: skip
        whole, parts = one.project is None, {} if one.project is None else {_name(one.project): dict[str, str]()}
        if level is not None:
            told = data | {"level": f"{level * 100:.0f}", "tone": "dear" if level >= 1 else "doubt"}
            found.append(Fact("budget", f"{key} {level * 100:.0f}", told, parts, is_whole=whole, is_once=True))
        if pace.will_be_over and not pace.is_over:
            told = data | {"level": "forecast", "tone": "dear"}
            found.append(Fact("budget", f"{key} forecast", told, parts, is_whole=whole))
    return found


def coverage_facts(shares: Shares) -> list[Fact]:
    """Tokens without a price and money without a project above their thresholds."""
    found = []
    if shares.tokens and shares.unpriced_tokens > shares.unpriced_limit * shares.tokens:
        data = {
            "what": "unpriced", "share": formatting.share(shares.unpriced_tokens, shares.tokens), "tone": "doubt",
            "amount": formatting.mtok(shares.unpriced_tokens),
        }  # fmt: skip
        found.append(Fact("coverage", "unpriced", data, is_whole=True))
    if shares.spent and shares.unattributed > shares.unattributed_limit * shares.spent:
        data = {
            "what": "unattributed", "share": formatting.share(shares.unattributed, shares.spent), "tone": "doubt",
            "amount": f"{shares.unattributed:f}",
        }  # fmt: skip
        found.append(Fact("coverage", "unattributed", data, is_whole=True))
    return found


def silence_facts(silent: Sequence[Silent], now: datetime) -> list[Fact]:
    """Sources of prices in use and live feeds that failed, or said nothing for `SILENT` times their cadence."""
    found = []
    for one in silent:
        if not one.fault and (one.last is None or now - one.last <= SILENT * one.every):
            continue
        data = {
            "name": one.name, "url": one.url, "fault": one.fault, "last": one.last.isoformat() if one.last else "",
            "what": "feed" if one.is_feed else "source", "tone": "doubt",
        }  # fmt: skip
        found.append(Fact("stale", one.key, data, is_whole=True))
    return found


def _name(project: int | None) -> str:
    return _NOBODY if project is None else str(project)
