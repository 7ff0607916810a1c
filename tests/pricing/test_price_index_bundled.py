"""The price of constant quality from what ships, without a network: docs/methods.md states what it gives."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pricing.answers.price_index import Asked, price_index

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

PAGE = (Path(__file__).parents[2] / "docs" / "methods.md").read_text("utf-8")
ROWS = re.findall(
    r"^\| (mmlu|gpqa-diamond) ≥ (\S+) \| (record low|live minimum) \| (\w+) \| ([\d-]+) \| (\d+) \| (.+?) \|",
    PAGE,
    re.MULTILINE,
)
NOW = datetime(2026, 11, 26, tzinfo=UTC)
END_OF_STUDY = "2025-03-01"
TODAY = "2026-11-01"


def index(benchmark: str, threshold: str, estimator: str, sellers: str, until: str) -> dict[str, Any]:
    asked = Asked.of(threshold, estimator.replace(" ", "_"), until=until)
    return price_index(asked, benchmark, sellers=sellers, now=NOW)


@pytest.mark.parametrize(("benchmark", "threshold", "estimator", "sellers", "until", "n", "figures"), ROWS)
def test_the_page_quotes_what_ships(
    benchmark: str, threshold: str, estimator: str, sellers: str, until: str, n: str, figures: str
) -> None:
    found = index(benchmark, threshold, estimator, sellers, until)
    low, high = found["interval"]
    assert (str(found["n"]), f"{found['per_year']:.3g} [{low:.3g}, {high:.3g}]") == (n, figures)


def test_the_page_states_every_estimator_at_several_horizons() -> None:
    assert len(ROWS) == 22
    assert {row[:3] for row in ROWS} >= {
        (benchmark, threshold, "record low")
        for benchmark, threshold in (("mmlu", "43.9"), ("mmlu", "64.8"), ("mmlu", "86"), ("gpqa-diamond", "33"))
    }


@pytest.mark.parametrize(
    ("benchmark", "threshold", "least", "most"),
    [
        ("mmlu", "43.9", 8.3, 16.7),
        ("mmlu", "64.8", 8.1, 31.1),
        ("mmlu", "86", 4.1, 61.5),
        ("gpqa-diamond", "33", 4.4, 401),
    ],
)
def test_record_lows_lie_in_epochs_published_interval(
    benchmark: str, threshold: str, least: float, most: float
) -> None:
    found = index(benchmark, threshold, "record low", "maker_or_median", END_OF_STUDY)
    assert found["n"] >= 6
    assert least < found["per_year"] < most


@pytest.mark.parametrize("threshold", ["43.9", "64.8"])
def test_the_live_minimum_of_the_makers_falls_four_to_five_times_a_year_until_today(threshold: str) -> None:
    """And faster the less far one looks: the cheapest model that MMLU was published of came in December 2024."""
    by_horizon = [
        index("mmlu", threshold, "live minimum", "maker", until)["per_year"]
        for until in (END_OF_STUDY, "2026-01-01", TODAY)
    ]
    assert by_horizon == sorted(by_horizon, reverse=True)
    assert 4 < by_horizon[-1] < 5


def test_a_records_start_is_known() -> None:
    """Announced, documented, seen in a dated list, or the maker's since the model's release."""
    points = index("mmlu", "43.9", "record low", "maker_or_median", END_OF_STUDY)["points"]
    assert [(point["date"], point["price"], point["model"]) for point in points[:3]] == [
        ("2021-11-20", "60", "davinci"),
        ("2022-09-01", "20", "davinci"),
        ("2023-06-13", "1.625", "gpt-3.5-turbo-0613"),
    ]


def test_what_was_sold_once_is_not_live_today() -> None:
    points = index("mmlu", None, "live minimum", "maker", TODAY)["inputs"]  # type: ignore[arg-type]
    gone = {"davinci", "text-davinci-002", "claude-2-0", "gemini-1.5-pro-002", "gpt-3.5-turbo-0613"}
    ends = {one["model"]: one["withdrawn"] for one in points if one["model"] in gone}
    assert ends.keys() == gone
    assert all(day is not None and day < TODAY for day in ends.values())
