"""Epoch AI's published trends against inputs put together anew: its price table, its scores, an archive of prices.

Not the inputs of its study, which held Artificial Analysis' prices and scores too. The differences are in
docs/methods.md, and so are the figures.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from pricing.constant_quality import Observation, live_minimum, record_low

pytestmark = pytest.mark.shared

PAGE = (Path(__file__).parents[2] / "docs" / "methods.md").read_text("utf-8")
END_OF_STUDY = date(2025, 3, 1)
HORIZONS = (END_OF_STUDY, date(2026, 1, 1), date(2026, 11, 1))

VERSION_BY_OFFERING = {
    # What a maker sells itself under the name of one version, and Epoch AI's name of that version.
    "amazon/nova-lite-v1": "amazon.nova-lite-v1:0",
    "amazon/nova-micro-v1": "amazon.nova-micro-v1:0",
    "amazon/nova-pro-v1": "amazon.nova-pro-v1:0",
    "anthropic/claude-2.0": "claude-2.0",
    "anthropic/claude-2.1": "claude-2.1",
    "anthropic/claude-3-haiku": "claude-3-haiku-20240307",
    "anthropic/claude-3-opus": "claude-3-opus-20240229",
    "anthropic/claude-3-sonnet": "claude-3-sonnet-20240229",
    "anthropic/claude-3.5-haiku-20241022": "claude-3-5-haiku-20241022",
    "anthropic/claude-3.5-sonnet-20240620": "claude-3-5-sonnet-20240620",
    "anthropic/claude-instant-1.1": "claude-instant-1.1",
    "anthropic/claude-instant-1.2": "claude-instant-1.2",
    "cohere/command-r-08-2024": "c4ai-command-r-08-2024",
    "cohere/command-r-plus-08-2024": "c4ai-command-r-plus-08-2024",
    "deepseek/deepseek-chat": "DeepSeek-V3",
    "google/gemini-2.0-flash-001": "gemini-2.0-flash-001",
    "google/gemini-flash-1.5": "gemini-1.5-flash-002",
    "google/gemini-flash-1.5-8b": "gemini-1.5-flash-8b-001",
    "google/gemini-pro-1.5": "gemini-1.5-pro-002",
    "mistralai/mistral-large-2407": "mistral-large-2407",
    "mistralai/mistral-large-2411": "mistral-large-2411",
    "openai/gpt-3.5-turbo-0125": "gpt-3.5-turbo-0125",
    "openai/gpt-3.5-turbo-0613": "gpt-3.5-turbo-0613",
    "openai/gpt-3.5-turbo-1106": "gpt-3.5-turbo-1106",
    "openai/gpt-4": "gpt-4-0613",
    "openai/gpt-4-0314": "gpt-4-0314",
    "openai/gpt-4-1106-preview": "gpt-4-1106-preview",
    "openai/gpt-4-turbo": "gpt-4-turbo-2024-04-09",
    "openai/gpt-4o-2024-05-13": "gpt-4o-2024-05-13",
    "openai/gpt-4o-2024-08-06": "gpt-4o-2024-08-06",
    "openai/gpt-4o-2024-11-20": "gpt-4o-2024-11-20",
    "openai/gpt-4o-mini-2024-07-18": "gpt-4o-mini-2024-07-18",
}
FIRST_LOOK = {
    # The first look at which the id meant this version.
    "deepseek/deepseek-chat": date(2025, 1, 17),
    # The same; and before, Google's prices per character were shown as prices per token.
    "google/gemini-flash-1.5": date(2024, 11, 4),
    "google/gemini-flash-1.5-8b": date(2024, 11, 4),
    "google/gemini-pro-1.5": date(2024, 11, 4),
}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def early_prices(shared_data: Path, benchmark: str) -> Iterator[Observation]:
    """Epoch AI's own price table: blended 3 to 1, first party or median of hosts, dated by observation."""
    for row in table(shared_data / "quality/epoch/prices_2021-2025_with_benchmarks.csv"):
        yield Observation(
            model=row["Model Name"],
            observed_on=date.fromisoformat(row["Release Date"]),
            price=Decimal(row["USD per 1M Tokens"]),
            score=Decimal(row[benchmark]) if row[benchmark] else None,
        )


