"""The quirks of LiteLLM's price table, one rule a test."""

import json
from datetime import date
from decimal import Decimal

import pytest

from pricing.sources import SourceError, litellm
from pricing.sources.litellm import keys, names

CHAT = {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6}


def read(**rows):
    return litellm.parse(json.dumps({"other-model": CHAT} | rows).encode())


def prices(reading, sku):
    return {
        (s.unit, s.qualifier, s.service_tier, s.context_from): s.amount / s.per * 1_000_000
        for s in reading.statements if s.sku == sku and not s.region
    }  # fmt: skip


def row(provider="openai", mode="chat", **costs):
    return {"litellm_provider": provider, "mode": mode, **costs}


@pytest.mark.parametrize(
    ("key", "provider", "place"),
    [
        ("gpt-4o", "openai", ("openai", "gpt-4o", "")),
        ("gemini-2.5-pro", "vertex_ai-language-models", ("vertex", "gemini-2.5-pro", "")),
        ("gemini/gemini-2.5-pro", "gemini", ("google", "gemini-2.5-pro", "")),
        ("vertex_ai/claude-opus-4@20250514", "vertex_ai-anthropic_models", ("vertex", "claude-opus-4@20250514", "")),
        ("azure/eu/gpt-5.1", "azure", ("azure", "gpt-5.1", "eu")),
        ("azure/global-standard/gpt-4o-mini", "azure", ("azure", "gpt-4o-mini", "")),
        ("azure_ai/mistral-large", "azure_ai", ("azure", "mistral-large", "")),
        ("us.anthropic.claude-opus-5", "bedrock_converse", ("bedrock", "us.anthropic.claude-opus-5", "")),
        ("bedrock/us-gov-west-1/meta.llama3-8b-instruct-v1:0", "bedrock",
         ("bedrock", "meta.llama3-8b-instruct-v1:0", "us-gov-west-1")),
        ("bedrock/invoke/anthropic.claude-3-5-sonnet-20240620-v1:0", "bedrock",
         ("bedrock", "anthropic.claude-3-5-sonnet-20240620-v1:0", "")),
        ("fireworks_ai/accounts/fireworks/models/kimi-k2p5", "fireworks_ai", ("fireworks", "kimi-k2p5", "")),
        ("fireworks_ai/accounts/fireworks/routers/kimi-k3-us", "fireworks_ai", ("fireworks", "kimi-k3-us", "")),
        ("perplexity/perplexity/sonar", "perplexity", ("perplexity", "perplexity/sonar", "")),
        ("openrouter/anthropic/claude-opus-4", "openrouter", ("openrouter", "anthropic/claude-opus-4", "")),
        ("cloudflare/@cf/meta/llama-2-7b", "cloudflare", ("cloudflare", "@cf/meta/llama-2-7b", "")),
        ("command-r", "cohere_chat", ("cohere", "command-r", "")),
        ("dashscope/qwen-flash", "dashscope", ("alibaba", "qwen-flash", "")),
        ("meta_llama/Llama-3.3-8B-Instruct", "meta_llama", ("meta", "Llama-3.3-8B-Instruct", "")),
        ("1024-x-1024/50-steps/bedrock/amazon.nova-canvas-v1:0", "bedrock",
         ("bedrock", "amazon.nova-canvas-v1:0", "")),
        ("vercel_ai_gateway/alibaba/qwen-3-14b", "vercel_ai_gateway", ("vercel", "alibaba/qwen-3-14b", "")),
    ],
)  # fmt: skip
def test_a_key_names_the_sellers_own_id(key, provider, place):
    at = names.place(key, provider)
    assert (at.provider, at.sku, at.region) == place


@pytest.mark.parametrize(
    ("key", "provider"),
    [
        ("sample_spec", "one of https://docs.litellm.ai/docs/providers"),
        ("together-ai-4.1b-8b", "together_ai"),
        ("fireworks-ai-default", "fireworks_ai"),
        ("bedrock/*/6-month-commitment/cohere.command-text-v14", "bedrock"),
        ("bedrock/us-gov-east-1/claude-sonnet-4-5-20250929-v1:0", "bedrock"),
        ("anthropic.claude-haiku-4-5@20251001", "bedrock_converse"),
        ("fireworks_ai/accounts/fireworks/models/", "fireworks_ai"),
        ("azure_ai/model_router", "azure_ai"),
        ("openrouter/openrouter/auto", "openrouter"),
        ("github_copilot/gpt-4o", "github_copilot"),
        ("ollama/llama3", "ollama"),
        ("nobody", ""),
    ],
)
def test_a_key_that_names_no_offering_says_why(key, provider):
    assert isinstance(names.place(key, provider), str)


