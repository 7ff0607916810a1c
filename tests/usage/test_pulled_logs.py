"""Logs that hold what was said, through their API and their importer: the counts arrive, the words reach no disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db.models import Sum

from tests.pricing.loopback import LOOPBACK, Exchange, serving
from tests.usage.factories import make_organisation
from tests.usage.vendor import NOW
from usage import connections
from usage.models import Connection, Pull, UsageRecord
from usage.pulling import running, spool

pytestmark = pytest.mark.django_db
CANARY = "what-was-said-7731"


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    settings.DATA_DIR, settings.PRIVATE_HOSTS = tmp_path, (LOOPBACK,)


def litellm(exchange: Exchange) -> None:
    """Two pages a day of one call each."""
    query = parse_qs(urlsplit(exchange.path).query)
    day, page = query["start_date"][0][:10], int(query["page"][0])
    row = {
        "request_id": f"{day}-{page}", "call_type": "acompletion", "spend": 0.5, "prompt_tokens": 100,
        "completion_tokens": 10, "total_tokens": 110, "startTime": f"{day}T10:00:00Z", "endTime": f"{day}T10:00:02Z",
        "model": "gpt-5.5", "custom_llm_provider": "openai", "status": "success", "request_tags": ["env:prod"],
        "messages": [{"role": "user", "content": CANARY}], "response": {"text": CANARY},
        "metadata": {"user_api_key_alias": "search", "status": "success", "requester_metadata": {"note": CANARY}},
    }  # fmt: skip
    exchange.answer(json.dumps({"data": [row], "total": 2, "page": page, "page_size": 1, "total_pages": 2}).encode())


def langfuse(exchange: Exchange) -> None:
    """Two pages of one generation each."""
    cursor = parse_qs(urlsplit(exchange.path).query).get("cursor", [""])[0]
    observation = {
        "id": f"obs{cursor}", "projectId": "p", "type": "GENERATION", "startTime": "2026-11-17T10:00:00.000Z",
        "providedModelName": "gpt-5.5", "usageDetails": {"input": 100, "output": 10, "total": 110},
        "costDetails": {"total": 0.5}, "totalCost": 0.5, "input": CANARY, "output": {"text": CANARY},
        "metadata": {"team": "search", "prompt": CANARY}, "tags": ["ranker"],
        "createdAt": "2026-11-17T10:00:01.000Z", "updatedAt": "2026-11-17T10:00:02.000Z",
    }  # fmt: skip
    meta = {"cursor": None if cursor else "-2"}
    exchange.answer(json.dumps({"data": [observation], "meta": meta}).encode())


def pulled(connection: Connection) -> tuple[Pull, set[bytes]]:
    """The pull, and all that lay in the spool after any of its steps."""
    seen: set[bytes] = set()
    pull = connections.start(connection, requested_by="ada")
    while pull.is_open:
        running.advance(pull, seconds=0)
        seen |= {path.read_bytes() for path in spool.folder().iterdir()}
    return pull, seen


@pytest.mark.parametrize(
    ("importer", "respond", "key", "days", "records"),
    [("litellm_spend_logs", litellm, "sk-master-0123456789", 3, 8), ("langfuse", langfuse, "pk-lf-1:sk-lf-2345", 3, 2)],
)
def test_logs_are_pulled_page_by_page_without_what_was_said(
    importer: str, respond: Any, key: str, days: int, records: int
) -> None:
    with serving(respond, tls=False) as server:
        base = {"base_url": f"http://{LOOPBACK}:{server.port}"}
        connection = connections.connect(make_organisation(), importer, "Log", key, settings=base, first_days=days)
        pull, seen = pulled(connection)
        again = connections.start(connection, requested_by="ada")
        running.advance(again)
    assert (pull.status, again.status) == ("done", "done")
    rows = UsageRecord.objects.filter(connection_id=connection.pk)
    assert rows.count() == records
    assert rows.aggregate(sum=Sum("out_total"))["sum"] == 10 * records
    assert seen
    assert not [body for body in seen if CANARY.encode() in body]
    assert list(spool.folder().iterdir()) == []
