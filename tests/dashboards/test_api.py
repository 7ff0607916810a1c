"""The HTTP API: what it answers, whom it answers, and how it says no."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from config.api import api, files
from dashboards import access
from dashboards.api import auth, health, limits
from dashboards.models import Person
from pricing import catalog
from pricing.answers import kept
from pricing.models import Price, PriceEvent, Score
from tests.usage.conftest import import_facts, organisation  # noqa: F401 - fixtures
from tests.usage.factories import make_card, make_fact, make_offering, make_organisation, make_project, make_rule
from usage.models import Organisation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

SOL = "/api/v1/price?provider=openai&sku=gpt-5.6-sol&at=2026-08-23&tier=standard"
CATALOGUE = [
    SOL,
    "/api/v1/price-history?provider=openai&sku=gpt-5.6-sol",
    "/api/v1/prices?limit=1",
    "/api/v1/resolve?name=gpt-4o",
    "/api/v1/models?limit=1",
    "/api/v1/models/gpt-4o",
    "/api/v1/changes?limit=1",
    "/api/v1/frontier",
    "/api/v1/price-index?threshold=1400",
    "/api/v1/ladder?model=gpt-4o",
    "/api/v1/self-host?at=2024-09-05",
    "/export/litellm.json",
    "/export/litellm-inexpressible.json",
    "/feeds/prices.atom?limit=1",
]


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet() -> Iterator[None]:
    cache.clear()
    limits.forget()
    yield
    cache.clear()
    limits.forget()


@pytest.fixture
def a_second_later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What this process saw of the catalogue's version and of tokens is a second old."""

    def pass_() -> None:
        now = time.monotonic() + 1
        monkeypatch.setattr(time, "monotonic", lambda: now)

    return pass_


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def secret() -> str:
    return access.create_token("reader", "viewer")[1]


class TestAnswers:
    def test_a_price_is_what_the_command_says(self, client: Client) -> None:
        answer = client.get(SOL).json()
        amounts = {p["unit"]: p["usd_per_mtok"] for p in answer["offerings"][0]["prices"] if not p["context_from"]}
        assert (answer["status"], amounts["input"], amounts["output"]) == ("priced", "4", "20")

    def test_a_sku_may_hold_slashes_and_colons(self, client: Client) -> None:
        asked = {"provider": "bedrock", "sku": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}
        answer = client.get("/api/v1/price", asked).json()
        assert answer["offerings"][0]["sku"] == "regional.anthropic.claude-sonnet-4-5-20250929-v1:0"
        assert client.get("/api/v1/price", {"provider": "openrouter", "sku": "openai/gpt-4o"}).json()["offerings"]

    def test_unknown_is_an_answer_not_an_error(self, client: Client) -> None:
        response = client.get("/api/v1/price", {"provider": "anthropic", "sku": "claude-sonnet-4-99999999"})
        assert (response.status_code, response.json()["status"]) == (200, "unknown")

    def test_pages_follow_each_other(self, client: Client) -> None:
        seen: list[str] = []
        cursor: str | None = None
        for _ in range(3):
            asked = {"limit": "2", "from": "2026-08-01", "until": "2026-09-01"}
            if cursor:
                asked["cursor"] = cursor
            page = client.get("/api/v1/changes", asked).json()
            seen += [str(change) for change in page["changes"]]
            cursor = page["next"]
        assert len(seen) == len(set(seen)) == 6

    @pytest.mark.parametrize("url", [url for url in CATALOGUE if "atom" not in url and "litellm.json" not in url])
    def test_every_answer_has_the_shape_the_document_says(self, client: Client, url: str) -> None:
        from ninja import Schema

        operation = next(
            operation
            for router in [*api._get_bound_routers(), *files._get_bound_routers()]
            for view in router.path_operations.values()
            for operation in view.operations
            if operation.operation_id == _operation_id(url)
        )
        model = operation.response_models[200]
        assert issubclass(model, Schema)
        answer = client.get(url).json()
        told = model.model_validate({"response": answer}).model_dump(mode="json")["response"]
        assert told == answer

    @pytest.mark.parametrize("url", CATALOGUE)
    def test_the_same_question_again_touches_no_database(
        self, client: Client, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch, url: str
    ) -> None:
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now)  # the export itself may take a second
        first = client.get(url)
        with django_assert_num_queries(0):
            assert client.get(url).content == first.content

    def test_a_second_later_the_version_is_looked_up_again_and_nothing_else(
        self, client: Client, django_assert_num_queries: Any, a_second_later: Callable[[], None]
    ) -> None:
        client.get(SOL)
        a_second_later()
        with django_assert_num_queries(1):
            client.get(SOL)


