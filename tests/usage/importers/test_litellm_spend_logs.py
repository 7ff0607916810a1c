"""LiteLLM's spend logs: inclusive input split, cached and failed calls without tokens, the last copy of a row."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.usage.importers.logs import counts, fact, ignored, merged, no_content, read, rejected, sample
from usage.importers import Fact
from usage.importers import litellm_spend_logs as importer
from usage.importers.csv import MappingError

USAGE = {
    "prompt_tokens": 6010,
    "completion_tokens": 100,
    "prompt_tokens_details": {
        "cached_tokens": 5000,
        "cache_creation_tokens": 1000,
        "cache_creation_token_details": {"ephemeral_5m_input_tokens": 600, "ephemeral_1h_input_tokens": 400},
    },
    "completion_tokens_details": {"reasoning_tokens": 30},
}


def row(metadata: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    record = {
        "request_id": "chatcmpl-1",
        "call_type": "acompletion",
        "api_key": "88dc",
        "spend": 0.0021345,
        "total_tokens": 6110,
        "prompt_tokens": 6010,
        "completion_tokens": 100,
        "startTime": "2026-09-01T10:00:00.123Z",
        "endTime": "2026-09-01T10:00:02Z",
        "model": "claude-sonnet-4-5-20250929",
        "custom_llm_provider": "anthropic",
        "cache_hit": "False",
        "status": "success",
        "metadata": {"usage_object": USAGE, **(metadata or {})},
    }
    return {name: value for name, value in {**record, **fields}.items() if value is not ...}


def test_input_tokens_include_the_cache_and_become_a_disjoint_partition() -> None:
    found = fact(importer, row())
    assert counts(found) == (10, 5000, 1000, 100, 30)
    assert found.cache_write_by_lifetime == {"5m": 600, "1h": 400}


def test_a_cache_larger_than_the_input_shows_that_the_input_excludes_it() -> None:
    found = fact(importer, row(prompt_tokens=10))
    assert counts(found)[:3] == (10, 5000, 1000)
    assert found.quality == ("exclusive_input_heuristic",)


def test_without_a_usage_object_the_cache_is_unknown_and_not_zero() -> None:
    found = fact(importer, row(metadata={"usage_object": None}))
    assert counts(found) == (6010, None, None, 100, None)
    assert found.quality == ("cache_split_unknown",)


def test_reasoning_that_exceeds_the_completion_stands_beside_it() -> None:
    usage = {**USAGE, "completion_tokens_details": {"reasoning_tokens": 250}}
    assert counts(fact(importer, row(metadata={"usage_object": usage})))[3:] == (350, 250)


def test_reasoning_that_the_total_shows_beside_the_completion_is_added() -> None:
    usage = {**USAGE, "completion_tokens_details": {"reasoning_tokens": 30}}
    for total, out in ((6140, 130), (6110, 100), (None, 100)):
        found = row(metadata={"usage_object": {**usage, "total_tokens": total}}, total_tokens=total)
        assert counts(fact(importer, found))[3:] == (out, 30)


@pytest.mark.parametrize("hit", [{"cache_hit": "True"}, {"cache_hit": True}, {"request_id": "x_cache_hit1756"}])
def test_a_reply_from_the_gateways_cache_is_a_request_that_no_vendor_bills(hit: dict[str, Any]) -> None:
    found = fact(importer, row(spend=0.0, **hit))
    assert (counts(found), found.requests, found.cost_reported) == ((0, 0, 0, 0, None), 1, Decimal(0))
    assert found.quality == ("gateway_cache_hit",)


def test_a_failed_request_without_spend_has_no_tokens() -> None:
    found = fact(importer, row(status="failure", spend=0))
    assert (counts(found)[:4], found.quality) == ((0, 0, 0, 0), ("failed_request",))
    assert counts(fact(importer, row(status="failure")))[0] == 10  # it cost something: its tokens were billed


def test_a_spend_of_0_for_tokens_is_a_missing_price_and_no_reported_cost() -> None:
    found = fact(importer, row(spend=0.0))
    assert (found.cost_reported, found.currency, counts(found)[0]) == (None, "", 10)
    assert found.quality == ("zero_spend_for_tokens",)


def test_of_copies_of_a_row_the_one_updated_last_is_the_record() -> None:
    early = row(spend=0.9, updated_at="2026-09-01T10:00:03Z")
    late = row(spend=0.5, updated_at="2026-09-02T10:00:00Z")  # corrected downwards
    for order in ([early, late], [late, early]):
        [kept] = merged(read(importer, json.dumps(order).encode())).values()
        assert kept.cost_reported == Decimal("0.5")


def test_a_batch_that_settles_is_a_record_of_its_own_at_the_batch_tier() -> None:
    found = fact(importer, row(request_id="batch_1", call_type="aretrieve_batch"))
    assert (found.record_key, found.service_tier) == ("batch_1", "batch")


@pytest.mark.parametrize(
    ("details", "kind", "mark"),
    [
        ("prompt_tokens_details", "audio_tokens", "audio_sent"),
        ("completion_tokens_details", "audio_tokens", "audio_made"),
        ("completion_tokens_details", "image_tokens", "images_made"),
        ("prompt_tokens_details", "image_tokens", "images_at_the_price_of_text"),
    ],
)
def test_audio_and_images_that_were_made_are_priced_apart_and_never_as_text(details: str, kind: str, mark: str) -> None:
    usage = {**USAGE, details: {**USAGE[details], kind: 9}}  # type: ignore[dict-item]
    apart = ("priced_apart",) if mark.endswith(("_sent", "_made")) else ()
    assert fact(importer, row({"usage_object": usage})).quality == (*apart, mark)


def test_anthropics_fast_mode_and_inference_in_the_us_have_prices_of_their_own() -> None:
    found = fact(importer, row({"usage_object": {**USAGE, "speed": "fast", "inference_geo": "us"}}))
    assert (found.service_tier, found.dimension.region) == ("fast", "us")
    found = fact(importer, row({"usage_object": {**USAGE, "speed": "standard", "inference_geo": "global"}}))
    assert (found.service_tier, found.dimension.region) == ("", "")


def test_costs_come_in_usd_as_they_were_written_and_are_estimates() -> None:
    found = fact(importer, row())
    assert (found.cost_reported, found.currency, found.cost_kind) == (Decimal("0.0021345"), "USD", "estimated")
    assert fact(importer, row(spend=None)).cost_reported is None


def test_a_row_is_attributed_by_everything_the_proxy_knows() -> None:
    metadata = {
        "user_api_key_alias": "search-prod",
        "user_api_key_project_id": "proj-1",
        "user_api_key_team_alias": "Search",
        "spend_logs_metadata": {"project": "ranker", "deep": {"x": 1}},
    }
    found = fact(
        importer,
        row(
            metadata=metadata,
            user="u-1",
            team_id="t-1",
            end_user="cust-9",
            session_id="s-1",
            request_tags='["env:prod", "beta"]',
        ),
    )
    place = found.dimension
    assert (place.ext_project, place.ext_api_key, place.ext_user, place.ext_team) == ("proj-1", "88dc", "u-1", "t-1")
    assert (place.host, place.operation, found.session) == ("anthropic", "chat", "s-1")
    assert dict(place.tags) == {
        "api_key_alias": "search-prod",
        "end_user": "cust-9",
        "env": "prod",
        "project": "ranker",
        "tag": "beta",
        "team_alias": "Search",
    }


def test_metadata_that_an_export_wrote_as_text_is_read() -> None:
    record = row()
    record["metadata"] = json.dumps(record["metadata"])
    assert counts(fact(importer, record)) == (10, 5000, 1000, 100, 30)


def test_the_payload_of_the_callbacks_is_the_same_record() -> None:
    payload = {
        "id": "chatcmpl-1",
        "trace_id": "s-1",
        "call_type": "acompletion",
        "response_cost": 0.0021345,
        "prompt_tokens": 6010,
        "completion_tokens": 100,
        "startTime": 1788256800.123,
        "endTime": 1788256802.0,
        "model": "claude-sonnet-4-5-20250929",
        "custom_llm_provider": "anthropic",
        "cache_hit": None,
        "status": "success",
        "metadata": {"user_api_key_hash": "88dc", "user_api_key_user_id": "u-1"},
        "hidden_params": {"usage_object": USAGE, "additional_headers": {}},
        "cost_breakdown": {},
    }
    found, stored = fact(importer, payload), fact(importer, row(user="u-1", session_id="s-1"))
    assert found == stored


def test_a_gateway_states_a_cost_and_competes_with_the_bill_as_a_finer_feed() -> None:
    assert importer.DETAIL == 3


DAILY = {"id": "1", "tag": "env:prod", "date": "2026-09-01", "api_requests": 3, "spend": 1.0, "prompt_tokens": 9}


def test_overlapping_daily_totals_are_refused_with_a_sentence() -> None:
    with pytest.raises(MappingError, match=r"stands in it twice; export LiteLLM_SpendLogs instead\."):
        read(importer, json.dumps([DAILY]).encode())
    _, daily = read(importer, json.dumps([row(), DAILY]).encode())
    assert "stands in it twice" in daily.reason  # type: ignore[union-attr]


def test_calls_that_cost_nothing_and_name_no_model_are_ignored() -> None:
    record = row(call_type="acreate_file", model="", spend=0, total_tokens=0, prompt_tokens=0, completion_tokens=0)
    assert ignored(importer, record) == "call without a model, tokens or cost"
    assert fact(importer, {**record, "spend": 0.25}).dimension.model_raw == "create_file"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"request_id": ...}, "row has no request_id"),
        ({"prompt_tokens": -1}, "a count is negative"),
        ({"prompt_tokens": 1.5}, "a count is not a whole number"),
        ({"spend": -1}, "the cost is negative"),
        ({"spend": "much"}, "the cost is not a number"),
        ({"startTime": "noon"}, "the time cannot be read"),
        ({"startTime": None}, "the time cannot be read"),
    ],
)
def test_a_row_that_cannot_be_read_is_rejected_with_a_sentence(bad: dict[str, Any], reason: str) -> None:
    assert rejected(importer, row(**bad)).startswith(reason)


def test_no_content_survives_the_first_step() -> None:
    places = ("messages", "response", "proxy_server_request", "model_parameters", "metadata.requester_metadata")
    assert no_content(importer, row(), places)


@pytest.mark.shared
def test_the_sample_row_is_its_one_request_and_the_report_is_refused(shared_data: Path) -> None:
    [found] = read(importer, sample(shared_data, "litellm/spendlogs_row.json"))
    assert isinstance(found, Fact)
    assert counts(found) == (10, 5000, 1000, 100, None)
    assert (found.cache_write_by_lifetime, found.cost_reported) == ({"5m": 1000}, Decimal("0.0021345"))
    with pytest.raises(MappingError):
        read(importer, sample(shared_data, "litellm/global_spend_report.doc-example.json"))
