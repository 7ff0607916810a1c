"""`rules list|apply`: the rules are what the file says, once, and a bad file changes nothing."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from dashboards.models import AuditEntry
from tests.dashboards.ledger_cast import World, world  # noqa: F401
from usage import assignments
from usage.models import AttributionRule, Connection

pytestmark = pytest.mark.django_db
ALPHA: dict[str, Any] = {
    "name": "Alpha",
    "conditions": [{"field": "ext_project", "op": "equals", "value": "alpha"}],
    "outcome": [{"project": "alpha", "weight": "1"}],
}
STRAY: dict[str, Any] = {
    "name": "Stray keys",
    "conditions": [{"field": "ext_api_key", "op": "in", "value": ["k-stray"], "not": False}],
    "outcome": [{"project": "beta", "weight": "0.5"}, {"project": "alpha", "weight": "0.50"}],
}


def said(*args: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("rules", *args, stdout=out, **options)
    return out.getvalue().strip()


def answered(*args: str, **options: Any) -> Any:
    return json.loads(said(*args, "--json", **options))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rules.json"


def applied(file: Path, rules: Any, *options: str) -> Any:
    file.write_text(json.dumps({"rules": rules} if isinstance(rules, list) else rules))
    return answered("apply", f"--file={file}", *options)


def test_what_is_listed_can_be_applied_and_changes_nothing(world: World, file: Path) -> None:  # noqa: F811
    scope = Connection.objects.get(organisation=world.organisation).scope
    rest = {"name": "Rest", "conditions": [], "outcome": {"by_tokens_of": {"importer": "csv", "scope": scope}}}
    applied(file, [ALPHA | {"from": "2026-01-01", "until": "2027-01-01"}, STRAY | {"enabled": False}, rest])
    found, kept = answered("list"), list(AttributionRule.objects.values())
    assert [rule.get("enabled") for rule in found["rules"]] == [None, False, None]
    again = applied(file, found, f"--if-match={found['etag']}")
    assert (again["changes"], again["etag"], again["preview"]) == ([], found["etag"], None)
    assert list(AttributionRule.objects.values()) == kept
    assert said("apply", f"--file={file}") == "Nothing to change: the 3 rules are as the file has them."


def test_the_rules_become_what_the_file_says_and_each_change_is_on_record(
    world: World,  # noqa: F811
    file: Path,
) -> None:
    applied(file, [ALPHA, STRAY])
    before = AttributionRule.objects.get(name="Alpha")
    seen = AuditEntry.objects.count()
    done = applied(file, [STRAY | {"outcome": []}, ALPHA, {**ALPHA, "name": "New"}])
    assert [(one["change"], one["name"]) for one in done["changes"]] == [
        ("made", "New"), ("changed", "Stray keys"), ("ordered", ""),
    ]  # fmt: skip
    rules = AttributionRule.objects.filter(organisation=world.organisation)
    assert [(rule.name, rule.position, rule.version) for rule in rules] == [
        ("Stray keys", 1, 2), ("Alpha", 2, 1), ("New", 3, 1),
    ]  # fmt: skip
    assert AttributionRule.objects.get(name="Alpha").pk == before.pk
    log = AuditEntry.objects.order_by("pk")[seen:]
    assert [(entry.who, entry.action) for entry in log] == [
        ("command line", "made a rule"), ("command line", "changed a rule"), ("command line", "ordered the rules"),
    ]  # fmt: skip


def test_a_dry_run_tells_what_would_change_and_move(world: World, file: Path) -> None:  # noqa: F811
    file.write_text(json.dumps({"rules": [STRAY | {"name": "Halves"}]}))
    kept = list(AttributionRule.objects.values())
    told = said("apply", f"--file={file}", "--dry-run").splitlines()
    assert told[:3] == ["rule: would be removed", "rule: would be removed", "Halves: would be made"]
    assert told[3:5] == [
        "  2026-11 alpha → unattributed: 100 USD spent, list 100, 3 records",
        "  2026-11 beta → unattributed: 30 USD spent, list 30, 2 records",
    ]
    assert (list(AttributionRule.objects.values()), AuditEntry.objects.count()) == (kept, 0)


def test_what_somebody_changed_meanwhile_is_not_lost(world: World, file: Path) -> None:  # noqa: F811
    looked = applied(file, [STRAY], "--dry-run")
    assignments.enable_rule(AttributionRule.objects.earliest("pk"), False)
    with pytest.raises(CommandError, match="run it with --dry-run again") as refused:
        applied(file, [STRAY], f"--if-match={looked['etag']}")
    assert refused.value.returncode == 1
    assert AttributionRule.objects.filter(name="rule").count() == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not JSON: write what `rules list --json` prints."),
        ("{}", "rules: Field required"),
        (json.dumps({"rules": [ALPHA, STRAY | {"colour": 1}]}), "rules.1.colour: Extra inputs"),
        (json.dumps({"rules": [ALPHA, STRAY | {"outcome": [{"project": "gamma"}]}]}),
         "rules[1].outcome[0].project: There is no project “gamma” in Acme: make it first, or write one of"),
        (json.dumps({"rules": [ALPHA, ALPHA]}), "rules[1].name: Two rules are called “Alpha”"),
    ],
    ids=["no json", "no rules", "unknown field", "unknown project", "one name twice"],
)  # fmt: skip
def test_a_bad_file_changes_nothing_and_is_told(
    world: World,  # noqa: F811
    file: Path,
    content: str,
    sentence: str,
) -> None:
    kept = list(AttributionRule.objects.values())
    file.write_text(content)
    with pytest.raises(CommandError) as refused:
        said("apply", f"--file={file}")
    assert (refused.value.returncode, sentence in str(refused.value)) == (2, True), refused.value
    assert list(AttributionRule.objects.values()) == kept


def test_a_file_that_is_not_there_is_told(world: World, file: Path) -> None:  # noqa: F811
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        said("apply", f"--file={file}")
    with pytest.raises(CommandError, match="Say which file"):
        said("apply")
