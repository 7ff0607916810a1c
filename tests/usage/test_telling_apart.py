"""Rules by what only a record says: tier, batch, session. Records are told apart where an answer depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.usage.conftest import ImportFacts
from tests.usage.factories import make_card, make_fact, make_offering, make_project, make_rule
from usage import assignments
from usage.attribution import compiled, told_apart
from usage.models import Organisation, UsageDimension, UsageRecord
from usage.previews import preview
from usage.spending import report
from usage.verification import checks

ONE = Decimal("0.0012")
"""A fact of the factory at the prices of the factory."""


def condition(field: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value, **more}


def by_project(organisation: Organisation) -> dict[str | None, int]:
    """Requests by project; sums and promises hold besides."""
    answer = report(organisation, group_by=["project"], grades=False)
    assert not list(checks())
    assert sum(group["requests"] for group in answer["groups"]) == answer["total"]["requests"]
    return {group["project"]: group["requests"] for group in answer["groups"]}


@pytest.mark.parametrize(
    ("asked", "said", "told"),
    [
        (condition("service_tier", "equals", "Batch"), {"service_tier": "batch"}, {"service_tier": "batch"}),
        (condition("service_tier", "equals", "batch"), {"service_tier": "flex"}, {}),
        (condition("service_tier", "equals", "batch", **{"not": True}), {"service_tier": "flex"}, {}),
        (condition("service_tier", "is_empty"), {"service_tier": "flex"}, {"service_tier": "flex"}),
        (condition("is_batch", "equals", "yes"), {"service_tier": "batch"}, {"service_tier": "batch"}),
        (condition("is_batch", "equals", "no"), {"service_tier": "priority"}, {}),
        (condition("session", "prefix", "ci-"), {"session": "ci-7"}, {"session": "ci-7"}),
        (condition("session", "prefix", "ci-"), {"session": "dev", "service_tier": "batch"}, {}),
        (condition("session", "glob", "*"), {"session": "dev"}, {}),
    ],
)
def test_what_a_record_says_tells_it_apart_only_where_a_condition_tells_it_from_none(
    asked: Mapping[str, Any], said: dict[str, str], told: dict[str, str]
) -> None:
    none = {"service_tier": "", "session": ""}
    assert told_apart([compiled(None, 1, [asked], [])], none | said) == none | told


@pytest.mark.django_db
class TestLedger:
    def test_a_key_whose_batches_are_anothers_is_two_in_the_past_and_the_future(
        self, organisation: Organisation, import_facts: ImportFacts
    ) -> None:
        make_card(make_offering())
        nightly = make_project(organisation, "nightly")
        key = {"ext_api_key": "k"}
        import_facts([make_fact("a", **key), make_fact("b", service_tier="batch", **key)])
        rule = make_rule(organisation, [condition("is_batch", "equals", "yes")], {nightly.pk: "1"})
        assert by_project(organisation) == {"nightly": 1, None: 1}
        import_facts([make_fact("c", service_tier="batch", **key), make_fact("d", service_tier="flex", **key)])
        assert by_project(organisation) == {"nightly": 2, None: 2}
        assert UsageDimension.objects.filter(organisation=organisation).count() == 2
        assignments.delete_rule(rule)
        assert by_project(organisation) == {None: 4}
        make_rule(organisation, [condition("service_tier", "equals", "batch")], {nightly.pk: "1"})
        assert by_project(organisation) == {"nightly": 2, None: 2}

    def test_a_session_is_attributed_and_so_is_what_it_does_in_batches(
        self, organisation: Organisation, import_facts: ImportFacts
    ) -> None:
        make_card(make_offering())
        search, nightly = (make_project(organisation, slug) for slug in ("search", "nightly"))
        facts = [
            make_fact(f"r{session}{tier}", session=session, service_tier=tier)
            for session in ("", "ci-1", "ci-2", "dev")
            for tier in ("", "batch")
        ]
        import_facts(facts)
        make_rule(organisation, [condition("session", "prefix", "ci-")], {search.pk: "1"})
        assert by_project(organisation) == {"search": 4, None: 4}
        both = [condition("session", "in", ["ci-2", "dev"]), condition("is_batch", "equals", "yes")]
        make_rule(organisation, both, {nightly.pk: "1"}, position=0)
        assert by_project(organisation) == {"search": 3, "nightly": 2, None: 3}
        assert import_facts(facts).duplicate == len(facts)
        records = UsageRecord.objects.filter(organisation=organisation).select_related("dimension")
        told = {(one.session, one.service_tier): (one.dimension.session, one.dimension.service_tier) for one in records}
        assert {said: kept for said, kept in told.items() if said != kept} == {}

    def test_a_preview_counts_what_it_would_tell_apart_and_tells_nothing_apart(
        self, organisation: Organisation, import_facts: ImportFacts
    ) -> None:
        make_card(make_offering())
        nightly, owner = (make_project(organisation, slug) for slug in ("nightly", "owner"))
        make_rule(organisation, [condition("ext_api_key", "equals", "k")], {owner.pk: "1"})
        tiers = ("", "batch", "batch", "flex")
        import_facts([make_fact(f"{n}", ext_api_key="k", service_tier=tier) for n, tier in enumerate(tiers)])
        shares = [{"project": nightly.pk, "weight": "1"}]
        asked = [condition("service_tier", "equals", "batch")]
        found = preview(
            organisation,
            lambda: assignments.save_rule(organisation, name="n", conditions=asked, shares=shares, position=0),
        )
        (move,) = found.moves
        assert (move.source, move.target, move.month, move.records) == (owner.pk, nightly.pk, date(2026, 3, 1), 2)
        # Batch has no price here, so no money moves.
        assert (found.dimensions, found.records, found.caught.records) == (1, 2, 2)
        assert (move.spent, found.caught.spent, found.caught.unknown) == (None, None, 2)
        assert found.caught.dearest[0].dimension.service_tier == "batch"
        assert by_project(organisation) == {"owner": 4}
        assert UsageDimension.objects.filter(organisation=organisation).count() == 1

    def test_a_part_of_a_key_by_tier_splits_and_sums_exactly(
        self, organisation: Organisation, import_facts: ImportFacts
    ) -> None:
        make_card(make_offering())
        one, two = (make_project(organisation, slug) for slug in ("one", "two"))
        import_facts([make_fact("a"), make_fact("b", service_tier="standard")])
        asked = [condition("service_tier", "equals", "standard")]
        make_rule(organisation, asked, {one.pk: "0.333333333333", two.pk: "0.666666666667"})
        answer = report(organisation, group_by=["project"], grades=False)
        assert sum(Decimal(group["list"]) for group in answer["groups"]) == Decimal(answer["total"]["list"]) == 2 * ONE
        assert by_project(organisation) == {"one": 0, "two": 1, None: 1}
