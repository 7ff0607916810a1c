"""LiteLLM's cost map: what stands in an entry, what it is called, and that whatever it cannot say is listed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from pricing.answers import exports
from pricing.exports.litellm import Card, CostMap, OtherPrice, Sold, cost_map, reading
from pricing.exports.litellm.sold import first_prompt


def card(tier: str = "standard", context: int = 0, op: str = "", schedule: str = "", **usd_per_mtok: str) -> Card:
    prices = {unit: Decimal(amount) / 1_000_000 for unit, amount in usd_per_mtok.items()}
    return Card(tier, context, op if context else "", schedule, "USD", prices)


def sold(*cards: Card, provider: str = "openai", sku: str = "gpt-x", maker: str = "openai", **more: Any) -> Sold:
    return Sold(provider, sku, more.pop("region", ""), sku, maker, cards=cards, **more)


def entry(one: Sold) -> dict[str, Any]:
    """The only entry of a map of one offering, as JSON."""
    (found,) = cost_map([one]).as_json().values()
    return found  # type: ignore[no-any-return]


def left(one: Sold, kind: str) -> list[tuple[Any, ...]]:
    return [(o.units, o.service_tier, o.context_from) for _, _, o in cost_map([one]).left if o.kind == kind]


PLAIN = card(input="2.5", output="10")
TIERS = (
    card(input="4", output="20", cache_read="0.4"),
    card(context=272_000, op=">", input="8", output="30", cache_read="0.8"),
)


class TestEntries:
    def test_an_amount_is_the_nearest_double_in_its_shortest_form(self) -> None:
        text = json.dumps(entry(sold(card(input="0.435", output="0.0028")))["input_cost_per_token"])
        assert (text, Decimal(text)) == ("4.35e-07", Decimal("0.435") / 1_000_000)

    def test_free_is_a_price_and_unknown_is_no_key(self) -> None:
        found = entry(sold(card(input="0", output="0")))
        assert found["input_cost_per_token"] == found["output_cost_per_token"] == 0
        assert "cache_read_input_token_cost" not in found

    def test_a_context_tier_stands_under_its_threshold(self) -> None:
        found = entry(sold(*TIERS))
        assert found["input_cost_per_token_above_272k_tokens"] == 8e-06
        assert found["cache_read_input_token_cost_above_272k_tokens"] == 8e-07

    def test_from_200000_on_is_above_199999_and_at_xai_above_200k(self) -> None:
        tier = card(context=200_000, op=">=", input="4", output="12")
        assert "input_cost_per_token_above_199999_tokens" in entry(sold(PLAIN, tier))
        at_xai = sold(PLAIN, tier, provider="xai", sku="grok-x")
        assert "input_cost_per_token_above_200k_tokens" in entry(at_xai)
        assert left(at_xai, "other_price") == []

    def test_alibabas_context_tiers_are_ranges(self) -> None:
        ranges = entry(sold(*TIERS, provider="alibaba", sku="qwen-x"))["tiered_pricing"]
        assert [one["range"] for one in ranges] == [[0, 272_000], [272_000, 10**9]]
        assert [one["input_cost_per_token"] for one in ranges] == [4e-06, 8e-06]

    def test_service_tiers_have_their_suffixes(self) -> None:
        tiers = [card(tier, input="1", output="2") for tier in ("flex", "priority", "batch")]
        found = entry(sold(PLAIN, *tiers))
        assert found["input_cost_per_token_flex"] == found["input_cost_per_token_priority"] == 1e-06
        assert found["output_cost_per_token_batches"] == 2e-06

    def test_a_tier_without_a_context_tier_says_so_above_every_threshold(self) -> None:
        """Else LiteLLM would take the standard price of long prompts."""
        one = sold(*TIERS, card("flex", input="2", output="10", cache_read="0.2"))
        assert entry(one)["input_cost_per_token_above_272k_tokens_flex"] == 2e-06
        assert left(one, "other_price") == []

    def test_fast_is_priority_but_at_anthropic_a_factor(self) -> None:
        fast = card("fast", input="5", output="20")
        assert entry(sold(PLAIN, fast))["input_cost_per_token_priority"] == 5e-06
        at_anthropic = sold(PLAIN, fast, provider="anthropic", sku="claude-x", maker="anthropic")
        assert entry(at_anthropic)["provider_specific_entry"] == {"fast": 2.0}

    def test_cache_writes_by_lifetime(self) -> None:
        found = entry(sold(card(input="3", output="15", cache_write_5m="3.75", cache_write_1h="6")))
        assert found["cache_creation_input_token_cost"] == 3.75e-06
        assert found["cache_creation_input_token_cost_above_1hr"] == 6e-06

    def test_other_units_and_facts(self) -> None:
        others = [OtherPrice("input_audio", "", "standard", "", 0, "", "USD", Decimal(40), 1_000_000)]
        one = sold(
            PLAIN, others=others, context_window=128_000, max_output=16_384, capabilities=("tools",),
            modalities=("image_in",), retires_on=date(2027, 1, 2), url="https://example.org/prices",
        )  # fmt: skip
        found = entry(one)
        assert found["input_cost_per_audio_token"] == 4e-05
        assert (found["max_input_tokens"], found["max_output_tokens"], found["max_tokens"]) == (128_000, 16_384, 16_384)
        assert found["supports_function_calling"] is found["supports_vision"] is True
        assert (found["deprecation_date"], found["source"]) == ("2027-01-02", "https://example.org/prices")
        assert "supports_reasoning" not in found

    def test_hours_without_holidays_are_off_peak_hours(self) -> None:
        night = card(schedule="mon-fri 14:00-00:00 UTC", input="1", output="2")
        assert entry(sold(PLAIN, night))["off_peak_pricing"] == {
            "windows": [{"weekdays": ["mon", "tue", "wed", "thu", "fri"], "hours_utc": ["14:00-00:00"]}],
            "input_cost_per_token": 1e-06,
            "output_cost_per_token": 2e-06,
        }
        assert left(sold(PLAIN, night), "schedule") == []

    @pytest.mark.parametrize(
        ("unit", "key", "mode"),
        [
            ("input_page", "ocr_cost_per_page", "ocr"),
            ("input_characters", "input_cost_per_character", "audio_speech"),
            ("input_audio_second", "input_cost_per_second", "audio_transcription"),
            ("image", "output_cost_per_image", "image_generation"),
        ],
    )
    def test_what_is_sold_without_tokens_has_a_mode_of_its_own(self, unit: str, key: str, mode: str) -> None:
        found = entry(sold(others=[OtherPrice(unit, "", "standard", "", 0, "", "USD", Decimal(3), 1000)]))
        assert (found[key], found["mode"]) == (0.003, mode)

    def test_an_embedding_has_no_output(self) -> None:
        found = entry(sold(card(input="0.02"), sku="text-embedding-x"))
        assert (found["mode"], found["output_cost_per_token"]) == ("embedding", 0)


class TestNames:
    @pytest.mark.parametrize(
        ("provider", "maker", "sku", "key", "litellm_provider"),
        [
            ("openai", "openai", "gpt-4o", "gpt-4o", "openai"),
            ("anthropic", "anthropic", "claude-opus-5", "claude-opus-5", "anthropic"),
            ("google", "google", "gemini-2.5-pro", "gemini/gemini-2.5-pro", "gemini"),
            ("google", "anthropic", "claude-opus-5", "vertex_ai/claude-opus-5", "vertex_ai-anthropic_models"),
            ("azure", "openai", "gpt-4o", "azure/gpt-4o", "azure"),
            ("azure", "microsoft", "phi-4", "azure_ai/phi-4", "azure_ai"),
            ("bedrock", "amazon", "amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0", "bedrock"),
            ("openrouter", "openai", "openai/gpt-4o:batch", "openrouter/openai/gpt-4o:batch", "openrouter"),
            ("together", "meta", "meta-llama/Llama-3-8B", "together_ai/meta-llama/Llama-3-8B", "together_ai"),
            ("fireworks", "", "glm-5", "fireworks_ai/accounts/fireworks/models/glm-5", "fireworks_ai"),
            ("alibaba", "alibaba", "qwen-max", "dashscope/qwen-max", "dashscope"),
        ],
    )
    def test_a_key_is_what_litellm_calls_it(
        self, provider: str, maker: str, sku: str, key: str, litellm_provider: str
    ) -> None:
        made = cost_map([sold(PLAIN, provider=provider, maker=maker, sku=sku)]).as_json()
        assert {name: one["litellm_provider"] for name, one in made.items()} == {key: litellm_provider}

    def test_bedrocks_regional_price_is_that_of_every_geographic_profile(self) -> None:
        one = sold(PLAIN, provider="bedrock", sku="regional.anthropic.claude-x", region="regional", maker="anthropic")
        own = sold(PLAIN, provider="bedrock", sku="us.anthropic.claude-x", region="us", maker="anthropic")
        made = cost_map([one, own])
        assert {"us.anthropic.claude-x", "eu.anthropic.claude-x", "anthropic.claude-x"} <= set(made.entries)
        assert "regional.anthropic.claude-x" not in made.entries
        assert made.sold["us.anthropic.claude-x"] is own

    def test_an_alias_is_a_key_too_and_never_beats_an_id(self) -> None:
        old, new = sold(PLAIN, sku="gpt-old", aliases=("gpt-new", "gpt-older")), sold(TIERS[0], sku="gpt-new")
        made = cost_map([old, new])
        assert (made.sold["gpt-new"], made.sold["gpt-older"]) == (new, old)

    def test_a_name_of_two_prices_is_no_key(self) -> None:
        made = cost_map([sold(PLAIN, aliases=("x",)), sold(TIERS[0], sku="gpt-y", aliases=("x",))])
        assert sorted(made.entries) == ["gpt-x", "gpt-y"]

    @pytest.mark.parametrize("provider", ["huggingface-together", "somebody-else"])
    def test_a_seller_litellm_does_not_know_is_listed(self, provider: str) -> None:
        made = cost_map([sold(PLAIN, provider=provider)])
        assert (made.entries, [one.kind for _, _, one in made.left]) == ({}, ["provider"])


class TestInexpressible:
    def test_unknown_is_listed_as_litellm_has_no_word_for_it(self) -> None:
        assert left(sold(PLAIN), "unknown") == [
            (("cache_read", "cache_write", "cache_write_5m", "cache_write_1h"), "standard", 0)
        ]

    def test_half_a_price_is_not_exported_as_litellm_would_take_the_rest_as_free(self) -> None:
        for half in (card(input="1"), card(output="1")):
            made = cost_map([sold(half)])
            assert (made.entries, [one.kind for _, _, one in made.left]) == ({}, ["incomplete"])

    def test_holidays_qualifiers_currencies_marginal_tiers_and_odd_units(self) -> None:
        peak = card(schedule="mon-fri 01:00-04:00 UTC except cn", input="5", output="5")
        assert left(sold(PLAIN, peak), "schedule") == [(("input", "output"), "standard", 0)]
        thinking = OtherPrice("output", "thinking", "standard", "", 0, "", "USD", Decimal(4), 1_000_000)
        assert left(sold(PLAIN, others=[thinking]), "qualifier") == [(("output",), "standard", 0)]
        marginal = replace(thinking, qualifier="", context_from=1000, context_mode="marginal")
        assert left(sold(PLAIN, others=[marginal]), "marginal") == [(("output",), "standard", 1000)]
        storage = replace(thinking, qualifier="", unit="cache_storage")
        assert left(sold(PLAIN, others=[storage]), "unit") == [(("cache_storage",), "standard", 0)]
        assert [one.kind for _, _, one in cost_map([sold(replace(PLAIN, currency="CNY"))]).left] == ["currency"]

    def test_a_service_tier_litellm_has_not(self) -> None:
        assert left(sold(PLAIN, card("scale", input="1", output="1")), "service_tier") == [
            (("input", "output"), "scale", 0)
        ]

    def test_a_price_that_comes_back_otherwise_is_listed_with_both_amounts(self) -> None:
        """LiteLLM's batches know no lifetimes of cache writes."""
        writes = {"cache_write_5m": "3.75", "cache_write_1h": "6"}
        batch = card("batch", input="1.5", output="7.5", cache_write_5m="1.875", cache_write_1h="3")
        (found,) = [
            one for _, _, one in cost_map([sold(card(input="3", output="15", **writes), batch)]).left
            if one.kind == "other_price"
        ]  # fmt: skip
        assert (found.units, found.service_tier) == (("cache_write_1h",), "batch")
        assert (found.ours, found.litellm) == (Decimal("0.000003"), Decimal("0.000001875"))

    def test_a_threshold_without_a_key_for_the_tier_is_listed(self) -> None:
        one = sold(PLAIN, card(context=128_000, op=">", input="5", output="20"), card("flex", input="1", output="2"))
        assert left(one, "other_price") == [(("input",), "flex", 128_001), (("output",), "flex", 128_001),
                                            (("reasoning",), "flex", 128_001)]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.usefixtures("catalogue")
