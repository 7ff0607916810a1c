"""Reading values out of a vendor's JSON: what they must be, and the sentence for what they are not.

Nothing here knows a vendor. None is unknown and stays None; a value that cannot be what its name says raises
Unreadable with a sentence that is the same for every such line, so that it can be counted and holds no content.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import orjson

_QUANTUM = Decimal("1e-12")
MAX_COUNT = 10**12
"""More than any organisation uses in a month: beyond it a number is an error."""
MAX_DIGITS = 11
MAX_TEXT = 1000
FIRST_YEAR, LAST_YEAR = 2015, 2100
_ANYWHERE = ("global", "not_available")
_TIERS = {
    "default": "standard", "on_demand": "standard", "auto": "", "traffic_type_unspecified": "",
    "on_demand_priority": "priority", "on_demand_flex": "flex",
}  # fmt: skip
"""What vendors call a tier that the catalogue names otherwise; `auto` is what was asked for, and says nothing."""


class Unreadable(Exception):
    """Why a line that should carry usage cannot be read: a sentence that is the same for every such line."""


def object_in(line: bytes) -> dict[str, Any]:
    """The JSON object a line holds."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise Unreadable("the line is not complete JSON: it was cut off or is none") from None
    if not isinstance(found, dict):
        raise Unreadable("the line is JSON but not an object")
    return found


def count(value: object, name: str) -> int | None:
    """A whole number of at least 0; int64 may be written as text."""
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return count(int(value), name)
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_COUNT:
        return count(int(value), name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unreadable(f"{name} is not a whole number")
    if value < 0:
        raise Unreadable(f"{name} is negative")
    if value > MAX_COUNT:
        raise Unreadable(f"{name} is beyond belief")
    return value


def amount(value: object, name: str) -> Decimal | None:
    """Money or another decimal, as a number or as text, in the digits that were written."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise Unreadable(f"{name} is not a number")
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        raise Unreadable(f"{name} is not a number") from None
    if not found:
        return Decimal(0)
    if not found.is_finite() or not -40 < found.adjusted() < MAX_DIGITS:
        raise Unreadable(f"{name} is beyond belief")
    return found


def instant(value: object, name: str) -> datetime:
    """An ISO 8601 time with its zone, in UTC."""
    if not isinstance(value, str):
        raise Unreadable(f"{name} is missing or no time")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Unreadable(f"{name} is not an ISO 8601 time") from None
    if moment.tzinfo is None:
        raise Unreadable(f"{name} has no time zone")
    try:
        return believed(moment.astimezone(UTC), name)
    except OverflowError:
        raise Unreadable(f"{name} is beyond belief") from None


def unix(value: object, name: str) -> datetime:
    """Seconds since 1970, in UTC."""
    seconds = count(value, name)
    if seconds is None:
        raise Unreadable(f"{name} is missing or no time")
    try:
        return believed(datetime.fromtimestamp(seconds, UTC), name)
    except (OverflowError, ValueError, OSError):
        raise Unreadable(f"{name} is beyond belief") from None


def believed(moment: datetime, name: str) -> datetime:
    """The time, where it is one of this trade."""
    if not FIRST_YEAR <= moment.year < LAST_YEAR:
        raise Unreadable(f"{name} is not between {FIRST_YEAR} and {LAST_YEAR}")
    return moment


def text(value: object) -> str:
    """A name as the ledger can hold it; '' where there is none. Anything but text, a number or a truth is none."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) and abs(value) < 10**18 else ""


def tier(value: object) -> str:
    """A service tier in the catalogue's name; one that it does not know as it was written, in small letters."""
    said = text(value).strip()[:40].lower()
    return _TIERS.get(said, said)


def place(value: object) -> str:
    """Where a vendor says that it computed; '' where that may be anywhere, or is not said."""
    said = text(value)
    return "" if said in _ANYWHERE else said


def clean(value: str) -> str:
    """PostgreSQL stores no NUL, and a name has an end."""
    if "\0" in value:
        value = value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return value[:MAX_TEXT]


def inner(value: object) -> Mapping[str, Any]:
    """An object inside an object; empty where there is none."""
    return value if isinstance(value, dict) else {}


def rounded(money: Decimal) -> Decimal:
    """To the twelfth decimal, half away from zero, as all money of the ledger."""
    return money.quantize(_QUANTUM, ROUND_HALF_UP)


def currency(value: object) -> str:
    """Three letters, in capitals."""
    if not (isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha()):
        raise Unreadable("the currency is not three letters")
    return value.upper()
