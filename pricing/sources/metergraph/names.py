"""What a seller calls each model of the catalogue: the sku its prices are of, and further names with their dates.

An alias of the catalogue is a spelling that some tool reports: `{provider, alias, channel, effective_from,
effective_to, price_region}`. Those of `litellm` and `unknown` are other tools' spellings of the seller's own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pricing.matching import normal

SELLERS = {
    # channel → provider
    "openai-api": "openai",
    "anthropic-api": "anthropic",
    "google-api": "google",
    "google-vertex-ai": "vertex",
    "aws-bedrock": "bedrock",
    "aws-bedrock-geo": "bedrock",
    "fireworks-api": "fireworks",
    "deepseek-api": "deepseek",
    "mistral-api": "mistral",
    "xai-api": "xai",
    "zai-api": "zai",
    "meta-api": "meta",
    "minimax-api": "minimax",
    "moonshot-api": "moonshot",
    "alibaba-api": "alibaba",
    "perplexity-api": "perplexity",
    "openrouter-api": "openrouter",
    "vercel-ai-gateway": "vercel",
}
GATEWAYS = frozenset({"openrouter-api", "vercel-ai-gateway"})
"""Channels whose ids have a maker's namespace, and whose listings state no dates."""

_OTHER_TOOLS = frozenset({"litellm", "unknown"})
_BEDROCK_ID = re.compile(r"([a-z-]+\.)?[a-z]+\.[a-z]")
_PREFIXES = ("bedrock/", "fireworks:", "accounts/fireworks/models/")
"""Written before a seller's id by a tool or an account path; the id of the model is what follows."""


@dataclass(frozen=True, slots=True)
class Name:
    """One name of a model at a seller, in use [since, until); `regions` empty = wherever it is sold."""

    text: str
    since: datetime | None = None
    until: datetime | None = None
    regions: tuple[str, ...] = ()
    url: str = field(default="", compare=False)

    def names(self, region: str) -> bool:
        return not self.regions or region in self.regions

    @property
    def always(self) -> bool:
        return self.since is None and self.until is None


@dataclass(frozen=True, slots=True)
class Naming:
    """How one model is called on one channel: the names its prices are stated for, and the others."""

    skus: tuple[Name, ...]
    others: tuple[Name, ...]


def namings(models: Iterable[Mapping[str, Any]], unplaced: Counter[str]) -> dict[tuple[str, str], Naming]:
    """The naming by (canonical id, channel) of every model, on the channels that it has a price on."""
    own: dict[tuple[str, str], list[Name]] = {}
    for model in models:
        priced = {row["channel"] for row in model["prices"]}
        for alias in model["aliases"]:
            name = _name(alias)
            if alias["channel"] not in priced:
                unplaced["name on a channel without a price"] += 1
            elif alias["provider"] in _OTHER_TOOLS:
                unplaced["another tool's spelling of a name"] += 1
            elif name is None:
                unplaced["name with a prefix before the seller's own"] += 1
            elif name not in (names := own.setdefault((model["canonical_id"], alias["channel"]), [])):
                names.append(name)
    for names in own.values():
        unbounded = {(name.text, name.regions) for name in names if name.always}
        names[:] = [name for name in names if name.always or (name.text, name.regions) not in unbounded]
    chosen = {key: _skus(key[0], key[1], names) for key, names in own.items()}
    taken = {(key[1], name.text) for key, skus in chosen.items() for name in skus}
    result = {}
    for key, names in own.items():
        # A name that passes from one model to another is one sku, whose price is that of the model behind it.
        skus = [name for name in names if (key[1], name.text) in taken]
        result[key] = Naming(tuple(skus), tuple(name for name in names if name not in skus))
    return result


def _name(alias: Mapping[str, Any]) -> Name | None:
    """The seller's own id; None where the spelling puts something else before one."""
    text, channel = alias["alias"], alias["channel"]
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix)
    if channel in GATEWAYS:
        if text.startswith("google/models/"):
            return None
    elif "/" in text or (_BEDROCK_ID.match(text) is not None) != (SELLERS.get(channel) == "bedrock"):
        return None
    regions = alias.get("price_region") or ()
    return Name(
        text, moment(alias.get("effective_from")), moment(alias.get("effective_to")),
        (regions,) if isinstance(regions, str) else tuple(regions), alias.get("source_url") or "",
    )  # fmt: skip


def _skus(canonical_id: str, channel: str, names: Sequence[Name]) -> Sequence[Name]:
    """The names that are ids of their own; a model has one at a seller, but on Bedrock one for each profile."""
    if channel.startswith("aws-bedrock"):
        return names
    bare = canonical_id if channel in GATEWAYS else canonical_id.partition("/")[2]

    def preference(name: Name) -> tuple[bool, bool, bool, bool]:
        # Anthropic's own ids have no dot; the catalogue's have, and name the model for other tools.
        foreign = channel == "anthropic-api" and "." in name.text
        return (foreign, name.text != bare, normal(name.text) != normal(bare), not name.always)

    best = min(names, key=preference)
    return [name for name in names if name.text == best.text]


def moment(text: Any) -> datetime | None:
    """A stated moment; a day begins at midnight UTC."""
    if text is None:
        return None
    stated = datetime.fromisoformat(text)
    return stated.astimezone(UTC) if stated.tzinfo else stated.replace(tzinfo=UTC)
