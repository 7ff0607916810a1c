"""What OpenRouter's list means where its keys do not say it."""

import json
from datetime import date
from decimal import Decimal

import pytest

from pricing.sources import Reading, SourceError, openrouter


def entry(sku: str = "acme/one", pricing: dict | None = None, **more) -> dict:
    return {"id": sku, "pricing": pricing or {"prompt": "0.000001", "completion": "0.000002"}} | more


def read(*rows: object, **envelope: object) -> Reading:
    return openrouter.parse(json.dumps({"data": list(rows)} | envelope).encode())


def prices(reading: Reading, sku: str = "acme/one") -> dict[str, Decimal]:
    return {s.unit + f">{s.context_from}" * bool(s.context_from): s.amount for s in reading.statements if s.sku == sku}


def test_a_price_per_token_is_kept_per_million_exactly_as_written():
    reading = read(entry(pricing={"prompt": "0.00000012345", "request": "0.005", "web_search": "0.01"}))
    assert [(s.unit, s.amount, s.per) for s in reading.statements] == [
        ("input", Decimal("0.12345"), 1_000_000), ("request", Decimal(5), 1000), ("web_search", Decimal(10), 1000),
    ]  # fmt: skip


def test_the_batch_and_the_free_variant_are_offerings_of_their_own():
    free = entry("acme/one:free", {"prompt": "0", "completion": "0"})
    reading = read(entry(), entry("acme/one:batch", {"prompt": "0.0000005", "completion": "0.000001"}), free)
    assert [o.sku for o in reading.offerings] == ["acme/one", "acme/one:batch", "acme/one:free"]
    assert prices(reading, "acme/one:batch") == {"input": Decimal("0.5"), "output": 1}
    assert prices(reading, "acme/one:free") == {"input": 0, "output": 0}
    assert {s.service_tier for s in reading.statements} == {"standard"}


def test_a_zero_is_free_only_where_the_id_says_so():
    songs = entry("acme/songs", {"prompt": "0", "completion": "0"})
    reading = read(entry(), songs, entry("openrouter/free", {"prompt": "0"}))
    assert prices(reading, "acme/songs") == {}
    assert prices(reading, "openrouter/free") == {"input": 0}
    assert reading.unplaced == {"zero of an offering not sold as free": 2}


def test_a_router_has_no_price_of_its_own():
    reading = read(entry(), entry("openrouter/auto", {"prompt": "-1", "completion": "-1"}))
    assert [o.sku for o in reading.offerings] == ["acme/one"]
    assert reading.unplaced == {"router, at the price of what it routes to": 1}


def test_an_alias_is_a_name_of_its_target_and_never_a_model():
    alias = entry("~acme/latest", alias_target={"slug": "acme/one", "name": "One"})
    lost = entry("~acme/lost", alias_target={"slug": "acme/gone"})
    dear = entry("~acme/dear", {"prompt": "0.000002"}, alias_target={"slug": "acme/one"})
    chained = entry("~acme/newest", alias_target={"slug": "~acme/latest"})
    reading = read(entry(), alias, lost, dear, chained, entry("~acme/old"))
    assert {(alias.name, alias.sku) for alias in reading.aliases} == {
        ("~acme/latest", "acme/one"), ("~acme/dear", "acme/one"),
    }  # fmt: skip
    assert prices(reading) == {"input": 1, "output": 2}
    assert [o.sku for o in reading.offerings] == ["acme/one"]
    assert reading.unplaced == {"alias whose target is not listed": 3, "alias priced unlike its target": 1}


def test_a_canonical_slug_names_the_one_id_without_a_variant_it_belongs_to():
    def named(sku, slug):
        return entry(sku, canonical_slug=slug)

    reading = read(
        named("acme/one", "acme/one-20260101"), named("acme/one:batch", "acme/one-20260101"),
        named("acme/two", "acme/two"), named("acme/three:batch", "acme/three-20260101"),
        named("acme/four", "acme/45"), named("acme/five", "acme/45"), named("acme/six", "acme/two"),
    )  # fmt: skip
    assert [(a.name, a.sku) for a in reading.aliases] == [("acme/one-20260101", "acme/one")]
    assert reading.unplaced == {"canonical slug of several ids": 1}


def test_a_long_prompt_changes_the_price_of_the_whole_request_above_each_threshold():
    tiers = [{"min_prompt_tokens": 32000, "prompt": "0.000002"}, {"min_prompt_tokens": 128000, "prompt": "0.000003"}]
    reading = read(entry(pricing={"prompt": "0.000001", "completion": "0.000002", "overrides": tiers}))
    assert prices(reading) == {"input": 1, "output": 2, "input>32000": 2, "input>128000": 3}
    assert {(s.context_op, s.context_mode) for s in reading.statements} == {("", ""), (">", "whole_request")}


@pytest.mark.parametrize(
    "tier",
    [
        {"min_prompt_tokens": 1000, "weekday": "sunday", "prompt": "0.000002"},
        {"utc_hours": [1, 4], "prompt": "0.000002"},
        {"min_prompt_tokens": 0, "prompt": "0.000002"},
        {"min_prompt_tokens": "many", "prompt": "0.000002"},
        "0.000002",
    ],
)
def test_a_price_under_a_condition_nobody_knows_is_counted_and_holds_nowhere(tier):
    reading = read(entry(pricing={"prompt": "0.000001", "overrides": [tier]}))
    assert prices(reading) == {"input": 1}
    assert reading.unplaced == {"price under an unknown condition": 1}


