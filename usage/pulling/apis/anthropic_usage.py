"""Anthropic's usage report: `GET /v1/organizations/usage_report/messages`, in buckets of a UTC day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from usage.pulling import Ask
from usage.pulling.apis._pages import by_next_page

SLUG = "anthropic_usage"
NAME = "Anthropic usage"
BASE_URL = "https://api.anthropic.com"
KEY = "an admin key (sk-ant-admin…)"
KEY_FROM = "https://platform.claude.com/settings/admin-keys"
PERMISSION = (
    "create an admin key (sk-ant-admin…) as an admin of the organisation; ordinary API keys and individual accounts"
    " cannot read the usage report"
)
DAYS = 31
BACK = 365
LAG = timedelta(hours=1)
WHOLE_DAYS = True
GROUPS = (
    "api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo", "account_id",
    "service_account_id",
)  # fmt: skip
# The last two are for organisations that sign in by account; an API that does not know them refuses the page.
GROUPED = GROUPS[:6]


def headers(key: str) -> dict[str, str]:
    return {"x-api-key": key, "anthropic-version": "2023-06-01"}


def asks(since: datetime, until: datetime, group_by: Sequence[str]) -> list[Ask]:
    return [Ask("/v1/organizations/usage_report/messages", days(since, until, group_by))]


def days(since: datetime, until: datetime, group_by: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The query for the UTC days of a window."""
    return (
        ("starting_at", f"{since:%Y-%m-%dT%H:%M:%SZ}"),
        ("ending_at", f"{until:%Y-%m-%dT%H:%M:%SZ}"),
        ("bucket_width", "1d"),
        ("limit", "31"),
        *(("group_by[]", name) for name in group_by),
    )


def following(ask: Ask, page: Any) -> Ask | None:
    return by_next_page(ask, page)
