"""The values that advice is made of: what makes two moves the same, what is decided at once, there and back as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pricing.noninferiority import Verdict
from usage import advice
from usage.advice import Advice, Change, Coverage, Evidence, Factor, Kind, Range, Recommendation, Side, Step

SOL = Side(1, "gpt-5.6-sol", "GPT-5.6 Sol", "openai", "OpenAI", "gpt-5.6-sol", effort="medium")
FLASH = Side(2, "gemini-3.8-flash", "Gemini 3.8 Flash", "google", "Google", "gemini-3.8-flash")
MOVE = Recommendation(
    Kind.SUBSTITUTION, SOL, FLASH, Verdict.EQUAL, Decimal("13522.10"), Range(Decimal("7400"), Decimal("11100")),
    "Equal on your items.",
    evidence=(Evidence("own", "Claims", "share", Verdict.EQUAL, -0.004, -0.022, 0.014, 0.03, 480, is_paired=True),),
    factors=(Factor("output", Decimal("0.94"), Decimal("1.36"), "480 of your items"),),
    changes=(Change("id", "gpt-5.6-sol", "gemini-3.8-flash"),),
    steps=(Step(date(2027, 1, 1), Range(Decimal("5000"), Decimal("8000"))),),
    since=date(2026, 10, 20),
)  # fmt: skip
AMOUNTS = st.decimals(-(10**9), 10**9, places=12)


def of_moves(*moves: Recommendation) -> Advice:
    coverage = Coverage(Decimal(1), Decimal(1), 1, 0, None, 0)
    return Advice("claims", date(2026, 11, 16), date(2026, 10, 17), date(2026, 11, 16), "USD", moves, (), coverage)


def test_a_move_is_the_same_whatever_it_saves_and_another_at_another_tier() -> None:
    cheaper = replace(MOVE, saving=Range(Decimal(1), Decimal(2)), verdict=Verdict.BETTER)
    assert cheaper.key == MOVE.key
    assert replace(MOVE, candidate=replace(FLASH, service_tier="batch")).key != MOVE.key


def test_decisions_are_the_first_of_each_model_in_use_and_three_at_most() -> None:
    others = [replace(MOVE, current=replace(SOL, sku=f"other-{n}")) for n in range(4)]
    second = replace(MOVE, candidate=replace(FLASH, sku="second"))
    assert of_moves(MOVE, second, *others).decisions == (MOVE, *others[:2])


@given(paying=AMOUNTS, low=AMOUNTS, high=AMOUNTS, waited=st.none() | AMOUNTS)
def test_what_was_told_as_json_is_read_as_it_was(
    paying: Decimal, low: Decimal, high: Decimal, waited: Decimal | None
) -> None:
    moved = replace(MOVE, paying=paying, saving=Range(low, high), waited=waited)
    text = json.dumps(advice.told(of_moves(moved)))
    assert advice.read(Advice, json.loads(text)) == of_moves(moved)
    assert advice.told(advice.read(Advice, json.loads(text))) == json.loads(text)


def test_a_field_of_another_version_is_left_out() -> None:
    assert advice.read(Range, {"low": "1", "high": "2", "middle": "1.5"}) == Range(Decimal(1), Decimal(2))
