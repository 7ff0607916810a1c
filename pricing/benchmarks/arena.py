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

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from pricing.benchmarks import ScoreFact, UnreadableBody
from pricing.benchmarks._reading import count, only_once, optional, points, table, word

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
    "Ratings are relative and have no ceiling, but their scale moves with the field, and tables until August 2025 are"
    " without style control, later ones with it: compare gaps within one table, never ratings of two."
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
_EARLIER: Final = ("organization", "model", "95_pct_ci", "votes")
_DISTANCES: Final = re.compile(r"\+(\d{1,4}(?:\.\d{1,4})?)/-(\d{1,4}(?:\.\d{1,4})?)")


def parse(body: bytes) -> list[ScoreFact]:
    """Facts in the order of the table; UnreadableBody names the first line that is not one."""
    earlier = b"95_pct_ci" in body[:4096]
    rows = table(body, _EARLIER if earlier else _COLUMNS)
    return only_once((where, _earlier(row, where) if earlier else _fact(row, where)) for where, row in rows)


def _fact(row: Mapping[str, str], where: str) -> ScoreFact:
    return ScoreFact(
        word(row["category"], where, "a category"),
        raw_name=word(row["model"], where, "a model"),
        display_name=word(row["display_name"], where, "a display name"),
        value=points(row["rating"], "rating", where),
        low=optional(points, row["rating_low"], "rating_low", where),
        high=optional(points, row["rating_high"], "rating_high", where),
        n=optional(count, row["votes"], "votes", where),
    )


def _earlier(row: Mapping[str, str], where: str) -> ScoreFact:
    rating = points(row.get("arena_score", row.get("arena_elo")), "the rating", where)
    distances = optional(_distances, row["95_pct_ci"], "95_pct_ci", where)
    name = word(row["model"], where, "a model")
    return ScoreFact(
        "overall",
        raw_name=f"{word(row['organization'], where, 'an organization')} / {name}",
        display_name=name,
        value=rating,
        low=rating - distances[1] if distances else None,
        high=rating + distances[0] if distances else None,
        n=optional(count, row["votes"], "votes", where),
    )


def _distances(written: str, what: str, where: str) -> tuple[Decimal, Decimal]:
    found = _DISTANCES.fullmatch(written)
    if not found:
        raise UnreadableBody(f"{where}: {what} is {written!r}, not two distances such as +5/-4.")
    return Decimal(found[1]), Decimal(found[2])