def _operation_id(url: str) -> str:
    path = url.removeprefix("/api/v1/").partition("?")[0]
    if path.startswith("/export/"):
        return "export_litellm_inexpressible"
    return "model" if path.startswith("models/") else path.replace("-", "_")


class TestCopies:
    @pytest.mark.parametrize("url", CATALOGUE)
    def test_a_copy_that_still_holds_is_304(self, client: Client, url: str) -> None:
        for _ in range(2):  # an answer about now grows old with the minute, and a minute may end in between
            first = client.get(url)
            again = client.get(url, headers={"If-None-Match": first["ETag"]})
            if again.status_code == 304:
                break
        assert "max-age=60" in first["Cache-Control"]
        assert (again.status_code, again.content) == (304, b"")
        # They would replace what the copy came with: its kind, and the policy of its own where it has one.
        assert not {"Content-Type", "Content-Security-Policy"} & {*again.headers}

    def test_a_304_touches_no_database(self, client: Client, django_assert_num_queries: Any) -> None:
        etag = client.get(SOL)["ETag"]
        with django_assert_num_queries(0):
            assert client.get(SOL, headers={"If-None-Match": etag}).status_code == 304

    def test_a_copy_that_was_compressed_on_its_way_holds_as_well(self, client: Client) -> None:
        packed = client.get(SOL, headers={"Accept-Encoding": "gzip"})
        assert packed["ETag"].startswith('W/"')
        assert client.get(SOL, headers={"If-None-Match": packed["ETag"]}).status_code == 304

    def test_another_question_has_another_etag(self, client: Client) -> None:
        etags = {client.get(SOL)["ETag"], client.get(SOL + "&context=1")["ETag"]}
        assert len(etags) == 2

    def test_a_reading_ends_every_copy_within_a_second(
        self, client: Client, a_second_later: Callable[[], None]
    ) -> None:
        etag = client.get(SOL)["ETag"]
        body = b"<html>"
        outcome = catalog.record("model_prices", body, observed_at=datetime(2026, 11, 20, tzinfo=UTC))
        assert outcome.status == "failed"
        a_second_later()
        assert client.get(SOL, headers={"If-None-Match": etag}).status_code == 200


