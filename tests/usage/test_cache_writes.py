"""Cache writes by lifetime: sums of the ledger by what was used and whose it is, as the rollups count tokens."""

from __future__ import annotations

from datetime import date

from tests.usage.conftest import ImportFacts
from tests.usage.factories import make_card, make_fact, make_offering, make_project, make_rule
from usage.cache_writes import by_lifetime
from usage.models import Organisation


def test_writes_are_summed_by_lifetime_tier_and_project_without_notional_ones(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    offering = make_offering()
    make_card(offering)
    alpha = make_project(organisation, "alpha")
    make_rule(organisation, [{"field": "ext_project", "op": "equals", "value": "alpha"}], {alpha.pk: "1"})
    hour, short = {"1h": 40}, {"5m": 30, "1h": 20}
    import_facts([
        make_fact("a", ext_project="alpha", in_cache_write=50, cache_write_by_lifetime=hour),
        make_fact("b", ext_project="alpha", in_cache_write=50, cache_write_by_lifetime=short),
        make_fact("c", in_cache_write=7, cache_write_by_lifetime={"5m": 7}, service_tier="batch"),
        make_fact("d", "2026-04-10 12:00", in_cache_write=9, cache_write_by_lifetime={"5m": 9}),
        make_fact("e", in_cache_write=5, cache_write_by_lifetime={"5m": 5}, cost_kind="notional"),
    ])  # fmt: skip
    rows = by_lifetime(organisation, date(2026, 3, 1), date(2026, 4, 1), [offering.pk])
    told = {(row["project"], row["service_tier"]): (row["cache_write_5m"], row["cache_write_1h"]) for row in rows}
    assert told == {("alpha", ""): (30, 60), (None, "batch"): (7, 0)}
    assert {row["offering_id"] for row in rows} == {offering.pk}
    assert by_lifetime(organisation, date(2026, 3, 1), date(2026, 4, 1), [offering.pk + 1]) == []
    [own] = by_lifetime(organisation, date(2026, 3, 1), date(2026, 4, 1), [offering.pk], [alpha.pk])
    assert own["project"] == "alpha"
