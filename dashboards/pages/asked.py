"""What an address asks for: the parts that pages of the catalogue read alike. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from urllib.parse import urlencode

FIRST_DAY = date(2020, 6, 11)
LAST_DAY = date(2100, 1, 1)


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a filter: a link in words."""

    label: str
    url: str
    is_current: bool = False
    note: str = ""


def day(text: str, what: str) -> date | None:
    """A day in an address, None where none is asked for; ValueError is a sentence for the reader."""
    if not text.strip():
        return None
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{what} needs a day such as 2026-09-01, not “{text[:40]}”.") from None
    if not FIRST_DAY <= found <= LAST_DAY:
        raise ValueError(f"{what} needs a day from {FIRST_DAY} on: no token was on sale before.")
    return found


def midnight(asked: date | None) -> datetime | None:
    """The UTC midnight a day in an address stands for."""
    return None if asked is None else datetime.combine(asked, time.min, UTC)


def address(path: str, values: Mapping[str, object]) -> str:
    """A path with the values that are set, so that defaults never clutter a link."""
    pairs = [(name, str(value)) for name, value in values.items() if value not in {None, ""}]
    return f"{path}?{urlencode(pairs, safe=':')}" if pairs else path
