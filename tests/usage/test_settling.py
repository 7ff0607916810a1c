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
        "bill",
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
        for n, (importer, key, day, path, tokens, cost) in enumerate(order):
            if n == len(order) // 2:
                shares = {one.pk: f"0.{weight:02d}", two.pk: str(1 - Decimal(weight) / 100)}
                make_rule(organisation, [{"field": "path", "op": "prefix", "value": "/a"}], shares)
            name, reported = f"{importer}-{key}-{day}", {} if cost is None else {"cost_reported": Decimal(cost)}
            fact = (
                bill(name, cost or "0.5", day, path=path)
                if importer == "bill"
                else make_fact(
                    name,
                    f"2026-03-{day} 10:00",
                    path=path,
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
    """The money of each day by the feed that its settlement names, or by the only one there is."""
    rows = ModelDailyCost.objects.filter(organisation=organisation)
    total = Decimal(0)
    for day in rows.values_list("day", flat=True).distinct():
        there = rows.filter(day=day)
        chosen = Settlement.objects.filter(organisation=organisation, day=day).values_list("money_feed", flat=True)
        feeds = set(there.values_list("connection__importer", flat=True))
        assert len(chosen) == (len(feeds) > 1)
        wanted = set(chosen) or feeds
        total += there.filter(connection__importer__in=wanted).aggregate(n=Sum("spent", default=0))["n"]
    return total
