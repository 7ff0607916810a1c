"""What the ladder says in sentences, by rule."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dashboards import formatting
from dashboards.pages.ladder.ask import rate_words
from dashboards.pages.ladder.page import WAYS, Cell, Page, RungRow
from dashboards.pages.ledger import Figure, Words
from pricing.ladder import ASSUMED, Count, Pace


def finding(page: Page) -> Words:
    """What the lowest rung costs with the cheapest model and with a person, and how many times as much."""
    if not page.priced:
        return ("No model with a known price is on the ladder: choose one.",)
    first = next((row for row in page.rows if row.cheapest), None)
    if first is None or first.cheapest is None:
        return ("None of these models has a known price for any of these answers.",)
    said: Words = (f"{first.rung.name} costs ", _cost(first.cheapest), f" with {first.cheapest.model.name}")
    if first.human.low is None or first.times is None:
        return (*said, ".")
    hour = Figure(formatting.money_in_prose(page.ask.who.low), WAYS)
    told = Figure(formatting.derived_price(first.human.low), WAYS)
    person: Words = ("; a person reading and speaking it at ", hour, " an hour costs ", told)
    return (*said, *person, f": {formatting.multiple(first.times)}.")


def _cost(cell: Cell) -> Figure:
    return Figure(formatting.derived_price(cell.usd) if cell.usd is not None else "unknown", cell.evidence)


def scope(page: Page) -> list[str]:
    pace, usual = page.ask.pace, Pace()
    said = [f"List prices on {formatting.day(page.ask.at or page.at)}, standard tier, USD per answer"]
    assumed = "assumed" if pace == usual else "as entered"
    reads, speaks = (f"{one.normalize():,f}" for one in (pace.reading, pace.speaking))
    said.append(f"A person reads {reads} and speaks {speaks} tokens an hour, {assumed}")
    if page.span is not None and page.workloads:
        said.append(f"Own requests {formatting.period(page.span.start, page.span.until)}, at list prices")
    return said


def chart_title(page: Page) -> str:
    """How far the ladder reaches, in orders of magnitude."""
    known = sorted(
        ((cell.usd, row.rung.name) for row in page.rows for cell in row.known if cell.usd), key=lambda one: one[0]
    )
    if not known or known[0][0] == known[-1][0]:
        return "One answer, one price" if known else "Nothing to draw"
    (low, bottom), (high, top) = known[0], known[-1]
    reach = f"{math.log10(float(high / low)):.1f} orders of magnitude"
    ends = f"{_inside(bottom)} at its cheapest to {_inside(top)} at its dearest"
    return f"{reach} from {ends}"


def _inside(name: str) -> str:
    return name[0].lower() + name[1:]


def note(page: Page) -> str:
    """Method, sources, licences and dates."""
    counts = [count for row in page.rows for count in row.rung.counts if count.basis != ASSUMED]
    sources = dict.fromkeys(
        f"{count.source}, {formatting.day(count.observed_on)} ({count.licence})" for count in counts
    )
    said = [f"Tokens: {'; '.join(sources)}; what is assumed is called so in the table."]
    said.append(
        "Every model is priced for the same tokens, at its maker’s list price, else the cheapest host’s, by the length"
        " of the prompt; no cache, no batch."
    )
    if page.ladder.credits:
        said.append(f"Prices: {', '.join(page.ladder.credits)}.")
    who = page.ask.who
    said.append(f"Person: {who.name.lower()} at {rate_words(who)} USD an hour, assumed.")
    if page.foreign:
        said.append(f"Not drawn, as their prices are not in USD: {', '.join(page.foreign)}.")
    return " ".join(said)


def tokens(row: RungRow) -> str:
    """`215 in, 198 out`."""
    names = {"input": "in", "output": "out", "output_image": "of image"}
    return ", ".join(
        f"{formatting.count(count.tokens)} {names.get(count.unit, count.unit)}" for count in row.rung.counts
    )


@dataclass(frozen=True, slots=True)
class CountRow:
    """One count of tokens and who says so."""

    rung: str
    unit: str
    count: Count


def counts(page: Page) -> list[CountRow]:
    names = {"input": "input", "output": "output", "output_image": "image output"}
    return [
        CountRow(row.rung.name, names.get(count.unit, count.unit), count)
        for row in page.rows
        for count in row.rung.counts
    ]
