"""Files that other programs read as they are: LiteLLM's cost map, and price changes as an Atom feed."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from dashboards import feeds
from dashboards.api import schemas
from dashboards.api.auth import CatalogueBearer
from dashboards.api.caching import ATOM, answered, page_after
from dashboards.api.catalogue import Limit, Name, only
from dashboards.api.problem import documented
from pricing.answers import exports, listing
from pricing.answers.events import Asked, newest

router = Router(tags=["files"], auth=CatalogueBearer())


class Nothing(Schema):
    """No parameter is taken."""


class FeedQuestion(Schema):
    provider: Name | None = None
    model: Name | None = Field(None, description="A model's slug, or a name that resolves to it.")
    limit: Limit = listing.USUAL
    cursor: Annotated[str, Field(max_length=400)] | None = None


@router.get("/export/litellm.json", response=documented(dict[str, Any]), operation_id="export_litellm")
def litellm(request: HttpRequest) -> HttpResponse:
    """The prices in force in the shape of LiteLLM's cost map: name → entry."""
    only(request, Nothing)
    return answered(request, exports.litellm_map, holds="edge")


@router.get(
    "/export/litellm-inexpressible.json",
    response=documented(schemas.InexpressibleAnswer),
    operation_id="export_litellm_inexpressible",
)
def litellm_inexpressible(request: HttpRequest) -> HttpResponse:
    """What the cost map cannot say, and why: what LiteLLM would compute otherwise."""
    only(request, Nothing)
    return answered(request, exports.litellm_inexpressible, holds="edge")


@router.get("/feeds/prices.atom", response=documented(str), operation_id="feed_prices")
def prices(request: HttpRequest, asked: Query[FeedQuestion]) -> HttpResponse:
    """Accepted price changes, the one shown last first, as Atom 1.0; its `next` link is the older page."""
    only(request, FeedQuestion)

    def reply() -> bytes:
        events, following = newest(Asked(asked.provider, asked.model), asked.limit, asked.cursor)
        return feeds.price_feed(events, request.get_full_path(), following and page_after(request, following))

    return answered(request, reply, holds="version", media=ATOM)
