"""Prices that are paid and changed in the week or will, and models in use that their maker switches off. Pure."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.ledger import ENDS_FREE, UNIT_WORDS, ZERO, Figure, ModelName, Move, Words, moves_paid
from dashboards.pages.periods import Span
from dashboards.reports.read import Read
from dashboards.reports.report import CHANGE, PriceChange

MOST = 6
PAST = {"doubles": "doubled", "halves": "halved", ENDS_FREE: "stopped being free"}


def changed(read: Read) -> tuple[PriceChange, ...]:
    """In the order of time; of more than `MOST` those that move most money.

    The effect is of every service tier and unit in use by its own prices; the words are of the standard tier where that
    is in use and moved, else of the first that is.
    """
    found = []
    for move in moves_paid(read.moves, read.tokens):
        name = read.used.name(move.offering_id) if read.used else None
        if read.used is None or name is None or name.slug is None or move.currency != read.used.currency:
            continue
        effect = move.effect(read.tokens[move.offering_id])
        if effect and move.on >= read.scope.week.start:
            found.append(_line(read, name, move, effect))
    heaviest = sorted(found, key=lambda one: -abs(one.effect or ZERO))[:MOST]
    return tuple(sorted(heaviest, key=lambda one: (one.on, one.what.text)))


def _line(read: Read, name: ModelName, move: Move, effect: Decimal) -> PriceChange:
    assert read.used is not None  # noqa: S101 - asked before
    model = f"/models/{name.slug}"
    what = f"{move.called(name.name)} {move.fact if move.on > read.today else PAST.get(move.fact, move.fact)}"
    words: Words = (f"{name.seller}: ", *_from_to(move, model), " per Mtok.")
    paid = read.used.by_offering[move.offering_id].known_cost
    if paid is not None:
        url = read.scope.spend_url(read.scope.week, **_sold(read, move.offering_id))
        words += (" You paid ", Figure(formatting.money_in_prose(paid, read.used.currency), url), " in the week.")
    return PriceChange(move.on, Figure(what, model, CHANGE), words, effect)


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
