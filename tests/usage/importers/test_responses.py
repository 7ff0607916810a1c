"""API responses of any vendor: disjoint counts by family, who and when from where it stands, each response once."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.usage.importers.logs import CANARY, counts, fact, ignored, merged, no_content, read, rejected
from usage.importers import Fact
from usage.importers import responses as importer
from usage.importers.csv import MappingError

WHEN = {"occurred_at": "2026-09-01T00:00:00Z"}


def chat(usage: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    found = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200, **(usage or {})}
    record = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1788256800, "model": "gpt-5", "usage": found}
    return {name: value for name, value in {**record, **fields}.items() if value is not ...}


def of(usage: dict[str, Any], root: str = "usage", **fields: Any) -> Fact:
    return fact(importer, {"model": "m", "id": "r-1", root: usage, **fields}, WHEN)


CACHED = {"cached_tokens": 600, "cache_write_tokens": 300}
ANTHROPIC = {
    "input_tokens": 10, "cache_read_input_tokens": 5000, "cache_creation_input_tokens": 1000, "output_tokens": 100,
    "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 600},
    "output_tokens_details": {"thinking_tokens": 30},
}  # fmt: skip


@pytest.mark.parametrize(
    ("usage", "partition"),
    [
        ({"prompt_tokens_details": CACHED, "completion_tokens_details": {"reasoning_tokens": 50}},
         (100, 600, 300, 200, 50)),
        ({"prompt_cache_hit_tokens": 512}, (488, 512, None, 200, None)),
        ({"num_cached_tokens": 69}, (931, 69, None, 200, None)),
        ({"cached_tokens": 0}, (1000, 0, None, 200, None)),
        ({}, (1000, None, None, 200, None)),
        ({"completion_tokens": None, "total_tokens": 1000}, (1000, None, None, 0, None)),
    ],
)  # fmt: skip
def test_openais_input_includes_the_cache_and_its_output_the_reasoning(usage: Any, partition: Any) -> None:
    assert counts(fact(importer, chat(usage))) == partition


def test_litellms_proxy_states_cache_writes_beside_the_prompt_that_includes_them() -> None:
    found = fact(importer, chat({"cache_creation_input_tokens": 300, "prompt_tokens_details": {"cached_tokens": 600}}))
    assert counts(found) == (100, 600, 300, 200, None)


@pytest.mark.parametrize(
    ("usage", "mark"),
    [
        ({"prompt_tokens_details": {"audio_tokens": 9}}, "audio_sent"),
        ({"completion_tokens_details": {"audio_tokens": 9}}, "audio_made"),
        ({"completion_tokens_details": {"image_tokens": 9}}, "images_made"),
        ({"output_tokens_details": {"image_tokens": 9}}, "images_made"),
        ({"input_token_details": {"audio_tokens": 9}}, "audio_sent"),
        ({"output_token_details": {"audio_tokens": 9}}, "audio_made"),
        ({"prompt_audio_seconds": 12}, "audio_sent"),
    ],
)
def test_audio_and_images_that_were_made_are_priced_apart_and_never_as_text(usage: Any, mark: str) -> None:
    assert fact(importer, chat(usage)).quality[-2:] == ("priced_apart", mark)
    nothing = {name: dict.fromkeys(part, 0) if isinstance(part, dict) else 0 for name, part in usage.items()}
    assert "priced_apart" not in fact(importer, chat(nothing)).quality


def test_images_that_were_read_are_priced_as_text_and_said_to_be() -> None:
    found = fact(importer, chat({"prompt_tokens_details": {"image_tokens": 9, "cached_tokens": 0}}))
    assert found.quality == ("images_at_the_price_of_text",)


def test_openais_audio_names_what_a_count_is_made_of_in_the_singular() -> None:
    usage = {"total_tokens": 253, "input_tokens": 132, "output_tokens": 121,
             "input_token_details": {"text_tokens": 119, "audio_tokens": 13, "cached_tokens": 64},
             "output_token_details": {"text_tokens": 30, "audio_tokens": 91}}  # fmt: skip
    event = {"type": "response.done", "response": {"object": "realtime.response", "id": "resp_1", "usage": usage}}
    assert counts(fact(importer, event, WHEN)) == (68, 64, None, 121, None)


def test_langchain_has_its_own_names_for_what_a_count_is_made_of() -> None:
    usage = {"input_tokens": 350, "output_tokens": 240, "total_tokens": 590,
             "input_token_details": {"audio": 10, "cache_creation": 200, "cache_read": 100},
             "output_token_details": {"audio": 10, "reasoning": 200}}  # fmt: skip
    found = of(usage, "usage_metadata")
    assert counts(found) == (50, 100, 200, 240, 200)
    assert {"priced_apart", "audio_sent", "audio_made"} < set(found.quality)


def test_cache_writes_by_lifetime_are_read_as_langchain_and_litellm_hand_them_on() -> None:
    by_lifetime = {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40}
    langchain = {"input_tokens": 200, "output_tokens": 5, "total_tokens": 205,
                 "input_token_details": {"cache_read": 90, "cache_creation": 0, **by_lifetime}}  # fmt: skip
    litellm = {"prompt_tokens": 200, "completion_tokens": 5, "cache_creation_input_tokens": 100,
               "prompt_tokens_details": {"cached_tokens": 90, "cache_creation_token_details": by_lifetime}}  # fmt: skip
    for found in (of(langchain, "usage_metadata"), of(litellm)):
        assert counts(found) == (10, 90, 100, 5, None)
        assert found.cache_write_by_lifetime == {"5m": 60, "1h": 40}


def test_a_usage_of_vercels_ai_sdk_is_no_answer_of_bedrock() -> None:
    usage = {"inputTokens": 100, "outputTokens": 50, "totalTokens": 150}
    assert of(usage).dimension.host == "bedrock"
    for more in ({"cachedInputTokens": 40}, {"reasoningTokens": 30}, {"inputTokenDetails": {"cacheReadTokens": 40}}):
        found = of(usage | more)
        assert (found.dimension.host, counts(found)) == ("", (100, None, None, 50, None))
        assert "cache_split_unknown" in found.quality


def test_a_cache_that_openrouter_replays_is_taken_as_far_as_it_fits() -> None:
    replayed = fact(importer, chat({"prompt_tokens_details": {"cached_tokens": 1200}, "cost": 0.1}))
    assert (counts(replayed)[:3], replayed.quality) == ((0, 1000, None), ("cached_more_than_prompt",))
    written = {"cached_tokens": 900, "cache_write_tokens": 300}
    assert counts(fact(importer, chat({"prompt_tokens_details": written, "cost": 0.1})))[:3] == (0, 700, 300)


def test_with_ones_own_key_the_cost_is_openrouters_fee_only_and_said_to_be() -> None:
    assert "byok" in fact(importer, chat({"cost": 0, "is_byok": True})).quality
    assert "byok" not in fact(importer, chat({"cost": 0, "is_byok": False})).quality


@pytest.mark.parametrize(
    ("side", "modality", "mark"),
    [
        ("promptTokensDetails", "AUDIO", "audio_sent"),
        ("promptTokenDetails", "AUDIO", "audio_sent"),
        ("cacheTokensDetails", "AUDIO", "audio_sent"),
        ("candidatesTokensDetails", "AUDIO", "audio_made"),
        ("candidatesTokensDetails", "IMAGE", "images_made"),
        ("promptTokensDetails", "IMAGE", "images_at_the_price_of_text"),
        ("promptTokensDetails", "VIDEO", ""),
        ("candidatesTokensDetails", "TEXT", ""),
    ],
)
def test_geminis_audio_and_the_images_it_makes_are_priced_apart(side: str, modality: str, mark: str) -> None:
    for names in ("camel", "snake"):
        detail = {"modality": modality, "tokenCount": 9}
        usage = {
            "promptTokenCount": 10,
            "candidatesTokenCount": 9,
            side: [{"modality": "TEXT", "tokenCount": 1}, detail],
        }
        if names == "snake":
            detail["token_count"] = detail.pop("tokenCount")
            usage = {re.sub("(?=[A-Z])", "_", name).lower(): value for name, value in usage.items()}
        root = "usageMetadata" if names == "camel" else "usage_metadata"
        said = set(of(usage, root).quality) - {"time_assumed"}
        apart = {"priced_apart"} if mark.endswith(("_sent", "_made")) else set()
        assert said == ({mark, *apart} if mark else set())
        detail.update(dict.fromkeys([name for name in detail if name != "modality"], 0))
        assert "priced_apart" not in of(usage, root).quality


def test_perplexity_states_its_cost_by_part() -> None:
    cost = {"input_tokens_cost": 0.0, "output_tokens_cost": 0.0004, "request_cost": 0.006, "total_cost": 0.0064}
    found = fact(importer, chat({"cost": cost}, model="sonar"))
    assert (found.cost_reported, found.dimension.host) == (Decimal("0.0064"), "perplexity")


def test_openais_responses_are_read_as_its_chat() -> None:
    found = of({"input_tokens": 4020, "input_tokens_details": {"cache_write_tokens": 4012, "cached_tokens": 0},
                "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 2}})  # fmt: skip
    assert counts(found) == (8, 0, 4012, 5, 2)


def test_reasoning_that_the_total_shows_beside_the_completion_is_added() -> None:
    details = {"completion_tokens_details": {"reasoning_tokens": 50}}
    assert counts(fact(importer, chat({**details, "total_tokens": 1250})))[3:] == (250, 50)
    assert counts(fact(importer, chat(details)))[3:] == (200, 50)


def test_anthropics_input_excludes_the_cache_and_its_writes_have_lifetimes() -> None:
    found = of(ANTHROPIC, type="message")
    assert counts(found) == (10, 5000, 1000, 100, 30)
    assert found.cache_write_by_lifetime == {"5m": 400, "1h": 600}


@pytest.mark.parametrize(("geo", "region"), [("us", "us"), ("eu", "eu"), ("global", ""), ("not_available", "")])
def test_where_anthropic_computed_is_the_region(geo: str, region: str) -> None:
    assert of({**ANTHROPIC, "inference_geo": geo}).dimension.region == region


def test_a_compaction_is_not_in_the_top_level_usage_and_is_added() -> None:
    compaction = {"type": "compaction", "input_tokens": 100, "output_tokens": 82, "cache_creation_input_tokens": 55000}
    message = {"type": "message", "input_tokens": 10, "output_tokens": 100}
    found = of({**ANTHROPIC, "iterations": [compaction, message]})
    assert counts(found) == (110, 5000, 56000, 182, 30)
    assert found.context_tokens == 55100


@pytest.mark.parametrize("snake", [False, True])
def test_geminis_thoughts_and_the_prompts_of_tools_stand_beside_what_they_belong_to(snake: bool) -> None:
    usage = {"promptTokenCount": 345, "cachedContentTokenCount": 230, "toolUsePromptTokenCount": 100,
             "candidatesTokenCount": 51, "thoughtsTokenCount": 40, "totalTokenCount": 536}  # fmt: skip
    if snake:
        usage = {"".join(f"_{c.lower()}" if c.isupper() else c for c in name): n for name, n in usage.items()}
    found = of(usage, "usage_metadata" if snake else "usageMetadata")
    assert counts(found) == (215, 230, None, 91, 40)
    assert found.dimension.host == "google"


def test_what_gemini_leaves_out_is_nothing() -> None:
    assert counts(of({"promptTokenCount": 14, "totalTokenCount": 14}, "usageMetadata")) == (14, 0, None, 0, None)
    assert counts(of({"promptTokenCount": 7}, "usageMetadata"))[3] is None


def test_converses_input_excludes_the_cache() -> None:
    found = of({"inputTokens": 10, "outputTokens": 100, "totalTokens": 6110, "cacheReadInputTokens": 5000,
                "cacheWriteInputTokens": 1000, "cacheDetails": [{"ttl": "5m", "inputTokens": 1000}]})  # fmt: skip
    assert counts(found) == (10, 5000, 1000, 100, None)
    assert (found.cache_write_by_lifetime, found.dimension.host) == ({"5m": 1000}, "bedrock")


def test_cohere_is_counted_in_the_units_it_bills() -> None:
    found = of({"billed_units": {"input_tokens": 2406, "output_tokens": 2}, "cached_tokens": 2928,
                "tokens": {"input_tokens": 2935, "output_tokens": 4}})  # fmt: skip
    assert (counts(found), found.quality) == ((2406, None, None, 2, None), ("cache_split_unknown", "time_assumed"))


def test_coheres_rankings_are_billed_by_the_search_and_say_nothing_of_tokens() -> None:
    ranked = fact(importer, {"id": "r-1", "model": "rerank", "meta": {"billed_units": {"search_units": 1}}}, WHEN)
    embedded = fact(importer, {"id": "r-2", "model": "embed", "meta": {"billed_units": {"input_tokens": 5}}}, WHEN)
    assert (counts(ranked), counts(embedded)) == ((None,) * 5, (5, None, None, 0, None))


def test_a_shape_of_no_family_is_found_by_the_extractors_of_genai_prices() -> None:
    usage = {"inputTokens": 10, "cacheWriteTokens": 100, "cacheReadTokens": 500, "outputTokens": 7}
    assert counts(of(usage, "tokenUsage")) == (10, 500, 100, 7, None)


def test_a_cost_in_the_body_is_reported() -> None:
    found = fact(importer, chat({"cost": 0.000102}))
    assert (found.cost_reported, found.currency, found.dimension.host) == (Decimal("0.000102"), "USD", "openrouter")
    assert fact(importer, chat({"cost": "1.02e-4"})).cost_reported == Decimal("0.000102")
    assert fact(importer, chat()).cost_reported is None


@pytest.mark.parametrize(
    ("record", "host"),
    [
        (chat(), "openai"),
        (chat(model="mistral-large"), ""),
        (chat(id="gen-1", model="openai/gpt-5"), "openrouter"),
        ({"id": "msg_1", "model": "claude-opus-5", "usage": ANTHROPIC}, "anthropic"),
        ({"id": "msg_bdrk_1", "model": "claude-opus-5", "usage": ANTHROPIC}, "bedrock"),
        ({"id": "msg_vrtx_1", "model": "claude-opus-5", "usage": ANTHROPIC}, "vertex"),
        ({"id": "x", "usageMetadata": {"promptTokenCount": 1, "trafficType": "ON_DEMAND"}}, "vertex"),
        ({"provider": "azure", "response": chat()}, "azure"),
    ],
)
def test_the_host_is_said_or_shown_and_else_unknown(record: Any, host: str) -> None:
    assert fact(importer, record, WHEN).dimension.host == host


@pytest.mark.parametrize(
    ("fields", "tier"),
    [
        ({"service_tier": "default"}, "standard"),
        ({"service_tier": "priority"}, "priority"),
        ({"service_tier": "auto"}, ""),
        *(
            ({"usage": {"promptTokenCount": 10, "candidatesTokenCount": 2, "trafficType": said}}, tier)
            for said, tier in (
                ("ON_DEMAND", "standard"),
                ("ON_DEMAND_PRIORITY", "priority"),
                ("ON_DEMAND_FLEX", "flex"),
                ("PROVISIONED_THROUGHPUT", "provisioned_throughput"),
                ("TRAFFIC_TYPE_UNSPECIFIED", ""),
            )
        ),
        ({"usage": {**ANTHROPIC, "service_tier": "standard", "speed": "fast"}}, "fast"),
        ({"usage": {**ANTHROPIC, "service_tier": "batch"}}, "batch"),
    ],
)
def test_the_tier_decides_the_price(fields: Any, tier: str) -> None:
    assert fact(importer, chat(**fields)).service_tier == tier


def test_lines_of_a_batchs_results_are_of_the_batch_tier() -> None:
    openai = {"id": "b-1", "custom_id": "row-1", "response": {"status_code": 200, "body": chat()}, "error": None}
    message = {"id": "msg_1", "type": "message", "model": "claude-opus-5", "usage": ANTHROPIC}
    anthropic = {"custom_id": "row-2", "result": {"type": "succeeded", "message": message}}
    first, second = fact(importer, openai), fact(importer, anthropic, WHEN)
    assert (first.record_key, first.service_tier) == ("chatcmpl-1", "batch")
    assert (second.record_key, second.service_tier) == ("msg_1", "batch")
    whole = {"id": "batch_1", "object": "batch", "created_at": 1788256800, "model": "gpt-5", "usage": chat()["usage"]}
    assert ignored(importer, whole) == "sum of a batch: import its results"
    refused = {"id": "b-2", "response": {"status_code": 400, "body": {"error": {"message": CANARY}}}, "error": None}
    assert ignored(importer, refused | {"custom_id": "row-2"}) == "response that failed"
    failed = {"custom_id": "row-3", "result": {"type": "errored", "error": {"type": "invalid_request"}}}
    assert ignored(importer, failed) == "response that failed"


GEMINI = {"modelVersion": "gemini-2.5-flash", "responseId": "g-1",
          "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 2}}  # fmt: skip


def test_results_of_googles_batches_are_of_the_batch_tier() -> None:
    gemini = fact(importer, {"key": "row-1", "response": GEMINI}, WHEN)
    done = {"status": "", "processed_time": "2026-09-02T10:00:00.5+00:00", "request": {"contents": [CANARY]}}
    vertex = fact(importer, {**done, "response": GEMINI})
    assert (gemini.record_key, gemini.service_tier, gemini.dimension.host) == ("g-1", "batch", "google")
    assert (vertex.record_key, vertex.service_tier, vertex.dimension.host) == ("g-1", "batch", "vertex")
    assert vertex.occurred_at == datetime(2026, 9, 2, 10, 0, 0, 500_000, tzinfo=UTC)
    failed = {"key": "row-2", "error": {"code": 3, "message": CANARY}}
    assert ignored(importer, failed) == "response that failed"


@pytest.mark.parametrize(
    "envelope",
    [{"key": "row-1", "project": "ranker"}, {"time": "2026-09-02T10:00:00Z", "request": {}}, {"request": {}}],
)
def test_an_envelope_of_ones_own_is_no_batch(envelope: dict[str, Any]) -> None:
    assert fact(importer, {**envelope, "response": GEMINI}, WHEN).service_tier == ""


@pytest.mark.parametrize("name", ["time", "timestamp", "ts", "occurred_at", "created_at", "date"])
def test_a_time_that_is_logged_beside_the_usage_counts(name: str) -> None:
    for response in (GEMINI, {"id": "msg_1", "model": "claude-opus-5", "usage": ANTHROPIC}, chat(created=...)):
        found = fact(importer, {**response, name: "2026-09-02T10:00:00Z"})
        assert (found.occurred_at, "time_assumed" in found.quality) == (datetime(2026, 9, 2, 10, tzinfo=UTC), False)
    assert fact(importer, {**chat(), "timestamp": "2026-10-01T00:00:00Z"}).occurred_at.month == 9  # the body's own


def test_whose_a_response_is_may_be_logged_beside_it() -> None:
    names = {"project": "ranker", "team": "search", "api_key": "k-1", "session": "s-1", "tags": {"env": "prod"}}
    found = fact(importer, {**chat(id="gen-1"), **names, "provider": "Azure"})
    place = found.dimension
    assert (place.ext_project, place.ext_team, place.ext_api_key, found.session) == ("ranker", "search", "k-1", "s-1")
    assert (dict(place.tags), place.host) == ({"env": "prod"}, "openrouter")  # whose upstream `provider` names


def test_the_time_is_the_bodys_then_the_envelopes_then_the_mappings() -> None:
    envelope = {"time": "2026-10-01T12:00:00+02:00", "response": chat(created=...)}
    assert fact(importer, {**envelope, "response": chat()}).occurred_at == datetime(2026, 9, 1, 10, tzinfo=UTC)
    assert fact(importer, envelope, WHEN).occurred_at == datetime(2026, 10, 1, 10, tzinfo=UTC)
    assumed = fact(importer, chat(created=...), WHEN)
    assert (assumed.occurred_at, assumed.quality[-1]) == (datetime(2026, 9, 1, tzinfo=UTC), "time_assumed")
    assert rejected(importer, chat(created=...)).startswith("the response states no time")
    header = {"ResponseMetadata": {"RequestId": "q-1", "HTTPHeaders": {"date": "Tue, 01 Sep 2026 10:00:00 GMT"}}}
    boto = fact(importer, {"usage": {"inputTokens": 1, "outputTokens": 2}, **header})
    assert (boto.record_key, boto.occurred_at) == ("q-1", datetime(2026, 9, 1, 10, tzinfo=UTC))


@pytest.mark.parametrize("number", [1788256800, 1788256800_000, 1788256800_000_000, 1788256800_000_000_000])
def test_a_time_in_parts_of_a_second_is_known_by_its_size(number: int) -> None:
    for written in (number, str(number)):
        found = fact(importer, {**GEMINI, "time": written})
        assert found.occurred_at == datetime(2026, 9, 1, 10, tzinfo=UTC)


def test_an_envelope_says_whose_a_response_is() -> None:
    names = {"project": "ranker", "user": "ann", "team": "search", "api_key": "k-1", "session": "s-1"}
    found = fact(importer, {**names, "tags": {"env": "prod"}, "response": chat(metadata={"feature": "x"})})
    place = found.dimension
    assert (place.ext_project, place.ext_user, place.ext_team, place.ext_api_key) == ("ranker", "ann", "search", "k-1")
    assert (found.session, dict(place.tags)) == ("s-1", {"env": "prod", "feature": "x"})


def test_a_response_seen_twice_is_one_record_and_the_fuller_copy_wins() -> None:
    partial = chat({"completion_tokens": 1})
    [kept] = merged(read(importer, json.dumps([partial, chat(), chat()]).encode())).values()
    assert counts(kept)[3] == 200


def test_equal_responses_without_an_id_are_told_apart_and_the_same_when_read_again() -> None:
    body = json.dumps([chat(id=...), chat(id=...), chat({"completion_tokens": 7}, id=...)]).encode()
    once, again = read(importer, body), read(importer, body)
    keys = [found.record_key for found in once if isinstance(found, Fact)]
    assert len(set(keys)) == 3
    assert once == again
    assert "no_request_id" in once[0].quality  # type: ignore[union-attr]


def test_what_the_bodies_do_not_say_is_a_setting_and_any_other_is_refused() -> None:
    settings = {"host": "azure", "model": "gpt-5-deployment", "project": "ranker"}
    found = fact(importer, chat(model=...), settings).dimension
    assert (found.host, found.model_raw, found.ext_project) == ("azure", "gpt-5-deployment", "ranker")
    nameless = fact(importer, chat(model=...))
    assert (nameless.dimension.model_raw, nameless.quality[-1]) == ("unknown", "model_unknown")
    for wrong in ({"modell": "x"}, {"occurred_at": "yesterday"}):
        with pytest.raises(MappingError):
            read(importer, b"{}", wrong)


def test_events_of_a_stream_and_failures_are_no_responses() -> None:
    start = {"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": ANTHROPIC}}
    assert ignored(importer, {"type": "message_delta", "usage": {"output_tokens": 5}}).startswith("event of a stream")
    assert ignored(importer, start).startswith("event of a stream")
    assert ignored(importer, {"error": {"type": "overloaded"}}) == "response that failed"
    begun = {"id": "resp_1", "object": "response", "status": "in_progress", "model": "gpt-5", "usage": None}
    assert ignored(importer, {"type": "response.created", "response": begun}).startswith("event of a stream")
    assert ignored(importer, {**chat(object="chat.completion.chunk"), "usage": None}).startswith("event of a stream")
    assert counts(fact(importer, chat(object="chat.completion.chunk")))[3] == 200
    done = {"type": "response.completed", "response": chat()}
    assert fact(importer, done).record_key == "chatcmpl-1"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"hello": 1}, "no usage was found"),
        (chat({"prompt_tokens": -1}), "a count is negative"),
        (chat({"completion_tokens": "many"}), "a count is not a whole number"),
        ({"id": "x", "usage": {**ANTHROPIC, "output_tokens": 2.5}}, "a token count is not a whole number"),
        (chat({"cost": "free"}), "the cost is not a number"),
        (chat(created="noon"), "the time cannot be read"),
    ],
)
def test_a_response_that_cannot_be_read_is_rejected_with_a_sentence(record: Any, reason: str) -> None:
    assert rejected(importer, record, WHEN).startswith(reason)


def test_no_content_survives_the_first_step() -> None:
    assert no_content(importer, chat(), ("choices", "output", "content", "instructions", "usage.note", "metadata.deep"))
    assert no_content(importer, {"time": "2026-09-01T10:00:00Z", "response": chat()}, ("request", "response.choices"))
    assert CANARY not in repr(read(importer, json.dumps({"usage": {"prompt_tokens": CANARY}}).encode(), WHEN))


# Against every real response


def said(usage: dict[str, Any], *paths: str) -> int:
    """The sum of what stands at the paths, an absent one being nothing."""
    total = 0
    for path in paths:
        value: Any = usage
        for name in path.split("."):
            value = (value or {}).get(name)
        total += value or 0
    return total


def oracle(body: dict[str, Any]) -> tuple[int, int]:
    """Input and output tokens of a body in all, read by hand from each vendor's documentation."""
    if "usageMetadata" in body:
        usage = body["usageMetadata"]
        return (
            said(usage, "promptTokenCount", "toolUsePromptTokenCount"),
            said(usage, "candidatesTokenCount", "thoughtsTokenCount"),
        )
    usage = body.get("usage") or body["meta"]
    if "billed_units" in usage:
        return said(usage, "billed_units.input_tokens"), said(usage, "billed_units.output_tokens")
    if "inputTokens" in usage:
        return (
            said(usage, "inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"),
            said(usage, "outputTokens"),
        )
    if "prompt_tokens" in usage:
        return said(usage, "prompt_tokens"), said(usage, "completion_tokens")
    into, out = (
        said(usage, "input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
        usage["output_tokens"],
    )
    for step in usage.get("iterations") or ():
        if step["type"] == "compaction":
            into += said(step, "input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
            out += step["output_tokens"]
    return into, out


CACHE_READ = ("prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens", "num_cached_tokens",
              "cachedContentTokenCount", "cacheReadInputTokens", "cache_read_input_tokens")  # fmt: skip
CACHE_WRITTEN = ("prompt_tokens_details.cache_write_tokens", "input_tokens_details.cache_write_tokens",
                 "cacheWriteInputTokens", "cache_creation_input_tokens")  # fmt: skip


@pytest.mark.shared
def test_every_real_usage_is_read_as_an_independent_reading_has_it(shared_data: Path) -> None:
    text = gzip.decompress((shared_data / "usage" / "genai-prices-response-usages.json.gz").read_bytes())
    real, found = json.loads(text), read(importer, text, WHEN)
    assert Counter(type(one) for one in found) == {Fact: 1577}
    wrong, compactions, extracted = [], 0, 0
    for stated, one in zip(real, found, strict=True):
        assert isinstance(one, Fact)
        body = stated["body"]
        usage = body.get("usage") or body.get("usageMetadata") or {}
        compaction = [step for step in usage.get("iterations") or () if step["type"] == "compaction"]
        cached = (
            said(usage, *CACHE_READ),
            said(usage, *CACHE_WRITTEN) + sum(said(s, *CACHE_WRITTEN) for s in compaction),
        )
        both = ((one.in_uncached or 0) + (one.in_cache_read or 0) + (one.in_cache_write or 0), one.out_total or 0)
        if both != oracle(body) or (one.in_cache_read or 0, one.in_cache_write or 0) != cached:
            wrong.append((body, both, cached))
        compactions += bool(compaction)
        extracted += any((e["usage"].get("input_tokens", 0), e["usage"].get("output_tokens", 0)) == both
                         for e in stated["extracted"])  # fmt: skip
    assert wrong == []
    # genai-prices' own extractors agree on all but the two replies with a compaction, which they do not count.
    assert (compactions, extracted) == (2, 1575)
    assert len({one.record_key for one in found if isinstance(one, Fact)}) == 1577


@pytest.mark.shared
def test_the_sample_usage_of_converse_is_its_disjoint_parts(shared_data: Path) -> None:
    [found] = read(importer, (shared_data / "usage" / "aws" / "bedrock_converse_usage.json").read_bytes(), WHEN)
    assert isinstance(found, Fact)
    assert (counts(found), found.cache_write_by_lifetime) == ((10, 5000, 1000, 100, None), {"5m": 1000})
