"""OpenRouter's activity: `GET /api/v1/activity`, the last 30 complete UTC days, unpaged, one day asked at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from usage.pulling import Ask
from usage.pulling.apis._pages import rows_of

SLUG = "openrouter_activity"
NAME = "OpenRouter activity"
BASE_URL = "https://openrouter.ai"
KEY = "a management key"
KEY_FROM = "https://openrouter.ai/settings/management-keys"
PERMISSION = "create a management key on that page: the keys that make requests cannot read the activity"
DAYS = 30
BACK = 30
LAG = timedelta(hours=1)
WHOLE_DAYS = True
GROUPS = ("workspace",)
GROUPED: tuple[str, ...] = ()


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def asks(since: datetime, until: datetime, group_by: Sequence[str]) -> list[Ask]:
    grouped = tuple(("group_by", name) for name in group_by)
    count = (until - since).days
    return [
        Ask("/api/v1/activity", (("date", f"{since + timedelta(days=day):%Y-%m-%d}"), *grouped)) for day in range(count)
    ]


def following(ask: Ask, page: Any) -> Ask | None:
    rows_of(page)
    return None
