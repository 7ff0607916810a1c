"""Rates of exchange that come after a month was closed move none of its figures: they are pending until restated."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing import catalog
from pricing.models import ExchangeRate
from tests.usage.conftest import ImportFacts
from tests.usage.factories import make_card, make_fact, make_offering, make_organisation, make_rule, make_source
from usage import matches, periods
from usage.models import Organisation, Period, Restatement
from usage.pending import RATES, USAGE, months, pending
from usage.periods import PeriodFault
from usage.spend_segments import in_currency
from usage.spending import pending_months, report
from usage.verification import checks

pytestmark = pytest.mark.django_db
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
FACT = Decimal("0.007")
"""What a fact costs in CNY."""


@pytest.fixture(autouse=True)
def _in_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(2026, 5, 20, 12, tzinfo=UTC))


@pytest.fixture(autouse=True)
def _sold_in_yuan(db: None) -> None:
    make_card(make_offering(), currency="CNY", input="7", output="0")


def read(*rates: tuple[int, str], hours: int = 0) -> None:
    """A reading of the European Central Bank, of days of March with the CNY for 1 EUR, which is worth 1 USD."""
    body = "Date,USD,CNY\n" + "".join(f"2026-03-{day:02d},1,{cny}\n" for day, cny in rates)
    at = datetime(2026, 4, 2, tzinfo=UTC) + timedelta(hours=hours)
    assert catalog.record("ecb_rates", body.encode(), observed_at=at).error == ""


def closed_at_four(organisation: Organisation, import_facts: ImportFacts) -> None:
    """March with one fact, closed when a EUR was 4 CNY."""
    import_facts([make_fact("a")])
    read((9, "4"))
    periods.close(organisation, MARCH, "ada")


def march(organisation: Organisation) -> dict[str, Any]:
    found = report(organisation, MARCH, APRIL, ["model"])
    return {"total": found["total"], "groups": found["groups"], "apart": found["coverage"]["unconverted"]}


def listed(organisation: Organisation) -> Decimal:
    return Decimal(march(organisation)["total"]["list"] or 0)


def waits(organisation: Organisation) -> dict[str, Decimal]:
    return {one.name: one.sums.list_cost for one in pending(organisation, MARCH).causes}


def test_the_first_rates_after_closing_are_pending_and_a_restatement_takes_them_in(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    import_facts([make_fact("a")])
    periods.close(organisation, MARCH, "ada")
    closed = march(organisation)
    assert closed["apart"] == {"CNY": "0.007000000000"}
    read((9, "4"))
    assert march(organisation) == closed
    assert waits(organisation) == {RATES: FACT / 4}
    (beside,) = pending_months(organisation, None, None, by_project=False)
    assert (beside["month"], beside["days"], Decimal(beside["list"])) == ("2026-03", 1, FACT / 4)
    made = periods.restate(organisation, MARCH, "The rates came in April", "ada")
    assert (listed(organisation), waits(organisation), march(organisation)["apart"]) == (FACT / 4, {}, {})
    assert Decimal(made.after["list"]) == FACT / 4
    periods.undo(made, "Not yet booked", "bea")
    assert march(organisation) == closed
    assert waits(organisation) == {RATES: FACT / 4}
    assert not list(checks())


def test_a_rate_that_its_source_states_anew_moves_open_months_and_no_closed_one(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    import_facts([make_fact("a"), make_fact("april", "2026-04-03 12:00")])
    read((9, "4"))
    periods.close(organisation, MARCH, "ada")
    read((9, "8"), hours=1)
    assert listed(organisation) == FACT / 4
    assert Decimal(report(organisation, APRIL)["total"]["list"]) == FACT / 8
    assert Decimal(report(organisation)["total"]["list"]) == FACT / 4 + FACT / 8
    assert waits(organisation) == {RATES: FACT / 8 - FACT / 4}
    assert [row["spent"] for row in in_currency_of(organisation)] == [FACT / 4 + FACT / 8]


def in_currency_of(organisation: Organisation) -> list[dict[str, Any]]:
    """What pages show of March and April."""
    from usage.period_querysets import official_spend

    closed = Period.objects.spans(organisation.pk)
    spend = official_spend(organisation.pk, None, closed, "offering_id")
    return in_currency(spend, organisation, [MARCH, date(2026, 5, 1)])


def test_rates_are_taken_in_without_late_usage_and_late_usage_without_rates(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    closed_at_four(organisation, import_facts)
    import_facts([make_fact("late", "2026-03-20 10:00")])
    read((9, "8"), hours=1)
    assert waits(organisation) == {USAGE: FACT / 4, RATES: 2 * (FACT / 8 - FACT / 4)}
    late = periods.restate(organisation, MARCH, "Late export", "ada", pending(organisation, MARCH).cells)
    assert (listed(organisation), late.rates_before) == (FACT / 2, None)
    rates = periods.restate(organisation, MARCH, "Rates restated", "ada", [], later_rates=True)
    assert (listed(organisation), waits(organisation)) == (FACT / 4, {})
    periods.undo(late, "Of another month", "ada")
    assert (listed(organisation), waits(organisation)) == (FACT / 8, {USAGE: FACT / 8})
    periods.undo(rates, "Of another month", "ada")
    assert listed(organisation) == FACT / 4
    with pytest.raises(PeriodFault, match="Nothing is pending"):
        periods.restate(organisation, MARCH, "Nothing", "ada", [], later_rates=False)


def test_restated_rates_are_undone_after_later_ones(organisation: Organisation, import_facts: ImportFacts) -> None:
    import_facts([make_fact("a")])
    periods.close(organisation, MARCH, "ada")
    made = []
    for hours, cny in enumerate(("4", "8")):
        read((9, cny), hours=hours)
        made.append(periods.restate(organisation, MARCH, f"At {cny}", "ada"))
    with pytest.raises(PeriodFault, match="“At 8” was made later"):
        periods.undo(made[0], "Wrong", "ada")
    periods.undo(made[1], "Wrong", "ada")
    periods.undo(made[0], "Wrong", "ada")
    assert listed(organisation) == 0


def test_rates_that_move_nothing_of_the_month_are_not_pending(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    closed_at_four(organisation, import_facts)
    read((8, "5"), (9, "4"), (11, "6"), hours=1)
    assert waits(organisation) == {}
    with pytest.raises(PeriodFault, match="Nothing is pending"):
        periods.restate(organisation, MARCH, "Nothing", "ada")


def test_a_closed_total_that_moved_without_a_restatement_is_found(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    closed_at_four(organisation, import_facts)
    ExchangeRate.objects.filter(currency="CNY").update(usd=1)
    assert [one.problem for one in checks()] == ["Its total is not what was closed."]


def test_what_a_rule_catches_is_at_the_rates_of_the_closed_month(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    import_facts([make_fact("a")])
    read((9, "4"))
    make_rule(organisation, [], {})
    periods.close(organisation, MARCH, "ada")
    read((9, "8"), hours=1)
    (caught,) = [one for one in matches.matches(organisation, date(2026, 3, 20)).values() if one.spent]
    assert caught.spent == FACT / 4


def test_a_rate_is_recorded_after_the_wait_for_what_closes_a_month(organisation: Organisation) -> None:
    """Else one recorded before the closing could come in after it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (before,) = cursor.fetchone()
    read((9, "4"))
    assert all(at > before for at in ExchangeRate.objects.values_list("recorded_at", flat=True))


