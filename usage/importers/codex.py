"""Codex sessions: one JSON object a line in `~/.codex/sessions/**/rollout-*.jsonl`.

    {"timestamp":"2026-05-13T09:00:00.000Z","type":"session_meta","payload":{"id":"0199…","cwd":"/home/dev/shop",
     "git":{"branch":"main"},"model_provider":"openai","source":{"subagent":{…}},"forked_from_id":"0198…"}}
    {"timestamp":"…","type":"turn_context","payload":{"cwd":"/home/dev/shop","model":"gpt-5.3-codex"}}
    {"timestamp":"…","type":"event_msg","payload":{"type":"token_count","info":{
     "total_token_usage":{"input_tokens":3500,"cached_input_tokens":750,"output_tokens":425,
       "reasoning_output_tokens":275,"total_tokens":3925},
     "last_token_usage":{"input_tokens":2500,"cached_input_tokens":500,"output_tokens":300,…}}}}

`total_token_usage` runs up over the session and `last_token_usage` is the call's own: the record is the call, and its
key is the session and the running total, so that a copy of the file and a repeated count change nothing. Input
includes the cached tokens, output the reasoning. The model is that of the last `turn_context`. The file of a
sub-agent or a fork begins with its parent's counts, written again within its first second: they are the parent's.

The service tier stands only in Codex's own settings, not in its sessions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from usage.importers import APPEND, Dimension, Fact, Ignored, Outcome, _logs
from usage.importers._json import Unreadable, text
from usage.importers._logs import first, nested, tokens
from usage.importers._records import Json, at, outcomes
from usage.importers.csv.mapping import MappingError

SLUG = "codex"
NAME = "Codex"
MODE = APPEND
MAPPED = False
DETAIL = 4
SETTINGS = ("billing",)

COST_KINDS = {"api": "estimated", "subscription": "notional"}
REPLAYED = timedelta(seconds=1)
COUNTS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")
SHOWN = ("timestamp", "type", "payload.type", *(f"payload.info.last_token_usage.{name}" for name in COUNTS))
_ID_IN_NAME = re.compile(r"rollout-.*?([0-9a-f]{8}-[0-9a-f-]{27})\.jsonl")

Counts = tuple[int, ...]


def whole_file(mapping: Mapping[str, Any] | None) -> bool:
    """Always: the model and the running total stand in earlier lines."""
    return True


def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
    """One outcome a line. `mapping` may say {"billing": "api" | "subscription"}; a seat's usage, the default, is
    notional."""
    session = _Session(origin, cost_kind_of(mapping))
    return outcomes((_without_content(line) for line in lines), session.read, SHOWN)


def cost_kind_of(mapping: Mapping[str, Any] | None) -> str:
    """`notional`, or `estimated` where the tokens are paid by an API key."""
    billing = (mapping or {}).get("billing") or "subscription"
    if not isinstance(billing, str) or billing not in COST_KINDS:
        raise MappingError("Codex is billed by “api” or by “subscription”: choose one of the two.")
    return COST_KINDS[billing]


def _without_content(line: bytes) -> bytes:
    """The line, or what stands for one that only holds conversation: most of a session, and long."""
    return b'{"type":"response_item"}' if b'"type":"response_item"' in line[:120] else line


@dataclass(slots=True)
class _Call:
    """The tokens of one model call, and whether they had to be worked out from two totals."""

    counts: Counts
    is_difference: bool = False


class _Session:
    """What earlier lines of one file said."""

    def __init__(self, origin: str, cost_kind: str) -> None:
        found = _ID_IN_NAME.search(origin)
        self._id = found[1] if found else ""
        self._named = bool(found)
        self._cost_kind = cost_kind
        self._meta: Json = {}
        self._replay_until: datetime | None = None
        self._turn: Json = {}
        self._total: Counts | None = None
        self._dimensions: dict[tuple[str, ...], Dimension] = {}

    def read(self, line: int, record: Json) -> Outcome:
        kind, payload = record.get("type"), nested(record, "payload")
        if kind == "session_meta":
            self._begin(record, payload)
            return Ignored(line, "session")
        if kind == "turn_context":
            self._turn = {name: payload.get(name) for name in ("model", "cwd")}
            return Ignored(line, "turn")
        if kind != "event_msg" or payload.get("type") != "token_count":
            return Ignored(line, "line without token counts")
        info = nested(payload, "info")
        if not info:
            return Ignored(line, "rate limits without token counts")
        return self._count(line, record, payload, info)

    def _begin(self, record: Json, meta: Json) -> None:
        """The first header is the file's own; others came with what it was forked from."""
        if self._meta:
            return
        self._meta = {name: meta.get(name) for name in ("cwd", "git", "model_provider")}
        self._id = text(meta.get("id")) or self._id
        self._named = self._named or bool(self._id)
        if meta.get("forked_from_id") or isinstance(at(meta, "source", "subagent"), dict | str):
            self._replay_until = _logs.instant(record.get("timestamp")) + REPLAYED

    def _count(self, line: int, record: Json, payload: Json, info: Json) -> Outcome:
        occurred_at = _logs.instant(record.get("timestamp"))
        total, last = _counts(info.get("total_token_usage")), _counts(info.get("last_token_usage"))
        before, self._total = self._total, total or self._total
        if self._replay_until and occurred_at <= self._replay_until:
            return Ignored(line, "count of the session this one was forked from")
        if total is not None and total == before:
            return Ignored(line, "count that was repeated")
        call = _Call(last) if last is not None else _difference(total, before)
        if not any(call.counts):
            return Ignored(line, "count of nothing")
        return self._fact(line, occurred_at, call, total, text(first(info.get("model"), payload.get("model"))))

    def _fact(self, line: int, occurred_at: datetime, call: _Call, total: Counts | None, model: str) -> Fact:
        stated, cached, out, reasoning = call.counts
        model = model or text(self._turn.get("model"))
        if cached > stated or reasoning > out:
            raise Unreadable("a part of the tokens is larger than the whole")
        quality = ("no_session_id",) if not self._named else ()
        running = call.counts if total is None else total
        if total is None or not self._named:
            running = (_logs.micros(occurred_at), *running)
        return Fact(
            line,
            _logs.record_key(self._id, *running),
            occurred_at,
            "delta" if call.is_difference else "request",
            self._dimension(model or "unknown"),
            stated - cached,
            cached,
            None,
            out,
            reasoning,
            requests=None if call.is_difference else 1,
            cost_kind=self._cost_kind,
            session=self._id,
            quality=quality if model else (*quality, "model_unknown"),
            rank=(-_logs.micros(occurred_at),),
        )

    def _dimension(self, model: str) -> Dimension:
        place = (
            model,
            text(self._meta.get("model_provider")) or "openai",
            text(first(self._turn.get("cwd"), self._meta.get("cwd"))),
            text(at(self._meta, "git", "branch")),
        )
        if place not in self._dimensions:
            model, host, path, branch = place
            self._dimensions[place] = Dimension(model, host=host, operation="chat", path=path, branch=branch)
        return self._dimensions[place]


def _counts(usage: object) -> Counts | None:
    """The four counts of a usage object; None where there is none."""
    if not isinstance(usage, dict):
        return None
    return tuple([tokens(usage.get(name)) or 0 for name in COUNTS])


def _difference(total: Counts | None, before: Counts | None) -> _Call:
    """What a total says that states no call of its own; one that went down began anew."""
    if total is None:
        raise Unreadable("a token count states neither a call nor a total")
    rise = tuple([now - then for now, then in zip(total, before or (0, 0, 0, 0), strict=True)])
    return _Call(total if min(rise) < 0 else rise, is_difference=True)
