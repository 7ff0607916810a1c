"""Advice as JSON and as text: what the command and the API answer. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from usage.advice import Advice, Range, Recommendation, Refused, told
from usage.substitution.wording import day, money, named, span


def as_json(advice: Advice) -> dict[str, Any]:
    """Money as decimal strings, days in ISO form; null is unknown, never 0. `decisions` are keys of recommendations."""
    currency = advice.currency
    return {
        "project": advice.project,
        "on": advice.on.isoformat(),
        "window": {"from": advice.since.isoformat(), "until": advice.until.isoformat()},
        "currency": currency,
        "decisions": [one.key for one in advice.decisions],
        "recommendations": [_recommendation(one, currency) for one in advice.recommendations],
        "refused": [_refused(one, currency) for one in advice.refused],
        "coverage": told(advice.coverage),
        "last_moved": told(advice.last_moved),
    }


def _recommendation(one: Recommendation, currency: str) -> dict[str, Any]:
    found: dict[str, Any] = told(one)
    steps = [{"on": told(step.on), "saving_per_month": _range(step.saving, currency)} for step in one.steps]
    rest = {name: found[name] for name in found if name not in ("saving", "paying", "steps")}
    return {
        "key": one.key, **rest, "paying_per_month": found["paying"],
        "saving_per_month": _range(one.saving, currency), "steps": steps,
    }  # fmt: skip


def _refused(one: Refused, currency: str) -> dict[str, Any]:
    found: dict[str, Any] = told(one)
    saving = found.pop("saving")
    return {**found, "saving_per_month": _range(one.saving, currency) if one.saving and saving else None}


def _range(saving: Range, currency: str) -> dict[str, str]:
    return {"low": told(saving.low), "high": told(saving.high), "currency": currency}


def as_text(advice: Advice) -> str:
    """The decisions, each in a sentence with its doubts, the alternatives, what was refused, and what is left out."""
    return "\n".join(_lines(advice))


def _lines(advice: Advice) -> Iterator[str]:
    coverage, currency = advice.coverage, advice.currency
    yield f"{advice.project} · UTC days {advice.since} to {advice.until} (not included) · prices of {advice.on}"
    yield f"spent {money(coverage.spent, currency)}, of which {money(coverage.weighed, currency)} is weighed"
    if advice.last_moved:
        yield f"last moved to another model in the week of {day(advice.last_moved)}"
    if not advice.recommendations:
        yield "Nothing is recommended."
    for number, one in enumerate(advice.decisions, 1):
        yield ""
        yield f"{number}. {named(one.current)} → {named(one.candidate)}  [{one.kind}, {one.verdict}]"
        yield from _told(one, currency)
    rest = [one for one in advice.recommendations if one not in advice.decisions]
    if rest:
        yield ""
        yield "Alternatives:"
        yield from (
            f"  {span(one.saving, currency)} a month: {named(one.current)} → {named(one.candidate)} [{one.kind}]"
            for one in rest
        )
    if advice.refused:
        yield ""
        yield "Not recommended, though it may cost less:"
        yield from (f"  {named(one.candidate)} for {named(one.current)}: {one.why}" for one in advice.refused)
    if coverage.notes:
        yield ""
        yield from coverage.notes


def _told(one: Recommendation, currency: str) -> Iterator[str]:
    yield f"   {one.why}"
    if one.since and one.waited is not None:
        yield f"   It has cost less since {day(one.since)}; waiting has cost {money(one.waited, currency)} since."
    yield from (f"   from {day(step.on)} on it saves {span(step.saving, currency)}" for step in one.steps[1:])
    yield from (f"   {caution.title}: {caution.text}" for caution in one.cautions)