class TestTokens:
    @pytest.mark.parametrize("url", CATALOGUE)
    def test_a_public_catalogue_needs_none_and_a_private_one_does(
        self, client: Client, settings: Any, secret: str, url: str
    ) -> None:
        assert client.get(url).status_code == 200
        settings.PUBLIC_CATALOG = False
        refused = client.get(url)
        assert (refused.status_code, refused["Content-Type"]) == (401, "application/problem+json")
        assert refused["WWW-Authenticate"] == "Bearer"
        allowed = client.get(url, headers=bearer(secret))
        assert allowed.status_code == 200
        assert "private" in allowed["Cache-Control"]

    def test_a_signed_in_reader_needs_none(self, client: Client, settings: Any) -> None:
        settings.PUBLIC_CATALOG = False
        client.force_login(Person.objects.create_user("a@example.org"))
        assert client.get(SOL).status_code == 200

    @pytest.mark.parametrize("header", ["Bearer wrong", "Bearer", "Basic x", "Bearer a\x00b", ""])
    def test_a_wrong_token_is_refused_even_where_none_is_needed(self, client: Client, header: str) -> None:
        assert client.get(SOL, headers={"Authorization": header}).status_code == 401

    def test_an_expired_or_revoked_token_is_refused(self, client: Client) -> None:
        token, told = access.create_token("t", "viewer", expires_at=datetime.now(UTC) + timedelta(days=1))
        access.revoke_token(token)
        assert client.get(SOL, headers=bearer(told)).status_code == 401

    def test_a_revoked_token_ends_within_a_second(
        self, client: Client, django_assert_num_queries: Any, a_second_later: Callable[[], None]
    ) -> None:
        token, told = access.create_token("t", "viewer")
        client.get(SOL, headers=bearer(told))
        with django_assert_num_queries(0):
            assert client.get(SOL, headers=bearer(told)).status_code == 200
        access.revoke_token(token)
        a_second_later()
        assert client.get(SOL, headers=bearer(told)).status_code == 401

    def test_a_token_ends_at_its_time_even_where_it_was_just_found_live(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told = access.create_token("t", "viewer", expires_at=datetime.now(UTC) + timedelta(days=1))[1]
        client.get(SOL, headers=bearer(told))
        kept_token = auth.believed(f"Bearer {told}")
        assert kept_token is not None
        kept_token.expires_at = datetime.now(UTC)
        assert auth.believed(f"Bearer {told}") is None

    def test_who_tries_too_many_wrong_ones_has_to_wait(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(auth, "WRONG_TOKENS", 2)
        statuses = [client.get(SOL, headers=bearer("wrong")).status_code for _ in range(3)]
        assert statuses == [401, 401, 429]
        assert client.get(SOL).status_code == 200


class TestSpend:
    def test_it_needs_a_token_of_an_organisation(self, client: Client, secret: str) -> None:
        assert client.get("/api/v1/spend").status_code == 401
        refused = client.get("/api/v1/spend", headers=bearer(secret))
        assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")
        assert "--organisation" in refused.json()["detail"]

    def test_it_is_the_tokens_organisation_and_no_other(self, client: Client) -> None:
        mine, theirs = make_organisation("mine"), make_organisation("theirs")
        for one in (mine, theirs):
            secret = access.create_token("t", "viewer", organisation=one)[1]
            answer = client.get("/api/v1/spend?group_by=project", headers=bearer(secret))
            assert answer.json()["organisation"] == one.slug
            assert answer["Cache-Control"] == "private, no-store"

    def test_a_person_of_one_project_sees_that_project(
        self,
        client: Client,
        import_facts: Any,  # noqa: F811 - fixtures
        organisation: Organisation,  # noqa: F811 - fixtures
    ) -> None:
        own, other = make_project(organisation, "own"), make_project(organisation, "other")
        make_rule(organisation, [{"field": "path", "op": "equals", "value": "/own"}], {own.pk: "1"})
        make_rule(organisation, [{"field": "path", "op": "equals", "value": "/other"}], {other.pk: "1"})
        make_card(make_offering())
        import_facts([make_fact("a", path="/own"), make_fact("b", path="/other"), make_fact("c")])
        person = Person.objects.create_user("b@example.org")
        access.grant(person, "viewer", organisation, own)
        totals = {}
        for whose in (person, None):
            secret = access.create_token("t", "viewer", person=whose, organisation=organisation)[1]
            answer = client.get("/api/v1/spend?group_by=project", headers=bearer(secret)).json()
            totals[whose] = (answer["total"]["requests"], {group["project"] for group in answer["groups"]})
        assert totals == {person: (1, {"own"}), None: (3, {"own", "other", None})}

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ("from=2026-01-01T00:00:00Z", "from"),
            ("from=never", "from"),
            ("from=2026-02-01&until=2026-02-01", "until must be after from"),
            ("group_by=colour", "Nothing is grouped by"),
            ("grouped=project", "is not asked here"),
        ],
    )
    def test_a_bad_question_gets_a_sentence(self, client: Client, query: str, sentence: str) -> None:
        secret = access.create_token("t", "viewer", organisation=make_organisation())[1]
        response = client.get(f"/api/v1/spend?{query}", headers=bearer(secret))
        assert response.status_code == 422
        assert sentence in response.json()["detail"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("url", "status", "sentence"),
        [
            ("/api/v1/price", 422, "provider"),
            ("/api/v1/price?provider=openai&sku=a%00b", 422, "sign"),
            ("/api/v1/price?provider=openai&sku=x&at=2026-13-01", 422, "not a date"),
            ("/api/v1/price?provider=openai&sku=x&at=2026-01-01T00:00:00", 422, "no time zone"),
            ("/api/v1/price?provider=openai&sku=x&context=-1", 422, "context"),
            ("/api/v1/price?provider=openai&sku=x&context=99999999999999999999999", 422, "context"),
            ("/api/v1/price?provider=openai&sku=" + "x" * 500, 422, "sku"),
            ("/api/v1/prices?provdier=openai", 422, "'provdier' is not asked here"),
            ("/api/v1/price?provider=openai&sku=x&sku=y", 422, "sku is given 2 times"),
            ("/api/v1/prices?at=2026-11-01&at=2026-11-02", 422, "at is given 2 times"),
            ("/api/v1/prices?limit=0", 422, "limit"),
            ("/api/v1/prices?limit=501", 422, "limit"),
            ("/api/v1/prices?cursor=nonsense", 422, "cursor"),
            ("/api/v1/changes?by=guess", 422, "by"),
            ("/api/v1/changes?source=rumours", 422, "there are:"),
            ("/api/v1/changes?from=2026-02-01&until=2026-01-01", 422, "until must be after from"),
            ("/api/v1/frontier?benchmark=none", 422, "there are: aider"),
            ("/api/v1/frontier?mix=1", 422, "token mix"),
            ("/api/v1/frontier?provider=nobody", 422, "There is no provider 'nobody'; there are: ai21, alibaba, "),
            ("/api/v1/frontier?maker=nobody", 422, "There is no maker 'nobody'; there are: "),
            ("/api/v1/frontier?region=zz", 422, "There is no region 'zz'; there are: apac, ca, eu, "),
            ("/api/v1/frontier?modality=image", 422, "there are: audio_in, audio_out, image_in, "),
            ("/api/v1/price-index?benchmark=none", 422, "there are: aider"),
            ("/api/v1/price-index?category=none", 422, "it has: "),
            ("/api/v1/price-index?mix=1", 422, "token mix"),
            ("/api/v1/price-index?threshold=high", 422, "no number"),
            ("/api/v1/price-index?level=100", 422, "no level"),
            ("/api/v1/price-index?sellers=mine", 422, "sellers"),
            ("/api/v1/ladder?person=nobody", 422, "is one of call-centre"),
            ("/api/v1/ladder?person=tutoring&rate=much", 422, "USD an hour"),
            ("/api/v1/ladder?model=no-such-model", 422, "finds the right slug"),
            ("/api/v1/ladder?m=gpt-4o", 422, "'m' is not asked here"),
            ("/api/v1/self-host?load=0", 422, "Highest load"),
            ("/api/v1/self-host?run=none", 422, "no published run"),
            ("/api/v1/models/no-such-model", 404, "No model has this slug"),
            ("/api/v1/models/a%00b", 422, "sign"),
            ("/api/v1/nothing", 404, "openapi.json"),
            ("/api/nothing", 404, "openapi.json"),
            ("/export/nothing", 404, "openapi.json"),
            ("/export/litellm.json?provider=openai", 422, "'provider' is not asked here"),
            ("/feeds/prices.atom?cursor=nonsense", 422, "cursor"),
            ("/api/v1/", 404, "openapi.json"),
        ],
    )
    def test_each_says_in_a_sentence_what_to_do(self, client: Client, url: str, status: int, sentence: str) -> None:
        response = client.get(url)
        assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
        problem = response.json()
        assert set(problem) >= {"type", "title", "status", "detail", "instance"}
        assert problem["status"] == status
        assert sentence in problem["detail"]

    @pytest.mark.parametrize("method", ["put", "patch", "delete", "post"])
    def test_a_method_it_does_not_take_is_405_with_those_it_does(self, client: Client, method: str) -> None:
        response = getattr(client, method)("/api/v1/prices")
        assert (response.status_code, response["Allow"]) == (405, "GET")
        assert response["Content-Type"] == "application/problem+json"


