"""Which prices changed in a span, whose usage that touches, and what it rests on: the reads behind `/changes`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q

from dashboards.pages import changes as page
from dashboards.pages.changes import Ask, Line, Step, Usage
from dashboards.pages.events import EVENT_COLUMNS, EventRow
from dashboards.pages.ledger import NOTHING, Sums
from dashboards.pages.periods import Span
from pricing.models import Price, PriceEvent
from pricing.querysets import PriceEventQuerySet
from usage.spend_querysets import SpendQuerySet

USED_DAYS = 30
MOVES = (PriceEvent.Kind.CUT, PriceEvent.Kind.RISE)
CORRECTIONS = (PriceEvent.Kind.CORRECTION, PriceEvent.Kind.UNIT_FIX)


@dataclass(frozen=True)
class Kind:
    """Which events a section holds, put together by which of their times."""

    events: PriceEventQuerySet
    time: str = "effective_from"

    def offerings(self) -> int:
        """How many offerings it touches."""
        counted: int = self.events.aggregate(n=Count("offering", distinct=True))["n"]
        return counted

    def steps(self, most: int | None = None) -> list[Step]:
        """The latest steps first where only some are asked for."""
        rows = self.events.steps(self.time)
        if most is not None:
            rows = rows.order_by(f"-{self.time}", "offering_id")[:most]
        return [page.step_of(row, self.time) for row in rows]


def usage_of(spend: SpendQuerySet, now: datetime) -> Usage | None:
    """What these rollups hold of the last 30 whole days; None where nothing was used. One query."""
    span = Span(now.date() - timedelta(days=USED_DAYS), now.date())
    keys = ("offering_id", "service_tier", "offering__model_id", "offering__provider__name")
    rows = spend.in_segments([span.start, span.until], *keys)
    tokens: dict[tuple[int, str], Sums] = {}
    sellers: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        if row["offering_id"] is None:
            continue
        sellers[row["offering__model_id"]].add(row["offering__provider__name"])
        key = (row["offering_id"], row["service_tier"] or "standard")
        # Notional usage is covered by a seat: the model is in use, and its price moves no money.
        counted = NOTHING if row["cost_kind"] == "notional" else Sums.of(row, row["list_currency"])
        tokens[key] = tokens.get(key, NOTHING) + counted
    if not sellers:
        return None
    names = {model: ", ".join(sorted(found)) for model, found in sellers.items()}
    return Usage(tokens, frozenset(sellers), names, span)


def kinds_of(ask: Ask, usage: Usage | None, now: datetime) -> dict[str, Kind]:
    """The events of each section by what the address asks for. No query."""
    start, end = ask.window(now)
    events = PriceEvent.objects.standing().named(ask.q)
    if ask.provider:
        events = events.filter(offering__provider__slug=ask.provider)
    if ask.mine:
        events = events.filter(offering__model__in=usage.models if usage else ())
    accepted = events.filter(status=PriceEvent.Status.ACCEPTED)
    seen = Q(observed_at__gte=start, observed_at__lt=end)
    dated = seen if ask.by == "seen" else Q(effective_from__gte=start, effective_from__lt=end)
    return {
        "moves": Kind(accepted.filter(dated, kind__in=MOVES, effective_from__lte=now)),
        "coming": Kind(accepted.filter(effective_from__gt=now, kind__in=[*MOVES, PriceEvent.Kind.RETIRED])),
        "held": Kind(events.filter(seen, status=PriceEvent.Status.HELD), "observed_at"),
        "correction": Kind(accepted.filter(seen, kind__in=CORRECTIONS), "observed_at"),
        "new": Kind(accepted.filter(seen, kind=PriceEvent.Kind.NEW), "observed_at"),
        "retired": Kind(accepted.filter(dated, kind=PriceEvent.Kind.RETIRED, effective_from__lte=now)),
    }


def lines_of(
    kinds: Mapping[str, Kind], shown: Mapping[str, Sequence[Step]], usage: Usage | None, now: datetime
) -> dict[str, list[Line]]:
    """The lines of the steps of each section: one query for the events of a section, two for all evidence."""
    kind_of = {"own": "moves", "market": "moves"}
    found = {name: _events(kinds[kind_of.get(name, name)], steps) for name, steps in shown.items()}
    evidence = _evidence([event for groups in found.values() for events in groups.values() for event in events], now)
    return {
        name: [
            page.line_of(step, groups[step.offering_id, step.at], evidence, usage)
            for step in shown[name]
            if (step.offering_id, step.at) in groups
        ]
        for name, groups in found.items()
    }


def _events(kind: Kind, steps: Sequence[Step]) -> dict[tuple[int, datetime], list[EventRow]]:
    """The events of some steps, by offering and time."""
    if not steps:
        return {}
    wanted = {(step.offering_id, step.at) for step in steps}
    times = {at for _, at in wanted}
    rows = kind.events.filter(
        **{"offering__in": {pk for pk, _ in wanted}, f"{kind.time}__gte": min(times), f"{kind.time}__lte": max(times)}
    )
    found: dict[tuple[int, datetime], list[EventRow]] = defaultdict(list)
    for row in map(EventRow._make, rows.values_list(*EVENT_COLUMNS)):
        key = (row.offering_id, row.effective_from if kind.time == "effective_from" else row.observed_at)
        if key in wanted:
            found[key].append(row)
    return found


def _evidence(events: Sequence[EventRow], now: datetime) -> dict[int, str]:
    """The address of the price each event speaks of; of a held step, the price that stays in force."""
    held = [event for event in events if event.status == PriceEvent.Status.HELD]
    claims = {event.claim_id for event in events if event.status != PriceEvent.Status.HELD}
    columns = ("pk", "claim_id", "effective_from", "effective_until", "known_until", "offering_id", "service_tier")
    # A claim is lent to other names of an offering and of a tier: an event's price is that of its own.
    by_claim: dict[tuple[Any, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for row in Price.objects.filter(superseded_at=None, claim__in=claims).values_list(*columns):
        by_claim[row[1], *row[5:]].append(row)
    found = {}
    for event in events:
        if rows := by_claim.get((event.claim_id, event.offering_id, event.service_tier)):
            found[event.pk] = _price_of(event, rows)
    if held:
        key = ("offering_id", "unit", "qualifier", "service_tier", "context_from", "schedule")
        prices = Price.objects.filter(superseded_at=None, offering__in={event.offering_id for event in held})
        in_force = {tuple(rest): pk for pk, *rest in prices.known_at().effective_at(now).values_list("pk", *key)}
        found |= {event.pk: in_force[event.key] for event in held if event.key in in_force}
    slugs = {event.pk: event.model_slug for event in events}
    return {pk: f"/models/{slugs[pk]}/evidence/{price}" for pk, price in found.items()}


def _price_of(event: EventRow, rows: Sequence[tuple[Any, ...]]) -> int:
    """Of the prices that rest on an event's claim, the one that begins with it, or ends with it."""
    place = 3 if event.kind == PriceEvent.Kind.RETIRED else 2
    best = max(rows, key=lambda row: (row[place] == event.effective_from, row[4] is None, row[0]))
    return int(best[0])
