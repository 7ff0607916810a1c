"""OpenRouter's days and its generations: clamped caches, fees of own keys, days replaced whole, nothing twice."""

from __future__ import annotations

import io
import itertools
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.usage.factories import make_project, make_rule
from tests.usage.importers.logs import counts, fact, merged, no_content, read, rejected, sample
from usage import ingest, spending
from usage.importers import Covered, Fact
from usage.importers import openrouter_activity as activity
from usage.importers import openrouter_generations as generations
from usage.importers import openrouter_key_activity as of_keys
from usage.importers.csv import MappingError
from usage.models import Organisation, UsageRecord
from usage.verification import checks

ROW = {
    "date": "2026-09-01", "model": "openai/gpt-5-mini", "model_permaslug": "openai/gpt-5-mini-2025-08-07",
    "endpoint_id": "e-1", "provider_name": "OpenAI", "usage": 0.42, "byok_usage_inference": 0, "requests": 31,
    "prompt_tokens": 900, "completion_tokens": 120, "reasoning_tokens": 70, "cached_tokens": 400,
}  # fmt: skip
OF_KEY = {**ROW, "api_key_hash": "abc"}
GENERATION = {
    "id": "gen-1", "created_at": "2026-09-02T10:00:01.5+00:00", "model": "anthropic/claude-sonnet-4.5",
    "native_tokens_prompt": 1200, "native_tokens_cached": 1000, "native_tokens_completion": 90,
    "native_tokens_reasoning": 10, "tokens_prompt": 7, "tokens_completion": 8, "total_cost": 0.00225,
    "is_byok": False,
}  # fmt: skip


def day(number: int) -> datetime:
    return datetime(2026, 9, number, tzinfo=UTC)


# Days


def test_a_row_is_a_day_of_an_endpoint_and_its_prompt_includes_the_cache() -> None:
    found = fact(activity, ROW)
    assert counts(found) == (500, 400, None, 120, 70)
    assert (found.grain, found.occurred_at, found.period_end, found.requests) == ("1d", day(1), day(2), 31)
    assert (found.cost_reported, found.currency, found.dimension.host) == (Decimal("0.42"), "USD", "openrouter")


def test_a_days_bucket_is_not_one_long_request() -> None:
    found = fact(activity, {**ROW, "prompt_tokens": 1_000_000})
    assert (found.grain, found.context_tokens) == ("1d", None)  # so that it is rated at the base tier


def test_cached_tokens_of_replayed_hits_are_clamped_to_the_prompt() -> None:
    found = fact(activity, {**ROW, "cached_tokens": 950, "reasoning_tokens": 130})
    assert (counts(found), found.quality) == ((0, 900, None, 120, 120), ("cached_more_than_prompt",))
    assert fact(activity, {**ROW, "cached_tokens": None}).quality == ("cache_split_unknown",)


def test_with_ones_own_key_the_cost_is_the_fee_only_and_said_to_be() -> None:
    found = fact(activity, {**ROW, "byok_usage_inference": 0.9, "usage": 0.045})
    assert (found.cost_reported, found.quality) == (Decimal("0.045"), ("byok",))


def test_a_variant_is_sold_under_its_own_name() -> None:
    assert fact(activity, {**ROW, "model": "z-ai/glm-5:free"}).dimension.model_raw == "z-ai/glm-5:free"


@pytest.mark.parametrize("name", ["date", "model_permaslug", "endpoint_id", "workspace_id", "user_id"])
def test_every_dimension_tells_two_rows_apart_and_no_figure_does(name: str) -> None:
    for importer, row in ((activity, ROW), (of_keys, OF_KEY)):
        other = fact(importer, {**row, name: "2026-09-09" if name == "date" else "other"})
        assert other.record_key != fact(importer, row).record_key == fact(importer, {**row, "usage": 9}).record_key
    assert fact(of_keys, {**OF_KEY, "api_key_hash": "other"}).record_key != fact(of_keys, OF_KEY).record_key


def test_without_an_endpoint_two_upstreams_of_a_model_are_two_rows() -> None:
    one, other = ({**ROW, "endpoint_id": None, "provider_name": name} for name in ("OpenAI", "Azure"))
    assert fact(activity, one).record_key != fact(activity, other).record_key


