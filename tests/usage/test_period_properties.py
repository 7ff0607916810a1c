"""Whatever happens to the ledger and to closed months, in any order: official + pending = ledger, and nothing moves a
closed figure but a restatement, whose undoing returns to the very figures."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing.models import RateCard
from tests.usage.conftest import ImportFacts
from tests.usage.factories import at, make_card, make_fact, make_offering, make_organisation, make_project, make_rule
from usage import periods, rerating, rollups
from usage.importers import Fact
from usage.models import (
    DailyCost,
    ModelDailyCost,
    OfficialDailyCost,
    OfficialModelDailyCost,
    Organisation,
    PendingDailyCost,
    PendingModelDailyCost,
    Period,
    Project,
    Restatement,
)
from usage.pending import pending
from usage.periods import PeriodFault
from usage.verification import checks

pytestmark = pytest.mark.django_db
MONTHS = (date(2026, 3, 1), date(2026, 4, 1))
WINDOW = (at("2026-03-01 00:00"), at("2026-05-01 00:00"))
KEY = (*rollups.KEY, "project_id")
_models = itertools.count()
Figures = dict[tuple[Any, ...], tuple[Any, ...]]

steps = st.lists(
    st.tuples(
        st.sampled_from(["append", "replace", "rule", "reprice", "close", "close", "restate", "restate", "undo"]),
        st.integers(0, 1),  # whose
        st.integers(0, 1 << 30),
    ),
    min_size=4,
    max_size=12,
)


def figures(rows: Any, key: tuple[str, ...] = KEY) -> Figures:
    """Every measure by key, without what is nothing."""
    summed = rows.values(*key).annotate(**{f"sum_{name}": Sum(name) for name in rollups.MEASURES}).order_by()
    found = {tuple(row[name] for name in key): tuple(row[f"sum_{name}"] for name in rollups.MEASURES) for row in summed}
    return {name: sums for name, sums in found.items() if any(sums)}


def plus(one: Figures, other: Figures) -> Figures:
    none = (0,) * len(rollups.MEASURES)
    keys = {*one, *other}
    found = {key: tuple(map(sum, zip(one.get(key, none), other.get(key, none), strict=True))) for key in keys}
    return {key: sums for key, sums in found.items() if any(sums)}


class Instance:
    """Two organisations with equal scopes, keys and paths, and a price each may see change."""

    def __init__(self, import_facts: ImportFacts) -> None:
        self.import_facts = import_facts
        self.model = f"model-{next(_models)}"
        self.card = make_card(make_offering(self.model))
        self.organisations = [make_organisation(), make_organisation()]
        self.projects: list[list[Project]] = [[make_project(one), make_project(one)] for one in self.organisations]
        self.before: dict[int, Figures] = {}
        self.keys = itertools.count()

    def do(self, step: str, whose: int, seed: int) -> None:
        getattr(self, step)(self.organisations[whose], whose, random.Random(seed))  # noqa: S311

    def append(self, one: Organisation, whose: int, chance: random.Random) -> None:
        facts = [self._fact(f"key-{chance.randint(0, 9)}", chance) for _ in range(chance.randint(1, 5))]
        self.import_facts(list({fact.record_key: fact for fact in facts}.values()), into=one, scope="gateway")

    def replace(self, one: Organisation, whose: int, chance: random.Random) -> None:
        """A bill pulled anew: other keys each time, as if its grouping had changed."""
        facts = [self._fact(f"bill-{next(self.keys)}", chance, grain="1d") for _ in range(chance.randint(2, 4))]
        self.import_facts(facts, into=one, scope="bill", mode="replace_window", window=WINDOW)

    def rule(self, one: Organisation, whose: int, chance: random.Random) -> None:
        first, second = self.projects[whose]
        weight = chance.randint(1, 99)
        shares = {first.pk: f"0.{weight:02d}", second.pk: str(1 - Decimal(weight) / 100)}
        path = chance.choice(["/a", "/b"])
        make_rule(one, [{"field": "path", "op": "prefix", "value": path}], shares, position=0)

    def reprice(self, one: Organisation, whose: int, chance: random.Random) -> None:
        RateCard.objects.filter(pk=self.card.pk).update(input=Decimal(chance.randint(1, 9)).scaleb(-6))
        for each in self.organisations:
            rerating.rerate(each)

    def close(self, one: Organisation, whose: int, chance: random.Random) -> None:
        month = chance.choice(MONTHS)
        if not periods.obstacle(one, month):
            periods.close(one, month, "ada")

    def restate(self, one: Organisation, whose: int, chance: random.Random) -> None:
        found = Period.objects.of(one).first()
        cells = pending(one, found.month).cells if found else []
        if found and cells:
            before = official(one)
            some = chance.sample(cells, chance.randint(1, len(cells)))
            made = periods.restate(one, found.month, "Late", "ada", some)
            self.before[made.pk] = before

    def undo(self, one: Organisation, whose: int, chance: random.Random) -> None:
        standing = list(Restatement.objects.of(one).standing())
        if not standing:
            return
        latest = standing[-1]
        chosen = chance.choice(standing)
        try:
            periods.undo(chosen, "Wrong", "ada")
        except PeriodFault:
            return  # a later one builds upon it
        closed = Period.objects.filter(organisation=one, closed_at__gt=chosen.made_at).exists()
        if chosen.pk == latest.pk and not closed:
            months = {period.month for period in Period.objects.of(one)}
            assert _in(official(one), months) == _in(self.before[chosen.pk], months)

    def _fact(self, key: str, chance: random.Random, **fields: Any) -> Fact:
        day = chance.choice(["2026-03-05", "2026-03-31", "2026-04-01", "2026-04-20"])
        return make_fact(
            key,
            f"{day} {chance.randint(0, 23):02d}:00",
            in_uncached=chance.randint(0, 3_000),
            path=chance.choice(["/a", "/b", ""]),
            model=chance.choice([self.model, self.model, "nobody-knows"]),
            rank=(chance.randint(0, 3),),
            **fields,
        )


def official(one: Organisation) -> Figures:
    return figures(OfficialDailyCost.objects.whole(one.pk))


def _in(found: Figures, months: set[date]) -> Figures:
    day = KEY.index("day")
    return {key: sums for key, sums in found.items() if key[day].replace(day=1) in months}


def holds(one: Organisation) -> None:
    """Official + pending = ledger in every row, with project and without, and by model as by project."""
    assert plus(official(one), figures(PendingDailyCost.objects.whole(one.pk))) == figures(
        DailyCost.objects.filter(organisation=one)
    )
    by_model = figures(OfficialModelDailyCost.objects.whole(one.pk), rollups.KEY)
    assert by_model == figures(OfficialDailyCost.objects.whole(one.pk), rollups.KEY)
    assert plus(by_model, figures(PendingModelDailyCost.objects.whole(one.pk), rollups.KEY)) == figures(
        ModelDailyCost.objects.filter(organisation=one), rollups.KEY
    )
    closed = {period.month for period in Period.objects.of(one)}
    assert {month for month in MONTHS if pending(one, month)} <= closed


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=steps)
def test_nothing_but_a_restatement_moves_a_closed_month(
    steps: list[tuple[str, int, int]], import_facts: ImportFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count()
    monkeypatch.setattr(
        "django.utils.timezone.now", lambda: datetime(2026, 5, 20, 12, 0, 0, next(clock) % 1_000_000, tzinfo=UTC)
    )
    instance = Instance(import_facts)
    for step, whose, seed in steps:
        closed = {one.pk: {period.month for period in Period.objects.of(one)} for one in instance.organisations}
        before = {one.pk: official(one) for one in instance.organisations}
        instance.do(step, whose, seed)
        for n, one in enumerate(instance.organisations):
            holds(one)
            if n != whose or step not in ("restate", "undo"):
                assert _in(official(one), closed[one.pk]) == _in(before[one.pk], closed[one.pk])
    assert not list(checks())
