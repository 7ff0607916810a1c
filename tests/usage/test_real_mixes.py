"""The mix of a project is what it used of each kind, by tier, and nothing that another project or feed used."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest

from pricing.frontier import Mix
from tests.dashboards.ledger_cast import HEAD, MAPPING, World, world  # noqa: F401
from usage.real_mixes import last_window, real_mix

COLUMNS: Any = MAPPING["columns"]
TIERED = {**MAPPING, "columns": {**COLUMNS, "service_tier": "tier", "cache_read": "cached"}}


def use(world: World, *rows: str) -> None:  # noqa: F811
    world.imported(*rows, scope="tiered", head=f"{HEAD},tier,cached", mapping=TIERED)


def test_it_is_the_tokens_of_the_project_in_the_window_by_kind(world: World) -> None:  # noqa: F811
    found = real_mix(world.alpha, date(2026, 11, 10), date(2026, 11, 13))
    assert found.mix == Mix(D(30_000_000), D(15_000_000))
    assert (found.tokens, found.records) == (45_000_000, 2)
    assert real_mix(world.alpha, date(2026, 11, 10), date(2026, 11, 12)).tokens == 30_000_000  # the end is not in it
    assert real_mix(world.beta, date(2026, 11, 11), date(2026, 11, 12)).tokens == 10_000_000  # unpriced tokens too


def test_batch_is_apart_and_other_tiers_count_as_standard_and_are_told(world: World) -> None:  # noqa: F811
    use(
        world,
        "2026-11-17,alpha,k-alpha,ann,seller,model-a,3000000,1000000,1,,2000000",
        "2026-11-17,alpha,k-alpha,ann,seller,model-a,1000000,500000,1,batch,0",
        "2026-11-17,alpha,k-alpha,ann,seller,model-a,700000,300000,1,priority,0",
    )
    found = real_mix(world.alpha, date(2026, 11, 17), date(2026, 11, 18))
    assert found.mix == Mix(D(1_700_000), D(1_300_000), D(2_000_000), D(0), Mix(D(1_000_000), D(500_000)))
    assert (found.batch_tokens, found.other_tokens, found.tokens) == (1_500_000, 1_000_000, 6_500_000)


def test_what_no_record_tells_is_counted_and_in_no_figure(world: World) -> None:  # noqa: F811
    found = real_mix(world.alpha, date(2026, 11, 10), date(2026, 11, 11))
    assert found.unknown_records.get("in_cache_write") == 1
    assert found.mix is not None
    assert found.mix.cache_write == 0


def test_without_tokens_there_is_no_mix(world: World) -> None:  # noqa: F811
    assert real_mix(world.alpha, date(2024, 1, 1), date(2024, 2, 1)).mix is None


def test_the_last_window_is_thirty_days_and_ends_with_the_last_day_of_usage(world: World) -> None:  # noqa: F811
    assert last_window(world.alpha) == (date(2026, 10, 14), date(2026, 11, 13))
    empty = type(world.beta).objects.create(organisation=world.organisation, slug="empty", name="Empty")
    assert last_window(empty) is None


@pytest.mark.parametrize("part", ["1000000:1000000:2000000+batch:1000000:1000000:0", "3:1:0:2", "3:1:0"])
def test_a_mix_is_written_as_it_is_read(part: str) -> None:
    assert str(Mix.parse(part)) == part
