"""Runs in LiteLLM's own environment: `python -m benchmarks.peer_litellm_map FILE`.

FILE is a JSON list of requests; the map comes from LITELLM_MODEL_COST_MAP_URL. Prints what LiteLLM makes of each (a
float, or the text of its refusal), its version, and the keys of the map it took, so that a fall-back is noticed.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import litellm
from litellm.types.utils import CompletionTokensDetailsWrapper, PromptTokensDetailsWrapper, Usage


def usage_of(call: dict[str, Any]) -> Usage:
    read, write = call["cache_read"], call["cache_write"]
    details: dict[str, Any] = {"cached_tokens": read, "cache_creation_tokens": write}
    if call["by_lifetime"]:
        details["cache_creation_token_details"] = {
            f"ephemeral_{lifetime}_input_tokens": call["by_lifetime"].get(lifetime, 0) for lifetime in ("5m", "1h")
        }
    prompt = call["input"] + read + write
    usage = Usage(
        prompt_tokens=prompt,
        completion_tokens=call["output"],
        total_tokens=prompt + call["output"],
        prompt_tokens_details=PromptTokensDetailsWrapper(**details),
        completion_tokens_details=CompletionTokensDetailsWrapper(reasoning_tokens=call["reasoning"]),
    )
    if call["tier"] == "fast" and call["provider"] == "anthropic":
        usage.speed = "fast"  # as Anthropic's responses say it
    return usage


def cost(call: dict[str, Any]) -> float | str:
    tier = None if call["tier"] in ("standard", "batch") or call["provider"] == "anthropic" else call["tier"]
    try:
        return sum(
            litellm.cost_per_token(
                model=call["key"],
                usage_object=usage_of(call),
                service_tier=tier,
                call_type="retrieve_batch" if call["tier"] == "batch" else "completion",
            )
        )
    except Exception as refusal:  # it raises several kinds; each is an answer that differs
        return f"{type(refusal).__name__}: {refusal}"[:300]


def main(path: str) -> None:
    calls: list[dict[str, Any]] = json.loads(Path(path).read_text())
    litellm.suppress_debug_info = True
    print(
        json.dumps(
            {"version": version("litellm"), "keys": sorted(litellm.model_cost), "costs": [cost(call) for call in calls]}
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
