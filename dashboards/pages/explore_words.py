"""What the spend explorer says: its finding, the claim of its chart, and where prices changed inside a bucket. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from dashboards import formatting
from dashboards.pages.explore import MEASURE_WORDS, Line, text_of
from dashboards.pages.ledger import ZERO
from usage.questions import MONEY, NOBODY, Question


def finding(
    question: Question, now: Decimal | None, then: Decimal | None, lines: Sequence[Line], currency: str, whose: str
) -> str:
    """The total in a sentence, how it moved, and what most of it is."""
    when = formatting.period(*question.days)
    if now is None:
        return f"{whose} used tokens in {when}, and nothing is known of what this is in {question.measure}."
    amount = (
        formatting.money_in_prose(now, currency)
        if question.measure in MONEY
        else text_of(now, question.measure, currency)
    )
    verbs = {"requests": "made", "notional": "used", "spent": "would have spent" if question.prices_at else "spent"}
    said = verbs.get(question.measure, "used")
    unit = f" {at}" if (at := at_prices(question)) else _unit(question.measure)
    sentence = f"{whose} {said} {amount}{unit} in {when}"
    if then:
        moved = formatting.change(now, then)
        if moved.direction in ("up", "down"):
            sentence += (
                f", {moved.text[1:]} {'more' if moved.direction == 'up' else 'less'} than {_before_words(question)}"
            )
    top = next((line for line in lines if line.level == 0 and line.value and line.keys), None)
    if top is not None and now and len(lines) > 1:
        part = formatting.share(top.value or ZERO, now)
        nobody = question.group_by[0] == "project" and top.keys[0] == NOBODY
        sentence += f"; {part} of it has no project" if nobody else f"; {top.name} is {part} of it"
    return f"{sentence}."


def at_prices(question: Question) -> str:
    """At which day's prices the measure is, where one was asked for; '' where it is money as reported, or no money."""
    if question.prices_at is None or question.measure not in MONEY or question.measure == "reported":
        return ""
    return f"at the list prices of {formatting.day(question.prices_at)}"


def _unit(measure: str) -> str:
    units = {
        "list": " at list prices", "contracted": " at contract prices", "reported": " as reported",
        "notional": " of notional cost", "spent": "", "requests": " requests", "tokens": " Mtok",
    }  # fmt: skip
    return units.get(measure, f" Mtok of {MEASURE_WORDS[measure].lower()}")


def _before_words(question: Question) -> str:
    if question.compare == "year":
        return "the same days last year"
    days = (question.days[1] - question.days[0]).days
    return "the day before" if days == 1 else f"the {days} days before"


def claim(question: Question, lines: Sequence[Line], now: Decimal | None) -> str:
    top = next((line for line in lines if line.level == 0 and line.value and line.keys), None)
    if top is None or not now:
        return f"{MEASURE_WORDS[question.measure]} per {question.grain}"
    return f"{top.name}: {formatting.share(top.value or ZERO, now)} of {formatting.period(*question.days)}"


def changed_inside(found: Mapping[str, Any], currency: str) -> str:
    """That prices changed inside some buckets, and what it may come to; '' where none did."""
    inside = found.get("price_changed_inside")
    if not inside or not inside["records"]:
        return ""
    records, unknown = inside["records"], inside["unknown"]
    whole = records if inside["list"] is None else records - unknown
    said = f"In {_records(whole)} the price changed inside the time covered"
    if inside["list"] is None:
        return f"{said}; for a part of that time it is not known."
    rated, low, high = (formatting.money(Decimal(inside[name]), currency) for name in ("list", "low", "high"))
    said += f": {rated} at the price of the start, which counts, {low} at the lowest and {high} at the highest inside."
    return f"{said} For a part of {_records(unknown)} more it is not known." if unknown else said


def _records(number: int) -> str:
    return f"{formatting.count(number)} record{'' if number == 1 else 's'}"
