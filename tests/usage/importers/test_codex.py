"""Codex sessions: each call once, whatever is repeated, replayed or cut, and notional unless a key pays."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.usage.importers.logs import CANARY, counts, merged, read, sample
from usage.importers import Fact, Ignored, Outcome, Rejected
from usage.importers import codex as importer
from usage.importers.csv import MappingError
from usage.ingest.reading import Place, Reader

SESSION = "01990000-1111-7222-8333-444455556666"
Calls = list[tuple[int, int, int, int]]
CALLS: Calls = [(1200, 200, 150, 90), (2800, 1200, 250, 100), (900, 900, 10, 0)]


def usage(call: tuple[int, int, int, int]) -> dict[str, int]:
    return dict(zip(importer.COUNTS, call, strict=True))


def at(seconds: float) -> str:
    return f"2026-09-05T07:{int(seconds // 60):02d}:{seconds % 60:06.3f}Z"


def line(kind: str, payload: dict[str, Any], seconds: float = 0) -> bytes:
    return json.dumps({"timestamp": at(seconds), "type": kind, "payload": payload}).encode() + b"\n"


def meta(session: str = SESSION, **fields: Any) -> bytes:
    return line("session_meta", {"id": session, "cwd": "/home/dev", "git": {"branch": "main"}, **fields})


def turn(model: str = "gpt-5.3-codex", **fields: Any) -> bytes:
    return line("turn_context", {"model": model, **fields})


def session(
    calls: Calls = CALLS, *, start: float = 10, step: float = 1, last: bool = True, head: bytes = b""
) -> list[bytes]:
    """A session's lines: each call with the running total, `step` seconds apart."""
    lines = [head or meta(), turn()]
    total = (0, 0, 0, 0)
    for number, call in enumerate(calls):
        total = tuple(a + b for a, b in zip(total, call, strict=True))  # type: ignore[assignment]
        info = {"total_token_usage": usage(total), "last_token_usage": usage(call) if last else None}
        lines.append(line("event_msg", {"type": "token_count", "info": info}, start + number * step))
    return lines


def outcomes(lines: list[bytes], mapping: dict[str, Any] | None = None, origin: str = "a.jsonl") -> list[Outcome]:
    return list(importer.parse(lines, origin, mapping))


def facts(lines: list[bytes], **options: Any) -> list[Fact]:
    return [found for found in outcomes(lines, **options) if isinstance(found, Fact)]


PARTITION = [(1000, 200, None, 150, 90), (1600, 1200, None, 250, 100), (0, 900, None, 10, 0)]


def test_input_tokens_include_the_cached_ones_and_output_the_reasoning() -> None:
    assert [counts(found) for found in facts(session())] == PARTITION


def test_a_total_runs_up_and_the_call_is_the_record() -> None:
    found = facts(session(last=False))
    assert [counts(one) for one in found] == PARTITION
    assert {one.grain for one in found} == {"delta"}
    assert [one.record_key for one in found] == [one.record_key for one in facts(session())]


def test_a_repeated_count_and_a_copied_file_change_nothing() -> None:
    lines = session()
    repeated = [*lines[:3], lines[2], *lines[3:]]
    assert [counts(one) for one in facts(repeated)] == PARTITION
    assert len(merged(outcomes(lines) + outcomes(lines, origin="copy.jsonl"))) == 3


def test_a_total_that_went_down_began_anew() -> None:
    lines = session(last=False)
    again = {"total_token_usage": usage((500, 100, 20, 5)), "last_token_usage": None}
    [*_, last] = facts([*lines, line("event_msg", {"type": "token_count", "info": again}, 90)])
    assert counts(last) == (400, 100, None, 20, 5)


