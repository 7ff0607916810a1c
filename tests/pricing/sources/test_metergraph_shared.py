"""Metergraph's real catalogue of 2026-10-25, against facts read from it by eye."""

import gzip
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import yaml

from pricing.sources import metergraph

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def body(shared_data):
    return gzip.decompress((shared_data / "prices" / "other" / "metergraph-prices_2026-10-25.yaml.gz").read_bytes())


@pytest.fixture(scope="module")
def reading(body):
    return metergraph.parse(body)


def held(reading, provider, sku, unit="input", when="2026-10-25", **key):
    """The always price of a key in force at the start of a day."""
    moment = datetime.fromisoformat(when).replace(tzinfo=UTC)
    key = {"service_tier": "standard", "region": "", "schedule": "", "context_from": 0} | key
    (statement,) = [
        s for s in reading.statements
        if (s.provider, s.sku, s.unit) == (provider, sku, unit) and all(getattr(s, k) == v for k, v in key.items())
        and s.effective_from <= moment and (s.effective_until is None or moment < s.effective_until)
    ]  # fmt: skip
    return statement.amount


def test_every_row_and_every_rule_has_a_home(reading):
    assert reading.unplaced == {
        "another tool's spelling of a name": 333,
        "name with a prefix before the seller's own": 142,
        "name on a channel without a price": 13,
        "price of a tool that belongs to no model": 8,
        # DeepSeek V4 Flash from the day on which its name passed to V4.1 Flash.
        "price that never held under its name": 1,
        "model without a price": 1,
        "dispute with a gateway's own figure": 1,
    }
    assert len(reading.offerings) == len({(o.provider, o.sku, o.region) for o in reading.offerings}) == 642


def test_every_price_key_of_every_row_is_stated_under_each_name_of_its_row(body, reading):
    """Counted from the file by another YAML reader: base prices only, so neither tiers nor hours."""
    base = Counter()
    for s in reading.statements:
        if s.context_from == 0 and not s.schedule:
            base[s.url, s.region, s.unit if "write" not in s.unit else "write", s.service_tier] += 1
    keys = Counter()
    for model in yaml.load(body, yaml.CSafeLoader)["models"]:
        for row in model.get("prices") or []:
            for key in row:
                if key.endswith("_per_mtok"):
                    bare = key.removesuffix("_per_mtok")
                    tier = "batch" if bare.startswith("batch_") else "standard"
                    unit = bare.removeprefix("batch_")
                    region = "" if row["region"] == "global" else row["region"]
                    keys[row["source_url"], region, "write" if "write" in unit else unit, tier] += 1
    short = {key: (count, base[key]) for key, count in keys.items() if base[key] < count}
    # The one row of DeepSeek V4 Flash that no name leads to.
    assert {(key[2], wanted - stated) for key, (wanted, stated) in short.items()} <= {
        ("input", 1), ("output", 1), ("cache_read", 1),
    }  # fmt: skip


def test_each_key_is_stated_once_at_a_time_and_fits_the_catalogue_exactly(reading):
    keys = Counter(
        (s.provider, s.sku, s.region, s.unit, s.service_tier, s.context_from, s.schedule, s.effective_from)
        for s in reading.statements
    )
    assert max(keys.values()) == 1
    assert all(s.amount == s.amount.quantize(Decimal("1e-12")) and s.amount >= 0 for s in reading.statements)
    assert {(a.provider, a.sku, "") for a in reading.aliases} <= {
        (o.provider, o.sku, o.region) for o in reading.offerings
    }


def test_the_price_of_today_holds_and_not_that_of_the_past_or_of_2027(reading):
    assert held(reading, "openai", "gpt-5.6-sol") == 4
    assert held(reading, "openai", "gpt-5.6-sol", when="2026-08-20") == 5
    assert held(reading, "openai", "gpt-5.6-sol", when="2026-08-21") == 4
    for when, price in (("2026-08-19", "1.5"), ("2026-10-25", "0.75"), ("2026-12-31", "0.75"), ("2027-01-01", "1.5")):
        assert held(reading, "google", "gemini-3.6-flash", when=when) == Decimal(price)
    assert held(reading, "google", "gemini-4-argon", when="2026-11-30") == 2
    assert held(reading, "google", "gemini-4-argon", when="2026-12-01") == 4


def test_a_launch_discount_ended_by_itself(reading):
    assert held(reading, "mistral", "mistral-large-4", when="2026-10-19") == Decimal("0.68")
    assert held(reading, "mistral", "mistral-large-4", when="2026-10-20") == Decimal("1.36")
    (discount,) = [
        s for s in reading.statements
        if (s.provider, s.sku, s.unit, s.service_tier) == ("mistral", "mistral-large-4", "input", "standard")
        and s.effective_until
    ]  # fmt: skip
    assert discount.note.startswith("The launch discount runs for two weeks from the October 6 release.")


def test_a_region_has_its_own_price_beside_the_global_one(reading):
    assert held(reading, "xai", "grok-4.7") == 2
    assert held(reading, "xai", "grok-4.7", region="us") == Decimal("2.2")
    assert held(reading, "bedrock", "global.openai.gpt-6-sol") == 2
    assert held(reading, "bedrock", "us.openai.gpt-6-sol") == Decimal("2.2")
    assert held(reading, "bedrock", "openai.gpt-6-astra", region="us-west-2") == 11
    assert not [s for s in reading.statements if s.sku == "openai.gpt-6-astra" and not s.region]


def test_tiers_hours_batches_and_free_models_are_those_a_person_read(reading):
    assert held(reading, "openai", "gpt-5.6-sol", context_from=272000) == 8
    assert held(reading, "openai", "gpt-5.6-sol", "output", context_from=272000) == 30
    assert held(reading, "openai", "gpt-5.6-sol", "output", service_tier="batch") == 10
    assert held(reading, "anthropic", "claude-haiku-5-5", context_from=100000) == 5 * held(
        reading, "anthropic", "claude-haiku-5-5"
    )
    peak = "mon-fri 01:00-04:00,06:00-10:00 UTC"
    assert held(reading, "deepseek", "deepseek-flash") == Decimal("0.15")
    assert held(reading, "deepseek", "deepseek-flash", schedule=peak) == Decimal("0.3")
    assert held(reading, "deepseek", "deepseek-v4-flash", when="2026-09-01") == Decimal("0.14")
    assert held(reading, "google", "gemma-4-31b-it", when="2026-10-01") == 0


def test_a_name_that_moved_meant_one_model_at_a_time(reading):
    meant = sorted(
        (a.valid_from, a.valid_until, a.sku) for a in reading.aliases if a.name == "gemini-flash-latest"
    )  # fmt: skip
    assert [sku for _, _, sku in meant] == [
        "gemini-3-flash-preview", "gemini-3.5-flash", "gemini-3.6-flash", "gemini-3.7-flash", "gemini-3.8-flash",
    ]  # fmt: skip
    assert all(before[1] == after[0] for before, after in zip(meant, meant[1:], strict=False))
    assert meant[-1][1] is None