def covered(rows: list[dict[str, Any]]) -> Covered | None:
    return activity.covered(io.BytesIO(json.dumps({"data": rows}).encode()))


def test_a_file_speaks_for_its_days() -> None:
    assert covered([{**ROW, "date": "2026-09-03"}, ROW]) == Covered(day(1), day(4))
    assert covered([]) is None
    assert covered([{**ROW, "date": "soon"}]) is None
    assert covered([ROW, {**ROW, "date": "0001-01-01T00:00:00+23:59"}]) is None


def test_a_file_of_keys_speaks_for_the_days_of_each_key_alone() -> None:
    rows = [OF_KEY, {**OF_KEY, "date": "2026-09-03"}, {**OF_KEY, "api_key_hash": "def"}]
    parts = of_keys.covered(io.BytesIO(json.dumps({"data": rows}).encode())) or []
    by_key = {part.keys: part for part in parts}
    spans = {}
    for row in rows:
        [part] = [part for keys, part in by_key.items() if fact(of_keys, row).record_key.startswith(keys)]
        spans[row["api_key_hash"]] = (part.window_from, part.window_until)
    assert spans == {"abc": (day(1), day(4)), "def": (day(1), day(2))}


def test_a_csv_by_day_is_read_as_the_answer_of_the_api() -> None:
    body = b"date,model,requests,prompt_tokens,completion_tokens,cost\n2026-09-01,m,3,900,120,0.42\n"
    [found] = read(activity, body)
    assert isinstance(found, Fact)
    assert (counts(found)[0], counts(found)[3], found.cost_reported) == (900, 120, Decimal("0.42"))


def test_days_and_generations_are_never_read_into_one_feed() -> None:
    with pytest.raises(MappingError, match="import it as OpenRouter generations"):
        read(activity, json.dumps({"data": GENERATION}).encode())
    with pytest.raises(MappingError, match="import it as OpenRouter activity"):
        read(generations, json.dumps({"data": [ROW]}).encode())
    assert "import it as OpenRouter generations" in rejected(of_keys, {"data": GENERATION})
    _, wrong = read(generations, json.dumps([GENERATION, ROW]).encode())
    assert "day's total" in wrong.reason  # type: ignore[union-attr]


def test_days_of_keys_and_of_the_account_are_never_read_into_one_feed() -> None:
    with pytest.raises(MappingError, match="import it as OpenRouter activity by key"):
        read(activity, json.dumps({"data": [OF_KEY]}).encode())
    assert "import it as OpenRouter activity, or put" in rejected(of_keys, {"data": [ROW]})
    export = b"date,model,api_key_name,requests,cost\n2026-09-01,m,,3,0.42\n"
    with pytest.raises(MappingError, match="import it as OpenRouter activity by key"):
        read(activity, export)
    [nobodys] = read(of_keys, export)
    assert isinstance(nobodys, Fact)
    assert nobodys.dimension.ext_api_key == ""
    _, wrong = read(activity, json.dumps([ROW, OF_KEY]).encode())
    assert "of one API key" in wrong.reason  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"date": "soon"}, "the date is no day"),
        ({"date": "1999-01-01"}, "the date is not between"),
        ({"model": "", "model_permaslug": ""}, "the row names no model"),
        ({"prompt_tokens": -1}, "a count is negative"),
        ({"prompt_tokens": None, "completion_tokens": None, "usage": None}, "the row has neither"),
    ],
)
def test_a_day_that_cannot_be_read_is_rejected_with_a_sentence(bad: dict[str, Any], reason: str) -> None:
    assert rejected(activity, {**ROW, **bad}).startswith(reason)


def live() -> dict[str, Decimal]:
    rows = UsageRecord.objects.values_list("occurred_at", "cost_reported")
    sums: dict[str, Decimal] = {}
    for when, cost in rows:
        sums[f"{when:%d}"] = sums.get(f"{when:%d}", Decimal(0)) + (cost or 0)
    return sums


