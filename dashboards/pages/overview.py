"""The overview: what was spent, on what, why it moved, what is not known and what is about to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from dashboards import formatting
from dashboards.pages import budgets
from dashboards.pages.alerts import Alert, Doubt, Key, Used, needs_an_eye
from dashboards.pages.ledger import (
    NOBODY,
    NOTHING,
    VERBS,
    ZERO,
    Figure,
    ModelKey,
    ModelName,
    Move,
    Row,
    Sums,
    Tokens,
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
    added_up,
    change_words,
    coverage_words,
    kinds_of,
    made_of,
    model_lines,
    outside,
)
from dashboards.pages.periods import Period, Span
from dashboards.pages.weeks import Event, Series, Week, heaviest_events, stack, stack_claim, week_rows
from usage.pacing import Pace

SERIES = 5
"""Projects with a colour of their own; with more, the smallest share the last one."""


@dataclass(frozen=True)
class Read:
    """What the overview was read from: plain rows, nothing worked out."""

    organisation: str
    currency: str
    period: Period
    month: tuple[Span, Span]
    projects: Mapping[int, tuple[str, str]]
    """id → (name, slug), all that the reader may see."""
    whole: bool
    """Whether the reader sees the whole organisation, unattributed included."""
    cuts: Sequence[date]
    by_model: Sequence[Row]
    """Sums by segment of `cuts`, project and model."""
    weeks: Sequence[date]
    by_week: Sequence[Row]
    """Sums by week and project."""
    moves: Sequence[Move] = ()
    written: Sequence[Row] = ()
    """Cache writes of the period by lifetime, where a price of such writes moves."""
    doubts: Sequence[Doubt] = ()
    keys: Sequence[Key] = ()
    today: date = date.max
    pace: Pace | None = None


@dataclass(frozen=True)
class Overview:
    finding: Words
    scope: Sequence[str]
    tiles: Sequence[Tile]
    chart_title: str
    series: Sequence[Series]
    weeks: Sequence[date]
    in_full: Sequence[bool]
    events: Sequence[Event]
    projects: Sequence[Line]
    models: Sequence[Line]
    kinds: Sequence[Kind]
    total: Line
    outside: Sequence[Words]
    alerts: Sequence[Alert]
    is_empty: bool
    coverage: str = ""
    week_rows: Sequence[Week] = field(default=())


def compose(read: Read) -> Overview:
    """The whole page from its rows."""
    period, currency = read.period, read.currency
    counted = [row for row in read.by_model if not is_notional(row)]
    in_now, in_before = segments(read.cuts, period.now), segments(read.cuts, period.before)
    now_rows = [row for row in counted if row["segment"] in in_now]
    before_rows = [row for row in counted if row["segment"] in in_before]
    now = total(Sums.of(row, currency) for row in now_rows)
    before = total(Sums.of(row, currency) for row in before_rows)
    names = model_names(counted)
    weeks_by_project = _weeks_by_project(read)
    projects = _project_lines(read, now_rows, before_rows, weeks_by_project)
    models = _model_lines(read, now_rows, before_rows, names)
    by_offering = grouped(now_rows, currency, lambda row: row["offering_id"])
    tokens = tokens_used(now_rows, read.written)
    moves = moves_paid(read.moves, tokens)
    loose = next((line.cost for line in projects if line.is_unattributed), None)
    series = stack([(line.swatch, line.name, line.slug, line.trend) for line in projects if line.trend])
    return Overview(
        finding=_finding(read, now, before, projects, _coming(read, now, moves, tokens, names)),
        scope=_scope(read, now, projects),
        tiles=_tiles(read, now, before, counted, loose),
        chart_title=stack_claim(series),
        series=series,
        weeks=read.weeks[:-1],
        in_full=[week_span(week).meets(period.now) or week_span(week).meets(period.before) for week in read.weeks[:-1]],
        events=heaviest_events(moves, tokens, names, Span(read.weeks[0], min(read.weeks[-1], read.today))),
        projects=projects,
        models=models,
        kinds=kinds_of(now, before),
        total=Line("Total", "", records_url(period.now), now, before, _shown(now), trend=_sum_of(weeks_by_project)),
        outside=outside(read.by_model, in_now, currency, period.now, names),
        alerts=needs_an_eye(
            Used(read.period.now, read.currency, read.today, by_offering, names, tokens),
            moves,
            read.doubts,
            grouped((row for row in now_rows if row["unpriced_tokens"]), read.currency, model_key),
            loose,
            read.keys,
        ),
        is_empty=not now.records and not before.records and not read.by_week,
        coverage=coverage_words(now),
        week_rows=week_rows(read.weeks, series),
    )


def _shown(sums: Sums) -> Decimal | None:
    known = sums.known_cost
    return None if known is None else formatting.rounded(known, 2)


# Sentences


def _finding(
    read: Read,
    now: Sums,
    before: Sums,
    projects: Sequence[Line],
    coming: Words,
) -> Words:
    period = read.period
    url = records_url(period.now)
    if not now.records:
        return (f"{read.organisation} used no tokens {period.when}.",)
    if now.known_cost is None:
        amount = Figure(f"{formatting.mtok(now.tokens)} Mtok", url)
        return (f"{read.organisation} used ", amount, f" {period.when}, and none of it has a known price.")
    spent = Figure(formatting.money_in_prose(now.cost, read.currency), url)
    words: Words = (f"{read.organisation} spent ", spent, f" {period.when}")
    words += (f", {change_words(now.cost, before.cost)}.",) if before.spent_records else (".",)
    second = _mover(read, now, before, projects) or coming or _unknown_share(now)
    return (*words, " ", *second) if second else words


def _mover(read: Read, now: Sums, before: Sums, projects: Sequence[Line]) -> Words:
    """The project that explains at least half of a change of at least 1 %."""
    change = now.cost - before.cost
    if not before.spent_records or abs(change) < LEAST_MOVE * before.cost or len(projects) < 2:
        return ()
    line = max(projects, key=lambda one: (one.sums.cost - one.before.cost) * (1 if change > 0 else -1))
    part = line.sums.cost - line.before.cost
    if abs(part) * 2 < abs(change) or part * change <= 0:
        return ()
    amount = Figure(formatting.money_in_prose(abs(part), read.currency), line.evidence)
    return (f"{line.name} {'added' if part > 0 else 'took off'} ", amount, ".")


def _coming(
    read: Read,
    now: Sums,
    moves: Sequence[Move],
    tokens: Mapping[int, Tokens],
    names: Mapping[ModelKey, ModelName],
) -> Words:
    """The next price change that moves at least 1 % of the bill."""
    for move in moves:
        if move.on <= read.today or abs(move.effect(tokens[move.offering_id])) < LEAST_MOVE * now.cost:
            continue
        name = move.called(names[ModelKey(move.offering_id, "", "")].name)
        fact = move.fact if move.fact in VERBS else f"changes price ({move.fact})"
        return (f"{name} {fact} on {move.on.day} {move.on:%B}.",)
    return ()


def _unknown_share(now: Sums) -> Words:
    if 1 - now.coverage < LEAST_MOVE:
        return ()
    return (f"{formatting.share(now.unpriced_tokens, now.tokens)} of its tokens have no known price.",)


def _scope(read: Read, now: Sums, projects: Sequence[Line]) -> list[str]:
    used = sum(not line.is_unattributed and line.sums.records > 0 for line in projects)
    noun = "project" if used == 1 else "projects"
    loose = next((line.sums.cost for line in projects if line.is_unattributed), ZERO)
    scope = [
        f"{read.period.name}, {read.period.now.words}" if read.period.kind == "week" else read.period.now.words,
        f"{used} {noun}" + (" and unattributed" if read.whole and any(p.is_unattributed for p in projects) else ""),
        made_of(now, read.currency),
        coverage_words(now),
    ]
    if read.whole and now.cost:
        scope.append(f"{formatting.share(now.cost - loose, now.cost)} of spend attributed")
    return [*scope, "Days in UTC"]


def _tiles(read: Read, now: Sums, before: Sums, counted: Sequence[Row], loose: Decimal | None) -> list[Tile]:
    period, currency = read.period, read.currency
    this, earlier = read.month
    month, month_before = (
        total(Sums.of(row, currency) for row in counted if row["segment"] in segments(read.cuts, span))
        for span in (this, earlier)
    )
    tiles = [
        Tile(
            f"Spend, {period.now.short}",
            _prose(now.known_cost, currency),
            records_url(period.now),
            now=now.known_cost,
            before=before.known_cost if before.records else None,
            compared=_against(before, period.before, currency, f"the {period.before_words.removeprefix('the ')}"),
            known=now.coverage,
            said=_priced_words(now, period.now),
        ),
        budgets.tile(read.pace)
        if read.pace
        else Tile(
            f"{this.start:%B} to date",
            _prose(month.known_cost, currency),
            records_url(this),
            now=month.known_cost,
            before=month_before.known_cost if month_before.records else None,
            compared=_against(month_before, earlier, currency, f"the same days of {earlier.start:%B}"),
            known=month.coverage,
            said=(f"{this.days} days, {coverage_words(month)}",),
        ),
        Tile(
            "Average price paid",
            "" if now.usd_per_mtok is None else formatting.derived_price(now.usd_per_mtok, currency),
            records_url(period.now),
            unit="per Mtok",
            now=now.usd_per_mtok,
            before=before.usd_per_mtok,
            compared=()
            if before.usd_per_mtok is None
            else (
                "on ",
                Figure(formatting.derived_price(before.usd_per_mtok, currency), records_url(period.before)),
                f" {period.before_words}",
            ),
            known=now.coverage,
            said=(f"{formatting.mtok(now.priced_tokens)} Mtok, cached reads included",),
        ),
    ]
    return [*tiles, _stake(read, now, counted, loose)]


def _stake(read: Read, now: Sums, counted: Sequence[Row], shown: Decimal | None) -> Tile:
    """Money without a project, and what the unpriced tokens would cost at the average price paid."""
    period = read.period
    inside = segments(read.cuts, period.now)
    loose = total(
        Sums.of(row, read.currency) for row in counted if row["segment"] in inside and row["project_id"] is None
    )
    priced = (f"{formatting.share(now.priced_tokens, now.tokens)} of tokens priced",)
    if not read.whole:
        unknown = f"{formatting.mtok(now.unpriced_tokens)} Mtok"
        url = records_url(period.now, priced="no")
        return Tile("At stake: no price", unknown, url, words=("unpriced",), known=now.coverage, said=priced)
    estimate = (now.usd_per_mtok or ZERO) * now.unpriced_tokens / 1_000_000
    unpriced: Words = ("nothing unpriced",)
    if now.unpriced_tokens:
        url = records_url(period.now, priced="no")
        guess: Words = (
            ("≈ ", Figure(formatting.money_in_prose(estimate, read.currency), url), " on average")
            if estimate
            else ("of unknown price",)
        )
        unpriced = (f"{formatting.mtok(now.unpriced_tokens)} Mtok unpriced, ", *guess)
    attributed = 1 - loose.cost / now.cost if now.cost else Decimal(1)
    return Tile(
        "At stake: no project, no price",
        formatting.money_in_prose(shown if shown is not None else loose.cost, read.currency),
        records_url(period.now, project=NOBODY),
        words=("no project; ", *unpriced),
        known=attributed,
        said=(f"{formatting.share(now.cost - loose.cost, now.cost)} of spend attributed",),
    )


def _prose(amount: Decimal | None, currency: str) -> str:
    return "" if amount is None else formatting.money_in_prose(amount, currency)


def _against(before: Sums, span: Span, currency: str, words: str) -> Words:
    if before.known_cost is None or not before.records:
        return ()
    return ("on ", Figure(formatting.money_in_prose(before.cost, currency), records_url(span)), f" {words}")


def _priced_words(sums: Sums, span: Span) -> Words:
    if not sums.unpriced_tokens:
        return (coverage_words(sums),)
    unknown = f"{formatting.mtok(sums.unpriced_tokens)} Mtok unknown"
    return (f"{coverage_words(sums)}, ", Figure(unknown, records_url(span, priced="no")))


# Tables


def _weeks_by_project(read: Read) -> dict[int | None, list[Decimal]]:
    rows: dict[int | None, list[Row]] = {}
    for row in read.by_week:
        if not is_notional(row):
            rows.setdefault(row["project_id"], []).append(row)
    return {
        project: [sums.cost for sums in weekly(found, read.weeks, read.currency)] for project, found in rows.items()
    }


def _sum_of(by_project: Mapping[int | None, Sequence[Decimal]]) -> list[Decimal]:
    return [sum(values, ZERO) for values in zip(*by_project.values(), strict=True)]


def _project_lines(
    read: Read,
    now_rows: Sequence[Row],
    before_rows: Sequence[Row],
    trends: Mapping[int | None, Sequence[Decimal]],
) -> list[Line]:
    """Projects by spend; unattributed always last and grey."""
    now = grouped(now_rows, read.currency, lambda row: row["project_id"])
    before = grouped(before_rows, read.currency, lambda row: row["project_id"])
    doubtful = {doubt.offering_id for doubt in read.doubts}
    ids = [pk for pk in {*now, *before, *trends} if pk is not None and pk in read.projects]
    ids.sort(key=lambda pk: (-now.get(pk, NOTHING).cost, read.projects[pk][0]))
    order: list[int | None] = [*ids]
    if read.whole and (None in now or None in before):
        order.append(None)
    costs = added_up([now.get(pk, NOTHING) for pk in order])
    lines = []
    for i, (pk, cost) in enumerate(zip(order, costs, strict=True)):
        mine = [row for row in now_rows if row["project_id"] == pk]
        name, slug = ("Unattributed", NOBODY) if pk is None else read.projects[pk]
        evidence = records_url(read.period.now, project=slug)
        lines.append(
            Line(
                name=name,
                url=evidence if pk is None else f"/projects/{slug}?{_query(read.period)}",
                evidence=evidence,
                sums=now.get(pk, NOTHING),
                before=before.get(pk, NOTHING),
                cost=cost,
                note=keys_word(read.keys) if pk is None else "",
                slug=slug,
                swatch="none" if pk is None else _colour(i, len(ids)),
                trend=trends.get(pk, ()),
                unpriced_models=len({model_key(row) for row in mine if row["unpriced_tokens"]}),
                in_review=any(row["offering_id"] in doubtful for row in mine),
                is_unattributed=pk is None,
            )
        )
    return lines


def _colour(rank: int, projects: int) -> int:
    return rank + 1 if rank < SERIES - (projects > SERIES) else SERIES


def keys_word(keys: Sequence[Key]) -> str:
    if not keys:
        return ""
    named = len({key.name for key in keys})
    return f"{named} key" if named == 1 else f"{named} keys"


def _query(period: Period) -> str:
    from urllib.parse import urlencode

    return urlencode(period.query)


def _model_lines(
    read: Read, now_rows: Sequence[Row], before_rows: Sequence[Row], names: Mapping[ModelKey, ModelName]
) -> list[Line]:
    return model_lines(
        grouped(now_rows, read.currency, model_key),
        grouped(before_rows, read.currency, model_key),
        names,
        {doubt.offering_id for doubt in read.doubts},
        lambda key: records_url(read.period.now, **key.filters),
    )
