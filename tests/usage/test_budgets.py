"""Budgets: whose they are, which one holds on a day, what they come to from real rows, and what is refused."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from pricing.models import ExchangeRate, Offering, PriceEvent
from tests.usage.conftest import ImportFacts
from tests.usage.factories import (
    at,
    make_card,
    make_fact,
    make_offering,
    make_organisation,
    make_project,
    make_rule,
    make_source,
)
from usage import budgets
from usage.budgets import BudgetFault
from usage.importers import Fact
from usage.models import Budget, Organisation, Project

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
TODAY = date(2026, 11, 16)


def enter(organisation: Organisation, amount: str = "300", **fields: Any) -> Budget:
    """300 USD a month from October on, of everything, unless said otherwise."""
    defaults: dict[str, Any] = {"currency": "USD", "period": "month", "effective_from": date(2026, 10, 1)}
    return budgets.enter(organisation, "ann@x.example", amount=Decimal(amount), **(defaults | fields))[0]


def days_of(name: str, first: date, until: date, usd: int = 10, **fields: Any) -> list[Fact]:
    """A record a day that costs so many USD: input at 1 USD per Mtok."""
    days = (first + DAY * n for n in range((until - first).days))
    tokens = {"in_uncached": usd * 10**6, "out_total": 0}
    return [make_fact(f"{name} {day}", at(f"{day} 12:00"), ext_project=name, **(tokens | fields)) for day in days]


@pytest.fixture
def offering() -> Offering:
    found = make_offering()
    make_card(found)
    return found


@pytest.fixture
def projects(organisation: Organisation) -> tuple[Project, ...]:
    found = tuple(
        make_project(organisation, slug, cost_centre=of) for slug, of in (("a", "41"), ("b", "41"), ("c", ""))
    )
    for one in found:
        make_rule(organisation, [{"field": "ext_project", "op": "equals", "value": one.slug}], {one.pk: "1"})
    return found


@pytest.fixture
def spent(
    organisation: Organisation, projects: tuple[Project, ...], offering: Offering, import_facts: ImportFacts
) -> None:
    """From 1 September to yesterday 10 USD a day of a, 20 of b, 5 of nobody."""
    first = date(2026, 9, 1)
    import_facts([*days_of("a", first, TODAY), *days_of("b", first, TODAY, 20), *days_of("nobody", first, TODAY, 5)])


@pytest.mark.usefixtures("spent")
def test_a_budget_of_all_counts_what_no_project_has(organisation: Organisation) -> None:
    enter(organisation, "1000")
    found = budgets.pace(organisation, TODAY, sees=None)
    assert found is not None
    assert (found.scope, found.spent, found.low, found.high) == (budgets.WHOLE, 15 * 35, 30 * 35, 30 * 35)
    assert found.exceeded_on == date(2026, 11, 29)  # 28 × 35 = 980


@pytest.mark.usefixtures("spent")
def test_a_budget_is_of_its_project_or_of_its_cost_centre(
    organisation: Organisation, projects: tuple[Project, ...]
) -> None:
    a, b, c = projects
    assert budgets.pace(organisation, TODAY, [a.pk], sees=None) is None
    enter(organisation, "300", project=a)
    enter(organisation, "1200", cost_centre="41")
    asked = {"a": [a.pk], "both": [b.pk, a.pk], "other": [a.pk, c.pk], "whole": None}
    told = {name: budgets.pace(organisation, TODAY, of, sees=None) for name, of in asked.items()}
    assert {name: pace and (pace.scope, pace.amount, pace.spent) for name, pace in told.items()} == {
        "a": ("A", 300, 150), "both": ("cost centre 41", 1200, 450), "other": None, "whole": None,
    }  # fmt: skip


@pytest.mark.usefixtures("spent")
def test_several_projects_have_the_sum_of_their_budgets_where_each_has_one(
    organisation: Organisation, projects: tuple[Project, ...]
) -> None:
    a, b, _ = projects
    enter(organisation, "300", project=a)
    assert budgets.pace(organisation, TODAY, [a.pk, b.pk], sees=None) is None
    enter(organisation, "500", project=b)
    found = budgets.pace(organisation, TODAY, [a.pk, b.pk], sees=None)
    assert found is not None
    assert (found.scope, found.amount, found.spent) == ("2 projects", 800, 450)


@pytest.mark.usefixtures("spent")
def test_an_announced_price_is_in_the_forecast_from_its_day_on_once_it_is_known(
    organisation: Organisation, offering: Offering
) -> None:
    enter(organisation, "1000")
    PriceEvent.objects.create(
        offering=offering, unit="input", service_tier="standard", kind="rise", old=1, new=2, per=10**6, currency="USD",
        effective_from=at("2026-11-26 00:00"), observed_at=at("2026-11-10 00:00"), source=make_source(), why="",
    )  # fmt: skip
    before, after = (budgets.pace(organisation, day, sees=None) for day in (date(2026, 11, 9), TODAY))
    assert before is not None
    assert after is not None
    assert after.forecast is not None
    assert (before.changes, after.changes) == (0, 1)
    assert after.forecast.middle == 25 * 35 + 5 * 70


@pytest.mark.usefixtures("spent")
def test_a_budget_in_another_currency_is_weighed_in_its_own(organisation: Organisation) -> None:
    enter(organisation, "1000", currency="EUR")
    found = budgets.pace(organisation, TODAY, sees=None)
    assert found is not None
    assert (found.spent, found.unconverted) == (0, ("USD",))
    ExchangeRate.objects.create(currency="EUR", day=date(2026, 8, 1), usd=Decimal("1.25"), source=make_source())
    found = budgets.pace(organisation, TODAY, sees=None)
    assert found is not None
    assert (found.spent, found.currency, found.unconverted) == (15 * 28, "EUR", ())


def test_tokens_without_a_price_are_told_and_not_taken_for_free(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    enter(organisation)
    import_facts(days_of("a", date(2026, 11, 1), TODAY, 1, model="mystery"))
    found = budgets.pace(organisation, TODAY, sees=None)
    assert found is not None
    assert (found.spent, found.unknown_tokens, found.forecast) == (0, 15 * 10**6, None)


def test_what_a_feed_says_tokens_cost_is_spent_and_they_are_not_unknown(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    enter(organisation)
    import_facts(days_of("a", date(2026, 11, 1), TODAY, 1, model="mystery", cost_reported=Decimal(2), currency="USD"))
    found = budgets.pace(organisation, TODAY, sees=None)
    assert found is not None
    assert (found.spent, found.unknown_tokens) == (30, 0)


def test_other_organisations_have_no_part_in_it(organisation: Organisation, spent: None) -> None:
    other = make_organisation()
    enter(other)
    assert budgets.pace(organisation, TODAY, sees=None) is None
    found = budgets.pace(other, TODAY, sees=None)
    assert found is not None
    assert (found.spent, found.forecast) == (0, None)


def test_however_many_budgets_are_told_in_as_many_queries(
    organisation: Organisation, projects: tuple[Project, ...], spent: None
) -> None:
    enter(organisation)
    counts = []
    for extra in ({"project": projects[0]}, {"project": projects[1]}):
        enter(organisation, **extra)
        found = list(Budget.objects.of(organisation).on(TODAY))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            budgets.paces(organisation, TODAY, found)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 5


# What holds when


def test_a_new_budget_ends_the_one_of_its_scope_and_no_other(
    organisation: Organisation, projects: tuple[Project, ...]
) -> None:
    old, other = enter(organisation, "300"), enter(organisation, "100", project=projects[0])
    new, ended = budgets.enter(
        organisation, "", amount=Decimal(400), currency="USD", period="month", effective_from=date(2026, 12, 1)
    )
    assert (ended, new.amount) == (old, 400)
    for day, amount in ((date(2026, 11, 30), 300), (date(2026, 12, 1), 400)):
        found = budgets.pace(organisation, day, sees=None)
        assert found is not None
        assert found.amount == amount
    other.refresh_from_db()
    assert other.effective_until is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": "0"}, "above zero"),
        ({"currency": "dollars"}, "three letters"),
        ({"effective_from": date(2026, 10, 2)}, "write 2026-10-01"),
        ({"period": "quarter", "effective_from": date(2026, 11, 1)}, "write 2026-10-01"),
        ({"period": "week"}, "Choose a month, a quarter or a year."),
        ({"effective_until": date(2026, 10, 1)}, "end after it begins"),
        ({"cost_centre": "41", "project": True}, "of one project, of one cost centre, or of all"),
    ],
)
def test_what_makes_no_budget_is_refused_in_a_sentence(
    organisation: Organisation, projects: tuple[Project, ...], fields: dict[str, Any], said: str
) -> None:
    fields |= {"project": projects[0]} if "project" in fields else {}
    with pytest.raises(BudgetFault, match=said):
        enter(organisation, **fields)


def test_a_budget_of_another_organisations_project_is_refused(organisation: Organisation) -> None:
    with pytest.raises(BudgetFault, match="of one project"):
        enter(organisation, project=make_project(make_organisation()))


def test_two_budgets_of_a_scope_never_hold_on_one_day(organisation: Organisation) -> None:
    first = enter(organisation, effective_until=date(2026, 12, 1))
    second = enter(organisation, effective_from=date(2026, 12, 1))
    with pytest.raises(BudgetFault, match="change or remove that one first"):
        budgets.change(first, effective_until=None)
    with pytest.raises(BudgetFault, match="is there already"):
        enter(organisation, effective_from=date(2026, 11, 1), effective_until=date(2027, 1, 1))
    second.effective_from = date(2026, 11, 1)
    with pytest.raises(IntegrityError, match="one_budget_a_scope_and_day"), transaction.atomic():
        second.save()


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("budget_is_of_something", {"amount": 0}),
        ("budget_has_one_scope", {"cost_centre": "41", "project": True}),
        ("budget_ends_after_it_starts", {"effective_until": date(2026, 10, 1)}),
        ("budget_starts_with_a_month", {"effective_from": date(2026, 10, 2)}),
    ],
)
def test_the_database_refuses_what_no_budget_can_be(
    organisation: Organisation, projects: tuple[Project, ...], name: str, fields: dict[str, Any]
) -> None:
    fields |= {"project": projects[0]} if "project" in fields else {}
    sound: dict[str, Any] = {"organisation": organisation, "amount": 1, "effective_from": date(2026, 10, 1)}
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Budget.objects.create(**(sound | fields))


@pytest.mark.usefixtures("spent")
def test_a_cost_centre_of_one_project_has_its_budget_and_only_who_sees_the_whole_sees_it(
    organisation: Organisation, projects: tuple[Project, ...]
) -> None:
    c = projects[2]
    c.cost_centre = "77"
    c.save()
    enter(organisation, "900", cost_centre="77")
    found = budgets.pace(organisation, TODAY, [c.pk], sees=None)
    assert found is not None
    assert (found.scope, found.amount) == ("cost centre 77", 900)
    assert budgets.pace(organisation, TODAY, [c.pk], sees=[c.pk]) is None
    enter(organisation, "300", project=c)
    own = budgets.pace(organisation, TODAY, [c.pk], sees=None)
    assert own is not None
    assert (own.scope, own.amount) == (c.name, 300)
