"""What the curve's page says of a benchmark itself: what it measures, and where its figures are to be doubted."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client, override_settings

from dashboards.pages.quality.marks import STALE_DAYS, marks
from pricing import quality
from pricing.benchmarks import benchmarks
from pricing.quality_querysets import Marks

ON = date(2026, 11, 26)


def told(slug: str, names: int, above: int | None, newest: date | None) -> dict[str, Any]:
    known = Marks(SimpleNamespace(), names, above, newest)  # type: ignore[arg-type]
    return {mark.name: mark for mark in marks(benchmarks()[slug], known, ON)}


def test_a_benchmark_with_a_ceiling_says_how_many_names_it_cannot_tell_apart() -> None:
    found = told("mmlu", 90, 3, ON)
    assert found["Saturation"].sentence.startswith("3 of 90 names score 93.5 or more, where differences are noise.")
    assert found["Saturation"].doubt
    assert not told("mmlu", 90, 0, ON)["Saturation"].doubt
    assert told("arena", 90, None, ON)["Saturation"].sentence == benchmarks()["arena"].SATURATION


def test_public_tasks_are_a_doubt_and_votes_on_new_prompts_are_none() -> None:
    assert told("mmlu", 90, 0, ON)["Contamination"].doubt
    assert not told("arena", 90, None, ON)["Contamination"].doubt


@pytest.mark.parametrize(("days", "is_stale"), [(STALE_DAYS, False), (STALE_DAYS + 1, True)])
def test_no_new_name_for_half_a_year_is_stale(days: int, is_stale: bool) -> None:
    newest = told("arena", 90, None, date.fromordinal(ON.toordinal() - days))["Newest name"]
    assert newest.doubt is is_stale
    assert ("newer models do not publish here" in newest.sentence) is is_stale


def test_where_nothing_is_known_of_names_nothing_is_said() -> None:
    assert "Newest name" not in told("arena", 0, None, None)


@pytest.mark.django_db
@override_settings(PUBLIC_CATALOG=True)
def test_the_page_says_it_of_the_benchmark_it_draws() -> None:
    quality.load_bundled(["mmlu"])
    page = Client().get("/quality?benchmark=mmlu").content.decode()
    assert f"<b>Measures</b><br>{benchmarks()['mmlu'].DOMAIN}." in page
    assert "where differences are noise" in page