_days = itertools.count()
steps = st.lists(
    st.tuples(st.sampled_from(["use", "rate", "rate", "close", "restate", "rates", "undo"]), st.integers(0, 1 << 30)),
    min_size=4,
    max_size=14,
)


@given(steps=steps)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_whatever_comes_in_any_order_only_restatements_move_a_closed_month(
    steps: list[tuple[str, int]], import_facts: ImportFacts
) -> None:
    Period.objects.all().delete()
    ExchangeRate.objects.all().delete()
    organisation = make_organisation()
    source, keys = make_source("bank"), itertools.count()
    for step, seed in steps:
        chance = random.Random(seed)  # noqa: S311
        before, was_closed = march(organisation), Period.objects.of(organisation).exists()
        if step == "use":
            import_facts([make_fact(f"{next(keys)}", f"2026-03-{chance.randint(1, 31):02d} 12:00")], into=organisation)
        elif step == "rate":
            day = date(2026, 3, chance.randint(1, 31))
            _state(day, Decimal(chance.choice([1, 2, 4])), source)
        elif step == "close" and not was_closed:
            periods.close(organisation, MARCH, "ada")
        elif step in ("restate", "rates") and was_closed:
            _restated(organisation, rates_alone=step == "rates")
        elif step == "undo":
            for made in Restatement.objects.of(organisation).standing().order_by("-id")[:1]:
                periods.undo(made, "Wrong", "ada")
        if was_closed and step in ("use", "rate", "close"):
            assert march(organisation) == before
        for month in months(organisation):
            waiting = pending(organisation, MARCH).sums.list_cost
            assert month.official.list_cost + waiting == month.ledger.list_cost == _at_todays_rates(organisation)
    assert not list(checks())


def _state(day: date, usd: Decimal, source: Any) -> None:
    """A source states a rate of a day, again perhaps."""
    from django.db.models.functions import Now

    ExchangeRate.objects.standing().filter(day=day).update(superseded_at=Now())
    ExchangeRate.objects.create(currency="CNY", day=day, usd=usd, source=source)


def _restated(organisation: Organisation, *, rates_alone: bool) -> None:
    try:
        made = periods.restate(
            organisation, MARCH, "Late", "ada", [] if rates_alone else None, later_rates=True if rates_alone else None
        )
    except PeriodFault:
        return
    assert Decimal(made.after["list"] or 0) == listed(organisation)


def _at_todays_rates(organisation: Organisation) -> Decimal:
    """Reckoned anew from records and rates."""
    from usage.models import UsageRecord

    def usd(day: date) -> Decimal:
        known = ExchangeRate.objects.filter(superseded_at=None, day__lte=day).order_by("day")
        return next((one.usd for one in known.reverse()), Decimal(0))

    records = UsageRecord.objects.filter(organisation=organisation)
    return sum((one.list_cost * usd(one.occurred_at.date()) for one in records), Decimal(0))
