"""A month of an OpenAI organisation through its API and the importer of its pages: sums are right after each pull."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import Sum

from tests.pricing.loopback import LOOPBACK, serving
from tests.usage.factories import make_organisation
from tests.usage.vendor import NOW, OpenAI, Row, day
from usage import connections
from usage.models import Connection, DailyCost, Pull, UsageRecord
from usage.pulling import running

pytestmark = pytest.mark.django_db


def completion(tokens: int, project: str = "proj_a", model: str = "gpt-5.5-2026-04-23") -> Row:
    return {
        "input_tokens": tokens, "input_cached_tokens": tokens // 4, "output_tokens": 10, "num_model_requests": 1,
        "project_id": project, "user_id": None, "api_key_id": "key_a", "model": model, "service_tier": "default",
    }  # fmt: skip


def embedding(tokens: int) -> Row:
    return {"input_tokens": tokens, "num_model_requests": 1, "project_id": "proj_a", "model": "text-embedding-3-small"}


@pytest.fixture
def vendor() -> OpenAI:
    usage = {("completions", day(n)): [completion(1_000 * n), completion(40, "proj_b")] for n in range(1, 18)}
    return OpenAI(usage | {("embeddings", day(3)): [embedding(500)]})


@pytest.fixture
def connection(vendor: OpenAI, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> Iterator[Connection]:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    settings.DATA_DIR, settings.PRIVATE_HOSTS = tmp_path, (LOOPBACK,)
    with serving(vendor, tls=False) as server:
        base = {"base_url": f"http://{LOOPBACK}:{server.port}"}
        yield connections.connect(make_organisation(), "openai_usage", "Acme", "sk-admin-0123456789", settings=base,
                                  first_days=17)  # fmt: skip


def pull(connection: Connection, days: int | None = None) -> Pull:
    found = connections.start(connection, days, "ada")
    running.advance(found)
    connection.refresh_from_db()
    return found


def inputs(connection: Connection) -> int:
    """Every input token in the ledger, which is what the rollup says too."""
    sums = {"a": Sum("in_uncached"), "b": Sum("in_cache_read"), "c": Sum("in_cache_write")}
    told = [
        sum(value or 0 for value in rows.filter(connection_id=connection.pk).aggregate(**sums).values())
        for rows in (UsageRecord.objects.all(), DailyCost.objects.all())
    ]
    assert told[0] == told[1]
    return int(told[0])


def truth(vendor: OpenAI) -> int:
    return sum(result["input_tokens"] for results in vendor.usage.values() for result in results)


def test_a_month_is_right_after_a_break_on_page_3_a_restatement_a_changed_grouping_and_a_vanished_series(
    connection: Connection, vendor: OpenAI
) -> None:
    vendor.script = {3: lambda exchange: exchange.answer(b"", 401)}
    assert (pull(connection).status, inputs(connection)) == ("failed", 0)
    first = pull(connection)
    assert (first.status, inputs(connection)) == ("done", truth(vendor))
    assert [series for series, _ in vendor.asked[:6]] == ["completions"] * 6
    assert vendor.asked[3][1]["page"] == ["8"]

    for number in (15, 16, 17):  # the vendor restates three days
        vendor.usage["completions", day(number)] = [completion(1_000 * number + 7), completion(40, "proj_b")]
    assert (pull(connection).status, inputs(connection)) == ("done", truth(vendor))

    rows = UsageRecord.objects.count()
    connections.change(connection, settings=connection.settings | {"group_by": ["model"]})
    assert (pull(connection, days=17).status, inputs(connection)) == ("done", truth(vendor))
    assert UsageRecord.objects.count() == rows - 17  # two projects a day are one row now

    del vendor.usage["embeddings", day(3)]
    assert (pull(connection, days=17).status, inputs(connection)) == ("done", truth(vendor))
    assert not UsageRecord.objects.filter(dimension__operation="embeddings").exists()


def test_a_series_an_installation_does_not_have_is_none(connection: Connection, vendor: OpenAI) -> None:
    vendor.absent = ("web_search_calls", "file_search_calls")
    assert (pull(connection).status, inputs(connection)) == ("done", truth(vendor))
    vendor.absent = ("embeddings",)
    assert pull(connection).status == "failed"
