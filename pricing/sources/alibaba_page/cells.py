"""What a cell says: an amount with its promotion, a tier of context, a state that is no price."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from pricing.tables import Cell

_AMOUNT = (
    r"(?:原价 ?)?(?P<amount>[0-9]{1,9}(?:\.[0-9]{1,10})?)元(?:/(?P<base>张|秒|次))?"
    r"(?: ?限时(?P<off>[1-9](?:\.?[0-9])?)折(?: ?（[^（）]{1,60}）)?)?"
)
_PRICE = re.compile(_AMOUNT)
_LABELLED = re.compile(rf"(?P<label>[^：]{{1,60}}(?:：[^：]{{1,20}})?)：{_AMOUNT}")
_GROUP = re.compile(r"[^：0-9]{1,20}：")
_TIER = re.compile(r"(?P<lower>0|[0-9]{1,4}[KM])<Token≤[0-9]{1,4}[KM]")
NO_TIER = frozenset({"无阶梯计价", "不区分阶梯", ""})
_SCALE = {"K": 1_000, "M": 1_000_000}

NOT_SOLD = frozenset({"-", ""})
NOT_BILLED = "不计费"
FREE = "限时免费"
TRIAL = "目前仅供免费体验"
WITHDRAWN = "已下线"


@dataclass(frozen=True)
class Amount:
    """One amount of a cell: what is charged, per what the cell says, under which label, in its own words."""

    charged: Decimal
    base: str
    label: str
    promoted: bool
    words: str


def amounts(cell: Cell) -> Iterator[Amount | None]:
    """Every amount of a cell; None for a line that is neither an amount nor a remark on one."""
    group = ""
    for line in cell.lines:
        if found := _PRICE.fullmatch(line):
            yield _amount(found, "", line)
        elif found := _LABELLED.fullmatch(line):
            yield _amount(found, found["label"], line)
        elif _GROUP.fullmatch(line):
            group = line  # `输出视频：` above its list
        elif not (line.startswith("（") and line.endswith("）")) and line != group:
            yield None


def _amount(found: re.Match[str], label: str, words: str) -> Amount:
    charged = Decimal(found["amount"])
    if off := found["off"]:
        charged *= Decimal(f"0.{off.replace('.', '')}")  # 8折 is 80 %, 85折 and 8.5折 are 85 %
    return Amount(charged, found["base"] or "", label, bool(off), words)


def lower_bound(text: str) -> int | None:
    """Above how many prompt tokens a tier begins; None where the text is no tier."""
    if text in NO_TIER:
        return 0
    found = _TIER.fullmatch(text.replace(" ", ""))
    if found is None:
        return None
    lower = found["lower"]
    return 0 if lower == "0" else int(lower[:-1]) * _SCALE[lower[-1]]
