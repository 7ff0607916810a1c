"""Berkeley Function Calling Leaderboard: how often a model calls the right function rightly, its cost and latency.

    Rank,Overall Acc,Model,Model Link,Total Cost ($),Latency Mean (s),…,Latency 95th Percentile (s),Non-Live AST Acc,…
    1,77.47%,Claude-Opus-4-5-20251101 (FC),https://…,86.55,4.38,3.13,7.56,88.58%,…,Anthropic,Proprietary

A table per release, whole. `(FC)` is the vendor's own function calling, `(Prompt)` functions described in the prompt:
the `setting`. Until 2025 the cost is `Cost ($ Per 1k Function Calls)`, so of 1,000 cases; since then it is the total
of a run whose number of cases the table does not state, and a prompt run pays for the tests of format besides: a cost
per task is unknown. Weights that BFCL serves itself cost what it reckons for its own GPUs, and take what these take.
`N/A` is unknown. What `Overall Acc` averages changes with the version (2024-10: 3, 2025-12: 4), so two tables do not
compare.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from pricing.benchmarks import ScoreFact
from pricing.benchmarks._reading import amount, only_once, optional, share, table, word

SLUG: Final = "bfcl"
NAME: Final = "BFCL"
UNIT: Final = "% right"
DOMAIN: Final = "Calling functions: one, several, none, over many turns"
URL: Final = "https://gorilla.cs.berkeley.edu/leaderboard.html"
FEED: Final = "https://gorilla.cs.berkeley.edu/data_overall.csv"
CADENCE_HOURS: Final = 7 * 24
LICENCE: Final = "Apache-2.0"
ATTRIBUTION: Final = "Berkeley Function Calling Leaderboard (gorilla.cs.berkeley.edu), Apache-2.0"
CATEGORIES: Final[Mapping[str, str]] = {
    "overall": "Everything (overall)",
    "non_live": "Curated single calls",
    "live": "Single calls that people sent in",
    "multi_turn": "Calls over many turns",
    "web_search": "Searching the web",
    "memory": "Keeping and finding notes",
    "relevance": "Calling when a function fits",
    "irrelevance": "Not calling when none fits",
}
RUNS_DATED: Final = False
CEILING: Final[Decimal | None] = None
SATURATION: Final = (
    "No overall score is near 100 (the best of December 2025 is 77), as each version adds harder parts: many turns in"
    " September 2024, search and memory in July 2025 (gorilla.cs.berkeley.edu/blogs/15_bfcl_v4_web_search.html)."
)
PUBLIC_SINCE: Final[date | None] = date(2024, 2, 26)
CONTAMINATION: Final = (
    "Questions and answers of the first set are public since February 2024"
    " (huggingface.co/datasets/gorilla-llm/Berkeley-Function-Calling-Leaderboard); some entries are models trained for"
    " this test."
)
MAP: Final = "bfcl_map.csv"
BUNDLED: Final[Mapping[date, str]] = {
    date(2024, 10, 21): "bfcl_2024-10-21.csv.gz",
    date(2025, 12, 16): "bfcl_2025-12-16.csv.gz",
}

_FIGURE: Final = {
    "overall": "Overall Acc",
    "non_live": "Non-Live AST Acc",
    "live": "Live Acc",
    "multi_turn": "Multi Turn Acc",
    "web_search": "Web Search Acc",
    "memory": "Memory Acc",
    "relevance": "Relevance Detection",
    "irrelevance": "Irrelevance Detection",
}
_TOTAL: Final = "Total Cost ($)"
_PER_THOUSAND: Final = "Cost ($ Per 1k Function Calls)"
_SETTING: Final = re.compile(r"\(((?:FC|Prompt)[^()]{0,40})\)")


def parse(body: bytes) -> list[ScoreFact]:
    """Facts in the order of the table, a model's overall first; UnreadableBody names the first line that is none."""
    return only_once(_facts(body))


def _facts(body: bytes) -> Iterator[tuple[str, ScoreFact]]:
    for where, row in table(body, ("Model", "Overall Acc", "Organization", "Latency Mean (s)")):
        name = word(row["Model"], where, "a model")
        setting = _SETTING.search(name)
        for category, column in _FIGURE.items():
            value = optional(share, row.get(column), column, where)
            if value is None:
                continue
            yield (
                where,
                ScoreFact(
                    category,
                    raw_name=f"{word(row['Organization'], where, 'an organisation')} / {name}",
                    display_name=name,
                    value=value,
                    setting=setting[1].lower() if setting else "",
                    **(_measured(row, where) if category == "overall" else {}),
                ),
            )


def _measured(row: Mapping[str, str], where: str) -> dict[str, Any]:
    """What the run took; said once, with the overall score, as it is not the category's."""
    thousand = optional(amount, row.get(_PER_THOUSAND), _PER_THOUSAND, where)
    return {
        "cost_usd": optional(amount, row.get(_TOTAL), _TOTAL, where) if thousand is None else thousand,
        "cases": None if thousand is None else 1000,
        "seconds_mean": optional(amount, row["Latency Mean (s)"], "Latency Mean (s)", where),
        "seconds_p95": optional(amount, row.get("Latency 95th Percentile (s)"), "Latency 95th Percentile (s)", where),
    }
