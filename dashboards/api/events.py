"""Usage events of programs; the organisation is the token's."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

import orjson
from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from dashboards.api.auth import WritingBearer, asking
from dashboards.api.problem import documented
from pricing.answers import BadQuestion
from usage.content import content_in
from usage.ingest import events as ingest
from usage.ingest.outcomes import as_json

router = Router(tags=["usage"], auth=WritingBearer())

SCOPE_LENGTH: Final = 200
_EXAMPLE: Final = {
    "id": "req-1", "at": "2026-11-01T09:30:00Z", "provider": "anthropic", "model": "claude-sonnet-4-5", "input": 1200,
    "cache_read": 30000, "cache_write": 0, "output": 800, "reasoning": 300, "project": "search",
}  # fmt: skip
_BODY: Final = {
    "type": "object",
    "required": ["events"],
    "additionalProperties": False,
    "properties": {
        "scope": {
            "type": ["string", "null"],
            "maxLength": SCOPE_LENGTH,
            "description": "What the events speak for: a service, a machine. Ids are unique in it. Default: the "
            "token's name.",
        },
        "events": {
            "type": "array",
            "minItems": 1,
            "maxItems": ingest.MOST,
            "items": {"description": "One usage event; docs/api.md lists its fields."},
            "examples": [[_EXAMPLE]],
        },
    },
}


class EventFault(Schema):
    """An event that was refused."""

    index: int = Field(description="Its place among the events, from 0.")
    id: str | None
    sentence: str


class EventsAnswer(Schema):
    """What became of every event: lines = imported + updated + duplicate + ignored + rejected."""

    status: str
    error: str
    lines: int
    imported: int
    updated: int = Field(description="Known events of which this is a greater revision.")
    duplicate: int
    withdrawn: int
    ignored: dict[str, int]
    rejected: dict[str, int] = Field(description="reason → events")
    unpriced: int
    unattributed: int
    errors: list[EventFault]


@router.post(
    "/usage/events",
    response=documented(EventsAnswer),
    operation_id="usage_events",
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": _BODY}}}},
)
def usage_events(request: HttpRequest) -> HttpResponse:
    """Up to 1,000 usage events, idempotent by id. A field that may hold a prompt or completion refuses the call."""
    token, organisation = asking(request)
    scope, events = _asked(request.body, token.name)
    batch = ingest.take(organisation, events, scope, f"token {token.name}"[:254])
    rows = batch.rejected_rows.order_by("line").values_list("line", "reason")
    errors = [{"index": line - 1, "id": _id(events[line - 1]), "sentence": reason} for line, reason in rows]
    response = HttpResponse(orjson.dumps(as_json(batch) | {"errors": errors}), content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response


def _asked(body: bytes, default_scope: str) -> tuple[str, list[Any]]:
    """The scope and the events of a body; refuses what is none, and content wherever it is."""
    try:
        asked = json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise HttpError(400, "no JSON") from None
    if not isinstance(asked, dict) or asked.keys() - {"scope", "events"}:
        raise BadQuestion("Send an object with events, and scope if you like.", "body")
    events, scope = asked.get("events"), asked.get("scope")
    if not isinstance(events, list) or not 1 <= len(events) <= ingest.MOST:
        raise BadQuestion(f"events is a list of 1 to {ingest.MOST:,} events: send more in several calls.", "events")
    if place := content_in(events, "events"):
        raise BadQuestion(
            f"{_printable(place)} may hold a prompt or a completion, and content is never taken: send counts and "
            "names only. Nothing of this call was imported.",
            "events",
        )
    if scope is not None and (not isinstance(scope, str) or len(scope) > SCOPE_LENGTH):
        raise BadQuestion(f"scope is a text of at most {SCOPE_LENGTH} characters.", "scope")
    return _printable(scope or "") or _printable(default_scope) or "events", events


def _printable(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable()).strip()


def _id(event: Any) -> str | None:
    found = event.get("id") if isinstance(event, dict) else None
    return _printable(found)[:200] if isinstance(found, str) else None


def _no_number(text: str) -> Any:
    raise ValueError(text)
