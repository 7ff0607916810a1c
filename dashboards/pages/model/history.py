"""How a list price moved and is known to move: steps, events, and what the chart is called."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.ledger import Figure, Words
from dashboards.pages.model import words
from dashboards.pages.model.events import EventLine
from dashboards.pages.model.facts import (
    UNITS,
    WORDS,
    Ask,
    Event,
    Held,
    History,
    HistoryLine,
    Mark,
    ModelPage,
    Offered,
    Seller,
    Step,
    Upcoming,
    evidence_url,
)


def upcoming(ask: Ask, known: Sequence[Held], main: Seller | None, at: datetime) -> tuple[Upcoming, ...]:
    """Changes of the main seller's plain prices that begin after the moment asked for."""
    if main is None:
        return ()
    own = [price for price in known if price.offering_id == main.offering_id and price.is_plain]
    begins: dict[datetime, dict[str, Held]] = defaultdict(dict)
    for price in own:
        if price.effective_from > at and price.unit in UNITS and price.usd_per_mtok is not None:
            begins[price.effective_from][price.unit] = price
    found = []
    for start in sorted(begins):
        before = {price.unit: price for price in own if price.held_at(start - timedelta(microseconds=1))}
        held = [
            (before[unit], price)
            for unit, price in begins[start].items()
            if unit in before and before[unit].usd_per_mtok != price.usd_per_mtok
        ]
        if held:
            moved = [(old.usd_per_mtok, new.usd_per_mtok) for old, new in held]
            up = sum((new or 0) - (old or 0) for old, new in moved) > 0
            found.append(Upcoming(start, _move_words(start, moved), _move_detail(ask, held), up))
    return tuple(found)


def _move_words(start: datetime, moved: Sequence[tuple[Decimal | None, Decimal | None]]) -> str:
    ratios = {new / old for old, new in moved if old and new is not None}
    when = f"on {start.day} {start:%B}"
    if len(ratios) == 1:
        ratio = ratios.pop()
        if ratio == 2:
            return f"the price doubles {when}"
        if ratio == Decimal("0.5"):
            return f"the price halves {when}"
    up = sum((new or 0) - (old or 0) for old, new in moved) > 0
    return f"the price {'rises' if up else 'falls'} {when}"


def _move_detail(ask: Ask, moved: Sequence[tuple[Held, Held]]) -> Words:
    """Each price before and after with its evidence, in the order of the table."""
    said: list[str | Figure] = []
    for old, new in sorted(moved, key=lambda pair: UNITS.index(pair[0].unit)):
        if old.usd_per_mtok is None or new.usd_per_mtok is None:
            continue
        unit = WORDS[old.unit]
        said += [f"; {unit} " if said else f"{unit[0].upper()}{unit[1:]} ", _figure(ask, old), " becomes "]
        said.append(_figure(ask, new))
    return (*said, ".") if said else ()


def _figure(ask: Ask, price: Held) -> Figure:
    return Figure(formatting.price(price.usd_per_mtok or Decimal(0)), evidence_url(ask, price.price_id))


def history(
    ask: Ask, sellers: Sequence[Seller], known: Sequence[Held], main: Seller | None, offered: Sequence[Offered],
    at: datetime, now: datetime,
) -> History:  # fmt: skip
    """The main seller's input and output over time, two other sellers' muted, and what happened when.

    A maker that no longer sells it is the first of the others; a line ends where its offering did.
    """
    by_offering: dict[int, list[Held]] = defaultdict(list)
    for price in known:
        if price.is_plain and price.unit in ("input", "output") and price.usd_per_mtok is not None:
            by_offering[price.offering_id].append(price)
    future = max((price.effective_from for prices in by_offering.values() for price in prices), default=now)
    end = max(now, at, future + timedelta(days=14) if future > now else now)
    lines = []
    if main:
        lines += _lines(main, by_offering.get(main.offering_id, ()), end, is_main=True)
    others = [row.seller for row in offered if not main or row.seller.provider != main.provider]
    others.sort(
        key=lambda seller: (
            not seller.first_party, not seller.sells_at(at), -len(by_offering.get(seller.offering_id, ())),
        )
    )  # fmt: skip
    for seller in others[:2]:
        lines += _lines(seller, by_offering.get(seller.offering_id, ()), end, is_main=False)
    starts = [line.steps[0].start for line in lines if line.steps]
    start = min(starts, default=now)
    return History(tuple(lines), _events(ask, known, main, now), start, end, now)


