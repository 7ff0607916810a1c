"""One project: what it spent, on which models, by whom, at what price paid, and what its models' prices did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from dashboards import formatting
from dashboards.pages import budgets, shares
from dashboards.pages.alerts import Doubt
from dashboards.pages.ledger import (
    STANDARD,
    Figure,
    ModelKey,
    ModelName,
    Move,
    Row,
    Sums,
    Words,
    grouped,
    is_notional,
    model_key,
    model_names,
    moves_paid,
    records_url,
    segments,
    tokens_used,
    total,
    week_span,
    weekly,
)
from dashboards.pages.parts import (
    LEAST_MOVE,
    Kind,
    Line,
    Tile,
    change_words,
    coverage_words,
    kinds_of,
    made_of,
    model_lines,
    outside,
)
from dashboards.pages.periods import Period, Span
from dashboards.pages.shares import Share
from dashboards.pages.weeks import Event, heaviest_events
from usage.pacing import Pace


@dataclass(frozen=True)
class Read:
    """What the page was read from. `by_dimension`: the project's part of what was spent by all dimensions at once."""

    name: str
    slug: str
    currency: str
    period: Period
    month: tuple[Span, Span]
    cuts: Sequence[date]
    by_model: Sequence[Row]
    weeks: Sequence[date]
    by_week: Sequence[Row]
    by_dimension: Sequence[Mapping[str, Any]]
    by: str
    moves: Sequence[Move]
    written: Sequence[Row]
    """Cache writes of the period by lifetime, where a price of such writes moves."""
    doubts: Sequence[Doubt]
    today: date
    pace: Pace | None = None


@dataclass(frozen=True)
class PriceChange:
    """A change of a price the project pays, past or to come."""

    on: date
    model: str
    url: str
    fact: str
    is_rise: bool
    is_ahead: bool


@dataclass(frozen=True)
class Paid:
    """One week: list cost, how many tokens had a price, and what one million of them cost."""

    start: date
    cost: Decimal
    tokens: int
    usd_per_mtok: Decimal | None
    url: str


@dataclass(frozen=True)
class ProjectPage:
    finding: Words
    scope: Sequence[str]
    tiles: Sequence[Tile]
    models: Sequence[Line]
    total: Line
    outside: Sequence[Words]
    kinds: Sequence[Kind]
    by: str
    choices: Sequence[tuple[str, str]]
    shares: Sequence[Share]
    rest: Share | None
    changes: Sequence[PriceChange]
    events: Sequence[Event]
    paid: Sequence[Paid]
    chart_title: str


def compose(read: Read) -> ProjectPage:
    """The whole page from its rows."""
    counted = [row for row in read.by_model if not is_notional(row)]
    inside, earlier = segments(read.cuts, read.period.now), segments(read.cuts, read.period.before)
    now_rows = [row for row in counted if row["segment"] in inside]
    before_rows = [row for row in counted if row["segment"] in earlier]
    now, before = (total(Sums.of(row, read.currency) for row in rows) for rows in (now_rows, before_rows))
    names = model_names(counted)
    models = model_lines(
        grouped(now_rows, read.currency, model_key),
        grouped(before_rows, read.currency, model_key),
        names,
        {doubt.offering_id for doubt in read.doubts},
        lambda key: records_url(read.period.now, project=read.slug, **key.filters),
    )
    tokens = tokens_used(now_rows, read.written)
    paid = _paid(read)
    by = read.by or shares.telling(read.by_dimension)
    parts, rest = shares.shares(read.by_dimension, by, read.currency, read.period.now, read.slug)
    evidence = records_url(read.period.now, project=read.slug)
    known = now.known_cost
    return ProjectPage(
        finding=_finding(read, now, before, models),
        scope=[
            f"{read.period.name}, {read.period.now.words}" if read.period.kind == "week" else read.period.now.words,
            made_of(now, read.currency),
            coverage_words(now),
            "Days in UTC",
        ],
        tiles=_tiles(read, now, before, counted),
        models=models,
        total=Line("Total", "", evidence, now, before, None if known is None else formatting.rounded(known, 2)),
        outside=outside(read.by_model, inside, read.currency, read.period.now, names, project=read.slug),
        kinds=kinds_of(now, before),
        by=by,
        choices=shares.choices(read.by_dimension, by),
        shares=parts,
        rest=rest,
        changes=_changes(read, moves_paid(read.moves, tokens_used(counted, read.written)), names),
        events=heaviest_events(
            moves_paid(read.moves, tokens),
            tokens,
            names,
            Span(read.weeks[0], min(read.weeks[-1], read.today)),
        ),
        paid=paid,
        chart_title=_chart_title(paid),
    )


def _finding(read: Read, now: Sums, before: Sums, models: Sequence[Line]) -> Words:
    period, url = read.period, records_url(read.period.now, project=read.slug)
    if not now.records:
        return (f"{read.name} used no tokens {period.when}.",)
    if now.known_cost is None:
        tokens = Figure(f"{formatting.mtok(now.tokens)} Mtok", url)
        return (f"{read.name} used ", tokens, f" {period.when}, and none of it has a known price.")
    words: Words = (
        f"{read.name} spent ",
        Figure(formatting.money_in_prose(now.cost, read.currency), url),
        f" {period.when}",
    )
    if not before.spent_records:
        return (*words, ".")
    return (*words, f", {change_words(now.cost, before.cost)}.", *_second(read, now, before, models))


