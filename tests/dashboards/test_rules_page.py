"""The pages of rules: what each catches, a preview before anything moves, what is kept of every change."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from dashboards import access
from dashboards.models import AuditEntry, Person
from dashboards.pages import rules as pages
from tests.dashboards.ledger_cast import World, client_of, world  # noqa: F401
from usage.attribution import RuleFault
from usage.models import AttributionRule, DailyCost, DirectoryEntry, ModelDailyCost, Project

pytestmark = pytest.mark.django_db


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def form(world: World, **more: str) -> dict[str, str]:  # noqa: F811
    return {
        "name": "Stray keys", "field-0": "ext_api_key", "op-0": "prefix", "value-0": "k-str",
        "project-0": str(world.beta.pk), "do": "preview", "enabled": "yes",
    } | more  # fmt: skip


def seen(answer: Any) -> str:
    found = re.search(r'name="seen" value="(\w+)"', answer.content.decode())
    assert found
    return found[1]


def spent_of(project: Project | None) -> Decimal:
    rows = DailyCost.objects.filter(project=project, counted=True)
    return rows.aggregate(n=Sum("spent", default=0))["n"]


def saved(world: World, **more: str) -> AttributionRule:  # noqa: F811
    shown = world.admin.post("/rules/new", form(world, **more))
    answer = world.admin.post("/rules/new", form(world, **more) | {"do": "save", "seen": seen(shown)})
    assert (answer.status_code, answer["Location"]) == (302, "/rules")
    return AttributionRule.objects.get(name=more.get("name", "Stray keys"))


def test_the_list_says_what_each_rule_catches_and_what_none_does(world: World) -> None:  # noqa: F811
    page = text(world.admin.get("/rules"))
    assert "2 rules decide whose usage is whose; $13.00 of the last 30 days no project has." in page
    assert "rule project or workspace is alpha" in page.replace("→", "")
    assert "No rule what none of them decides Unattributed $13.00" in page
    saved(world, name="Nothing", **{"value-0": "nobody"})
    assert "never matched" in text(world.admin.get("/rules"))


def test_a_rule_is_previewed_then_saved_and_both_are_the_same_money(world: World) -> None:  # noqa: F811
    whole, beta = ModelDailyCost.objects.aggregate(n=Sum("spent"))["n"], spent_of(world.beta)
    shown = world.admin.post("/rules/new", form(world))
    page = text(shown)
    assert "2 records of 1 combination change hands. No total moves." in page
    assert "Nov 2026 Unattributed Beta $13.00 $13.00 2" in page
    assert "It would catch 1 combination, 2 records, $13.00" in page
    assert (spent_of(world.beta), AttributionRule.objects.count()) == (beta, 2)
    saved(world)
    assert spent_of(world.beta) == beta + 13
    assert ModelDailyCost.objects.aggregate(n=Sum("spent"))["n"] == whole
    entry = AuditEntry.objects.get(action="made a rule")
    assert entry.after is not None
    assert (entry.before, entry.after["conditions"][0]["value"]) == (None, "k-str")


def test_a_form_changed_after_its_preview_is_previewed_again(world: World) -> None:  # noqa: F811
    shown = world.admin.post("/rules/new", form(world))
    answer = world.admin.post("/rules/new", form(world, **{"value-0": "k"}) | {"do": "save", "seen": seen(shown)})
    assert (answer.status_code, AttributionRule.objects.count()) == (200, 2)
    assert "What saving would move" in text(answer)


def test_a_rule_is_changed_moved_switched_off_and_removed_with_what_it_was(world: World) -> None:  # noqa: F811
    rule = saved(world)
    half = form(world, **{"percent-0": "70", "project-1": str(world.alpha.pk), "percent-1": "30", "place": "1"})
    shown = world.admin.post(f"/rules/{rule.pk}", half)
    assert "Beta Alpha $3.90" in text(shown)
    world.admin.post(f"/rules/{rule.pk}", half | {"do": "save", "seen": seen(shown)})
    rule.refresh_from_db()
    assert (rule.position, [one["weight"] for one in rule.outcome]) == (1, ["0.7", "0.3"])
    changed = AuditEntry.objects.get(action="changed a rule")
    assert changed.before is not None and changed.after is not None  # noqa: PT018
    assert (changed.before["outcome"][0]["weight"], changed.after["outcome"][0]["weight"]) == ("1", "0.7")
    world.admin.post(f"/rules/{rule.pk}/move", {"to": "down"})
    assert list(AttributionRule.objects.values_list("pk", flat=True)).index(rule.pk) == 1
    world.admin.post(f"/rules/{rule.pk}/enable", {"enabled": "no"})
    assert spent_of(None) == 13
    world.admin.post(f"/rules/{rule.pk}/enable", {"enabled": "yes"})
    shown = world.admin.post(f"/rules/{rule.pk}", half | {"do": "preview-remove"})
    assert "What removing it would move" in text(shown)
    assert AttributionRule.objects.filter(pk=rule.pk).exists()
    world.admin.post(f"/rules/{rule.pk}", half | {"do": "remove"})
    assert not AttributionRule.objects.filter(pk=rule.pk).exists()
    assert (spent_of(None), AuditEntry.objects.get(action="removed a rule").after) == (13, None)


def test_a_rule_that_cannot_go_further_up_is_logged_where_it_stays(world: World) -> None:  # noqa: F811
    first = AttributionRule.objects.all()[0]
    world.admin.post(f"/rules/{first.pk}/move", {"to": "up"})
    entry = AuditEntry.objects.get(action="moved a rule")
    assert (entry.before, entry.after) == ({"place": 1}, {"place": 1})


def test_the_editor_is_filled_in_by_its_address_and_makes_projects(world: World) -> None:  # noqa: F811
    page = world.admin.get("/rules/new?field=ext_api_key&value=k-stray").content.decode()
    assert re.search(r'value="ext_api_key" selected', page)
    assert 'value="k-stray"' in page
    answer = world.admin.post("/rules/new", form(world) | {"project-0": "", "new_project": "Gamma", "do": "project"})
    gamma = Project.objects.get(name="Gamma")
    assert f'<option value="{gamma.pk}" selected>' in answer.content.decode()
    assert AuditEntry.objects.filter(action="made a project").count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "Write a name"),
        ({"value-0": ""}, "Write what the API key is compared with"),
        ({"op-0": "regex", "value-0": "("}, "no regular expression"),
        ({"percent-0": "70"}, "sum to exactly 100"),
        ({"percent-0": "much"}, "in percent"),
        ({"from": "someday"}, "From needs a day"),
        ({"from": "2026-02-01", "until": "2026-01-01"}, "must end after it begins"),
        ({"project-0": "999999"}, "that this organisation does not have"),
        ({"project-0": "alpha", "percent-0": ""}, "Choose projects of the list"),
        ({"field-0": "nothing"}, "is no field"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(world: World, wrong: dict[str, str], said: str) -> None:  # noqa: F811
    answer = world.admin.post("/rules/new", form(world, **wrong))
    assert answer.status_code == 422
    assert said in text(answer)
    assert AttributionRule.objects.count() == 2


def test_viewers_read_rules_and_change_none(world: World) -> None:  # noqa: F811
    vic = Person.objects.create_user("vic@acme.example")
    access.grant(vic, "viewer", world.organisation)
    client, rule = client_of(vic), AttributionRule.objects.first()
    assert "Save" not in text(client.get("/rules"))
    assert "Preview" not in text(client.get(f"/rules/{rule.pk}"))
    assert client.post(f"/rules/{rule.pk}", form(world) | {"do": "remove"}).status_code == 404
    assert client.post(f"/rules/{rule.pk}/move", {"to": "up"}).status_code == 404


def test_a_rule_in_the_form_is_the_rule_that_was_saved() -> None:
    draft = pages.Draft(
        "n",
        (
            pages.ConditionRow("tag:team", "not in", "a, b"),
            pages.ConditionRow("path", "is_empty"),
        ),
        (pages.ShareRow("1", "33.5"), pages.ShareRow("2", "66.5")),
    )
    asked = pages.read(draft)
    assert asked.conditions == [
        {"field": "tag:team", "op": "in", "value": ["a", "b"], "not": True},
        {"field": "path", "op": "is_empty"},
    ]
    rule = AttributionRule(name="n", conditions=asked.conditions, outcome=asked.shares)
    assert pages.read(pages.draft_from(rule, 1)).conditions == asked.conditions
    assert pages.condition_words(asked.conditions) == ["tag team is none of a, b", "folder is empty"]
    with pytest.raises(RuleFault):
        pages.read(pages.Draft(""))


@pytest.mark.parametrize("words", [["Doe, Jane", "ann"], ['say "hi"', "b"], ['"', ","], ["a", "b"]])
def test_a_list_whose_words_hold_commas_or_quotes_is_the_same_after_the_form(words: list[str]) -> None:
    condition = {"field": "ext_user", "op": "in", "value": words}
    rule = AttributionRule(name="n", conditions=[condition], outcome=[])
    assert pages.read(pages.draft_from(rule, 1)).conditions == [condition]


def test_names_are_taken_in_and_rules_ask_by_them(world: World) -> None:  # noqa: F811
    saved(world, **{"field-0": "api_key_name", "op-0": "equals", "value-0": "Search"})
    assert spent_of(None) == 13
    answer = world.admin.post("/rules/names", {"table": "kind,id,name\napi_key,k-stray,search"})
    assert answer.status_code == 302
    assert spent_of(None) == 0
    assert "k-stray" in text(world.admin.get("/rules/names?q=sear"))
    number = DirectoryEntry.objects.get().pk
    world.admin.post(f"/rules/names/{number}/remove")
    assert spent_of(None) == 13
    actions = AuditEntry.objects.filter(action__contains="name").values_list("action", flat=True)
    assert sorted(actions) == ["changed names of ids", "removed a name of an id"]
    wrong = world.admin.post("/rules/names", {"table": "kind,id\n"})
    assert (wrong.status_code, "names the columns" in text(wrong)) == (422, True)


def test_projects_are_made_changed_and_archived_with_what_they_were(world: World) -> None:  # noqa: F811
    world.admin.post("/settings/projects", {"name": "Alpha", "owner": "ann@acme.example", "cost_centre": "42"})
    made = Project.objects.get(owner="ann@acme.example")
    assert (made.slug, made.cost_centre) == ("alpha-2", "42")
    world.admin.post(f"/settings/projects/{made.pk}", {"name": "Gamma", "do": "save"})
    world.admin.post(f"/settings/projects/{made.pk}", {"do": "archive"})
    made.refresh_from_db()
    assert (made.name, made.slug, made.owner) == ("Gamma", "alpha-2", "")
    assert made.archived_at is not None
    assert ">Gamma</option>" not in world.admin.get("/rules/new").content.decode()
    assert "Gamma" in text(world.admin.get("/settings/projects"))
    world.admin.post(f"/settings/projects/{made.pk}", {"do": "restore"})
    assert ">Gamma</option>" in world.admin.get("/rules/new").content.decode()
    for wrong in ({"name": ""}, {"name": "x", "owner": "nobody"}):
        assert world.admin.post("/settings/projects", wrong).status_code == 422
    assert AuditEntry.objects.filter(action="changed a project").count() == 3