def test_an_image_is_priced_by_the_token_only_where_it_costs_what_text_costs():
    by_token, by_image = {"prompt": "0.000001", "image": "0.000001"}, {"prompt": "0.000001", "image": "0.0048"}
    assert prices(read(entry(pricing=by_token))) == {"input": 1, "input_image": 1}
    reading = read(entry(pricing=by_image))
    assert prices(reading) == {"input": 1}
    assert reading.unplaced == {"price of image in an unknown unit": 1}


def test_a_cache_write_lasts_five_minutes_at_anthropic_and_is_storage_alone_at_google():
    writes = {"prompt": "0.000001", "input_cache_write": "0.0000000833333333333333"}
    reading = read(*(entry(sku, writes) for sku in ("anthropic/a", "google/b", "openai/c")))
    assert [(s.sku, s.unit, s.qualifier) for s in reading.statements if s.unit != "input"] == [
        ("anthropic/a", "cache_write_5m", ""), ("google/b", "cache_write", "storage"), ("openai/c", "cache_write", ""),
    ]  # fmt: skip
    # The catalogue keeps twelve places; what it stores must equal what the next reading says.
    assert {s.amount for s in reading.statements if s.unit != "input"} == {Decimal("0.083333333333")}


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e-30", "1e30", "dear", "", None, True, [1]])
def test_what_is_no_amount_is_counted_and_never_free(value):
    reading = read(
        entry(pricing={"prompt": "0.000001", "completion": value}), entry("acme/two:free", {"prompt": value})
    )
    assert {s.unit for s in reading.statements} == {"input"}
    assert reading.unplaced == {"price of completion that is no amount": 1, "price of prompt that is no amount": 1}


def test_a_key_or_a_row_nobody_knows_is_counted_and_the_rest_is_read():
    odd = [{"id": "acme/two"}, {"id": "no slash", "pricing": {}}, 7, entry()]
    reading = read(entry(pricing={"prompt": "0.000001", "smell": "1", "discount": "0.1"}), *odd)
    assert prices(reading) == {"input": 1}
    assert reading.unplaced == {
        "price of smell": 1, "discount": 1, "row without an id and prices": 3, "row of an id already listed": 1,
    }  # fmt: skip


def test_what_the_list_says_of_an_offering_is_kept():
    (fact,) = read(
        entry(
            created=1783641600, context_length=1000, expiration_date="2026-12-31", hugging_face_id="acme/One",
            architecture={"input_modalities": ["text", "file", "image"], "output_modalities": ["text"]},
            top_provider={"max_completion_tokens": 100}, supported_parameters=["tools", "structured_outputs"],
        )
    ).offerings  # fmt: skip
    assert (fact.released_on, fact.retires_on) == (date(2026, 7, 10), date(2026, 12, 31))
    assert (fact.context_window, fact.max_output, fact.open_weights) == (1000, 100, True)
    assert fact.modalities == ("pdf_in", "image_in", "text_in", "text_out")
    assert fact.capabilities == ("tools", "structured_output", "vision")


@pytest.mark.parametrize("stated", ["2098-12-31", "soon", "", None, 5])
def test_a_day_that_is_none_retires_nothing(stated):
    assert read(entry(expiration_date=stated)).offerings[0].retires_on is None


def test_an_answer_its_archive_and_its_pages_read_the_same():
    one, two = {"data": [entry()]}, {"data": [entry("acme/two")]}
    whole = openrouter.parse(json.dumps({"data": [entry(), entry("acme/two")]}).encode())
    assert openrouter.parse(json.dumps([one, two]).encode()) == whole
    assert openrouter.parse(json.dumps({"fetched_at": "2026-08-22", "body": one}).encode()) == read(entry())


@pytest.mark.parametrize(
    ("links", "address"),
    [
        ({"next": None}, None), ({}, None), (None, None),
        ({"next": "/api/v1/models?offset=500"}, "https://openrouter.ai/api/v1/models?offset=500"),
        ({"next": "https://openrouter.ai/api/v1/models?offset=500"}, "https://openrouter.ai/api/v1/models?offset=500"),
    ],
)  # fmt: skip
def test_the_next_page_is_where_the_answer_says(links, address):
    assert openrouter.next_page(json.dumps({"data": [], "links": links}).encode()) == address


@pytest.mark.parametrize(
    "body",
    [b'{"data": []}', b'{"data": {}}', b'{"data": [1]}', b'{"error": {"code": 500}}', b"[" * 100_000, b'[{"data": 1}]',
     b'{"data": [{"id": "a/b", "pricing": {"prompt": "1e-6"}, "architecture": 7}]}',
     b'{"data": [{"id": "a/b", "pricing": {"prompt": ' + b"9" * 5000 + b"}}]}"],
)  # fmt: skip
def test_another_layout_is_an_error(body):
    with pytest.raises(SourceError, match="OpenRouter"):
        openrouter.parse(body)
