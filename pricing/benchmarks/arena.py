"""Arena (LMArena): people compare two anonymous answers; ratings with 95 % intervals from their votes.

A table per day, one row per category and model:

    category,category_label,model,display_name,rating,rating_low,rating_high,votes,rank
    overall,Everything (overall),openai / gpt-5.6-sol,GPT-5.6 Sol (xHigh),1484.5,1480.2,1488.8,41803,21

`model` is Arena's own `maker / model`, several display names may share it: the effort (High, xHigh, Max,
Thinking 32K …), the dated snapshot and sometimes a harness stand in the display name only, so that is the
identity. In the category `document` the display name is the raw id instead. Ranks and labels are not read:
ranks follow from the ratings, labels are `CATEGORIES`. Lines that start with `#` are comments.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from pricing.benchmarks import ScoreFact, UnreadableBody

SLUG: Final = "arena"
NAME: Final = "Arena"
UNIT: Final = "Arena rating"
DOMAIN: Final = "People's preference between two answers in conversation"
URL: Final = "https://lmarena.ai/leaderboard"
LICENCE: Final = "CC BY 4.0"
ATTRIBUTION: Final = "Arena ratings by LMArena (lmarena.ai), CC BY 4.0"
CATEGORIES: Final[Mapping[str, str]] = {
    "overall": "Everything (overall)",
    "coding": "Coding",
    "hard_prompts": "Hard prompts",
    "expert": "Expert questions",
    "math": "Math",
    "instruction_following": "Following detailed instructions",
    "longer_query": "Long prompts",
    "multi_turn": "Long conversations",
    "creative_writing": "Creative writing",
    "business": "Business and finance",
    "legal": "Legal and government",
    "media": "Entertainment, sports and media",
    "medicine": "Medicine and health",
    "science": "Science",
    "software": "Software and IT",
    "writing": "Writing and literature",
    "document": "Understanding documents",
    "vision": "Understanding images",
    "webdev": "Building websites and apps",
    "chinese": "In Chinese",
    "french": "In French",
    "german": "In German",
    "japanese": "In Japanese",
    "korean": "In Korean",
    "russian": "In Russian",
    "spanish": "In Spanish",
}
MAP: Final = "arena_map.csv"
BUNDLED: Final[Mapping[date, str]] = {date(2026, 10, 20): "arena_2026-10-20.csv.gz"}

_COLUMNS: Final = ("category", "model", "display_name", "rating", "rating_low", "rating_high", "votes")
_LONGEST_NAME: Final = 300
_LONGEST_CATEGORY: Final = 60
_HIGHEST: Final = 1_000_000


def parse(body: bytes) -> list[ScoreFact]:
    """Facts in the order of the table; UnreadableBody names the first line that is not one."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableBody("This is not a text file in UTF-8: give the Arena table as CSV.") from None
    numbered = [
        (number, line)
        for number, line in enumerate(io.StringIO(text, newline=None), start=1)
        if line.strip() and not line.startswith("#")
    ]
    if not numbered:
        raise UnreadableBody("The table is empty: it needs a header line and one line per score.")
    head = next(csv.reader([numbered[0][1]]))
    missing = [column for column in _COLUMNS if column not in head]
    if missing:
        raise UnreadableBody(f"The header lacks {', '.join(missing)}: this is not an Arena table.")
    places = [head.index(column) for column in _COLUMNS]

    facts: list[ScoreFact] = []
    seen: set[tuple[str, str]] = set()
    for number, line in numbered[1:]:
        # A name may hold a comma but never a line break, so a line is a row and its number can be told.
        try:
            (row,) = csv.reader([line], strict=True)
        except csv.Error as error:
            raise UnreadableBody(f"Line {number} is not CSV ({error}).") from None
        if len(row) != len(head):
            raise UnreadableBody(f"Line {number} has {len(row)} fields, the header {len(head)}.")
        fact = _fact([row[place] for place in places], number)
        if (fact.category, fact.display_name) in seen:
            raise UnreadableBody(f"Line {number} repeats {fact.display_name!r} in {fact.category!r}.")
        seen.add((fact.category, fact.display_name))
        facts.append(fact)
    if not facts:
        raise UnreadableBody("The table has a header and no scores.")
    return facts


def _fact(fields: list[str], number: int) -> ScoreFact:
    category, raw_name, display_name, rating, low, high, votes = fields
    if not category or not raw_name or not display_name:
        raise UnreadableBody(f"Line {number} lacks a category, a model or a display name.")
    if "\0" in category + raw_name + display_name:
        raise UnreadableBody(f"Line {number} holds a zero byte: this is not a text table.")
    if max(len(raw_name), len(display_name)) > _LONGEST_NAME or len(category) > _LONGEST_CATEGORY:
        raise UnreadableBody(f"Line {number} has a name longer than any model's.")
    fact = ScoreFact(
        category,
        raw_name,
        display_name,
        value=_points(rating, "rating", number),
        low=_points(low, "rating_low", number) if low else None,
        high=_points(high, "rating_high", number) if high else None,
        n=_votes(votes, number) if votes else None,
    )
    if (fact.low is not None and fact.low > fact.value) or (fact.high is not None and fact.high < fact.value):
        raise UnreadableBody(f"Line {number}: the rating {rating} lies outside its interval {low} to {high}.")
    return fact


def _points(text: str, column: str, number: int) -> Decimal:
    try:
        points = Decimal(text)
    except InvalidOperation:
        raise UnreadableBody(f"Line {number}: {column} is {text!r}, not a number.") from None
    if not points.is_finite() or abs(points) > _HIGHEST:
        raise UnreadableBody(f"Line {number}: {column} is {text!r}, not a rating.")
    return points


def _votes(text: str, number: int) -> int:
    # Nine digits: more votes than were ever cast, and safe to hand to the database as an integer.
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise UnreadableBody(f"Line {number}: votes is {text!r}, not a whole number.")
    return int(text)
