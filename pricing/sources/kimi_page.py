"""Kimi's (Moonshot AI's) pages of prices: what Moonshot charges at its own API, one page a family of models.

    <link rel="canonical" href="https://platform.kimi.com/docs/pricing/chat-k26">
    <nav> <a href="/docs/pricing/chat">计费说明</a> <a href="/docs/pricing/chat-k3">Kimi K3</a> …
    <table><thead><tr><th>模型</th> <th>计费单位</th> <th>输入价格（缓存命中）</th> <th>输入价格（缓存未命中）</th>
                      <th>输出价格</th> <th>上下文窗口</th></tr>
    <tbody><tr><td>kimi-k2.6</td> <td>1M tokens</td> <td>¥1.10</td> <td>¥6.50</td> <td>¥27.00</td>
               <td>262,144 tokens</td></tr></tbody></table>

The Chinese platform bills in CNY and is a list of its own beside the international one in USD, which other sources
state without a region: its offerings have the region `cn`. `next_page` follows the navigation from page to page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

from pricing.sources import OFFICIAL, OfferingFact, Reading, SourceError, Statement
from pricing.tables import Cell, Table, read_page

SLUG = "kimi_page"
NAME = "Kimi's pricing pages (China)"
TRUST = OFFICIAL
PRECEDENCE = 1  # the only pages of Moonshot's that we read
COPIES = ()
LICENCE = "Moonshot AI's own pages; their prices are carried as single facts"
URL = "https://platform.kimi.com/docs/pricing/chat"
FEED = URL
CADENCE_HOURS = 24
STATES_HISTORY = False

PROVIDER = "moonshot"
REGION = "cn"

_MODEL, _PER, _WINDOW = "模型", "计费单位", "上下文窗口"
_UNITS = {
    "输入价格（缓存命中）": "cache_read", "输入价格（缓存未命中）": "input", "输入价格": "input", "输出价格": "output"
}  # fmt: skip
_SKU = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}")
_AMOUNT = re.compile(r"¥ ?(?P<amount>[0-9]{1,9}(?:\.[0-9]{1,12})?)")
_TOKENS = re.compile(r"(?P<tokens>[1-9][0-9]{0,2}(?:,[0-9]{3}){0,3}) tokens")
_HOME = "https://platform.kimi.com"
_CANONICAL = re.compile(rf'<link rel="canonical" href="{re.escape(_HOME)}(?P<path>[^"]+)"')
_LINK = re.compile(r'href="(?P<path>/docs/pricing/chat(?:-[a-z0-9-]+)?)"')


def next_page(body: bytes) -> str | None:
    """The page of prices after this one in the navigation; None after the last."""
    html = body.decode(errors="replace")
    here = _CANONICAL.search(html)
    paths = list(dict.fromkeys(_LINK.findall(html)))
    if here is None or here["path"] not in paths:
        raise SourceError("A page of Kimi's prices names neither itself nor the others; its layout must have changed.")
    following = paths[paths.index(here["path"]) + 1 :]
    return _HOME + following[0] if following else None


def parse(body: bytes) -> Reading:
    """Every row of every table of prices on one page, or on several one after the other."""
    try:
        reading = _read(body.decode())
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise SourceError(f"The body is not a page of Kimi's prices: {fault!r:.300}.") from fault
    if not reading.statements:
        raise SourceError("Kimi's pages hold no price in CNY; their layout must have changed.")
    return reading


def _read(html: str) -> Reading:
    reading = Reading()
    for item in read_page(html):
        if not isinstance(item, Table):
            continue
        titles = item.titles()
        # Under a heading that is not known may stand what a price depends on, as the hours it holds.
        if {_MODEL, _PER} <= set(titles) <= {_MODEL, _PER, _WINDOW, *_UNITS} and len(set(titles)) == len(titles):
            for row in item.rows:
                _row(dict(zip(titles, row, strict=True)), reading)
        else:
            reading.unplaced["row of a table without models or prices, or of an unknown heading"] += len(item.rows)
    reading.drop_contradictions()
    reading.unplaced = Counter({kind: count for kind, count in reading.unplaced.items() if count})
    return reading


def _row(cells: Mapping[str, Cell], reading: Reading) -> None:
    sku = cells[_MODEL].text
    if not _SKU.fullmatch(sku):
        reading.unplaced["row without a model's id"] += 1
    elif cells[_PER].text != "1M tokens":
        reading.unplaced["price per an unknown unit"] += 1
    else:
        twice = any(offering.sku == sku for offering in reading.offerings)
        reading.unplaced["model that stands there twice"] += twice
        window = _TOKENS.fullmatch(cells[_WINDOW].text) if _WINDOW in cells else None
        tokens = int(window["tokens"].replace(",", "")) if window else None
        if not twice:
            reading.offerings.append(OfferingFact(PROVIDER, "Moonshot AI", sku, REGION, context_window=tokens))
        for title, unit in _UNITS.items():
            if title in cells:
                _price(sku, unit, cells[title].text, reading)


def _price(sku: str, unit: str, shown: str, reading: Reading) -> None:
    found = _AMOUNT.fullmatch(shown)
    if found:
        reading.statements.append(
            Statement(PROVIDER, sku, unit, Decimal(found["amount"]), currency="CNY", region=REGION, url=URL)
        )
    elif shown not in ("", "-"):
        reading.unplaced["cell that is no price"] += 1
