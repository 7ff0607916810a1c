"""LiteLLM's real table of seven days: every price is a statement or counted, and single facts read by eye."""

import gzip
import json
from collections import Counter
from decimal import Decimal

import pytest

from pricing.sources import litellm

pytestmark = pytest.mark.shared

# day → statements, offerings
DAYS = {
    "2023-11-01": (158, 81),
    "2024-05-22": (835, 430),
    "2025-06-01": (2392, 920),
    "2025-10-01": (3755, 1448),
    "2025-11-01": (4100, 1563),
    "2026-06-01": (6333, 2440),
    "2026-09-01": (8453, 2842),
}


def body_of(shared_data, day):
    (path,) = (shared_data / "prices" / "litellm").glob(f"{day}__*.json.gz")
    return gzip.decompress(path.read_bytes())


def said(reading):
    return {
        (s.provider, s.sku, s.region, s.unit, s.qualifier, s.service_tier, s.context_from): s.amount / s.per * 10**6
        for s in reading.statements
    }


def standard(reading, provider, sku, unit, region=""):
    return said(reading)[provider, sku, region, unit, "", "standard", 0]


def amounts(value, key):
    """How many numbers stand under a key, those that bound a range apart."""
    if isinstance(value, dict):
        return sum(amounts(part, name) for name, part in value.items())
    if isinstance(value, list):
        return 0 if key.endswith("range") else sum(amounts(part, key) for part in value)
    return 1


@pytest.mark.parametrize(("day", "counts"), DAYS.items())
def test_every_day_reads(shared_data, day, counts):
    reading = litellm.parse(body_of(shared_data, day))
    assert (len(reading.statements), len(reading.offerings)) == counts


@pytest.mark.parametrize("day", DAYS)
def test_every_amount_under_a_price_key_is_a_statement_or_counted(shared_data, day):
    body = body_of(shared_data, day)
    reading = litellm.parse(body)
    stated = sum(
        amounts(value, key)
        for row in json.loads(body).values()
        for key, value in row.items()
        if ("cost" in key or "pric" in key or "multiplier" in key) and not key.startswith("regional_processing")
    )
    own = sum(not s.note for s in reading.statements)  # the others are multiples of these
    assert own + sum(reading.unplaced.values()) == stated
    assert not any(kind.startswith(("price of input", "price of output", "multiple")) for kind in reading.unplaced)


@pytest.mark.parametrize("day", DAYS)
def test_each_key_is_stated_once_and_fits_the_catalogue(shared_data, day):
    reading = litellm.parse(body_of(shared_data, day))
    assert len(said(reading)) == len(reading.statements)
    assert all(s.amount == s.amount.quantize(Decimal("1e-12")) for s in reading.statements)
    assert max(len(s.sku) for s in reading.statements) <= 200
    offered = Counter((o.provider, o.sku, o.region) for o in reading.offerings)
    assert set(offered.values()) == {1}
    assert {(s.provider, s.sku, s.region) for s in reading.statements} <= set(offered)


def test_a_real_error_of_a_thousand_is_read_as_written_before_and_after_its_repair(shared_data):
    october, november = (litellm.parse(body_of(shared_data, day)) for day in ("2025-10-01", "2025-11-01"))
    for unit in ("input", "output"):
        assert standard(october, "watsonx", "ibm/granite-3-8b-instruct", unit) == 200
        assert standard(november, "watsonx", "ibm/granite-3-8b-instruct", unit) == Decimal("0.2")


def test_the_facts_of_a_day_are_those_a_person_read(shared_data):
    reading = litellm.parse(body_of(shared_data, "2026-09-01"))
    prices = said(reading)
    assert prices["anthropic", "claude-opus-5", "", "cache_write_5m", "", "standard", 0] == Decimal("6.25")
    assert prices["anthropic", "claude-opus-4-6", "", "output", "", "fast", 0] == 150
    assert prices["anthropic", "claude-opus-5", "us", "input", "", "standard", 0] == Decimal("5.5")
    assert prices["openai", "gpt-5.6-luna", "", "cache_write", "", "flex", 272000] == Decimal("0.25")
    assert prices["bedrock", "global.openai.gpt-5.6-luna", "", "output", "", "standard", 272000] == Decimal("1.8")
    assert prices["bedrock", "regional.openai.gpt-5.6-sol", "", "input", "", "standard", 0] == Decimal("5.5")
    assert prices["bedrock", "deepseek.v3.2", "us-west-2", "input", "", "standard", 0] == Decimal("0.62")
    assert prices["azure", "gpt-4o-2024-11-20", "", "input", "", "standard", 0] == Decimal("2.5")
    assert prices["azure", "gpt-4o-2024-11-20", "us", "input", "", "standard", 0] == Decimal("2.75")
    assert prices["vertex", "claude-sonnet-4@20250514", "", "cache_write_5m", "", "standard", 200000] == Decimal("7.5")
    assert prices["alibaba", "qwen3-coder-plus", "", "output", "", "standard", 256000] == 60
    assert prices["fireworks", "kimi-k3-us", "", "cache_read", "", "standard", 0] == Decimal("0.33")
    assert prices["openai", "dall-e-3", "", "pixel", "hd 1024x1024", "standard", 0] == Decimal("0.07629")
    assert prices["openai", "sora-2-pro", "", "output_video_second", "", "standard", 0] == 300_000
    assert ("bedrock", "regional.anthropic.claude-opus-5", "", "input", "", "standard", 0) not in prices


def test_the_oldest_table_reads_as_well(shared_data):
    reading = litellm.parse(body_of(shared_data, "2023-11-01"))
    assert standard(reading, "openai", "gpt-4", "input") == 30
    assert standard(reading, "anthropic", "claude-2", "output") == Decimal("32.68")
    assert standard(reading, "cohere", "command-nightly", "input") == 15


def test_a_zero_is_stated_only_of_what_is_offered_free(shared_data):
    free = {
        f"{s.provider}/{s.sku}"
        for day in DAYS
        for s in litellm.parse(body_of(shared_data, day)).statements
        if not s.amount
    }
    by_name = {sku for sku in free if sku.lower().endswith(("free",)) or "-exp" in sku or "moderation" in sku}
    assert free - by_name == {
        "duckduckgo/search", "vertex/meta/llama-3.1-8b-instruct-maas", "vertex/meta/llama-3.2-90b-vision-instruct-maas",
        "zai/glm-4.5-flash", "zai/glm-4.7-flash",
    }  # fmt: skip
