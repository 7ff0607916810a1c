"""How a question is read: moments, counts and names as text, refused with a sentence where they mean nothing."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Final

FIRST_MOMENT: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST_MOMENT: Final = datetime(2200, 1, 1, tzinfo=UTC)
MOST_TOKENS: Final = 1_000_000_000_000
"""More prompt tokens than any request holds; a larger number is a slip, not a question."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class BadQuestion(ValueError):
    """The question cannot be answered as put; the sentence says how to put it. `field` names the part at fault."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def strange_cursor() -> BadQuestion:
    """What is said of a cursor that is none of ours, or that continues another question."""
    return BadQuestion(
        "This cursor does not continue this question: take `next` of the page before and change no filter.", "cursor"
    )


def moment(text: str, field: str = "at") -> datetime:
    """A date (its UTC midnight) or a time with its offset, as an aware UTC moment."""
    asked = text.strip()
    try:
        if _DAY.fullmatch(asked):
            found = datetime.combine(date.fromisoformat(asked), time.min, UTC)
        else:
            found = datetime.fromisoformat(asked)
    except ValueError:
        raise BadQuestion(
            f"{_shown(text)} is not a date or a time: write {field} as 2026-08-23 or 2026-08-23T12:00:00Z.", field
        ) from None
    if found.tzinfo is None:
        raise BadQuestion(f"{_shown(text)} has no time zone: write {field} with Z or an offset such as +02:00.", field)
    try:
        found = found.astimezone(UTC)
    except OverflowError:
        found = datetime.min.replace(tzinfo=UTC)
    if not FIRST_MOMENT <= found < LAST_MOMENT:
        raise BadQuestion(f"{_shown(text)} lies outside the years 1970 to 2199, in which {field} must be.", field)
    return found


def whole(number: int, field: str, most: int = MOST_TOKENS) -> int:
    """A count from 0 to `most`."""
    if not 0 <= number <= most:
        raise BadQuestion(f"{field} must be a whole number from 0 to {most:,}.", field)
    return number


def name(text: str, field: str, longest: int = 400) -> str:
    """A name without blanks around it; one that PostgreSQL could not hold is refused."""
    asked = text.strip()
    if "\x00" in asked or not asked.isprintable():
        raise BadQuestion(f"{field} holds a sign that cannot be printed: leave it out.", field)
    if len(asked) > longest:
        raise BadQuestion(f"{field} is longer than {longest} signs.", field)
    return asked


def _shown(text: str) -> str:
    """The text as it is repeated to whoever wrote it, short and printable."""
    return repr(text if len(text) <= 60 else text[:60] + "…")
