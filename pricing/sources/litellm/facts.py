"""What a row of LiteLLM's table says of a model besides its prices."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from pricing.sources import OfferingFact
from pricing.sources.litellm.names import Place

_CAPABILITIES = {
    "supports_function_calling": "tools",
    "supports_reasoning": "reasoning",
    "supports_vision": "vision",
    "supports_prompt_caching": "prompt_caching",
    "supports_response_schema": "structured_output",
    "supports_computer_use": "computer_use",
    "supports_web_search": "web_search",
}
_MODALITIES = {
    "supports_vision": "image_in",
    "supports_audio_input": "audio_in",
    "supports_video_input": "video_in",
    "supports_pdf_input": "pdf_in",
    "supports_audio_output": "audio_out",
}
_ADDRESS = re.compile(r"https://[!-~]{3,500}")
_KINDS = ("text", "image", "audio", "video", "pdf")


def offering(at: Place, row: Mapping[str, Any]) -> OfferingFact:
    return OfferingFact(
        at.provider, at.provider_name, at.sku, at.region,
        context_window=tokens(row.get("max_input_tokens")), max_output=tokens(row.get("max_output_tokens")),
        modalities=_modalities(row),
        capabilities=tuple(name for key, name in _CAPABILITIES.items() if row.get(key) is True),
        # What LiteLLM calls a deprecation date is the day on which the seller ends the model.
        retires_on=_day(row.get("deprecation_date")),
    )  # fmt: skip


def page(row: Mapping[str, Any]) -> str:
    """The page a row cites."""
    source = row.get("source")
    return source if isinstance(source, str) and _ADDRESS.fullmatch(source) else ""


def _modalities(row: Mapping[str, Any]) -> tuple[str, ...]:
    said = {name for key, name in _MODALITIES.items() if row.get(key) is True}
    for key, side in (("supported_modalities", "in"), ("supported_output_modalities", "out")):
        stated = row.get(key)
        said |= {f"{kind}_{side}" for kind in _KINDS if isinstance(stated, list) and kind in stated}
    if row.get("mode") in ("chat", "completion", "responses"):
        said |= {"text_in", "text_out"}
    return tuple(sorted(said, key=lambda name: (name.endswith("_out"), name)))


def tokens(value: Any) -> int | None:
    """The early files write `"4096"` and `1e6`."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 11:
        value = int(value)
    if isinstance(value, Decimal) and value.is_finite() and abs(value) < 2**31 and value == int(value):
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31
    return value if whole else None


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