@pytest.mark.parametrize("origin", [{"source": {"subagent": {"thread_spawn": {}}}}, {"forked_from_id": "p"}])
def test_a_sub_agents_replay_of_its_parent_is_not_counted_twice(origin: dict[str, Any]) -> None:
    own = (600, 500, 60, 10)
    replay = session(CALLS[:2], start=0.4, step=0.5, head=meta("child", **origin))
    info = {"total_token_usage": usage((4600, 1900, 460, 200)), "last_token_usage": usage(own)}
    lines = [*replay, line("event_msg", {"type": "token_count", "info": info}, 20)]
    assert [counts(one) for one in facts(lines)] == [(100, 500, None, 60, 10)]
    plain = [meta("child"), *lines[1:]]
    assert len(facts(plain)) == 3  # the same lines, were they the session's own


def test_the_model_is_the_one_of_the_turn_and_an_unknown_one_is_said() -> None:
    lines = session()
    lines.insert(3, turn("gpt-5.4", cwd="/home/dev/api"))
    found = facts(lines)
    assert [one.dimension.model_raw for one in found] == ["gpt-5.3-codex", "gpt-5.4", "gpt-5.4"]
    assert [one.dimension.path for one in found] == ["/home/dev", "/home/dev/api", "/home/dev/api"]
    assert {one.dimension.branch for one in found} == {"main"}
    [unknown, *_] = facts(session()[2:])
    assert (unknown.dimension.model_raw, unknown.quality) == ("unknown", ("no_session_id", "model_unknown"))


def test_the_session_is_the_files_own_and_not_the_one_it_was_resumed_from() -> None:
    lines = [meta("new"), meta("old"), *session()[1:]]
    assert {one.session for one in facts(lines)} == {"new"}
    named = facts(session()[1:], origin=f"2026/rollout-2026-09-05T07-00-00-{SESSION}.jsonl")
    assert [one.record_key for one in named] == [one.record_key for one in facts(session())]


def test_subscription_usage_is_not_spend_unless_a_key_pays() -> None:
    assert {one.cost_kind for one in facts(session())} == {"notional"}
    assert {one.cost_kind for one in facts(session(), mapping={"billing": "api"})} == {"estimated"}
    with pytest.raises(MappingError, match="choose one of the two"):
        outcomes(session(), {"billing": "gift"})


def test_a_file_gone_on_with_after_a_crash_keeps_its_model_and_total(tmp_path: Path) -> None:
    file = tmp_path / "rollout.jsonl"
    file.write_bytes(b"".join(session(last=False)))
    place, found = Place(), []
    while not place.file:
        reader = Reader([{"path": str(file), "origin": file.name}], importer, None, place)  # type: ignore[arg-type]
        found += [outcome for _, _, outcome in reader.chunk(1)]
        place = reader.place
        reader.close()
    assert found == outcomes(session(last=False))


def test_every_line_is_answered_and_no_content_leaves() -> None:
    info = {"last_token_usage": {"input_tokens": -1, "note": CANARY}, "note": CANARY}
    lines = [
        *session(),
        line("response_item", {"content": CANARY}),
        line("event_msg", {"type": "agent_message", "message": CANARY}),
        line("event_msg", {"type": "token_count", "info": info}),
        line("event_msg", {"type": "token_count", "info": {"last_token_usage": usage((5, 6, 0, 0))}}),
        line("event_msg", {"type": "token_count", "info": {"note": CANARY}}),
        b'{"type":"event_msg","payload":{"message":"' + CANARY.encode(),
    ]
    found = outcomes(lines)
    assert [one.line for one in found] == list(range(1, len(lines) + 1))
    assert Counter(type(one) for one in found) == {Fact: 3, Ignored: 4, Rejected: 4}
    assert CANARY not in repr(found)


@pytest.mark.shared
def test_the_sample_session_has_the_tokens_of_its_two_calls(shared_data: Path) -> None:
    found = read(importer, sample(shared_data, "codex/ccusage_codex_session.jsonl"))
    assert [type(one) for one in found] == [Ignored, Fact, Fact]
    assert [(one.dimension.model_raw, counts(one)) for one in found if isinstance(one, Fact)] == [
        ("gpt-5.2-codex", (750, 250, None, 125, 75)),
        ("gpt-5.3-codex", (2000, 500, None, 300, 200)),
    ]