@pytest.mark.django_db(transaction=True)
def test_a_day_that_is_answered_anew_replaces_what_was_said_of_it(organisation: Organisation, tmp_path: Path) -> None:
    def import_rows(*rows: dict[str, Any]) -> str:
        file = tmp_path / "page.json"
        file.write_text(json.dumps({"data": rows}))
        return str(ingest.import_paths(organisation, "openrouter_activity", [file], "account").status)

    second = {**ROW, "date": "2026-09-02", "usage": 1}
    assert import_rows(ROW, second) == "done"
    assert live() == {"01": Decimal("0.42"), "02": Decimal(1)}
    # The day is asked for by workspace, with a lower figure: other keys, and a smaller sum.
    parts = [{**ROW, "usage": 0.1, "workspace_id": name} for name in ("ws-1", "ws-2")]
    assert import_rows(*parts) == "done"
    assert live() == {"01": Decimal("0.2"), "02": Decimal(1)}


ACCOUNT = {**ROW, "usage": 10, "prompt_tokens": 9_000, "cached_tokens": 0, "completion_tokens": 1_000}
HALF = {"usage": 5, "prompt_tokens": 4_500, "completion_tokens": 500}
LOOP = [{**ACCOUNT, **HALF, "api_key_hash": "abc"}, {**ACCOUNT, **HALF, "api_key_hash": "def"}]
FEEDS: list[tuple[str, list[dict[str, Any]]]] = [
    ("openrouter_activity", [ACCOUNT]), *(("openrouter_key_activity", [row]) for row in LOOP)
]  # fmt: skip


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("tokens", [True, False], ids=["tokens and money", "money alone"])
@pytest.mark.django_db(transaction=True)
def test_days_of_keys_say_whose_the_accounts_money_is_and_add_nothing_to_it(
    organisation: Organisation, tmp_path: Path, order: tuple[int, ...], *, tokens: bool
) -> None:
    ranker = make_project(organisation, "ranker")
    make_rule(organisation, [{"field": "ext_api_key", "op": "equals", "value": "abc"}], {ranker.pk: "1"})
    for number in order:
        slug, rows = FEEDS[number]
        if not tokens:
            rows = [{n: v for n, v in row.items() if not n.endswith("_tokens")} for row in rows]
        file = tmp_path / f"{number}.json"
        file.write_text(json.dumps({"data": rows}))
        assert ingest.import_paths(organisation, slug, [file], "account").status == "done"
    report = spending.report(organisation, group_by=["project"], grades=False)
    assert report["total"]["spent"] == "10.000000000000"
    by_project = {group["project"]: group["spent"] for group in report["groups"]}
    half = "5.000000000000"
    assert by_project == ({"ranker": half, None: half} if tokens else {None: "10.000000000000"})
    assert not list(checks())


@pytest.mark.django_db(transaction=True)
def test_a_loop_that_missed_a_key_leaves_its_money_to_nobody(organisation: Organisation, tmp_path: Path) -> None:
    ranker = make_project(organisation, "ranker")
    make_rule(organisation, [{"field": "ext_api_key", "op": "equals", "value": "abc"}], {ranker.pk: "1"})
    for slug, rows in FEEDS[:2]:
        file = tmp_path / f"{slug}.json"
        file.write_text(json.dumps({"data": rows}))
        assert ingest.import_paths(organisation, slug, [file], "account").status == "done"
    groups = spending.report(organisation, group_by=["project"], grades=False)["groups"]
    assert {group["project"]: group["spent"] for group in groups} == {
        "ranker": "5.000000000000",
        None: "5.000000000000",
    }


# Generations


def test_the_native_tokens_are_those_that_are_billed() -> None:
    found = fact(generations, {"data": GENERATION})
    assert (found.record_key, counts(found)) == ("gen-1", (200, 1000, None, 90, 10))
    assert (found.cost_reported, found.grain, found.requests) == (Decimal("0.00225"), "request", 1)


@pytest.mark.parametrize(
    ("name", "mark"), [("native_tokens_completion_images", "images_made"), ("num_input_audio_prompt", "audio_sent")]
)
def test_audio_and_images_that_were_made_are_priced_apart_and_never_as_text(name: str, mark: str) -> None:
    assert fact(generations, {"data": {**GENERATION, name: 3}}).quality == ("priced_apart", mark)
    assert fact(generations, {"data": {**GENERATION, name: 0}}).quality == ()


