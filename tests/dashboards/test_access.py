from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.http import Http404
from django.test import RequestFactory
from django.utils import timezone

from dashboards import access
from dashboards.models import AccessToken, Membership, Person, Role, SignInFailure, SignInLink
from usage.models import Organisation, Project

pytestmark = pytest.mark.django_db
HASH = "a" * 64


@pytest.fixture
def larkfield() -> Organisation:
    return Organisation.objects.create(slug="larkfield", name="Larkfield", time_zone="Europe/Berlin")


@pytest.fixture
def other() -> Organisation:
    return Organisation.objects.create(slug="other", name="Other")


@pytest.fixture
def claims(larkfield: Organisation) -> Project:
    return Project.objects.create(organisation=larkfield, slug="claims", name="Claims triage")


@pytest.fixture
def ada() -> Person:
    return Person.objects.create_user("ada@larkfield.example", name="Ada")


@pytest.fixture
def charlie() -> Person:
    """Belongs to nothing and must see nothing."""
    return Person.objects.create_user("charlie@elsewhere.example", name="Charlie")


def request_of(person: Person, **session: Any) -> Any:
    request: Any = RequestFactory().get("/")
    request.user, request.session = person, SessionStore()
    request.session.update(session)
    return request


# The database keeps what must hold


def test_an_address_belongs_to_one_person_whatever_its_case(ada: Person) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.create_user("ADA@Larkfield.example")
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.filter(pk=ada.pk).update(email="Ada@larkfield.example")
    assert Person.objects.get_by_natural_key(" ADA@larkfield.example") == ada


def test_a_person_has_one_role_in_one_place(ada: Person, larkfield: Organisation, claims: Project) -> None:
    for project in (None, claims):
        Membership.objects.create(person=ada, organisation=larkfield, project=project, role="viewer")
        with pytest.raises(IntegrityError), transaction.atomic():
            Membership.objects.create(person=ada, organisation=larkfield, project=project, role="admin")


def test_the_database_refuses_an_unknown_role(ada: Person, larkfield: Organisation) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(person=ada, organisation=larkfield, role="owner")
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessToken.objects.create(name="x", role="owner", prefix="rc_", sha256=HASH)


def test_the_database_refuses_a_secret_in_place_of_its_hash(ada: Person) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessToken.objects.create(name="x", role="viewer", prefix="rc_", sha256="rc_plain")
    with pytest.raises(IntegrityError), transaction.atomic():
        SignInLink.objects.create(person=ada, sha256="plain", expires_at=tomorrow)


def test_the_database_refuses_what_expires_before_it_begins(ada: Person) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessToken.objects.create(name="x", role="viewer", prefix="rc_", sha256=HASH, expires_at=yesterday)
    with pytest.raises(IntegrityError), transaction.atomic():
        SignInLink.objects.create(person=ada, sha256=HASH, expires_at=yesterday)


# The first person and one-time links


def secret_of(link: str | None) -> str:
    assert link is not None
    return link.rpartition("/")[2]


def test_the_first_start_makes_an_administrator_and_a_link() -> None:
    link = access.first_sign_in_link("http://127.0.0.1:8000/")
    assert link is not None
    assert link.startswith("http://127.0.0.1:8000/sign-in/link/")
    person = access.use_sign_in_link(secret_of(link))
    assert person is not None
    assert (person.email, person.is_instance_admin) == ("admin@localhost", True)
    assert not person.has_usable_password()


def test_a_later_start_gives_a_fresh_link_that_ends_the_old_one() -> None:
    first, second = access.first_sign_in_link("http://a"), access.first_sign_in_link("http://a")
    assert access.use_sign_in_link(secret_of(first)) is None
    assert access.use_sign_in_link(secret_of(second)) == Person.objects.get()


def test_once_somebody_has_a_password_no_start_gives_a_link(ada: Person) -> None:
    access.set_password(ada, "a sentence to remember")
    assert access.first_sign_in_link("http://a") is None


def test_a_restart_does_not_reopen_a_closed_first_account() -> None:
    access.first_sign_in_link("http://a")
    Person.objects.update(is_active=False)
    assert access.first_sign_in_link("http://a") is None