@pytest.mark.parametrize(
    ("key", "qualifier"),
    [
        ("hd/1024-x-1792/dall-e-3", "hd 1024x1792"),
        ("512-x-512/dall-e-3", "512x512"),
        ("azure/high/1024-x-1536/dall-e-3", "high 1024x1536"),
        ("max-x-max/50-steps/dall-e-3", "maxxmax 50-steps"),
    ],
)
def test_quality_and_size_of_an_image_stand_before_the_id(key, qualifier):
    at = names.place(key, key.split("/")[0] if key.startswith("azure") else "openai")
    assert (at.sku, at.qualifier) == ("dall-e-3", qualifier)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("input_cost_per_token", ("input", 10**6, "standard", 0)),
        ("input_cost_per_token_batch_requests", ("input", 10**6, "batch", 0)),
        ("cache_creation_input_token_cost_above_1hr", ("cache_write_1h", 10**6, "standard", 0)),
        ("cache_creation_input_token_cost_above_12hr", ("cache_write_12h", 10**6, "standard", 0)),
        ("cache_creation_input_token_cost_above_1hr_above_200k_tokens", ("cache_write_1h", 10**6, "standard", 200000)),
        ("output_cost_per_token_above_272k_tokens_priority", ("output", 10**6, "priority", 272000)),
        ("cache_read_input_token_cost_per_audio_token", ("cache_read_audio", 10**6, "standard", 0)),
        ("input_cost_per_audio_per_second_above_128k_tokens", ("input_audio_second", 3600, "standard", 128000)),
        ("ocr_cost_per_page", ("input_page", 1000, "standard", 0)),
    ],
)
def test_a_price_key_is_a_metric_with_its_suffixes(key, said):
    means = keys.meaning(key, "chat")
    assert (means.unit, means.per, means.service_tier, means.context_from) == said


@pytest.mark.parametrize("key", ["input_cost_per_furlong", "input_cost_per_token_above_200k_tokens_tomorrow"])
def test_a_price_key_nobody_knows_is_counted_by_its_name(key):
    reading = read(m=row(**{key: 1e-6, "input_cost_per_token": 1e-6}))
    assert reading.unplaced == {f"price of {key}": 1}


def test_a_range_begins_after_its_start_and_holds_for_the_whole_request():
    tiers = [{"range": [0, 32e3], "input_cost_per_token": 1e-6}, {"range": [32e3, 128e3], "input_cost_per_token": 2e-6}]
    base, long = [s for s in read(q=row("dashscope", tiered_pricing=tiers)).statements if s.sku == "q"]
    assert (base.context_from, base.context_op, base.context_mode, base.amount) == (0, "", "", 1)
    assert (long.context_from, long.context_op, long.context_mode, long.amount) == (32000, ">", "whole_request", 2)


def test_a_search_is_tiered_by_the_results_asked_for():
    tiers = [{"max_results_range": [0, 25], "input_cost_per_query": 0.005}]
    (said,) = [s for s in read(s=row("exa_ai", "search", tiered_pricing=tiers)).statements if s.sku == "s"]
    assert (said.unit, said.qualifier, said.amount, said.per) == ("request", "results=0-25", 5, 1000)


def test_a_cache_write_without_a_lifetime_is_anthropics_five_minutes_and_elsewhere_any():
    reading = read(**{
        "claude-opus-5": row("anthropic", cache_creation_input_token_cost=1e-6),
        "gpt-5.6-sol": row(cache_creation_input_token_cost=1e-6),
    })  # fmt: skip
    assert {s.unit for s in reading.statements if s.sku == "claude-opus-5"} == {"cache_write_5m"}
    assert {s.unit for s in reading.statements if s.sku == "gpt-5.6-sol"} == {"cache_write"}


def test_a_write_cheaper_than_the_input_is_a_read_by_the_wrong_name():
    reading = read(m=row(input_cost_per_token=2e-6, cache_creation_input_token_cost=1e-6))
    assert prices(reading, "m") == {("input", "", "standard", 0): 2}
    assert reading.unplaced == {"price of a cache read under the name of a write": 1}


