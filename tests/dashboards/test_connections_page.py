"""Connections on pages: what a key lacks is told before it is kept; admins act, viewers see no key, others nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from dashboards import access
from dashboards.models import AuditEntry, Person
from dashboards.pages.connections import STATES, finding, finding_of_one
from dashboards.pages.connections import Shown as ShownConnection
from tests.dashboards.ledger_cast import client_of
from tests.pricing.loopback import LOOPBACK, Server, serving
from tests.usage.factories import make_organisation
from tests.usage.vendor import KEY, NOW, Vendor, day, row
from usage import assignments, connections
from usage.models import Connection, ImportBatch, Organisation, Pull, UsageRecord

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path
    settings.PRIVATE_HOSTS = (LOOPBACK,)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def vendor() -> Vendor:
    rows = {"output_tokens": 1, "cache_read_input_tokens": 0, "workspace_id": None, "service_tier": "standard"}
    return Vendor({day(number): [row(number, **rows)] for number in range(1, 19)})


@pytest.fixture
def server(vendor: Vendor) -> Iterator[Server]:
    with serving(vendor, tls=False) as found:
        yield found


@pytest.fixture
def organisation() -> Organisation:
    return make_organisation("acme")


def person(organisation: Organisation, role: str) -> Client:
    somebody = Person.objects.create_user(f"{role}-{organisation.slug}@acme.example")
    access.grant(somebody, role, organisation)
    return client_of(somebody)


@pytest.fixture
def admin(organisation: Organisation) -> Client:
    return person(organisation, "admin")


@pytest.fixture
def connection(organisation: Organisation, server: Server) -> Connection:
    base = {"base_url": f"http://{LOOPBACK}:{server.port}"}
    return connections.connect(organisation, "anthropic_usage", "Acme", KEY, settings=base, schedule="daily")


def form(server: Server, **changes: str) -> dict[str, Any]:
    return {
        "api": "anthropic_usage", "name": "Acme production", "key": KEY, "schedule": "daily", "repull_days": "3",
        "first_days": "10", "base_url": f"http://{LOOPBACK}:{server.port}", "group_by": ["model", "workspace_id"],
    } | changes  # fmt: skip


def test_a_source_is_tried_kept_and_pulled_at_once(
    admin: Client, server: Server, vendor: Vendor, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = admin.post("/connections/new", form(server))
    made = Connection.objects.get()
    assert response["Location"] == f"/connections/{made.pk}"
    assert (made.schedule, made.settings["group_by"]) == ("daily", ["workspace_id", "model"])
    assert UsageRecord.objects.filter(connection_id=made.pk).count() == 10
    page = admin.get(f"/connections/{made.pk}").content.decode()
    assert "10 records imported" in page
    assert KEY not in page
    assert "ends in <code>9876</code>" in page


def test_a_key_without_permission_is_not_kept_and_told_what_it_lacks(
    admin: Client, server: Server, vendor: Vendor
) -> None:
    vendor.script = {1: lambda exchange: exchange.answer(b"{}", 403)}
    response = admin.post("/connections/new", form(server))
    assert response.status_code == 422
    page = response.content.decode()
    assert "The key may not read usage: create an admin key" in page
    assert KEY not in page
    assert "Acme production" in page
    assert not Connection.objects.exists()


def test_a_source_can_be_connected_without_a_test(admin: Client, server: Server, vendor: Vendor) -> None:
    assert admin.post("/connections/new", form(server, untested="yes")).status_code == 302
    assert (Connection.objects.count(), vendor.asked) == (1, [])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": " "}, "Give the connection a name"), ({"key": ""}, "Paste the key"), ({"key": "a b"}, "no key"),
        ({"schedule": "often"}, "Choose a timetable"), ({"repull_days": "-1"}, "whole number"),
        ({"repull_days": "99"}, "0 to 45 days"), ({"first_days": "9999"}, "1 to 365 days"),
        ({"base_url": "http://10.0.0.1"}, "RATECARD_PRIVATE_HOSTS"), ({"group_by": "colour"}, "does not group by"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_form_is_a_sentence(
    changes: dict[str, str], said: str, admin: Client, server: Server, vendor: Vendor
) -> None:
    response = admin.post("/connections/new", form(server, **changes))
    assert (response.status_code, said in response.content.decode()) == (422, True)
    assert (Connection.objects.exists(), vendor.asked) == (False, [])


def test_every_source_says_which_key_which_permission_and_where(admin: Client) -> None:
    page = admin.get("/connections/new").content.decode()
    for slug, api in connections.available().items():
        assert f"?api={slug}" in page
        one = admin.get(f"/connections/new?api={slug}").content.decode()
        assert api.KEY_FROM in one
        assert f"{api.NAME} wants" in one


def test_the_test_button_says_what_is_missing_and_changes_nothing(
    admin: Client, connection: Connection, vendor: Vendor
) -> None:
    page = admin.post(f"/connections/{connection.pk}/test").content.decode()
    assert "The key works" in page
    vendor.script = {2: lambda exchange: exchange.answer(b"Missing scopes: api.usage.read.", 401)}
    page = admin.post(f"/connections/{connection.pk}/test").content.decode()
    assert "lacks the scope api.usage.read" in page
    assert not Pull.objects.exists()


def test_an_admin_pulls_pauses_changes_and_removes_and_all_of_it_is_on_record(
    admin: Client, connection: Connection, server: Server, django_capture_on_commit_callbacks: Any
) -> None:
    at = f"/connections/{connection.pk}"
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(f"{at}/pull", {"days": "5"})
    assert (Pull.objects.get().status, UsageRecord.objects.count()) == ("done", 5)
    admin.post(f"{at}/pause", {"paused": "yes"})
    connection.refresh_from_db()
    assert not connection.enabled
    assert "is paused" in admin.get(at).content.decode()
    changed = {**form(server, name="Acme two", schedule="6h", key="sk-ant-admin01-ANOTHER-5555")}
    assert admin.post(f"{at}/change", changed).status_code == 302
    connection.refresh_from_db()
    assert (connection.name, connection.schedule, connection.credential_end) == ("Acme two", "6h", "5555")
    assert admin.post(f"{at}/remove").status_code == 422
    assert admin.post(f"{at}/remove", {"sure": "yes"}).status_code == 302
    assert admin.get(at).status_code == 404
    assert UsageRecord.objects.count() == 5
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["pulled a connection", "paused a connection", "changed a connection", "removed a connection"]
    assert not [entry for entry in AuditEntry.objects.values() if "ANOTHER" in str(entry) or KEY in str(entry)]


def test_a_changed_connection_without_a_new_key_keeps_the_one_it_has(
    admin: Client, connection: Connection, server: Server
) -> None:
    before = connection.credential
    admin.post(f"/connections/{connection.pk}/change", form(server, key=""))
    connection.refresh_from_db()
    assert connection.credential == before


def test_the_form_of_a_connection_asks_who_pays_and_offers_the_accounts_there_are(
    admin: Client, connection: Connection, server: Server
) -> None:
    assignments.name_account(connection, "acme-emea")
    for path in ("/connections/new?api=anthropic_usage", f"/connections/{connection.pk}"):
        text = admin.get(path).content.decode()
        assert '<option value="acme-emea"></option>' in text
        assert "counts once" in text
    assert admin.post("/connections/new", form(server, account=" acme-us ")).status_code == 302
    made = Connection.objects.latest("pk")
    assert made.account == "acme-us"
    admin.post(f"/connections/{made.pk}/change", form(server, account=""))
    made.refresh_from_db()
    assert made.account == ""
    told = [(entry.before or {}).get("account", "") for entry in AuditEntry.objects.filter(action__contains="connect")]
    assert told == ["", "acme-us"]
    assert [(e.after or {}).get("account") for e in AuditEntry.objects.filter(action__contains="connect")] == [
        "acme-us", ""
    ]  # fmt: skip


def test_naming_an_account_in_the_form_lets_its_feed_compete_with_the_others_of_it(
    admin: Client, connection: Connection, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[Organisation] = []
    monkeypatch.setattr("usage.settling.settle_all", settled.append)
    admin.post(f"/connections/{connection.pk}/change", form(server, account="acme-us"))
    admin.post(f"/connections/{connection.pk}/change", form(server, account="acme-us", key=""))
    assert settled == [connection.organisation]


def test_an_account_that_cannot_be_read_is_refused_and_nothing_is_changed(
    admin: Client, connection: Connection, server: Server
) -> None:
    answer = admin.post(f"/connections/{connection.pk}/change", form(server, name="Other", account="x" * 121))
    assert (answer.status_code, "at most 120 characters" in answer.content.decode()) == (422, True)
    connection.refresh_from_db()
    assert (connection.name, connection.account) == ("Acme", "")


ACTS = ["change", "pull", "test", "pause", "remove"]


@pytest.mark.parametrize("role", ["viewer", "member"])
def test_who_is_no_admin_sees_the_state_without_the_key_and_can_do_nothing(
    role: str, organisation: Organisation, connection: Connection, vendor: Vendor
) -> None:
    client = person(organisation, role)
    assert client.get("/connections").status_code == 200
    page = client.get(f"/connections/{connection.pk}").content.decode()
    assert connection.credential_end not in page
    assert "Pull now" not in page
    assert [client.post(f"/connections/{connection.pk}/{act}").status_code for act in ACTS] == [404] * 5
    assert [client.get("/connections/new").status_code, client.post("/connections/new").status_code] == [404, 404]
    assert vendor.asked == []


def test_another_organisation_and_nobody_learn_nothing(connection: Connection, vendor: Vendor) -> None:
    stranger = person(make_organisation("rival"), "admin")
    at = f"/connections/{connection.pk}"
    assert at not in stranger.get("/connections").content.decode()
    assert stranger.get(at).status_code == 404
    assert [stranger.post(f"{at}/{act}", {"sure": "yes"}).status_code for act in ACTS] == [404] * 5
    assert Client().get(at)["Location"].startswith("/sign-in")
    assert [Client().post(f"{at}/{act}")["Location"][:8] for act in ACTS] == ["/sign-in"] * 5
    assert (Connection.objects.get().credential != "", vendor.asked) == (True, [])


def test_acts_are_posts(admin: Client, connection: Connection) -> None:
    assert [admin.get(f"/connections/{connection.pk}/{act}").status_code for act in ACTS] == [405] * 5


def test_a_halved_pull_is_shown_as_held_and_accepted_on_its_run(
    admin: Client,
    organisation: Organisation,
    connection: Connection,
    vendor: Vendor,
    django_capture_on_commit_callbacks: Any,
) -> None:
    def pull() -> None:
        with django_capture_on_commit_callbacks(execute=True):
            admin.post(f"/connections/{connection.pk}/pull", {"days": "5"})

    pull()
    vendor.usage = {day(17): [row(1)]}
    pull()
    batch = ImportBatch.objects.get(status="held")
    assert "needs somebody: The file holds less than half" in admin.get("/connections").content.decode()
    assert "Accept that it holds less" in admin.get(f"/imports/{batch.pk}").content.decode()
    viewer = person(organisation, "viewer")
    assert viewer.post(f"/imports/{batch.pk}/again", {"accept": "yes"}).status_code == 404
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(f"/imports/{batch.pk}/again", {"accept": "yes"})
    assert UsageRecord.objects.count() == 1
    assert admin.post(f"/imports/{batch.pk}/again", {"accept": "yes"}).status_code == 404


def test_a_list_of_many_connections_takes_few_queries(
    admin: Client, organisation: Organisation, connection: Connection, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        connections.connect(organisation, "openai_costs", f"Account {number}", KEY)
    with django_assert_max_num_queries(20):
        admin.get("/connections")


def test_sources_without_a_connection_teach_the_next_step(admin: Client, organisation: Organisation) -> None:
    assert "Connect your first source" in admin.get("/connections").content.decode()
    viewer = person(organisation, "viewer")
    assert "An admin of the organisation" in viewer.get("/connections").content.decode()


def shown(name: str, state: str, sentence: str = "") -> ShownConnection:
    return ShownConnection(1, name, "API", name, state, STATES[state], sentence, None, None, None, "every day")


def test_the_finding_names_what_needs_somebody_first() -> None:
    fresh, broken = (
        shown("A", "fresh", "3 records imported."),
        shown("B", "stopped", "The key may not read usage: make another."),
    )
    held = shown("C", "held", "1 records imported, 0 restated, 0 withdrawn, 2 unchanged. The file holds less.")
    assert finding([], 0) == "No source brings its usage by itself yet."
    assert finding([], 1) == "No source brings its usage by itself yet; 1 feed comes from files."
    assert finding([fresh], 0) == "1 connection brings usage by itself."
    assert finding([fresh, broken], 0) == "B needs somebody: The key may not read usage."
    assert finding([fresh, broken, held], 0) == "2 of 3 connections need somebody, B first."
    assert finding_of_one(held) == "C needs somebody: The file holds less."
    assert finding_of_one(fresh) == "A is up to date: 3 records imported."
