"""What counted tokens cost, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from django.http import HttpRequest, HttpResponse
from ninja import Body, Router, Schema
from pydantic import ConfigDict, Discriminator, Field, StrictInt, Tag

from dashboards.api import schemas
from dashboards.api.auth import CatalogueBearer
from dashboards.api.problem import documented
from pricing.answers import costs, moment
from pricing.answers.questions import MOST_TOKENS, BadQuestion

router = Router(tags=["cost"], auth=CatalogueBearer())

Count = Annotated[StrictInt, Field(ge=0, le=MOST_TOKENS)]
Name = Annotated[str, Field(max_length=400)]


class CostRequest(Schema):
    """Tokens of one request. Counts are disjoint; `reasoning` is part of `output`; null counts as nothing."""

    model_config = ConfigDict(extra="forbid")

    provider: Name | None = None
    model: Name | None = Field(None, description="A name as the provider reports it; or `sku`.")
    sku: Name | None = None
    region: Name | None = None
    service_tier: Name = "standard"
    at: Annotated[str, Field(max_length=40)] | None = Field(None, description="When it ran; default: now.")
    input: Count | None = Field(None, description="Input tokens not read from or written to a cache.")
    cache_read: Count | None = None
    cache_write: Count | None = Field(None, description="All cache writes; the map says how many of which lifetime.")
    cache_write_by_lifetime: dict[str, Count] = Field(
        default_factory=dict, max_length=20, description="Such as {'5m': 100, '1h': 20}."
    )
    output: Count | None = None
    reasoning: Count | None = None

    def usage(self, place: str) -> costs.Usage:
        """The same as the catalogue is asked; BadQuestion where it makes no sense."""
        name = self.sku or self.model
        if not name or (self.sku and self.model):
            raise BadQuestion(f"{place}: give model or sku, one of them.", place)
        counted = {
            "input": self.input,
            "cache_read": self.cache_read,
            "cache_write": self.cache_write,
            "output": self.output,
            "reasoning": self.reasoning,
        }
        return costs.Usage(
            name,
            self.provider,
            self.region,
            self.service_tier.strip().lower(),
            moment(self.at, f"{place}.at") if self.at is not None else None,
            costs.tokens(counted, self.cache_write_by_lifetime, where=place),
        )


class CostRequests(Schema):
    """Several requests at once; the costs come in the same order."""

    model_config = ConfigDict(extra="forbid")

    requests: list[CostRequest] = Field(min_length=1, max_length=costs.MOST)


def _shape(body: Any) -> str:
    return "many" if isinstance(body, CostRequests) or (isinstance(body, dict) and "requests" in body) else "one"


OneOrMany = Annotated[Annotated[CostRequest, Tag("one")] | Annotated[CostRequests, Tag("many")], Discriminator(_shape)]


@router.post("/cost", response=documented(schemas.OneCost | schemas.ManyCosts), operation_id="cost")
def cost(request: HttpRequest, asked: Body[OneOrMany]) -> HttpResponse:
    """The exact cost of one request's tokens, or of up to 1,000; null with the reason where a price is unknown."""
    if isinstance(asked, CostRequests):
        answer = costs.costs([one.usage(f"requests[{place}]") for place, one in enumerate(asked.requests)])
    else:
        found = costs.costs([asked.usage("request")])
        answer = {**found["costs"][0], "prices": found["prices"]}
    response = HttpResponse(orjson.dumps(answer), content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response
