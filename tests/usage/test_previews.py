"""What a preview says is what saving moves, to the last decimal; and looking changes nothing."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing.models import ExchangeRate
from tests.usage.factories import (
    make_card,
    make_fact,
    make_offering,
    make_organisation,
    make_project,
    make_rule,
    make_source,
)
from usage import assignments, periods, previews
from usage.matches import matches
from usage.models import Assignment, AttributionRule, DailyCost, ModelDailyCost, Organisation, UsageDimension
from usage.rollups import MEASURES
from usage.verification import checks

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _prices(db):
    make_card(make_offering())


def path(value: str, op: str = "prefix", **more: Any) -> list[dict[str, Any]]:
    return [{"field": "path", "op": op, "value": value, **more}]


def by_project(organisation: Organisation) -> dict[Any, tuple[Decimal, Decimal, int]]:
    """Spent, list and records by month and project, as the pages count them."""
    found: dict[Any, list[Any]] = defaultdict(lambda: [Decimal(0), Decimal(0), 0])
    for row in DailyCost.objects.filter(organisation=organisation).exclude(cost_kind="notional"):
        key = row.day.replace(day=1), row.project_id
        if row.counted:
            found[key][0] += row.spent
        if row.tallied:
            found[key][1] += row.list_cost
            found[key][2] += row.records
    return {key: tuple(values) for key, values in found.items() if any(values)}


def applied(before: dict[Any, Any], found: previews.Preview) -> dict[Any, Any]:
    after = {key: list(values) for key, values in before.items()}
    for move in found.moves:
        for project, sign in ((move.source, -1), (move.target, 1)):
            sums = after.setdefault((move.month, project), [Decimal(0), Decimal(0), 0])
            for n, value in enumerate((move.spent, move.cost, move.records)):
                sums[n] += sign * value
    return {key: tuple(values) for key, values in after.items() if any(values)}


def totals(organisation: Organisation) -> dict[str, Any]:
    rows = ModelDailyCost.objects.filter(organisation=organisation)
    return rows.aggregate(**{name: Sum(name, default=0) for name in MEASURES})


def test_a_preview_says_what_moves_from_whom_to_whom_and_changes_nothing(import_facts):
    organisation = make_organisation()
    web, shop = make_project(organisation, "web"), make_project(organisation, "shop")
    make_rule(organisation, path("/web"), {web.pk: "1"})
    import_facts(
        [
            make_fact("a", path="/web/1"),
            make_fact("b", path="/shop/1"),
            make_fact("c", "2026-04-01 09:00", path="/web/2"),
        ],
        into=organisation,
    )
    before, kept = by_project(organisation), list(Assignment.objects.values())
    rule = {"name": "all", "conditions": path("/"), "shares": [{"project": shop.pk, "weight": "1"}]}
    last = previews.preview(organisation, lambda: assignments.save_rule(organisation, **rule))
    assert [(m.month, m.source, m.target, m.spent, m.records) for m in last.moves] == [
        (date(2026, 3, 1), None, shop.pk, Decimal("0.0012"), 1)
    ]
    assert [(held.name, held.dimensions) for held in last.held] == [("rule", 2)]
    assert [(one.dimension.path, one.spent) for one in last.caught.dearest] == [("/shop/1", Decimal("0.0012"))]
    first = previews.preview(organisation, lambda: assignments.save_rule(organisation, position=0, **rule))
    assert {(m.month, m.source) for m in first.moves} == {
        (date(2026, 3, 1), web.pk), (date(2026, 3, 1), None), (date(2026, 4, 1), web.pk),
    }  # fmt: skip
    assert (first.dimensions, first.records, first.held, first.caught.dimensions) == (3, 3, [], 3)
    assert (by_project(organisation), list(Assignment.objects.values())) == (before, kept)
    assert AttributionRule.objects.count() == 1


def test_a_preview_says_which_closed_months_become_pending(import_facts):
    organisation = make_organisation()
    shop = make_project(organisation, "shop")
    import_facts([make_fact("a", path="/a"), make_fact("b", "2026-04-02 09:00", path="/a")], into=organisation)
    periods.close(organisation, date(2026, 3, 1), "ann")
    shares = [{"project": shop.pk, "weight": "1"}]
    found = previews.preview(
        organisation, lambda: assignments.save_rule(organisation, name="r", conditions=path("/a"), shares=shares)
    )
    assert found.closed_months == [date(2026, 3, 1)]


rules = st.lists(
    st.tuples(
        st.sampled_from(["/", "/a", "/b", "/c"]), st.sampled_from(["prefix", "equals", "contains"]), st.booleans(),
        st.lists(st.integers(1, 96), min_size=0, max_size=2, unique=True), st.sampled_from([None, date(2026, 3, 11)]),
    ),
    min_size=1, max_size=4,
)  # fmt: skip
facts = st.lists(
    st.tuples(
        st.sampled_from(["bill", "gateway", "transcripts"]), st.integers(0, 6), st.integers(9, 12),
        st.sampled_from(["/a", "/b", "/c", ""]), st.integers(0, 3_000), st.sampled_from([None, "0.0001", "0.37"]),
    ),
    min_size=1, max_size=10,
)  # fmt: skip
DETAIL = {"bill": 1, "gateway": 3, "transcripts": 4}


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=facts, made=rules, place=st.integers(1, 4))
def test_saving_moves_exactly_what_was_previewed_and_no_total(rows, made, place, import_facts):
    organisation, other = make_organisation(), make_organisation()
    projects = [make_project(organisation) for _ in range(3)]
    for mine in (organisation, other):
        for importer, key, day, folder, tokens, cost in rows:
            more = {} if cost is None else {"cost_reported": Decimal(cost), "currency": "USD"}
            name = f"{importer}-{key}-{day}"
            fact = make_fact(name, f"2026-03-{day:02d} 10:00", path=folder, out_total=tokens, rank=(tokens,), **more)
            import_facts([fact], into=mine, importer_slug=importer, detail=DETAIL[importer])
    whole, others = totals(organisation), by_project(other)

    def held(change) -> None:
        before = by_project(organisation)
        found = previews.preview(organisation, change)
        assert by_project(organisation) == before
        change()
        assert by_project(organisation) == applied(before, found)
        assert totals(organisation) == whole

    for folder, op, is_not, cuts, since in made:
        edges = [0, *sorted(cuts), 100]
        weights = [Decimal(b - a) / 100 for a, b in zip(edges, edges[1:], strict=False)]
        shares = [{"project": one.pk, "weight": str(part)} for one, part in zip(projects, weights, strict=False)]
        conditions = path(folder, op, **({"not": True} if is_not else {}))
        held(lambda c=conditions, s=shares, d=since: assignments.save_rule(
            organisation, name="r", conditions=c, shares=s, valid_from=d
        ))  # fmt: skip
    rule = AttributionRule.objects.filter(organisation=organisation).last()
    held(lambda: assignments.move_rule(AttributionRule.objects.get(pk=rule.pk), place))
    held(lambda: assignments.enable_rule(AttributionRule.objects.get(pk=rule.pk), False))
    held(lambda: _deleted(AttributionRule.objects.filter(organisation=organisation).first()))
    assert by_project(other) == others
    assert not list(checks())


def _deleted(rule: AttributionRule) -> None:
    assignments.delete_rule(AttributionRule.objects.get(pk=rule.pk))


def test_a_rule_by_model_follows_what_its_name_means(import_facts):
    organisation = make_organisation()
    shop = make_project(organisation, "shop")
    for field, value in (("model", "model-a"), ("provider", "seller")):
        rule = make_rule(organisation, [{"field": field, "op": "equals", "value": value}], {shop.pk: "1"})
        import_facts([make_fact("a"), make_fact("b", model="nobody-knows")], into=organisation)
        caught = previews.caught_by(organisation, rule)
        assert [one.dimension.model_raw for one in caught.dearest] == ["model-a"]
        assignments.delete_rule(rule)


@pytest.mark.parametrize(
    ("user", "field", "value"),
    [
        ("Ann@Acme.example", "user_domain", "acme.example"),
        ("arn:aws:sts::123456789012:assumed-role/Search/i-0abc", "iam_role", "search"),
        ("arn:aws:iam::123456789012:role/teams/Search", "iam_role", "search"),
    ],
)
def test_a_person_is_known_by_domain_and_role(user, field, value, import_facts):
    organisation = make_organisation()
    rule = make_rule(
        organisation, [{"field": field, "op": "equals", "value": value}], {make_project(organisation).pk: "1"}
    )
    import_facts([make_fact("a", ext_user=user), make_fact("b", ext_user="arn:aws:iam::1:user/x")], into=organisation)
    assert UsageDimension.objects.count() == 2
    caught = previews.caught_by(organisation, rule)
    assert (caught.dimensions, caught.records) == (1, 1)


def test_what_a_rule_catches_is_money_of_one_currency_at_the_rate_of_its_day(import_facts):
    """1 EUR is 2 USD, and 4 from the 12th on; what a yen is nobody knows."""
    organisation = make_organisation(display_currency="EUR")
    shop, source = make_project(organisation, "shop"), make_source("rates")
    for day, usd in ((date(2026, 3, 1), "2"), (date(2026, 3, 12), "4")):
        ExchangeRate.objects.create(currency="EUR", day=day, usd=Decimal(usd), source=source)
    rule = make_rule(organisation, path("/shop"), {shop.pk: "1"})
    billed = {"cost_kind": "billed", "path": "/shop/b"}
    import_facts(
        [
            make_fact("a", path="/shop/a"),
            make_fact("b", "2026-03-12 12:00", path="/shop/a"),
            make_fact("c", cost_reported=Decimal(3), currency="EUR", **billed),
            make_fact("d", cost_reported=Decimal(1000), currency="JPY", **billed),
        ],
        into=organisation,
    )
    caught = previews.caught_by(organisation, rule)
    listed = Decimal("0.0012") / 2 + Decimal("0.0012") / 4
    assert [(one.dimension.path, one.records, one.spent, one.unknown) for one in caught.dearest] == [
        ("/shop/b", 2, 3, 1),
        ("/shop/a", 2, listed, 0),
    ]
    assert (caught.dimensions, caught.records, caught.spent, caught.unknown) == (2, 4, 3 + listed, 1)
    found = matches(organisation, date(2026, 3, 20))[rule.pk]
    assert (found.records, found.spent, found.last) == (4, 3 + listed, date(2026, 3, 12))


def test_what_a_rule_catches_at_no_known_price_is_unknown_and_what_a_seat_pays_is_nothing(import_facts):
    organisation = make_organisation()
    shop = make_project(organisation, "shop")
    import_facts(
        [
            make_fact("a", path="/shop", model="nobody-knows"),
            make_fact("b", path="/shop", model="nobody-knows"),
            make_fact("seat", path="/seat", cost_kind="notional"),
        ],
        into=organisation,
    )
    before = previews.preview(organisation, lambda: make_rule(organisation, path("/shop"), {shop.pk: "1"}))
    assert (before.caught.spent, before.caught.unknown, before.caught.records) == (None, 2, 2)
    assert [(move.spent, move.cost, move.records) for move in before.moves] == [(None, None, 2)]
    rule = make_rule(organisation, path("/seat"), {shop.pk: "1"})
    seat = previews.caught_by(organisation, rule)
    assert (seat.spent, seat.unknown, seat.records) == (0, 0, 1)
    found = matches(organisation, date(2026, 3, 20))
    assert (found[rule.pk].spent, found[rule.pk].unknown) == (0, 0)
    assert (found[None].spent, found[None].unknown, found[None].records) == (None, 2, 2)
