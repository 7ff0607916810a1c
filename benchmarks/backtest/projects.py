"""Six constructed projects over the years: what each asks of which model, as a table that an import reads.

Volumes and sizes are invented, and the same whenever they are made; models, the days they were in use by such projects
and their prices are real. A project moves as its like did: when the next model of its vendor was out for some weeks.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

START: Final = date(2024, 6, 15)
PER_DAY: Final = 12
COLUMNS: Final = ("id", "time", "provider", "model", "project", "input", "cached", "written", "output")
MAPPING: Final = {
    "columns": {
        "id": "id", "time": "time", "host": "provider", "model": "model", "project": "project", "input": "input",
        "cache_read": "cached", "cache_write": "written", "output": "output",
    },
    "grain": "request", "cache": "exclusive",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Constructed:
    """A project: its vendor's models with the day each came into use, and the tokens of its mean request.

    `patient` is the share of its requests that can wait for a batch or for the cheap hours, which only it knows.
    """

    slug: str
    provider: str
    models: tuple[tuple[date, str], ...]
    input: int
    cached: int
    written: int
    output: int
    patient: float

    def model_on(self, day: date) -> str:
        return [model for since, model in self.models if since <= day][-1]


def _models(*moves: tuple[str, str]) -> tuple[tuple[date, str], ...]:
    return tuple((date.fromisoformat(day), model) for day, model in moves)


PROJECTS: Final = (
    Constructed(
        "chat", "openai",
        _models(("2024-06-15", "gpt-4o-2024-05-13"), ("2024-11-15", "gpt-4o-2024-08-06"), ("2025-05-15", "gpt-4.1")),
        1_800, 0, 0, 350, 0.0,
    ),
    Constructed(
        "support", "anthropic",
        _models(
            ("2024-06-15", "claude-3-5-sonnet-20240620"), ("2025-03-15", "claude-3-7-sonnet-20250219"),
            ("2025-06-15", "claude-sonnet-4-20250514"),
        ),
        2_400, 4_800, 300, 300, 0.1,
    ),
    Constructed(
        "extraction", "openai",
        _models(
            ("2024-06-15", "gpt-4-turbo-2024-04-09"), ("2025-02-15", "gpt-4o-mini-2024-07-18"),
            ("2025-06-15", "gpt-4.1-mini"),
        ),
        3_500, 0, 0, 180, 0.9,
    ),
    Constructed(
        "coding", "anthropic",
        _models(
            ("2024-06-15", "claude-3-opus-20240229"), ("2024-11-15", "claude-3-5-sonnet-20241022"),
            ("2025-06-15", "claude-opus-4-20250514"),
        ),
        2_000, 30_000, 2_000, 900, 0.2,
    ),
    Constructed(
        "translation", "mistral",
        _models(
            ("2024-06-15", "mistral-large-2402"), ("2024-12-15", "mistral-large-2411"),
            ("2025-06-15", "mistral-medium-2505"),
        ),
        900, 0, 0, 950, 0.5,
    ),
    Constructed(
        "documents", "google",
        _models(
            ("2024-06-15", "gemini-1.5-pro-001"), ("2024-11-15", "gemini-1.5-pro-002"), ("2025-07-15", "gemini-2.5-pro")
        ),
        60_000, 0, 0, 1_200, 0.6,
    ),
)  # fmt: skip


def table(until: date) -> Iterator[str]:
    """The requests of all projects on the UTC days [START, until), the header first."""
    yield ",".join(COLUMNS)
    for project in PROJECTS:
        chance = random.Random(project.slug)  # noqa: S311 - not a secret
        for number in range((until - START).days):
            day = START + timedelta(days=number)
            yield from _day(project, day, chance)


def _day(project: Constructed, day: date, chance: random.Random) -> Iterator[str]:
    for number in range(PER_DAY):
        at = datetime(day.year, day.month, day.day, number * 24 // PER_DAY, tzinfo=UTC)
        size = chance.lognormvariate(0, 0.35)
        counts = [round(count * size) for count in (project.input, project.cached, project.written, project.output)]
        told = ",".join(str(count) for count in counts)
        sold = f"{project.provider},{project.model_on(day)},{project.slug}"
        yield f"{project.slug}-{day}-{number},{at:%Y-%m-%dT%H:%M:%SZ},{sold},{told}"
