"""Whose usage is it: ordered rules over what a record can be attributed by; the first that holds decides. Pure.

A rule's conditions are `{"field": …, "op": …, "value": …, "not": true}`, all of which must hold. Text compares without
regard to case. `FIELDS` are those of a dimension, of its feed (`source` is the importer) and of what its name means
in the catalogue, plus `tag:<key>`. A field of several values (a tag that stands twice) holds if one of them does, and
with `not` if none does. A rule may hold for some UTC days only, so the answer is a list of spans of days. No rule:
unattributed, which is an answer and not an omission.

The service tier, whether a request came in a batch and the session are of a record, not of what it is told by: records
of one dimension are told apart by them only where a rule's answer depends on it (`told_apart`).
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from usage.patterns import Pattern, PatternFault

FIELDS: dict[str, str] = {
    "ext_project": "project or workspace",
    "ext_api_key": "API key",
    "api_key_name": "API key’s name",
    "project_name": "project’s or workspace’s name",
    "ext_user": "person",
    "user_name": "person’s name",
    "user_domain": "person’s e-mail domain",
    "iam_role": "IAM role",
    "ext_team": "team",
    "team_name": "team’s name",
    "path": "folder",
    "branch": "Git branch",
    "source": "importer",
    "scope": "feed",
    "account": "billing account",
    "host": "host",
    "provider": "seller",
    "maker": "maker",
    "model": "model",
    "model_family": "model family",
    "model_raw": "model as reported",
    "operation": "operation",
    "region": "region",
    "service_tier": "service tier",
    "is_batch": "in a batch (yes, no)",
    "session": "session",
}
"""What can be asked, in words; `tag:<key>` besides."""
OF_RECORD = {"service_tier": "service_tier", "is_batch": "service_tier", "session": "session"}
"""Fields that a record says by itself, and what of it says them."""
OF_CATALOGUE = frozenset({"provider", "maker", "model", "model_family"})
"""Fields that follow from what a model's name means."""
OF_DIRECTORY = {
    "api_key_name": ("ext_api_key", ("api_key",)),
    "project_name": ("ext_project", ("project", "workspace")),
    "user_name": ("ext_user", ("user",)),
    "team_name": ("ext_team", ("team",)),
}
"""Fields that the directory of names gives: whose id they name, and of which kinds."""
OPS: dict[str, str] = {
    "equals": "is",
    "prefix": "begins with",
    "contains": "contains",
    "in": "is one of",
    "glob": "fits (* and ?)",
    "regex": "fits the expression",
    "is_empty": "is empty",
}
LONGEST_PATTERN = 500

Test = Callable[[str], bool]
Fields = Mapping[str, str | tuple[str, ...]]
Result = Iterable[Mapping[str, Any]] | Mapping[str, Any]
"""`[{"project": id, "weight": "0.7"}, …]`, or `{"by_tokens_of": {"importer": slug}}` or `{"connection": id}` in it."""


class RuleFault(ValueError):
    """Why a rule cannot be used: one sentence."""


TokensOf = tuple[str, int | None]
"""Whose tokens give the weights: an importer (all its feeds), or '' and the number of one connection."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Projects with weights that sum to 1, by ascending project id (None, nobody, last); none at all is unattributed.

    With `by_tokens_of` the projects are still to be found, day by day: `usage.token_shares`.
    """

    rule_id: int | None = None
    rule_version: int = 0
    shares: tuple[tuple[int | None, Decimal], ...] = ()
    by_tokens_of: TokensOf | None = field(default=None, repr=False)


