"""Bills as vendors and finance tell them, beside the usage they pay for: through the importers, money once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.usage.factories import make_card, make_offering
from tests.usage.vendor_pages import (
    anthropic_bucket,
    anthropic_cost,
    completion,
    day,
    messages,
    openai_bucket,
    openai_cost,
    page,
)
from usage import ingest
from usage.models import Organisation, UsageRecord
from usage.spending import report
from usage.verification import checks

pytestmark = pytest.mark.django_db
GPT, SONNET, VECTORS = "gpt-5.5", "claude-sonnet-4-5", "text-embedding-3-small"
MTOK = 1_000_000

Told = Callable[..., None]


@pytest.fixture
def told(organisation: Organisation, tmp_path: Path) -> Told:
    """A file of an importer is imported: JSON, or the text of a table."""
    numbers = itertools.count()

    def run(importer: str, content: Any, scope: str = "main", mapping: dict[str, Any] | None = None) -> None:
        path = tmp_path / f"{next(numbers)}.txt"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        batch = ingest.import_paths(organisation, importer, [path], scope, mapping)
        assert (batch.status, batch.rejected) == ("done", {}), batch.error

    return run


def total(organisation: Organisation) -> tuple[Decimal, Decimal]:
    """What was spent and the list cost; as days, models and projects sum to it."""
    found = report(organisation, grades=False)["total"]
    for by in ("day", "model", "project", "source"):
        groups = report(organisation, group_by=[by], grades=False)["groups"]
        assert sum(Decimal(group["spent"] or 0) for group in groups) == Decimal(found["spent"])
    assert not list(checks())
    return Decimal(found["spent"]), Decimal(found["list"] or 0)


def in_either_order(told: Told, told_by: dict[str, Any], first: str) -> None:
    for importer in sorted(told_by, key=lambda name: name != first):
        told(importer, told_by[importer])


@pytest.mark.parametrize("first", ["openai_usage", "openai_costs"])
def test_openais_costs_without_line_items_are_the_money_of_their_day(first, told, organisation):
    make_card(make_offering(GPT, "openai"))
    used = completion(model=GPT, input_tokens=MTOK, output_tokens=MTOK)
    pages = {
        "openai_usage": page([openai_bucket(day(4), used)]),
        "openai_costs": page([openai_bucket(day(4), openai_cost(2.25))]),
    }
    in_either_order(told, pages, first)
    assert total(organisation) == (Decimal("2.25"), Decimal(3))


@pytest.mark.parametrize("first", ["anthropic_usage", "anthropic_cost"])
def test_anthropics_costs_by_workspace_are_the_money_of_their_day(first, told, organisation):
    make_card(make_offering(SONNET, "anthropic"))
    used = messages(model=SONNET, uncached_input_tokens=MTOK, output_tokens=MTOK)
    costs = (anthropic_cost("200", workspace_id="wrkspc_a"), anthropic_cost("150", workspace_id="wrkspc_b"))
    pages = {
        "anthropic_usage": page([anthropic_bucket(day(4), used)]),
        "anthropic_cost": page([anthropic_bucket(day(4), *costs)]),
    }
    in_either_order(told, pages, first)
    assert total(organisation) == (Decimal("3.5"), Decimal(3))


def test_a_line_item_that_is_a_bare_name_pays_for_its_model(told, organisation):
    make_card(make_offering(VECTORS, "openai"))
    used = {"object": "organization.usage.embeddings.result", "model": VECTORS, "num_model_requests": 9}
    told("openai_usage", page([openai_bucket(day(4), used | {"input_tokens": 2 * MTOK})]))
    told(
        "openai_costs",
        page([openai_bucket(day(4), openai_cost(2.5, line_item=VECTORS), openai_cost(7, line_item="Web search"))]),
    )
    assert total(organisation) == (Decimal("9.5"), Decimal(2))
    models = report(organisation, group_by=["model"], grades=False)["groups"]
    assert {group["spent"] for group in models} == {"2.500000000000", "7.000000000000"}
    assert UsageRecord.objects.exclude(offering=None).count() == 2


INVOICE: dict[str, Any] = {
    "columns": {"time": "day", "model": "model", "cost": "usd"},
    "constants": {"host": "openai"}, "grain": "1d", "currency": "USD", "cost_kind": "billed",
}  # fmt: skip
LOG: dict[str, Any] = {
    "columns": {"time": "day", "model": "model", "input": "in", "output": "out"},
    "constants": {"host": "openai"}, "grain": "1d",
}  # fmt: skip


@pytest.mark.parametrize(
    ("model", "scopes"), [(GPT, ("log", "finance")), ("", ("log", "finance")), ("", ("here", "here"))]
)
def test_an_invoice_and_a_log_that_are_both_tables_count_once(model, scopes, told, organisation):
    make_card(make_offering(GPT, "openai"))
    told("csv", f"day,model,in,out\n2026-09-01,{GPT},1000000,1000000\n", scopes[0], LOG)
    assert total(organisation) == (Decimal(3), Decimal(3))
    told("csv", f"day,model,usd\n2026-09-01,{model},2.25\n", scopes[1], INVOICE)
    assert total(organisation) == (Decimal("2.25"), Decimal(3))
    told("csv", f"day,model,in,out\n2026-09-01,{GPT},1000000,0\n", "another gateway", LOG)
    assert total(organisation) == (Decimal("2.25"), Decimal(4))


@pytest.mark.parametrize(("grain", "zone"), [("1mo", "Europe/Berlin"), ("1d", "Europe/Berlin"), ("1d", "US/Pacific")])
def test_an_invoice_of_a_local_day_or_month_stands_in_its_own_month(grain, zone, told, organisation):
    told("csv", f"day,model,usd\n2026-09-01,{GPT},2.25\n", "here", INVOICE | {"grain": grain, "time_zone": zone})
    groups = report(organisation, group_by=["day"], grades=False)["groups"]
    assert [(group["day"], group["spent"]) for group in groups] == [("2026-09-01", "2.250000000000")]
