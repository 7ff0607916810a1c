"""One offering as an entry of the map, and every price of it that the entry cannot say.

Amounts are exact decimals here; whoever writes the JSON writes the nearest double in its shortest form, which is the
number LiteLLM computes with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from pricing.exports.litellm import reading
from pricing.exports.litellm.hours import off_peak
from pricing.exports.litellm.reading import KEY_OF, LONG_WRITE, REASONING, above
from pricing.exports.litellm.sold import STANDARD, Card, OtherPrice, Sold, first_prompt

Entry = dict[str, Any]

KEY_OF_OTHER: Final = {
    "input_audio": "input_cost_per_audio_token",
    "output_audio": "output_cost_per_audio_token",
    "cache_read_audio": "cache_read_input_audio_token_cost",
    "input_image": "input_cost_per_image_token",
    "output_image": "output_cost_per_image_token",
    "input_video": "input_cost_per_video_token",
    "output_video": "output_cost_per_video_token",
    "citation": "citation_cost_per_token",
    "image": "output_cost_per_image",
    "input_page": "ocr_cost_per_page",
    "input_annotated_page": "annotation_cost_per_page",
    "input_characters": "input_cost_per_character",
    "input_audio_second": "input_cost_per_second",
}
"""Units beside the rated ones that LiteLLM counts as the seller does."""
_BATCHED: Final = frozenset({"input_audio", "input_image", "input_video", "output_image"})
_WITHOUT_TOKENS: Final = {
    "ocr_cost_per_page": "ocr",
    "input_cost_per_character": "audio_speech",
    "input_cost_per_second": "audio_transcription",
    "output_cost_per_image": "image_generation",
}
"""What makes an entry without token prices, and its mode. Beside token prices LiteLLM would not read them."""
_SEARCH_SIZES: Final = ("low", "medium", "high")
_EMBEDS: Final = re.compile(r"embed|(^|[/-])(voyage|bge|gte|e5)-")
_RANKS: Final = re.compile(r"rerank")
_SUPPORTS: Final = {
    "tools": "supports_function_calling",
    "reasoning": "supports_reasoning",
    "vision": "supports_vision",
    "image_in": "supports_vision",
    "audio_in": "supports_audio_input",
    "audio_out": "supports_audio_output",
    "video_in": "supports_video_input",
    "pdf_in": "supports_pdf_input",
    "prompt_caching": "supports_prompt_caching",
    "structured_output": "supports_response_schema",
    "computer_use": "supports_computer_use",
    "web_search": "supports_web_search",
}
_READ_BACK: Final = ("input", "output", "reasoning", "cache_read", "cache_write", "cache_write_5m", "cache_write_1h")
_NO_KEY: Final = ("cache_write_30m", "cache_write_12h")
_TIERS: Final = frozenset({STANDARD, reading.BATCH, *reading.SUFFIX_OF})
FAR: Final = 10**9
"""The end of the last range: no prompt is longer."""


@dataclass(frozen=True, slots=True)
class Inexpressible:
    """What the map cannot say of an offering. `why` is a sentence; amounts are USD per one of the unit."""

    kind: str
    why: str
    units: tuple[str, ...] = ()
    service_tier: str = ""
    context_from: int = 0
    schedule: str = ""
    qualifier: str = ""
    ours: Decimal | None = None
    litellm: Decimal | None = None


@dataclass(slots=True)
class _Draft:
    sold: Sold
    provider: str
    entry: Entry = field(default_factory=dict)
    left: list[Inexpressible] = field(default_factory=list)


def entry_of(sold: Sold, provider: str) -> tuple[Entry | None, list[Inexpressible]]:
    """The entry of an offering at LiteLLM's `provider`, None where there can be none, and what is left over."""
    foreign = {card.currency for card in sold.cards} | {price.currency for price in sold.others}
    if not foreign:
        return None, [Inexpressible("unknown", "No price of it is known now.")]
    if foreign != {"USD"}:
        money = ", ".join(sorted(foreign - {"USD"}))
        return None, [Inexpressible("currency", f"It is sold in {money}; the map has no currency but the US dollar.")]
    draft = _Draft(sold, provider)
    _write_rated(draft)
    _write_others(draft)
    mode = _mode(sold, draft.entry)
    if mode is None:
        units = tuple(dict.fromkeys(unit for card in sold.cards for unit in card.prices))
        why = "Only a part of what a request is charged is known: LiteLLM would take the rest as free."
        return None, [*draft.left, Inexpressible("incomplete", why, units)]
    if mode == "embedding":
        draft.entry.setdefault(KEY_OF["output"], Decimal(0))  # as LiteLLM writes it: an embedding has no output
    draft.entry |= {"litellm_provider": provider, "mode": mode, **_facts(sold, draft.entry)}
    if KEY_OF["input"] in draft.entry:
        draft.left += _read_back(draft, mode)
    return draft.entry, draft.left


