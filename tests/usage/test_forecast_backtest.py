"""How often the forecast was right on the sample ledger: what docs/budgets.md states."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from statistics import median

import pytest

from usage import sample
from usage.costs import Scope
from usage.forecast import forecast
from usage.models import Organisation
from usage.pacing import period_of

UNTIL = date(2026, 11, 26)
STANDING_ON = (6, 11, 16, 21, 26)
Days = dict[date, Decimal]


def told(spent: Days) -> Iterator[tuple[bool, Decimal, Decimal]]:
    """Of each month that is over, standing on some of its days: whether the interval held, its width and how far the
    middle was off, as shares of what the month came to."""
    months = sorted({day.replace(day=1) for day in spent})
    for since, until in (period_of(month, "month") for month in months if period_of(month, "month")[1] <= UNTIL):
        for day in (since.replace(day=n) for n in STANDING_ON):
            known = {one: cost for one, cost in spent.items() if one < day}
            found = forecast(known, min(spent), day, until) if known else None
            if found is None:
                continue
            ahead = sum((cost for one, cost in spent.items() if day <= one < until), Decimal(0))
            whole = ahead + sum((cost for one, cost in known.items() if one >= since), Decimal(0))
            off = abs(found.middle - ahead) / whole
            yield found.low <= ahead <= found.high, (found.high - found.low) / whole, off


@pytest.mark.django_db
def test_of_the_samples_months_the_interval_holds_nearly_as_many_as_it_says(catalogue: None) -> None:
    sample.load(force=True, until=UNTIL)
    rows = Scope(Organisation.objects.get(is_sample=True)).rollup("project").spent().sums_by("day", "project")
    by_scope: dict[str | None, Days] = defaultdict(lambda: defaultdict(Decimal))
    for row in rows:
        for scope in ("all", row["key_project"]):
            by_scope[scope][row["key_day"]] += row["sum_spent"]
    found = [one for spent in by_scope.values() for one in told(dict(spent))]
    held = sum(inside for inside, *_ in found) / len(found)
    assert len(found) > 300
    assert 0.85 <= held <= 0.95
    assert median(width for _, width, _ in found) < Decimal("0.16")
    assert median(off for *_, off in found) < Decimal("0.03")
