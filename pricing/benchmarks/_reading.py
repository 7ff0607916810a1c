"""Reading what publishers write: every figure is checked, and what does not fit is refused in a sentence. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, TypeVar

import yaml

from pricing.benchmarks import ScoreFact, UnreadableBody

_LONGEST_NAME: Final = 300
_LONGEST_CATEGORY: Final = 60
_HIGHEST: Final = 1_000_000
_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_Value = TypeVar("_Value")


def table(body: bytes, columns: Iterable[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows of a CSV table with a header, each with its place ("Line 7"); `columns` are those it must have.

    Blank lines and lines that start with `#` are none. A name may hold a comma but never a line break, so a line is a
    row and its number can be told.
    """
    lines = [
        (number, line)
        for number, line in enumerate(io.StringIO(text(body), newline=None), start=1)
        if line.strip() and not line.startswith("#")
    ]
    if not lines:
        raise UnreadableBody("The table is empty: it needs a header line and one line per score.")
    head = _fields(lines[0][1], "The header")
    if missing := [column for column in columns if column not in head]:
        raise UnreadableBody(f"The header lacks {', '.join(missing)}: this is another table.")
    if len(lines) == 1:
        raise UnreadableBody("The table has a header and no scores.")
    for number, line in lines[1:]:
        fields = _fields(line, f"Line {number}")
        if len(fields) != len(head):
            raise UnreadableBody(f"Line {number} has {len(fields)} fields, the header {len(head)}.")
        yield f"Line {number}", dict(zip(head, fields, strict=True))


def _fields(line: str, where: str) -> list[str]:
    try:
        (row,) = csv.reader([line], strict=True)
    except (csv.Error, ValueError) as error:
        raise UnreadableBody(f"{where} is not CSV ({error}).") from None
    return row


