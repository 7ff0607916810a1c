"""Whatever is done to a ledger, in any order: every part of it sums to the whole, exactly, and to nobody else's.

Two organisations use equal scopes and record keys. What each must hold is kept beside it in plain Python (`books`).
6 sequences of steps run with the other tests; `LEDGER_SEQUENCES=500` runs 500.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from pricing.models import ExchangeRate, RateCard
from tests.usage.books import BY, MEASURES, WHOSE, Books, Feed, Figures, Price, Rule, figures, plus
from tests.usage.conftest import ImportFacts
from tests.usage.factories import at, make_card, make_fact, make_offering, make_organisation, make_project, make_source
from usage import assignments, periods, rerating, rollups, spending
from usage.importers import Fact
from usage.ingest.windows import TAKEN_BACK
from usage.models import (
    Connection,
    DailyCost,
    ImportBatch,
    ModelDailyCost,
    OfficialDailyCost,
    OfficialModelDailyCost,
    PendingDailyCost,
    PendingModelDailyCost,
    Restatement,
)
from usage.partitions import ensure
from usage.pending import pending
from usage.periods import PeriodFault
from usage.verification import checks

pytestmark = pytest.mark.django_db

SEQUENCES = int(os.environ.get("LEDGER_SEQUENCES", "6"))
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
DAYS = {MARCH: ["2026-03-05", "2026-03-20", "2026-03-31"], APRIL: ["2026-04-01", "2026-04-12"]}
WINDOWS = [
    (at(since), at(until))
    for since, until in (
        ("2026-03-01 00:00", "2026-04-01 00:00"),
        ("2026-03-20 00:00", "2026-04-02 00:00"),
        ("2026-03-01 00:00", "2026-05-01 00:00"),
    )
]
BILL, USAGE_API, GATEWAY = ("bill", "main"), ("usage_api", "main"), ("gateway", "main")
LAPTOP, DESKTOP = ("transcripts", "main"), ("transcripts", "desktop")
DETAIL = {"bill": 1, "usage_api": 2, "gateway": 3, "transcripts": 4}
IN_USD, IN_CNY, UNKNOWN = MODELS = ("model-usd", "model-cny", "nobody-knows")
CONDITIONS: list[tuple[list[dict[str, Any]], Callable[[Feed, str, Fact], bool]]] = [
    ([], lambda feed, account, fact: True),
    (
        [{"field": "path", "op": "prefix", "value": "/a"}],
        lambda feed, account, fact: fact.dimension.path.startswith("/a"),
    ),
    (
        [{"field": "path", "op": "is_empty", "not": True}, {"field": "source", "op": "equals", "value": "gateway"}],
        lambda feed, account, fact: fact.dimension.path != "" and feed[0] == "gateway",
    ),
    (
        [{"field": "model", "op": "equals", "value": IN_CNY}],
        lambda feed, account, fact: fact.dimension.model_raw == IN_CNY,
    ),
    ([{"field": "account", "op": "equals", "value": "second"}], lambda feed, account, fact: account == "second"),
]

whose = st.integers(0, 1)
months = st.sampled_from([MARCH, APRIL])
tokens = st.integers(0, 3_000)
money = st.integers(0, 10**12).map(lambda units: Decimal(units).scaleb(-12))
weights = st.one_of(
    st.just([10**12]),
    st.integers(1, 10**12 - 1).map(lambda one: [one, 10**12 - one]),
    st.tuples(st.integers(1, 5 * 10**11 - 1), st.integers(1, 5 * 10**11)).map(
        lambda two: [*two, 10**12 - two[0] - two[1]]
    ),
)
conditions = st.sampled_from(range(len(CONDITIONS)))
since = st.sampled_from([None, None, date(2026, 3, 20), date(2026, 4, 1)])


@st.composite
def facts(draw: st.DrawFn, feed: Feed, prefix: str = "") -> Fact:
    """What a feed tells; a key is of one month and model whenever it is told."""
    number = draw(st.integers(0, 5))
    day = draw(st.sampled_from(DAYS[MARCH if number % 2 else APRIL]))
    told: dict[str, Any] = {"model": MODELS[number // 2], "path": draw(st.sampled_from(["", "/a/x", "/b"]))}
    if feed == BILL:
        told |= dict.fromkeys(("in_uncached", "in_cache_read", "in_cache_write", "out_total", "requests"))
        told |= {"cost_reported": draw(money), "currency": "EUR", "cost_kind": "billed", "grain": "1d"}
    else:
        told |= {"in_uncached": draw(tokens), "out_total": draw(tokens)}
    if feed == GATEWAY and draw(st.booleans()):
        told |= {"cost_reported": draw(money), "currency": draw(st.sampled_from(["USD", "EUR"]))}
    if feed in (LAPTOP, DESKTOP) and draw(st.booleans()):
        told |= {"cost_kind": "notional"}
    hour = 0 if feed in (BILL, USAGE_API) else draw(st.integers(0, 23))
    return make_fact(f"{prefix}key-{number}", f"{day} {hour:02d}:00", **told)


def listed(feed: Feed, prefix: str = "") -> st.SearchStrategy[list[Fact]]:
    return st.lists(facts(feed, prefix), min_size=1, max_size=5, unique_by=lambda fact: fact.record_key)


class LedgerMachine(RuleBasedStateMachine):
    """The steps, and what must hold after each of them."""

    import_facts: ImportFacts

    def __init__(self) -> None:
        super().__init__()
        self.around = transaction.atomic()
        self.around.__enter__()
        self.books = [self._books() for _ in range(2)]
        self.prices = {
            IN_USD: Price("USD", Decimal("1e-6"), Decimal("2e-6")),
            IN_CNY: Price("CNY", Decimal("7e-6"), Decimal("9e-6")),
        }
        self.ranks = itertools.count(1)
        self.moved = {0, 1}
        self.before = self._all()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.around.__exit__(None, None, None)

    def _books(self) -> Books:
        organisation = make_organisation(display_currency="USD")
        return Books(organisation, [make_project(organisation) for _ in range(3)])

    # Steps

    @rule(whose=whose, feed=st.sampled_from([GATEWAY, LAPTOP, DESKTOP]), data=st.data())
    def append(self, whose: int, feed: Feed, data: st.DataObject) -> None:
        """New facts, better and worse ones of known keys, late ones into closed months."""
        told = []
        for fact in data.draw(listed(feed)):
            rank = data.draw(st.integers(0, 2)), next(self.ranks)
            told.append(_ranked(fact, rank))
        self._import(whose, feed, told)
        self.books[whose].append(feed, told)

    @rule(whose=whose, data=st.data())
    def import_again(self, whose: int, data: st.DataObject) -> None:
        """Facts that are known change nothing."""
        books = self.books[whose]
        known = [feed for feed in (GATEWAY, LAPTOP, DESKTOP) if books.live[feed]]
        if not known:
            return
        feed = data.draw(st.sampled_from(known))
        batch = self._import(whose, feed, list(books.live[feed].values()))
        assert (batch.imported, batch.updated) == (0, 0)

    @rule(
        whose=whose,
        feed=st.sampled_from([BILL, USAGE_API]),
        grouping=st.sampled_from(["", "by-key:"]),
        window=st.sampled_from(WINDOWS),
        accepted=st.booleans(),
        data=st.data(),
    )
    def replace(self, whose: int, feed: Feed, grouping: str, window: Any, accepted: bool, data: st.DataObject) -> None:
        """A complete window with other figures, another grouping, or less in it than before."""
        books = self.books[whose]
        told = [fact for fact in data.draw(listed(feed, grouping)) if window[0] <= fact.occurred_at < window[1]]
        held = not accepted and books.halved(feed, told, window)
        batch = self._import(whose, feed, told, mode="replace_window", window=window, accepted=accepted)
        assert (batch.status == ImportBatch.Status.HELD) == held
        if not held:
            books.replace(feed, told, window)
        elif TAKEN_BACK not in batch.ignored:
            books.live[feed] |= {fact.record_key: fact for fact in told}

    @rule(whose=whose, which=conditions, weights=weights, since=since)
    def add_rule(self, whose: int, which: int, weights: list[int], since: date | None) -> None:
        books = self.books[whose]
        books.rules.append(self._rule(books, which, weights, since, None))
        self.moved.add(whose)

    @precondition(lambda self: any(books.rules for books in self.books))
    @rule(which=conditions, weights=weights, since=since, data=st.data())
    def change_rule(self, which: int, weights: list[int], since: date | None, data: st.DataObject) -> None:
        books, place = self._some_rule(data)
        books.rules[place] = self._rule(books, which, weights, since, books.rules[place])

    @precondition(lambda self: any(books.rules for books in self.books))
    @rule(data=st.data())
    def turn_rule(self, data: st.DataObject) -> None:
        """On or off."""
        books, place = self._some_rule(data)
        chosen = books.rules[place]
        chosen.enabled = not chosen.enabled
        assignments.enable_rule(chosen.stored, chosen.enabled)

    @precondition(lambda self: any(books.rules for books in self.books))
    @rule(data=st.data())
    def delete_rule(self, data: st.DataObject) -> None:
        books, place = self._some_rule(data)
        assignments.delete_rule(books.rules.pop(place).stored)

    @precondition(lambda self: any(len(books.rules) > 1 for books in self.books))
    @rule(data=st.data())
    def move_rule(self, data: st.DataObject) -> None:
        books, place = self._some_rule(data)
        to = data.draw(st.integers(0, len(books.rules) - 1))
        books.rules.insert(to, books.rules.pop(place))
        assignments.move_rule(books.rules[to].stored, to + 1)
        for one in books.rules:
            one.stored.refresh_from_db()

    @rule(model=st.sampled_from([IN_USD, IN_CNY]), units=st.one_of(st.none(), st.integers(0, 10_000)))
    def reprice(self, model: str, units: int | None) -> None:
        """The price of input is corrected, or turns out to be unknown."""
        price = self.prices[model]
        price.input = None if units is None else Decimal(units).scaleb(-9)
        RateCard.objects.filter(offering__sku=model).update(input=price.input)
        for books in self.books:
            rerating.rerate(books.organisation)
        self.moved = {0, 1}

    @rule(whose=whose, feed=st.sampled_from([BILL, GATEWAY, LAPTOP]), account=st.sampled_from(["", "second"]))
    def name_account(self, whose: int, feed: Feed, account: str) -> None:
        books = self.books[whose]
        found = Connection.objects.filter(organisation=books.organisation, importer=feed[0], scope=feed[1]).first()
        if found:
            assignments.name_account(found, account)
            books.accounts[feed] = account
            self.moved.add(whose)

    @rule(whose=whose, month=months)
    def close(self, whose: int, month: date) -> None:
        books = self.books[whose]
        if month not in books.closed:
            periods.close(books.organisation, month, "ada")
            books.closed[month] = _of_month(DailyCost.objects.filter(organisation=books.organisation), month)
            self.moved.add(whose)

    @precondition(lambda self: any(self._pending()))
    @rule(data=st.data())
    def restate(self, data: st.DataObject) -> None:
        """All that is pending in a closed month, or some days of some feeds."""
        whose, month = data.draw(st.sampled_from(list(self._pending())))
        books = self.books[whose]
        cells = pending(books.organisation, month).cells
        chosen = data.draw(st.lists(st.sampled_from(cells), min_size=1, unique=True))
        waiting = _of_month(PendingDailyCost.objects.whole(books.organisation.pk), month)
        made = periods.restate(books.organisation, month, "Late", "ada", chosen)
        books.restated[made.pk] = month, {key: sums for key, sums in waiting.items() if _cell(key) in chosen}
        self.moved.add(whose)

    @precondition(lambda self: any(books.restated for books in self.books))
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        """A restatement that stands; one that a later one of the same days builds upon stays."""
        whose = data.draw(st.sampled_from([n for n, books in enumerate(self.books) if books.restated]))
        restated = self.books[whose].restated
        chosen = data.draw(st.sampled_from(sorted(restated)))
        month, moved = restated[chosen]
        mine = set(map(_cell, moved))
        later = [of for pk, of in restated.items() if pk > chosen and of[0] == month and mine & set(map(_cell, of[1]))]
        try:
            periods.undo(Restatement.objects.get(pk=chosen), "Wrong", "ada")
        except PeriodFault:
            assert later
        else:
            assert not later
            del restated[chosen]
        self.moved.add(whose)

    # What holds

    @invariant()
    def parts_are_the_whole(self) -> None:
        """ledger = models + unknown = projects + unattributed = days = the books, in every measure and currency."""
        for books in self.books:
            expected = books.figures(self.prices)
            by_model = ModelDailyCost.objects.filter(organisation=books.organisation)
            by_project = DailyCost.objects.filter(organisation=books.organisation)
            assert _ledger(books) == expected
            assert figures(_named(by_model), BY, MEASURES) == expected
            assert figures(_named(by_project.filter(spread=False)), BY, MEASURES) == expected
            for flag in ({"counted": True}, {"tallied": True}):
                assert figures(by_project.filter(**flag), _FED) == figures(by_model.filter(**flag), _FED)

    @invariant()
    def usage_is_whose_the_rules_say(self) -> None:
        for books in self.books:
            rows = DailyCost.objects.filter(organisation=books.organisation, spread=False)
            for measure in ("in_uncached", "out_total"):
                expected, records = books.attributed(measure)
                found = {key: sums for (key,), (sums,) in figures(rows, ["project_id"], [measure]).items()}
                for project in expected.keys() | found.keys():
                    assert abs(expected.get(project, 0) - found.get(project, 0)) <= records, (measure, project)

    @invariant()
    def money_and_tokens_count_once(self) -> None:
        """One feed gives the money of a day, account and model, the bill where there is one; one gives the tokens."""
        for books in self.books:
            rows = ModelDailyCost.objects.filter(organisation=books.organisation, records__gt=0)
            rivals = rows.exclude(cost_kind="notional")
            giving: dict[str, dict[Any, set[str]]] = {"counted": {}, "tallied": {}}
            for flag, cells in giving.items():
                for day, importer, scope, account, model in _named(rivals.filter(**{flag: True})).values_list(
                    "day", "importer", "scope", "connection__account", "model"
                ):
                    assert account == books.accounts.get((importer, scope), "")
                    cells.setdefault((day, account, model), set()).add(importer)
            for cell, told in books.cells().items():
                assert len(giving["counted"][cell]) == len(giving["tallied"][cell]) == 1
                if any(kind == "billed" for _, kind in told):
                    assert giving["counted"][cell] == {"bill"}
            assert not rows.filter(cost_kind="notional").exclude(counted=True, tallied=True).exists()

    @invariant()
    def official_and_pending_are_the_ledger(self) -> None:
        """And what was closed is as it was closed, with the restatements that stand."""
        for books in self.books:
            whole = books.organisation.pk
            official = figures(OfficialDailyCost.objects.whole(whole))
            waiting = figures(PendingDailyCost.objects.whole(whole))
            assert plus(official, waiting) == figures(DailyCost.objects.filter(organisation=whole))
            closed = {key: sums for key, sums in official.items() if _day(key).replace(day=1) in books.closed}
            assert closed == books.official()
            by_model, by_project = OfficialModelDailyCost.objects.whole(whole), OfficialDailyCost.objects.whole(whole)
            for flag in ({"counted": True}, {"tallied": True}):
                assert figures(by_model.filter(**flag), _FED) == figures(by_project.filter(**flag), _FED)
            waiting_by_model = figures(PendingModelDailyCost.objects.whole(whole), rollups.KEY)
            assert plus(figures(by_model, rollups.KEY), waiting_by_model) == figures(
                ModelDailyCost.objects.filter(organisation=whole), rollups.KEY
            )

    @invariant()
    def nobody_elses_figures_move(self) -> None:
        now = self._all()
        for whose in {0, 1} - self.moved:
            assert now[whose] == self.before[whose]
        self.before, self.moved = now, set()

    @invariant()
    def answers_add_up(self) -> None:
        """Groups of an answer sum to its total, in the display currency."""
        for books in self.books:
            for group in ("project", "model", "day"):
                answer = spending.report(books.organisation, group_by=[group], grades=False)
                for name in ("spent", "list", "reported", "requests", "out_total"):
                    parts = [Decimal(part[name]) for part in answer["groups"] if part[name] is not None]
                    assert sum(parts) == Decimal(answer["total"][name] or 0), (group, name)

    @invariant()
    def verification_finds_nothing(self) -> None:
        assert not list(checks())

    # Inner

    def _import(self, whose: int, feed: Feed, told: list[Fact], **more: Any) -> ImportBatch:
        self.moved.add(whose)
        importer, scope = feed
        return self.import_facts(
            told,
            into=self.books[whose].organisation,
            importer_slug=importer,
            scope=scope,
            detail=DETAIL[importer],
            chunk=3,
            **more,
        )

    def _rule(self, books: Books, which: int, weights: list[int], since: date | None, changed: Rule | None) -> Rule:
        asked, holds = CONDITIONS[which]
        shares = {project.pk: Decimal(part).scaleb(-12) for project, part in zip(books.projects, weights, strict=False)}
        enabled = changed is None or changed.enabled
        stored = assignments.save_rule(
            books.organisation,
            name="rule",
            conditions=asked,
            shares=[{"project": project, "weight": f"{weight:f}"} for project, weight in shares.items()],
            valid_from=since,
            rule=changed and changed.stored,
            enabled=enabled,
        )
        return Rule(stored, holds, shares, since, enabled)

    def _some_rule(self, data: st.DataObject) -> tuple[Books, int]:
        places = [(n, place) for n, books in enumerate(self.books) for place in range(len(books.rules))]
        whose, place = data.draw(st.sampled_from(places))
        self.moved.add(whose)
        return self.books[whose], place

    def _pending(self) -> Iterable[tuple[int, date]]:
        for whose, books in enumerate(self.books):
            for month in books.closed:
                if _of_month(PendingDailyCost.objects.whole(books.organisation.pk), month):
                    yield whose, month

    def _all(self) -> list[tuple[Figures, ...]]:
        return [
            (
                _ledger(books),
                figures(DailyCost.objects.filter(organisation=books.organisation)),
                figures(OfficialDailyCost.objects.whole(books.organisation.pk)),
            )
            for books in self.books
        ]


_FED = ("day", "connection_id", "offering_id", "model_raw", "currency", "list_currency", "spent_currency", "cost_kind")


def _ranked(fact: Fact, rank: tuple[int, ...]) -> Fact:
    import dataclasses

    return dataclasses.replace(fact, rank=rank)


def _named(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.annotate(
        importer=F("connection__importer"), scope=F("connection__scope"), model=Coalesce("offering__sku", "model_raw")
    )


def _day(key: tuple[Any, ...]) -> date:
    day: date = key[WHOSE.index("day")]
    return day


def _cell(key: tuple[Any, ...]) -> tuple[date, int]:
    return _day(key), key[WHOSE.index("connection_id")]


def _of_month(rows: QuerySet[Any], month: date) -> Figures:
    return figures(rows.filter(Q(day__gte=month, day__lt=periods.after(month))))


_LEDGER = """
SELECT (r.occurred_at AT TIME ZONE 'UTC')::date, n.importer, n.scope, d.model_raw, coalesce(c.currency, ''), r.currency,
    CASE WHEN r.cost_reported IS NULL THEN coalesce(c.currency, '') ELSE r.currency END, r.cost_kind,
    count(*), coalesce(sum(r.requests), 0), coalesce(sum(r.in_uncached), 0), coalesce(sum(r.out_total), 0),
    coalesce(sum(r.list_cost), 0), coalesce(sum(coalesce(r.contracted_cost, r.list_cost)), 0),
    coalesce(sum(r.cost_reported), 0), coalesce(sum(coalesce(r.cost_reported, r.contracted_cost, r.list_cost)), 0),
    count(r.list_cost), count(r.cost_reported), count(*) - count(r.out_total)
