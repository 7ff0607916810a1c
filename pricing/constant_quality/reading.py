"""Observations from a CSV that anybody can write. Pure: text in, observations out."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from pricing.constant_quality.observations import Observation

REQUIRED: Final = ("model", "date", "price", "score")
OPTIONAL: Final = ("family", "seller", "first_party", "withdrawn")
_TRUTHS: Final = {"": None, "yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}


class UnreadableInputs(ValueError):
    """The inputs cannot be used; the sentence says which line and what to write there."""


def read(text: str) -> list[Observation]:
    """The rows of a CSV, in order; UnreadableInputs names the first line that is no observation.

    A blank price or score is unknown; a price of 0 is free. Other columns are left alone.
    """
    lines = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""), strict=True)
    try:
        header = [name.strip() for name in lines.fieldnames or ()]
        _check_header(header)
        lines.fieldnames = header
        return [_observation(cells, lines.line_num) for cells in lines]
    except csv.Error as fault:
        raise UnreadableInputs(f"Line {lines.line_num} is not CSV ({fault}): quote cells that hold commas.") from None


def _check_header(header: list[str]) -> None:
    if not header:
        raise UnreadableInputs(f"The file is empty: its first line must name the columns {', '.join(REQUIRED)}.")
    if missing := [name for name in REQUIRED if name not in header]:
        raise UnreadableInputs(
            f"The column {missing[0]} is missing: the first line must name {', '.join(REQUIRED)}, "
            f"and may name {', '.join(OPTIONAL)}."
        )
    if len(set(header)) < len(header):
        raise UnreadableInputs("A column is named twice: name each once.")


def _observation(cells: dict[str, str | None], line: int) -> Observation:
    if None in cells or None in cells.values():
        raise UnreadableInputs(f"Line {line} has not as many cells as the first line: add or remove commas.")
    row = {name: (cell or "").strip() for name, cell in cells.items()}
    if any("\x00" in cell for cell in row.values()):
        raise UnreadableInputs(f"Line {line} holds a NUL byte: save the file as plain text.")
    if not row["model"]:
        raise UnreadableInputs(f"Line {line} has no model: fill it in.")
    observed_on = _day(row["date"], "date", line)
    if observed_on is None:
        raise UnreadableInputs(f"Line {line} has no date: write the day from which the price held.")
    withdrawn_on = _day(row.get("withdrawn", ""), "withdrawn", line)
    if withdrawn_on is not None and withdrawn_on <= observed_on:
        raise UnreadableInputs(f"Line {line}: withdrawn is {withdrawn_on}, not after its date {observed_on}.")
    return Observation(
        model=row["model"],
        observed_on=observed_on,
        price=_price(row["price"], line),
        score=_number(row["score"], "score", line),
        family=row.get("family", ""),
        seller=row.get("seller", ""),
        first_party=_truth(row.get("first_party", ""), line),
        withdrawn_on=withdrawn_on,
    )


def _day(text: str, column: str, line: int) -> date | None:
    if not text:
        return None
    try:
        # Python also reads 20260131 and 2026-W05-6, which a reader of the file may not.
        if len(text) != 10 or text[4] != "-":
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise UnreadableInputs(f"Line {line}: {column} is {text[:40]!r}; write a day such as 2026-01-31.") from None


def _price(text: str, line: int) -> Decimal | None:
    price = _number(text, "price", line)
    if price is not None and price < 0:
        raise UnreadableInputs(f"Line {line}: price is {text[:40]!r}; a price is not negative: blank is unknown.")
    return price


def _number(text: str, column: str, line: int) -> Decimal | None:
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    # Twelve digits either side hold every price and score there is and keep `1e999999` out of the arithmetic.
    if not number.is_finite() or (number and not -12 <= number.adjusted() <= 12):
        raise UnreadableInputs(
            f"Line {line}: {column} is {text[:40]!r}; write a number such as 2.50, or leave it blank."
        )
    return number


def _truth(text: str, line: int) -> bool | None:
    if text.lower() not in _TRUTHS:
        raise UnreadableInputs(f"Line {line}: first_party is {text[:40]!r}; write yes, no or nothing.")
    return _TRUTHS[text.lower()]
