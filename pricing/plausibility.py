"""Whether a reading can be taken in: each amount by itself, and the reading as a whole beside the last good one. Pure.

A reading is implausible as a whole where at least half of what was there is gone, of all or of one unit of text; where
at least three in ten of the prices both readings state, or half of one unit's, moved by more than five times (or
changed their currency, or became free, or stopped being free); where most of a long list moved by one factor; where at
least half of what moved only changed places, as if headings were exchanged; and, by itself, where at least one model in
five is priced out of order, as with an output cheaper than its input. Vendors do not do that; a half-written table, a
unit or a currency taken for another, columns under the wrong headings and a page of another region do.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from pricing.failures import SourceFailure
from pricing.sources import Reading, Statement

LOST: Final = Decimal("0.5")
MOVED: Final = Decimal("0.3")
JUMP: Final = 5
MOVED_OF_A_UNIT: Final = Decimal("0.5")
PLACES: Final = Decimal("0.5")
DISORDER: Final = Decimal("0.2")
LONG: Final = 40
"""Prices that no vendor moves by one factor at once, as a short list may be: in three years of recorded lists no factor
was shared by a tenth of them."""
_ALIKE: Final = Fraction(1, 100)
FEW: Final = 3
"""So many prices of a unit may go or jump at once and be a decision of the vendor's."""

_ORDER: Final = (
    ("input", "output"), ("cache_read", "input"), ("input", "cache_write_5m"), ("cache_write_5m", "cache_write_1h"),
)  # fmt: skip
"""Of each two the first is hardly ever dearer: in no list we know with one model in forty."""

_MOST: Final = Decimal(10) ** 12
"""What numeric(24,12) holds."""
_LEAST: Final = Decimal("5e-13")
"""What it rounds to more than zero: a price below would be kept as free."""
_NAME: Final = 400
"""Characters of the longest name that is kept."""
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


class _Key(NamedTuple):
    provider: str
    sku: str
    region: str
    unit: str
    qualifier: str
    service_tier: str
    context_from: int
    context_op: str
    schedule: str
    effective_from: datetime | None


def refuse_unsound(reading: Reading) -> None:
    """Raise `SourceFailure` for a reading that says nothing, and for an amount that is no price."""
    if not (reading.statements or reading.rates or reading.aliases):
        raise SourceFailure("empty", "The body states no price at all.")
    for one in reading.statements:
        if not 0 < len(one.sku) <= _NAME or not one.sku.isprintable() or one.sku != one.sku.strip():
            raise SourceFailure("layout", f"The body names a model {one.sku[:80]!r}, which is no name.")
        if not one.amount.is_finite():
            raise SourceFailure("nan", f"The {one.unit} price of {one.sku} is {one.amount}, which is no number.")
        if one.amount < 0:
            raise SourceFailure("negative", f"The {one.unit} price of {one.sku} is {one.amount}, below zero.")
        if one.amount >= _MOST or 0 < one.amount < _LEAST or one.per < 1 or not _CURRENCY.fullmatch(one.currency):
            raise SourceFailure(
                "amount", f"The {one.unit} price of {one.sku}, {one.amount} {one.currency} per {one.per}, is no price."
            )


def implausible(before: Reading | None, now: Reading) -> str:
    """A sentence for what makes a reading implausible, by itself and beside the last good one of its source; '' where
    it is not."""
    new = _levels(now)
    if before is None:
        return _disordered(new)
    old = _levels(before)
    return _lost(old, new) or _moved(old, new) or _rescaled(old, new) or _misplaced(old, new) or _disordered(new)


def _lost(old: Mapping[_Key, Statement], new: Mapping[_Key, Statement]) -> str:
    for what, had, has in (
        ("offerings", {key[:3] for key in old}, {key[:3] for key in new}),
        ("prices", old.keys(), new.keys()),
    ):
        # Prices may be filed under new keys, a tier or a date; then as many are there, and none is lost.
        gone = len(had - has) if what == "offerings" else len(had) - len(has)
        if had and gone >= LOST * len(had):
            return f"{gone:,} of the {len(had):,} {what} of the last good reading are gone."
    had_of, has_of = (Counter(key.unit for key in keys) for keys in (old, new))
    for unit in sorted({unit for pair in _ORDER for unit in pair}):
        gone = had_of[unit] - has_of[unit]
        if gone > FEW and gone >= LOST * had_of[unit]:
            return f"{gone:,} of the {had_of[unit]:,} prices of {unit} of the last good reading are gone."
    return ""


