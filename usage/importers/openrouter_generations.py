"""OpenRouter's single generations: `GET /api/v1/generation?id=…`, or the dashboard's export with a row for each.

    {"data":{"id":"gen-3bhG…","created_at":"2024-07-15T23:33:19.43+00:00","model":"sao10k/l3-stheno-8b",
      "provider_name":"Infermatic","native_tokens_prompt":10,"native_tokens_cached":3,"native_tokens_completion":25,
      "native_tokens_reasoning":5,"tokens_prompt":10,"tokens_completion":25,"total_cost":0.0015,"is_byok":false,
      "upstream_inference_cost":0.0012,"external_user":"user-123","session_id":null,"app_id":12345,
      "workspace_id":"…","service_tier":"priority","data_region":"global","response_cache_source_id":null}}

    generation_id,created_at,cost_total,…,tokens_prompt,tokens_completion,tokens_reasoning,tokens_cached,
    model_permaslug,provider_name,variant,…,user,…,api_key_name,app_name

`native_tokens_…` are those that are billed; the plain ones are counted again by another tokenizer. The prompt includes
the cached tokens, the completion the reasoning. A reply from OpenRouter's own cache is one request of no tokens. With
the caller's own key, the cost is OpenRouter's fee only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from usage.importers import APPEND, Dimension, Fact, Outcome, _logs, _openrouter, _records
from usage.importers._json import Unreadable, place, text, tier
from usage.importers._logs import first, named, tokens
from usage.importers._records import Json

SLUG = "openrouter_generations"
NAME = "OpenRouter generations"
MODE = APPEND
MAPPED = False
DETAIL = 3

FIELDS = (
    "id", "created_at", "model", "model_permaslug", "variant", "provider_name", "native_tokens_prompt",
    "native_tokens_cached", "native_tokens_completion", "native_tokens_reasoning", "tokens_prompt",
    "native_tokens_completion_images", "num_input_audio_prompt",
    "tokens_completion", "total_cost", "usage", "is_byok", "byok_usage_inference", "external_user", "session_id",
    "app_id", "app_name", "workspace_id", "service_tier", "data_region", "response_cache_source_id", "api_key",
    "api_type", "date", "endpoint_id",
)  # fmt: skip
SHOWN = ("id", "created_at", "model", "native_tokens_prompt", "native_tokens_completion", "total_cost")
APART = {"num_input_audio_prompt": "audio_sent", "native_tokens_completion_images": "images_made"}
DAY = "this is a day's total, not a generation: import it as OpenRouter activity"


def split(stream: IO[bytes]) -> Iterator[bytes]:
    """Each generation, from answers of the API or a CSV; nothing else of it is kept."""
    for row in _openrouter.rows(stream):
        yield _records.compact(_kept(row)) if isinstance(row, dict) else b""


def _kept(row: Json) -> Json:
    return {name: row[name] for name in FIELDS if name in row}


def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
    """One outcome a generation; MappingError where the first is a day's total."""
    return _records.outcomes(_records.of_this_kind(lines, _is_wrong), _outcome, SHOWN)


def _is_wrong(row: Json) -> str:
    return DAY if "id" not in row and "date" in row else ""


def _outcome(line: int, row: Json) -> Fact:
    if wrong := _is_wrong(row):
        raise Unreadable(wrong)
    key, model = text(row.get("id")), _model(row)
    if not key or not model:
        raise Unreadable("the generation has no id or names no model")
    cost = _logs.money(first(row.get("total_cost"), row.get("usage")))
    uncached, read, quality = _openrouter.split_input(
        tokens(first(row.get("native_tokens_prompt"), row.get("tokens_prompt"))),
        tokens(row.get("native_tokens_cached")),
    )
    out = tokens(first(row.get("native_tokens_completion"), row.get("tokens_completion")))
    reasoning = _openrouter.within(tokens(row.get("native_tokens_reasoning")), out)
    if row.get("response_cache_source_id"):
        uncached, read, out, reasoning, quality = 0, 0, 0, None, ("gateway_cache_hit",)
    else:
        quality = (*quality, *_logs.marked(mark for name, mark in APART.items() if tokens(row.get(name))))
    if _is_byok(row):
        quality = (*quality, "byok")
    return Fact(
        line,
        _logs.record_key(key),
        _logs.instant(row.get("created_at"), naive_is_utc=True),
        "request",
        _dimension(row, model),
        uncached,
        read,
        None,
        out,
        reasoning,
        requests=1,
        service_tier=tier(row.get("service_tier")),
        cost_reported=cost,
        currency="" if cost is None else "USD",
        session=text(row.get("session_id")),
        quality=quality,
        rank=((uncached or 0) + (read or 0) + (out or 0), int((cost or 0) * 1_000_000)),
    )


def _model(row: Json) -> str:
    """The name it is sold under; the export writes its variant (`free`, `thinking`) beside it."""
    model, variant = text(first(row.get("model"), row.get("model_permaslug"))), text(row.get("variant"))
    if not model or not variant or variant == "standard" or ":" in model:
        return model
    return f"{model}:{variant}"


def _is_byok(row: Json) -> bool:
    stated = text(row.get("is_byok")).lower()
    return stated == "true" or bool(_logs.money(row.get("byok_usage_inference")))


def _dimension(row: Json, model: str) -> Dimension:
    return Dimension(
        model_raw=model,
        host="openrouter",
        operation="embeddings" if row.get("api_type") == "embeddings" else "chat",
        region=place(row.get("data_region")),
        ext_project=text(row.get("workspace_id")),
        ext_api_key=text(row.get("api_key")),
        ext_user=text(row.get("external_user")),
        tags=_logs.tags(
            named(upstream=row.get("provider_name"), app=first(row.get("app_name"), row.get("app_id"))),
        ),
    )
