"""OpenAI's organisation usage: pages of `/v1/organization/usage/…`, every endpoint of it.

    {"object": "page", "has_more": false, "next_page": null, "data": [
      {"object": "bucket", "start_time": 1788220800, "end_time": 1788307200, "results": [
        {"object": "organization.usage.completions.result", "num_model_requests": 5,
         "input_tokens": 1000, "input_cached_tokens": 400, "input_cache_write_tokens": 100,
         "input_cache_write_30m_tokens": 100, "input_uncached_tokens": 500, "output_tokens": 500,
         "input_audio_tokens": 50, "input_cached_audio_tokens": 50, "output_audio_tokens": 50, …
         "project_id": "proj_…", "user_id": null, "api_key_id": "key_…", "model": "gpt-5.5-2026-04-23",
         "batch": false, "service_tier": "default", "api_source": null}]}]}

`input_tokens` includes what was read from and written to the cache; `input_audio_tokens` and its siblings are parts
of the uncached input. A field is null where the pull was not grouped by it, or where it really has no value. Nothing
is said of the length of requests: a bucket has no context, and is priced at the base tier. There is no reasoning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from usage.importers import REPLACE_WINDOW, Covered, Dimension, Fact, Ignored, Outcome, _buckets
from usage.importers._json import Unreadable, count, text, tier
from usage.importers._logs import IMAGES_SENT
from usage.importers._results import Line, outcomes

SLUG = "openai_usage"
NAME = "OpenAI usage API"
MODE = REPLACE_WINDOW
MAPPED = False
DETAIL = 2

HOST = "openai"
_OBJECT = re.compile(r"organization\.usage\.(?P<endpoint>[a-z_]{1,60})\.result")
_LIFETIME = re.compile(r"input_cache_write_(?P<lifetime>\d+[mhd])_tokens")
_ATTRIBUTED = ("project_id", "api_key_id", "user_id", "model", "batch", "service_tier")
_TAGS = ("api_source", "size", "source", "context_level", "vector_store_id")
OTHER = "other_modalities"
"""The part of a result whose tokens are priced apart: audio in and out, images out."""
# What is counted in neither tokens nor requests. The ledger keeps the requests and says what it does not keep.
_UNITS = {"images": "images", "characters": "characters", "seconds": "seconds"}
# The calls of a tool are what is billed; `num_model_requests` beside them are in the completions already.
_REQUESTS = ("num_requests", "num_sessions", "num_model_requests")
_SHOWN = ("object", "model", "project_id", "input_tokens", "input_cached_tokens", "output_tokens", "num_model_requests")


def split(stream: IO[bytes]) -> Iterator[bytes]:
    """A line for each result, and one more for its tokens of other modalities."""
    return _buckets.split(stream, _parts)


def covered(stream: IO[bytes]) -> list[Covered | None]:
    """The time the pages speak for, for each endpoint: a pull of one withdraws nothing of another."""
    return _buckets.covered(stream, lambda result: f"{_endpoint(result)}:")


def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
    """One outcome a line. `mapping` may say how the API was asked to group: {"group_by": ["project_id", "model"]}."""
    return outcomes(lines, mapping, _read, _SHOWN)


def _endpoint(result: Any) -> str:
    named = result.get("object") if isinstance(result, dict) else None
    found = _OBJECT.fullmatch(named) if isinstance(named, str) else None
    return found["endpoint"] if found else "unknown"


def _parts(result: Any) -> tuple[str, ...]:
    if not isinstance(result, dict) or _endpoint(result) != "completions":
        return ("",)
    return ("", OTHER) if any(result.get(name) for names in _APART.values() for name in names) else ("",)


_APART = {
    "in_uncached": ("input_audio_tokens",),
    "in_cache_read": ("input_cached_audio_tokens",),
    "out_total": ("output_audio_tokens", "output_image_tokens"),
}
_MARKS = {
    "audio_sent": ("input_audio_tokens", "input_cached_audio_tokens"),
    "audio_made": ("output_audio_tokens",),
    "images_made": ("output_image_tokens",),
}


def _read(line: Line) -> Fact | Ignored:
    result, endpoint = line.result, _endpoint(line.result)
    if endpoint == "unknown":
        raise Unreadable("a result is not of OpenAI's usage API: costs and bills have importers of their own")
    requests = next((found for name in _REQUESTS if (found := count(result.get(name), name)) is not None), None)
    if requests is None and result.get("input_tokens") is None:
        return Ignored(line.number, f"{endpoint}: counted in neither tokens nor requests")
    tokens = _completion(line) if endpoint == "completions" else _input_alone(result)
    quality = tokens.pop("quality", ()) + tuple(f"{unit}_not_kept" for name, unit in _UNITS.items() if result.get(name))
    key = f"{endpoint}:{line.key(endpoint, _grouped(result))}"
    return line.fact(
        key,
        _dimension(line, endpoint),
        **tokens,
        requests=0 if line.part == OTHER else requests,
        service_tier=_tier(result),
        quality=quality,
    )


def _grouped(result: Mapping[str, Any]) -> dict[str, str | bool | None]:
    """Everything that tells this result from another: names and truths; what is counted are numbers."""
    return {name: value for name, value in result.items() if name != "object" and isinstance(value, str | bool | None)}


def _dimension(line: Line, endpoint: str) -> Dimension:
    result = line.result
    tags = [(name, value) for name in _TAGS if (value := text(result.get(name)))]
    if line.part:
        tags.append(("part", line.part))
    return Dimension(
        model_raw=text(result.get("model")),
        host=HOST,
        operation=endpoint,
        ext_project=text(result.get("project_id")),
        ext_api_key=text(result.get("api_key_id")),
        ext_user=text(result.get("user_id")),
        tags=tuple(sorted(tags)),
    )


def _tier(result: Mapping[str, Any]) -> str:
    """Batch is a tier of its own price, whatever tier its requests ran in."""
    return "batch" if result.get("batch") is True else tier(result.get("service_tier"))


def _input_alone(result: Mapping[str, Any]) -> dict[str, Any]:
    """Embeddings and moderations: input without a cache, and no output. Elsewhere nothing is known of tokens."""
    tokens = count(result.get("input_tokens"), "input_tokens")
    if tokens is None:
        return {}
    out = count(result.get("output_tokens"), "output_tokens")
    return {"in_uncached": tokens, "in_cache_read": 0, "in_cache_write": 0, "out_total": out or 0}


def _completion(line: Line) -> dict[str, Any]:
    whole = _tokens(line.result)
    apart = {
        name: sum(count(line.result.get(field), field) or 0 for field in fields) for name, fields in _APART.items()
    }
    if any(apart.values()) and any(tokens > (whole[name] or 0) for name, tokens in apart.items()):
        raise Unreadable("audio or image tokens are more than the tokens they are part of")
    if line.part == OTHER:
        marks = (mark for mark, fields in _MARKS.items() if any(count(line.result.get(one), one) for one in fields))
        return apart | {"in_cache_write": 0, "quality": ("priced_apart", *marks)}
    if count(line.result.get("input_image_tokens"), "input_image_tokens"):
        whole["quality"] += (IMAGES_SENT,)
    return whole | {name: whole[name] - tokens for name, tokens in apart.items() if tokens}


def _tokens(result: Mapping[str, Any]) -> dict[str, Any]:
    """The disjoint parts of an input that includes the cache; unknown where the result does not say."""
    total, out = count(result.get("input_tokens"), "input_tokens"), count(result.get("output_tokens"), "output_tokens")
    read = count(result.get("input_cached_tokens"), "input_cached_tokens")
    uncached = count(result.get("input_uncached_tokens"), "input_uncached_tokens")
    written = count(result.get("input_cache_write_tokens"), "input_cache_write_tokens")
    lifetimes = {
        found["lifetime"]: tokens
        for name, value in result.items()
        if (found := _LIFETIME.fullmatch(name)) and (tokens := count(value, "cache writes by lifetime"))
    }
    if lifetimes and written is None:
        written = sum(lifetimes.values())
    if lifetimes and sum(lifetimes.values()) > (written or 0):
        raise Unreadable("cache writes by lifetime are more than the cache writes they are part of")
    if lifetimes and (rest := (written or 0) - sum(lifetimes.values())):
        lifetimes[""] = rest
    quality: tuple[str, ...] = ()
    if total is not None:
        if read is None and uncached != total:
            quality = ("cache_split_unknown",)
        if uncached is None:
            uncached = total - (read or 0) - (written or 0)
            if uncached < 0:
                raise Unreadable("cached tokens are more than the input tokens they are part of")
        elif read is not None and written is None:
            written = max(total - uncached - read, 0)
        if uncached + (read or 0) + (written or 0) != total and read is not None:
            quality = ("input_parts_disagree",)
    return {
        "in_uncached": uncached,
        "in_cache_read": read,
        "in_cache_write": written,
        "cache_write_by_lifetime": lifetimes,
        "out_total": out,
        "quality": quality,
    }
