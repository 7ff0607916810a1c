"""Reads what a report is made from, with the rights that its reader has at that moment. Writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from dashboards import formatting
from dashboards.models import KeptAdvice, Person, Proposal
from dashboards.models.proposals import OPEN
from dashboards.pages import bridge as bridge_page
from dashboards.pages import covered
from dashboards.pages.alerts import Key, Used
from dashboards.pages.decisions import words
from dashboards.pages.ledger import (
    MODEL_COLUMNS,
    MODEL_KEYS,
    Figure,
    Sums,
    Words,
    grouped,
    is_notional,
    model_key,
    model_names,
    tokens_used,
    with_moved_writes,
)
from dashboards.pages.periods import Span
from dashboards.reports import composing, prices
from dashboards.reports.read import Budgeted, Money, Proposed, Read, Retiring
from dashboards.reports.report import MEAN_OF, WEEKS, Report, Scope
from dashboards.views.spend import AHEAD, Reader, doubts, price_moves, reader_for
from pricing.models import LanguageModel
from usage import budgets, cache_writes, spend_change, spending
from usage.advice import MOST, Range, Recommendation
from usage.costs import Scope as CostScope
from usage.models import Organisation
from usage.questions import NOBODY

_KEYS = (
    *MODEL_KEYS,
    "service_tier",
    "offering__provider__slug",
    "offering__model__retires_on",
    "offering__model__successor__name",
)


class NothingToSee(Exception):
    """The reader may see none of what the report is about: they get no report."""


def report_for(
    person: Person, organisation: Organisation, week: date, today: date, projects: Collection[int] | None = None
) -> Report:
    """The report of the week that begins on the Monday `week`, of some projects or of all the person may see.

    NothingToSee where they may see nothing of that, as somebody who was removed since.
    """
    return composing.compose(read(person, organisation, week, today, projects))


def read(
    person: Person, organisation: Organisation, week: date, today: date, projects: Collection[int] | None = None
) -> Read:
    reader = reader_for(person, organisation)
    sees = reader.project_ids
    if not person.is_active or (not reader.whole and not reader.projects):
        raise NothingToSee
    if projects is not None:
        own = {pk: project for pk, project in reader.projects.items() if pk in set(projects)}
        if not own:
            raise NothingToSee
        reader = Reader(organisation, own, frozenset(own))
    scope = _scope(reader, Span(week, week + timedelta(days=7)), narrowed=projects is not None)
    return _read(reader, scope, today, sees)


def _scope(reader: Reader, week: Span, *, narrowed: bool) -> Scope:
    names = [project.name for project in reader.projects.values()]
    name = reader.organisation.name
    if not reader.whole and len(names) <= 2:
        name = " and ".join(names)
    elif not reader.whole:
        name = f"{len(names)} projects of {name}"
    slugs = tuple(project.slug for project in reader.projects.values()) if narrowed else ()
    currency, ids = reader.organisation.display_currency, reader.project_ids or frozenset()
    return Scope(reader.organisation.name, currency, week, name, reader.whole, slugs, ids)


def _read(reader: Reader, scope: Scope, today: date, sees: Collection[int] | None) -> Read:
    """`sees`: the projects that the person may see, whatever the report is narrowed to; None: everything."""
    first, last = reader.days_of_usage()
    weeks = _weeks(reader, scope)
    now = _spend(reader, scope.week, "project")
    month = _month(scope.week)
    earlier = Span(scope.week.start - timedelta(days=7 * MEAN_OF), scope.week.start)
    spend = reader.spend("project_id", "service_tier", *MODEL_COLUMNS)
    rows = [
        row
        for row in reader.segments(spend, [scope.week.start, scope.week.until], "project_id", *_KEYS)
        if not is_notional(row)
    ]
    used = Used(scope.week, scope.currency, today, grouped(rows, scope.currency, _offering), model_names(rows))
    offerings = {row["offering_id"] for row in rows if row["offering_id"] is not None}
    moves = price_moves(offerings, scope.week.start, today + AHEAD)
    written = cache_writes.by_lifetime(
        reader.organisation, scope.week.start, scope.week.until, with_moved_writes(moves), reader.project_ids
    )
    open_ones = Proposal.objects.seen(reader.organisation.pk, reader.project_ids).dearest_first()
    moves_to_make = [(one, one.move) for one in open_ones.filter(state__in=OPEN)]
    loose = next((amount for start, slug, amount in weeks if slug == NOBODY and start == scope.week.start), None)
    found = Read(
        scope=scope,
        today=today,
        first_day=first,
        last_day=last,
        week=_of_days(_money(now), scope.week, first),
        before=_of_days(_sum(reader, scope.before), scope.before, first),
        earlier=_of_days(_sum(reader, earlier), earlier, first),
        month=month,
        month_spent=_of_days(_sum(reader, month), month, first),
        coverage=_coverage(now, whole=reader.whole),
        list_only=not Decimal(now["total"]["reported"] or 0) and now["total"]["contracted"] == now["total"]["list"],
        by_week=weeks,
        project_names={project.slug: project.name for project in reader.projects.values()},
        bridge=_bridge(reader, scope),
        used=used,
        sold={row["offering_id"]: (row["offering__model__slug"], row["offering__provider__slug"]) for row in rows},
        moves=moves,
        tokens=tokens_used(rows, written),
        doubts=doubts(offerings),
        unpriced=grouped((row for row in rows if row["unpriced_tokens"]), scope.currency, model_key),
        pending=now["coverage"]["pending"],
        loose=loose if reader.whole else None,
        keys=_keys(reader, scope.week) if reader.whole and loose else (),
        budget=_budget(reader, min(today, scope.week.until - timedelta(days=1)), sees),
        proposed=_proposed(moves_to_make),
        is_advised=KeptAdvice.objects.filter(project__in=list(reader.projects)).exists(),
        is_sample=reader.organisation.is_sample,
    )
    return replace(found, retiring=_retiring(found, rows, today, reader))


def _offering(row: Mapping[str, Any]) -> int | None:
    pk: int | None = row["offering_id"]
    return pk


# Money


def _spend(reader: Reader, span: Span, *group_by: str, grain: str = "") -> dict[str, Any]:
    """The answer that `/spend` shows of these days."""
    return spending.report(
        reader.organisation, span.start, span.until, group_by, projects=reader.project_ids, grades=False,
        measure="spent", grain=grain,
    )  # fmt: skip


def _sum(reader: Reader, span: Span) -> Money:
    """The total of that answer without what else it says."""
    whose = None if reader.project_ids is None else tuple(reader.project_ids)
    sums = spending.summed(
        reader.organisation, CostScope(reader.organisation, span.start, span.until, whose).rows("day")
    )
    spent = sums.amount("spent")
    return Money(
        spent if sums.tokens or spent else None, sums.tokens, sums.count("unpriced_tokens"), sums.count("records") > 0
    )


def _of_days(money: Money, span: Span, first: date | None) -> Money:
    """Of days in which nothing was used, 0 where usage of then or of before has come in: they were looked at."""
    if money.spent is None and not money.is_used and first is not None and first < span.until:
        return replace(money, spent=Decimal(0))
    return money


def _money(answer: Mapping[str, Any]) -> Money:
    total = answer["total"]
    tokens = sum(total[name] or 0 for name in ("in_uncached", "in_cache_read", "in_cache_write", "out_total"))
    spent = None if total["value"] is None else Decimal(total["value"])
    if not tokens and not spent:
        spent = None
    unpriced, requests = (answer["coverage"].get(f"unpriced_{name}") or 0 for name in ("tokens", "requests"))
    return Money(spent, tokens, unpriced, bool(tokens or requests or total["requests"]))


def _coverage(answer: Mapping[str, Any], *, whole: bool) -> str:
    """`98.2% of the money attributed, 99.3% of tokens priced`."""
    shares = covered.parts(answer["coverage"], whole=whole)[: 2 if whole else 1]
    parts = [*shares, *covered.unknown(answer["coverage"])]
    return ", ".join(f"{part.figure} {part.after}" for part in parts if part.figure != "–")


def _weeks(reader: Reader, scope: Scope) -> tuple[tuple[date, str, Decimal], ...]:
    span = Span(scope.week.start - timedelta(days=7 * (WEEKS - 1)), scope.week.until)
    answer = _spend(reader, span, "project", grain="week")
    return tuple(
        (date.fromisoformat(one["week"]), one["project"] or NOBODY, Decimal(one["value"]))
        for one in answer["series"]
        if one["value"] is not None
    )


def _month(week: Span) -> Span:
    """The calendar month of the week's last day, up to and with that day."""
    last = week.until - timedelta(days=1)
    return Span(last.replace(day=1), week.until)


