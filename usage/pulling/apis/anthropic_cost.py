"""Anthropic's cost report: `GET /v1/organizations/cost_report`, what is billed, in buckets of a UTC day.

Without Priority Tier, which is bought apart. Amounts are cents; days without cost are sent as empty buckets.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from usage.pulling import Ask
from usage.pulling.apis._pages import by_next_page
from usage.pulling.apis.anthropic_usage import BASE_URL, KEY, KEY_FROM, PERMISSION, days, headers

__all__ = ["BASE_URL", "KEY", "KEY_FROM", "PERMISSION", "headers"]

SLUG = "anthropic_cost"
NAME = "Anthropic cost report"
DAYS = 31
BACK = 365
LAG = timedelta(hours=6)
WHOLE_DAYS = True
GROUPS = ("workspace_id", "description")
GROUPED = GROUPS


def asks(since: datetime, until: datetime, group_by: Sequence[str]) -> list[Ask]:
    return [Ask("/v1/organizations/cost_report", days(since, until, group_by))]


def following(ask: Ask, page: Any) -> Ask | None:
    return by_next_page(ask, page)
