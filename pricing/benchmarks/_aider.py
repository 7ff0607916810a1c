"""Aider's leaderboards: how many exercises a model solved by editing files, and what the whole run cost.

    - dirname: 2025-06-25-20-33-28--o3-high
      test_cases: 225
      model: o3 (high)
      edit_format: diff
      reasoning_effort: high
      pass_rate_1: 40.0
      pass_rate_2: 81.3
      percent_cases_well_formed: 94.7
      prompt_tokens: 3148932
      completion_tokens: 2047615
      command: aider --model o3 --reasoning-effort high
      date: 2025-06-25
      seconds_per_case: 197.3
      total_cost: 21.2259

Each run has its own day. `pass_rate_2` is the headline: solved at the second try, after the failing tests were shown.
The cost is what Aider counted with its own price table: 0 stands for a model it had no price of (or a free one), so 0
is unknown here. Cost, tokens and seconds cover both tries of all exercises. The edit format is the `setting`; an
effort stands in the name and is the map's to say. A run of more exercises than the benchmark has is another's that
stands in the wrong file, and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pricing.benchmarks import ScoreFact, UnreadableBody
from pricing.benchmarks._reading import amount, count, day, entries, only_once, optional, share, whole, word

CATEGORIES: Final[Mapping[str, str]] = {
    "overall": "Solved at the second try",
    "first_try": "Solved at the first try",
    "well_formed": "Edits in the asked format",
}
_FIGURE: Final = {"overall": "pass_rate_2", "first_try": "pass_rate_1", "well_formed": "percent_cases_well_formed"}
_MODEL: Final = re.compile(r"--model (\S+)")


def parse(body: bytes, exercises: int) -> list[ScoreFact]:
    """Facts in the order of the file, the headline of a run first; UnreadableBody names the first run that is none."""
    return only_once(_facts(body, exercises))


def _facts(body: bytes, exercises: int) -> Iterator[tuple[str, ScoreFact]]:
    for number, run in enumerate(entries(body), start=1):
        where = f"Run {number}"
        name = word(run.get("model"), where, "its model")
        cases = count(run.get("test_cases"), "test_cases", where)
        if cases > exercises:
            continue
        for category, figure in _FIGURE.items():
            yield (
                where,
                ScoreFact(
                    category,
                    raw_name=_id(run, name),
                    display_name=name,
                    value=share(run.get(figure), figure, where),
                    n=cases,
                    setting=word(run.get("edit_format"), where, "its edit_format").lower(),
                    observed_on=day(run.get("date"), "date", where),
                    **(_measured(run, cases, where) if category == "overall" else {}),
                ),
            )


def _measured(run: Mapping[str, Any], cases: int, where: str) -> dict[str, Any]:
    """What the run took; said once, with the headline, as it is not the category's."""
    if not cases:
        raise UnreadableBody(f"{where} has no test_cases: a run of nothing.")
    return {
        "cases": cases,
        "cost_usd": optional(amount, run.get("total_cost"), "total_cost", where) or None,
        "input_tokens": optional(whole, run.get("prompt_tokens"), "prompt_tokens", where),
        "output_tokens": optional(whole, run.get("completion_tokens"), "completion_tokens", where),
        "seconds_mean": optional(amount, run.get("seconds_per_case"), "seconds_per_case", where),
    }


def _id(run: Mapping[str, Any], name: str) -> str:
    """What Aider was told to ask, where the command says it: the provider's id is plainer than the name."""
    found = _MODEL.search(str(run.get("command", "")))
    return found[1][:200] if found else name
