"""How the same requests are asked of genai-prices and of LiteLLM. A peer is timed on what it can answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from genai_prices import Usage, calc_price
from genai_prices.data import providers

from benchmarks.measuring import Patience, median, timed
from benchmarks.workload import Request
from pricing.providers import canonical

_GENAI_IDS = {canonical(provider.id): provider.id for provider in providers}
_PROCESSING = {"batch", "flex", "priority"}
_LITELLM_IDS = {
    "google": "gemini", "vertex": "vertex_ai", "together": "together_ai", "fireworks": "fireworks_ai",
    "alibaba": "dashscope", "cohere": "cohere_chat", "voyageai": "voyage",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answers:
    """What a peer did with a sample: how many it answered, how many of these with nothing at all, how fast."""

    asked: int
    answered: int
    zero: int
    per_second: float

    @property
    def sentence(self) -> str:
        return (
            f"answered {self.answered:,} of {self.asked:,} requests, {self.zero:,} of them with 0;"
            " it is timed on those it answers."
        )


def genai_prices(patience: Patience, sample: Sequence[Request]) -> Answers:
    """calc_price, called as its documentation says."""
    calls = [call for call in map(_genai_call, sample) if call]
    known, zero = [], 0
    for call in calls:
        try:
            zero += not call().total_price
        except (LookupError, ValueError):
            continue
        known.append(call)

    def ask() -> float:
        with timed() as taken:
            for call in known:
                call()
        return len(known) / taken.cpu

    return Answers(len(sample), len(known), zero, median(patience.measured(ask)))


def _genai_call(request: Request) -> Callable[[], Any] | None:
    """The call with its arguments made, so that only the call is timed; None where the seller is unknown to it."""
    provider = _GENAI_IDS.get(request.provider)
    if provider is None:
        return None
    written = request.written_5m + request.written_1h
    usage = Usage(
        input_tokens=request.prompt,  # includes what was read from and written to the cache
        cache_read_tokens=request.cache_read,
        cache_write_tokens=written,
        output_tokens=request.output,
    )
    context = {"processing": request.service_tier} if request.service_tier in _PROCESSING else None
    return lambda: calc_price(
        usage,
        model_ref=request.sku,
        provider_id=provider,
        genai_request_timestamp=request.occurred_at,
        price_context=context,
    )


def as_litellm(request: Request) -> dict[str, Any]:
    """The arguments of cost_per_token; `model` and `custom_llm_provider` as LiteLLM would have been called."""
    return {
        "model": request.sku,
        "custom_llm_provider": _LITELLM_IDS.get(request.provider, request.provider),
        "prompt_tokens": request.prompt,
        "completion_tokens": request.output,
        "cache_read_input_tokens": request.cache_read,
        "cache_creation_input_tokens": request.written_5m + request.written_1h,
        "service_tier": request.service_tier if request.service_tier in ("flex", "priority") else None,
    }
