"""Cells of a mapped file to numbers, column by column: each distinct cell of a column is read once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import TypeVar, cast

from usage.importers._json import MAX_COUNT, rounded
from usage.importers.csv.mapping import MONEY_UNITS, Columns

T = TypeVar("T")

MAX_COST = 10**11
"""What the ledger refuses is refused here: rows are numbered among those that are taken."""
_NUMBER = re.compile(r"-?\d{1,30}(?:\.\d{1,30})?", re.ASCII)
_AMOUNT = re.compile(rf"{_NUMBER.pattern}(?:[eE][+-]?\d{{1,2}})?", re.ASCII)
"""What exports floats (PostgreSQL, pandas, Excel) writes the cost of a short request as 4.5e-06."""
_GROUPED = re.compile(r"-?\d{1,3}(?:[,.'\s]\d{3})+(?:[.,]\d+)?")

TOO_LARGE = "a count is larger than any bucket can hold"
MISPLACED = "the thousands separator that the mapping declares does not stand between groups of three digits"
GROUPED = "a number has a thousands separator that the mapping does not declare"


class Unreadable(Exception):
    """Why a row cannot be read: a sentence that is the same for every such row."""


class Block:
    """Rows of one width by column. `faults` says of a row, by its number, why it cannot be read: the first of its cells
    that cannot, whose value then stands for nothing, or what its cells say together. `none` is the column of numbers
    that is not mapped."""

    def __init__(self, rows: Iterable[Sequence[str]]) -> None:
        self.columns: list[tuple[str, ...]] = list(zip(*rows, strict=False))
        self.none: list[None] = [None] * len(self.columns[0])
        self.faults: dict[int, str] = {}

    def read(self, at: int, reader: Callable[[str], T]) -> list[T]:
        """The values of a column."""
        cells = self.columns[at]
        known: dict[str, T | Unreadable] = {}
        for cell in set(cells):
            try:
                known[cell] = reader(cell)
            except Unreadable as fault:
                known[cell] = fault
        values = [known[cell] for cell in cells]
        if any(isinstance(value, Unreadable) for value in known.values()):
            for number, value in enumerate(values):
                if isinstance(value, Unreadable):
                    self.faults.setdefault(number, str(value))
        return cast("list[T]", values)


class Numbers:
    """Reads numbers as a mapping says they are written; raises Unreadable with a sentence."""

    def __init__(self, mapping: Columns) -> None:
        self._map = mapping
        mark, point = re.escape(mapping.thousands), re.escape(mapping.decimal)
        self._separated = re.compile(rf"-?\d{{1,3}}(?:{mark}\d{{3}})+(?:{point}\d+)?", re.ASCII)
        self._money_unit = MONEY_UNITS[mapping.money_unit]

    def counts(self, block: Block, at: int | None, unit: int = 1) -> Sequence[int | None]:
        """A column of whole numbers; of one that is not mapped, `block.none`."""
        if at is None:
            return block.none
        if unit == 1 and _plain(block.columns[at]):
            return list(map(int, block.columns[at]))
        return block.read(at, lambda cell: self.count(cell, unit))

    def count(self, cell: str, unit: int = 1) -> int | None:
        if cell.isdigit() and cell.isascii() and len(cell) < 10:
            return int(cell) * unit
        number = self._number(cell)
        if number is None:
            return None
        if unit == 1 and not self._map.thousands and _GROUPED.fullmatch(cell.strip()):
            raise Unreadable(GROUPED)  # 1.000 may be a thousand
        number *= unit
        if number < 0:
            raise Unreadable("a count is negative")
        if number >= MAX_COUNT:
            raise Unreadable(TOO_LARGE)
        if number != int(number):
            raise Unreadable("a count is not a whole number")
        return int(number)

    def amount(self, cell: str) -> Decimal | None:
        """Money in whole units of its currency."""
        amount = self._number(cell, _AMOUNT)
        if amount is None:
            return None
        if amount < 0:
            raise Unreadable("cost is negative: record a credit as a fixed cost")
        if amount >= MAX_COST:
            raise Unreadable("cost is larger than any bucket can hold")
        return rounded(amount if self._money_unit == 1 else amount / self._money_unit)

    def _number(self, cell: str, form: re.Pattern[str] = _NUMBER) -> Decimal | None:
        text = cell.strip()
        if not text:
            return Decimal(0) if self._map.blank == "zero" else None
        if self._map.thousands and self._map.thousands in text:
            if not self._separated.fullmatch(text):  # 12,50 is no 1250
                raise Unreadable(MISPLACED)
            text = text.replace(self._map.thousands, "")
        if self._map.decimal == ",":
            text = text.replace(",", ".") if "." not in text else "?"
        if not form.fullmatch(text):
            if _GROUPED.fullmatch(cell.strip()):
                raise Unreadable(GROUPED)
            raise Unreadable("a cell is not a plain number")
        return Decimal(text)


def _plain(cells: Sequence[str]) -> bool:
    """Whether all cells are digits and nothing else, as nearly all columns of counts are: `int` then reads them."""
    joined = "".join(cells)
    return joined.isdigit() and joined.isascii() and all(cells) and len(max(cells, key=len)) < 10