UNATTRIBUTED = Outcome()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule ready to be asked. `valid_from`/`valid_until`: the UTC days [from, until) it holds for."""

    tests: tuple[tuple[str, Test, bool], ...]
    """Field, test, and whether the field must *not* pass it."""
    outcome: Outcome
    valid_from: date
    valid_until: date

    def holds(self, fields: Fields) -> bool:
        return all(any(map(test, _values(fields, field))) != is_not for field, test, is_not in self.tests)

    @property
    def by_tokens(self) -> bool:
        return self.outcome.by_tokens_of is not None

    @property
    def asks_directory(self) -> bool:
        return any(field in OF_DIRECTORY for field, *_ in self.tests)

    @property
    def asks_records(self) -> bool:
        return any(field in OF_RECORD for field, *_ in self.tests)

    @property
    def asks_catalogue(self) -> bool:
        return any(field in OF_CATALOGUE for field, *_ in self.tests)


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
    shares: Result,
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> Rule:
    """The rule as it is asked; RuleFault says what is wrong with it."""
    tests = tuple((_field(condition), _test(condition), condition.get("not") is True) for condition in conditions)
    if isinstance(shares, Mapping):
        outcome = Outcome(rule_id, version, by_tokens_of=_tokens_of(shares))
    else:
        outcome = Outcome(rule_id, version, _shares(shares))
    return Rule(tests, outcome, valid_from or date.min, valid_until or date.max)


def of_record(said: Mapping[str, str]) -> dict[str, str]:
    """The fields of `OF_RECORD` of a record with this service tier and session. None is the standard tier: no batch."""
    tier = said["service_tier"]
    return {"service_tier": tier, "is_batch": "yes" if tier.lower() == "batch" else "no", "session": said["session"]}


def told_apart(rules: Iterable[Rule], said: Mapping[str, str]) -> dict[str, str]:
    """What of a record's service tier and session any condition tells from none; '' where no condition does.

    So records that no rule could tell apart stay one dimension, whatever they say.
    """
    own, none = of_record(said), of_record(dict.fromkeys(said, ""))
    needed = {
        OF_RECORD[field]
        for rule in rules
        for field, test, _ in rule.tests
        if field in OF_RECORD and own[field] != none[field] and test(own[field]) != test(none[field])
    }
    return {name: value if name in needed else "" for name, value in said.items()}


def spans(rules: Sequence[Rule], fields: Fields) -> list[Span]:
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


def spans_over(rules: Sequence[Rule], periods: Iterable[tuple[date, date, Fields]]) -> list[Span]:
    """The same where the fields differ by period; periods follow each other over all days."""
    found: list[Span] = []
    for start, until, fields in periods:
        for span in spans(rules, fields):
            since, end = max(start, span.valid_from), min(until, span.valid_until)
            if since < end:
                same = bool(found) and found[-1].outcome == span.outcome
                found.append(Span(found.pop().valid_from if same else since, end, span.outcome))
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


def _values(fields: Fields, field: str) -> tuple[str, ...]:
    found = fields.get(field) or ""
    return (found,) if isinstance(found, str) else found


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
    if not folded:
        raise RuleFault(f"“{OPS[op]}” needs a text: an empty one fits everything.")
    if op == "prefix":
        return lambda text: text.casefold().startswith(folded)
    if op == "contains":
        return lambda text: folded in text.casefold()
    if op == "glob":
        only_stars = folded.replace("[", "[[]")  # a bracket is a sign of models' names, and no class here
        pattern = re.compile(fnmatch.translate(only_stars), re.IGNORECASE)
        return lambda text: pattern.match(text.casefold()) is not None
    try:
        return lru_cache(4_096)(Pattern(value).found_in)  # many dimensions say the same
    except PatternFault as fault:
        raise RuleFault(f"“{value}” is no regular expression that can be used: {fault}.") from None


def _tokens_of(result: Mapping[str, Any]) -> TokensOf:
    named = result.get("by_tokens_of")
    if isinstance(named, Mapping) and len(named) == 1:
        importer, number = named.get("importer"), named.get("connection")
        if isinstance(importer, str) and importer:
            return importer, None
        if isinstance(number, int) and not isinstance(number, bool):
            return "", number
    raise RuleFault("by_tokens_of names one importer or one connection.")


def _shares(shares: Iterable[Mapping[str, Any]]) -> tuple[tuple[int | None, Decimal], ...]:
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
        raise RuleFault(f"The weights sum to {sum(found.values()):f}: they must sum to exactly 1.")
    return tuple(sorted(found.items(), key=lambda share: share[0]))
