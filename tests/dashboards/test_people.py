"""People of an organisation and of the instance: invited, changed, removed, and never left without an admin."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from threading import Barrier
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from dashboards import access
from dashboards.access import sessions
from dashboards.models import AccessToken, AuditEntry, BrowserSession, Invitation, Membership, Person, SignInFailure
from tests.dashboards.people_cast import PASSWORD, Cast, cast, signed_in  # noqa: F401
from usage.models import Organisation

pytestmark = pytest.mark.django_db
NEW = "another long sentence"


def invite(client: Client, email: str = "new@larkfield.example", role: str = "member", project: str = "") -> Any:
    return client.post("/settings/people/invite", {"email": email, "role": role, "project": project})


def link_in(answer: Any) -> str:
    found = re.search(r"/invitation/[\w-]+", answer.content.decode())
    assert found, answer.content.decode()[:2000]
    return found[0]


def latest() -> tuple[str, str, str]:
    entry = AuditEntry.objects.latest("pk")
    return entry.who, entry.action, entry.subject


# Invitations


def test_an_invited_person_sets_a_password_and_is_in(cast: Cast) -> None:  # noqa: F811
    link = link_in(invite(signed_in(cast.ada)))
    assert link.rpartition("/")[2] not in str(Invitation.objects.values().get())
    assert latest() == ("ada@larkfield.example", "invited somebody", "new@larkfield.example")
    stranger = Client()
    for _ in range(2):  # opening uses nothing up
        assert "will be member" in stranger.get(link).content.decode()
    assert stranger.post(link, {"name": "New", "password": "short"}).status_code == 422
    assert stranger.post(link, {"name": "New", "password": NEW})["Location"] == "/"
    person = Person.objects.get(email="new@larkfield.example")
    assert access.may(person, "member", cast.larkfield)
    assert not access.may(person, "admin", cast.larkfield)
    assert stranger.session["_auth_user_id"] == str(person.pk)
    assert Client().get(link).status_code == 410
    assert Client().post(link, {"name": "Again", "password": NEW}).status_code == 410
    assert latest()[:2] == ("new@larkfield.example", "accepted an invitation")


def test_an_existing_person_joins_by_signing_in_and_the_link_alone_opens_no_account(cast: Cast) -> None:  # noqa: F811
    link = link_in(invite(signed_in(cast.ada), "otto@larkfield.example", "viewer", "claims"))
    answer = Client().post(link, {"name": "Thief", "password": NEW})
    assert "Sign in to join" in answer.content.decode()
    cast.otto.refresh_from_db()
    assert cast.otto.check_password(PASSWORD)
    other = signed_in(cast.vic)
    assert "Sign out, then open" in other.post(link).content.decode()
    assert not Membership.objects.filter(project=cast.claims, person__in=[cast.vic, cast.otto]).exists()
    assert signed_in(cast.otto).post(link)["Location"] == "/"
    assert access.may(cast.otto, "viewer", cast.larkfield, cast.claims)
    assert not access.may(cast.otto, "viewer", cast.larkfield)
    raised = link_in(invite(signed_in(cast.ada), "otto@larkfield.example", "admin", "claims"))
    signed_in(cast.otto).post(raised)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.before, entry.after) == ({"role": "viewer"}, {"role": "admin", "of": "Claims triage"})


def test_an_invitation_ends_by_time_by_hand_and_by_a_newer_one(cast: Cast) -> None:  # noqa: F811
    admin = signed_in(cast.ada)
    first, second = link_in(invite(admin)), link_in(invite(admin))
    assert [Client().get(link).status_code for link in (first, second)] == [410, 200]
    admin.post(f"/settings/people/invitations/{Invitation.objects.latest('pk').pk}/take-back")
    assert Client().get(second).status_code == 410
    late = link_in(invite(admin))
    past = timezone.now() - timedelta(days=9)
    Invitation.objects.filter(revoked_at=None).update(created_at=past, expires_at=past + timedelta(days=7))
    assert Client().get(late).status_code == 410


def test_an_invitation_never_lowers_a_role(cast: Cast) -> None:  # noqa: F811
    _, secret = access.invite(cast.ada, "mia@larkfield.example", "admin", cast.larkfield)
    access.grant(cast.mia, "admin", cast.larkfield)
    Invitation.objects.update(role="viewer")
    assert access.accept(secret, cast.mia) is not None
    assert access.may(cast.mia, "admin", cast.larkfield)
    with pytest.raises(access.Refused, match="is admin of Larkfield already"):
        access.invite(cast.ada, "mia@larkfield.example", "member", cast.larkfield)


def test_who_is_removed_does_not_come_back_by_an_old_link(cast: Cast) -> None:  # noqa: F811
    _, secret = access.invite(cast.ada, cast.mia.email, "admin", cast.larkfield)
    _, elsewhere = access.invite(cast.otto, cast.mia.email, "viewer", cast.other)
    mia = Membership.objects.get(person=cast.mia)
    assert signed_in(cast.ada).post(f"/settings/people/{mia.pk}/remove").status_code == 302
    assert signed_in(cast.mia).post(f"/invitation/{secret}").status_code == 410
    assert access.accept(elsewhere, cast.mia) is not None


@pytest.mark.django_db(transaction=True)
def test_a_link_that_is_pressed_twice_at_once_makes_one_person(cast: Cast) -> None:  # noqa: F811
    _, secret = access.invite(cast.ada, "new@larkfield.example", "viewer", cast.larkfield)
    both = Barrier(2)

    def press(_: int) -> bool:
        both.wait()
        try:
            return access.join(secret, "New", NEW) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, range(2))) == [False, True]
    assert Membership.objects.filter(person__email="new@larkfield.example").count() == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"email": "nonsense"}, "is not an e-mail address"),
        ({"email": ""}, "Write the e-mail"),
        ({"role": "owner"}, "Select a valid choice"),
        ({"project": "not-ours"}, "Choose a place of the list"),
        ({"email": "vic@larkfield.example", "role": "viewer"}, "is viewer of Larkfield already"),
    ],
)
def test_an_invitation_that_cannot_be_says_why(cast: Cast, given: dict[str, str], said: str) -> None:  # noqa: F811
    answer = invite(signed_in(cast.ada), **given)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Invitation.objects.exists()


def test_who_administers_a_project_invites_to_that_project_only(cast: Cast) -> None:  # noqa: F811
    pam = signed_in(cast.pam)
    assert invite(pam, project="").status_code == 422
    link_in(invite(pam, project="claims"))
    assert Invitation.objects.get().project == cast.claims
    shown = pam.get("/settings/people").content.decode()
    assert "pete@larkfield.example" in shown
    assert "vic@larkfield.example" not in shown
    vic = Membership.objects.get(person=cast.vic)
    assert pam.post(f"/settings/people/{vic.pk}/remove").status_code == 404
    pete = Membership.objects.get(person=cast.pete)
    assert pam.post(f"/settings/people/{pete.pk}/role", {"role": "member"}).status_code == 302


def test_the_link_is_mailed_only_where_a_server_is_set(cast: Cast, settings: Any) -> None:  # noqa: F811
    settings.SENDS_MAIL = False
    assert "Pass the link on yourself" in invite(signed_in(cast.ada)).content.decode()
    assert mail.outbox == []
    settings.SENDS_MAIL, settings.BASE_URL = True, "https://ratecard.example"
    answer = invite(signed_in(cast.ada))
    (message,) = mail.outbox
    assert (message.subject, message.to) == ("You are invited to Larkfield on Ratecard", ["new@larkfield.example"])
    assert f"https://ratecard.example{link_in(answer)}" in message.body


def test_the_database_refuses_an_invitation_that_ended_twice_or_knows_its_secret(cast: Cast) -> None:  # noqa: F811
    access.invite(cast.ada, "new@larkfield.example", "viewer", cast.larkfield)
    for wrong in ({"accepted_at": timezone.now(), "revoked_at": timezone.now()}, {"sha256": "plain"}, {"role": "x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Invitation.objects.update(**wrong)


# Roles


def test_the_last_admin_stays_admin(cast: Cast) -> None:  # noqa: F811
    admin, ada = signed_in(cast.ada), Membership.objects.get(person=cast.ada)
    for answer in (
        admin.post(f"/settings/people/{ada.pk}/remove"),
        admin.post(f"/settings/people/{ada.pk}/role", {"role": "member"}),
    ):
        assert answer.status_code == 422
        assert "is the last admin of Larkfield" in answer.content.decode()
    mia = Membership.objects.get(person=cast.mia)
    admin.post(f"/settings/people/{mia.pk}/role", {"role": "admin"})
    assert latest() == ("ada@larkfield.example", "changed a role", "mia@larkfield.example of Larkfield")
    Person.objects.filter(pk=cast.mia.pk).update(is_active=False)  # who cannot sign in looks after nothing
    assert admin.post(f"/settings/people/{ada.pk}/remove").status_code == 422
    Person.objects.filter(pk=cast.mia.pk).update(is_active=True)
    assert admin.post(f"/settings/people/{ada.pk}/remove").status_code == 302
    assert admin.get("/settings/people").status_code == 404


def test_a_token_ends_with_the_role_it_stands_on(cast: Cast) -> None:  # noqa: F811
    strong, _ = access.create_token("strong", "member", cast.mia, cast.larkfield)
    weak, _ = access.create_token("weak", "viewer", cast.mia, cast.larkfield)
    elsewhere, _ = access.create_token("prices", "member", cast.mia)
    mia = Membership.objects.get(person=cast.mia)
    assert access.change_role(mia, "viewer") == [strong]
    assert access.remove(mia) == [weak]
    assert list(AccessToken.objects.filter(revoked_at=None)) == [elsewhere]


# The account


def test_a_changed_password_ends_every_other_session(cast: Cast) -> None:  # noqa: F811
    here, there = signed_in(cast.vic), signed_in(cast.vic)
    assert there.get("/settings/account").status_code == 200
    body = {"current": PASSWORD, "password": NEW}
    assert here.post("/settings/account/password", {**body, "current": "wrong"}).status_code == 422
    assert here.post("/settings/account/password", {**body, "password": "short"}).status_code == 422
    assert here.post("/settings/account/password", body)["Location"] == "/settings/account"
    assert here.get("/settings/account").status_code == 200
    assert there.get("/settings/account")["Location"].startswith("/sign-in")
    assert BrowserSession.objects.get(person=cast.vic).session_key == here.session.session_key
    cast.vic.refresh_from_db()
    assert cast.vic.check_password(NEW)
    assert NEW not in str(list(AuditEntry.objects.values()))


def test_sessions_are_named_and_end_one_by_one_or_all_others(cast: Cast) -> None:  # noqa: F811
    here = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
    here.post("/sign-in", {"email": cast.vic.email, "password": PASSWORD}, REMOTE_ADDR="192.0.2.9")
    one, two, others = signed_in(cast.vic), signed_in(cast.vic), signed_in(cast.mia)
    shown = here.get("/settings/account").content.decode()
    assert "Firefox on Linux" in shown
    assert "192.0.2.9" in shown
    number = BrowserSession.objects.get(session_key=one.session.session_key).pk
    assert others.post(f"/settings/account/sessions/{number}/end").status_code == 404
    assert here.post(f"/settings/account/sessions/{number}/end").status_code == 302
    assert one.get("/settings/account").status_code == 302
    assert two.get("/settings/account").status_code == 200
    here.post("/settings/account/sessions/end-others")
    assert [client.get("/settings/account").status_code for client in (here, two, others)] == [200, 302, 200]
    here.post("/sign-out")
    assert not BrowserSession.objects.filter(person=cast.vic).exists()


def test_being_seen_is_noted_every_few_minutes_and_costs_nothing_in_between(
    cast: Cast,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = signed_in(cast.vic)
    long_ago = timezone.now() - timedelta(days=1)
    BrowserSession.objects.update(last_seen_at=long_ago)
    client.get("/settings/account")
    assert BrowserSession.objects.get(person=cast.vic).last_seen_at == long_ago
    monkeypatch.setattr(sessions, "SEEN_PRECISION", 0)
    client.get("/settings/account")
    assert BrowserSession.objects.get(person=cast.vic).last_seen_at > long_ago


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/140 Safari/537 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit Chrome/140 Safari/537", "Chrome on Mac"),
        ("curl/8.5", "curl"),
        ("", "unknown device"),
        ("<script>", "unknown device"),
    ],
)  # fmt: skip
def test_a_browser_is_told_in_words(agent: str, words: str) -> None:
    assert sessions.device_words(agent) == words


def test_a_token_is_shown_once_and_never_above_ones_own_role(cast: Cast) -> None:  # noqa: F811
    client = signed_in(cast.mia)
    body = {"token_name": "CI", "role": "member", "lives": "30", "scopes": ["usage:write", "spend:read"]}
    made = client.post("/settings/account/tokens", body)
    found = re.search(r"rc_[\w-]{40,}", made.content.decode())
    assert found
    assert found[0] not in client.get("/settings/account").content.decode()
    token = AccessToken.objects.get()
    assert (token.person, token.organisation, token.role) == (cast.mia, cast.larkfield, "member")
    assert token.scopes == ["usage:write", "spend:read"]
    assert token.expires_at is not None
    assert found[0] not in str(list(AuditEntry.objects.values()))
    for wrong, said in (
        ({"role": "admin"}, "not above your own"),
        ({"scopes": []}, "at least one"),
        ({"scopes": ["all"]}, "Choose of the list"),
        ({"role": "viewer"}, "takes a member’s token"),
        ({"lives": "9999"}, "Select a valid choice"),
    ):
        answer = client.post("/settings/account/tokens", {**body, **wrong})
        assert answer.status_code == 422
        assert said in answer.content.decode()
    assert AccessToken.objects.count() == 1


def test_admins_see_and_revoke_every_token_of_their_organisation_only(cast: Cast) -> None:  # noqa: F811
    mine, _ = access.create_token("of mia", "member", cast.mia, cast.larkfield)
    alone, _ = access.create_token("of nobody", "viewer", None, cast.larkfield)
    foreign, _ = access.create_token("of otto", "viewer", cast.otto, cast.other)
    admin = signed_in(cast.ada)
    shown = admin.get("/settings/tokens").content.decode()
    assert [name in shown for name in ("of mia", "of nobody", "of otto")] == [True, True, False]
    assert admin.post(f"/settings/tokens/{foreign.pk}/revoke").status_code == 404
    assert signed_in(cast.mia).post(f"/settings/tokens/{alone.pk}/revoke").status_code == 404
    assert signed_in(cast.vic).post(f"/settings/account/tokens/{mine.pk}/revoke").status_code == 404
    assert admin.post(f"/settings/tokens/{mine.pk}/revoke").status_code == 302
    assert list(AccessToken.objects.filter(revoked_at=None)) == [alone, foreign]


def test_name_and_time_zone_are_ones_own(cast: Cast) -> None:  # noqa: F811
    client = signed_in(cast.vic)
    assert client.post("/settings/account", {"name": "Vic", "time_zone": "Europe/Berlin"}).status_code == 302
    assert "Times in Europe/Berlin" in client.get("/settings/account").content.decode()
    assert client.post("/settings/account", {"name": "Vic", "time_zone": "Mars/Olympus"}).status_code == 422
    entry = AuditEntry.objects.latest("pk")
    assert (entry.before, entry.after) == ({"name": "", "time zone": ""}, {"name": "Vic", "time zone": "Europe/Berlin"})


# The organisation and the instance


def test_an_admin_changes_the_organisation(cast: Cast) -> None:  # noqa: F811
    body = {"name": "Larkfield AG", "time_zone": "Europe/Zurich", "display_currency": "USD"}
    assert signed_in(cast.ada).post("/settings/organisation", body).status_code == 302
    cast.larkfield.refresh_from_db()
    assert (cast.larkfield.name, cast.larkfield.time_zone) == ("Larkfield AG", "Europe/Zurich")
    refused = signed_in(cast.ada).post("/settings/organisation", {**body, "display_currency": "XXX"})
    assert refused.status_code == 422
    assert signed_in(cast.mia).post("/settings/organisation", body).status_code == 404


def test_a_closed_account_is_out_at_once_and_can_be_opened_again(cast: Cast) -> None:  # noqa: F811
    vic, root = signed_in(cast.vic), signed_in(cast.root)
    _, secret = access.create_token("ci", "viewer", cast.vic, cast.larkfield)
    root.post(f"/settings/instance/people/{cast.vic.pk}", {"do": "close"})
    assert latest() == ("root@larkfield.example", "closed an account", "vic@larkfield.example")
    assert vic.get("/settings/account")["Location"].startswith("/sign-in")
    assert access.token_for_secret(secret) is None
    assert not BrowserSession.objects.filter(person=cast.vic).exists()
    assert Client().post("/sign-in", {"email": cast.vic.email, "password": PASSWORD}).status_code == 422
    root.post(f"/settings/instance/people/{cast.vic.pk}", {"do": "open"})
    assert Client().post("/sign-in", {"email": cast.vic.email, "password": PASSWORD}).status_code == 302


def test_the_instance_keeps_an_administrator(cast: Cast) -> None:  # noqa: F811
    root = signed_in(cast.root)
    for do in ("close", "lower"):
        assert root.post(f"/settings/instance/people/{cast.root.pk}", {"do": do}).status_code == 422
    with pytest.raises(access.Refused, match="last administrator"):
        access.set_instance_admin(cast.root, False)
    with pytest.raises(access.Refused, match="last administrator"):
        access.set_active(cast.root, False)
    root.post(f"/settings/instance/people/{cast.ada.pk}", {"do": "raise"})
    access.set_instance_admin(cast.root, False)
    assert root.get("/settings/instance").status_code == 404


def test_an_instance_admin_makes_and_renames_organisations_and_adopts_only_orphans(cast: Cast) -> None:  # noqa: F811
    root = signed_in(cast.root)
    for _ in range(2):
        root.post("/settings/instance/organisations", {"new_name": "Newfield"})
    assert list(Organisation.objects.filter(name="Newfield").order_by("pk").values_list("slug", flat=True)) == [
        "newfield",
        "newfield-2",
    ]
    root.post(f"/settings/instance/organisations/{cast.other.pk}", {"name": "Otherwise"})
    cast.other.refresh_from_db()
    assert (cast.other.name, cast.other.slug) == ("Otherwise", "other")
    assert root.post(f"/settings/instance/organisations/{cast.other.pk}/adopt").status_code == 404
    assert not access.may(cast.root, "viewer", cast.other)
    access.set_active(cast.otto, False)
    assert root.post(f"/settings/instance/organisations/{cast.other.pk}/adopt").status_code == 302
    assert access.may(cast.root, "admin", cast.other)


def test_a_lost_password_is_mended_by_a_link_that_is_shown_once(cast: Cast) -> None:  # noqa: F811
    answer = signed_in(cast.root).post(f"/settings/instance/people/{cast.vic.pk}/link")
    found = re.search(r"/sign-in/link/([\w-]+)", answer.content.decode())
    assert found
    assert access.use_sign_in_link(found[1]) == cast.vic
    assert found[1] not in str(list(AuditEntry.objects.values()))


# The password's throttle


def test_an_address_that_tries_many_accounts_waits_for_all_of_them(
    cast: Cast,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dashboards.access.passwords.TRIES_OF_ADDRESS", 4)
    for number in range(4):
        Client().post("/sign-in", {"email": f"guess{number}@x.example", "password": "x"}, REMOTE_ADDR="192.0.2.1")
    body = {"email": cast.vic.email, "password": PASSWORD}
    assert Client().post("/sign-in", body, REMOTE_ADDR="192.0.2.1").status_code == 429
    assert Client().post("/sign-in", body, REMOTE_ADDR="192.0.2.2").status_code == 302


def test_an_account_that_is_tried_from_everywhere_waits(
    cast: Cast,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dashboards.access.passwords.TRIES_OF_ACCOUNT", 3)
    for number in range(3):
        body = {"email": cast.vic.email, "password": "x"}
        Client().post("/sign-in", body, REMOTE_ADDR=f"192.0.2.{number}")
    body = {"email": cast.vic.email, "password": PASSWORD}
    assert Client().post("/sign-in", body, REMOTE_ADDR="198.51.100.1").status_code == 429
    SignInFailure.objects.update(failed_at=timezone.now() - access.PAUSE)
    assert Client().post("/sign-in", body, REMOTE_ADDR="198.51.100.1").status_code == 302


def test_who_exists_is_told_neither_by_words_nor_by_skipped_work(
    cast: Cast,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed: list[str] = []
    from django.contrib.auth.hashers import MD5PasswordHasher

    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    Person.objects.create_user("linked@larkfield.example")  # comes in by links, has no password
    Person.objects.create_user("gone@larkfield.example", PASSWORD, is_active=False)
    hashed.clear()
    answers = set()
    for name in ("vic", "nobody", "linked", "gone"):
        email = f"{name}@larkfield.example"
        answer = Client().post("/sign-in", {"email": email, "password": "x"}, REMOTE_ADDR="192.0.2.1")
        said = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode().replace(email, "E"))
        answers.add((answer.status_code, said))
    assert len(answers) == 1
    assert len(hashed) == 4  # one hash each, of whatever there is


# The command


def test_a_person_made_by_command_has_a_role_and_a_link_that_works_once(cast: Cast) -> None:  # noqa: F811
    out = StringIO()
    call_command("create_person", "Grace@x.example", organisation="larkfield", role="member", stdout=out)
    person = access.use_sign_in_link(out.getvalue().strip().rpartition("/")[2])
    assert person is not None
    assert (person.email, person.is_instance_admin) == ("grace@x.example", False)
    assert access.may(person, "member", cast.larkfield)
    assert not access.may(person, "viewer", cast.other)
    assert latest() == ("command line", "made a person", "grace@x.example")
    call_command("create_person", "iris@x.example", instance_admin=True, stdout=StringIO())
    assert Person.objects.get(email="iris@x.example").is_instance_admin
    for wrong, said in (
        ({"organisation": "larkfield"}, "Say which role"),
        ({"organisation": "nowhere", "role": "viewer"}, "There is no organisation"),
        ({"role": "viewer"}, "several organisations"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command("create_person", "x@x.example", stdout=StringIO(), **wrong)
    assert not Person.objects.filter(email="x@x.example").exists()
