"""A first mapping for a file from the names of its columns: declared names only, never a resemblance."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

# A header that has all of `marks` is that vendor's export, whose conventions are known.
# OpenRouter: activity by generation and by day. Anthropic: the Console's export and the Admin API's buckets.
# OpenAI: the platform's usage export. LiteLLM: spend logs and daily activity. Names are compared in lower
# case with _ for anything else.
EXPORTS: tuple[tuple[frozenset[str], dict[str, Any]], ...] = (
    (
        frozenset({"generation_id", "tokens_prompt", "tokens_completion"}),
        {"grain": "request", "cache": "inclusive", "reasoning": "included", "currency": "USD"}
        | {"constants": {"host": "openrouter"}},
    ),
    (
        frozenset({"model_permaslug", "prompt_tokens", "completion_tokens", "endpoint_id"}),
        {"grain": "1d", "cache": "inclusive", "reasoning": "included", "currency": "USD"}
        | {"constants": {"host": "openrouter"}},
    ),
    (
        frozenset({"usage_input_tokens_no_cache", "usage_output_tokens"}),
        {"grain": "1d", "cache": "exclusive", "constants": {"host": "anthropic"}},
    ),
    (
        frozenset({"uncached_input_tokens", "cache_read_input_tokens", "output_tokens"}),
        {"grain": "1d", "cache": "exclusive", "constants": {"host": "anthropic"}},
    ),
    (
        frozenset({"start_time", "num_model_requests", "input_tokens", "output_tokens"}),
        {"grain": "1d", "time_format": "unix", "cache": "inclusive", "constants": {"host": "openai"}},
    ),
    (
        frozenset({"request_id", "custom_llm_provider", "prompt_tokens", "completion_tokens", "spend"}),
        {"grain": "request", "cache": "inclusive", "currency": "USD"},
    ),
    (
        frozenset({"custom_llm_provider", "prompt_tokens", "completion_tokens", "api_requests", "spend"}),
        {"grain": "1d", "cache": "inclusive", "currency": "USD"},
    ),
)

SYNONYMS: dict[str, tuple[str, ...]] = {
    "time": (
        "time",
        "timestamp",
        "ts",
        "date",
        "day",
        "created_at",
        "start_time",
        "starttime",
        "occurred_at",
        "usage_date_utc",
        "usage_date",
        "starting_at",
        "bucket_start",
        "start_time_iso",
    ),
    "model": ("model", "model_permaslug", "model_version", "model_id", "model_name"),
    "host": ("host", "provider", "custom_llm_provider", "vendor"),
    "project": ("project", "project_id", "project_name", "workspace", "workspace_id"),
    "api_key": ("api_key", "api_key_id", "api_key_name", "key", "key_id"),
    "user": ("user", "user_id", "username", "user_email", "end_user"),
    "team": ("team", "team_id", "team_name"),
    "region": ("region",),
    "service_tier": ("service_tier", "tier"),
    "batch": ("batch", "is_batch"),
    "input": (
        "input",
        "input_tokens",
        "prompt_tokens",
        "tokens_prompt",
        "uncached_input_tokens",
        "usage_input_tokens_no_cache",
    ),
    "cache_read": (
        "cache_read",
        "cached_tokens",
        "tokens_cached",
        "cached_input_tokens",
        "input_cached_tokens",
        "cache_read_tokens",
        "cache_read_input_tokens",
        "usage_input_tokens_cache_read",
    ),
    "cache_write": (
        "cache_write",
        "cache_write_tokens",
        "cache_creation_tokens",
        "cache_creation_input_tokens",
        "input_cache_write_tokens",
    ),
    "cache_write_5m": (
        "cache_write_5m",
        "usage_input_tokens_cache_write_5m",
        "cache_creation_ephemeral_5m_input_tokens",
        "ephemeral_5m_input_tokens",
    ),
    "cache_write_30m": ("cache_write_30m", "input_cache_write_30m_tokens"),
    "cache_write_1h": (
        "cache_write_1h",
        "usage_input_tokens_cache_write_1h",
        "cache_creation_ephemeral_1h_input_tokens",
        "ephemeral_1h_input_tokens",
    ),
    "cache_write_12h": ("cache_write_12h", "input_cache_write_12h_tokens"),
    "output": ("output", "output_tokens", "completion_tokens", "tokens_completion", "usage_output_tokens"),
    "reasoning": ("reasoning", "reasoning_tokens", "tokens_reasoning", "output_reasoning_tokens"),
    "requests": ("requests", "num_model_requests", "api_requests", "request_count", "num_requests"),
    "cost": ("cost", "cost_usd", "cost_total", "spend", "usage", "total_cost"),
    "currency": ("currency",),
    "id": ("id", "request_id", "generation_id"),
    "session": ("session", "session_id"),
}
IN_USD = ("cost_usd",)


def suggest_mapping(header: Sequence[str]) -> dict[str, Any]:
    """A mapping to start from: the columns whose names are known, and the conventions of a known export.

    What only a person can say (whether input includes cache, what a row stands for) is left out, and
    `validate_mapping` then asks for it.
    """
    by_name = {_plain(name): name for name in reversed(header)}
    columns: dict[str, str] = {}
    for field, names in SYNONYMS.items():
        found = next((by_name[name] for name in names if name in by_name), None)
        if found is not None and found not in columns.values():
            columns[field] = found
    spec: dict[str, Any] = {"columns": columns, **_conventions(set(by_name))}
    constants = {name: text for name, text in spec.pop("constants", {}).items() if name not in columns}
    if "cost" not in columns or "currency" in columns:
        spec.pop("currency", None)
    elif _plain(columns["cost"]) in IN_USD:
        spec["currency"] = "USD"
    if "reasoning" not in columns:
        spec.pop("reasoning", None)
    return {**spec, "constants": constants} if constants else spec


def _conventions(names: set[str]) -> Mapping[str, Any]:
    return next((conventions for marks, conventions in EXPORTS if marks <= names), {})


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")
