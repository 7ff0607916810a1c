"""OpenAI's organisation costs: `GET /v1/organization/costs`, what is billed, in buckets of a UTC day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from usage.pulling import Ask
from usage.pulling.apis._pages import by_next_page
from usage.pulling.apis.openai_usage import BASE_URL, KEY, KEY_FROM, PERMISSION, headers

__all__ = ["BASE_URL", "KEY", "KEY_FROM", "PERMISSION", "headers"]

SLUG = "openai_costs"
NAME = "OpenAI costs"
DAYS = 90
BACK = 365
LAG = timedelta(hours=6)
WHOLE_DAYS = True
GROUPS = ("project_id", "line_item", "api_key_id")
GROUPED = GROUPS


def asks(since: datetime, until: datetime, group_by: Sequence[str]) -> list[Ask]:
    params = (
        ("start_time", f"{since.timestamp():.0f}"),
        ("end_time", f"{until.timestamp():.0f}"),
        ("bucket_width", "1d"),
        ("limit", "90"),
        *(("group_by", name) for name in group_by),
    )
    return [Ask("/v1/organization/costs", params)]


def following(ask: Ask, page: Any) -> Ask | None:
    return by_next_page(ask, page)
