"""A rule by another feed's tokens: the parts of each day are that day's tokens, and sum to the whole."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.usage.factories import make_card, make_fact, make_offering, make_organisation, make_project, make_rule
from usage import assignments, previews
from usage.attribution import RuleFault
from usage.models import DailyCost, ModelDailyCost, Organisation
from usage.rollups import MEASURES
from usage.verification import checks

pytestmark = pytest.mark.django_db
DAYS = st.integers(10, 12)
AZURE = [{"field": "source", "op": "equals", "value": "azure"}]


@pytest.fixture(autouse=True)
def _prices(db):
    make_card(make_offering())
    make_card(make_offering("model-b", "azure"))


def cost(key: str, usd: str, when: str = "2026-03-10 00:00"):
    return make_fact(
        key, when, host="azure", model="model-b", grain="1d", in_uncached=None, in_cache_read=None,
        in_cache_write=None, out_total=None, requests=None, cost_reported=Decimal(usd), currency="USD",
        cost_kind="billed",
    )  # fmt: skip


def call(key: str, team: str, tokens: int, when: str = "2026-03-10 12:00"):
    return make_fact(key, when, ext_team=team, in_uncached=tokens, out_total=0)


def by_tokens(organisation: Organisation, source: dict[str, Any], **more: Any):
    return assignments.save_rule(
        organisation, name="azure", conditions=AZURE, shares={"by_tokens_of": source}, **more
    )  # fmt: skip


def azure_by_project(organisation: Organisation) -> dict[Any, Decimal]:
    rows = DailyCost.objects.filter(organisation=organisation, connection__importer="azure", counted=True)
    return {row["project"]: row["n"] for row in rows.values("project").annotate(n=Sum("spent")) if row["n"]}


def teams(organisation: Organisation):
    found = {name: make_project(organisation, name) for name in ("web", "shop")}
    for name, project in found.items():
        make_rule(organisation, [{"field": "ext_team", "op": "equals", "value": name}], {project.pk: "1"})
    return found["web"], found["shop"]


@pytest.mark.parametrize("rule_first", [True, False])
@pytest.mark.parametrize("cost_first", [True, False])
def test_a_resource_is_split_by_the_tokens_of_the_gateway_on_its_day(rule_first, cost_first, import_facts):
    organisation = make_organisation()
    web, shop = teams(organisation)
    imports = [
        lambda: import_facts(
            [cost("c", "1"), cost("d", "1", "2026-03-11 00:00")], into=organisation, importer_slug="azure"
        ),
        lambda: import_facts(
            [call("a", "web", 200), call("b", "shop", 100), call("c", "", 300)], into=organisation, importer_slug="gw"
        ),
    ]
    imports[not cost_first]()
    if rule_first and not cost_first:
        by_tokens(organisation, {"importer": "gw"})
    imports[cost_first]()
    if not (rule_first and not cost_first):
        by_tokens(organisation, {"importer": "gw"})
    third, sixth = Decimal("0.333333333333"), Decimal("0.166666666667")
    assert azure_by_project(organisation) == {web.pk: third, shop.pk: sixth, None: 2 - third - sixth}
    assert not list(checks())


def test_tokens_that_come_later_move_the_parts_and_a_preview_says_so(import_facts):
    organisation = make_organisation()
    web, shop = teams(organisation)
    import_facts([cost("c", "3")], into=organisation, importer_slug="azure")
    import_facts([call("a", "web", 100)], into=organisation, importer_slug="gw")
    found = previews.preview(organisation, lambda: by_tokens(organisation, {"importer": "gw"}))
    assert [(m.month, m.source, m.target, m.spent) for m in found.moves] == [
        (date(2026, 3, 1), None, web.pk, Decimal(3))
    ]
    by_tokens(organisation, {"importer": "gw"})
    assert azure_by_project(organisation) == {web.pk: 3}
    import_facts([call("b", "shop", 300)], into=organisation, importer_slug="gw")
    assert azure_by_project(organisation) == {web.pk: Decimal("0.75"), shop.pk: Decimal("2.25")}
    rule = make_rule(organisation, [{"field": "ext_team", "op": "equals", "value": "shop"}], {web.pk: "1"}, position=0)
    assert azure_by_project(organisation) == {web.pk: 3}
    assignments.delete_rule(rule)
    assert azure_by_project(organisation) == {web.pk: Decimal("0.75"), shop.pk: Decimal("2.25")}


def test_a_rule_by_its_own_tokens_says_nothing(import_facts):
    organisation = make_organisation()
    teams(organisation)
    import_facts([call("a", "web", 100)], into=organisation, importer_slug="gw")
    assignments.save_rule(
        organisation, name="loop", conditions=[], shares={"by_tokens_of": {"importer": "gw"}}, position=0
    )  # fmt: skip
    rows = DailyCost.objects.filter(organisation=organisation, records__gt=0)
    assert set(rows.values_list("project", flat=True)) == {None}


@pytest.mark.parametrize("source", [{}, {"importer": ""}, {"importer": "nobody"}, {"connection": 10**9}, "gw", None])
def test_a_feed_that_is_not_there_is_refused(source):
    with pytest.raises(RuleFault, match=r"\.$"):
        by_tokens(make_organisation(), source)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    calls=st.lists(st.tuples(st.sampled_from(["web", "shop", ""]), st.integers(0, 999), DAYS), max_size=8),
    costs=st.lists(st.tuples(DAYS, st.integers(1, 10**7)), min_size=1, max_size=4, unique_by=lambda c: c[0]),
    at=st.integers(0, 8),
)
def test_parts_sum_to_the_whole_whenever_the_tokens_come(calls, costs, at, import_facts):
    organisation = make_organisation()
    teams(organisation)
    import_facts(
        [cost(f"c{day}", f"{micro}e-6", f"2026-03-{day} 00:00") for day, micro in costs],
        into=organisation, importer_slug="azure",
    )  # fmt: skip
    facts = [call(f"k{n}", team, tokens, f"2026-03-{day} 10:00") for n, (team, tokens, day) in enumerate(calls)]
    import_facts(facts[:at], into=organisation, importer_slug="gw")
    by_tokens(organisation, {"importer": "gw"})
    import_facts(facts[at:], into=organisation, importer_slug="gw")
    incremental = azure_by_project(organisation)
    for model in (DailyCost, ModelDailyCost):
        counted = model.objects.filter(organisation=organisation, counted=True, connection__importer="azure")
        assert counted.aggregate(n=Sum("spent"))["n"] == sum(Decimal(micro) for _, micro in costs) / 10**6
    sums = {name: Sum(name, default=0) for name in MEASURES}
    totals = [
        model.objects.filter(organisation=organisation).aggregate(**sums) for model in (DailyCost, ModelDailyCost)
    ]
    assert totals[0] == totals[1]
    assignments.reattribute(organisation)
    assert azure_by_project(organisation) == incremental
    assert not list(checks())
