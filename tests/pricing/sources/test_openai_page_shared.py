"""The real page of August 2026, against facts read on it by eye."""

import gzip

import pytest

from pricing.sources.openai_page import parse


@pytest.fixture(scope="module")
def reading(shared_data):
    return parse(gzip.decompress((shared_data / "pages" / "openai_pricing_raw.html.gz").read_bytes()))


def amounts(reading, sku, tier="standard", beyond=0, qualifier=""):
    return {
        s.unit: str(s.amount.normalize())
        for s in reading.statements
        if (s.sku, s.service_tier, s.context_from, s.qualifier) == (sku, tier, beyond, qualifier)
    }


pytestmark = pytest.mark.shared


def test_a_flagship_model_has_every_tier_and_both_context_lengths(reading):
    assert amounts(reading, "gpt-5.6-terra") == {
        "input": "2", "cache_read": "0.2", "cache_write": "2.5", "output": "12"
    }  # fmt: skip
    assert amounts(reading, "gpt-5.6-terra", "flex", 272_000) == {
        "input": "2", "cache_read": "0.2", "cache_write": "2.5", "output": "9"
    }  # fmt: skip
    for name in ("fast", "priority"):
        assert amounts(reading, "gpt-5.6-luna", name)["output"] == "2.4"
        assert amounts(reading, "gpt-5.6-luna", name, 272_000)["output"] == "3.6"


def test_rows_behind_the_button_are_read_as_well(reading):
    assert amounts(reading, "gpt-4.1-nano", "batch") == {"input": "0.05", "output": "0.2"}
    assert amounts(reading, "o4-mini", "flex") == {"input": "0.55", "cache_read": "0.138", "output": "2.2"}
    assert amounts(reading, "gpt-5.5-cyber") == {"input": "12.5", "cache_read": "1.25", "output": "75"}


def test_modalities_and_other_measures(reading):
    assert amounts(reading, "gpt-realtime-2.1-mini") == {
        "input": "0.6", "cache_read": "0.06", "output": "2.4",
        "input_audio": "1E+1", "cache_read_audio": "0.3", "output_audio": "2E+1",
        "input_image": "0.8", "cache_read_image": "0.08",
    }  # fmt: skip
    assert amounts(reading, "gpt-image-1.5", "batch")["cache_read"] == "0.63"
    assert amounts(reading, "sora-2-pro", qualifier="1080p") == {"second": "0.7"}
    assert amounts(reading, "tts-1-hd") == {"input_characters": "3E+1"}
    assert amounts(reading, "ft:gpt-4o-2024-08-06", "batch") == {
        "input": "2.225", "cache_read": "0.9", "output": "12.5"
    }  # fmt: skip
    assert amounts(reading, "omni-moderation-latest") == {"input": "0"}


def test_every_row_is_a_statement_or_counted(reading):
    assert len(reading.statements) == 638
    assert reading.unplaced == {
        "regional uplift stated in a sentence": 4,  # one under each table of text tokens
        "long-context prices the page does not hold": 14,  # 4 standard, 4 batch, 4 flex, 2 fast: "(<272K …)"
        "estimated cost of a minute billed by tokens": 3,  # the three gpt-4o transcribers
        "row without a price": 1,  # gpt-5.4-cyber
    }
    assert {(a.name, a.sku) for a in reading.aliases} == {
        ("daybreak-blue-latest", "gpt-5.6-sol"), ("daybreak-red-latest", "gpt-5.6-cyber")
    }  # fmt: skip