def test_of_two_keys_that_contradict_each_other_the_plainer_holds_and_alone():
    plain = row(input_cost_per_token=2e-6)
    twin = row(input_cost_per_token=3e-6, output_cost_per_token=9e-6)
    for rows in ({"m": plain, "openai/m": twin}, {"openai/m": twin, "m": plain}):
        reading = read(**rows)
        assert prices(reading, "m") == {("input", "", "standard", 0): 2}
        assert reading.unplaced == {"price of a row that contradicts its twin with the plainer key": 2}


def test_of_two_keys_that_agree_each_adds_what_the_other_leaves_out():
    reading = read(**{
        "m": row(input_cost_per_token=2e-6),
        "openai/m": row(input_cost_per_token=2e-6, output_cost_per_token=9e-6),
    })  # fmt: skip
    assert prices(reading, "m") == {("input", "", "standard", 0): 2, ("output", "", "standard", 0): 9}
    assert reading.unplaced == {"price its twin says too": 1}


def test_the_azure_key_that_names_the_global_deployment_holds_before_the_one_that_names_none():
    reading = read(**{
        "azure/m": row("azure", input_cost_per_token=2.75e-6),
        "azure/global-standard/m": row("azure", input_cost_per_token=2.5e-6),
    })  # fmt: skip
    assert prices(reading, "m") == {("input", "", "standard", 0): Decimal("2.5")}


def test_a_bedrock_id_without_a_scope_is_the_regional_offering_where_a_global_one_is_sold():
    cost = {"input_cost_per_token": 1e-6}
    reading = read(**{
        "anthropic.claude-3-haiku-20240307-v1:0": row("bedrock", **cost),
        "openai.gpt-5.6-sol": row("bedrock_mantle", **cost),
        "global.openai.gpt-5.6-sol": row("bedrock_converse", **cost),
        "amazon.nova-pro-v1:0": row("bedrock", **cost),
        "bedrock/us-east-1/anthropic.claude-v2:1": row("bedrock", **cost),
    })  # fmt: skip
    assert {(o.sku, o.region) for o in reading.offerings if o.provider == "bedrock"} == {
        ("regional.anthropic.claude-3-haiku-20240307-v1:0", ""), ("regional.openai.gpt-5.6-sol", ""),
        ("global.openai.gpt-5.6-sol", ""), ("amazon.nova-pro-v1:0", ""),
        ("regional.anthropic.claude-v2:1", "us-east-1"),
    }  # fmt: skip


@pytest.mark.parametrize(("us", "sold"), [(1.1e-6, False), (1e-6, True)])
def test_the_global_price_under_a_regional_id_is_no_price_where_regions_are_dearer(us, sold):
    name = "anthropic.claude-opus-9"
    reading = read(**{
        name: row("bedrock", input_cost_per_token=1e-6),
        f"global.{name}": row("bedrock", input_cost_per_token=1e-6),
        f"us.{name}": row("bedrock", input_cost_per_token=us),
    })  # fmt: skip
    assert (f"regional.{name}" in {s.sku for s in reading.statements}) == sold
    assert reading.unplaced["price of Bedrock's global profile under the id of a region"] == (not sold)


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("openrouter/m:free", row("openrouter", input_cost_per_token=0, output_cost_per_token=0)),
        ("together_ai/m-Free", row("together_ai", input_cost_per_token=0)),
        ("omni-moderation-latest", row(mode="moderation", input_cost_per_token=0.0)),
        ("gemini/gemini-exp-1206", row("gemini", input_cost_per_token=0)),
        ("vertex_ai/m", row("vertex_ai-llama_models", input_cost_per_token=0, metadata={"notes": "at no cost"})),
    ],
)
def test_a_zero_is_a_price_where_the_offering_says_it_is_free(key, body):
    assert [s.amount for s in read(**{key: body}).statements if s.sku != "other-model"][:1] == [0]