def _lines(seller: Seller, prices: Iterable[Held], end: datetime, *, is_main: bool) -> list[HistoryLine]:
    end = min(end, seller.retired_at or end)
    by_unit: dict[str, list[Held]] = defaultdict(list)
    for price in sorted(prices, key=lambda price: price.effective_from):
        by_unit[price.unit].append(price)
    lines = []
    for unit in ("output", "input"):
        steps: list[Step] = []
        for price in by_unit.get(unit, ()):
            start, until = price.since, min(price.effective_until or end, end)
            amount = price.usd_per_mtok or Decimal(0)
            if start >= until:
                continue
            if steps and steps[-1].amount == amount and steps[-1].end == start:
                steps[-1] = replace(steps[-1], end=until)
            else:
                steps.append(Step(start, until, amount, price.price_id, price.starts_unknown))
        if steps:
            lines.append(HistoryLine(seller.name, unit, is_main, tuple(steps)))
    return lines


def _events(ask: Ask, known: Sequence[Held], main: Seller | None, now: datetime) -> tuple[Event, ...]:
    if main is None:
        return ()
    own = [price for price in known if price.offering_id == main.offering_id and price.service_tier == "standard"]
    found = []
    peaks = [price.effective_from for price in own if price.schedule]
    if peaks and not all(price.starts_unknown for price in own if price.schedule):
        found.append(Event(min(peaks), "prices by hour start"))
    found += [Event(one.begins, one.short) for one in upcoming(ask, known, main, now)[:2]]
    return tuple(sorted(found, key=lambda event: event.at))


def title(history: History, main: Seller | None, upcoming: Sequence[Upcoming]) -> str:
    own = [line for line in history.lines if line.is_main]
    if not own or main is None:
        return "No price history"
    moves = sorted({step.start for line in own for step in line.steps[1:]})
    past = [move for move in moves if move <= history.now]
    if not past and upcoming:
        return f"{upcoming[0].said[0].upper()}{upcoming[0].said[1:]}"
    if not past:
        return f"{main.name} has not changed the price since {_month(history.start)}, as far as is known"
    times = {1: "once", 2: "twice"}.get(len(past), f"{words.count_word(len(past)).lower()} times")
    return f"{main.name} changed the price {times} since {_month(history.start)}{_last_move(own, past[-1])}"


def _last_move(own: Sequence[HistoryLine], at: datetime) -> str:
    for line in own:
        for before, after in zip(line.steps, line.steps[1:], strict=False):
            if after.start == at and before.amount:
                moved = formatting.change(after.amount, before.amount)
                return f"; last, {line.unit} {moved.text} on {at.day} {at:%B}"
    return ""


def with_marks(history: History, events: Sequence[EventLine]) -> History:
    """The history with a dot where a plain price of the main seller is known to have moved."""
    marks = [
        Mark(line.at, part.unit, part.new_amount, f"{part.name} {part.verb}: {part.old} to {part.new}")
        for line in events
        if line.is_main and line.is_plain and history.start <= line.at <= history.end
        for part in line.parts
        if part.is_move and part.new_amount is not None and not part.is_held and part.unit in ("input", "output")
    ]  # fmt: skip
    return replace(history, marks=tuple(marks))


def _month(when: datetime) -> str:
    return f"{when:%B %Y}"


def history_rows(page: ModelPage) -> list[tuple[HistoryLine, Step, str, bool]]:
    """The history as a table, the newest first: line, step, its evidence, whether it still holds or is to come."""
    rows = [
        (line, step, evidence_url(page.ask, step.price_id), step.end >= page.history.end)
        for line in page.history.lines
        for step in line.steps
    ]
    return sorted(rows, key=lambda row: (not row[0].is_main, row[0].seller, row[0].unit, -row[1].start.timestamp()))
