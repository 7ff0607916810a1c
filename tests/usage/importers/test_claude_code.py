"""Claude Code transcripts: exact tokens whatever was repeated, and a reason for every line that is not usage."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.usage.claude_tree import CANARY, Truth, write_tree
from usage.importers import Fact, Ignored, Outcome, Rejected, claude_code
from usage.importers.csv import MappingError


def read(paths: Iterable[Path]) -> list[Outcome]:
    found: list[Outcome] = []
    for path in paths:
        with path.open("rb") as lines:
            found += claude_code.parse(lines, path.name, None)
    return found


def merged(outcomes: Iterable[Outcome]) -> dict[str, Fact]:
    """The greatest rank of each key: what the ledger keeps."""
    best: dict[str, Fact] = {}
    for outcome in outcomes:
        if isinstance(outcome, Fact):
            known = best.get(outcome.record_key)
            if known is None or outcome.rank > known.rank:
                best[outcome.record_key] = outcome
    return best


def tokens_by_model(facts: Iterable[Fact]) -> dict[str, dict[str, int]]:
    sums: dict[str, dict[str, int]] = defaultdict(Counter)
    for fact in facts:
        found = sums[fact.dimension.model_raw]
        found["input"] += fact.in_uncached or 0
        found["cache_read"] += fact.in_cache_read or 0
        found["output"] += fact.out_total or 0
        found["thinking"] += fact.out_reasoning or 0
        split = fact.cache_write_by_lifetime or {"": fact.in_cache_write or 0}
        assert sum(split.values()) == fact.in_cache_write
        for lifetime, tokens in split.items():
            found[f"cache_write_{lifetime}" if lifetime else "cache_write"] += tokens
    return {model: {kind: n for kind, n in sorted(kinds.items()) if n} for model, kinds in sums.items()}


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return write_tree(tmp_path_factory.mktemp("claude"), seed=3, replies=400)


def test_tokens_are_exact_per_model_and_lifetime(truth: Truth) -> None:
    assert tokens_by_model(merged(read(truth.files)).values()) == truth.tokens()


def test_each_reply_is_dated_and_placed_by_the_line_that_was_billed(truth: Truth) -> None:
    facts = merged(read(truth.files))
    assert {key: fact.occurred_at for key, fact in facts.items()} == {
        key: reply.occurred_at.replace(microsecond=reply.occurred_at.microsecond // 1000 * 1000)
        for key, reply in truth.replies.items()
    }
    assert all(facts[key].dimension.path == reply.path for key, reply in truth.replies.items())
    assert {key for key, fact in facts.items() if fact.service_tier == "fast"} == {
        key for key, reply in truth.replies.items() if reply.fast
    }


def test_every_line_has_one_outcome_and_a_reason(truth: Truth) -> None:
    outcomes = read(truth.files)
    kinds = Counter(type(outcome) for outcome in outcomes)
    assert len(outcomes) == truth.lines
    assert kinds[Fact] == truth.copies
    assert Counter(found.reason for found in outcomes if isinstance(found, Ignored)) == truth.ignored
    assert kinds[Rejected] == truth.rejected


def test_neither_order_nor_repetition_nor_splitting_files_matters(truth: Truth) -> None:
    once = merged(read(truth.files))
    lines = [line for path in truth.files for line in path.read_bytes().splitlines(keepends=True)]
    random.Random(5).shuffle(lines)  # noqa: S311 - not a secret
    again = merged(claude_code.parse([*lines, *lines], "another.jsonl", None))
    assert {key: _without_line(fact) for key, fact in again.items()} == {
        key: _without_line(fact) for key, fact in once.items()
    }


def test_of_copies_that_are_equal_in_everything_counted_the_earliest_is_kept() -> None:
    copies = [line(timestamp=f"2026-09-01T10:00:0{second}Z", sessionId=f"s{second}") for second in (5, 2, 8)]
    [kept] = merged(claude_code.parse(copies, "", None)).values()
    assert (kept.occurred_at.second, kept.session) == (2, "s2")


def test_no_content_leaves_the_file(truth: Truth) -> None:
    assert not [outcome for outcome in read(truth.files) if CANARY in repr(outcome)]


def test_a_line_cut_off_in_the_middle_is_rejected_without_its_content() -> None:
    whole = line({"output_tokens": 5})
    cut = whole[: len(whole) // 2]
    [outcome] = claude_code.parse([cut], "", None)
    assert isinstance(outcome, Rejected)
    assert outcome.reason.startswith("line is not complete JSON")
    assert outcome.raw == ""


def line(usage: dict[str, Any] | None = None, message: dict[str, Any] | None = None, **extra: Any) -> bytes:
    counts = {"input_tokens": 10, "output_tokens": 20, **(usage or {})}
    said = {"id": "msg_1", "model": "claude-opus-5", "role": "assistant", "content": CANARY, "usage": counts}
    record = {
        "type": "assistant",
        "timestamp": "2026-09-01T10:00:00.000Z",
        "sessionId": "s1",
        "message": {**said, **(message or {})},
        **extra,
    }
    return json.dumps({name: value for name, value in record.items() if value is not ...}).encode()


def fact(*args: Any, **extra: Any) -> Fact:
    [outcome] = claude_code.parse([line(*args, **extra)], "", None)
    assert isinstance(outcome, Fact), outcome
    return outcome


def test_absent_cache_fields_are_zero_in_a_whole_usage_object() -> None:
    found = fact()
    assert (found.in_uncached, found.in_cache_read, found.in_cache_write, found.out_total) == (10, 0, 0, 20)
    assert found.out_reasoning is None


def test_half_a_usage_object_leaves_the_other_half_unknown() -> None:
    [outcome] = claude_code.parse([line(message={"usage": {"output_tokens": 20}})], "", None)
    assert isinstance(outcome, Fact)
    assert (outcome.in_uncached, outcome.in_cache_read, outcome.in_cache_write, outcome.out_total) == (
        None,
        None,
        None,
        20,
    )


def test_cache_writes_without_a_split_have_no_lifetime() -> None:
    assert fact({"cache_creation_input_tokens": 7}).cache_write_by_lifetime == {}
    part = fact({"cache_creation_input_tokens": 7, "cache_creation": {"ephemeral_1h_input_tokens": 5}})
    assert (part.in_cache_write, part.cache_write_by_lifetime) == (7, {"1h": 5, "": 2})


def test_compaction_is_added_and_the_context_is_the_longest_inference() -> None:
    message = {"type": "message", "input_tokens": 10, "output_tokens": 20, "cache_read_input_tokens": 90}
    compaction = {
        "type": "compaction",
        "input_tokens": 5000,
        "output_tokens": 300,
        "cache_creation": {"ephemeral_5m_input_tokens": 40},
    }
    found = fact({"cache_read_input_tokens": 90, "iterations": [compaction, message]})
    assert (found.in_uncached, found.in_cache_read, found.in_cache_write, found.out_total) == (5010, 90, 40, 320)
    assert found.cache_write_by_lifetime == {"5m": 40}
    assert found.context_tokens == 5040


def test_an_advisors_turn_is_flagged_and_not_added() -> None:
    advisor = {"type": "advisor_message", "model": "claude-opus-5", "input_tokens": 900, "output_tokens": 9}
    found = fact({"iterations": [advisor]})
    assert (found.in_uncached, found.quality) == (10, ("other_iterations_not_counted",))


def test_thinking_is_a_part_of_output() -> None:
    found = fact({"output_tokens_details": {"thinking_tokens": 15}})
    assert (found.out_total, found.out_reasoning) == (20, 15)


@pytest.mark.parametrize(
    ("model", "message_id", "host"),
    [
        ("claude-opus-5", "msg_01", "anthropic"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "msg_01", "bedrock"),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "msg_01", "bedrock"),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/global.anthropic.claude-x", "msg_01", "bedrock"),
        ("claude-sonnet-4-5@20250929", "msg_01", "vertex"),
        ("claude-sonnet-4-5-20250929", "msg_bdrk_01", "bedrock"),
        ("claude-sonnet-4-5-20250929", "msg_vrtx_01", "vertex"),
        ("glm-5.3", "msg_01", ""),
    ],
)
def test_the_host_is_who_sold_the_tokens(model: str, message_id: str, host: str) -> None:
    found = fact(message={"model": model, "id": message_id})
    assert (found.dimension.model_raw, found.dimension.host) == (model, host)


def test_searches_are_billed_beside_the_tokens_and_said_not_to_be_kept() -> None:
    assert fact({"server_tool_use": {"web_search_requests": 2}}).quality == ("web_searches_not_kept",)
    assert fact({"server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 3}}).quality == ()


def test_service_tier_and_region_are_what_decides_the_price() -> None:
    assert fact({"service_tier": "default"}).service_tier == "standard"
    assert fact({"service_tier": "batch"}).service_tier == "batch"
    assert fact({"service_tier": "standard", "speed": "fast"}).service_tier == "fast"
    assert fact().service_tier == ""
    assert fact({"inference_geo": "us"}).dimension.region == "us"
    assert fact({"inference_geo": "eu"}).dimension.region == "eu"
    assert fact({"inference_geo": "not_available"}).dimension.region == ""


def test_a_subscription_is_notional_and_an_unknown_billing_is_refused() -> None:
    [seat] = claude_code.parse([line()], "", {"billing": "subscription"})
    [api] = claude_code.parse([line()], "", {"billing": "api"})
    assert isinstance(seat, Fact)
    assert isinstance(api, Fact)
    assert (seat.cost_kind, api.cost_kind) == ("notional", "estimated")
    with pytest.raises(MappingError, match="choose one of the two"):
        list(claude_code.parse([line()], "", {"billing": "gift"}))


def test_cost_of_old_versions_is_kept_to_the_digit() -> None:
    found = fact(costUSD=0.1234567)
    assert (found.cost_reported, found.currency) == (Decimal("0.1234567"), "USD")
    assert (fact().cost_reported, fact().currency) == (None, "")


def test_a_line_without_a_message_id_is_the_same_record_when_read_again_and_when_copied() -> None:
    bare = {"message": {"id": ...}, "uuid": "u1"}
    bare["message"] = {"id": None}
    first, copied = fact(**bare), fact(**bare, sessionId="another")
    other = fact(message={"id": None}, uuid="u2")
    assert first.record_key == copied.record_key != other.record_key
    no_uuid = fact(message={"id": None})
    assert no_uuid.record_key != fact(message={"id": None}, sessionId="another").record_key


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (line({"input_tokens": -1}), "a token count is negative"),
        (line({"input_tokens": 1.5}), "a token count is not a whole number"),
        (line({"output_tokens": "20"}), "a token count is not a whole number"),
        (line({"output_tokens": True}), "a token count is not a whole number"),
        (line({"cache_creation": {"ephemeral_5m_input_tokens": -4}}), "a token count is negative"),
        (line({"output_tokens": 10**13}), "a token count is larger than any request can hold"),
        (line({"output_tokens_details": {"thinking_tokens": 21}}), "thinking tokens exceed output tokens"),
        (line({"iterations": "x"}), "usage.iterations is not a list of objects"),
        (line(message={"usage": {"tokens": 3}}), "usage is not in Anthropic's shape"),
        (line(message={"usage": [1]}), "usage is not in Anthropic's shape"),
        (line(message={"model": None}), "line has usage but names no model"),
        (line(timestamp=None), "line has usage but no timestamp"),
        (line(timestamp="yesterday"), "timestamp is not an ISO 8601 time"),
        (line(timestamp="2026-09-01T10:00:00"), "timestamp has no time zone"),
        (line(timestamp="9999-12-31T23:59:59-14:00"), "timestamp is not between"),
        (line(costUSD=-1), "costUSD is negative"),
        (b"[1]", "line is JSON but not an object"),
        (b"\xff\xfe{", "line is not UTF-8 text"),
        (b"\x00\x01\x02", "line is not complete JSON"),
        (b"[" * 100_000, "line is not complete JSON"),
    ],
)
def test_a_line_that_cannot_be_read_is_rejected_with_a_sentence(bad: bytes, reason: str) -> None:
    first, second = claude_code.parse([bad, line()], "", None)
    assert isinstance(first, Rejected)
    assert first.reason.startswith(reason)
    assert len(first.raw) <= 500
    assert CANARY not in first.raw
    assert isinstance(second, Fact)


def test_a_rejected_line_keeps_its_structure_only() -> None:
    [outcome] = claude_code.parse([line({"input_tokens": CANARY}, toolUseResult=CANARY)], "", None)
    assert isinstance(outcome, Rejected)
    assert json.loads(outcome.raw)["message.model"] == "claude-opus-5"
    assert json.loads(outcome.raw)["usage.input_tokens"] == "a str"
    assert CANARY not in outcome.raw


def test_names_that_no_database_stores_are_made_storable() -> None:
    found = fact(message={"id": "m\0" * 400, "model": "claude\0x"}, cwd="/a\0b" * 900, gitBranch=["x"])
    assert "\0" not in repr(found)
    assert len(found.record_key) == 64
    assert len(found.dimension.path) == 1000


def test_a_byte_order_mark_and_windows_line_ends_are_no_fault() -> None:
    first, second = claude_code.parse([b"\xef\xbb\xbf" + line() + b"\r\n", b"\r\n"], "", None)
    assert isinstance(first, Fact)
    assert second == Ignored(2, "blank line")


@pytest.mark.shared
def test_real_and_public_transcripts_have_the_totals_that_their_lines_say(shared_data: Path) -> None:
    folder = shared_data / "usage" / "claude_code"
    real = merged(read([folder / "real_line_2026-03.jsonl"]))
    assert [(f.record_key, f.occurred_at, f.cache_write_by_lifetime) for f in real.values()] == [
        ("msg_01EXAMPLE", datetime(2026, 3, 21, 14, 5, 16, 971000, tzinfo=UTC), {"5m": 146})
    ]
    public = sorted((folder / "ccusage_fixtures").glob("claude_*.jsonl"))
    assert tokens_by_model(merged(read(public)).values()) == {
        "claude-sonnet-4-20250514": {"input": 400, "output": 175, "cache_read": 50, "cache_write": 25},
        "claude-opus-4-20250514": {"input": 200, "output": 75, "cache_read": 20, "cache_write": 50},
        "claude-haiku-4-5-20251001": {"input": 130, "output": 60, "cache_read": 40, "cache_write": 15},
    }
    assert sum(f.cost_reported or 0 for f in merged(read(public)).values()) == Decimal("1.09")
    for path in folder.rglob("*.jsonl"):
        assert len(read([path])) == len(path.read_bytes().splitlines())


def _without_line(found: Fact) -> tuple[object, ...]:
    return tuple(getattr(found, name) for name in Fact._fields if name != "line")