def _second(read: Read, now: Sums, before: Sums, models: Sequence[Line]) -> Words:
    """The model that explains at least half of the change, else what became of the price paid."""
    change = now.cost - before.cost
    if abs(change) >= LEAST_MOVE * before.cost and len(models) > 1:
        line = max(models, key=lambda one: (one.sums.cost - one.before.cost) * (1 if change > 0 else -1))
        part = line.sums.cost - line.before.cost
        if abs(part) * 2 >= abs(change) and part * change > 0:
            amount = Figure(formatting.money_in_prose(abs(part), read.currency), line.evidence)
            return (f" {line.name} {'added' if part > 0 else 'took off'} ", amount, ".")
    if now.usd_per_mtok and before.usd_per_mtok:
        moved = formatting.change(now.usd_per_mtok, before.usd_per_mtok)
        if moved.direction in {"up", "down"}:
            return (f" A token cost {moved.text[1:]} {'more' if moved.direction == 'up' else 'less'}.",)
    return ()


def _tiles(read: Read, now: Sums, before: Sums, counted: Sequence[Row]) -> list[Tile]:
    period, currency = read.period, read.currency
    this, earlier = read.month
    month, month_before = (
        total(Sums.of(row, currency) for row in counted if row["segment"] in segments(read.cuts, span))
        for span in (this, earlier)
    )
    return [
        _money_tile(read, f"Spend, {period.now.short}", now, before, (period.now, period.before), period.before_words),
        budgets.tile(read.pace, project=read.slug)
        if read.pace
        else _money_tile(
            read, f"{this.start:%B} to date", month, month_before, read.month, f"the same days of {earlier.start:%B}"
        ),
        Tile(
            "Average price paid",
            "" if now.usd_per_mtok is None else formatting.derived_price(now.usd_per_mtok, currency),
            records_url(period.now, project=read.slug),
            unit="per Mtok",
            now=now.usd_per_mtok,
            before=before.usd_per_mtok,
            compared=()
            if before.usd_per_mtok is None
            else (
                "on ",
                Figure(
                    formatting.derived_price(before.usd_per_mtok, currency),
                    records_url(period.before, project=read.slug),
                ),
                f" {period.before_words}",
            ),
            known=now.coverage,
            said=(f"{formatting.mtok(now.priced_tokens)} Mtok, cached reads included",),
        ),
        Tile(
            "Input read from cache",
            _percent(now.cached_share),
            records_url(period.now, project=read.slug),
            words=(f"{_percent(before.cached_share) or 'nothing'} {period.before_words}",),
            said=("of all input; a cached token costs a fraction of a fresh one",),
        ),
    ]


def _percent(share: Decimal | None) -> str:
    return "" if share is None else formatting.share(share, Decimal(1))


def _money_tile(read: Read, label: str, now: Sums, before: Sums, spans: tuple[Span, Span], before_words: str) -> Tile:
    known, earlier = now.known_cost, before.known_cost if before.records else None
    unknown = f", {formatting.mtok(now.unpriced_tokens)} Mtok unknown" if now.unpriced_tokens else ""
    compared: Words = ()
    if earlier is not None:
        figure = Figure(formatting.money_in_prose(earlier, read.currency), records_url(spans[1], project=read.slug))
        compared = ("on ", figure, f" {before_words}")
    return Tile(
        label,
        "" if known is None else formatting.money_in_prose(known, read.currency),
        records_url(spans[0], project=read.slug),
        now=known,
        before=earlier,
        compared=compared,
        known=now.coverage,
        said=(f"{coverage_words(now)}{unknown}",),
    )


def _paid(read: Read) -> list[Paid]:
    rows = [row for row in read.by_week if not is_notional(row)]
    return [
        Paid(
            start,
            sums.list_cost,
            sums.priced_tokens,
            sums.usd_per_mtok,
            records_url(week_span(start), project=read.slug),
        )
        for start, sums in zip(read.weeks, weekly(rows, read.weeks, read.currency), strict=False)
    ]


def _chart_title(paid: Sequence[Paid]) -> str:
    """What the price paid did from the first week with one to the last."""
    known = [week for week in paid if week.usd_per_mtok is not None]
    if len(known) < 2 or known[0].usd_per_mtok is None or known[-1].usd_per_mtok is None:
        return "Price paid per Mtok"
    moved = formatting.change(known[-1].usd_per_mtok, known[0].usd_per_mtok)
    span = (known[-1].start - known[0].start).days // 7
    if moved.direction in {"up", "down"}:
        way = "more" if moved.direction == "up" else "less"
        return f"A token costs {moved.text[1:]} {way} than {span} weeks ago"
    return f"A token costs what it did {span} weeks ago"


def _changes(read: Read, moves: Sequence[Move], names: Mapping[ModelKey, ModelName]) -> list[PriceChange]:
    """Changes of the prices that are paid, the nearest to come first, then the latest."""
    found = []
    for move in moves:
        name = names.get(ModelKey(move.offering_id, "", ""))
        if name is not None:
            ahead = move.on > read.today
            url = f"/models/{name.slug}"
            tier = "" if move.tier == STANDARD else f", {move.tier}"
            found.append(PriceChange(move.on, f"{name.name}{tier}", url, move.fact, move.is_rise, ahead))
    coming = [change for change in found if change.is_ahead]
    return [*coming, *reversed([change for change in found if not change.is_ahead])][:8]
