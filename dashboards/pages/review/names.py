"""Names that mean nothing the catalogue knows: what waits on each, why, and offerings spelled nearly so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

from dashboards import formatting
from dashboards.pages.ledger import RECORDS
from dashboards.pages.review.ask import NamesAsk
from dashboards.pages.review.prices import count_word
from pricing.providers import declared

NEAR = 6
_LIKE = 0.55


@dataclass(frozen=True, slots=True)
class Waiting:
    """One unresolved name at one host. Requests None: unknown. Money only where a feed reported it."""

    host: str
    seller: str
    name: str
    requests: int | None
    tokens: int
    first: date
    last: date
    reported: Mapping[str, Decimal] = field(default_factory=dict)
    """Currency → cost as reported, of the records that carry one; notional cost apart."""
    notional: bool = False
    rule: str = ""
    now_means: str = ""
    url: str = ""
    records: str = ""

    @property
    def can_be_mapped(self) -> bool:
        """A name is mapped at a provider: one reported without either has no handle."""
        return bool(self.host and self.name)

    @property
    def money(self) -> str:
        return ", ".join(formatting.money(cost, currency) for currency, cost in sorted(self.reported.items()))


def waiting(rows: Iterable[Mapping[str, Any]]) -> list[Waiting]:
    """Rollup rows put together by host and name: most reported money first, then most tokens."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["host"], row["model_raw"]), []).append(row)
    found = [_one(host, name, own) for (host, name), own in groups.items()]
    return sorted(found, key=lambda one: (-one.reported.get("USD", Decimal(0)), -one.tokens, one.host, one.name))


def _one(host: str, name: str, rows: Sequence[Mapping[str, Any]]) -> Waiting:
    known = declared(host)
    first, last = min(row["first"] for row in rows), max(row["last"] for row in rows)
    reported: dict[str, Decimal] = {}
    for row in rows:
        if row["n_reported"] and row["cost_kind"] != "notional":
            reported[row["currency"]] = reported.get(row["currency"], Decimal(0)) + row["reported"]
    calls, unknown = sum(row["calls"] for row in rows), any(row["calls_unknown"] for row in rows)
    ask = NamesAsk(host, name)
    return Waiting(
        host, known.name if known else host, name, None if unknown and not calls else calls,
        sum(row["tokens"] for row in rows), first, last, reported,
        any(row["cost_kind"] == "notional" for row in rows), url=f"{ask.url()}#name", records=RECORDS,
    )  # fmt: skip


def rule_words(rule: str, seller: str) -> str:
    """Why a name means nothing, as the resolver has it, in a sentence."""
    if rule == "not a model name":
        return "The usage names no model: no name can be mapped. The export it came from has to say one."
    _, _, more = rule.partition("unresolved: ")
    if more:
        return f"No price of its own: {more}."
    if not seller:
        return "It was reported without a host, and its spelling declares none: nothing is guessed."
    return f"Nothing at {seller} has this id, this declared alias or a declared spelling of it, so nothing is guessed."


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offering a person may pick; `said` tells what it is beside its id."""

    offering_id: int
    sku: str
    seller: str
    said: str
    url: str


def near(name: str, skus: Mapping[int, str]) -> list[int]:
    """Offerings whose id is spelled nearly like the name, the likest first. Suggestions: nothing is applied."""
    asked = _plain(name)
    scored = []
    for offering, sku in skus.items():
        matcher = SequenceMatcher(None, asked, _plain(sku), autojunk=False)
        if matcher.quick_ratio() >= _LIKE and (ratio := matcher.ratio()) >= _LIKE:
            scored.append((-ratio, sku, offering))
    return [offering for _, _, offering in sorted(scored)[:NEAR]]


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def names_finding(found: Sequence[Waiting], *, has_usage: bool) -> str:
    """`has_usage`: whether the reader belongs to an organisation, whose usage can have names."""
    if not has_usage:
        return "You belong to no organisation yet."
    if not found:
        return "Every name in your usage is known."
    tokens = formatting.mtok(sum(one.tokens for one in found))
    if len(found) == 1:
        one = found[0]
        where = f" at {one.seller}" if one.seller else ""
        return f"“{one.name or 'no model reported'}”{where} means nothing here; {tokens} Mtok wait on a word."
    return f"{count_word(len(found))} names mean nothing here; {tokens} Mtok wait on a word."


NAMES_HEAD = (
    "host", "name", "requests", "tokens", "first_day", "last_day", "reported_cost", "reported_currency",
)  # fmt: skip


def names_rows(found: Iterable[Waiting]) -> Iterable[tuple[object, ...]]:
    """A line a name and currency; without a reported cost its amount is empty."""
    for one in found:
        costs: list[tuple[str, Decimal | None]] = [*sorted(one.reported.items())]
        for currency, cost in costs or [("", None)]:
            yield (one.host, one.name, one.requests, one.tokens, one.first.isoformat(), one.last.isoformat(), cost,
                   currency)  # fmt: skip
