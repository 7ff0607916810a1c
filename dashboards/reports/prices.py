"""Prices that are paid and changed in the week or will, and models in use that their maker switches off. Pure."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.ledger import NOTHING, UNIT_WORDS, ZERO, Figure, ModelName, Move, Words
from dashboards.pages.periods import Span
from dashboards.reports.read import Read
from dashboards.reports.report import PriceChange

MOST = 6
VERBS = {"doubles": "doubled", "halves": "halved"}


def changed(read: Read) -> tuple[PriceChange, ...]:
    """In the order of time; of more than `MOST` those that move most money.

    The effect is of every service tier by its own prices; the words are of the standard one, or the first that moved.
    """
    steps: dict[tuple[date, int], list[tuple[str, Move]]] = defaultdict(list)
    for tier, move in read.moves:
        if read.used is not None and move.on >= read.scope.week.start and move.currency == read.used.currency:
            steps[move.on, move.offering_id].append((tier, move))
    found = []
    for tiers in steps.values():
        effect = sum((move.effect(read.by_tier.get((move.offering_id, tier), NOTHING)) for tier, move in tiers), ZERO)
        main = min(tiers, key=lambda one: (one[0] != "standard", one[0]))
        name = read.used.name(main[1].offering_id) if read.used else None
        if effect and name is not None and name.slug is not None:
            found.append(_line(read, name, *main, effect))
    heaviest = sorted(found, key=lambda one: -abs(one.effect or ZERO))[:MOST]
    return tuple(sorted(heaviest, key=lambda one: (one.on, one.what.text)))


def _line(read: Read, name: ModelName, tier: str, move: Move, effect: Decimal) -> PriceChange:
    assert read.used is not None  # noqa: S101 - asked before
    model = f"/models/{name.slug}"
    fact = move.fact if move.on > read.today else VERBS.get(move.fact, move.fact)
    what = f"{name.name}{'' if tier == 'standard' else f', {tier},'} {fact}"
    words: Words = (f"{name.seller}: ", *_from_to(move, model), " per Mtok.")
    paid = read.used.by_offering[move.offering_id].known_cost
    if paid is not None:
        url = read.scope.spend_url(read.scope.week, **_sold(read, move.offering_id))
        words += (" You paid ", Figure(formatting.money_in_prose(paid, read.used.currency), url), " in the week.")
    return PriceChange(move.on, Figure(what, model), words, effect)


def _sold(read: Read, offering_id: int) -> dict[str, str]:
    """What narrows spend to an offering, as the explorer names it."""
    model, seller = read.sold[offering_id]
    return {"model": model, "provider": seller}


def _from_to(move: Move, url: str) -> list[str | Figure]:
    """`$2.00 to $4.00 in, $10.00 to $20.00 out`."""
    units = [unit for unit in ("input", "output") if unit in move.prices] or list(move.prices)[:2]
    said: list[str | Figure] = []
    for unit in units:
        old, new = (formatting.price(per_token * 1_000_000, move.currency) for per_token in move.prices[unit])
        said += [*([", "] if said else []), Figure(old, url), " to ", Figure(new, url), f" {UNIT_WORDS[unit]}"]
    return said


def retiring(read: Read) -> tuple[PriceChange, ...]:
    """Models in use that retire within half a year, the next first."""
    lines = []
    for one in sorted(read.retiring, key=lambda one: (one.on, one.name)):
        left = (one.on - read.today).days
        when = f"in {left} days" if left > 1 else "tomorrow" if left == 1 else "today" if not left else "already"
        words: Words = (f"Retires {when}. ",)
        if one.paid is not None:
            url = read.scope.spend_url(read.scope.week, **_sold(read, one.offering_id))
            words += (
                "You paid ",
                Figure(formatting.money_in_prose(one.paid, read.scope.currency), url),
                " for it in the week. ",
            )
        words += (one.successor or "No equal successor is known.",)
        lines.append(PriceChange(one.on, Figure(one.name, f"/models/{one.slug}"), words, None))
    return tuple(lines)


HORIZON = timedelta(days=180)
__all__ = ["HORIZON", "PriceChange", "Span", "changed", "retiring"]
