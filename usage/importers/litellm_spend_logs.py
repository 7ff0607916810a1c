"""LiteLLM's spend logs: rows of `LiteLLM_SpendLogs` (SQL, `GET /spend/logs`), or what its S3 and GCS callbacks write.

    {"request_id":"chatcmpl-…","call_type":"acompletion","api_key":"<sha-256>","spend":0.00213,
     "prompt_tokens":6010,"completion_tokens":100,"total_tokens":6110,"startTime":"…Z","endTime":"…Z",
     "model":"claude-sonnet-4-5","model_group":"claude","custom_llm_provider":"anthropic","cache_hit":"False",
     "status":"success","team_id":"…","user":"…","end_user":"…","request_tags":["env:prod"],"session_id":"…",
     "metadata":{"user_api_key_alias":"…","user_api_key_project_id":"…","spend_logs_metadata":{…},
       "usage_object":{"prompt_tokens_details":{"cached_tokens":5000,"cache_creation_tokens":1000,
         "cache_creation_token_details":{"ephemeral_5m_input_tokens":1000,"ephemeral_1h_input_tokens":0}}}},
     "messages":…,"response":…,"proxy_server_request":…}

`prompt_tokens` includes the cache for every provider: LiteLLM adds Anthropic's itself. `spend` is USD, and LiteLLM's
own estimate. A reply from LiteLLM's cache (its id ends in `_cache_hit…`) and a failed call reached no vendor's meter:
they are one request of no tokens. Rows are written again (a batch that settles, a cost that comes later); the copy
that was updated last is the record. The callbacks' payload names the same by `id`, `response_cost`, and times in
seconds. `LiteLLM_Daily…Spend` and `/global/spend/report` are sums of these rows, and refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from usage.importers import APPEND, Dimension, Fact, Ignored, Outcome, _logs, _records
from usage.importers._json import Unreadable, place, text, tier
from usage.importers._logs import first, named, nested, tokens
from usage.importers._records import Json, at

SLUG = "litellm_spend_logs"
NAME = "LiteLLM spend logs"
MODE = APPEND
MAPPED = False
DETAIL = 3

CONTENT = ("messages", "response", "proxy_server_request", "error_str", "error_information", "model_parameters")
METADATA = (
    "usage_object", "additional_usage_values", "spend_logs_metadata", "cost_breakdown", "status",
    "user_api_key_hash", "user_api_key_alias", "user_api_key_team_id", "user_api_key_team_alias",
    "user_api_key_project_id", "user_api_key_org_id", "user_api_key_user_id", "user_api_key_end_user_id",
)  # fmt: skip
SHOWN = ("request_id", "id", "call_type", "startTime", "model", "status", "prompt_tokens", "completion_tokens", "spend")
DAILY = (
    "this is a total by day, not a request: a request with two tags stands in it twice;"
    " export LiteLLM_SpendLogs instead"
)
OPERATIONS = {"completion": "chat", "embedding": "embeddings", "text_completion": "completions"}
ASYNC = (*OPERATIONS, "image_generation", "image_edit", "speech", "transcription", "moderation", "rerank", "responses",
         "retrieve_batch", "create_batch", "create_file", "search", "generate_content")  # fmt: skip
"""Calls that LiteLLM also names with an `a` in front."""
HOSTS = {"text-completion-openai": "openai", "vertex_ai_beta": "vertex_ai"}
BATCH_CALLS = ("retrieve_batch", "create_batch")


def split(stream: IO[bytes]) -> Iterator[bytes]:
    """Each row without its content, from an array, a page of the API or one object a line."""
    return _records.kept_lines(stream, ("data", "logs"), _kept)


def _kept(record: Json) -> Json:
    kept = {name: value for name, value in record.items() if name not in CONTENT}
    metadata = nested(record, "metadata")
    kept["metadata"] = {name: metadata[name] for name in METADATA if name in metadata}
    if "usage_object" not in kept["metadata"] and (usage := at(record, "hidden_params", "usage_object")):
        kept["metadata"]["usage_object"] = usage
    kept.pop("hidden_params", None)
    return kept


def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
    """One outcome a row; MappingError where the first is a total by day."""
    return _records.outcomes(_records.of_this_kind(lines, lambda row: DAILY if _is_daily(row) else ""), _outcome, SHOWN)


def _is_daily(row: Json) -> bool:
    return "group-by-day" in row or ("api_requests" in row and "request_id" not in row)


def _outcome(line: int, row: Json) -> Outcome:
    if _is_daily(row):
        raise Unreadable(DAILY)
    key = first(row.get("request_id"), row.get("id"))
    if not isinstance(key, str):
        raise Unreadable("row has no request_id: it is no row of LiteLLM_SpendLogs")
    spend = _logs.money(first(row.get("spend"), row.get("response_cost")))
    call = _call(text(row.get("call_type")))
    model = first(*(text(row.get(name)) for name in ("model", "model_group")))
    free = _is_cache_hit(row, key) or (_has_failed(row) and not spend)
    if not (model or spend or tokens(row.get("total_tokens"))):
        return Ignored(line, "call without a model, tokens or cost")
    return _fact(line, row, record_key=key, spend=spend, model=model or call or "unknown", call=call, free=free)


def _call(name: str) -> str:
    return name[1:] if name.startswith("a") and name[1:] in ASYNC else name


def _is_cache_hit(row: Json, key: str) -> bool:
    return row.get("cache_hit") is True or text(row.get("cache_hit")).lower() == "true" or "_cache_hit" in key


def _has_failed(row: Json) -> bool:
    return "failure" in (row.get("status"), at(row, "metadata", "status"))


def _fact(line: int, row: Json, *, record_key: str, spend: Any, model: str, call: str, free: bool) -> Fact:
    metadata = nested(row, "metadata")
    usage = nested(metadata, "usage_object") or nested(metadata, "additional_usage_values")
    occurred_at = _logs.instant(row.get("startTime"), naive_is_utc=True)
    touched = first(row.get("updated_at"), row.get("endTime"), row.get("startTime"))
    uncached, read, written, lifetimes, quality = _input(row, usage)
    out, reasoning = _output(row, usage)
    quality = (*quality, *_logs.marked(_logs.modalities(usage)))
    counted = sum(count or 0 for count in (uncached, read, written, out))
    # LiteLLM writes a spend of 0 (also in `cost_breakdown`) where its map has no price.
    # https://github.com/BerriAI/litellm/issues/35691
    if not free and counted and not spend and spend is not None:
        spend, quality = None, (*quality, _logs.NO_PRICE)
    if free:
        uncached, read, written, out, reasoning, lifetimes = 0, 0, 0, 0, None, {}
        quality = ("gateway_cache_hit",) if _is_cache_hit(row, record_key) else ("failed_request",)
    return Fact(
        line,
        _logs.record_key(record_key),
        occurred_at,
        "request",
        _dimension(row, metadata, usage, model, call),
        uncached,
        read,
        written,
        out,
        reasoning,
        lifetimes,
        1,
        "batch" if call in BATCH_CALLS else _tier(metadata, usage),
        cost_reported=spend,
        currency="" if spend is None else "USD",
        session=text(first(row.get("session_id"), row.get("trace_id"))),
        quality=quality,
        rank=(_logs.micros(_logs.instant(touched, naive_is_utc=True)), int((spend or 0) * 1_000_000), counted),
    )


def _input(row: Json, usage: Json) -> tuple[int | None, int | None, int | None, dict[str, int], tuple[str, ...]]:
    details = nested(usage, "prompt_tokens_details")
    total = tokens(first(row.get("prompt_tokens"), usage.get("prompt_tokens")))
    read = tokens(first(usage.get("cache_read_input_tokens"), details.get("cached_tokens")))
    written = tokens(first(usage.get("cache_creation_input_tokens"), details.get("cache_creation_tokens")))
    by_lifetime = nested(details, "cache_creation_token_details")
    split = {name: tokens(by_lifetime.get(f"ephemeral_{name}_input_tokens")) for name in ("5m", "30m", "1h", "12h")}
    uncached, read, written, quality = _logs.disjoint(total, read, written)
    return uncached, read, written, _logs.lifetimes(split, written), quality


def _output(row: Json, usage: Json) -> tuple[int | None, int | None]:
    out = tokens(first(row.get("completion_tokens"), usage.get("completion_tokens")))
    reasoning = tokens(nested(usage, "completion_tokens_details").get("reasoning_tokens"))
    if out is None or reasoning is None:
        return out, None
    prompt = tokens(first(row.get("prompt_tokens"), usage.get("prompt_tokens")))
    total = tokens(first(row.get("total_tokens"), usage.get("total_tokens")))
    return out + reasoning * _logs.is_beside(reasoning, out, prompt, total), reasoning


def _tier(metadata: Json, usage: Json) -> str:
    if usage.get("speed") == "fast":
        return "fast"
    return tier(first(usage.get("service_tier"), nested(metadata, "cost_breakdown").get("service_tier")))


def _dimension(row: Json, metadata: Json, usage: Json, model: str, call: str) -> Dimension:
    host = text(row.get("custom_llm_provider"))
    return Dimension(
        model_raw=model,
        host=HOSTS.get(host, host),
        operation=OPERATIONS.get(call, call),
        region=place(usage.get("inference_geo")),
        ext_project=text(metadata.get("user_api_key_project_id")),
        ext_api_key=text(first(row.get("api_key"), metadata.get("user_api_key_hash"))),
        ext_user=text(first(row.get("user"), metadata.get("user_api_key_user_id"))),
        ext_team=text(first(row.get("team_id"), metadata.get("user_api_key_team_id"))),
        tags=_logs.tags(
            _logs.labels(row.get("request_tags")),
            _logs.pairs(nested(metadata, "spend_logs_metadata")),
            named(
                api_key_alias=metadata.get("user_api_key_alias"),
                team_alias=metadata.get("user_api_key_team_alias"),
                end_user=first(row.get("end_user"), metadata.get("user_api_key_end_user_id")),
                organization=first(row.get("organization_id"), metadata.get("user_api_key_org_id")),
                model_group=row.get("model_group"),
            ),
        ),
    )
