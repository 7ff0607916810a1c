"""Whose usage is it: ordered rules over what a record can be attributed by; the first that holds decides. Pure.

A rule's conditions are `{"field": …, "op": …, "value": …}`, all of which must hold. Text compares without regard
to case. Fields are those of a dimension plus `source` (the importer), `scope` and `tag:<key>`; ops are `equals`,
`prefix`, `glob`, `regex`, `in` (a list) and `is_empty`. A rule may hold for some UTC days only, so the answer is a
list of spans of days. No rule: unattributed, which is an answer and not an omission.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

FIELDS = frozenset(
    {
        "source",
        "scope",
        "model_raw",
        "host",
        "operation",
        "region",
        "ext_project",
        "ext_api_key",
        "ext_user",
        "ext_team",
        "path",
        "branch",
    }
)
OPS = ("equals", "prefix", "glob", "regex", "in", "is_empty")
LONGEST_PATTERN = 500

Test = Callable[[str], bool]


class RuleFault(ValueError):
    """Why a rule cannot be used: one sentence."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Projects with weights that sum to 1, by ascending project id; none at all is unattributed."""

    rule_id: int | None = None
    rule_version: int = 0
    shares: tuple[tuple[int, Decimal], ...] = ()


UNATTRIBUTED = Outcome()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule ready to be asked. `valid_from`/`valid_until`: the UTC days [from, until) it holds for."""

    tests: tuple[tuple[str, Test], ...]
    outcome: Outcome
    valid_from: date
    valid_until: date

    def holds(self, fields: Mapping[str, str]) -> bool:
        return all(test(fields.get(field, "")) for field, test in self.tests)


@dataclass(frozen=True, slots=True)
class Span:
    """One answer for the UTC days [valid_from, valid_until)."""

    valid_from: date
    valid_until: date
    outcome: Outcome


def compiled(
    rule_id: int | None,
    version: int,
    conditions: Sequence[Mapping[str, Any]],
    shares: Iterable[Mapping[str, Any]],
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> Rule:
    """The rule as it is asked; RuleFault says what is wrong with it."""
    tests = tuple((_field(condition), _test(condition)) for condition in conditions)
    outcome = Outcome(rule_id, version, _shares(shares))
    return Rule(tests, outcome, valid_from or date.min, valid_until or date.max)


def spans(rules: Sequence[Rule], fields: Mapping[str, str]) -> list[Span]:
    """The answers over all days, first to last; neighbours differ."""
    holding = [rule for rule in rules if rule.holds(fields)]
    edges = sorted({date.min, date.max, *(day for rule in holding for day in (rule.valid_from, rule.valid_until))})
    found: list[Span] = []
    for start, end in zip(edges, edges[1:], strict=False):
        rule = next((rule for rule in holding if rule.valid_from <= start < rule.valid_until), None)
        outcome = rule.outcome if rule else UNATTRIBUTED
        same = bool(found) and found[-1].outcome == outcome
        found.append(Span(found.pop().valid_from if same else start, end, outcome))
    return found


def split(amount: int, shares: Sequence[Decimal]) -> list[int]:
    """Parts of a whole number of units by largest remainder, ties to the earlier; the parts sum to it exactly."""
    sign = -1 if amount < 0 else 1
    exact = [abs(amount) * share for share in shares]
    parts = [int(part) for part in exact]
    by_rest = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in by_rest[: abs(amount) - sum(parts)]:
        parts[i] += 1
    return [sign * part for part in parts]


def _field(condition: Mapping[str, Any]) -> str:
    field = condition.get("field")
    if not isinstance(field, str) or not (field in FIELDS or field.startswith("tag:")):
        raise RuleFault(f"{field!r} is no field: use one of {', '.join(sorted(FIELDS))} or tag:<key>.")
    return field.lower() if field.startswith("tag:") else field


def _test(condition: Mapping[str, Any]) -> Test:
    op, value = condition.get("op"), condition.get("value")
    if op == "is_empty":
        return lambda text: not text
    if op == "in":
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise RuleFault("“in” needs a list of texts.")
        words = frozenset(word.casefold() for word in value)
        return lambda text: text.casefold() in words
    if op not in OPS:
        raise RuleFault(f"{op!r} is no comparison: use one of {', '.join(OPS)}.")
    if not isinstance(value, str) or len(value) > LONGEST_PATTERN:
        raise RuleFault(f"“{op}” needs a text of at most {LONGEST_PATTERN} characters.")
    folded = value.casefold()
    if op == "equals":
        return lambda text: text.casefold() == folded
    if op == "prefix":
        return lambda text: text.casefold().startswith(folded)
    try:
        pattern = re.compile(fnmatch.translate(folded) if op == "glob" else value, re.IGNORECASE)
    except re.error as error:
        raise RuleFault(f"“{value}” is no regular expression: {error}.") from None
    found = pattern.match if op == "glob" else pattern.search
    return lambda text: found(text) is not None


def _shares(shares: Iterable[Mapping[str, Any]]) -> tuple[tuple[int, Decimal], ...]:
    found: dict[int, Decimal] = {}
    for share in shares:
        try:
            project, weight = int(share["project"]), Decimal(str(share["weight"]))
        except (KeyError, TypeError, ValueError, InvalidOperation):
            raise RuleFault("A share is a project and a weight.") from None
        if project in found or not (weight.is_finite() and 0 < weight <= 1) or weight != round(weight, 12):
            raise RuleFault("Each project stands once, with a weight between 0 and 1 of at most 12 decimals.")
        found[project] = weight
    if found and sum(found.values()) != 1:
        raise RuleFault("The weights must sum to exactly 1.")
    return tuple(sorted(found.items()))
