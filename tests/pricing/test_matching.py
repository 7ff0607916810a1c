"""What a name means, and what it must never be taken for."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.matching import AliasEntry, Entry, Resolver, cache_write_unit, identify
from pricing.providers import PROVIDERS, canonical

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def offering(pk: int, provider: str, sku: str, region: str = "") -> Entry:
    return Entry(pk, provider, sku, region, identify(provider, sku).slug)


CATALOGUE = Resolver(
    [
        offering(1, "openai", "gpt-4o"),
        offering(2, "openai", "gpt-4o-2024-05-13"),
        offering(3, "openai", "gpt-5.6-sol"),
        offering(4, "anthropic", "claude-sonnet-4-5"),
        offering(5, "anthropic", "claude-sonnet-4-20250514"),
        offering(6, "bedrock", "regional.anthropic.claude-sonnet-4-5-20250929-v1:0", "regional"),
        offering(7, "bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "global"),
        offering(8, "openrouter", "openai/gpt-4o"),
        offering(9, "google", "gemini-2.5-pro"),
        offering(10, "openai", "ft:gpt-4o-mini-2024-07-18"),
        offering(11, "openai", "gpt-4o-mini-2024-07-18"),
        offering(12, "openai", "o3-mini"),
        offering(13, "bedrock", "regional.anthropic.claude-sonnet-4-6-v1:0", "regional"),
        offering(14, "bedrock", "regional.anthropic.claude-v2:1", "regional"),
        offering(15, "bedrock", "regional.amazon.titan-embed-text-v1", "regional"),
        offering(16, "vertex", "claude-sonnet-4-5@20250929"),
        offering(17, "fireworks", "deepseek-v3p1"),
    ],
    [
        AliasEntry("openai", "gpt-5.6", 3),
        AliasEntry("openai", "gpt-5.6-sol", 3, dated=True),
        AliasEntry("openai", "old-name", 1, valid_until=datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)


@pytest.mark.parametrize(
    ("name", "provider", "sku", "rule"),
    [
        ("gpt-4o", "openai", "gpt-4o", "exact"),
        ("GPT-4o", "openai", "gpt-4o", "exact but for case"),
        ("openai/gpt-4o", None, "gpt-4o", "provider prefix openai/"),
        ("openai/gpt-4o", "openrouter", "openai/gpt-4o", "exact"),
        ("gpt-4o", None, "gpt-4o", "the maker's own offering"),
        ("gpt-5.6", "openai", "gpt-5.6-sol", "declared alias"),
        ("gpt-5.6-sol-2026-07-09", "openai", "gpt-5.6-sol", "declared dated name"),
        ("claude-sonnet-4.5", "anthropic", "claude-sonnet-4-5", "Anthropic writes versions with hyphens"),
        ("claude-sonnet-4-5[1m]", "anthropic", "claude-sonnet-4-5", "context marker"),
        ("o3-mini-high", "openai", "o3-mini", "effort suffix"),
        ("models/gemini-2.5-pro", "gemini", "gemini-2.5-pro", "prefix models/"),
        ("gemini-2.5-pro", "vertex_ai", "gemini-2.5-pro", "listed under google"),
        (
            "models/gemini-2.5-pro", None, "gemini-2.5-pro",
            "the Gemini API's name of a resource, prefix models/",
        ),
        (
            "publishers/anthropic/models/claude-sonnet-4-5@20250929", None, "claude-sonnet-4-5@20250929",
            "Vertex's name of a resource, prefix publishers/anthropic/models/",
        ),
        ("claude-sonnet-4-5@20250929", None, "claude-sonnet-4-5@20250929", "Vertex writes versions with @"),
        (
            "accounts/fireworks/models/deepseek-v3p1", None, "deepseek-v3p1",
            "Fireworks' name of a resource, Fireworks account prefix",
        ),
        (
            "anthropic.claude-sonnet-4-6", None, "regional.anthropic.claude-sonnet-4-6-v1:0",
            "Bedrock id, Bedrock's first version",
        ),
        (
            "eu.anthropic.claude-sonnet-4-6-v1", "bedrock", "regional.anthropic.claude-sonnet-4-6-v1:0",
            "Bedrock's first version",
        ),
        (
            "bedrock/converse/anthropic.claude-sonnet-4-6", None, "regional.anthropic.claude-sonnet-4-6-v1:0",
            "provider prefix bedrock/, route converse/, Bedrock's first version",
        ),
        (
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0", None,
            "regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "Bedrock id, Bedrock profile us. is sold at the regional price",
        ),
        (
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock",
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "exact",
        ),
        ("ft:gpt-4o-mini-2024-07-18:org::id", "openai", "ft:gpt-4o-mini-2024-07-18",
         "fine-tuned models of one base share a price"),
    ],
)  # fmt: skip
def test_a_name_resolves_by_a_declared_rule_that_comes_with_the_answer(name, provider, sku, rule):
    match = CATALOGUE.resolve(name, provider, NOW)
    assert (match.sku, match.rule) == (sku, rule)


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("claude-sonnet-4-99999999", None),  # no calendar date
        ("claude-sonnet-4-99999999", "anthropic"),
        ("gpt-5.6-sol-2026-13-01", "openai"),
        ("gpt-5.6-sol-2031-01-01", "openai"),  # a snapshot of the future is another model
        ("gpt-4o-2030-01-01", "openai"),  # nobody declared dated names of gpt-4o
        ("gpt-4o-turbo", "openai"),
        ("gpt-4", "openai"),
        ("gpt", "openai"),
        ("old-name", "openai"),  # the alias ended
        ("ft:gpt-4o-2024-08-06:org::id", "openai"),  # own price unknown: never the base model's
        ("gpt-4o", "anthropic"),
        ("gpt-4o", "nobody"),
        ("somebody/gpt-4o", None),
        ("", None),
        ("gpt-4o\x00", None),
        ("claude-sonnet-4-5-max", "anthropic"),
        ("anthropic.claude-sonnet-4-6-v2:0", "bedrock"),  # a later version is another model
        ("anthropic.claude-v2", "bedrock"),
        ("anthropic.claude-sonnet-4-7", "bedrock"),
        ("amazon.titan-embed-text", "bedrock"),  # called by its version everywhere
        ("global.anthropic.claude-sonnet-4-6", "bedrock"),  # the global price is not the regional one
        ("models/gemini-2.5-pro-next", None),
        ("publishers/anthropic/models/claude-sonnet-4-5@20260101", None),
        ("claude-sonnet-4-5@20250929", "anthropic"),  # Vertex's spelling is not Anthropic's
    ],
)
def test_what_nobody_declared_stays_unresolved(name, provider):
    match = CATALOGUE.resolve(name, provider, NOW)
    assert match.offering_id is None
    assert match.rule.startswith(("unresolved", "not a model name"))


@given(suffix=st.text("abcdefghijklmnopqrstuvwxyz0123456789.-_", min_size=1, max_size=12))
def test_a_longer_name_never_gets_a_shorter_names_offering_but_by_a_declared_suffix(suffix):
    match = CATALOGUE.resolve(f"gpt-4o{suffix}", "openai", NOW)
    assert (
        not match.resolved or match.sku == f"gpt-4o{suffix}" or match.rule in {"effort suffix", "declared dated name"}
    )


@pytest.mark.parametrize(
    ("written", "slug"),
    [
        ("AWS Bedrock", "bedrock"), ("Amazon Bedrock", "bedrock"), ("Google Vertex AI", "vertex"),
        ("Azure OpenAI", "azure"), ("together_ai", "together"), ("Fireworks AI", "fireworks"), ("Z.ai", "zai"),
        ("Black Forest Labs", "black-forest-labs"),
    ],
)  # fmt: skip
def test_a_seller_is_known_by_what_people_call_it_too(written, slug):
    assert canonical(written) == slug


def test_no_name_is_declared_for_two_sellers():
    known = [{canonical(name) for name in (one.slug, one.name, *one.aliases)} for one in PROVIDERS]
    assert known == [{one.slug} for one in PROVIDERS]


@given(name=st.text(max_size=60), provider=st.none() | st.text(max_size=20))
def test_any_text_gets_an_answer(name, provider):
    assert CATALOGUE.resolve(name, provider, NOW).name == name


def test_two_skus_that_differ_by_case_alone_are_not_chosen_between():
    resolver = Resolver([offering(1, "h", "Model-A"), offering(2, "h", "model-a")])
    assert resolver.resolve("Model-A", "h").offering_id == 1
    assert not resolver.resolve("MODEL-A", "h").resolved


@pytest.mark.parametrize(
    ("skus", "same"),
    [
        ([("anthropic", "claude-sonnet-4-5-20250929"), ("openrouter", "anthropic/claude-sonnet-4.5"),
          ("bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0")], True),
        ([("anthropic", "claude-3-5-sonnet-20240620"), ("anthropic", "claude-3-5-sonnet-20241022")], False),
        ([("openai", "gpt-4o-2024-05-13"), ("openai", "gpt-4o")], False),
        ([("deepseek", "deepseek-v4-flash"), ("novita", "deepseek/deepseek-v4-flash-0731")], False),
        ([("fireworks", "kimi-k2p5"), ("openrouter", "moonshotai/kimi-k2.5")], True),
        ([("openrouter", "openai/gpt-4o:batch"), ("openai", "gpt-4o")], True),
        ([("perplexity", "perplexity/kimi-k3"), ("moonshot", "kimi-k3")], True),
        ([("openrouter", "llama-3.1-nemotron-70b-instruct"), ("x", "nvidia/llama-3.1-nemotron-70b-instruct")], True),
        ([("openrouter", "sao10k/l3-lunaris"), ("novita", "other/l3-lunaris")], False),
        ([("bedrock", "anthropic.claude-v1"), ("bedrock", "anthropic.claude-v2")], False),
        ([("bedrock", "anthropic.claude-v2"), ("bedrock", "anthropic.claude-v2:1")], False),
        ([("bedrock", "regional.anthropic.claude-v2:1"), ("bedrock", "anthropic.claude-v2:1")], True),
        ([("bedrock", "amazon.titan-image-generator-v1"), ("bedrock", "amazon.titan-image-generator-v2:0")], False),
        ([("bedrock", "amazon.titan-image-generator-v2"), ("bedrock", "amazon.titan-image-generator-v2:0")], True),
        ([("bedrock", "cohere.embed-english-v3"), ("bedrock", "cohere.embed-english-v3:0:512")], True),
        ([("bedrock", "amazon.nova-pro-v1:0"), ("bedrock", "us.amazon.nova-pro-v1:0:300k")], True),
        ([("bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0"), ("anthropic", "claude-3-5-sonnet-20241022")], True),
        ([("bedrock", "nvidia.nemotron-nano-9b-v2"), ("openrouter", "nvidia/nemotron-nano-9b-v2")], True),
    ],
)  # fmt: skip
def test_two_skus_are_one_model_only_by_declared_conventions(skus, same):
    keys = {identify(*sku).key for sku in skus}
    assert (len(keys) == 1) is same


def test_a_name_that_tells_no_maker_is_a_model_of_its_own_of_that_seller():
    assert identify("novita", "ming-image").key != identify("together", "ming-image").key
    assert identify("novita", "ming-image").maker == ""


@pytest.mark.parametrize(
    ("provider", "sku", "unit"),
    [
        ("anthropic", "claude-opus-5", "cache_write_5m"),
        ("bedrock", "global.anthropic.claude-opus-5", "cache_write_5m"),
        ("openai", "gpt-5.6-sol", "cache_write"),
        ("acme", "large", "cache_write"),
    ],
)
def test_a_cache_write_without_a_lifetime_is_five_minutes_where_the_maker_documents_it(provider, sku, unit):
    assert cache_write_unit(provider, sku) == unit


def test_a_region_written_before_the_name_is_the_offering_of_that_region_and_of_no_other():
    resolver = Resolver([offering(1, "azure", "gpt-4o"), offering(2, "azure", "gpt-4o", "eu")])
    told = {
        name: resolver.resolve(name, now) for name, now in (("azure/eu/gpt-4o", None), ("azure/global/gpt-4o", None))
    }
    assert {name: (m.offering_id, m.region, m.rule) for name, m in told.items()} == {
        "azure/eu/gpt-4o": (2, "eu", "provider prefix azure/, region prefix eu/"),
        "azure/global/gpt-4o": (1, "", "provider prefix azure/, region prefix global/"),
    }
    assert not resolver.resolve("azure/us/gpt-4o").resolved
    assert resolver.resolve("azure/gpt-4o").offering_id == 1


def test_a_seller_of_the_catalogue_is_a_prefix_as_a_declared_one_is():
    resolver = Resolver([offering(1, "watsonx", "ibm/granite-3-8b-instruct")])
    found = resolver.resolve("watsonx/ibm/granite-3-8b-instruct")
    assert (found.offering_id, found.rule) == (1, "provider prefix watsonx/")


def test_a_pointer_means_what_it_meant_and_two_words_against_each_other_mean_nothing():
    moved = datetime(2026, 10, 1, tzinfo=UTC)
    shop = [offering(1, "xai", "grok-8"), offering(2, "xai", "grok-9")]
    pointers = [AliasEntry("xai", "grok-newest", 2), AliasEntry("xai", "grok-newest", 1, valid_until=moved)]
    for order in (pointers, pointers[::-1]):
        resolver = Resolver(shop, order)
        assert resolver.resolve("grok-newest", "xai", datetime(2026, 9, 15, tzinfo=UTC)).sku == "grok-8"
        assert resolver.resolve("grok-newest", "xai", datetime(2026, 10, 15, tzinfo=UTC)).sku == "grok-9"
    contradicted = [AliasEntry("xai", "grok-newest", 2), AliasEntry("xai", "grok-newest", 1)]
    assert not Resolver(shop, contradicted).resolve("grok-newest", "xai", moved).resolved
    official = [contradicted[0], replace(contradicted[1], official=True)]
    assert Resolver(shop, official).resolve("grok-newest", "xai", moved).sku == "grok-8"


def test_a_size_and_a_later_version_are_other_models():
    resolver = Resolver(
        [offering(1, "mistral", "codestral"), offering(2, "bedrock", "regional.anthropic.claude-opus-5", "regional")]
    )
    assert resolver.resolve("codestral").sku == "codestral"
    assert not resolver.resolve("codestral-medium").resolved
    assert not Resolver([offering(1, "cohere", "command")]).resolve("command-medium").resolved
    assert resolver.resolve("us.anthropic.claude-opus-5-v1:0").sku == "regional.anthropic.claude-opus-5"
    assert not resolver.resolve("us.anthropic.claude-opus-5-v2:0").resolved


BEDROCK = Resolver(
    [
        offering(1, "bedrock", "regional.anthropic.claude-haiku-4-5-20251001-v1:0", "regional"),
        offering(2, "bedrock", "regional.anthropic.claude-haiku-4-5-20251001-v1:0", "us-gov-west-1"),
        offering(3, "bedrock", "global.anthropic.claude-haiku-4-5-20251001-v1:0", "global"),
        offering(4, "bedrock", "regional.anthropic.claude-instant-v1", "regional"),
        offering(5, "bedrock", "regional.anthropic.claude-instant-v1", "us-east-1"),
        offering(6, "anthropic", "claude-haiku-4-5-20251001"),
    ],
    [
        AliasEntry("anthropic", "claude-haiku-4-5", 6, official=True),
        AliasEntry("anthropic", "claude-haiku-four", 6),
    ],
)


@pytest.mark.parametrize(
    ("name", "offering_id", "rule"),
    [
        ("anthropic.claude-haiku-4-5", 1, "Bedrock's first version"),
        ("us.anthropic.claude-haiku-4-5", 1, "Bedrock's first version"),
        ("global.anthropic.claude-haiku-4-5", 3, "Bedrock's first version"),
        ("anthropic.claude-haiku-four", None, ""),  # only the vendor's own names
    ],
)
def test_a_bedrock_id_may_be_the_vendors_own_name_of_a_snapshot(name: str, offering_id: int | None, rule: str):
    told = BEDROCK.resolve(name, "bedrock")
    assert told.offering_id == offering_id
    assert offering_id is None or told.rule == f"anthropic's own name of claude-haiku-4-5-20251001, {rule}"


@pytest.mark.parametrize(
    ("name", "offering_id"),
    [
        ("us-east-1/anthropic.claude-haiku-4-5-20251001-v1:0", 1),
        ("eu-west-1/anthropic.claude-haiku-4-5-20251001-v1:0", 1),
        ("us-gov-west-1/anthropic.claude-haiku-4-5-20251001-v1:0", 2),
        ("us-gov-east-1/anthropic.claude-haiku-4-5-20251001-v1:0", None),  # GovCloud has prices of its own
        ("us-east-1/anthropic.claude-instant-v1", 5),
        ("eu-central-1/anthropic.claude-instant-v1", None),  # a source prices its regions apart
    ],
)
def test_a_region_of_bedrock_is_billed_at_the_regional_price_where_no_source_prices_regions_apart(
    name: str, offering_id: int | None
):
    told = BEDROCK.resolve(name, "bedrock")
    assert told.offering_id == offering_id
    assert told.rule.endswith("is billed at the regional price") == (offering_id == 1)
