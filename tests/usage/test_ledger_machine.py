"""Whatever is done to a ledger, in any order: every part of it sums to the whole, exactly, and to nobody else's.

Two organisations use equal scopes and record keys. What was said of each is kept beside it in plain Python (`books`),
and what that must come to is reckoned from it (`reckoning`): after every step each row of the ledger, of the rollups
and of the official and pending figures is compared with it.

6 sequences of steps run with the other tests; `LEDGER_SEQUENCES=500` runs 500. Every run draws sequences of its own,
so processes share them by running some each: `LEDGER_SEQUENCES=125 pytest tests/usage/test_ledger_machine.py` four
times is 500. `--hypothesis-seed=7` draws the same ones again.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.test import TestCase
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from pricing.models import Offering, RateCard
from tests.usage import comparing, drawn
from tests.usage.books import Agreement, Books, Feed, Figures, Rule, ranked, within
from tests.usage.comparing import GROUPS, connections, of_month
from tests.usage.conftest import ImportFacts
from tests.usage.factories import at, make_organisation, make_project
from tests.usage.reckoning import DETAIL, cell_of, official, plus, reckoned
from usage import assignments, contracts, periods, rerating
from usage.importers import Fact
from usage.models import Connection, ImportBatch, Restatement
from usage.partitions import ensure
from usage.periods import PeriodFault
from usage.verification import checks

pytestmark = pytest.mark.django_db

SEQUENCES = int(os.environ.get("LEDGER_SEQUENCES", "6"))
STEPS = 14
VERIFIED_EVERY = 5
"""Steps; and at the end of each sequence."""


class LedgerMachine(RuleBasedStateMachine):
    """The steps, and what must hold after each of them."""

    import_facts: ImportFacts

    def __init__(self) -> None:
        super().__init__()
        self.around = transaction.atomic()
        self.around.__enter__()
        self.books = [self._books() for _ in range(2)]
        self.prices = drawn.listed_prices()
        self.ranks = itertools.count(1)
        self.steps = itertools.count(1)
        self.groups = itertools.cycle(GROUPS)
        self.moved: set[int] = set()
        self.reckoned = [reckoned(books, self.prices) for books in self.books]

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self._verified()
        finally:
            transaction.set_rollback(True)
            self.around.__exit__(None, None, None)

    def _books(self) -> Books:
        organisation = make_organisation(display_currency="USD")
        return Books(organisation, [make_project(organisation) for _ in range(3)], comparing.skus())

    # Steps

    @initialize(
        told=drawn.listed(drawn.GATEWAY),
        more=drawn.listed(drawn.LAPTOP),
        billed=drawn.listed(drawn.BILL),
        by=drawn.whose,
        how=drawn.begun,
    )
    def begin(self, told: list[Fact], more: list[Fact], billed: list[Fact], by: int, how: drawn.Begun) -> None:
        """Equal keys of equal scopes in both organisations; in one also what the vendor says of the same usage, and
        rules of which one follows the gateway's tokens. Months are closed early, so that what the steps do is late."""
        for to, feed, facts in ((0, drawn.GATEWAY, told), (1, drawn.GATEWAY, told), (1 - by, drawn.LAPTOP, more)):
            appended = [ranked(fact, (1, next(self.ranks))) for fact in facts]
            self._import(to, feed, appended)
            self.books[to].append(feed, appended)
        for which, tokens_of in how.rules:
            self.add_rule(by, which, how.weights, tokens_of, (None, None))
        of_vendor = [drawn.seen_by_vendor(fact, how.percent) for fact in told]
        self._replace(by, drawn.USAGE_API, of_vendor[::2], drawn.WINDOWS[2], accepted=False)
        self._replace(by, drawn.ADMIN_API, of_vendor[1::2], drawn.WINDOWS[2], accepted=False)
        self._replace(by, drawn.BILL, billed, drawn.WINDOWS[2], accepted=False)
        if how.agreed:
            self.agree(1 - by, "discount", "", False, "", Decimal(10), (drawn.MARCH, None), 0)
        for n, month in how.closed:
            self.reckoned[n] = reckoned(self.books[n], self.prices)
            self.close(n, month)

    @rule(whose=drawn.whose, feed=drawn.appended, again=drawn.seldom, data=st.data())
    def append(self, whose: int, feed: Feed, again: bool, data: st.DataObject) -> None:
        """New facts, better and worse ones of known keys, late ones into closed months; known ones change nothing."""
        known = list(self.books[whose].live[feed].values())
        if again and known:
            batch = self._import(whose, feed, known)
            assert (batch.imported, batch.updated, batch.duplicate) == (0, 0, len(known))
            return
        drew = data.draw(drawn.listed(feed))
        told = [ranked(fact, (data.draw(drawn.numbers) % 3, next(self.ranks))) for fact in drew]
        self._import(whose, feed, told)
        self.books[whose].append(feed, told)

    @rule(
        whose=drawn.whose,
        feed=drawn.replaced,
        grouping=st.sampled_from(["", "by-key:"]),
        window=drawn.windows,
        accepted=st.booleans(),
        data=st.data(),
    )
    def replace(self, whose: int, feed: Feed, grouping: str, window: Any, accepted: bool, data: st.DataObject) -> None:
        """A complete window with other figures, another grouping, or less in it than before."""
        told = [fact for fact in data.draw(drawn.listed(feed, grouping)) if within(fact, window)]
        self._replace(whose, feed, told, window, accepted)

    @precondition(lambda self: any(books.live[feed] for books in self.books for feed in drawn.REPLACED))
    @rule(window=drawn.windows, kept=st.integers(0, 2), data=st.data())
    def withdraw(self, window: Any, kept: int, data: st.DataObject) -> None:
        """The vendor takes back some of what it said of a window, or all of it."""
        known = [(n, feed) for n, books in enumerate(self.books) for feed in drawn.REPLACED if books.live[feed]]
        whose, feed = data.draw(st.sampled_from(known))
        stands = [fact for fact in self.books[whose].live[feed].values() if within(fact, window)]
        self._replace(whose, feed, stands[:kept], window, accepted=True)

    @rule(whose=drawn.whose, which=drawn.conditions, weights=drawn.weights, by=drawn.named_tokens, span=drawn.spans)
    def add_rule(self, whose: int, which: int, weights: list[int], by: Any, span: Any) -> None:
        books = self.books[whose]
        books.rules.append(self._rule(books, which, weights, by, span, None))
        self.moved.add(whose)

    @precondition(lambda self: any(books.rules for books in self.books))
    @rule(which=drawn.conditions, weights=drawn.weights, by=drawn.named_tokens, span=drawn.spans, data=st.data())
    def change_rule(self, which: int, weights: list[int], by: Any, span: Any, data: st.DataObject) -> None:
        books, place = self._some_rule(data)
        books.rules[place] = self._rule(books, which, weights, by, span, books.rules[place])

    @precondition(lambda self: any(books.rules for books in self.books))
    @rule(to=st.integers(0, 3), data=st.data())
    def turn_rule(self, to: int, data: st.DataObject) -> None:
        """Off or on, to another place, or away."""
        books, place = self._some_rule(data)
        chosen = books.rules[place]
        if to == 0:
            assignments.delete_rule(books.rules.pop(place).stored)
        elif to < len(books.rules) and to != place:
            books.rules.insert(to, books.rules.pop(place))
            assignments.move_rule(chosen.stored, to + 1)
            for one in books.rules:
                one.stored.refresh_from_db()
        else:
            chosen.enabled = not chosen.enabled
            assignments.enable_rule(chosen.stored, chosen.enabled)

    @rule(model=drawn.models, units=drawn.prices, late=drawn.kinds)
    def reprice(self, model: str, units: int | None, late: bool) -> None:
        """A price of input is corrected, or turns out to be unknown."""
        price = self.prices[model][-1 if late else 0]
        price.input = None if units is None else Decimal(units).scaleb(-9)
        cards = RateCard.objects.filter(offering__sku=model).order_by("effective_from")
        RateCard.objects.filter(pk=list(cards)[-1 if late else 0].pk).update(input=price.input)
        for books in self.books:
            rerating.rerate(books.organisation)
        self.moved = {0, 1}

    @rule(
        whose=drawn.whose,
        kind=st.sampled_from(["discount", "override"]),
        of=st.sampled_from(["", drawn.IN_USD, drawn.IN_CNY]),
        offering=st.booleans(),
        unit=st.sampled_from(["", "input", "output", "cache_read"]),
        value=drawn.values,
        days=drawn.contract_days,
        place=st.integers(0, 1),
    )
    def agree(
        self, whose: int, kind: str, of: str, offering: bool, unit: str, value: Decimal, days: Any, place: int
    ) -> None:
        """A contract, new or in the place of another."""
        agreements = self.books[whose].agreements
        known = agreements[place].stored if place < len(agreements) else None
        if kind == "override" and not unit:
            unit = "input"
        currency = "CNY" if of == drawn.IN_CNY else "USD"
        sold = Offering.objects.filter(sku=of).select_related("model").first()
        provider = Offering.objects.select_related("provider").get(sku=drawn.IN_USD).provider
        with TestCase.captureOnCommitCallbacks(execute=True):
            stored = contracts.save(
                self.books[whose].organisation,
                "ada",
                known,
                **{"name": "Agreed", "kind": kind, "provider": provider, "unit": unit, "value": value},
                **{"currency": currency, "effective_from": days[0], "effective_until": days[1]},
                offering=sold if offering else None,
                model=sold.model if sold and not offering else None,
            )
        agreed = Agreement(stored, kind, of, bool(of) and offering, unit, value, currency, days[0], days[1])
        agreements[place : place + 1] = [agreed]
        self.moved.add(whose)

    @precondition(lambda self: any(books.agreements for books in self.books))
    @rule(day=st.sampled_from([None, *drawn.EDGES]), data=st.data())
    def end_contract(self, day: date | None, data: st.DataObject) -> None:
        """One ends on a day, or never was."""
        places = [(n, place) for n, books in enumerate(self.books) for place in range(len(books.agreements))]
        whose, place = data.draw(st.sampled_from(places))
        agreements = self.books[whose].agreements
        agreed = agreements[place]
        with TestCase.captureOnCommitCallbacks(execute=True):
            if day is None or day <= agreed.since:
                contracts.delete(agreements.pop(place).stored)
            else:
                contracts.end(agreed.stored, day)
                agreed.until = day
        self.moved.add(whose)

    @rule(whose=drawn.whose, feed=drawn.feeds, account=drawn.accounts)
    def name_account(self, whose: int, feed: Feed, account: str) -> None:
        books = self.books[whose]
        if found := books.feeds.get(feed):
            assignments.name_account(Connection.objects.get(pk=found), account)
            books.accounts[feed] = account
            self.moved.add(whose)

    @rule(whose=drawn.whose, month=drawn.months)
    def close(self, whose: int, month: date) -> None:
        """A month once; then only restatements move it."""
        books = self.books[whose]
        if month in books.closed:
            with pytest.raises(PeriodFault):
                periods.close(books.organisation, month, "ada")
            return
        periods.close(books.organisation, month, "ada")
        books.closed[month] = of_month(self.reckoned[whose].projects, month)
        self.moved.add(whose)

    @precondition(lambda self: any(self._pending()))
    @rule(whole=drawn.seldom, data=st.data())
    def restate(self, whole: bool, data: st.DataObject) -> None:
        """All that is pending in a closed month, or some days of some feeds."""
        whose, month = data.draw(st.sampled_from(list(self._pending())))
        books = self.books[whose]
        waiting = of_month(self._waiting(whose), month)
        chosen = cells = sorted({cell_of(key) for key in waiting})
        if not whole:
            chosen = data.draw(st.lists(st.sampled_from(cells), min_size=1, max_size=2, unique=True))
        days = None if whole else [(day, books.feeds[importer, scope]) for day, importer, scope in chosen]
        made = periods.restate(books.organisation, month, "Late", "ada", days)
        moved = {key: sums for key, sums in waiting.items() if cell_of(key) in chosen}
        for built_upon in self._standing(whose, month, moved):
            self._is_not_undone(built_upon)
        books.restated[made.pk] = month, moved
        self.moved.add(whose)

    @precondition(lambda self: any(self._pending()))
    @rule(data=st.data())
    def restate_all(self, data: st.DataObject) -> None:
        self.restate(True, data)

    @precondition(lambda self: any(books.restated for books in self.books))
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        """A restatement that stands; one that a later one of the same days builds upon stays."""
        whose, chosen = data.draw(
            st.sampled_from([(n, pk) for n, books in enumerate(self.books) for pk in books.restated])
        )
        month, moved = self.books[whose].restated[chosen]
        if any(pk > chosen for pk in self._standing(whose, month, moved)):
            self._is_not_undone(chosen)
            return
        periods.undo(Restatement.objects.get(pk=chosen), "Wrong", "ada")
        self._is_not_undone(chosen)
        del self.books[whose].restated[chosen]
        self.moved.add(whose)

    @precondition(lambda self: any(books.restated for books in self.books))
    @rule(data=st.data())
    def undo_another(self, data: st.DataObject) -> None:
        self.undo(data)

    # What holds

    @invariant()
    def all_of_it(self) -> None:
        step = next(self.steps)
        for n in self.moved:
            self.reckoned[n] = reckoned(self.books[n], self.prices)
        for n, (books, now) in enumerate(zip(self.books, self.reckoned, strict=True)):
            comparing.ledger_is_as_reckoned(books, now)  # nobody else's figures move
            if books.closed:
                comparing.official_is_as_reckoned(books, now)
            if books.closed and n in self.moved:
                comparing.pending_is_the_rest(books, now)
        if step % VERIFIED_EVERY == 0:
            self._verified()
        self.moved = set()

    def _verified(self) -> None:
        assert not list(checks())
        for books, now in zip(self.books, self.reckoned, strict=True):
            comparing.answer_adds_up(books, now, next(self.groups))

    # Inner

    def _import(self, whose: int, feed: Feed, told: list[Fact], **more: Any) -> ImportBatch:
        self.moved.add(whose)
        importer, scope = feed
        batch = self.import_facts(
            told,
            into=self.books[whose].organisation,
            importer_slug=importer,
            scope=scope,
            detail=DETAIL[importer],
            chunk=3,
            **more,
        )
        if feed not in self.books[whose].feeds:
            self.books[whose].feeds = connections(self.books[whose])
        assert batch.status in (ImportBatch.Status.DONE, ImportBatch.Status.HELD), batch.error
        return batch

    def _replace(self, whose: int, feed: Feed, told: list[Fact], window: Any, accepted: bool) -> None:
        held, withdrawn = self.books[whose].replace(feed, told, window, accepted)
        batch = self._import(whose, feed, told, mode="replace_window", window=window, accepted=accepted)
        assert (batch.status == ImportBatch.Status.HELD, batch.withdrawn) == (held, withdrawn)

    def _rule(self, books: Books, which: int, weights: list[int], by: Any, span: Any, changed: Rule | None) -> Rule:
        asked, holds = drawn.CONDITIONS[which]
        feeds = books.feeds
        shares = {project.pk: part for project, part in zip(books.projects, weights, strict=False)}
        outcome: Any = [{"project": project, "weight": f"{part}e-12"} for project, part in shares.items()]
        if isinstance(by, tuple):
            by = by if by in feeds else None
        elif by not in {importer for importer, _ in feeds}:
            by = None
        if by is not None:
            outcome = {"by_tokens_of": {"connection": feeds[by]} if isinstance(by, tuple) else {"importer": by}}
        enabled = changed is None or changed.enabled
        stored = assignments.save_rule(
            books.organisation,
            name="rule",
            conditions=asked,
            shares=outcome,
            valid_from=span[0],
            valid_until=span[1],
            rule=changed and changed.stored,
            enabled=enabled,
        )
        return Rule(stored, holds, shares, by, span[0], span[1], enabled)

    def _some_rule(self, data: st.DataObject) -> tuple[Books, int]:
        places = [(n, place) for n, books in enumerate(self.books) for place in range(len(books.rules))]
        whose, place = data.draw(st.sampled_from(places))
        self.moved.add(whose)
        return self.books[whose], place

    def _standing(self, whose: int, month: date, moved: Figures) -> list[int]:
        """Restatements of some of the same days of the same feeds."""
        cells = set(map(cell_of, moved))
        restated = self.books[whose].restated.items()
        return [pk for pk, (of, figures) in restated if of == month and cells & set(map(cell_of, figures))]

    def _is_not_undone(self, restatement: int) -> None:
        """One that was undone, or that a later one builds upon."""
        with pytest.raises(PeriodFault):
            periods.undo(Restatement.objects.get(pk=restatement), "Wrong", "ada")

    def _waiting(self, whose: int) -> Figures:
        now = self.reckoned[whose].projects
        return plus(now, official(self.books[whose], now), sign=-1)

    def _pending(self) -> Iterable[tuple[int, date]]:
        for n, books in enumerate(self.books):
            waiting = self._waiting(n) if books.closed else {}
            for month in books.closed:
                if of_month(waiting, month):
                    yield n, month


def test_parts_are_the_whole_whatever_is_done(import_facts: ImportFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count()
    monkeypatch.setattr(
        "django.utils.timezone.now",
        lambda: datetime(2026, 5, 20, 12, 0, next(clock) // 1_000_000 % 60, next(clock) % 1_000_000, tzinfo=UTC),
    )
    drawn.publish_prices()
    ensure(at("2026-03-01 00:00"), at("2026-04-30 00:00"))

    monkeypatch.setattr(LedgerMachine, "import_facts", staticmethod(import_facts), raising=False)
    run(
        LedgerMachine,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=[Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
