"""What models can do, as the reviewed table says it: facts with a source, beside what sources say, in either order."""

from __future__ import annotations

import csv
import gzip
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from pricing.catalog.traits import model_traits, write_traits
from pricing.matching import identify
from pricing.models import LanguageModel
from pricing.sources import all_sources

CAPABILITIES = {"tools", "reasoning", "structured_output", "vision"}
RECORDED = {
    "models.dev": ("models_dev", "models-dev", ("2025-12-01__compiled-7241e658bb", "2026-03-01__compiled-fec48b83d3",
                                                "2025-07-01__compiled-4e559d647b")),
    "OpenRouter, list of models": ("openrouter", "openrouter", ("2026-07-18__raw", "2026-08-22__raw")),
    "LiteLLM, price table": ("litellm", "litellm", ("2026-06-01__litellm-1.86.2", "2026-09-01__litellm-1.99.0")),
}  # fmt: skip
"""The recorded bodies of each source that the table cites."""


def lines() -> list[dict[str, str]]:
    text = files("pricing").joinpath("data/model_traits.csv").read_text("utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def test_every_line_is_of_one_model_with_its_source_its_day_and_its_licence() -> None:
    found = lines()
    assert len({row["model"] for row in found}) == len(found) == len(model_traits()) > 400
    for row in found:
        assert row["source"] in RECORDED
        assert row["licence"]
        assert row["url"].startswith("https://")
        assert date.fromisoformat(row["observed_on"]) < date(2026, 11, 1)
        assert set(row["capabilities"].split()) <= CAPABILITIES
        assert all(word.endswith(("_in", "_out")) for word in row["modalities"].split())


@pytest.mark.django_db
@pytest.mark.usefixtures("catalogue")
def test_the_bundled_catalogue_knows_what_its_rated_models_can_do() -> None:
    known = LanguageModel.objects.exclude(capabilities=[])
    assert known.count() >= 400
    assert "tools" in LanguageModel.objects.get(key="openai/o4-mini").capabilities
    assert LanguageModel.objects.get(key="openai/o4-mini").open_weights is False


@pytest.mark.django_db
@pytest.mark.usefixtures("catalogue")
def test_what_is_known_already_stays_and_twice_changes_nothing() -> None:
    said = model_traits()["openai/o4-mini"]
    model = LanguageModel.objects.get(key="openai/o4-mini")
    model.capabilities, model.modalities, model.open_weights = ["computer_use"], ["audio_in"], True
    model.save()
    for _ in range(2):
        write_traits()
        model.refresh_from_db()
        assert set(model.capabilities) == {"computer_use", *said.capabilities}
        assert set(model.modalities) == {"audio_in", *said.modalities}
        assert model.open_weights is True  # somebody publishes them


@pytest.mark.shared
def test_each_fact_is_what_its_source_said(shared_data: Path) -> None:
    told: dict[tuple[str, str], list[Any]] = {}
    for name, (slug, folder, bodies) in RECORDED.items():
        source: Any = all_sources()[slug]
        for body in bodies:
            packed = (shared_data / "prices" / folder / f"{body}.json.gz").read_bytes()
            for fact in source.parse(gzip.decompress(packed)).offerings:
                told.setdefault((name, identify(fact.provider, fact.sku).key), []).append((body[:10], fact))
    for row in lines():
        facts = [fact for day, fact in told[row["source"], row["model"]] if day == row["observed_on"]]
        assert any(
            set(fact.modalities) == set(row["modalities"].split())
            and set(fact.capabilities) & CAPABILITIES == set(row["capabilities"].split())
            and {True: "yes", False: "no", None: ""}[fact.open_weights] == row["open_weights"]
            for fact in facts
        ), row