def best(scores: Iterator[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for version, score in scores:
        found[version] = max(score, found.get(version, score))
    return found


def mmlu(shared_data: Path) -> dict[str, Decimal]:
    """Five examples in the prompt, the best of what was published of a version."""
    rows = table(shared_data / "quality/epoch/external_benchmark_mmlu.csv")
    return best((row["Model version"].strip(), Decimal(row["EM"].strip("%"))) for row in rows if row["Shots"] == "5")


def gpqa_diamond(shared_data: Path) -> dict[str, Decimal]:
    """Epoch AI's own runs."""
    rows = table(shared_data / "quality/epoch/benchmarks_runs.csv")
    name = "Best score (across scorers)"
    return best((row["model"], 100 * Decimal(row[name])) for row in rows if row["task"] == "GPQA diamond" and row[name])


def archived_prices(shared_data: Path, scores: Mapping[str, Decimal]) -> Iterator[Observation]:
    """The makers' own prices as OpenRouter showed them, 3 to 1; the first one from the model's release on."""
    released = {
        row["id"]: row["Version release date"] for row in table(shared_data / "quality/epoch/model_versions.csv")
    }
    with gzip.open(shared_data / "prices/openrouter/wayback-history_to_2025-12.json.gz") as body:
        snapshots = json.load(body, parse_float=Decimal)["snapshots"]
    looks = [date.fromisoformat(snapshot["date"]) for snapshot in snapshots]
    for offering, version in VERSION_BY_OFFERING.items():
        since = FIRST_LOOK.get(offering, date.min)
        seen = {
            day: (3 * Decimal(prices[0]) + Decimal(prices[1])) / 4
            for day, snapshot in zip(looks, snapshots, strict=True)
            if day >= since and (prices := snapshot["prices"].get(offering))
        }
        first, last = min(seen), max(seen)
        gone = next((day for day in looks if day > last), None)
        starts = [first, *(after for before, after in pairwise(seen) if seen[after] != seen[before])]
        for day in starts:
            release = date.fromisoformat(released[version]) if day == first and released[version] else day
            yield Observation(offering, min(day, release), seen[day], scores.get(version), withdrawn_on=gone)


def inputs(shared_data: Path, benchmark: str) -> list[Observation]:
    column, scores = {"mmlu": ("MMLU", mmlu), "gpqa-diamond": ("GPQA Diamond", gpqa_diamond)}[benchmark]
    return [*early_prices(shared_data, column), *archived_prices(shared_data, scores(shared_data))]


@pytest.mark.parametrize(
    ("benchmark", "threshold", "low", "high"),
    [
        ("mmlu", "43.9", 8.3, 16.7),
        ("mmlu", "64.8", 8.1, 31.1),
        ("mmlu", "86", 4.1, 61.5),
        ("gpqa-diamond", "33", 4.4, 401),
    ],
)
def test_record_lows_lie_in_the_published_interval(
    shared_data: Path, benchmark: str, threshold: str, low: float, high: float
) -> None:
    found = record_low(inputs(shared_data, benchmark), Decimal(threshold), until=END_OF_STUDY)
    assert found.n >= 4
    assert found.per_year is not None
    assert low < found.per_year < high


def test_the_price_table_alone_says_why_it_is_not_enough_where_it_is_not(shared_data: Path) -> None:
    by_threshold = {
        (benchmark, threshold): record_low(early_prices(shared_data, benchmark), Decimal(threshold), until=END_OF_STUDY)
        for benchmark, threshold in (
            ("MMLU", "43.9"), ("MMLU", "64.8"), ("MMLU", "86"), ("GPQA Diamond", "33"),
        )
    }  # fmt: skip
    quoted = re.search(r"alone gives ([\d.]+) for MMLU ≥ 43.9 and ([\d.]+) for ≥ 64.8", PAGE)
    assert quoted is not None
    assert quoted.groups() == tuple(f"{by_threshold['MMLU', at].per_year:.3g}" for at in ("43.9", "64.8"))
    assert 8.3 < float(quoted[1]) < 16.7
    assert 8.1 < float(quoted[2]) < 31.1
    assert "there are 0." in by_threshold["MMLU", "86"].note
    assert "there are 3." in by_threshold["GPQA Diamond", "33"].note


@pytest.mark.parametrize("threshold", ["43.9", "64.8"])
def test_the_live_minimum_falls_more_slowly_the_longer_one_looks(shared_data: Path, threshold: str) -> None:
    """The cheapest of early 2025 is still the cheapest that was measured; the years since are flat."""
    given = inputs(shared_data, "mmlu")
    by_horizon = [live_minimum(given, Decimal(threshold), until=until).per_year or 0 for until in HORIZONS]
    assert by_horizon == sorted(by_horizon, reverse=True)
    assert 4 < by_horizon[-1] < 6


def test_the_page_quotes_what_these_inputs_give(shared_data: Path) -> None:
    rows = re.findall(
        r"^\| (mmlu|gpqa-diamond) ≥ (\S+) \| (record low|live minimum) \| ([\d-]+) \| (\d+) \| (.+?) \|",
        PAGE,
        re.MULTILINE,
    )
    assert len(rows) == 10
    for benchmark, threshold, estimator, until, n, figures in rows:
        estimate = {"record low": record_low, "live minimum": live_minimum}[estimator]
        found = estimate(inputs(shared_data, benchmark), Decimal(threshold), until=date.fromisoformat(until))
        assert found.interval is not None
        low, high = found.interval
        assert (str(found.n), f"{found.per_year:.3g} [{low:.3g}, {high:.3g}]") == (n, figures), (benchmark, threshold)
