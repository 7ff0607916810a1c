"""The page of contracts: an administrator enters and removes, viewers read, and the audit log has each change."""

from __future__ import annotations

import pytest

from dashboards.models import AuditEntry
from tests.dashboards.ledger_cast import World, world  # noqa: F401
from usage.models import Commitment, Contract, FixedCost

pytestmark = pytest.mark.django_db


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
