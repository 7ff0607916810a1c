"""What the address of one decision asks for: what the move costs once. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from dashboards.pages.asked import address
from dashboards.pages.decisions.words import HOURS, RATE
from usage.advice import Recommendation

MOST = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Once:
    """What a move costs once: an engineer's hours at what one costs, in the organisation's currency."""

    hours: Decimal
    rate: Decimal
    is_default: bool = True

    @property
    def cost(self) -> Decimal:
        return self.hours * self.rate


def read(query: Mapping[str, str], move: Recommendation) -> tuple[Once, list[str]]:
    """The one-off cost asked for, else what such a move is taken to cost; a sentence for what cannot be meant."""
    wrong: list[str] = []
    hours = _number(query.get("hours", ""), "hours", "16", wrong)
    rate = _number(query.get("rate", ""), "cost of an hour", "95", wrong)
    default = HOURS[move.kind.same_weights]
    is_default = hours in (None, default) and rate in (None, RATE)
    return Once(default if hours is None else hours, RATE if rate is None else rate, is_default), wrong


def url(number: int, once: Once, path: str = "") -> str:
    """The address of a decision; what is taken by default stays out of it."""
    state = {} if once.is_default else {"hours": f"{once.hours:f}", "rate": f"{once.rate:f}"}
    return address(f"/decisions/{number}{path}", state)


def _number(text: str, what: str, example: str, wrong: list[str]) -> Decimal | None:
    said = text.strip().replace(",", ".")
    if not said:
        return None
    try:
        found = Decimal(said)
    except InvalidOperation:
        found = Decimal(-1)
    if not (found.is_finite() and 0 <= found <= MOST and len(said) <= 12):
        wrong.append(f"Write the {what} as a number from 0 to 1,000,000, such as {example}, not “{said[:40]}”.")
        return None
    return found
