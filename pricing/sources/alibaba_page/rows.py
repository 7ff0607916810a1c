"""What a row of a table states: one model at one place, in one tier, by one of its measures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta, timezone
from decimal import Decimal

from pricing import promotions
from pricing.sources import MTOK, OfferingFact, Statement
from pricing.sources.alibaba_page.cells import (
    FREE,
    NO_TIER,
    NOT_BILLED,
    NOT_SOLD,
    TRIAL,
    WITHDRAWN,
    Amount,
    amounts,
    lower_bound,
)
from pricing.sources.alibaba_page.columns import Columns, PriceColumn
from pricing.sources.alibaba_page.ledger import HOME, PROVIDER, PROVIDER_NAME, Ledger
from pricing.tables import Cell

PLACES = frozenset({"华北2（北京）", "美国（弗吉尼亚）", "新加坡", "德国（法兰克福）", "日本（东京）"})
"""Where a model is called, as the headings name it."""

_HOME_PLACE = "华北2（北京）"
_REGIONS = {"全球": "global", "国际": "intl", "美国": "us", "欧盟": "eu", "日本": "jp"}

_BEIJING = timezone(timedelta(hours=8))
_MODEL = re.compile(r"(?P<sku>[A-Za-z][A-Za-z0-9._/-]{0,199})(?: (?P<remark>[^A-Za-z0-9]+))?")
_POINTER = re.compile(r"当前能力等同于 ?(?P<sku>[A-Za-z0-9][A-Za-z0-9._/-]*)")
_HALF_IN_BATCH = "Batch调用半价"
_CACHE = re.compile(r"(?:上下文缓存|Session ?Cache) ?享有折扣")
_HALF = Decimal("0.5")

_BASES = {
    # (side of the column, what a cell is per) → unit, qualifier
    ("输入单价", "张"): ("image", "input"),
    ("输出单价", "张"): ("image", ""),
    ("单价", "张"): ("image", ""),
    ("输入单价", "秒"): ("input_audio_second", ""),  # of speech recognition: no video is billed by its input alone
    ("输出单价", "秒"): ("second", ""),
    ("输入和输出单价", "秒"): ("second", ""),
    ("单价", "秒"): ("second", ""),
    ("输出单价", "次"): ("request", ""),
    ("单价", "次"): ("request", ""),
}
_MODALITIES = {"文本输入": "input", "图片输入": "input_image"}
_SOUND = {"有声视频": "audio=true", "无声视频": "audio=false"}
_REFERENCE = {"（有参考视频）": "reference_video=true", "（无参考视频）": "reference_video=false"}
_SETTING = re.compile(r"[a-z_]+=[a-z]+|wan-[a-z]+")
_FIRST_VOLUME = re.compile(r"生成数量 ?≤ ?[0-9]+张|无")


@dataclass(frozen=True)
class _Row:
    """What all prices of a row have in common."""

    sku: str
    region: str
    beyond: int
    tier: str
    qualifier: str
    in_batch: bool
    volume: str = ""


def enter(cells: tuple[Cell, ...], columns: Columns, place: str, ledger: Ledger) -> None:
    """Every price of a row into the ledger, and what has no place there counted."""
    sku, remarks = _model(cells[columns.model])
    region = _region(cells, columns, place)
    beyond = lower_bound(_text(cells, columns.tier))
    fault = (
        "row without a model's id" if not sku
        else "price of an unknown region" if region is None
        else "row of an unknown context tier" if beyond is None
        else "price from a number of images on" if not _FIRST_VOLUME.fullmatch(_text(cells, columns.volume) or "无")
        else ""
    )  # fmt: skip
    if fault or region is None or beyond is None:
        ledger.unplaced[fault] += 1
        return
    _count_remarks(remarks, sku, region, ledger)
    _count_quota(cells, columns, ledger)
    states = [cells[column.place].text for column in columns.prices]
    retired = any(state.startswith(WITHDRAWN) for state in states)
    ledger.offer(_offering(sku, remarks, region, _text(cells, columns.mode), retired=retired))
    if retired or any(state.startswith(TRIAL) for state in states):
        ledger.unplaced["model no longer sold" if retired else "model on trial only, not for sale"] += 1
        return
    row = _Row(
        sku, region, beyond, _tier_words(cells, columns), _qualifier(cells, columns),
        in_batch=_HALF_IN_BATCH in (line.replace(" ", "") for line in remarks),
        volume=_text(cells, columns.volume),
    )  # fmt: skip
    stated = [_cell(row, cells[column.place], column, cells, columns, ledger) for column in columns.prices]
    if not any(stated) and all(state in NOT_SOLD for state in states):
        ledger.unplaced["row without a price"] += 1


def _model(cell: Cell) -> tuple[str, tuple[str, ...]]:
    """A model's id ('' where the cell names none) and the remarks beside it."""
    found = _MODEL.fullmatch(cell.lines[0]) if cell.lines else None
    if found is None:
        return "", ()
    return found["sku"], (*filter(None, (found["remark"],)), *cell.lines[1:])


def _region(cells: tuple[Cell, ...], columns: Columns, place: str) -> str | None:
    if columns.scope >= 0:
        return _REGIONS.get(_text(cells, columns.scope))
    return HOME if place == _HOME_PLACE else None


def _text(cells: tuple[Cell, ...], place: int) -> str:
    return cells[place].text if place >= 0 else ""


def _tier_words(cells: tuple[Cell, ...], columns: Columns) -> str:
    text = _text(cells, columns.tier)
    return "" if text in NO_TIER else text


