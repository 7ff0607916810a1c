"""SWE-bench Verified, the model alone in the same small agent, read live: its table states no licence to copy it under.

    {"leaderboards": [{"name": "Verified", "results": [
        {"name": "Claude 4.5 Opus (20251101)", "folder": "20251124_mini-v1.16.0_…", "resolved": 74.4,
         "date": "2025-11-24", "cost": 376.95, "instance_cost": 0.75, "mini-swe-agent_version": "1.16.0",
         "per_instance_details": {"astropy__astropy-12907": {"cost": 0.5, "api_calls": 30, "resolved": true}, …},
         "tags": ["Model: …"], "warning": null, …}, …]}, …]}

Written from the published file's shape; no copy ships. Most rows are agents, not models, so only those that ran in
mini-SWE-agent are read (of the boards `Verified` and, where they stood before, `bash-only`); its version is the
setting, because another version is another test. A row that SWE-bench itself warns of is left out. `resolved` is a
share of 500 tasks, `cost` that of the run, or else `instance_cost` of each. One submission on two boards is one point,
by its folder in any case: they name it each in its own way ("Gemini 2.5 Pro (2025-05-06)" and "mini-SWE-agent + Gemini
2.5 Pro (2025-05-06)"), maybe with another day, so only another result is refused. The agent is no part of the name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from pricing.benchmarks import ScoreFact, UnreadableBody
from pricing.benchmarks._reading import amount, day, document, member, only_once, optional, share, word

SLUG: Final = "swe-bench"
NAME: Final = "SWE-bench (mini-SWE-agent)"
UNIT: Final = "% resolved"
DOMAIN: Final = "Fixing 500 real issues of Python projects, the model alone in a small agent"
URL: Final = "https://www.swebench.com/"
FEED: Final = "https://raw.githubusercontent.com/SWE-bench/swe-bench.github.io/master/data/leaderboards.json"
CADENCE_HOURS: Final = 24
LICENCE: Final = "read live, not bundled"
ATTRIBUTION: Final = "SWE-bench Verified (www.swebench.com), read live, not bundled"
CATEGORIES: Final[Mapping[str, str]] = {"overall": "Issues resolved in mini-SWE-agent"}
RUNS_DATED: Final = True
CEILING: Final[Decimal | None] = None
SATURATION: Final = (
    "One of 500 tasks is 0.2 points and the binomial 95 % interval of a run at 80 is 3.5 points to either side, so the"
    " best, which stand closer together than that, are not told apart."
)
PUBLIC_SINCE: Final[date | None] = date(2024, 8, 13)
CONTAMINATION: Final = (
    "Its issues and their fixes are public, as the set itself is since August 2024; SWE-bench warns of runs that looked"
    " the fix up (www.swebench.com/post-20251119-cheating.html)."
)
MAP: Final = "swe_bench_map.csv"
BUNDLED: Final[Mapping[date, str]] = {}

_BOARDS: Final = frozenset({"verified", "bash-only"})
_AGENT: Final = "mini-swe-agent_version"
_AGENT_IN_NAME: Final = "mini-SWE-agent + "
_TASKS: Final = 500


def parse(body: bytes) -> list[ScoreFact]:
    """Facts in the order of the boards; UnreadableBody says which row is not one."""
    boards = member(document(body), "leaderboards", "The file")
    if not isinstance(boards, list):
        raise UnreadableBody("The file's leaderboards are no list.")
    return only_once(_facts(boards))


def _facts(boards: list[Any]) -> Iterator[tuple[str, ScoreFact]]:
    seen: dict[str, ScoreFact] = {}
    for board in boards:
        title = word(member(board, "name", "A leaderboard"), "A leaderboard")
        if title.lower() not in _BOARDS:
            continue
        rows = member(board, "results", title)
        if not isinstance(rows, list):
            raise UnreadableBody(f"{title}: results is no list of runs.")
        for number, row in enumerate(rows, 1):
            where = f"{title}, row {number}"
            fact = _fact(row, where)
            if fact is None:
                continue
            first = seen.setdefault(fact.raw_name.lower(), fact)
            if first is fact:
                yield where, fact
            elif (first.value, first.setting) != (fact.value, fact.setting):
                raise UnreadableBody(f"{where} says otherwise of {fact.raw_name!r} than a row before it.")


def _fact(row: Any, where: str) -> ScoreFact | None:
    resolved = member(row, "resolved", where)
    version = row.get(_AGENT)
    if not version or resolved is None or row.get("warning"):
        return None
    whole = optional(amount, row.get("cost"), "cost", where)
    each = optional(amount, row.get("instance_cost"), "instance_cost", where)
    cost = whole if whole is not None or each is None else each * _TASKS
    return ScoreFact(
        "overall",
        raw_name=word(member(row, "folder", where), where, "its folder"),
        display_name=word(member(row, "name", where), where).removeprefix(_AGENT_IN_NAME),
        value=share(resolved, "resolved", where),
        n=_TASKS,
        cases=_TASKS,
        cost_usd=cost or None,
        setting=f"mini-swe-agent {word(version, where, 'its version')}",
        observed_on=day(member(row, "date", where), "date", where),
    )
