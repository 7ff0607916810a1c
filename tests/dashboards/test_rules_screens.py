"""The rules in a browser: pictures of the list, the editor and a preview, and a rule saved by hand."""

from datetime import date

import pytest
from playwright.sync_api import expect

from dashboards.models import Person
from tests.dashboards.browser import VARIANTS, Look, axe_faults, look, picture, sideways  # noqa: F401
from tests.dashboards.ledger_cast import World, world  # noqa: F401
from usage import directory
from usage.directory import Named
from usage.models import AttributionRule


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_rules_are_sound_and_a_rule_is_saved_after_its_preview(look: Look, world: World) -> None:  # noqa: F811
    look.signed_in_as(Person.objects.get(email="ada@acme.example"))
    look.at("/rules", "rules-few")
    look.at(f"/rules/{AttributionRule.objects.order_by('position')[0].pk}", "rule-caught")
    directory.put(world.organisation, [Named("api_key", "k-stray", "search-prod", date(2026, 9, 1))])
    look.at("/rules/names", "names")
    look.at("/settings/projects", "settings-projects")
    for width, scheme in VARIANTS:
        page, faults = look.page(width, scheme)
        page.goto(look.origin + "/rules/new?field=ext_api_key&value=k-stray&name=Stray+keys")
        page.get_by_label("Project 1", exact=True).select_option(label="Beta")
        page.get_by_role("button", name="Preview what moves").click()
        expect(page.get_by_role("heading", name="What saving would move")).to_be_visible()
        picture(page, f"rule-preview-{width}-{scheme}")
        assert [*faults.said, *axe_faults(page), *sideways(page)] == []
        page.context.close()
    page, _ = look.page()
    page.goto(look.origin + "/rules/new?field=ext_api_key&value=k-stray&name=Stray+keys")
    page.get_by_role("button", name="Preview what moves").click()
    page.get_by_role("button", name="Save the rule").click()
    expect(page.get_by_text("“Stray keys” is saved")).to_be_visible()
    assert AttributionRule.objects.count() == 3
