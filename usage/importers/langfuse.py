"""Langfuse observations: pages of `GET /api/public/v2/observations`, or the JSON lines of its blob export.

    {"id":"obs-1","projectId":"cl-proj","type":"GENERATION","startTime":"…Z","name":"rank","environment":"production",
     "userId":"u-1","sessionId":"s-1","providedModelName":"claude-sonnet-4-5","tags":["ranker"],
     "usageDetails":{"input":10,"input_cached_tokens":5000,"input_cache_creation_5m":1000,"output":40,
       "output_reasoning_tokens":60,"total":6110},
     "totalCost":0.00678,"metadata":{"team":"search"},"createdAt":"…Z","updatedAt":"…Z","input":…,"output":…}

The keys of `usageDetails` are a partition: every `input…` is a part of the input, every `output…` one of the output,
and `total` is their sum, never a part. Only generations and embeddings are calls of a model; spans, agents, chains and
tools carry sums of theirs. An observation is sent again whenever it changes: the copy updated last is the record.
Observations that came by other ways than its libraries may keep OpenAI's names (`prompt_tokens`, which includes the
cache, `completion_tokens`) or state the total alone. Where Langfuse knows no price it writes a cost of 0 and no
`costDetails`. The blob export writes the same names in snake_case, and times without a zone, in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any

from usage.importers import APPEND, Dimension, Fact, Ignored, Outcome, _logs, _records
from usage.importers._json import Unreadable, text
from usage.importers._logs import first, named, nested, tokens
from usage.importers._records import Json
from usage.importers.csv.mapping import MappingError

SLUG = "langfuse"
NAME = "Langfuse"
MODE = APPEND
MAPPED = False
DETAIL = 3
SETTINGS = ("metadata",)

FIELDS = (
    "id", "projectId", "type", "startTime", "environment", "userId", "sessionId", "providedModelName", "model",
    "usageDetails", "costDetails", "totalCost", "calculatedTotalCost", "updatedAt", "createdAt", "tags", "metadata",
)  # fmt: skip
CALLS = {"GENERATION": "chat", "EMBEDDING": "embeddings"}
METADATA = ("team", "project", "department", "cost_center", "costcenter", "customer", "tenant", "feature", "app",
            "application", "service", "environment", "env", "product", "workspace")  # fmt: skip
"""What of the metadata is read unless a mapping says otherwise: anything may stand in it, also content."""
SHOWN = ("id", "projectId", "type", "startTime", "providedModelName", "usageDetails.input", "usageDetails.output",
         "usageDetails.total", "totalCost")  # fmt: skip
_LIFETIME = re.compile(r"(?:^|_)(5m|30m|1h|12h)(?:_|$)")
_MARKS = (
    ("input", "audio", "audio_sent"), ("input", "image", _logs.IMAGES_SENT),
    ("output", "audio", "audio_made"), ("output", "image", "images_made"),
)  # fmt: skip
_WRITES = ("cache_creation", "cache_write", "ephemeral")  # the last as LangChain names lifetimes
_TOTALS = ("total", "total_tokens", "totaltokens")
_PROMPT, _COMPLETION = (
    ("prompt_tokens", "prompttokens", "prompt"),
    ("completion_tokens", "completiontokens", "completion"),
)
_NAMES = [(name, re.sub(r"(?=[A-Z])", "_", name).lower()) for name in FIELDS]


def split(stream: IO[bytes]) -> Iterator[bytes]:
    """Each observation without input and output, in the names of the API."""
    return _records.kept_lines(stream, ("data",), _kept)


def _kept(record: Json) -> Json:
    kept = {}
    for name, snake in _NAMES:
        if (value := first(record.get(name), record.get(snake))) is not None:
            kept[name] = value
    for name in ("usageDetails", "costDetails"):
        kept[name] = {key: value for key, value in nested(kept, name).items() if not isinstance(value, dict | list)}
    kept["metadata"] = {
        key: value for key, value in nested(kept, "metadata").items() if isinstance(value, str | int | float)
    }
    return kept


def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
    """One outcome an observation. `mapping` may name the metadata to keep as tags: {"metadata": ["team"]}."""
    return _records.outcomes(lines, partial(_outcome, metadata=_metadata(mapping)), SHOWN)


def _metadata(mapping: Mapping[str, Any] | None) -> frozenset[str]:
    wanted = (mapping or {}).get("metadata", METADATA)
    if not isinstance(wanted, list | tuple) or not all(isinstance(name, str) for name in wanted):
        raise MappingError('“metadata” must be a list of the names to keep as tags, such as ["team"].')
    return frozenset(name.lower() for name in wanted)


def _outcome(line: int, record: Json, metadata: frozenset[str]) -> Outcome:
    kind = text(record.get("type")).upper()
    if not kind or "id" not in record:
        raise Unreadable("record is no observation of Langfuse: it has no id or no type")
    if kind not in CALLS:
        return Ignored(line, "observation that is no call of a model")
    parts = _parts(nested(record, "usageDetails"))
    cost = _cost(record)
    if cost == 0 and parts.sum != 0 and not _is_priced(record):
        cost, parts.quality = None, (*parts.quality, _logs.NO_PRICE)
    if not parts.stated and cost is None:
        return Ignored(line, "call without usage or cost")
    occurred_at = _logs.instant(record.get("startTime"), naive_is_utc=True)
    touched = _logs.instant(
        first(record.get("updatedAt"), record.get("createdAt"), record.get("startTime")), naive_is_utc=True
    )
    model = text(first(record.get("providedModelName"), record.get("model")))
    return Fact(
        line,
        _logs.record_key(text(record.get("projectId")), text(record["id"])),
        occurred_at,
        "request",
        _dimension(record, model or "unknown", CALLS[kind], metadata),
        parts.input,
        parts.read,
        parts.written,
        parts.output,
        parts.reasoning,
        _logs.lifetimes(parts.lifetimes, parts.written),
        1,
        cost_reported=cost,
        currency="" if cost is None else "USD",
        session=text(record.get("sessionId")),
        quality=parts.quality if model else (*parts.quality, "model_unknown"),
        rank=(_logs.micros(touched), parts.sum or 0),
    )


def _cost(record: Json) -> Any:
    stated = (record.get("totalCost"), record.get("calculatedTotalCost"))
    return _logs.money(first(*stated, nested(record, "costDetails").get("total")))


def _is_priced(record: Json) -> bool:
    """Whether a price was known, of which a cost of 0 may then follow: some part of the usage has a cost."""
    return any(name != "total" and cost is not None for name, cost in nested(record, "costDetails").items())


@dataclass(slots=True)
class _Parts:
    """The parts of a usage, each key added where its name belongs. What no key says is unknown."""

    input: int | None = None
    read: int | None = None
    written: int | None = None
    output: int | None = None
    reasoning: int | None = None
    total: int | None = None
    lifetimes: dict[str, int | None] = field(default_factory=dict)
    others: int = 0
    marks: set[str] = field(default_factory=set)
    quality: tuple[str, ...] = ()

    @property
    def stated(self) -> bool:
        """Whether anything is said of tokens."""
        return self.sum is not None or bool(self.total or self.others)

    @property
    def sum(self) -> int | None:
        known = [count for count in (self.input, self.read, self.written, self.output) if count is not None]
        return sum(known) if known else None

    def add(self, name: str, count: int) -> None:
        self.marks |= {mark for side, kind, mark in _MARKS if count and name.startswith(side) and kind in name}
        if name in _TOTALS:
            self.total = count
        elif any(word in name for word in _WRITES):
            self.written = (self.written or 0) + count
            if found := _LIFETIME.search(name):
                self.lifetimes[found[1]] = (self.lifetimes.get(found[1]) or 0) + count
        elif "cached" in name or "cache_read" in name:
            self.read = (self.read or 0) + count
        elif name.startswith("input"):
            self.input = (self.input or 0) + count
        elif name.startswith("output"):
            self.output = (self.output or 0) + count
            if _is_reasoning(name):
                self.reasoning = (self.reasoning or 0) + count
        else:
            self.others += count

    def settle(self) -> None:
        """Parts that exceed the total by the cache, the reasoning or both: an input or output that includes them."""
        cached, reasoning = (self.read or 0) + (self.written or 0), self.reasoning or 0
        over = (self.sum or 0) - self.total if self.total else 0
        if cached and over in (cached, cached + reasoning) and self.input is not None and self.input >= cached:
            self.input -= cached
            over -= cached
            self.quality = (*self.quality, "inclusive_input_heuristic")
        if reasoning and over == reasoning and self.output is not None and self.output >= 2 * reasoning:
            self.output -= reasoning
            self.quality = (*self.quality, "inclusive_output_heuristic")
        if self.input is not None and self.read is None:
            self.quality = (*self.quality, "cache_split_unknown")


def _is_reasoning(name: str) -> bool:
    return "reasoning" in name or "thinking" in name


def _parts(usage: Json) -> _Parts:
    """The parts that a usage states; a key without a count says nothing."""
    stated = {name.lower(): count for name, value in usage.items() if (count := tokens(value)) is not None}
    parts, prompt, completion = _Parts(), None, None
    has_input = any(name.startswith("input") and "cache" not in name and "ephemeral" not in name for name in stated)
    has_output = any(name.startswith("output") and not _is_reasoning(name) for name in stated)
    for name, count in stated.items():
        if name in _PROMPT and not has_input:
            prompt = count
        elif name in _COMPLETION and not has_output:
            completion = count
        else:
            parts.add(name, count)
    if prompt is not None:
        parts.input, parts.read, parts.written, parts.quality = _logs.disjoint(prompt, parts.read, parts.written)
    else:
        parts.settle()
    if completion is not None:
        parts.output = completion
        if _logs.is_beside(parts.reasoning, completion, prompt, parts.total):
            parts.output += parts.reasoning or 0
    if parts.others:
        parts.quality = (*parts.quality, "other_usage_not_counted")
    if parts.sum is None and parts.total:
        parts.quality = (*parts.quality, "total_not_split")
    parts.quality = (*parts.quality, *_logs.marked(parts.marks))
    return parts


def _dimension(record: Json, model: str, operation: str, metadata: frozenset[str]) -> Dimension:
    wanted = {name: value for name, value in nested(record, "metadata").items() if name.lower() in metadata}
    return Dimension(
        model_raw=model,
        operation=operation,
        ext_project=text(record.get("projectId")),
        ext_user=text(record.get("userId")),
        tags=_logs.tags(
            _logs.labels(record.get("tags")),
            _logs.pairs(wanted),
            named(langfuse_environment=record.get("environment")),
        ),
    )
