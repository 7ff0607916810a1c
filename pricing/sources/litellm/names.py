"""Which offering a key of LiteLLM's table names: seller, the seller's own id, region, and what narrows the price.

A key is what a caller writes to LiteLLM: its routing prefix, then what the seller's API takes.

    gpt-4o · claude-opus-5 · gemini-2.5-pro (Vertex AI) · gemini/gemini-2.5-pro (Gemini API)
    azure/eu/gpt-4o-2024-08-06 · bedrock/us-east-1/deepseek.v3.2 · us.anthropic.claude-opus-5
    fireworks_ai/accounts/fireworks/models/kimi-k2p5 · hd/1024-x-1792/dall-e-3

`litellm_provider` of the row says which seller; the prefix alone does not.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, replace

from pricing.providers import canonical, declared


@dataclass(frozen=True, slots=True)
class Place:
    """An offering, with what narrows the prices of one row of it."""

    provider: str
    sku: str
    region: str = ""
    qualifier: str = ""
    """Quality, size and steps of a generated image."""

    @property
    def provider_name(self) -> str:
        known = declared(self.provider)
        return known.name if known else _NAMES.get(self.provider, self.provider)


NOT_SOLD = {
    # Rows of these say what a model can do; their zeros mean that nobody bills for a token.
    "ollama": "runs on one's own computer",
    "lemonade": "runs on one's own computer",
    "searxng": "runs on one's own computer",
    "sagemaker": "is rented by the hour, not by the token",
    "github_copilot": "is part of a subscription",
    "chatgpt": "is part of a subscription",
}
_SELLER = {
    # litellm_provider → seller, where no declared alias says it
    "azure_text": "azure",
    "bedrock_mantle": "bedrock",
    "fireworks_ai-embedding-models": "fireworks",
    "text-completion-openai": "openai",
    "text-completion-codestral": "codestral",
    "text-completion-inception": "inception",
}
_ROUTES = {
    # litellm_provider → the routing prefix of its keys, where it is not the provider's name
    "azure_text": "azure",
    "bedrock_converse": "bedrock",
    "fireworks_ai-embedding-models": "fireworks_ai",
    "cohere_chat": "cohere",
}
_NAMES = {
    "aleph-alpha": "Aleph Alpha", "anyscale": "Anyscale", "assemblyai": "AssemblyAI", "baseten": "Baseten",
    "black-forest-labs": "Black Forest Labs", "cerebras": "Cerebras", "cloudflare": "Cloudflare Workers AI",
    "codestral": "Mistral Codestral endpoint", "crusoe": "Crusoe", "databricks": "Databricks", "deepgram": "Deepgram",
    "fal-ai": "fal", "friendliai": "FriendliAI", "gigachat": "GigaChat", "gradient-ai": "DigitalOcean Gradient",
    "heroku": "Heroku", "hyperbolic": "Hyperbolic", "lambda-ai": "Lambda", "nebius": "Nebius", "novita": "Novita",
    "nscale": "Nscale", "nvidia-nim": "NVIDIA NIM", "ovhcloud": "OVHcloud", "palm": "Google PaLM API",
    "replicate": "Replicate", "runwayml": "Runway", "sambanova": "SambaNova", "scaleway": "Scaleway",
    "snowflake": "Snowflake Cortex", "stability": "Stability AI", "tavily": "Tavily", "v0": "v0",
    "wandb": "Weights & Biases", "watsonx": "IBM watsonx",
}  # fmt: skip

_NO_MODEL = {"sample_spec", "fallback_generalizations"}
_SIZE_CLASS = re.compile(r"(together-ai|fireworks-ai)-.+")
_COMMITMENT = re.compile(r"[^/]+/\d+-month-commitment/.+")
_REGION = re.compile(r"(?P<region>[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d)/(?P<id>.+)")
_BEDROCK_ID = re.compile(r"(?:(?P<scope>[a-z-]{2,6})\.)?(?P<base>[a-z0-9]+\.[^./@][^/@]*)")
_SCOPES = ("us-gov", "us", "eu", "apac", "jp", "au", "ca", "global")
_AZURE_SCOPE = re.compile(r"(?P<scope>eu|us|global|global-standard)/(?P<id>.+)")
_FIREWORKS = re.compile(r"accounts/fireworks/(?:models|routers)/(?P<id>[^/]+)")
_IMAGE = re.compile(
    r"(?:(?P<quality>low|medium|high|hd|standard|auto)/)?(?P<w>\d+|max)-x-(?P<h>\d+|max)/(?:(?P<steps>\w+-steps)/)?(?P<id>.+)"
)
_ID = re.compile(r"[!-~](?:[ -~]{0,198}[!-.0-~])?")
"""Printable, of a sane length, and not ending in a slash."""
_NOT_THE_SELLERS = "name the seller does not take"


def place(key: str, provider: str) -> Place | str:
    """The offering a key names, or the kind under which its row is counted."""
    if key in _NO_MODEL:
        return "row that is no model"
    if _SIZE_CLASS.fullmatch(key):
        return "row of a class of models by their size"
    if not provider:
        return "row without a seller"
    if provider in NOT_SOLD:
        return f"row of a model that {NOT_SOLD[provider]}"
    seller, name, qualifier = _seller(provider), _without_route(key, provider), ""
    if found := _IMAGE.fullmatch(name):
        size = f"{found['w']}x{found['h']}"
        qualifier = " ".join(word for word in (found["quality"], size, found["steps"]) if word)
        name = _without_route(found["id"], provider)
    placed = _of_seller(Place(seller, name, qualifier=qualifier))
    return placed if isinstance(placed, str) or _ID.fullmatch(placed.sku) else _NOT_THE_SELLERS


def _seller(provider: str) -> str:
    if provider.startswith("vertex_ai"):
        return "vertex"  # vertex_ai-anthropic_models, vertex_ai-llama_models, …
    return canonical(_SELLER.get(provider, provider))


def _without_route(key: str, provider: str) -> str:
    route = "vertex_ai" if provider.startswith("vertex_ai") else _ROUTES.get(provider, provider)
    return key.removeprefix(f"{route}/")


def _of_seller(at: Place) -> Place | str:
    """What the seller's own conventions say of the rest of a key."""
    if at.provider == "azure":
        if at.sku == "model_router":
            return "fee on top of what a router chooses"
        if found := _AZURE_SCOPE.fullmatch(at.sku):
            return replace(at, sku=found["id"], region=found["scope"] if found["scope"] in ("eu", "us") else "")
    elif at.provider == "bedrock":
        return _bedrock(at)
    elif at.provider == "fireworks" and (found := _FIREWORKS.fullmatch(at.sku)):
        return replace(at, sku=found["id"])
    elif at.provider == "openrouter" and at.sku == "openrouter/auto":
        return "row of a router, at the price of what it routes to"
    return at


def _bedrock(at: Place) -> Place | str:
    if _COMMITMENT.fullmatch(at.sku):
        return "row of throughput committed for months"
    name, region = at.sku.removeprefix("invoke/"), ""
    if found := _REGION.fullmatch(name):
        name, region = found["id"], found["region"]
    found = _BEDROCK_ID.fullmatch(name)
    if found is None or (found["scope"] and found["scope"] not in _SCOPES):
        return _NOT_THE_SELLERS
    return replace(at, sku=name, region=region)


def in_region(at: Place, keys: Container[str]) -> Place:
    """A Bedrock id without a scope as the catalogue writes it where a global profile of the model is sold apart."""
    bare = at.sku.partition(".")[0] not in _SCOPES
    if at.provider == "bedrock" and bare and (at.sku.startswith("anthropic.claude-") or f"global.{at.sku}" in keys):
        return replace(at, sku=f"regional.{at.sku}")
    return at
