"""Claude Code transcripts: one JSON object a line below `~/.claude/projects/<folder>/<session>.jsonl`.

    {"type":"assistant","timestamp":"2026-03-21T14:05:16.971Z","sessionId":"…","requestId":"req_…",
     "isSidechain":false,"cwd":"/home/dev/shop","gitBranch":"main","uuid":"…",
     "message":{"id":"msg_…","model":"claude-opus-4-6","role":"assistant","content":[…],
       "usage":{"input_tokens":1,"cache_read_input_tokens":104815,"cache_creation_input_tokens":146,
                "cache_creation":{"ephemeral_5m_input_tokens":146,"ephemeral_1h_input_tokens":0},
                "output_tokens":900,"output_tokens_details":{"thinking_tokens":300},
                "service_tier":"standard","speed":"fast","inference_geo":"us","iterations":[…]}}}

A reply is written once per content block, the early lines with a partial `output_tokens`; a resumed session
copies old lines into a new file; a sub-agent's transcript replays its parent's; a `progress` line carries the
sub-agent's reply under `data.message`. All of them share `message.id`, which is the record's key, and of
duplicates the one with the greatest rank is the reply as it was billed.

Every line is read as JSON: a filter on the text would call a line cut off before its usage "not usage".
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from usage.importers import APPEND, Dimension, Fact, Ignored, Outcome, Rejected
from usage.importers._json import place as place_of
from usage.importers._json import rounded
from usage.importers.claude_code.tokens import Tokens, Unreadable, read_usage

SLUG = "claude_code"
NAME = "Claude Code"
MODE = APPEND
MAPPED = False
DETAIL = 4
SETTINGS = ("billing",)

COST_KINDS = {"api": "estimated", "subscription": "notional"}
TOKEN_FIELDS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
# Lines that are known to carry no usage of their own. A user line may hold `toolUseResult.usage`:
# the sum of a sub-agent's replies, each of which has its own line.
KINDS_WITHOUT_USAGE = {
    "user": "user message",
    "summary": "session summary",
    "system": "system message",
    "result": "session totals",
    "attachment": "attachment",
    "file-history-snapshot": "file history snapshot",
    "queue-operation": "queue operation",
}
MAX_COST_USD = 10**6
MAX_KEY = 200
MAX_TEXT = 1000
MAX_RAW = 500
FIRST_YEAR, LAST_YEAR = 2023, 2100
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Bedrock writes regional profiles (`us.anthropic.claude-…-v1:0`) or ARNs, Vertex AI the date behind an @.
_RESOLD = {"msg_bdrk_": "bedrock", "msg_vrtx_": "vertex"}
_BEDROCK = re.compile(r"(?:^|[./:])anthropic\.claude|^arn:aws[\w-]*:bedrock:")
_VERTEX = re.compile(r"^(?:.*/)?claude[\w.-]*@")


def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
    """One outcome a line. `mapping` may say {"billing": "api" | "subscription"}: a seat's usage is notional.

    Token counts are as Anthropic reports them (input excludes cache). A count missing from a usage object is
    a known zero where the object has both `input_tokens` and `output_tokens`, and unknown where it lacks one.
    """
    cost_kind = cost_kind_of(mapping)
    places = Places()
    for number, line in enumerate(lines, 1):
        record: dict[str, Any] | str = ""
        try:
            record = _object_in(line)
            if isinstance(record, str):
                yield Ignored(number, record)
            else:
                yield _outcome(number, record, cost_kind, places)
        except Unreadable as fault:
            yield Rejected(number, str(fault), structure(record))


def cost_kind_of(mapping: Mapping[str, Any] | None) -> str:
    """`estimated`, or `notional` where the tokens are covered by a subscription."""
    billing = (mapping or {}).get("billing") or "api"
    if not isinstance(billing, str) or billing not in COST_KINDS:
        from usage.importers.csv import MappingError

        raise MappingError("Claude Code is billed by “api” or by “subscription”: choose one of the two.")
    return COST_KINDS[billing]


def _object_in(line: bytes) -> dict[str, Any] | str:
    """The object a line holds, or the reason to ignore it."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        text = line.removeprefix(b"\xef\xbb\xbf").strip()
        if not text:
            return "blank line"
        if text != line:
            return _object_in(text)
        if "UTF-8" in error.msg:
            raise Unreadable("line is not UTF-8 text") from None
        raise Unreadable("line is not complete JSON: it was cut off or is no transcript") from None
    if not isinstance(record, dict):
        raise Unreadable("line is JSON but not an object, so it is no transcript line")
    return record


