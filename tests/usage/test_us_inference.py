"""US-only inference at Anthropic (`inference_geo: us`) is rated at its own price, and never at the list's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing import catalog
from pricing.matching import Entry, Resolver
from pricing.models import Claim, Price
from tests.usage.factories import make_organisation
from usage import ingest
from usage.models import Organisation, UsageRecord
from usage.rerating import rerate

PAGE = """# Pricing
| Model | Base Input Tokens | 5m Cache Writes | 1h Cache Writes | Cache Hits & Refreshes | Output Tokens |
|---|---|---|---|---|---|
| Claude Opus 5 | $5 / MTok | $6.25 / MTok | $10 / MTok | $0.50 / MTok | $25 / MTok |
| Claude Opus 4.5 | $5 / MTok | $6.25 / MTok | $10 / MTok | $0.50 / MTok | $25 / MTok |
"""
SENTENCE = (
    "\nFor Claude 4.6 and later models, specifying US-only inference through the `inference_geo` parameter incurs a "
    "1.1x multiplier on all token pricing categories, including input tokens, output tokens and cache writes.\n"
)
NEW, OLD = "claude-opus-5", "claude-opus-4-5-20251101"
KINDS = ("input", "read", "5m", "1h", "output")
MILLION = dict.fromkeys(KINDS, 1_000_000)
LIST, RESIDENT = Decimal("46.75"), Decimal("51.425")


def page(text: str, day: int = 1) -> None:
    outcome = catalog.record("anthropic_page", text.encode(), observed_at=datetime(2026, 11, day, tzinfo=UTC))
    assert outcome.status == "changed", outcome


def usage_report(folder: Path, *rows: tuple[str, str, dict[str, int]]) -> Path:
    """A page of the usage API: model, geography and tokens of each row."""
    results = [
        {
            "uncached_input_tokens": tokens["input"], "cache_read_input_tokens": tokens["read"],
            "cache_creation": {"ephemeral_5m_input_tokens": tokens["5m"], "ephemeral_1h_input_tokens": tokens["1h"]},
            "output_tokens": tokens["output"], "model": model, "service_tier": "standard",
            "context_window": "0-200k", "inference_geo": geo,
        }
        for model, geo, tokens in rows
    ]  # fmt: skip
    bucket = {"starting_at": "2026-10-05T00:00:00Z", "ending_at": "2026-10-06T00:00:00Z", "results": results}
    path = folder / "messages.json"
    path.write_text(json.dumps({"data": [bucket], "has_more": False, "next_page": None}))
    return path


def imported(importer: str, path: Path, mapping: dict[str, Any] | None = None) -> Organisation:
    organisation = make_organisation()
    ingest.import_paths(organisation, importer, [path], "account", mapping)
    return organisation


def costs(organisation: Organisation) -> list[tuple[str, str, Decimal | None, str | None]]:
    rows = UsageRecord.objects.filter(organisation=organisation).order_by("dimension__model_raw", "-dimension__region")
    return list(rows.values_list("dimension__model_raw", "dimension__region", "list_cost", "unpriced_reason"))


@pytest.mark.django_db
def test_rows_of_us_are_rated_at_it_all_others_at_list_and_older_models_always(tmp_path: Path) -> None:
    page(PAGE + SENTENCE)
    rows = [(model, geo, MILLION) for model in (NEW, OLD) for geo in ("us", "global", "not_available")]
    found = costs(imported("anthropic_usage", usage_report(tmp_path, *rows)))
    assert found == [
        (OLD, "us", LIST, None), (OLD, "", LIST, None), (OLD, "", LIST, None),
        (NEW, "us", RESIDENT, None), (NEW, "", LIST, None), (NEW, "", LIST, None),
    ]  # fmt: skip
    price = Price.objects.get(offering__sku=NEW, offering__region="us", unit="output", superseded_at=None)
    said = Claim.objects.get(offering=price.offering, unit="output").note
    assert (price.amount, "1.1x multiplier on all token pricing" in said) == (Decimal("27.5"), True)


@pytest.mark.django_db
def test_without_evidence_of_the_price_in_us_it_is_unknown_until_there_is_some(tmp_path: Path) -> None:
    page(PAGE)
    path = usage_report(tmp_path, (NEW, "us", MILLION), (NEW, "global", MILLION), (OLD, "us", MILLION))
    organisation = imported("anthropic_usage", path)
    assert costs(organisation) == [(OLD, "us", LIST, None), (NEW, "us", None, "model"), (NEW, "", LIST, None)]
    page(PAGE + SENTENCE, day=2)
    rerate(organisation)
    assert costs(organisation) == [(OLD, "us", LIST, None), (NEW, "us", RESIDENT, None), (NEW, "", LIST, None)]


@pytest.mark.django_db
@pytest.mark.parametrize(("geo", "cost"), [("us", RESIDENT), ("global", LIST), ("not_available", LIST), (None, LIST)])
def test_a_transcript_of_claude_code_is_rated_where_it_ran(tmp_path: Path, geo: str | None, cost: Decimal) -> None:
    page(PAGE + SENTENCE)
    usage = {
        "input_tokens": 1_000_000, "cache_read_input_tokens": 1_000_000, "cache_creation_input_tokens": 2_000_000,
        "cache_creation": {"ephemeral_5m_input_tokens": 1_000_000, "ephemeral_1h_input_tokens": 1_000_000},
        "output_tokens": 1_000_000, "service_tier": "standard", "inference_geo": geo,
    }  # fmt: skip
    line = {
        "type": "assistant", "timestamp": "2026-10-05T09:00:00Z", "sessionId": "s", "requestId": "r", "cwd": "/web",
        "message": {"id": "msg_1", "role": "assistant", "model": NEW, "usage": usage},
    }  # fmt: skip
    path = tmp_path / "session.jsonl"
    path.write_text(json.dumps(line) + "\n")
    assert [found[2] for found in costs(imported("claude_code", path, {"billing": "api"}))] == [cost]


counts = st.fixed_dictionaries({kind: st.integers(0, 10**9) for kind in KINDS})


@pytest.mark.django_db
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(tokens=counts)
def test_the_same_tokens_cost_eleven_tenths_in_us_exactly(tmp_path: Path, tokens: dict[str, int]) -> None:
    if not Price.objects.exists():
        page(PAGE + SENTENCE)
    path = usage_report(tmp_path, (NEW, "us", tokens), (NEW, "global", tokens))
    (_, _, resident, _), (_, _, plain, _) = costs(imported("anthropic_usage", path))
    assert (resident, plain is None) == (plain and plain * 11 / 10, False)


SKUS = ("claude-opus-5", "claude-opus-4-6", "claude-sonnet-4-6-20260217", "claude-mythos-preview")
EARLIER = ("claude-opus-4-5-20251101", "claude-opus-4-1", "claude-sonnet-4-20250514", "claude-3-5-haiku-latest",
           "claude-instant-1.2", "claude-haiku-4-5")  # fmt: skip


@given(st.sampled_from(SKUS + EARLIER), st.sampled_from(["us", "US", "", "eu", "us-east-1"]), st.booleans())
def test_only_us_at_anthropic_itself_changes_what_a_name_means(sku: str, region: str, known: bool) -> None:
    sold = [Entry(1, "anthropic", sku, "", sku), *([Entry(2, "anthropic", sku, "us", sku)] if known else [])]
    sold += [Entry(3, "bedrock", sku, "", sku), Entry(4, "bedrock", sku, "us", sku)]
    resolver = Resolver(sold)
    found = resolver.located(resolver.resolve(sku, "anthropic"), region).offering_id
    expected = 1 if region.lower() != "us" else 2 if known else 1 if sku in EARLIER else None
    assert found == expected
    assert resolver.located(resolver.resolve(sku, "bedrock"), region).offering_id == 3