def test_a_link_works_once_and_only_within_its_life(ada: Person) -> None:
    secret = secret_of(access.sign_in_link(ada, "http://a"))
    assert access.sign_in_link_lives(secret)
    assert access.use_sign_in_link(secret) == ada
    assert not access.sign_in_link_lives(secret)
    assert access.use_sign_in_link(secret) is None
    late = secret_of(access.sign_in_link(ada, "http://a"))
    past = timezone.now() - timedelta(days=2)
    SignInLink.objects.filter(used_at=None).update(created_at=past, expires_at=past + timedelta(days=1))
    assert access.use_sign_in_link(late) is None


def test_a_link_of_somebody_who_left_is_dead(ada: Person) -> None:
    secret = secret_of(access.sign_in_link(ada, "http://a"))
    Person.objects.update(is_active=False)
    assert access.use_sign_in_link(secret) is None


def test_the_secret_of_a_link_is_kept_nowhere(ada: Person) -> None:
    secret = secret_of(access.sign_in_link(ada, "http://a"))
    assert len(secret) >= 43
    assert secret not in str(SignInLink.objects.values().get())


# Passwords and the pause


def test_five_failures_pause_an_address_even_for_the_right_password(ada: Person) -> None:
    access.set_password(ada, "right password 1")
    request = RequestFactory().post("/sign-in", REMOTE_ADDR="192.0.2.1")
    left = [access.sign_in(request, "ADA@larkfield.example", "wrong").tries_left for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    assert access.sign_in(request, "ada@larkfield.example", "right password 1").is_paused
    elsewhere = RequestFactory().post("/sign-in", REMOTE_ADDR="192.0.2.2")
    assert access.sign_in(elsewhere, "ada@larkfield.example", "right password 1").person == ada


def test_the_pause_ends_after_fifteen_minutes(ada: Person) -> None:
    access.set_password(ada, "right password 1")
    request = RequestFactory().post("/sign-in")
    for _ in range(7):
        access.sign_in(request, ada.email, "wrong")
    SignInFailure.objects.update(failed_at=timezone.now() - access.PAUSE)
    assert access.sign_in(request, ada.email, "right password 1").person == ada
    assert not SignInFailure.objects.exists()


def test_an_unknown_address_is_answered_as_a_known_one() -> None:
    request = RequestFactory().post("/sign-in")
    assert access.sign_in(request, "nobody@nowhere.example", "x") == access.PasswordTry(None, 4)


# Organisations and roles


def test_each_role_includes_the_lesser_ones(ada: Person, larkfield: Organisation) -> None:
    access.grant(ada, "member", larkfield)
    assert [access.may(ada, role, larkfield) for role in Role.values] == [True, True, False]
    access.grant(ada, "admin", larkfield)
    assert access.may(ada, "admin", larkfield)


def test_a_role_in_a_project_is_none_in_its_organisation(ada: Person, larkfield: Organisation, claims: Project) -> None:
    access.grant(ada, "admin", larkfield, claims)
    assert access.may(ada, "admin", larkfield, claims)
    assert not access.may(ada, "viewer", larkfield)
    assert list(access.organisations_of(ada)) == [larkfield]
    Project.objects.create(organisation=larkfield, slug="search", name="Policy search")
    assert list(access.projects_seen(ada, larkfield)) == [claims]
    access.grant(ada, "viewer", larkfield)
    assert access.projects_seen(ada, larkfield).count() == 2


def test_an_instance_administrator_sees_no_usage_by_that_alone(larkfield: Organisation, ada: Person) -> None:
    access.grant(ada, "viewer", larkfield)
    root = Person.objects.create_superuser("root@localhost")
    assert not access.may(root, "viewer", larkfield)
    assert access.join_orphan_organisations(root) == []


def test_another_organisation_is_404(
    ada: Person, charlie: Person, larkfield: Organisation, other: Organisation, claims: Project
) -> None:
    access.grant(ada, "admin", larkfield)
    for role in Role.values:
        assert not access.may(charlie, role, larkfield)
        assert not access.may(charlie, role, larkfield, claims)
    assert not access.may(ada, "viewer", other, claims)
    assert access.current_organisation(request_of(charlie)) is None
    with pytest.raises(Http404):
        access.require(charlie, "viewer", larkfield)
    with pytest.raises(Http404):
        access.require(ada, "viewer", None)
    with pytest.raises(Http404):
        access.choose_organisation(request_of(ada), str(other.pk))
    with pytest.raises(ValueError, match="not a project of"):
        access.grant(ada, "viewer", other, claims)


def test_the_session_chooses_and_a_lost_membership_falls_back(
    ada: Person, larkfield: Organisation, other: Organisation
) -> None:
    access.grant(ada, "viewer", larkfield)
    membership = access.grant(ada, "viewer", other)
    assert access.current_organisation(request_of(ada)) == larkfield
    assert access.current_organisation(request_of(ada, organisation=str(other.pk))) == other
    membership.delete()
    assert access.current_organisation(request_of(ada, organisation=str(other.pk))) == larkfield


def test_an_administrator_joins_only_organisations_without_members(
    ada: Person, larkfield: Organisation, other: Organisation
) -> None:
    access.grant(ada, "viewer", other)
    root = Person.objects.create_superuser("root@localhost")
    assert access.join_orphan_organisations(ada) == []
    assert len(access.join_orphan_organisations(root)) == 1
    assert access.may(root, "admin", larkfield)
    assert not access.may(root, "viewer", other)


# Tokens


def test_a_token_is_found_by_its_header_and_kept_only_as_a_hash(larkfield: Organisation, ada: Person) -> None:
    access.grant(ada, "member", larkfield)
    token, secret = access.create_token("ci", "member", ada, larkfield)
    assert secret.startswith(token.prefix)
    assert secret not in str(AccessToken.objects.values().get())
    assert access.token_for_header(f"Bearer {secret}") == token
    assert access.token_for_header(f"bearer  {secret} ") == token
    assert access.person_for_token(secret) == ada
    assert access.token_may(token, "viewer")
    assert not access.token_may(token, "admin")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic abc", "Bearer rc_nonsense", "Bearer a b"])
def test_any_other_header_is_nobody(header: str | None) -> None:
    assert access.token_for_header(header) is None


def test_a_token_ends_by_time_by_hand_and_with_its_person(ada: Person) -> None:
    soon = timezone.now() + timedelta(hours=1)
    expiring, first = access.create_token("a", "viewer", expires_at=soon)
    revoked, second = access.create_token("b", "viewer")
    _, third = access.create_token("c", "viewer", ada)
    access.revoke_token(revoked)
    Person.objects.update(is_active=False)
    past = timezone.now() - timedelta(days=1)
    AccessToken.objects.filter(pk=expiring.pk).update(created_at=past - timedelta(days=1), expires_at=past)
    assert [access.token_for_secret(secret) for secret in (first, second, third)] == [None, None, None]


def test_use_is_noted_to_the_minute() -> None:
    token, secret = access.create_token("a", "viewer")
    assert access.token_for_secret(secret) is not None
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None
    access.token_for_secret(secret)
    token.refresh_from_db()
    assert token.last_used_at == first


def test_a_bad_role_or_a_past_end_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="choose viewer, member or admin"):
        access.create_token("a", "owner")
    with pytest.raises(ValueError, match="choose a later date"):
        access.create_token("a", "viewer", expires_at=datetime(2020, 1, 1, tzinfo=UTC))


