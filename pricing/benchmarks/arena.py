"""Arena (LMArena): people compare two anonymous answers; ratings with 95 % intervals from their votes.

A table per day, one row per category and model:

    category,category_label,model,display_name,rating,rating_low,rating_high,votes,rank
    overall,Everything (overall),openai / gpt-5.6-sol,GPT-5.6 Sol (xHigh),1484.5,1480.2,1488.8,41803,21

`model` is Arena's own `maker / model`, several display names may share it: the effort (High, xHigh, Max,
Thinking 32K …), the dated snapshot and sometimes a harness stand in the display name only, so that is the
identity. In the category `document` the display name is the raw id instead. Ranks and labels are not read:
ranks follow from the ratings, labels are `CATEGORIES`. Lines that start with `#` are comments.

Until 2025 the table was another, of one category (overall, without style control), the interval as distances:

    rank,rank_stylectrl,model,arena_score,95_pct_ci,votes,organization,license,knowledge_cutoff,url
    1,1,Gemini-2.5-Pro,1474,+5/-4,19209,Google,Proprietary,Unknown,http://aistudio.google.com/app/prompts/...

At first the rating was called `arena_elo`. `organization / model` stands for Arena's own name.
"""

from __future__ import annotations

import csv
import io
import re
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
RUNS_DATED: Final = False
CEILING: Final[Decimal | None] = None
SATURATION: Final = (
    "Ratings are relative and have no ceiling, but their scale moves with the field: compare gaps within one table,"
    " never a rating of one day with one of another."
)
PUBLIC_SINCE: Final[date | None] = None
CONTAMINATION: Final = (
    "Every vote is on a prompt somebody just wrote, so there is no test set to learn; makers could test many private"
    " variants and publish the best (The Leaderboard Illusion, arxiv.org/abs/2504.20879)."
)
MAP: Final = "arena_map.csv"
BUNDLED: Final[Mapping[date, str]] = {
    day: f"arena_{day}.csv.gz"
    for day in (date(2024, 7, 1), date(2024, 12, 1), date(2025, 4, 1), date(2025, 8, 1), date(2026, 10, 20))
}

_COLUMNS: Final = ("category", "model", "display_name", "rating", "rating_low", "rating_high", "votes")
_EARLIER: Final = tuple(
    ("organization", "model", rating, "95_pct_ci", "votes") for rating in ("arena_score", "arena_elo")
)
_DISTANCES: Final = re.compile(r"\+(\d{1,4}(?:\.\d{1,4})?)/-(\d{1,4}(?:\.\d{1,4})?)")
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
    columns = next((shape for shape in _EARLIER if set(shape) <= set(head)), _COLUMNS)
    missing = [column for column in columns if column not in head]
    if missing:
        raise UnreadableBody(f"The header lacks {', '.join(missing)}: this is not an Arena table.")
    places = [head.index(column) for column in columns]

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
        fields = [row[place] for place in places]
        fact = _fact(fields if columns is _COLUMNS else _as_now(fields, number), number)
        if (fact.category, fact.display_name) in seen:
            raise UnreadableBody(f"Line {number} repeats {fact.display_name!r} in {fact.category!r}.")
        seen.add((fact.category, fact.display_name))
        facts.append(fact)
    if not facts:
        raise UnreadableBody("The table has a header and no scores.")
    return facts


def _as_now(fields: list[str], number: int) -> list[str]:
    """A line of the earlier table in the order of `_COLUMNS`."""
    organization, model, rating, distances, votes = fields
    low = high = ""
    if distances:
        found = _DISTANCES.fullmatch(distances)
        if not found:
            raise UnreadableBody(f"Line {number}: 95_pct_ci is {distances!r}, not two distances such as +5/-4.")
        middle = _points(rating, "the rating", number)
        low, high = str(middle - Decimal(found[2])), str(middle + Decimal(found[1]))
    name = f"{organization} / {model}" if organization and model else ""
    return ["overall", name, model, rating, low, high, votes]


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
