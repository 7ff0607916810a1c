"""OpenAI's organisation usage: `GET /v1/organization/usage/{completions,embeddings,…}`, in buckets of a UTC day.

A day may go on on the next page, so pages belong together. All dimensions are null unless grouped by.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from usage.pulling import Ask
from usage.pulling.apis._pages import by_next_page

SLUG = "openai_usage"
NAME = "OpenAI usage"
BASE_URL = "https://api.openai.com"
KEY = "an admin key (sk-admin-…)"
KEY_FROM = "https://platform.openai.com/settings/organization/admin-keys"
PERMISSION = (
    "create an admin key (sk-admin-…) as an owner of the organisation, with the scope api.usage.read where its scopes"
    " are chosen; keys of projects and service accounts cannot read the organisation's usage"
)
DAYS = 31
BACK = 365
LAG = timedelta(hours=3)
WHOLE_DAYS = True
GROUPS = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")
GROUPED = GROUPS

_ALL = ("project_id", "user_id", "api_key_id", "model")
_SERIES: dict[str, tuple[str, ...]] = {
    "completions": GROUPS,
    "embeddings": _ALL,
    "moderations": _ALL,
    "images": (*_ALL, "size", "source"),
    "audio_speeches": _ALL,
    "audio_transcriptions": _ALL,
    "vector_stores": ("project_id",),
    "code_interpreter_sessions": ("project_id",),
    "file_search_calls": ("project_id", "user_id", "api_key_id", "vector_store_id"),
    "web_search_calls": (*_ALL, "context_level"),
}
_YOUNG = ("file_search_calls", "web_search_calls")


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def asks(since: datetime, until: datetime, group_by: Sequence[str]) -> list[Ask]:
    """Every series; what a person left out of the grouping is left out of each, its own dimensions stay."""
    found = []
    for series, own in _SERIES.items():
        groups = [name for name in own if name in group_by or name not in GROUPS]
        params = (
            ("start_time", f"{since.timestamp():.0f}"),
            ("end_time", f"{until.timestamp():.0f}"),
            ("bucket_width", "1d"),
            ("limit", "31"),
            *(("group_by", name) for name in groups),
        )
        found.append(Ask(f"/v1/organization/usage/{series}", params, optional=series in _YOUNG))
    return found


def following(ask: Ask, page: Any) -> Ask | None:
    return by_next_page(ask, page)