def _bridge(reader: Reader, scope: Scope) -> bridge_page.Page:
    answer = spend_change.answer(
        reader.organisation,
        (scope.week.start, scope.week.until),
        (scope.before.start, scope.before.until),
        projects=reader.project_ids,
    )
    slugs = {item["model"] for part in answer["parts"] for item in part["items"]} - {""}
    models = dict(LanguageModel.objects.filter(slug__in=slugs).values_list("slug", "name")) if slugs else {}
    return bridge_page.compose(answer, models, {project.slug: project.name for project in reader.projects.values()})


def _budget(reader: Reader, on: date, sees: Collection[int] | None) -> Budgeted | None:
    of = reader.project_ids
    pace = budgets.pace(reader.organisation, on, of, sees=sees)
    if pace is None:
        return None
    chosen = budgets.chosen_of(reader.organisation, on, of, sees)
    return Budgeted(pace, len(chosen) == 1, any(one.project_id is None for one in chosen))


def _keys(reader: Reader, span: Span) -> list[Key]:
    """What the money without a project was spent with, dearest first."""
    keys = [
        Key(row["key_ext_api_key"], row["spent"])
        for row in reader.spent_by(span, "ext_api_key")
        if row["spent"] is not None and row["currency"] == reader.organisation.display_currency
    ]
    return sorted(keys, key=lambda key: -key.cost)


