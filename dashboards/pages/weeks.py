"""Twenty-six weeks: the bands of a stack, what they claim, and the price changes that belong on their axis. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.ledger import ZERO, ModelKey, ModelName, Move, Tokens, records_url, week_span
from dashboards.pages.periods import Span

EVENTS_SHOWN = 3
TELLING = Decimal("0.05")


@dataclass(frozen=True)
class Series:
    """One band of the stack: the weeks of one project, or of the smaller ones together."""

    name: str
    colour: int | str
    values: Sequence[Decimal]
    slug: str = ""
    """The project's, "none" for unattributed; '' for several together."""
    unknown: frozenset[int] = frozenset()
    """Places where there is something and nothing of its figure is known."""

    def at(self, place: int) -> Decimal | None:
        return None if place in self.unknown else self.values[place]


@dataclass(frozen=True)
class Event:
    """A price change on the time axis; `weight` is the money it moved."""

    on: date
    text: str
    short: str
    weight: Decimal


@dataclass(frozen=True)
class Week:
    """A row of the table behind the chart: each band to the cent with its evidence, and their sum."""

    start: date
    parts: Sequence[tuple[Decimal, str]]
    whole: Decimal
    url: str


def stack(lines: Iterable[tuple[int | str, str, str, Sequence[Decimal]]]) -> list[Series]:
    """Bands from (colour, name, slug, values), in their order; lines of one colour become one band."""
    coloured: dict[int | str, list[tuple[str, str, Sequence[Decimal]]]] = {}
    for colour, name, slug, values in lines:
        coloured.setdefault(colour, []).append((name, slug, values))
    return [
        Series(
            found[0][0] if len(found) == 1 else f"{len(found)} smaller projects",
            colour,
            [sum(values, ZERO) for values in zip(*(values for _, _, values in found), strict=True)],
            found[0][1] if len(found) == 1 else "",
        )
        for colour, found in coloured.items()
    ]


def stack_claim(series: Sequence[Series]) -> str:
    """What the stack says: the largest project's share of the bill, and whether that has moved by five points."""
    wholes = [sum(values, ZERO) for values in zip(*(one.values for one in series), strict=True)]
    known = [i for i, whole in enumerate(wholes) if whole]
    if not known:
        return "Spend per week"
    first, last = known[0], known[-1]
    biggest = max([one for one in series if one.slug] or series, key=lambda one: one.values[last])
    now, then = biggest.values[last] / wholes[last], biggest.values[first] / wholes[first]
    if len(known) > 4 and abs(now - then) >= TELLING:
        return f"{biggest.name}: {_whole(now)} of the bill, {'up' if now > then else 'down'} from {_whole(then)}"
    return f"{biggest.name}: {_whole(now)} of the bill"


def _whole(share: Decimal) -> str:
    return f"{formatting.rounded(share * 100, 0)}%"


def heaviest_events(
    moves: Iterable[Move],
    tokens: Mapping[int, Tokens],
    names: Mapping[ModelKey, ModelName],
    inside: Span,
) -> list[Event]:
    """The price changes of models in use that moved most money, at most three, in order of time."""
    found = []
    for move in moves:
        used, name = tokens.get(move.offering_id), names.get(ModelKey(move.offering_id, "", ""))
        if used is None or name is None or not inside.start <= move.on < inside.until:
            continue
        when = f"{move.on.day} {move.on:%b}"
        said = f"{when}: {move.called(name.name)} {move.fact}"
        found.append(Event(move.on, said, f"{when}: {name.name}", abs(move.effect(used))))
    heaviest = sorted((event for event in found if event.weight), key=lambda event: -event.weight)
    return sorted(heaviest[:EVENTS_SHOWN], key=lambda event: event.on)


def week_rows(weeks: Sequence[date], series: Sequence[Series]) -> list[Week]:
    """Latest week first; `weeks` are the Mondays and the one after the last."""
    rows: list[Week] = []
    for i, start in reversed(list(enumerate(weeks[:-1]))):
        span = week_span(start)
        parts = formatting.add_up([one.values[i] for one in series])
        linked = [(part, records_url(span, project=one.slug)) for part, one in zip(parts, series, strict=True)]
        rows.append(Week(start, linked, sum(parts, ZERO), records_url(span)))
    return rows
