"""The ladder and self-hosting over HTTP say what their pages say."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

DAY = "2026-11-01"


def rows_of(client: Client, url: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(url).content.decode())))


def answer(client: Client, url: str) -> Any:
    response = client.get(url)
    assert response.status_code == 200, response.content
    return response.json()


@pytest.mark.parametrize("models", [[], ["gpt-oss-120b", "gpt-4o"]], ids=["usual", "chosen"])
def test_the_ladder_is_the_pages_with_null_where_a_price_is_unknown(client: Client, models: list[str]) -> None:
    common = f"at={DAY}&person=translation&speak=9000"
    page = rows_of(client, f"/ladder?format=csv&{common}&translation=20-40{''.join(f'&m={slug}' for slug in models)}")
    found = answer(client, f"/api/v1/ladder?{common}&rate=20-40{''.join(f'&model={slug}' for slug in models)}")
    told = [
        (rung["name"], model["name"], model["usd"] or "", model["reason"], (rung["person"] or {}).get("high", ""))
        for rung in found["rungs"]
        for model in rung["models"]
    ]
    assert told == [(row["name"], row["model"], row["usd"], row["reason"], row["person_usd_high"]) for row in page]
    assert {usd for _, _, usd, reason, _ in told if reason} == {""}
    assert all(usd for _, _, usd, reason, _ in told if not reason)
    assert found["at"] == f"{DAY}T00:00:00Z"
    assert found["person"]["usd_per_hour"] == {"low": "20", "high": "40"}
    assert found["person"]["speaking_tokens_per_hour"] == "9000"
    counts = [count for rung in found["rungs"] for count in rung["tokens"]]
    assert all(count["source_url"] for count in counts if count["basis"] != "assumed")


@pytest.mark.parametrize("asked", ["at=2024-09-05", f"at={DAY}&rate=0.5&volume=50000&load=60&staff=200"])
def test_self_hosting_is_the_pages_at_every_load(client: Client, asked: str) -> None:
    page = rows_of(client, f"/self-host?format=csv&{asked}")
    found = answer(client, f"/api/v1/self-host?{asked}")
    assert page
    told = [(one["utilisation"], one["tokens_a_month"], one["usd_per_mtok"]) for one in found["by_load"]]
    assert told == [(row["utilisation"], row["tokens_a_month"], row["usd_per_mtok"]) for row in page]
    assert {row["usd_per_gpu_hour"] for row in page} == {found["plan"]["usd_per_gpu_hour"]}
    cheapest = found["apis"][0] if found["apis"] else {"name": "", "seller": "", "usd_per_mtok": ""}
    for row in page:
        compared = (row["api_model"], row["api_seller"], row["api_usd_per_mtok"])
        assert compared == (cheapest["name"], cheapest["seller"], cheapest["usd_per_mtok"])
        assert row["break_even_utilisation"] == (found["break_even"]["utilisation"] or "")
    assert (found["served"] is None) == ("volume" not in asked)
    assert found["missing"] == []


def test_what_nobody_measured_is_missing_and_no_zero(client: Client) -> None:
    found = answer(client, "/api/v1/self-host?model=kimi-k3")
    assert (found["plan"], found["usd_per_mtok"], found["by_load"]) == (None, None, [])
    assert "enter what you measured" in " ".join(found["missing"])
