"""A project that a token does not see is answered like one that does not exist, wherever one can be asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from dashboards import access
from dashboards.models import Person
from tests.dashboards.ledger_cast import World, world  # noqa: F401

pytestmark = pytest.mark.django_db

ASKED = {
    "spend": {"from": "2026-11-09", "until": "2026-11-16"},
    "bridge": {"from": "2026-11-09", "until": "2026-11-16"},
    "own-index": {"by": "model"},
    "evaluations": {},
    "recommendations": {},
    "frontier": {},
}  # fmt: skip


@pytest.mark.parametrize("operation", ASKED)
def test_an_unknown_project_and_one_of_others_are_not_found_with_the_same_words(
    operation: str,
    world: World,  # noqa: F811
) -> None:
    person = Person.objects.create_user("pete@x.example", "a sentence to remember")
    access.grant(person, "viewer", world.organisation, world.alpha)
    secret = access.create_token("theirs", "viewer", person, world.organisation)[1]
    client = Client(headers={"Authorization": f"Bearer {secret}"})

    def answer(slug: str) -> tuple[int, str]:
        found = client.get(f"/api/v1/{operation}", {**ASKED[operation], "project": slug})
        return found.status_code, found.json().get("detail", "")

    assert answer("beta") == answer("alpah") == (404, "No project has this slug: GET /api/v1/projects lists them.")
    assert answer("alpha")[0] in (200, 422)  # 422: a curve of a project without usage


def test_what_no_rule_attributes_may_be_asked_for_beside_a_project(world: World) -> None:  # noqa: F811
    secret = access.create_token("reader", "viewer", None, world.organisation)[1]
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    until = timezone.now().date()
    asked = {"from": str(until - timedelta(days=7)), "until": str(until)}
    assert client.get("/api/v1/spend", {**asked, "project": ["none", "beta"]}).status_code == 200
    assert client.get("/api/v1/spend", {**asked, "project": ["none", "nobody"]}).status_code == 404
    assert client.get("/api/v1/spend", {**asked, "project": "\0"}).status_code in (404, 422)