def _outcome(number: int, record: dict[str, Any], cost_kind: str, places: Places) -> Outcome:
    kind = record.get("type")
    if kind.__class__ is str and (reason := KINDS_WITHOUT_USAGE.get(kind)):
        return Ignored(number, reason)
    envelope = record
    message = record.get("message")
    if message.__class__ is not dict:
        inner = _agent_progress(record)
        if inner is None:
            return Ignored(number, "line without a message")
        envelope, message = inner, inner["message"]
    if envelope.get("isApiErrorMessage") is True or record.get("isApiErrorMessage") is True:
        return Ignored(number, "API error")
    model = message.get("model")
    if model == "<synthetic>":
        return Ignored(number, "synthetic message")
    if message.get("usage") is None:
        return Ignored(number, "user message" if message.get("role") == "user" else "message without usage")
    if model.__class__ is not str or not model:
        raise Unreadable("line has usage but names no model")
    return _fact(number, record, envelope, message, cost_kind, places)


def _agent_progress(record: dict[str, Any]) -> dict[str, Any] | None:
    """The sub-agent's line inside a `progress` line, where it carries a message."""
    data = record.get("data")
    inner = data.get("message") if type(data) is dict else None
    return inner if type(inner) is dict and type(inner.get("message")) is dict else None


def _fact(
    number: int,
    record: dict[str, Any],
    envelope: dict[str, Any],
    message: dict[str, Any],
    cost_kind: str,
    places: Places,
) -> Fact:
    usage = message["usage"]
    tokens = read_usage(usage)
    occurred_at = _instant(envelope.get("timestamp") or record.get("timestamp"))
    cost = None if "costUSD" not in record else _cost(record["costUSD"])
    message_id = message.get("id")
    dimension, session, place = places.at(record, message["model"], message_id, usage.get("inference_geo"))
    speed = usage.get("speed")
    moment = (occurred_at - _EPOCH) // _MICROSECOND
    if message_id.__class__ is not str or not message_id:
        key = _key_without_message(record, envelope, dimension.model_raw, moment, tokens)
    elif len(message_id) > MAX_KEY or "\0" in message_id:
        key = hashlib.sha256(message_id.encode()).hexdigest()
    else:
        key = message_id
    # Behind the rank that decides which copy is right stand the copy's time (the earliest of equals wins) and
    # a number for where it was found, so that equal copies have one winner whatever order they come in.
    rank = (
        0 if record.get("isSidechain") is True or envelope.get("isSidechain") is True else 1,
        (tokens.uncached or 0) + (tokens.read or 0) + (tokens.written or 0) + (tokens.out or 0),
        0 if cost is None else int(cost * 1_000_000),
        1 if speed.__class__ is str else 0,
        -moment,
        place,
    )
    return Fact(
        number,
        key,
        occurred_at,
        "request",
        dimension,
        tokens.uncached,
        tokens.read,
        tokens.written,
        tokens.out,
        tokens.reasoning,
        tokens.lifetimes,
        1,
        _tier(usage.get("service_tier"), speed),
        tokens.context,
        None,
        cost,
        "" if cost is None else "USD",
        cost_kind,
        session,
        tokens.quality,
        rank,
    )


