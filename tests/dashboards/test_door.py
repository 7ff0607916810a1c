from collections.abc import Sequence
from decimal import Decimal as D
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from dashboards import access
from dashboards.models import Person, SignInLink
from dashboards.views import door
from usage.models import Organisation

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.dashboards.parts")]
PASSWORD = "a sentence to remember"


@pytest.fixture
def ada() -> Person:
    return Person.objects.create_user("ada@larkfield.example", PASSWORD, is_instance_admin=True)


def post(client: Client, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/sign-in", {"email": "Ada@Larkfield.example", "password": password, **more})


def test_the_right_password_opens_the_overview(client: Client, ada: Person) -> None:
    answer = post(client)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(ada.pk)


def test_an_administrator_looks_after_organisations_nobody_has(client: Client, ada: Person) -> None:
    larkfield = Organisation.objects.create(slug="larkfield", name="Larkfield")
    post(client)
    assert access.may(ada, "admin", larkfield)


@pytest.mark.parametrize(
    ("wanted", "gone_to"),
    [
        ("/models?q=gpt", "/models?q=gpt"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_after_signing_in_nobody_is_sent_elsewhere(client: Client, ada: Person, wanted: str, gone_to: str) -> None:
    assert post(client, next=wanted)["Location"] == gone_to
    assert client.get("/sign-in", {"next": wanted})["Location"] == gone_to


def test_a_wrong_password_says_how_many_tries_are_left(client: Client, ada: Person) -> None:
    answer = post(client, "wrong")
    assert answer.status_code == 422
    assert "That password does not match this e-mail. Four tries left" in answer.content.decode()
    assert 'value="wrong"' not in answer.content.decode()


def test_the_sixth_try_waits(client: Client, ada: Person) -> None:
    for _ in range(5):
        answer = post(client, "wrong")
    assert "Wait 15 minutes" in answer.content.decode()
    answer = post(client)
    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"
    assert "_auth_user_id" not in client.session


def test_opening_a_link_does_not_use_it(client: Client, ada: Person) -> None:
    link = access.sign_in_link(ada, "")
    for _ in range(3):
        assert client.get(link).status_code == 200
        assert client.head(link).status_code == 200
    assert SignInLink.objects.get().used_at is None
    assert client.post(link)["Location"] == "/sign-in/password"
    assert client.post(link).status_code == 410


def test_after_a_link_one_sets_a_password_once(client: Client, ada: Person) -> None:
    client.post(access.sign_in_link(ada, ""))
    refused = client.post("/sign-in/password", {"password": "short"})
    assert refused.status_code == 422
    assert "at least 10" in refused.content.decode()
    answer = client.post("/sign-in/password", {"password": "another long sentence"})
    assert answer["Location"] == "/"
    assert client.session["_auth_user_id"] == str(ada.pk)  # still signed in
    ada.refresh_from_db()
    assert ada.check_password("another long sentence")
    assert client.get("/sign-in/password")["Location"] == "/sign-in"


def test_the_password_may_be_skipped(client: Client, ada: Person) -> None:
    client.post(access.sign_in_link(ada, ""))
    assert client.post("/sign-in/password", {"password": "", "skip": "1"})["Location"] == "/"
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_a_session_alone_does_not_set_a_password(client: Client, ada: Person) -> None:
    client.force_login(ada)
    client.post("/sign-in/password", {"password": "another long sentence"})
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_signing_out_takes_a_post(client: Client, ada: Person) -> None:
    client.force_login(ada)
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out")["Location"] == "/sign-in"
    assert "_auth_user_id" not in client.session


def test_every_change_needs_the_forms_token(ada: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    assert post(client).status_code == 403
    assert client.post(access.sign_in_link(ada, "")).status_code == 403
    client.force_login(ada)
    assert client.post("/sign-out").status_code == 403


def test_choosing_an_organisation_that_is_not_mine_is_404(client: Client, ada: Person) -> None:
    mine = Organisation.objects.create(slug="mine", name="Mine")
    other = Organisation.objects.create(slug="other", name="Other")
    access.grant(ada, "viewer", mine)
    client.force_login(ada)
    assert client.post("/organisation", {"organisation": str(mine.pk)}).status_code == 302
    assert client.post("/organisation", {"organisation": str(other.pk)}).status_code == 404
    assert client.post("/organisation", {"organisation": "1 OR 1"}).status_code == 404


def test_the_card_shows_prices_where_the_catalogue_is_public(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    rows = [SimpleNamespace(name="Gemini 4 Argon", input=D("2"), output=D("10"))]

    def card_rows() -> Sequence[Any]:
        return rows

    monkeypatch.setattr(door, "card_rows", card_rows)
    settings.PUBLIC_CATALOG = True
    assert "$10.00" in client.get("/sign-in").content.decode()
    settings.PUBLIC_CATALOG = False
    assert "$10.00" not in client.get("/sign-in").content.decode()


def test_a_private_catalogue_asks_to_sign_in(client: Client, settings: Any) -> None:
    settings.PUBLIC_CATALOG = False
    assert client.get("/parts?q=1")["Location"] == "/sign-in?next=/parts%3Fq%3D1"
    settings.PUBLIC_CATALOG = True


def test_pages_of_the_door_are_not_kept(client: Client) -> None:
    assert "no-store" in client.get("/sign-in")["Cache-Control"]


def test_the_frame_of_a_page_costs_five_queries(client: Client, ada: Person, django_assert_num_queries: Any) -> None:
    mine = Organisation.objects.create(slug="mine", name="Mine", is_sample=True)
    access.grant(ada, "viewer", mine)
    client.force_login(ada)
    # Session, person, their organisations, when prices were read, when usage came in.
    with django_assert_num_queries(5):
        shown = client.get("/nowhere").content.decode()
    assert '<span class="badge sample">Sample</span>' in shown
    assert "prices and ratings are real" in shown
