"""Raw API responses of any vendor, as programs log them: one object a line, or an array.

    {"id":"chatcmpl-…","object":"chat.completion","created":1788256800,"model":"gpt-5-mini","choices":[…],
     "usage":{"prompt_tokens":1000,"completion_tokens":200,"prompt_tokens_details":{"cached_tokens":600}}}
    {"time":"2026-09-01T10:00:00Z","project":"ranker","response":{"id":"msg_…","type":"message","usage":{…}}}
    {"custom_id":"row-1","response":{"status_code":200,"body":{"id":"chatcmpl-…","usage":{…}}}}
    {"key":"row-1","response":{"modelVersion":"gemini-2.5-flash","responseId":"…","usageMetadata":{…}}}

A response stands alone or in an envelope (`response`, `body`, `result`, `message`), which may say when, who and whose;
with a `custom_id`, or in Google's own envelope, it is a line of a batch's results. What each vendor's counts include is
told in `families`.

Anthropic, Gemini and Bedrock state no time in the body: then the one logged beside it or in the envelope counts, else
the mapping's `occurred_at` (flagged `time_assumed`), else the response is rejected. A response without an id is told
apart from others by its model, time, counts and number among its equals in the file (flagged `no_request_id`):
importing the file again changes nothing, but of equal responses of two files only as many are kept as the fuller file
has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import IO, Any

from usage.importers import APPEND, Dimension, Fact, Ignored, Outcome, _logs, _records
from usage.importers._json import Unreadable, place, text, tier
from usage.importers._logs import first, nested
from usage.importers._records import Json, at
from usage.importers.csv.mapping import MappingError
from usage.importers.responses.bodies import TIMES, first_plain, kept
from usage.importers.responses.families import Counts, counts_of, is_openrouters

SLUG = "responses"
NAME = "API responses"
MODE = APPEND
MAPPED = False
DETAIL = 3
SETTINGS = ("occurred_at", "host", "model", "project")

SHOWN = ("id", "responseId", "object", "type", "model", "modelVersion", "created", "usage.input_tokens",
         "usage.prompt_tokens", "usage.output_tokens", "usage.completion_tokens")  # fmt: skip
IDS = ("id", "responseId", "response_id", "request_id")
STREAMED = ("message_start", "message_delta", "content_block_delta", "content_block_start", "message_stop", "ping")
EVENT = "event of a stream: log the whole response"
HOSTS = {"gemini": "google", "converse": "bedrock", "cohere": "cohere"}
_RESOLD = {"msg_bdrk_": "bedrock", "msg_vrtx_": "vertex"}
_OPENAI = ("gpt-", "chatgpt-", "o1", "o3", "o4", "text-embedding-", "codex-")


def split(stream: IO[bytes]) -> Iterator[bytes]:
    """Each response without its content: only usage, names, ids and times are kept."""
    return _records.kept_lines(stream, (), kept)


def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
    """One outcome a response. `mapping` may give what the bodies do not say: occurred_at, host, model, project."""
    return _records.outcomes(lines, _Reader(_settings(mapping)).read, SHOWN)


def _settings(mapping: Mapping[str, Any] | None) -> dict[str, Any]:
    found = dict(mapping or {})
    if wrong := sorted(set(found) - set(SETTINGS)):
        raise MappingError(f"API responses have no setting “{wrong[0][:60]}”: use {', '.join(SETTINGS)}.")
    if "occurred_at" in found:
        try:
            found["occurred_at"] = _logs.instant(found["occurred_at"])
        except Unreadable:
            raise MappingError("“occurred_at” must be a time with its zone, such as 2026-09-01T00:00:00Z.") from None
    return found


class _Reader:
    """Reads the responses of one file; remembers how many equal ones without an id it has met."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._equals: Counter[str] = Counter()

    def read(self, line: int, body: Json) -> Outcome:
        envelope = nested(body, "envelope")
        if body.get("type") in STREAMED or envelope.get("type") in STREAMED:
            return Ignored(line, EVENT)
        if body.get("object") == "batch":  # OpenAI's; at the price of a batch, and each request's own size
            return Ignored(line, "sum of a batch: import its results")
        host = text(first(envelope.get("host"), envelope.get("provider"), self._settings.get("host")))
        counts = counts_of(body, host)
        if counts is None:
            if body.get("failed"):
                return Ignored(line, "response that failed")
            if _is_of_openais_stream(body):
                return Ignored(line, EVENT)
            raise Unreadable("no usage was found in the response")
        return self._fact(line, body, envelope, counts, host)

    def _fact(self, line: int, body: Json, envelope: Json, counts: Counts, host: str) -> Fact:
        usage = nested(body, "usage") or nested(body, "usageMetadata") or nested(body, "usage_metadata")
        model = text(first(body.get("model"), body.get("modelVersion"), body.get("model_version"),
                           envelope.get("model"), self._settings.get("model")))  # fmt: skip
        occurred_at, assumed = self._when(body, envelope)
        key = text(first(first_plain(body, IDS), first_plain(envelope, IDS)))
        stated = usage.get("cost")
        if isinstance(stated, dict):  # Perplexity's, by part
            stated = stated.get("total_cost")
        cost = _logs.money(first(stated, at(usage, "pydantic_ai_gateway", "cost_estimate")))
        found = (counts.uncached, counts.read, counts.written, counts.out, counts.reasoning)
        byok = usage.get("is_byok") is True  # the cost is the gateway's fee only
        quality = [*counts.quality, *["byok"] * byok, *["time_assumed"] * assumed, *["no_request_id"] * (not key)]
        return Fact(
            line,
            _logs.record_key(key) if key else self._key(model, occurred_at, *found, cost),
            occurred_at,
            "request",
            self._dimension(body, envelope, model or "unknown", host or _host(body, usage, counts, model)),
            *found,
            counts.lifetimes,
            1,
            _tier(body, usage),
            counts.context,
            cost_reported=cost,
            currency="" if cost is None else "USD",
            session=text(envelope.get("session")),
            quality=tuple(quality if model else [*quality, "model_unknown"]),
            rank=(sum(count or 0 for count in found[:4]), int((cost or Decimal(0)) * 1_000_000)),
        )

    def _when(self, body: Json, envelope: Json) -> tuple[datetime, bool]:
        """When the response was made, and whether only the mapping says so."""
        if (
            stated := first(
                body.get("created"), body.get("created_at"), body.get("createTime"), body.get("create_time")
            )
        ) is not None:
            return _logs.instant(stated), False
        if isinstance(date := body.get("date"), str):
            return _of_header(date), False
        if (stated := first_plain(envelope, TIMES)) is not None:
            return _logs.instant(stated), False
        if assumed := self._settings.get("occurred_at"):
            return assumed, True
        raise Unreadable(
            "the response states no time: log one beside it or in an envelope, or import it with occurred_at=TIME"
        )

    def _key(self, *parts: object) -> str:
        digest = _logs.record_key(*parts)
        nth = self._equals[digest]
        self._equals[digest] = nth + 1
        return f"{digest}-{nth}" if nth else digest

    def _dimension(self, body: Json, envelope: Json, model: str, host: str) -> Dimension:
        usage = nested(body, "usage")
        return Dimension(
            model_raw=model,
            host=host,
            operation="embeddings" if "embed" in model or body.get("object") == "list" else "chat",
            region=place(usage.get("inference_geo")),
            ext_project=text(first(envelope.get("project"), self._settings.get("project"))),
            ext_api_key=text(envelope.get("api_key")),
            ext_user=text(first(envelope.get("user"), body.get("user"), body.get("safety_identifier"))),
            ext_team=text(envelope.get("team")),
            tags=_logs.tags(_logs.pairs(body.get("metadata")), _logs.pairs(envelope.get("tags"))),
        )


