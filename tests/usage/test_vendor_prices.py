"""What buckets of OpenAI and Anthropic cost at the catalogue's prices: by tier and context, never as one request."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.usage.vendor_pages import Json, anthropic_bucket, body, completion, day, messages, openai_bucket, page
from usage import ingest
from usage.models import Organisation, UsageRecord
from usage.rating import CONTEXT_TIER_UNKNOWN
from usage.rerating import rerate

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

SONNET = "claude-sonnet-4-5-20250929"
Rated = Callable[..., UsageRecord]


@pytest.fixture
def rated(tmp_path: Path, organisation: Organisation) -> Rated:
    """The one record of a result in a day's bucket, as the ledger rates it."""

    def run(slug: str, result: Json) -> UsageRecord:
        bucket = (openai_bucket if slug.startswith("openai") else anthropic_bucket)(day(4), result)
        path = tmp_path / "page.json"
        path.write_bytes(body(page([bucket])))
        ingest.import_paths(organisation, slug, [path], "acme")
        return UsageRecord.objects.get()

    return run


def sonnet(**fields: object) -> Json:
    return messages(model=SONNET, service_tier="standard", **fields)


def test_a_million_tokens_in_a_day_are_no_long_request(rated):
    """$3.00, not the $6.00 of a pricer that takes the day for one request."""
    record = rated("anthropic_usage", sonnet(uncached_input_tokens=1_000_000, context_window="0-200k"))
    assert (record.list_cost, record.rating_flags) == (Decimal(3), 0)


def test_a_bucket_of_unknown_context_is_priced_at_the_base_and_says_so(rated):
    record = rated("anthropic_usage", sonnet(uncached_input_tokens=1_000_000))
    assert (record.list_cost, record.rating_flags) == (Decimal(3), CONTEXT_TIER_UNKNOWN)


def test_a_long_context_window_is_priced_above_200k(rated):
    """250k tokens at $6 and 1k out at $22.50 a million, whole."""
    record = rated(
        "anthropic_usage", sonnet(uncached_input_tokens=250_000, output_tokens=1_000, context_window="200k-1M")
    )
    assert (record.list_cost, record.rating_flags) == (Decimal("1.5225"), 0)


def test_openais_day_is_priced_at_the_base_tier_and_says_so(rated):
    """$5.00 for a million tokens of gpt-5.5, not $10.00."""
    record = rated("openai_usage", completion(model="gpt-5.5-2026-04-23", input_tokens=1_000_000, output_tokens=0))
    assert (record.list_cost, record.rating_flags) == (Decimal(5), CONTEXT_TIER_UNKNOWN)


def test_cached_tokens_cost_what_cached_tokens_cost(rated):
    record = rated("openai_usage", completion(model="gpt-5.5", input_tokens=1_000_000, input_cached_tokens=1_000_000))
    assert record.list_cost == Decimal("0.5")


def test_cache_writes_cost_what_their_lifetime_costs(rated):
    """5 minutes at 1.25 times the input, one hour at twice."""
    writes = {"ephemeral_5m_input_tokens": 1_000_000, "ephemeral_1h_input_tokens": 1_000_000}
    record = rated("anthropic_usage", sonnet(cache_creation=writes, context_window="0-200k"))
    assert record.list_cost == Decimal("9.75")


@pytest.mark.parametrize(
    ("slug", "result", "cost"),
    [
        ("openai_usage", completion(model="gpt-5", input_tokens=100_000, batch=True), "0.0625"),
        ("openai_usage", completion(model="gpt-5", input_tokens=100_000, batch=False), "0.125"),
        (
            "anthropic_usage",
            sonnet(uncached_input_tokens=1_000_000, context_window="0-200k") | {"service_tier": "batch"},
            "1.5",
        ),
    ],
    ids=["openai batch", "openai standard", "anthropic batch"],
)
def test_a_batch_has_its_discount(rated, slug, result, cost):
    record = rated(slug, result)
    assert (record.list_cost, record.unpriced_reason) == (Decimal(cost), None)


@pytest.mark.parametrize("tier", ["priority_on_demand", "flex_discount"])
def test_a_tier_without_a_price_is_unpriced_and_never_standard(rated, tier):
    record = rated("anthropic_usage", sonnet(output_tokens=5) | {"service_tier": tier})
    assert (record.list_cost, record.unpriced_reason) == (None, "tier")


def test_tokens_that_are_priced_apart_stay_unpriced_when_rated_again(tmp_path, organisation):
    result = completion(model="gpt-5.5", input_tokens=100, output_tokens=100) | {"output_audio_tokens": 60}
    (tmp_path / "page.json").write_bytes(body(page([openai_bucket(day(4), result)])))
    ingest.import_paths(organisation, "openai_usage", [tmp_path / "page.json"], "acme")
    for _ in range(2):
        costs = dict(UsageRecord.objects.values_list("out_total", "unpriced_reason"))
        assert costs == {40: None, 60: "price"}
        assert rerate(organisation).changed == 0


def test_web_searches_and_bills_have_no_list_price(rated, organisation, tmp_path):
    rated("anthropic_usage", sonnet(output_tokens=5, context_window="0-200k"))
    searched = sonnet(output_tokens=5, context_window="0-200k", server_tool_use={"web_search_requests": 3})
    (tmp_path / "searched.json").write_bytes(body(page([anthropic_bucket(day(4), searched)])))
    ingest.import_paths(organisation, "anthropic_usage", [tmp_path / "searched.json"], "acme")
    found = UsageRecord.objects.order_by("requests").values_list("requests", "list_cost", "unpriced_reason")
    assert list(found) == [(3, None, "tokens"), (None, Decimal("0.000075"), None)]
