"""The real pages of DeepSeek, Z.ai and Kimi of summer 2026, against facts read on them by eye."""

import gzip

import pytest

from pricing.sources import deepseek_page, kimi_page, zai_page

pytestmark = pytest.mark.shared


def page(shared_data, name):
    return gzip.decompress((shared_data / "pages" / f"{name}.html.gz").read_bytes())


def amounts(reading, sku):
    return {s.unit: f"{s.amount.normalize():f}" for s in reading.statements if s.sku == sku}


def test_deepseek_in_yuan(shared_data):
    reading = deepseek_page.parse(page(shared_data, "deepseek"))
    assert amounts(reading, "deepseek-v4-flash") == {"cache_read": "0.02", "input": "1", "output": "2"}
    assert amounts(reading, "deepseek-v4-pro") == {"cache_read": "0.025", "input": "3", "output": "6"}
    assert {(s.currency, s.region) for s in reading.statements} == {("CNY", "cn")}
    assert {a.name: a.sku for a in reading.aliases} == {
        "deepseek-chat": "deepseek-v4-flash", "deepseek-reasoner": "deepseek-v4-flash"
    }  # fmt: skip
    assert reading.unplaced == {"row about no price": 10}


def test_zai_in_dollars(shared_data):
    reading = zai_page.parse(page(shared_data, "zai"))
    assert amounts(reading, "glm-5.2") == {"input": "1.4", "cache_read": "0.26", "cache_storage": "0", "output": "4.4"}
    assert amounts(reading, "glm-4.5-airx")["output"] == "4.5"
    assert amounts(reading, "glm-4-32b-0414-128k") == {"input": "0.1", "output": "0.1"}
    assert amounts(reading, "glm-4.6v-flashx")["cache_read"] == "0.004"
    assert amounts(reading, "glm-ocr") == {"input": "0.03", "output": "0.03"}
    assert amounts(reading, "glm-4.7-flash")["output"] == "0"
    assert amounts(reading, "cogview-4") == {"image": "0.01"}
    assert amounts(reading, "vidu2-reference") == {"video": "0.4"}
    assert amounts(reading, "web_search") == {"web_search": "0.01"}
    assert len(reading.statements) == 86
    assert reading.unplaced == {"row of a table without units": 4}  # GLM-ASR-2512 and three agents


def test_kimi_in_yuan(shared_data):
    body = page(shared_data, "kimi1")
    reading = kimi_page.parse(body)
    assert amounts(reading, "kimi-k2.6") == {"cache_read": "1.1", "input": "6.5", "output": "27"}
    assert [(o.region, o.context_window) for o in reading.offerings] == [("cn", 262_144)]
    assert reading.unplaced == {}
    assert kimi_page.next_page(body) == "https://platform.kimi.com/docs/pricing/chat-k25"
