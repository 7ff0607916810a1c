"""Langfuse's observations: `GET /api/public/v2/observations`, by cursor. Inputs and outputs are not asked for.

The key is the pair of a project: `pk-lf-…:sk-lf-…`. Observations change after the fact: the days that are pulled
again bring what changed.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from usage.content import without_content
from usage.pulling import Ask
from usage.pulling.apis._pages import rows_of

SLUG = "langfuse"
NAME = "Langfuse"
BASE_URL = "https://cloud.langfuse.com"
KEY = "the project's public and secret key, joined by a colon (pk-lf-…:sk-lf-…)"
KEY_FROM = "https://cloud.langfuse.com"
PERMISSION = (
    "create a key pair in the project's settings and paste both as pk-lf-…:sk-lf-…; the base URL names its region"
)
DAYS = 7
BACK = 3_650
LAG = timedelta(minutes=10)
WHOLE_DAYS = False
GROUPS: tuple[str, ...] = ()
GROUPED: tuple[str, ...] = ()


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(key.encode()).decode()}"}


def asks(since: datetime, until: datetime, group_by: Sequence[str]) -> list[Ask]:
    params = (
        ("fields", "core,basic,model,usage,trace_context,metadata"),
        ("limit", "1000"),
        ("fromStartTime", f"{since:%Y-%m-%dT%H:%M:%SZ}"),
        ("toStartTime", f"{until:%Y-%m-%dT%H:%M:%SZ}"),
    )
    return [Ask("/api/public/v2/observations", params)]


def following(ask: Ask, page: Any) -> Ask | None:
    rows_of(page)
    meta = page.get("meta")
    cursor = meta.get("cursor") if isinstance(meta, dict) else None
    return ask.with_param("cursor", cursor) if isinstance(cursor, str) and cursor else None


def kept(page: Any) -> Any:
    """The observations alone, without content."""
    return {"data": without_content(rows_of(page))}
