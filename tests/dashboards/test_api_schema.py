"""The API against its own OpenAPI document: schemathesis asks what the document allows, and what it does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import CHECKS, load_all_checks

from config.wsgi import application
from dashboards import access
from tests.usage.factories import make_organisation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

load_all_checks()
schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application, headers={"Host": "localhost"})
# A moment, a name and a cursor follow rules that JSON Schema cannot state: what fits the schema may still be refused.
EXCLUDED = CHECKS.get_by_names(["positive_data_acceptance"])


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """As Django's own test client does: a request neither begins nor ends the test's connection."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def spend_token(db: None) -> str:
    return access.create_token("schemathesis", "admin", organisation=make_organisation())[1]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every parameter is tried with wrong tokens too: nobody waits here."""
    monkeypatch.setattr("dashboards.api.auth.WRONG_TOKENS", 100_000)


@schema.parametrize()
@hypothesis_settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_it_does_what_its_document_says(case: Any, spend_token: str) -> None:
    case.headers.update({"Host": "localhost", "Accept-Encoding": "identity"})  # the WSGI client does not unpack
    owned = (
        "/spend",
        "/own-index",
        "/bridge",
        "/recommendations",
        "/usage/events",
        "/projects",
        "/rules",
        "/rules/{rule_id}",
    )
    # As a header of the call, too, it is known to be right: schemathesis then asks without it and with a wrong one.
    own = {"Authorization": f"Bearer {spend_token}"} if case.operation.path.endswith(owned) else {}
    case.headers.update(own)
    case.call_and_validate(excluded_checks=EXCLUDED, headers=own)


EVERYWHERE = {"200", "400", "401", "403", "404", "405", "413", "422", "429"}


def test_the_document_is_openapi_31_and_names_every_problem(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for operation in operations.values():
            named = {"412", "428"} if any(one["name"] == "If-Match" for one in operation["parameters"]) else set()
            assert set(operation["responses"]) == EVERYWHERE | named
            for status, response in operation["responses"].items():
                answer = "application/atom+xml" if path.endswith(".atom") else "application/json"
                kind = answer if status == "200" else "application/problem+json"
                assert list(response["content"]) == [kind]


def test_the_document_says_when_no_token_is_needed(client: Client, settings: Any) -> None:
    def needs() -> dict[str, Any]:
        document = client.get("/api/v1/openapi.json").json()
        return {path: operations[0]["security"] for path, operations in _operations(document).items()}

    assert needs()["/api/v1/price"] == [{}, {"CatalogueBearer": []}]
    settings.PUBLIC_CATALOG = False
    assert needs()["/api/v1/price"] == [{"CatalogueBearer": []}]
    assert needs()["/api/v1/spend"] == [{"UsageBearer": []}]


AWKWARD_SKUS = [
    ("openrouter", "openai/gpt-4o:batch"),
    ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("bedrock", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"),
    ("cloudflare", "@cf/meta/llama-2-7b-chat-fp16"),
    ("together", "a/b/../c?d=e&f#g%2F"),
]


@pytest.mark.parametrize(("provider", "sku"), AWKWARD_SKUS)
@pytest.mark.parametrize("path", ["/api/v1/price", "/api/v1/price-history"])
def test_a_sku_with_slashes_and_colons_is_answered_as_the_document_says(path: str, provider: str, sku: str) -> None:
    case = schema[path]["GET"].Case(query={"provider": provider, "sku": sku})
    case.headers.update({"Host": "localhost", "Accept-Encoding": "identity"})
    response = case.call_and_validate(excluded_checks=EXCLUDED)
    assert (response.status_code, response.json()["name"]) == (200, sku)


def _operations(document: dict[str, Any]) -> dict[str, list[Any]]:
    return {path: list(operations.values()) for path, operations in document["paths"].items()}


def test_a_cost_and_a_spend_answer_have_the_documents_shape(client: Client, spend_token: str) -> None:
    assert settings.PUBLIC_CATALOG
    spent = client.get("/api/v1/spend?group_by=project,model", headers={"Authorization": f"Bearer {spend_token}"})
    assert spent.status_code == 200, spent.content
    assert spent.json()["total"]["list"] is None or spent.json()["total"]["list"] == "0"
