"""Alibaba Cloud Bailian's (Model Studio's) page of model prices in Chinese: what Alibaba charges, in CNY.

    {"code": 200, "data": {"website": "cn", "language": "zh", "content": "
      <h3>千问Plus</h3> <h4>华北2（北京）</h4> <table><tbody>
      <tr><td rowspan=2>模型 ID（Model ID）</td> <td rowspan=2>单次请求的输入Token范围</td>
          <td rowspan=2>输入单价（每百万Token）</td> <td colspan=2>输出单价（每百万Token）</td> …</tr>
      <tr><td>非思考模式</td> <td>思考模式（思维链+回答）</td></tr>
      <tr><td rowspan=2><p>qwen3.7-plus</p> <blockquote>当前能力等同于qwen3.7-plus-2026-05-26</blockquote>
                        <blockquote>Batch调用半价</blockquote> <blockquote>上下文缓存享有折扣</blockquote></td>
          <td>0<Token≤256K</td> <td>原价2元 限时8折</td> <td>原价8元 限时8折</td> …</tr>
      <tr><td>256K<Token≤1M</td> <td>原价6元 限时8折</td> …</tr></tbody></table>"}}

The document behind the page, HTML inside JSON. Headings name the place a model is called at; outside mainland China a
column says where it runs, which is what the price goes by: 全球 `global` (one price from every place), 国际 `intl`,
美国 `us`, 欧盟 `eu`, 日本 `jp`. Beijing's tables have no such column: `cn`. Alibaba's list in USD, which other sources
state without a region, is the international one; here it is in CNY and under `intl`, as an offering has one currency.

A tier's price holds for the whole request once its prompt is longer than the tier's lower bound; K is 1,000, as the
page says (阶梯计费规则). `限时8折`, a promotion, is 80 % of the price it stands beside, and the statement's note
keeps its words; it ends where they say when, as `限时8折（截至2026年12月31日）`. `Batch调用半价` is half of the price;
where a promotion holds as well, the page does not say half of which. What cached input costs stands elsewhere.

`columns` reads the headings, `cells` the cells, `rows` what a row states.
"""

from __future__ import annotations

import json

from pricing.sources import OFFICIAL, Reading, SourceError
from pricing.sources.alibaba_page.columns import read_columns
from pricing.sources.alibaba_page.ledger import Ledger
from pricing.sources.alibaba_page.rows import PLACES, enter
from pricing.tables import Heading, Table, read_page

SLUG = "alibaba_page"
NAME = "Alibaba Cloud's price page (China)"
TRUST = OFFICIAL
PRECEDENCE = 1  # the only page of Alibaba's that we read
COPIES = ()
LICENCE = "Alibaba Cloud's own page; its prices are carried as single facts"
URL = "https://help.aliyun.com/zh/model-studio/model-pricing"
FEED = "https://help.aliyun.com/help/json/document_detail.json?alias=%2Fmodel-studio%2Fmodel-pricing&website=cn&language=zh"
CADENCE_HOURS = 24
STATES_HISTORY = False

_SECTION = 3
"""Headings down to this level begin a subject of their own, where no place is named yet."""


def parse(body: bytes) -> Reading:
    """Every row of every table of the document."""
    try:
        document = json.loads(body)["data"]
        if (document["website"], document["language"]) != ("cn", "zh"):
            raise SourceError(
                "The document is not the Chinese one of Alibaba's site for China: its prices may not be CNY."
            )
        reading = _read(document["content"])
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise SourceError(f"The body is not the document behind Alibaba's price page: {fault!r:.300}.") from fault
    if not reading.statements:
        raise SourceError("Alibaba's price page holds no price at all; its layout must have changed.")
    return reading


def _read(html: str) -> Reading:
    ledger = Ledger(URL)
    place = ""
    for item in read_page(html):
        if isinstance(item, Heading):
            if item.text in PLACES or item.level <= _SECTION:
                place = item.text if item.text in PLACES else ""
        elif isinstance(item, Table):
            columns = read_columns(item)
            if columns is None:
                ledger.unplaced["row of a table without models or prices, or of an unknown heading"] += len(item.rows)
                continue
            ledger.unplaced["column of prices of voices"] += columns.aside
            for row in item.rows:
                enter(row, columns, place, ledger)
    return ledger.reading()
