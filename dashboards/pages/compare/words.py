"""What a comparison finds, by rule: how many times as much the dearest asks, on each basis, with the rate used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.compare.ask import UNITS, Ask, mix_words
from dashboards.pages.compare.steps import Timeline
from dashboards.pages.compare.table import Cell, Column, Row
from dashboards.pages.ledger import Figure, Words

NAMED = 3
"""A sentence that names more than these is a table."""
ALIKE = Decimal("1.005")


@dataclass(frozen=True, slots=True)
class Basis:
    """The dearest against one other: the two prices in USD, how they came about, and their ratio."""

    column: Column
    cell: Cell
    ratio: Decimal | None
    is_dearest: bool

    @property
    def ratio_text(self) -> str:
        return formatting.multiple(self.ratio) if self.ratio else ""


def compared_row(ask: Ask, blended: Row, rows: Sequence[Row]) -> Row | None:
    """The row of the unit asked for: blended, or the plain input or output."""
    if ask.unit == "blend":
        return blended
    plain = ("standard", "", 0, "", "", ask.unit)
    return next((row for row in rows if row.key == plain), None)


def bases(columns: Sequence[Column], row: Row | None) -> list[Basis]:
    """Every offering that states a price of the unit, the dearest first; the ratio is dearest ÷ this one."""
    if row is None:
        return []
    pairs = [(c, cell) for c, cell in zip(columns, row.cells, strict=True) if cell.amount is not None]
    pairs.sort(key=lambda pair: (pair[1].usd is None, -(pair[1].usd or 0)))
    top = next((cell.usd for _, cell in pairs if cell.usd is not None), None)
    found = []
    for place, (column, cell) in enumerate(pairs):
        ratio = top / cell.usd if top is not None and cell.usd else None
        found.append(Basis(column, cell, ratio, not place and cell.usd is not None))
    return found


def finding(ask: Ask, columns: Sequence[Column], found: Sequence[Basis], at: datetime) -> Words:
    """How much the dearest asks of the others, and which of them nobody can buy any more."""
    gone = [one.label for one in columns if not one.item.sells_at(at)]
    if not gone:
        return _ratios(ask, columns, found)
    who = f"{', '.join(gone[:-1])} and {gone[-1]} are" if gone[1:] else f"{gone[0]} is"
    if len(gone) > NAMED:
        who = f"{len(gone)} of them are"
    return (*_ratios(ask, columns, found), f" {who} no longer sold.")


def _ratios(ask: Ask, columns: Sequence[Column], found: Sequence[Basis]) -> Words:
    """`Gemini 3 Pro input costs 18× Qwen3.5 Plus at Alibaba, cn (CN¥0.80, $0.112) and 5.0× …`."""
    if not columns:
        return ("Put up to six offerings beside each other.",)
    if len(columns) == 1:
        return (f"{columns[0].label} stands alone: add another offering to compare it with.",)
    what = UNITS[ask.unit] if ask.unit != "blend" else f"blended {mix_words(ask.mix)}"
    known = [one for one in found if one.cell.usd is not None]
    if len(known) < 2:
        if any(one.cell.usd is None for one in found):
            return (f"The {what} prices share no currency, and no rate between them is known.",)
        return (f"Fewer than two of them state a price of {what}.",)
    dearest, others = known[0], known[1:]
    paid = [one for one in others if one.ratio is not None]
    if not paid:
        return (f"Only {dearest.column.label} asks money for {what}.",)
    if all(one.ratio is not None and one.ratio < ALIKE for one in others):
        return (f"All ask the same for {what}: ", _price(dearest.cell), ".")
    shown = sorted(paid, key=lambda one: -(one.ratio or 0))
    start: Words = (f"{dearest.column.label} {what} costs ",)
    if len(shown) > NAMED:
        # The cheapest, the same model on its dearest other basis, and how near the others come.
        cheapest, nearest = shown[0], shown[-1]
        again = [one for one in shown[1:] if one.column.item.model == cheapest.column.item.model]
        kept = [cheapest, *again[-1:]]
        rest = f", and at least {_ratio(nearest.ratio or Decimal(1))} every other." if nearest not in kept else "."
        return (*start, *_named(kept), rest)
    return (*start, *_named(shown), ".")


def _named(shown: Sequence[Basis]) -> Words:
    said: list[str | Figure] = []
    for place, one in enumerate(shown):
        said.append("" if not place else " and " if place == len(shown) - 1 else ", ")
        said += [f"{_ratio(one.ratio or Decimal(1))} {one.column.label} (", *_amount(one.cell), ")"]
    return tuple(said)


def _ratio(ratio: Decimal) -> str:
    return "as much as" if ratio < ALIKE else formatting.multiple(ratio)


def _price(cell: Cell) -> Figure:
    return Figure(cell.text, cell.evidence)


def _amount(cell: Cell) -> tuple[str | Figure, ...]:
    """`CN¥0.80, $0.112` or `$0.40`."""
    return (_price(cell),) if cell.currency == "USD" else (_price(cell), f", {cell.usd_text}")


def chart_words(ask: Ask, timeline: Timeline) -> tuple[str, str, str]:
    """Title, subtitle and note of the chart: how often anybody moved, in which unit, by which rate."""
    moved = [line for line in timeline.lines if len(line.steps) > 1]
    what = f"blended {mix_words(ask.mix)}" if ask.unit == "blend" else UNITS[ask.unit]
    if not moved:
        title = f"None of them has changed its {what} price, as far as is known"
    else:
        busiest = max(moved, key=lambda line: len(line.steps))
        times = len(busiest.steps) - 1
        often = {1: "once", 2: "twice"}.get(times, f"{times} times")
        title = f"{busiest.column.label} changed its {what} price {often}"
        title += (
            ", more often than the others" if len(moved) > 1 else "; the others have not" if timeline.lines[1:] else ""
        )
    note = "A step begins when the price took effect, as its source dates it or first showed it."
    if any(step.currency != "USD" for line in timeline.lines for step in line.steps):
        note += " Other currencies by the newest rate of each day or before it."
    if timeline.undrawn:
        note += f" Not drawn, no rate known: {', '.join(timeline.undrawn)}."
    return title, f"USD per Mtok, {what}, standard tier", note


def scope(ask: Ask, columns: Sequence[Column], rows: Sequence[Row], at: datetime) -> list[str]:
    said = [f"List prices on {formatting.day(ask.at or at)}"]
    if columns:
        said.append("Per Mtok unless said otherwise, in the currency each is asked in")
    conversions = dict.fromkeys(
        f"{cell.currency} {cell.conversion}" for row in rows for cell in row.cells
        if cell.amount is not None and cell.currency != "USD"
    )  # fmt: skip
    return [*said, *conversions]