@pytest.mark.parametrize(
    ("key", "body", "kind"),
    [
        ("gigachat/m", row("gigachat", input_cost_per_token=0.0), "zero of an offering that does not say it is free"),
        ("openrouter/auto-free-ish", row("openrouter", input_cost_per_token=0),
         "zero of an offering that does not say it is free"),
        ("ollama/m", row("ollama", input_cost_per_token=0), "row of a model that runs on one's own computer"),
        ("voyage/m", row("voyage", "embedding", input_cost_per_token=1e-6, output_cost_per_token=0.0),
         "zero beside other prices, not billed"),
        ("m:free", row(input_cost_per_token=1e-6, cache_read_input_token_cost=0),
         "zero beside other prices, not billed"),
    ],
)  # fmt: skip
def test_any_other_zero_is_counted(key, body, kind):
    reading = read(**{key: body})
    assert reading.unplaced == {kind: 1}
    assert all(s.amount for s in reading.statements)


def test_an_image_is_looked_at_or_made_by_what_the_model_does():
    reading = read(
        made=row(mode="image_generation", input_cost_per_image=0.04),
        both=row(mode="image_generation", input_cost_per_image=0.001, output_cost_per_image=0.04),
        seen=row(input_cost_per_image=0.001),
    )
    said = {(s.sku, s.unit): s.amount for s in reading.statements if s.per == 1}
    assert said == {
        ("made", "image"): Decimal("0.04"), ("both", "input_images"): Decimal("0.001"),
        ("both", "image"): Decimal("0.04"), ("seen", "input_images"): Decimal("0.001"),
    }  # fmt: skip


def test_a_multiple_of_the_prices_is_a_price_of_its_own():
    entry = {"us": 1.1, "fast": 2.0, "moon": 3, "schema": "v2"}
    body = row("anthropic", input_cost_per_token=5e-6, cache_read_input_token_cost=5e-7, provider_specific_entry=entry)
    reading = read(c=body)
    said = {(s.region, s.unit, s.service_tier): s.amount for s in reading.statements if s.sku == "c"}
    assert said == {
        ("", "input", "standard"): 5, ("", "cache_read", "standard"): Decimal("0.5"), ("", "input", "fast"): 10,
        ("us", "input", "standard"): Decimal("5.5"),
    }  # fmt: skip
    assert reading.unplaced == {"multiple of prices for moon": 1}


def test_a_price_stated_in_full_is_held_before_a_multiple():
    body = row(
        "anthropic", input_cost_per_token=5e-6, input_cost_per_token_fast=9e-6, provider_specific_entry={"fast": 2}
    )
    assert prices(read(c=body), "c")["input", "", "fast", 0] == 9


def test_the_tail_of_a_binary_float_is_no_part_of_the_price():
    reading = read(m=row(input_cost_per_token=2.9999900000000002e-06))
    assert prices(reading, "m") == {("input", "", "standard", 0): Decimal("2.99999")}


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "1e999", "1e-30", '"1"', "true", "null", "[1]", "1e9"])
def test_what_is_no_amount_is_counted_and_never_a_price(amount):
    body = json.dumps({"a": row(input_cost_per_token=1e-6, output_cost_per_token="?")}).replace('"?"', amount)
    reading = litellm.parse(body.encode())
    assert [s.unit for s in reading.statements] == ["input"]
    assert sum(reading.unplaced.values()) == 1


def test_a_row_says_what_the_model_can_do():
    reading = read(m=row(
        input_cost_per_token=1e-6, max_input_tokens="8192", max_output_tokens=4096.0, supports_vision=True,
        supports_function_calling=True, supported_output_modalities=["text", "audio"], deprecation_date="2026-10-23",
        source="https://example.com/prices",
    ))  # fmt: skip
    (fact,) = [o for o in reading.offerings if o.sku == "m"]
    assert (fact.context_window, fact.max_output, fact.retires_on) == (8192, 4096, date(2026, 10, 23))
    assert fact.modalities == ("image_in", "text_in", "audio_out", "text_out")
    assert fact.capabilities == ("tools", "vision")
    assert not fact.deprecated
    assert {s.url for s in reading.statements if s.sku == "m"} == {"https://example.com/prices"}


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000, b'{"a": ' * 100_000, b'{"a": {"input_cost_per_token": ' + b"9" * 5000 + b"}}", b'{"a": 1}',
        b'{"a": {"litellm_provider": "openai", "tiered_pricing": [1], "input_cost_per_token": 1}}',
        b'{"a": {"litellm_provider": ["openai"], "input_cost_per_token": 1e-6}}', b'{"m": {"mode": "chat"}}',
    ],
)  # fmt: skip
def test_a_malformed_body_is_an_error(body):
    with pytest.raises(SourceError):
        litellm.parse(body)
