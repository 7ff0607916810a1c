"""Observations from a CSV that anybody can write. Pure: text in, observations out.

A spreadsheet or a study may have written it: its columns are known by other names too (`COLUMNS`), in any case, parted
by commas, semicolons or tabs, with prices such as `$1,250.00` and days that a time follows. What could mean two things
is refused with its line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from pricing.constant_quality.observations import Observation

REQUIRED: Final = ("model", "date", "price", "score")
OPTIONAL: Final = ("family", "seller", "first_party", "withdrawn")
COLUMNS: Final = {
    "model": ("model", "model name"),
    "date": ("date", "release date"),
    "price": ("price", "usd per mtok", "usd per 1m tokens", "usd per million tokens"),
    "score": ("score", "benchmark score"),
    "family": ("family", "model family"),
    "seller": ("seller", "provider"),
    "first_party": ("first party",),
    "withdrawn": ("withdrawn",),
}
"""What each column may be called, Epoch AI's names among them; compared in lower case, with `_` and `-` as blanks."""
_SEPARATORS: Final = ",;\t"
_UNKNOWN: Final = frozenset({"", "-", "–", "—", "n/a", "na", "nan", "null", "none"})
_TRUTHS: Final = {
    "": None, "yes": True, "no": False, "y": True, "n": False, "true": True, "false": False, "1": True, "0": False,
}  # fmt: skip
_GROUPED: Final = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?")
_DECIMAL_COMMA: Final = re.compile(r"[+-]?[0-9]*,[0-9]+")


class UnreadableInputs(ValueError):
    """The inputs cannot be used; the sentence says which line and what to write there."""


def read(text: str, score_column: str = "") -> list[Observation]:
    """The rows of a CSV, in order; UnreadableInputs names the first line that is no observation.

    A blank price or score is unknown; a price of 0 is free. Other columns are left alone, and so are blank lines.
    `score_column` is the column to take as the score, where the file has one for each benchmark.
    """
    text = text.lstrip("\ufeff")
    separator = _separator(text)
    lines = csv.DictReader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    try:
        lines.fieldnames = _columns([name.strip() for name in lines.fieldnames or ()], score_column)
        return [
            _observation(cells, lines.line_num, separator)
            for cells in lines
            if any(cell if isinstance(cell, list) else (cell or "").strip() for cell in cells.values())
        ]
    except csv.Error as fault:
        raise UnreadableInputs(f"Line {lines.line_num} is not CSV ({fault}): quote cells that hold commas.") from None


def _separator(text: str) -> str:
    """What parts the most cells of the first line; a comma where nothing does."""
    head = text.partition("\n")[0]
    return max(_SEPARATORS, key=head.count)


def _plain(name: str) -> str:
    return " ".join(re.split(r"[\s_-]+", name.lower())).strip()


def _columns(header: Sequence[str], score_column: str) -> list[str]:
    """The header with the columns that are read under our names for them."""
    if not any(header):
        raise UnreadableInputs(f"The file is empty: its first line must name the columns {', '.join(REQUIRED)}.")
    names = COLUMNS | ({"score": (_plain(score_column),)} if score_column else {})
    found: dict[int, str] = {}
    for column, spellings in names.items():
        # Its own name goes before another one: a study's `score` beside the `benchmark_score` it was made of.
        places = next(
            (there for one in spellings if (there := [n for n, own in enumerate(header) if _plain(own) == one])), []
        )
        if len(places) > 1:
            raise UnreadableInputs(f"The column {header[places[0]]} is named twice: name each once.")
        if places:
            found[places[0]] = column
        elif column == "score" and score_column:
            raise UnreadableInputs(f"There is no column {score_column[:60]!r}; there are: {', '.join(header)[:300]}.")
        elif column in REQUIRED:
            raise UnreadableInputs(
                f"The column {column} is missing: the first line must name {', '.join(REQUIRED)}, "
                f"and may name {', '.join(OPTIONAL)}."
            )
    # A column that is not read keeps no name that another could bear.
    return [found.get(place, f"#{place}") for place in range(len(header))]


def _observation(cells: dict[str, str | None], line: int, separator: str) -> Observation:
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
        price=_price(row["price"], line, separator),
        score=_number(row["score"].removesuffix("%").rstrip(), "score", line, separator),
        family=row.get("family", ""),
        seller=row.get("seller", ""),
        first_party=_truth(row.get("first_party", ""), line),
        withdrawn_on=withdrawn_on,
    )


def _day(text: str, column: str, line: int) -> date | None:
    """The day in UTC where a time of a zone follows it, else as it is written."""
    if text.lower() in _UNKNOWN:
        return None
    written = f"{text[:10].replace('/', '-')}{text[10:]}"
    try:
        # Python also reads 20260131 and 2026-W05-6, which a reader of the file may not.
        if len(written) < 10 or (written[4], written[7]) != ("-", "-"):
            raise ValueError
        moment = datetime.fromisoformat(written)
        return (moment if moment.tzinfo is None else moment.astimezone(UTC)).date()
    except (ValueError, OverflowError):
        raise UnreadableInputs(f"Line {line}: {column} is {text[:40]!r}; write a day such as 2026-01-31.") from None


def _price(text: str, line: int, separator: str) -> Decimal | None:
    price = _number(text.removeprefix("$").lstrip(), "price", line, separator)
    if price is not None and price < 0:
        raise UnreadableInputs(f"Line {line}: price is {text[:40]!r}; a price is not negative: blank is unknown.")
    return price


def _number(text: str, column: str, line: int, separator: str) -> Decimal | None:
    if text.lower() in _UNKNOWN:
        return None
    try:
        number = Decimal(_with_point(text, separator))
    except InvalidOperation:
        number = Decimal("NaN")
    # Twelve digits either side hold every price and score there is and keep `1e999999` out of the arithmetic.
    if not number.is_finite() or (number and not -12 <= number.adjusted() <= 12):
        raise UnreadableInputs(
            f"Line {line}: {column} is {text[:40]!r}; write a number such as 2.50, or leave it blank."
        )
    return number


def _with_point(text: str, separator: str) -> str:
    """A number as Python writes it. A comma before each three digits groups them; in a file that commas do not part it
    may also be the decimal sign, so `1,250` alone means two things there and stays as it is, which is no number."""
    grouped = _GROUPED.fullmatch(text) is not None
    if separator == ",":
        return text.replace(",", "") if grouped else text
    if grouped and (text.count(",") > 1 or "." in text):
        return text.replace(",", "")
    return text.replace(",", ".") if not grouped and _DECIMAL_COMMA.fullmatch(text) else text


def _truth(text: str, line: int) -> bool | None:
    if text.lower() not in _TRUTHS:
        raise UnreadableInputs(f"Line {line}: first_party is {text[:40]!r}; write yes, no or nothing.")
    return _TRUTHS[text.lower()]
