"""The bundled history against the published tables it was carried from: early prices, and days of release."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

from pricing.benchmarks import benchmarks, read_map
from pricing.quality import model_key

pytestmark = pytest.mark.shared


def lines(name: str) -> Iterator[dict[str, str]]:
    text = files("pricing").joinpath(f"data/{name}").read_text("utf-8")
    yield from csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as rows:
        return list(csv.DictReader(rows))


def test_every_price_of_the_archive_is_what_it_showed_from_its_first_look_to_its_last(shared_data: Path) -> None:
    with gzip.open(shared_data / "prices/openrouter/wayback-history_to_2025-12.json.gz") as body:
        looks = {look["date"]: look["prices"] for look in json.load(body, parse_float=Decimal)["snapshots"]}
    observed = [row for row in lines("early_prices.csv") if row["provider"] == "openrouter"]
    assert len(observed) > 100
    for row in observed:
        shown = [(day, prices.get(row["sku"])) for day, prices in sorted(looks.items())]
        stated = [Decimal(row["input"]), Decimal(row["output"])]
        within = [prices for day, prices in shown if row["from"] <= day < row["until"]]
        assert row["from"] in looks
        assert within == [stated] * len(within), row
        assert row["until"] == max(looks) or looks[row["until"]].get(row["sku"]) != stated, row


def test_what_epochs_price_table_states_is_what_its_blend_says(shared_data: Path) -> None:
    blends = {
        (row["Release Date"], Decimal(row["USD per 1M Tokens"]))
        for row in table(shared_data / "quality/epoch/prices_2021-2025_with_benchmarks.csv")
    }
    carried = [row for row in lines("early_prices.csv") if row["source"].startswith("Epoch AI")]
    assert carried
    for row in carried:
        blend = (3 * Decimal(row["input"]) + Decimal(row["output"])) / 4
        assert blend in {price for _, price in blends}, row


def test_epochs_days_of_release_are_those_of_its_list_of_versions(shared_data: Path) -> None:
    days = {
        row["id"].strip(): row["Version release date"]
        for row in table(shared_data / "quality/epoch/model_versions.csv")
    }
    named = read_map(benchmarks()["mmlu"])
    of_model: dict[str, set[str]] = {}
    for name, line in named.items():
        if line.model and days.get(name):
            of_model.setdefault(model_key(line.model), set()).add(days[name])
    for row in lines("releases.csv"):
        date.fromisoformat(row["released_on"])
        if row["source"].startswith("Epoch AI") and (known := of_model.get(model_key(row["model"]))):
            assert row["released_on"] in known, row
