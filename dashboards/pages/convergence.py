"""The page of convergence: how near cheap and open models come to the best, for how long one stays on top. Pure.

Its address is its state, the price index' own with three parts more: what cheap is, what is good enough, and whether a
day is read as it was known then or by today's scores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal

from dashboards import formatting
from dashboards.pages import price_index
from dashboards.pages.asked import Option, address, blend_url
from dashboards.pages.price_index import number
from dashboards.pages.price_index.asked import score as read_score
from pricing.answers.convergence import MONTHS, TABLES, Standings, Who
from pricing.benchmarks import benchmarks
from pricing.convergence import Gap, Reign, Snapshot, Standing, gaps, reigns, win_share

PATH = "/index/convergence"
CHEAP = Decimal(1)
ELO = frozenset({"arena"})
"""Benchmarks whose points are of the Elo scale."""
BASES = {TABLES: "as it was rated then", MONTHS: "by today’s scores"}


@dataclass(frozen=True, slots=True)
class Ask:
    """What the address asks for; a `floor` of None is the page's own choice."""

    market: price_index.Ask
    at_most: Decimal = CHEAP
    floor: Decimal | None = None
    by: str = TABLES

    def url(self, path: str = PATH, **changes: object) -> str:
        kept = dict(pair.split("=", 1) for pair in self.market.url().partition("?")[2].split("&") if pair)
        state: dict[str, object] = {
            "at_most": "" if self.at_most == CHEAP else number(self.at_most),
            "floor": "" if self.floor is None else number(self.floor),
            "by": "" if self.by == TABLES else self.by,
        }
        found = address(path, {**state, **changes})
        own = "&".join(f"{name}={value}" for name, value in kept.items() if name not in changes)
        return f"{found}{'&' if '?' in found else '?'}{own}" if own else found


def read(query: Mapping[str, str]) -> tuple[Ask, list[str]]:
    """The state in an address, and a sentence for each part that could not be read and stays at its default."""
    market, wrong = price_index.read(query)
    ask = Ask(replace(market, threshold=None, start=None, until=None))
    try:
        at_most = read_score(query.get("at_most", ""), "“At most”", "a price in USD per Mtok such as 1 or 0.5")
        if at_most is not None and at_most <= 0:
            raise ValueError("“At most” needs a price above 0: a free model is rationed and never the cheap one.")
        ask = replace(ask, at_most=at_most or CHEAP)
    except ValueError as fault:
        wrong.append(str(fault))
    try:
        ask = replace(ask, floor=read_score(query.get("floor", ""), "“Good enough”", "a score such as 1300 or 43.9"))
    except ValueError as fault:
        wrong.append(str(fault))
    by = query.get("by", "") or TABLES
    if by not in BASES:
        wrong.append(f"“By” is one of {', '.join(BASES)}, not “{by[:40]}”.")
    return (replace(ask, by=by) if by in BASES else ask), wrong


def options(ask: Ask) -> dict[str, list[Option]]:
    """The choices of each filter as links, the present one marked."""
    found = {
        name: [Option(one.label, _on_this_page(ask, one.url), one.is_current) for one in choices]
        for name, choices in price_index.options(ask.market).items()
    }
    found["by"] = [
        Option(label[0].upper() + label[1:], ask.url(by="" if by == TABLES else by), by == ask.by)
        for by, label in BASES.items()
    ]
    return found


def _on_this_page(ask: Ask, url: str) -> str:
    market, _ = price_index.read(dict(pair.split("=", 1) for pair in url.partition("?")[2].split("&") if pair))
    is_same = market.benchmark == ask.market.benchmark and market.category == ask.market.category
    return replace(ask, market=market, floor=ask.floor if is_same else None).url()


