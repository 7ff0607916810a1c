"""Langfuse: only calls of models, a partition whatever its keys are called, the copy updated last."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.usage.importers.logs import counts, fact, ignored, merged, no_content, read, rejected, sample
from usage.importers import Fact
from usage.importers import langfuse as importer
from usage.importers.csv import MappingError

USAGE = {"input": 10, "input_cached_tokens": 5000, "input_cache_creation_5m": 1000, "output": 40,
         "output_reasoning_tokens": 60, "total": 6110}  # fmt: skip


def observation(usage: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    record = {
        "id": "obs-1",
        "projectId": "cl-1",
        "type": "GENERATION",
        "startTime": "2026-09-01T10:00:00.000Z",
        "environment": "production",
        "userId": "u-1",
        "sessionId": "s-1",
        "providedModelName": "claude-sonnet-4-5",
        "usageDetails": USAGE if usage is None else usage,
        "totalCost": 0.00678,
        "tags": ["ranker", "env:prod"],
        "metadata": {"team": "search", "question": "who?"},
        "updatedAt": "2026-09-01T10:00:03.000Z",
    }
    return {name: value for name, value in {**record, **fields}.items() if value is not ...}


def test_the_keys_are_a_partition_and_the_total_is_no_part() -> None:
    found = fact(importer, observation())
    assert counts(found) == (10, 5000, 1000, 100, 60)
    assert found.cache_write_by_lifetime == {"5m": 1000}


@pytest.mark.parametrize(
    ("usage", "partition"),
    [
        ({"input": 5, "output": 7}, (5, None, None, 7, None)),
        ({"input": 5, "input_audio_tokens": 3, "output": 7, "output_audio_tokens": 1}, (8, None, None, 8, None)),
        ({"input": 5, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 8}, (5, 90, 8, None, None)),
        ({"input": 5, "input_cache_read": 9, "output": 1, "output_reasoning": 2}, (5, 9, None, 3, 2)),
    ],
)
def test_free_form_keys_go_where_their_names_belong(usage: dict[str, int], partition: Any) -> None:
    assert counts(fact(importer, observation(usage))) == partition


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("input_audio_tokens", "audio_sent"), ("input_cached_audio_tokens", "audio_sent"),
        ("output_audio", "audio_made"), ("output_image_tokens", "images_made"),
        ("input_image_tokens", "images_at_the_price_of_text"),
        ("input_text_tokens", ""), ("output_reasoning_tokens", ""),
    ],
)  # fmt: skip
def test_audio_and_images_that_were_made_are_priced_apart_and_never_as_text(name: str, mark: str) -> None:
    usage = {"input": 5, "input_cached_tokens": 0, "output": 7}
    apart = ("priced_apart",) if mark.endswith(("_sent", "_made")) else ()
    assert fact(importer, observation({**usage, name: 9})).quality == (*apart, *filter(None, [mark]))
    assert fact(importer, observation({**usage, name: 0})).quality == ()


def test_parts_that_exceed_the_total_by_the_cache_show_an_inclusive_input() -> None:
    found = fact(importer, observation({"input": 100, "input_cached_tokens": 60, "output": 5, "total": 105}))
    assert (counts(found)[:2], found.quality) == ((40, 60), ("inclusive_input_heuristic",))


def test_parts_that_exceed_the_total_by_the_reasoning_show_an_inclusive_output() -> None:
    said = {"output": 8, "output_reasoning_tokens": 3}
    both = {"input": 100, "input_cached_tokens": 60, **said, "total": 108}
    for usage, partition, sides in (
        ({"input": 10, "input_cached_tokens": 0, **said, "total": 18}, (10, 0, None, 8, 3), ["output"]),
        (both, (40, 60, None, 8, 3), ["input", "output"]),
        ({**both, "total": 111}, (40, 60, None, 11, 3), ["input"]),
        ({**both, "total": 171}, (100, 60, None, 11, 3), []),
    ):
        found = fact(importer, observation(usage))
        assert counts(found) == partition
        assert found.quality == tuple(f"inclusive_{side}_heuristic" for side in sides)


def test_cache_writes_by_lifetime_are_known_by_langchains_names() -> None:
    """As Langfuse's handler writes what langchain-anthropic calls `ephemeral_5m_input_tokens`."""
    usage = {"input": 5, "input_cache_read": 9, "input_cache_creation": 0, "output": 1, "total": 45}
    written = {"input_ephemeral_5m_input_tokens": 20, "input_ephemeral_1h_input_tokens": 10}
    found = fact(importer, observation(usage | written))
    assert (counts(found), found.quality) == ((5, 9, 30, 1, None), ())
    assert found.cache_write_by_lifetime == {"5m": 20, "1h": 10}


