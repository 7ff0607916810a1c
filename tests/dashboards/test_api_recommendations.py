"""Advice over HTTP: whose it is, that it is the command's, and that its document says its shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from dashboards import access
from dashboards.api.recommendation_schemas import RecommendationsAnswer
from dashboards.models import Person
from tests.usage.conftest import import_facts, organisation  # noqa: F401
from tests.usage.factories import make_organisation, make_project
from tests.usage.market import ON, Buyer, make_buyer, sell
from usage.recommending import advise
from usage.recommending.telling import as_json

pytestmark = pytest.mark.django_db


@pytest.fixture
def buyer(import_facts: Any) -> Buyer:  # noqa: F811
    found = make_buyer(import_facts)
    sell("next-1", "other", "1", "2", rating="1500")
    sell("dear-1", "other", "6", "20", rating="1500")
    sell("silent-1", "other", "", "", rating="1500")
    return found


def ask(secret: str, **asked: Any) -> Any:
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    return client.get("/api/v1/recommendations", {"project": "alpha", "on": str(ON)} | asked)


def secret_of(buyer: Buyer) -> str:
    return access.create_token("reader", "viewer", None, buyer.organisation)[1]


def test_it_answers_what_the_command_does_in_the_documents_shape(buyer: Buyer) -> None:
    answer = json.loads(ask(secret_of(buyer)).content)
    assert answer == json.loads(json.dumps(as_json(advise(buyer.project, ON))))
    assert RecommendationsAnswer.model_validate(answer).model_dump(by_alias=True, mode="json") == answer
    assert len(answer["recommendations"]) == 1
    assert {one["reason"] for one in answer["refused"]} == {"not_cheaper", "unpriced"}


def test_a_day_and_a_moment_are_asked_for(buyer: Buyer) -> None:
    answer = ask(secret_of(buyer), on="2026-11-01", known_at="2026-10-19T00:00:00Z", days="7").json()
    assert (answer["on"], answer["window"]) == ("2026-11-01", {"from": "2026-10-26", "until": "2026-11-02"})
    assert answer["recommendations"] == []


def test_nobody_sees_the_project_of_another(buyer: Buyer) -> None:
    stranger = make_organisation("stranger")
    make_project(stranger, "beta")
    theirs = access.create_token("theirs", "viewer", None, stranger)[1]
    assert ask(theirs).status_code == 404
    assert ask(secret_of(buyer), project="beta").status_code == 404
    person = Person.objects.create_user("pete@x.example", "a sentence to remember")
    access.grant(person, "viewer", buyer.organisation, make_project(buyer.organisation, "gamma"))
    own = access.create_token("own", "viewer", person, buyer.organisation)[1]
    assert ask(own).status_code == 404
    assert ask(own, project="gamma").json()["coverage"]["tokens"] == 0


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"on": "November"}, "on"),
        ({"known_at": "2026-11-16T08:00"}, "known_at"),
        ({"days": "0"}, "days"),
        ({"days": "367"}, "days"),
        ({"model": "next-1"}, "query"),
        ({"project": "al\0pha"}, "project"),
    ],
)
def test_a_question_that_makes_no_sense_is_told_where(buyer: Buyer, asked: dict[str, str], field: str) -> None:
    response = ask(secret_of(buyer), **asked)
    assert response.status_code == 422
    assert [fault["field"] for fault in response.json()["errors"]] == [field]
