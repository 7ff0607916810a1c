"""What Larkfield measured of models on its own work: a table for each suite, as an evaluation writes it. Pure.

Scores are invented, and the same whenever the sample is made: an item's difficulty and a model's luck with it hang on
their names alone. Models fail on the same items, as they do. Costs are tokens at the list prices of 1 November 2026.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

HEAD = "suite,metric,item,model,effort,score,cost_usd,input_tokens,output_tokens,run_date"


@dataclass(frozen=True, slots=True)
class Entrant:
    """A model in a suite: how good, how many tokens an answer, its list price per Mtok in and out, when it ran."""

    model: str
    skill: float
    tokens_in: int
    tokens_out: int
    usd_in: str
    usd_out: str
    effort: str = ""
    ran_on: str = "2026-10-31"
    items: int = 0


CLAIMS = (
    Entrant("openai/gpt-5.6-sol", 0.868, 2_900, 640, "4", "20", "medium"),
    Entrant("google/gemini-3.8-flash", 0.842, 3_050, 600, "0.75", "3.75"),
    Entrant("anthropic/claude-sonnet-5-5", 0.905, 3_200, 910, "2", "10"),
    Entrant("openai/gpt-5.6-luna", 0.790, 2_900, 410, "0.2", "1.2", "low"),
    Entrant("openai/gpt-5.6-luna", 0.848, 2_900, 1_750, "0.2", "1.2", "high"),
    Entrant("deepseek/deepseek-v4-flash", 0.812, 3_100, 720, "0.15", "0.6"),
    Entrant("mistral/mistral-large-4", 0.860, 3_000, 560, "0.7", "2.1", ran_on="2026-11-12", items=60),
    Entrant("claims-triage-7b-ft3", 0.835, 2_900, 220, "", "", ran_on="2026-11-12"),
)
SEARCH = (
    Entrant("google/gemini-3.7-flash", 0.80, 5_200, 310, "0.75", "3.75"),
    Entrant("anthropic/claude-haiku-5-5", 0.80, 5_400, 350, "0.1", "0.5"),
    Entrant("openai/gpt-5.6-luna", 0.76, 5_100, 290, "0.2", "1.2", "low"),
)
SUITES = {
    "claims-triage": ("Claims decisions", "correct", CLAIMS, 480, 1),
    "policy-search": ("Cited answers", "rubric", SEARCH, 200, 2),
}
"""By project: suite, measure, models, items, repeats. A rubric scores between 0 and 1, a decision is right or not."""


def table(project: str) -> Iterator[str]:
    """The lines of a project's table, the header first."""
    suite, metric, entrants, items, repeats = SUITES[project]
    yield HEAD
    for one in entrants:
        for number in range(1, (one.items or items) + 1):
            item = f"{project}-{number:03}"
            for repeat in range(repeats):
                score = _score(one, item, repeat, graded=repeats > 1)
                told_in, out = _tokens(one.tokens_in, item), _tokens(one.tokens_out, f"{item} {one.model} {repeat}")
                cost = f"{_cost(one, told_in, out):.6f}" if one.usd_in else ""
                yield f"{suite},{metric},{item},{one.model},{one.effort},{score},{cost},{told_in},{out},{one.ran_on}"


def _score(one: Entrant, item: str, repeat: int, *, graded: bool) -> str:
    hard, luck = _uniform(f"how hard is {item}"), _gauss(f"{one.model} {one.effort} {item} {repeat}") * 0.05
    room = one.skill - hard + luck
    return f"{min(max(0.5 + 2.2 * room, 0), 1):.2f}" if graded else str(int(room > 0))


def _tokens(mean: int, of: str) -> int:
    return max(1, round(mean * (1 + 0.18 * _gauss(f"tokens of {of}"))))


def _cost(one: Entrant, tokens_in: int, tokens_out: int) -> float:
    return (tokens_in * float(one.usd_in) + tokens_out * float(one.usd_out)) / 1_000_000


def _uniform(of: str) -> float:
    return (int.from_bytes(hashlib.sha256(of.encode()).digest()[:6]) + 0.5) / 2**48


def _gauss(of: str) -> float:
    return NormalDist().inv_cdf(_uniform(of))
