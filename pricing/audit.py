"""Our prices held against a list somebody else keeps: what is asked, and whether our answer is right. Pure.

A row asks for the price of one unit for a request of `min_input_tokens + 1` prompt tokens. `right` is within half a
percent of the list, `missing` is a price we do not know or hold back, `wrong` is every other one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation, localcontext
from typing import Final

COLUMNS: Final = (
    "provider", "sku", "unit", "service_tier", "region", "period", "min_input_tokens", "usd_per_mtok",
)  # fmt: skip
PERIODS: Final = ("", "peak", "off_peak")
TOLERANCE: Final = Decimal("0.005")
_TIERS: Final = {"": "standard", "default": "standard", "on_demand": "standard", "on-demand": "standard"}
"""How OpenAI and Groq, and AWS, call what is neither cheaper nor faster."""
_MOST_TOKENS: Final = 1_000_000_000_000
_EXACT: Final = Context(prec=60)


class UnreadableList(ValueError):
    """The list cannot be audited; the sentence says which line and what to write there."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of the list. `cells` is the row as it was written, other columns included."""

    provider: str
    sku: str
    unit: str
    service_tier: str
    region: str
    period: str
    prompt_tokens: int
    usd_per_mtok: Decimal
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ours:
    """What we answer to a row: `usd_per_mtok` None where we do not know or hold it back, with the reason."""

    usd_per_mtok: Decimal | None
    rule: str
    why: str
    grade: str | None = None


def read(text: str) -> list[Listed]:
    """The rows of a list in CSV, in order; UnreadableList names the first line that is no row of one."""
    lines = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""), strict=True)
    try:
        header = [name.strip() for name in lines.fieldnames or ()]
        _check_header(header)
        lines.fieldnames = header
        return [_listed(cells, lines.line_num) for cells in lines]
    except csv.Error as fault:
        raise UnreadableList(f"Line {lines.line_num} is not CSV ({fault}): quote cells that hold commas.") from None


def _check_header(header: list[str]) -> None:
    if not header:
        raise UnreadableList(f"The file is empty: its first line must name the columns {', '.join(COLUMNS)}.")
    if missing := [name for name in COLUMNS if name not in header]:
        raise UnreadableList(
            f"The column {missing[0]} is missing: the first line must name {', '.join(COLUMNS)} (cells may be blank)."
        )
    if len(set(header)) < len(header):
        raise UnreadableList("A column is named twice: name each once.")


def _listed(cells: dict[str, str | None], line: int) -> Listed:
    if None in cells or None in cells.values():
        raise UnreadableList(f"Line {line} has not as many cells as the first line: add or remove commas.")
    row = {name: (cell or "").strip() for name, cell in cells.items()}
    if any("\x00" in cell for cell in row.values()):
        raise UnreadableList(f"Line {line} holds a NUL byte: save the list as plain text.")
    for name in ("provider", "sku", "unit"):
        if not row[name]:
            raise UnreadableList(f"Line {line} has no {name}: fill it in.")
    if row["period"] not in PERIODS:
        raise UnreadableList(f"Line {line}: period is {row['period'][:40]!r}; write peak, off_peak or nothing.")
    return Listed(
        provider=row["provider"],
        sku=row["sku"],
        unit=row["unit"],
        service_tier=_TIERS.get(tier := row["service_tier"].lower(), tier),
        region=row["region"],
        period=row["period"],
        prompt_tokens=_tokens(row["min_input_tokens"], line) + 1,
        usd_per_mtok=_price(row["usd_per_mtok"], line),
        cells=row,
    )


def _tokens(text: str, line: int) -> int:
    plain = text.replace("_", "").replace(",", "")
    if not text:
        return 0
    if not (plain.isascii() and plain.isdecimal()) or len(plain) > 13 or int(plain) > _MOST_TOKENS:
        raise UnreadableList(f"Line {line}: min_input_tokens is {text[:40]!r}; write a whole number such as 200000.")
    return int(plain)


def _price(text: str, line: int) -> Decimal:
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal("NaN")
    # Twelve digits either side hold every price there is and keep `1e999999` out of the arithmetic.
    if not price.is_finite() or price < 0 or (price and not -12 <= price.adjusted() <= 12):
        raise UnreadableList(f"Line {line}: usd_per_mtok is {text[:40]!r}; write a price such as 2.50.")
    return price


def verdict(listed: Decimal, ours: Decimal | None) -> str:
    """`right`, `wrong` or `missing`. Free is a price: a listed 0 is right only where ours is 0."""
    if ours is None:
        return "missing"
    with localcontext(_EXACT):
        return "right" if abs(ours - listed) <= TOLERANCE * listed else "wrong"


def in_period(period: str, now: Decimal | None, at_other_hours: Iterable[Decimal | None]) -> Decimal | None:
    """The price of a period: the dearest of all hours for `peak`, the cheapest for `off_peak`, else that of now."""
    if not period:
        return now
    known = [price for price in (*at_other_hours,) if price is not None]
    if not known:
        return now
    return max(known) if period == "peak" else min(known)
