"""What the words beside a price say of how long it holds: prices of vendors' promotions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

LIMITED = re.compile(r"introductory|promotion|limited[- ]time|for a limited|until|through|\bends?\b|expires|限时", re.I)
"""Words that say that a price is not to last."""

WITHOUT_END = "A limited-time price; its page does not say when it ends."

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_BEFORE = r"\b(?:until|through|thru|ends?(?: on)?|expires?(?: on)?)(?: the end of)? "
_NAMED = re.compile(
    _BEFORE + r"(?P<month>[A-Z][a-z]{2,8})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>20\d\d)\b", re.I
)
_NUMBERED = re.compile(_BEFORE + r"(?P<year>20\d\d)[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})\b", re.I)
_CHINESE = re.compile(
    r"(?:至|到|截止|截至) ?(?P<year>20\d\d)(?:年|[-/])(?P<month>\d{1,2})(?:月|[-/])(?P<day>\d{1,2})(?:日|\b)"
)


def ends_at(words: str, zone: tzinfo = UTC) -> datetime | None:
    """When a price ends by its own words: after the whole of the last day they name, at its midnight in the zone.

    None where they name no day, or more than one.
    """
    days = set(_days(words, zone))
    return (days.pop() + timedelta(days=1)).astimezone(UTC) if len(days) == 1 else None


def note(words: str, ends: datetime | None) -> str:
    """The words, with a sentence that no end is stated where that is so."""
    return words if ends is not None else f"{words}. {WITHOUT_END}"


def _days(words: str, zone: tzinfo) -> Iterator[datetime]:
    for pattern in (_NAMED, _NUMBERED, _CHINESE):
        for found in pattern.finditer(words):
            if (month := _month(found["month"])) is not None:
                try:
                    yield datetime(int(found["year"]), month, int(found["day"]), tzinfo=zone)
                except ValueError:
                    continue  # the 31st of June is no day anybody can mean


def _month(text: str) -> int | None:
    if text.isdigit():
        return int(text)
    named = [number for number, name in enumerate(_MONTHS, 1) if name.startswith(text.lower())]
    return named[0] if len(named) == 1 else None
