"""DeepSeek's pricing page in Chinese: what DeepSeek charges in CNY at its own API.

    <table><tr><td colspan="2">模型</td> <td>deepseek-v4-flash<sup>(1)</sup></td> <td>deepseek-v4-pro</td></tr>
    <tr><td colspan="2">模型版本</td> <td>DeepSeek-V4-Flash</td> <td>DeepSeek-V4-Pro</td></tr> …
    <tr><td rowspan="3">价格</td> <td>百万tokens输入（缓存命中）</td> <td>0.02元</td> <td>0.025元</td></tr>
    <tr><td>百万tokens输入（缓存未命中）</td> <td>1元</td> <td>3元</td></tr>
    <tr><td>百万tokens输出</td> <td>2元</td> <td>6元</td></tr></table>
    <p>(1) deepseek-chat 与 deepseek-reasoner 两个模型名将于北京时间 2026/07/24 23:59 弃用。出于兼容考虑，二者分别对应
    deepseek-v4-flash 的非思考与思考模式。</p>

One API with two lists: accounts billed in CNY pay these prices, all others the list in USD, which other sources state
without a region. The two are not each other's exchange at any one rate, so the one in CNY is an offering of its own,
region `cn`. A row of prices with any other label, such as one for some hours of the day, is counted and never taken for
the plain price.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from pricing.sources import OFFICIAL, AliasFact, OfferingFact, Reading, SourceError, Statement
from pricing.tables import Table, read_page

SLUG = "deepseek_page"
NAME = "DeepSeek's pricing page (China)"
TRUST = OFFICIAL
PRECEDENCE = 1  # the only page of DeepSeek's that we read
COPIES = ()
LICENCE = "DeepSeek's own page; its prices are carried as single facts"
URL = "https://api-docs.deepseek.com/zh-cn/quick_start/pricing"
FEED = URL
CADENCE_HOURS = 24
STATES_HISTORY = False

PROVIDER = "deepseek"
REGION = "cn"

_MODEL = "模型"
_VERSION = "模型版本"
_PRICES = "价格"
_UNITS = {
    "百万tokens输入（缓存命中）": "cache_read",
    "百万tokens输入（缓存未命中）": "input",
    "百万tokens输出": "output",
}
_LABELS = 2
"""Columns before those of the models: what a row is about, and which part of it."""

_SKU = re.compile(r"(?P<sku>[a-z0-9][a-z0-9.-]{0,99})(?:\([0-9]\))?")
_AMOUNT = re.compile(r"(?P<amount>[0-9]{1,9}(?:\.[0-9]{1,12})?)元")
_ALIASES = re.compile(
    r"(?P<one>[a-z0-9.-]+) 与 (?P<two>[a-z0-9.-]+) 两个模型名将于北京时间 (?P<until>[0-9/]+ [0-9:]+) 弃用。"
    r"出于兼容考虑，二者分别对应 (?P<sku>[a-z0-9.-]+) 的非思考与思考模式"
)
_BEIJING = timezone(timedelta(hours=8))


def parse(body: bytes) -> Reading:
    """Every price of the table of models, and the names that point at one of them."""
    try:
        reading = _read(body.decode())
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise SourceError(f"The body is not DeepSeek's pricing page: {fault!r:.300}.") from fault
    if not reading.statements:
        raise SourceError("DeepSeek's pricing page holds no price in CNY; its layout must have changed.")
    return reading


def _read(html: str) -> Reading:
    reading = Reading()
    said: list[str] = []
    for item in read_page(html):
        if isinstance(item, Table):
            if item.titles()[0] == _MODEL:
                _models(item, reading)
            else:
                reading.unplaced["row of an unknown table"] += len(item.rows)
        elif isinstance(item, str):
            said.append(item)
    reading.aliases += _aliases(said, {offering.sku for offering in reading.offerings})
    reading.drop_contradictions()
    reading.unplaced = Counter({kind: count for kind, count in reading.unplaced.items() if count})
    return reading


def _models(table: Table, reading: Reading) -> None:
    skus = [_sku(title) for title in table.titles()[_LABELS:]]
    reading.unplaced["column without a model's id"] += skus.count("")
    names = [""] * len(skus)
    for row in table.rows:
        about, part, cells = row[0].text, row[1].text, row[_LABELS:]
        if about == _VERSION:
            names = [cell.text for cell in cells]
        elif about != _PRICES:
            reading.unplaced["row about no price"] += 1
        elif part not in _UNITS:
            reading.unplaced["price under an unknown label"] += 1
        else:
            for sku, cell in zip(skus, cells, strict=True):
                _price(sku, _UNITS[part], cell.text, reading)
    reading.offerings += [
        OfferingFact(PROVIDER, "DeepSeek", sku, REGION, name=name)
        for sku, name in zip(skus, names, strict=True)
        if sku
    ]  # fmt: skip


def _sku(title: str) -> str:
    found = _SKU.fullmatch(title)
    return found["sku"] if found else ""


def _price(sku: str, unit: str, shown: str, reading: Reading) -> None:
    found = _AMOUNT.fullmatch(shown)
    if sku and found:
        twice = any((s.sku, s.unit) == (sku, unit) for s in reading.statements)
        reading.unplaced["price that stands there twice"] += twice
        reading.statements.append(
            Statement(PROVIDER, sku, unit, Decimal(found["amount"]), currency="CNY", region=REGION, url=URL)
        )
    else:
        reading.unplaced["cell that is no price"] += 1


def _aliases(said: list[str], skus: set[str]) -> Iterator[AliasFact]:
    """Names that mean a model of the table until the end of a day in Beijing."""
    for found in filter(None, map(_ALIASES.search, said)):
        if found["sku"] in skus:
            until = datetime.strptime(found["until"], "%Y/%m/%d %H:%M").replace(tzinfo=_BEIJING).astimezone(UTC)
            for name in (found["one"], found["two"]):
                yield AliasFact(PROVIDER, name, found["sku"], url=URL, valid_until=until)