class TestTheCatalogue:
    @pytest.fixture
    def made(self) -> CostMap:
        return cost_map(exports.sold_at(datetime.now(UTC)))

    def test_every_price_is_read_back_as_it_is_or_is_listed(self, made: CostMap) -> None:
        listed = {
            (id(one), unit, rest.service_tier, rest.context_from)
            for one, _, rest in made.left
            if rest.kind == "other_price"
            for unit in rest.units
        }
        checked = 0
        for key, one in made.sold.items():
            for tier in {tier for tier in one.tiers if tier in {"standard", "batch", *reading.SUFFIX_OF}}:
                for first in sorted({first_prompt(each) for each in one.cards if not each.schedule}):
                    held = one.prices(tier, first)
                    read = reading.rates(made.entries[key], made.entries[key]["litellm_provider"], tier, max(first, 1))
                    for unit, amount in held.prices.items() if held else ():
                        checked += 1
                        assert read.get(unit) == amount or (id(one), unit, tier, first) in listed
        assert checked > 10_000

    def test_every_offering_is_in_the_map_or_listed(self, made: CostMap) -> None:
        there = {id(one) for one in made.sold.values()} | {id(one) for one, _, _ in made.left}
        assert len(there) == len(exports.sold_at(datetime.now(UTC)))

    def test_litellm_would_accept_it_for_its_size(self, made: CostMap) -> None:
        """It refuses a map of fewer than half as many models as its own, which are 4,242 in 1.106.2."""
        assert len(made.entries) > 4242 / 2

    def test_every_amount_survives_as_a_double(self, made: CostMap) -> None:
        for key, written in made.as_json().items():
            for name, amount in made.entries[key].items():
                if isinstance(amount, Decimal) and "second" not in name:
                    assert Decimal(repr(written[name])) == amount

    def test_the_command_prints_what_the_addresses_answer(self, client: Any) -> None:
        for path, options in (("litellm", []), ("litellm-inexpressible", ["--inexpressible"])):
            out = StringIO()
            call_command("export_litellm", *options, stdout=out)
            assert out.getvalue().strip().encode() == client.get(f"/export/{path}.json").content

    def test_what_is_left_is_counted_by_kind(self) -> None:
        told = json.loads(exports.litellm_inexpressible())
        assert told["kinds"] == Counter(one["kind"] for one in told["inexpressible"])
        assert told["models"] == len(json.loads(exports.litellm_map()))


@pytest.mark.parametrize("sku", ["claude-2", "claude-instant-1"])
def test_what_litellm_looks_for_at_another_provider_is_not_in_the_map_but_under_its_own_sellers_prefix(
    sku: str,
) -> None:
    """LiteLLM 1.106.2 takes the two for Anthropic's text API, `anthropic_text`, and finds no price there."""
    own = sold(card(input="8", output="24"), provider="anthropic", maker="anthropic", sku=sku)
    made = cost_map([own])
    assert (made.as_json(), [one.why for _, _, one in made.left]) == ({}, [f"LiteLLM has no name for {sku}."])
    assert list(cost_map([replace(own, provider="openrouter")]).as_json()) == [f"openrouter/{sku}"]
