"""models.dev's real table on three days, against facts read from it by eye."""

import gzip
import json
from decimal import Decimal

import pytest

from pricing.sources import models_dev

pytestmark = pytest.mark.shared

DAYS = ("2025-07-01", "2025-12-01", "2026-03-01")


@pytest.fixture(scope="module")
def bodies(shared_data):
    (*paths,) = (next((shared_data / "prices" / "models-dev").glob(f"{day}__*.json.gz")) for day in DAYS)
    return {day: gzip.decompress(path.read_bytes()) for day, path in zip(DAYS, paths, strict=True)}


@pytest.fixture(scope="module")
def readings(bodies):
    return {day: models_dev.parse(body) for day, body in bodies.items()}


def stated(reading, provider, sku):
    return {
        f"{s.unit}>{s.context_from}" if s.context_from else s.unit: s.amount
        for s in reading.statements if (s.provider, s.sku) == (provider, sku)
    }  # fmt: skip


@pytest.mark.parametrize("day", DAYS)
def test_every_price_key_of_every_model_is_a_statement_or_a_count(bodies, readings, day):
    reading, keys, plans = readings[day], 0, 0
    for slug, provider in json.loads(bodies[day]).items():
        if slug.endswith("-plan") or slug == "github-copilot":
            plans += len(provider["models"])
            continue
        for model in provider["models"].values():
            cost = model.get("cost") or {}
            above = cost.pop("context_over_200k", {})
            keys += len(cost) + len(above)
    counted = sum(n for kind, n in reading.unplaced.items() if kind.startswith(("price of", "zero of")))
    assert keys == len(reading.statements) + counted
    assert reading.unplaced["model of a subscription"] == plans
    assert "second entry of an offering" not in reading.unplaced


@pytest.mark.parametrize("day", DAYS)
def test_each_key_is_stated_once_and_a_zero_only_of_a_free_id(readings, day):
    statements = readings[day].statements
    keys = [(s.provider, s.sku, s.unit, s.service_tier, s.context_from) for s in statements]
    assert len(keys) == len(set(keys))
    assert all(s.sku.endswith((":free", "-free")) for s in statements if s.amount == 0)
    # Written from binary floats: none of the noise is left.
    assert all(-s.amount.normalize().as_tuple().exponent <= 9 for s in statements)


def test_what_has_no_home_is_counted_by_kind(readings):
    assert readings["2026-03-01"].unplaced == {
        # Embeddings without a price of output; trials, own computers and other ways to pay: NVIDIA 71, GitHub 55, …
        "zero of an offering not sold as free": 599,
        "model without a price": 179,
        "model of a subscription": 50,
        # Not in its schema.
        "price of cached_input": 9, "price of cached_read": 1, "price of cached_write": 3, "price of image": 2,
        "price of citation": 1, "price of request": 1,
    }  # fmt: skip


def test_no_seller_without_a_price_by_the_token_sells_anything(readings):
    sellers = {s.provider for s in readings["2026-03-01"].statements}
    assert sellers.isdisjoint(
        {"github-copilot", "github-models", "nvidia", "lmstudio", "ollama-cloud", "gitlab", "zai-coding-plan", "meta"}
    )
    assert {"openai", "bedrock", "vertex", "fireworks", "together", "openrouter", "opencode"} <= sellers


def test_the_prices_are_those_a_person_read(readings):
    last = readings["2026-03-01"]
    assert stated(last, "bedrock", "anthropic.claude-sonnet-4-6") == {
        "input": 3, "output": 15, "cache_read": Decimal("0.3"), "cache_write_5m": Decimal("3.75"),
        "input>200000": 6, "output>200000": Decimal("22.5"), "cache_read>200000": Decimal("0.6"),
        "cache_write_5m>200000": Decimal("7.5"),
    }  # fmt: skip
    assert stated(last, "xai", "grok-4") == {"input": 3, "output": 15, "cache_read": Decimal("0.75"), "reasoning": 15}
    assert stated(last, "google", "gemini-live-2.5-flash") == {
        "input": Decimal("0.5"), "output": 2, "input_audio": 3, "output_audio": 12,
    }  # fmt: skip
    # Written as 0.049999999999999996.
    assert stated(last, "bedrock", "google.gemma-3-12b-it") == {"input": Decimal("0.05"), "output": Decimal("0.1")}
    # A free cache write is no price that anybody stated: it is counted.
    assert stated(last, "zai", "glm-4.6") == {
        "input": Decimal("0.6"),
        "output": Decimal("2.2"),
        "cache_read": Decimal("0.11"),
    }


def test_a_price_that_changed_between_the_days_is_seen_to_change(readings):
    chat = [stated(readings[day], "deepseek", "deepseek-chat")["output"] for day in DAYS]
    assert chat == [Decimal("1.1"), Decimal("0.42"), Decimal("0.42")]
    # A correction of the table: GPT-4 never cost 10.
    assert [stated(readings[day], "openai", "gpt-4")["input"] for day in DAYS] == [10, 30, 30]


def test_the_facts_of_a_model_are_kept(readings):
    facts = {(o.provider, o.sku): o for o in readings["2026-03-01"].offerings}
    sonnet = facts["bedrock", "anthropic.claude-sonnet-4-6"]
    assert (sonnet.context_window, sonnet.max_output, str(sonnet.released_on)) == (200000, 64000, "2026-02-17")
    assert facts["groq", "gemma2-9b-it"].deprecated
    assert sum(o.open_weights is True for o in facts.values()) > 1000
