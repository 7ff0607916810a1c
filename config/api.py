"""The HTTP API put together: routers, problems, and an OpenAPI document that says what really happens."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import URLPattern, URLResolver
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from dashboards.api import (
    bridge,
    catalogue,
    cost,
    evaluations,
    events,
    frontier,
    ladder,
    own_index,
    problem,
    recommendations,
    rules,
    self_host,
    spend,
)
from dashboards.api import files as file_views

VERSION = "1"


class Api(NinjaAPI):
    """NinjaAPI whose every refusal is problem JSON, in the answer and in the document."""

    def _get_urls(self) -> list[URLResolver | URLPattern]:
        patterns: list[URLResolver | URLPattern] = super()._get_urls()
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = problem.guarded(pattern.callback)
        return patterns

    def get_openapi_schema(self, **where: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**where)
        if self is api:
            _add(document, files.get_openapi_schema(path_prefix="/"))
        for operations in document["paths"].values():
            for operation in operations.values():
                _say_what_happens(operation)
        return document


def _add(document: OpenAPISchema, other: OpenAPISchema) -> None:
    """The other document's operations and shapes, so that one document tells all."""
    document["paths"] |= other["paths"]
    for kind, parts in other["components"].items():
        document["components"].setdefault(kind, {}).update(parts)


def _say_what_happens(operation: dict[str, Any]) -> None:
    if operation["operationId"] == "feed_prices":
        operation["responses"][200]["content"] = {"application/atom+xml": {"schema": {"type": "string"}}}
    for status, response in operation["responses"].items():
        if int(status) >= 400 and "application/json" in response.get("content", {}):
            response["description"] = problem.TITLES[int(status)]
            response["content"] = {problem.MEDIA_TYPE: response["content"]["application/json"]}
    if settings.PUBLIC_CATALOG and any("CatalogueBearer" in way for way in operation.get("security", ())):
        operation["security"] = [{}, *operation["security"]]


api = Api(
    title="Ratecard",
    version=VERSION,
    description="What LLM tokens cost, what yours cost. Money and prices are decimal strings; times are UTC; "
    "unknown is null, never 0. Errors are RFC 9457 problem JSON.",
    docs_url=None,
    openapi_url="openapi.json",
    urls_namespace="api",
)
problem.install(api)
api.add_router("", catalogue.router)
api.add_router("", cost.router)
api.add_router("", spend.router)
api.add_router("", frontier.router)
api.add_router("", ladder.router)
api.add_router("", self_host.router)
api.add_router("", own_index.router)
api.add_router("", bridge.router)
api.add_router("", evaluations.router)
api.add_router("", recommendations.router)
api.add_router("", events.router)
api.add_router("", rules.router)

files = Api(title="Ratecard", version=VERSION, docs_url=None, openapi_url=None, urls_namespace="files")
problem.install(files)
files.add_router("", file_views.router)
