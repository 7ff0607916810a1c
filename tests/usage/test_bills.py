"""Bills as vendors and finance tell them, beside the usage they pay for: through the importers, money once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.usage.factories import make_card, make_offering, make_project, make_rule
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


def test_images_searches_and_audio_are_requests_without_a_price_until_a_bill_pays_for_them(told, organisation):
    make_card(make_offering(GPT, "openai"))
    kinds = {
        "images": {"images": 5, "model": "gpt-image-9", "num_model_requests": 4},
        "web_search_calls": {"num_requests": 7, "model": GPT},
        "audio_transcriptions": {"seconds": 90, "model": "whisper-9", "num_model_requests": 2},
    }
    for kind, fields in kinds.items():
        result = {"object": f"organization.usage.{kind}.result", "project_id": None} | fields
        told("openai_usage", page([openai_bucket(day(4), result)]))
    answer = report(organisation, group_by=["operation"], grades=False)
    total_of, known = answer["total"], answer["coverage"]
    assert (total_of["spent"], total_of["list"], total_of["requests"], total_of["out_total"]) == (None, None, 13, None)
    assert (known["unpriced_requests"], known["unpriced_tokens"], known["priced_tokens"]) == (13, 0, None)
    use(told, (4, 1))
    answer = report(organisation, group_by=["operation"], grades=False)
    assert (answer["total"]["spent"], answer["coverage"]["unpriced_requests"]) == ("1.000000000000", 13)
    assert {group["operation"]: group["spent"] for group in answer["groups"]} == {
        "completions": "1.000000000000", "images": None, "web_search_calls": None, "audio_transcriptions": None,
    }  # fmt: skip
    lines = {"gpt-image-9, output": 0.4, "whisper-9": 0.1, f"{GPT}, input": 1.5, "web search tool calls": 0.07}
    told("openai_costs", page([openai_bucket(day(4), *(openai_cost(v, line_item=k) for k, v in lines.items()))]))
    assert total(organisation) == (Decimal("2.07"), Decimal(1))


MONTHLY = INVOICE | {"grain": "1mo"}


def use(told: Told, *days: tuple[int, int] | tuple[int, int, dict[str, Any]]) -> None:
    """OpenAI's usage of some days of October, a pull each: a Mtok of input costs 1 USD."""
    for number, mtok, *fields in days:
        used = completion(model=GPT, input_tokens=mtok * MTOK) | (fields[0] if fields else {})
        told("openai_usage", page([openai_bucket(day(number), used)]))


def spent_on(organisation: Organisation) -> dict[str, str]:
    groups = report(organisation, group_by=["day"], grades=False)["groups"]
    return {group["day"]: group["spent"] for group in groups if group["spent"] is not None}


def spent_by_project(organisation: Organisation) -> dict[str | None, Decimal]:
    groups = report(organisation, group_by=["project"], grades=False)["groups"]
    return {group["project"]: Decimal(group["spent"] or 0) for group in groups}


@pytest.mark.parametrize("model", [GPT, ""])
@pytest.mark.parametrize("first", ["usage", "invoice"])
def test_the_invoice_of_a_month_is_the_money_of_all_its_days(model, first, told, organisation):
    make_card(make_offering(GPT, "openai"))
    steps = {
        "usage": lambda: use(told, (1, 1), (2, 1), (17, 3), (31, 1)),
        "invoice": lambda: told("csv", f"day,model,usd\n2026-10-01,{model},5.50\n", "finance", MONTHLY),
    }
    for name in sorted(steps, key=lambda name: name != first):
        steps[name]()
    assert total(organisation) == (Decimal("5.5"), Decimal(6))
    assert spent_on(organisation) == {"2026-10-01": "5.500000000000"}
    use(told, (32, 1))
    assert total(organisation) == (Decimal("6.5"), Decimal(7))
    use(told, (28, 2))
    assert total(organisation) == (Decimal("6.5"), Decimal(9))


def test_an_invoice_of_some_models_leaves_the_others_their_own_money(told, organisation):
    make_card(make_offering(GPT, "openai"))
    make_card(make_offering(VECTORS, "openai"))
    use(told, (3, 1), (4, 1), (5, 7, {"model": VECTORS}))
    told("csv", f"day,model,usd\n2026-10-01,{GPT},1.50\n", "finance", MONTHLY)
    assert total(organisation) == (Decimal("8.5"), Decimal(9))


