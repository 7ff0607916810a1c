"""The bridge over HTTP and by command: whose it is, which days it means, and that both say the same."""

from __future__ import annotations

import json
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from dashboards import access
from dashboards.api.bridge import BridgeAnswer
from dashboards.models import Person
from tests.dashboards.ledger_cast import World, world  # noqa: F401
from usage import spend_change

pytestmark = pytest.mark.django_db
WEEK = {"from": "2026-11-09", "until": "2026-11-16"}
SPANS = ((date(2026, 11, 9), date(2026, 11, 16)), (date(2026, 11, 2), date(2026, 11, 9)))


def ask(secret: str, **asked: Any) -> Any:
    return Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/bridge", asked)


@pytest.fixture
def secret(world: World) -> str:  # noqa: F811
    return access.create_token("reader", "viewer", None, world.organisation)[1]


def test_it_answers_in_the_documents_shape_against_as_many_days_before(world: World, secret: str) -> None:  # noqa: F811
    answer = json.loads(ask(secret, **WEEK).content)
    assert answer == spend_change.answer(world.organisation, *SPANS)
    assert BridgeAnswer.model_validate(answer).model_dump(by_alias=True, exclude_unset=True) == answer
    assert (answer["before"]["spent"], answer["after"]["spent"]) == ("65.000000000000", "78.000000000000")
    same = ask(secret, **WEEK, before_from="2026-11-02", before_until="2026-11-09").json()
    assert same == answer
    assert ask(secret, **WEEK, compare="year").json()["before"]["from"] == "2025-11-09"


def test_a_person_of_one_project_has_the_bridge_of_that_project(world: World, secret: str) -> None:  # noqa: F811
    person = Person.objects.create_user("pete@x.example", "a sentence to remember")
    access.grant(person, "viewer", world.organisation, world.alpha)
    theirs = access.create_token("theirs", "viewer", person, world.organisation)[1]

    def change(token: str, *projects: str) -> Any:
        return ask(token, **WEEK, project=projects).json()["change"]

    assert change(theirs) == change(theirs, "alpha") == change(secret, "alpha") == "20.000000000000"
    assert float(change(theirs, "none")) == 0
    assert change(secret, "beta", "none") == "-7.000000000000"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "from"),
        (WEEK | {"before_from": "2026-11-02"}, "before_from"),
        (WEEK | {"before_from": "2026-11-02", "before_until": "2026-11-01"}, "before_until"),
        (WEEK | {"compare": "yesterday"}, "compare"),
        (WEEK | {"ext_user": "ann"}, "query"),
    ],
)
def test_a_question_that_makes_no_sense_is_told_where(secret: str, asked: dict[str, str], field: str) -> None:
    response = ask(secret, **asked)
    assert response.status_code == 422
    assert [fault["field"] for fault in response.json()["errors"]] == [field]


def command(*words: str) -> str:
    out = StringIO()
    call_command("bridge", *words, stdout=out)
    return out.getvalue()


def test_the_command_says_the_same_in_words_and_in_json(world: World) -> None:  # noqa: F811
    days = ("--from", "2026-11-09", "--until", "2026-11-16")
    assert json.loads(command(*days, "--json")) == spend_change.answer(world.organisation, *SPANS)
    told = command(*days, "--project", "alpha")
    assert told.splitlines()[0] == "2026-11-02 to 2026-11-09  spent 40.000000000000 USD"
    assert told.splitlines()[-1] == "change 20.000000000000"
    assert "volume" in told


@pytest.mark.parametrize(
    "words",
    [(), ("--from", "2026-11-09"), ("--period", "7d", "--project", "nothing"), ("--from", "x", "--until", "y")],
)
def test_a_command_that_makes_no_sense_ends_with_2(world: World, words: tuple[str, ...]) -> None:  # noqa: F811
    with pytest.raises(CommandError) as fault:
        command(*words)
    assert fault.value.returncode == 2