def test_a_key_that_is_neither_input_nor_output_is_flagged() -> None:
    assert "other_usage_not_counted" in fact(importer, observation({"input": 1, "images": 2})).quality


@pytest.mark.parametrize("kind", ["SPAN", "EVENT", "AGENT", "CHAIN", "TOOL", "RETRIEVER"])
def test_what_sums_the_calls_below_it_is_no_call(kind: str) -> None:
    assert ignored(importer, observation(type=kind)) == "observation that is no call of a model"


def test_an_embedding_is_a_call() -> None:
    found = fact(importer, observation({"input": 9}, type="EMBEDDING"))
    assert (found.dimension.operation, counts(found)[0]) == ("embeddings", 9)


def test_an_observation_that_is_sent_again_replaces_itself_in_any_order() -> None:
    early = observation({"input": 10, "output": 1}, updatedAt="2026-09-01T10:00:01Z")
    late = observation(updatedAt="2026-09-02T10:00:00Z")
    other = observation(projectId="cl-2")
    for order in itertools.permutations([early, late, other]):
        kept = merged(read(importer, json.dumps(order).encode()))
        assert len(kept) == 2
        assert {one.dimension.ext_project: counts(one)[0] for one in kept.values()} == {"cl-1": 10, "cl-2": 10}
        assert all(counts(one)[1] == 5000 for one in kept.values())


def test_the_blob_export_is_the_same_record() -> None:
    row = {
        "id": "obs-1", "project_id": "cl-1", "type": "GENERATION", "start_time": "2026-09-01 10:00:00.000000",
        "environment": "production", "user_id": "u-1", "session_id": "s-1", "tags": ["ranker", "env:prod"],
        "provided_model_name": "claude-sonnet-4-5", "usage_details": json.dumps(USAGE), "total_cost": "0.00678",
        "metadata": json.dumps({"team": "search"}), "updated_at": "2026-09-01 10:00:03.000000",
    }  # fmt: skip
    assert fact(importer, row) == fact(importer, observation())


def test_a_call_is_attributed_by_project_user_tags_environment_and_named_metadata() -> None:
    found = fact(importer, observation())
    place = found.dimension
    assert (place.ext_project, place.ext_user, found.session) == ("cl-1", "u-1", "s-1")
    assert dict(place.tags) == {"tag": "ranker", "env": "prod", "team": "search", "langfuse_environment": "production"}
    other = fact(importer, observation(), {"metadata": ["question"]})
    assert dict(other.dimension.tags)["question"] == "who?"
    with pytest.raises(MappingError, match="list of the names"):
        read(importer, b"{}", {"metadata": "team"})


def test_the_cost_is_langfuses_estimate_in_usd() -> None:
    found = fact(importer, observation())
    assert (found.cost_reported, found.currency, found.cost_kind) == (Decimal("0.00678"), "USD", "estimated")
    details = fact(importer, observation(totalCost=None, costDetails={"total": 0.5, "input": 0.2}))
    assert details.cost_reported == Decimal("0.5")
    assert fact(importer, observation(totalCost=None)).cost_reported is None


@pytest.mark.parametrize("details", [{}, {"total": 0}, None])
def test_a_cost_of_0_without_a_price_is_unknown(details: Any) -> None:
    """Promise 1: Langfuse writes 0 where it knows no price of the model."""
    found = fact(importer, observation(totalCost=0, costDetails=details))
    assert (found.cost_reported, found.currency, found.quality) == (None, "", ("zero_spend_for_tokens",))


