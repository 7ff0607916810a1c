"""The steps of fivefold and more in seven real files of LiteLLM's table: slips of a unit, true moves, and doubts."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pricing.answers.changes import Window, changes
from pricing.answers.prices import Question, price
from pricing.models import PriceEvent
from tests.pricing.test_replay_shared import read, readings

pytestmark = [pytest.mark.shared, pytest.mark.slow, pytest.mark.django_db]

GRANITE = Question("ibm/granite-3-8b-instruct", "watsonx")


def granite(at: str, known_at: str | None = None) -> dict[str, str]:
    """USD per Mtok by unit, as held at one day and known at another."""
    moments = {"at": at, "known_at": known_at} if known_at else {"at": at}
    asked = Question(GRANITE.model, GRANITE.provider, **{
        name: datetime.fromisoformat(day).replace(tzinfo=UTC) for name, day in moments.items()
    })  # fmt: skip
    (offering,) = price(asked)["offerings"]
    return {line["unit"]: line["usd_per_mtok"] for line in offering["prices"]}


def test_a_real_thousandfold_repair_counts_from_the_start_and_was_not_known_before(shared_data):
    table = [file for file in readings(shared_data) if file[0] == "litellm"]
    for reading in table:
        if reading[1].date().isoformat() in ("2025-10-01", "2025-11-01"):
            read(*reading)
    assert granite("2025-10-15", known_at="2025-10-15") == {"input": "200", "output": "200"}
    assert granite("2025-10-15", known_at="2025-11-15") == {"input": "0.2", "output": "0.2"}
    assert granite("2025-10-15") == {"input": "0.2", "output": "0.2"}
    found = [c for c in changes(Window(source="litellm", provider="watsonx")) if c["sku"] == GRANITE.model]
    assert [(c["unit"], c["kind"], c["status"], c["old"], c["new"]) for c in found] == [
        ("input", "unit_fix", "accepted", "200", "0.2"), ("output", "unit_fix", "accepted", "200", "0.2")
    ]  # fmt: skip


UNIT_FIXES = {
    "watsonx ibm/granite-3-8b-instruct", "vertex claude-3-opus@20240229", "databricks databricks-llama-4-maverick",
    "wandb moonshotai/Kimi-K2-Instruct", "oci xai.grok-3", "oci xai.grok-4",
}  # fmt: skip
"""Of the steps of fivefold and more in the seven files, those where somebody slipped by a unit."""

TRUE_MOVES = {
    ("openai o3", "input", "cut"), ("openai o3-2025-04-16", "output", "cut"), ("azure o3", "cache_read", "cut"),
    ("mistral mistral-small", "input", "cut"), ("mistral mistral-medium-latest", "input", "cut"),
    ("mistral open-mixtral-8x7b", "output", "cut"), ("cohere command", "input", "cut"),
    ("cohere command-light", "output", "cut"), ("moonshot kimi-thinking-preview", "input", "cut"),
    ("azure grok-code-fast-1", "input", "cut"), ("openrouter openai/gpt-oss-20b", "input", "cut"),
    ("openai ft:davinci-002", "input", "rise"), ("openai ft:davinci-002", "output", "rise"),
    ("deepinfra nvidia/Llama-3.1-Nemotron-70B-Instruct", "input", "rise"),
}  # fmt: skip
"""Of the same steps, moves of the price: the vendors' own pages or other sellers of the day bear them out."""

HELD = {
    ("azure mistral-small-2503", "input", "cut", "held"),  # 1 → 0.1: one seller asks the old price, another the new
    ("bedrock amazon.titan-embed-text-v2:0", "input", "cut", "held"),  # 0.2 → 0.02, and nobody else sells it
    ("openrouter gryphe/mythomax-l2-13b", "input", "rise", "refused"),  # 0.13 → 1.875, where others ask 0.22
}  # fmt: skip
"""Of the same steps, those that evidence in these files cannot decide or speaks against."""


def test_real_steps_of_fivefold_and_more_are_what_they_are(shared_data):
    for reading in readings(shared_data):
        if reading[0] == "litellm":
            read(*reading)
    events = [
        (f"{event.offering.provider.slug} {event.offering.sku}", event)
        for event in PriceEvent.objects.standing().filter(service_tier="standard", context_from=0, qualifier="",
                                                          old__gt=0, new__gt=0)
        .select_related("offering__provider")
    ]  # fmt: skip
    fixed = {name for name, event in events if event.kind == "unit_fix"}
    assert UNIT_FIXES - fixed == set()
    assert not fixed & {name for name, *_ in TRUE_MOVES | HELD}
    big = [(name, e) for name, e in events if max(e.old / e.new, e.new / e.old) >= Decimal(5)]
    accepted = {(name, e.unit, e.kind) for name, e in big if e.status == "accepted"}
    assert TRUE_MOVES - accepted == set()
    waiting = {
        (name, e.unit, e.kind, "refused" if ": refused" in e.why else "held") for name, e in big if e.status == "held"
    }
    assert HELD - waiting == set()
    assert not {step[:3] for step in HELD} & accepted
