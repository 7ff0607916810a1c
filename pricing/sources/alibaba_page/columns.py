"""The headings of a table: which column is the key's, which states a price of which unit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pricing.sources import MTOK
from pricing.tables import Cell, Table

_KEYS = {
    "模型ID（ModelID）": "model", "模型名称": "model",
    "服务部署范围": "scope",
    "模式": "mode",
    "单次请求的输入Token数": "tier", "单次请求的输入Token范围": "tier", "输入Token数量": "tier",
    "输出图像分辨率": "qualifier", "输出视频分辨率": "qualifier", "输出视频类型": "qualifier",
    "输出视频模式": "qualifier", "3D任务类型": "qualifier", "输出规格": "qualifier",
    "阶梯层级": "volume",
    "折扣": "discount",  # what the unit prices beside it come to
    "复刻一个音色": "voice",  # charged when the voice is first used
}  # fmt: skip
_QUOTA = "免费额度"
_PRICE = re.compile(
    r"(?P<side>输入单价|输出单价|输入和输出单价|语音合成单价|单价)(?:（每(?P<base>百万Token|万字符|秒|个音色)）)?"
    r"(?:思维链[+和]回答)?"
)

_TOKEN_UNITS = {
    # (side, what stands below it) → units, qualifier
    ("输入单价", ""): (("input",), ""),
    ("输入单价", "文本"): (("input",), ""),
    ("输入单价", "文本/图片/视频"): (("input", "input_image", "input_video"), ""),
    ("输入单价", "文本/图片"): (("input", "input_image"), ""),
    ("输入单价", "图片/视频"): (("input_image", "input_video"), ""),
    ("输入单价", "图片"): (("input_image",), ""),
    ("输入单价", "音频"): (("input_audio",), ""),
    ("输入单价", "输入：图片"): (("input_image",), ""),
    ("输入单价", "输入：音频"): (("input_audio",), ""),
    ("输出单价", ""): (("output",), ""),
    ("输出单价", "非思考模式"): (("output",), ""),
    ("输出单价", "思考模式（思维链+回答）"): (("output",), "thinking"),
    ("输出单价", "文本"): (("output",), ""),
    ("输出单价", "音频"): (("output_audio",), ""),
    ("输出单价", "输出：文本"): (("output",), ""),
    ("输出单价", "输出：音频"): (("output_audio",), ""),
    ("输出单价", "文本仅纯文本输入"): (("output",), ""),
    ("输出单价", "文本多模态输入"): (("output",), "multimodal_input"),
    ("输出单价", "文本+音频仅音频计费"): (("output_audio",), ""),
}  # fmt: skip
_OTHER_UNITS = {
    # (side, base) → unit, per
    ("输入单价", "万字符"): ("input_characters", 10_000),
    ("语音合成单价", "万字符"): ("input_characters", 10_000),
    ("输出单价", "秒"): ("output_audio_second", 1),  # of music; a video's second stands in the cell
    ("单价", "个音色"): ("voice", 1),
}


@dataclass(frozen=True)
class PriceColumn:
    """A column of prices. Without units, each cell says what its price is per, and `side` which way it goes."""

    place: int
    side: str
    units: tuple[str, ...] = ()
    per: int = 1
    qualifier: str = ""
    heading: str = ""


@dataclass(frozen=True)
class Columns:
    """Where a table's key, prices and quota stand; -1 = it has no such column."""

    model: int
    prices: tuple[PriceColumn, ...]
    scope: int = -1
    mode: int = -1
    tier: int = -1
    volume: int = -1
    quota: int = -1
    qualifiers: tuple[int, ...] = ()
    aside: int = 0
    """Columns of prices that are left out."""


def read_columns(table: Table) -> Columns | None:
    """The columns of a table; None where it names no models or states no prices, or has a heading that is not known:
    the price may depend on what stands below it."""
    places: dict[str, int] = {}
    qualifiers: list[int] = []
    prices: list[PriceColumn] = []
    for place, heading in enumerate(table.columns):
        title = _title(heading[0])
        kind = _KEYS.get(title)
        if kind == "qualifier":
            qualifiers.append(place)
        elif kind is not None:
            places.setdefault(kind, place)
        elif title.startswith(_QUOTA):
            places.setdefault("quota", place)
        elif column := _price_column(place, title, "".join(_title(cell) for cell in heading[1:])):
            prices.append(column)
        else:
            return None
    if "model" not in places or not prices:
        return None
    places.pop("discount", None)
    aside = int(places.pop("voice", None) is not None)
    return Columns(prices=tuple(_plain_output(prices)), qualifiers=tuple(qualifiers), aside=aside, **places)


def _title(cell: Cell) -> str:
    """A heading as it is compared: without spaces, with the brackets the Chinese page mostly writes."""
    return re.sub(r"\s", "", cell.text).replace("(", "（").replace(")", "）")


def _price_column(place: int, title: str, below: str) -> PriceColumn | None:
    found = _PRICE.fullmatch(title)
    if found is None:
        return None
    side, base = found["side"], found["base"]
    if base == "百万Token":
        known = _TOKEN_UNITS.get((side, below))
        return PriceColumn(place, side, *_tokens(known), below or title) if known else None
    if below:
        return None
    if base is None:
        return PriceColumn(place, side, heading=title)
    unit = _OTHER_UNITS.get((side, base))
    return PriceColumn(place, side, (unit[0],), unit[1], heading=title) if unit else None


def _tokens(known: tuple[tuple[str, ...], str]) -> tuple[tuple[str, ...], int, str]:
    units, qualifier = known
    return units, MTOK, qualifier


def _plain_output(prices: list[PriceColumn]) -> Iterable[PriceColumn]:
    """Text has a price of its own for prompts with images or sound only where another is stated for those without."""
    both = any(price.units == ("output",) and not price.qualifier for price in prices)
    for price in prices:
        if price.qualifier == "multimodal_input" and not both:
            yield PriceColumn(price.place, price.side, price.units, price.per, "", price.heading)
        else:
            yield price
