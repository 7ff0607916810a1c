"""The page of closed months: who sees it, what closing and restating show first, what is beside official figures."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from dashboards import access
from dashboards.models import AuditEntry, Person
from dashboards.pages.closing import moved_words
from pricing.models import ExchangeRate
from tests.dashboards.ledger_cast import World, client_of, world  # noqa: F401
from tests.usage.factories import make_source
from usage.models import Organisation, Period, Restatement

pytestmark = pytest.mark.django_db
LATE = "2026-10-20,alpha,k-alpha,ann,seller,model-a,20000000,10000000,100"
ROW = "2026-10-05,alpha,k-alpha,ann,seller,model-a,10000000,5000000,50"
OCTOBER = "/periods?month=2026-10"


@pytest.fixture
def october(world: World) -> World:  # noqa: F811
    """October with 20 USD of alpha."""
    world.imported(ROW)
    return world


def page(world: World, url: str = OCTOBER) -> str:  # noqa: F811
    answer = world.admin.get(url)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"</?(a|span)\b[^>]*>", "", answer.content.decode()))


def seen(text: str) -> str:
    found = re.search(r'name="seen" value="(\w+)"', text)
    assert found
    return found[1]


def closed(world: World) -> None:  # noqa: F811
    answer = world.admin.post("/periods/2026-10/close", {"seen": seen(page(world))})
    assert (answer.status_code, answer["Location"]) == (302, OCTOBER)


def test_an_administrator_closes_the_month_they_looked_at(october: World) -> None:
    text = page(october)
    assert "October 2026 is over and can be closed." in text
    assert "Close October 2026" in text
    closed(october)
    period = Period.objects.get()
    assert (period.closed_by, Decimal(period.figures["total"]["list"])) == ("ada@acme.example", Decimal(20))
    assert "1 month is closed, and nothing came later." in page(october)
    entry = AuditEntry.objects.get(action="closed a month")
    assert (entry.subject, entry.who) == ("2026-10", "ada@acme.example")


def test_a_month_whose_figures_moved_since_they_were_shown_is_not_closed(october: World) -> None:
    before = seen(page(october))
    october.imported(LATE)
    answer = october.admin.post("/periods/2026-10/close", {"seen": before})
    assert (answer.status_code, Period.objects.count()) == (422, 0)
    assert "What the page showed has changed since" in answer.content.decode()


def test_late_usage_is_shown_beside_the_official_figures_everywhere(october: World) -> None:
    closed(october)
    october.imported(LATE)
    text = page(october)
    assert "+$40.00 is pending in October 2026" in text
    assert "Usage came, changed or went: +$40.00 on 1 day" in text
    overview = october.admin.get("/?period=month&from=2026-10-01").content.decode()
    project = october.admin.get("/projects/alpha?period=month&from=2026-10-01").content.decode()
    for shown in (overview, project):
        assert "October is closed: +$40.00 on 1 day pending: in the ledger&#x27;s rows, not in these totals" in shown
        assert "$20.00" in shown
    assert "$60.00" not in overview
    assert project.count("$60.00") == 1  # by API key: read from the ledger's rows
    assert "pending" not in october.admin.get("/projects/beta?period=month&from=2026-10-01").content.decode()


def test_what_is_pending_links_to_closed_months_for_who_may_open_them(october: World) -> None:
    """That page is of the whole organisation: who sees single projects reads the words alone."""
    closed(october)
    october.imported(LATE)
    assert october.alpha_only.get(OCTOBER).status_code == 404
    month, days = "period=month&from=2026-10-01", "from=2026-10-01&until=2026-11-01"
    for url in (f"/?{month}", f"/projects/alpha?{month}", f"/spend?{days}", f"/spend/bridge?{days}"):
        for reader, is_whole in ((october.admin, True), (october.alpha_only, False)):
            shown = reader.get(url).content.decode()
            assert "October is closed: +$40.00 on 1 day pending" in shown
            assert (OCTOBER in shown) == is_whole


def test_a_bill_that_is_stated_anew_is_pending_with_its_money(october: World) -> None:
    columns = {"time": "day", "model": "model", "host": "host", "cost": "cost"}
    mapping = {"columns": columns, "grain": "1d", "currency": "USD", "cost_kind": "billed"}

    def billed(cost: str) -> None:
        october.imported(f"2026-10-05,seller,model-a,{cost}", head="day,host,model,cost", mapping=mapping)

    billed("21")
    closed(october)
    billed("121")
    text = page(october)
    assert "+$100.00 is pending in October 2026" in text
    assert "Usage came, changed or went: +$100.00 on 1 day" in text
    assert re.search(r"Spent</th><td[^>]*>\$21.00</td><td[^>]*>\$100.00</td><td[^>]*>\$121.00<", text)
    overview = october.admin.get("/?period=month&from=2026-10-01").content.decode()
    assert "October is closed: +$100.00 on 1 day pending" in overview


def test_what_is_pending_of_list_cost_under_a_bill_says_so() -> None:
    assert moved_words({"spent": "0", "list": "-3"}, "USD") == "−$3.00 of list cost"
    assert moved_words({"spent": "5", "list": "-3"}, "USD") == "+$5.00"
    assert moved_words({"spent": None, "list": None}, "USD") == "an unknown amount"


def test_a_restatement_stays_in_the_currency_it_was_made_in(october: World) -> None:
    closed(october)
    october.imported(LATE)
    form = {"seen": seen(page(october)), "cause": ["usage"], "reason": "Late export"}
    assert october.admin.post("/periods/2026-10/restate", form).status_code == 302
    ExchangeRate.objects.create(currency="EUR", day=date(2026, 10, 1), usd=Decimal(2), source=make_source("rates"))
    Organisation.objects.filter(pk=october.organisation.pk).update(display_currency="EUR")
    text = page(october)
    assert "List: $20.00 before, $60.00 after" in text
    assert "€30.00" in text


def test_rates_that_come_later_are_taken_in_by_themselves(october: World) -> None:
    source = make_source("rates")
    ExchangeRate.objects.create(currency="EUR", day=date(2026, 10, 1), usd=Decimal(2), source=source)
    Organisation.objects.filter(pk=october.organisation.pk).update(display_currency="EUR")
    closed(october)
    october.imported(LATE)
    ExchangeRate.objects.create(currency="EUR", day=date(2026, 10, 2), usd=Decimal(4), source=source)
    text = page(october)
    assert "Usage came, changed or went: +€20.00 on 1 day" in text
    assert "Rates of exchange came later: −€15.00 on 2 days" in text
    form = {"seen": seen(text), "cause": ["rates"], "reason": "The bank was late"}
    assert october.admin.post("/periods/2026-10/restate", form).status_code == 302
    text = page(october)
    assert "List: €10.00 before, €5.00 after" in text
    assert "Usage came, changed or went: +€10.00 on 1 day" in text
    assert "Rates of exchange came later" not in text


def test_a_restatement_needs_a_reason_and_can_be_undone_with_one(october: World) -> None:
    closed(october)
    october.imported(LATE)
    form = {"seen": seen(page(october)), "cause": ["usage"], "reason": ""}
    answer = october.admin.post("/periods/2026-10/restate", form)
    assert (answer.status_code, Restatement.objects.count()) == (422, 0)
    assert "Say why the month is restated" in answer.content.decode()
    none = october.admin.post("/periods/2026-10/restate", form | {"reason": "Late", "cause": []})
    assert "Choose at least one cause" in none.content.decode()
    assert october.admin.post("/periods/2026-10/restate", form | {"reason": "Late export"}).status_code == 302
    text = page(october)
    assert "Late export" in text
    assert "List: $20.00 before, $60.00 after" in text
    made = Restatement.objects.get()
    assert october.admin.post(f"/periods/restatements/{made.pk}/undo", {"undo_reason": ""}).status_code == 422
    answer = october.admin.post(f"/periods/restatements/{made.pk}/undo", {"undo_reason": "Of another month"})
    assert answer.status_code == 302
    text = page(october)
    assert "by ada@acme.example: Of another month" in text
    assert "+$40.00 is pending in October 2026" in text
    assert list(AuditEntry.objects.filter(subject="2026-10").order_by("id").values_list("action", flat=True)) == [
        "closed a month",
        "restated a month",
        "undid a restatement",
    ]
    undone = AuditEntry.objects.latest("id")
    assert (undone.before, undone.after) == (
        made.after, made.before | {"restatement": "Late export", "reason": "Of another month"}
    )  # fmt: skip


def test_a_viewer_reads_and_changes_nothing(october: World) -> None:
    viewer = Person.objects.create_user("vic@acme.example")
    access.grant(viewer, "viewer", october.organisation)
    client, token = client_of(viewer), seen(page(october))
    text = client.get(OCTOBER).content.decode()
    assert "An administrator of Acme can close it." in text
    assert '<form method="post" action="/periods' not in text
    assert client.post("/periods/2026-10/close", {"seen": token}).status_code == 404
    closed(october)
    october.imported(LATE)
    assert "Restate October" not in client.get(OCTOBER).content.decode()
    assert client.post("/periods/2026-10/restate", {"reason": "x", "cause": "usage"}).status_code == 404


def test_strangers_and_people_of_one_project_find_no_such_page(october: World) -> None:
    closed(october)
    october.imported(LATE)
    form = {"seen": seen(page(october)), "cause": ["usage"], "reason": "Late"}
    october.admin.post("/periods/2026-10/restate", form)
    undo = f"/periods/restatements/{Restatement.objects.get().pk}/undo"
    other = access_to_another()
    for client in (october.alpha_only, october.charlie):
        assert client.get("/periods").status_code == 404
        assert client.post(undo, {"undo_reason": "x"}).status_code == 404
    assert "Late" not in other.get(OCTOBER).content.decode()
    assert other.post(undo, {"undo_reason": "x"}).status_code == 404
    assert Restatement.objects.get().undone_at is None


def access_to_another():  # type: ignore[no-untyped-def]
    """Somebody who administers another organisation."""
    from tests.usage.factories import make_organisation

    person = Person.objects.create_user("olga@other.example")
    access.grant(person, "admin", make_organisation("other"))
    return client_of(person)


@pytest.mark.parametrize("url", ["/periods?month=soon", "/periods?month=1999-01", "/periods?month=2026-13"])
def test_what_is_no_month_is_no_page(world: World, url: str) -> None:  # noqa: F811
    assert world.admin.get(url).status_code == 404


def test_the_page_asks_as_much_of_two_years_as_of_a_month(october: World, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    closed(october)
    with CaptureQueriesContext(connection) as few:
        page(october)
    october.imported(*(f"2025-{month:02d}-05,alpha,k,ann,seller,model-a,1000,500,5" for month in range(1, 13)))
    with CaptureQueriesContext(connection) as many:
        page(october)
    assert len(many) <= len(few) <= 40
