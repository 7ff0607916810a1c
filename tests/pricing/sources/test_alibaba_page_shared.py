"""The real document of August 2026, against facts read in it by eye."""

import gzip
import json

import pytest

from pricing.sources.alibaba_page import URL, parse
from pricing.sources.alibaba_page.columns import read_columns
from pricing.sources.alibaba_page.ledger import Ledger
from pricing.sources.alibaba_page.rows import PLACES, enter
from pricing.tables import Heading, Table, read_page

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def body(shared_data):
    return gzip.decompress((shared_data / "pages" / "aliyun_bailian_zh.json.gz").read_bytes())


@pytest.fixture(scope="module")
def reading(body):
    return parse(body)


def amounts(reading, sku, region="cn", tier="standard", beyond=0):
    return {
        f"{s.unit}[{s.qualifier}]" if s.qualifier else s.unit: f"{s.amount.normalize():f}"
        for s in reading.statements
        if (s.sku, s.region, s.service_tier, s.context_from) == (sku, region, tier, beyond)
    }


def test_a_model_costs_what_its_tier_says_at_each_place(reading):
    assert amounts(reading, "qwen3.5-plus") == {"input": "0.8", "output": "4.8", "output[thinking]": "4.8"}
    assert amounts(reading, "qwen3.5-plus", beyond=128_000) == {"input": "2", "output": "12", "output[thinking]": "12"}
    assert amounts(reading, "qwen3.5-plus", beyond=256_000) == {"input": "4", "output": "24", "output[thinking]": "24"}
    assert amounts(reading, "qwen3.5-plus", "intl") == {
        "input": "2.936", "output": "17.614", "output[thinking]": "17.614"
    }  # fmt: skip
    assert amounts(reading, "qwen3.5-plus", "global") == amounts(reading, "qwen3.5-plus")
    assert amounts(reading, "qwen-plus", "eu", beyond=256_000) == {
        "input": "8.993", "output": "26.979", "output[thinking]": "89.93"
    }  # fmt: skip
    assert amounts(reading, "qwen3.7-max-us", "us") == {"input": "9.368", "output": "28.1035"}  # 限时5折
    assert amounts(reading, "qwen3.7-plus", "jp") == {
        "input": "2.998", "output": "11.991", "output[thinking]": "11.991"
    }  # fmt: skip


def test_batch_is_half_and_a_promotion_is_taken_off(reading):
    assert amounts(reading, "qwen-plus", tier="batch") == {"input": "0.4", "output": "1", "output[thinking]": "4"}
    assert amounts(reading, "text-embedding-v4", tier="batch") == {"input": "0.25"}
    assert amounts(reading, "qwen3.7-plus") == {"input": "1.6", "output": "6.4", "output[thinking]": "6.4"}
    assert amounts(reading, "qwen3.7-plus", tier="batch") == {}


def test_a_model_with_one_mode_has_one_price(reading):
    assert amounts(reading, "qwen3-235b-a22b-thinking-2507") == {"input": "2", "output": "20"}
    assert amounts(reading, "qwen3-next-80b-a3b-instruct") == {"input": "1", "output": "4"}
    assert amounts(reading, "qwen3-235b-a22b") == {"input": "2", "output": "8", "output[thinking]": "20"}


def test_models_of_others_sold_by_alibaba(reading):
    assert amounts(reading, "deepseek-v4-pro") == {"input": "12", "output": "24"}
    assert amounts(reading, "kimi/kimi-k3") == {"input": "20", "output": "100"}
    assert amounts(reading, "glm-5.1", beyond=32_000) == {"input": "8", "output": "28"}
    assert amounts(reading, "vanchin/deepseek-ocr") == {"input": "0.216", "output": "0.216"}
    assert amounts(reading, "deepseek-r1-distill-qwen-1.5b") == {"input": "0", "output": "0"}
    assert [o.sku for o in reading.offerings if o.retired] == ["deepseek-r1-distill-llama-8b"]


def test_modalities_and_other_measures(reading):
    assert amounts(reading, "qwen3-omni-flash") == {
        "input": "1.8", "input_audio": "15.8", "input_image": "3.3", "input_video": "3.3",
        "output": "6.9", "output[multimodal_input]": "12.7", "output_audio": "62.6",
    }  # fmt: skip
    assert amounts(reading, "qwen3.5-omni-plus") == {
        "input": "7", "input_image": "7", "input_video": "7", "input_audio": "53", "output": "40", "output_audio": "213"
    }  # fmt: skip
    assert amounts(reading, "qwen-image-3.0-pro") == {
        "image[input,1k]": "0.02", "image[1k]": "0.25", "image[input,2k]": "0.02", "image[2k]": "0.5"
    }  # fmt: skip
    assert amounts(reading, "wan2.2-s2v") == {"second[480P]": "0.5", "second[720P]": "0.9"}
    assert amounts(reading, "wan2.2-animate-mix", "intl") == {
        "second[wan-std]": "1.321063",
        "second[wan-pro]": "1.908202",
    }
    assert amounts(reading, "paraformer-8k-v1") == {"input_audio_second": "0.00008"}
    assert amounts(reading, "fun-music-v1") == {"output_audio_second": "0.002"}
    assert amounts(reading, "cosyvoice-v3-plus") == {"input_characters": "2"}
    assert amounts(reading, "Tripo/Tripo-P1.0")["request[文生3D,带高清贴图]"] == "3.5"
    assert amounts(reading, "gui-plus-2026-02-26") == {"input": "1.5", "output": "4.5"}


def test_a_name_points_at_its_snapshot_as_in_china(reading):
    names = {a.name: a.sku for a in reading.aliases}
    assert names["qwen3.5-plus"] == "qwen3.5-plus-2026-02-15"
    assert names["qwen3-vl-flash"] == "qwen3-vl-flash-2026-01-22"  # from Virginia it is still the one of 2025
    assert len(names) == 38


def test_all_is_in_yuan_and_nothing_without_a_region(reading):
    assert {s.currency for s in reading.statements} == {"CNY"}
    assert {s.region for s in reading.statements} == {"cn", "global", "intl", "us", "eu", "jp"}
    assert len(reading.statements) == 2418
    assert reading.unplaced == {
        "free quota of a new account": 345,
        "cache discount stated on another page": 87,
        "side that is not billed": 28,
        "model on trial only, not for sale": 12,
        "batch price of a model on promotion": 8,
        "price from a number of images on": 6,  # aitryon-refiner
        "row of a table without models or prices, or of an unknown heading": 4,  # quotas of AI试衣
        "price of an unknown region": 4,  # MiniMax/speech-*, whose table stands under no place
        "column of prices of voices": 1,
        "model no longer sold": 1,
        "free of charge per nobody says what": 1,  # facechain-facedetect
        "row without a model's id": 1,  # Sambert: 参见模型列表
    }


def test_every_row_of_every_table_states_something_or_is_counted(body):
    place, rows = "", 0
    for item in read_page(json.loads(body)["data"]["content"]):
        if isinstance(item, Heading) and item.text in PLACES:
            place = item.text
        if not isinstance(item, Table) or (columns := read_columns(item)) is None:
            continue
        for row in item.rows:
            ledger = Ledger(URL)
            enter(row, columns, place, ledger)
            reading = ledger.reading()
            assert reading.statements or reading.unplaced, [cell.text for cell in row]
            rows += 1
    assert rows == 1522
