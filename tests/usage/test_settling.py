"""Feeds of one account in the ledger: money once, parts that sum to the whole, whatever came first."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db.models import Q, Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.usage.conftest import ImportFacts
from tests.usage.factories import make_card, make_fact, make_offering, make_organisation, make_project, make_rule
from usage import assignments, contracts, spending
from usage.models import Connection, DailyCost, ModelDailyCost, Organisation, Settlement, UsageRecord
from usage.rollups import MEASURES
from usage.verification import checks

pytestmark = pytest.mark.django_db

DETAIL = {"bill": 1, "usage_api": 2, "gateway": 3, "transcripts": 4}


@pytest.fixture(autouse=True)
def _prices(db):
    make_card(make_offering())


def bill(key: str, usd: str, day: int = 10, **fields):
    return make_fact(
        key, f"2026-03-{day} 00:00", grain="1d", in_uncached=None, in_cache_read=None, in_cache_write=None,
        out_total=None, requests=None, cost_reported=Decimal(usd), currency="USD", cost_kind="billed", **fields,
    )  # fmt: skip


def of(importer: str, feed: ImportFacts, into: Organisation, *facts, **more):
    return feed(list(facts), into=into, importer_slug=importer, detail=DETAIL[importer], **more)


def spent_by(organisation: Organisation, *keys: str) -> dict[object, tuple[str | None, int | None]]:
    """What was spent and how many tokens of output, by project."""
    groups = spending.report(organisation, group_by=["project"], grades=False)["groups"]
    return {group["project"]: (group["spent"], group["out_total"]) for group in groups}


def test_an_account_seen_by_bill_usage_gateway_and_transcripts_is_paid_once(import_facts):
    organisation = make_organisation()
    web, agents = make_project(organisation, "web"), make_project(organisation, "agents")
    make_rule(organisation, [{"field": "path", "op": "prefix", "value": "/agents"}], {agents.pk: "1"})
    make_rule(organisation, [{"field": "ext_team", "op": "equals", "value": "web"}], {web.pk: "1"})
    of("usage_api", import_facts, organisation, make_fact("u", in_uncached=2_000, out_total=200, grain="1d"))
    assert spent_by(organisation) == {None: ("0.002400000000", 200)}
    of(
        "gateway", import_facts, organisation,
        make_fact(
            "g", ext_team="web", in_uncached=2_000, out_total=200, cost_reported=Decimal("0.003"), currency="USD"
        ),
    )  # fmt: skip
    assert spent_by(organisation) == {"web": ("0.003000000000", 200)}
    of("bill", import_facts, organisation, bill("b", "0.004"))
    assert spent_by(organisation) == {"web": ("0.004000000000", 200)}
    of("transcripts", import_facts, organisation, make_fact("t", path="/agents/x", in_uncached=500, out_total=50))
    assert spent_by(organisation) == {"agents": ("0.001000000000", 50), None: ("0.003000000000", 150)}
    total = spending.report(organisation, grades=False)["total"]
    assert (total["spent"], total["reported"], total["list"]) == ("0.004000000000", "0.004000000000", "0.002400000000")
    row = Settlement.objects.get(organisation=organisation)
    assert (row.account, row.money_feed, row.usage_feed, row.detail_feed) == (
        "seller",
        "bill/billed",
        "gateway",
        "transcripts",
    )
    assert UsageRecord.objects.filter(organisation=organisation).count() == 4
    assert not list(checks())


def test_feeds_of_two_accounts_add_up_once_a_person_says_that_they_are_two(import_facts):
    organisation = make_organisation()
    of("usage_api", import_facts, organisation, make_fact("u"))
    of("gateway", import_facts, organisation, make_fact("g"))
    assert spent_by(organisation) == {None: ("0.001200000000", 100)}
    assignments.name_account(Connection.objects.get(organisation=organisation, importer="gateway"), "second")
    assert spent_by(organisation) == {None: ("0.002400000000", 200)}
    assert not Settlement.objects.exists()
    assert not list(checks())


def test_a_rule_that_asks_for_the_account_hears_of_a_new_one(import_facts):
    organisation = make_organisation()
    web = make_project(organisation, "web")
    make_rule(organisation, [{"field": "account", "op": "equals", "value": "second"}], {web.pk: "1"})
    of("gateway", import_facts, organisation, make_fact("g"))
    assert spent_by(organisation) == {None: ("0.001200000000", 100)}
    assignments.name_account(Connection.objects.get(organisation=organisation), "second")
    assert spent_by(organisation) == {"web": ("0.001200000000", 100)}


def test_a_part_does_not_hide_a_whole_that_only_a_contract_prices(import_facts):
    organisation = make_organisation()
    offering = make_offering("unlisted")
    for unit in ("input", "output"):
        contracts.save(
            organisation, "ada", name="Agreed", kind="override", provider=offering.provider, unit=unit,
            value=Decimal(3), currency="USD", effective_from=date(2026, 3, 1),
        )  # fmt: skip
    part = make_fact("g", model="unlisted", in_uncached=500, cost_reported=Decimal("0.001"), currency="USD")
    of("gateway", import_facts, organisation, part)
    of("usage_api", import_facts, organisation, make_fact("u", model="unlisted", in_uncached=900, grain="1d"))
    assert spent_by(organisation) == {None: ("0.003000000000", 100)}
    assert not list(checks())


def test_what_a_subscription_covers_is_nobodys_rival(import_facts):
    organisation = make_organisation()
    of("usage_api", import_facts, organisation, make_fact("u"))
    of("transcripts", import_facts, organisation, make_fact("t", cost_kind="notional"))
    total = spending.report(organisation, grades=False)["total"]
    assert (total["spent"], total["notional"]) == ("0.001200000000", "0.001200000000")
    assert not Settlement.objects.exists()


def test_two_machines_of_one_importer_add_up(import_facts):
    organisation = make_organisation()
    of("transcripts", import_facts, organisation, make_fact("a"), scope="laptop")
    of("transcripts", import_facts, organisation, make_fact("a"), scope="desktop")
    assert spent_by(organisation) == {None: ("0.002400000000", 200)}


facts = st.lists(
    st.tuples(
        st.sampled_from(sorted(DETAIL)), st.integers(0, 5), st.integers(10, 11), st.sampled_from(["/a", "/b", ""]),
        st.integers(0, 3_000), st.sampled_from([None, "0.0001", "0.37"]),
        st.sampled_from(["model-a", "model-a", "", "other"]),
    ),
    min_size=1, max_size=14,
)  # fmt: skip


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=facts, cut=st.integers(0, 14), weight=st.integers(1, 99))
def test_parts_are_the_whole_in_any_order_and_the_rollups_are_the_ledgers(rows, cut, weight, import_facts):
    ahead, behind = make_organisation(), make_organisation()
    made = []
    for organisation, order in ((ahead, rows), (behind, [*rows[cut:], *rows[:cut]])):
        one, two = make_project(organisation), make_project(organisation)
        for n, (importer, key, day, path, tokens, cost, model) in enumerate(order):
            if n == len(order) // 2:
                shares = {one.pk: f"0.{weight:02d}", two.pk: str(1 - Decimal(weight) / 100)}
                make_rule(organisation, [{"field": "path", "op": "prefix", "value": "/a"}], shares)
            name, reported = f"{importer}-{key}-{day}-{model}", {} if cost is None else {"cost_reported": Decimal(cost)}
            fact = (
                bill(name, cost or "0.5", day, path=path, model=model)
                if importer == "bill"
                else make_fact(
                    name,
                    f"2026-03-{day} 10:00",
                    path=path,
                    model=model,
                    out_total=tokens,
                    rank=(tokens,),
                    currency="USD" if cost else "",
                    **reported,
                )
            )
            of(importer, import_facts, organisation, fact)
        for flag in ("counted", "tallied"):
            assert _sums(DailyCost, organisation, flag) == _sums(ModelDailyCost, organisation, flag)
        made.append({flag: _sums(ModelDailyCost, organisation, flag) for flag in ("counted", "tallied")})
        once = _once(organisation)
        assert _sums(ModelDailyCost, organisation, "counted")["spent"] == once
    assert made[0] == made[1]
    assert not list(checks())


def _sums(model, organisation: Organisation, flag: str):
    found = model.objects.filter(Q(**{flag: True}), organisation=organisation)
    return found.aggregate(**{name: Sum(name, default=0) for name in MEASURES})


def _once(organisation: Organisation) -> Decimal:
    """The money of each day: a bill's that names no model, else each model's by the feed that its settlement names."""
    paid: dict[date, dict[str, dict[str, Decimal]]] = {}
    rows = ModelDailyCost.objects.filter(organisation=organisation).values_list(
        "day", "offering__model_id", "model_raw", "connection__importer", "spent"
    )
    for day, known, raw, importer, spent in rows:
        by_feed = paid.setdefault(day, {}).setdefault(f"#{known}" if known else raw, {})
        by_feed[importer] = by_feed.get(importer, Decimal(0)) + spent
    total = Decimal(0)
    for day, models in paid.items():
        if {model for model, by_feed in models.items() if "bill" in by_feed} == {""}:
            total += models[""]["bill"]
            continue
        for model, by_feed in models.items():
            found = Settlement.objects.filter(organisation=organisation, day=day, model_key=model).first()
            assert (found is not None) == (len(by_feed) > 1)
            total += by_feed[found.money_feed.removesuffix("/billed")] if found else sum(by_feed.values())
    return total


def unnamed(key: str, usd: str, **fields):
    return bill(key, usd, model="", **fields)


@pytest.mark.parametrize("first", ["bill", "usage_api"])
def test_a_bill_that_names_no_model_is_not_added_to_the_usage(import_facts, first):
    organisation = make_organisation()
    web = make_project(organisation, "web")
    make_rule(organisation, [{"field": "ext_team", "op": "equals", "value": "web"}], {web.pk: "1"})
    told = {
        "bill": [unnamed("b", "0.004")],
        "usage_api": [make_fact("u", ext_team="web", in_uncached=900, out_total=100), make_fact("v", model="else")],
    }
    for importer in sorted(told, key=lambda name: name != first):
        of(importer, import_facts, organisation, *told[importer])
    answer = spending.report(organisation, grades=False)["total"]
    assert (answer["spent"], answer["list"], answer["requests"]) == ("0.004000000000", "0.001100000000", 2)
    # The other model's tokens (1,000 + 100) are nobody's: so is their part of the money.
    parts = spent_by(organisation)
    assert parts["web"][0] == "0.001904761905"
    assert sum(Decimal(spent) for spent, _ in parts.values()) == Decimal("0.004")
    assert not list(checks())


def test_a_bill_that_names_a_model_keeps_its_searches_and_its_tax(import_facts):
    organisation = make_organisation()
    of("usage_api", import_facts, organisation, make_fact("u"))
    of("bill", import_facts, organisation, bill("b", "0.004"), unnamed("tax", "0.1"), unnamed("searches", "10"))
    total = spending.report(organisation, grades=False)["total"]
    assert (total["spent"], total["list"]) == ("10.104000000000", "0.001200000000")


def test_a_bill_in_one_sum_pays_its_own_day_and_account_only(import_facts):
    organisation = make_organisation()
    other_host = make_fact("w", host="elsewhere", model="m", cost_reported=Decimal(1), currency="USD")
    other_day = make_fact("v", "2026-03-11 10:00")
    of("usage_api", import_facts, organisation, make_fact("u"), other_day, other_host)
    of("bill", import_facts, organisation, unnamed("b", "5"))
    assert spending.report(organisation, grades=False)["total"]["spent"] == "6.001200000000"


def test_a_bill_among_what_one_importer_brings_is_another_feed(import_facts):
    organisation = make_organisation()
    of("gateway", import_facts, organisation, make_fact("log", in_uncached=1_000), scope="log")
    assert spent_by(organisation) == {None: ("0.001200000000", 100)}
    of("gateway", import_facts, organisation, bill("invoice", "0.004"), scope="invoice")
    assert spent_by(organisation) == {None: ("0.004000000000", 100)}
    of("gateway", import_facts, organisation, make_fact("log", in_uncached=1_000), scope="second log")
    assert spent_by(organisation) == {None: ("0.004000000000", 200)}
    of("gateway", import_facts, organisation, bill("invoice", "0.003"), scope="second invoice")
    assert spent_by(organisation) == {None: ("0.007000000000", 200)}
    assert not list(checks())
