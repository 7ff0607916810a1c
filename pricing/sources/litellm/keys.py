"""What a price key of LiteLLM's table means: unit, per how many, service tier, context tier and qualifier.

A key is a metric with up to three suffixes, in this order: `cache_creation_input_token_cost` + `_above_1hr` (how long
the written cache lives) + `_above_200k_tokens` (holds for the whole request once its prompt is longer) + `_priority`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from pricing.sources import MTOK

HOUR = 3600
IS_PRICE = re.compile(r"cost|pric|multiplier|uplift")
"""Every key that speaks of money has one of these in its name."""

FLAT = "input_cost_per_query"
"""The metric of a tier by number of results."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one amount under a key is the price of."""

    unit: str
    per: int = MTOK
    service_tier: str = "standard"
    context_from: int = 0
    qualifier: str = ""

    @property
    def per_token(self) -> bool:
        return self.per == MTOK and not self.unit.endswith(("characters", "pixel"))


_TOKENS = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "input_cost_per_token_cache_hit": "cache_read",  # as it was called until 2024; both stand in DeepSeek's rows
    "cache_creation_input_token_cost": "cache_write",
    "output_cost_per_reasoning_token": "reasoning",
    "citation_cost_per_token": "citation",
    "input_cost_per_audio_token": "input_audio",
    "output_cost_per_audio_token": "output_audio",
    "cache_read_input_audio_token_cost": "cache_read_audio",
    "cache_read_input_token_cost_per_audio_token": "cache_read_audio",
    "input_cost_per_image_token": "input_image",
    "output_cost_per_image_token": "output_image",
    "cache_read_input_image_token_cost": "cache_read_image",
    "input_cost_per_video_token": "input_video",
    "output_cost_per_video_token": "output_video",
    "input_cost_per_character": "input_characters",
    "output_cost_per_character": "output_characters",
}
_OTHERS = {
    "input_cost_per_request": ("request", 1000),
    "input_cost_per_image": ("input_images", 1),
    "output_cost_per_image": ("image", 1),
    "input_cost_per_second": ("second", 1),
    "output_cost_per_second": ("second", 1),
    "input_cost_per_audio_per_second": ("input_audio_second", HOUR),
    "input_cost_per_video_per_second": ("input_video_second", 1),
    "output_cost_per_video_per_second": ("output_video_second", 1),
    FLAT: ("query", 1000),
    "ocr_cost_per_page": ("input_page", 1000),
    "annotation_cost_per_page": ("input_annotated_page", 1000),
    "code_interpreter_cost_per_session": ("code_interpreter_session", 1),
    "file_search_cost_per_1k_calls": ("file_search", 1000),
    "file_search_cost_per_gb_per_day": ("file_search_gb_day", 1),
    "vector_store_cost_per_gb_per_day": ("vector_store_gb_day", 1),
    "computer_use_input_cost_per_1k_tokens": ("computer_use_input", 1000),
    "computer_use_output_cost_per_1k_tokens": ("computer_use_output", 1000),
}
STATED_PER_THOUSAND = re.compile(r"_per_1k_(calls|tokens)$")
"""Every other amount is for one token, image, second …"""

UNIT_BY_MODE = {
    # (metric, mode of the row) → unit: what a second, image or pixel is of depends on what the model does.
    ("input_cost_per_second", "audio_transcription"): ("audio_second", HOUR),
    ("output_cost_per_second", "audio_transcription"): ("audio_second", HOUR),
    ("input_cost_per_second", "realtime"): ("audio_second", HOUR),
    ("output_cost_per_second", "audio_speech"): ("output_audio_second", HOUR),
    ("output_cost_per_second", "video_generation"): ("output_video_second", 1),
    # A generated image may be priced as input or output: the request pays for it either way.
    ("input_cost_per_image", "image_generation"): ("image", 1),
    ("input_cost_per_image", "image_edit"): ("image", 1),
    ("input_cost_per_pixel", "image_generation"): ("pixel", MTOK),
    ("output_cost_per_pixel", "image_generation"): ("pixel", MTOK),
    ("input_cost_per_query", "search"): ("request", 1000),
}
_QUALIFIED = (
    # suffix of a metric → (metric it narrows, qualifier)
    (re.compile(r"(?P<metric>output_cost_per_image)_above_(?P<w>\d+)_and_(?P<h>\d+)_pixels_and_premium_image"),
     "premium over {w}x{h}"),
    (re.compile(r"(?P<metric>output_cost_per_image)_above_(?P<w>\d+)_and_(?P<h>\d+)_pixels"), "over {w}x{h}"),
    (re.compile(r"(?P<metric>output_cost_per_image)_premium_image"), "premium"),
    (re.compile(r"(?P<metric>(?:in|out)put_cost_per_second)_(?P<height>\d+p)"), "{height}"),
    (re.compile(r"(?P<metric>input_cost_per_video_per_second)_above_(?P<seconds>\d+)s_interval"),
     "interval over {seconds} s"),
)  # fmt: skip
_TIER = re.compile(r"_(?P<tier>batches|batch_requests|flex|priority|fast|ultrafast|balanced)$")
_TIERS = {"batches": "batch", "batch_requests": "batch"}
_CONTEXT = re.compile(r"_above_(?P<thousands>\d{1,5})k_tokens$")
_LIFETIME = re.compile(r"(?P<metric>cache_creation_input_token_cost)_above_(?P<hours>\d{1,2})hr$")
_NOT_PLACED = {
    "cache_creation_input_audio_token_cost": "price of a cache read under the name of a write",
    "input_dbu_cost_per_token": "price in Databricks units beside the one in USD",
    "output_dbu_cost_per_token": "price in Databricks units beside the one in USD",
    "output_db_cost_per_token": "price in Databricks units beside the one in USD",
    "guardrail_cost_per_unit": "price of a guardrail's policy units",
    "ocr_cost_per_credit": "price of a seller's own credit",
    "regional_endpoint_uplift_multiplier": "uplift of every regional endpoint, no one region's",
}


@cache
def meaning(key: str, mode: str) -> Meaning | str:
    """What the amount under a key is the price of in a row of this mode, or the kind under which it is counted."""
    if key in _NOT_PLACED:
        return _NOT_PLACED[key]
    metric, tier, context, qualifier = key, "standard", 0, ""
    if found := _TIER.search(metric):
        metric, tier = metric[: found.start()], _TIERS.get(found["tier"], found["tier"])
    if found := _CONTEXT.search(metric):
        metric, context = metric[: found.start()], int(found["thousands"]) * 1000
    if found := _LIFETIME.fullmatch(metric):
        return Meaning(f"cache_write_{found['hours']}h", service_tier=tier, context_from=context)
    for pattern, text in _QUALIFIED:
        if found := pattern.fullmatch(metric):
            metric, qualifier = found["metric"], text.format(**found.groupdict())
            break
    if metric in _TOKENS:
        unit, per = _TOKENS[metric], MTOK
    elif (metric, mode) in UNIT_BY_MODE:
        unit, per = UNIT_BY_MODE[metric, mode]
    elif metric in _OTHERS:
        unit, per = _OTHERS[metric]
    else:
        return f"price of {key}"
    return Meaning(unit, per, tier, context, qualifier)
