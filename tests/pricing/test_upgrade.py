"""An upgrade of the catalogue's tables leaves prices as the new release accepts them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pricing import catalog
from pricing.models import Price
from pricing.verification import checks
from tests.upgrading import migrated

pytestmark = pytest.mark.django_db


def test_prices_that_a_release_accepts_otherwise_are_accepted_anew_with_its_migrations() -> None:
    body = [
        {"id": "acme", "name": "Acme", "models": [{"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": 5}}]}
    ]
    catalog.record("genai_prices", json.dumps(body).encode(), observed_at=datetime(2026, 11, 1, tzinfo=UTC))
    Price.objects.update(amount=4)
    on_the_way = {"app_label": "pricing", "name": "0001_initial"}  # the tables are not yet those of the release
    for other in ({"app_label": "usage"}, {"app_label": "pricing", "backwards": True}, on_the_way):
        migrated(**other, newest_of="pricing")
        assert list(checks())
    migrated("pricing", newest_of="pricing")
    assert not list(checks())
    assert Price.objects.get(superseded_at=None).amount == Decimal(5)