def text(body: bytes) -> str:
    """The body as text; UnreadableBody where it is not UTF-8."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableBody("This is not a text file in UTF-8: give the table as it is published.") from None


def document(body: bytes) -> Any:
    """A JSON document with its numbers exact; UnreadableBody where it is none, too deep, or holds what is no number."""
    try:
        return json.loads(text(body), parse_float=Decimal, parse_int=Decimal, parse_constant=_no_constant)
    except RecursionError:
        raise UnreadableBody("The JSON is nested deeper than any table of scores.") from None
    except (ValueError, InvalidOperation) as error:
        raise UnreadableBody(f"The body is not usable JSON: {error}.") from None


def _no_constant(name: str) -> Any:
    raise UnreadableBody(f"The body holds {name}, which is no number.")


def entries(body: bytes) -> list[dict[str, Any]]:
    """A YAML list of flat mappings, every value as it is written; UnreadableBody for more of YAML than that."""
    try:
        written = text(body)
        # An alias lets a few lines stand for more than any memory holds, and a table of scores needs none.
        for event in yaml.parse(written, Loader=_LOADER):
            if isinstance(event, yaml.AliasEvent):
                raise UnreadableBody("The YAML repeats parts of itself by name, which no table of scores does.")
        found = yaml.load(written, Loader=_LOADER)  # noqa: S506 - the base loader makes nothing but text
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, UnreadableBody):
            raise
        raise UnreadableBody(f"The body is not YAML: {' '.join(str(error).split())[:200]}.") from None
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found) or not found:
        raise UnreadableBody("The body is not a list of runs, each with its figures by name.")
    return found


def member(found: Any, name: str, where: str) -> Any:
    """A member of a JSON object; UnreadableBody where there is no object or no such member."""
    if not isinstance(found, Mapping) or name not in found:
        raise UnreadableBody(f"{where} lacks {name}: the publisher changed its format.")
    return found[name]


def word(found: Any, where: str, what: str = "a name") -> str:
    """Text that is not empty, of one line."""
    if not isinstance(found, str):
        raise UnreadableBody(f"{where} lacks {what}.")
    name, flaw = _looked_over(found)
    if flaw:
        raise UnreadableBody(f"{where} {flaw}.")
    if not name:
        raise UnreadableBody(f"{where} lacks {what}.")
    return name


@lru_cache(maxsize=4096)
def _looked_over(found: str) -> tuple[str, str]:
    """A text without the blanks around it, and what is wrong with it; a table repeats the same few names."""
    if len(found) > _LONGEST_NAME:
        return "", "has a name longer than any model's"
    if not found.isprintable():
        return "", "holds a sign that no name has, such as a zero byte or a line break"
    return found.strip(), ""


def optional(read: Callable[[Any, str, str], _Value], found: Any, what: str, where: str) -> _Value | None:
    """A figure that may be missing: None where nothing is written, as N/A or null."""
    return None if found is None or found in ("", "N/A") else read(found, what, where)


def points(found: Any, what: str, where: str) -> Decimal:
    """A finite number within a million, as text or a JSON number; a percent sign at its end is no part of it."""
    written = found.removesuffix("%") if isinstance(found, str) else found
    try:
        number = Decimal(written) if isinstance(written, str | Decimal) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise UnreadableBody(f"{where}: {what} is {found!r:.60}, not a number.")
    if abs(number) > _HIGHEST:
        raise UnreadableBody(f"{where}: {what} is {found!r:.60}, more than it can be.")
    return number


def share(found: Any, what: str, where: str) -> Decimal:
    """A number from 0 to 100."""
    number = points(found, what, where)
    if not 0 <= number <= 100:
        raise UnreadableBody(f"{where}: {what} is {found!r:.60}, not a share from 0 to 100.")
    return number


def amount(found: Any, what: str, where: str) -> Decimal:
    """A number of zero or more."""
    number = points(found, what, where)
    if number < 0:
        raise UnreadableBody(f"{where}: {what} is {found!r:.60}, below zero.")
    return number


def whole(found: Any, what: str, where: str) -> int:
    """A whole number of at most twelve digits: more tokens or votes than any run had."""
    written = str(found)
    if not (written.isascii() and written.isdigit() and len(written) <= 12):
        raise UnreadableBody(f"{where}: {what} is {found!r:.60}, not a whole number.")
    return int(written)


def count(found: Any, what: str, where: str) -> int:
    """A whole number that the database takes as a count: of votes, items or tasks."""
    number = whole(found, what, where)
    if number >= 1_000_000_000:
        raise UnreadableBody(f"{where}: {what} is {found!r:.60}, more than it can be.")
    return number


def day(found: Any, what: str, where: str) -> date:
    """A calendar day, also of a moment written after it."""
    try:
        return date.fromisoformat(str(found)[:10])
    except ValueError:
        raise UnreadableBody(f"{where}: {what} is {found!r:.60}, not a day such as 2026-10-20.") from None


def only_once(facts: Iterable[tuple[str, ScoreFact]]) -> list[ScoreFact]:
    """The facts in their order; UnreadableBody where there are none, and at the first that repeats another."""
    seen: set[tuple[object, ...]] = set()
    kept: list[ScoreFact] = []
    for where, fact in facts:
        key = (fact.category, fact.display_name, fact.setting, fact.observed_on)
        if key in seen:
            raise UnreadableBody(f"{where} repeats {fact.display_name!r} in {fact.category!r}.")
        if len(fact.category) > _LONGEST_CATEGORY or len(fact.setting) > _LONGEST_CATEGORY:
            raise UnreadableBody(f"{where} has a category or a setting longer than any.")
        if (fact.low is not None and fact.low > fact.value) or (fact.high is not None and fact.high < fact.value):
            raise UnreadableBody(f"{where}: {fact.value} lies outside its interval {fact.low} to {fact.high}.")
        seen.add(key)
        kept.append(fact)
    if not kept:
        raise UnreadableBody("There are no scores in it: nothing was read.")
    return kept
