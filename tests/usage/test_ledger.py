"""What an import leaves in the ledger."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.usage.conftest import ImportFacts
from tests.usage.factories import adds_up, make_card, make_fact, make_offering
from usage.importers import Ignored, Rejected
from usage.models import DailyCost, ModelDailyCost, Organisation, UsageRecord

pytestmark = pytest.mark.django_db


def test_a_request_is_priced_and_rolled_up(organisation: Organisation, import_facts: ImportFacts) -> None:
    card = make_card(make_offering())
    batch = import_facts([make_fact("a")])
    record = UsageRecord.objects.get()
    assert (batch.status, batch.lines, batch.imported, batch.unpriced, batch.unattributed) == ("done", 1, 1, 0, 1)
    assert (record.list_cost, record.rate_card_id) == (Decimal("0.0012"), card.pk)
    rollup = DailyCost.objects.get()
    assert (rollup.project_id, rollup.list_cost, rollup.requests) == (None, Decimal("0.0012"), 1)
    assert ModelDailyCost.objects.get().in_uncached == 1_000


def test_every_line_becomes_one_thing(import_facts: ImportFacts) -> None:
    make_card(make_offering())
    facts = [make_fact("a"), make_fact("a"), Ignored(0, "blank"), Rejected(0, "broken", "{"), make_fact("b")]
    batch = import_facts(facts)
    assert (batch.lines, batch.imported, batch.duplicate) == (5, 2, 1)
    assert (batch.ignored, batch.rejected) == ({"blank": 1}, {"broken": 1})
    assert adds_up(batch)
    assert [(row.line, row.reason, row.raw) for row in batch.rejected_rows.all()] == [(4, "broken", "{")]
