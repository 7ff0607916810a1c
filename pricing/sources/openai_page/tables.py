"""What the rows of each table say. A table is known by its headings; one nobody knows is an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pricing.sources import MTOK, SourceError, Statement
from pricing.sources.openai_page.ledger import PROVIDER, Ledger, fits
from pricing.sources.openai_page.page import TEXT_TOKENS, Cell, LongContext, Page, Table
from pricing.sources.openai_page.tools import enter_tool

_SKU = re.compile(r"[a-z0-9][a-z0-9.-]*")
_NAME = re.compile(r"(?P<sku>\S+)(?: (?P<remark>.+))?")
_SHORT_ONLY = re.compile(r"\(<\d+K context length\)")
_RATE = re.compile(r"\$(?P<amount>\d+(?:\.\d+)?)(?: / (?P<base>.+))?")

_FOREIGN = re.compile(r"[€£¥₹₩]\s?\d|\d\s?[€£¥₹₩]|\b(?:EUR|GBP|JPY|CNY|INR)\b")
_DISPLAY_NAMES = {"Whisper": "whisper-1"}
"""Models the page calls by a name that is no id."""

_BASES = {
    # what a rate is per → (unit, per, factor); time in hours, as other sources state it
    "minute": ("audio_second", 3600, 60),
    "1M characters": ("input_characters", MTOK, 1),
    "hour": ("training_hour", 1, 1),
}
_TOKENS = ("input", "cache_read", "output")
_TOKENS_WITH_WRITES = ("input", "cache_read", "cache_write", "output")
_BY_MODALITY = {
    "Text": _TOKENS,
    "Audio": ("input_audio", "cache_read_audio", "output_audio"),
    "Image": ("input_image", "cache_read_image", "output_image"),
}
_TEXT_HEADINGS = ("input", "cached input", "cache writes", "output")


@dataclass(frozen=True)
class _Sold:
    """Which key the prices of a row get, besides their unit."""

    sku: str
    tiers: tuple[str, ...]
    qualifier: str = ""
    note: str = ""
    beyond: LongContext | None = None


def enter(table: Table, page: Page, ledger: Ledger) -> None:
    """Every row of the table into the ledger."""
    reader = _READERS.get(table.headings)
    if reader is None or (table.component == TEXT_TOKENS) != (reader is _text_tokens):
        raise SourceError(f"A pricing table has the unknown headings {', '.join(table.headings)!r:.200}.")
    if reader not in _SELF_EXPLAINED and table.measure != _MEASURE:
        said = f"stands under 'Prices per {table.measure}'" if table.measure else "does not say what its prices are per"
        raise SourceError(f"A pricing table {said:.160}, where this parser knows 'Prices per {_MEASURE}.'")
    # Most amounts of a table are bare: a sign in any of its cells tells the currency of them all.
    for cell in (cell for row in (*table.rows, *table.rendered) for cell in row):
        if isinstance(cell, str) and _FOREIGN.search(cell):
            raise SourceError(f"A pricing table states {cell!r:.60}, where this parser knows US dollars.")
    reader(table, _tiers(table, page), page, ledger)


def _tiers(table: Table, page: Page) -> tuple[str, ...]:
    """The service tiers a table's prices are asked for by; Fast mode answers to its former name too."""
    return ("fast", "priority") if table.tier == "fast" and page.fast_is_priority else (table.tier,)


def _text_tokens(table: Table, tiers: tuple[str, ...], page: Page, ledger: Ledger) -> None:
    shown = {row[0]: row for row in table.rendered if row}
    ledger.unplaced["regional uplift stated in a sentence"] += "uplift" in table.footnote
    uplift = next((s.strip() for s in table.footnote.split(". ") if "uplift" in s), "")
    for row in table.rows:
        if len(row) not in (4, 5):
            ledger.unplaced["row of an unknown length"] += 1
            continue
        sold = _sold(row[0], tiers, ledger)
        if sold is None:
            continue
        units = _TOKENS_WITH_WRITES if len(row) == 5 else _TOKENS
        if not _state(sold, zip(units, row[1:], strict=True), ledger):
            continue
        ledger.offer(sold.sku, note=uplift and f"{uplift.rstrip('.')}.")
        beyond = shown.get(str(row[0]), ())[5:]
        if len(beyond) == 4:
            _state_beyond(sold, beyond, page, ledger)
        elif sold.note:
            ledger.unplaced["long-context prices the page does not hold"] += 1


