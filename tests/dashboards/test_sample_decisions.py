"""The sample workspace decided something: a promise whose end is known, and one that is still to be made."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.db.models import Sum

from dashboards import first_look
from dashboards.models import Proposal
from usage import sample
from usage.advice import MONTH, Kind
from usage.models import Project, UsageRecord

TODAY = date(2026, 11, 26)
NOW = datetime(2026, 11, 26, 6, tzinfo=UTC)


@pytest.mark.django_db
def test_a_first_look_finds_a_promise_that_was_kept_and_one_to_be_made(catalogue: None) -> None:
    sample.load(force=True, until=TODAY)
    first_look.prepare(NOW)
    kept = Proposal.objects.get(state="realised")
    assert (kept.project.slug, kept.move.kind, kept.move.candidate.provider) == (
        "policy-search", Kind.SELLER, "zhipuai",
    )  # fmt: skip
    assert (kept.decided_at, kept.due) == (datetime(2026, 10, 15, 5, tzinfo=UTC), date(2026, 10, 31))
    assert kept.until <= date(2026, 10, 15), "it was promised of what was used by then"
    assert all(line.current_cost and line.candidate_cost for line in kept.move.lines)
    assert kept.moved_on is not None
    assert date(2026, 10, 19) < kept.moved_on <= date(2026, 10, 26), "the ledger shows the move"
    assert kept.realised_low is not None
    assert abs(kept.realised_low / kept.saving_low - 1) < D("0.1")
    assert abs(kept.realised_low - saved_a_month(kept)) < D("1e-8")

    accepted = Proposal.objects.get(state="accepted")
    assert accepted.project.slug == "support-assistant"
    assert (accepted.owner, accepted.due) == ("service@larkfield.example", date(2026, 12, 10))
    assert accepted.saving_low > 0
    assert not accepted.is_overdue(TODAY)
    before = list(Proposal.objects.order_by("pk").values())
    first_look.prepare(NOW + timedelta(hours=1))
    assert list(Proposal.objects.order_by("pk").values()) == before


def saved_a_month(kept: Proposal) -> D:
    """What the records of the new side say: their requests at what one cost before, less what they cost, a month of
    the window's requests. Prices were the same all along, nothing was cached, and the new side had no work of its own.
    """
    project = Project.objects.get(pk=kept.project_id)
    rows = UsageRecord.objects.filter(organisation=project.organisation, dimension__ext_project="policy-search")

    def of(offering: int, since: date, until: date) -> tuple[int, D]:
        days = rows.filter(offering=offering, occurred_at__date__gte=since, occurred_at__date__lt=until)
        found = days.aggregate(requests=Sum("requests"), spent=Sum("list_cost"))
        return found["requests"], found["spent"]

    requests, spent = of(kept.move.current.offering_id, kept.since, kept.until)
    moved, cost = of(kept.move.candidate.offering_id, kept.moved_on or TODAY, TODAY)
    once = spent / requests
    return (moved * once - cost) / moved * requests * MONTH / (kept.until - kept.since).days