class TestHealth:
    @pytest.fixture(autouse=True)
    def _look_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "_migrated", False)

    def test_up_asks_no_database(self, client: Client, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            assert client.get("/healthz").json() == {"status": "up"}

    def test_ready_with_catalogue_and_quality(self, client: Client) -> None:
        response = client.get("/readyz")
        assert (response.status_code, response.json()["missing"]) == (200, [])
        assert response.json()["counts"]["offerings"] > 2000

    def test_not_ready_says_what_is_missing(self, client: Client) -> None:
        Score.objects.all().delete()
        Price.objects.update(superseded_at=datetime.now(UTC))
        response = client.get("/readyz")
        assert response.status_code == 503
        assert [sentence.split()[1] for sentence in response.json()["missing"]] == ["prices", "quality"]

    def test_not_ready_with_migrations_to_apply(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "_pending_migrations", lambda: 3)
        response = client.get("/readyz")
        assert response.status_code == 503
        assert "3 migrations" in response.json()["missing"][0]


class TestPages:
    def test_changes_lose_and_repeat_nothing_whatever_comes_in_meanwhile(self, client: Client) -> None:
        window = {"provider": "anthropic", "limit": "37"}

        def walk(meanwhile: Callable[[], Any]) -> list[str]:
            told: list[str] = []
            cursor: str | None = ""
            while cursor is not None:
                page = client.get("/api/v1/changes", window | ({"cursor": cursor} if cursor else {})).json()
                told += [json.dumps(change) for change in page["changes"]]
                cursor = page["next"]
                meanwhile()
                kept.forget()
            return told

        def one_more() -> None:
            first = PriceEvent.objects.filter(offering__provider__slug="anthropic").order_by("observed_at")[0]
            first.pk, first.new = None, Decimal(1000 + PriceEvent.objects.count())
            first.observed_at -= timedelta(days=1)
            first.save(force_insert=True)

        expected = walk(lambda: None)
        assert len(set(expected)) == len(expected) == PriceEvent.objects.filter(
            offering__provider__slug="anthropic"
        ).count()  # fmt: skip
        assert walk(one_more) == expected

    @pytest.mark.parametrize("path", ["prices", "changes", "models"])
    def test_the_next_page_is_linked(self, client: Client, path: str) -> None:
        first = client.get(f"/api/v1/{path}?limit=2")
        linked = re.fullmatch(r'<(.+)>; rel="next"', first["Link"])
        assert linked is not None
        second = client.get(linked[1]).json()
        assert second == client.get(f"/api/v1/{path}", {"limit": "2", "cursor": first.json()["next"]}).json()
        assert second[path] != first.json()[path]

    @pytest.mark.parametrize("path", ["prices", "changes", "models"])
    def test_a_cursor_is_signed_and_continues_one_question_of_one_kind(self, client: Client, path: str) -> None:
        cursor = client.get(f"/api/v1/{path}?limit=2").json()["next"]
        place, _, signature = cursor.partition(".")
        forged = base64.urlsafe_b64encode(b"[7, null]").decode().rstrip("=")
        for wrong in (f"{forged}.{signature}", f"{place}.{signature[::-1]}", place, f"{cursor}x", "."):
            assert client.get(f"/api/v1/{path}", {"cursor": wrong}).status_code == 422
        for other in {"prices", "changes", "models"} - {path}:
            assert client.get(f"/api/v1/{other}", {"cursor": cursor}).status_code == 422
        assert client.get(f"/api/v1/{path}", {"cursor": cursor, "q": "x"}).status_code == 422
