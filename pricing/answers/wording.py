"""How values are written in an answer: exact decimals without exponent, moments in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Context, Decimal, localcontext
from typing import overload

_EXACT = Context(prec=60)


@overload
def decimal_text(number: Decimal) -> str: ...
@overload
def decimal_text(number: None) -> None: ...


def decimal_text(number: Decimal | None) -> str | None:
    """The number exactly, without exponent and without zeros that say nothing: `5`, `0.00025`."""
    if number is None:
        return None
    if not number:
        return "0"
    with localcontext(_EXACT):
        return f"{number.normalize():f}"


@overload
def moment_text(moment: datetime) -> str: ...
@overload
def moment_text(moment: None) -> None: ...


def moment_text(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC: `2026-08-21T00:00:00Z`, with microseconds only where there are some."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment is not None else None


def per_mtok(amount: Decimal, per: int) -> Decimal:
    """The amount per million of what it is stated per; exact for every power of ten."""
    with localcontext(_EXACT):
        return amount * 1_000_000 / per
