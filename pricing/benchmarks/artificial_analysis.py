"""Artificial Analysis' indices, read live with a key of one's own: its terms ask for credit, not for copies.

    {"tier": "free", "intelligence_index_version": "4.1",
     "pagination": {"page": 1, "page_size": 200, "total_pages": 3, "has_more": true},
     "data": [{"id": "…", "name": "o3-mini (high)", "slug": "o3-mini-high", "release_date": "2025-01-31",
               "model_creator": {"id": "…", "name": "OpenAI", "slug": "openai"},
               "evaluations": {"artificial_analysis_intelligence_index": 62.9, "artificial_analysis_coding_index": 55.8,
                               "artificial_analysis_agentic_index": null},
               "artificial_analysis_intelligence_index_cost": {"cost_per_task": {"total_cost": 0.1678}, …},
               "pricing": {…}, "performance": {"median_end_to_end_response_time_seconds": 9.09, …}}, …]}

Written from the documented answer of `GET /api/v2/language/models/free`: no response was at hand. Several pages come as
a list of them. An index that is null is not measured; names, makers, costs and times may be null too. A name that
several models share is shown with its slug. An index of one version does not compare with another's, so each look
replaces the one before it; pages of two versions are refused. The cost is of a task of the intelligence index, the time
that of an answer of 500 tokens, thinking included.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from pricing.benchmarks import ScoreFact, UnreadableBody
from pricing.benchmarks._reading import amount, document, member, only_once, optional, points, word

SLUG: Final = "artificial-analysis"
NAME: Final = "Artificial Analysis"
UNIT: Final = "index points"
DOMAIN: Final = "Knowledge, reasoning, coding and agents: an average of several published tests"
URL: Final = "https://artificialanalysis.ai/"
FEED: Final = "https://artificialanalysis.ai/api/v2/language/models/free"
MEDIA: Final = "json"
KEY: Final = "RATECARD_ARTIFICIAL_ANALYSIS_KEY"
HEADER: Final = "x-api-key"
CADENCE_HOURS: Final = 24
LICENCE: Final = "read live, not bundled"
ATTRIBUTION: Final = "Indices by Artificial Analysis (https://artificialanalysis.ai/), read live, not bundled"
CATEGORIES: Final[Mapping[str, str]] = {
    "overall": "Intelligence index",
    "coding": "Coding index",
    "agentic": "Agentic index",
}
RUNS_DATED: Final = False
CEILING: Final[Decimal | None] = None
SATURATION: Final = (
    "Its publisher replaces tests that have become too easy and numbers the version"
    " (artificialanalysis.ai/methodology/intelligence-benchmarking): points of two versions do not compare."
)
PUBLIC_SINCE: Final[date | None] = None
CONTAMINATION: Final = (
    "It averages mostly public tests, such as GPQA Diamond and Humanity's Last Exam, which later models can have learnt"
    " (artificialanalysis.ai/methodology/intelligence-benchmarking)."
)
MAP: Final = "artificial_analysis_map.csv"
BUNDLED: Final[Mapping[date, str]] = {}

_FIGURE: Final = {
    "overall": "artificial_analysis_intelligence_index",
    "coding": "artificial_analysis_coding_index",
    "agentic": "artificial_analysis_agentic_index",
}
_SECONDS: Final = "median_end_to_end_response_time_seconds"


def next_page(body: bytes) -> str | None:
    """The address of the page after this one; None after the last, or where the body is no page (`parse` says so)."""
    try:
        pagination = json.loads(body)["pagination"]
        return f"{FEED}?page={int(pagination['page']) + 1}" if pagination["has_more"] is True else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def parse(body: bytes) -> list[ScoreFact]:
    """Facts in the order of the pages; UnreadableBody says which entry is not one."""
    found = document(body)
    pages = found if isinstance(found, list) else [found]
    numbered = [(f"Page {number}", page) for number, page in enumerate(pages, 1)]
    versions = {str(member(page, "intelligence_index_version", where)) for where, page in numbered}
    if len(versions) > 1:
        raise UnreadableBody(f"The pages are of versions {', '.join(sorted(versions))} of the index: fetch them again.")
    entries = [entry for where, page in numbered for entry in _data(page, where)]
    shared = Counter(str(entry.get("name")) for entry in entries if isinstance(entry, dict))
    return only_once(one for number, entry in enumerate(entries, 1) for one in _facts(entry, f"Entry {number}", shared))


def _data(page: Any, where: str) -> list[Any]:
    data = member(page, "data", where)
    if not isinstance(data, list):
        raise UnreadableBody(f"{where}: data is no list of models.")
    return data


def _facts(entry: Any, where: str, shared: Counter[str]) -> Iterator[tuple[str, ScoreFact]]:
    slug = word(member(entry, "slug", where), where, "a slug")
    name = slug if member(entry, "name", where) is None else word(entry["name"], where)
    creator = entry.get("model_creator")
    maker = "" if creator is None else f"{word(member(creator, 'slug', where), where, 'its creator')} / "
    evaluations = member(entry, "evaluations", where)
    for category, figure in _FIGURE.items():
        value = optional(points, member(evaluations, figure, where), figure, where)
        if value is not None:
            shown = name if shared[name] < 2 else f"{name} ({slug})"
            fact = ScoreFact(category, raw_name=f"{maker}{slug}", display_name=shown, value=value)
            yield where, replace(fact, **_measured(entry, where)) if category == "overall" else fact


def _measured(entry: Any, where: str) -> dict[str, Any]:
    """What a task of the index cost and how long an answer took; said once, with the index itself."""
    task = _part(_part(entry, "artificial_analysis_intelligence_index_cost", where), "cost_per_task", where)
    cost = optional(amount, task.get("total_cost"), "cost_per_task", where)
    seconds = optional(amount, _part(entry, "performance", where).get(_SECONDS), _SECONDS, where)
    return {"cost_usd": cost or None, "cases": 1 if cost else None, "seconds_mean": seconds or None}


def _part(found: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    """An object within an object, an empty one where it is null or not there."""
    part = found.get(name) or {}
    if not isinstance(part, Mapping):
        raise UnreadableBody(f"{where}: {name} is no object: the publisher changed its format.")
    return part