def _short_and_long(table: Table, tiers: tuple[str, ...], page: Page, ledger: Ledger) -> None:
    for row in _rows_of(table, ledger):
        sold = _sold(row[0], tiers, ledger)
        if sold and _state(sold, zip(_TOKENS_WITH_WRITES, row[1:5], strict=True), ledger):
            ledger.offer(sold.sku)
            _state_beyond(sold, row[5:9], page, ledger)


def _state_beyond(sold: _Sold, cells: Iterable[Cell], page: Page, ledger: Ledger) -> None:
    cells = tuple(cells)
    if all(_not_sold(cell) for cell in cells):
        return
    if page.long_context is None:
        ledger.unplaced["long-context prices without a threshold"] += 1
        return
    longer = _Sold(sold.sku, sold.tiers, sold.qualifier, page.long_context.sentence, page.long_context)
    _state(longer, zip(_TOKENS_WITH_WRITES, cells, strict=True), ledger)


def _modalities(table: Table, tiers: tuple[str, ...], page: Page, ledger: Ledger) -> None:
    for row in _rows_of(table, ledger):
        units = _BY_MODALITY.get(str(row[1]))
        if units is None:
            ledger.unplaced["row of an unknown modality"] += 1
            continue
        sold = _sold(row[0], tiers, ledger)
        if sold and _state(sold, zip(units, row[2:], strict=True), ledger):
            ledger.offer(sold.sku)


def _videos(table: Table, tiers: tuple[str, ...], page: Page, ledger: Ledger) -> None:
    for row in _rows_of(table, ledger):
        sold = _sold(row[0], tiers, ledger, qualifier=str(row[1]))
        if sold and _state(sold, [("second", row[4])], ledger, per=1):
            ledger.offer(sold.sku)


def _transcriptions(table: Table, tiers: tuple[str, ...], page: Page, ledger: Ledger) -> None:
    for row in _rows_of(table, ledger):
        sold = _sold(row[0], tiers, ledger)
        if sold is None:
            continue
        cells: list[tuple[str, Cell]] = [("input", row[2]), ("output", row[3])]
        if all(_not_sold(cell) for _, cell in cells):
            cells = [("audio_second", row[4])]
        else:
            # Where tokens are billed, the price of a minute is OpenAI's estimate of them.
            ledger.unplaced["estimated cost of a minute billed by tokens"] += 1
        if _state(sold, cells, ledger):
            ledger.offer(sold.sku)


def _categories(table: Table, tiers: tuple[str, ...], page: Page, ledger: Ledger) -> None:
    for row in _rows_of(table, ledger):
        sold = _sold(row[1], tiers, ledger)
        if sold and _state(sold, zip(_TOKENS, row[2:], strict=True), ledger):
            ledger.offer(sold.sku)


def _fine_tuning(table: Table, tiers: tuple[str, ...], page: Page, ledger: Ledger) -> None:
    for row in _rows_of(table, ledger):
        base = _sold(row[0], tiers, ledger)
        if base is None:
            continue
        tuned = _Sold(f"ft:{base.sku}", base.tiers, base.qualifier, base.note)
        # Training is no request: the table of every tier repeats its one price.
        training = _Sold(tuned.sku, ("standard",), tuned.qualifier, tuned.note)
        stated = _state(training, [("training", row[1])], ledger)
        if _state(tuned, zip(_TOKENS, row[2:], strict=True), ledger) or stated:
            ledger.offer(tuned.sku, deprecated="Legacy" in str(row[0]))


def _tools(table: Table, tiers: tuple[str, ...], page: Page, ledger: Ledger) -> None:
    for row in _rows_of(table, ledger):
        enter_tool(str(row[1]), str(row[2]), tiers[0], ledger)