def _moved(old: Mapping[_Key, Statement], new: Mapping[_Key, Statement]) -> str:
    both = old.keys() & new.keys()
    moved = [key for key in both if _jumped(old[key], new[key])]
    all_of, moved_of = (Counter(key.unit for key in keys) for keys in (both, moved))
    of_a_unit = any(n > FEW and n >= MOVED_OF_A_UNIT * all_of[unit] for unit, n in moved_of.items())
    if moved and (of_a_unit or len(moved) >= MOVED * len(both)):
        first = min(moved, key=lambda key: key[:9])
        return (
            f"{len(moved):,} of {len(both):,} prices moved by more than {JUMP} times or changed their currency; "
            f"{first.unit} of {first.sku} from {_text(old[first])} to {_text(new[first])}."
        )
    return ""


def _rescaled(old: Mapping[_Key, Statement], new: Mapping[_Key, Statement]) -> str:
    """Of factors that most share, the one in the middle is one."""
    factors = sorted(
        _each(new[key]) / _each(old[key]) for key in old.keys() & new.keys() if old[key].amount and new[key].amount
    )
    if len(factors) < LONG or abs((middle := factors[len(factors) // 2]) - 1) <= _ALIKE:
        return ""
    alike = sum(abs(factor / middle - 1) <= _ALIKE for factor in factors)
    if 2 * alike <= len(factors):
        return ""
    return (
        f"{alike:,} of {len(factors):,} prices moved by one factor, {float(middle):.4g}: "
        "their unit or their currency must have changed."
    )


def _misplaced(old: Mapping[_Key, Statement], new: Mapping[_Key, Statement]) -> str:
    """What only changed places: within an offering, or among all that both readings price."""
    was, now = _by_offering(old), _by_offering(new)
    moved = [one for one in sorted(was.keys() & now.keys()) if was[one] != now[one]]
    misplaced = [one for one in moved if _changed_places(was[one], now[one])]
    if misplaced and len(misplaced) >= PLACES * len(moved):
        return (
            f"Of {len(misplaced):,} of the {len(moved):,} offerings whose prices moved, as of {misplaced[0][1]}, the "
            "prices are the old ones of other units: headings must have changed places."
        )
    both = [key for key in old.keys() & new.keys() if _price(old[key]) != _price(new[key])]
    if both and Counter(_price(old[key]) for key in both) == Counter(_price(new[key]) for key in both):
        return f"The {len(both):,} prices that moved are each other's old ones: models must have changed places."
    return ""


_Price = tuple[Decimal, str]
_Offered = Mapping[tuple[str, ...], _Price]


def _by_offering(levels: Mapping[_Key, Statement]) -> Mapping[tuple[str, str, str], dict[tuple[str, ...], _Price]]:
    found: dict[tuple[str, str, str], dict[tuple[str, ...], _Price]] = defaultdict(dict)
    for key, one in levels.items():
        found[key[:3]][tuple(map(str, key[3:]))] = _price(one)
    return found


def _changed_places(old: _Offered, new: _Offered) -> bool:
    """Whether every price that is new to its unit was there under a unit that lost it."""
    came = [price for unit, price in new.items() if old.get(unit) != price]
    went = {price for unit, price in old.items() if new.get(unit) != price}
    return bool(came) and went.issuperset(came)


def _disordered(levels: Mapping[_Key, Statement]) -> str:
    for lower, upper in _ORDER:
        pairs = [
            (one, levels[above])
            for key, one in levels.items()
            if key.unit == lower and (above := key._replace(unit=upper)) in levels
        ]
        wrong = [(one, other) for one, other in pairs if _each(one) > _each(other) and one.currency == other.currency]
        if wrong and len(wrong) >= DISORDER * len(pairs):
            one, other = wrong[0]
            return (
                f"For {len(wrong):,} of {len(pairs):,} models {lower} costs more than {upper}, as for {one.sku}, "
                f"{_text(one)} and {_text(other)}: headings must have changed places."
            )
    return ""


def _levels(reading: Reading) -> Mapping[_Key, Statement]:
    return {
        _Key(
            s.provider, s.sku, s.region, s.unit, s.qualifier, s.service_tier, s.context_from, s.context_op, s.schedule,
            s.effective_from,
        ): s
        for s in reading.statements
    }  # fmt: skip


def _jumped(old: Statement, new: Statement) -> bool:
    if old.currency != new.currency or (old.amount == 0) != (new.amount == 0):
        return True
    # a/p > 5 b/q without dividing: exact.
    one, other = old.amount * new.per, new.amount * old.per
    return one > JUMP * other or other > JUMP * one


def _each(one: Statement) -> Fraction:
    return Fraction(one.amount) / one.per


def _price(one: Statement) -> _Price:
    """What the source shows, whatever the unit."""
    return one.amount, one.currency


def _text(one: Statement) -> str:
    return f"{one.amount.normalize():f} {one.currency} per {one.per:,}"
