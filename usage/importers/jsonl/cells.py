"""A line of JSON to the cells that a mapping names, as text, in the digits that were written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, NoReturn

from usage.importers.csv.lines import Record

NOT_JSON = "line is not complete JSON"
NO_OBJECT = "line is JSON but not an object"
NO_KEY = "line has none of the keys that the mapping names"
NESTED = "a mapped key holds an object or a list: name one of its parts with a dot"
DEEPEST = 6
MAX_KEYS = 2_000
MAX_KEY = 200
MAX_CELL = 10_000
_NO_TEXT = re.compile("[\0\ud800-\udfff]")  # a NUL, and half of a surrogate pair, which JSON can escape


class Cells:
    """Reads lines to rows whose columns are the mapping's keys."""

    def __init__(self, names: list[str], decimal: str) -> None:
        self._paths = [(name, name.split(".")) for name in names]
        self._decimal = decimal

    def records(self, numbered: Iterable[tuple[int, bytes]]) -> Iterator[Record]:
        """Each line as a row, or why it is none; a blank line is a row without fields."""
        for number, line in numbered:
            if line.strip():
                yield self._record(number, line)
            else:
                yield Record(number, 1, len(line), [])

    def _record(self, number: int, line: bytes) -> Record:
        found = _object(line)
        if isinstance(found, str):
            return Record(number, 1, len(line), [], found)
        try:
            fields = [self._cell(at(found, name, path)) for name, path in self._paths]
        except ValueError:
            return Record(number, 1, len(line), [], NESTED)
        return Record(number, 1, len(line), fields, "" if any(fields) else NO_KEY)

    def _cell(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            return _text(value[:MAX_CELL])
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, int):
            return str(value)
        if isinstance(value, Decimal):
            return _plain(value).replace(".", self._decimal)
        if isinstance(value, list) and not any(isinstance(part, dict | list) for part in value):
            return ", ".join(filter(None, map(self._cell, value)))[:MAX_CELL]
        raise ValueError


def _object(line: bytes) -> dict[str, Any] | str:
    """The object of a line, or why there is none. Fractions stay what was written."""
    try:
        found = json.loads(line.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError, ArithmeticError):
        return NOT_JSON
    return found if isinstance(found, dict) else NO_OBJECT


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _plain(number: Decimal) -> str:
    """Digits without an exponent; a number beyond any count or amount as a word that is none."""
    if not -40 < number.adjusted() < 40:
        return "?" if number else "0"
    return str(int(number)) if number == number.to_integral_value() else f"{number:f}"


def at(record: dict[str, Any], name: str, path: list[str]) -> Any:
    """The value of a key, or of the one that its parts lead to; a number is a place in a list."""
    if name in record:
        return record[name]
    value: Any = record
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and len(part) < 4 and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def keys_of(lines: Iterable[bytes]) -> dict[str, str]:
    """The keys of the lines, nested ones with dots, each with its first value, shortened; none longer than MAX_KEY.

    What is no text (half of a surrogate pair, which JSON can escape) is in no key, and replaced in a value.
    """
    found: dict[str, str] = {}
    for line in lines:
        record = _object(line) if line.strip() else ""
        if isinstance(record, dict):
            for key, value in _leaves(record, "", 1):
                if len(key) <= MAX_KEY and key == _text(key) and (len(found) < MAX_KEYS or key in found):
                    found[key] = found.get(key) or value
    return found


def _leaves(record: dict[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        if isinstance(value, dict):
            if depth < DEEPEST:
                yield from _leaves(value, f"{prefix}{name}.", depth + 1)
        else:
            yield prefix + name, "" if value is None else _text(str(value)[:60])


def _text(found: str) -> str:
    """What was written but for what no text can hold."""
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", found)
