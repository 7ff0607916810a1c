"""What happened to the prices of a model: each change with its seller, how it is known and its evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.events import EventRow
from dashboards.pages.model.facts import Ask, Held, Seller, evidence_url
from dashboards.pages.model.terms import window_words
from pricing.units import is_token_unit

_VERBS = {
    "cut": "falls", "rise": "rises", "new": "begins", "retired": "ends", "correction": "was corrected",
    "unit_fix": "had its unit mended",
}  # fmt: skip
_UNITS = ("input", "output", "cache_read", "cache_write")
_WORDS = {"input": "Input", "output": "Output", "cache_read": "Cached input", "cache_write": "Cache write"}


@dataclass(frozen=True, slots=True)
class Part:
    """One price that changed; `old` or `new` is "" where there was or is none."""

    unit: str
    name: str
    verb: str
    old: str
    new: str
    old_amount: Decimal | None
    new_amount: Decimal | None
    evidence: str
    is_held: bool
    is_move: bool


@dataclass(frozen=True, slots=True)
class EventLine:
    """What changed at one seller at one moment at the same terms, as the list shows it."""

    at: datetime
    seller: str
    terms: str
    parts: tuple[Part, ...]
    source: str
    observed_at: datetime
    starts_unknown: bool
    is_main: bool
    is_plain: bool


_Key = tuple[object, ...]


def event_lines(
    ask: Ask, happened: Iterable[EventRow], sellers: Sequence[Seller], prices: Sequence[Held], main: Seller | None,
    known_at: datetime | None = None,
) -> tuple[EventLine, ...]:  # fmt: skip
    """Every change by the evidence of a moment, the newest first; of one moment the main seller's first."""
    named = {seller.offering_id: seller for seller in sellers}
    starts, ends = _by_start(prices), _by_end(prices)
    groups: dict[_Key, list[tuple[EventRow, Held | None]]] = defaultdict(list)
    for one in happened:
        if one.offering_id not in named or (known_at is not None and one.observed_at > known_at):
            continue
        key = (one.offering_id, one.unit, one.qualifier, one.service_tier, one.context_from, one.schedule)
        price = starts.get((*key, one.effective_from)) or ends.get((*key, one.effective_from))
        groups[one.offering_id, _terms(one), one.effective_from, one.source_name].append((one, price))
    lines = [_line(ask, own, named[own[0][0].offering_id], main) for own in groups.values()]
    return tuple(
        sorted(lines, key=lambda line: (-line.at.timestamp(), not line.is_main, not line.is_plain, line.seller))
    )


def _key(price: Held) -> _Key:
    return (
        price.offering_id, price.unit, price.qualifier, price.service_tier, price.context_from, price.schedule,
    )  # fmt: skip


def _by_start(prices: Iterable[Held]) -> Mapping[_Key, Held]:
    """The price that begins with a change; where evidence changed it since, by what is known now."""
    found: dict[_Key, Held] = {}
    for price in prices:
        at = (*_key(price), price.effective_from)
        if at not in found or price.known_until is None:
            found[at] = price
    return found


def _by_end(prices: Iterable[Held]) -> Mapping[_Key, Held]:
    return {(*_key(price), price.effective_until): price for price in prices if price.effective_until is not None}


def _line(ask: Ask, own: Sequence[tuple[EventRow, Held | None]], seller: Seller, main: Seller | None) -> EventLine:
    first = own[0][0]
    begun = [price for one, price in own if price and one.kind == "new"]
    unknown = bool(begun) and all(price.starts_unknown for price in begun) and len(begun) == len(own)
    order = sorted(own, key=lambda pair: (_UNITS.index(pair[0].unit) if pair[0].unit in _UNITS else 9, pair[0].unit))
    return EventLine(
        max(price.since for price in begun) if unknown else first.effective_from,
        f"{seller.name}, {seller.region}" if seller.region else seller.name, _terms(first),
        tuple(_part(ask, one, price, unknown) for one, price in order), first.source,
        max(one.observed_at for one, _ in own), unknown, seller is main, first.is_plain,
    )  # fmt: skip


def _part(ask: Ask, one: EventRow, price: Held | None, unknown: bool) -> Part:
    old, new = _amount(one, one.old), _amount(one, one.new)
    return Part(
        one.unit, _WORDS.get(one.unit, one.unit.replace("_", " ").capitalize()) + _per(one),
        "first seen" if unknown else _VERBS.get(one.kind, one.kind.replace("_", " ")),
        formatting.price(old, one.currency) if old is not None else "",
        formatting.price(new, one.currency) if new is not None else "",
        old, new, evidence_url(ask, price.price_id) if price else "", one.status == "held",
        one.kind in ("cut", "rise") and bool(old) and new is not None,
    )  # fmt: skip


def _amount(one: EventRow, amount: Decimal | None) -> Decimal | None:
    return amount if amount is None or not is_token_unit(one.unit) else amount * 1_000_000 / one.per


def _per(one: EventRow) -> str:
    if is_token_unit(one.unit):
        return ""
    return " each" if one.per == 1 else f" per {formatting.count(one.per)}"


def _terms(one: EventRow) -> str:
    parts = [
        one.service_tier if one.service_tier != "standard" else "", one.qualifier,
        f"prompts over {formatting.count(one.context_from)}" if one.context_from else "",
        window_words(one.schedule) if one.schedule else "",
    ]  # fmt: skip
    return ", ".join(part for part in parts if part)
