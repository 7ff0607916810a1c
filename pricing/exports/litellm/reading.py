"""How LiteLLM reads an entry: the price of each unit for one request, its fall-backs included.

Follows `_get_token_base_cost`, `_resolve_reasoning_token_cost` and `get_batch_cost_rates` of LiteLLM 1.106.2 and the
calculators of the providers that have one of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

Rates = dict[str, Decimal]

KEY_OF: Final = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}
LONG_WRITE: Final = "cache_creation_input_token_cost_above_1hr"
REASONING: Final = "output_cost_per_reasoning_token"
SUFFIX_OF: Final = {"flex": "_flex", "priority": "_priority", "fast": "_priority", "ultrafast": "_ultrafast"}
"""Service tier → what its keys end in. LiteLLM takes `fast` for `priority`."""
BATCH: Final = "batch"
BATCHES: Final = "_batches"

INCLUSIVE: Final = frozenset({"xai"})
"""Providers whose `_above_N_tokens` LiteLLM reads as N or more, not more than N."""
WITHOUT_TIERS: Final = frozenset({"dashscope", "deepseek", "fireworks_ai", "perplexity", "tencent", "xai"})
"""Providers whose calculator is not told the service tier."""
IN_RANGES: Final = frozenset({"dashscope"})
"""Providers whose context tiers LiteLLM reads from `tiered_pricing` alone."""
WITHOUT_CONTEXT: Final = frozenset({"perplexity"})
_ABOVE = re.compile(r"^(?:input|output|cache_creation_input|cache_read_input)\w*_above_(\d+)(k?)_tokens(\w*)$")


def kept_above(base: str, threshold: int, suffix: str) -> bool:
    """Whether LiteLLM carries a context tier's price under this key: of service tiers it lists each key."""
    if suffix in ("", BATCHES):
        return True
    if base not in KEY_OF.values():
        return False
    return threshold == 272_000 or (threshold == 200_000 and suffix == "_priority" and base != KEY_OF["cache_write"])


def above(base: str, threshold: int, suffix: str = "") -> str:
    """The key of a price above a prompt size: `input_cost_per_token_above_200k_tokens_priority`."""
    label = f"{threshold // 1000}k" if threshold % 1000 == 0 else str(threshold)
    return f"{base}_above_{label}_tokens{suffix}"


def rates(entry: Mapping[str, Any], provider: str, tier: str, prompt: int) -> Rates:
    """What LiteLLM charges a token of each unit. `prompt` is the request's whole input, cached or not."""
    if tier == BATCH:
        return _batch(entry, provider, prompt)
    told = "" if provider in WITHOUT_TIERS else SUFFIX_OF.get(tier, "")
    if provider == "anthropic" and tier == "fast":
        factor = Decimal(entry.get("provider_specific_entry", {}).get("fast", 1))
        return {unit: amount * factor for unit, amount in _plain(entry, provider, "", prompt).items()}
    if (ranges := entry.get("tiered_pricing")) and prompt > 0:
        return _ranged(ranges, entry, provider, prompt)
    return _plain(entry, provider, told, prompt)


def _plain(entry: Mapping[str, Any], provider: str, suffix: str, prompt: int) -> Rates:
    found: dict[str, Decimal | None] = {unit: _get(entry, key, suffix) for unit, key in KEY_OF.items()}
    found["cache_write_1h"] = entry.get(LONG_WRITE)
    if not found["output"] and entry.get("output_cost_per_image_token") is not None:
        found["output"] = entry["output_cost_per_image_token"]
    if provider not in IN_RANGES | WITHOUT_CONTEXT:
        for threshold in _reached(entry, provider, suffix, prompt):
            for unit, key in [*KEY_OF.items(), ("cache_write_1h", LONG_WRITE)]:
                stated = _get_above(entry, key, threshold, suffix)
                found[unit] = stated if stated is not None else found[unit]
    return _filled(entry, provider, suffix, found)


