"""A small organisation whose every figure can be worked out by hand, for tests of the ledger's pages.

Today is Wednesday 18 November 2026. Week 46 is 9–15 November, week 45 is 2–8 November. `model-a` costs 1 USD per
Mtok in and 2 out; `mystery` is a model nobody knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from dashboards import access
from dashboards.models import Person
from pricing.models import Offering
from tests.usage.factories import make_card, make_offering, make_organisation, make_project, make_rule
from usage import ingest
from usage.models import ImportBatch, Organisation, Project

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
MAPPING: dict[str, Any] = {
    "columns": {
        "time": "day",
        "project": "project",
        "api_key": "key",
        "user": "user",
        "host": "host",
        "model": "model",
        "input": "input",
        "output": "output",
        "requests": "requests",
    },
    "grain": "1d",
    "cache": "inclusive",
}
TIERED = MAPPING | {"columns": MAPPING["columns"] | {"service_tier": "tier"}}
HEAD = "day,project,key,user,host,model,input,output,requests"
# Alpha: 40 USD, then 60. Beta: 20, then 10. Nobody: 5, then 8. Unknown: 3 Mtok in 30 requests of beta.
ROWS = (
    "2026-11-03,alpha,k-alpha,ann,seller,model-a,20000000,10000000,100",
    "2026-11-10,alpha,k-alpha,ann,seller,model-a,20000000,10000000,100",
    "2026-11-12,alpha,k-alpha,bob,seller,model-a,10000000,5000000,50",
    "2026-11-04,beta,k-beta,,seller,model-a,10000000,5000000,70",
    "2026-11-11,beta,k-beta,,seller,model-a,4000000,3000000,30",
    "2026-11-11,beta,k-beta,,seller,mystery,2000000,1000000,30",
    "2026-11-05,,k-stray,,seller,model-a,1000000,2000000,9",
    "2026-11-13,,k-stray,,seller,model-a,2000000,3000000,9",
)


@dataclass
class World:
    """The organisation, its projects, and clients signed in as people who see all, one project, nothing."""

    organisation: Organisation
    alpha: Project
    beta: Project
    offering: Offering
    folder: Path
    admin: Client
    alpha_only: Client
    charlie: Client

    def imported(self, *rows: str, scope: str = "account", head: str = HEAD, mapping: Any = None) -> ImportBatch:
        path = self.folder / f"export-{len(list(self.folder.iterdir()))}.csv"
        path.write_text("\n".join([head, *rows]) + "\n")
        return ingest.import_paths(self.organisation, "csv", [path], scope, mapping or MAPPING)


def client_of(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def world(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    organisation = make_organisation("acme")
    alpha, beta = (make_project(organisation, slug) for slug in ("alpha", "beta"))
    for project in (alpha, beta):
        field = {"field": "ext_project", "op": "equals", "value": project.slug}
        make_rule(organisation, [field], {project.pk: "1"})
    offering = make_offering("model-a")
    make_card(offering)
    people = [Person.objects.create_user(f"{name}@acme.example") for name in ("ada", "bea", "charlie")]
    access.grant(people[0], "admin", organisation)
    access.grant(people[1], "viewer", organisation, alpha)
    folder = tmp_path / "usage"
    folder.mkdir()
    world = World(organisation, alpha, beta, offering, folder, *map(client_of, people))
    world.imported(*ROWS)
    return world
