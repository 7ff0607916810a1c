"""Which weights a seller's sku means, by declared conventions alone. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pricing.matching import bedrock
from pricing.matching.dates import DATE
from pricing.providers import MAKER_OF_NAMESPACE, declared, maker_of

_VARIANT = re.compile(r":(free|batch|extended|thinking|beta|nitro|floor|online|exacto)$")
# One snapshot is all there ever was behind these names, so the date is not part of the model's identity.
# Anthropic's 3.5 Sonnet is the exception: two snapshots with weights of their own.
_DATE_IS_PART_OF_THE_MODEL = re.compile(r"claude-3-5-sonnet")
_SAME_MODEL = {
    ("anthropic", "claude-opus-4-0"): "claude-opus-4",
    ("anthropic", "claude-4-opus"): "claude-opus-4",
    ("anthropic", "claude-sonnet-4-0"): "claude-sonnet-4",
    ("anthropic", "claude-4-sonnet"): "claude-sonnet-4",
    ("deepseek", "deepseek-flash"): "deepseek-v4.1-flash",
    ("mistral", "mistral-large-4-0"): "mistral-large-4",
}


def normal(name: str) -> str:
    """A name as identities are compared: lower case, every separator a hyphen."""
    return re.sub(r"[\s._@/]+", "-", name.strip().lower())


@dataclass(frozen=True)
class Identity:
    """The weights behind a sku: maker ('' unknown), the name to show as slug, region scope, and the rule used."""

    maker: str
    slug: str
    region: str
    rule: str

    @property
    def key(self) -> str:
        """Equal for two skus exactly when they name the same weights."""
        return f"{self.maker}/{normal(self.slug)}"


def identify(provider: str, sku: str) -> Identity:
    """The identity of the model a provider sells under a sku, by declared conventions.

    A sku whose maker no convention tells is a model of its own of that provider.
    """
    name, region, rules = sku.strip().lower().lstrip("~"), "", []
    namespace = ""
    if provider == "bedrock" and (found := bedrock.read(name)):
        region, namespace, name = found
        rules.append("bedrock id")
    elif provider == "cloudflare" and name.startswith("@cf/"):
        name = name.removeprefix("@cf/")
    if "/" in name:
        namespace, _, name = name.rpartition("/")
        rules.append("maker's namespace")
    if provider == "fireworks":
        name = re.sub(r"(?<=\d)p(?=\d)", ".", name)  # kimi-k2p5 is Fireworks' spelling of kimi-k2.5
        region = "us" if name.endswith("-us") else region
        name = name.removesuffix("-us")
    if provider == "databricks":
        name = name.removeprefix("databricks-")
    if provider in {"vertex", "google"}:
        name = name.removesuffix("-maas").replace("@", "-")
    if _VARIANT.search(name):
        rules.append("seller's variant")
        name = _VARIANT.sub("", name)
    known = declared(provider)
    maker = MAKER_OF_NAMESPACE.get(namespace.split("/")[-1], "") if namespace else ""
    if maker == provider and maker_of(name):
        # A maker that also hosts others puts its own name before theirs too (`perplexity/kimi-k3`).
        maker = maker_of(name)
    if not maker:
        maker = maker_of(name) or (namespace if namespace and known is None else "")
    if not maker and known is not None and known.maker and not namespace:
        maker = known.slug
    if not maker:
        own = namespace or provider
        return Identity(own if namespace else "", f"{own}-{name}", region, "seller's own name")
    name = _without_date(maker, name)
    name = _SAME_MODEL.get((maker, name), name)
    if maker == "zai":
        name = name.removeprefix("zai-")  # as Mistral lists it
    return Identity(maker, name, region, ", ".join(rules) or "maker's own name")


def cache_write_unit(provider: str, sku: str) -> str:
    """The unit of a cache-write price stated without a lifetime: Anthropic documents five minutes, others none."""
    return "cache_write_5m" if identify(provider, sku).maker == "anthropic" else "cache_write"


def _without_date(maker: str, name: str) -> str:
    """The name without its date or `-latest`, for the maker whose date is no part of the identity."""
    if maker != "anthropic":
        return name
    name = name.replace(".", "-")
    if _DATE_IS_PART_OF_THE_MODEL.match(name):
        return name
    return DATE.sub("", name).removesuffix("-latest")