# Models


def _retiring(read: Read, rows: Sequence[Mapping[str, Any]], today: date, reader: Reader) -> tuple[Retiring, ...]:
    """With the cheapest equal successor that the newest advice has, else the one that the maker names."""
    by_offering: dict[int, Sums] = grouped(
        (row for row in rows if row["offering_id"] is not None),
        read.scope.currency,
        lambda row: int(row["offering_id"]),
    )
    last: dict[int, Mapping[str, Any]] = {
        row["offering_id"]: row
        for row in rows
        if (on := row["offering__model__retires_on"]) is not None and on <= today + prices.HORIZON
    }
    equal = _successors(reader) if last else {}
    return tuple(
        Retiring(
            row["offering__model__name"], row["offering__model__slug"], row["offering__model__retires_on"], pk,
            by_offering[pk].known_cost, equal.get(row["offering__model__slug"]) or _named(row),
        )
        for pk, row in last.items()
    )  # fmt: skip


def _named(row: Mapping[str, Any]) -> str:
    name = row["offering__model__successor__name"]
    return f"Its maker names {name}." if name else ""


def _successors(reader: Reader) -> dict[str, str]:
    """By model in use; the same weights at another seller or tier retire with them, so they succeed nothing."""
    kept = KeptAdvice.objects.filter(project__in=list(reader.projects))
    moves = [move for one in kept for move in one.value.recommendations if not move.kind.same_weights]
    moves.sort(key=lambda move: move.saving.low)
    return {move.current.model: _successor(move) for move in moves if move.candidate.model != move.current.model}


def _successor(move: Recommendation) -> str:
    return f"Equal and cheaper: {move.candidate.model_name} at {move.candidate.provider_name}."


def _proposed(moves: Sequence[tuple[Proposal, Recommendation]]) -> tuple[Proposed, ...]:
    """The open proposals, the surest saving first; of the moves of one thing that is bought only the first."""
    first: dict[tuple[int, str], tuple[Proposal, Recommendation]] = {}
    for one, move in moves:
        if one.is_undecided:
            first.setdefault((one.project_id, move.current.key), (one, move))
    return tuple(
        Proposed(one.pk, one.project.name, words.title(move), Range(one.saving_low, one.saving_high), one.currency,
                 _why(one, move))
        for one, move in list(first.values())[:MOST]
    )  # fmt: skip


def _why(one: Proposal, move: Recommendation) -> Words:
    """`At equal quality on your own triage, 480 items. Waiting has cost $1,204. Owner: claims@larkfield.example.`"""
    decides = next((found for found in move.evidence if found.decides and found.n), None)
    noun = "items" if decides is not None and words.is_own(decides) else "votes"
    counted = f", {formatting.count(decides.n)} {noun}" if decides is not None and decides.n else ""
    rests = words.quality(move)
    said = f"{rests[0].upper()}{rests[1:]}{'' if move.kind.same_weights else counted}."
    cost: Words = ()
    if move.waited:
        waited = Figure(formatting.money_in_prose(move.waited, one.currency), f"/decisions/{one.pk}")
        cost = (" Waiting has cost ", waited, ".")
    owner = one.owner or one.project.owner
    return (said, *cost, *((f" Owner: {owner}.",) if owner else ()))