class Places:
    """The dimensions met so far, interned: one lookup a line instead of a new dimension a line."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], tuple[Dimension, str, int]] = {}
        self._dimensions: dict[Dimension, Dimension] = {}

    def at(self, record: dict[str, Any], model: str, message_id: object, geo: object) -> tuple[Dimension, str, int]:
        """The line's dimension, its session, and a number that tells two places apart."""
        get = record.get
        via = _RESOLD.get(message_id[:9], "") if isinstance(message_id, str) else ""
        place = (model, get("cwd"), get("gitBranch"), get("sessionId"), geo, via)
        try:
            return self._known[place]
        except KeyError:
            if len(self._known) >= 10_000:
                self._known.clear()
                self._dimensions.clear()
            found = self._known[place] = self._new(record, model, via, geo)
            return found
        except TypeError:  # a list or an object where the format has text
            return self._new(record, model, via, geo)

    def _new(self, record: dict[str, Any], model: str, via: str, geo: object) -> tuple[Dimension, str, int]:
        path, branch, session = _text(record, "cwd"), _text(record, "gitBranch"), _text(record, "sessionId")
        dimension = Dimension(
            _clean(model),
            host=_host(model, via),
            operation="chat",
            region=place_of(geo),
            path=path,
            branch=branch,
        )
        place = zlib.crc32(f"{session}\0{path}\0{branch}".encode())
        return self._dimensions.setdefault(dimension, dimension), session, place


def _instant(value: object) -> datetime:
    if type(value) is not str:
        raise Unreadable("line has usage but no timestamp")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Unreadable("timestamp is not an ISO 8601 time") from None
    if moment.tzinfo is None:
        raise Unreadable("timestamp has no time zone")
    if not FIRST_YEAR <= moment.year < LAST_YEAR:
        raise Unreadable(f"timestamp is not between {FIRST_YEAR} and {LAST_YEAR}")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _cost(value: object) -> Decimal | None:
    """`costUSD` of old versions, as the digits that were written."""
    if value is None:
        return None
    if type(value) not in (int, float):
        raise Unreadable("costUSD is not a number")
    cost = Decimal(str(value))
    if not 0 <= cost <= MAX_COST_USD:
        raise Unreadable("costUSD is negative or larger than any request can cost")
    return rounded(cost)


def _tier(tier: object, speed: object) -> str:
    if speed == "fast":
        return "fast"
    if tier == "default":  # what the oldest versions wrote
        return "standard"
    return _clean(tier)[:40] if type(tier) is str else ""


def _host(model: str, via: str) -> str:
    """Who sold the tokens: Bedrock and Vertex show in the model's id, or where that is plain in `message.id`.

    A model that is not Anthropic's reached Claude Code through a gateway that the transcript does not name.
    """
    if _BEDROCK.search(model):
        return "bedrock"
    if _VERTEX.match(model):
        return "vertex"
    return via or ("anthropic" if model.startswith("claude") else "")


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    return _clean(value) if value.__class__ is str else ""


def _clean(text: str) -> str:
    """PostgreSQL stores no NUL, and a name has an end."""
    if "\0" in text:
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text[:MAX_TEXT] if len(text) > MAX_TEXT else text


def _key_without_message(
    record: dict[str, Any], envelope: dict[str, Any], model: str, moment: int, tokens: Tokens
) -> str:
    """Identity of a line without `message.id`: the line itself, so importing it again changes nothing.

    A copy in a resumed session keeps its `uuid` and gets another session: that counts only without a `uuid`.
    """
    line = _text(envelope, "uuid") or _text(record, "sessionId")
    counts = (tokens.uncached, tokens.read, tokens.written, tokens.out)
    return hashlib.sha256(repr((line, _text(envelope, "requestId"), moment, model, *counts)).encode()).hexdigest()


def structure(record: object) -> str:
    """What of a rejected line may be kept: names, ids, times and counts of the format, never content."""
    if not isinstance(record, dict):
        return ""
    envelope = record if isinstance(record.get("message"), dict) else _agent_progress(record) or record
    message = _object(envelope.get("message"))
    usage = _object(message.get("usage"))
    kept = {name: envelope.get(name, record.get(name)) for name in ("type", "timestamp", "requestId", "uuid")}
    kept |= {name: record.get(name) for name in ("sessionId", "version", "isSidechain", "costUSD")}
    kept |= {f"message.{name}": message.get(name) for name in ("id", "model")}
    kept |= {f"usage.{name}": usage.get(name) for name in TOKEN_FIELDS}
    shown = {name: _shown(name, value) for name, value in kept.items() if value is not None}
    return orjson.dumps(shown).decode()[:MAX_RAW]


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _shown(name: str, value: object) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) < 10**18 else "a very large number"
    if isinstance(value, str) and not name.startswith(("usage.", "costUSD")):
        return _clean(value)[:60]
    return f"a {type(value).__name__}"
