"""What the facts of an organisation are told from: reads that exist, put together for one day. Some fifteen queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.db.models import Max, Q

from dashboards.alerts import facts
from dashboards.alerts.facts import Budgeted, Fact, Retiring, Shares, Silent, Used
from dashboards.models import AlertThreshold
from dashboards.pages.ledger import (
    MODEL_COLUMNS,
    MODEL_KEYS,
    MOVE_COLUMNS,
    Move,
    Row,
    Sums,
    is_notional,
    moves,
    tokens_used,
    with_moved_writes,
)
from dashboards.pages.periods import Span
from pricing.models import LanguageModel, Price, PriceEvent, SourceRun
from pricing.sources import all_sources
from usage import budgets, cache_writes
from usage.models import Budget, Connection, Organisation, Period, ProjectDailyCost, Pull
from usage.period_querysets import official_spend
from usage.spend_querysets import SpendQuerySet, midnight
from usage.spend_segments import in_currency

DAYS: Final = 7
IN_USE: Final = timedelta(days=30)
"""What was used last before that is no longer in use."""
AHEAD: Final = timedelta(days=120)
LATE: Final = timedelta(days=60)
"""A change may be seen so long after it took effect and still be news."""
_EVERY: Final = {
    Connection.Schedule.HOURLY: timedelta(hours=1), Connection.Schedule.SIX_HOURS: timedelta(hours=6),
    Connection.Schedule.DAILY: timedelta(days=1),
}  # fmt: skip
_GOOD: Final = (SourceRun.Status.CHANGED, SourceRun.Status.UNCHANGED)


@dataclass(frozen=True)
class Usage:
    """The last seven days with usage: rows by project and model, without notional ones."""

    rows: list[Row]
    currency: str
    span: Span

    @property
    def offerings(self) -> set[int]:
        return {row["offering_id"] for row in self.rows if row["offering_id"] is not None}

    def by_offering(self, written: Mapping[int | None, list[Row]]) -> dict[int, Used]:
        """`written`: cache writes by lifetime, by project."""
        names: dict[int, tuple[str, str]] = {}
        every: dict[int, dict[int | None, Sums]] = defaultdict(lambda: defaultdict(Sums))
        rows: dict[int | None, list[Row]] = defaultdict(list)
        for row in self.rows:
            if (offering := row["offering_id"]) is not None:
                names[offering] = (row["offering__model__slug"], row["offering__model__name"])
                every[offering][row["project_id"]] += Sums.of(row, self.currency)
                rows[row["project_id"]].append(row)
        tokens = {project: tokens_used(of, written.get(project, ())) for project, of in rows.items()}
        return {
            offering: Used(*names[offering], by_project, {one: tokens[one].get(offering, {}) for one in by_project})
            for offering, by_project in every.items()
        }


def facts_of(organisation: Organisation, now: datetime) -> list[Fact]:
    """Everything that somebody of the organisation should hear of at a moment; a key is there once."""
    today, usage = now.date(), _usage(organisation, now.date())
    price_moves = _moves(usage.offerings, now)
    used = usage.by_offering(_written(organisation, price_moves, usage.span))
    found = [
        *facts.price_facts(price_moves, used, organisation.display_currency, today),
        *facts.retirement_facts(_retiring(used), today),
        *facts.budget_facts(_budgets(organisation, today)),
        *facts.coverage_facts(_shares(organisation, usage)),
        *facts.silence_facts([*_sources(usage.offerings, now), *_feeds(organisation)], now),
    ]
    return list({fact.key: fact for fact in found}.values())


def _usage(organisation: Organisation, today: date) -> Usage:
    _, last = SpendQuerySet(ProjectDailyCost).seen(organisation.pk, None).span_of_days()
    if last is None or today - last > IN_USE:
        return Usage([], organisation.display_currency, Span(today, today))
    until = min(last + timedelta(days=1), today)
    span = Span(until - timedelta(days=DAYS), until)
    closed = Period.objects.spans(organisation.pk)
    spend = official_spend(organisation.pk, None, closed, "project_id", "service_tier", *MODEL_COLUMNS)
    currency = organisation.display_currency
    rows = in_currency(spend, organisation, [span.start, span.until], "project_id", "service_tier", *MODEL_KEYS)
    return Usage([row for row in rows if not is_notional(row)], currency, span)


def _moves(offerings: Iterable[int], now: datetime) -> list[Move]:
    """Changes of plain list prices that are news: ahead, or lately in force, or lately seen."""
    today = midnight(now.date())
    since = today - facts.LATELY
    events = PriceEvent.objects.plain_moves().filter(
        Q(effective_from__gt=since) | Q(observed_at__gt=since, effective_from__gt=today - LATE),
        offering__in=list(offerings), effective_from__lt=today + AHEAD, observed_at__lte=now,
    )  # fmt: skip
    return moves(events.values(*MOVE_COLUMNS))


def _written(organisation: Organisation, found: Iterable[Move], span: Span) -> dict[int | None, list[Row]]:
    """Cache writes by lifetime of the offerings whose price of such writes moves, by project."""
    numbers: dict[str | None, int | None] = {}
    rows = cache_writes.by_lifetime(organisation, span.start, span.until, with_moved_writes(found))
    if rows:
        numbers = dict(organisation.projects.values_list("slug", "pk"))
    by_project: dict[int | None, list[Row]] = defaultdict(list)
    for row in rows:
        by_project[numbers.get(row["project"])].append(row)
    return by_project


def _retiring(used: Mapping[int, Used]) -> list[Retiring]:
    paid: dict[str, dict[int | None, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for one in used.values():
        for project, sums in one.by_project.items():
            paid[one.model][project] += sums.cost
    models = LanguageModel.objects.filter(slug__in=list(paid), retires_on__isnull=False).select_related("successor")
    return [
        Retiring(one.slug, one.name, one.retires_on, paid[one.slug], one.successor.name if one.successor else "")
        for one in models
        if one.retires_on is not None
    ]


def _budgets(organisation: Organisation, today: date) -> list[Budgeted]:
    holding = list(Budget.objects.of(organisation).on(today))
    paces = budgets.paces(organisation, today, holding)
    return [
        Budgeted(
            one.pk, one.project_id, replace(pace, scope=organisation.name) if pace.scope == budgets.WHOLE else pace
        )
        for one, pace in zip(holding, paces, strict=True)
    ]


def _shares(organisation: Organisation, usage: Usage) -> Shares:
    limit = AlertThreshold.objects.filter(organisation=organisation).first() or AlertThreshold()
    whole = sum((Sums.of(row, usage.currency) for row in usage.rows), Sums())
    loose = sum((Sums.of(row, usage.currency) for row in usage.rows if row["project_id"] is None), Sums())
    return Shares(
        whole.tokens, whole.unpriced_tokens, whole.cost, loose.cost,
        Decimal(limit.unpriced_percent) / 100, Decimal(limit.unattributed_percent) / 100,
    )  # fmt: skip


def _sources(offerings: Iterable[int], now: datetime) -> list[Silent]:
    """The sources that the prices in use rest on. Where nothing is fetched, nothing is late."""
    if not settings.FETCH:
        return []
    prices = Price.objects.known_at().effective_at(now).filter(offering__in=list(offerings), superseded_at=None)
    slugs = set(prices.order_by().values_list("claim__source__slug", flat=True).distinct())
    runs = SourceRun.objects.filter(source__slug__in=slugs, status__in=_GOOD).order_by()
    last = dict(runs.values("source__slug").annotate(at=Max("observed_at")).values_list("source__slug", "at"))
    return [
        Silent(f"source {slug}", source.NAME, f"/sources/{slug}", last.get(slug), timedelta(hours=source.CADENCE_HOURS))
        for slug, source in all_sources().items()
        if slug in slugs
    ]


def _feeds(organisation: Organisation) -> list[Silent]:
    """Live connections on a timetable that are not paused."""
    live = Connection.objects.live().filter(organisation=organisation, enabled=True).exclude(schedule="off")
    found = []
    for one in live:
        latest: Pull | None = one.pulls.order_by("-created_at", "-pk").first()
        done = one.pulls.filter(status=Pull.Status.DONE).aggregate(at=Max("finished_at"))["at"]
        failed = latest is not None and latest.status == Pull.Status.FAILED
        fault = latest.sentence if latest is not None and failed else ""
        every = _EVERY[Connection.Schedule(one.schedule)]
        name = one.name or one.scope
        found.append(Silent(f"feed {one.pk}", name, f"/connections/{one.pk}", done, every, is_feed=True, fault=fault))
    return found
