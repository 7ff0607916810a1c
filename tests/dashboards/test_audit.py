"""Every change by a person is on record, for good, without secrets, for those who may read it."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from dashboards import access, audit
from dashboards.models import AuditEntry, Person
from dashboards.pages import audit as pages
from usage import organisations
from usage.models import Organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def larkfield() -> Organisation:
    return organisations.create_organisation("Larkfield")


@pytest.fixture
def ada(larkfield: Organisation) -> Person:
    person = Person.objects.create_user("ada@larkfield.example", "a sentence to remember", name="Ada")
    access.grant(person, "admin", larkfield)
    return person


@pytest.fixture
def root() -> Person:
    return Person.objects.create_superuser("root@localhost")


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


# The record


def test_an_entry_is_neither_changed_nor_deleted(ada: Person) -> None:
    entry = audit.record(ada, "changed a rule", "keys of the search team")
    with pytest.raises(IntegrityError, match="only added to"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(who="charlie@elsewhere.example")
    with pytest.raises(IntegrityError, match="only added to"), transaction.atomic():
        entry.delete()
    with pytest.raises(IntegrityError, match="only added to"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM dashboards_auditentry")
    assert AuditEntry.objects.get().who == "ada@larkfield.example"


def test_an_entry_outlives_the_person_and_the_organisation(ada: Person, larkfield: Organisation) -> None:
    audit.record(ada, "changed a role", "bea", {"role": "viewer"}, {"role": "admin"}, larkfield)
    ada.delete()
    larkfield.delete()
    kept = AuditEntry.objects.get()
    assert (kept.who, kept.before, kept.after) == ("ada@larkfield.example", {"role": "viewer"}, {"role": "admin"})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"password": "hunter2", "name": "Ada"}, {"password": "(not kept)", "name": "Ada"}),
        ({"api_key": "abc", "key": "k-alpha"}, {"api_key": "(not kept)", "key": "k-alpha"}),
        ({"access_token": "abc"}, {"access_token": "(not kept)"}),
        ({"deep": [{"Credentials": {"a": 1}}]}, {"deep": [{"Credentials": "(not kept)"}]}),
        ({"value": "sk-ant-api03-0123456789abcdef"}, {"value": "(not kept)"}),
        ({"url": "https://me:word@host/x"}, {"url": "https://(not kept)@host/x"}),
        ({"secret": ""}, {"secret": ""}),
        ({"at": datetime(2026, 1, 2, tzinfo=UTC), "n": Decimal("0.5")}, {"at": "2026-01-02T00:00:00Z", "n": "0.5"}),
        ({"nul": "a\x00b", "none": None, "tokens": 3}, {"nul": "a b", "none": None, "tokens": 3}),
    ],
)  # fmt: skip
def test_secrets_are_left_out_and_everything_else_kept(given: dict[str, Any], kept: dict[str, Any]) -> None:
    entry = audit.record(None, "saved", "something", given, given)
    entry.refresh_from_db()
    assert (entry.before, entry.after) == (kept, kept)


def test_a_token_of_ours_is_in_no_subject() -> None:
    _, secret = access.create_token("ci", "viewer")
    assert secret not in str(audit.record(None, "used", f"a token {secret}"))


def test_who_and_whence_are_known_within_a_request_and_a_command_says_so(ada: Person) -> None:
    Client().post("/sign-in", {"email": ada.email, "password": "wrong"}, REMOTE_ADDR="192.0.2.7")
    Client().post("/sign-in", {"email": ada.email, "password": "a sentence to remember"}, REMOTE_ADDR="192.0.2.8")
    call_command("create_token", "ci", "--role", "viewer", "--catalogue-only")
    assert list(AuditEntry.objects.order_by("pk").values_list("who", "action", "address")) == [
        ("", "failed to sign in", "192.0.2.7"),
        ("ada@larkfield.example", "signed in", "192.0.2.8"),
        ("command line", "created a token", ""),
    ]


def test_a_password_typed_as_an_address_is_kept_nowhere() -> None:
    Client().post("/sign-in", {"email": "hunter2 hunter2", "password": "x"})
    assert "hunter2" not in str(list(AuditEntry.objects.values()))


# The page


def test_only_what_differs_is_shown() -> None:
    before, after = {"role": "viewer", "name": "B", "gone": 1}, {"role": "admin", "name": "B", "on": True}
    assert pages.differing(before, after) == [
        pages.Change("role", "viewer", "admin"),
        pages.Change("gone", "1", ""),
        pages.Change("on", "", "yes"),
    ]


def test_an_admin_reads_their_organisations_log_and_nobody_elses(ada: Person, larkfield: Organisation) -> None:
    other = organisations.create_organisation("Other", "other")
    audit.record(ada, "changed a rule", "of larkfield", organisation=larkfield)
    audit.record(ada, "changed a rule", "of other", organisation=other)
    audit.record(ada, "changed a rule", "of the instance")
    shown = signed_in(ada).get("/settings/audit").content.decode()
    assert "of larkfield" in shown
    assert "of other" not in shown
    assert "of the instance" not in shown
    assert signed_in(ada).get("/settings/audit?of=instance").status_code == 404


def test_an_instance_admin_reads_the_instances_log_and_no_organisations(
    root: Person, ada: Person, larkfield: Organisation
) -> None:
    audit.record(ada, "changed a rule", "of larkfield", organisation=larkfield)
    audit.record(ada, "decided on a price", "of the instance")
    client = signed_in(root)
    for address in ("/settings/audit", "/settings/audit?of=instance"):
        shown = client.get(address).content.decode()
        assert "of the instance" in shown
        assert "of larkfield" not in shown
    assert client.get("/settings/audit?of=organisation").status_code == 404


@pytest.mark.parametrize("role", ["viewer", "member"])
def test_who_is_no_admin_finds_no_log(larkfield: Organisation, role: str) -> None:
    person = Person.objects.create_user(f"{role}@larkfield.example")
    access.grant(person, role, larkfield)
    assert signed_in(person).get("/settings/audit").status_code == 404
    assert Client().get("/settings/audit")["Location"].startswith("/sign-in")


def test_filters_narrow_and_the_csv_has_the_same_rows(ada: Person, larkfield: Organisation) -> None:
    bea = Person.objects.create_user("bea@larkfield.example")
    for number in range(60):
        audit.record(ada, "changed a rule", f"rule {number}", organisation=larkfield)
    audit.record(bea, "started an import", "=cmd|' /C calc'!A0", {"a": 1}, None, larkfield)
    client = signed_in(ada)
    assert "1–50 of 61" in client.get("/settings/audit").content.decode()
    one = client.get("/settings/audit?who=bea@larkfield.example").content.decode()
    assert "1 change on record" in one
    answer = client.get("/settings/audit?action=started+an+import&format=csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert rows[0] == pages.HEAD
    assert [row[1:] for row in rows[1:]] == [
        ["bea@larkfield.example", "Larkfield", "started an import", "'=cmd|' /C calc'!A0", '{"a": 1}', "", ""]
    ]
    assert client.get("/settings/audit?from=2020-01-01&to=2020-01-02").content.decode().count("No change matches")
    assert "1 change on record" in client.get("/settings/audit?from=nonsense&q=rule+59&page=99").content.decode()
