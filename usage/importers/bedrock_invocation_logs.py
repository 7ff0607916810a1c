"""Amazon Bedrock's model invocation logs, as Bedrock writes them to S3: gzip, one JSON object a line.

    {"schemaType":"ModelInvocationLog","timestamp":"2026-09-01T10:00:00Z","accountId":"123456789012",
     "identity":{"arn":"arn:aws:sts::123456789012:assumed-role/PaymentsAppRole/i-0abc123"},"region":"us-east-1",
     "requestId":"…","operation":"Converse","modelId":"us.anthropic.claude-…","inferenceRegion":"us-west-2",
     "requestMetadata":{"team":"payments"},
     "input":{"inputBodyJson":{…},"inputTokenCount":3,"cacheReadInputTokenCount":0,"cacheWriteInputTokenCount":25037},
     "output":{"outputBodyJson":{…},"outputTokenCount":13}}

`inputTokenCount` excludes the cache. The lifetime of a cache write stands only inside the logged reply, of which
nothing but its usage, its model and its service tier is read. `modelId` is kept as it is: a regional profile (`us.`) is
billed at another price than a global one, and an ARN names the same. Of an application inference profile the ARN says
nothing of the model, so the reply's is taken where it was logged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from usage.importers import APPEND, Dimension, Fact, Ignored, Outcome, _logs, _records
from usage.importers._json import Unreadable, text, tier
from usage.importers._logs import named, nested, tokens
from usage.importers._records import Json, at

SLUG = "bedrock_invocation_logs"
NAME = "Bedrock invocation logs"
MODE = APPEND
MAPPED = False
DETAIL = 3

TOP = (
    "schemaType", "timestamp", "accountId", "identity", "region", "requestId", "operation", "modelId",
    "inferenceRegion", "requestMetadata", "errorCode", "serviceTier",
)  # fmt: skip
COUNTS = ("inputTokenCount", "cacheReadInputTokenCount", "cacheWriteInputTokenCount", "outputTokenCount")
SHOWN = ("requestId", "timestamp", "operation", "modelId", "errorCode", *(f"counts.{name}" for name in COUNTS))
_APPLICATION_PROFILE = re.compile(r"arn:aws[\w-]*:bedrock:[^:]*:[^:]*:application-inference-profile/")
_SESSION = re.compile(r"(arn:aws[\w-]*:sts::\d*:assumed-role/[^/]+)/(.+)")


def split(stream: IO[bytes]) -> Iterator[bytes]:
    """Each call without its bodies: of the reply only the usage, the model and the service tier are kept."""
    return _records.kept_lines(stream, ("Records",), _kept)


def _kept(record: Json) -> Json:
    counts = {**nested(record, "input"), **nested(record, "output")}
    reply = counts.get("outputBodyJson")
    return {
        **{name: record[name] for name in TOP if name in record},
        "counts": {name: counts[name] for name in COUNTS if name in counts},
        **_cache_writes(reply),
        "reply_model": _of_reply(reply, ("model",), ("message", "model")),
        "reply_tier": _of_reply(reply, ("serviceTier", "type"), ("metadata", "serviceTier", "type")),
    }


def _parts(body: object) -> Iterator[Json]:
    """The reply, or the events of one that was streamed."""
    for part in body if isinstance(body, list) else [body]:
        if isinstance(part, dict):
            yield part


def _usages(body: object) -> Iterator[Json]:
    """The usage objects of a reply: of Converse, of Anthropic's messages, of either as a stream."""
    for part in _parts(body):
        for found in (part.get("usage"), at(part, "message", "usage"), at(part, "metadata", "usage")):
            if isinstance(found, dict):
                yield found


def _cache_writes(reply: object) -> Json:
    """Cache writes by lifetime as Converse lists them, and as Anthropic names them; of a stream the last ones."""
    details: list[Json] = []
    lifetimes: Json = {}
    for usage in _usages(reply):
        if isinstance(listed := usage.get("cacheDetails"), list):
            details = [{name: at(detail, name) for name in ("ttl", "inputTokens")} for detail in listed]
        creation = nested(usage, "cache_creation")
        for name in ("5m", "1h"):
            if (count := creation.get(f"ephemeral_{name}_input_tokens")) is not None:
                lifetimes[name] = count
    return {"cacheDetails": details, "lifetimes": lifetimes}


def _of_reply(body: object, *paths: tuple[str, ...]) -> str:
    """The first name that a reply states at one of the paths."""
    names = (text(at(part, *path)) for part in _parts(body) for path in paths)
    return next((name for name in names if name), "")


def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
    """One outcome a call."""
    return _records.outcomes(lines, _outcome, SHOWN)


def _outcome(line: int, call: Json) -> Outcome:
    kind, counts = call.get("schemaType"), nested(call, "counts")
    if kind is None:
        raise Unreadable("record is no invocation log of Bedrock: it has no schemaType")
    if kind != "ModelInvocationLog":
        return Ignored(line, "record of another kind than ModelInvocationLog")
    if not any(count in counts for count in COUNTS):
        return Ignored(line, "failed call" if call.get("errorCode") else "call without token counts")
    request, model = text(call.get("requestId")), text(call.get("modelId"))
    if not request or not model:
        raise Unreadable("call has token counts but no requestId or no modelId")
    uncached, read, written, out = (tokens(counts.get(name)) for name in COUNTS)
    split = {name: tokens(count) for name, count in nested(call, "lifetimes").items()}
    split |= _logs.by_ttl(call.get("cacheDetails"))
    user, session = _identity(text(at(call, "identity", "arn")))
    return Fact(
        line,
        _logs.record_key(request),
        _logs.instant(call.get("timestamp"), naive_is_utc=True),
        "request",
        _dimension(call, model, user),
        uncached,
        read,
        written,
        out,
        None,
        _logs.lifetimes(split, written),
        1,
        tier(at(call, "serviceTier", "type") or call.get("serviceTier") or call.get("reply_tier")),
        session=session,
        quality=() if read is not None or uncached is None else ("cache_split_unknown",),
        rank=(sum(count or 0 for count in (uncached, read, written, out)),),
    )


def _identity(arn: str) -> tuple[str, str]:
    """Who called, and the session of a role: one role has a new session name for each machine or login."""
    found = _SESSION.fullmatch(arn)
    return (found[1], found[2]) if found else (arn, "")


def _dimension(call: Json, model: str, user: str) -> Dimension:
    profile = model if _APPLICATION_PROFILE.match(model) else ""
    region, inferred = text(call.get("region")), text(call.get("inferenceRegion"))
    return Dimension(
        model_raw=(text(call.get("reply_model")) or model) if profile else model,
        host="bedrock",
        operation=text(call.get("operation")),
        region=region,
        ext_project=profile,
        ext_user=user,
        tags=_logs.tags(
            _logs.pairs(call.get("requestMetadata")),
            named(account=call.get("accountId"), inference_region=inferred if inferred != region else ""),
        ),
    )
