"""The weekly report as plain data: what a mail says, before it is HTML, text or a picture. Pure.

A figure's address is a path of this instance that shows the same number; the renderings put the host before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from dashboards import formatting
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
    """Whose week it is: of the whole organisation, else of `project_ids`. `slugs` narrow it within what the reader may
    see; none where it is all of that."""

    organisation: str
    currency: str
    week: Span
    name: str
    whole: bool
    slugs: tuple[str, ...] = ()
    project_ids: frozenset[int] = frozenset()

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
    """A move to decide on: what it saves a month, and why one may believe it. All stands on the page of the move."""

    saving: str
    move: Figure
    why: Words


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the bridge; the amounts shown add up to the change. `url` shows the same, '' where nothing does."""

    name: str
    words: str
    amount: Decimal
    url: str = ""


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


# Why a number stands on no page
CHANGE = "how far two figures that are links are apart"
MEAN = "a quarter of the sum beside it, which is a link"
CUT = "what the decisions save of a month like the week, all of which are links"
REST = "the sum of the parts that are not named, which stand on the page of the others"
TOKENS = "a difference of the tokens of two weeks, which stand on the page of the bridge"
EFFECT = "prices that are links, times the week's tokens of each service tier"
UNPRICED = "what the share of priced tokens, which is a link, leaves"
BUDGETS = "the budgets of several projects together, each of which stands on its page"
CLAIMED = "what a source says, on the page of the price that is a link beside it"

_NUMBER = re.compile(r"[−+]?(?:[A-Z]{3} )?[$€£¥]?\d(?:[\d.,]*\d)?[kM]?(?:–[$€£¥]?\d(?:[\d.,]*\d)?[kM]?)?(?:%| Mtok)?")


def numbers_in(text: str) -> list[str]:
    """The amounts of money, shares and tokens that a text says: not its days, weeks and counts."""
    return [one.lstrip("+") for one in _NUMBER.findall(text) if re.search(r"[$€£¥]|%| Mtok|^[A-Z]{3} ", one)]


@dataclass(frozen=True, slots=True)
class Report:
    """All that the mail of one week says to one reader. `shows`: the projects whose money it tells, None where some of
    it is that of the whole organisation."""

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
    shows: frozenset[int] | None = None
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

    def numbers(self) -> list[Figure]:
        """Every amount of money, share and amount of tokens that the mail says: with the page that shows it, or `why`
        none does."""
        said = [*self.links(), *self._unlinked()]
        return [replace(figure, text=one) for figure in said for one in numbers_in(figure.text)]

    def _unlinked(self) -> list[Figure]:
        """What stands in the mail as plain text."""
        currency = self.scope.currency
        found = [Figure(tile.change.text, "", CHANGE) for tile in self.tiles if tile.change]
        found += [Figure(one.saving, one.move.url) for one in self.decisions]
        found += [
            Figure(formatting.signed_money(row.effect, currency), "", EFFECT) for row in self.prices if row.effect
        ]
        if self.bridge:
            found.append(Figure(self.bridge.title, self.scope.bridge_url))
            for part in self.bridge.parts:
                amount = formatting.signed_money(part.amount, currency)
                found += [Figure(amount, part.url, "" if part.url else REST), Figure(part.words, "", TOKENS)]
        return found

    def links(self) -> list[Figure]:
        """Every figure of the report with its address, in the order of the mail."""
        tiles = [figure for tile in self.tiles for figure in (tile.figure, *_figures(tile.words))]
        rows = [*self.prices, *self.retiring]
        said = [figure for row in rows for figure in (row.what, *_figures(row.words))]
        unknown = [figure for one in self.unknown for figure in _figures(one.words)]
        bridge = _figures(self.bridge.note) if self.bridge else []
        return [
            *_figures(self.finding), *_figures(self.standing), *tiles, *(one.move for one in self.decisions),
            *(figure for one in self.decisions for figure in _figures(one.why)),
            *_figures(self.no_decision), *bridge, *said, *unknown,
            *(figure for doubt in self.doubts for figure in _figures(doubt)),
        ]  # fmt: skip


def _figures(words: Words) -> list[Figure]:
    return [one for one in words if isinstance(one, Figure)]
