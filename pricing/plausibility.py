"""Whether a reading can be taken in: each amount by itself, and the reading as a whole beside the last good one. Pure.

A reading is implausible as a whole where at least half of what was there is gone, or where at least three in ten of
the prices both readings state moved by more than five times (or changed their currency, or became free, or stopped
being free). Vendors do not do that; a half-written table, a unit error and a page of another region do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from pricing.failures import SourceFailure
from pricing.sources import Reading, Statement

LOST: Final = Decimal("0.5")
MOVED: Final = Decimal("0.3")
JUMP: Final = 5

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
        if not 0 < len(one.sku) <= _NAME:
            raise SourceFailure("layout", f"The body names a model {one.sku[:80]!r}, which is no name.")
        if not one.amount.is_finite():
            raise SourceFailure("nan", f"The {one.unit} price of {one.sku} is {one.amount}, which is no number.")
        if one.amount < 0:
            raise SourceFailure("negative", f"The {one.unit} price of {one.sku} is {one.amount}, below zero.")
        if one.amount >= _MOST or 0 < one.amount < _LEAST or one.per < 1 or not _CURRENCY.fullmatch(one.currency):
            raise SourceFailure(
                "amount", f"The {one.unit} price of {one.sku}, {one.amount} {one.currency} per {one.per}, is no price."
            )


def implausible(before: Reading, now: Reading) -> str:
    """A sentence for what makes a reading implausible beside the last good one of its source; '' where it is not."""
    old, new = _levels(before), _levels(now)
    for what, had, has in (
        ("offerings", {key[:3] for key in old}, {key[:3] for key in new}),
        ("prices", old.keys(), new.keys()),
    ):
        # Prices may be filed under new keys, a tier or a date; then as many are there, and none is lost.
        gone = len(had - has) if what == "offerings" else len(had) - len(has)
        if had and gone >= LOST * len(had):
            return f"{gone:,} of the {len(had):,} {what} of the last good reading are gone."
    both = old.keys() & new.keys()
    moved = [key for key in both if _jumped(old[key], new[key])]
    if both and len(moved) >= MOVED * len(both):
        first = min(moved, key=lambda key: key[:9])
        return (
            f"{len(moved):,} of {len(both):,} prices moved by more than {JUMP} times or changed their currency; "
            f"{first.unit} of {first.sku} from {_text(old[first])} to {_text(new[first])}."
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


def _text(one: Statement) -> str:
    return f"{one.amount.normalize():f} {one.currency} per {one.per:,}"
