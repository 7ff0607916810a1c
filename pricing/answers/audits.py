"""A list of prices audited: each row asked of the catalogue, by the names and the rate cards everything else uses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pricing import long_prompts, ratecards, schedules
from pricing.answers.prices import Question, find
from pricing.answers.rows import PriceRow, Seller, calendars, price_json, rows_of
from pricing.answers.wording import decimal_text, moment_text, per_mtok
from pricing.audit import Listed, Ours, in_period, verdict
from pricing.cost import CardKey, choose
from pricing.models import Disagreement
from pricing.ratecards import Card
from pricing.units import RATED_UNITS, STANDS_IN, is_token_unit


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is known of the offerings a list names."""

    cards: Mapping[int, Sequence[Card]]
    rows: Mapping[int, PriceRow]
    rows_by_offering: Mapping[int, Sequence[PriceRow]]
    held: Mapping[int, str]
    """The claims served while another is held back, and why."""
    holidays: Mapping[str, schedules.Calendar]


_Priced = tuple[Decimal, int]
"""USD per Mtok and the id of the price row it is."""


def audit(rows: Sequence[Listed], at: datetime | None = None) -> dict[str, Any]:
    """One verdict a row, in the same order, and how many of each there are."""
    when = at or datetime.now(UTC)
    found = [find(Question(row.sku, row.provider, row.region or None).checked(), when) for row in rows]
    known = _known({seller.id for one in found for seller in one.offerings})
    answers = []
    for row, one in zip(rows, found, strict=True):
        ours = _ours(row, one.rule, one.offerings, known, when)
        answers.append(
            {
                **row.cells,
                "verdict": verdict(row.usd_per_mtok, ours.usd_per_mtok),
                "ours": decimal_text(ours.usd_per_mtok),
                "grade": ours.grade,
                "rule": ours.rule,
                "why": ours.why,
            }
        )
    counts = {name: sum(answer["verdict"] == name for answer in answers) for name in ("right", "wrong", "missing")}
    return {**counts, "at": moment_text(when), "rows": answers}


def _known(ids: set[int]) -> _Known:
    standing = [row for row in rows_of(ids) if row.known_until is None] if ids else []
    by_offering: dict[int, list[PriceRow]] = defaultdict(list)
    for row in standing:
        by_offering[row.offering_id].append(row)
    held: dict[int, str] = dict(
        Disagreement.objects.filter(state=Disagreement.State.HELD, offering__in=ids, accepted__isnull=False)
        .order_by("pk")
        .values_list("accepted_id", "why")
    )
    cards = ratecards.current_layout(sorted(ids))
    return _Known(cards, {row.id: row for row in standing}, by_offering, held, calendars())


def _ours(row: Listed, rule: str, offerings: Sequence[Seller], known: _Known, at: datetime) -> Ours:
    if not offerings:
        where = f" in {row.region}" if row.region else ""
        return Ours(None, rule, f"We know no {row.sku} at {row.provider}{where}.")
    if not is_token_unit(row.unit):
        units = ", ".join(RATED_UNITS[:4])
        return Ours(None, rule, f"{row.unit} is no unit that counts tokens; those are {units} and so on.")
    # A sku sold in several regions and asked for without one means the offering bound to none.
    seller = min(offerings, key=lambda s: (s.region != "", s.region))
    now, others = _prices(row, seller.id, known, at)
    amount = in_period(row.period, now and now[0], (price[0] for price in others))
    if amount is None:
        return Ours(None, rule, _why_unknown(row, known.cards.get(seller.id, ()), at))
    price_id = next(price[1] for price in [*([now] if now else []), *others] if price[0] == amount)
    served = known.rows[price_id]
    why = served.why if served.contested and seller.provider == seller.maker else known.held.get(served.claim_id)
    if why:
        return Ours(None, rule, f"The price is held until somebody decides: {why}")
    evidence = price_json(served, at)
    return Ours(amount, rule, evidence["why"], evidence["grade"])


def _prices(row: Listed, offering: int, known: _Known, at: datetime) -> tuple[_Priced | None, list[_Priced]]:
    """The price at the moment, and the prices of all hours there are that day."""
    if row.unit in RATED_UNITS:
        of_tier = [c for c in known.cards.get(offering, ()) if c.service_tier == row.service_tier and _holds(c, at)]
        texts = {card.schedule for card in of_tier} - {""}

        def priced(hours: frozenset[str]) -> _Priced | None:
            return _on_card(of_tier, row, at, hours)
    else:
        plain = [
            r for r in known.rows_by_offering.get(offering, ())
            if r.unit == row.unit and r.service_tier == row.service_tier and not r.qualifier and r.currency == "USD"
            and r.holds_at(at) and r.reached(row.prompt_tokens)
        ]  # fmt: skip
        texts = {r.schedule for r in plain} - {""}

        def priced(hours: frozenset[str]) -> _Priced | None:
            fitting = [r for r in plain if not r.schedule or r.schedule in hours]
            best = max(fitting, key=lambda r: (r.context_from, r.schedule != "", r.schedule), default=None)
            return (per_mtok(best.amount, best.per), best.id) if best else None

    now = frozenset(text for text in texts if schedules.holds(text, at, known.holidays))
    every = [priced(hours) for hours in (frozenset[str](), *(frozenset({text}) for text in sorted(texts)))]
    return priced(now), [price for price in every if price is not None]


def _holds(card: Card, at: datetime) -> bool:
    return card.effective_from <= at and (card.effective_until is None or at < card.effective_until)


def _why_unknown(row: Listed, cards: Sequence[Card], at: datetime) -> str:
    chosen = _chosen([card for card in cards if card.service_tier == row.service_tier], row, at, frozenset())
    if chosen and not chosen.prices:
        return long_prompts.sentence(chosen.context_from, chosen.context_op)
    return f"No {row.service_tier} price of {row.unit} is known for that request."


def _chosen(cards: Sequence[Card], row: Listed, at: datetime, hours: frozenset[str]) -> Card | None:
    keys = [
        CardKey(place, c.context_from, c.context_op, c.schedule, c.effective_from, c.effective_until)
        for place, c in enumerate(cards)
    ]
    key = choose(keys, row.prompt_tokens, at, hours)
    return cards[key.id] if key else None


def _on_card(cards: Sequence[Card], row: Listed, at: datetime, hours: frozenset[str]) -> _Priced | None:
    chosen = _chosen(cards, row, at, hours)
    if chosen is None or chosen.currency != "USD":
        return None
    priced = {unit: (amount, price_id) for unit, amount, price_id in _of_card(chosen)}
    found = priced.get(row.unit) or priced.get(STANDS_IN.get(row.unit, ""))
    return (per_mtok(found[0], 1), found[1]) if found else None


def _of_card(card: Card) -> Iterator[tuple[str, Decimal, int]]:
    for (unit, amount), price_id in zip(card.prices, card.price_ids, strict=True):
        yield unit, amount, price_id
