"""What each API is asked, how its pages go on, and that what was said never reaches the spool."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from usage import connections
from usage.importers import all_importers
from usage.pulling import Ask, all_apis, spool

SINCE, UNTIL = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 4, tzinfo=UTC)
SLUGS = sorted(all_apis())
CANARY = "what-was-said-7731"


def asks(slug: str, group_by: list[str] | None = None) -> list[Ask]:
    api = all_apis()[slug]
    return api.asks(SINCE, UNTIL, list(api.GROUPED) if group_by is None else group_by)


@pytest.mark.parametrize("slug", SLUGS)
def test_an_api_declares_itself(slug: str) -> None:
    api = all_apis()[slug]
    assert api.__doc__
    assert api.NAME
    assert api.KEY
    assert api.PERMISSION
    assert api.BASE_URL == "" or api.BASE_URL.startswith("https://")
    assert 1 <= api.DAYS <= api.BACK
    assert timedelta(0) < api.LAG
    assert set(api.GROUPED) <= set(api.GROUPS)
    assert any("s3cret" in value or "s3cret" in decoded(value) for value in api.headers("s3cret:s3cret").values())


def decoded(header: str) -> str:
    return base64.b64decode(header.removeprefix("Basic ") + "==").decode(errors="replace")


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("page", [None, [], {}, {"data": None}, {"error": "no"}, 7])
def test_what_is_no_page_is_no_end_of_pages(slug: str, page: Any) -> None:
    with pytest.raises(ValueError, match="The answer"):
        all_apis()[slug].following(asks(slug)[0], page)


def test_only_what_an_importer_reads_can_be_connected() -> None:
    assert set(connections.available()) == set(SLUGS) & set(all_importers())


@pytest.mark.parametrize("slug", ["openai_usage", "openai_costs", "anthropic_usage", "anthropic_cost"])
def test_a_vendors_pages_go_on_by_their_cursor(slug: str) -> None:
    api, (ask, *_) = all_apis()[slug], asks(slug)
    following = api.following(ask, {"data": [], "has_more": True, "next_page": "abc"})
    assert following is not None
    assert (following.path, following.params) == (ask.path, (*ask.params, ("page", "abc")))
    assert api.following(following, {"data": [], "has_more": False, "next_page": None}) is None
    with pytest.raises(ValueError, match="not where"):
        api.following(ask, {"data": [], "has_more": True, "next_page": None})


def test_openai_is_asked_for_every_series_grouped_by_all_it_has() -> None:
    found = asks("openai_usage")
    completions = found[0]
    assert completions.path == "/v1/organization/usage/completions"
    assert completions.params[:2] == (("start_time", "1793491200"), ("end_time", "1793750400"))
    groups = [value for name, value in completions.params if name == "group_by"]
    assert groups == ["project_id", "user_id", "api_key_id", "model", "batch", "service_tier"]
    assert len({ask.path for ask in found}) == 10
    narrow = {ask.path.rsplit("/", 1)[1]: ask for ask in asks("openai_usage", ["model"])}
    assert [value for name, value in narrow["images"].params if name == "group_by"] == ["model", "size", "source"]


def test_openrouter_is_asked_day_by_day() -> None:
    assert [dict(ask.params)["date"] for ask in asks("openrouter_activity")] == [
        "2026-11-01",
        "2026-11-02",
        "2026-11-03",
    ]


def test_litellm_pages_are_counted() -> None:
    api, (ask,) = all_apis()["litellm_spend_logs"], asks("litellm_spend_logs")
    second = api.following(ask, {"data": [{}], "total_pages": 2})
    assert second is not None
    assert dict(second.params)["page"] == "2"
    assert api.following(second, {"data": [{}], "total_pages": 2}) is None


def test_langfuse_goes_on_by_cursor_and_is_not_asked_for_inputs() -> None:
    api, (ask,) = all_apis()["langfuse"], asks("langfuse")
    assert "io" not in dict(ask.params)["fields"].split(",")
    following = api.following(ask, {"data": [], "meta": {"cursor": "abc"}})
    assert following is not None
    assert dict(following.params)["cursor"] == "abc"
    assert api.following(ask, {"data": [], "meta": {}}) is None


LITELLM = {
    "request_id": "r1", "spend": "@0.00213450000000000001", "prompt_tokens": 6010, "startTime": "2026-09-01T10:00:00Z",
    "messages": [{"role": "user", "content": CANARY}], "response": {"choices": [CANARY]},
    "proxy_server_request": {"body": CANARY}, "request_tags": ["env:prod"],
    "metadata": {"user_api_key_alias": "search", "requester_metadata": {"a": CANARY}, "prompt": CANARY,
                 "usage_object": {"completion_tokens_details": {"text_tokens": 5}}, "status": "success"},
}  # fmt: skip
LANGFUSE = {
    "id": "obs-1", "type": "GENERATION", "input": CANARY, "output": {"text": CANARY},
    "usageDetails": {"input": 10, "output": 40, "total": 50}, "costDetails": {"input": "@0.00003"},
    "metadata": {"team": "search", "prompt": CANARY, "long": CANARY * 100}, "tags": ["ranker"],
}  # fmt: skip


@pytest.mark.parametrize(("slug", "record"), [("litellm_spend_logs", LITELLM), ("langfuse", LANGFUSE)])
def test_content_is_dropped_before_a_page_is_written_and_counts_are_not(slug: str, record: dict[str, Any]) -> None:
    body = re.sub(r'"@([\d.]+)"', r"\1", json.dumps({"data": [record], "total_pages": 1}))
    line = spool.line_of(body.encode(), spool.read(body.encode()), all_apis()[slug].kept)  # type: ignore[attr-defined]
    assert CANARY not in line.decode()
    (kept,) = json.loads(line, parse_float=Decimal)["data"]
    if slug == "langfuse":
        assert kept["usageDetails"] == record["usageDetails"]
        assert (kept["costDetails"], kept["metadata"]["team"]) == ({"input": Decimal("0.00003")}, "search")
    else:
        assert kept["spend"] == Decimal("0.00213450000000000001")
        assert kept["metadata"]["usage_object"] == record["metadata"]["usage_object"]


def test_a_page_is_spooled_as_it_came_on_one_line() -> None:
    body = b'{\r\n "data": [0.06, "a\\nb"]\n}'
    line = spool.line_of(body, spool.read(body), None)
    assert (line.count(b"\n"), json.loads(line)) == (1, json.loads(body))
