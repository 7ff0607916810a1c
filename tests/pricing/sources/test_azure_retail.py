"""What an Azure meter's name says, and where its price holds."""

import json
from datetime import UTC, datetime

import pytest

from pricing.sources import SourceError, azure_retail
from pricing.sources.azure_retail import meters


def item(name, price=1.0, region="eastus", start="2026-01-01", unit="1M", product="Azure OpenAI", **more):
    return {
        "currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": price, "armRegionName": region,
        "effectiveStartDate": f"{start}T00:00:00Z", "unitOfMeasure": unit, "meterName": name, "productName": product,
        "type": "Consumption",
    } | more  # fmt: skip


def page(*items, following=None):
    return json.dumps({"Items": items, "NextPageLink": following}).encode()


def read(*items):
    return azure_retail.parse(page(*items))


@pytest.mark.parametrize(
    ("product", "name", "expected"),
    [
        ("Azure OpenAI", "gpt 4o 0806 cached Inp Data Zone Tokens", "gpt-4o-2024-08-06 cache_read standard 0 datazone"),
        ("Azure OpenAI", "gpt-4o-0806-Batch-Outp-glbl Tokens", "gpt-4o-2024-08-06 output batch 0 global"),
        ("Azure OpenAI", "gpt 4o mini0718 BatchOutp DataZone Tokens", "gpt-4o-mini-2024-07-18 output batch 0 datazone"),
        ("Azure OpenAI", "gpt4omini-rt-aud1217 cchd Inp DZn Tokens",
         "gpt-4o-mini-realtime-preview-2024-12-17 cache_read_audio standard 0 datazone"),
        ("Azure OpenAI Media", "gpt aud mn txt out gl 1215 1M Tokens",
         "gpt-audio-mini-2025-12-15 output standard 0 global"),
        ("Azure OpenAI Media", "gpt img 1 mini inp cchd txt rgnl Tokens",
         "gpt-image-1-mini cache_read standard 0 regional"),
        ("Azure OpenAI Media", "Image 2 img Batch opt DZ 1M Tokens", "gpt-image-2 output_image batch 0 datazone"),
        ("Azure OpenAI GPT5", "GPT 5 Batch Inpt cchd Dzone 1M Tokens", "gpt-5 cache_read batch 0 datazone"),
        ("Azure OpenAI GPT5", "5.6 sol ShortCo Cd Wr PP DZ 1M Tokens", "gpt-5.6-sol cache_write priority 0 datazone"),
        ("Azure OpenAI GPT5", "5.4 pro longco batch opt Gl 1M Tokens", "gpt-5.4-pro output batch 272000 global"),
        ("Azure Grok Models", "4.3 Cached Inp DZ L Tokens", "grok-4.3 cache_read standard 200000 datazone"),
        ("Azure OpenAI", "gpt-4o-0806-cached-FT-inp-glbl Tokens", "ft:gpt-4o-2024-08-06 cache_read standard 0 global"),
    ],
)  # fmt: skip
def test_a_meter_name_is_read_word_by_word(product, name, expected):
    meter = meters.read(product, name)
    assert not isinstance(meter, str), meter
    assert f"{' '.join(meter.skus)} {meter.unit} {meter.service_tier} {meter.context_from} {meter.scope}" == expected


@pytest.mark.parametrize(
    ("product", "name", "kind"),
    [
        ("Azure OpenAI", "gpt 9o 0806 Inp glbl Tokens", "unrecognised model of Azure OpenAI"),
        ("Azure OpenAI", "gpt 4o 0806 strange Inp glbl Tokens", "unrecognised model of Azure OpenAI"),
        ("Azure OpenAI", "V3.2 Inp glbl Tokens", "unrecognised model of Azure OpenAI"),
        ("A new product", "gpt 4o 0806 Inp glbl Tokens", "unrecognised model of A new product"),
        ("Azure OpenAI", "gpt 4o 0806 Inp Tokens", "meter that names no deployment scope"),
        ("Azure OpenAI", "gpt 4o 0806 Inp glbl dz Tokens", "meter that names two deployment scopes"),
        ("Azure OpenAI", "gpt 4o 0806 glbl Tokens", "meter whose direction is not clear"),
        ("Azure OpenAI GPT5", "5.2 LongCo inp Gl 1M Tokens", "long-context meter without a documented threshold"),
        ("Azure OpenAI", "gpt-4.1-dev-ft inpt glbl Tokens", "developer tier meter"),
    ],
)
def test_a_meter_with_one_unknown_word_is_counted_and_not_guessed(product, name, kind):
    assert meters.read(product, name) == kind


