"""Logged lines to responses: unwrapped from what surrounds them, and stripped to what may be kept.

Only names, times, ids and numbers survive; text inside a usage object only where it is a known selector of a price.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from usage.importers._logs import nested
from usage.importers._records import Json, at

ROOTS = ("usage", "usageMetadata", "usage_metadata", "tokenUsage", "usage_info")
WRAPPERS = ("response", "body", "result", "message", "output")
SELECTORS = frozenset(
    {"service_tier", "serviceTier", "speed", "inference_geo", "type", "ttl", "trafficType", "modality"}
)
NAMES = (
    "id", "responseId", "response_id", "request_id", "object", "type", "status", "model", "modelVersion",
    "model_version", "provider", "created", "created_at", "createTime", "create_time",
    "service_tier", "user", "safety_identifier",
)  # fmt: skip
TIMES = ("time", "timestamp", "ts", "occurred_at", "received_at", "created_at", "processed_time", "at", "date")
BESIDE = (*TIMES, "project", "team", "api_key", "session")
"""What a program may log beside the response's own fields; other names of an envelope mean other things there."""
ENVELOPE = (
    *TIMES,
    "provider",
    "host",
    "model",
    "project",
    "user",
    "team",
    "api_key",
    "session",
    "request_id",
    "id",
    "type",
)
_BATCH_OF_GOOGLE = frozenset({"key", "processed_time", "status", "request", "response"})
_DEEPEST = 5
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


def kept(record: Json) -> Json:
    """The response a line holds: its usage, its names, and those of what it was wrapped in."""
    body = _unwrapped(record)
    found: Json = {name: value for name in NAMES if _is_plain(value := body.get(name))}
    found |= {root: _numbers(usage) for root in ROOTS if (usage := nested(body, root))}
    if units := at(body, "meta", "billed_units"):
        found["meta"] = {"billed_units": _numbers(units)}
    found["metadata"] = _plain_pairs(nested(body, "metadata"))
    if request := at(body, "ResponseMetadata", "RequestId"):
        found["request_id"] = request
    if date := at(body, "ResponseMetadata", "HTTPHeaders", "date"):
        found["date"] = date
    if kind := at(body, "serviceTier", "type"):
        found["service_tier"] = kind
    found["failed"] = _has_failed(record, body)
    found["batch"] = "custom_id" in record or _is_batch_of_google(record)
    names = BESIDE if body is record else ENVELOPE
    found["envelope"] = {name: value for name in names if _is_plain(value := record.get(name))}
    found["envelope"]["tags"] = _plain_pairs(nested(record, "tags"))
    if found["batch"] and "processed_time" in record:
        found["envelope"]["host"] = "vertex"
    return found


def _is_batch_of_google(record: Json) -> bool:
    """A line of a batch's results as Gemini (`key`) or Vertex (`processed_time`) writes it, which has no other names.

    https://ai.google.dev/gemini-api/docs/batch-api
    https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/batch-prediction-gemini
    """
    own = "key" in record or "processed_time" in record
    return own and record.keys() <= _BATCH_OF_GOOGLE and bool(nested(nested(record, "response"), "usageMetadata"))


def _unwrapped(record: Json) -> Json:
    """The innermost object that has a usage, or the record itself."""
    body = record
    for _ in range(_DEEPEST):
        if any(nested(body, root) for root in ROOTS) or at(body, "meta", "billed_units"):
            return body
        inner = next((found for name in WRAPPERS if (found := nested(body, name))), None)
        if inner is None:
            break
        body = inner
    return record


def _has_failed(*objects: Json) -> bool:
    inner = [nested(found, name) for found in objects for name in ("response", "result")]
    bodies = (nested(found, "body") for found in inner)  # of a request of OpenAI's batches
    return any(found.get("error") or found.get("type") == "error" for found in (*objects, *inner, *bodies))


def _is_plain(value: object) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and 0 < len(value) <= 400)


def _plain_pairs(found: Json) -> Json:
    return {name: value for name, value in list(found.items())[:50] if isinstance(value, str | int)}


def _numbers(value: Any, name: str = "", depth: int = 0) -> Any:
    """The numbers of a usage object; its texts only where they select a price."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        return {key: _numbers(inner, key, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_numbers(inner, name, depth + 1) for inner in value[:100]]
    if isinstance(value, str) and name not in SELECTORS and not _NUMBER.fullmatch(value):
        return "a text"  # where a number belongs it is then refused
    return value[:40] if isinstance(value, str) else value


def first_plain(found: Json, names: Iterable[str]) -> Any:
    """The first of the names that has a value."""
    return next((value for name in names if (value := found.get(name)) not in (None, "")), None)