@dataclass(frozen=True, slots=True)
class Cell:
    """One of the three models of a day; `price_text` is '' where no price is known."""

    label: str
    url: str
    score: Decimal
    price: Decimal | None
    evidence: str
    behind: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One day: the best, the best that is cheap, the best with open weights, and the share above the floor."""

    gap: Gap
    best: Cell
    cheap: Cell | None
    open: Cell | None

    @property
    def on(self) -> date:
        return self.gap.on

    @property
    def share_text(self) -> str:
        return formatting.share(self.gap.above, self.gap.rated)


@dataclass(frozen=True, slots=True)
class ReignRow:
    reign: Reign
    label: str
    url: str

    @property
    def length(self) -> str:
        """`31 to 212 days`; what the snapshots tell of it and no more."""
        one = self.reign
        seen = f"{one.least_days} days or more" if one.least_days else "seen on one day"
        if one.until is None:
            return f"{seen}, still on top"
        if one.most_days is None:
            return f"{seen}, on top when the record begins"
        return f"{one.least_days} to {one.most_days} days" if one.least_days else f"up to {one.most_days} days"


@dataclass(frozen=True, slots=True)
class ConvergencePage:
    ask: Ask
    floor: Decimal
    finding: str
    title: str
    scope: tuple[str, ...]
    rows: tuple[Row, ...]
    reigns: tuple[ReignRow, ...]
    care: tuple[str, ...]
    is_elo: bool
    credits: tuple[str, ...] = ()

    @property
    def newest(self) -> Row | None:
        return self.rows[-1] if self.rows else None

    @property
    def duels(self) -> dict[str, str]:
        """How often the best wins a duel against the cheap and the open one today; empty where points are no Elo."""
        if not self.is_elo or self.newest is None:
            return {}
        named = {"cheap": self.newest.gap.behind_cheap, "open": self.newest.gap.behind_open}
        return {name: f"{win_share(points) * 100:.0f} of 100" for name, points in named.items() if points is not None}


def compose(ask: Ask, found: Standings) -> ConvergencePage:
    """The page for a state, from the snapshots of a benchmark."""
    snapshots = found.tables if ask.by == TABLES else found.months
    floor = _floor(snapshots) if ask.floor is None else ask.floor
    rows = tuple(_row(ask, found.who, gap) for gap in gaps(snapshots, ask.at_most, floor))
    held = [ReignRow(one, *_named(found.who, one.model)) for one in reigns(snapshots)]
    return ConvergencePage(
        ask=ask, floor=floor, finding=_finding(ask, rows), title=_title(rows), scope=_scope(ask, found, rows),
        rows=rows, reigns=tuple(held), care=_care(ask, found, rows), is_elo=ask.market.benchmark in ELO,
        credits=found.credits,
    )  # fmt: skip


def _floor(snapshots: Iterable[Snapshot]) -> Decimal:
    """As good as the best of the first day, in whole points: what was the frontier when the record begins."""
    first = min((one for one in snapshots if one.standings), key=lambda one: one.on, default=None)
    if first is None:
        return Decimal(0)
    return max(one.score for one in first.standings).to_integral_value(ROUND_FLOOR)


def _named(who: Mapping[str, Who], key: str) -> tuple[str, str]:
    one = who[key]
    return one.name, f"/models/{one.slug}" if one.slug else ""


def _row(ask: Ask, who: Mapping[str, Who], gap: Gap) -> Row:
    def cell(one: Standing | None) -> Cell | None:
        if one is None:
            return None
        label, url = _named(who, one.model)
        behind = gap.best.score - one.score
        return Cell(label, url, one.score, one.price, _evidence(ask, who[one.model], gap.on), behind)

    best = cell(gap.best)
    assert best is not None  # noqa: S101 - a gap has a best
    return Row(gap, best, cell(gap.cheap), cell(gap.open))


def _evidence(ask: Ask, one: Who, on: date) -> str:
    """The list prices a price of a day was blended from."""
    step = next((step for step in one.steps if step.since <= on and (step.until is None or on < step.until)), None)
    asked = [held.offering for held in step.asked if held.offering is not None] if step else []
    if step is None or not asked:
        return ""
    after = on + timedelta(days=1)
    day = after if step.since == on and (step.until is None or after < step.until) else on
    return blend_url(one.slug, asked[0], ask.market.mix, at=day, against=asked[1] if len(asked) > 1 else None)


# Words


def _points(points: Decimal) -> str:
    shown = formatting.rounded(points, 0) if points >= 10 else formatting.rounded(points, 1).normalize()
    return f"{shown:f} point{'' if shown == 1 else 's'}"


def _finding(ask: Ask, rows: Sequence[Row]) -> str:
    """The gap of the newest day beside that of the first day on which it is known, cheap and open each."""
    if not rows:
        return "Nothing is known of these models yet."
    said = []
    for name, what in (
        ("behind_cheap", f"The best model for at most {number(ask.at_most)} USD per Mtok"),
        ("behind_open", "the best with open weights"),
    ):
        known = [(row, points) for row in rows if (points := getattr(row.gap, name)) is not None]
        if not known or known[-1][0] is not rows[-1]:
            said.append(f"{what} is not known")
            continue
        row, points = known[-1]
        text = f"{what} is {_points(points)} behind the top" if points else f"{what} is the top itself"
        first, before = known[0]
        if first is not row:
            text += f" ({_points(before)} in {first.on:%B %Y})"
        said.append(text)
    return "; ".join(said) + "."


def _title(rows: Sequence[Row]) -> str:
    if len(rows) < 2:
        return "One day only, so far"
    one, two = rows[0].best.score, rows[-1].best.score
    return f"The best went from {formatting.rounded(one, 0)} to {formatting.rounded(two, 0)}; who follows, and how near"


def _scope(ask: Ask, found: Standings, rows: Sequence[Row]) -> tuple[str, ...]:
    module = benchmarks()[ask.market.benchmark]
    days = found.days
    if found.benchmark.runs_dated:
        read_on = f"runs of {len(days)} days, {formatting.day(days[0])} to {formatting.day(days[-1])}"
    else:
        read_on = f"{len(days)} table{'s' if len(days) > 1 else ''} since {days[0]:%B %Y}"
    said = [
        f"{module.NAME}, {ask.market.category_label[0].lower()}{ask.market.category_label[1:]}: {read_on}",
        f"{BASES[ask.by][0].upper()}{BASES[ask.by][1:]}" + (f": {len(rows)} months" if ask.by == MONTHS else ""),
    ]
    if rows:
        gap = rows[-1].gap
        said.append(f"{gap.rated} models on {formatting.day(gap.on)}, {gap.unpriced} without a price")
        said.append(f"{gap.rated - gap.weights_unknown} known to have open or closed weights")
    return tuple(said)


def _care(ask: Ask, found: Standings, rows: Sequence[Row]) -> tuple[str, ...]:
    said = []
    if ask.by == TABLES:
        said.append(
            "A day is read as it was rated then, with the price that held at its beginning. Between two tables nothing "
            "is known, and a benchmark may have moved its scale from one to the next."
        )
    else:
        said.append(
            f"Every model has its newest score, as of {formatting.day(found.days[-1])}, on one scale, and counts in "
            "the months in which it had a price here. Models that left the benchmark, or came later, are missing."
        )
    unknown = [row for row in rows if row.cheap is None]
    if unknown:
        said.append(
            f"On {len(unknown)} of {len(rows)} days no model is known to have cost so little: mostly because nobody "
            "wrote prices down, which is not the same as none having been cheap."
        )
    said.append("A model whose weights nobody states to be open does not count as open.")
    return tuple(said)


CSV_HEAD = (
    "date", "best", "best_score", "best_usd_per_mtok", "cheap", "cheap_score", "cheap_usd_per_mtok", "behind_cheap",
    "open", "open_score", "open_usd_per_mtok", "behind_open", "rated", "above_floor", "unpriced", "weights_unknown",
)  # fmt: skip


def csv_rows(page: ConvergencePage) -> Iterable[tuple[object, ...]]:
    def cells(one: Cell | None) -> tuple[object, ...]:
        return (one.label, one.score, one.price) if one else ("", None, None)

    for row in page.rows:
        gap = row.gap
        yield (
            row.on.isoformat(), *cells(row.best), *cells(row.cheap), gap.behind_cheap, *cells(row.open),
            gap.behind_open, gap.rated, gap.above, gap.unpriced, gap.weights_unknown,
        )  # fmt: skip


REIGNS_HEAD = ("model", "score", "seen_from", "seen_until", "overtaken_by", "least_days", "most_days")


def reign_rows(page: ConvergencePage) -> Iterable[tuple[object, ...]]:
    for one in page.reigns:
        held = one.reign
        yield (
            one.label, held.score, held.first.isoformat(), held.last.isoformat(),
            held.until and held.until.isoformat(), held.least_days, held.most_days,
        )  # fmt: skip