def test_a_price_per_thousand_and_one_per_million_are_one_price():
    name = "gpt 5 pro inp glbl Tokens"
    (statement,) = read(item(name, 0.015, unit="1K"), item(name, 15, region="westus", unit="1M")).statements
    assert (statement.amount, statement.region) == (15, "")


def test_a_global_price_begins_where_its_first_region_began():
    name = "GPT 5 Inpt Glbl 1M Tokens"
    (statement,) = read(item(name, start="2026-06-01"), item(name, region="westus", start="2025-08-01")).statements
    assert (statement.effective_from, statement.precision) == (datetime(2025, 8, 1, tzinfo=UTC), "day")


def test_a_data_zone_is_one_offering_and_regions_billed_differently_are_not():
    name = "5.4 inp Dz 1M Tokens"
    alike = read(item(name, 2.75), item(name, 2.75, region="swedencentral"), item(name, 2.75, region="westeurope"))
    assert [(s.region, s.amount) for s in alike.statements] == [("us", alike.statements[0].amount), ("eu", 2.75)]
    differing = read(item(name, 2.75, region="swedencentral"), item(name, 3, region="polandcentral"))
    assert [s.region for s in differing.statements] == ["datazone-swedencentral", "datazone-polandcentral"]
    assert differing.unplaced == {"datazone price kept by region: its regions differ": 1}


def test_a_later_start_ends_the_price_before_it():
    name = "GPT 5 Inpt Glbl 1M Tokens"
    before, after = read(item(name, 2, start="2025-08-01"), item(name, 1, start="2026-08-01")).statements
    assert before.effective_until == after.effective_from == datetime(2026, 8, 1, tzinfo=UTC)


def test_two_meters_that_disagree_state_nothing():
    reading = read(item("GPT 5 Inpt Glbl 1M Tokens", 1), item("5 inp Gl 1M Tokens", 2), item("5.4 inp Gl 1M Tokens"))
    assert [s.sku for s in reading.statements] == ["gpt-5.4"]
    assert reading.unplaced == {"one model in one region under two prices": 2}


@pytest.mark.parametrize(
    "fault",
    [
        {"price": -1}, {"price": 0}, {"price": "NaN"}, {"price": float("nan")}, {"price": float("inf")},
        {"price": None}, {"price": True}, {"price": 1e300}, {"unit": "1T"}, {"currencyCode": "EUR"},
        {"type": "Reservation"}, {"tierMinimumUnits": 100},
    ],
)  # fmt: skip
def test_what_is_no_price_in_dollars_is_counted(fault):
    reading = read(item("5.4 inp Gl 1M Tokens"), item("GPT 5 Inpt Glbl 1M Tokens", **fault))
    assert [s.sku for s in reading.statements] == ["gpt-5.4"]
    assert reading.unplaced.total() == 1


def test_pages_follow_the_link_and_a_list_of_them_reads_as_one():
    first = page(item("5.4 inp Gl 1M Tokens"), following="https://prices.azure.com:443/api/retail/prices?$skip=1000")
    last = page(item("5.4 opt Gl 1M Tokens"))
    assert azure_retail.next_page(first) == "https://prices.azure.com:443/api/retail/prices?$skip=1000"
    assert azure_retail.next_page(last) is None
    joined = b"[" + first + b"," + last + b"]"
    assert [s.unit for s in azure_retail.parse(joined).statements] == ["input", "output"]
    with pytest.raises(SourceError):
        azure_retail.next_page(b"<html>")
