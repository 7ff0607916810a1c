"""Portkey's models repository (MIT): the file of one vendor's prices, in US cents a unit, as its gateway bills them.

    {"default": {"pricing_config": {"pay_as_you_go": {"request_token": {"price": 0}, …}, "calculate": {…},
                                    "currency": "USD"}},
     "gpt-5.4": {"pricing_config": {
         "pay_as_you_go": {"request_token": {"price": 0.00025}, "cache_read_input_token": {"price": 0.000025},
                           "additional_units": {"web_search": {"price": 1}}, "image": {"high": {"1024x1024": …}}},
         "batch_config": {"request_token": …}, "finetune_config": {"pay_per_token": …}},
       "custom_pricing": {"context_tier_map": {"0": "lte-272k", "272000": "gt-272k"}, "regions": {
         "default": {"execution_modes": {"flex": {"context_tiers": {"gt-272k": {"pricing_config": {…}}}}}},
         "us,eu,…": …}}}}

A price is cents per single token, call, image or second. The file does not name its vendor; its address does, and
this source reads the file of OpenAI. A zero stands for free and for "not billed" alike, so no zero is a price. A
model's prices are stated in up to three places of its entry; where two of them disagree neither is a price.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from pricing.sources import AGGREGATOR, MTOK, OfferingFact, Reading, SourceError, Statement

SLUG = "portkey"
NAME = "Portkey models (OpenAI)"
TRUST = AGGREGATOR
PRECEDENCE = 4  # no dates, no evidence a price, and hand-kept copies of one price that drift apart
COPIES = ()
LICENCE = "MIT"
URL = "https://github.com/Portkey-AI/models"
FEED = "https://raw.githubusercontent.com/Portkey-AI/models/main/pricing/openai.json"
CADENCE_HOURS = 24
STATES_HISTORY = False  # the prices the gateway bills today

_TOKENS = {
    "request_token": "input",
    "request_text_token": "input",
    "request_audio_token": "input_audio",
    "request_image_token": "input_image",
    "response_token": "output",
    "response_text_token": "output",
    "response_audio_token": "output_audio",
    "response_image_token": "output_image",
    "cache_read_input_token": "cache_read",
    "cache_read_text_input_token": "cache_read",
    "cached_text_input_token": "cache_read",
    "cache_read_audio_input_token": "cache_read_audio",
    "cache_read_image_input_token": "cache_read_image",
    "cached_image_input_token": "cache_read_image",
    "cache_write_input_token": "cache_write",
}
_CALLS = {"web_search": "web_search", "file_search": "file_search"}
_SECONDS = re.compile(r"video_duration_seconds_(\d+)_(\d+)")
_MODES = {"standard": "standard", "batch": "batch", "flex": "flex", "priority": "priority"}
_TIER = re.compile(r"(lte|gt)-(\d+)k")
_SPOKEN = re.compile(r"(whisper|tts)-1")
_MOST_CENTS_A_TOKEN = Decimal("0.1")
"""Ten times the dearest model there has been; more is the price of a minute under a token's name."""
_MOST_CENTS = Decimal(1_000_000)
_PLACES = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class _Selector:
    """Which of a model's prices: the key columns besides the unit."""

    sku: str
    service_tier: str = "standard"
    context_from: int = 0
    region: str = ""


@dataclass(frozen=True, slots=True)
class _Key:
    selector: _Selector
    unit: str
    per: int
    qualifier: str = ""


_Prices = dict[_Key, set[Decimal]]


def parse(body: bytes) -> Reading:
    """Every price of a vendor's file, in USD."""
    try:
        models = json.loads(body, parse_float=Decimal)
        reading, prices = Reading(), defaultdict[_Key, set[Decimal]](set)
        for sku, entry in models.items():
            _model(sku, entry, prices, reading)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise SourceError(f"The body is no price file of Portkey's models repository: {fault!r}.") from fault
    _state(prices, reading)
    if not reading.statements:
        raise SourceError("Portkey's price file holds no price at all; its layout must have changed.")
    reading.unplaced = +reading.unplaced
    return reading