def test_the_invoice_of_a_month_is_spread_by_the_tokens_of_the_month(told, organisation):
    make_card(make_offering(GPT, "openai"))
    for name in ("web", "agents"):
        project = make_project(organisation, name)
        make_rule(organisation, [{"field": "ext_project", "op": "equals", "value": f"proj_{name}"}], {project.pk: "1"})
    use(told, (2, 1, {"project_id": "proj_web"}), (20, 2, {"project_id": "proj_agents"}), (31, 1))
    told("csv", "day,model,usd\n2026-10-01,,8\n", "finance", MONTHLY)
    assert spent_by_project(organisation) == {"web": Decimal(2), "agents": Decimal(4), None: Decimal(2)}
    use(told, (9, 4, {"project_id": "proj_web"}))
    assert spent_by_project(organisation) == {"web": Decimal(5), "agents": Decimal(2), None: Decimal(1)}
    assert total(organisation)[0] == 8


def test_an_invoice_that_is_withdrawn_gives_the_days_their_money_back(told, organisation):
    make_card(make_offering(GPT, "openai"))
    use(told, (2, 1), (31, 1))
    window = {"from": "2026-10-01T00:00:00Z", "until": "2026-11-01T00:00:00Z"}
    invoice = MONTHLY | {"columns": MONTHLY["columns"] | {"host": "host"}, "constants": {}, "window": window}
    told("csv", f"day,host,model,usd\n2026-10-01,openai,{GPT},1.50\n", "finance", invoice)
    assert total(organisation) == (Decimal("1.5"), Decimal(2))
    told("csv", f"day,host,model,usd\n2026-10-01,azure,{GPT},1.50\n", "finance", invoice)
    assert total(organisation) == (Decimal("3.5"), Decimal(2))


@pytest.mark.parametrize(("item", "model"), [*itertools.product([f"{GPT}, input", None], [GPT, ""])])
def test_bills_by_day_give_way_to_the_invoice_of_their_month_until_they_tell_of_all_its_usage(
    item, model, told, organisation
):
    make_card(make_offering(GPT, "openai"))
    use(told, (2, 1), (31, 1))
    bills = {n: page([openai_bucket(day(n), openai_cost(1.25, line_item=item))]) for n in (2, 31)}
    told("openai_costs", bills[2])
    assert total(organisation) == (Decimal("2.25"), Decimal(2))
    told("csv", f"day,model,usd\n2026-10-01,{model},2.60\n", "finance", MONTHLY)
    assert total(organisation) == (Decimal("2.6"), Decimal(2))
    told("openai_costs", bills[31])
    assert total(organisation) == (Decimal("2.5"), Decimal(2))
    assert spent_on(organisation) == {"2026-10-02": "1.250000000000", "2026-10-31": "1.250000000000"}


def test_usage_by_month_gives_way_to_as_much_usage_by_day(told, organisation):
    make_card(make_offering(GPT, "openai"))
    told("csv", f"day,model,in,out\n2026-10-01,{GPT},4000000,0\n", "export", LOG | {"grain": "1mo"})
    use(told, (2, 1), (3, 1))
    assert total(organisation) == (Decimal(4), Decimal(4))
    assert spent_on(organisation) == {"2026-10-01": "4.000000000000"}
    use(told, (31, 2))
    assert total(organisation) == (Decimal(4), Decimal(4))
    assert spent_on(organisation).keys() == {"2026-10-02", "2026-10-03", "2026-10-31"}


def test_billing_months_that_overlap_are_settled_as_one_whichever_day_is_posted(told, organisation):
    make_card(make_offering(GPT, "openai"))

    def invoice(number: int, since: str, until: str, usd: str) -> str:
        event = {"id": f"i{number}", "at": since, "until": until, "grain": "1mo", "model": GPT, "provider": "openai"}
        return json.dumps(event | {"cost": usd, "currency": "USD", "cost_kind": "billed"})

    told("events", invoice(1, "2026-09-01T00:00:00+02:00", "2026-10-01T00:00:00+02:00", "10"))
    told("events", invoice(2, "2026-10-01T00:00:00+02:00", "2026-11-01T00:00:00+01:00", "20"))
    use(told, (1, 1), (31, 1), (32, 1))
    assert total(organisation) == (Decimal(31), Decimal(3))
    assert spent_on(organisation).keys() == {"2026-09-01", "2026-10-01", "2026-11-01"}
    told("events", invoice(3, "2026-10-15T00:00:00Z", "2026-11-15T00:00:00Z", "5"))
    assert total(organisation) == (Decimal(35), Decimal(3))