def _count_remarks(remarks: tuple[str, ...], sku: str, region: str, ledger: Ledger) -> None:
    for remark in remarks:
        if _CACHE.fullmatch(remark):
            ledger.count_once("cache discount stated on another page", (sku, region))
        elif region == HOME and (found := _POINTER.fullmatch(remark)):
            ledger.point(sku, found["sku"])


def _count_quota(cells: tuple[Cell, ...], columns: Columns, ledger: Ledger) -> None:
    quota = _text(cells, columns.quota)
    if quota and not quota.startswith("无") and cells[columns.quota] is not cells[columns.prices[-1].place]:
        ledger.count_once("free quota of a new account", cells[columns.quota])


def _offering(sku: str, remarks: tuple[str, ...], region: str, mode: str, *, retired: bool) -> OfferingFact:
    thinks = "思考" in mode and mode not in ("仅非思考模式", "非思考模式")
    return OfferingFact(
        PROVIDER, PROVIDER_NAME, sku, region, note="；".join(remarks), retired=retired,
        capabilities=("reasoning",) if thinks else (),
    )  # fmt: skip


def _qualifier(cells: tuple[Cell, ...], columns: Columns) -> str:
    return ",".join(part for place in columns.qualifiers for part in _measures(cells[place]))


def _measures(cell: Cell) -> Iterator[str]:
    """A measure in the words of the API where the page gives them, else verbatim: `audio=true`, `wan-std`, `1080P`."""
    text = cell.text
    if setting := _SETTING.search(text):
        yield setting[0]
        return
    for words, setting_of in _SOUND.items():
        if text.startswith(words):
            yield setting_of
            rest = text.removeprefix(words)
            yield from ((_REFERENCE.get(rest, rest),) if rest else ())
            return
    if cell.lines:
        yield cell.lines[-1]


def _cell(
    row: _Row, cell: Cell, column: PriceColumn, cells: tuple[Cell, ...], columns: Columns, ledger: Ledger
) -> bool:  # fmt: skip
    """The prices of one cell; whether it says anything at all."""
    text = cell.text
    if text in NOT_SOLD:
        return False
    if text == NOT_BILLED:
        ledger.unplaced["side that is not billed"] += 1
        return True
    if text == FREE:
        if column.units:
            _state(row, column, Amount(Decimal(0), "", "", promoted=True, words=FREE), column.units, "", ledger)
        else:
            ledger.unplaced["free of charge per nobody says what"] += 1
        return True
    qualifier = column.qualifier
    if qualifier == "thinking" and _only_mode(column, cells, columns):
        qualifier = ""  # a model with one mode has one price
    for amount in amounts(cell):
        placed = _placed(amount, column) if amount else None
        if amount is None or placed is None:
            ledger.unplaced["cell that is no price"] += 1
            continue
        units, measure = placed
        _state(row, column, amount, units, qualifier or measure, ledger)
    return True


def _only_mode(column: PriceColumn, cells: tuple[Cell, ...], columns: Columns) -> bool:
    rivals = [price for price in columns.prices if price.units == column.units and price is not column]
    return all(cells[rival.place].text in NOT_SOLD for rival in rivals)


def _placed(amount: Amount, column: PriceColumn) -> tuple[tuple[str, ...], str] | None:
    """Units and measure of an amount, by its column or by what the cell says itself."""
    if column.units:
        if amount.base:
            return None
        if not amount.label:
            return column.units, ""
        unit = _MODALITIES.get(amount.label) if column.units == ("input",) else None
        return ((unit,), "") if unit else None
    if amount.label == "输入图像" and amount.base == "张":
        return ("image",), "input"
    known = _BASES.get((column.side, amount.base))
    if known is None:
        return None
    unit, measure = known
    if setting := _SETTING.search(amount.label):
        measure = setting[0]
    elif amount.label and amount.label != "输出视频":
        measure = amount.label.removesuffix("画幅视频")
    return (unit,), measure


def _state(
    row: _Row, column: PriceColumn, amount: Amount, units: tuple[str, ...], measure: str, ledger: Ledger
) -> None:  # fmt: skip
    remark = amount.words if amount.promoted or amount.label else ""
    ends = promotions.ends_at(remark, _BEIJING) if amount.promoted else None
    if amount.promoted:
        remark = promotions.note(remark, ends)
    heading = column.heading if "计费" in column.heading else ""
    plain = Statement(
        PROVIDER, row.sku, units[0], amount.charged, per=column.per, currency="CNY", region=row.region,
        qualifier=",".join(filter(None, (measure, row.qualifier))),
        context_from=row.beyond, context_op=">" if row.beyond else "",
        context_mode="whole_request" if row.beyond else "", effective_until=ends,
        note="；".join(filter(None, (row.tier, row.volume, heading, remark))),
    )  # fmt: skip
    batched = row.in_batch and column.per == MTOK
    for unit in units:
        ledger.state(_with(plain, unit))
        if batched and not amount.promoted:
            ledger.state(_with(plain, unit, _HALF))
    if batched and amount.promoted:
        ledger.unplaced["batch price of a model on promotion"] += 1


def _with(plain: Statement, unit: str, share: Decimal | None = None) -> Statement:
    """The statement for one of the units its amount is for; for a share of it, in batch."""
    if share is None:
        return replace(plain, unit=unit)
    note = "；".join(filter(None, (plain.note, _HALF_IN_BATCH)))
    return replace(plain, unit=unit, amount=plain.amount * share, service_tier="batch", note=note)
