"""What holds whatever comes in: order, chunks and files cannot matter; parts sum to the whole, always."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.usage.conftest import ImportFacts
from tests.usage.factories import (
    adds_up,
    at,
    make_card,
    make_fact,
    make_offering,
    make_organisation,
    make_project,
    make_rule,
)
from usage.importers import Fact
from usage.models import AttributionRule, DailyCost, ModelDailyCost, Organisation
from usage.rollups import MEASURES
from usage.verification import checks

pytestmark = pytest.mark.django_db
Ledger = Callable[[Organisation], list[tuple[object, ...]]]

EDGE = at("2026-04-01 00:00")
# Copies of one key lie within 72 hours, as DESIGN says; some keys straddle the month's edge.
tokens = st.integers(0, 3)
copies = st.builds(
    lambda key, hours, micro, reads, out, rank, path: make_fact(
        f"key-{key}",
        EDGE + timedelta(hours=hours, microseconds=micro) + timedelta(days=(key % 3 - 1) * (5 if key % 3 == 2 else 0)),
        in_cache_read=reads,
        out_total=out,
        rank=(rank,),
        path=path,
    ),
    st.integers(0, 8),
    st.integers(-36, 35),
    st.integers(0, 1),
    tokens,
    tokens,
    st.integers(0, 1),
    st.sampled_from(["/a", "/b", ""]),
)
several = st.lists(copies, min_size=1, max_size=24)
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def totals(organisation: Organisation) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), sum(list_cost), sum(in_uncached), sum(in_cache_read), sum(out_total), sum(requests)"
            " FROM usage_usagerecord WHERE organisation_id = %s",
            [organisation.pk],
        )
        names = ("records", "list_cost", "in_uncached", "in_cache_read", "out_total", "requests")
        return dict(zip(names, (value or 0 for value in cursor.fetchone()), strict=True))


def rolled_up(organisation: Organisation, model: type[DailyCost] | type[ModelDailyCost]) -> dict[str, Any]:
    rows = list(model.objects.filter(organisation=organisation).values(*MEASURES))
    return {name: sum((row[name] for row in rows), Decimal(0)) for name in totals(organisation)}


@quick
@given(facts=several, seed=st.integers(0, 1 << 30), chunk=st.integers(1, 9))
def test_order_chunks_and_files_cannot_matter(
    facts: list[Fact], seed: int, chunk: int, import_facts: ImportFacts, ledger: Ledger
) -> None:
    make_card(make_offering(), effective_from=at("2020-01-01 00:00")) if not _carded() else None
    straight, shuffled = make_organisation(), make_organisation()
    first = import_facts(facts, into=straight)
    order = list(range(len(facts)))
    random.Random(seed).shuffle(order)  # noqa: S311
    middle = seed % (len(order) + 1)
    second = import_facts(facts, into=shuffled, files=[order[:middle], order[middle:]], chunk=chunk)
    assert ledger(straight) == ledger(shuffled) != []
    assert adds_up(first)
    assert adds_up(second)
    assert (first.imported, first.duplicate, first.unpriced, first.unattributed) == (
        second.imported,
        second.duplicate,
        second.unpriced,
        second.unattributed,
    )
    assert not list(checks())


@quick
@given(facts=several, chunk=st.integers(1, 9))
def test_a_second_import_changes_nothing(
    facts: list[Fact], chunk: int, import_facts: ImportFacts, ledger: Ledger
) -> None:
    organisation = make_organisation()
    import_facts(facts, into=organisation)
    before, rollup = ledger(organisation), rolled_up(organisation, DailyCost)
    again = import_facts(list(reversed(facts)), into=organisation, chunk=chunk)
    assert (again.imported, again.updated, again.duplicate) == (0, 0, len(facts))
    assert (ledger(organisation), rolled_up(organisation, DailyCost)) == (before, rollup)


@quick
@given(facts=several, later=several, weight=st.integers(1, 99))
def test_rules_move_usage_and_conserve_every_total(
    facts: list[Fact], later: list[Fact], weight: int, import_facts: ImportFacts
) -> None:
    organisation = make_organisation()
    one, two, three = (make_project(organisation) for _ in range(3))
    if not _carded():
        make_card(make_offering(), input="0.37", output="1.01")
    import_facts(facts, into=organisation)
    shares = {one.pk: f"0.{weight:02d}", two.pk: str(1 - Decimal(weight) / 100)}
    if weight > 50:
        shares = {one.pk: "0.333333333333", two.pk: "0.333333333333", three.pk: "0.333333333334"}
    rule = make_rule(
        organisation,
        [{"field": "path", "op": "prefix", "value": "/a"}],
        shares,
        valid_from=EDGE.date() if weight % 2 else None,
    )
    import_facts(later, into=organisation)
    make_rule(organisation, [{"field": "path", "op": "is_empty"}], {two.pk: "1"})
    expected = totals(organisation)
    assert rolled_up(organisation, DailyCost) == expected == rolled_up(organisation, ModelDailyCost)
    assert not list(checks())
    AttributionRule.objects.filter(pk=rule.pk).update(enabled=False)
    make_rule(organisation, [], {three.pk: "1"})
    assert rolled_up(organisation, DailyCost) == expected
    assert not list(checks())


def _carded() -> bool:
    from pricing.models import RateCard

    return RateCard.objects.exists()
