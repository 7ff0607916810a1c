"""What is sent, and how it is signed. Pure.

Slack shows `text` and `blocks` and keeps `metadata`, which is the stable part for programs.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dashboards.alerts.words import Told

SIGNATURE: Final = "X-Ratecard-Signature"
EVENT: Final = "X-Ratecard-Event"
VERSION: Final = 1
LONGEST: Final = 3000
"""Characters that Slack takes in a section; with one more it refuses the message."""


def body_of(
    event_id: str, organisation: str, key: str, told: Told, opened_at: datetime, base_url: str,
    data: Mapping[str, Any],
) -> str:  # fmt: skip
    """The JSON of one alert. Fields are added, never renamed or taken away, within a version."""
    url = f"{base_url}{told.url}"
    head, link = f"*{_plain(told.title)}*\n", f"\n<{url}|{_plain(told.action)}>"
    said = head + _plain(told.text)[: max(LONGEST - len(head) - len(link), 0)] + link
    event = {
        "version": VERSION, "id": event_id, "kind": told.kind, "key": key, "organisation": organisation,
        "title": told.title, "text": told.text, "url": url, "opened_at": opened_at.isoformat(), "data": dict(data),
    }  # fmt: skip
    return json.dumps(
        {
            "text": f"{_plain(told.title)}: {_plain(told.text)} {url}",
            "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": said}}],
            "metadata": {"event_type": "ratecard_alert", "event_payload": event},
        },
        ensure_ascii=False,
        sort_keys=True,
    )


def signature(secrets: Sequence[str], timestamp: int, body: bytes) -> str:
    """`t=1764158400,v1=…`: HMAC-SHA256 of `t.body` in hexadecimal, one `v1` for each secret that holds."""
    signed = f"{timestamp}.".encode() + body
    made = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={one}" for one in made)])


def _plain(text: str) -> str:
    """Slack reads these three signs as its own: docs.slack.dev, "Formatting message text"."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
