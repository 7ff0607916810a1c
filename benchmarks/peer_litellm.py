"""Runs in LiteLLM's own environment, with nothing of this project's: `python -m benchmarks.peer_litellm FILE`.

FILE is a JSON list of arguments of `cost_per_token`. Prints how many it answers and how many a second.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import litellm

TIMES = 3


def main(path: str) -> None:
    asked: list[dict[str, Any]] = json.loads(Path(path).read_text())
    litellm.suppress_debug_info = True
    known, zero = [], 0
    seller: dict[tuple[str, str], str | bool | None] = {}
    for call in asked:
        name = call["model"], call["custom_llm_provider"]
        if name not in seller:
            seller[name] = _seller(call)
        if seller[name] is False:
            continue
        call["custom_llm_provider"] = seller[name]
        try:
            zero += not sum(litellm.cost_per_token(**call))
        except Exception:  # noqa: S112 - it raises several kinds; each is no answer
            continue
        known.append(call)
    rates = []
    for _ in range(TIMES):
        start = time.process_time()
        for call in known:
            litellm.cost_per_token(**call)
        rates.append(len(known) / (time.process_time() - start))
    answers = {"asked": len(asked), "answered": len(known), "zero": zero, "per_second": statistics.median(rates)}
    print(json.dumps({"version": version("litellm"), "answers": answers}))


def _seller(call: dict[str, Any]) -> str | bool | None:
    """The provider's name under which it knows the model: as given, or none; False where neither."""
    for provider in (call["custom_llm_provider"], None):
        try:
            litellm.cost_per_token(**{**call, "custom_llm_provider": provider})
        except Exception:  # noqa: S112
            continue
        return provider
    return False


if __name__ == "__main__":
    main(sys.argv[1])
