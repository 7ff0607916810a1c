"""models.dev: prices, limits and abilities of models by seller, kept by its community, as its api.json.

    {"amazon-bedrock": {"id": "amazon-bedrock", "name": "Amazon Bedrock", "doc": "https://…", "models": {
       "anthropic.claude-sonnet-4-6": {"id": "anthropic.claude-sonnet-4-6", "name": "Claude Sonnet 4.6",
         "cost": {"input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75,
                  "tiers": [{"input": 6, "output": 22.5, "tier": {"type": "context", "size": 200000}}],
                  "context_over_200k": {"input": 6, "output": 22.5}},
         "experimental": {"modes": {"fast": {"cost": {"input": 6, "output": 30}}}},
         "limit": {"context": 200000, "output": 64000}, "modalities": {"input": ["text", "pdf"], "output": ["text"]},
         "tool_call": true, "reasoning": true, "structured_output": true, "open_weights": false,
         "release_date": "2026-02-17", "status": "beta"}}}}

USD for a million tokens, at present; no dates of prices. `context_over_200k` is the older form of `tiers`. Where a
model costs nothing to those who pay in another way, by subscription or with their own computer, every price is 0 as
well: a zero is a price only of an id that calls itself free. Schema: packages/core/src/schema.ts of the project.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeGuard

from pricing.matching import cache_write_unit
from pricing.providers import canonical, declared
from pricing.sources import CURATED, OfferingFact, Reading, SourceError, Statement

SLUG = "models_dev"
NAME = "models.dev"
TRUST = CURATED
PRECEDENCE = 4  # states the present without dates or a page for each price; others keep its history
# OpenRouter's own rows it reads from that API, whose word comes first there; its other prices are read elsewhere.
COPIES: tuple[str, ...] = ()
LICENCE = "MIT"
URL = "https://models.dev"
FEED = "https://models.dev/api.json"
CADENCE_HOURS = 24
STATES_HISTORY = False

_UNITS = {
    "input": "input",
    "output": "output",
    "reasoning": "reasoning",
    "cache_read": "cache_read",
    "cache_write": "cache_write",
    "input_audio": "input_audio",
    "output_audio": "output_audio",
}
_NOT_PRICES = {"tiers", "context_over_200k", "tier"}
_MODES = {"batch", "fast", "flex", "priority", "ultrafast"}
_SELLERS = {
    # Entries of one seller under another name than the seller's; every other id is a slug or an alias of one.
    "google-vertex-anthropic": "vertex",
    "cloudflare-workers-ai": "cloudflare",
    "novita-ai": "novita",
    "llama": "meta",
}
_SUBSCRIPTION = re.compile(r"\b(plan|copilot)\b", re.IGNORECASE)
_FREE = re.compile(r".+[:-]free")
_ID = re.compile(r"[!-~]{1,300}")
_PLACES = Decimal("1e-12")
_ACCOUNT = "accounts/fireworks/models/"
"""The account's path before an id of Fireworks; the id of the model is what follows."""


def parse(body: bytes) -> Reading:
    """Every price and offering of an api.json."""
    try:
        providers = json.loads(body, parse_float=Decimal)
        reading = Reading()
        seen: set[tuple[str, str]] = set()
        for key, provider in providers.items():
            if isinstance(provider, dict) and isinstance(provider.get("models"), dict) and _ID.fullmatch(key):
                _provider(key, provider, reading, seen)
            else:
                reading.unplaced["seller without a list of models"] += 1
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise SourceError(f"The body is not models.dev's api.json: {fault!r}.") from fault
    if not reading.statements:
        raise SourceError("models.dev's api.json holds no price at all; its layout must have changed.")
    reading.unplaced = +reading.unplaced
    return reading


def _provider(key: str, provider: Mapping[str, Any], reading: Reading, seen: set[tuple[str, str]]) -> None:
    slug = _SELLERS.get(key) or canonical(key)
    known = declared(slug)
    named = provider.get("name") or key
    page = provider.get("doc")
    url = page if isinstance(page, str) and page.startswith("https://") else URL
    subscription = _SUBSCRIPTION.search(f"{key} {named}") is not None
    for model_key, model in provider["models"].items():
        if not isinstance(model, dict) or not _is_id(identity := model.get("id", model_key)):
            reading.unplaced["model without an id"] += 1
            continue
        sku = identity.removeprefix(_ACCOUNT)
        cost = model.get("cost") or {}
        if subscription:
            reading.unplaced["model of a subscription"] += 1
        elif (slug, sku) in seen:
            reading.unplaced["second entry of an offering"] += 1
        else:
            seen.add((slug, sku))
            prices = list(_prices(Statement(slug, sku, "", Decimal(0), url=url), model, reading.unplaced))
            if prices:
                # A seller's model without a price is mostly one that it does not sell by the token at all.
                reading.offerings.append(_offering(slug, known.name if known else named, sku, model, cost))
                reading.statements += prices
            reading.unplaced["model without a price"] += not cost


