"""A move that somebody makes before anybody decided on it, and a decision that is taken while advice comes in."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dashboards import proposals
from dashboards.models import Person, Proposal
from pricing.models import Score
from tests.dashboards.decision_cast import AT, ON, advice_of, proposed
from tests.usage.conftest import ImportFacts, import_facts
from tests.usage.factories import make_organisation, make_project, make_rule
from tests.usage.market import Buyer, sell

__all__ = ["import_facts"]
pytestmark = pytest.mark.django_db
MOVED = date(2026, 7, 31)


@pytest.fixture
def organisation(db: None) -> Any:
    return make_organisation()


def test_a_move_nobody_decided_on_is_seen_after_three_days(organisation: Any, import_facts: ImportFacts) -> None:
    project = make_project(organisation, "alpha")
    make_rule(organisation, [{"field": "ext_project", "op": "equals", "value": "alpha"}], {project.pk: "1"})
    sell("now-1", "vendor", "10", "40", rating="1500")
    sell("next-1", "other", "1", "2", rating="1498")
    Score.objects.update(observed_on=date(2026, 1, 2))
    buyer = Buyer(organisation, project, import_facts)
    buyer.use(first=MOVED - timedelta(days=60), days=60)
    proposals.keep_up(project, MOVED)
    for n in range(3):
        buyer.use("next-1", "other", first=MOVED + timedelta(days=n), days=1)
        proposals.keep_up(project, MOVED + timedelta(days=n + 1))
    one = Proposal.objects.get()
    assert (one.state, one.moved_on) == ("done", MOVED)
    assert one.realised_low == one.realised_high == Decimal("389.6")


def test_what_is_accepted_while_advice_comes_in_does_not_lapse(organisation: Any, monkeypatch: Any) -> None:
    project, ann = make_project(organisation, "alpha"), Person.objects.create_user("ann@acme.example")
    [one] = proposed(project)
    real = proposals.chosen

    def slowly(*found: Any) -> Any:
        made = real(*found)
        proposals.accept(Proposal.objects.get(pk=one.pk), ann, "", None)
        return made

    monkeypatch.setattr(proposals, "chosen", slowly)
    proposals.take(project, advice_of(on=ON + timedelta(days=1)), AT)
    assert Proposal.objects.get(pk=one.pk).state == "accepted"
