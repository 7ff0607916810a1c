"""The weekly report as plain data: what a mail says, before it is HTML, text or a picture. Pure.

A figure's address is a path of this instance that shows the same number; the renderings put the host before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from dashboards.formatting import Change
from dashboards.pages.ledger import Figure, Words
from dashboards.pages.periods import Span, monday

WEEKS = 13
MEAN_OF = 4


def last_whole_week(today: date) -> date:
    """The Monday of the last ISO week that is over in UTC days."""
    return monday(today) - timedelta(days=7)


def week_name(start: date) -> str:
    """`2026-W46`."""
    year, week, _ = start.isocalendar()
    return f"{year}-W{week:02}"


def week_start(name: str) -> date:
    """The Monday of `2026-W46`; ValueError with a sentence for what names no week."""
    try:
        year, week = name.upper().split("-W")
        return date.fromisocalendar(int(year), int(week), 1)
    except ValueError:
        raise ValueError(f"“{name[:20]}” is no week: write 2026-W46.") from None


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose week it is. `slugs` narrow it within what the reader may see; none where it is all of that."""

    organisation: str
    currency: str
    week: Span
    name: str
    whole: bool
    slugs: tuple[str, ...] = ()

    @property
    def before(self) -> Span:
        return Span(self.week.start - timedelta(days=7), self.week.start)

    @property
    def number(self) -> int:
        return self.week.start.isocalendar().week

    def url(self, path: str, span: Span, **asked: object) -> str:
        """A page of these days, narrowed to the same projects unless it says one itself."""
        own = {} if "project" in asked or not self.slugs else {"project": list(self.slugs)}
        return f"{path}?{urlencode({**own, **asked, 'from': span.start, 'until': span.until}, doseq=True)}"

    def spend_url(self, span: Span, **asked: object) -> str:
        return self.url("/spend", span, **{"group_by": "project", **asked})

    def records_url(self, **asked: object) -> str:
        return self.url("/spend/records", self.week, **asked)

    @property
    def bridge_url(self) -> str:
        before = {"before_from": self.before.start, "before_until": self.before.until}
        return self.url("/spend/bridge", self.week, **before)


@dataclass(frozen=True, slots=True)
class Tile:
    label: str
    figure: Figure
    change: Change | None = None
    words: Words = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """A move to decide on: what it saves a month, and why one may believe it."""

    saving: str
    move: Figure
    why: str


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the bridge; the amounts shown add up to the change."""

    name: str
    words: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Bridge:
    title: str
    parts: tuple[Part, ...]
    note: Words

    @property
    def widest(self) -> Decimal:
        return max((abs(part.amount) for part in self.parts), default=Decimal(0))


@dataclass(frozen=True, slots=True)
class Band:
    """A project's weeks in the picture, the earliest first; `colour` is a series of the stylesheet.

    `slug` is what a font without its letters may call it.
    """

    name: str
    slug: str
    colour: int | str
    values: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """What was spent a week, the largest project at the base; `spoken` is for who cannot see it."""

    title: str
    weeks: tuple[date, ...]
    bands: tuple[Band, ...]
    spoken: str
    url: str


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A price that is paid and changed in the week or will; `effect` is of a week like this one."""

    on: date
    what: Figure
    words: Words
    effect: Decimal | None


@dataclass(frozen=True, slots=True)
class Unknown:
    label: str
    words: Words


@dataclass(frozen=True, slots=True)
class Report:
    """All that the mail of one week says to one reader."""

    scope: Scope
    subject: str
    preheader: str
    finding: Words
    standing: Words
    tiles: tuple[Tile, ...]
    decisions: tuple[Decision, ...]
    no_decision: Words
    bridge: Bridge | None
    chart: Chart | None
    prices: tuple[PriceChange, ...]
    retiring: tuple[PriceChange, ...]
    unknown: tuple[Unknown, ...]
    doubts: tuple[Words, ...]
    is_sample: bool = False

    @property
    def week_words(self) -> str:
        return f"{self.scope.name}, week {self.scope.number}, {self.scope.week.words}"

    @property
    def week_url(self) -> str:
        return self.scope.spend_url(self.scope.week)

    @property
    def decisions_title(self) -> str:
        return {1: "One decision", 2: "Two decisions", 3: "Three decisions"}.get(len(self.decisions), "Decisions")

    def links(self) -> list[Figure]:
        """Every figure of the report with its address, in the order of the mail."""
        tiles = [figure for tile in self.tiles for figure in (tile.figure, *_figures(tile.words))]
        rows = [*self.prices, *self.retiring]
        said = [figure for row in rows for figure in (row.what, *_figures(row.words))]
        unknown = [figure for one in self.unknown for figure in _figures(one.words)]
        bridge = _figures(self.bridge.note) if self.bridge else []
        return [
            *_figures(self.finding), *_figures(self.standing), *tiles, *(one.move for one in self.decisions),
            *_figures(self.no_decision), *bridge, *said, *unknown,
            *(figure for doubt in self.doubts for figure in _figures(doubt)),
        ]  # fmt: skip


def _figures(words: Words) -> list[Figure]:
    return [one for one in words if isinstance(one, Figure)]
