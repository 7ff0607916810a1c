"""A claim has its evidence from the first reading that makes it, in whatever order the readings came in."""

from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest
from django.db import transaction

from pricing import catalog
from pricing.models import Price

pytestmark = pytest.mark.django_db

_RECORDED = Path(__file__).parents[1] / "recorded" / "pricing" / "metergraph" / "prices.yaml"
_RELEASES = {day: datetime(2026, month, number, tzinfo=UTC) for day, month, number in (
    ("2026-09-25", 9, 26), ("2026-10-10", 10, 11), ("2026-10-25", 10, 26)
)}  # fmt: skip


def test_releases_that_say_when_they_were_verified_give_the_same_prices_in_any_order():
    text = _RECORDED.read_text()
    stated = 'pricing_verified_at: "2026-10-25"'
    assert stated in text
    found = set()
    for order in permutations(_RELEASES):
        with transaction.atomic():
            for day in order:
                body = text.replace(stated, f'pricing_verified_at: "{day}"').encode()
                assert catalog.record("metergraph", body, observed_at=_RELEASES[day]).error == ""
            rows = Price.objects.filter(superseded_at=None).values_list(
                "offering__sku", "unit", "amount", "effective_from", "effective_until", "known_from", "claim__url",
                "claim__snapshot__sha256",
            )  # fmt: skip
            found.add(tuple(sorted(map(repr, rows))))
            transaction.set_rollback(True)
    assert len(found) == 1
