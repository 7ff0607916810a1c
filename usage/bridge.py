"""Why spend changed from one period to another: its change in parts that sum to it exactly. Pure.

Prices and exchange rates are Bennet's parts of `usage.baskets`, the very ones of the organisation's own index. What
that leaves of an item, its quantity valued at p̄, the mean of its two prices (its only price where it has one), is told
apart further. What projects used that are in one period only is `new` and `ended`. Of the others an item's quantity is

    q = Q · s₁ · s₂ · …     Q all tokens, s₁ the share of its model, s₂ of its seller, tier and region in that model,
                            s₃ of output or input in that, s₄ of its kind of token in that

and the change of a product is told apart by the same symmetric rule, level by level from the outside:

    Δ(x y) = ½ (y₀ + y₁) Δx + ½ (x₀ + x₁) Δy

Where a share has no meaning in one period, because nothing was used of what it is a share of, it is taken to be what it
is in the other: a model that is new changed the mix of models and nothing within itself.

Each amount is rounded to the ledger's grain once, half away from zero, and the largest of an item takes what rounding
leaves, so every sum of amounts is exact, in any order. Turned around in time every part changes its sign, `new` and
`ended` their places.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from usage.baskets import Basket, Line, Parts, bennet, exact_sum, rounded

PRICE, EXCHANGE, NEW, ENDED, UNKNOWN = "price", "exchange", "new", "ended", "unknown"
LEVELS = ("volume", "models", "sellers", "output", "cache")
"""What a change of quantity is told apart into, from the outside."""
OF_ITEMS = (PRICE, EXCHANGE, *LEVELS, NEW, ENDED, UNKNOWN)

Amounts = dict[str, Decimal]
Where = Callable[[Any], Sequence[Any]]
"""Where an item belongs, one key a level below volume: its model, how it is sold, its side, its kind of token."""


@dataclass(frozen=True, slots=True)
class Period:
    """What was used and paid in one period.

    `by_project` has the quantities of the basket's priced items by project, `projects` all that used anything at all,
    and `beside` is money that is of no item, by name.
    """

    basket: Basket
    by_project: Mapping[Any, Mapping[Any, int]]
    projects: frozenset[Any]
    beside: Mapping[str, Decimal]

    def __post_init__(self) -> None:
        told: dict[Any, int] = defaultdict(int)
        for items in self.by_project.values():
            for item, quantity in items.items():
                told[item] += quantity
        for item, line in self.basket.items():
            if line.value is not None and told[item] != line.quantity:
                raise ValueError(f"The projects used {told[item]} of {item}, and all together {line.quantity}.")

    @property
    def spent(self) -> Decimal:
        known = [line.value for line in self.basket.values() if line.value is not None]
        return exact_sum([*known, *self.beside.values()])


@dataclass(frozen=True, slots=True)
class Bridge:
    """The change from one period to another: by item and part, by project of `new` and `ended`, and what is beside."""

    before: Decimal
    after: Decimal
    by_item: Mapping[Any, Mapping[str, Decimal]]
    by_project: Mapping[str, Mapping[Any, Decimal]]
    beside: Mapping[str, Decimal]

    @property
    def parts(self) -> Amounts:
        """Every part of the change; they sum to `after - before`."""
        found = {name: exact_sum(amounts.get(name, _NONE) for amounts in self.by_item.values()) for name in OF_ITEMS}
        return found | dict(self.beside)


_NONE = Decimal(0)
_Shares = list[tuple[Fraction, Fraction]]


def bridge(before: Period, after: Period, where: Where) -> Bridge:
    """The change of what was spent between two periods, in parts that sum to it exactly."""
    changes = bennet(before.basket, after.basket).by_item
    begun, over = after.projects - before.projects, before.projects - after.projects
    decomposed = [item for item in changes if _is_priced(before, after, item)]
    stayed = (
        _quantities(before, before.projects - over, decomposed),
        _quantities(after, after.projects - begun, decomposed),
    )
    shares = _shares(stayed, where, decomposed)
    by_item: dict[Any, Amounts] = {}
    by_project: dict[str, dict[Any, Decimal]] = {NEW: defaultdict(Decimal), ENDED: defaultdict(Decimal)}
    for item, parts in changes.items():
        amounts = {PRICE: parts.price, EXCHANGE: parts.exchange, UNKNOWN: exact_sum((parts.unknown, parts.remainder))}
        if item in shares:
            price = _mean_price(before.basket.get(item), after.basket.get(item))
            for name, sign, period, projects in ((NEW, 1, after, begun), (ENDED, -1, before, over)):
                moved = {key: rounded(sign * price * period.by_project.get(key, {}).get(item, 0)) for key in projects}
                for key, amount in moved.items():
                    by_project[name][key] = exact_sum((by_project[name][key], amount))
                amounts[name] = exact_sum(moved.values())
            left = exact_sum((_of_quantity(parts), -amounts[NEW], -amounts[ENDED]))
            amounts |= _levels(price, shares[item], left)
        by_item[item] = {name: amount for name, amount in amounts.items() if amount}
    return Bridge(before.spent, after.spent, by_item, by_project, _difference(before.beside, after.beside))


def _is_priced(before: Period, after: Period, item: Any) -> bool:
    lines = [line for line in (before.basket.get(item), after.basket.get(item)) if line and not line.is_nothing]
    return all(line.has_price for line in lines)


def _quantities(period: Period, projects: Iterable[Any], items: Iterable[Any]) -> dict[Any, int]:
    kept = [period.by_project.get(project, {}) for project in projects]
    return {item: sum(one.get(item, 0) for one in kept) for item in items}


def _shares(quantities: Sequence[Mapping[Any, int]], where: Where, items: Iterable[Any]) -> dict[Any, _Shares]:
    """Of each item all tokens and then its share at each level, of both periods."""
    sums: list[dict[tuple[Any, ...], int]] = [defaultdict(int), defaultdict(int)]
    paths = {item: tuple(where(item)) for item in items}
    for item, path in paths.items():
        for found, quantity in zip(sums, quantities, strict=True):
            for depth in range(len(path) + 1):
                found[path[:depth]] += quantity[item]
    return {
        item: [_all(sums), *(_share(sums, path[: n + 1]) for n in range(len(path)))] for item, path in paths.items()
    }


def _all(sums: Sequence[Mapping[tuple[Any, ...], int]]) -> tuple[Fraction, Fraction]:
    return Fraction(sums[0][()]), Fraction(sums[1][()])


def _share(sums: Sequence[Mapping[tuple[Any, ...], int]], path: tuple[Any, ...]) -> tuple[Fraction, Fraction]:
    known = [Fraction(one[path], one[path[:-1]]) if one[path[:-1]] else None for one in sums]
    old, new = known
    if old is None:
        return (new, new) if new is not None else (Fraction(0), Fraction(0))
    return old, old if new is None else new


def _levels(price: Fraction, shares: _Shares, left: Decimal) -> Amounts:
    """The money of an item's change of quantity by level, which sums to `left`."""
    amounts: Amounts = {}
    outside = Fraction(1)
    for n, (name, (old, new)) in enumerate(zip(LEVELS, shares, strict=True)):
        inside = [_product(share[period] for share in shares[n + 1 :]) for period in (0, 1)]
        amounts[name] = rounded(price * outside * sum(inside, Fraction(0)) / 2 * (new - old))
        outside *= (old + new) / 2
    largest = max(amounts, key=lambda name: abs(amounts[name]))
    amounts[largest] = exact_sum((amounts[largest], left, *(-amount for amount in amounts.values())))
    return amounts


def _product(factors: Iterable[Fraction]) -> Fraction:
    found = Fraction(1)
    for factor in factors:
        found *= factor
    return found


def _mean_price(old: Line | None, new: Line | None) -> Fraction:
    priced = [line for line in (old, new) if line is not None and line.has_price]
    known = [Fraction(line.value or 0) / Fraction(line.quantity) for line in priced]
    return sum(known, Fraction(0)) / len(known) if known else Fraction(0)


def _of_quantity(parts: Parts) -> Decimal:
    return exact_sum((parts.volume, parts.new, parts.ended))


def _difference(before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> Amounts:
    return {name: exact_sum((after.get(name, _NONE), -before.get(name, _NONE))) for name in {**before, **after}}