def test_the_command_prints_only_the_secret_and_takes_the_only_organisation(larkfield: Organisation) -> None:
    out, told = StringIO(), StringIO()
    call_command("create_token", "ci", "--role", "viewer", stdout=out, stderr=told)
    token = access.token_for_secret(out.getvalue().strip())
    assert token is not None
    assert token.organisation == larkfield
    assert "viewer of Larkfield" in told.getvalue()
    call_command("create_token", "ci", "--role", "viewer", "--scope", "spend:read", stdout=StringIO())
    assert AccessToken.objects.latest("pk").scopes == ["spend:read"]


def test_the_command_asks_which_of_several_organisations(larkfield: Organisation, other: Organisation) -> None:
    with pytest.raises(CommandError, match="several organisations") as refused:
        call_command("create_token", "ci", "--role", "viewer")
    assert refused.value.returncode == 2
    call_command("create_token", "ci", "--role", "viewer", "--organisation", "other", stdout=StringIO())
    assert AccessToken.objects.get().organisation == other


def test_the_link_command_makes_somebody_new_and_refuses_no_address() -> None:
    out = StringIO()
    call_command("sign_in_link", "Grace@Larkfield.example", "--base-url", "https://r.example", stdout=out)
    person = access.use_sign_in_link(secret_of(out.getvalue().strip()))
    assert person is not None
    assert (person.email, person.is_instance_admin) == ("grace@larkfield.example", False)
    with pytest.raises(CommandError, match="is not an e-mail address"):
        call_command("sign_in_link", "grace")