FROM usage_usagerecord r JOIN usage_usagedimension d ON d.id = r.dimension_id
JOIN usage_connection n ON n.id = r.connection_id LEFT JOIN pricing_ratecard c ON c.id = r.rate_card_id
WHERE r.organisation_id = %s GROUP BY 1, 2, 3, 4, 5, 6, 7, 8"""


def _ledger(books: Books) -> Figures:
    with connection.cursor() as cursor:
        cursor.execute(_LEDGER, [books.organisation.pk])
        return {row[: len(BY)]: row[len(BY) :] for row in cursor.fetchall()}


def test_parts_are_the_whole_whatever_is_done(import_facts: ImportFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count()
    monkeypatch.setattr(
        "django.utils.timezone.now",
        lambda: datetime(2026, 5, 20, 12, 0, next(clock) // 1_000_000 % 60, next(clock) % 1_000_000, tzinfo=UTC),
    )
    make_card(make_offering(IN_USD))
    make_card(make_offering(IN_CNY), currency="CNY", input="7", output="9")
    for currency, usd in (("EUR", "1.0873"), ("CNY", "0.1379")):
        ExchangeRate.objects.create(currency=currency, day=MARCH, usd=Decimal(usd), source=make_source())
    ensure(at("2026-03-01 00:00"), at("2026-04-30 00:00"))

    monkeypatch.setattr(LedgerMachine, "import_facts", staticmethod(import_facts), raising=False)
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=12,
            deadline=None,
            phases=[Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
