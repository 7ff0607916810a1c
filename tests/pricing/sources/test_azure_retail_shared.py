"""The meters of a real day, 2026-08-11, each listed once with its regions; here expanded to the API's item a region."""

import gzip
import json
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pricing.sources import azure_retail
from tests.pricing.sources.test_azure_retail import item, page

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def meters_of_a_day(shared_data):
    body = gzip.decompress((shared_data / "prices/other/azure-retail-openai-foundry_2026-08-11.json.gz").read_bytes())
    return json.loads(body)["items"]


def items_of(meter):
    return [
        item(meter["meterName"], meter["retailPrice"], region, meter["effectiveStartDate"][:10],
             meter["unitOfMeasure"], meter["productName"])
        for region in meter["regions"]
    ]  # fmt: skip


@pytest.fixture(scope="module")
def reading(meters_of_a_day):
    return azure_retail.parse(page(*(row for meter in meters_of_a_day for row in items_of(meter))))


@pytest.fixture(scope="module")
def prices(reading):
    """(sku, region, service tier, context) → unit → amount."""
    found = defaultdict(dict)
    for s in reading.statements:
        found[s.sku, s.region, s.service_tier, s.context_from][s.unit] = s.amount
    return found


def test_prices_a_person_read_in_the_file(prices):
    expected = {
        ("gpt-4o-2024-08-06", "", "standard", 0): {"input": "2.5", "output": "10", "cache_read": "1.25"},
        ("gpt-4o-2024-08-06", "us", "standard", 0): {"input": "2.75", "output": "11", "cache_read": "1.375"},
        ("gpt-4o-2024-11-20", "northeurope", "standard", 0): {"input": "3.3", "output": "13.2", "cache_read": "1.65"},
        ("gpt-4.1-mini", "", "priority", 0): {"input": "0.7", "output": "2.8", "cache_read": "0.175"},
        ("gpt-5-pro", "", "standard", 0): {"input": "15", "output": "120"},
        ("gpt-5.4", "eu", "standard", 0): {"input": "2.75", "output": "16.5", "cache_read": "0.275"},
        ("gpt-5.4", "", "standard", 272_000): {"input": "5", "output": "22.5", "cache_read": "0.5"},
        ("gpt-5.6-sol", "", "standard", 0): {
            "input": "5", "output": "30", "cache_read": "0.5", "cache_write": "6.25",
        },
        ("o4-mini-2025-04-16", "", "batch", 0): {"input": "0.55", "output": "2.2"},
        ("gpt-4o-realtime-preview-2024-12-17", "", "standard", 0): {
            "input": "5", "output": "20", "input_audio": "40", "output_audio": "80", "cache_read": "2.5",
            "cache_read_audio": "2.5",
        },
        ("gpt-image-1.5", "", "standard", 0): {
            "input": "5", "output": "10", "cache_read": "1.25", "input_image": "8", "output_image": "32",
            "cache_read_image": "2",
        },
        ("grok-4.3", "", "standard", 200_000): {"input": "2.5", "output": "5", "cache_read": "0.4"},
        ("deepseek-v3.2", "", "standard", 0): {"input": "0.58", "output": "1.68"},
    }  # fmt: skip
    for key, amounts in expected.items():
        assert prices[key] == {unit: Decimal(amount) for unit, amount in amounts.items()}, key


def test_the_batch_of_a_global_openai_model_costs_half(prices):
    compared = 0
    for (sku, region, tier, context), batch in prices.items():
        if tier == "batch" and region == "" and sku.startswith(("gpt-", "o")):
            standard = prices[sku, region, "standard", context]
            for unit in {"input", "output"} & batch.keys():
                compared += 1
                assert batch[unit] * 2 == standard[unit], (sku, unit)
    assert compared >= 40


def test_a_price_per_thousand_agrees_with_the_sibling_per_million(prices):
    # gpt-5-codex is metered per 1K, gpt-5.1-codex per 1M, at one list price but for the 1K meter's sixth decimal.
    assert prices["gpt-5-codex", "", "standard", 0] == prices["gpt-5.1-codex", "", "standard", 0]
    assert prices["gpt-5-codex", "us", "standard", 0]["cache_read"] == Decimal("0.138")
    assert prices["gpt-5.1-codex", "us", "standard", 0]["cache_read"] == Decimal("0.1375")


def test_dates_are_the_meters_own(reading):
    (statement,) = (
        s for s in reading.statements
        if (s.sku, s.region, s.unit, s.service_tier) == ("gpt-4o-2024-08-06", "", "input", "standard")
    )  # fmt: skip
    assert statement.effective_from == datetime(2024, 8, 1, tzinfo=UTC)


def test_no_price_is_stated_twice_and_no_two_meters_disagree(reading):
    keys = [
        (s.sku, s.region, s.unit, s.service_tier, s.context_from, s.effective_from) for s in reading.statements
    ]  # fmt: skip
    assert len(keys) == len(set(keys))
    assert "one model in one region under two prices" not in reading.unplaced


def test_every_meter_is_a_statement_or_one_count(meters_of_a_day):
    beside = item("5.4 inp rg 1M Tokens", region="nowhere")
    for meter in meters_of_a_day:
        row = items_of(meter)[0]
        reading = azure_retail.parse(page(beside, row))
        amounts = [s.amount for s in reading.statements if s.region != "nowhere"]
        assert reading.unplaced.total() == (not amounts), row
        for amount in amounts:
            assert amount == Decimal(str(row["retailPrice"])) * {"1K": 1000, "1M": 1}[row["unitOfMeasure"]], row


def test_most_rows_are_placed(meters_of_a_day, reading):
    rows = sum(len(meter["regions"]) for meter in meters_of_a_day)
    assert reading.unplaced.total() < rows / 4


def test_a_condensed_copy_reads_as_the_items_it_stands_for(shared_data, reading):
    body = gzip.decompress((shared_data / "prices/other/azure-retail-openai-foundry_2026-08-11.json.gz").read_bytes())
    assert azure_retail.parse(body).statements == reading.statements
