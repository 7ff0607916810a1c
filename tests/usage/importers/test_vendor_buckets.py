"""Buckets of OpenAI and Anthropic: each trap of these reports, and how pages become records."""

from __future__ import annotations

import io
import itertools
import json
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.usage.vendor_pages import (
    anthropic_bucket,
    anthropic_cost,
    body,
    completion,
    day,
    messages,
    openai_bucket,
    openai_cost,
    page,
    pull,
    read,
)
from usage.importers import UNTOLD, Covered, Fact, Ignored, Rejected, all_importers
from usage.importers.csv import MappingError
from usage.ingest.reading import UNREADABLE

OPENAI, OPENAI_COSTS, ANTHROPIC, ANTHROPIC_COST = "openai_usage", "openai_costs", "anthropic_usage", "anthropic_cost"


def fact(slug: str, *documents: Any, **options: Any) -> Fact:
    """The one record of some documents."""
    [found] = read(slug, *documents, **options)
    assert isinstance(found, Fact), found
    return found


def openai(**fields: Any) -> Fact:
    return fact(OPENAI, page([openai_bucket(day(4), completion(**fields))]))


def anthropic(**fields: Any) -> Fact:
    return fact(ANTHROPIC, page([anthropic_bucket(day(4), messages(**fields))]))


def covered(slug: str, *documents: Any) -> list[Covered | None]:
    return all_importers()[slug].covered(io.BytesIO(body(*documents)))  # type: ignore[attr-defined]


def kept(found: list[Any]) -> dict[str, Fact]:
    """The records the ledger keeps of some outcomes: the greatest rank of each key."""
    best: dict[str, Fact] = {}
    for one in found:
        if isinstance(one, Fact) and (one.record_key not in best or one.rank > best[one.record_key].rank):
            best[one.record_key] = one
    return best


# Tokens


def test_cached_tokens_are_not_billed_twice():
    """Fact 1: OpenAI's input includes what was read from and written to the cache, Anthropic's does not."""
    ours = openai(input_tokens=90_000, input_cached_tokens=40_000, input_cache_write_tokens=20_000)
    theirs = anthropic(uncached_input_tokens=30_000, cache_read_input_tokens=40_000)
    assert (ours.in_uncached, ours.in_cache_read, ours.in_cache_write) == (30_000, 40_000, 20_000)
    assert (theirs.in_uncached, theirs.in_cache_read, theirs.in_cache_write) == (30_000, 40_000, 0)


