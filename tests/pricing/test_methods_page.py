"""docs/methods.md quotes the figures that the code gives."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from pathlib import Path

import pytest

from pricing.constant_quality import live_minimum, read, record_low

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "tests" / "recorded" / "quality" / "price_index"
PAGE = (ROOT / "docs" / "methods.md").read_text("utf-8")
ROWS = re.findall(r"^\| (mmlu|gpqa-diamond|arena) \| (\S+) \| (\d+) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)


def quoted(factor: float | None, low: float | None, high: float | None) -> str:
    """As the page writes them: three digits."""
    assert factor is not None
    assert low is not None
    assert high is not None
    return f"{factor:.3g} [{low:.3g}, {high:.3g}]"


def published() -> dict[tuple[str, str], str]:
    with (RECORDED / "published.csv").open(encoding="utf-8") as lines:
        return {
            (row["benchmark"], row["threshold"]): quoted(float(row["per_year"]), float(row["low"]), float(row["high"]))
            for row in csv.DictReader(lines)
        }


def test_every_published_trend_is_on_the_page() -> None:
    assert {(benchmark, threshold): theirs for benchmark, threshold, _, theirs, _ in ROWS} == published()


@pytest.mark.parametrize(("benchmark", "threshold", "n", "theirs", "ours"), ROWS)
def test_the_page_quotes_what_the_code_gives(benchmark: str, threshold: str, n: str, theirs: str, ours: str) -> None:
    found = record_low(read((RECORDED / f"epoch_{benchmark}.csv").read_text("utf-8")), Decimal(threshold))
    assert found.interval is not None
    assert (str(found.n), quoted(found.per_year, *found.interval)) == (n, ours)


def test_the_difference_from_the_published_is_what_the_page_says() -> None:
    with (RECORDED / "published.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            inputs = read((RECORDED / f"epoch_{row['benchmark']}.csv").read_text("utf-8"))
            found = record_low(inputs, Decimal(row["threshold"]))
            assert found.interval is not None
            theirs = [float(row[name]) for name in ("per_year", "low", "high")]
            assert [found.per_year, *found.interval] == pytest.approx(theirs, rel=0.005)


def test_the_bootstrap_leans_as_the_page_says() -> None:
    """A minimum over fewer families is never lower, so the estimate lies in the upper half of its interval."""
    found = live_minimum(read((RECORDED / "epoch_arena.csv").read_text("utf-8")), Decimal(1186))
    assert found.per_year is not None
    assert found.interval is not None
    low, high = found.interval
    assert low is not None
    assert high is not None
    assert (low * high) ** 0.5 < found.per_year <= high
