"""Closed months: what moves their official figures (a restatement, undone or not) and what does not (all else)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.usage.conftest import ImportFacts
from tests.usage.factories import at, make_card, make_fact, make_offering, make_organisation, make_project, make_rule
from usage import periods, rerating
from usage.models import (
    DailyCost,
    ImportBatch,
    ModelDailyCost,
    OfficialCost,
    OfficialDailyCost,
    OfficialModelDailyCost,
    Organisation,
    PendingDailyCost,
    PendingModelDailyCost,
    Period,
)
from usage.organisations import remove_sample
from usage.pending import ATTRIBUTED, RATED, USAGE, pending
from usage.periods import PeriodFault
from usage.spending import report
from usage.verification import checks

pytestmark = pytest.mark.django_db
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
CENTS = Decimal("0.0012")  # a fact of the factory: 1,000 tokens in and 100 out of `model-a`


@pytest.fixture(autouse=True)
def _in_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(2026, 5, 20, 12, tzinfo=UTC))


def march(organisation: Organisation) -> dict[str, Any]:
    """What `spend` says of March."""
    return report(organisation, MARCH, APRIL, ["project"])


def listed(organisation: Organisation) -> Decimal:
    return Decimal(march(organisation)["total"]["list"] or 0)


def test_a_late_row_of_a_closed_month_is_pending_and_moves_no_figure(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    import_facts([make_fact("a")])
    periods.close(organisation, MARCH, "ada@acme.example")
    before = march(organisation)
    assert before["coverage"]["pending"] == []
    import_facts([make_fact("a"), make_fact("late", "2026-03-31 23:59"), make_fact("april", "2026-04-01 00:00")])
    now = march(organisation)
    assert (now["total"], now["groups"]) == (before["total"], before["groups"])
    assert [(one["month"], one["days"], Decimal(one["list"])) for one in now["coverage"]["pending"]] == [
        ("2026-03", 1, CENTS)
    ]
    assert Decimal(report(organisation)["total"]["list"]) == 2 * CENTS  # March as closed, April as it is
    found = pending(organisation, MARCH)
    assert [(one.name, one.days, one.sums.list_cost) for one in found.causes] == [(USAGE, 1, CENTS)]
    assert not list(checks())


def test_a_restatement_takes_in_what_is_pending_and_undoing_returns_to_the_very_figures(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    import_facts([make_fact("a")])
    periods.close(organisation, MARCH, "ada")
    closed = march(organisation)
    import_facts([make_fact("late", "2026-03-20 10:00")])
    found = periods.restate(organisation, MARCH, "  Late export of\n the Paris office ", "ada")
    assert found.reason == "Late export of the Paris office"
    assert (Decimal(found.before["list"]), Decimal(found.after["list"])) == (CENTS, 2 * CENTS)
    assert (listed(organisation), march(organisation)["coverage"]["pending"]) == (2 * CENTS, [])
    assert not pending(organisation, MARCH)
    periods.undo(found, "The export was of April", "bea")
    undone = march(organisation)
    assert (undone["total"], undone["groups"]) == (closed["total"], closed["groups"])
    assert pending(organisation, MARCH).sums.list_cost == CENTS
    assert (found.undone_by, found.undo_reason) == ("bea", "The export was of April")
    assert not list(checks())


def test_a_withdrawn_window_of_a_closed_month_is_pending_with_its_sign(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    window = (at("2026-03-01 00:00"), at("2026-04-01 00:00"))
    by_user = [make_fact("ann", grain="1d", ext_user="ann"), make_fact("bob", grain="1d", ext_user="bob")]
    import_facts(by_user, mode="replace_window", window=window)
    periods.close(organisation, MARCH, "ada")
    # Pulled again without grouping by person: other keys, and a token more; the old rows go.
    import_facts([make_fact("all", grain="1d", in_uncached=2_001)], mode="replace_window", window=window)
    assert listed(organisation) == 2 * CENTS
    found = pending(organisation, MARCH)
    assert [one.name for one in found.causes] == [USAGE]
    assert found.sums.list_cost == Decimal("0.002201") - 2 * CENTS < 0
    periods.restate(organisation, MARCH, "Regrouped", "ada")
    assert listed(organisation) == Decimal("0.002201")
    assert not list(checks())


def test_a_corrected_price_and_a_retroactive_rule_are_pending_by_their_cause(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    offering = make_offering()
    card = make_card(offering)
    import_facts([make_fact("a"), make_fact("b", "2026-03-11 09:00", path="/shop")])
    import_facts([make_fact("unknown", "2026-03-12 09:00", model="model-b")])
    periods.close(organisation, MARCH, "ada")
    shop = make_project(organisation, "shop")
    make_rule(organisation, [{"field": "path", "op": "equals", "value": "/shop"}], {shop.pk: "1"})
    assert [(one.name, one.days) for one in pending(organisation, MARCH).causes] == [(ATTRIBUTED, 1)]
    assert [group["project"] for group in march(organisation)["groups"]] == [None]
    assert pending(organisation, MARCH).sums.list_cost == 0
    type(card).objects.filter(pk=card.pk).update(input=Decimal("2e-6"))
    make_card(make_offering("model-b"))
    rerating.rerate(organisation)
    causes = {one.name: (one.days, one.sums.list_cost) for one in pending(organisation, MARCH).causes}
    # The shop's day is re-rated and re-attributed: it is said to be re-rated, which moves the total.
    assert causes == {RATED: (3, 2 * Decimal("0.001") + CENTS)}
    assert listed(organisation) == 2 * CENTS
    assert not list(checks())


def test_a_restatement_may_take_some_days_only(organisation: Organisation, import_facts: ImportFacts) -> None:
    make_card(make_offering())
    periods.close(organisation, MARCH, "ada")
    import_facts([make_fact("a"), make_fact("b", "2026-03-11 09:00")])
    first, second = pending(organisation, MARCH).cells
    one = periods.restate(organisation, MARCH, "The tenth", "ada", [first])
    assert (listed(organisation), pending(organisation, MARCH).cells) == (CENTS, [second])
    two = periods.restate(organisation, MARCH, "The eleventh", "ada", [second])
    periods.undo(one, "Not yet", "ada")
    assert pending(organisation, MARCH).cells == [first]
    again = periods.restate(organisation, MARCH, "Now", "ada")
    import_facts([make_fact("c", "2026-03-11 10:00")])
    third = periods.restate(organisation, MARCH, "More of the eleventh", "ada")
    with pytest.raises(PeriodFault, match="“More of the eleventh” was made later and moves the same days"):
        periods.undo(two, "All of it was wrong", "ada")
    periods.undo(again, "It was not made later than what is on other days", "ada")
    periods.undo(third, "First this", "ada")
    periods.undo(two, "Then that", "ada")
    assert listed(organisation) == 0
    assert not list(checks())


@pytest.mark.parametrize(
    ("month", "sentence"),
    [
        (date(2026, 5, 1), "May 2026 is still running: close it when it is over, from 1 June 2026 UTC on."),
        (date(2026, 6, 1), "June 2026 has not begun: close it when it is over, from 1 July 2026 UTC on."),
    ],
)
def test_a_month_that_is_not_over_cannot_be_closed(organisation: Organisation, month: date, sentence: str) -> None:
    with pytest.raises(PeriodFault, match=sentence):
        periods.close(organisation, month, "ada")
    assert not Period.objects.exists()


def test_a_month_cannot_be_closed_twice_nor_under_a_running_import(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    batch = import_facts([make_fact("a")])
    ImportBatch.objects.filter(pk=batch.pk).update(status="running")
    with pytest.raises(PeriodFault, match="An import is still being read and may bring usage of March 2026"):
        periods.close(organisation, MARCH, "ada")
    ImportBatch.objects.filter(pk=batch.pk).update(status="done")
    periods.close(organisation, MARCH, "ada")
    with pytest.raises(PeriodFault, match="March 2026 is closed already"):
        periods.close(organisation, MARCH, "ada")


def test_a_day_of_two_feeds_restated_in_part_leaves_unknown_what_was_unknown(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    billed: dict[str, Any] = {"cost_reported": Decimal("0.004"), "currency": "USD", "cost_kind": "billed"}
    nothing = dict.fromkeys(("in_uncached", "in_cache_read", "in_cache_write", "out_total", "requests"))
    import_facts([make_fact("b", grain="1d", **billed, **nothing)], importer_slug="bill")
    periods.close(organisation, MARCH, "ada")
    known = ("list", "contracted", "requests", "in_uncached", "out_total")

    def official() -> list[Any]:
        answer = report(organisation, MARCH, APRIL, ["day"])
        assert all(answer["groups"][0][name] == answer["total"][name] for name in known)
        return [answer["total"][name] for name in ("spent", *known)]

    assert official() == ["0.004000000000", None, None, None, None, None]
    import_facts([make_fact("u")], importer_slug="usage_api", detail=2)
    bill, usage = sorted(pending(organisation, MARCH).cells, key=lambda cell: cell[1])
    periods.restate(organisation, MARCH, "The bill", "ada", [bill])
    assert official() == ["0.004000000000", None, None, None, None, None]
    periods.restate(organisation, MARCH, "And the usage", "ada", [usage])
    assert official() == ["0.004000000000", "0.001200000000", "0.001200000000", 1, 1_000, 100]
    assert not list(checks())


def test_what_cannot_be_restated_or_undone_is_said(organisation: Organisation, import_facts: ImportFacts) -> None:
    with pytest.raises(PeriodFault, match="March 2026 is open: its figures follow the ledger"):
        periods.restate(organisation, MARCH, "Why not", "ada")
    periods.close(organisation, MARCH, "ada")
    with pytest.raises(PeriodFault, match="Nothing is pending in March 2026"):
        periods.restate(organisation, MARCH, "Why not", "ada")
    import_facts([make_fact("a")])
    with pytest.raises(PeriodFault, match="Say why the month is restated"):
        periods.restate(organisation, MARCH, " ", "ada")
    found = periods.restate(organisation, MARCH, "Late", "ada")
    with pytest.raises(PeriodFault, match="Say why the restatement is undone"):
        periods.undo(found, "", "ada")
    periods.undo(found, "Wrong", "ada")
    with pytest.raises(PeriodFault, match="undone already"):
        periods.undo(found, "Wrong", "ada")


def test_closing_a_month_moves_nobody_elses(organisation: Organisation, import_facts: ImportFacts) -> None:
    make_card(make_offering())
    other = make_organisation()
    import_facts([make_fact("a")])
    import_facts([make_fact("a")], into=other)
    periods.close(organisation, MARCH, "ada")
    for one in (organisation, other):
        import_facts([make_fact("late")], into=one)
    assert (listed(organisation), listed(other)) == (CENTS, 2 * CENTS)
    assert (bool(pending(organisation, MARCH)), bool(pending(other, MARCH))) == (True, False)


def test_what_a_project_is_shown_of_a_closed_month_is_official_too(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    shop = make_project(organisation, "shop")
    rule = make_rule(organisation, [{"field": "path", "op": "equals", "value": "/shop"}], {shop.pk: "1"})
    import_facts([make_fact("a", path="/shop")])
    periods.close(organisation, MARCH, "ada")
    type(rule).objects.filter(pk=rule.pk).update(enabled=False)
    make_rule(organisation, [{"field": "path", "op": "equals", "value": "/none"}], {shop.pk: "1"})
    answer = report(organisation, MARCH, APRIL, projects=[shop.pk])
    assert Decimal(answer["total"]["list"]) == CENTS
    assert [Decimal(one["list"]) for one in answer["coverage"]["pending"]] == [-CENTS]


def test_verify_finds_an_official_figure_that_moved_by_itself(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    import_facts([make_fact("a")])
    periods.close(organisation, MARCH, "ada")
    OfficialCost.objects.update(list_cost=7)
    assert {(one.check, one.problem) for one in checks()} == {
        ("periods", "The official rows are not what was closed or restated."),
        ("periods", "The official figures by model are not those by project."),
        ("periods", "The official figures by project alone are not those by all."),
        ("periods", "The official figures by offering alone are not those by all."),
    }


def test_the_sample_goes_with_its_closed_months(import_facts: ImportFacts) -> None:
    sample = make_organisation()
    type(sample).objects.filter(pk=sample.pk).update(is_sample=True)
    make_card(make_offering())
    project = make_project(sample)
    make_rule(sample, [], {project.pk: "1"})
    import_facts([make_fact("a")], into=sample)
    periods.close(sample, MARCH, "ada")
    import_facts([make_fact("b")], into=sample)
    periods.restate(sample, MARCH, "Late", "ada")
    assert remove_sample() == 1
    assert not Period.objects.exists()
    assert not OfficialCost.objects.exists()


@pytest.mark.parametrize(
    ("view", "table"),
    [
        (OfficialDailyCost, DailyCost),
        (PendingDailyCost, DailyCost),
        (OfficialModelDailyCost, ModelDailyCost),
        (PendingModelDailyCost, ModelDailyCost),
    ],
)
def test_the_views_have_every_column_of_the_rollups(view: Any, table: Any) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        found = {column.name for column in connection.introspection.get_table_description(cursor, view._meta.db_table)}
    assert found - {"closed", "undone"} == {field.column for field in table._meta.concrete_fields}, (
        "A migration changed the rollups: put its operations into usage.official_views.around(…)."
    )


def test_the_command_closes_a_month_once_and_shows_it_again(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    import_facts([make_fact("a")])
    assert closed("--dry-run")["closed_at"] is None
    assert not Period.objects.exists()
    first = closed()
    assert (Decimal(first["official"]["list"]), first["closed_by"]) == (CENTS, "close_period")
    assert (first["pending"]["days"], first["restatements"]) == (0, [])
    import_facts([make_fact("late")])
    again = closed()
    assert (again["closed_at"], again["official"]) == (first["closed_at"], first["official"])
    assert {name: one["days"] for name, one in again["pending"]["causes"].items()} == {USAGE: 1}


def closed(*options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("close_period", "2026-03", "--json", *options, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@pytest.mark.parametrize(
    ("month", "sentence"),
    [
        ("2026-5", "“2026-5” is no month: write it like 2026-10."),
        ("1999-05", "1999 is out of reach: choose a month between 2015 and 2100."),
        ("2026-05", "May 2026 is still running"),
    ],
)
def test_the_command_says_why_a_month_is_not_closed(organisation: Organisation, month: str, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence) as fault:
        call_command("close_period", month)
    assert fault.value.returncode == 2
