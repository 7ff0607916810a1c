"""The file of OpenAI as it stood on 2026-08-21."""

import json
from collections import Counter
from decimal import Decimal

import pytest

from pricing.sources import portkey

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def body(shared_data):
    return (shared_data / "prices/other/portkey-openai_2026-08-21.json").read_bytes()


@pytest.fixture(scope="module")
def prices(body):
    return {
        (s.sku, s.region, s.service_tier, s.context_from, s.unit, s.qualifier): (s.amount, s.per)
        for s in portkey.parse(body).statements
    }


def test_prices_a_person_read_in_the_file(prices):
    for key, amount, per in (
        (("gpt-4o", "", "standard", 0, "input", ""), "2.5", 1_000_000),
        (("gpt-4o", "", "priority", 0, "cache_read", ""), "2.125", 1_000_000),
        (("gpt-4o", "", "standard", 0, "web_search", ""), "10", 1000),
        (("gpt-5.4", "", "standard", 272_000, "output", ""), "22.5", 1_000_000),
        (("gpt-5.4", "", "flex", 0, "input", ""), "1.25", 1_000_000),
        (("gpt-realtime-2", "", "standard", 0, "input_image", ""), "5", 1_000_000),
        (("dall-e-3", "", "standard", 0, "image", "hd 1024x1792"), "0.12", 1),
        (("gpt-image-1", "", "standard", 0, "output_image", ""), "40", 1_000_000),
        (("sora-2", "", "batch", 0, "output_video_second", "720x1280"), "0.05", 1),
        (("text-embedding-3-large", "", "batch", 0, "input", ""), "0.065", 1_000_000),
    ):
        assert prices[key] == (Decimal(amount), per), key


def test_the_batch_of_a_text_model_costs_half(prices):
    compared = 0
    for (sku, region, tier, context, unit, qualifier), (amount, _) in prices.items():
        if tier == "batch" and unit in ("input", "output") and context == 0 and sku.startswith("gpt-5"):
            standard, _ = prices[sku, region, "standard", context, unit, qualifier]
            compared += 1
            assert amount * 2 == standard, (sku, unit)
    assert compared > 200


def test_nothing_costs_more_than_the_dearest_model_did(prices):
    assert max(amount for (*_, unit, _), (amount, per) in prices.items() if per == 1_000_000) == 600


def leaves(stated, path=()):
    for key, value in stated.items():
        if isinstance(value, dict) and set(value) == {"price"}:
            yield (*path, key)
        elif isinstance(value, dict) and key != "calculate":
            yield from leaves(value, (*path, key))


def only(entry, path):
    """The entry with that one price left."""
    if not path:
        return entry
    kept = {path[0]: only(entry[path[0]], path[1:])}
    return kept | ({"context_tier_map": entry["context_tier_map"]} if "context_tier_map" in entry else {})


def test_every_price_of_the_file_is_a_statement_or_one_count(body):
    models = json.loads(body)
    del models["default"]
    beside = {"beside": {"pricing_config": {"pay_as_you_go": {"request_token": {"price": 0.0001}}}}}
    seen = Counter()
    for sku, entry in models.items():
        for path in leaves(entry):
            alone = {"pricing_config": {}} | only(entry, path)
            reading = portkey.parse(json.dumps(beside | {sku: alone}).encode())
            stated = len(reading.statements) - 1
            regions = next((len(part.split(",")) for part in path if "," in part), 1)
            called = path[-1] in ("web_search", "file_search")
            assert stated + reading.unplaced.total() == (1 if called else regions), (sku, path)
            seen["stated" if stated else next(iter(reading.unplaced))] += 1
    assert set(seen) == {
        "stated", "price of zero", "training of a fine-tuned model",
        "price of a minute or a character under a token's name",
    }  # fmt: skip
