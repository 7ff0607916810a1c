"""`/api/v1/rules`: one's own rules only, nobody's change lost, previewed to the last decimal, and on record."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dashboards import access
from dashboards.models import AuditEntry, Person
from dashboards.written_rules import Book
from tests.dashboards.ledger_cast import World, world  # noqa: F401
from tests.usage.factories import make_organisation, make_project, make_rule
from usage import assignments
from usage.models import Assignment, AttributionRule, Connection, DailyCost, ModelDailyCost, Organisation

pytestmark = pytest.mark.django_db
RULES = "/api/v1/rules"
STRAY: dict[str, Any] = {
    "name": "Stray keys",
    "conditions": [{"field": "ext_api_key", "op": "prefix", "value": "k-str"}],
    "outcome": [{"project": "beta"}],
}


class Program:
    """A program with a token of an organisation."""

    def __init__(self, organisation: Organisation, role: str = "admin", **fields: Any) -> None:
        self.secret = access.create_token("terraform", role, organisation=organisation, **fields)[1]

    def asks(self, method: str, path: str, body: Any = None, if_match: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.secret}"} | ({"If-Match": if_match} if if_match else {})
        text = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
        return Client(headers=headers).generic(method, path, text, "application/json")

    def etag(self, path: str = RULES) -> str:
        return str(self.asks("GET", path)["ETag"])


@pytest.fixture
def acme(world: World) -> Program:  # noqa: F811
    return Program(world.organisation)


def names(program: Program) -> list[str]:
    return [rule["name"] for rule in program.asks("GET", RULES).json()["rules"]]


def by_project(organisation: Organisation) -> dict[Any, Decimal]:
    rows = DailyCost.objects.filter(organisation=organisation, counted=True).values("project__slug")
    return {row["project__slug"]: row["n"] for row in rows.annotate(n=Sum("spent")) if row["n"]}


def total(organisation: Organisation) -> Decimal:
    rows = ModelDailyCost.objects.filter(organisation=organisation, counted=True)
    return Decimal(rows.aggregate(n=Sum("spent", default=0))["n"])


# What is answered


def test_a_made_rule_is_answered_as_it_was_written_and_all_usage_attributed(
    world: World,  # noqa: F811
    acme: Program,
) -> None:
    before = by_project(world.organisation)
    answer = acme.asks("POST", RULES, STRAY | {"position": 1, "from": "2026-11-10"})
    assert answer.status_code == 200, answer.content
    made = answer.json()["rule"]
    assert {name: made[name] for name in ("position", "version", "enabled", "from", "until", "outcome")} == {
        "position": 1, "version": 1, "enabled": True, "from": "2026-11-10", "until": None,
        "outcome": [{"project": "beta", "weight": "1"}],
    }  # fmt: skip
    assert acme.asks("GET", f"{RULES}/{made['id']}").json() == made
    assert [rule["position"] for rule in acme.asks("GET", RULES).json()["rules"]] == [1, 2, 3]
    after = by_project(world.organisation)
    assert (after["beta"] - before["beta"], before[None] - after[None]) == (Decimal(8), Decimal(8))


def test_what_a_change_leaves_out_stays(world: World, acme: Program) -> None:  # noqa: F811
    rule = acme.asks("POST", RULES, STRAY | {"until": "2027-01-01"}).json()["rule"]
    path = f"{RULES}/{rule['id']}"
    renamed = acme.asks("PATCH", path, {"name": "Strays"}, acme.etag(path)).json()["rule"]
    assert renamed == rule | {"name": "Strays"}
    off = acme.asks("PATCH", path, {"enabled": False, "until": None}, acme.etag(path)).json()["rule"]
    assert off == renamed | {"enabled": False, "until": None, "version": 2}
    assert by_project(world.organisation)[None] == Decimal(13)
    moved = acme.asks("PATCH", path, {"enabled": True, "position": 1}, acme.etag(path)).json()["rule"]
    assert moved == off | {"enabled": True, "position": 1}
    assert by_project(world.organisation).get(None) is None
    assert names(acme) == ["Strays", "rule", "rule"]


def test_a_removed_rule_leaves_what_it_had_to_the_next(world: World, acme: Program) -> None:  # noqa: F811
    rule = acme.asks("POST", RULES, STRAY | {"position": 1}).json()["rule"]
    gone = acme.asks("DELETE", f"{RULES}/{rule['id']}", if_match=acme.etag(f"{RULES}/{rule['id']}"))
    assert (gone.status_code, gone.json()["rule"], gone.json()["changes"]) == (
        200, rule, [{"change": "removed", "name": "Stray keys"}],
    )  # fmt: skip
    assert acme.asks("GET", f"{RULES}/{rule['id']}").status_code == 404
    assert by_project(world.organisation)[None] == Decimal(13)


def test_a_feed_is_written_by_importer_and_scope(world: World, acme: Program) -> None:  # noqa: F811
    feed = Connection.objects.get(organisation=world.organisation)
    for named, answered in (
        ({"importer": "csv"}, {"importer": "csv"}),
        ({"importer": "csv", "scope": "account"}, {"importer": "csv", "scope": "account"}),
        ({"connection": feed.pk}, {"importer": "csv", "scope": "account"}),
    ):
        sent = STRAY | {"outcome": {"by_tokens_of": named}, "enabled": False}
        assert acme.asks("POST", RULES, sent).json()["rule"]["outcome"] == {"by_tokens_of": answered}


def test_a_persons_token_lists_the_projects_the_person_sees(world: World, acme: Program) -> None:  # noqa: F811
    bea = Person.objects.get(email="bea@acme.example")
    told = Program(world.organisation, "viewer", person=bea).asks("GET", "/api/v1/projects").json()["projects"]
    assert told == [{"slug": "alpha", "name": "Alpha", "archived": False}]
    assert [one["slug"] for one in acme.asks("GET", "/api/v1/projects").json()["projects"]] == ["alpha", "beta"]


# Nothing shows through


def test_another_organisations_rules_and_projects_are_not_there(world: World) -> None:  # noqa: F811
    rule = AttributionRule.objects.filter(organisation=world.organisation).first()
    assert rule is not None
    other = make_organisation("other")
    program, before = Program(other), list(AttributionRule.objects.values())
    path = f"{RULES}/{rule.pk}"
    for method, body in (("GET", None), ("PATCH", {"enabled": False}), ("DELETE", None)):
        assert program.asks(method, path, body, "*").status_code == 404
    refused = program.asks("POST", RULES, STRAY)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "outcome[0].project")
    assert "none yet" in refused.json()["detail"]
    feed = Connection.objects.get(organisation=world.organisation)
    by_tokens = STRAY | {"outcome": {"by_tokens_of": {"connection": feed.pk}}}
    assert program.asks("POST", RULES, by_tokens).status_code == 422
    assert program.asks("PUT", RULES, {"rules": []}, "*").status_code == 200
    assert list(AttributionRule.objects.values()) == before


# Nobody's change is lost


@pytest.mark.parametrize(("method", "body"), [("PATCH", {"name": "Mine"}), ("DELETE", None)])
def test_a_rule_that_somebody_changed_meanwhile_is_not_touched(
    world: World,  # noqa: F811
    acme: Program,
    method: str,
    body: Any,
) -> None:
    rule = AttributionRule.objects.filter(organisation=world.organisation).first()
    assert rule is not None
    path = f"{RULES}/{rule.pk}"
    read = acme.etag(path)
    assert acme.asks(method, path, body).status_code == 428
    assignments.enable_rule(rule, False)
    refused = acme.asks(method, path, body, read)
    assert (refused.status_code, "read it again" in refused.json()["detail"]) == (412, True)
    assert AttributionRule.objects.get(pk=rule.pk).name == "rule"
    assert acme.asks(method, path, body, f"W/{acme.etag(path)}").status_code == 200


def test_the_list_is_set_as_it_was_read_or_not_at_all(world: World, acme: Program) -> None:  # noqa: F811
    read = acme.etag()
    first = AttributionRule.objects.filter(organisation=world.organisation).first()
    assert first is not None
    assignments.move_rule(first, 2)
    assert acme.asks("PUT", RULES, {"rules": []}, read).status_code == 412
    assert acme.asks("PUT", RULES, {"rules": []}).status_code == 428
    assert len(names(acme)) == 2
    assert acme.asks("PUT", RULES, {"rules": []}, acme.etag()).json()["rules"] == []


@pytest.mark.django_db(transaction=True)
def test_of_several_changes_of_one_reading_one_is_made() -> None:
    organisation = make_organisation()
    rule = make_rule(organisation, [], {make_project(organisation).pk: "1"})
    program = Program(organisation)
    path = f"{RULES}/{rule.pk}"
    read, found = program.etag(path), []

    def send(number: int) -> None:
        try:
            found.append(program.asks("PATCH", path, {"name": f"by {number}"}, read).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200, 412, 412, 412]


# What is wrong is said


FIELD, WEIGHT = {"field": "ext_api_key", "op": "equals", "value": "k"}, {"project": "beta", "weight": "0.5"}
WRONG: list[tuple[dict[str, Any], str, str]] = [
    (
        {"conditions": [FIELD, FIELD | {"field": "colour"}]},
        "conditions[1]",
        "'colour' is no field: use one of account,",
    ),
    ({"conditions": [FIELD | {"op": "like"}]}, "conditions[0]", "'like' is no comparison: use one of equals,"),
    ({"conditions": [FIELD | {"op": "in"}]}, "conditions[0]", "“in” needs a list of texts."),
    ({"conditions": [FIELD | {"op": "regex", "value": "(?=a)"}]}, "conditions[0]", "say the same without"),
    (
        {"conditions": [FIELD | {"op": "regex", "value": "("}]},
        "conditions[0]",
        "no regular expression that can be used",
    ),
    ({"outcome": [WEIGHT]}, "outcome", "The weights sum to 0.5: they must sum to exactly 1."),
    ({"outcome": [WEIGHT, WEIGHT]}, "outcome", "Each project stands once"),
    ({"outcome": [{"project": "gamma"}]}, "outcome[0].project", "There is no project “gamma” in Acme: make it first,"),
    ({"outcome": "beta"}, "outcome", "Write a list of projects with weights"),
    ({"outcome": {"by_tokens_of": {"importer": "codex"}}}, "outcome", "its importers are csv."),
    ({"outcome": {"by_tokens_of": {}}}, "outcome", "by_tokens_of names an importer"),
    ({"from": "2026-11-10", "until": "2026-11-10"}, "until", "The rule must end after it begins."),
    ({"name": " "}, "name", "Write a name"),
    ({"name": "a\x00b"}, "name", "It holds a sign that no text has: leave it out."),
    ({"conditions": [FIELD | {"value": "a\x00b"}]}, "conditions.0.value", "It holds a sign that no text has"),
    ({"conditions": [FIELD | {"value": "\ud800"}]}, "conditions.0.value", "It holds a sign that no text has"),
    ({"colour": 1}, "colour", "Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("wrong", "field", "sentence"), WRONG, ids=lambda value: str(value)[:40])
def test_each_way_a_rule_can_be_wrong_is_told_and_changes_nothing(
    world: World,  # noqa: F811
    acme: Program,
    wrong: Mapping[str, Any],
    field: str,
    sentence: str,
) -> None:
    rule = AttributionRule.objects.filter(organisation=world.organisation).first()
    assert rule is not None
    calls = (
        ("POST", RULES, STRAY | wrong, None), ("PATCH", f"{RULES}/{rule.pk}", wrong, "*"),
        ("PUT", RULES, {"rules": [STRAY | wrong]}, "*"),
    )  # fmt: skip
    for method, path, body, if_match in calls:
        answer = acme.asks(method, path, body, if_match)
        assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json"), answer.content
        told = answer.json()
        places = {f"rules[0].{field}", f"rules.0.{field}"} if method == "PUT" else {field}
        assert told["errors"][0]["field"] in places
        assert sentence in told["detail"]
    assert names(acme) == ["rule", "rule"]
    assert not AuditEntry.objects.exists()


def test_a_rule_of_an_earlier_release_can_still_be_switched_off(world: World, acme: Program) -> None:  # noqa: F811
    rule = AttributionRule.objects.filter(organisation=world.organisation).first()
    assert rule is not None
    AttributionRule.objects.filter(pk=rule.pk).update(conditions=[FIELD | {"field": "gone"}])
    answer = acme.asks("PATCH", f"{RULES}/{rule.pk}", {"enabled": False, "name": "old"}, "*")
    assert (answer.status_code, answer.json()["rule"]["version"]) == (200, rule.version)
    assert acme.asks("POST", RULES, STRAY).status_code == 200


# What moves, and what is on record


def test_a_dry_run_says_what_would_move_and_changes_nothing(world: World, acme: Program) -> None:  # noqa: F811
    read, kept = acme.etag(), list(Assignment.objects.order_by("pk").values())
    answer = acme.asks("POST", f"{RULES}?dry_run=true", STRAY | {"position": 1}).json()
    assert (answer["dry_run"], answer["rule"]["id"]) == (True, None)
    assert answer["preview"]["moves"] == [
        {"month": "2026-11", "from": None, "to": "beta", "currency": "USD", "spent": "13", "list": "13", "records": 2}
    ]
    [caught] = answer["preview"]["caught"]
    assert (caught["usage"]["ext_api_key"], caught["usage"]["source"], caught["spent"]) == ("k-stray", "csv", "13")
    assert (acme.etag(), list(Assignment.objects.order_by("pk").values())) == (read, kept)
    assert not AuditEntry.objects.exists()


def test_every_change_is_on_record_under_the_tokens_name(world: World) -> None:  # noqa: F811
    ada = Person.objects.get(email="ada@acme.example")
    program = Program(world.organisation, person=ada)
    rule = program.asks("POST", RULES, STRAY).json()["rule"]
    path = f"{RULES}/{rule['id']}"
    program.asks("PATCH", path, {"outcome": [{"project": "alpha"}]}, "*")
    program.asks("PATCH", path, {"position": 1}, "*")
    program.asks("PATCH", path, {}, "*")
    program.asks("DELETE", path, None, "*")
    entries = AuditEntry.objects.order_by("pk")
    assert {(entry.who, entry.person, entry.organisation) for entry in entries} == {
        ("token terraform of ada@acme.example", ada, world.organisation)
    }
    assert [(entry.action, entry.subject) for entry in entries] == [
        ("made a rule", "Stray keys"), ("changed a rule", "Stray keys"), ("ordered the rules", "Acme"),
        ("removed a rule", "Stray keys"),
    ]  # fmt: skip
    changed, ordered = entries[1], entries[2]
    assert changed.before
    assert changed.after
    assert ordered.after
    assert (changed.before["outcome"][0]["project"], changed.after["outcome"][0]["project"]) == ("beta", "alpha")
    assert ordered.after["order"] == ["Stray keys", "rule", "rule"]


@pytest.mark.parametrize(
    ("role", "scopes", "read", "write"),
    [
        ("viewer", (), 200, 403), ("member", (), 200, 403), ("admin", ("spend:read",), 200, 403),
        ("admin", ("rules:write",), 403, 200), ("admin", (), 200, 200),
    ],
)  # fmt: skip
def test_viewers_read_and_admins_write(
    world: World,  # noqa: F811
    role: str,
    scopes: tuple[str, ...],
    read: int,
    write: int,
) -> None:
    program = Program(world.organisation, role, scopes=scopes)
    assert program.asks("GET", RULES).status_code == read
    for call in (("POST", RULES, STRAY), ("POST", f"{RULES}?dry_run=true", STRAY), ("PUT", RULES, {"rules": []}, "*")):
        assert program.asks(*call).status_code == write


# The list as a whole


written = st.builds(
    lambda name, key, op, shares, since, enabled: {
        "name": name, "enabled": enabled, "outcome": shares, "from": since,
        "conditions": [{"field": "ext_api_key", "op": op, "value": key}],
    },
    st.sampled_from("abcd"), st.sampled_from(["k-alpha", "k-beta", "k-stray", "k-"]),
    st.sampled_from(["equals", "prefix"]),
    st.sampled_from([
        [], [{"project": "alpha"}], [{"project": "beta", "weight": "0.70"}, {"project": "alpha", "weight": "0.3"}],
    ]),
    st.sampled_from([None, "2026-11-11"]), st.booleans(),
)  # fmt: skip
lists = st.lists(written, max_size=4, unique_by=lambda rule: rule["name"])


@hypothesis_settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=lists, second=lists)
def test_a_list_that_is_set_is_what_there_is_moves_what_was_previewed_and_again_changes_nothing(
    world: World,  # noqa: F811
    first: list[dict[str, Any]],
    second: list[dict[str, Any]],
) -> None:
    program, organisation = Program(world.organisation), world.organisation
    whole = total(organisation)
    for rules in (first, second):
        before = by_project(organisation)
        looked = program.asks("PUT", f"{RULES}?dry_run=true", {"rules": rules}, "*").json()
        assert by_project(organisation) == before
        done = program.asks("PUT", RULES, {"rules": rules}, program.etag()).json()
        assert (looked["changes"], done["preview"]) == (done["changes"], None)
        for move in looked["preview"]["moves"]:
            for project, sign in ((move["from"], -1), (move["to"], 1)):
                before[project] = before.get(project, Decimal(0)) + sign * Decimal(move["spent"] or 0)
        after = by_project(organisation)
        assert after == {project: spent for project, spent in before.items() if spent}
        assert sum(after.values()) == whole == total(organisation)
        assert [rule["name"] for rule in done["rules"]] == [rule["name"] for rule in rules]
        again = program.asks("PUT", RULES, {"rules": rules}, "*").json()
        assert (again["changes"], again["rules"]) == ([], done["rules"])
    fresh = _fresh_assignments(organisation)
    assert fresh == _assignments(organisation)


def _assignments(organisation: Organisation) -> list[tuple[Any, ...]]:
    rows = Assignment.objects.filter(organisation=organisation).order_by("dimension_id", "valid_from")
    return list(rows.values_list("dimension_id", "valid_from", "attribution__projects", "attribution__weights"))


def _fresh_assignments(organisation: Organisation) -> list[tuple[Any, ...]]:
    """The map of the same rules saved one by one in the editor's way."""
    for rule in Book(organisation).rules:
        assignments.save_rule(
            organisation, name=rule.name, conditions=rule.conditions, shares=rule.outcome, valid_from=rule.valid_from,
            valid_until=rule.valid_until, enabled=rule.enabled,
        )  # fmt: skip
        assignments.delete_rule(rule)
    return _assignments(organisation)


def test_two_rules_of_one_name_are_refused(acme: Program) -> None:
    answer = acme.asks("PUT", RULES, {"rules": [STRAY, STRAY]}, "*")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "rules[1].name")
