"""The settings in a browser: pictures at 1440 and 390 px, light and dark, axe, console, nothing sticking out."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from dashboards import access, audit
from dashboards.models import Person
from tests.dashboards.browser import Look, look  # noqa: F401
from tests.dashboards.ledger_cast import HEAD, MAPPING
from tests.usage.factories import make_rule
from usage import ingest, organisations


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_settings_are_sound(look: Look) -> None:  # noqa: F811
    larkfield = organisations.create_organisation("Larkfield Insurance")
    ada = Person.objects.create_user("ada@larkfield.example", name="Ada Lark", is_instance_admin=True)
    bea = Person.objects.create_user("beatrix.fernsby-whitcombe@claims.larkfield.example")
    access.grant(ada, "admin", larkfield)
    access.grant(bea, "viewer", larkfield)
    look.signed_in_as(ada)
    look.at("/settings/audit", "settings-audit-empty")
    audit.record(ada, "changed a role", bea, {"role": "viewer"}, {"role": "admin"}, larkfield)
    rule = {"conditions": [{"field": "api_key", "op": "equals", "value": "k-search"}], "from": "2026-11-01"}
    audit.record(bea, "saved a rule", "Keys of the search team", rule, rule | {"from": "2026-12-01"}, larkfield)
    audit.record(bea, "started an import", "export-2026-11.csv", None, {"importer": "csv", "run": 12}, larkfield)
    look.at("/settings/audit", "settings-audit")
    look.at("/settings/audit?of=instance&q=nobody", "settings-audit-nothing")
    claims = organisations.create_project(larkfield, "Claims triage", "claims")
    access.grant(bea, "admin", larkfield, claims)
    access.invite(ada, "new@larkfield.example", "member", larkfield)
    access.create_token("Gateway of the search team", "member", ada, larkfield, scopes=["usage:write", "spend:read"])
    organisations.create_organisation("Nobody looks after this one")
    for name in ("account", "organisation", "people", "tokens", "instance"):
        look.at(f"/settings/{name}", f"settings-{name}")
    _, secret = access.invite(ada, "fresh@larkfield.example", "viewer", larkfield, claims)
    look.cookies = []
    look.at(f"/invitation/{secret}", "invitation")
    look.at("/invitation/unknown", "invitation-dead", expect_status=410)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_names_of_one_long_word_widen_no_page(look: Look, tmp_path: Path) -> None:  # noqa: F811
    """An organisation and a project may be called in two hundred letters, a key or a model as well, a host in 100."""
    long = organisations.create_organisation("O" * 200)
    project = organisations.create_project(long, "P" * 200, "long", owner=f"{'o' * 60}@{'d' * 60}.example")
    make_rule(long, [{"field": "ext_project", "op": "equals", "value": "long"}], {project.pk: "1"})
    day = timezone.now().date() - timedelta(days=8)
    rows = [f"{day},{project_of},{'k' * 180},ann,seller,{'m' * 180},9000,900,9" for project_of in ("long", "")]
    rows.append(f"{day},,k,ann,{'h' * 100},mystery,90000,900,9")
    file = tmp_path / "long.csv"
    file.write_text("\n".join([HEAD, *rows]) + "\n")
    ingest.import_paths(long, "csv", [file], "s" * 60, MAPPING)
    ada = Person.objects.create_user("ada@larkfield.example", is_instance_admin=True)
    access.grant(ada, "admin", long)
    look.signed_in_as(ada)
    pages = (
        "/", "/spend?group_by=ext_api_key,model", "/spend/records", "/projects/long", "/rules", "/periods",
        "/review/names",
    )  # fmt: skip
    for width in (1440, 390):
        page, _ = look.page(width)
        wide = {}
        for path in pages:
            page.goto(look.origin + path)
            wide[path] = page.evaluate("document.documentElement.scrollWidth")
        assert wide == dict.fromkeys(wide, width)
        page.context.close()
