"""One price of a model over time, of all that its sellers ask. Pure.

A model with open weights has as many prices as hosts. Whose counts is a choice, and the reader's:

    maker_or_median   the maker's own where the maker sells the model, else the median of the hosts: Epoch AI's rule
    maker             the maker's own and nobody else's
    median            the median of all sellers
    any               the cheapest of all sellers
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from statistics import median
from typing import Final

from pricing.constant_quality.observations import Observation


@dataclass(frozen=True, slots=True)
class Held:
    """A price that one seller asked [since, until); `until` None is still. Not `dated`: `since` is the first sight.

    `offering` is whatever the caller finds the price again by.
    """

    seller: str
    price: Decimal
    since: date
    until: date | None = None
    first_party: bool = False
    dated: bool = True
    offering: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Step:
    """The one price of a model [since, until). Not `dated`: something first seen on `since` made it what it is.

    `asked` are the prices it was made of when it began: that of one seller, or for a median those in the middle.
    """

    price: Decimal
    since: date
    until: date | None
    dated: bool = True
    asked: tuple[Held, ...] = field(default=(), compare=False)


def steps(held: Iterable[Held], sellers: str) -> list[Step]:
    """The model's one price by a rule of `RULES`, as long as it stays the same; no step where the rule gives none.

    Of several prices of one seller the cheapest counts. A free price counts only where no seller asks money: it is
    rationed.
    """
    rule = RULES[sellers]
    prices = list(held)
    edges = sorted({one.since for one in prices} | {one.until for one in prices if one.until is not None})
    found: list[Step] = []
    for at, since in enumerate(edges):
        until = edges[at + 1] if at + 1 < len(edges) else None
        live = [one for one in prices if one.since <= since and (one.until is None or since < one.until)]
        price = rule(live)
        if price is None:
            continue
        if found and found[-1].price == price and found[-1].until == since:
            found[-1] = replace(found[-1], until=until)
        else:
            dated = all(one.dated for one in prices if one.since == since)
            found.append(Step(price, since, until, dated, _asked(live, price)))
    return found


def names_sellers(row: Observation) -> bool:
    """Whether an observation says who asked its price, by name or by being the maker."""
    return bool(row.seller) or row.first_party is not None


def of_one_price(rows: Iterable[Observation], sellers: str) -> list[Observation]:
    """Observations of several sellers as those of one price a model by a rule of `RULES`, as the catalogue's are.

    A model of which no row says who asked keeps its rows. Rows without a name are of one seller, the maker's of
    another; a seller that one row calls the maker is it in all. A price holds until its seller's next row of the model,
    known or not, and what is unknown stays as a row of its own.
    """
    by_model: dict[str, list[Observation]] = {}
    for row in rows:
        by_model.setdefault(row.model, []).append(row)
    found: list[Observation] = []
    for own in by_model.values():
        found += _merged(own, sellers) if any(map(names_sellers, own)) else own
    return found


def _merged(rows: Sequence[Observation], sellers: str) -> list[Observation]:
    makers = {row.seller for row in rows if row.first_party and row.seller}

    def seller(row: Observation) -> tuple[str, bool]:
        first_party = row.seller in makers if row.first_party is None else row.first_party
        return row.seller or ("the maker" if first_party else "no name"), first_party

    days: dict[str, list[date]] = {}
    for row in rows:
        days.setdefault(seller(row)[0], []).append(row.observed_on)
    by_score: dict[Decimal | None, list[Held]] = {}
    found = [replace(row, seller=seller(row)[0]) for row in rows if row.price is None]
    for row in rows:
        if row.price is not None:
            name, first_party = seller(row)
            ends = [day for day in days[name] if day > row.observed_on]
            if row.withdrawn_on is not None:
                ends.append(row.withdrawn_on)
            held = Held(name, row.price, row.observed_on, min(ends, default=None), first_party, row.dated)
            by_score.setdefault(row.score, []).append(held)
    for score, own in by_score.items():
        family = min((row.family for row in rows if row.score == score and row.family), default="")
        found += [
            Observation(rows[0].model, step.since, step.price, score, family, withdrawn_on=step.until, dated=step.dated)
            for step in steps(own, sellers)
        ]
    return found


def _asked(live: Sequence[Held], price: Decimal) -> tuple[Held, ...]:
    """Who asked the price; where nobody did it is between two, and these are the nearest below and above it."""
    exact = [one for one in live if one.price == price]
    if exact:
        return (min(exact, key=lambda one: (not one.first_party, one.seller)),)
    below = max((one for one in live if one.price < price), key=lambda one: one.price, default=None)
    above = min((one for one in live if one.price > price), key=lambda one: one.price, default=None)
    return tuple(one for one in (below, above) if one is not None)


def _by_seller(live: Sequence[Held]) -> list[Decimal]:
    paid = [one for one in live if one.price] or live
    cheapest: dict[str, Decimal] = {}
    for one in paid:
        cheapest[one.seller] = min(one.price, cheapest.get(one.seller, one.price))
    return list(cheapest.values())


def _maker(live: Sequence[Held]) -> Decimal | None:
    return min(_by_seller([one for one in live if one.first_party]), default=None)


def _median(live: Sequence[Held]) -> Decimal | None:
    prices = _by_seller(live)
    return median(prices) if prices else None


def _any(live: Sequence[Held]) -> Decimal | None:
    return min(_by_seller(live), default=None)


def _maker_or_median(live: Sequence[Held]) -> Decimal | None:
    own = _maker(live)
    return _median(live) if own is None else own


RULES: Final[dict[str, Callable[[Sequence[Held]], Decimal | None]]] = {
    "maker_or_median": _maker_or_median,
    "maker": _maker,
    "median": _median,
    "any": _any,
}