def _filled(entry: Mapping[str, Any], provider: str, suffix: str, found: Mapping[str, Decimal | None]) -> Rates:
    """With what LiteLLM takes for a price that is not there."""
    input_, output = found["input"] or Decimal(0), found["output"] or Decimal(0)
    read, write, long = found["cache_read"], found["cache_write"], found["cache_write_1h"]
    if provider in WITHOUT_CONTEXT:
        read = write = long = input_
    write = input_ if write is None else write
    if provider in IN_RANGES:
        long = write
    reasoning = entry.get(REASONING + suffix)
    if reasoning is None and suffix and entry.get(KEY_OF["output"] + suffix) is not None:
        reasoning = output
    elif reasoning is None:
        reasoning = entry.get(REASONING)
    if reasoning is None or provider == "xai":
        reasoning = output
    return {
        "input": input_, "output": output, "cache_read": input_ if read is None else read, "cache_write": write,
        "cache_write_5m": write, "cache_write_1h": write if long is None else long, "reasoning": reasoning,
    }  # fmt: skip


def _ranged(ranges: list[dict[str, Any]], entry: Mapping[str, Any], provider: str, prompt: int) -> Rates:
    """By the one range that the prompt lies in: more than its start, up to its end."""
    inside = [one for one in ranges if one["range"][0] < prompt <= one["range"][1]]
    chosen = (inside or ranges[-1:])[0]
    found = {unit: chosen.get(key) for unit, key in KEY_OF.items()} | {"cache_write_1h": chosen.get(LONG_WRITE)}
    if found["output"] is None:
        found["output"] = entry.get(KEY_OF["output"])
    return _filled({REASONING: chosen.get(REASONING)}, provider, "", found)


def _batch(entry: Mapping[str, Any], provider: str, prompt: int) -> Rates:
    """A finished batch. What has no price there is charged as input; half of standard where batches have none."""
    found: dict[str, Decimal | None] = {}
    for unit, key in KEY_OF.items():
        found[unit] = entry.get(key + BATCHES)
        crossed = [n for n in _thresholds(entry, BATCHES, key) if _exceeds(prompt, n, provider)]
        if crossed:
            found[unit] = entry.get(above(key, max(crossed), BATCHES), found[unit])
    half = {unit: (entry.get(key) or Decimal(0)) / 2 for unit, key in KEY_OF.items()}
    if found["input"] is None:
        read = half["cache_read"]
        write = half["cache_write"] if entry.get(KEY_OF["cache_write"]) else half["input"]
        input_ = half["input"]
    else:
        input_ = found["input"]
        read = input_ if found["cache_read"] is None else found["cache_read"]
        write = input_ if found["cache_write"] is None else found["cache_write"]
    output = half["output"] if found["output"] is None else found["output"]
    return {
        "input": input_, "output": output, "cache_read": read, "cache_write": write, "cache_write_5m": write,
        "cache_write_1h": write, "reasoning": output,
    }  # fmt: skip


def _get(entry: Mapping[str, Any], key: str, suffix: str) -> Decimal | None:
    """The service tier's price, or the standard one where it has none."""
    found: Decimal | None = entry.get(key + suffix)
    return entry.get(key) if found is None else found


def _get_above(entry: Mapping[str, Any], key: str, threshold: int, suffix: str) -> Decimal | None:
    own: Decimal | None = entry.get(above(key, threshold, suffix)) if kept_above(key, threshold, suffix) else None
    return entry.get(above(key, threshold)) if own is None else own


def _reached(entry: Mapping[str, Any], provider: str, suffix: str, prompt: int) -> list[int]:
    found = set(_thresholds(entry, "")) | (set(_thresholds(entry, suffix)) if suffix else set())
    return sorted(n for n in found if _exceeds(prompt, n, provider))


def _thresholds(entry: Mapping[str, Any], suffix: str, prefix: str = "") -> list[int]:
    found = (_ABOVE.match(key) for key in entry if key.startswith(prefix + "_above_" if prefix else ""))
    return [int(match[1]) * (1000 if match[2] else 1) for match in found if match and match[3] == suffix]


def _exceeds(prompt: int, threshold: int, provider: str) -> bool:
    return prompt >= threshold if provider in INCLUSIVE else prompt > threshold
