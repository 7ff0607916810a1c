"""The real pages of October and November 2025, against facts read on them by eye."""

import pytest

from pricing.sources.anthropic_page import parse

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def readings(shared_data):
    return {
        day: parse((shared_data / "pages" / f"pricing_{day}.md").read_bytes()) for day in ("2025-10-20", "2025-11-25")
    }


def amounts(reading, sku, tier="standard", beyond=0):
    return {
        s.unit: str(s.amount)
        for s in reading.statements
        if (s.sku, s.service_tier, s.context_from) == (sku, tier, beyond)
    }


def test_a_model_of_the_later_page_is_not_on_the_earlier(readings):
    assert amounts(readings["2025-10-20"], "claude-opus-4-5") == {}
    assert amounts(readings["2025-11-25"], "claude-opus-4-5") == {
        "input": "5", "cache_write_5m": "6.25", "cache_write_1h": "10", "cache_read": "0.50", "output": "25"
    }  # fmt: skip
    assert amounts(readings["2025-11-25"], "claude-opus-4-5", "batch") == {"input": "2.50", "output": "12.50"}


@pytest.mark.parametrize("day", ["2025-10-20", "2025-11-25"])
def test_both_spellings_of_the_page_say_the_same_of_what_did_not_change(readings, day):
    reading = readings[day]
    assert amounts(reading, "claude-3-haiku-20240307", "batch") == {"input": "0.125", "output": "0.625"}
    assert amounts(reading, "claude-sonnet-4-0", beyond=200_000) == {
        "input": "6", "output": "22.50", "cache_write_5m": "7.50", "cache_write_1h": "12", "cache_read": "0.6"
    }  # fmt: skip
    assert amounts(reading, "claude-opus-4-1", beyond=200_000) == {}
    assert amounts(reading, "web_search") == {"web_search": "10"}
    assert amounts(reading, "code_execution") == {"container_hour": "0.05"}


def test_every_row_is_a_statement_or_counted(readings):
    premium = {"regional premium of other platforms stated in a sentence": 1}
    earlier, later = readings["2025-10-20"], readings["2025-11-25"]
    assert earlier.unplaced == {"row of a table without prices": 17} | premium
    assert later.unplaced == {"row of a table without prices": 15} | premium
    assert {o.name for o in later.offerings if o.deprecated} == {"Claude Sonnet 3.7", "Claude Opus 3"}
    # Ten rows of five and of two prices, and seven of long context for two models: each for every id of its model.
    names = {o.sku: o.name for o in later.offerings}
    prices = {(names[s.sku], s.unit, s.service_tier, s.context_from) for s in later.statements}
    assert len(prices) == 10 * 7 + 2 * 7 + 2