def test_a_price_of_0_and_a_call_of_no_tokens_are_free() -> None:
    free = fact(importer, observation(totalCost=0, costDetails={"input": 0, "output": 0, "total": 0}))
    nothing = fact(importer, observation({"input": 0, "output": 0, "total": 0}, totalCost=0, costDetails={}))
    assert (free.cost_reported, nothing.cost_reported) == (0, 0)
    assert counts(nothing)[::3] == (0, 0)


def test_a_key_without_a_count_says_nothing() -> None:
    assert counts(fact(importer, observation({"input": None, "output": 5}))) == (None, None, None, 5, None)
    assert ignored(importer, observation({"input": None, "output": None}, totalCost=0)) == "call without usage or cost"


def test_a_total_alone_is_a_call_whose_parts_are_unknown() -> None:
    for name in ("total", "total_tokens"):
        found = fact(importer, observation({name: 1000}, totalCost=None))
        assert (counts(found), found.requests, found.cost_reported) == ((None,) * 5, 1, None)
        assert found.quality == ("total_not_split",)
    assert fact(importer, observation({"images": 2}, totalCost=None)).quality == ("other_usage_not_counted",)
    assert ignored(importer, observation({"total": 0}, totalCost=0)) == "call without usage or cost"


@pytest.mark.parametrize(
    ("usage", "partition", "quality"),
    [
        ({"prompt_tokens": 90, "completion_tokens": 7}, (90, None, None, 7, None), ("cache_split_unknown",)),
        ({"promptTokens": 90, "completionTokens": 7, "totalTokens": 97},
         (90, None, None, 7, None), ("cache_split_unknown",)),
        ({"prompt_tokens": 90, "cached_tokens": 60, "completion_tokens": 7}, (30, 60, None, 7, None), ()),
        ({"prompt_tokens": 90, "input_cached_tokens": 60, "completion_tokens": 7}, (30, 60, None, 7, None), ()),
        ({"prompt_tokens": 90, "input_cached_tokens": 60, "completion_tokens": 7, "output_reasoning_tokens": 5},
         (30, 60, None, 7, 5), ()),
        ({"prompt_tokens": 90, "cached_tokens": 0, "completion_tokens": 7, "output_reasoning_tokens": 5, "total": 102},
         (90, 0, None, 12, 5), ()),
        ({"input": 30, "input_cached_tokens": 60, "output": 7, "prompt_tokens": 90, "completion_tokens": 7},
         (30, 60, None, 7, None), ("other_usage_not_counted",)),
    ],
)  # fmt: skip
def test_openais_names_are_read_where_langfuses_are_not_there(usage: Any, partition: Any, quality: Any) -> None:
    """Fact 1: OpenAI's prompt includes its cache."""
    found = fact(importer, observation(usage, totalCost=None))
    assert (counts(found), found.quality) == (partition, quality)


def test_a_call_that_says_nothing_of_itself_is_ignored() -> None:
    assert ignored(importer, observation({}, totalCost=None)) == "call without usage or cost"
    assert fact(importer, observation({})).cost_reported == Decimal("0.00678")
    assert fact(importer, observation(providedModelName=None)).dimension.model_raw == "unknown"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"type": ...}, "record is no observation"),
        ({"id": ...}, "record is no observation"),
        ({"usageDetails": {"input": -1}}, "a count is negative"),
        ({"usageDetails": {"input": "few"}}, "a count is not a whole number"),
        ({"totalCost": -0.1}, "the cost is negative"),
        ({"startTime": "noon"}, "the time cannot be read"),
    ],
)
def test_an_observation_that_cannot_be_read_is_rejected_with_a_sentence(bad: dict[str, Any], reason: str) -> None:
    assert rejected(importer, observation(**bad)).startswith(reason)


def test_no_content_survives_the_first_step() -> None:
    assert no_content(
        importer, observation(), ("input", "output", "metadata.prompt", "modelParameters", "statusMessage")
    )


@pytest.mark.shared
def test_the_sample_page_is_its_one_generation(shared_data: Path) -> None:
    [found] = read(importer, sample(shared_data, "langfuse/observation_v2.json"))
    assert isinstance(found, Fact)
    assert (counts(found), found.cost_reported) == ((10, 5000, 1000, 100, 60), Decimal("0.00678"))
    assert sum(count or 0 for count in counts(found)[:4]) == 6110
