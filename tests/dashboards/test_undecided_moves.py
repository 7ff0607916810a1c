"""A move that somebody makes before anybody decided on it, and a decision that is taken while advice comes in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dashboards import proposals
from dashboards.models import Person, Proposal
from pricing.models import Score
from tests.dashboards.decision_cast import AT, ON, advice_of, proposed
from tests.dashboards.market_cast import make_price
from tests.usage.conftest import ImportFacts, import_facts
from tests.usage.factories import make_organisation, make_project, make_rule
from tests.usage.market import Buyer, sell
from usage.advice import MONTH, Kind

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


def test_a_weekly_job_that_nobody_decided_on_has_moved_after_three_runs(
    organisation: Any, import_facts: ImportFacts
) -> None:
    project = make_project(organisation, "alpha")
    make_rule(organisation, [{"field": "ext_project", "op": "equals", "value": "alpha"}], {project.pk: "1"})
    sell("now-1", "vendor", "10", "40", rating="1500")
    sell("next-1", "other", "1", "2", rating="1498")
    Score.objects.update(observed_on=date(2026, 1, 2))
    buyer = Buyer(organisation, project, import_facts)
    buyer.use_on([MOVED - timedelta(days=7 * n) for n in range(10, 0, -1)])
    proposals.keep_up(project, MOVED)
    seen = []
    for n in range(3):
        ran = MOVED + timedelta(days=7 * n)
        buyer.use_on([ran], "next-1", "other")
        proposals.keep_up(project, ran + timedelta(days=1))
        seen.append(Proposal.objects.get().state)
    one = Proposal.objects.get()
    assert seen == ["proposed", "proposed", "done"]
    assert one.moved_on == MOVED


def test_a_part_that_somebody_says_has_moved_is_reckoned_though_most_stayed(
    organisation: Any, import_facts: ImportFacts
) -> None:
    """Of batch a fifth may be all that can wait: no half of the work ever moves."""
    project, ann = make_project(organisation, "alpha"), Person.objects.create_user("ann@acme.example")
    make_rule(organisation, [{"field": "ext_project", "op": "equals", "value": "alpha"}], {project.pk: "1"})
    sold = sell("now-1", "vendor", "10", "40", rating="1500")
    make_price(sold, "input", "5", service_tier="batch")
    make_price(sold, "output", "20", service_tier="batch")
    buyer = Buyer(organisation, project, import_facts)
    buyer.use(first=MOVED - timedelta(days=60), days=60)
    proposals.keep_up(project, MOVED)
    [one] = Proposal.objects.all()
    assert one.move.kind is Kind.BATCH
    proposals.done(one, ann)
    Proposal.objects.update(decided_at=datetime.combine(MOVED, time(15), UTC))
    assert proposals.follow(project, MOVED + timedelta(days=1)) == 0, "no work has moved yet"
    each = {"in_uncached": 200_000, "out_total": 20_000, "requests": 100}
    rest = {"in_uncached": 800_000, "out_total": 80_000, "requests": 400}
    buyer.use(first=MOVED, days=32, **rest)
    buyer.use(scope="batches", first=MOVED + timedelta(days=1), days=31, service_tier="batch", **each)
    proposals.keep_up(project, MOVED + timedelta(days=32))
    one.refresh_from_db()
    assert (one.state, one.moved_on) == ("realised", MOVED + timedelta(days=1))
    # Half of 14 USD a day, for a month of all of it, as the promise is.
    assert one.realised_low == one.realised_high == Decimal(7) * MONTH


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
