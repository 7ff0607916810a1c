"""How much money stands on prices that reported selectors chose."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing.models import ExchangeRate, Offering
from tests.usage.conftest import ImportFacts
from tests.usage.factories import at, make_card, make_fact, make_offering, make_organisation, make_project, make_rule
from tests.usage.factories import make_source as source
from usage import periods, spending
from usage.models import Organisation

pytestmark = pytest.mark.django_db


def known(organisation: Organisation, **question: Any) -> tuple[str | None, ...]:
    """The share of all selectors, of the context, the service tier and the region."""
    found = spending.report(organisation, **question)["coverage"]
    return found["known_selectors"], *(found["selectors"][name] for name in ("context", "service_tier", "region"))


def plain(sku: str = "model-a", **fields: Any) -> Offering:
    offering = make_offering(sku)
    make_card(offering, input="1", output="0", **fields)
    return offering


def test_what_could_not_have_been_another_price_is_known(organisation: Organisation, import_facts: ImportFacts) -> None:
    plain()
    import_facts([make_fact("a"), make_fact("b", model="who")])
    assert known(organisation) == ("1.000000",) * 4
    assert known(make_organisation()) == (None,) * 4


def test_a_tier_is_assumed_where_another_is_sold_that_day_and_none_was_reported(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    offering = plain()
    batch = {"service_tier": "batch", "input": "1", "output": "0"}
    make_card(offering, effective_from=at("2026-03-10 23:00"), effective_until=at("2026-03-12"), **batch)
    import_facts([make_fact(day, f"2026-03-{day} 06:00") for day in ("09", "10", "11", "12")])
    assert known(organisation) == ("0.500000", "1.000000", "0.500000", "1.000000")
    import_facts([make_fact(tier, "2026-03-11", service_tier=tier) for tier in ("batch", "standard")])
    assert known(organisation)[0] == "0.666667"


def test_a_context_is_assumed_of_a_bucket_and_known_of_a_request(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(plain(), input="2", output="0", context_from=200_000, context_op=">")
    day = {"grain": "1d", "period_end": at("2026-03-10")}
    import_facts([make_fact("a"), make_fact("b", "2026-03-09 00:00", **day)])
    import_facts([make_fact("c", "2026-03-09 00:00", context_tokens=0, in_uncached=2_000, **day)])
    assert known(organisation) == ("0.750000", "0.750000", "1.000000", "1.000000")


def test_a_region_is_assumed_where_the_sku_is_sold_in_some(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    here = plain()
    Offering.objects.create(provider=here.provider, sku=here.sku, region="eu", model=here.model)
    plain("model-b")
    import_facts([make_fact("a"), make_fact("b", model="model-b", in_uncached=3_000)])
    assert known(organisation) == ("0.750000", "1.000000", "1.000000", "0.750000")


def test_it_follows_the_projects_and_the_filters_of_the_total(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(plain(), service_tier="batch")
    project = make_project(organisation)
    make_rule(organisation, [{"field": "path", "op": "equals", "value": "/"}], {project.pk: "1"})
    import_facts([make_fact("a", path="/"), make_fact("b", service_tier="standard"), make_fact("c", path="/x")])
    assert known(organisation)[0] == "0.333333"
    assert known(organisation, projects=[project.pk])[0] == "0.000000"
    assert known(organisation, filters={"path": ("",)})[0] == "1.000000"
    assert known(organisation, since=date(2026, 4, 1))[0] is None


def test_money_of_another_currency_weighs_what_it_is_worth(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(plain("dollars"), service_tier="batch")
    plain("yuan", currency="CNY")
    ExchangeRate.objects.create(currency="CNY", day=date(2026, 3, 9), usd=Decimal("0.25"), source=source())
    import_facts([make_fact("a", model="dollars"), make_fact("b", model="yuan")])
    assert known(organisation)[0] == "0.200000"


def test_of_a_closed_month_no_more_is_assumed_than_is_official(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(plain(), input="2", output="0", context_from=200_000, context_op=">")
    day = {"grain": "1d", "period_end": at("2026-03-10")}
    import_facts([make_fact("a", "2026-03-09 00:00", **day)])
    periods.close(organisation, date(2026, 3, 1), "ann")
    import_facts([make_fact("b", "2026-03-09 00:00", **day)])
    assert known(organisation)[0] == "0.000000"


FACTS = st.lists(
    st.tuples(
        st.sampled_from(["model-a", "model-b", "who"]),
        st.integers(9, 11),
        st.sampled_from(["", "standard", "batch"]),
        st.sampled_from(["request", "1d", "known"]),
        st.integers(0, 5_000),
        st.sampled_from(["billed", "notional"]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=FACTS, regional=st.booleans(), split=st.booleans())
def test_the_share_is_that_of_the_group_of_known_selectors(
    facts: Any, regional: bool, split: bool, import_facts: ImportFacts
) -> None:
    with transaction.atomic():
        whose = make_organisation()
        offering, other = plain(), plain("model-b")
        make_card(offering, input="2", output="0", context_from=1_000, context_op=">")
        make_card(offering, service_tier="batch", effective_from=at("2026-03-10 12:00"), input="1", output="0")
        make_card(other, service_tier="batch", effective_until=at("2026-03-10"), input="1", output="0")
        if regional:
            Offering.objects.create(provider=other.provider, sku=other.sku, region="eu", model=other.model)
        projects = [make_project(whose).pk, make_project(whose).pk]
        make_rule(whose, [], dict(zip(projects, ("0.3", "0.7"), strict=True)))
        import_facts([_fact(n, *one) for n, one in enumerate(facts)], into=whose)
        question = {"projects": projects[:1]} if split else {}
        answer = spending.report(whose, group_by=("selectors",), **question)
        total = Decimal(answer["total"]["list"] or 0)
        sure = sum(Decimal(one["list"] or 0) for one in answer["groups"] if one["selectors"] == "known")
        wanted = f"{(sure / total).quantize(Decimal('1e-6'), ROUND_HALF_UP):f}" if total else None
        assert answer["coverage"]["known_selectors"] == wanted
        transaction.set_rollback(True)


def _fact(n: int, model: str, day: int, tier: str, grain: str, tokens: int, kind: str) -> Any:
    fields: dict[str, Any] = {"model": model, "service_tier": tier, "in_uncached": tokens, "cost_kind": kind}
    if grain != "request":
        fields |= {"grain": "1d", "period_end": at(f"2026-03-{day + 1:02d}")}
    return make_fact(f"{n}", f"2026-03-{day:02d} 00:00", context_tokens=0 if grain == "known" else None, **fields)
