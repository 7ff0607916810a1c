"""A LiteLLM proxy's spend logs: `GET /spend/logs/v2`, by page. What was said is dropped before anything is written.

Rows are written again when a batch settles: the days that are pulled again bring what changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from usage.content import without_content
from usage.pulling import Ask
from usage.pulling.apis._pages import rows_of

SLUG = "litellm_spend_logs"
NAME = "LiteLLM proxy"
BASE_URL = ""
KEY = "the proxy's master key, or a key of a proxy admin"
KEY_FROM = ""
PERMISSION = (
    "use the master key, or a key whose user is proxy_admin or proxy_admin_viewer; other keys see their own calls only"
)
DAYS = 1
BACK = 3_650
LAG = timedelta(minutes=10)
WHOLE_DAYS = False
GROUPS: tuple[str, ...] = ()
GROUPED: tuple[str, ...] = ()

_SIZE = 100  # what every version allows; the rows of a day are few pages more
_DROPPED = ("messages", "response", "proxy_server_request", "error_str", "error_information", "model_parameters",
            "requester_ip_address")  # fmt: skip
_DROPPED_METADATA = ("requester_metadata", "guardrail_information", "mcp_tool_call_metadata", "error_information")


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def asks(since: datetime, until: datetime, group_by: Sequence[str]) -> list[Ask]:
    params = (
        ("start_date", f"{since:%Y-%m-%d %H:%M:%S}"),
        ("end_date", f"{until:%Y-%m-%d %H:%M:%S}"),
        ("page_size", str(_SIZE)),
        ("page", "1"),
    )
    return [Ask("/spend/logs/v2", params)]


def following(ask: Ask, page: Any) -> Ask | None:
    rows = rows_of(page)
    number, last = dict(ask.params)["page"], page.get("total_pages")
    if not isinstance(last, int):
        raise ValueError(
            "The answer does not say how many pages there are: this LiteLLM is too old for /spend/logs/v2."
        )
    return ask.with_param("page", str(int(number) + 1)) if rows and int(number) < last else None


def kept(page: Any) -> Any:
    """The rows alone, without content."""
    return {"data": [_kept(row) for row in rows_of(page) if isinstance(row, dict)]}


def _kept(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = without_content({name: row[name] for name in row if name not in _DROPPED})
    if isinstance(metadata := found.get("metadata"), dict):
        found["metadata"] = {name: metadata[name] for name in metadata if name not in _DROPPED_METADATA}
    return found
