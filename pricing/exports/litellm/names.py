"""How LiteLLM names what a provider sells: a prefix by provider, and `litellm_provider`, which it matches on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pricing.exports.litellm.sold import Sold


@dataclass(frozen=True, slots=True)
class Naming:
    """What stands before the seller's own id, and LiteLLM's own slug of the seller."""

    prefix: str
    provider: str


def _slashed(provider: str) -> Naming:
    return Naming(f"{provider}/", provider)


NAMINGS = {
    "openai": Naming("", "openai"),
    "anthropic": Naming("", "anthropic"),
    "google": _slashed("gemini"),
    "vertex": _slashed("vertex_ai"),
    "azure": _slashed("azure"),
    "bedrock": Naming("", "bedrock"),
    "cohere": Naming("", "cohere_chat"),
    "ai21": _slashed("ai21_chat"),
    "fireworks": Naming("fireworks_ai/accounts/fireworks/models/", "fireworks_ai"),
    "nova": _slashed("amazon_nova"),
    "alibaba": _slashed("dashscope"),
    "github-copilot": _slashed("github_copilot"),
    "lambda": _slashed("lambda_ai"),
    "meta": _slashed("meta_llama"),
    "nvidia": _slashed("nvidia_nim"),
    "together": _slashed("together_ai"),
    "vercel": _slashed("vercel_ai_gateway"),
    "voyageai": _slashed("voyage"),
    "xiaomi": _slashed("xiaomi_mimo"),
} | {
    slug: _slashed(slug)
    for slug in (
        "baseten", "cerebras", "cloudflare", "cognition", "databricks", "deepinfra", "deepseek", "friendliai", "groq",
        "hyperbolic", "inception", "minimax", "mistral", "moonshot", "morph", "nebius", "novita", "nscale", "oci",
        "openrouter", "ovhcloud", "perplexity", "publicai", "replicate", "sambanova", "scaleway", "snowflake",
        "tencent", "typesafe", "v0", "volcengine", "wandb", "watsonx", "xai", "zai",
    )
}  # fmt: skip
"""By our slug of the provider. A provider that is not here has no name in LiteLLM."""

OF_ANTHROPIC_AT_VERTEX = Naming("vertex_ai/", "vertex_ai-anthropic_models")
_BEDROCK_ID = re.compile(r"[a-z][a-z-]*\.[a-z]")
_PLACEHOLDER = "regional."
_PROFILES = ("", "us.", "eu.", "apac.", "jp.", "au.", "ca.")
"""What the price sources' `regional.` stands for: in-region calls and each geographic profile (pricing.matching)."""


_OF_TEXT = {"claude-2", "claude-instant-1"}
"""What LiteLLM takes for models of Anthropic's text API, a provider of its own by which it then finds no price."""


def naming(sold: Sold) -> Naming | None:
    """How LiteLLM names this offering's seller; None where it does not know it."""
    if sold.provider in ("google", "vertex") and sold.maker == "anthropic":
        return OF_ANTHROPIC_AT_VERTEX
    if sold.provider == "google" and sold.maker not in ("google", ""):
        return NAMINGS["vertex"]  # the Gemini API sells Google's own models only
    if sold.provider == "azure" and sold.maker not in ("openai", ""):
        return _slashed("azure_ai")
    if sold.provider == "cohere" and "embed" in sold.sku:
        return _slashed("cohere")
    return NAMINGS.get(sold.provider)


def keys(sold: Sold, named: Naming) -> Iterator[tuple[str, bool]]:
    """The offering's keys in the map and whether each is the seller's own id; none where its region has no name."""
    place = _region(sold)
    if place is None:
        return
    for name in dict.fromkeys((sold.sku, *_profiles(sold), *sold.aliases)):
        if _callable(sold, name):
            yield (
                (name if name.startswith(named.prefix) and named.prefix else named.prefix + place + name),
                (name == sold.sku),
            )


def _profiles(sold: Sold) -> list[str]:
    """The ids under which Bedrock sells a model at its regional price."""
    if sold.provider != "bedrock" or not sold.sku.startswith(_PLACEHOLDER):
        return []
    return [profile + sold.sku.removeprefix(_PLACEHOLDER) for profile in _PROFILES]


def _callable(sold: Sold, name: str) -> bool:
    """Whether the seller could be called by the name. An alias is of the same form as the id."""
    if sold.provider == "anthropic" and name in _OF_TEXT:
        return False
    if sold.provider == "bedrock":
        return bool(_BEDROCK_ID.match(name)) and not name.startswith(_PLACEHOLDER)
    return name == sold.sku or name.count("/") == sold.sku.count("/")


def _region(sold: Sold) -> str | None:
    """What stands between prefix and id for a region; None where LiteLLM has no place for it."""
    if not sold.region:
        return ""
    if sold.provider == "bedrock":
        inside = sold.sku.startswith((f"{sold.region}.", _PLACEHOLDER))
        return "" if inside else f"bedrock/{sold.region}/"
    if sold.provider == "azure" and sold.region in ("us", "eu", "global"):
        return f"{sold.region}/"
    return None
