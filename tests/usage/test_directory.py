"""Names of ids with their days: rules by name follow them, and what cannot be read is refused with its line."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from tests.usage.factories import make_card, make_fact, make_offering, make_organisation, make_project, make_rule
from usage import directory
from usage.directory import DirectoryFault, Named
from usage.models import DailyCost, DirectoryEntry
from usage.verification import checks

pytestmark = pytest.mark.django_db


def owners(organisation):
    rows = DailyCost.objects.filter(organisation=organisation, records__gt=0).order_by("day")
    return {row.day.day: row.project_id for row in rows}


def test_a_key_is_whose_its_name_says_on_each_day(import_facts):
    make_card(make_offering())
    organisation = make_organisation()
    web, shop = make_project(organisation), make_project(organisation)
    make_rule(organisation, [{"field": "api_key_name", "op": "prefix", "value": "web"}], {web.pk: "1"})
    make_rule(organisation, [{"field": "api_key_name", "op": "equals", "value": "Shop"}], {shop.pk: "1"})
    import_facts(
        [make_fact(f"k{day}", f"2026-03-{day} 12:00", ext_api_key="key_1") for day in (10, 11, 12)], into=organisation
    )
    assert owners(organisation) == {10: None, 11: None, 12: None}
    lines = "kind,id,name,from,until\napi_key,key_1,web-prod,,\napi_key,key_1,shop,2026-03-11,2026-03-12\n"
    assert directory.put(organisation, directory.read(lines)) == 2
    assert owners(organisation) == {10: web.pk, 11: shop.pk, 12: None}
    assert directory.put(organisation, directory.read(lines)) == 0
    assert owners(organisation) == {10: web.pk, 11: shop.pk, 12: None}
    directory.remove(DirectoryEntry.objects.get(name="shop"))
    assert owners(organisation) == {10: web.pk, 11: None, 12: None}
    assert not list(checks())


def test_names_of_another_organisation_name_nothing_here(import_facts):
    make_card(make_offering())
    organisation, other = make_organisation(), make_organisation()
    make_rule(
        organisation, [{"field": "team_name", "op": "equals", "value": "web"}], {make_project(organisation).pk: "1"}
    )
    import_facts([make_fact("a", ext_team="t1")], into=organisation)
    directory.put(other, [Named("team", "t1", "web")])
    assert owners(organisation) == {10: None}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "first line names the columns"),
        ("kind,id\nuser,1", "first line names the columns"),
        ("kind,id,name\n", "1 to 20,000 lines"),
        ("kind,id,name\nperson,1,Ann", "Line 2: kind is one of"),
        ("kind,id,name\nuser,,Ann", "Line 2: write an id and a name"),
        ("kind,id,name,from\nuser,1,Ann,May", "Line 2: write days"),
        ("kind,id,name,from,until\nuser,1,A,2026-02-01,2026-01-01", "Line 2: the name must end"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text, said):
    with pytest.raises(DirectoryFault, match=said):
        directory.read(text)


def test_the_database_keeps_one_name_a_day_and_days_in_order():
    organisation = make_organisation()
    one = {"organisation": organisation, "kind": "user", "external_id": "1", "name": "Ann"}
    DirectoryEntry.objects.create(**one)
    for wrong in ({}, {"valid_from": date(2026, 2, 1), "valid_until": date(2026, 2, 1)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            DirectoryEntry.objects.create(**one | wrong)