def _write_rated(draft: _Draft) -> None:
    sold = draft.sold
    for tier in sold.tiers:
        cards = sold.of_tier(tier)
        if tier not in _TIERS:
            why = f"LiteLLM has no service tier {tier}."
            draft.left.append(Inexpressible("service_tier", why, _units(cards), service_tier=tier))
        elif tier == STANDARD:
            _write_standard(draft, cards)
        elif tier == reading.BATCH:
            _write_batch(draft, cards)
        elif tier == "fast" and draft.provider == "anthropic":
            _write_factor(draft, cards)
        elif not (tier == "fast" and "priority" in sold.tiers) and draft.provider not in reading.WITHOUT_TIERS:
            _write_tier(draft, tier)
    for card in sold.cards:
        if card.schedule:
            block = off_peak(sold, card)
            if isinstance(block, dict):
                draft.entry["off_peak_pricing"] = block
            else:
                draft.left.append(
                    Inexpressible(
                        "schedule", block, _units([card]), card.service_tier, card.context_from, card.schedule
                    )
                )


def _units(cards: list[Card]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(unit for card in cards for unit in card.prices))


def _by_base(card: Card) -> dict[str, Decimal]:
    """The card's prices by LiteLLM's keys. Its plain cache write is the one of no lifetime, else of five minutes."""
    prices = card.prices
    found = {key: prices[unit] for unit, key in KEY_OF.items() if unit in prices}
    if "cache_write" not in prices and "cache_write_5m" in prices:
        found[KEY_OF["cache_write"]] = prices["cache_write_5m"]
    if "cache_write_1h" in prices:
        found[LONG_WRITE] = prices["cache_write_1h"]
    return found


def _threshold(card: Card, provider: str) -> int:
    """N of `_above_N_tokens` so that LiteLLM begins the tier at the same prompt."""
    first = first_prompt(card)
    return first if provider in reading.INCLUSIVE else first - 1


def _write_standard(draft: _Draft, cards: list[Card]) -> None:
    cards = [card for card in cards if card.prices]  # a range without a price LiteLLM would take as free
    base = next((card for card in cards if not card.context_from), None)
    if base is not None:
        draft.entry |= _by_base(base)
        if reasoning := base.prices.get("reasoning"):
            draft.entry[REASONING] = reasoning
    tiers = [card for card in cards if card.context_from]
    if draft.provider in reading.IN_RANGES and tiers:
        draft.entry["tiered_pricing"] = _ranges(cards)
    elif draft.provider not in reading.WITHOUT_CONTEXT:
        for card in tiers:
            for key, amount in _by_base(card).items():
                draft.entry[above(key, _threshold(card, draft.provider))] = amount


def _ranges(cards: list[Card]) -> list[dict[str, Any]]:
    starts = [max(first_prompt(card) - 1, 0) for card in cards]
    return [
        {"range": [start, end], **_by_base(card)}
        | ({REASONING: reasoning} if (reasoning := card.prices.get("reasoning")) else {})
        for card, start, end in zip(cards, starts, [*starts[1:], FAR], strict=True)
    ]


def _write_batch(draft: _Draft, cards: list[Card]) -> None:
    for card in cards:
        for key in KEY_OF.values():
            amount = _by_base(card).get(key)
            if amount is not None:
                threshold = _threshold(card, draft.provider) if card.context_from else 0
                name = above(key, threshold, reading.BATCHES) if threshold else key + reading.BATCHES
                draft.entry[name] = amount


def _write_tier(draft: _Draft, tier: str) -> None:
    """A service tier's own keys, above every prompt size at which it or the standard tier changes."""
    suffix = reading.SUFFIX_OF[tier]
    for card in draft.sold.of_tier(tier):
        if not card.context_from:
            draft.entry |= {key + suffix: amount for key, amount in _by_base(card).items() if key != LONG_WRITE}
            if suffix in ("_flex", "_priority") and (reasoning := card.prices.get("reasoning")):
                draft.entry[REASONING + suffix] = reasoning
    for step in [*draft.sold.of_tier(STANDARD), *draft.sold.of_tier(tier)]:
        held = draft.sold.prices(tier, first_prompt(step))
        if not step.context_from or held is None:
            continue
        threshold = _threshold(step, draft.provider)
        for unit, key in KEY_OF.items():
            amount = held.price(unit) if unit != "cache_write" else held.price("cache_write_5m")
            if amount is not None and reading.kept_above(key, threshold, suffix):
                draft.entry[above(key, threshold, suffix)] = amount


def _write_factor(draft: _Draft, cards: list[Card]) -> None:
    """Anthropic's fast mode is a factor on every price; what is no such factor is left to the reading back."""
    ratios = []
    for card in cards:
        standard = draft.sold.prices(STANDARD, first_prompt(card))
        for unit, amount in card.prices.items():
            plain = standard.price(unit) if standard else None
            if plain:
                ratios.append(amount / plain)
    if ratios and min(ratios) == max(ratios):
        draft.entry["provider_specific_entry"] = {"fast": ratios[0]}


