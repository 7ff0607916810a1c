"""OpenRouter's own evaluations, read live with a key of one's own: `GET /benchmarks?source=openrouter`.

    {"data": [{"source": "openrouter", "benchmark_type": "gpqa_diamond", "model_permaslug": "openai/gpt-4o",
               "display_name": "GPT-4o", "provider_name": "OpenAI", "accuracy": 0.72, "accuracy_stddev": 0.03,
               "avg_cost_per_task": 0.002, "avg_duration_per_task_ms": 8100, "total_tasks": 300, "run_count": 2,
               "last_run_timestamp": "2026-06-03T12:00:00Z", "pricing": {…}}, …],
     "meta": {"as_of": "2026-06-03T12:00:00Z", "source": "openrouter", "citation": null, …}}

Written from the published schema: no response was at hand. Other sources' scores that the endpoint passes on
(Artificial Analysis, Design Arena) are theirs and are not read here. The schema says that further kinds of evaluation
will come: a kind without a category here is left out. The provider that served the runs is the setting; each kind has
the day of its last run. `accuracy_stddev` is between runs, not an interval. `model_permaslug` is the id it is sold
under there, or the dated one that OpenRouter's list gives as its `canonical_slug`: no map has to say what it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from pricing.benchmarks import ScoreFact, UnreadableBody
from pricing.benchmarks._reading import amount, count, day, document, member, only_once, optional, share, word

SLUG: Final = "openrouter-benchmarks"
NAME: Final = "OpenRouter evaluations"
UNIT: Final = "% right"
DOMAIN: Final = "Science questions of graduate level, and serving an airline's customers with tools"
URL: Final = "https://openrouter.ai/rankings"
FEED: Final = "https://openrouter.ai/api/v1/benchmarks?source=openrouter"
MEDIA: Final = "json"
KEY: Final = "RATECARD_OPENROUTER_KEY"
CADENCE_HOURS: Final = 24
LICENCE: Final = "read live, not bundled"
ATTRIBUTION: Final = "Evaluations by OpenRouter (openrouter.ai/rankings), read live, not bundled"
CATEGORIES: Final[Mapping[str, str]] = {
    "gpqa_diamond": "Science questions of graduate level (GPQA Diamond)",
    "tau_bench_verified_airline": "Serving an airline's customers (tau-bench, verified)",
}
RUNS_DATED: Final = True
CEILING: Final[Decimal | None] = Decimal(90)
SATURATION: Final = (
    "GPQA Diamond has 198 questions (arxiv.org/abs/2311.12022): one is 0.5 points and the binomial 95 % interval of a"
    " run at 90 about 4 points to either side, so above 90 an order is mostly chance."
)
PUBLIC_SINCE: Final[date | None] = date(2023, 11, 20)
CONTAMINATION: Final = (
    "GPQA's questions and answers are public since November 2023 (arxiv.org/abs/2311.12022), tau-bench's tasks since"
    " June 2024: later models can have learnt them."
)
MAP: Final = "openrouter_benchmarks_map.csv"
SOLD_AS: Final = "openrouter"
BUNDLED: Final[Mapping[date, str]] = {}

_TO_SECONDS: Final = Decimal(1000)


def parse(body: bytes) -> list[ScoreFact]:
    """Facts in the order of the answer; UnreadableBody says which item is not one."""
    data = member(document(body), "data", "The answer")
    if not isinstance(data, list):
        raise UnreadableBody("The answer's data is no list of evaluations.")
    return only_once(one for number, item in enumerate(data, 1) for one in _facts(item, f"Item {number}"))


def _facts(item: Any, where: str) -> Iterator[tuple[str, ScoreFact]]:
    if member(item, "source", where) != "openrouter":
        return
    category = word(member(item, "benchmark_type", where), where, "its kind")
    if category not in CATEGORIES:
        return
    tasks = count(member(item, "total_tasks", where), "total_tasks", where)
    cost = optional(amount, member(item, "avg_cost_per_task", where), "avg_cost_per_task", where)
    spent = optional(amount, item.get("avg_duration_per_task_ms"), "avg_duration_per_task_ms", where)
    provider = item.get("provider_name")
    yield (
        where,
        ScoreFact(
            category,
            raw_name=word(member(item, "model_permaslug", where), where, "its model"),
            display_name=word(member(item, "display_name", where), where),
            value=_percent(member(item, "accuracy", where), where),
            n=tasks,
            cases=tasks or None,
            cost_usd=None if cost is None or not tasks else cost * tasks,
            seconds_mean=None if spent is None else spent / _TO_SECONDS,
            setting="" if provider is None else word(provider, where, "its provider").lower(),
            observed_on=day(member(item, "last_run_timestamp", where), "last_run_timestamp", where),
        ),
    )


def _percent(found: Any, where: str) -> Decimal:
    return share(found * 100 if isinstance(found, Decimal) else found, "accuracy", where)
