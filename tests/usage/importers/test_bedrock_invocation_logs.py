"""Bedrock's invocation logs: exclusive input, lifetimes from the reply, profiles as models, roles without sessions."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.usage.importers.logs import CANARY, counts, fact, ignored, no_content, read, rejected, sample
from usage.importers import Fact
from usage.importers import bedrock_invocation_logs as importer
from usage.ingest.reading import opened

ROLE = "arn:aws:sts::123456789012:assumed-role/PaymentsApp"
ARN = "arn:aws:bedrock:us-east-1:123456789012"


def call(reply: Any = None, **fields: Any) -> dict[str, Any]:
    record = {
        "schemaType": "ModelInvocationLog",
        "timestamp": "2026-09-01T10:00:00Z",
        "accountId": "123456789012",
        "identity": {"arn": f"{ROLE}/i-0abc"},
        "region": "us-east-1",
        "requestId": "a1b2",
        "operation": "Converse",
        "modelId": "us.anthropic.claude-opus-4-6-v1",
        "input": {
            "inputBodyJson": {"messages": CANARY},
            "inputTokenCount": 3,
            "cacheReadInputTokenCount": 50,
            "cacheWriteInputTokenCount": 900,
        },
        "output": {"outputBodyJson": reply, "outputTokenCount": 13},
    }
    return {name: value for name, value in {**record, **fields}.items() if value is not ...}


def test_input_tokens_exclude_the_cache() -> None:
    assert counts(fact(importer, call())) == (3, 50, 900, 13, None)


@pytest.mark.parametrize(
    ("reply", "lifetimes"),
    [
        ({"usage": {"cacheDetails": [{"ttl": "1h", "inputTokens": 900}]}}, {"1h": 900}),
        ({"usage": {"cacheDetails": [{"ttl": "5m", "inputTokens": n} for n in (300, 200)]}}, {"5m": 500, "": 400}),
        ([{"metadata": {"usage": {"cacheDetails": [{"ttl": "5m", "inputTokens": 400}]}}}], {"5m": 400, "": 500}),
        ([{"message": {"usage": {"cache_creation": {"ephemeral_5m_input_tokens": 900}}}}], {"5m": 900}),
        ({"usage": {"cache_creation": {"ephemeral_5m_input_tokens": 901}}}, {}),
        ({"output": {"message": {"content": CANARY}}}, {}),
        (None, {}),
    ],
)
def test_cache_writes_are_typed_by_the_lifetime_in_the_reply(reply: Any, lifetimes: dict[str, int]) -> None:
    assert fact(importer, call(reply)).cache_write_by_lifetime == lifetimes


@pytest.mark.parametrize(
    "reply", [{"serviceTier": {"type": "flex"}}, [{"messageStop": {}}, {"metadata": {"serviceTier": {"type": "flex"}}}]]
)
def test_the_reply_says_which_service_tier_answered(reply: Any) -> None:
    assert fact(importer, call(reply)).service_tier == "flex"
    assert fact(importer, call(reply, serviceTier="priority")).service_tier == "priority"


@pytest.mark.parametrize(
    "model", ["us.anthropic.claude-opus-4-6-v1", "global.amazon.nova", f"{ARN}:inference-profile/eu.anthropic.x"]
)
def test_a_regional_prefix_is_a_price_and_never_stripped(model: str) -> None:
    found = fact(importer, call(modelId=model)).dimension
    assert (found.model_raw, found.host, found.region) == (model, "bedrock", "us-east-1")


def test_an_application_profile_is_the_project_and_the_model_is_the_replys() -> None:
    profile = f"{ARN}:application-inference-profile/abc"
    named = fact(importer, call({"model": "claude-opus-4-6"}, modelId=profile)).dimension
    assert (named.ext_project, named.model_raw) == (profile, "claude-opus-4-6")
    assert fact(importer, call(modelId=profile)).dimension.model_raw == profile


@pytest.mark.parametrize(
    ("arn", "user", "session"),
    [
        (f"{ROLE}/i-0abc", ROLE, "i-0abc"),
        ("arn:aws:iam::123456789012:user/dev", "arn:aws:iam::123456789012:user/dev", ""),
        ("", "", ""),
    ],
)
def test_a_role_is_one_user_whatever_its_sessions_are_called(arn: str, user: str, session: str) -> None:
    found = fact(importer, call(identity={"arn": arn}))
    assert (found.dimension.ext_user, found.session) == (user, session)


def test_request_metadata_and_the_account_are_tags() -> None:
    found = fact(importer, call(requestMetadata={"team": "payments"}, inferenceRegion="us-west-2"))
    assert dict(found.dimension.tags) == {
        "team": "payments",
        "account": "123456789012",
        "inference_region": "us-west-2",
    }


def test_counts_that_are_not_logged_are_unknown() -> None:
    found = fact(importer, call(input={"inputTokenCount": 7}, output={}))
    assert (counts(found), found.quality) == ((7, None, None, None, None), ("cache_split_unknown",))


def test_what_is_no_call_with_tokens_is_ignored_with_its_reason() -> None:
    assert ignored(importer, call(errorCode="Throttled", input={}, output={})) == "failed call"
    assert ignored(importer, call(input={}, output={})) == "call without token counts"
    assert ignored(importer, call(schemaType="Other")) == "record of another kind than ModelInvocationLog"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"schemaType": ...}, "record is no invocation log of Bedrock"),
        ({"requestId": ""}, "call has token counts but no requestId"),
        ({"timestamp": "soon"}, "the time cannot be read"),
        ({"output": {"outputTokenCount": -1}}, "a count is negative"),
        ({"output": {"outputTokenCount": "many"}}, "a count is not a whole number"),
    ],
)
def test_a_call_that_cannot_be_read_is_rejected_with_a_sentence(bad: dict[str, Any], reason: str) -> None:
    assert rejected(importer, call(**bad)).startswith(reason)


def test_no_content_survives_the_first_step() -> None:
    assert no_content(importer, call(), ("input.inputBodyJson", "output.outputBodyJson", "input.inputBodyS3Path"))


def test_a_compressed_log_of_one_object_a_line_loses_only_a_damaged_line(tmp_path: Path) -> None:
    lines = [json.dumps(call(requestId=name)).encode() for name in "abc"]
    lines[1] = lines[1][:50]
    file = tmp_path / "log.json.gz"
    file.write_bytes(gzip.compress(b"\n".join(lines)))
    with opened(file) as stream:
        first, damaged, last = read(importer, stream.read())
    assert isinstance(first, Fact)
    assert isinstance(last, Fact)
    assert damaged.reason.startswith("the line is not complete JSON")  # type: ignore[union-attr]


@pytest.mark.shared
def test_the_sample_call_is_what_its_reply_says(shared_data: Path) -> None:
    body = sample(shared_data, "aws/model_invocation_log.converse_anthropic_cache.json")
    [found] = read(importer, body)
    assert isinstance(found, Fact)
    assert counts(found) == (3, 0, 25037, 13, None)
    assert found.cache_write_by_lifetime == {"5m": 25037}
    assert found.dimension.ext_user == "arn:aws:sts::123456789012:assumed-role/PaymentsAppRole"