def test_cache_writes_have_the_lifetime_that_is_reported():
    """Fact 3: any lifetime a vendor names, and a rest without one."""
    ours = openai(
        input_tokens=100,
        input_cache_write_tokens=100,
        input_cache_write_30m_tokens=60,
        input_cache_write_12h_tokens=30,
    )
    theirs = anthropic(cache_creation={"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 1000})
    assert ours.cache_write_by_lifetime == {"30m": 60, "12h": 30, "": 10}
    assert (theirs.in_cache_write, theirs.cache_write_by_lifetime) == (1500, {"5m": 500, "1h": 1000})


def test_reasoning_is_unknown_where_a_report_has_no_such_field():
    assert openai(output_tokens=5).out_reasoning is None
    assert anthropic(output_tokens=5).out_reasoning is None


def test_an_older_answer_without_the_newer_fields_reads_to_the_same_parts():
    found = completion(input_tokens=100, input_cached_tokens=40, input_cache_write_tokens=None)
    del found["input_uncached_tokens"]
    old = fact(OPENAI, page([openai_bucket(day(4), found)]))
    assert (old.in_uncached, old.in_cache_read, old.in_cache_write) == (60, 40, None)


def test_an_input_whose_cache_is_not_stated_is_kept_whole_and_says_so():
    found = completion(input_tokens=100) | {"input_uncached_tokens": None, "input_cached_tokens": None}
    whole = fact(OPENAI, page([openai_bucket(day(4), found)]))
    assert (whole.in_uncached, whole.in_cache_read, whole.quality) == (100, None, ("cache_split_unknown",))


def test_a_cache_of_which_only_the_rest_is_stated_is_unknown_and_says_so():
    found = completion(input_tokens=100) | {"input_uncached_tokens": 70, "input_cached_tokens": None}
    rest = fact(OPENAI, page([openai_bucket(day(4), found)]))
    assert (rest.in_uncached, rest.in_cache_read, rest.quality) == (70, None, ("cache_split_unknown",))


def test_audio_is_never_priced_as_text():
    """Tokens of other modalities are a record of their own that no text price is put on; its requests are not new."""
    text, audio = read(
        OPENAI,
        page(
            [
                openai_bucket(
                    day(4),
                    completion(
                        input_tokens=1000,
                        input_cached_tokens=200,
                        output_tokens=400,
                        input_audio_tokens=600,
                        input_cached_audio_tokens=150,
                        output_audio_tokens=300,
                        output_image_tokens=50,
                    ),
                )
            ]
        ),
    )
    assert isinstance(text, Fact)
    assert isinstance(audio, Fact)
    assert (text.in_uncached, text.in_cache_read, text.out_total, text.requests) == (200, 50, 50, 1)
    assert (audio.in_uncached, audio.in_cache_read, audio.out_total, audio.requests) == (600, 150, 350, 0)
    assert audio.quality == ("priced_apart", "audio_sent", "audio_made", "images_made")
    assert text.record_key != audio.record_key


# Price selectors


def test_a_daily_bucket_is_no_long_request():
    """Fact 4: a sum of tokens says nothing of how long a request was."""
    for found in (openai(input_tokens=1_000_000), anthropic(uncached_input_tokens=1_000_000)):
        assert (found.grain, found.context_tokens) == ("1d", None)


@pytest.mark.parametrize(
    ("window", "tokens"),
    [("0-200k", 1), ("200k-1M", 200_001), ("200K-1m", 200_001), ("1M-2M", 1_000_001), (None, None), ("long", None)],
)
def test_a_context_window_chooses_the_tier_of_its_requests(window, tokens):
    found = anthropic(uncached_input_tokens=250_000, context_window=window)
    assert found.context_tokens == tokens
    assert ("context_window_unknown" in found.quality) == (window == "long")


def test_batch_is_a_tier_whatever_tier_it_ran_in():
    """Fact 6: the discount of batches is a price of its own."""
    assert openai(batch=True, service_tier="default").service_tier == "batch"
    assert openai(batch=False, service_tier="default").service_tier == "standard"
    assert openai(batch=None, service_tier="flex").service_tier == "flex"
    assert openai(batch=None, service_tier="Priority").service_tier == "priority"
    assert anthropic(service_tier="batch").service_tier == "batch"
    assert anthropic(service_tier="priority_on_demand").service_tier == "priority_on_demand"


def test_fast_mode_is_a_tier():
    assert anthropic(service_tier="standard", speed="fast").service_tier == "fast"
    assert anthropic(service_tier="standard", speed="standard").service_tier == "standard"


def test_models_are_kept_as_they_are_reported():
    for model in ("gpt-5.5-2026-04-23", "ft:gpt-4o-2024-08-06:acme:shop:Bq1x"):
        assert openai(model=model).dimension.model_raw == model


# Attribution and identity


def test_a_null_dimension_is_not_reported_unless_it_was_asked_for():
    asked = {"group_by": ["workspace_id", "api_key_id"]}
    ungrouped = anthropic(output_tokens=1)
    grouped = fact(ANTHROPIC, page([anthropic_bucket(day(4), messages(output_tokens=1))]), mapping=asked)
    assert (ungrouped.dimension.ext_project, ungrouped.dimension.ext_api_key) == ("", "")
    assert (grouped.dimension.ext_project, grouped.dimension.ext_api_key) == ("default", "console")
    assert ungrouped.record_key != grouped.record_key


def test_a_field_that_an_api_adds_later_changes_no_key():
    assert openai(model="m").record_key == openai(model="m", api_source=None, moon_phase=None).record_key


@pytest.mark.parametrize(
    "other",
    [
        {"project_id": "proj_b"}, {"user_id": "user_b"}, {"api_key_id": "key_b"}, {"model": "m2"}, {"batch": True},
        {"service_tier": "flex"}, {"api_source": "codex"}, {"dimension_of_next_year": "x"},
    ],
)  # fmt: skip
def test_every_dimension_tells_a_record_from_another(other):
    assert openai(model="m").record_key != openai(**({"model": "m"} | other)).record_key


def test_buckets_of_another_width_are_other_records():
    hour = openai_bucket(day(4), completion(), width=timedelta(hours=1))
    found = fact(OPENAI, page([hour]))
    assert found.grain == "1h"
    assert found.record_key != openai().record_key


def test_one_endpoints_record_is_never_anothers():
    result = {"object": "organization.usage.embeddings.result", "input_tokens": 5, "num_model_requests": 1}
    embedded = fact(OPENAI, page([openai_bucket(day(4), result)]))
    assert (embedded.dimension.operation, embedded.in_uncached, embedded.out_total) == ("embeddings", 5, 0)
    assert embedded.record_key.startswith("embeddings:")
    assert openai().record_key.startswith("completions:")


def test_a_grouping_that_is_no_list_of_names_is_one_sentence():
    with pytest.raises(MappingError, match="list of the names"):
        read(OPENAI, page([]), page([openai_bucket(day(1))]), mapping={"group_by": "model"})


# What is not counted in tokens


def endpoint(kind: str, **fields: Any) -> Any:
    [found] = read(OPENAI, page([openai_bucket(day(4), {"object": f"organization.usage.{kind}.result", **fields})]))
    return found


@pytest.mark.parametrize(
    ("kind", "fields", "requests", "quality"),
    [
        ("images", {"images": 3, "num_model_requests": 2, "size": "512x512"}, 2, ("images_not_kept",)),
        ("audio_speeches", {"characters": 45, "num_model_requests": 1}, 1, ("characters_not_kept",)),
        ("audio_transcriptions", {"seconds": 20, "num_model_requests": 1}, 1, ("seconds_not_kept",)),
        ("code_interpreter_sessions", {"num_sessions": 2}, 2, ()),
        ("file_searches", {"num_requests": 6}, 6, ()),
        ("web_searches", {"num_requests": 8, "num_model_requests": 5}, 8, ()),
        ("of_next_year", {"num_requests": 4}, 4, ()),
    ],
)
def test_what_has_no_tokens_is_a_record_with_unknown_tokens(kind, fields, requests, quality):
    found = endpoint(kind, **fields)
    assert (found.in_uncached, found.in_cache_read, found.out_total) == (None, None, None)
    assert (found.requests, found.quality, found.dimension.operation) == (requests, quality, kind)


def test_what_the_ledger_cannot_keep_is_counted_with_its_reason():
    assert endpoint("vector_stores", usage_bytes=1024) == Ignored(
        1, "vector_stores: counted in neither tokens nor requests"
    )


def test_web_searches_are_a_record_beside_the_tokens():
    tokens, searches = read(
        ANTHROPIC,
        page([anthropic_bucket(day(4), messages(output_tokens=5, server_tool_use={"web_search_requests": 10}))]),
    )
    assert isinstance(tokens, Fact)
    assert isinstance(searches, Fact)
    assert (tokens.requests, tokens.out_total) == (None, 5)
    assert (searches.requests, searches.out_total, searches.dimension.operation) == (10, None, "web_search")


def test_requests_that_are_not_reported_are_unknown():
    assert anthropic(output_tokens=1).requests is None


def test_claude_codes_own_report_is_not_taken_for_the_messages_report():
    """Its tokens are in the messages report already: a key's usage would be counted twice."""
    report = {"data": [{"date": "2026-10-04T00:00:00Z", "model_breakdown": [{"tokens": {"input": 5}}]}]}
    [found] = read(ANTHROPIC, report)
    assert isinstance(found, Rejected)


# Money


def test_cents_are_not_dollars():
    """Fact 7: Anthropic's amount is a decimal text in cents."""
    found = fact(ANTHROPIC_COST, page([anthropic_bucket(day(4), anthropic_cost("123.78912"))]))
    assert (found.cost_reported, found.currency, found.cost_kind) == (Decimal("1.2378912"), "USD", "billed")


def test_the_smallest_unit_of_another_currency_is_not_guessed():
    [found] = read(ANTHROPIC_COST, page([anthropic_bucket(day(4), anthropic_cost("500") | {"currency": "JPY"})]))
    assert isinstance(found, Rejected)


@pytest.mark.parametrize(
    ("value", "cost"),
    [(0.06, "0.06"), ("0.06", "0.06"), (3, "3"), ("1E-3", "0.001"), (-1.5, "-1.5"), (0, "0")],
)
def test_an_amount_may_be_a_number_or_text(value, cost):
    found = fact(OPENAI_COSTS, page([openai_bucket(day(4), openai_cost(value))]))
    assert (found.cost_reported, found.currency) == (Decimal(cost), "USD")


def test_a_bill_knows_no_tokens():
    """Fact 8: it is kept beside the usage, and its tokens are unknown, not 0."""
    for found in (
        fact(OPENAI_COSTS, page([openai_bucket(day(4), openai_cost(1))])),
        fact(ANTHROPIC_COST, page([anthropic_bucket(day(4), anthropic_cost("1"))])),
    ):
        counts = (found.in_uncached, found.in_cache_read, found.in_cache_write, found.out_total, found.requests)
        assert counts == (None,) * 5


@pytest.mark.parametrize(
    ("item", "model", "operation"),
    [
        ("gpt-5.5, input", "gpt-5.5", "input"),
        ("gpt-5.5-2026-04-23, cached input", "gpt-5.5-2026-04-23", "cached input"),
        ("gpt-4o-audio-preview-2024-12-17, audio output", "gpt-4o-audio-preview-2024-12-17", "audio output"),
        ("ft:gpt-4o-2024-08-06:acme:shop:Bq1x, training", "ft:gpt-4o-2024-08-06:acme:shop:Bq1x", "training"),
        ("Code interpreter sessions", "", "Code interpreter sessions"),
        ("Credits, adjustments", "", "Credits, adjustments"),
        ("Assistants, input", "", "Assistants, input"),
        ("web search | gpt-5.5, input", "", "web search | gpt-5.5, input"),
        ("text-embedding-3-small", "text-embedding-3-small", ""),
        ("container", "", "container"),
        ("gpt-5.5, seats", "", "gpt-5.5, seats"),
        (None, "", ""),
    ],
)
def test_a_line_item_without_a_model_is_never_guessed(item, model, operation):
    found = fact(OPENAI_COSTS, page([openai_bucket(day(4), openai_cost(1, line_item=item))]))
    assert (found.dimension.model_raw, found.dimension.operation) == (model, operation)


def test_anthropics_bill_names_what_it_is_for():
    tokens = anthropic_cost(
        "1", cost_type="tokens", token_type="output_tokens", model="claude-opus-5", description="Opus 5 - Output"
    )
    search = anthropic_cost("1", cost_type="web_search", workspace_id="wrkspc_a", description="Web Search")
    one, other = (fact(ANTHROPIC_COST, page([anthropic_bucket(day(4), result)])) for result in (tokens, search))
    assert (one.dimension.model_raw, one.dimension.operation) == ("claude-opus-5", "output_tokens")
    assert (other.dimension.model_raw, other.dimension.operation) == ("", "web_search")
    assert other.dimension.ext_project == "wrkspc_a"


# Pages

DAYS = [openai_bucket(day(number), completion(input_tokens=number, model="m")) for number in range(1, 8)]


@pytest.mark.parametrize(
    "documents",
    [
        [page(DAYS)],
        [page(DAYS[:3], more=True), page(DAYS[3:])],
        [[page(DAYS[:3], more=True), page(DAYS[3:])]],
        [DAYS],
        DAYS,
        [{"extra": {"data": [1]}, **page(DAYS)}],
        [page([{"results": one["results"], **one} for one in DAYS])],
        [{"data": [{"result": one["results"], **{k: v for k, v in one.items() if k != "results"}} for one in DAYS]}],
    ],
    ids=["page", "pages", "array of pages", "array of buckets", "buckets", "more fields", "late times", "old name"],
)
def test_pages_and_buckets_read_the_same_however_they_are_wrapped(documents):
    plain = {key: found.in_uncached for key, found in kept(read(OPENAI, page(DAYS))).items()}
    assert {key: found.in_uncached for key, found in kept(read(OPENAI, *documents)).items()} == plain
    assert sorted(count for count in plain.values() if count is not None) == list(range(1, 8))


def test_an_empty_bucket_is_a_line_that_says_so():
    assert read(OPENAI, page([openai_bucket(day(1)), openai_bucket(day(2))])) == [
        Ignored(1, "bucket without any usage"),
        Ignored(2, "bucket without any usage"),
    ]


@pytest.mark.parametrize(
    "document",
    [{"error": {"message": "No."}}, {"object": "list", "data": [{"id": "proj_a"}]}, [1, "a", None], 5, "text", [[[]]]],
)
@pytest.mark.parametrize("slug", [OPENAI, OPENAI_COSTS, ANTHROPIC, ANTHROPIC_COST])
def test_a_document_that_is_no_report_is_rejected_and_covers_nothing(slug, document):
    found = read(slug, document)
    assert found
    assert all(isinstance(one, Rejected) for one in found)
    assert covered(slug, document) == [None]


def test_a_bucket_goes_on_in_the_next_page_and_its_results_are_all_there():
    one, other = (openai_bucket(day(1), completion(model=name, input_tokens=5)) for name in ("a", "b"))
    found = kept(read(OPENAI, page([one], more=True), page([other])))
    assert sorted(record.dimension.model_raw for record in found.values()) == ["a", "b"]


def test_equal_keys_on_two_pages_of_one_pull_add_up():
    one, other = (openai_bucket(day(1), completion(model="m", input_tokens=tokens)) for tokens in (100, 50))
    [found] = kept(read(OPENAI, page([one], more=True), page([other]))).values()
    assert (found.in_uncached, found.requests) == (150, 2)


def test_a_page_that_was_fetched_twice_counts_once():
    first, second = page(DAYS[:3], more=True), page(DAYS[2:], more=False)
    found = kept(read(OPENAI, first, first, second))
    assert sorted(record.in_uncached or 0 for record in found.values()) == list(range(1, 8))


def test_equal_results_beside_each_other_are_two():
    same = completion(model="m", input_tokens=7)
    [found] = kept(read(OPENAI, page([openai_bucket(day(1), same, same)]))).values()
    assert found.in_uncached == 14


def test_two_pulls_in_one_file_are_not_added_and_the_grown_day_wins():
    """An unfinished day has grown by the next pull."""
    early, late = (page([openai_bucket(day(1), completion(model="m", input_tokens=tokens))]) for tokens in (100, 150))
    for pulls in itertools.permutations([early, late]):
        [found] = kept(read(OPENAI, *pulls)).values()
        assert found.in_uncached == 150


def test_bills_of_one_key_add_up_whatever_their_sign():
    results = [openai_cost(value, line_item="Credits") for value in (5, -2, -1)]
    [found] = kept(read(OPENAI_COSTS, page([openai_bucket(day(1), *results)]))).values()
    assert found.cost_reported == 2


@given(order=st.permutations(range(12)), cuts=st.sets(st.integers(1, 11)))
def test_no_order_of_results_and_no_paging_changes_what_is_kept(order, cuts):
    """Twelve results in three days, four keys with several parts each."""
    results = [(number % 3, completion(model=f"m{number % 2}", input_tokens=100 + number)) for number in range(12)]
    by_day = sorted((results[number] for number in order), key=lambda one: one[0])
    edges = [0, *sorted(cuts), 12]
    pages = [
        page([openai_bucket(day(1 + number), result) for number, result in by_day[since:until]], more=until < 12)
        for since, until in itertools.pairwise(edges)
    ]
    plain = [openai_bucket(day(1 + number), *(r for at, r in results if at == number)) for number in range(3)]
    whole = kept(read(OPENAI, page(plain)))
    found = kept(read(OPENAI, *pages))
    assert {key: (one.in_uncached, one.requests, one.rank) for key, one in found.items()} == {
        key: (one.in_uncached, one.requests, one.rank) for key, one in whole.items()
    }


# For what time a document is complete


def test_a_pull_covers_its_buckets_and_says_of_which_endpoint():
    assert covered(OPENAI, *pull(DAYS, 3)) == [Covered(day(1), day(8), True, "completions:")]
    assert covered(OPENAI, *pull(DAYS, 3)[:2]) == [Covered(day(1), day(7), False, "completions:")]
    assert covered(ANTHROPIC, page([anthropic_bucket(day(1), messages())])) == [Covered(day(1), day(2))]


def test_a_page_that_is_missing_in_the_middle_is_a_gap():
    first, _, third = pull(DAYS, 3)
    assert covered(OPENAI, first, third) == [None]


def test_an_empty_month_tells_no_endpoint():
    assert covered(OPENAI, page([openai_bucket(day(1)), openai_bucket(day(2))])) == [
        Covered(day(1), day(3), True, UNTOLD)
    ]


def test_an_empty_month_of_a_report_of_one_kind_speaks_for_all_of_it():
    for slug, bucket in (
        (OPENAI_COSTS, openai_bucket),
        (ANTHROPIC_COST, anthropic_bucket),
        (ANTHROPIC, anthropic_bucket),
    ):
        assert covered(slug, page([bucket(day(1)), bucket(day(2))])) == [Covered(day(1), day(3))]


def test_several_pulls_of_one_file_each_cover_their_own_time():
    embedded = {"object": "organization.usage.embeddings.result", "input_tokens": 5, "num_model_requests": 1}
    other = page([openai_bucket(day(5), embedded), openai_bucket(day(6))])
    assert covered(OPENAI, *pull(DAYS, 4), other) == [
        Covered(day(1), day(8), True, "completions:"),
        Covered(day(5), day(7), True, "embeddings:"),
    ]


def test_a_document_that_breaks_off_keeps_what_stands_before():
    whole = json.dumps(page(DAYS)).encode()
    reading = all_importers()[OPENAI].split(io.BytesIO(whole[: len(whole) // 2]))  # type: ignore[attr-defined]
    lines = []
    with suppress(*UNREADABLE):
        lines.extend(reading)
    assert 2 <= len(lines) < 7


@pytest.mark.parametrize(
    "bad",
    [
        completion(input_tokens=10, input_cached_tokens=40, input_uncached_tokens=None),
        completion(input_tokens=-1),
        completion(input_tokens=5) | {"input_audio_tokens": 9},
        completion(input_cache_write_tokens=1, input_cache_write_30m_tokens=4, input_tokens=1),
        {"object": "organization.costs.result", "amount": {"value": 1, "currency": "usd"}},
    ],
)
def test_counts_that_cannot_be_are_rejected_and_never_repaired(bad):
    assert all(isinstance(one, Rejected) for one in read(OPENAI, page([openai_bucket(day(4), bad)])))
