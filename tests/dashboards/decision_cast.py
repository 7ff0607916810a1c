"""Advice that tests construct, and the decisions made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal as D
from typing import Any

from dashboards import proposals
from dashboards.models import Proposal
from pricing.noninferiority import Verdict
from usage.advice import (
    Advice,
    Caution,
    Change,
    CostLine,
    Coverage,
    Evidence,
    Factor,
    Kind,
    Range,
    Reason,
    Recommendation,
    Refused,
    Side,
    Step,
)
from usage.models import Project

ON = date(2026, 11, 16)
WINDOW = (date(2026, 10, 17), date(2026, 11, 16))
AT = datetime(2026, 11, 16, 5, 0, tzinfo=UTC)
SOL = Side(1, "gpt-5.6-sol", "GPT-5.6 Sol", "openai", "OpenAI", "gpt-5.6-sol", effort="medium")
FLASH = Side(2, "gemini-3.8-flash", "Gemini 3.8 Flash", "google", "Google", "gemini-3.8-flash")
LUNA = replace(SOL, offering_id=4, sku="luna", model="luna", model_name="Luna")
OWN = Evidence(
    "own", "Claims decisions", "share", Verdict.EQUAL, -0.004, -0.022, 0.014, 0.03, 480, is_paired=True,
    observed_on=date(2026, 10, 31), decides=True,
)  # fmt: skip
ARENA = Evidence(
    "arena", "Arena, expert questions", "points", Verdict.NOT_ENOUGH, -6.9, -20.0, 6.2, 10, 812,
    items=1400, observed_on=date(2026, 10, 20), note="Chat preference.",
)  # fmt: skip
MOVE = Recommendation(
    Kind.SUBSTITUTION, SOL, FLASH, Verdict.EQUAL, D("13522.10"), Range(D("7400"), D("11100")),
    "Equal on your 480 claims, and a Mtok costs a fifth.",
    evidence=(OWN, ARENA),
    factors=(Factor("output", D("0.94"), D("1.36"), "480 of your items"),),
    lines=(
        CostLine("input", 402_000_000, D("4"), D("1608"), D("0.75"), D("301.5")),
        CostLine("cache_read", 210_000_000, D("0.40"), D("84"), D("0.075"), D("15.75")),
        CostLine("output", 71_000_000, D("20"), D("1420"), D("3.75"), D("266.25")),
    ),
    changes=(Change("id", "gpt-5.6-sol", "gemini-3.8-flash"), Change("context", "400,000 tokens", "1,000,000 tokens")),
    cautions=(
        Caution("dear", "The price doubles on 1 January", "The range already contains it."),
        Caution("doubt", "It may write more", "Output measured at 0.94 to 1.36 times Sol’s on your 480 items."),
        Caution("", "Not checked", "Latency at peak hours."),
    ),
    steps=(Step(ON, Range(D("7400"), D("11100"))), Step(date(2027, 1, 1), Range(D("6100"), D("8500")))),
    share=D("0.88"),
    since=date(2026, 10, 20),
    waited=D("9753"),
)  # fmt: skip
REFUSED = Refused(
    SOL, replace(FLASH, offering_id=3, model="mistral-large-4", model_name="Mistral Large 4", provider="mistral",
                 provider_name="Mistral", sku="mistral-large-4"),
    Reason.NOT_ENOUGH, "Your 40 items leave it open: 620 would settle it.", Range(D("8000"), D("9000")), items=620,
)  # fmt: skip


def move(
    current: Side = SOL, candidate: Side = FLASH, low: str = "7400", high: str = "11100", **fields: Any
) -> Recommendation:
    return replace(MOVE, current=current, candidate=candidate, saving=Range(D(low), D(high)), steps=(), **fields)


def advice_of(*moves: Recommendation, on: date = ON, refused: Sequence[Refused] = (), **fields: Any) -> Advice:
    coverage = Coverage(D("3600"), D("3168"), 795_400_000, 112_400_000, 12_000, 12_000, ("Two models below 2 %.",))
    told: dict[str, Any] = {"last_moved": date(2026, 3, 9)} | fields
    return Advice("alpha", on, *WINDOW, "USD", moves, tuple(refused), coverage, **told)


def proposed(project: Project, *moves: Recommendation) -> list[Proposal]:
    """The open decisions of a project after advice of these moves."""
    proposals.take(project, advice_of(*(moves or (MOVE,)), refused=[REFUSED]), AT)
    return list(Proposal.objects.filter(project=project, state="proposed").order_by("-saving_low"))
