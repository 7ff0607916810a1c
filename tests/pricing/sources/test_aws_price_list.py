"""Two offer files, two spellings, and every word known."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pricing.sources import SourceError, aws_price_list

HAIKU = "Claude Haiku 4.5 (Amazon Bedrock Edition)"


def product(usage, usd="0.0008", unit="1K tokens", *, region="us-east-1", start="2026-09-01", **more):
    name = {"servicename": HAIKU} if "-MP:" in usage else {"model": "Nova Pro"}
    named = {key: more.pop(key) for key in ("model", "servicename") if key in more}
    dimension = {"unit": unit, "beginRange": "0", "pricePerUnit": {"USD": usd}} | more
    attributes = {"usagetype": usage, "regionCode": region} | name | named
    return attributes, {"T": {"effectiveDate": f"{start}T00:00:00Z", "priceDimensions": {"D": dimension}}}


def offer(*products, code="AmazonBedrock"):
    return json.dumps({
        "offerCode": code,
        "products": {f"S{i}": {"attributes": attributes} for i, (attributes, _) in enumerate(products)},
        "terms": {"OnDemand": {f"S{i}": terms for i, (_, terms) in enumerate(products)}},
    }).encode()  # fmt: skip


def read(*products):
    beside = product("EUC1-NovaPro-output-tokens", region="beside")
    reading = aws_price_list.parse(offer(beside, *products))
    return [s for s in reading.statements if s.region != "beside"], reading.unplaced


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ("USE1-NovaPro-input-tokens", "amazon.nova-pro-v1:0 input standard us-east-1"),
        ("USE1-NovaPro-text-input-tokens-priority", "amazon.nova-pro-v1:0 input priority us-east-1"),
        ("USE1-MP:USE1_InputTokenCount-Units",
         "regional.anthropic.claude-haiku-4-5-20251001-v1:0 input standard us-east-1"),
        ("USE1-MP:USE1_OutputTokenCount_Global_Batch-Units",
         "global.anthropic.claude-haiku-4-5-20251001-v1:0 output batch "),
        ("USE1-MP:USE1_cache_write_tokens_1h_global_standard-Units",
         "global.anthropic.claude-haiku-4-5-20251001-v1:0 cache_write_1h standard "),
        ("USE1-MP:USE1_cache_write_tokens_standard-Units",
         "regional.anthropic.claude-haiku-4-5-20251001-v1:0 cache_write_5m standard us-east-1"),
    ],
)  # fmt: skip
def test_a_usage_type_names_token_tier_and_scope(usage, expected):
    ((s,), _) = read(product(usage))
    assert f"{s.sku} {s.unit} {s.service_tier} {s.region}" == expected


@pytest.mark.parametrize(
    "usage",
    [
        "USE1-NovaPro-latency-optimized-input-tokens", "USE1-NovaPro-input-tokens-custom-model",
        "USE1-NovaLite-input-tokens", "USE1-NovaPro-input-tokens-cross-region-geo", "USE1-NovaPro-input-video-second",
        "USE1-MP:USE1_InputTokenCount_LCtx-Units", "USE1-MP:USE1_input_tokens_standard_long_ctx-Units",
        "USE1-MP:USE1_Reserved_1Month_InputTPM_Geo-Units",
    ],
)  # fmt: skip
def test_a_usage_type_with_one_unknown_word_is_counted(usage):
    assert read(product(usage)) == ([], {"usage that is no known kind of token": 1})


def test_a_name_nobody_declared_is_counted():
    usage = "USE1-MP:USE1_InputTokenCount-Units"
    assert read(product(usage, servicename="Some Model 9 (Amazon Bedrock Edition)")) == ([], {"unrecognised model": 1})
    assert read(product(usage, servicename="Some Service")) == ([], {"product of another service": 1})


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"usd": "-1"}, "amount that is no price"), ({"usd": "NaN"}, "amount that is no price"),
        ({"usd": "Infinity"}, "amount that is no price"), ({"usd": 1}, "amount that is no price"),
        ({"usd": "99999"}, "amount that is no price"), ({"usd": "0.0000000000"}, "price of zero"),
        ({"unit": "1G tokens"}, "price per 1G tokens"), ({"unit": "Units"}, "price per Units"),
        ({"pricePerUnit": {"CNY": "0.0008"}}, "price in another currency"),
        ({"beginRange": "1000"}, "price above a used quantity"),
    ],
)  # fmt: skip
def test_what_is_no_price_in_dollars_is_counted(fault, kind):
    assert read(product("USE1-NovaPro-input-tokens", **fault)) == ([], {kind: 1})


def test_a_price_per_thousand_and_one_per_million_are_one_price():
    ((per_thousand,), _) = read(product("USE1-NovaPro-input-tokens", "0.0008", "1K tokens"))
    ((per_million,), _) = read(product("USE1-NovaPro-input-tokens", "0.8", "1M tokens"))
    assert per_thousand.amount == per_million.amount == Decimal("0.8")


def test_a_global_price_is_one_from_its_first_day_and_none_where_regions_differ():
    first = product("USE1-MP:USE1_InputTokenCount_Global-Units", "1", "1M tokens")
    second = product("APN1-MP:APN1_InputTokenCount_Global-Units", "1", "1M tokens", region="ap", start="2025-10-15")
    ((s,), _) = read(first, second)
    assert (s.region, s.amount, s.effective_from) == ("", 1, datetime(2025, 10, 15, tzinfo=UTC))
    other = product("APN1-MP:APN1_InputTokenCount_Global-Units", "2", "1M tokens", region="ap")
    assert read(first, other) == ([], {"one price with several amounts": 2})


def test_the_second_offer_file_follows_the_first():
    following = aws_price_list.next_page(offer())
    assert following.endswith("/AmazonBedrockFoundationModels/current/index.json")
    assert aws_price_list.next_page(offer(code="AmazonBedrockFoundationModels")) is None
    with pytest.raises(SourceError):
        aws_price_list.next_page(b"[]")
