"""The page of contracts: an administrator enters and removes, viewers read, and the audit log has each change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest

from dashboards import formatting
from dashboards.charts import burn as chart
from dashboards.models import AuditEntry
from dashboards.pages import contracts as pages
from tests.dashboards.ledger_cast import World, world  # noqa: F401
from usage import contract_previews as previews
from usage import contracts, periods, spending
from usage.commitments import Committed, burn
from usage.models import Commitment, Contract, FixedCost
from usage.verification import checks

pytestmark = pytest.mark.django_db
MODELS: dict[str, Any] = {"contract": Contract, "commitment": Commitment, "fixed": FixedCost}


def spent(world: World) -> Decimal:  # noqa: F811
    return Decimal(spending.report(world.organisation)["total"]["spent"])


def fields(what: str, **more: str) -> dict[str, str]:
    common = {"name": "Order form", "currency": "USD", "effective_from": "2026-10-01"}
    return {f"{what}-{name}": value for name, value in (common | more).items()}


def test_an_administrator_enters_each_kind_of_agreement_and_removes_it(world: World) -> None:  # noqa: F811
    seller = str(world.offering.provider_id)
    entered = {
        "contract": fields("contract", kind="discount", provider=seller, value="20"),
        "commitment": fields("commitment", provider=seller, amount="1000", effective_until="2027-01-01"),
        "fixed": fields("fixed", kind="seats", amount="30", effective_until="2027-01-01"),
    }
    for what, sent in entered.items():
        assert world.admin.post(f"/contracts/add/{what}", sent).status_code == 302
    text = world.admin.get("/contracts").content.decode()
    assert "20 % off list" in text
    assert text.count("Order form") >= 3
    for what, model in (("contract", Contract), ("commitment", Commitment), ("fixed", FixedCost)):
        number = model._default_manager.get().pk
        assert world.admin.post(f"/contracts/{what}/{number}/remove").status_code == 302
        assert not model._default_manager.exists()
    assert AuditEntry.objects.filter(action__contains="contract").count() == 2
    entry = AuditEntry.objects.get(action="entered a contract")
    assert (entry.subject, (entry.after or {})["value"]) == ("Order form", "20")


def test_terms_that_make_no_sense_are_refused_where_they_were_entered(world: World) -> None:  # noqa: F811
    sent = fields("contract", kind="discount", provider=str(world.offering.provider_id), value="120")
    answer = world.admin.post("/contracts/add/contract", sent)
    assert answer.status_code == 422
    assert "A discount lies between 0 and 100 per cent." in answer.content.decode()
    assert not Contract.objects.exists()


def entered(world: World, what: str, **more: str) -> int:  # noqa: F811
    """An agreement as an administrator enters it; its number."""
    if what != "fixed":
        more["provider"] = str(world.offering.provider_id)
    assert world.admin.post(f"/contracts/add/{what}", fields(what, **more)).status_code == 302
    return MODELS[what].objects.latest("pk").pk


def test_changed_terms_price_the_usage_of_their_days_again_and_the_log_has_before_and_after(
    world: World,  # noqa: F811
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        number = entered(world, "contract", kind="discount", value="20")
    assert spent(world) == Decimal("114.4")  # 143 at list
    page = world.admin.get(f"/contracts/contract/{number}").content.decode()
    assert 'value="20"' in page
    sent = {"name": "Order form", "kind": "discount", "provider": world.offering.provider_id, "value": "50",
            "currency": "USD", "effective_from": "2026-10-01"}  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        assert world.admin.post(f"/contracts/contract/{number}", sent).status_code == 302
    assert spent(world) == Decimal("71.5")
    with django_capture_on_commit_callbacks(execute=True):
        assert world.admin.post(f"/contracts/contract/{number}/end", {"day": "2026-11-08"}).status_code == 302
    assert spent(world) == Decimal("110.5")  # half of the 65 before that day, all of the 78 from it on
    changes = [(log.before, log.after) for log in AuditEntry.objects.filter(action="changed a contract").order_by("pk")]
    moved = [{key for key in {*(b or {}), *(a or {})} if (b or {}).get(key) != (a or {}).get(key)} for b, a in changes]
    assert moved == [{"value"}, {"effective_until"}]


def test_a_change_of_a_name_prices_nothing_again_and_one_of_nothing_leaves_no_trace(
    world: World,  # noqa: F811
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    number = entered(world, "contract", kind="discount", value="20")
    sent = {"name": "Order form", "kind": "discount", "provider": world.offering.provider_id, "value": "20.0",
            "currency": "usd", "effective_from": "2026-10-01"}  # fmt: skip
    for name, kept in (("Order form", 0), ("Order form of 2026", 1)):
        with django_capture_on_commit_callbacks() as queued:
            world.admin.post(f"/contracts/contract/{number}", sent | {"name": name})
        assert (len(queued), AuditEntry.objects.filter(action="changed a contract").count()) == (0, kept)


def test_a_changed_contract_leaves_a_closed_month_as_it_was_closed(
    world: World,  # noqa: F811
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    world.imported("2026-10-10,alpha,k-alpha,ann,seller,model-a,20000000,10000000,100")
    with django_capture_on_commit_callbacks(execute=True):
        number = entered(world, "contract", kind="discount", value="20")
    periods.close(world.organisation, date(2026, 10, 1), "ada")
    with django_capture_on_commit_callbacks(execute=True):
        assert world.admin.post(f"/contracts/contract/{number}/end", {"day": "2026-10-02"}).status_code == 302
    assert spent(world) == 32 + 143  # October as it was closed, November at list
    (pending,) = spending.report(world.organisation)["coverage"]["pending"]
    assert (pending["month"], Decimal(pending["contracted"])) == ("2026-10", 8)


@pytest.mark.parametrize(
    ("what", "first", "then", "field"),
    [
        ("commitment", {"amount": "1000"}, {"amount": "1200"}, "amount"),
        ("fixed", {"kind": "credits", "amount": "30"}, {"kind": "credits", "amount": "45"}, "amount"),
    ],
)
def test_commitments_and_fixed_costs_are_changed_and_ended_with_before_and_after(
    world: World,  # noqa: F811
    what: str,
    first: dict[str, str],
    then: dict[str, str],
    field: str,
) -> None:
    number = entered(world, what, effective_until="2027-01-01", **first)
    sent = {"name": "Order form", "currency": "USD", "effective_from": "2026-10-01", "effective_until": "2027-01-01",
            "provider": str(world.offering.provider_id), **then}  # fmt: skip
    assert world.admin.post(f"/contracts/{what}/{number}", sent).status_code == 302
    assert abs(getattr(MODELS[what].objects.get(), field)) == Decimal(then[field])
    assert world.admin.post(f"/contracts/{what}/{number}/end", {"day": "2026-12-01"}).status_code == 302
    assert MODELS[what].objects.get().effective_until == date(2026, 12, 1)
    logged = AuditEntry.objects.filter(action__startswith="changed a ").order_by("pk")
    assert [abs(Decimal((log.before or {})["amount"])) for log in logged] == [
        Decimal(first["amount"]), Decimal(then["amount"])
    ]  # fmt: skip


def test_an_end_before_the_beginning_is_refused_where_it_was_entered(world: World) -> None:  # noqa: F811
    number = entered(world, "contract", kind="discount", value="20")
    answer = world.admin.post(f"/contracts/contract/{number}/end", {"day": "2026-10-01"})
    assert answer.status_code == 422
    assert "It has to end after it begins" in answer.content.decode()
    assert Contract.objects.get().effective_until is None


def test_an_empty_page_teaches_the_first_step_to_who_may_take_it(world: World) -> None:  # noqa: F811
    text = world.admin.get("/contracts").content.decode()
    for what in MODELS:
        assert f'href="/contracts?add={what}#add-{what}"' in text
    assert "<details open><summary>Enter a commitment" in world.admin.get("/contracts?add=commitment").content.decode()


DAY = timedelta(days=1)
YEAR = Committed(1, Decimal(100), date(2026, 3, 1), date(2026, 3, 31), "USD")


@pytest.mark.parametrize(
    ("a_day", "days", "said"),
    [
        (0, 0, "No pace yet: its first day is not over"),
        (2, 10, "$40.00 will not be used at this pace"),
        (5, 10, "Runs out on 21 Mar 2026 at this pace, 9 days early"),
        (25, 10, "Ran out on 4 Mar 2026, 26 days early"),
        (1, 30, "$70.00 was not used"),
    ],
)
def test_the_claim_of_a_commitment_says_where_it_is_going(a_day: int, days: int, said: str) -> None:
    (one,) = burn([YEAR], {"USD": {YEAR.starts + DAY * n: Decimal(a_day) for n in range(days)}})
    assert pages.claim(one, "USD", YEAR.starts + DAY * days) == said


def test_a_chart_of_a_commitment_ends_where_its_figures_do() -> None:
    (one,) = burn([YEAR], {"USD": {YEAR.starts + DAY * n: Decimal(2) for n in range(10)}})
    today = YEAR.starts + DAY * 10
    drawn = chart.figure(one, "USD", today)["wide"]
    _, burnt, pace = drawn["data"]
    assert burnt["y"][-1] == pace["y"][0] == 20
    assert (pace["x"][-1], pace["y"][-1]) == ("2026-03-31", 60)
    assert [text["text"] for text in drawn["layout"]["annotations"]] == ["today", "$60.00 at the end"]
    assert len(chart.figure(one, "USD", YEAR.ends)["wide"]["data"]) == 2  # nothing is ahead of what is over


def test_the_figure_of_a_commitment_is_what_the_ledger_spent(world: World) -> None:  # noqa: F811
    number = entered(world, "commitment", amount="1000", effective_until="2027-01-01")
    answer = world.admin.get(f"/contracts/commitment/{number}/burn.json").json()
    assert answer["wide"]["data"][1]["y"][-1] == 143
    text = world.admin.get("/contracts").content.decode()
    assert "$857.00 of $1,000.00 left" in text


def test_what_a_contract_would_move_is_shown_by_month_and_moves_just_that_when_it_is_entered(
    world: World,  # noqa: F811
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    sent = fields("contract", kind="discount", provider=str(world.offering.provider_id), value="25")
    before, entries = spent(world), AuditEntry.objects.count()
    with django_capture_on_commit_callbacks(execute=True) as queued:
        answer = world.admin.post("/contracts/add/contract", sent | {"do": "preview"})
    page = answer.content.decode()
    assert (answer.status_code, queued, Contract.objects.count(), spent(world)) == (200, [], 0, before)
    assert AuditEntry.objects.count() == entries
    assert 'value="25"' in page
    found = previews.preview(
        world.organisation, None,
        lambda: contracts.save(
            world.organisation, "ada", name="Order form", kind="discount", provider=world.offering.provider,
            value=Decimal(25), effective_from=date(2026, 10, 1),
        ),
    )  # fmt: skip
    assert all(formatting.signed_money(one.change, "USD") in unescape(page) for one in found.moves)
    with django_capture_on_commit_callbacks(execute=True):
        assert world.admin.post("/contracts/add/contract", sent).status_code == 302
    assert spent(world) == before + sum(one.change for one in found.moves) < before
    assert not list(checks())


@pytest.mark.parametrize("action", ["change", "end", "remove"])
def test_a_contract_is_previewed_before_it_is_changed_ended_or_removed(
    action: str,
    world: World,  # noqa: F811
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    provider = str(world.offering.provider_id)
    with django_capture_on_commit_callbacks(execute=True):
        world.admin.post("/contracts/add/contract", fields("contract", kind="discount", provider=provider, value="25"))
    periods.close(world.organisation, date(2026, 10, 1), "ada")
    contract, before = Contract.objects.get(), spent(world)
    terms = {"name": "Order form", "currency": "USD", "effective_from": "2026-10-01", "kind": "discount",
             "provider": provider, "value": "50"}  # fmt: skip
    address, form = {
        "change": ("", terms),
        "end": ("/end", {"day": "2026-11-01"}),
        "remove": ("/remove", {}),
    }[action]
    answer = world.admin.post(f"/contracts/contract/{contract.pk}{address}", form | {"do": "preview"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "would move" in page
    assert "November 2026" in page
    contract.refresh_from_db()
    assert (contract.value, contract.effective_until, spent(world)) == (25, None, before)
    assert world.charlie.post(f"/contracts/contract/{contract.pk}{address}", {"do": "preview"}).status_code == 404
