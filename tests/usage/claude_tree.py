"""A generated tree of Claude Code transcripts, and the truth about it that no reader was asked for.

`write_tree` invents replies, knows what each was billed for, and then writes them the way Claude Code does: a line
per content block with growing output, resumed sessions that copy old lines, sub-agents that replay their parent's
lines, progress lines that carry a sub-agent's reply, errors, summaries, and a last line cut off in the middle.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

CANARY = "canary-4f1d-content-must-not-leave"
# The words of a usage line inside content: a reader that searches for text trips over them.
CONTENT = f'{CANARY} says "usage": {{"input_tokens": 999999999, "output_tokens": 999999999}} \\" \u2028 é'
MODELS = ("claude-opus-5", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001")
RESOLD = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
FOLDERS = ("/home/dev/shop", "/home/dev/billing", "/home/dev/shop tools")


@dataclass
class Reply:
    """What one reply was billed for."""

    key: str
    model: str
    occurred_at: datetime
    path: str
    uncached: int
    read: int
    lifetimes: dict[str, int]
    written: int
    out: int
    thinking: int
    fast: bool = False


@dataclass
class Truth:
    """What an exact reader finds. `lines` counts physical lines, `copies` those that hold a reply."""

    replies: dict[str, Reply] = field(default_factory=dict)
    lines: int = 0
    copies: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    files: list[Path] = field(default_factory=list)

    def tokens(self) -> dict[str, dict[str, int]]:
        """model → kind → tokens, cache writes by lifetime ("" where none is stated)."""
        sums: dict[str, dict[str, int]] = defaultdict(Counter)
        for reply in self.replies.values():
            found = sums[reply.model]
            found["input"] += reply.uncached
            found["cache_read"] += reply.read
            found["output"] += reply.out
            found["thinking"] += reply.thinking
            rest = reply.written - sum(reply.lifetimes.values())
            for lifetime, tokens in {**reply.lifetimes, "": rest}.items():
                found[f"cache_write_{lifetime}" if lifetime else "cache_write"] += tokens
        return {model: {kind: n for kind, n in sorted(kinds.items()) if n} for model, kinds in sums.items()}


class _Session:
    def __init__(self, name: str, path: str, spaced: bool) -> None:
        self.name, self.path, self.spaced = name, path, spaced
        self.lines: list[str] = []

    def add(self, record: dict[str, Any]) -> None:
        separators = None if self.spaced else (",", ":")
        self.lines.append(json.dumps(record, separators=separators, ensure_ascii=self.spaced))


def write_tree(root: Path, seed: int = 1, replies: int = 200, until: datetime | None = None) -> Truth:
    """Write about `replies` replies below `root` and answer the truth. The same seed writes the same bytes.

    Half the replies lie around the last edge of a month before `until` (default 1 November 2026).
    """
    return _Writer(root, seed, until or datetime(2026, 11, 1, tzinfo=UTC)).write(replies)


class _Writer:
    def __init__(self, root: Path, seed: int, edge: datetime) -> None:
        self.root, self.edge, self.truth = root, edge, Truth()
        self.random = random.Random(seed)  # noqa: S311 - not a secret
        self.sessions: list[_Session] = []
        self.serial = 0

    def write(self, replies: int) -> Truth:
        for number in range(max(2, replies // 20)):
            self.sessions.append(_Session(self._id("session"), self.random.choice(FOLDERS), number % 2 == 0))
        for _ in range(replies):
            self.random.choice(self._kinds())(self.random.choice(self.sessions))
        self._write_files()
        return self.truth

    def _kinds(self) -> list[Any]:
        common = [self.plain, self.streamed, self.streamed]
        return [*common, *common, self.resumed, self.replayed, self.progress, self.sidechain_only, self.noise]

    # Each way a reply comes to be written. The truth is what `_reply` answered; copies never add to it.

    def plain(self, session: _Session) -> None:
        reply = self._reply(session)
        self._user(session)
        session.add(self._line(session, reply, reply.out, reply.occurred_at))
        self.truth.copies += 1

    def streamed(self, session: _Session) -> None:
        self._stream(session, self._reply(session), {})

    def resumed(self, session: _Session) -> None:
        """Old lines again in another file, under its session's name, some of them only up to a partial line."""
        reply = self._reply(session)
        lines = self._stream(session, reply, {})
        other = self.random.choice([found for found in self.sessions if found is not session])
        for line in lines[: self.random.randint(1, len(lines))]:
            other.add({**line, "sessionId": other.name})
            self.truth.copies += 1

    def replayed(self, session: _Session) -> None:
        """A sub-agent's transcript repeats its parent's reply and counts more for it: the parent's is right."""
        reply = self._reply(session)
        self._stream(session, reply, {})
        copy = self._line(session, reply, reply.out + 1000, reply.occurred_at + timedelta(seconds=90))
        self.random.choice(self.sessions).add({**copy, "isSidechain": True, "agentId": "a1"})
        self.truth.copies += 1

    def sidechain_only(self, session: _Session) -> None:
        self._stream(session, self._reply(session), {"isSidechain": True, "agentId": "a2"})

    def progress(self, session: _Session) -> None:
        """A sub-agent's reply inside a line of its parent, once or with a copy in the sub-agent's own file."""
        reply = self._reply(session)
        line = self._line(session, reply, reply.out, reply.occurred_at)
        inner = {name: line[name] for name in ("type", "timestamp", "uuid", "requestId", "message")}
        data = {"type": "agent_progress", "prompt": CANARY, "agentId": "a3", "message": inner}
        outer = {name: text for name, text in line.items() if name not in inner}
        stamp = _stamp(reply.occurred_at)
        session.add({**outer, "type": "progress", "timestamp": stamp, "uuid": self._id("u"), "data": data})
        self.truth.copies += 1
        if self.random.random() < 0.5:
            session.add({**line, "isSidechain": True, "agentId": "a3"})
            self.truth.copies += 1

    def noise(self, session: _Session) -> None:
        """Lines that carry no usage, whatever they look like."""
        error = self._line(session, self._fleeting(session), 0, self._time())
        zero = {"input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 0}
        message = {**error["message"], "model": "<synthetic>", "usage": zero, "stop_reason": "stop_sequence"}
        kind = self.random.randrange(6)
        if kind == 0:
            session.add({**error, "message": message})
            self.truth.ignored["synthetic message"] += 1
        elif kind == 1:
            session.add({**error, "message": message, "isApiErrorMessage": True})
            self.truth.ignored["API error"] += 1
        elif kind == 2:
            session.add({"type": "summary", "summary": CONTENT, "leafUuid": self._id("u")})
            self.truth.ignored["session summary"] += 1
        elif kind == 3:
            session.lines.append(self.random.choice(["", "   "]))
            self.truth.ignored["blank line"] += 1
        elif kind == 4:
            session.add({"type": "system", "content": CONTENT, "timestamp": _stamp(self._time())})
            self.truth.ignored["system message"] += 1
        else:
            session.add({**error, "message": {**error["message"], "usage": None}})
            self.truth.ignored["message without usage"] += 1

    def _reply(self, session: _Session) -> Reply:
        reply = self._fleeting(session)
        self.truth.replies[reply.key] = reply
        return reply

    def _fleeting(self, session: _Session) -> Reply:
        chance = self.random
        written = chance.choice([0, chance.randint(1, 9000)])
        lifetimes = chance.choice(
            [{"5m": written}, {"1h": written}, {"5m": written // 3, "1h": written - written // 3}]
        )
        lifetimes = {name: tokens for name, tokens in lifetimes.items() if tokens}
        if chance.random() < 0.15:
            lifetimes = {}  # versions before the split
        out = chance.randint(2, 4000)
        return Reply(
            key=self._id("msg"),
            model=RESOLD if chance.random() < 0.1 else chance.choice(MODELS),
            occurred_at=self._time(),
            path=session.path,
            uncached=chance.randint(0, 900),
            read=chance.choice([0, chance.randint(1, 180_000)]),
            lifetimes=lifetimes,
            written=written,
            out=out,
            thinking=chance.choice([0, chance.randint(0, out)]),
            fast=chance.random() < 0.1,
        )

    def _stream(self, session: _Session, reply: Reply, extra: dict[str, Any]) -> list[dict[str, Any]]:
        """One to four lines of one reply, each later and with more output; the last is what was billed."""
        self._user(session)
        blocks = self.random.randint(1, 4)
        start = reply.occurred_at
        lines = []
        for block in range(blocks):
            last = block == blocks - 1
            at = start + timedelta(milliseconds=1300 * block)
            out = reply.out if last else min(reply.out - 1, 1 + block)
            lines.append({**self._line(session, reply, out, at, final=last), **extra})
            reply.occurred_at = at
        for line in lines:
            session.add(line)
        self.truth.copies += blocks
        return lines

    def _line(self, session: _Session, reply: Reply, out: int, at: datetime, *, final: bool = True) -> dict[str, Any]:
        usage: dict[str, Any] = {
            "input_tokens": reply.uncached,
            "cache_creation_input_tokens": reply.written,
            "cache_read_input_tokens": reply.read,
            "output_tokens": out,
            "service_tier": "standard",
            "inference_geo": "not_available",
        }
        if reply.lifetimes or not reply.written:
            usage["cache_creation"] = {
                f"ephemeral_{name}_input_tokens": reply.lifetimes.get(name, 0) for name in ("5m", "1h")
            }
        if reply.thinking and final:
            usage["output_tokens_details"] = {"thinking_tokens": reply.thinking}
        if reply.fast:
            usage["speed"] = "fast"
        message = {
            "id": reply.key,
            "type": "message",
            "role": "assistant",
            "model": reply.model,
            "content": [{"type": "text", "text": CONTENT}, {"type": "tool_use", "input": {"usage": CANARY}}],
            "usage": dict(self._shuffled(usage)),
        }
        line = {
            "parentUuid": self._id("u"),
            "isSidechain": False,
            "userType": "external",
            "cwd": reply.path,
            "sessionId": session.name,
            "version": "2.1.81",
            "gitBranch": "main",
            "type": "assistant",
            "uuid": self._id("u"),
            "requestId": f"req_{reply.key}",
            "timestamp": _stamp(at),
            "message": dict(self._shuffled(message)),
        }
        return dict(self._shuffled(line))

    def _user(self, session: _Session) -> None:
        if self.random.random() < 0.5:
            result = {"usage": {"input_tokens": 7_000_000, "output_tokens": 7_000_000}, "content": CONTENT}
            message = {"role": "user", "content": CONTENT}
            session.add({"type": "user", "message": message, "toolUseResult": result})
            self.truth.ignored["user message"] += 1

    def _shuffled(self, pairs: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        items = list(pairs.items())
        self.random.shuffle(items)
        yield from items

    def _time(self) -> datetime:
        """Half of the replies begin within five seconds of the month's edge."""
        if self.random.random() < 0.5:
            return self.edge + timedelta(milliseconds=self.random.randint(-5000, 5000))
        return self.edge + timedelta(seconds=self.random.randint(-40 * 86400, 10 * 86400))

    def _id(self, prefix: str) -> str:
        self.serial += 1
        return f"{prefix}_{self.serial:06d}{self.random.getrandbits(40):010x}"

    def _write_files(self) -> None:
        for number, session in enumerate(self.sessions):
            text = "".join(f"{line}\n" for line in session.lines)
            lines = len(session.lines)
            if number == 0:  # the machine stopped while it wrote
                text += '{"type":"assistant","message":{"id":"msg_cut","content":[{"text":"' + CANARY + "\n"
                self.truth.rejected += 1
                lines += 1
            folder = self.root / "projects" / session.path.replace("/", "-").replace(" ", "-")
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{session.name}.jsonl"
            path.write_text(text, encoding="utf-8")
            self.truth.files.append(path)
            self.truth.lines += lines


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
