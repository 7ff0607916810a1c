"""When an event was: an instant, or a bucket that stands under the date its sender wrote; and at which tier."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from usage.importers import Fact, events


def read(**fields: Any) -> Fact:
    event = {"id": "e", "at": "2026-10-01T00:00:00Z", "model": "model-a", "input": 1} | fields
    (fact,) = events.parse([json.dumps(event).encode()], "", None)
    assert isinstance(fact, Fact), fact
    return fact


@pytest.mark.parametrize(
    ("grain", "at", "until", "starts", "ends"),
    [
        ("1d", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", "2026-10-25", "2026-10-26"),
        ("1d", "2026-10-25T00:00:00+02:00", None, "2026-10-25", "2026-10-26"),
        ("1d", "2026-10-01T00:00:00-07:00", None, "2026-10-01", "2026-10-02"),
        ("1mo", "2026-10-01T00:00:00+02:00", "2026-11-01T00:00:00+01:00", "2026-10-01", "2026-11-01"),
        ("1mo", "2026-12-01T00:00:00+01:00", None, "2026-12-01", "2027-01-01"),
        ("1h", "2026-10-01T00:00:00+02:00", None, "2026-09-30T22:00", "2026-09-30T23:00"),
        ("1d", "2026-10-01T07:00:00+02:00", None, "2026-10-01T05:00", "2026-10-02T05:00"),
        ("request", "2026-10-01T00:00:00+02:00", None, "2026-09-30T22:00", None),
    ],
)
def test_days_and_months_stand_under_their_local_date_and_all_else_under_its_instant(grain, at, until, starts, ends):
    fact = read(grain=grain, at=at, **({"until": until} if until else {}))
    moments = [text and datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (starts, ends)]
    assert [fact.occurred_at, fact.period_end] == moments
    assert fact.quality == (("local_date",) if "T" not in starts else ())


@pytest.mark.parametrize(("stated", "tier"), [("default", "standard"), ("Batch", "batch"), ("auto", ""), ("x", "x")])
def test_a_service_tier_has_the_catalogues_name(stated: str, tier: str) -> None:
    assert read(service_tier=stated).service_tier == tier