_Reader = Callable[[Table, tuple[str, ...], Page, Ledger], None]
_READERS: Mapping[tuple[str, ...], _Reader] = {
    ("model", *_TEXT_HEADINGS, *_TEXT_HEADINGS): _text_tokens,
    ("model", *(f"{reach} context {name}" for reach in ("short", "long") for name in _TEXT_HEADINGS)): _short_and_long,
    ("model", "modality", "input", "cached input", "output / cost"): _modalities,
    ("model", "modality", "input", "cached input", "output"): _modalities,
    ("model", "size", "portrait", "landscape", "price per second"): _videos,
    ("model", "use case", "input", "output", "estimated cost"): _transcriptions,
    ("category", "model", "input", "cached input", "output"): _categories,
    ("model", "training", "input", "cached input", "output"): _fine_tuning,
    ("tool", "details", "pricing"): _tools,
}


_MEASURE = "1M tokens"
_SELF_EXPLAINED = frozenset({_videos, _tools})
"""Tables of which a heading or the cells say what their prices are per."""


def _rows_of(table: Table, ledger: Ledger) -> Iterable[tuple[Cell, ...]]:
    for row in table.rows:
        if len(row) == len(table.headings):
            yield row
        else:
            ledger.unplaced["row of an unknown length"] += 1


def _sold(cell: Cell, tiers: tuple[str, ...], ledger: Ledger, *, qualifier: str = "") -> _Sold | None:
    """The sku of a row and the remark beside it; None, and counted, where either is of no known form."""
    shown = str(cell or "")
    found = _NAME.fullmatch(shown)
    sku = _DISPLAY_NAMES.get(found["sku"], found["sku"]) if found else ""
    if found is None or not _SKU.fullmatch(sku):
        ledger.unplaced["row without a model's id"] += 1
        return None
    remark = found["remark"] or ""
    if remark == "with data sharing":
        return _Sold(sku, tiers, "data_sharing", remark)
    if _SHORT_ONLY.fullmatch(remark):
        return _Sold(sku, tiers, qualifier, shown)
    if remark in ("", "Legacy"):
        return _Sold(sku, tiers, qualifier)
    ledger.unplaced["row with an unknown remark beside the model"] += 1
    return None


def _state(sold: _Sold, cells: Iterable[tuple[str, Cell]], ledger: Ledger, *, per: int = MTOK) -> bool:
    """The prices of a row, one a cell that has one; whether there was any."""
    stated, odd = False, 0
    for unit, cell in cells:
        price = _price(cell, unit, per)
        odd += price is None and not _not_sold(cell)
        if price is None:
            continue
        stated = True
        for tier in sold.tiers:
            ledger.state(_statement(sold, tier, *price, rate=cell))
    ledger.unplaced["cell that is no price"] += odd
    ledger.unplaced["row without a price"] += not stated and not odd
    return stated


def _statement(sold: _Sold, tier: str, unit: str, amount: Decimal, per: int, *, rate: Cell) -> Statement:
    beyond = sold.beyond
    note = sold.note or (rate if isinstance(rate, str) and " / " in rate else "")
    return Statement(
        PROVIDER, sold.sku, unit, amount, per=per, qualifier=sold.qualifier, service_tier=tier, note=note,
        context_from=beyond.tokens if beyond else 0, context_op=beyond.op if beyond else "",
        context_mode="whole_request" if beyond else "",
    )  # fmt: skip


def _price(cell: Cell, unit: str, per: int) -> tuple[str, Decimal, int] | None:
    """Unit, amount and base of a cell: a bare amount is per the table's base, text says its own."""
    if isinstance(cell, int | Decimal):
        amount = Decimal(cell)
        return (unit, amount, per) if fits(amount) else None
    if cell == "Free":
        return unit, Decimal(0), per
    found = _RATE.fullmatch(cell or "")
    if found is None:
        return None
    factor = 1
    if found["base"] is not None:
        if found["base"] not in _BASES:
            return None
        unit, per, factor = _BASES[found["base"]]
    amount = Decimal(found["amount"]) * factor
    return (unit, amount, per) if fits(amount) else None


def _not_sold(cell: Cell) -> bool:
    return cell is None or cell in ("-", "")
