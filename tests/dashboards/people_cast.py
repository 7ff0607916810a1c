"""Two organisations with their people, for tests of who may do what."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.test import Client

from dashboards import access
from dashboards.models import Person
from usage import organisations
from usage.models import Organisation, Project

PASSWORD = "a sentence to remember"


@dataclass
class Cast:
    """Ada administers Larkfield, Mia is member, Vic looks; Pam administers and Pete views one project; Root runs it."""

    larkfield: Organisation
    claims: Project
    other: Organisation
    ada: Person
    mia: Person
    vic: Person
    pam: Person
    pete: Person
    otto: Person
    root: Person


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def person(name: str, **fields: bool) -> Person:
    return Person.objects.create_user(f"{name}@larkfield.example", PASSWORD, **fields)


@pytest.fixture
def cast(db: None) -> Cast:
    larkfield = organisations.create_organisation("Larkfield")
    claims = organisations.create_project(larkfield, "Claims triage", "claims")
    other = organisations.create_organisation("Other")
    people = {name: person(name) for name in ("ada", "mia", "vic", "pam", "pete", "otto")}
    root = person("root", is_instance_admin=True)
    for name, role in (("ada", "admin"), ("mia", "member"), ("vic", "viewer")):
        access.grant(people[name], role, larkfield)
    access.grant(people["pam"], "admin", larkfield, claims)
    access.grant(people["pete"], "viewer", larkfield, claims)
    access.grant(people["otto"], "admin", other)
    return Cast(larkfield, claims, other, root=root, **people)
