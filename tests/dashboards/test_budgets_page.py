"""The page of budgets and their tiles: who enters and who sees what, the words, and what it costs in queries."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboards.models import AuditEntry
from dashboards.pages import budgets as pages
from tests.dashboards.ledger_cast import World, world  # noqa: F401
from usage import budgets
from usage.forecast import Forecast
from usage.models import Budget
from usage.pacing import Pace

pytestmark = pytest.mark.django_db
NOVEMBER = (date(2026, 11, 1), date(2026, 12, 1))


def text(answer: Any) -> str:
    bare = re.sub(r"<[^>]+>", "", answer.content.decode())
    return re.sub(r"\s+", " ", unescape(bare))


def sent(**more: str) -> dict[str, str]:
    return {"scope": "all", "amount": "200", "currency": "USD", "period": "month", "effective_from": "2026-10-01",
            **more}  # fmt: skip


def enter(world: World, amount: str, **fields: Any) -> Budget:  # noqa: F811
    common = {"currency": "USD", "period": "month", "effective_from": date(2026, 10, 1)}
    return budgets.enter(world.organisation, "ada", amount=Decimal(amount), **common, **fields)[0]


def test_an_admin_enters_corrects_ends_and_removes_a_budget_and_the_log_has_each(world: World) -> None:  # noqa: F811
    assert world.admin.post("/budgets", sent()).status_code == 302
    page = f"/budgets/{Budget.objects.get().pk}"
    assert world.admin.post(page, sent(amount="250", do="save")).status_code == 302
    assert Budget.objects.get().amount == 250
    assert world.admin.post(page, {"day": "2027-01-01", "do": "end"}).status_code == 302
    assert Budget.objects.get().effective_until == date(2027, 1, 1)
    assert world.admin.post(page, {"do": "remove"}).status_code == 302
    assert not Budget.objects.exists()
    logged = AuditEntry.objects.filter(action__endswith=" a budget").order_by("pk")
    assert [(one.action.split()[0], (one.after or {}).get("amount")) for one in logged] == [
        ("entered", "200"), ("changed", "250"), ("changed", "250"), ("removed", None)
    ]  # fmt: skip


def test_a_new_amount_from_a_month_on_leaves_the_months_before_as_they_were(world: World) -> None:  # noqa: F811
    world.admin.post("/budgets", sent())
    assert world.admin.post("/budgets", sent(amount="300", effective_from="2026-12-01")).status_code == 302
    assert list(Budget.objects.order_by("pk").values_list("amount", "effective_until")) == [
        (200, date(2026, 12, 1)), (300, None)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"amount": "0"}, "A budget is of an amount above zero"),
        ({"amount": "much"}, "Write a number, such as 12.5."),
        ({"effective_from": "2026-10-15"}, "Budgets begin and end with a calendar month: write 2026-10-01."),
        ({"scope": "project:999999"}, "Select a valid choice"),
    ],
)
def test_what_makes_no_budget_is_refused_where_it_was_entered(
    world: World,  # noqa: F811
    wrong: dict[str, str],
    said: str,
) -> None:
    answer = world.admin.post("/budgets", sent(**wrong))
    assert answer.status_code == 422
    assert said in text(answer)
    assert not Budget.objects.exists()


def test_who_reads_one_project_sees_its_budget_and_no_others(world: World) -> None:  # noqa: F811
    enter(world, "1234")
    enter(world, "777", project=world.alpha)
    enter(world, "888", project=world.beta)
    whole, part = text(world.admin.get("/budgets")), text(world.alpha_only.get("/budgets"))
    assert all(amount in whole for amount in ("$1,234.00", "$777.00", "$888.00"))
    assert "$777.00" in part
    assert "$1,234.00" not in part
    assert "$888.00" not in part
    assert world.alpha_only.post("/budgets", sent()).status_code == 404
    assert Budget.objects.count() == 3


def test_the_overview_and_the_project_show_their_own_budget(world: World) -> None:  # noqa: F811
    enter(world, "1000")
    enter(world, "200", project=world.alpha)
    assert "14.3% of budget used, 60% of the month gone" in text(world.admin.get("/"))  # 143 of 1,000
    assert "50.0% of budget used" in text(world.admin.get("/projects/alpha"))  # 100 of 200
    assert "50.0% of budget used" in text(world.alpha_only.get("/"))
    assert "budget used" not in text(world.admin.get("/projects/beta"))


def test_the_table_has_every_figure_of_the_page(world: World) -> None:  # noqa: F811
    enter(world, "1000")
    answer = world.admin.get("/budgets?format=csv").content.decode()
    (row,) = csv.DictReader(io.StringIO(answer))
    assert (row["budget"], Decimal(row["spent"]), Decimal(row["even spending"])) == ("The whole organisation", 143, 600)
    assert (row["forecast low"], row["exceeded on"], row["unpriced tokens"]) == ("", "", "3000000")


def test_a_budget_more_costs_no_further_query(world: World) -> None:  # noqa: F811
    enter(world, "1000")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert world.admin.get("/budgets").status_code == 200
        return len(captured)

    few = queries()
    for project in (world.alpha, world.beta):
        enter(world, "100", project=project)
    assert queries() == few <= 16


def test_the_page_without_a_budget_teaches_the_next_step(world: World) -> None:  # noqa: F811
    assert "Enter what you mean to spend" in text(world.admin.get("/budgets"))
    assert "An administrator of the organisation enters budgets here." in text(world.alpha_only.get("/budgets"))


# Words


def pace(spent: str, low: str = "", middle: str = "", high: str = "", exceeded: date | None = None) -> Pace:
    ahead = Forecast(Decimal(low), Decimal(middle), Decimal(high), 8) if low else None
    on = date(2026, 11, 15)
    return Pace("Alpha", "USD", Decimal(52_000), *NOVEMBER, on, on, Decimal(spent), ahead, exceeded)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (pace("23688", "46100", "47800", "49500"), "Within the budget."),
        (pace("23688", "50000", "51500", "53000"), "Within the budget, though part of the forecast lies above it."),
        (pace("23688", "51000", "53000", "55000", date(2026, 11, 29)),
         "Will be exceeded on 29 Nov 2026, by about $1.0k at the end."),
        (pace("53000", "90000", "99000", "99900", date(2026, 11, 14)), "Over since 14 Nov 2026 by $1,000."),
        (pace("100"), "Too little history for a forecast: three complete weeks of usage are needed."),
    ],
)  # fmt: skip
def test_the_verdict_says_what_becomes_of_a_budget(found: Pace, said: str) -> None:
    assert pages.verdict(found) == said


def test_the_tile_reads_as_its_mock() -> None:
    shown = pages.tile(pace("23688", "46100", "47800", "49500"))
    words = "".join(part if isinstance(part, str) else part.text for part in shown.words)
    assert (shown.label, shown.figure, words) == (
        "November to date", "$23,688", "Forecast $46.1k–49.5k of $52.0k budget"
    )  # fmt: skip
    assert shown.said == ("45.6% of budget used, 50% of the month gone",)


def test_budgets_are_shown_as_they_stood_on_a_day(world: World) -> None:  # noqa: F811
    enter(world, "200")
    world.imported("2026-11-17,alpha,k-alpha,ann,seller,model-a,20000000,0,1", scope="late")
    today, then = text(world.admin.get("/budgets")), text(world.admin.get("/budgets?on=2026-11-15"))
    assert "$163.00" in today
    assert "What held on 15 Nov 2026" in then
    assert "$143.00" in then
    assert "$163.00" not in then
    rows = list(csv.DictReader(io.StringIO(world.admin.get("/budgets?on=2026-11-15&format=csv").content.decode())))
    assert [Decimal(row["spent"]) for row in rows] == [143]
    assert "What held on 30 Sep 2026" in text(world.admin.get("/budgets?on=2026-09-30"))  # before the budget began


@pytest.mark.parametrize(("on", "says"), [("soon", "is no day"), ("2026-11-19", "has not come yet")])
def test_a_day_that_is_none_or_has_not_come_is_refused(world: World, on: str, says: str) -> None:  # noqa: F811
    answer = world.admin.get(f"/budgets?on={on}")
    assert answer.status_code == 400
    assert says in text(answer)
