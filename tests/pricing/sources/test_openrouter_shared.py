"""OpenRouter's real answers of two days, against facts read from them by eye."""

import gzip
import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pricing.sources import openrouter

pytestmark = pytest.mark.shared

DAYS = ("2026-07-18", "2026-08-22")


def body_of(shared_data: Path, day: str) -> bytes:
    return gzip.decompress((shared_data / "prices" / "openrouter" / f"{day}__raw.json.gz").read_bytes())


def test_every_row_of_a_day_is_an_offering_an_alias_or_a_router(shared_data):
    reading = openrouter.parse(body_of(shared_data, "2026-08-22"))
    kinds = Counter(offering.sku.partition(":")[2] for offering in reading.offerings)
    assert kinds == {"": 324, "batch": 61, "free": 18, "thinking": 1}
    assert sum(alias.name.startswith("~") for alias in reading.aliases) == 12
    assert reading.unplaced == {
        "router, at the price of what it routes to": 5,
        # Two song models, priced by the song, and a model whose seller does not say that it is free.
        "zero of an offering not sold as free": 6,
        # `~moonshotai/kimi-latest` at 2.6 where `moonshotai/kimi-k3` is 3, and DeepSeek V4 Flash.
        "alias priced unlike its target": 2,
    }
    assert 324 + 61 + 18 + 1 + 12 + 5 == 421


@pytest.mark.parametrize("day", DAYS)
def test_every_price_key_of_every_row_is_a_statement_or_a_count(shared_data, day):
    body = body_of(shared_data, day)
    reading = openrouter.parse(body)
    sold = {offering.sku for offering in reading.offerings}
    keys = 0
    for row in json.loads(body)["body"]["data"]:
        if row["id"] in sold:
            tiers = row["pricing"].pop("overrides", [])
            keys += len(row["pricing"]) + sum(len(tier) - 1 for tier in tiers)
    assert keys == len(reading.statements) + reading.unplaced["zero of an offering not sold as free"]


@pytest.mark.parametrize("day", DAYS)
def test_each_key_is_stated_once_and_fits_the_catalogue_exactly(shared_data, day):
    reading = openrouter.parse(body_of(shared_data, day))
    keys = [(s.sku, s.unit, s.qualifier, s.context_from) for s in reading.statements]
    assert len(keys) == len(set(keys))
    assert all(s.amount == s.amount.quantize(Decimal("1e-12")) for s in reading.statements)
    assert {s.sku.endswith(":free") or s.sku == "openrouter/free" for s in reading.statements if not s.amount} == {True}
    assert {s.sku.split("/")[0] for s in reading.statements if s.qualifier == "storage"} == {"google"}


def test_the_facts_of_a_day_are_those_a_person_read(shared_data):
    reading = openrouter.parse(body_of(shared_data, "2026-08-22"))
    said = {(s.sku, s.unit, s.context_from): s.amount for s in reading.statements}
    assert said["openai/gpt-5.6-sol", "input", 0] == 2
    assert said["openai/gpt-5.6-sol", "output", 272000] == 15
    assert said["openai/gpt-5.6-sol:batch", "output", 0] == 5
    assert said["anthropic/claude-opus-5", "cache_write_5m", 0] == Decimal("6.25")
    assert said["anthropic/claude-opus-5", "cache_write_1h", 0] == 10
    assert said["qwen/qwen3.7-flash", "cache_read", 256000] == Decimal("0.04")
    assert said["openai/gpt-audio", "output_audio", 0] == 64
    assert said["google/gemini-2.5-flash-image", "output_image", 0] == 30
    assert said["perplexity/sonar-deep-research", "reasoning", 0] == 3
    names = {alias.name: alias.sku for alias in reading.aliases}
    assert names["~openai/gpt-latest"] == "openai/gpt-5.6-sol"
    assert names["anthropic/claude-4.5-haiku-20251001"] == "anthropic/claude-haiku-4.5"
    facts = {offering.sku: offering for offering in reading.offerings}
    assert facts["nvidia/nemotron-nano-9b-v2:free"].retires_on == date(2026, 8, 24)
    assert facts["z-ai/glm-5.3"].retires_on is None
    assert facts["openai/gpt-5.5"].max_output == 128000


def test_a_price_that_fell_between_the_days_is_seen_to_fall(shared_data):
    """On the day after OpenAI cut GPT-5.6 Sol to 4 and 20 dollars, OpenRouter sold it at half of that."""
    july, august = (openrouter.parse(body_of(shared_data, day)).statements for day in DAYS)
    for unit, before, after in (("input", 5, 2), ("output", 30, 10)):
        for statements, amount in ((july, before), (august, after)):
            (said,) = [
                s.amount for s in statements
                if (s.sku, s.unit, s.context_from) == ("openai/gpt-5.6-sol", unit, 0)
            ]  # fmt: skip
            assert said == amount


def test_an_alias_without_a_stated_target_is_counted(shared_data):
    """The July answer had no `alias_target` yet."""
    assert openrouter.parse(body_of(shared_data, "2026-07-18")).unplaced["alias whose target is not listed"] == 10