def test_a_generation_from_openrouters_cache_is_a_request_of_no_tokens() -> None:
    found = fact(generations, {**GENERATION, "response_cache_source_id": "gen-0", "total_cost": 0})
    assert (counts(found), found.quality) == ((0, 0, None, 0, None), ("gateway_cache_hit",))


def test_a_generation_is_attributed_by_workspace_user_key_and_app() -> None:
    names = {"workspace_id": "ws-1", "external_user": "ann", "app_id": 7, "session_id": "s-1",
             "provider_name": "Google", "service_tier": "priority", "data_region": "eu", "is_byok": True}  # fmt: skip
    found = fact(generations, {**GENERATION, **names})
    place = found.dimension
    assert (place.ext_project, place.ext_user, place.region, found.session) == ("ws-1", "ann", "eu", "s-1")
    assert (dict(place.tags), found.service_tier) == ({"app": "7", "upstream": "Google"}, "priority")
    assert found.quality == ("byok",)


HEADER = "generation_id,created_at,cost_total,byok_usage_inference,tokens_prompt,tokens_completion,tokens_reasoning," \
         "tokens_cached,model_permaslug,provider_name,variant,user,api_key_name,app_name"  # fmt: skip


def test_a_row_of_the_export_is_the_generation_of_the_api() -> None:
    row = "gen-1,2026-09-02 10:00:01.5,0.00225,0,1200,90,10,1000,anthropic/claude-sonnet-4.5,Google,standard,,,"
    [found] = read(generations, f"{HEADER}\n{row}\n".encode())
    assert found == fact(generations, {**GENERATION, "provider_name": "Google"})
    free = row.replace("standard", "free").replace(",Google", ',"Goo\ngle"')
    [one] = read(generations, f"\ufeff{HEADER}\r\n{free}\r\n".encode())
    assert isinstance(one, Fact)
    assert one.dimension.model_raw == "anthropic/claude-sonnet-4.5:free"


def test_the_fuller_of_two_copies_is_kept() -> None:
    partial = {**GENERATION, "native_tokens_completion": 1}
    [kept] = merged(read(generations, json.dumps([GENERATION, partial]).encode())).values()
    assert counts(kept)[3] == 90


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"id": ""}, "the generation has no id"),
        ({"created_at": "then"}, "the time cannot be read"),
        ({"total_cost": -1}, "the cost is negative"),
        ({"native_tokens_prompt": "x"}, "a count is not a whole number"),
    ],
)
def test_a_generation_that_cannot_be_read_is_rejected_with_a_sentence(bad: dict[str, Any], reason: str) -> None:
    assert rejected(generations, {**GENERATION, **bad}).startswith(reason)


def test_a_table_that_is_no_export_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="no export of OpenRouter"):
        read(activity, b"a,b\n1,2\n")


def test_no_content_survives_the_first_step() -> None:
    assert no_content(activity, ROW, ("prompt", "messages"))
    assert no_content(generations, GENERATION, ("prompt", "output", "provider_responses", "http_referer"))


@pytest.mark.shared
def test_the_samples_are_a_days_row_and_a_generation(shared_data: Path) -> None:
    [plain] = read(activity, sample(shared_data, "openrouter/activity.doc-example.json"))
    [cached] = read(activity, sample(shared_data, "openrouter/activity.with_cached_tokens.example.json"))
    assert isinstance(plain, Fact)
    assert isinstance(cached, Fact)
    assert plain.record_key == cached.record_key
    assert (counts(plain)[:4], counts(cached)) == ((50, None, None, 125), (20, 30, None, 125, 25))
    assert (cached.cost_reported, cached.requests, cached.quality) == (Decimal("0.015"), 5, ("byok",))
    [generation] = read(generations, sample(shared_data, "openrouter/generation.doc-example.json"))
    assert isinstance(generation, Fact)
    assert (counts(generation), generation.cost_reported) == ((7, 3, None, 25, 5), Decimal("0.0015"))
    header = sample(shared_data, "openrouter/activity_export_generation_csv.header.csv").decode().strip()
    values = {"generation_id": "gen-1", "created_at": "2026-09-02 10:00:00", "model_permaslug": "m", "cost_total": "1"}
    [one] = read(generations, f"{header}\n{','.join(values.get(name, '') for name in header.split(','))}\n".encode())
    assert isinstance(one, Fact)
    assert one.cost_reported == 1