def _model(sku: str, entry: Mapping[str, Any], prices: _Prices, reading: Reading) -> None:
    config = entry["pricing_config"]
    if sku == "default":
        reading.unplaced["default entry"] += 1
        return
    if config.get("currency", "USD") != "USD":
        reading.unplaced[f"model priced in {config['currency']}"] += 1
        return
    _config(_Selector(sku), config, prices, reading)
    custom = entry.get("custom_pricing", {})
    reading.unplaced.update(f"part {part}" for part in entry if part not in ("pricing_config", "custom_pricing"))
    reading.unplaced.update(f"custom {part}" for part in custom if part not in ("regions", "context_tier_map"))
    for regions, modes in custom.get("regions", {}).items():
        for region in [""] if regions == "default" else regions.split(","):
            for mode, priced in modes["execution_modes"].items():
                if mode not in _MODES:
                    reading.unplaced[f"execution mode {mode}"] += 1
                    continue
                selector = _Selector(sku, _MODES[mode], region=region)
                if "pricing_config" in priced:
                    _config(selector, priced["pricing_config"], prices, reading)
                for name, tier in priced.get("context_tiers", {}).items():
                    start = _context_from(name, custom["context_tier_map"])
                    if start is None:
                        reading.unplaced[f"context tier {name}"] += 1
                        continue
                    _config(replace(selector, context_from=start), tier["pricing_config"], prices, reading)


def _context_from(name: str, starts: Mapping[str, str]) -> int | None:
    """More than how many tokens a context tier holds; None where its name and the map do not agree."""
    start = next((int(tokens) for tokens, tier in starts.items() if tier == name), None)
    found = _TIER.fullmatch(name)
    if start is None or found is None:
        return None
    return start if (found[1] == "lte") == (start == 0) and start in (0, int(found[2]) * 1000) else None


def _config(selector: _Selector, config: Mapping[str, Any], prices: _Prices, reading: Reading) -> None:
    for part, stated in config.items():
        if part == "pay_as_you_go":
            _units(selector, stated, prices, reading)
        elif part == "batch_config":
            _units(replace(selector, service_tier="batch"), stated, prices, reading)
        elif part == "finetune_config":
            reading.unplaced["training of a fine-tuned model"] += len(stated)
        elif part == "calculate":
            reading.unplaced["formula"] += 1
        elif part != "currency":
            reading.unplaced[f"part {part}"] += 1


def _units(selector: _Selector, stated: Mapping[str, Any], prices: _Prices, reading: Reading) -> None:
    for name, value in stated.items():
        if name == "additional_units":
            _units(selector, value, prices, reading)
        elif name == "image":
            for key, price in _images(selector, value):
                _put(key, price, prices, reading)
        elif found := _key(selector, name):
            _put(found, value, prices, reading)
        else:
            reading.unplaced[f"price of {name}"] += 1


def _key(selector: _Selector, name: str) -> _Key | None:
    if name in _TOKENS:
        return _Key(selector, _TOKENS[name], MTOK)
    if name in _CALLS:
        return _Key(_Selector(selector.sku), _CALLS[name], 1000)  # a tool's call costs the same in every mode
    if found := _SECONDS.fullmatch(name):
        return _Key(selector, "output_video_second", 1, f"{found[1]}x{found[2]}")
    return None


def _images(selector: _Selector, stated: Mapping[str, Any]) -> Iterator[tuple[_Key, Mapping[str, Any]]]:
    """`default` is what holds where a request names no quality or size."""
    for quality, sizes in stated.items():
        for size, price in sizes.items():
            qualifier = " ".join(word for word in (quality, size) if word != "default")
            yield _Key(selector, "image", 1, qualifier), price


def _put(key: _Key, stated: Mapping[str, Any], prices: _Prices, reading: Reading) -> None:
    cents = stated["price"]
    if isinstance(cents, bool) or not isinstance(cents, int | Decimal):
        reading.unplaced["amount that is no number"] += 1
        return
    cents = Decimal(cents)
    if not cents.is_finite() or not 0 <= cents < _MOST_CENTS:
        reading.unplaced["amount that is no price"] += 1
    elif cents == 0:
        reading.unplaced["price of zero"] += 1
    elif key.per == MTOK and (cents > _MOST_CENTS_A_TOKEN or _SPOKEN.match(key.selector.sku)):
        reading.unplaced["price of a minute or a character under a token's name"] += 1
    else:
        # The file's numbers went through binary floats: 0.00005999999999999999 was written 0.00006.
        prices[key].add((cents / 100 * key.per).quantize(_PLACES))


def _state(prices: _Prices, reading: Reading) -> None:
    offerings: dict[tuple[str, str], OfferingFact] = {}
    for key, amounts in prices.items():
        if len(amounts) > 1:
            reading.unplaced["prices of one entry that disagree"] += len(amounts)
            continue
        at = key.selector
        reading.statements.append(
            Statement(
                provider="openai", sku=at.sku, region=at.region, unit=key.unit, qualifier=key.qualifier,
                amount=next(iter(amounts)), per=key.per, service_tier=at.service_tier, context_from=at.context_from,
                context_op=">" if at.context_from else "", context_mode="whole_request" if at.context_from else "",
                url=URL,
            )
        )  # fmt: skip
        offerings.setdefault((at.sku, at.region), OfferingFact("openai", "OpenAI", at.sku, at.region))
    reading.offerings += offerings.values()