def _prices(template: Statement, model: Mapping[str, Any], unplaced: Counter[str]) -> Iterator[Statement]:
    """The base prices of a model, those of a long prompt and those of its modes."""
    cost = model.get("cost") or {}
    yield from _costs(template, cost, unplaced)
    tiers = cost.get("tiers") or ()
    for tier in tiers:
        rule = tier["tier"]
        if rule.get("type", "context") != "context" or not _is_count(rule.get("size")):
            unplaced["price under an unknown condition"] += 1
        else:
            yield from _costs(_above(template, rule["size"]), tier, unplaced)
    if "context_over_200k" in cost and not tiers:
        yield from _costs(_above(template, 200_000), cost["context_over_200k"], unplaced)
    for mode, stated in ((model.get("experimental") or {}).get("modes") or {}).items():
        if mode in _MODES:
            yield from _costs(replace(template, service_tier=mode), stated.get("cost") or {}, unplaced)
        else:
            unplaced[f"mode {mode}"] += 1


def _costs(template: Statement, cost: Mapping[str, Any], unplaced: Counter[str]) -> Iterator[Statement]:
    """The prices of one object; each key is a statement or a count."""
    for key, value in cost.items():
        if key in _NOT_PRICES:
            continue
        if key not in _UNITS:
            unplaced[f"price of {key}"] += 1
        elif (amount := _amount(value)) is None:
            unplaced[f"price of {key} that is no amount"] += 1
        elif amount == 0 and not _FREE.fullmatch(template.sku):
            unplaced["zero of an offering not sold as free"] += 1
        else:
            unit = cache_write_unit(template.provider, template.sku) if key == "cache_write" else _UNITS[key]
            yield replace(template, unit=unit, amount=amount)


def _above(template: Statement, tokens: int) -> Statement:
    return replace(template, context_from=tokens, context_op=">", context_mode="whole_request")


def _offering(provider: str, seller: str, sku: str, model: Mapping[str, Any], cost: Mapping[str, Any]) -> OfferingFact:
    sides = model.get("modalities") or {}
    modalities = tuple(
        f"{kind}_{way}" for side, way in (("input", "in"), ("output", "out")) for kind in sorted(sides.get(side) or ())
    )
    tools = model.get("tool_call")
    has = {
        "tools": bool(tools.get("supported") if isinstance(tools, Mapping) else tools),
        "reasoning": bool(model.get("reasoning")),
        "structured_output": bool(model.get("structured_output")),
        "vision": "image_in" in modalities,
        "prompt_caching": "cache_read" in cost,
    }
    limit = model.get("limit") or {}
    status = model.get("status")
    return OfferingFact(
        provider, seller, sku, name=_text(model.get("name")), description=_text(model.get("description")),
        note=f"models.dev calls it {status}." if status in ("alpha", "beta") else "",
        context_window=limit["context"] if _is_count(limit.get("context")) else None,
        max_output=limit["output"] if _is_count(limit.get("output")) else None,
        modalities=modalities, capabilities=tuple(name for name, held in has.items() if held),
        open_weights=weights if isinstance(weights := model.get("open_weights"), bool) else None,
        released_on=_day(model.get("release_date")), deprecated=status == "deprecated",
    )  # fmt: skip


def _amount(value: Any) -> Decimal | None:
    """The amount to twelve places: the file is written from binary floats, some of which end in 49999999999996."""
    if not isinstance(value, int | Decimal) or isinstance(value, bool) or not 0 <= value < 10**9:
        return None
    amount = Decimal(value).quantize(_PLACES, ROUND_HALF_UP)
    # What rounds to nothing is no price, and above all not free.
    return None if value and not amount else amount


def _is_id(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31


def _text(value: Any) -> str:
    return value.replace("\x00", "") if isinstance(value, str) else ""


def _day(text: Any) -> date | None:
    """A stated day; a month alone is none."""
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
