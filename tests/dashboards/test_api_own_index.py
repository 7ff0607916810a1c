"""The organisation's own index over HTTP: whose it is, and that it is the command's."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from django.test import Client

from dashboards import access
from dashboards.api.own_index import OwnIndexAnswer
from dashboards.models import Person
from tests.dashboards.ledger_cast import World, world  # noqa: F401
from usage import own_index

pytestmark = pytest.mark.django_db
NOVEMBER = {"from": "2026-11", "until": "2026-12"}


def ask(secret: str, **asked: Any) -> Any:
    return Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/own-index", asked)


@pytest.fixture
def secret(world: World) -> str:  # noqa: F811
    return access.create_token("reader", "viewer", None, world.organisation)[1]


def test_it_answers_what_the_command_does_in_the_documents_shape(world: World, secret: str) -> None:  # noqa: F811
    answer = json.loads(ask(secret, **NOVEMBER, by="model").content)
    assert answer == own_index.answer(world.organisation, date(2026, 11, 1), date(2026, 12, 1), by="model")
    assert OwnIndexAnswer.model_validate(answer).model_dump(by_alias=True) == answer
    assert answer["months"][0]["spent"] == "143.000000000000"


def test_a_person_of_one_project_has_the_index_of_that_project(world: World, secret: str) -> None:  # noqa: F811
    person = Person.objects.create_user("pete@x.example", "a sentence to remember")
    access.grant(person, "viewer", world.organisation, world.alpha)
    theirs = access.create_token("theirs", "viewer", person, world.organisation)[1]

    def spent(token: str, *projects: str) -> Any:
        return ask(token, **NOVEMBER, project=projects).json()["months"][0]["spent"]

    assert spent(theirs) == spent(theirs, "alpha") == spent(secret, "alpha") == "100.000000000000"
    assert spent(theirs, "none") == "0"
    assert spent(secret, "beta", "none") == "43.000000000000"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": "November"}, "from"),
        ({"from": "2026-12", "until": "2026-11"}, "until"),
        ({"by": "seller"}, "by"),
        ({"group_by": "model"}, "query"),
    ],
)
def test_a_question_that_makes_no_sense_is_told_where(secret: str, asked: dict[str, str], field: str) -> None:
    response = ask(secret, **asked)
    assert response.status_code == 422
    assert [fault["field"] for fault in response.json()["errors"]] == [field]