def _is_of_openais_stream(body: Json) -> bool:
    """A chunk of a chat or an event of a response, of which only the last has the usage."""
    return text(body.get("object")).endswith(".chunk") or text(body.get("type")).startswith("response.")


def _of_header(date: str) -> datetime:
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise Unreadable("the date of the response's headers cannot be read") from None


def _tier(body: Json, usage: Json) -> str:
    if body.get("batch"):
        return "batch"
    if usage.get("speed") == "fast":
        return "fast"
    said = (usage.get("service_tier"), body.get("service_tier"), usage.get("serviceTier"), usage.get("trafficType"))
    return tier(first(*said))


def _host(body: Json, usage: Json, counts: Counts, model: str) -> str:
    """Who sold the tokens, where the body shows it; '' where many vendors answer in its shape."""
    key = text(body.get("id"))
    if isinstance(usage.get("cost"), dict):
        return "perplexity"
    if is_openrouters(usage) or key.startswith("gen-"):
        return "openrouter"
    if counts.family == "anthropic":
        return _RESOLD.get(key[:9], "anthropic" if model.startswith("claude") else "")
    if counts.family == "gemini":
        return "vertex" if "trafficType" in usage else "google"
    if counts.family in HOSTS:
        return HOSTS[counts.family]
    return "openai" if model.startswith(_OPENAI) else ""
