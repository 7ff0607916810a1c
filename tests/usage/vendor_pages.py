"""Pages as the usage and cost APIs of OpenAI and Anthropic answer, with a default for all a test does not speak of."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from usage.importers import Outcome, all_importers

Json = dict[str, Any]


def day(number: int) -> datetime:
    """A day of October 2026, the first of November being 32."""
    return datetime(2026, 10, 1, tzinfo=UTC) + timedelta(days=number - 1)


def completion(**fields: Any) -> Json:
    """A result of OpenAI's completions usage; its uncached input is what is left of the input."""
    found = {
        "object": "organization.usage.completions.result",
        "input_tokens": 0,
        "input_cached_tokens": 0,
        "input_cache_write_tokens": 0,
        "output_tokens": 0,
        "num_model_requests": 1,
        **dict.fromkeys(("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")),
        **fields,
    }
    left = found["input_tokens"] - (found["input_cached_tokens"] or 0) - (found["input_cache_write_tokens"] or 0)
    return {"input_uncached_tokens": left} | found


def openai_cost(value: object, **fields: Any) -> Json:
    """A result of OpenAI's costs."""
    found = {"object": "organization.costs.result", "amount": {"value": value, "currency": "usd"}}
    return found | dict.fromkeys(("line_item", "project_id", "api_key_id", "quantity")) | fields


def openai_bucket(start: datetime, *results: Json, width: timedelta = timedelta(days=1)) -> Json:
    ends = start + width
    return {
        "object": "bucket",
        "start_time": int(start.timestamp()),
        "end_time": int(ends.timestamp()),
        "results": list(results),
    }


def messages(**fields: Any) -> Json:
    """A result of Anthropic's messages usage."""
    dimensions = ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo")
    return {
        "uncached_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
        "output_tokens": 0,
        "server_tool_use": {"web_search_requests": 0},
        **dict.fromkeys(dimensions),
        **fields,
    }


def anthropic_cost(amount: object, **fields: Any) -> Json:
    """A result of Anthropic's cost report: the amount is in cents."""
    names = ("description", "cost_type", "token_type", "model", "service_tier", "context_window", "workspace_id")
    return {"amount": amount, "currency": "USD", **dict.fromkeys(names), **fields}


def anthropic_bucket(start: datetime, *results: Json, width: timedelta = timedelta(days=1)) -> Json:
    ends = start + width
    return {"starting_at": start.isoformat(), "ending_at": ends.isoformat(), "results": list(results)}


def page(buckets: Iterable[Json], *, more: bool = False) -> Json:
    return {"data": list(buckets), "has_more": more, "next_page": "page_next" if more else None}


def pull(buckets: list[Json], size: int) -> list[Json]:
    """The pages of one pull, so many buckets each."""
    parts = [buckets[at : at + size] for at in range(0, len(buckets), size)]
    return [page(part, more=number < len(parts)) for number, part in enumerate(parts, 1)]


def body(*documents: Any) -> bytes:
    """Documents one after the other, as a program that pulls writes them."""
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def read(slug: str, *documents: Any, mapping: Json | None = None) -> list[Outcome]:
    """What an importer makes of documents."""
    importer: Any = all_importers()[slug]
    return list(importer.parse(importer.split(io.BytesIO(body(*documents))), "origin", mapping))