def _write_others(draft: _Draft) -> None:
    has_tokens = KEY_OF["input"] in draft.entry
    for price in draft.sold.others:
        amount = price.amount / price.per
        kind, why = _unfit(price, has_tokens)
        if not kind and price.unit == "web_search":
            if draft.provider == "anthropic":  # LiteLLM counts Anthropic's searches one by one, as they are sold
                sizes = {f"search_context_size_{size}": amount for size in _SEARCH_SIZES}
                draft.entry["search_context_cost_per_query"] = sizes
                continue
            kind, why = "unit", "LiteLLM counts this provider's searches otherwise than they are sold."
        if not kind and price.service_tier == reading.BATCH:
            draft.entry[KEY_OF_OTHER[price.unit] + reading.BATCHES] = amount
        elif not kind:
            draft.entry[KEY_OF_OTHER[price.unit]] = amount
        else:
            draft.left.append(
                Inexpressible(
                    kind, why, (price.unit,), price.service_tier, price.context_from, price.schedule, price.qualifier
                )
            )


def _unfit(price: OtherPrice, has_tokens: bool) -> tuple[str, str]:
    """Kind and reason where a price beside the rate cards has no key; two blanks where it has."""
    key = KEY_OF_OTHER.get(price.unit)
    if price.qualifier:
        return "qualifier", f"The map has no place for {price.qualifier}."
    if price.context_mode == "marginal":
        return "marginal", "LiteLLM prices a whole request by its highest tier, not each token by its own."
    if price.unit != "web_search" and (key is None or (key in _WITHOUT_TOKENS and has_tokens)):
        beside = " beside prices of tokens" if key else ""
        return "unit", f"LiteLLM has no key it would read for {price.unit}{beside}."
    if price.schedule or price.context_from:
        return "unit", f"The price of {price.unit} has no key by hour or by length of the prompt."
    batched = price.service_tier == reading.BATCH and price.unit in _BATCHED
    if price.service_tier != STANDARD and not batched:
        return "service_tier", f"The price of {price.unit} has no key by service tier {price.service_tier}."
    return "", ""


def _mode(sold: Sold, entry: Entry) -> str | None:
    """What LiteLLM calls the kind of model; None where a request's whole price is not known."""
    name = sold.sku.lower()
    if KEY_OF["input"] not in entry:
        alone = (mode for key, mode in _WITHOUT_TOKENS.items() if key in entry)
        return None if KEY_OF["output"] in entry else next(alone, None)
    if _RANKS.search(name):
        return "chat" if KEY_OF["output"] in entry else None  # LiteLLM bills a ranking by the search, not by tokens
    if _EMBEDS.search(name) or any(kind.startswith("embedding") for kind in sold.modalities):
        return "embedding"
    return "chat" if KEY_OF["output"] in entry else None


def _facts(sold: Sold, entry: Entry) -> Entry:
    """What the entry says besides prices; nothing that is not known."""
    facts: Entry = {key: True for name, key in _SUPPORTS.items() if name in {*sold.capabilities, *sold.modalities}}
    if KEY_OF["cache_read"] in entry:
        facts["supports_prompt_caching"] = True
    if sold.context_window:
        facts["max_input_tokens"] = sold.context_window
    if sold.max_output:
        facts["max_output_tokens"] = sold.max_output
    if longest := sold.max_output or sold.context_window:
        facts["max_tokens"] = longest
    if sold.retires_on:
        facts["deprecation_date"] = sold.retires_on.isoformat()
    if sold.url:
        facts["source"] = sold.url
    return facts


def _read_back(draft: _Draft, mode: str) -> Iterator[Inexpressible]:
    """Every rated price that LiteLLM reads from the entry otherwise than it is."""
    sold = draft.sold
    steps = sorted({first_prompt(card) for card in sold.cards if not card.schedule} | {0})
    units = [unit for unit in _READ_BACK if mode != "embedding" or unit == "input"]
    told: set[tuple[str, str]] = set()
    for tier in (tier for tier in sold.tiers if tier in _TIERS):
        for first in steps:
            held = sold.prices(tier, first)
            if held is None:
                continue
            read = reading.rates(draft.entry, draft.provider, tier, max(first, 1))
            unknown = [unit for unit in units if held.price(unit) is None and (unit, "unknown") not in told]
            if unknown:
                told |= {(unit, "unknown") for unit in unknown}
                yield Inexpressible("unknown", _UNKNOWN, tuple(unknown), tier, first)
            for unit in units:
                ours = held.price(unit)
                if ours is not None and read[unit] != ours:
                    why = f"LiteLLM takes another price for {unit} of {tier} requests of {max(first, 1):,} tokens."
                    yield Inexpressible("other_price", why, (unit,), tier, first, ours=ours, litellm=read[unit])
            for unit in _NO_KEY:
                if unit in held.prices and (unit, "no key") not in told:
                    told.add((unit, "no key"))
                    yield Inexpressible("unit", f"LiteLLM has no key for {unit}.", (unit,), tier, first)


_UNKNOWN: Final = "The price is not known. The map has no word for that: LiteLLM takes another price of the entry."
